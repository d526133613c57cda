package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// strikes stands between the network and a sandbox's servers, and does something to the client when
// a write of its comes.
type strikes struct {
	mu    sync.Mutex
	left  int // writes until the strike; 0: none
	after bool
	act   func()
	acted bool
	hold  time.Duration // of the write that is struck, which is then served
	gate  chan struct{} // writes wait until it is closed; nil: they do not
}

// strike calls act when the nth write from now comes, before it is served or after, and never
// answers it. The result reports whether that happened.
func (f *strikes) strike(n int, after bool, act func()) (struck func() bool) {
	return f.arm(n, after, 0, act)
}

// pause calls act when the nth write from now comes, and serves it hold later, unless the client
// does not wait for that.
func (f *strikes) pause(n int, hold time.Duration, act func()) (paused func() bool) {
	return f.arm(n, false, hold, act)
}

func (f *strikes) arm(n int, after bool, hold time.Duration, act func()) func() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.after, f.act, f.acted, f.hold = n, after, act, false, hold
	return func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.left = 0
		return f.acted
	}
}

// close lets writes wait until open.
func (f *strikes) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gate == nil {
		f.gate = make(chan struct{})
	}
}

// open lets the waiting writes go on.
func (f *strikes) open() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gate != nil {
		close(f.gate)
		f.gate = nil
	}
}

// wait waits at the gate if r is a write.
func (f *strikes) wait(r *http.Request) {
	if !isWrite(r) {
		return
	}
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
}

// isWrite reports whether a request is a write of wso2plan itself, not one between the servers.
func isWrite(r *http.Request) bool {
	return r.Method != http.MethodGet && r.UserAgent() == "wso2plan"
}

// due reports whether a request is the write to strike.
func (f *strikes) due(r *http.Request) bool {
	if !isWrite(r) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return false
	}
	f.left--
	f.acted = f.left == 0
	return f.acted
}

func (f *strikes) wrap(_ string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.wait(r)
		if !f.due(r) {
			next.ServeHTTP(w, r)
			return
		}
		if f.hold > 0 {
			// Reading the body lets the server notice that the client goes away.
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			f.act()
			select {
			case <-time.After(f.hold):
				next.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
			return
		}
		if f.after {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		f.act()
		panic(http.ErrAbortHandler)
	})
}

// signalHolder signals the process that holds the lock of the store in the script's directory.
func signalHolder(ts *testscript.TestScript, sig os.Signal) {
	if err := signalLocked(ts.MkAbs("wso2plan.state.lock.info"), sig); err != nil {
		ts.Logf("%v", err)
	}
}
