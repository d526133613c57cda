package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	script := `
# The second user is made, and nobody is told.
is POST /scim2/Users 2 cut after

apim read * 1-3 status 429 retry-after=1 {"code": 900807,  "message": "Too many requests"}
apim * * 10- status after 502 <html><body>Bad gateway</body></html>
* write /api/*/keys all delay 1.5s
is	GET	*	1	status 503 retry-after=0
* * * 1 delay after 20ms
* * * 7 half
* GET * 2-4 stale
apim POST **/key-managers 1 lost
`
	got, err := Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	want := []Fault{
		{Server: "is", Method: "POST", Path: "/scim2/Users", First: 2, Last: 2, Kind: Cut, After: true},
		{Server: "apim", Method: "read", Path: "*", First: 1, Last: 3, Kind: Status, Code: 429, RetryAfter: time.Second,
			Body: `{"code": 900807,  "message": "Too many requests"}`},
		{Server: "apim", Method: "*", Path: "*", First: 10, Kind: Status, After: true, Code: 502, Body: "<html><body>Bad gateway</body></html>"},
		{Server: "*", Method: "write", Path: "/api/*/keys", First: 1, Kind: Delay, Wait: 1500 * time.Millisecond},
		{Server: "is", Method: "GET", Path: "*", First: 1, Last: 1, Kind: Status, Code: 503, RetryAfter: -1},
		{Server: "*", Method: "*", Path: "*", First: 1, Last: 1, Kind: Delay, After: true, Wait: 20 * time.Millisecond},
		{Server: "*", Method: "*", Path: "*", First: 7, Last: 7, Kind: Half},
		{Server: "*", Method: "GET", Path: "*", First: 2, Last: 4, Kind: Stale},
		{Server: "apim", Method: "POST", Path: "**/key-managers", First: 1, Last: 1, Kind: Lost},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("Parse (-want +got):\n%s", diff)
	}
	// What is written is read again.
	var lines strings.Builder
	for _, f := range got {
		fmt.Fprintln(&lines, f)
	}
	again, err := Parse(lines.String())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Fatalf("Parse of String (-want +got):\n%s", diff)
	}
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"", "/a/b", true}, {"*", "/a/b", true}, {"**", "/a/b", true}, {"/a/b", "/a/b", true}, {"/a", "/a/b", false},
		{"/a/*", "/a/b", true}, {"/a/*", "/a/b/c", false}, {"/a/**", "/a/b/c", true}, {"/a/*/c", "/a/b/c", true}, {"/a*", "/abc", true},
		{"**/c", "/a/b/c", true}, {"/a.b", "/axb", false}, {"/a/**/d", "/a/b/c/d", true}, {"/a/*", "/a/", true},
	} {
		f := Fault{Path: test.pattern}
		if got := f.matches("is", "GET", test.path); got != test.want {
			t.Errorf("%q matches %q: %t", test.pattern, test.path, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for line, want := range map[string]string{
		"gateway GET / all half":                       `"gateway" is no server; write apim, is or *`,
		"is":                                           "the line ends after its server",
		"is FETCH / all half":                          `"FETCH" is no method`,
		"is GET scim2 all half":                        `"scim2" is no path`,
		"is GET / 0 half":                              `"0" does not say which requests`,
		"is GET / 3-2 half":                            `"3-2" does not say which requests`,
		"is GET / often half":                          `"often" does not say which requests`,
		"is GET /":                                     `"" does not say which requests`,
		"is GET / all":                                 `"" is no fault`,
		"is GET / all explode":                         `"explode" is no fault`,
		"is GET / all half of it":                      `"of it" says nothing after half`,
		"is GET / all status":                          `"" is no status`,
		"is GET / all status 99":                       `"99" is no status`,
		"is GET / all status after":                    `"" is no status`,
		"is GET / all status 429 retry-after=a {}":     "retry-after=a is no number of seconds",
		"is GET / all delay":                           `"" is no duration`,
		"is GET / all delay after -1s":                 `"-1s" is no duration`,
		"is GET / all half after":                      `"after" says nothing after half`,
		"is GET / all status 500 retry-after=-1 <html": "retry-after=-1 is no number of seconds",
	} {
		_, err := Parse("# a comment\n" + line)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("Parse(%q): error %v, want line 2: …%s…", line, err, want)
		}
	}
}

// A notebook is a server that keeps notes: POST makes one, GET lists them.
type notebook struct {
	mu    sync.Mutex
	notes []any
	lost  int
}

func (n *notebook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out any
	switch r.Method {
	case http.MethodPost:
		text, _ := io.ReadAll(r.Body)
		note := map[string]any{"id": fmt.Sprintf("n%d", len(n.notes)), "text": string(text)}
		n.notes = append(n.notes, note)
		if EventLost(r.Context()) {
			n.lost++
		}
		w.WriteHeader(http.StatusCreated)
		out = note
	default:
		out = map[string]any{"list": n.notes, "count": len(n.notes), "pagination": map[string]any{"total": len(n.notes)}}
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (n *notebook) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.notes)
}

func start(t *testing.T, script string) (*Script, *notebook, func(method, body string) string) {
	t.Helper()
	faults, err := Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	s, book := New(faults...), &notebook{}
	server := httptest.NewServer(s.Wrap("is", book))
	t.Cleanup(server.Close)
	// send returns "STATUS BODY", or "cut" and "broken" when no or half an answer came.
	return s, book, func(method, body string) string {
		req, err := http.NewRequest(method, server.URL+"/notes", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 300 * time.Millisecond}
		res, err := client.Do(req)
		if err != nil {
			return "cut"
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			return "broken"
		}
		return strings.TrimSpace(fmt.Sprint(res.StatusCode, " ", res.Header.Get("Retry-After"), " ", string(text)))
	}
}

func TestFaults(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         []string // answers to POST one, POST two, GET
		notes        int
	}{
		{"sound", "", []string{`201  {"id":"n0","text":"one"}`, `201  {"id":"n1","text":"two"}`, `200  {"count":2,*`}, 2},
		{"status", `is POST * 2 status 500 {"code": 1}`, []string{`201 *`, `500  {"code": 1}`, `200  {"count":1,*`}, 1},
		{"status after", `* POST /notes 1 status after 500 retry-after=3`, []string{`500 3`, `201 *`, `200  {"count":2,*`}, 2},
		{"page", `* * * 2- status 502 retry-after=0 <html>`, []string{`201 *`, `502 0 <html>`, `502 0 <html>`}, 1},
		{"other server", `apim * * all cut`, []string{`201 *`, `201 *`, `200 *`}, 2},
		{"other path", `is * /note all cut`, []string{`201 *`, `201 *`, `200 *`}, 2},
		{"cut", `* write * 2 cut`, []string{`201 *`, `cut`, `200  {"count":1,*`}, 1},
		{"cut after", `* write * 2 cut after`, []string{`201 *`, `cut`, `200  {"count":2,*`}, 2},
		{"half", `* * **tes 2-3 half`, []string{`201 *`, `broken`, `broken`}, 2},
		{"stale", `* GET * 1 stale`, []string{`201 *`, `201 *`, `200  {"count":0,"list":[],"pagination":{"total":0}}`}, 2},
		{"lost", `* POST * 2 lost`, []string{`201 *`, `201 *`, `200 *`}, 2},
		{"the first counts", "* GET * 1 cut\n* * * 1 status 500\n* * * 3 half", []string{`500`, `201 *`, `cut`}, 1},
		{"delay and another", "* POST * 2 delay 30ms\n* POST * 2 cut", []string{`201 *`, `cut`, `200  {"count":1,*`}, 1},
		{"too slow", "* POST * 1 delay after 500ms", []string{`cut`, `201 *`, `200  {"count":2,*`}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, book, send := start(t, test.script)
			got := []string{send("POST", "one"), send("POST", "two"), send("GET", "")}
			for i, want := range test.want {
				if prefix, rest := strings.CutSuffix(want, "*"); rest && strings.HasPrefix(got[i], prefix) {
					continue
				}
				if got[i] != want {
					t.Errorf("answer %d is %q, want %q", i+1, got[i], want)
				}
			}
			if n := book.count(); n != test.notes {
				t.Errorf("the server holds %d notes, want %d", n, test.notes)
			}
			if (test.name == "lost") != (book.lost == 1) {
				t.Errorf("%d events were lost", book.lost)
			}
			// Sound again, and nothing is forgotten.
			s.Set()
			if got := send("GET", ""); !strings.HasPrefix(got, fmt.Sprintf(`200  {"count":%d,`, test.notes)) {
				t.Errorf("with the faults cleared: %s", got)
			}
		})
	}
}

