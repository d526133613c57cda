package apim

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"go.yaml.in/yaml/v4"
)

// A tree is a JSON object that keeps its members in order: API definitions are read by people, and the order of their paths is that of operations.
// Members are trees, lists, texts, numbers, truths and null.
type tree struct {
	names  []string
	values map[string]any
}

func (t *tree) get(name string) any {
	if t == nil {
		return nil
	}
	return t.values[name]
}

// object returns a member that is an object, nil when it is none.
func (t *tree) object(name string) *tree {
	o, _ := t.get(name).(*tree)
	return o
}

func (t *tree) text(name string) string {
	s, _ := t.get(name).(string)
	return s
}

func (t *tree) set(name string, v any) {
	if t.values == nil {
		t.values = map[string]any{}
	}
	if _, has := t.values[name]; !has {
		t.names = append(t.names, name)
	}
	t.values[name] = v
}

func (t *tree) remove(name string) {
	if _, has := t.values[name]; has {
		delete(t.values, name)
		t.names = slices.DeleteFunc(t.names, func(n string) bool { return n == name })
	}
}

// copied is a copy of the object itself; its members are shared.
func (t *tree) copied() *tree {
	out := &tree{values: map[string]any{}}
	if t != nil {
		for _, name := range t.names {
			out.set(name, t.values[name])
		}
	}
	return out
}

// treeOf makes an object of names and values.
func treeOf(members ...any) *tree {
	t := &tree{}
	for i := 0; i+1 < len(members); i += 2 {
		name, _ := members[i].(string)
		t.set(name, members[i+1])
	}
	return t
}

// MarshalJSON writes the members in their order.
func (t *tree) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range t.names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(t.values[name])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON keeps the order.
func (t *tree) UnmarshalJSON(text []byte) error {
	v, err := decodeTree(text)
	if err != nil {
		return err
	}
	o, isObject := v.(*tree)
	if !isObject {
		return errors.New("no object")
	}
	*t = *o
	return nil
}

// decodeTree reads one JSON value.
func decodeTree(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := nextValue(d)
	if err == nil && d.More() {
		err = errors.New("more than one value")
	}
	return v, err
}

func nextValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		t := &tree{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := nextValue(d)
			if err != nil {
				return nil, err
			}
			key, _ := name.(string)
			t.set(key, v)
		}
		_, err = d.Token()
		return t, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := nextValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

// parseTree reads a document that is JSON or YAML.
func parseTree(text []byte) (any, error) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		if v, err := decodeTree(trimmed); err == nil {
			return v, nil
		}
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	return fromYAML(&node, 0)
}

// fromYAML turns a node of YAML into a value; depth keeps aliases that hold themselves from running on.
func fromYAML(n *yaml.Node, depth int) (any, error) {
	if depth > 200 {
		return nil, errors.New("nested too deeply")
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return nil, nil
		}
		return fromYAML(n.Content[0], depth+1)
	case yaml.AliasNode:
		return fromYAML(n.Alias, depth+1)
	case yaml.MappingNode:
		t := &tree{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := fromYAML(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			t.set(n.Content[i].Value, v)
		}
		return t, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, e := range n.Content {
			v, err := fromYAML(e, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case int, int64, uint64, float64:
		text, err := json.Marshal(v)
		return json.Number(text), err
	case string, bool, nil:
		return v, nil
	}
	return n.Value, nil // a date, say: as it was written
}
