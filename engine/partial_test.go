package engine

import (
	"fmt"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"wso2plan/config/schema"
)

// Compared by what a block writes alone, an object differs exactly when it does compared as a whole.
func TestPartialComparison(t *testing.T) {
	typ := &schema.Type{Name: "fake_thing", Key: []string{"a"}, Block: schema.Block{
		Attributes: []schema.Attribute{
			{Name: "a", Type: cty.String, Required: true, RequiresReplace: true},
			{Name: "b", Type: cty.String},
			{Name: "c", Type: cty.String, Sensitive: true},
			{Name: "secret", Type: cty.String, WriteOnly: true, Sensitive: true},
			{Name: "tags", Type: cty.Map(cty.String), PerKey: true},
			{Name: "server", Type: cty.String, ReadOnly: true, ChangesWith: []string{"b"}},
		},
		Blocks: []schema.NestedBlock{
			{Name: "one", Nesting: schema.Single, Block: schema.Block{Attributes: []schema.Attribute{{Name: "x", Type: cty.String}}}},
			{Name: "many", Nesting: schema.List, Key: []string{"k"}, Unless: "b", Block: schema.Block{Attributes: []schema.Attribute{
				{Name: "k", Type: cty.String, Required: true}, {Name: "x", Type: cty.String}}}},
		},
	}}
	keys := NewKeys([]byte("0123456789abcdef"))
	rapid.Check(t, func(rt *rapid.T) {
		some := rapid.SampledFrom([]string{"p", "q"})
		maybe := func(label string) cty.Value {
			if !rapid.Bool().Draw(rt, "has "+label) {
				return cty.NilVal
			}
			return cty.StringVal(some.Draw(rt, label))
		}
		object := func(side string, readOnly bool) map[string]cty.Value {
			attrs := map[string]cty.Value{"a": cty.StringVal(some.Draw(rt, side+" a"))}
			put := func(name string, v cty.Value) {
				if v != cty.NilVal {
					attrs[name] = v
				}
			}
			put("b", maybe(side+" b"))
			if v := maybe(side + " c"); v != cty.NilVal {
				put("c", v.Mark(schema.Sensitive))
			}
			if readOnly {
				put("server", maybe(side+" server"))
			} else {
				put("secret", maybe(side+" secret"))
			}
			if v := maybe(side + " tag"); v != cty.NilVal {
				put("tags", cty.MapVal(map[string]cty.Value{"t": v}))
			}
			if v := maybe(side + " one"); v != cty.NilVal {
				put("one", cty.ObjectVal(map[string]cty.Value{"x": v}))
			}
			if v := maybe(side + " many"); v != cty.NilVal {
				put("many", cty.ListVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"k": v, "x": cty.NullVal(cty.String)})}))
			}
			return attrs
		}
		record := &Record{ID: "1", Status: Complete}
		if applied := object("applied", false); rapid.Bool().Draw(rt, "recorded") {
			record.Fingerprints = fingerprints(keys, typ, "1", typ.Object(applied), nil, nil)
		}
		live, wanted := typ.MarkSensitive(typ.Object(object("live", true))), object("wanted", false)
		c := comparison{typ: typ, keys: keys, record: record, id: "1", live: live, wanted: typ.Object(wanted)}
		if rapid.Bool().Draw(rt, "ignores") {
			c.ignore = []cty.Path{cty.GetAttrPath(rapid.SampledFrom([]string{"b", "tags", "secret", "one"}).Draw(rt, "ignored"))}
		}
		whole := diff(&c)
		c.wanted, c.partial = cty.ObjectVal(wanted), true
		part := diff(&c)
		if fmt.Sprintf("%#v", whole.paths) != fmt.Sprintf("%#v", part.paths) {
			rt.Fatalf("as a whole: %#v\nby what is written: %#v", whole.paths, part.paths)
		}
		if len(whole.paths) == 0 && !whole.planned.RawEquals(part.planned) || part.asLive && !part.planned.RawEquals(live) {
			rt.Fatalf("as a whole, planned: %#v (as live: %t)\nby what is written: %#v (%t)", whole.planned, whole.asLive, part.planned, part.asLive)
		}
	})
}