// A request that was delayed longer than its sender waited takes effect all the same.
func TestDelayedWriteTakesEffect(t *testing.T) {
	s, book, send := start(t, "* POST * 1 delay 500ms")
	if got := send("POST", "one"); got != "cut" {
		t.Fatalf("the sender waited: %s", got)
	}
	if n := book.count(); n != 0 {
		t.Fatalf("served at once: %d notes", n)
	}
	if err := s.Quiet(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := book.count(); n != 1 {
		t.Fatalf("%d notes in the end, want 1", n)
	}
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	s.Set(Fault{Kind: Delay, Wait: 200 * time.Millisecond})
	go send("GET", "")
	for len(s.Seen()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Quiet(short); err == nil {
		t.Error("Quiet did not wait for a delayed request")
	}
}

func TestSeen(t *testing.T) {
	s, _, send := start(t, "* GET * 2 cut")
	var watched []string
	s.Watch(func(r Request) { watched = append(watched, r.Method) })
	send("POST", "one")
	send("GET", "")
	s.Watch(nil)
	send("GET", "")
	want := []Request{
		{Server: "is", Method: "POST", Path: "/notes"}, {Server: "is", Method: "GET", Path: "/notes"},
		{Server: "is", Method: "GET", Path: "/notes", Faults: 1},
	}
	if diff := cmp.Diff(want, s.Seen()); diff != "" {
		t.Errorf("Seen (-want +got):\n%s", diff)
	}
	if s.Hits() != 1 {
		t.Errorf("%d hits, want 1", s.Hits())
	}
	if diff := cmp.Diff([]string{"POST", "GET"}, watched); diff != "" {
		t.Errorf("watched (-want +got):\n%s", diff)
	}
	s.Set()
	if len(s.Seen()) != 0 || s.Hits() != 0 {
		t.Error("Set does not begin anew")
	}
}
