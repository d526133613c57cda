package config

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// A specKey names what a block of a type and mode may hold.
type specKey struct {
	t    *schema.Type
	mode Mode
}

// A spec is a schema made ready to decode bodies.
type spec struct {
	decoder hcldec.ObjectSpec
	form    *form
	block   *schema.Block
	data    *schema.Type // of a data block whose type is not DataOnly: only its key is configured
	partial bool         // the decoder leaves out what a body does not write
}

// A form says which names a body may hold.
type form struct {
	schema   *hcl.BodySchema // all attributes, read-only ones too, and blocks, dynamic ones too
	names    []string        // the attributes that may be configured
	readOnly map[string]bool
	blocks   map[string]*form

	decoder hcldec.ObjectSpec // nil for the form of a key
	blank   hcldec.ObjectSpec // the decoder, where what is not required is as in a body that lacks it
}

// specOf returns the spec of b, one for all blocks of a type and mode.
func (l *loader) specOf(b *Block) spec {
	key := specKey{b.Type, b.Address.Mode}
	s, ok := l.c.specs[key]
	if ok {
		return s
	}
	s = spec{decoder: b.Type.Spec(), block: &b.Type.Block}
	s.form = formOf(&b.Type.Block, s.decoder)
	if b.Address.Mode == Data {
		s.decoder = b.Type.DataSpec()
		if !b.Type.DataOnly {
			s.data = b.Type
			s.form = keyForm(b.Type)
		}
	}
	l.c.specs[key] = s
	return s
}

// formOf returns the form of b, which decoder decodes.
func formOf(b *schema.Block, decoder hcldec.ObjectSpec) *form {
	f := &form{schema: &hcl.BodySchema{}, readOnly: map[string]bool{}, blocks: map[string]*form{},
		decoder: decoder, blank: maps.Clone(decoder)}
	empty, _ := hcldec.Decode(hcl.EmptyBody(), decoder, nil) // its errors are about what is required
	nested := hcldec.ChildBlockTypes(decoder)
	for i := range b.Attributes {
		a := &b.Attributes[i]
		f.schema.Attributes = append(f.schema.Attributes, hcl.AttributeSchema{Name: a.Name})
		if a.ReadOnly {
			f.readOnly[a.Name] = true
		} else {
			f.names = append(f.names, a.Name)
		}
		if !a.Required {
			f.blank[a.Name] = &hcldec.LiteralSpec{Value: empty.GetAttr(a.Name)}
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		f.schema.Blocks = append(f.schema.Blocks, hcl.BlockHeaderSchema{Type: n.Name})
		f.blocks[n.Name] = formOf(&n.Block, nested[n.Name].(hcldec.ObjectSpec))
		if !n.Required {
			f.blank[n.Name] = &hcldec.LiteralSpec{Value: empty.GetAttr(n.Name)}
		}
	}
	f.schema.Blocks = append(f.schema.Blocks, hcl.BlockHeaderSchema{Type: "dynamic", LabelNames: []string{"type"}})
	return f
}

// keyForm is the form of a data block that finds an object by its key.
func keyForm(t *schema.Type) *form {
	f := &form{schema: &hcl.BodySchema{}, readOnly: map[string]bool{}, blocks: map[string]*form{}}
	isKey := map[string]bool{}
	for _, name := range t.Key {
		isKey[name] = true
	}
	for i := range t.Attributes {
		name := t.Attributes[i].Name
		f.schema.Attributes = append(f.schema.Attributes, hcl.AttributeSchema{Name: name})
		if isKey[name] {
			f.names = append(f.names, name)
		} else {
			f.readOnly[name] = true
		}
	}
	return f
}

// defaults fills in what the body leaves out, and marks what is sensitive.
func (s spec) defaults(v cty.Value) cty.Value {
	switch {
	case s.partial:
		return v // as the decoder has filled it in
	case s.data == nil:
		return s.block.Defaults(v)
	}
	attrs := v.AsValueMap()
	for _, name := range s.data.Key {
		if a := s.data.Attribute(name); a.HasDefault() && !attrs[name].IsMarked() && attrs[name].IsNull() {
			attrs[name] = a.Default
		}
	}
	return cty.ObjectVal(attrs)
}
