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

// A pool is as many goroutines as there are processors, for work that only computes. Thousands of
// goroutines wait for servers; if each decoded its own block, thousands of deep stacks would stay.
type pool chan func()

// startPool starts a pool; close it when nothing is given to it any more.
func startPool() pool {
	p := make(pool)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for f := range p {
				f()
			}
		}()
	}
	return p
}

// do calls f on the pool and waits. f must not call do or spread itself.
func (p pool) do(f func()) {
	done := make(chan struct{})
	p <- func() {
		defer close(done)
		f()
	}
	<-done
}

// spread calls f for 0 … n-1 on the pool, some neighbours one after the other, and waits.
func (p pool) spread(n int, f func(i int)) {
	parts := min(n, 4*runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	wg.Add(parts)
	for part := range parts {
		p <- func() {
			defer wg.Done()
			for i := part * n / parts; i < (part+1)*n/parts; i++ {
				f(i)
			}
		}
	}
	wg.Wait()
}
