package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// things is a REST collection in memory, with the habits of the products: PUT of unknown members is
// kept, pages are clamped, totals may lie.
type things struct {
	mu       sync.Mutex
	objects  []map[string]any
	next     int
	clamp    int  // most elements of a page; 0: as asked for
	total    int  // told instead of the truth when above 0
	empty    bool // creates answer with a Location alone
	requests []string
	bodies   []string
}

func (s *things) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	var body map[string]any
	if r.Method == "POST" || r.Method == "PUT" {
		json.NewDecoder(r.Body).Decode(&body)
		text, _ := json.Marshal(body)
		s.bodies = append(s.bodies, string(text))
	}
	id, one := strings.CutPrefix(r.URL.Path, "/things/")
	write := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	at := -1
	for i := range s.objects {
		if s.objects[i]["id"] == id {
			at = i
		}
	}
	switch {
	case !one && r.Method == "GET":
		s.list(w, r.URL.Query(), write)
	case !one:
		s.next++
		body["id"] = fmt.Sprint(s.next)
		body["unknown"] = "theirs"
		s.objects = append(s.objects, body)
		if s.empty {
			w.Header().Set("Location", "https://x/things/"+fmt.Sprint(s.next))
			w.WriteHeader(201)
			return
		}
		write(201, body)
	case at < 0:
		write(404, map[string]any{"code": 404, "message": "Not Found"})
	case r.Method == "GET":
		write(200, s.objects[at])
	case r.Method == "PUT":
		body["id"] = id
		s.objects[at] = body
		write(200, body)
	default:
		s.objects = append(s.objects[:at], s.objects[at+1:]...)
		w.WriteHeader(204)
	}
}

func (s *things) list(w http.ResponseWriter, q url.Values, write func(int, any)) {
	found := s.objects
	if name := q.Get("name"); name != "" {
		found = nil
		for _, o := range s.objects {
			if n, _ := o["name"].(string); strings.Contains(n, name) {
				found = append(found, o)
			}
		}
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		limit = 25
	}
	if s.clamp > 0 {
		limit = min(limit, s.clamp)
	}
	offset, _ := strconv.Atoi(q.Get("offset"))
	offset = min(offset, len(found))
	page := found[offset:min(offset+limit, len(found))]
	total := len(found)
	if s.total > 0 {
		total = s.total
	}
	write(200, map[string]any{"count": len(page), "list": page, "pagination": map[string]any{"total": total}})
}

func thing(c *Client) *Collection {
	return &Collection{
		Client: c, Path: "/things", Paging: Paging{Style: LimitOffset, Size: 10}, ListComplete: true,
		Type: &schema.Type{Name: "x_thing", Key: []string{"name"}, Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true},
			{Name: "name", Type: cty.String, Required: true},
			{Name: "note", Type: cty.String},
			{Name: "secret", Type: cty.String, Sensitive: true, WriteOnly: true, Keep: schema.KeepOmit},
		}}},
		Filter: func(v cty.Value) url.Values { return url.Values{"name": {v.GetAttr("name").AsString()}} },
	}
}

func (c *Collection) value(name, note string) cty.Value {
	return c.Type.Object(map[string]cty.Value{"name": cty.StringVal(name), "note": cty.StringVal(note), "id": cty.UnknownVal(cty.String)})
}

