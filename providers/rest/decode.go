package rest

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// Decode turns an object as the API returns it into a value of the block's type, by the tables.
//
// An attribute is found by its JSONName, in which "/" goes down into nested objects
// ("name/givenName"); "-" is not read at all. A member that is absent or null gives a null, except
// for lists, sets and maps, which are empty. WriteOnly attributes are always null: a server's mask
// is never taken for a value. Numbers must be json.Number, so that none loses precision; APIs that
// write numbers and booleans as strings, or the other way round, are understood. An empty list or
// map of the API in place of a nested block is the same as none.
func Decode(b *schema.Block, raw map[string]any) (cty.Value, error) {
	return decode(b, raw, false)
}

// decode is Decode; with blank, strings that may be configured are "" rather than null, in nested
// blocks too.
func decode(b *schema.Block, raw map[string]any, blank bool) (cty.Value, error) {
	attrs := make(map[string]cty.Value, len(b.Attributes)+len(b.Blocks))
	for i := range b.Attributes {
		a := &b.Attributes[i]
		name := a.JSONName()
		if a.WriteOnly || name == "-" {
			attrs[a.Name] = cty.NullVal(a.Type)
			continue
		}
		v, err := decodeValue(a.Type, member(raw, name))
		if err != nil {
			return cty.NilVal, fmt.Errorf("%s: %w", a.Name, err)
		}
		if blank && a.Type == cty.String && !a.ReadOnly && v.IsNull() {
			v = cty.StringVal("")
		}
		attrs[a.Name] = v
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		v, err := decodeBlocks(n, member(raw, n.JSONName()), blank)
		if err != nil {
			return cty.NilVal, fmt.Errorf("%s: %w", n.Name, err)
		}
		switch {
		case v != cty.NilVal:
		case n.Nesting == schema.Single:
			v = cty.NullVal(n.Block.ImpliedType())
		default:
			v = cty.ListValEmpty(n.Block.ImpliedType())
		}
		attrs[n.Name] = v
	}
	return cty.ObjectVal(attrs), nil
}

func decodeBlocks(n *schema.NestedBlock, raw any, blank bool) (cty.Value, error) {
	if n.JSONName() == "-" {
		return cty.NilVal, nil
	}
	if n.Nesting == schema.Single {
		switch raw := raw.(type) {
		case nil:
			return cty.NilVal, nil
		case map[string]any:
			return decode(&n.Block, raw, blank)
		}
		return cty.NilVal, unexpected("an object", raw)
	}
	var list []any
	switch raw := raw.(type) {
	case nil:
		return cty.NilVal, nil
	case []any:
		list = raw
	default:
		return cty.NilVal, unexpected("a list", raw)
	}
	elems := make([]cty.Value, 0, len(list))
	for i, x := range list {
		m, ok := x.(map[string]any)
		if !ok {
			return cty.NilVal, fmt.Errorf("element %d: %w", i, unexpected("an object", x))
		}
		v, err := decode(&n.Block, m, blank)
		if err != nil {
			return cty.NilVal, fmt.Errorf("element %d: %w", i, err)
		}
		elems = append(elems, v)
	}
	if len(elems) == 0 {
		return cty.NilVal, nil
	}
	return cty.ListVal(elems), nil
}

// member returns what raw holds at a JSON name, going down at each "/"; nil when there is nothing.
func member(raw map[string]any, name string) any {
	for {
		first, rest, deeper := strings.Cut(name, "/")
		v := raw[first]
		if !deeper {
			return v
		}
		next, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		raw, name = next, rest
	}
}

// setMember puts v where member finds it, making the objects on the way.
func setMember(raw map[string]any, name string, v any) {
	for {
		first, rest, deeper := strings.Cut(name, "/")
		if !deeper {
			raw[first] = v
			return
		}
		next, ok := raw[first].(map[string]any)
		if !ok {
			next = map[string]any{}
			raw[first] = next
		}
		raw, name = next, rest
	}
}

// dropMember removes what member finds.
func dropMember(raw map[string]any, name string) {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		next, ok := member(raw, name[:i]).(map[string]any)
		if !ok {
			return
		}
		raw, name = next, name[i+1:]
	}
	delete(raw, name)
}

