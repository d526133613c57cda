package render

import (
	"cmp"
	"slices"

	"wso2plan/config"
	"wso2plan/engine"
)

// fold returns one view for many changes of one block that have the same action.
func (v *PlanView) fold(changes []*engine.Change) ChangeView {
	first := changes[0]
	out := ChangeView{Action: first.Action, CreateFirst: first.CreateFirst, Subject: first.Address.Block().String()}
	if v.Mode == RefreshOnlyMode {
		out.Phrase = "have changed"
		if wasDeleted(first) {
			out.Action, out.Phrase = engine.Delete, "have been deleted"
		}
	} else {
		out.Phrase = foldedPhrase(first)
	}
	f := &Fold{Count: len(changes), Last: changes[len(changes)-1].Address.Key}
	for _, c := range changes[:min(3, len(changes))] {
		f.Keys = append(f.Keys, c.Address.Key)
	}
	at := map[string]int{}
	count := func(to *[]PathCount, text string, drifted bool) {
		i, ok := at[text]
		if !ok {
			i = len(*to)
			at[text] = i
			*to = append(*to, PathCount{Text: text})
		}
		(*to)[i].Count++
		if drifted {
			(*to)[i].Drifted++
		}
	}
	for _, c := range changes {
		if c.Action != engine.Create && c.Action != engine.Delete {
			for i := range c.Paths {
				p := &c.Paths[i]
				drifted := p.Kind == engine.Drift || p.Kind == engine.Both
				if v.Mode == RefreshOnlyMode && !drifted || p.Kind == engine.Consequent {
					continue
				}
				count(&f.Paths, pathText(c, p), drifted)
			}
		}
	}
	clear(at)
	if v.Mode != RefreshOnlyMode {
		for _, c := range changes {
			for _, s := range append(reasons(c), warnings(c)...) {
				count(&f.Comments, s, false)
			}
		}
	}
	most := func(a, b PathCount) int { return cmp.Compare(b.Count, a.Count) }
	slices.SortStableFunc(f.Paths, most)
	slices.SortStableFunc(f.Comments, most)
	out.Fold = f
	return out
}

// foldedPhrase is phrase for many.
func foldedPhrase(c *engine.Change) string {
	switch c.Action {
	case engine.Forget:
		return "are gone from the server and will be forgotten"
	case engine.None, engine.Move, engine.Import:
		if c.From != (config.Address{}) {
			return "have moved"
		}
	}
	return phrase(c)
}

// foldPaths makes one of the notes from index first on, which are of one block's instances, when
// they are more than a dozen.
func foldPaths(notes []PathsView, first int, block string) []PathsView {
	many := notes[first:]
	if len(many) <= dozen {
		return notes
	}
	all := map[string]bool{}
	for i := range many {
		for _, p := range many[i].Paths {
			all[p] = true
		}
	}
	return append(notes[:first], PathsView{Subject: block, Instances: len(many), Paths: sortedKeys(all)})
}
