package render

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
	"wso2plan/engine"
)

// The schema and the plan that every golden is made of.

var userType = &schema.Type{
	Name: "is_user", Key: []string{"user_name"},
	Block: schema.Block{
		Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true},
			{Name: "user_name", Type: cty.String, Required: true, RequiresReplace: true},
			{Name: "password", Type: cty.String, Sensitive: true, WriteOnly: true},
			{Name: "given_name", Type: cty.String},
			{Name: "email", Type: cty.String},
			{Name: "active", Type: cty.Bool},
			{Name: "roles", Type: cty.Set(cty.String)},
			{Name: "claims", Type: cty.Map(cty.String), PerKey: true},
			{Name: "note", Type: cty.String},
			{Name: "modified_at", Type: cty.String, ReadOnly: true},
		},
	},
}

var keyManagerType = &schema.Type{
	Name: "apim_key_manager", Key: []string{"name"},
	Block: schema.Block{
		Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true},
			{Name: "name", Type: cty.String, Required: true, RequiresReplace: true},
			{Name: "type", Type: cty.String, Required: true, RequiresReplace: true},
			{Name: "enabled", Type: cty.Bool},
			{Name: "token_endpoint", Type: cty.String},
			{Name: "grant_types", Type: cty.List(cty.String)},
			{Name: "additional_properties", Type: cty.String},
			{Name: "connector_secrets", Type: cty.Map(cty.String), WriteOnly: true, PerKey: true},
			{Name: "certificate", Type: cty.String},
		},
		Blocks: []schema.NestedBlock{
			{Name: "claim_mapping", Nesting: schema.List, Key: []string{"remote"}, Block: schema.Block{
				Attributes: []schema.Attribute{
					{Name: "remote", Type: cty.String, Required: true},
					{Name: "local", Type: cty.String, Required: true},
				}}},
			{Name: "endpoint", Nesting: schema.List, Block: schema.Block{
				Attributes: []schema.Attribute{
					{Name: "name", Type: cty.String, Required: true},
					{Name: "url", Type: cty.String, Required: true},
				}}},
			{Name: "token_validation", Nesting: schema.Single, Block: schema.Block{
				Attributes: []schema.Attribute{
					{Name: "enable", Type: cty.Bool},
					{Name: "value", Type: cty.String, Sensitive: true},
				}}},
		},
	},
}

type attrs = map[string]cty.Value

var (
	str  = cty.StringVal
	null = cty.NullVal(cty.DynamicPseudoType)
)

func secret(s string) cty.Value { return cty.StringVal(s).Mark(schema.Sensitive) }

func unknown(t cty.Type) cty.Value { return cty.UnknownVal(t) }

func strs(list ...string) []cty.Value {
	out := make([]cty.Value, len(list))
	for i, s := range list {
		out[i] = cty.StringVal(s)
	}
	return out
}

// with returns base with some attributes replaced.
func with(base attrs, changes attrs) attrs {
	out := attrs{}
	for name, v := range base {
		out[name] = v
	}
	for name, v := range changes {
		out[name] = v
	}
	return out
}

func user(a attrs) cty.Value       { return userType.MarkSensitive(userType.Object(a)) }
func keyManager(a attrs) cty.Value { return keyManagerType.MarkSensitive(keyManagerType.Object(a)) }

func at(line int) hcl.Range {
	return hcl.Range{Filename: "main.hcl", Start: hcl.Pos{Line: line, Column: 1, Byte: line * 40}, End: hcl.Pos{Line: line, Column: 20, Byte: line*40 + 19}}
}

