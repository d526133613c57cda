package rest

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

func TestRemovals(t *testing.T) {
	b := &schema.Block{Attributes: []schema.Attribute{
		{Name: "props", Type: cty.Map(cty.String), PerKey: true},
		{Name: "name", Type: cty.String},
	}}
	m := func(kv ...string) cty.Value {
		out := map[string]cty.Value{}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i]] = cty.StringVal(kv[i+1])
		}
		if len(out) == 0 {
			return cty.MapValEmpty(cty.String)
		}
		return cty.MapVal(out)
	}
	object := func(props cty.Value) cty.Value {
		return b.Object(map[string]cty.Value{"props": props, "name": cty.StringVal("n")})
	}
	live := object(m("mine", "1", "theirs", "2"))
	planned := Removals(b, live, object(m("theirs", "2")))
	if got := planned.GetAttr("props").Index(cty.StringVal("mine")); !got.IsNull() {
		t.Errorf("the removed key is %#v, want null", got)
	}
	// A third key came after the plan: it stays.
	body := map[string]any{"name": "n", "props": map[string]any{"mine": "1", "theirs": "2", "new": "3"}}
	Overlay(b, body, object(m("mine", "1", "theirs", "2", "new", "3")), planned)
	props := body["props"].(map[string]any)
	if _, ok := props["mine"]; ok || props["theirs"] != "2" || props["new"] != "3" || len(props) != 2 {
		t.Errorf("sent %v, want theirs and new alone", props)
	}
	if err := Moved(b, live, planned, live); err != nil {
		t.Error(err)
	}
	if same := Removals(b, live, live); !same.RawEquals(live) {
		t.Errorf("nothing removed, and got %#v", same)
	}
	all := Removals(b, live, object(m()))
	if n := all.GetAttr("props").LengthInt(); n != 2 {
		t.Errorf("%d keys, want two nulls", n)
	}
}
