package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

func TestReferences(t *testing.T) {
	c := load(t, `
locals {
  title = "of ${local.name}"
  name  = is_user.ann.name
  both  = [is_user.ann.id, is_user.bob.id]
}
resource "is_user" "ann" { name = "ann" }
resource "is_user" "bob" {
  name       = "bob"
  depends_on = [is_user.ann, data.is_group.g]
}
data "is_group" "g" { name = "g" }
resource "is_user" "many" {
  for_each = { a = is_user.bob.name }
  name     = each.key
  dynamic "phone" {
    for_each = is_user.ann.emails
    content {
      kind   = "work"
      number = phone.value == is_user.bob.age ? each.value : "0"
    }
  }
}
resource "is_group" "g" {
  name    = local.title
  members = concat(local.both, [for k, u in is_user.many : u.id], is_user.many[*].id, [is_user.many["a"].status])
}
output "o" {
  value      = is_user.many[data.is_group.g.id].name
  depends_on = [is_user.bob]
}
`)
	show := func(refs []config.Reference) []string {
		var out []string
		for _, r := range refs {
			s := fmt.Sprintf("%d: %s", r.Range.Start.Line, r.To)
			if r.Attr != "" {
				s += "." + r.Attr
			}
			if len(r.Via) > 0 {
				s += " via " + strings.Join(r.Via, ", ")
			}
			if r.OnlyIn != "" {
				s += " in " + r.OnlyIn
			}
			out = append(out, s)
		}
		return out
	}
	got := map[string][]string{}
	for _, b := range c.Blocks {
		if refs := show(b.References); refs != nil {
			got[b.Address.String()] = refs
		}
	}
	for _, o := range c.Outputs {
		got["output."+o.Name] = show(o.References)
	}
	want := map[string][]string{
		"is_user.bob": {"10: is_user.ann in depends_on", "10: data.is_group.g in depends_on"},
		"is_user.many": {
			"14: is_user.bob.name in for_each", "17: is_user.ann.emails in phone", "20: is_user.bob.age in phone",
		},
		"is_group.g": {
			"25: is_user.ann.name via title, name in name",
			"26: is_user.ann.id via both in members", "26: is_user.bob.id via both in members",
			"26: is_user.many in members", "26: is_user.many.id in members", "26: is_user.many.status in members",
		},
		"output.o": {
			"29: is_user.many.name in value", "29: data.is_group.g.id in value", "30: is_user.bob in depends_on",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLoadedConfig(t *testing.T) {
	files := map[string]string{
		"main.hcl": `
wso2plan {
  required_version = ">= 1.0"
  store            = "./state"
  limits {
    max_destroy         = 3
    max_destroy_percent = 12.5
  }
}
variable "region" {
  type        = string
  description = "Where."
  default     = "eu"
}
provider "is" { endpoint = "https://localhost:9443" }
provider "is" {
  alias = "acme"
}
resource "is_user" "ann" {
  provider = is.acme
  name     = "ann"
  phone {
    kind = "home"
  }
  dynamic "address" {
    for_each = [1]
    content {}
  }
  lifecycle {
    prevent_destroy       = true
    create_before_destroy = true
    ignore_changes        = [status, attributes["x"], phone[0].kind]
  }
}
resource "is_group" "g" {
  name = "g"
  lifecycle {
    ignore_changes = all
  }
}
output "o" {
  value       = 1
  description = "One."
}
`,
		".hidden.hcl": `syntax error`,
		"#main.hcl":   `syntax error`,
		"main.hcl~":   `syntax error`,
		"main.tf":     `syntax error`,
	}
	c := loadFiles(t, files, config.Inputs{Version: "1.1.0-dev"})
	s := c.Settings
	if s.RequiredVersion != ">= 1.0" || s.Store != "./state" || *s.MaxDestroy != 3 || *s.MaxDestroyPct != 12.5 ||
		s.StoreRange.Start.Line != 4 || s.Range.Start.Line != 2 {
		t.Errorf("settings are %+v", s)
	}
	if v := c.Variables["region"]; v.Description != "Where." || v.Type != cty.String || !v.Nullable || v.Sensitive {
		t.Errorf("the variable is %+v", v)
	}
	if got := fmt.Sprint(sortedKeys(c.Providers)); got != "[apim is is.acme]" {
		t.Errorf("providers are %s", got)
	}
	if p := c.Providers["is.acme"]; p.Ref() != "is.acme" || p.Name != "is" {
		t.Errorf("is.acme is %+v", p)
	}
	ann, g := c.Block(config.Address{Type: "is_user", Name: "ann", Key: "[0]"}), c.Block(config.Address{Type: "is_group", Name: "g"})
	if ann == nil || g == nil || c.Block(config.Address{Type: "is_user", Name: "nobody"}) != nil {
		t.Fatalf("blocks are %v", c.Blocks)
	}
	if !ann.PreventDestroy || !ann.CreateBeforeDestroy || ann.IgnoreAll || ann.Provider != "is.acme" {
		t.Errorf("is_user.ann is %+v", ann)
	}
	var ignored []string
	for _, p := range ann.IgnoreChanges {
		ignored = append(ignored, schema.PathString(p))
	}
	if got := strings.Join(ignored, " "); got != `status attributes["x"] phone[0].kind` {
		t.Errorf("ignored are %s", got)
	}
	if !g.IgnoreAll || g.Provider != "is" || g.PreventDestroy {
		t.Errorf("is_group.g is %+v", g)
	}
	for name, line := range map[string]int{"name": 21, "phone": 22, "address": 25, "status": 19} {
		if got := ann.AttributeRange(name).Start.Line; got != line {
			t.Errorf("%s is on line %d, want %d", name, got, line)
		}
	}
	if o := c.Outputs[0]; o.Description != "One." || o.Sensitive {
		t.Errorf("the output is %+v", o)
	}
	if c.Sources()[filepath.Join(c.Dir, "main.hcl")] == nil || len(c.Sources()) != 1 {
		t.Errorf("sources are %v", sortedKeys(c.Sources()))
	}
	if len(c.Digest) != 64 {
		t.Errorf("the digest is %q", c.Digest)
	}
	if again := loadFiles(t, files, config.Inputs{Version: "1.1.0-dev"}); again.Digest != c.Digest {
		t.Error("the same files have another digest")
	}
	files["other.hcl"] = files["main.hcl"][strings.Index(files["main.hcl"], "output"):]
	files["main.hcl"] = strings.TrimSuffix(files["main.hcl"], files["other.hcl"])
	if again := loadFiles(t, files); again.Digest == c.Digest {
		t.Error("other files have the same digest")
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return sorted(out)
}

func TestJSON(t *testing.T) {
	c := loadFiles(t, map[string]string{
		"main.hcl.json": `{
  "//": "a comment",
  "wso2plan": {"store": "./state", "limits": {"max_destroy": 1}},
  "variable": {
    "names": {"type": "map(object({ mail = string, tag = optional(string, \"staff\") }))", "default": {"ann": {"mail": "a@x"}}},
    "secret": {"default": "geheim", "sensitive": true}
  },
  "locals": {"store": "PRIMARY", "greeting": "hello ${local.store}"},
  "provider": {"is": [{"endpoint": "https://localhost"}, {"alias": "acme"}]},
  "resource": {
    "is_user": {
      "all": {
        "for_each": "${var.names}",
        "provider": "is.acme",
        "name": "${each.key}",
        "emails": ["${each.value.mail}"],
        "tags": ["${each.value.tag}"],
        "password": "${var.secret}-long-enough",
        "attributes": {"greeting": "${local.greeting}"},
        "phone": [{"kind": "home"}],
        "dynamic": {"phone": {"for_each": ["1"], "content": {"kind": "work", "number": "${phone.value}"}}},
        "depends_on": ["is_group.g"],
        "lifecycle": {"prevent_destroy": true, "ignore_changes": ["status"]}
      }
    },
    "is_group": {"g": {"name": "g", "count": 1, "lifecycle": {"ignore_changes": "all"}}}
  },
  "data": {"is_user": {"ann": {"name": "${is_user.all[\"ann\"].name}"}}},
  "import": {"to": "is_user.all[each.key]", "id": "${each.value.mail}", "for_each": "${var.names}"},
  "output": {"o": {"value": "${data.is_user.ann.name}"}}
}`,
		"wso2plan.hclvars.json": `{"names": {"ann": {"mail": "b@x", "tag": "guest"}}}`,
	})
	w := &world{c: c, known: true}
	e := c.Evaluator(w.value, true)
	got := w.evaluate(t, e)
	want := map[string]string{
		`is_user.all["ann"]`: `{attributes={greeting="hello PRIMARY"} emails=["b@x"] id="id-of-is_user.all[\"ann\"]" name="ann" ` +
			`password=(sensitive "geheim-long-enough") phone=[{kind="home" primary=false} {kind="work" number="1" primary=false}] ` +
			`tags=["guest"] user_store="PRIMARY"}`,
		`is_group.g[0]`:    `{id="id-of-is_group.g[0]" name="g"}`,
		`data.is_user.ann`: `{id="id-of-data.is_user.ann" name="ann" user_store="PRIMARY"}`,
	}
	shown := map[string]string{}
	for addr, v := range got {
		shown[addr] = show(v)
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	targets, diags := e.Imports()
	if diags.HasErrors() || len(targets) != 1 || targets[0].To.String() != `is_user.all["ann"]` || targets[0].ID != "b@x" {
		t.Errorf("imports are %v, %v", targets, diags)
	}
	b := c.Block(config.Address{Type: "is_user", Name: "all"})
	if !b.PreventDestroy || len(b.IgnoreChanges) != 1 || b.Provider != "is.acme" || len(b.References) != 1 {
		t.Errorf("is_user.all is %+v", b)
	}
	if !c.Block(config.Address{Type: "is_group", Name: "g"}).IgnoreAll {
		t.Error("ignore_changes = all is lost")
	}
}

// TestConcurrentEvaluation evaluates everything from many goroutines; the race detector watches.
func TestConcurrentEvaluation(t *testing.T) {
	c := load(t, `
locals {
  a = "a-${local.b}"
  b = "b-${is_group.g.id}"
}
resource "is_group" "g" { name = "g" }
resource "is_user" "u" {
  for_each = toset([for i in range(50) : "u${i}"])
  name     = each.key
  emails   = [local.a, local.b, is_group.g.id]
}
output "o" {
  value = local.a
}`)
	e := c.Evaluator(func(config.Address) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal("1"), "name": cty.StringVal("g")})
	}, false)
	b := c.Block(config.Address{Type: "is_user", Name: "u"})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			instances, diags := e.Instances(b)
			if diags.HasErrors() || len(instances) != 50 {
				t.Errorf("%d instances, %v", len(instances), diags)
			}
			for _, i := range instances {
				v, diags := e.Decode(b, i)
				if diags.HasErrors() || show(v.GetAttr("emails")) != `["a-b-1" "b-1" "1"]` {
					t.Errorf("%#v, %v", v, diags)
				}
			}
			if v, diags := e.Output(c.Outputs[0]); diags.HasErrors() || v.AsString() != "a-b-1" {
				t.Errorf("%#v, %v", v, diags)
			}
		})
	}
	wait.Wait()
}

// TestLazyValues checks that only blocks that are referred to are asked for, and each once.
func TestLazyValues(t *testing.T) {
	c := load(t, `
locals {
  used   = is_group.a.id
  unused = is_group.b.id
}
resource "is_group" "a" { name = "a" }
resource "is_group" "b" { name = "b" }
resource "is_user" "u" {
  count  = 3
  name   = "u${count.index}"
  emails = [local.used, is_group.a.name]
}`)
	asked := map[string]int{}
	e := c.Evaluator(func(a config.Address) cty.Value {
		asked[a.String()]++
		return cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal("1"), "name": cty.StringVal("a")})
	}, false)
	b := c.Block(config.Address{Type: "is_user", Name: "u"})
	instances, diags := e.Instances(b)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, i := range instances {
		if _, diags := e.Decode(b, i); diags.HasErrors() {
			t.Fatal(diags)
		}
	}
	// Once for the body, once for the local.
	if diff := cmp.Diff(map[string]int{"is_group.a": 2}, asked); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
