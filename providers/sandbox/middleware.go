package sandbox

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// A counter counts requests: all that came, and those that are being served.
type counter struct{ all, now atomic.Int64 }

func (c *counter) value() int64  { return c.all.Load() }
func (c *counter) flying() int64 { return c.now.Load() }

// finishing serves a request to its end also when its sender goes away meanwhile, as servlets do: API Manager's calls to its key manager are not broken
// off by that.
func finishing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})
}

// wrap is the one place through which every request of a server passes: counted, delayed, failed as Faults say, handed on, and noted when it may have changed something.
func (s *Sandbox) wrap(i *instance, opts Options) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		next = finishing(next)
		if opts.Middleware != nil {
			next = opts.Middleware(i.name, next)
		}
		if opts.Faults != nil {
			next = opts.Faults.Wrap(i.name, next)
		}
		own := s.security[i.name]
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if own != nil && own.intercept(w, r) {
				return
			}
			i.counter.all.Add(1)
			i.counter.now.Add(1)
			defer i.counter.now.Add(-1)
			if opts.Latency > 0 {
				wait := time.NewTimer(opts.Latency)
				defer wait.Stop()
				select {
				case <-wait.C:
				case <-r.Context().Done():
					return
				}
			}
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				defer s.data.touch() // also when the answer is cut
			}
			next.ServeHTTP(w, r)
		})
	}
}
