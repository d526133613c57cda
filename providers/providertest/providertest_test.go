package providertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// things is a small REST server with one fault.
type things struct {
	mu      sync.Mutex
	fault   string
	objects map[string]map[string]any
	next    int
}

func (s *things) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	var body map[string]any
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	id, one := strings.CutPrefix(r.URL.Path, "/things/")
	answer := func(status int, v any) {
		w.WriteHeader(status)
		if v != nil {
			_ = json.NewEncoder(w).Encode(v)
		}
	}
	_, exists := s.objects[id]
	switch {
	case !one && r.Method == http.MethodPost:
		s.next++
		id := fmt.Sprintf("00000000-0000-0000-0000-%012d", s.next)
		body["id"] = id
		s.objects[id] = body
		answer(http.StatusCreated, body)
	case !one:
		list := []any{}
		for _, o := range s.objects {
			list = append(list, o)
		}
		answer(http.StatusOK, list)
	case !exists && r.Method == http.MethodDelete && s.fault == "delete again":
		answer(http.StatusInternalServerError, nil)
	case !exists:
		answer(http.StatusNotFound, nil)
	case r.Method == http.MethodPut:
		if s.fault == "lost update" {
			body["note"] = s.objects[id]["note"]
		}
		body["id"] = id
		s.objects[id] = body
		answer(http.StatusOK, body)
	case r.Method == http.MethodDelete:
		if s.fault != "leak" {
			delete(s.objects, id)
		}
		answer(http.StatusNoContent, nil)
	default:
		o := map[string]any{}
		for name, v := range s.objects[id] {
			o[name] = v
		}
		if s.fault == "list differs" {
			o["more"] = "read alone"
		}
		answer(http.StatusOK, o)
	}
}

// provider is one whose types are in that server.
type provider struct {
	client rest.Client
	extra  bool
}

var product = rest.Product{Name: "Things", Env: "THING"}

func (p *provider) Name() string          { return "thing" }
func (p *provider) Schema() schema.Block  { return product.Schema() }
func (p *provider) Data() []engine.Finder { return nil }

func (p *provider) Types() []engine.Type {
	types := []engine.Type{p.typ("thing_box")}
	if p.extra {
		types = append(types, p.typ("thing_bag"))
	}
	return types
}

func (p *provider) typ(name string) engine.Type {
	return &rest.Collection{
		Client: &p.client, Path: "/things", ListComplete: true,
		Type: &schema.Type{Name: name, Key: []string{"name"}, Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true},
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true},
			{Name: "note", Type: cty.String},
			{Name: "more", Type: cty.String},
		}}},
	}
}

func (p *provider) Configure(_ context.Context, block cty.Value) (string, []string, error) {
	s, err := product.Settings(block, os.Getenv)
	if err == nil {
		err = p.client.Connect(s)
	}
	return "here", nil, err
}

const boxFixture = `A box.
-- create.hcl --
resource "thing_box" "b" {
  name = "one"
  note = "a"
}
-- request.json --
[
  {
    "method": "POST",
    "path": "/things",
    "body": {
      "name": "one",
      "note": "a"
    }
  }
]
-- drift.http --
MERGE /things/{id}

{"note": "edited", "more": "theirs"}
-- drift.txt --
DRIFT-- update.hcl --
resource "thing_box" "b" {
  name = "one"
  note = "b"
}
-- plan.txt --
PLAN-- replace.hcl --
resource "thing_box" "b" {
  name = "two"
  note = "b"
}
`

const boxPlan = `wso2plan used the selected providers to generate the following execution plan. Resource actions are
indicated with the following symbols:
  ~ update in-place

wso2plan will perform the following actions:

`

// box returns the fixture with its goldens.
func box() string {
	drift := boxPlan + `  # thing_box.b will be updated in-place
  # (changed on the server since the last apply: note)
  ~ resource "thing_box" "b" {
        id   = "<id1>"
        name = "one"
      ~ note = "edited" -> "a" # (changed on the server since the last apply)
        # (1 unchanged attribute hidden)
    }

Plan: 0 to add, 1 to change, 0 to destroy.
`
	plan := boxPlan + `  # thing_box.b will be updated in-place
  ~ resource "thing_box" "b" {
        id   = "<id1>"
        name = "one"
      ~ note = "a" -> "b"
        # (1 unchanged attribute hidden)
    }

Plan: 0 to add, 1 to change, 0 to destroy.
`
	return strings.NewReplacer("DRIFT", drift, "PLAN", plan).Replace(boxFixture)
}

// TestVictim is a contract with the fault that PROVIDERTEST_FAULT names; TestFaults runs it.
func TestVictim(t *testing.T) {
	fault, set := os.LookupEnv("PROVIDERTEST_FAULT")
	if !set {
		fault = "none"
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := box()
	if fault == "other request" {
		text = strings.Replace(text, `"note": "a"`, `"note": "z"`, 1)
	}
	write("box.txtar", text)
	if fault == "other fixture" {
		write("barrel.txtar", text)
	}
	Run(t, Target{
		Provider:  "thing",
		Providers: map[string]func() engine.Provider{"thing": func() engine.Provider { return &provider{extra: fault == "no fixture"} }},
		Fixtures:  dir,
		Start: func(t *testing.T) []string {
			server := httptest.NewServer(&things{fault: fault, objects: map[string]map[string]any{}})
			t.Cleanup(server.Close)
			return []string{"THING_ENDPOINT=" + server.URL, "THING_USERNAME=admin", "THING_PASSWORD=admin"}
		},
	})
}

// Each fault is found, in its own words.
func TestFaults(t *testing.T) {
	for fault, want := range map[string]string{
		"no fixture":    "thing_bag has no fixture",
		"other fixture": "barrel.txtar belongs to no type",
		"other request": "request.json (WSO2PLAN_GOLDEN=1 rewrites it)",
		"lost update":   "is not empty",
		"leak":          "is still there",
		"delete again":  "deleting again what is gone",
		"list differs":  "listed as",
	} {
		t.Run(fault, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
			cmd.Env = append(os.Environ(), "PROVIDERTEST_FAULT="+fault, "WSO2PLAN_GOLDEN=")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("want %q and a failure, got %v:\n%s", want, err, out)
			}
		})
	}
}
