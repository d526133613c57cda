package config

import (
	"maps"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A writtenSpec decodes of a block what its body writes: a handful of attributes, where the type
// may have fifty, and so in nested blocks.
type writtenSpec struct {
	once sync.Once
	spec spec
	body *sortedBody
	ok   bool
}

// written returns the narrow decoder of b, or false where the whole type must be decoded, since
// what a body of the JSON syntax or with dynamic blocks writes cannot be told. What it decodes is
// partial, unless the type has a Check, which looks at everything.
func (b *Block) written() (spec, *sortedBody, bool) {
	w := &b.narrow
	w.once.Do(func() {
		body, native := b.Body.(*hclsyntax.Body)
		if !native || b.dynamic || b.spec.data != nil || b.Type.DataOnly {
			return
		}
		w.spec, w.body, w.ok = b.spec, &sortedBody{Body: body}, true
		w.spec.partial = b.Type.Check == nil
		decoder := b.spec.form.blank
		if w.spec.partial {
			decoder = b.needed()
		}
		w.spec.decoder = b.spec.form.narrow(decoder, body)
	})
	return w.spec, w.body, w.ok
}

// needed returns the decoder of what a partial object has even if its body does not write it: the
// key, what is required and what has a default.
func (b *Block) needed() hcldec.ObjectSpec {
	decoder := hcldec.ObjectSpec{}
	for i := range b.Type.Attributes {
		if a := &b.Type.Attributes[i]; a.Required || a.HasDefault() {
			decoder[a.Name] = b.spec.decoder[a.Name]
		}
	}
	for i := range b.Type.Blocks {
		if n := &b.Type.Blocks[i]; n.Required {
			decoder[n.Name] = b.spec.decoder[n.Name]
		}
	}
	for _, name := range b.Type.Key {
		decoder[name] = b.spec.decoder[name]
	}
	return decoder
}

// narrow returns decoder with all that bodies write, and in nested blocks that alone: what they do
// not write was decoded once for all.
func (f *form) narrow(decoder hcldec.ObjectSpec, bodies ...*hclsyntax.Body) hcldec.ObjectSpec {
	decoder = maps.Clone(decoder)
	inner := map[string][]*hclsyntax.Body{}
	for _, body := range bodies {
		for name := range body.Attributes {
			if s, ok := f.decoder[name]; ok {
				decoder[name] = s
			}
		}
		for _, b := range body.Blocks {
			inner[b.Type] = append(inner[b.Type], b.Body)
		}
	}
	for name, bodies := range inner {
		switch s := f.decoder[name].(type) {
		case *hcldec.BlockSpec:
			n := *s
			n.Nested = f.blocks[name].narrow(f.blocks[name].blank, bodies...)
			decoder[name] = &n
		case *hcldec.BlockListSpec:
			n := *s
			n.Nested = f.blocks[name].narrow(f.blocks[name].blank, bodies...)
			decoder[name] = &n
		}
	}
	return decoder
}

// DecodeWritten is Decode for a comparison with what is live: attributes and blocks that the body
// does not write may be absent from the object, and stand for null and for none. It is much
// cheaper than Decode where a type has many attributes. What is wrong is Decode's to say.
func (e *Evaluator) DecodeWritten(b *Block, i Instance) (cty.Value, hcl.Diagnostics) {
	if b.constant != cty.NilVal {
		return b.constant, nil
	}
	if s, body, ok := b.written(); ok {
		ctx, diags := e.instanceContext(b, i)
		if v, diags := decode(body, s, false, ctx, b.Type, diags); !diags.HasErrors() {
			return v, diags
		}
	}
	return e.Decode(b, i)
}
