package render

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// Secrets returns every text of at least four bytes that stands under a mark in values, longest
// first, for Scrub: strings, and numbers of six digits and more.
func Secrets(values ...cty.Value) []string {
	seen := map[string]bool{}
	for _, v := range values {
		eachMarked(v, false, func(s string, isString bool) {
			if len(s) >= shortest && (isString || len(s) >= 6) {
				seen[s] = true
			}
		})
	}
	out := make([]string, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return out
}

// PlanSecrets returns the secrets that a plan holds, for Scrub: what is marked in it, and what its
// schemas call sensitive or write-only. A text that is also the key of an object, such as the
// password "admin" of user admin, is left out: it is shown anyway, and would hide that name
// wherever it stands.
func PlanSecrets(p *engine.Plan) []string {
	keys := map[string]bool{}
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Type == nil {
			continue
		}
		for _, name := range c.Type.Key {
			values := []cty.Value{c.After, c.Before}
			if c.AsLive {
				values = values[:1]
			}
			for _, v := range values {
				if s, ok := text(bare(attribute(v, name, cty.String))); ok {
					keys[s] = true
				}
			}
		}
	}
	return slices.DeleteFunc(planSecrets(p), func(s string) bool { return keys[s] })
}

// bare returns v if it may be shown, cty.NilVal otherwise.
func bare(v cty.Value) cty.Value {
	if v == cty.NilVal || marked(v) || !v.IsKnown() {
		return cty.NilVal
	}
	return v
}

func planSecrets(p *engine.Plan) []string {
	var values []cty.Value
	add := func(v cty.Value, secret bool) {
		if v == cty.NilVal {
			return
		}
		if secret {
			v = v.Mark(schema.Sensitive)
		}
		if marked(v) {
			values = append(values, v)
		}
	}
	hidden := map[*schema.Block]*secretBlock{}
	for i := range p.Changes {
		c := &p.Changes[i]
		switch {
		case c.Type == nil:
			add(c.Before, false)
			add(c.After, false)
		case c.AsLive:
			secretsOf(&c.Type.Block, hidden).add(c.After, add)
		default:
			addSecrets(&c.Type.Block, c.Before, add)
			addSecrets(&c.Type.Block, c.After, add)
		}
		for j := range c.Paths {
			p := &c.Paths[j]
			if c.Type != nil {
				a, block := placeAt(&c.Type.Block, p.Path)
				if block != nil {
					addSecrets(block, inside(block, p.Before), add)
					addSecrets(block, inside(block, p.After), add)
					continue
				}
				if a != nil && secretText(a) != "" {
					add(p.Before, true)
					add(p.After, true)
					continue
				}
			}
			add(p.Before, false)
			add(p.After, false)
		}
	}
	for i := range p.Outputs {
		add(p.Outputs[i].Before, p.Outputs[i].Sensitive)
		add(p.Outputs[i].After, p.Outputs[i].Sensitive)
	}
	return Secrets(values...)
}

// A secretBlock lists what a block's schema calls secret; nil where it is nothing.
type secretBlock struct {
	attributes []*schema.Attribute
	blocks     map[string]*secretBlock
}

func secretsOf(b *schema.Block, known map[*schema.Block]*secretBlock) *secretBlock {
	if s, ok := known[b]; ok {
		return s
	}
	s := &secretBlock{blocks: map[string]*secretBlock{}}
	for i := range b.Attributes {
		if a := &b.Attributes[i]; secretText(a) != "" {
			s.attributes = append(s.attributes, a)
		}
	}
	for i := range b.Blocks {
		if inner := secretsOf(&b.Blocks[i].Block, known); inner != nil {
			s.blocks[b.Blocks[i].Name] = inner
		}
	}
	if len(s.attributes) == 0 && len(s.blocks) == 0 {
		s = nil
	}
	known[b] = s
	return s
}

// add calls f for each of the secrets in v, an object, or a list of them.
func (s *secretBlock) add(v cty.Value, f func(v cty.Value, secret bool)) {
	switch {
	case s == nil || absent(v):
		return
	case v.IsMarked() || !v.IsKnown():
		f(v, false)
		return
	case !v.Type().IsObjectType():
		for it := v.ElementIterator(); it.Next(); {
			_, elem := it.Element()
			s.add(elem, f)
		}
		return
	}
	for _, a := range s.attributes {
		f(attribute(v, a.Name, a.Type), true)
	}
	for name, inner := range s.blocks {
		inner.add(attribute(v, name, cty.DynamicPseudoType), f)
	}
}

// addSecrets calls add for each attribute of an object and of its nested blocks.
func addSecrets(b *schema.Block, v cty.Value, add func(v cty.Value, secret bool)) {
	if absent(v) {
		return
	}
	if v.IsMarked() || !v.IsKnown() || !v.Type().IsObjectType() {
		add(v, false)
		return
	}
	for i := range b.Attributes {
		a := &b.Attributes[i]
		add(attribute(v, a.Name, a.Type), secretText(a) != "")
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		x := attribute(v, n.Name, cty.DynamicPseudoType)
		switch {
		case x == cty.NilVal:
		case x.IsMarked() || !x.IsKnown() || n.Nesting == schema.Single:
			addSecrets(&n.Block, x, add)
		default:
			for it := x.ElementIterator(); it.Next(); {
				_, elem := it.Element()
				addSecrets(&n.Block, elem, add)
			}
		}
	}
}
