package fault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A Script holds the faults that are set, and counts the requests by which they become due. The zero Script has none. It is safe for concurrent
// use, while servers serve.
type Script struct {
	mu      sync.Mutex
	faults  []*counted
	stale   bool            // one of them is Stale, so that what is made is remembered
	made    map[string]bool // ids
	seen    []Request
	flying  int
	onServe func(Request)
}

type counted struct {
	Fault
	n    int // requests that matched so far
	hits int
}

// A Request is one that passed since the script was set.
type Request struct {
	Server, Method, Path string
	Query                string
	Faults               int // those that struck it
}

// New returns a script with those faults.
func New(faults ...Fault) *Script {
	s := &Script{}
	s.Set(faults...)
	return s
}

// Set puts faults in the place of those that were set, and begins to count anew. Without faults the servers are sound again.
func (s *Script) Set(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.stale, s.made, s.seen = nil, false, map[string]bool{}, nil
	for _, f := range faults {
		s.faults = append(s.faults, &counted{Fault: f})
		s.stale = s.stale || f.Kind == Stale
	}
}

// Hits tells how many requests the faults struck since they were set.
func (s *Script) Hits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	hits := 0
	for _, f := range s.faults {
		hits += f.hits
	}
	return hits
}

// Seen returns the requests that came since the script was set, in order.
func (s *Script) Seen() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.seen...)
}

// Watch calls watch with each request that comes from now on, before it is served; with nil no longer. The request waits for it.
func (s *Script) Watch(watch func(Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onServe = watch
}

// Quiet waits until no request is being served or delayed, or until ctx ends.
func (s *Script) Quiet(ctx context.Context) error {
	for {
		s.mu.Lock()
		n := s.flying
		s.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return errors.New("requests are still being served")
		}
	}
}

// Wrap puts the script before a server ("apim", "is").
func (s *Script) Wrap(server string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		due, watch, remember := s.enter(server, r)
		defer s.leave()
		if watch != nil {
			watch(Request{Server: server, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Faults: len(due)})
		}
		if remember {
			next = s.remembering(next)
		}
		if len(due) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		s.fail(due, w, r, next)
	})
}

// enter counts a request and returns the faults that are due for it.
func (s *Script) enter(server string, r *http.Request) (due []Fault, watch func(Request), remember bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying++
	other := false
	for _, f := range s.faults {
		if !f.matches(server, r.Method, r.URL.Path) {
			continue
		}
		f.n++
		if !f.due(f.n) || f.Kind != Delay && other {
			continue
		}
		other = other || f.Kind != Delay
		f.hits++
		due = append(due, f.Fault)
	}
	s.seen = append(s.seen, Request{Server: server, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Faults: len(due)})
	return due, s.onServe, s.stale && r.Method == http.MethodPost
}

func (s *Script) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying--
}

// fail does to a request what the faults say.
func (s *Script) fail(due []Fault, w http.ResponseWriter, r *http.Request, next http.Handler) {
	// A request that is delayed, or whose answer nobody gets, is served all the same when its sender goes away.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the sender is gone already
	}
	r = r.Clone(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	serve := next.ServeHTTP
	var late time.Duration
	for _, f := range due {
		switch {
		case f.Kind != Delay:
			serve = s.failing(f, next)
		case f.After:
			late += f.Wait
		default:
			time.Sleep(f.Wait)
		}
	}
	if late == 0 {
		serve(w, r)
		return
	}
	a := newAnswer()
	aborted := !a.take(serve, r)
	time.Sleep(late)
	a.send(w, len(a.body))
	if aborted {
		panic(http.ErrAbortHandler)
	}
}

// failing returns the serving that f makes of next.
func (s *Script) failing(f Fault, next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if f.Kind == Lost {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), lostKey{}, true)))
			return
		}
		a := newAnswer()
		if f.After || f.Kind == Half || f.Kind == Stale {
			next.ServeHTTP(a, r)
		}
		switch f.Kind {
		case Status:
			f.answer(w)
		case Half:
			// An answer without a body breaks before it ends, too.
			a.header.Set("Content-Length", "1000000")
			a.send(w, len(a.body)/2)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case Stale:
			a.body = s.outdated(a.body)
			a.header.Del("Content-Length")
			a.send(w, len(a.body))
		default:
			panic(http.ErrAbortHandler)
		}
	}
}

// answer sends what a Status fault says.
func (f Fault) answer(w http.ResponseWriter) {
	if f.RetryAfter != 0 {
		w.Header().Set("Retry-After", f.retryAfter())
	}
	switch {
	case strings.HasPrefix(f.Body, "<"):
		w.Header().Set("Content-Type", "text/html")
	case f.Body != "":
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(f.Code)
	_, _ = io.WriteString(w, f.Body)
}

type lostKey struct{}

// EventLost reports whether the event of a write that has this context is to be lost. The servers ask.
func EventLost(ctx context.Context) bool { return ctx.Value(lostKey{}) != nil }

// An answer is one that was not sent yet.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}

// take lets serve answer, and reports false when it broke the connection instead.
func (a *answer) take(serve http.HandlerFunc, r *http.Request) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			ok = false
		}
	}()
	serve(a, r)
	return true
}

// send sends n bytes of it.
func (a *answer) send(w http.ResponseWriter, n int) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	a.WriteHeader(http.StatusOK)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:n])
}

// lastSegment is the last segment of a URL's path.
func lastSegment(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	return u.Path[strings.LastIndexByte(u.Path, '/')+1:]
}
