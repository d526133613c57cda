package config

import (
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A writtenSpec decodes of a block what its body writes, what is required or has a default, and the
// key: a handful of attributes, where the type may have fifty.
type writtenSpec struct {
	once sync.Once
	spec spec
	body *sortedBody
	ok   bool
}

// written returns the narrow decoder of b, or false where the whole type must be decoded: what a
// body of the JSON syntax or with dynamic blocks writes cannot be told, and the Check of a type
// looks at everything.
func (b *Block) written() (spec, *sortedBody, bool) {
	w := &b.narrow
	w.once.Do(func() {
		names, ok := writtenNames(b.Body)
		if !ok || b.dynamic || b.Type.Check != nil || b.spec.data != nil || b.Type.DataOnly {
			return
		}
		decoder := hcldec.ObjectSpec{}
		add := func(name string) {
			if s, ok := b.spec.decoder[name]; ok {
				decoder[name] = s
			}
		}
		for i := range b.Type.Attributes {
			if a := &b.Type.Attributes[i]; a.Required || a.HasDefault() {
				add(a.Name)
			}
		}
		for i := range b.Type.Blocks {
			if n := &b.Type.Blocks[i]; n.Required {
				add(n.Name)
			}
		}
		for _, name := range b.Type.Key {
			add(name)
		}
		for _, name := range names {
			add(name)
		}
		w.spec, w.body, w.ok = b.spec, &sortedBody{Body: b.Body}, true
		w.spec.decoder, w.spec.partial = decoder, true
	})
	return w.spec, w.body, w.ok
}

// writtenNames returns the names of the attributes and blocks in a body of the native syntax.
func writtenNames(body hcl.Body) ([]string, bool) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return nil, false
	}
	names := make([]string, 0, len(native.Attributes)+len(native.Blocks))
	for name := range native.Attributes {
		names = append(names, name)
	}
	for _, inner := range native.Blocks {
		names = append(names, inner.Type)
	}
	return names, true
}

// DecodeWritten is Decode for a comparison with what is live: attributes and blocks that the body
// does not write may be absent from the object, and stand for null and for none. It is much
// cheaper than Decode where a type has many attributes.
func (e *Evaluator) DecodeWritten(b *Block, i Instance) (cty.Value, hcl.Diagnostics) {
	if b.constant != cty.NilVal {
		return b.constant, nil
	}
	s, body, ok := b.written()
	if !ok {
		return e.Decode(b, i)
	}
	ctx, diags := e.instanceContext(b, i)
	return decode(body, s, false, ctx, nil, diags)
}
