package replay

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/fstest"
)

// TestParse reads every recording in the repository and checks that each has the parts a request and an answer must have.
func TestParse(t *testing.T) {
	for _, dir := range []string{"charon", "is-scim2", "is-oauth", "apim"} {
		all, err := Load(os.DirFS("../../../testdata/oracle"), dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) < 40 {
			t.Errorf("%s: %d recordings", dir, len(all))
		}
		for _, r := range all {
			if r.Method == "" || r.Path == "" || r.Path[0] != '/' || r.Status < 200 {
				t.Errorf("%s/%s: %+v", dir, r.Step, r)
			}
			if r.Method == http.MethodPost && r.Body == "" && dir != "apim" {
				t.Errorf("%s/%s: POST without body", dir, r.Step)
			}
		}
	}
}

// TestPlay holds the comparison: what must pass and what must not.
func TestPlay(t *testing.T) {
	const first = ">>> POST /Things as admin:admin\n\n{\"name\": \"a\"}\n\n<<< 201\nLocation: <base>/Things/<id1>\n\n" +
		"{\"id\": \"<id1>\", \"made\": \"<time>\", \"n\": 3, \"tags\": [\"x\", \"y\"]}\n"
	const second = ">>> GET /Things/<id1> as None\n\n\n\n<<< 200\n\n{\"id\": \"<id1>\", \"other\": \"<id2>\"}\n"
	tests := []struct {
		name          string
		first, second string // answers; %s is the server's base
		except        []Exception
		sets          []string
		differences   int
	}{
		{"same", `{"tags":["x","y"],"n":3,"id":"7","made":"now"}`, `{"id":"7","other":"8"}`, nil, nil, 0},
		{"other id", `{"tags":["x","y"],"n":3,"id":"7","made":"now"}`, `{"id":"9","other":"8"}`, nil, nil, 1},
		{"ids collapse", `{"tags":["x","y"],"n":3,"id":"7","made":"now"}`, `{"id":"7","other":"7"}`, nil, nil, 1},
		{"absent member", `{"tags":["x","y"],"id":"7","made":"now"}`, `{"id":"7","other":"8"}`, nil, nil, 1},
		{"extra member", `{"more":1,"tags":["x","y"],"n":3,"id":"7","made":"now"}`, `{"id":"7","other":"8"}`, nil, nil, 1},
		{"excepted member", `{"more":1,"tags":["x","y"],"n":3,"id":"7","made":"now"}`, `{"id":"7","other":"8"}`, []Exception{{"01-*", "/more", "why"}}, nil, 0},
		{"order", `{"tags":["y","x"],"n":3,"id":"7","made":"now"}`, `{"id":"7","other":"8"}`, nil, nil, 2},
		{"set", `{"tags":["y","x"],"n":3,"id":"7","made":"now"}`, `{"id":"7","other":"8"}`, nil, []string{"/tags"}, 0},
		{"set with another", `{"tags":["y","z"],"n":3,"id":"7","made":"now"}`, `{"id":"7","other":"8"}`, nil, []string{"/tags"}, 1},
		{"not JSON", `<html>`, `{"id":"7","other":"8"}`, nil, nil, 1},
		{"number as text", `{"tags":["x","y"],"n":"3","id":"7","made":"now"}`, `{"id":"7","other":"8"}`, nil, nil, 1},
		{"whole step", `nonsense`, `{"id":"7","other":"8"}`, []Exception{{"01-first", "", "why"}}, nil, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				user, _, ok := r.BasicAuth()
				if r.Method == http.MethodPost {
					body, _ := io.ReadAll(r.Body)
					if user != "admin" || string(body) != `{"name": "a"}` {
						t.Errorf("sent %q as %q", body, user)
					}
					w.Header().Set("Location", "http://"+r.Host+"/Things/7")
					w.WriteHeader(http.StatusCreated)
					fmt.Fprint(w, test.first)
					return
				}
				if ok || r.URL.Path != "/Things/7" {
					t.Errorf("sent %s as %q", r.URL.Path, user)
				}
				fmt.Fprint(w, test.second)
			}))
			defer server.Close()
			all, err := Load(fstest.MapFS{"d/01-first.txt": {Data: []byte(first)}, "d/02-second.txt": {Data: []byte(second)}}, "d")
			if err != nil {
				t.Fatal(err)
			}
			p := Player{Base: server.URL, Except: test.except, Sets: test.sets}
			var found []Difference
			for _, r := range all {
				d, err := p.Play(r)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, d...)
			}
			if len(found) != test.differences {
				t.Errorf("%d differences, want %d: %v", len(found), test.differences, found)
			}
			if u := p.Unused(); len(u) != 0 {
				t.Errorf("unused %v", u)
			}
		})
	}
}
