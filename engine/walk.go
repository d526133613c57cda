package engine

import (
	"context"
	"runtime"
	"sync"
)

// walk calls visit once for each of n nodes, each after all nodes that deps names for it, side by
// side as far as that allows. deps must be acyclic. visit learns whether a node that it waits for
// failed, and reports whether its own node did. Nodes are started although ctx is cancelled: it is
// for visit to look.
func walk(ctx context.Context, n int, deps func(i int) []int, visit func(ctx context.Context, i int, upstreamFailed bool) (failed bool)) {
	waiting := make([]int, n)
	next := make([][]int, n)
	for i := range n {
		seen := map[int]bool{}
		for _, d := range deps(i) {
			if d != i && !seen[d] {
				seen[d] = true
				next[d] = append(next[d], i)
				waiting[i]++
			}
		}
	}
	var (
		mu       sync.Mutex
		wg       sync.WaitGroup
		upstream = make([]bool, n)
		start    func(i int)
	)
	start = func(i int) {
		wg.Go(func() {
			failed := visit(ctx, i, upstream[i])
			var ready []int
			mu.Lock()
			for _, j := range next[i] {
				upstream[j] = upstream[j] || failed
				if waiting[j]--; waiting[j] == 0 {
					ready = append(ready, j)
				}
			}
			mu.Unlock()
			for _, j := range ready {
				start(j)
			}
		})
	}
	var roots []int
	for i := range n {
		if waiting[i] == 0 {
			roots = append(roots, i)
		}
	}
	for _, i := range roots {
		start(i)
	}
	wg.Wait()
}

// each calls f for 0 … n-1 side by side and waits. Calls that wait for a server do not hold up
// others: their number is bounded by the transport, not here.
func each(n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// chunks calls f for 0 … n-1 on as many goroutines as there are processors, for work that only
// computes.
func chunks(n int, f func(i int)) {
	p := runtime.GOMAXPROCS(0)
	if n < 2*p {
		for i := range n {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range p {
		wg.Go(func() {
			for i := w * n / p; i < (w+1)*n/p; i++ {
				f(i)
			}
		})
	}
	wg.Wait()
}
