package is

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

func scopes(resources engine.Type, names ...string) cty.Value {
	var sets []map[string]cty.Value
	for _, n := range names {
		sets = append(sets, map[string]cty.Value{"name": str(n)})
	}
	if len(sets) == 0 {
		return cty.ListValEmpty(resources.Schema().NestedBlock("scope").ImpliedType())
	}
	return blocks(&resources.Schema().Block, []string{"scope"}, sets...)
}

// Scopes change one by one, and roles keep those that stay.
func TestScopesOneByOne(t *testing.T) {
	s := serve(t, nil)
	resources, roles := s.typ("is_api_resource"), s.typ("is_role")
	o := s.create(resources, map[string]cty.Value{"identifier": str("pay"), "name": str("Pay"), "scope": scopes(resources, "pay:read", "pay:write", "pay:void")})
	role := s.create(roles, map[string]cty.Value{"display_name": str("payer"), "permissions": strs("pay:read", "pay:write", "pay:void")})
	path := "/api/server/v1/api-resources/" + o.ID

	list := o.Value.GetAttr("scope").AsValueSlice()
	planned := cty.ListVal([]cty.Value{
		inner(list[2], map[string]cty.Value{"description": str("d")}), inner(list[0], nil),
		block(&resources.Schema().Block, map[string]cty.Value{"name": str("pay:refund"), "display_name": str("Refund")}, "scope"),
	})
	o, wrote := s.update(resources, o, over(o, map[string]cty.Value{"scope": planned, "name": str("Payments")}))
	if d := cmp.Diff([]string{
		"PATCH " + path + ` {"addedScopes":[{"displayName":"Refund","name":"pay:refund"}],"name":"Payments"}`,
		"PATCH " + path + `/scopes/pay:void {"description":"d"}`,
		"DELETE " + path + "/scopes/pay:write ",
	}, wrote); d != "" {
		t.Error(d)
	}
	if role, err := roles.Read(t.Context(), role.ID); err != nil || !role.Value.GetAttr("permissions").RawEquals(strs("pay:read", "pay:void")) {
		t.Errorf("%v %v", role, err)
	}
	if o, wrote = s.update(resources, o, over(o, nil)); len(wrote) != 0 {
		t.Error(wrote)
	}
	// Types of authorization details are made again to change.
	b := &resources.Schema().Block
	details := func(name string) cty.Value {
		return blocks(b, []string{"authorization_details_type"}, map[string]cty.Value{"type": str("t"), "name": str(name), "schema": str(`{"type": "object"}`)})
	}
	o, wrote = s.update(resources, o, over(o, map[string]cty.Value{"authorization_details_type": details("one")}))
	if want := "PATCH " + path + ` {"addedAuthorizationDetailsTypes":[{"description":"","name":"one","schema":{"type":"object"},"type":"t"}]}`; len(wrote) != 1 || wrote[0] != want {
		t.Error(wrote)
	}
	o, wrote = s.update(resources, o, over(o, map[string]cty.Value{"authorization_details_type": details("two")}))
	if len(wrote) != 2 || !strings.Contains(wrote[0], `{"removedAuthorizationDetailsTypes":["t"]}`) {
		t.Error(wrote)
	}
	o, wrote = s.update(resources, o, over(o, map[string]cty.Value{"authorization_details_type": cty.ListValEmpty(b.NestedBlock("authorization_details_type").ImpliedType())}))
	if len(wrote) != 1 || o.Value.GetAttr("authorization_details_type").LengthInt() != 0 {
		t.Error(wrote)
	}

	c := resources.(apiResource)
	if got := c.Consequence(engine.Update, o.Value, over(o, map[string]cty.Value{"scope": scopes(resources, "pay:read")})); !strings.Contains(got, "pay:void, pay:refund") {
		t.Error(got)
	}
	if got := c.Consequence(engine.Create, cty.NullVal(cty.DynamicPseudoType), o.Value); got != "" {
		t.Error(got)
	}
	if got := c.Consequence(engine.Delete, o.Value, cty.NullVal(cty.DynamicPseudoType)); !strings.Contains(got, `"pay"`) {
		t.Error(got)
	}
	// Another resource cannot have a scope of this one.
	_, err := resources.Create(t.Context(), wanted(resources, map[string]cty.Value{"identifier": str("other"), "name": str("x"), "scope": scopes(resources, "pay:read")}))
	var conflict interface{ Conflict() bool }
	if !errors.As(err, &conflict) || !conflict.Conflict() {
		t.Error(err)
	}
}

