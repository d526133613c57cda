package is

import (
	"context"
	"fmt"
	"net/http"
	"sort"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

const (
	usersPath  = "/scim2/Users"
	groupsPath = "/scim2/Groups"
	rolesPath  = "/scim2/v2/Roles"

	coreUserURN   = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	systemURN     = "urn:scim:wso2:schema"
	customURN     = "urn:scim:schemas:extension:custom:User"
	patchURN      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

	scimJSON = "application/scim+json"

	primaryStore = "PRIMARY"
)

// operation is one of a SCIM PATCH.
type operation struct {
	Op    string `json:"op"` // add, replace, remove
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// patch sends operations to the object with that id.
func patch(ctx context.Context, c *rest.Collection, id string, ops []operation, planned cty.Value) (*rest.Response, error) {
	res, err := c.Client.Do(ctx, rest.Request{
		Method: http.MethodPatch, Path: c.URL(id), ContentType: scimJSON,
		Body: map[string]any{"schemas": []string{patchURN}, "Operations": ops},
	})
	if err != nil {
		return nil, rest.Hide(err, planned)
	}
	return res, nil
}

// quote writes a string as a value of a SCIM filter.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// storeAttribute is the user store of a user or group; it is part of the key.
func storeAttribute(what string) schema.Attribute {
	return schema.Attribute{
		Name: "user_store", Type: cty.String, RequiresReplace: true, Default: cty.StringVal(primaryStore),
		Doc:       "User store that holds the " + what + "; `PRIMARY` by default.",
		Normalize: upper,
		Validate: func(v cty.Value) error {
			if v.AsString() == "" || strings.Contains(v.AsString(), "/") {
				return fmt.Errorf("%q is not the name of a user store, such as PRIMARY", v.AsString())
			}
			return nil
		},
	}
}

// plainName refuses a name that holds its user store.
func plainName(v cty.Value) error {
	name := v.AsString()
	switch store, rest, found := strings.Cut(name, "/"); {
	case name == "":
		return fmt.Errorf("the name is empty")
	case found:
		return fmt.Errorf("%q holds a user store; write user_store = %q and the name %q", name, store, rest)
	}
	return nil
}

func upper(v cty.Value) cty.Value { return cty.StringVal(strings.ToUpper(v.AsString())) }

// lower is the normal form of names that the server compares without regard to case: with user
// stores in a database, "Ann" and "ann" are one user, so a spelling is no reason to replace it.
func lower(v cty.Value) cty.Value { return cty.StringVal(strings.ToLower(v.AsString())) }

// splitStore takes the user store off the front of a name: PRIMARY when there is none.
func splitStore(name string) (store, plain string) {
	if store, plain, found := strings.Cut(name, "/"); found {
		return strings.ToUpper(store), plain
	}
	return primaryStore, name
}

// joinStore puts a secondary user store before a name. The primary one is left out, as the server
// does when it answers.
func joinStore(store, plain string) string {
	if store == "" || strings.EqualFold(store, primaryStore) {
		return plain
	}
	return strings.ToUpper(store) + "/" + plain
}

// values returns the "value" members of a list of references, as SCIM shows members and roles.
func values(list any) []any {
	refs, _ := list.([]any)
	out := make([]any, 0, len(refs))
	for _, r := range refs {
		if m, ok := r.(map[string]any); ok && m["value"] != nil {
			out = append(out, m["value"])
		}
	}
	return out
}

// references turns ids into what SCIM takes for members.
func references(ids any) []any {
	list, _ := ids.([]any)
	out := make([]any, 0, len(list))
	for _, id := range list {
		out = append(out, map[string]any{"value": id})
	}
	return out
}

// delta returns the strings of a set that are to be added to and removed from what there is now,
// sorted. A planned null changes nothing.
func delta(now, planned cty.Value, name string) (add, remove []string) {
	want := planned.GetAttr(name)
	if want.IsNull() || !want.IsWhollyKnown() {
		return nil, nil
	}
	have := map[string]bool{}
	for _, s := range stringsOf(now.GetAttr(name)) {
		have[s] = true
	}
	for _, s := range stringsOf(want) {
		if !have[s] {
			add = append(add, s)
		}
		delete(have, s)
	}
	for s := range have {
		remove = append(remove, s)
	}
	sort.Strings(remove)
	return add, remove
}

// stringsOf returns the strings of a set or list, in its order.
func stringsOf(v cty.Value) []string {
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	out := make([]string, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, x := it.Element()
		out = append(out, x.AsString())
	}
	return out
}

// stringOf returns a string attribute, "" for a null.
func stringOf(v cty.Value, name string) string {
	x := v.GetAttr(name)
	if x.IsNull() || !x.IsKnown() {
		return ""
	}
	return x.AsString()
}

// kept returns an error that names the attributes which the server did not keep as they were sent.
// Identity Server takes attributes that no claim is mapped to and drops them without a word
// (is-behaviour 3); without this the plan would show them for ever.
func kept(t *schema.Type, planned cty.Value, got *engine.Object) error {
	dropped := rest.Different(&t.Block, planned, got.Value)
	if len(dropped) == 0 {
		return nil
	}
	return fmt.Errorf("the server did not keep %s: check that it has a claim for each that is mapped to the user store, "+
		"that the feature behind it is switched on, and that the value is one it takes; or leave it out", strings.Join(dropped, ", "))
}
