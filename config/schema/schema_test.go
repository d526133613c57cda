package schema_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

var update = flag.Bool("update", false, "write what the tests see into testdata")

// typ is a type with one of everything.
var typ = &schema.Type{
	Name: "is_user",
	Doc:  "A user of a user store. It signs in.",
	Key:  []string{"name", "user_store"},
	Block: schema.Block{
		Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "ID of the server."},
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Doc: "Unique | in its store."},
			{Name: "user_store", Type: cty.String, Default: cty.StringVal("PRIMARY"), RequiresReplace: true, JSON: "domain"},
			{Name: "password", Type: cty.String, Sensitive: true, WriteOnly: true, Keep: schema.KeepOmit},
			{Name: "status", Type: cty.String, Enum: []string{"ACTIVE", "LOCKED"}},
			{Name: "role_ids", Type: cty.Set(cty.String), Default: cty.SetValEmpty(cty.String)},
			{Name: "attributes", Type: cty.Map(cty.String), PerKey: true},
			{Name: "token", Type: cty.String, ReadOnly: true, Once: true, Sensitive: true, ChangesWith: []string{"password"}},
		},
		Blocks: []schema.NestedBlock{
			{Name: "claim_mapping", Nesting: schema.List, Key: []string{"remote"}, Doc: "A claim.", Block: schema.Block{
				Attributes: []schema.Attribute{
					{Name: "remote", Type: cty.String, Required: true},
					{Name: "local", Type: cty.String, Default: cty.StringVal("none")},
					{Name: "secret", Type: cty.String, Sensitive: true},
					{Name: "index", Type: cty.Number, ReadOnly: true},
				},
			}},
			{Name: "address", Nesting: schema.Single, JSON: "postal", Block: schema.Block{
				Attributes: []schema.Attribute{{Name: "street", Type: cty.String}},
				Blocks: []schema.NestedBlock{{Name: "geo", Nesting: schema.Single, Required: true, Block: schema.Block{
					Attributes: []schema.Attribute{{Name: "lat", Type: cty.Number}},
				}}},
			}},
		},
	},
}

func decode(t *testing.T, src string, spec hcldec.Spec) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	file, diags := hclparse.NewParser().ParseHCL([]byte(src), "x.hcl")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return hcldec.Decode(file.Body, spec, nil)
}

func TestSpecHasTheImpliedType(t *testing.T) {
	for _, src := range []string{
		`name = "ann"`,
		"name = \"ann\"\nclaim_mapping {\n  remote = \"r\"\n}\naddress {\n  geo {}\n}",
	} {
		v, diags := decode(t, src, typ.Spec())
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if want := typ.ImpliedType(); !v.Type().Equals(want) {
			t.Errorf("%s\n%s", src, cmp.Diff(want.GoString(), v.Type().GoString()))
		}
		if filled := typ.Defaults(v); !filled.Type().Equals(v.Type()) {
			t.Errorf("Defaults changed the type to %#v", filled.Type())
		}
	}
	v, diags := decode(t, `name = "ann"`, typ.DataSpec())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if !v.Type().Equals(typ.ImpliedType()) {
		t.Errorf("DataSpec decodes to %#v", v.Type())
	}
}

