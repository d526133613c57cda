package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// What a body writes, in nested blocks too, decodes to the same values and the same errors alone as
// with all that it does not write; of a type with a Check it is the whole object.
func TestDecodeWrittenIsDecode(t *testing.T) {
	inner := schema.Block{
		Attributes: []schema.Attribute{
			{Name: "must", Type: cty.String, Required: true, Enum: []string{"one", "two"}},
			{Name: "usual", Type: cty.String, Default: cty.StringVal("v1")},
			{Name: "secret", Type: cty.String, Sensitive: true},
			{Name: "known", Type: cty.String, Sensitive: true, Default: cty.StringVal("s")},
			{Name: "made", Type: cty.String, ReadOnly: true},
			{Name: "words", Type: cty.List(cty.String), Written: cty.String, Read: func(v cty.Value) (cty.Value, error) {
				return cty.ListVal([]cty.Value{v}), nil
			}},
			{Name: "number", Type: cty.Number},
			{Name: "labels", Type: cty.Map(cty.String)},
		},
	}
	middle := inner
	middle.Blocks = []schema.NestedBlock{
		{Name: "deep", Nesting: schema.List, Key: []string{"must"}, Block: inner},
		{Name: "only", Nesting: schema.Single, Block: inner},
	}
	outer := inner
	outer.Blocks = []schema.NestedBlock{
		{Name: "many", Nesting: schema.List, Key: []string{"must"}, Block: middle},
		{Name: "single", Nesting: schema.Single, Block: middle},
		{Name: "needed", Nesting: schema.List, Required: true, Block: middle},
	}
	known := schema.NewSet()
	known.Providers["is"] = schema.Block{}
	checked := 0
	known.Add(&schema.Type{Name: "is_plain", Key: []string{"must"}, Block: outer})
	known.Add(&schema.Type{Name: "is_checked", Key: []string{"must"}, Block: outer, Check: func(v cty.Value) []schema.Problem {
		checked++
		if n, _ := v.GetAttr("number").Unmark(); n.IsKnown() && !n.IsNull() && n.RawEquals(cty.NumberIntVal(2)) {
			return []schema.Problem{{Path: cty.GetAttrPath("number"), Summary: "Bad number", Detail: "It is 2."}}
		}
		return nil
	}})
	values := map[string][]string{
		"must":   {`"one"`, `each.value.text`, `is_plain.other.made`},
		"usual":  {`"v2"`, `null`, `each.value.none`},
		"secret": {`"x"`, `null`, `sensitive("y")`, `each.value.text`},
		"known":  {`"x"`, `null`, `is_plain.other.secret`},
		"words":  {`"a"`, `null`, `is_plain.other.made`},
		"number": {`1`, `each.value.number`, `null`},
		"labels": {`{ a = "b" }`, `each.value.labels`, `{}`},
	}
	wrong, partial := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		var body func(s *strings.Builder, b *schema.Block)
		body = func(s *strings.Builder, b *schema.Block) {
			for i := range b.Attributes {
				a := &b.Attributes[i]
				if !a.ReadOnly && (a.Required || rapid.Bool().Draw(rt, a.Name)) {
					fmt.Fprintf(s, "%s = %s\n", a.Name, rapid.SampledFrom(values[a.Name]).Draw(rt, a.Name+" value"))
				}
			}
			for i := range b.Blocks {
				n := &b.Blocks[i]
				least, most := 0, 1
				if n.Nesting == schema.List {
					most = 3
				}
				if n.Required {
					least = 1
				}
				for range rapid.IntRange(least, most).Draw(rt, n.Name) {
					fmt.Fprintf(s, "%s {\n", n.Name)
					body(s, &n.Block)
					s.WriteString("}\n")
				}
			}
		}
		var s strings.Builder
		s.WriteString("resource \"is_plain\" \"other\" {\nmust = \"one\"\nneeded {\nmust = \"two\"\n}\n}\n")
		for _, typ := range []string{"is_plain", "is_checked"} {
			fmt.Fprintf(&s, "resource %q \"x\" {\nfor_each = { a = { text = %q, none = null, number = %d, labels = {} } }\n", typ,
				rapid.SampledFrom([]string{"one", "two", "three"}).Draw(rt, "text"), rapid.IntRange(1, 2).Draw(rt, "number"))
			body(&s, &outer)
			s.WriteString("}\n")
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(s.String()), 0o600); err != nil {
			rt.Fatal(err)
		}
		c, diags := config.Load(dir, known, config.Inputs{Version: "0.1.0"})
		if diags.HasErrors() {
			rt.Fatalf("%s\n%s", diags, s.String())
		}
		e := c.Evaluator(func(config.Address) cty.Value {
			return cty.ObjectVal(map[string]cty.Value{"made": cty.UnknownVal(cty.String), "secret": cty.StringVal("z").Mark(schema.Sensitive)})
		}, false)
		for _, b := range c.Blocks {
			instances, _ := e.Instances(b)
			whole, diags := e.Decode(b, instances[0])
			written, more := e.DecodeWritten(b, instances[0])
			if diags.Error() != more.Error() {
				rt.Fatalf("%s: as a whole: %s\nby what is written: %s\n%s", b.Address, diags, more, s.String())
			}
			if diags.HasErrors() {
				wrong++
				continue
			}
			if b.Type.Check == nil {
				if len(written.AsValueMap()) < len(whole.AsValueMap()) {
					partial++
				}
				written = b.Type.Object(written.AsValueMap())
			}
			if !written.RawEquals(whole) {
				rt.Fatalf("%s: as a whole: %#v\nby what is written: %#v\n%s", b.Address, whole, written, s.String())
			}
		}
	})
	if checked == 0 || wrong == 0 || partial == 0 {
		t.Errorf("checked %d, wrong %d, partial %d: each is to be tried", checked, wrong, partial)
	}
}

