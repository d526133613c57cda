package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
)

// show writes a value for comparison: sensitive leaves as (sensitive v), nulls left out.
func show(v cty.Value) string {
	marked := v.IsMarked()
	v, _ = v.Unmark()
	var s string
	switch t := v.Type(); {
	case !v.IsKnown():
		s = "unknown"
	case v.IsNull():
		s = "null"
	case t == cty.String:
		s = fmt.Sprintf("%q", v.AsString())
	case t == cty.Number:
		s = v.AsBigFloat().Text('f', -1)
	case t == cty.Bool:
		s = fmt.Sprint(v.True())
	case t.IsObjectType() || t.IsMapType():
		var parts []string
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			if shown := show(e); shown != "null" && shown != "[]" {
				parts = append(parts, k.AsString()+"="+shown)
			}
		}
		s = "{" + strings.Join(parts, " ") + "}"
	default:
		var parts []string
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			parts = append(parts, show(e))
		}
		s = "[" + strings.Join(parts, " ") + "]"
	}
	if marked {
		s = "(sensitive " + s + ")"
	}
	return s
}

// world returns a function for Config.Evaluator that knows the blocks evaluated so far, with "ID of
// …" or an unknown for their ids.
type world struct {
	c     *config.Config
	known bool
	got   map[config.Address]cty.Value
}

func (w *world) value(a config.Address) cty.Value { return w.got[a] }

// evaluate evaluates every block, dependencies first, and returns the instances by address.
func (w *world) evaluate(t testing.TB, e *config.Evaluator) map[string]cty.Value {
	t.Helper()
	out := map[string]cty.Value{}
	w.got = map[config.Address]cty.Value{}
	var visit func(b *config.Block)
	visit = func(b *config.Block) {
		if _, done := w.got[b.Address]; done {
			return
		}
		for _, r := range b.References {
			visit(w.c.Block(r.To))
		}
		instances, diags := e.Instances(b)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		byKey := map[string]cty.Value{}
		var inOrder []cty.Value
		for _, i := range instances {
			v, diags := e.Decode(b, i)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			addr := b.Address.Instance(i.Key)
			attrs := v.AsValueMap()
			if _, ok := attrs["id"]; ok {
				attrs["id"] = cty.UnknownVal(cty.String)
				if w.known {
					attrs["id"] = cty.StringVal("id-of-" + addr.String())
				}
			}
			v = cty.ObjectVal(attrs)
			out[addr.String()] = v
			inOrder = append(inOrder, v)
			if b.ForEach != nil {
				byKey[i.Key.AsString()] = v
			}
		}
		switch {
		case b.ForEach != nil:
			w.got[b.Address] = cty.ObjectVal(byKey)
		case b.Count != nil:
			w.got[b.Address] = cty.TupleVal(inOrder)
		default:
			w.got[b.Address] = inOrder[0]
		}
	}
	for _, b := range w.c.Blocks {
		visit(b)
	}
	return out
}