func TestCollectionLife(t *testing.T) {
	for _, empty := range []bool{false, true} {
		s := &things{empty: empty, objects: []map[string]any{{"id": "old", "name": "thing-2"}}}
		c := thing(connect(t, s, nil))
		ctx := t.Context()

		if _, err := c.Find(ctx, c.value("thing", "")); !errors.Is(err, engine.ErrNotFound) || !strings.Contains(err.Error(), `x_thing with name "thing"`) {
			t.Fatalf("find: %v", err)
		}
		made, err := c.Create(ctx, c.value("thing", "a"))
		if err != nil || made.ID != "1" || made.Value.GetAttr("note").AsString() != "a" {
			t.Fatalf("create: %v %#v", err, made)
		}
		found, err := c.Find(ctx, c.value("thing", ""))
		if err != nil || found.ID != "1" {
			t.Fatalf("find: %v", err)
		}
		if s.objects[1]["note"] != "a" {
			t.Fatal("not made")
		}
		changed, err := c.Update(ctx, found, with(found.Value, map[string]cty.Value{"note": cty.StringVal("b")}))
		if err != nil || changed.Value.GetAttr("note").AsString() != "b" {
			t.Fatalf("update: %v", err)
		}
		if want := `{"id":"1","name":"thing","note":"b","unknown":"theirs"}`; s.bodies[len(s.bodies)-1] != want {
			t.Errorf("PUT sent %s, want %s", s.bodies[len(s.bodies)-1], want)
		}
		_, err = c.Update(ctx, found, with(found.Value, map[string]cty.Value{"note": cty.StringVal("c")}))
		if !errors.Is(err, engine.ErrMoved) || !engine.Refused(err) {
			t.Errorf("update of what moved: %v", err)
		}
		for range 2 {
			if err := c.Delete(ctx, found); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		if _, err := c.Read(ctx, "1"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("read: %v", err)
		}
		if err := c.Delete(ctx, &engine.Object{ID: "old", System: true}); !engine.Refused(err) {
			t.Errorf("delete of a system object: %v", err)
		}
	}
}

func TestList(t *testing.T) {
	for _, test := range []struct {
		name               string
		objects, limit     int
		clamp, total       int
		costly             bool
		objectsGot, atMost int // requests
	}{
		{"none", 0, 9, 0, 0, false, 0, 1},
		{"short page", 7, 9, 0, 0, false, 7, 1},
		{"full page", 10, 9, 0, 0, false, 10, 2},
		{"pages", 95, 20, 0, 0, false, 95, 10},
		{"full pages", 100, 20, 0, 0, false, 100, 11},
		{"clamped", 23, 20, 5, 0, false, 23, 5},
		{"total too low", 95, 20, 0, 10, false, 95, 11},
		{"total too high", 15, 20, 0, 40, false, 15, 5},
		{"costly at once", 100, 5, 0, 0, true, 0, 1},
		{"costly later", 100, 3, 0, 10, true, 30, 3},
		{"no budget", 5, 0, 0, 0, true, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &things{clamp: test.clamp, total: test.total}
			for i := range test.objects {
				s.objects = append(s.objects, map[string]any{"id": fmt.Sprint(i), "name": fmt.Sprintf("n%d", i)})
			}
			c := thing(connect(t, s, nil))
			seen, costly := map[string]bool{}, false
			for o, err := range c.List(t.Context(), test.limit) {
				if errors.Is(err, engine.ErrCostly) {
					costly = true
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				seen[o.ID] = true
			}
			if len(seen) != test.objectsGot || costly != test.costly || len(s.requests) > test.atMost {
				t.Errorf("%d objects, costly %v, %d requests; want %d, %v, at most %d", len(seen), costly, len(s.requests), test.objectsGot, test.costly, test.atMost)
			}
		})
	}
}

func TestListStopsEarly(t *testing.T) {
	s := &things{}
	for i := range 95 {
		s.objects = append(s.objects, map[string]any{"id": fmt.Sprint(i), "name": "n"})
	}
	c := thing(connect(t, s, nil))
	for range c.List(t.Context(), 100) {
		break
	}
	if len(s.requests) != 1 {
		t.Errorf("%d requests for one object", len(s.requests))
	}
	c.ListComplete = false
	for _, err := range c.List(t.Context(), 100) {
		if !errors.Is(err, engine.ErrCostly) {
			t.Error("summaries were taken for objects")
		}
	}
}

// A listing that is not there does not mean that the object is gone.
func TestFindInMissingCollection(t *testing.T) {
	c := thing(connect(t, http.NotFoundHandler(), nil))
	_, err := c.Find(t.Context(), c.value("x", ""))
	if err == nil || errors.Is(err, engine.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestCreateFailures(t *testing.T) {
	status, body := 0, ""
	c := thing(connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == "GET" {
			w.WriteHeader(500)
			return
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}), nil))
	for _, test := range []struct {
		status           int
		body             string
		refused, objects bool
	}{
		{409, `{"code":409}`, true, false},
		{500, `{}`, false, false},
		{201, `{}`, false, false},
		{201, `{"id":"9","name":[]}`, false, true},
		{201, `<html>`, false, false},
	} {
		status, body = test.status, test.body
		o, err := c.Create(t.Context(), c.value("x", "y"))
		if err == nil || engine.Refused(err) != test.refused || (o != nil) != test.objects {
			t.Errorf("%d %s: %v, refused %v, object %v", test.status, test.body, err, engine.Refused(err), o)
		}
		if o != nil && (o.ID != "9" || !o.Value.IsWhollyKnown() || o.Value.GetAttr("name").AsString() != "x") {
			t.Errorf("object %#v", o)
		}
	}
	status, body = 201, `{"id":"9","name":"x"}`
	c.ReadBack = true
	o, err := c.Create(context.Background(), c.value("x", "y"))
	if err == nil || o == nil || o.ID != "9" {
		t.Errorf("unreadable after create: %v %v", o, err)
	}
}

func TestNoItem(t *testing.T) {
	s := &things{}
	for i := range 25 {
		s.objects = append(s.objects, map[string]any{"id": fmt.Sprint("n", i), "name": fmt.Sprint("thing-", i)})
	}
	c := thing(connect(t, s, nil))
	c.NoItem = true
	o, err := c.Read(t.Context(), "n24")
	if err != nil || o.Value.GetAttr("name").AsString() != "thing-24" {
		t.Errorf("read: %v %v", o, err)
	}
	if o, err := c.Read(t.Context(), "n25"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("read of what is not listed: %v %v", o, err)
	}
	for _, r := range s.requests {
		if !strings.HasPrefix(r, "GET /things?") {
			t.Errorf("sent %s", r)
		}
	}
}

func TestItemPath(t *testing.T) {
	s := &things{objects: []map[string]any{{"id": "a/b", "name": "x"}}}
	c := thing(connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.Replace(r.URL.Path, "/thing/", "/things/", 1)
		s.ServeHTTP(w, r)
	}), nil))
	c.ItemPath = "/thing"
	if c.URL("a/b") != "/thing/a%2Fb" {
		t.Errorf("the path is %s", c.URL("a/b"))
	}
	if o, err := c.Find(t.Context(), c.value("x", "")); err != nil || o.ID != "a/b" {
		t.Errorf("find: %v %v", o, err)
	}
	if o, err := c.Read(t.Context(), "a/b"); err != nil || o.ID != "a/b" {
		t.Errorf("read: %v %v", o, err)
	}
}

