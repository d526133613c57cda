package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A graph holds blocks and locals as nodes, in the order of the Config, blocks first.
type graph struct {
	names []string
	edges [][]link
}

// A link is an edge of the graph: one place that refers to node to.
type link struct {
	to  int
	rng hcl.Range
}

func (l *loader) graph() graph {
	locals := keys(l.c.Locals)
	n := len(l.c.Blocks) + len(locals)
	g := graph{names: make([]string, 0, n), edges: make([][]link, n)}
	blockAt := make(map[Address]int, len(l.c.Blocks))
	localAt := make(map[string]int, len(locals))
	for i, b := range l.c.Blocks {
		blockAt[b.Address] = i
		g.names = append(g.names, b.Address.String())
	}
	for i, name := range locals {
		localAt[name] = len(l.c.Blocks) + i
		g.names = append(g.names, "local."+name)
	}
	add := func(from int, refs []edge) {
		for _, e := range refs {
			to := blockAt[e.to]
			if e.local != "" {
				to = localAt[e.local]
			}
			g.edges[from] = append(g.edges[from], link{to, e.rng})
		}
	}
	for i, b := range l.c.Blocks {
		add(i, b.metaRefs)
		add(i, b.refs)
		add(i, b.dependsRefs)
	}
	for _, name := range locals {
		add(localAt[name], l.c.Locals[name].refs)
	}
	return g
}

// findCycles reports each set of blocks and locals that cannot be put in order, once, with the
// range of every reference that makes it a circle.
func (l *loader) findCycles() {
	g := l.graph()
	for _, component := range g.components() {
		for _, i := range component {
			if i >= len(l.c.Blocks) {
				l.c.Locals[strings.TrimPrefix(g.names[i], "local.")].cyclic = true
			}
		}
		cycle := g.shortestCycle(component)
		var lines []string
		var at *hcl.Range
		for i, from := range cycle {
			to := cycle[(i+1)%len(cycle)]
			for _, e := range g.edges[from] {
				if e.to == to {
					lines = append(lines, fmt.Sprintf("  %s: %s refers to %s", place(e.rng), g.names[from], g.names[to]))
					if at == nil {
						at = e.rng.Ptr()
					}
				}
			}
		}
		places := strings.Join(lines, "\n")
		if len(cycle) == 1 {
			l.errorf(at, "Self reference", "%s needs itself before it can be evaluated:\n\n%s\n\nRemove the reference.",
				g.names[cycle[0]], places)
			continue
		}
		l.errorf(at, "Cycle", "These refer to each other in a circle, so that none can be the first:\n\n%s\n\nRemove one of "+
			"the references.", places)
	}
}

// components returns the strongly connected components that hold a cycle, each sorted, in the
// order of their first nodes. (Tarjan's algorithm.)
func (g graph) components() [][]int {
	const unseen = 0
	index := make([]int, len(g.edges)) // order of discovery from 1
	low := make([]int, len(g.edges))
	onStack := make([]bool, len(g.edges))
	var stack []int
	var out [][]int
	next := 1
	var visit func(int)
	visit = func(v int) {
		index[v], low[v] = next, next
		next++
		stack = append(stack, v)
		onStack[v] = true
		self := false
		for _, e := range g.edges[v] {
			switch {
			case e.to == v:
				self = true
			case index[e.to] == unseen:
				visit(e.to)
				low[v] = min(low[v], low[e.to])
			case onStack[e.to]:
				low[v] = min(low[v], index[e.to])
			}
		}
		if low[v] != index[v] {
			return
		}
		var component []int
		for {
			w := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			onStack[w] = false
			component = append(component, w)
			if w == v {
				break
			}
		}
		if len(component) > 1 || self {
			slices.Sort(component)
			out = append(out, component)
		}
	}
	for v := range g.edges {
		if index[v] == unseen {
			visit(v)
		}
	}
	slices.SortFunc(out, func(a, b []int) int { return a[0] - b[0] })
	return out
}

// shortestCycle returns the nodes of the shortest cycle through the first node of a component that
// has one at all.
func (g graph) shortestCycle(component []int) []int {
	inside := make(map[int]bool, len(component))
	for _, v := range component {
		inside[v] = true
	}
	start := component[0]
	from := map[int]int{}
	queue := []int{start}
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		for _, e := range g.edges[v] {
			if e.to == start {
				cycle := []int{v}
				for v != start {
					v = from[v]
					cycle = append(cycle, v)
				}
				slices.Reverse(cycle)
				return cycle
			}
			if _, seen := from[e.to]; inside[e.to] && !seen {
				from[e.to] = v
				queue = append(queue, e.to)
			}
		}
	}
	return component
}

// expandReferences follows references through locals to the blocks behind them.
func (l *loader) expandReferences() {
	x := expander{locals: l.c.Locals, known: map[string][]Reference{}}
	for _, name := range keys(l.c.Locals) {
		l.c.Locals[name].static = !l.c.Locals[name].cyclic && len(x.local(name)) == 0
	}
	for _, b := range l.c.Blocks {
		b.staticMeta = len(x.expand(b.metaRefs)) == 0
		b.References = x.expand(b.metaRefs, b.refs, b.dependsRefs)
	}
	for _, o := range l.c.Outputs {
		o.References = x.expand(o.refs, o.dependsRefs)
	}
	for _, ref := range keys(l.c.Providers) {
		for _, r := range x.expand(l.c.Providers[ref].refs) {
			l.errorf(r.Range.Ptr(), "Invalid reference in provider block", "A provider is configured before any object is "+
				"read, so its block cannot refer to %s%s. Use variables or the environment.", r.To, through(r))
		}
	}
	for _, im := range l.c.Imports {
		for _, r := range x.expand(im.refs) {
			l.errorf(r.Range.Ptr(), "Invalid reference in import block", "What is imported is settled before any object is "+
				"read, so an import block cannot refer to %s%s. Use variables, locals or the text itself.", r.To, through(r))
		}
	}
}

// through names the locals that a reference goes through.
func through(r Reference) string {
	if len(r.Via) == 0 {
		return ""
	}
	return " (through local." + strings.Join(r.Via, ", local.") + ")"
}

// An expander remembers what each local leads to.
type expander struct {
	locals map[string]*Local
	known  map[string][]Reference
}

// expand returns the references behind edges, in source order.
func (x *expander) expand(lists ...[]edge) []Reference {
	var out []Reference
	for _, edges := range lists {
		for _, e := range edges {
			if e.local == "" {
				out = append(out, Reference{To: e.to, Attr: e.attr, Range: e.rng, OnlyIn: e.only})
				continue
			}
			for _, r := range x.local(e.local) {
				r.Range, r.OnlyIn = e.rng, e.only
				r.Via = append([]string{e.local}, r.Via...)
				out = append(out, r)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Reference) int { return compareRanges(a.Range, b.Range) })
	return out
}

// local returns what a local refers to, each block and attribute once. Locals are acyclic here.
func (x *expander) local(name string) []Reference {
	refs, ok := x.known[name]
	if ok {
		return refs
	}
	type target struct {
		to   Address
		attr string
	}
	seen := map[target]bool{}
	for _, r := range x.expand(x.locals[name].refs) {
		if t := (target{r.To, r.Attr}); !seen[t] {
			seen[t] = true
			refs = append(refs, r)
		}
	}
	x.known[name] = refs
	return refs
}