func decodeValue(t cty.Type, raw any) (cty.Value, error) {
	switch {
	case t == cty.DynamicPseudoType:
		return decodeAny(raw)
	case t.IsListType() || t.IsSetType():
		return decodeList(t, raw)
	case t.IsMapType():
		return decodeMap(t, raw)
	case raw == nil:
		return cty.NullVal(t), nil
	case t.IsObjectType():
		m, ok := raw.(map[string]any)
		if !ok {
			return cty.NilVal, unexpected("an object", raw)
		}
		attrs := map[string]cty.Value{}
		for name, at := range t.AttributeTypes() {
			v, err := decodeValue(at, m[schema.CamelCase(name)])
			if err != nil {
				return cty.NilVal, fmt.Errorf("%s: %w", name, err)
			}
			attrs[name] = v
		}
		return cty.ObjectVal(attrs), nil
	case t == cty.String:
		switch raw := raw.(type) {
		case string:
			return cty.StringVal(raw), nil
		case json.Number:
			return cty.StringVal(raw.String()), nil
		case bool:
			return cty.StringVal(fmt.Sprint(raw)), nil
		}
		return cty.NilVal, unexpected("a string", raw)
	case t == cty.Number:
		var text string
		switch raw := raw.(type) {
		case json.Number:
			text = raw.String()
		case string:
			if raw == "" {
				return cty.NullVal(t), nil
			}
			text = raw
		default:
			return cty.NilVal, unexpected("a number", raw)
		}
		v, err := cty.ParseNumberVal(text)
		if err != nil {
			return cty.NilVal, unexpected("a number", raw)
		}
		return v, nil
	case t == cty.Bool:
		switch raw := raw.(type) {
		case bool:
			return cty.BoolVal(raw), nil
		case string: // SCIM writes booleans of extension schemas as strings
			switch strings.ToLower(raw) {
			case "true":
				return cty.True, nil
			case "false":
				return cty.False, nil
			case "":
				return cty.NullVal(t), nil
			}
		}
		return cty.NilVal, unexpected("true or false", raw)
	}
	return cty.NilVal, fmt.Errorf("the tables hold a type that no API has: %s", t.FriendlyName())
}

func decodeList(t cty.Type, raw any) (cty.Value, error) {
	et := t.ElementType()
	var list []any
	switch raw := raw.(type) {
	case nil:
	case []any:
		list = raw
	default:
		return cty.NilVal, unexpected("a list", raw)
	}
	elems := make([]cty.Value, 0, len(list))
	for i, x := range list {
		if x == nil {
			continue
		}
		v, err := decodeValue(et, x)
		if err != nil {
			return cty.NilVal, fmt.Errorf("element %d: %w", i, err)
		}
		elems = append(elems, v)
	}
	switch {
	case t.IsSetType() && len(elems) == 0:
		return cty.SetValEmpty(et), nil
	case t.IsSetType():
		return cty.SetVal(elems), nil
	case len(elems) == 0:
		return cty.ListValEmpty(et), nil
	}
	return cty.ListVal(elems), nil
}

func decodeMap(t cty.Type, raw any) (cty.Value, error) {
	et := t.ElementType()
	elems := map[string]cty.Value{}
	switch raw := raw.(type) {
	case nil:
	case map[string]any:
		for key, x := range raw {
			if x == nil {
				continue
			}
			if et == cty.String {
				// A map of strings also holds what the API keeps as lists or objects, as JSON.
				switch x.(type) {
				case []any, map[string]any:
					text, err := json.Marshal(x)
					if err != nil {
						return cty.NilVal, fmt.Errorf("key %q: %w", key, err)
					}
					elems[key] = cty.StringVal(string(text))
					continue
				}
			}
			v, err := decodeValue(et, x)
			if err != nil {
				return cty.NilVal, fmt.Errorf("key %q: %w", key, err)
			}
			elems[key] = v
		}
	default:
		return cty.NilVal, unexpected("an object", raw)
	}
	if len(elems) == 0 {
		return cty.MapValEmpty(et), nil
	}
	return cty.MapVal(elems), nil
}

// decodeAny decodes JSON of any shape: objects and tuples.
func decodeAny(raw any) (cty.Value, error) {
	switch raw := raw.(type) {
	case nil:
		return cty.NullVal(cty.DynamicPseudoType), nil
	case string:
		return cty.StringVal(raw), nil
	case bool:
		return cty.BoolVal(raw), nil
	case json.Number:
		return cty.ParseNumberVal(raw.String())
	case []any:
		elems := make([]cty.Value, len(raw))
		for i, x := range raw {
			v, err := decodeAny(x)
			if err != nil {
				return cty.NilVal, err
			}
			elems[i] = v
		}
		return cty.TupleVal(elems), nil
	case map[string]any:
		attrs := make(map[string]cty.Value, len(raw))
		keys := make([]string, 0, len(raw))
		for key := range raw {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			v, err := decodeAny(raw[key])
			if err != nil {
				return cty.NilVal, err
			}
			attrs[key] = v
		}
		return cty.ObjectVal(attrs), nil
	}
	return cty.NilVal, unexpected("JSON", raw)
}

// unexpected names the kind of what the server sent and not the value, which may be a secret.
func unexpected(want string, got any) error {
	kind := fmt.Sprintf("%T", got)
	switch got.(type) {
	case nil:
		kind = "null"
	case string:
		kind = "a string"
	case bool:
		kind = "true or false"
	case json.Number:
		kind = "a number"
	case []any:
		kind = "a list"
	case map[string]any:
		kind = "an object"
	}
	if kind == want {
		return fmt.Errorf("the server sent %s that cannot be read as one", want)
	}
	return fmt.Errorf("the server sent %s where %s was expected", kind, want)
}
