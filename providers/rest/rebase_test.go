package rest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

func TestRebase(t *testing.T) {
	b := &schema.Block{
		Attributes: []schema.Attribute{
			{Name: "props", Type: cty.Map(cty.String), PerKey: true},
			{Name: "name", Type: cty.String},
			{Name: "note", Type: cty.String},
		},
		Blocks: []schema.NestedBlock{{Name: "inner", Nesting: schema.Single, Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "open", Type: cty.String}, {Name: "secret", Type: cty.String, WriteOnly: true, Sensitive: true}}}}},
	}
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
	object := func(name, note string, props cty.Value, inner ...string) cty.Value {
		attrs := map[string]cty.Value{"name": cty.StringVal(name), "note": cty.StringVal(note), "props": props}
		if len(inner) > 0 {
			secret := cty.NullVal(cty.String)
			if len(inner) > 1 {
				secret = cty.StringVal(inner[1]).Mark(schema.Sensitive)
			}
			attrs["inner"] = cty.ObjectVal(map[string]cty.Value{"open": cty.StringVal(inner[0]), "secret": secret})
		}
		return b.Object(attrs)
	}
	for name, c := range map[string]struct {
		live, planned, now cty.Value
		want               map[string]any // what is sent
	}{
		"an edit of others stays": {
			object("n", "x", m(), "a"), object("new", "x", m(), "a"), object("n", "theirs", m(), "b"),
			map[string]any{"name": "new", "note": "theirs", "props": map[string]any{}, "inner": map[string]any{"open": "b"}}},
		"keys": {
			object("n", "", m("mine", "1", "theirs", "2", "both", "3")), object("n", "", m("theirs", "2", "both", "4", "made", "5")),
			object("n", "", m("mine", "1", "theirs", "edited", "both", "3", "new", "6")),
			map[string]any{"name": "n", "note": "", "props": map[string]any{"theirs": "edited", "both": "4", "made": "5", "new": "6"}}},
		"a secret in a block": {
			object("n", "", m(), "a"), object("n", "", m(), "a", "s"), object("n", "", m(), "a"),
			map[string]any{"name": "n", "note": "", "props": map[string]any{}, "inner": map[string]any{"open": "a", "secret": "s"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Moved(b, c.live, c.planned, c.now); err != nil {
				t.Fatal(err)
			}
			body := Encode(b, c.now)
			Overlay(b, body, c.now, Rebase(b, c.live, c.planned, c.now))
			if diff := cmp.Diff(c.want, body); diff != "" {
				t.Error(diff)
			}
		})
	}
	// A key that the plan removes and somebody edited.
	err := Moved(b, object("n", "", m("k", "1")), object("n", "", m()), object("n", "", m("k", "2")))
	if !errors.Is(err, engine.ErrMoved) {
		t.Errorf("got %v", err)
	}
}
