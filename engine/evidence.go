package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// evidenceFormat is the version of the form of a saved plan.
const evidenceFormat = 1

// Evidence is a saved plan: what a reviewer saw, not instructions. An apply of it plans again with
// the same options and goes on only if the outcome is the same.
type Evidence struct {
	Format        int                        `json:"format"`
	Options       PlanOptions                `json:"options"`
	Configuration string                     `json:"configuration"`     // its digest
	Lineage       string                     `json:"lineage,omitempty"` // of the store; "" before its first write
	Realms        map[string]string          `json:"realms"`            // by provider
	Variables     map[string]json.RawMessage `json:"variables"`         // those that are not sensitive, with their types' JSON
	Key           string                     `json:"key"`               // the id of the key of the fingerprints
	Changes       []EvidenceChange           `json:"changes"`
}

// An EvidenceChange is one change of a saved plan. Before and After hold the managed paths as JSON
// texts; sensitive ones as fingerprints, unknown ones as "unknown".
type EvidenceChange struct {
	Address config.Address    `json:"address"`
	From    string            `json:"from,omitempty"`
	Action  string            `json:"action"`
	ID      string            `json:"id,omitempty"`
	Deposed []string          `json:"deposed,omitempty"`
	Before  map[string]string `json:"before,omitempty"`
	After   map[string]string `json:"after,omitempty"`
}

const unknownText = "unknown"

// Evidence returns what is saved of the plan. It is nil for a plan that this process did not make.
func (p *Plan) Evidence() *Evidence {
	if p.state == nil {
		return nil
	}
	pl := p.state.planner
	e := &Evidence{
		Format: evidenceFormat, Options: p.Options, Configuration: pl.r.Config.Digest, Lineage: pl.meta.Lineage,
		Realms: map[string]string{}, Variables: map[string]json.RawMessage{}, Key: pl.r.Keys.ID(),
	}
	for ref, c := range pl.conn.byRef {
		e.Realms[ref] = c.realm
	}
	for name, v := range pl.r.Config.Variables {
		if u, marks := v.Value.UnmarkDeep(); len(marks) == 0 && !v.Sensitive && u.IsWhollyKnown() {
			e.Variables[name] = json.RawMessage(jsonText(u))
		}
	}
	for i := range p.Changes {
		if c := p.evidence(&p.Changes[i]); c != nil {
			e.Changes = append(e.Changes, *c)
		}
	}
	return e
}

func (p *Plan) evidence(c *Change) *EvidenceChange {
	moved := c.From != (config.Address{})
	if c.Action == None && !c.Imported && !moved && len(c.Deposed) == 0 {
		return nil
	}
	e := &EvidenceChange{Address: c.Address, Action: actionName(c), ID: c.ID, Deposed: c.Deposed}
	if moved {
		e.From = c.From.String()
	}
	k := p.state.planner.r.Keys
	text := func(path string, v cty.Value) string {
		u, marks := v.UnmarkDeep()
		switch {
		case !u.IsWhollyKnown():
			return unknownText
		case len(marks) > 0:
			return k.Fingerprint(c.Type.Name, c.Address.String(), path, u)
		}
		return jsonText(u)
	}
	switch c.Action {
	case Create, Replace, Delete:
		e.Before, e.After = flatten(c.Type, c.Before, text), flatten(c.Type, c.After, text)
		if c.Action == Delete && p.state.planner.works[c.Address] != nil {
			// Only what is managed: what others change in the object does not matter to its deletion.
			if rec := p.state.planner.works[c.Address].record; rec != nil {
				maps.DeleteFunc(e.Before, func(path, _ string) bool { return rec.Fingerprints[path] == "" })
			}
		}
		if c.Action == Replace {
			e.Before = nil
		}
	default:
		e.Before, e.After = map[string]string{}, map[string]string{}
		for i := range c.Paths {
			pc := &c.Paths[i]
			path := schema.PathString(pc.Path)
			e.Before[path], e.After[path] = text(path, pc.Before), text(path, pc.After)
		}
	}
	return e
}

func actionName(c *Change) string {
	name := map[Action]string{None: "none", Create: "create", Update: "update", Replace: "replace", Delete: "delete",
		Import: "import", Move: "move", Forget: "forget", Read: "read"}[c.Action]
	if c.Action == Replace && c.CreateFirst {
		name = "replace, create first"
	}
	if c.Release {
		name = "let go"
	}
	if c.Imported && c.Action != Import {
		name = "import and " + name
	}
	return name
}