func TestEvaluate(t *testing.T) {
	tests := []struct {
		name, src string
		known     bool
		want      []string // "address value"
	}{
		{
			name: "single, defaults, marks",
			src: `resource "is_user" "ann" {
  name     = "ann"
  password = "secret123"
}`,
			want: []string{`is_user.ann {id=unknown name="ann" password=(sensitive "secret123") user_store="PRIMARY"}`},
		},
		{
			name: "count and a tuple",
			src: `
resource "is_user" "u" {
  count = 2
  name  = "u${count.index}"
}
resource "is_group" "g" {
  name    = "g"
  members = is_user.u[*].name
}`,
			want: []string{
				`is_group.g {id=unknown members=["u0" "u1"] name="g"}`,
				`is_user.u[0] {id=unknown name="u0" user_store="PRIMARY"}`,
				`is_user.u[1] {id=unknown name="u1" user_store="PRIMARY"}`,
			},
		},
		{
			name: "for_each, each.key, locals over blocks", known: true,
			src: `
locals {
  people = { ann = "ACTIVE", bob = "LOCKED" }
  ids    = { for k, u in is_user.u : k => u.id }
}
resource "is_user" "u" {
  for_each = local.people
  name     = each.key
  status   = each.value
}
resource "is_group" "g" {
  for_each = is_user.u
  name     = "g-${each.value.name}"
  members  = [local.ids[each.key], is_user.u[each.key].id]
}`,
			want: []string{
				`is_group.g["ann"] {id="id-of-is_group.g[\"ann\"]" members=["id-of-is_user.u[\"ann\"]"] name="g-ann"}`,
				`is_group.g["bob"] {id="id-of-is_group.g[\"bob\"]" members=["id-of-is_user.u[\"bob\"]"] name="g-bob"}`,
				`is_user.u["ann"] {id="id-of-is_user.u[\"ann\"]" name="ann" status="ACTIVE" user_store="PRIMARY"}`,
				`is_user.u["bob"] {id="id-of-is_user.u[\"bob\"]" name="bob" status="LOCKED" user_store="PRIMARY"}`,
			},
		},
		{
			name: "toset",
			src: `resource "is_group" "g" {
  for_each = toset(["b", "a"])
  name     = upper(each.value)
}`,
			want: []string{`is_group.g["a"] {id=unknown name="A"}`, `is_group.g["b"] {id=unknown name="B"}`},
		},
		{
			name: "nested, dynamic, iterator",
			src: `
resource "is_user" "ann" {
  name = "ann"
  address { street = "Main" }
  phone { kind = "work" }
  dynamic "phone" {
    for_each = { home = "1" }
    iterator = p
    content {
      kind    = p.key
      number  = p.value
      primary = true
    }
  }
}`,
			want: []string{`is_user.ann {address={street="Main"} id=unknown name="ann" ` +
				`phone=[{kind="work" primary=false} {kind="home" number="1" primary=true}] user_store="PRIMARY"}`},
		},
		{
			name: "dynamic over an unknown",
			src: `
resource "is_group" "g" { name = "g" }
resource "is_user" "ann" {
  name = "ann"
  dynamic "phone" {
    for_each = split(",", is_group.g.id)
    content { kind = "work" }
  }
}`,
			want: []string{`is_group.g {id=unknown name="g"}`,
				`is_user.ann {id=unknown name="ann" phone=unknown user_store="PRIMARY"}`},
		},
		{
			name: "data by key",
			src: `
data "is_user" "ann" { name = "ann" }
resource "is_group" "g" { name = data.is_user.ann.name }`,
			want: []string{`data.is_user.ann {id=unknown name="ann" user_store="PRIMARY"}`, `is_group.g {id=unknown name="ann"}`},
		},
		{
			name: "a sensitive variable marks what it goes into",
			src: `
variable "secret" {
  default   = "geheim"
  sensitive = true
}
resource "is_user" "ann" { name = "a-${var.secret}" }`,
			want: []string{`is_user.ann {id=unknown name=(sensitive "a-geheim") user_store="PRIMARY"}`},
		},
		{
			name: "functions and paths",
			src: `resource "is_user" "ann" {
  name = join("-", ["a", path.module, length("äö")])
  emails = try(tolist(null.x), ["x"])
}`,
			want: []string{`is_user.ann {emails=["x"] id=unknown name="a-.-2" user_store="PRIMARY"}`},
		},
		{
			name: "impure functions are unknown in a plan",
			src:  `resource "is_user" "ann" { name = "ann-${uuid()}" }`,
			want: []string{`is_user.ann {id=unknown name=unknown user_store="PRIMARY"}`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := &world{c: load(t, test.src), known: test.known}
			got := w.evaluate(t, w.c.Evaluator(w.value, test.known))
			var lines []string
			for addr, v := range got {
				lines = append(lines, addr+" "+show(v))
			}
			if diff := cmp.Diff(sorted(test.want), sorted(lines)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func sorted(lines []string) []string {
	out := slices.Clone(lines)
	slices.Sort(out)
	return out
}

func TestOutputs(t *testing.T) {
	c := load(t, `
variable "secret" {
  default   = "geheim"
  sensitive = true
}
resource "is_user" "ann" {
  name     = "ann"
  password = "secret123"
}
output "name" { value = is_user.ann.name }
output "password" {
  value     = { it = is_user.ann.password }
  sensitive = true
}
output "open" { value = nonsensitive(var.secret) }
`)
	w := &world{c: c, known: true}
	e := c.Evaluator(w.value, true)
	w.evaluate(t, e)
	want := []string{`name "ann"`, `open "geheim"`, `password (sensitive {it="secret123"})`}
	var got []string
	for _, o := range c.Outputs {
		v, diags := e.Output(o)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got = append(got, o.Name+" "+show(v))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestImports(t *testing.T) {
	c := load(t, `
resource "is_user" "u" {
  for_each = toset(["a", "b"])
  name     = each.key
}
resource "is_group" "g" { name = "g" }
import {
  for_each = { a = "id-a", b = "id-b" }
  to       = is_user.u[each.key]
  id       = each.value
}
import {
  to = is_group.g
  id = "PRIMARY/g"
}`)
	targets, diags := c.Evaluator(nil, false).Imports()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var got []string
	for _, i := range targets {
		got = append(got, i.To.String()+" "+i.ID)
	}
	want := []string{`is_user.u["a"] id-a`, `is_user.u["b"] id-b`, `is_group.g PRIMARY/g`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestProvider(t *testing.T) {
	c := load(t, `
variable "password" {
  default   = "x"
  sensitive = true
}
provider "is" {
  alias    = "acme"
  endpoint = "https://acme:9443"
  password = var.password
}`)
	e := c.Evaluator(nil, false)
	for ref, want := range map[string]string{
		"is.acme": `{endpoint="https://acme:9443" password=(sensitive "x") timeout=30}`,
		"is":      `{timeout=30}`,
		"apim":    `{}`,
	} {
		v, diags := e.Provider(c.Providers[ref])
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if got := show(v); got != want {
			t.Errorf("%s: got %s, want %s", ref, got, want)
		}
	}
}

// errorsOf returns the summaries and details of the errors.
func errorsOf(diags hcl.Diagnostics) string {
	var out []string
	for _, d := range diags {
		out = append(out, d.Summary+": "+d.Detail)
	}
	return strings.Join(out, "\n")
}

func TestUnknownForEach(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"map keys", `
resource "is_group" "g" { name = "g" }
resource "is_user" "u" {
  for_each = { (is_group.g.id) = 1 }
  name     = each.key
}`, "Invalid for_each argument: The keys of for_each depend on is_group.g.id, which is known only after apply."},
		{"through a local", `
locals { all = toset([is_group.g.id]) }
resource "is_group" "g" { name = "g" }
resource "is_user" "u" {
  for_each = local.all
  name     = each.key
}`, "depend on local.all (is_group.g.id), which is known only after apply."},
		{"count", `
resource "is_group" "g" { name = "g" }
resource "is_user" "u" {
  count = length(is_group.g.id)
  name  = "x"
}`, "Invalid count argument: The count depends on is_group.g.id, which is known only after apply."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := load(t, test.src)
			e := c.Evaluator(func(config.Address) cty.Value {
				return cty.ObjectVal(map[string]cty.Value{"id": cty.UnknownVal(cty.String), "name": cty.StringVal("g")})
			}, false)
			_, diags := e.Instances(c.Block(config.Address{Type: "is_user", Name: "u"}))
			if got := errorsOf(diags); !strings.Contains(got, test.want) {
				t.Errorf("got %s\nwant it to contain %s", got, test.want)
			}
		})
	}
}

// TestExpressionsOverBlocks evaluates what people write about blocks, before any is read (in Load)
// and after: no check of unknowns may refuse what works with values.
func TestExpressionsOverBlocks(t *testing.T) {
	exprs := map[string]string{
		`is_user.one.name`:                                                        `"one"`,
		`is_user.one.phone[0].kind`:                                               `"work"`,
		`is_user.one.phone[*].kind`:                                               `["work"]`,
		`[for p in is_user.one.phone : p.number if p.kind == "x"]`:                `[]`,
		`is_user.one.address == null ? "-" : is_user.one.address.street`:          `"-"`,
		`try(is_user.one.address.street, "-")`:                                    `"-"`,
		`is_user.one.attributes["k"]`:                                             `"v"`,
		`is_user.one.attributes.k`:                                                `"v"`,
		`lookup(is_user.one.attributes, "x", "-")`:                                `"-"`,
		`coalesce(is_user.one.status, "-")`:                                       `"-"`,
		`is_user.counted[0].name`:                                                 `"c0"`,
		`is_user.counted["1"].name`:                                               `"c1"`,
		`is_user.counted.0.name`:                                                  `"c0"`,
		`is_user.counted[*].name`:                                                 `["c0" "c1"]`,
		`is_user.counted.*.name`:                                                  `["c0" "c1"]`,
		`join(",", is_user.counted[*].name)`:                                      `"c0,c1"`,
		`length(is_user.counted)`:                                                 `2`,
		`is_user.counted[length(is_user.counted) - 1].name`:                       `"c1"`,
		`element(is_user.counted, 3).name`:                                        `"c1"`,
		`one(is_user.none[*].id)`:                                                 `null`,
		`try(is_user.none[0].id, "-")`:                                            `"-"`,
		`{ for u in is_user.counted : u.name => u.age }`:                          `{c0=0 c1=1}`,
		`[for i, u in is_user.counted : "${i}-${u.name}"]`:                        `["0-c0" "1-c1"]`,
		`concat(is_user.counted, [is_user.one])[*].name`:                          `["c0" "c1" "one"]`,
		`sum(is_user.counted[*].age)`:                                             `1`,
		`max(is_user.counted[*].age...)`:                                          `1`,
		`toset(is_user.counted[*].name)`:                                          `["c0" "c1"]`,
		`sort(is_user.counted[*].name)`:                                           `["c0" "c1"]`,
		`formatlist("%s!", is_user.counted[*].name)`:                              `["c0!" "c1!"]`,
		`matchkeys(is_user.counted[*].name, is_user.counted[*].age, [1])`:         `["c1"]`,
		`alltrue([for u in is_user.counted : u.locked == null])`:                  `true`,
		`slice(is_user.counted, 0, 1)[0].name`:                                    `"c0"`,
		`is_user.many["a"].name`:                                                  `"a"`,
		`is_user.many[is_user.one.attributes.k == "v" ? "a" : "b"].name`:          `"a"`,
		`keys(is_user.many)`:                                                      `["a" "b"]`,
		`values(is_user.many)[*].name`:                                            `["a" "b"]`,
		`[for k, u in is_user.many : "${k}=${u.name}"]`:                           `["a=a" "b=b"]`,
		`zipmap(keys(is_user.many), values(is_user.many)[*].name)`:                `{a="a" b="b"}`,
		`contains(keys(is_user.many), "x") ? is_user.many["x"].id : "-"`:          `"-"`,
		`lookup(is_user.many, "x", null)`:                                         `null`,
		`merge(is_user.many, {}).b.name`:                                          `"b"`,
		`length(is_user.many)`:                                                    `2`,
		`flatten([is_user.counted[*].name, [for k, u in is_user.many : u.name]])`: `["c0" "c1" "a" "b"]`,
		`setproduct(keys(is_user.many), ["x"])`:                                   `[["a" "x"] ["b" "x"]]`,
		`{ (is_user.one.name) = 1 }`:                                              `{one=1}`,
		`length(jsonencode(nonsensitive(is_user.many["a"].emails)))`:              `4`,
		`true ? is_user.many["a"].name : is_user.counted[0].name`:                 `"a"`,
		`data.is_discovery.d.issuer`:                                              `null`,
		`distinct(concat(is_user.counted[*].user_store, ["x"]))`:                  `["PRIMARY" "x"]`,
		`reverse(is_user.counted[*].name)`:                                        `["c1" "c0"]`,
		`{ for k, u in is_user.many : u.user_store => k... }`:                     `{PRIMARY=["a" "b"]}`,
		`anytrue([for u in is_user.many : u.name == "a"])`:                        `true`,
		`index(is_user.counted[*].name, "c1")`:                                    `1`,
		`chunklist(is_user.counted[*].name, 1)`:                                   `[["c0"] ["c1"]]`,
	}
	var src strings.Builder
	src.WriteString(`
resource "is_user" "one" {
  name       = "one"
  attributes = { k = "v" }
  phone { kind = "work" }
}
resource "is_user" "counted" {
  count = 2
  name  = "c${count.index}"
  age   = count.index
}
resource "is_user" "none" {
  count = 0
  name  = "none"
}
resource "is_user" "many" {
  for_each = toset(["a", "b"])
  name     = each.key
}
data "is_discovery" "d" {}
`)
	names := sortedKeys(exprs)
	for i, expr := range names {
		fmt.Fprintf(&src, "output \"o%03d\" {\n  value = %s\n}\n", i, expr)
	}
	c := load(t, src.String())
	w := &world{c: c}
	e := c.Evaluator(w.value, false)
	w.evaluate(t, e)
	for i, o := range c.Outputs {
		v, diags := e.Output(o)
		if got := show(v); diags.HasErrors() || got != exprs[names[i]] {
			t.Errorf("%s is %s, want %s (%v)", names[i], got, exprs[names[i]], diags)
		}
	}
}

// TestConstant holds that a block that depends on nothing is decoded once, whatever later evaluators
// know, and one that depends on others, on its instance or on chance each time.
func TestConstant(t *testing.T) {
	c := load(t, `
resource "is_user" "constant" {
  name     = upper("ann")
  password = "secret123"
}
resource "is_user" "dependent" {
  name = "of-${is_user.constant.id}"
}
resource "is_user" "chance" {
  name = uuid()
}
resource "is_user" "counted" {
  count = 1
  name  = "one"
}
`)
	address := func(name string) config.Address {
		return config.Address{Mode: config.Managed, Type: "is_user", Name: name}
	}
	decode := func(name, id string, impure bool) cty.Value {
		e := c.Evaluator(func(config.Address) cty.Value {
			return cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal(id)})
		}, impure)
		v, diags := e.Decode(c.Block(address(name)), config.Instance{Key: cty.NumberIntVal(0)})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		unmarked, _ := v.UnmarkDeep()
		return unmarked.GetAttr("name")
	}
	if got := decode("constant", "1", true); !got.RawEquals(cty.StringVal("ANN")) {
		t.Errorf("constant: %#v", got)
	}
	for _, id := range []string{"1", "2"} {
		if got := decode("dependent", id, true); !got.RawEquals(cty.StringVal("of-" + id)) {
			t.Errorf("dependent: %#v", got)
		}
	}
	if a, b := decode("chance", "", true), decode("chance", "", true); !a.IsKnown() || a.RawEquals(b) {
		t.Errorf("chance: %#v twice", a)
	}
	if decode("chance", "", false).IsKnown() {
		t.Error("chance is known in a plan")
	}
	if got := decode("counted", "", true); !got.RawEquals(cty.StringVal("one")) {
		t.Errorf("counted: %#v", got)
	}
}

// What a body writes decodes to the same values alone as with all that it does not write.
func TestDecodeWritten(t *testing.T) {
	known := testTypes()
	known.Resources["is_user"].Check = nil // which looks at everything
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(`
variable "first_password" {
  default   = "Change-me-1"
  sensitive = true
}
resource "is_user" "one" {
  name     = "ann"
  password = var.first_password
  phone {
    kind = "home"
  }
}
resource "is_user" "each" {
  for_each = { ann = "Change-me-1" }
  name     = each.key
  password = each.value
  status   = null
  address {
    street = "Main"
  }
}
resource "is_user" "count" {
  count = 1
  name  = "u${count.index}"
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, diags := config.Load(dir, known, config.Inputs{Version: "0.1.0"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	e := c.Evaluator(func(config.Address) cty.Value { return cty.DynamicVal }, false)
	for _, b := range c.Blocks {
		instances, _ := e.Instances(b)
		whole, diags := e.Decode(b, instances[0])
		written, more := e.DecodeWritten(b, instances[0])
		if len(diags) > 0 || len(more) > 0 {
			t.Fatalf("%s: %s %s", b.Address, diags, more)
		}
		some := written.AsValueMap()
		if len(some) == len(whole.AsValueMap()) {
			t.Errorf("%s: nothing is left out of %#v", b.Address, written)
		}
		if got := b.Type.Object(some); !got.RawEquals(whole) {
			t.Errorf("%s:\ngot  %#v\nwant %#v", b.Address, got, whole)
		}
	}
}

// TestDataUnchecked holds that the Check of a resource type speaks of what is written, and not of
// what a data block looks for.
func TestDataUnchecked(t *testing.T) {
	c := load(t, `
data "is_user" "root" {
  name = "root"
}
`)
	e := c.Evaluator(func(config.Address) cty.Value { return cty.DynamicVal }, false)
	if _, diags := e.Decode(c.Blocks[0], config.Instance{}); diags.HasErrors() {
		t.Error(diags)
	}
}
