package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// every writes a plan in every form there is.
func every(t interface{ Fatal(...any) }, p *engine.Plan) string {
	var b bytes.Buffer
	for _, o := range []Options{{}, {Color: true}, {Verbose: true}, {Width: 30}} {
		if err := Text(&b, p, o); err != nil {
			t.Fatal(err)
		}
	}
	refresh := *p
	refresh.Options.RefreshOnly = true
	for _, write := range []func() error{
		func() error { return Text(&b, &refresh, Options{}) },
		func() error { return Text(&b, &refresh, Options{Verbose: true}) },
		func() error { return JSON(&b, p) },
		func() error { return State(&b, p, Options{}) },
		func() error { return StateJSON(&b, p) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

var mixedType = &schema.Type{Name: "test_mixed", Key: []string{"name"}, Block: schema.Block{
	Attributes: []schema.Attribute{
		{Name: "id", Type: cty.String, ReadOnly: true},
		{Name: "name", Type: cty.String},
		{Name: "list", Type: cty.List(cty.String)},
		{Name: "map", Type: cty.Map(cty.String), PerKey: true},
		{Name: "set", Type: cty.Set(cty.String)},
		{Name: "objects", Type: cty.List(cty.Object(map[string]cty.Type{"k": cty.String, "v": cty.List(cty.String)}))},
		{Name: "plain_secret", Type: cty.String, Sensitive: true},
		{Name: "hidden", Type: cty.Map(cty.String), WriteOnly: true},
	},
	Blocks: []schema.NestedBlock{
		{Name: "keyed", Nesting: schema.List, Key: []string{"k"}, Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "k", Type: cty.String}, {Name: "v", Type: cty.String}}}},
		{Name: "placed", Nesting: schema.List, Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "v", Type: cty.String}, {Name: "w", Type: cty.Map(cty.String)}}}},
		{Name: "one", Nesting: schema.Single, Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "v", Type: cty.String}, {Name: "s", Type: cty.String, WriteOnly: true}}}},
	},
}}

// A mixer draws strings, some of which are secrets. A secret is marked where it is wanted, and bare
// where it is live, for a server knows no marks.
type mixer struct {
	t       *rapid.T
	secrets []string // those of the attribute or block at hand
	marking bool
	n       *int
}

func (m *mixer) str() cty.Value {
	if rapid.IntRange(0, 2).Draw(m.t, "secret") > 0 {
		return cty.StringVal(rapid.SampledFrom([]string{"a", "b", "c", "d\ne", `{"x":[1,"y"]}`}).Draw(m.t, "plain"))
	}
	if !m.marking {
		if len(m.secrets) == 0 {
			return cty.StringVal("bare")
		}
		return cty.StringVal(rapid.SampledFrom(m.secrets).Draw(m.t, "which"))
	}
	*m.n++
	s := fmt.Sprintf(rapid.SampledFrom([]string{"HIDE%d", "HIDE%d\nHIDE", `{"k":"HIDE%d"}`, `"HIDE%d"`}).Draw(m.t, "form"), *m.n)
	m.secrets = append(m.secrets, s)
	return cty.StringVal(s).Mark(schema.Sensitive)
}

func (m *mixer) many(f func() cty.Value) []cty.Value {
	out := make([]cty.Value, rapid.IntRange(1, 4).Draw(m.t, "len"))
	for i := range out {
		out[i] = f()
	}
	return out
}

func (m *mixer) list() cty.Value { return cty.ListVal(m.many(m.str)) }

func (m *mixer) mapping() cty.Value {
	out := map[string]cty.Value{}
	shift := rapid.IntRange(0, 3).Draw(m.t, "shift")
	for i := range rapid.IntRange(1, 4).Draw(m.t, "len") {
		out[fmt.Sprintf("key%d", i+shift)] = m.str()
	}
	return cty.MapVal(out)
}

// unit draws an attribute twice: as wanted, with marks, and as live, bare, of the same strings in
// other places.
func (m *mixer) unit(f func(m *mixer) cty.Value) (live, wanted cty.Value) {
	m.secrets, m.marking = nil, true
	wanted = f(m)
	m.marking = false
	return f(m), wanted
}

func TestNoSecretIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := 0
		m := &mixer{t: t, n: &n}
		live, wanted := attrs{"id": str("1")}, attrs{"id": str("1")}
		p := &engine.Plan{}
		var change engine.Change
		set := func(name string, f func(m *mixer) cty.Value) {
			l, w := m.unit(f)
			live[name], wanted[name] = l, w
			change.Paths = append(change.Paths, engine.PathChange{Path: path(name), Kind: engine.Kind(rapid.IntRange(0, 3).Draw(t, "kind")), Before: l, After: w})
		}
		set("name", (*mixer).str)
		set("list", (*mixer).list)
		set("map", (*mixer).mapping)
		set("set", func(m *mixer) cty.Value { return cty.SetVal(m.many(m.str)) })
		set("objects", func(m *mixer) cty.Value {
			return cty.ListVal(m.many(func() cty.Value { return cty.ObjectVal(attrs{"k": m.str(), "v": m.list()}) }))
		})
		set("keyed", func(m *mixer) cty.Value {
			return cty.ListVal(m.many(func() cty.Value { return cty.ObjectVal(attrs{"k": m.str(), "v": m.str()}) }))
		})
		set("placed", func(m *mixer) cty.Value {
			return cty.ListVal(m.many(func() cty.Value { return cty.ObjectVal(attrs{"v": m.str(), "w": m.mapping()}) }))
		})
		set("one", func(m *mixer) cty.Value {
			return cty.ObjectVal(attrs{"v": m.str(), "s": str("HIDE write-only")})
		})
		live["plain_secret"], wanted["plain_secret"] = str("HIDE old"), str("HIDE new")
		wanted["hidden"] = cty.MapVal(attrs{"a": str("HIDE hidden")})
		change.Paths = append(change.Paths,
			engine.PathChange{Path: path("hidden", "a"), Kind: engine.Secret, Before: cty.NullVal(cty.String), After: str("HIDE hidden")},
			engine.PathChange{Path: path("plain_secret"), Kind: engine.Drift, Before: str("HIDE old"), After: str("HIDE new")},
			engine.PathChange{Path: path("one", ".s"), Kind: engine.Uncompared, Before: cty.NullVal(cty.String), After: str("HIDE one")})

		change.Type, change.ID = mixedType, "1"
		change.Before, change.After = mixedType.Object(live), mixedType.Object(wanted)
		for i, action := range []engine.Action{engine.Update, engine.Replace, engine.Create, engine.None} {
			c := change
			c.Address, c.Action = address(fmt.Sprintf("test_mixed.x[%d]", i)), action
			if action == engine.Create {
				c.Before, c.Paths = cty.NullVal(c.After.Type()), nil
			}
			p.Changes = append(p.Changes, c)
		}
		if rapid.IntRange(0, 3).Draw(t, "many") == 0 {
			for i := range dozen + 2 {
				c := change
				c.Address, c.Action = address(fmt.Sprintf("test_mixed.many[%d]", i)), engine.Update
				p.Changes = append(p.Changes, c)
			}
		}
		l, w := m.unit((*mixer).list)
		p.Outputs = []engine.OutputChange{{Name: "o", Before: l, After: w.Mark(schema.Sensitive)}, {Name: "s", Before: str("HIDE a"), After: str("HIDE b"), Sensitive: true}}

		// The live state by itself has no marks to go by, so it is not written here.
		var b bytes.Buffer
		for _, o := range []Options{{}, {Color: true, Verbose: true}} {
			if err := Text(&b, p, o); err != nil {
				t.Fatal(err)
			}
		}
		refresh := *p
		refresh.Options.RefreshOnly = true
		if err := Text(&b, &refresh, Options{}); err != nil {
			t.Fatal(err)
		}
		if err := JSON(&b, p); err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(b.String(), "HIDE"); i >= 0 {
			t.Fatalf("a secret is shown: …%s", b.String()[max(0, i-300):min(b.Len(), i+60)])
		}
	})
}