// A step that fails after others leaves the object as it is then.
func TestScopesInPart(t *testing.T) {
	fail := false
	s := serveFaulty(t, func(r *http.Request) int {
		if fail && r.Method == http.MethodDelete {
			return 403
		}
		return 0
	})
	resources := s.typ("is_api_resource")
	o := s.create(resources, map[string]cty.Value{"identifier": str("pay"), "name": str("Pay"), "scope": scopes(resources, "pay:read")})
	fail = true
	planned := over(o, map[string]cty.Value{"scope": scopes(resources, "pay:write"), "description": str("d")})
	got, err := resources.Update(t.Context(), o, planned)
	if err == nil || got == nil || got.Value.GetAttr("scope").LengthInt() != 2 || got.Value.GetAttr("description").AsString() != "d" {
		t.Fatalf("%v %v", got, err)
	}
	fail = false
	got, wrote := s.update(resources, got, over(got, map[string]cty.Value{"scope": cty.ListVal(got.Value.GetAttr("scope").AsValueSlice()[1:])}))
	if len(wrote) != 1 || got.Value.GetAttr("scope").LengthInt() != 1 {
		t.Error(wrote)
	}
}

// API resources are found on any page, whatever is in their identifier; the server's own are not
// changed.
func TestFindAPIResource(t *testing.T) {
	s := serve(t, nil)
	resources, ctx := s.typ("is_api_resource"), t.Context()
	for i := range 130 {
		s.create(resources, map[string]cty.Value{"identifier": str(fmt.Sprintf("r %03d and type eq x", i)), "name": str("x")})
	}
	reads := s.reads
	key := func(identifier string) cty.Value {
		return wanted(resources, map[string]cty.Value{"identifier": str(identifier)})
	}
	o, err := resources.Find(ctx, key("r 129 and type eq x"))
	if err != nil || o.Value.GetAttr("identifier").AsString() != "r 129 and type eq x" || s.reads-reads != 3 {
		t.Errorf("%v %v after %d reads", o, err, s.reads-reads)
	}
	if _, err := resources.Find(ctx, key("r 200")); !errors.Is(err, engine.ErrNotFound) {
		t.Error(err)
	}
	own, err := resources.Find(ctx, key("/scim2/Users"))
	if err != nil || !own.System {
		t.Fatalf("%v %v", own, err)
	}
	n := s.writes()
	if _, err := resources.Update(ctx, own, over(own, map[string]cty.Value{"name": str("x")})); !engine.Refused(err) {
		t.Error(err)
	}
	if err := resources.Delete(ctx, own); !engine.Refused(err) {
		t.Error(err)
	}
	if s.writes() != n {
		t.Error(s.written(n))
	}
	if err := resources.Delete(ctx, o); err != nil {
		t.Error(err)
	}
	if _, err := resources.Find(ctx, key("r 129 and type eq x")); !errors.Is(err, engine.ErrNotFound) {
		t.Error(err)
	}
}

func TestCheckAPIResource(t *testing.T) {
	for value, ok := range map[string]bool{"pay:read": true, "": false, "a b": false, "internal_x": false, "openid": false} {
		if err := scopeName(str(value)); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
	typ := apiResourceType()
	problems := typ.Check(typ.Object(map[string]cty.Value{"scope": blocks(&typ.Block, []string{"scope"}, map[string]cty.Value{"name": str("a")}, map[string]cty.Value{"name": str("a")})}))
	if len(problems) != 1 || problems[0].Summary != "Duplicate scope" {
		t.Errorf("%+v", problems)
	}
	if a, b := canonicalJSON(str(`{"b": 1, "a": [ ]}`)), canonicalJSON(str(`{"a":[],"b":1}`)); !a.RawEquals(b) {
		t.Errorf("%#v %#v", a, b)
	}
	if got := canonicalJSON(str("{")); got.AsString() != "{" {
		t.Error(got)
	}
	if jsonObject(str("[]")) == nil || jsonObject(str("{}")) != nil || lengthIn(3, 4)(str("ab")) == nil || notBlank(str(" ")) == nil {
		t.Error("validation")
	}
}
