package render

import (
	"strconv"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// A trail leads from an object, step by step, to what the plan says of the paths below it. A nil
// trail says nothing.
type trail struct {
	change *engine.PathChange
	kids   map[string]*trail
}

func newTrail(paths []engine.PathChange) *trail {
	if len(paths) == 0 {
		return nil
	}
	root := &trail{}
	for i := range paths {
		at := root
		for _, step := range paths[i].Path {
			name := stepName(step)
			next := at.kids[name]
			if next == nil {
				next = &trail{}
				if at.kids == nil {
					at.kids = map[string]*trail{}
				}
				at.kids[name] = next
			}
			at = next
		}
		at.change = &paths[i]
	}
	return root
}

func stepName(step cty.PathStep) string {
	switch step := step.(type) {
	case cty.GetAttrStep:
		return step.Name
	case cty.IndexStep:
		if step.Key.Type() == cty.Number {
			return "#" + step.Key.AsBigFloat().Text('f', -1)
		}
		return keyText(step.Key)
	}
	return ""
}

func (t *trail) kid(name string) *trail {
	if t == nil {
		return nil
	}
	return t.kids[name]
}

// element returns the trail of a list element by its position after or before; -1 is none.
func (t *trail) element(before, after int) *trail {
	if t == nil {
		return nil
	}
	if k := t.kids["#"+strconv.Itoa(after)]; k != nil {
		return k
	}
	return t.kids["#"+strconv.Itoa(before)]
}

// masked reports whether the plan holds a secret at this very path.
func (t *trail) masked() bool {
	return t != nil && t.change != nil && (marked(t.change.Before) || marked(t.change.After))
}

// said returns the path change that a row without children speaks of.
func (t *trail) said() *engine.PathChange {
	if t == nil {
		return nil
	}
	if t.change != nil {
		return t.change
	}
	for _, name := range sortedKeys(t.kids) {
		if c := t.kids[name].said(); c != nil {
			return c
		}
	}
	return nil
}

// blockKey returns the text by which the engine's paths name an element of a keyed list block: the
// values of its key attributes, in their normal form, joined by spaces. It is not ok while one is
// unknown.
func blockKey(n *schema.NestedBlock, elem cty.Value) (string, bool) {
	elem, _ = elem.Unmark()
	if elem.IsNull() || !elem.IsKnown() {
		return "", false
	}
	key := ""
	for i, name := range n.Key {
		v, _ := elem.GetAttr(name).UnmarkDeep()
		if !v.IsWhollyKnown() {
			return "", false
		}
		if a := n.Attribute(name); a != nil {
			v = a.Normal(v)
		}
		if i > 0 {
			key += " "
		}
		key += keyText(v)
	}
	return key, true
}

// placeAt returns what path leads to in a block: an attribute, or something inside its value; or a
// nested block type, which is wrapped in a block of its own for looking at a value by itself. Both
// are nil when path leads nowhere.
func placeAt(b *schema.Block, path cty.Path) (*schema.Attribute, *schema.Block) {
	for i, step := range path {
		step, ok := step.(cty.GetAttrStep)
		if !ok {
			continue
		}
		if a := b.Attribute(step.Name); a != nil {
			return a, nil
		}
		n := b.NestedBlock(step.Name)
		if n == nil {
			return nil, nil
		}
		if rest := len(path) - 1 - i; rest == 0 || rest == 1 && n.Nesting == schema.List {
			alone := *n
			if rest == 1 {
				alone.Nesting = schema.Single // one element
			}
			return nil, &schema.Block{Blocks: []schema.NestedBlock{alone}}
		}
		b = &n.Block
	}
	return nil, nil
}

// inside returns an object of a block that placeAt made, with v in it.
func inside(b *schema.Block, v cty.Value) cty.Value {
	if v == cty.NilVal {
		v = cty.NullVal(cty.DynamicPseudoType)
	}
	return cty.ObjectVal(map[string]cty.Value{b.Blocks[0].Name: v})
}
