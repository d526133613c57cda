package rest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// table holds one attribute of each kind that the codec knows.
var table = schema.Block{
	Attributes: []schema.Attribute{
		{Name: "id", Type: cty.String, ReadOnly: true},
		{Name: "display_name", Type: cty.String, Normalize: func(v cty.Value) cty.Value { return cty.StringVal(strings.ToLower(v.AsString())) }},
		{Name: "given_name", Type: cty.String, JSON: "name/givenName"},
		{Name: "size", Type: cty.Number},
		{Name: "enabled", Type: cty.Bool},
		{Name: "grants", Type: cty.Set(cty.String)},
		{Name: "steps", Type: cty.List(cty.Number)},
		{Name: "properties", Type: cty.Map(cty.String), PerKey: true, Normalize: func(v cty.Value) cty.Value { return cty.StringVal(strings.TrimSpace(v.AsString())) }},
		{Name: "secret", Type: cty.String, WriteOnly: true, Sensitive: true, Keep: schema.KeepMask},
		{Name: "blank", Type: cty.String, WriteOnly: true, Sensitive: true, Keep: schema.KeepBlank},
		{Name: "anything", Type: cty.DynamicPseudoType},
		{Name: "hidden", Type: cty.String, JSON: "-"},
	},
	Blocks: []schema.NestedBlock{
		{Name: "limit", Nesting: schema.Single, Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "unit", Type: cty.String}, {Name: "count", Type: cty.Number},
		}}},
		{Name: "claim", Nesting: schema.List, Key: []string{"remote"}, JSON: "claims", Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "remote", Type: cty.String}, {Name: "local", Type: cty.String},
		}}},
	},
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := (&Response{Body: []byte(text)}).JSON(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decoded(t *testing.T, json string) cty.Value {
	t.Helper()
	v, err := Decode(&table, parse(t, json))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func with(v cty.Value, set map[string]cty.Value) cty.Value {
	attrs := v.AsValueMap()
	for name, x := range set {
		attrs[name] = x
	}
	return cty.ObjectVal(attrs)
}

// What the server sends and what is sent back are the same but for what the tables do not know.
func TestDecodeEncode(t *testing.T) {
	for _, test := range []struct{ name, in, out string }{
		{"empty", `{}`, `{"grants":[],"properties":{},"steps":[]}`},
		{"nulls", `{"displayName":null,"grants":null,"limit":null,"claims":null}`, `{"grants":[],"properties":{},"steps":[]}`},
		{"all", `{"id":"7","displayName":"X","name":{"givenName":"G"},"size":12345678901234567890.25,"enabled":true,"grants":["b","a"],"steps":[2,1],
			"properties":{"k":"v"},"limit":{"unit":"min","count":5},"claims":[{"remote":"r","local":"l"}],"anything":{"a":[1,"x",null]}}`,
			`{"anything":{"a":[1,"x",null]},"claims":[{"local":"l","remote":"r"}],"displayName":"X","enabled":true,"grants":["a","b"],
			"limit":{"count":5,"unit":"min"},"name":{"givenName":"G"},"properties":{"k":"v"},"size":12345678901234567890.25,"steps":[2,1]}`},
		{"other types", `{"size":"15","enabled":"False","displayName":5,"properties":{"n":3600,"b":true,"l":[1,2],"z":null}}`,
			`{"displayName":"5","enabled":false,"grants":[],"properties":{"b":"true","l":"[1,2]","n":"3600"},"size":15,"steps":[]}`},
		{"secrets are not read", `{"secret":"*****","blank":"x"}`, `{"grants":[],"properties":{},"steps":[]}`},
		{"fractions", `{"size":0.1}`, `{"grants":[],"properties":{},"size":0.1,"steps":[]}`},
		{"large", `{"size":1e30}`, `{"grants":[],"properties":{},"size":1000000000000000000000000000000,"steps":[]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := text(t, Encode(&table, decoded(t, test.in)))
			want := strings.NewReplacer("\n", "", "\t", "").Replace(test.out)
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	for in, want := range map[string]string{
		`{"size":"many"}`:           "size: the server sent a string where a number was expected",
		`{"grants":"x"}`:            "grants: the server sent a string where a list was expected",
		`{"grants":[{}]}`:           "grants: element 0: the server sent an object where a string was expected",
		`{"properties":[]}`:         "properties: the server sent a list where an object was expected",
		`{"limit":"x"}`:             "limit: the server sent a string where an object was expected",
		`{"claims":[1]}`:            "claim: element 0: the server sent a number where an object was expected",
		`{"enabled":1}`:             "enabled: the server sent a number where true or false was expected",
		`{"name":{"givenName":[]}}`: "given_name: the server sent a list where a string was expected",
	} {
		if _, err := Decode(&table, parse(t, in)); err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", in, err, want)
		}
	}
}

func TestEncodeMarksAndUnknowns(t *testing.T) {
	v := table.Object(map[string]cty.Value{
		"display_name": cty.StringVal("x"), "secret": cty.StringVal("s3cret").Mark(schema.Sensitive),
		"given_name": cty.UnknownVal(cty.String), "id": cty.StringVal("no"), "hidden": cty.StringVal("no"),
	})
	if got, want := text(t, Encode(&table, v)), `{"displayName":"x","secret":"s3cret"}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What the plan does not touch goes back as it came, unknown members and spelling included.
func TestOverlay(t *testing.T) {
	const body = `{"id":"7","displayName":"Old","unknown":{"x":1},"size":5.0,"enabled":"true","grants":["b","a"],"name":{"givenName":"G","other":"o"},
		"properties":{"n":3600,"theirs":"t"},"secret":"*****","blank":"","limit":{"unit":"min","count":5,"more":1},
		"claims":[{"remote":"a","local":"1","extra":true},{"remote":"b","local":"2"}]}`
	for _, test := range []struct {
		name string
		set  map[string]cty.Value
		want string // members of body that differ; null: gone
	}{
		{"nothing", nil, `{}`},
		{"string", map[string]cty.Value{"display_name": cty.StringVal("New")}, `{"displayName":"New"}`},
		{"equal in normal form", map[string]cty.Value{"display_name": cty.StringVal("OLD")}, `{}`},
		{"deeper", map[string]cty.Value{"given_name": cty.StringVal("H")}, `{"name":{"givenName":"H","other":"o"}}`},
		{"unknown and null", map[string]cty.Value{"size": cty.UnknownVal(cty.Number), "enabled": cty.NullVal(cty.Bool)}, `{}`},
		{"set", map[string]cty.Value{"grants": cty.SetValEmpty(cty.String)}, `{"grants":[]}`},
		{"key", map[string]cty.Value{"properties": cty.MapVal(map[string]cty.Value{"n": cty.StringVal("3600"), "m": cty.StringVal("1")})},
			`{"properties":{"m":"1","n":3600,"theirs":"t"}}`},
		{"key removed", map[string]cty.Value{"properties": cty.MapVal(map[string]cty.Value{"n": cty.NullVal(cty.String)})}, `{"properties":{"theirs":"t"}}`},
		{"secret", map[string]cty.Value{"secret": cty.StringVal("new").Mark(schema.Sensitive)}, `{"secret":"new"}`},
		{"block", map[string]cty.Value{"limit": table.NestedBlock("limit").Block.Object(map[string]cty.Value{"unit": cty.StringVal("day"), "count": cty.NumberIntVal(5)})},
			`{"limit":{"unit":"day","count":5,"more":1}}`},
		{"block removed", map[string]cty.Value{"limit": cty.NullVal(table.NestedBlock("limit").ImpliedType())}, `{"limit":null}`},
		{"elements", map[string]cty.Value{"claim": cty.ListVal([]cty.Value{claim("c", "3"), claim("a", "9")})},
			`{"claims":[{"remote":"c","local":"3"},{"remote":"a","local":"9","extra":true}]}`},
		{"no elements", map[string]cty.Value{"claim": cty.ListValEmpty(table.NestedBlock("claim").ImpliedType())}, `{"claims":[]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, live := parse(t, body), decoded(t, body)
			Overlay(&table, got, live, with(live, test.set))
			want := parse(t, body)
			for name, v := range parse(t, test.want) {
				if want[name] = v; v == nil {
					delete(want, name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func claim(remote, local string) cty.Value {
	return table.NestedBlock("claim").Block.Object(map[string]cty.Value{"remote": cty.StringVal(remote), "local": cty.StringVal(local)})
}

func TestMovedAndDifferent(t *testing.T) {
	const body = `{"displayName":"a","size":1,"properties":{"k":"1","o":"1"},"claims":[{"remote":"a","local":"1"},{"remote":"b","local":"2"}],"limit":{"count":1}}`
	live := decoded(t, body)
	planned := with(live, map[string]cty.Value{
		"display_name": cty.StringVal("b"),
		"properties":   cty.MapVal(map[string]cty.Value{"k": cty.StringVal("2"), "o": cty.StringVal("1")}),
		"claim":        cty.ListVal([]cty.Value{claim("a", "5"), claim("b", "2")}),
	})
	for _, test := range []struct {
		name, now, moved string
		different        []string
	}{
		{"as planned from", body, "", []string{"display_name", `properties["k"]`, "claim"}},
		{"changed elsewhere", `{"displayName":"A","size":2,"properties":{"k":"1","o":"9"},"claims":[{"remote":"b","local":"2"},{"remote":"a","local":"1"}],"limit":{"count":1}}`,
			"", []string{"display_name", "size", `properties["k"]`, `properties["o"]`, "claim"}},
		{"already as wanted", `{"displayName":"b","size":1,"properties":{"k":"2","o":"1"},"claims":[{"remote":"b","local":"2"},{"remote":"a","local":"5"}],"limit":{"count":1}}`, "", nil},
		{"changed", `{"displayName":"c"}`, "display_name", nil},
		{"key changed", `{"displayName":"a","properties":{"k":"7"}}`, `properties["k"]`, nil},
		{"element changed", `{"displayName":"a","properties":{"k":"1"},"claims":[{"remote":"a","local":"7"},{"remote":"b","local":"2"}]}`, "claim", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := decoded(t, test.now)
			err := Moved(&table, live, planned, now)
			switch {
			case test.moved == "" && err != nil:
				t.Error(err)
			case test.moved != "" && (!errors.Is(err, engine.ErrMoved) || !strings.HasPrefix(err.Error(), test.moved+" ")):
				t.Errorf("got %v, want %s moved", err, test.moved)
			}
			if test.moved == "" {
				if diff := cmp.Diff(test.different, Different(&table, planned, now)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestHide(t *testing.T) {
	e := &Error{Status: 400, Message: "password hunter22 is weak"}
	planned := table.Object(map[string]cty.Value{"secret": cty.StringVal("hunter22").Mark(schema.Sensitive)})
	if err := Hide(e, planned); strings.Contains(err.Error(), "hunter22") {
		t.Error(err)
	}
}

func TestMovedSets(t *testing.T) {
	set := func(text string) cty.Value {
		if text == "" {
			return cty.SetValEmpty(cty.String)
		}
		var list []cty.Value
		for _, s := range strings.Split(text, " ") {
			list = append(list, cty.StringVal(s))
		}
		return cty.SetVal(list)
	}
	b := schema.Block{Attributes: []schema.Attribute{{Name: "scopes", Type: cty.Set(cty.String)}}}
	for _, test := range []struct {
		live, planned, now string
		moved              bool
	}{
		{"a b", "a c", "a b", false},
		{"a b", "a c", "a", false},     // b is gone already
		{"a b", "a c", "a b c", false}, // c is there already
		{"a b", "a c", "a c", false},
		{"a b", "a c", "a b d", true}, // d is somebody else's
		{"a b", "a c", "b", true},     // so is the loss of a
		{"a", "", "", false},
		{"", "a", "b", true},
	} {
		object := func(text string) cty.Value { return cty.ObjectVal(map[string]cty.Value{"scopes": set(text)}) }
		if err := Moved(&b, object(test.live), object(test.planned), object(test.now)); errors.Is(err, engine.ErrMoved) != test.moved {
			t.Errorf("%q to %q, now %q: %v", test.live, test.planned, test.now, err)
		}
	}
}