// What a body must not write is told when it is loaded, though it is first decoded by what it writes.
func TestWrittenWrongly(t *testing.T) {
	for body, want := range map[string]string{
		`name = "ann" address {} address {}`: "Duplicate address block",
		`name = "ann" phone "x" {}`:          "Extraneous label for phone",
		`name = "ann" id = "1"`:              "Value for read-only attribute",
		`name = "ann" nick = "a"`:            "Unsupported argument",
		`name = "ann" car {}`:                "Unsupported block type",
		`name = "ann" phone {}`:              "Missing required argument",
		`age = 1`:                            "Missing required argument",
		`name = "ann" phone = "x"`:           "Unsupported argument",
		`name = "ann" age {}`:                "Unsupported block type",
		`name = "ann" lifecycle = 1`:         "Unsupported argument",
		`name = "ann" count {}`:              "Unsupported block type",
		`name = "ann" address { count = 1 }`: "Unsupported argument",
		`name = "ann" age = "x"`:             "Incorrect attribute value type",
		`name = "ann" age = tonumber("x")`:   "Invalid function argument",
	} {
		for _, checked := range []bool{true, false} {
			known := testTypes()
			if !checked {
				known.Resources["is_user"].Check = nil
			}
			dir := t.TempDir()
			text := "resource \"is_user\" \"x\" {\n" + strings.NewReplacer(" address", "\naddress", " phone", "\nphone", " id", "\nid",
				" nick", "\nnick", " car", "\ncar", " age", "\nage", " lifecycle", "\nlifecycle", " count {", "\ncount {").Replace(body) + "\n}\n"
			if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, diags := config.Load(dir, known, config.Inputs{Version: "0.1.0"})
			if len(diags) == 0 || diags[0].Summary != want {
				t.Errorf("%s (checked: %t): %v, want %q", body, checked, diags, want)
			}
		}
	}
}
