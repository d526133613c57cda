package config

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// DecodeWritten is Decode for a comparison with what is live: attributes and blocks that the body
// does not write may be absent from the object, and stand for null and for none. It looks at what
// the body writes alone, a handful of attributes where the type may have fifty, and so is much
// cheaper. What is wrong is Decode's to say.
func (e *Evaluator) DecodeWritten(b *Block, i Instance) (cty.Value, hcl.Diagnostics) {
	if b.constant != cty.NilVal {
		return b.constant, nil
	}
	if body := b.plain(); body != nil {
		ctx, diags := e.instanceContext(b, i)
		if v, ok := b.decodePlain(body, ctx); ok && len(diags) == 0 {
			return v, nil
		}
	}
	return e.Decode(b, i)
}

// plain returns the body of a resource block in the native syntax without dynamic blocks; nil for
// others, of which it cannot be told what they write.
func (b *Block) plain() *hclsyntax.Body {
	if b.dynamic || b.Address.Mode == Data {
		return nil
	}
	body, _ := b.Body.(*hclsyntax.Body)
	return body
}

// partial reports whether DecodeWritten leaves out what the body does not write: not where the type
// has a Check, which looks at everything.
func (b *Block) partial() bool { return b.Type.Check == nil && b.plain() != nil }

// decodePlain decodes a plain body; false where something is wrong with it.
func (b *Block) decodePlain(body *hclsyntax.Body, ctx *hcl.EvalContext) (cty.Value, bool) {
	s := b.spec
	s.partial = b.partial()
	v, ok := s.form.decode(body, s.base, ctx, resourceSchema)
	if !ok {
		return cty.NilVal, false
	}
	c := checker{body: b.sorted, spec: s}
	c.block(s.block, v, nil)
	if len(c.diags) > 0 || b.Type.Check != nil && len(b.Type.Check(v)) > 0 {
		return cty.NilVal, false
	}
	return v, true
}

// decode decodes a body over blank, the values of what it does not write, as the decoder does; false
// where that finds something wrong. meta is what is not the body's own.
func (f *form) decode(body *hclsyntax.Body, blank map[string]cty.Value, ctx *hcl.EvalContext, meta *hcl.BodySchema) (cty.Value, bool) {
	values := maps.Clone(blank)
	for name, written := range body.Attributes {
		if slices.ContainsFunc(meta.Attributes, func(m hcl.AttributeSchema) bool { return m.Name == name }) {
			continue
		}
		a := f.attributes[name]
		if a == nil || a.ReadOnly {
			return cty.NilVal, false
		}
		v, diags := written.Expr.Value(ctx)
		if len(diags) > 0 {
			return cty.NilVal, false
		}
		v, err := a.FromWritten(v)
		if err != nil {
			return cty.NilVal, false
		}
		values[name] = v
	}
	lists := map[string][]cty.Value{}
	for _, b := range body.Blocks {
		if slices.ContainsFunc(meta.Blocks, func(m hcl.BlockHeaderSchema) bool { return m.Type == b.Type }) {
			continue
		}
		inner := f.blocks[b.Type]
		if inner == nil || len(b.Labels) > 0 {
			return cty.NilVal, false
		}
		v, ok := inner.decode(b.Body, inner.blank, ctx, &hcl.BodySchema{})
		if !ok {
			return cty.NilVal, false
		}
		lists[b.Type] = append(lists[b.Type], v)
	}
	for name, list := range lists {
		switch inner := f.blocks[name]; {
		case inner.list && !inner.varies:
			values[name] = cty.ListVal(list)
		case !inner.list && len(list) == 1:
			values[name] = list[0]
		default:
			return cty.NilVal, false
		}
	}
	for _, name := range f.required {
		if _, ok := values[name]; !ok {
			return cty.NilVal, false
		}
	}
	return cty.ObjectVal(values), true
}