func TestSpecRefuses(t *testing.T) {
	tests := []struct {
		src  string
		spec hcldec.Spec
		want string
	}{
		{``, typ.Spec(), `The argument "name" is required`},
		{"name = \"a\"\nid = \"x\"", typ.Spec(), `An argument named "id" is not expected here.`},
		{"name = \"a\"\nclaim_mapping {}", typ.Spec(), `The argument "remote" is required`},
		{"name = \"a\"\naddress {}", typ.Spec(), `A block of type "geo" is required here.`},
		{"name = \"a\"\naddress {\n  geo {}\n}\naddress {\n  geo {}\n}", typ.Spec(), `Only one block of type "address" is allowed`},
		{``, typ.DataSpec(), `The argument "name" is required`},
		{"name = \"a\"\nstatus = \"ACTIVE\"", typ.DataSpec(), `An argument named "status" is not expected here.`},
	}
	for _, test := range tests {
		_, diags := decode(t, test.src, test.spec)
		if !diags.HasErrors() || !strings.Contains(diags.Error(), test.want) {
			t.Errorf("%s\n  got  %v\n  want %s", test.src, diags, test.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	v, diags := decode(t, `
name     = "ann"
password = "secret"
claim_mapping {
  remote = "r"
  secret = "x"
}
claim_mapping {
  remote = "s"
  local  = "l"
}`, typ.Spec())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	secret := func(s string) cty.Value { return cty.StringVal(s).Mark(schema.Sensitive) }
	mapping := typ.NestedBlock("claim_mapping")
	want := typ.Object(map[string]cty.Value{
		"name":       cty.StringVal("ann"),
		"user_store": cty.StringVal("PRIMARY"),
		"password":   secret("secret"),
		"role_ids":   cty.SetValEmpty(cty.String),
		"claim_mapping": cty.ListVal([]cty.Value{
			mapping.Object(map[string]cty.Value{
				"remote": cty.StringVal("r"), "local": cty.StringVal("none"), "secret": secret("x"),
			}),
			mapping.Object(map[string]cty.Value{"remote": cty.StringVal("s"), "local": cty.StringVal("l")}),
		}),
	})
	if got := typ.Defaults(v); !got.RawEquals(want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
	// Marking alone fills nothing in.
	marked := typ.MarkSensitive(typ.Object(map[string]cty.Value{"password": cty.StringVal("secret")}))
	if got := marked.GetAttr("user_store"); !got.IsNull() {
		t.Errorf("user_store is %#v", got)
	}
	if got := marked.GetAttr("password"); !got.RawEquals(secret("secret")) {
		t.Errorf("password is %#v", got)
	}
	// Unknowns, nulls and marks of the whole survive.
	for _, v := range []cty.Value{
		cty.UnknownVal(typ.ImpliedType()), cty.NullVal(typ.ImpliedType()), cty.UnknownVal(typ.ImpliedType()).Mark("m"),
	} {
		if got := typ.Defaults(v); !got.RawEquals(v) {
			t.Errorf("%#v became %#v", v, got)
		}
	}
	unknown := typ.Object(map[string]cty.Value{
		"user_store": cty.UnknownVal(cty.String), "password": cty.UnknownVal(cty.String),
		"claim_mapping": cty.UnknownVal(cty.List(mapping.ImpliedType())),
	})
	got := typ.Defaults(unknown)
	if got.GetAttr("user_store").IsKnown() || !got.GetAttr("password").HasMark(schema.Sensitive) {
		t.Errorf("got %#v", got)
	}
}

func TestObjectPanicsOnUnknownNames(t *testing.T) {
	for _, attrs := range []map[string]cty.Value{{"nmae": cty.StringVal("x")}, {"attributes": cty.StringVal("x")}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v: no panic", attrs)
				}
			}()
			typ.Object(attrs)
		}()
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"name": "name", "token_endpoint": "tokenEndpoint", "a_1b": "a1b", "x_509_key": "x509Key", "": "",
	} {
		if got := schema.CamelCase(name); got != want {
			t.Errorf("CamelCase(%q) is %q, want %q", name, got, want)
		}
	}
	if got := typ.Attribute("user_store").JSONName(); got != "domain" {
		t.Errorf("user_store travels as %q", got)
	}
	if got := typ.Attribute("role_ids").JSONName(); got != "roleIds" {
		t.Errorf("role_ids travels as %q", got)
	}
	if got := typ.NestedBlock("address").JSONName(); got != "postal" {
		t.Errorf("address travels as %q", got)
	}
	if got := typ.NestedBlock("claim_mapping").JSONName(); got != "claimMapping" {
		t.Errorf("claim_mapping travels as %q", got)
	}
	if typ.Attribute("nothing") != nil || typ.NestedBlock("nothing") != nil {
		t.Error("a name that does not exist is found")
	}
	for name, want := range map[string]string{"apim_key_manager": "apim", "is_user": "is", "x": "x"} {
		if got := schema.Provider(name); got != want {
			t.Errorf("the provider of %q is %q, want %q", name, got, want)
		}
	}
}

func TestPathString(t *testing.T) {
	tests := map[string]cty.Path{
		``:                               nil,
		`roles`:                          cty.GetAttrPath("roles"),
		`claim_mapping["http://x"].name`: cty.GetAttrPath("claim_mapping").IndexString("http://x").GetAttr("name"),
		`phones[2].kind`:                 cty.GetAttrPath("phones").IndexInt(2).GetAttr("kind"),
	}
	for want, path := range tests {
		if got := schema.PathString(path); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestNormal(t *testing.T) {
	a := &schema.Attribute{Name: "mail", Type: cty.String, Normalize: func(v cty.Value) cty.Value {
		return cty.StringVal(strings.ToLower(v.AsString()))
	}}
	tests := []struct{ in, want cty.Value }{
		{cty.StringVal("A@X"), cty.StringVal("a@x")},
		{cty.StringVal("A@X").Mark(schema.Sensitive), cty.StringVal("a@x").Mark(schema.Sensitive)},
		{cty.NullVal(cty.String), cty.NullVal(cty.String)},
		{cty.UnknownVal(cty.String), cty.UnknownVal(cty.String)},
	}
	for _, test := range tests {
		if got := a.Normal(test.in); !got.RawEquals(test.want) {
			t.Errorf("%#v becomes %#v, want %#v", test.in, got, test.want)
		}
	}
	plain := &schema.Attribute{Name: "x", Type: cty.String}
	if v := cty.StringVal("A"); !plain.Normal(v).RawEquals(v) {
		t.Error("without Normalize the value changes")
	}
}

func TestSet(t *testing.T) {
	set := schema.NewSet()
	set.Add(typ)
	set.Add(&schema.Type{Name: "is_discovery", DataOnly: true})
	set.Add(&schema.Type{Name: "is_keyless"})
	for name, want := range map[string][2]bool{
		"is_user": {true, true}, "is_discovery": {false, true}, "is_keyless": {true, false},
	} {
		got := [2]bool{set.Resources[name] != nil, set.Data[name] != nil}
		if got != want {
			t.Errorf("%s is a resource, a data source: %v, want %v", name, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := typ.Validate(); err != nil {
		t.Fatal(err)
	}
	one := func(a schema.Attribute) *schema.Type {
		if a.Name == "" {
			a.Name = "x"
		}
		if a.Type == cty.NilType {
			a.Type = cty.String
		}
		return &schema.Type{Name: "is_user", Block: schema.Block{Attributes: []schema.Attribute{a}}}
	}
	keyed := func(key string, attributes ...schema.Attribute) *schema.Type {
		return &schema.Type{Name: "is_user", Key: []string{key}, Block: schema.Block{Attributes: attributes}}
	}
	nested := func(n schema.NestedBlock) *schema.Type {
		return &schema.Type{Name: "is_user", Block: schema.Block{Blocks: []schema.NestedBlock{n}}}
	}
	x := cty.StringVal("x")
	tests := []struct {
		t    *schema.Type
		want string
	}{
		{&schema.Type{Name: "user"}, "PROVIDER_NOUN"},
		{&schema.Type{Name: "is_User"}, "PROVIDER_NOUN"},
		{keyed("name"), `Key names "name", which is no attribute`},
		{keyed("name", schema.Attribute{Name: "name", Type: cty.String, Sensitive: true}), "which is sensitive"},
		{keyed("name", schema.Attribute{Name: "name", Type: cty.List(cty.String)}), "no string, number or bool"},
		{keyed("name", schema.Attribute{Name: "name", Type: cty.String, ReadOnly: true}), "cannot be configured"},
		{&schema.Type{Name: "is_x", DataOnly: true, Key: []string{"a"}}, "only read"},
		{one(schema.Attribute{Name: "count"}), "means the same in every block"},
		{one(schema.Attribute{Name: "Name"}), "lower case"},
		{&schema.Type{Name: "is_x", Block: schema.Block{Attributes: []schema.Attribute{{Name: "a"}}}}, "Type is missing"},
		{one(schema.Attribute{Required: true, ReadOnly: true}), "Required excludes ReadOnly"},
		{one(schema.Attribute{Required: true, Default: x}), "Required excludes Default"},
		{one(schema.Attribute{ReadOnly: true, Default: x}), "ReadOnly excludes Default"},
		{one(schema.Attribute{ReadOnly: true, Enum: []string{"x"}}), "ReadOnly excludes Enum"},
		{one(schema.Attribute{ReadOnly: true, WriteOnly: true, Sensitive: true}), "ReadOnly excludes WriteOnly"},
		{one(schema.Attribute{ReadOnly: true, RequiresReplace: true}), "ReadOnly excludes RequiresReplace"},
		{one(schema.Attribute{ReadOnly: true, Validate: func(cty.Value) error { return errors.New("") }}), "ReadOnly excludes Validate"},
		{one(schema.Attribute{WriteOnly: true}), "WriteOnly needs Sensitive"},
		{one(schema.Attribute{Keep: schema.KeepMask}), "Keep needs WriteOnly"},
		{one(schema.Attribute{Once: true}), "Once needs ReadOnly"},
		{one(schema.Attribute{ChangesWith: []string{"x"}}), "ChangesWith needs ReadOnly"},
		{one(schema.Attribute{ReadOnly: true, ChangesWith: []string{"y"}}), `ChangesWith names "y"`},
		{one(schema.Attribute{ReadOnly: true, ChangesWith: []string{"x"}}), "the attribute itself"},
		{one(schema.Attribute{PerKey: true}), "PerKey needs a map type"},
		{one(schema.Attribute{Type: cty.Number, Enum: []string{"x"}}), "Enum needs a string"},
		{one(schema.Attribute{Type: cty.Number, Default: x}), "Default does not fit Type"},
		{one(schema.Attribute{Default: cty.NullVal(cty.String)}), "Default must be known"},
		{one(schema.Attribute{Default: x.Mark(schema.Sensitive)}), "Default must be known"},
		{one(schema.Attribute{Default: x, Enum: []string{"y"}}), "Default is not in Enum"},
		{&schema.Type{Name: "is_x", Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "a", Type: cty.String}, {Name: "a", Type: cty.String},
		}}}, "taken twice"},
		{&schema.Type{Name: "is_x", Block: schema.Block{
			Attributes: []schema.Attribute{{Name: "a", Type: cty.String}}, Blocks: []schema.NestedBlock{{Name: "a"}},
		}}, "taken twice"},
		{nested(schema.NestedBlock{Name: "A"}), "lower case"},
		{nested(schema.NestedBlock{Name: "lifecycle"}), "means the same in every block"},
		{nested(schema.NestedBlock{Name: "a", Key: []string{"k"}}), "Key needs Nesting List"},
		{nested(schema.NestedBlock{Name: "a", Nesting: schema.List, Key: []string{"k"}}), `Key names "k"`},
		{nested(schema.NestedBlock{Name: "a", Nesting: schema.List, Key: []string{"k"}, Block: schema.Block{
			Attributes: []schema.Attribute{{Name: "k", Type: cty.String, ReadOnly: true}},
		}}), "sensitive or set by the server"},
		{nested(schema.NestedBlock{Name: "a", Block: schema.Block{
			Attributes: []schema.Attribute{{Name: "k", Type: cty.String, Once: true}},
		}}), "is_user.a.k: Once needs ReadOnly"},
	}
	for _, test := range tests {
		err := test.t.Validate()
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	block := schema.Block{Attributes: []schema.Attribute{{Name: "x", Type: cty.String, Once: true}}}
	if err := block.Validate(); err == nil || !strings.Contains(err.Error(), "provider.x: Once needs ReadOnly") {
		t.Errorf("got %v", err)
	}
}

func TestWriteDocs(t *testing.T) {
	var b strings.Builder
	err := schema.WriteDocs(&b, schema.Docs{
		Provider: "is", Title: "WSO2 Identity Server", Doc: "What is configured over SCIM2.",
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "endpoint", Type: cty.String, Doc: "URL of the server."},
				{Name: "timeout", Type: cty.Number, Default: cty.NumberIntVal(30), Doc: "Seconds."},
			},
			Blocks: []schema.NestedBlock{{Name: "oauth2", Block: schema.Block{
				Attributes: []schema.Attribute{{Name: "client_id", Type: cty.String}},
			}}},
		},
		Types: []*schema.Type{typ, {
			Name: "is_discovery", Doc: "The discovery document.", DataOnly: true,
			Block: schema.Block{Attributes: []schema.Attribute{{Name: "issuer", Type: cty.String, ReadOnly: true}}},
		}, {
			Name: "is_keyless", Doc: "No key.",
			Block: schema.Block{Attributes: []schema.Attribute{
				{Name: "shape", Type: cty.List(cty.Object(map[string]cty.Type{"b": cty.Bool, "a": cty.DynamicPseudoType}))},
				{Name: "of", Type: cty.String, Required: true, Parent: true},
			}},
		}},
		Env: map[string][]string{"endpoint": {"IS_ENDPOINT", "IS_URL"}},
		Example: func(t *schema.Type) string {
			if t.Name == "is_user" {
				return "resource \"is_user\" \"ann\" {\nname=\"ann\"\n}\n"
			}
			return ""
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/docs.md"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := schema.WriteDocs(broken{}, schema.Docs{Title: "x"}); err == nil {
		t.Error("an error of the writer is lost")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }
