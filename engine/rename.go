package engine

import (
	"slices"

	"wso2plan/config"
)

// renames tells for each block which blocks its objects move to in this plan.
type renames struct {
	to   map[config.Address][]config.Address
	left map[config.Address]bool // some of its objects stay
}

// renamesOf are the renames of the moves of works.
func (p *planner) renamesOf(works []*work) renames {
	r := renames{map[config.Address][]config.Address{}, map[config.Address]bool{}}
	for _, w := range works {
		if w.change.From == (config.Address{}) {
			continue
		}
		if from, to := w.change.From.Block(), w.change.Address.Block(); from != to && !slices.Contains(r.to[from], to) {
			r.to[from] = append(r.to[from], to)
		}
	}
	if len(r.to) == 0 {
		return r
	}
	for a := range p.records {
		if !p.moved[a] {
			r.left[a.Block()] = true
		}
	}
	return r
}

// follow returns list with the blocks that hold the objects now which the blocks in it held, and
// whether that is another list.
func (r renames) follow(list []config.Address) (followed []config.Address, other bool) {
	if !slices.ContainsFunc(list, func(b config.Address) bool { return len(r.to[b]) > 0 }) {
		return list, false
	}
	for _, b := range list {
		if len(r.to[b]) == 0 || r.left[b] {
			followed = append(followed, b)
		}
		followed = append(followed, r.to[b]...)
	}
	return uniqueAddresses(followed), true
}

// record returns a record whose dependencies follow the renames, or nil where they are as they were.
func (r renames) record(rec *Record) *Record {
	dependencies, changed := r.follow(rec.Dependencies)
	parents, also := r.follow(rec.Parents)
	if !changed && !also {
		return nil
	}
	out := *rec
	out.Dependencies, out.Parents = dependencies, parents
	return &out
}

// followMoves lets what is recorded of the order of objects follow those that move: else nobody
// would know, if this apply ends early, that what depends on one of them must be deleted before it.
func (p *planner) followMoves(works []*work) {
	r := p.renamesOf(works)
	if len(r.to) == 0 {
		return
	}
	for _, w := range works {
		if w.record == nil {
			continue
		}
		if rec := r.record(w.record); rec != nil {
			w.record, w.followed = rec, true
		}
	}
	for _, a := range sortedKeysOf(p.records) {
		if p.works[a] != nil || p.moved[a] {
			continue
		}
		if rec := r.record(p.records[a]); rec != nil {
			p.followed = append(p.followed, Op{Put: rec})
		}
	}
}
