package keystore

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
)

// TestMain lets the test binary stand for the command that restarts a server.
func TestMain(m *testing.M) {
	if log := os.Getenv("KEYSTORE_TEST_RESTART"); log != "" {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			os.Exit(9)
		}
		fmt.Fprintln(f, strings.Join(os.Args[1:], " "))
		if os.Args[1] == "fail" {
			fmt.Println("no such container")
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func words(list ...string) cty.Value {
	out := make([]cty.Value, len(list))
	for i, w := range list {
		out[i] = cty.StringVal(w)
	}
	return cty.ListVal(out)
}

// restarting declares two stores of the server "apim", which is restarted by a command with the
// given argument, and one store of "is", which is restarted by hand.
func restarting(t *testing.T, dir, argument, waitURL, timeout string) *Provider {
	t.Helper()
	schema := New().Schema()
	block := &schema.NestedBlock("server").NestedBlock("restart").Block
	attrs := map[string]any{"command": words(os.Args[0], argument), "timeout": timeout}
	if waitURL != "" {
		attrs["wait_url"] = waitURL
	}
	p, err := configured(t, declared{
		servers: []map[string]any{{"name": "apim", "restart": object(block, attrs)}, {"name": "is"}},
		stores: []map[string]any{
			{"name": "trust", "path": filepath.Join(dir, "trust.jks"), "server": "apim"},
			{"name": "keys", "path": filepath.Join(dir, "keys.jks"), "server": "apim"},
			{"name": "is", "path": filepath.Join(dir, "is.p12"), "server": "is"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	t.Setenv("KEYSTORE_TEST_RESTART", log)
	restarts := func() []string {
		text, err := os.ReadFile(log)
		if err != nil {
			return nil
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	var asked atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()

	p := restarting(t, dir, "ok", server.URL, "30s")
	if notes, err := p.Finish(t.Context()); err != nil || len(notes) > 0 || restarts() != nil {
		t.Errorf("without a write: %q, %v, %q", notes, err, restarts())
	}
	for _, store := range []string{"trust", "keys", "is"} {
		if _, err := trust(t, p, store, "wso2is", "wso2is"); err != nil {
			t.Fatal(err)
		}
	}

	// Interrupted before: nothing is begun, and the next run knows.
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	notes, err := p.Finish(interrupted)
	if err != nil || len(notes) != 2 || !strings.Contains(notes[0], "the next apply does it") || restarts() != nil {
		t.Errorf("interrupted: %q, %v, %q", notes, err, restarts())
	}
	p = restarting(t, dir, "fail", server.URL, "30s")
	due := p.stores.due()
	if len(due) != 1 || !strings.Contains(due[0], `server "apim" was not restarted yet: trust.jks and keys.jks were written`) {
		t.Errorf("due: %q", due)
	}

	// A restart that fails says how, and stays due.
	_, err = p.Finish(t.Context())
	wantError(t, "a command that fails", err, `trust.jks and keys.jks of server "apim" were written, and restarting it failed`, "exit status 3", "no such container", "The next apply tries again")

	// One that succeeds is made once for both stores, and waited for.
	p = restarting(t, dir, "ok", server.URL, "30s")
	if notes, err = p.Finish(t.Context()); err != nil || len(notes) != 0 {
		t.Errorf("%q, %v", notes, err)
	}
	if diff := cmp.Diff([]string{"fail", "ok"}, restarts()); diff != "" {
		t.Error(diff)
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("the server was asked %d times", n)
	}
	if notes, err = p.Finish(t.Context()); err != nil || len(notes) > 0 || len(restarts()) != 2 || len(p.stores.due()) != 0 {
		t.Errorf("again: %q, %v, %q, %q", notes, err, restarts(), p.stores.due())
	}
}

func TestRestartInVain(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("KEYSTORE_TEST_RESTART", filepath.Join(dir, "log"))
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer down.Close()
	p := restarting(t, dir, "ok", down.URL, "2s")
	if _, err := trust(t, p, "trust", "wso2is", "wso2is"); err != nil {
		t.Fatal(err)
	}
	_, err := p.Finish(t.Context())
	wantError(t, "a server that does not come up", err, "does not answer as a started server would", "not done within 2s", "502 Bad Gateway")
}

// A store without a server, and one that is meant by its path, end in a hint.
func TestHints(t *testing.T) {
	dir := t.TempDir()
	p := oneStore(t, filepath.Join(dir, "a.jks"))
	for _, store := range []string{"s", filepath.Join(dir, "b.p12")} {
		if _, err := trust(t, p, store, "wso2is", "wso2is"); err != nil {
			t.Fatal(err)
		}
	}
	notes, err := p.Finish(t.Context())
	if err != nil || len(notes) != 2 || !strings.Contains(notes[0], `store "s"`) || !strings.Contains(notes[1], "b.p12 was written, and is read when its server starts") {
		t.Errorf("%q, %v", notes, err)
	}
	if marks, _ := filepath.Glob(filepath.Join(dir, "*"+restartSuffix)); len(marks) > 0 {
		t.Errorf("left: %v", marks)
	}
}