// flatten returns the attributes of a value, in nested blocks too, that are not null, as texts by
// path.
func flatten(t *schema.Type, v cty.Value, text func(path string, v cty.Value) string) map[string]string {
	out := map[string]string{}
	var walk func(b *schema.Block, at cty.Path, v cty.Value)
	walk = func(b *schema.Block, at cty.Path, v cty.Value) {
		v, marks := v.Unmark()
		if !v.IsKnown() {
			out[schema.PathString(at)] = unknownText
			return
		}
		if v.IsNull() {
			return
		}
		attrs := v.AsValueMap()
		for i := range b.Attributes {
			a := &b.Attributes[i]
			path := schema.PathString(attrPath(at, a.Name))
			if u, _ := attrs[a.Name].Unmark(); !u.IsKnown() || !u.IsNull() {
				out[path] = text(path, attrs[a.Name].WithMarks(marks))
			}
		}
		for i := range b.Blocks {
			n := &b.Blocks[i]
			path := attrPath(at, n.Name)
			x, xm := attrs[n.Name].Unmark()
			if n.Nesting == schema.Single || !x.IsKnown() || x.IsNull() {
				walk(&n.Block, path, x.WithMarks(marks, xm))
				continue
			}
			for j, elem := range x.AsValueSlice() {
				key, ok := elementKey(n, j, elem)
				if !ok {
					key = cty.NumberIntVal(int64(j))
				}
				walk(&n.Block, indexPath(path, key), elem.WithMarks(marks, xm))
			}
		}
	}
	walk(&t.Block, nil, v)
	return out
}

// ReadEvidence reads a saved plan.
func ReadEvidence(data []byte) (*Evidence, error) {
	var e Evidence
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("this is not a saved plan: %w", err)
	}
	if e.Format == 0 {
		return nil, fmt.Errorf("this is not a saved plan: it has no format")
	}
	if e.Format > evidenceFormat {
		return nil, fmt.Errorf("this plan was saved by a newer version (format %d, this one reads up to %d)", e.Format, evidenceFormat)
	}
	return &e, nil
}

// Compare says what moved since the plan was saved, one sentence each; nil when p is the same. The
// key of the fingerprints must be the one of the saved plan.
func (e *Evidence) Compare(p *Plan) []string {
	now := p.Evidence()
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if e.Configuration != now.Configuration {
		say("the configuration files were edited")
	}
	if e.Lineage != "" && e.Lineage != now.Lineage {
		say("the store is another one")
	}
	if e.Key != now.Key {
		say("the key of the fingerprints is another one, so sensitive values cannot be compared")
	}
	for _, ref := range sortedKeys(e.Realms) {
		if r, ok := now.Realms[ref]; ok && r != e.Realms[ref] {
			say("provider %q reaches %q, and reached %q", ref, r, e.Realms[ref])
		}
	}
	for _, name := range sortedKeys(e.Variables) {
		if string(e.Variables[name]) != string(now.Variables[name]) {
			say("variable %q has another value", name)
		}
	}
	then := map[config.Address]EvidenceChange{}
	for _, c := range e.Changes {
		then[c.Address] = c
	}
	for _, c := range now.Changes {
		old, ok := then[c.Address]
		delete(then, c.Address)
		switch {
		case !ok:
			say("%s was to be left alone, and now would be: %s", c.Address, c.Action)
		case old.Action != c.Action || old.From != c.From:
			say("%s was to be: %s, and now would be: %s", c.Address, old.Action, c.Action)
		case old.ID != c.ID || !slices.Equal(old.Deposed, c.Deposed):
			say("%s is another object now: %s, and was %s", c.Address, c.ID, old.ID)
		default:
			comparePaths(c.Address, old.Before, c.Before, "is now", say)
			comparePaths(c.Address, old.After, c.After, "would become", say)
		}
	}
	for _, a := range sortedKeysOf(then) {
		say("%s was to be: %s, and now needs no change", a, then[a].Action)
	}
	return out
}

func comparePaths(a config.Address, old, now map[string]string, verb string, say func(string, ...any)) {
	both := maps.Clone(old)
	if both == nil {
		both = map[string]string{}
	}
	maps.Copy(both, now)
	for _, path := range sortedKeys(both) {
		if old[path] != now[path] {
			say("%s: %s %s another value than in the reviewed plan", a, path, verb)
		}
	}
}
