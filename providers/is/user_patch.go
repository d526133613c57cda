package is

import (
	"sort"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/providers/rest"
)

// userOperations returns the PATCH operations that bring a user from now to planned, in the order
// of the table. Both are unmarked. A planned null changes nothing.
func userOperations(b *schema.Block, now, planned cty.Value) []operation {
	var ops []operation
	typed := map[string]int{}
	for i, l := range typedLists {
		typed[l.attribute] = i
	}
	managerDone := false
	for i := range b.Attributes {
		a := &b.Attributes[i]
		want, have := planned.GetAttr(a.Name), now.GetAttr(a.Name)
		if a.ReadOnly || a.Name == "user_name" || a.Name == "user_store" || want.IsNull() || !want.IsWhollyKnown() {
			continue
		}
		if !a.WriteOnly && rest.Equal(a, want, have) {
			continue
		}
		switch at, isTyped := typed[a.Name]; {
		case isTyped:
			l := typedLists[at]
			ops = append(ops, typedOperations(l.json, l.value, stringMap(have), stringMap(want))...)
		case a.Name == "attributes":
			ops = append(ops, keyOperations(customURN, stringMap(have), want)...)
		case a.Name == "system_attributes":
			ops = append(ops, keyOperations(systemURN, stringMap(have), want)...)
		case strings.HasPrefix(a.Name, "manager_"):
			if !managerDone {
				ops = append(ops, managerOperations(now, planned)...)
				managerDone = true
			}
		default:
			ops = append(ops, simpleOperation(scimPath(a.JSONName()), have, want))
		}
	}
	return ops
}

// scimPath turns a JSON name of the table into a SCIM path: "name/givenName" into
// "name.givenName", a schema's URN and an attribute into "URN:attribute".
func scimPath(name string) string {
	first, rest, deeper := strings.Cut(name, "/")
	switch {
	case !deeper:
		return first
	case strings.HasPrefix(first, "urn:"):
		return first + ":" + rest
	default:
		return first + "." + rest
	}
}

// simpleOperation sets a path, or removes it when the wanted string is empty.
func simpleOperation(path string, have, want cty.Value) operation {
	if want.Type() == cty.String && want.AsString() == "" && !have.IsNull() {
		return operation{Op: "remove", Path: path}
	}
	return operation{Op: "replace", Path: path, Value: rest.EncodeValue(want)}
}

// typedOperations changes a list of typed values, each by itself. A list with an element without a
// type is replaced as a whole: no filter can name that element, and charon, the server's protocol
// library, drops it when another one is removed by a filter (seen on charon 4.0.36).
func typedOperations(path, member string, have, want map[string]string) []operation {
	if len(want) == 0 {
		return []operation{{Op: "remove", Path: path}}
	}
	if want[""] != "" || have[""] != "" {
		list := make([]any, 0, len(want))
		for _, kind := range sortedKeys(want) {
			if want[kind] != "" {
				list = append(list, typedElement(kind, member, want[kind]))
			}
		}
		return []operation{{Op: "replace", Path: path, Value: list}}
	}
	var ops []operation
	for _, kind := range sortedKeys(have) {
		if want[kind] == "" {
			ops = append(ops, operation{Op: "remove", Path: path + "[type eq " + quote(kind) + "]"})
		}
	}
	var added []any
	for _, kind := range sortedKeys(want) {
		switch {
		case want[kind] == have[kind] || want[kind] == "":
		case have[kind] == "":
			added = append(added, typedElement(kind, member, want[kind]))
		default:
			ops = append(ops, operation{Op: "replace", Path: path + "[type eq " + quote(kind) + "]." + member, Value: want[kind]})
		}
	}
	if len(added) > 0 {
		ops = append(ops, operation{Op: "add", Path: path, Value: added})
	}
	return ops
}

// keyOperations sets single members of an extension schema. A null or empty string removes one.
func keyOperations(urn string, have map[string]string, want cty.Value) []operation {
	var ops []operation
	for it := want.ElementIterator(); it.Next(); {
		k, v := it.Element()
		key := k.AsString()
		old, exists := have[key]
		switch {
		case v.IsNull() || v.AsString() == "":
			if exists {
				ops = append(ops, operation{Op: "remove", Path: urn + ":" + key})
			}
		case !exists || old != v.AsString():
			ops = append(ops, operation{Op: "replace", Path: urn + ":" + key, Value: v.AsString()})
		}
	}
	return ops
}

// managerOperations sets both members of the manager at once: a path as deep as
// URN:manager.value is answered with noTarget (is-behaviour 3).
func managerOperations(now, planned cty.Value) []operation {
	value := map[string]any{}
	for _, m := range []struct{ attribute, json string }{{"manager_id", "value"}, {"manager_display_name", "displayName"}} {
		v := planned.GetAttr(m.attribute)
		if v.IsNull() || !v.IsKnown() {
			v = now.GetAttr(m.attribute)
		}
		if !v.IsNull() && v.AsString() != "" {
			value[m.json] = v.AsString()
		}
	}
	path := enterpriseURN + ":manager"
	ops := []operation{{Op: "remove", Path: path}}
	if stringOf(now, "manager_id") == "" && stringOf(now, "manager_display_name") == "" {
		ops = nil // nothing to remove
	}
	if len(value) > 0 {
		// A replace keeps members that it does not name, so what is to go was removed before.
		ops = append(ops, operation{Op: "replace", Path: path, Value: value})
	}
	return ops
}

func stringMap(v cty.Value) map[string]string {
	out := map[string]string{}
	if v.IsNull() || !v.IsKnown() {
		return out
	}
	for it := v.ElementIterator(); it.Next(); {
		k, x := it.Element()
		if !x.IsNull() {
			out[k.AsString()] = x.AsString()
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