// JSON of another shape is an error, not an object without values or a list without elements: an
// intent would be taken for resolved by it, and an object for changed.
func TestOtherJSON(t *testing.T) {
	body := ""
	c := thing(connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}), nil))
	scim := *c
	scim.Paging = Paging{Style: SCIM}
	array := *c
	array.Paging = Paging{}
	for _, body = range []string{`{}`, `[]`, `null`, `"x"`, `7`, `{"status":"UP"}`, `{"list":{"a":1},"Resources":7}`, `{"id":"8"}`} {
		if o, err := c.Read(t.Context(), "9"); err == nil || errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s read as an object: %v, %v", body, o, err)
		}
		for name, list := range map[string]*Collection{"limit": c, "SCIM": &scim, "array": &array} {
			if name == "array" && body == `[]` {
				continue // that is an empty list
			}
			if o, err := list.Find(t.Context(), c.value("x", "")); err == nil || errors.Is(err, engine.ErrNotFound) {
				t.Errorf("%s found in as a list (%s): %v, %v", body, name, o, err)
			}
		}
	}
	body = `{"totalResults":0,"schemas":[]}`
	if _, err := scim.Find(t.Context(), c.value("x", "")); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("an empty list of SCIM: %v", err)
	}
	for _, body = range []string{`{}`, `null`, `{"list":{}}`, `{"list":null}`, `{"count":1}`} {
		var out []map[string]any
		if err := c.Client.GetList(t.Context(), "/things", nil, "list", &out); err == nil || errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s taken for a list: %v", body, err)
		}
	}
	var out []map[string]any
	body = `{"count":1,"list":[{"id":"1"}]}`
	if err := c.Client.GetList(t.Context(), "/things", nil, "list", &out); err != nil || len(out) != 1 {
		t.Errorf("a list: %v, %v", out, err)
	}
}

// Many objects are looked for in one reading of summaries.
func TestDirectory(t *testing.T) {
	s := &things{}
	for i := range 25 {
		s.objects = append(s.objects, map[string]any{"id": fmt.Sprint("id", i), "name": fmt.Sprint("Thing-", i)})
	}
	s.objects = append(s.objects, map[string]any{"id": "twin", "name": "thing-7"})
	c := thing(connect(t, s, nil))
	c.ListComplete = false
	c.Match = func(raw map[string]any, wanted cty.Value) bool {
		return strings.EqualFold(raw["name"].(string), wanted.GetAttr("name").AsString())
	}
	if _, err := c.Directory(t.Context(), 100); !errors.Is(err, engine.ErrCostly) {
		t.Errorf("a type without one: %v", err)
	}
	c.ListKeys = true
	if _, err := c.Directory(t.Context(), 2); !errors.Is(err, engine.ErrCostly) {
		t.Errorf("more pages than allowed: %v", err)
	}
	s.requests = nil
	ids, err := c.Directory(t.Context(), 3)
	if err != nil || len(s.requests) != 3 {
		t.Fatalf("%d requests, %v", len(s.requests), err)
	}
	for name, want := range map[string]string{"thing-3": "[id3]", "THING-24": "[id24]", "thing-7": "[id7 twin]", "thing": "[]"} {
		if got := fmt.Sprint(ids(c.value(name, ""))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	delete(s.objects[3], "name")
	if _, err := c.Directory(t.Context(), 3); !errors.Is(err, engine.ErrCostly) {
		t.Errorf("an element without a name: %v", err)
	}
}
