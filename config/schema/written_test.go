package schema

import (
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// TestWritten decodes an attribute that is written in another type than its own.
func TestWritten(t *testing.T) {
	b := Block{Attributes: []Attribute{{Name: "words", Type: cty.Map(cty.String), Written: cty.String,
		Read: func(v cty.Value) (cty.Value, error) {
			out := map[string]cty.Value{}
			for _, w := range strings.Fields(v.AsString()) {
				if w == "bad" {
					return cty.NilVal, errors.New("line 1: bad is no word")
				}
				out[w] = cty.StringVal(w)
			}
			if len(out) == 0 {
				return cty.MapValEmpty(cty.String), nil
			}
			return cty.MapVal(out), nil
		}}}}
	if errs := b.Validate(); errs != nil {
		t.Fatal(errs)
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{
		"secret": cty.StringVal("a b").Mark(Sensitive), "hidden": cty.StringVal("bad").Mark(Sensitive), "later": cty.UnknownVal(cty.String),
	}}
	ab := cty.MapVal(map[string]cty.Value{"a": cty.StringVal("a"), "b": cty.StringVal("b")})
	for source, want := range map[string]cty.Value{
		`words = "a b"`:  ab,
		``:               cty.NullVal(cty.Map(cty.String)),
		`words = secret`: ab.Mark(Sensitive),
		`words = later`:  cty.UnknownVal(cty.Map(cty.String)),
		`words = ""`:     cty.MapValEmpty(cty.String),
	} {
		f, diags := hclsyntax.ParseConfig([]byte(source), "t.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		v, diags := hcldec.Decode(f.Body, b.Spec(), ctx)
		if diags.HasErrors() || !v.GetAttr("words").RawEquals(want) {
			t.Errorf("%s is %#v, %v", source, v, diags)
		}
	}
	for source, want := range map[string]string{
		`words = "a bad"`: "The value of words is not valid: line 1: bad is no word.",
		`words = hidden`:  "The value of words is not valid: what is wrong is not shown, since the value is sensitive.",
	} {
		f, _ := hclsyntax.ParseConfig([]byte(source), "t.hcl", hcl.InitialPos)
		_, diags := hcldec.Decode(f.Body, b.Spec(), ctx)
		if len(diags) != 1 || diags[0].Detail != want || diags[0].Summary != "Invalid words" || diags[0].Subject.Start.Column != 9 {
			t.Errorf("%s: %v", source, diags)
		}
	}
	bad := Block{Attributes: []Attribute{{Name: "x", Type: cty.String, Written: cty.String}},
		Blocks: []NestedBlock{{Name: "y", Nesting: List, Unless: "z"}}}
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "Written and Read") || !strings.Contains(err.Error(), `Unless names "z"`) {
		t.Error(err)
	}
}