func address(s string) config.Address {
	a, err := config.ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

func path(steps ...string) cty.Path {
	p := cty.GetAttrPath(steps[0])
	for _, s := range steps[1:] {
		if s[0] == '.' {
			p = p.GetAttr(s[1:])
		} else {
			p = p.IndexString(s)
		}
	}
	return p
}

// samplePlan returns a plan in which everything occurs that a plan can say.
func samplePlan() *engine.Plan {
	bob := attrs{"id": str("0d5c6f2e"), "user_name": str("bob"), "given_name": str("Bob"), "email": str("bob@example.com"),
		"active": cty.True, "roles": cty.SetVal(strs("admin", "publisher")), "modified_at": str("2024-05-01T10:00:00Z")}
	is7 := attrs{"id": str("7a41"), "name": str("is7"), "type": str("WSO2-IS"), "enabled": cty.True,
		"token_endpoint":        str("https://is.example.com:9443/oauth2/token"),
		"grant_types":           cty.ListVal(strs("authorization_code", "client_credentials", "password", "refresh_token", "implicit")),
		"additional_properties": str(`{"self_validate_jwt": true, "scopes": ["a", "b"]}`),
		"certificate":           str("-----BEGIN CERTIFICATE-----\nMIIB1\nMIIB2\nMIIB3\nMIIB4\nMIIB5\nMIIB6\nMIIB7\nMIIB8\n-----END CERTIFICATE-----\n"),
		"claim_mapping": cty.ListVal([]cty.Value{
			cty.ObjectVal(attrs{"remote": str("sub"), "local": str("http://wso2.org/claims/username")}),
			cty.ObjectVal(attrs{"remote": str("groups"), "local": str("http://wso2.org/claims/groups")}),
			cty.ObjectVal(attrs{"remote": str("mail"), "local": str("http://wso2.org/claims/emailaddress")}),
		}),
		"endpoint": cty.ListVal([]cty.Value{
			cty.ObjectVal(attrs{"name": str("introspect"), "url": str("https://is.example.com:9443/oauth2/introspect")}),
			cty.ObjectVal(attrs{"name": str("revoke"), "url": str("https://is.example.com:9443/oauth2/revoke")}),
		}),
	}
	is7New := with(is7, attrs{
		"id": unknown(cty.String), "type": str("WSO2-IS-7"),
		"grant_types":           cty.ListVal(strs("authorization_code", "client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange")),
		"additional_properties": str(`{"self_validate_jwt":false,"scopes":["a","b"],"new":null}`),
		"certificate":           str("-----BEGIN CERTIFICATE-----\nMIIB1\nMIIB2\nMIIB3\nMIIB4\nMIIB5\nMIIC6\nMIIB7\nMIIB8\n-----END CERTIFICATE-----\n"),
		"connector_secrets":     cty.MapVal(attrs{"client_secret": secret("s3cr3t-connector")}),
		"claim_mapping": cty.ListVal([]cty.Value{
			cty.ObjectVal(attrs{"remote": str("mail"), "local": str("http://wso2.org/claims/email")}),
			cty.ObjectVal(attrs{"remote": str("sub"), "local": str("http://wso2.org/claims/username")}),
			cty.ObjectVal(attrs{"remote": str("roles"), "local": str("http://wso2.org/claims/role")}),
		}),
		"token_validation": cty.ObjectVal(attrs{"enable": cty.True, "value": str("s3cr3t-validation")}),
	})
	carl := with(bob, attrs{"id": str("c4"), "user_name": str("carl"), "given_name": str("Carl"), "email": str("carl@evil.example"),
		"note": str("first line\nsecond line\nthird line"), "claims": cty.MapVal(attrs{"country": str("NL"), "dept": str("sales")})})
	carlNew := with(carl, attrs{"email": str("carl@example.com"), "active": cty.False, "roles": cty.SetVal(strs("admin", "creator")),
		"password": secret("s3cr3t-carl"), "note": str("first line\nsecond line, edited\nthird line"),
		"claims":      cty.MapVal(attrs{"country": str("BE"), "dept": str("sales"), "phone number": secret("s3cr3t-phone")}),
		"modified_at": unknown(cty.String)})

	p := &engine.Plan{Objects: 60, Unknown: []config.Address{address("is_role.auditor"), address("is_user.zoe")}}
	add := func(addr string, c engine.Change) {
		c.Address = address(addr)
		if c.Type == nil {
			c.Type = userType
		}
		if c.Before == cty.NilVal {
			c.Before = cty.NullVal(c.Type.ImpliedType())
		}
		if c.After == cty.NilVal {
			c.After = cty.NullVal(c.Type.ImpliedType())
		}
		c.Range = at(len(p.Changes) + 1)
		p.Changes = append(p.Changes, c)
	}

	add("apim_key_manager.is7", engine.Change{Type: keyManagerType, Action: engine.Replace, ID: "7a41", Before: keyManager(is7), After: keyManager(is7New),
		Reason:      "type cannot be changed in place",
		Consequence: "Applications that hold keys of this key manager must generate new ones.",
		Blockers:    []string{`application "web" of admin`, `application "mobile" of admin`},
		Paths: []engine.PathChange{
			{Path: path("type"), Before: str("WSO2-IS"), After: str("WSO2-IS-7"), Replaces: true},
			{Path: path("grant_types"), Kind: engine.Drift, Before: is7["grant_types"], After: is7New["grant_types"]},
			{Path: path("additional_properties"), Before: is7["additional_properties"], After: is7New["additional_properties"]},
			{Path: path("certificate"), Before: is7["certificate"], After: is7New["certificate"]},
			{Path: path("connector_secrets", "client_secret"), Kind: engine.Secret, Before: cty.NullVal(cty.String), After: secret("s3cr3t-connector")},
			{Path: path("claim_mapping", "mail", ".local"), Kind: engine.Drift, Before: str("http://wso2.org/claims/emailaddress"), After: str("http://wso2.org/claims/email")},
			{Path: path("claim_mapping", "roles"), Kind: engine.NewlyManaged, Before: null, After: is7New["claim_mapping"].Index(cty.NumberIntVal(2))},
		}})
	add("apim_key_manager.other", engine.Change{Type: keyManagerType, Action: engine.Replace, CreateFirst: true, ID: "7a42",
		Before: keyManager(attrs{"id": str("7a42"), "name": str("other"), "type": str("Okta")}),
		After:  keyManager(attrs{"id": unknown(cty.String), "name": str("okta"), "type": str("Okta"), "claim_mapping": unknown(keyManagerType.ImpliedType().AttributeType("claim_mapping"))}),
		Reason: "name cannot be changed in place",
		Paths:  []engine.PathChange{{Path: path("name"), Before: str("other"), After: str("okta"), Replaces: true}}})
	add("apim_key_manager.resident", engine.Change{Type: keyManagerType, Action: engine.Update, Imported: true, Adopted: true, ID: "7a00",
		Before: keyManager(attrs{"id": str("7a00"), "name": str("Resident Key Manager"), "type": str("default"), "enabled": cty.True}),
		After:  keyManager(attrs{"id": str("7a00"), "name": str("Resident Key Manager"), "type": str("default"), "enabled": cty.False}),
		Paths:  []engine.PathChange{{Path: path("enabled"), Kind: engine.NewlyManaged, Before: cty.True, After: cty.False}}})
	add("apim_key_manager.system", engine.Change{Type: keyManagerType, Action: engine.Delete, Release: true, Adopted: true, ID: "7a01",
		Reason: "it is no longer in the configuration",
		Before: keyManager(attrs{"id": str("7a01"), "name": str("system"), "enabled": cty.False}),
		Paths:  []engine.PathChange{{Path: path("enabled"), Before: cty.False, After: cty.True}}})

	ann := attrs{"id": unknown(cty.String), "user_name": str("ann"), "password": str("s3cr3t-ann"), "given_name": str("Ann"), "email": str("ann@example.com"),
		"active": cty.True, "roles": cty.SetVal(strs("admin")), "note": secret("s3cr3t-note"), "modified_at": unknown(cty.String),
		"claims": cty.MapVal(attrs{"country": str("NL"), "phone number": secret("s3cr3t-phone")})}
	add("is_user.ann", engine.Change{Action: engine.Create, After: user(ann)})
	add("is_user.bob", engine.Change{Action: engine.Delete, ID: "0d5c6f2e", Before: user(bob), Reason: "because is_user.bob is not in configuration", Deposed: []string{"0d5c0000"}})
	add("is_user.carl", engine.Change{Action: engine.Update, ID: "c4", Before: user(carl), After: user(carlNew), Incomplete: true, Paths: []engine.PathChange{
		{Path: path("password"), Kind: engine.Secret, Before: cty.NullVal(cty.String), After: secret("s3cr3t-carl")},
		{Path: path("given_name"), Kind: engine.Unmanaged, Before: str("Carl"), After: str("Carl")},
		{Path: path("email"), Kind: engine.Drift, Before: str("carl@evil.example"), After: str("carl@example.com")},
		{Path: path("active"), Kind: engine.Both, Before: cty.True, After: cty.False},
		{Path: path("roles"), Before: carl["roles"], After: carlNew["roles"]},
		{Path: path("claims", "country"), Kind: engine.Drift, Before: str("NL"), After: str("BE")},
		{Path: path("claims", "phone number"), Kind: engine.NewlyManaged, Before: cty.NullVal(cty.String), After: secret("s3cr3t-phone")},
		{Path: path("note"), Before: carl["note"], After: carlNew["note"]},
		{Path: path("modified_at"), Kind: engine.Consequent, Before: carl["modified_at"], After: unknown(cty.String)},
	}})
	dora := with(bob, attrs{"id": str("d4"), "user_name": str("dora"), "given_name": str("Dora"), "email": str("dora@example.com")})
	add("is_user.dora", engine.Change{Action: engine.Import, Imported: true, ID: "d4", Before: user(dora), After: user(dora),
		Paths: []engine.PathChange{{Path: path("password"), Kind: engine.Uncompared, Before: cty.NullVal(cty.String), After: secret("s3cr3t-dora")}}})
	add("is_user.eve", engine.Change{Action: engine.Move, From: address("is_user.eva"), ID: "e5", Before: user(with(bob, attrs{"user_name": str("eve")})), After: user(with(bob, attrs{"user_name": str("eve")}))})
	add("is_user.frank", engine.Change{Action: engine.Update, From: address("is_user.francis"), ID: "f6",
		Before: user(with(bob, attrs{"id": str("f6"), "user_name": str("frank")})), After: user(with(bob, attrs{"id": str("f6"), "user_name": str("frank"), "given_name": str("Frank")})),
		Paths: []engine.PathChange{{Path: path("given_name"), Before: str("Bob"), After: str("Frank")},
			{Path: path("password"), Kind: engine.Uncompared, Before: cty.NullVal(cty.String), After: secret("s3cr3t-frank")}}})
	add("is_user.gone", engine.Change{Action: engine.Forget, ID: "9"})
	for i := range 30 {
		name := fmt.Sprintf("u%02d", i)
		old := with(bob, attrs{"id": str("id-" + name), "user_name": str(name), "email": str(name + "@old.example.com")})
		c := engine.Change{Action: engine.Update, ID: "id-" + name, Before: user(old), After: user(with(old, attrs{"email": str(name + "@example.com")})),
			Paths: []engine.PathChange{{Path: path("email"), Before: old["email"], After: str(name + "@example.com")}}}
		switch {
		case i%10 == 9:
			c.Action, c.After, c.Paths = engine.None, c.Before, []engine.PathChange{
				{Path: path("password"), Kind: engine.Uncompared, Before: cty.NullVal(cty.String), After: secret("s3cr3t-people")}}
		case i%10 == 7:
			c.Action, c.ID, c.Before, c.Paths = engine.Create, "", cty.NilVal, nil
		case i%10 > 4:
			c.Paths[0].Kind = engine.Drift
			c.Consequence = "The user must log in again."
		}
		add(fmt.Sprintf("is_user.people[%q]", name), c)
	}
	add("is_user.quiet", engine.Change{Action: engine.None, ID: "q", Before: user(bob), After: user(bob),
		Paths: []engine.PathChange{{Path: path("email"), Kind: engine.Unmanaged, Before: str("bob@example.com"), After: str("bob@example.com")}}})
	add("is_user.unchanged", engine.Change{Action: engine.None, ID: "u", Before: user(bob), After: user(bob)})
	add("data.is_user.later", engine.Change{Action: engine.Read, After: cty.UnknownVal(userType.ImpliedType())})

	p.Outputs = []engine.OutputChange{
		{Name: "client_secret", Before: secret("s3cr3t-old"), After: secret("s3cr3t-new"), Sensitive: true},
		{Name: "count", Before: cty.NumberIntVal(1), After: cty.NumberIntVal(2)},
		{Name: "endpoints", Before: null, After: cty.ObjectVal(attrs{"token": str("https://is.example.com/oauth2/token"), "key id": unknown(cty.String), "none": cty.NullVal(cty.String)})},
		{Name: "removed", Before: cty.TupleVal(strs("a", "b")), After: null},
		{Name: "script", Before: str("a\nb\n"), After: str("a\nc\n")},
		{Name: "unchanged_output_of_long_name", Before: str("x"), After: str("x")},
		{Name: "users", Before: cty.SetVal(strs("bob", "carl")), After: unknown(cty.Set(cty.String))},
	}
	return p
}
