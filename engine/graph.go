package engine

import (
	"wso2plan/config"
)

// An operand is what the operation graph needs to know of one change.
type operand struct {
	addr        config.Address
	action      Action // Create, Update, Replace, Delete, Read; anything else has no operation
	createFirst bool
	class       string           // realm and type: where keys are unique
	keyBefore   string           // of the live object; "" if unknown
	keyAfter    string           // of the planned object; "" if unknown
	recorded    []config.Address // blocks that its record depends on
	deposed     []string         // for each object replaced earlier and still to delete, its key; "" if unknown
}

// An opKind says what a node of the operation graph does.
type opKind int

const (
	gather opKind = iota // nothing: it waits, so that many can wait for many at little cost
	write                // create, update, or read a deferred data source
	remove               // delete the live object
	depose               // delete a deposed object
)

// A graphNode is an operation, or a point where operations meet.
type graphNode struct {
	kind    opKind
	operand int // index; -1 for gather
	deposed int // index of the deposed id
	deps    []int
}

// strength says which edges give way when edges close a cycle: soft first.
type strength int

const (
	hard   strength = iota
	firsts          // of create-first replacements, which are then done delete-first
	record          // between deletions, by what records say: records of different times may disagree
	soft
)

type edge struct {
	from, to int // from comes after to
	strength strength
}

// operations builds the graph of the writes W and deletes D of a plan; "X → Y" means X after Y.
//
//	W(B) → W(A)   B refers to A
//	D(A) → D(B)   B is recorded as depending on A
//	W(x) → D(y)   both have one type, realm and key; also W(A′) → D(A) of a delete-first replacement
//	D(A) → W(A′)  and the writes of A's dependents: a create-first replacement
//	D(A) → W(B)   soft: B stays and drops its reference to A
//
// refs says for each block which blocks it refers to. Between blocks edges go through points where
// they gather, so their number grows with instances plus blocks, not with their product. Create-first
// replacements that close a cycle are turned into delete-first ones: operands is changed.
func operations(operands []operand, refs map[config.Address][]config.Address) []graphNode {
	for {
		g := newOperationGraph(operands, refs)
		g.drop(g.cyclic(hard, record), record)
		inCycle := g.cyclic(hard, record, firsts)
		converted := false
		for i := range operands {
			if n, ok := g.removes[i]; ok && operands[i].createFirst && inCycle[n] != 0 {
				operands[i].createFirst = false
				converted = true
			}
		}
		if converted {
			continue
		}
		g.drop(inCycle, firsts) // left over: those of deposed objects
		g.drop(g.cyclic(hard, record, firsts, soft), soft)
		for _, e := range g.edges {
			g.nodes[e.from].deps = append(g.nodes[e.from].deps, e.to)
		}
		return g.nodes
	}
}

type operationGraph struct {
	nodes   []graphNode
	edges   []edge
	removes map[int]int // operand → its remove node
	points  map[point]int
}

// A point is where the operations of one block meet.
type point struct {
	what  string
	block config.Address
}

func (g *operationGraph) node(n graphNode) int {
	g.nodes = append(g.nodes, n)
	return len(g.nodes) - 1
}

func (g *operationGraph) after(from, to int, s strength) {
	g.edges = append(g.edges, edge{from, to, s})
}

func (g *operationGraph) point(what string, block config.Address) int {
	p := point{what, block}
	n, ok := g.points[p]
	if !ok {
		n = g.node(graphNode{operand: -1})
		g.points[p] = n
	}
	return n
}