func TestSecretsOfThePlanAreFound(t *testing.T) {
	found := map[string]bool{}
	for _, s := range PlanSecrets(samplePlan()) {
		found[s] = true
	}
	for _, s := range []string{"s3cr3t-ann", "s3cr3t-note", "s3cr3t-phone", "s3cr3t-carl", "s3cr3t-dora", "s3cr3t-connector", "s3cr3t-validation", "s3cr3t-old", "s3cr3t-new", "s3cr3t-people"} {
		if !found[s] {
			t.Errorf("%q is not among the secrets", s)
		}
	}
	p := &engine.Plan{Changes: []engine.Change{{Address: address("is_user.admin"), Type: userType, Action: engine.Create,
		After: user(attrs{"user_name": str("admin"), "password": str("admin")})}}}
	if secrets := PlanSecrets(p); len(secrets) > 0 {
		t.Errorf("the name of a user is held to be a secret: %q", secrets)
	}
	if found["ann"] || found["Bob"] {
		t.Error("what is no secret is among them")
	}
}

// What a diagnostic quotes in its text is masked when its expression refers to it, and else by the
// scrubber.
func TestSecretsInMessages(t *testing.T) {
	p := samplePlan()
	var b bytes.Buffer
	s := Scrub(&b, PlanSecrets(p))
	diags := hcl.Diagnostics{}
	for _, secret := range PlanSecrets(p) {
		diags = append(diags, &hcl.Diagnostic{Summary: "Refused " + secret, Detail: "POST /x?p=" + secret + " " + strings.Repeat(secret, 3)})
	}
	if err := Diagnostics(s, nil, diags, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "s3cr3t") {
		t.Error(b.String())
	}
}

func TestSameInputSameBytes(t *testing.T) {
	want := every(t, samplePlan())
	for range 10 {
		if got := every(t, samplePlan()); got != want {
			t.Fatal("the same plan was written in two ways")
		}
	}
}

// What servers answer cannot move the cursor, hide text or forge lines.
func TestHostileText(t *testing.T) {
	evil := "x\x1b[2J\u202e\r\x00\u0085"
	old := attrs{"id": str(evil), "user_name": str(evil), "note": str("a\n" + evil + "\n"), "claims": cty.MapVal(attrs{evil: str(evil)}), "roles": cty.SetVal(strs(evil))}
	p := &engine.Plan{
		Changes: []engine.Change{
			{Address: address("is_user.a"), Type: userType, Action: engine.Update, ID: evil, Imported: true, Before: user(old),
				After: user(with(old, attrs{"note": str(evil + "\nb\n"), "roles": cty.SetVal(strs(evil + "2"))})), Reason: evil, Consequence: evil, Blockers: []string{evil}, Deposed: []string{evil}},
		},
		Outputs: []engine.OutputChange{{Name: "o", Before: null, After: str(evil)}},
	}
	var b bytes.Buffer
	if err := Text(&b, p, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := State(&b, p, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := Diagnostics(&b, nil, hcl.Diagnostics{{Summary: evil, Detail: evil}}, Options{}); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexAny(b.String(), "\x1b\u202e\r\x00\u0085"); i >= 0 {
		t.Errorf("hostile text at …%q", b.String()[max(0, i-100):i+5])
	}
}

func TestWriteErrors(t *testing.T) {
	p := samplePlan()
	files, diags := diagnostics(t)
	for name, write := range map[string]func(w io.Writer) error{
		"text":        func(w io.Writer) error { return Text(w, p, Options{}) },
		"json":        func(w io.Writer) error { return JSON(w, p) },
		"state":       func(w io.Writer) error { return State(w, p, Options{}) },
		"diagnostics": func(w io.Writer) error { return Diagnostics(w, files, diags, Options{}) },
		"result":      func(w io.Writer) error { return Result(w, &engine.Result{}, false, Options{}) },
		"scrub": func(w io.Writer) error {
			s := Scrub(w, []string{"secret"})
			_, err := io.WriteString(s, "text")
			return err
		},
		"flush": func(w io.Writer) error {
			s := Scrub(w, []string{"secret"})
			if _, err := io.WriteString(s, "secre"); err != nil {
				t.Error("written too early")
			}
			return s.Flush()
		},
	} {
		r, w := io.Pipe()
		r.Close()
		if err := write(w); err != io.ErrClosedPipe {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