func newOperationGraph(operands []operand, refs map[config.Address][]config.Address) *operationGraph {
	g := &operationGraph{removes: map[int]int{}, points: map[point]int{}}
	written := func(b config.Address) int { return g.point("written", b) }   // all its writes are done
	removed := func(b config.Address) int { return g.point("removed", b) }   // all its deletes are done
	gate := func(b config.Address) int { return g.point("gate", b) }         // its deletes may begin
	released := func(b config.Address) int { return g.point("released", b) } // nobody needs replaced ones
	unused := func(b config.Address) int { return g.point("unused", b) }     // nobody refers to deleted ones

	for _, b := range sortedBlocks(refs) {
		for _, to := range refs[b] {
			if to != b {
				g.after(written(b), written(to), hard)
				g.after(released(to), written(b), firsts)
			}
		}
	}

	writes := map[int]int{}
	leaves := map[string]int{} // class and key → the operation after which it is free
	hasWrites := map[config.Address]bool{}
	dependents := map[point]bool{}
	for i := range operands {
		o := &operands[i]
		block := o.addr.Block()
		if o.action == Create || o.action == Update || o.action == Replace || o.action == Read {
			w := g.node(graphNode{kind: write, operand: i})
			writes[i] = w
			hasWrites[block] = true
			g.after(written(block), w, hard)
			for _, to := range refs[block] {
				if to != block {
					g.after(w, written(to), hard)
				}
			}
		}
		if o.action == Delete || o.action == Replace {
			d := g.node(graphNode{kind: remove, operand: i})
			g.removes[i] = d
			g.after(d, gate(block), hard)
			g.after(removed(block), d, hard)
		}
		for j := range o.deposed {
			d := g.node(graphNode{kind: depose, operand: i, deposed: j})
			g.after(d, gate(block), hard)
			g.after(removed(block), d, hard)
			if key := o.deposed[j]; key != "" {
				leaves[o.class+"\n"+key] = d
			}
			g.after(d, released(block), firsts)
			if w, ok := writes[i]; ok {
				g.after(d, w, firsts)
			}
		}
		for _, to := range o.recorded {
			p := point{to.String(), block}
			if to == block || dependents[p] {
				continue
			}
			dependents[p] = true
			g.after(removed(block), gate(block), hard)
			g.after(gate(to), removed(block), record)
		}
	}
	for i := range operands {
		o := &operands[i]
		d, ok := g.removes[i]
		if !ok {
			continue
		}
		block := o.addr.Block()
		if o.action == Delete {
			g.after(d, unused(block), hard)
			continue
		}
		if o.createFirst {
			g.after(d, writes[i], firsts)
			g.after(d, released(block), firsts)
		} else {
			g.after(writes[i], d, hard)
		}
	}
	for i := range operands {
		for _, to := range operands[i].recorded {
			if block := operands[i].addr.Block(); hasWrites[block] && to != block {
				g.after(unused(to), written(block), soft)
			}
		}
	}

	// Who leaves a key goes before who takes it.
	for i := range operands {
		o := &operands[i]
		if o.keyBefore == "" {
			continue
		}
		if d, ok := g.removes[i]; ok {
			leaves[o.class+"\n"+o.keyBefore] = d
		} else if w, ok := writes[i]; ok && o.action == Update && o.keyAfter != o.keyBefore {
			leaves[o.class+"\n"+o.keyBefore] = w
		}
	}
	for i := range operands {
		o := &operands[i]
		w, ok := writes[i]
		if !ok || o.keyAfter == "" || o.keyAfter == o.keyBefore {
			continue
		}
		if n, ok := leaves[o.class+"\n"+o.keyAfter]; ok && n != w {
			s := hard
			if g.nodes[n].kind == write {
				s = soft
			}
			g.after(w, n, s)
		}
	}
	return g
}

func sortedBlocks(refs map[config.Address][]config.Address) []config.Address {
	out := make([]config.Address, 0, len(refs))
	for b := range refs {
		out = append(out, b)
	}
	sortAddresses(out)
	return out
}

// drop removes the edges of strength s whose ends lie in one cycle; inCycle is what cyclic returned.
func (g *operationGraph) drop(inCycle []int, s strength) {
	kept := g.edges[:0]
	for _, e := range g.edges {
		if e.strength == s && inCycle[e.from] != 0 && inCycle[e.from] == inCycle[e.to] {
			continue
		}
		kept = append(kept, e)
	}
	g.edges = kept
}

// cyclic returns for each node the number of the cycle (strongly connected component) that it lies
// in by the edges of the given strengths; 0 for none.
func (g *operationGraph) cyclic(of ...strength) []int {
	next := make([][]int, len(g.nodes))
	for _, e := range g.edges {
		for _, s := range of {
			if e.strength == s {
				next[e.from] = append(next[e.from], e.to)
				break
			}
		}
	}
	var (
		index, low = make([]int, len(g.nodes)), make([]int, len(g.nodes))
		onStack    = make([]bool, len(g.nodes))
		component  = make([]int, len(g.nodes))
		stack      []int
		count, nr  int
		visit      func(v int)
	)
	visit = func(v int) {
		count++
		index[v], low[v] = count, count
		stack = append(stack, v)
		onStack[v] = true
		for _, w := range next[v] {
			if index[w] == 0 {
				visit(w)
				low[v] = min(low[v], low[w])
			} else if onStack[w] {
				low[v] = min(low[v], index[w])
			}
		}
		if low[v] != index[v] {
			return
		}
		size := 0
		nr++
		for {
			w := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			onStack[w] = false
			component[w] = nr
			size++
			if w == v {
				break
			}
		}
		if size == 1 {
			component[v] = 0
		}
	}
	for v := range g.nodes {
		if index[v] == 0 {
			visit(v)
		}
	}
	return component
}
