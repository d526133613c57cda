package config

import (
	"slices"

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

	base map[string]cty.Value // of DecodeWritten: what it gives where a body does not write it
}

// A form says which names a body may hold.
type form struct {
	schema   *hcl.BodySchema // all attributes, read-only ones too, and blocks, dynamic ones too
	names    []string        // the attributes that may be configured
	readOnly map[string]bool
	blocks   map[string]*form

	// For DecodeWritten; not of a key.
	attributes map[string]*schema.Attribute
	required   []string             // attributes and blocks that a body must write
	blank      map[string]cty.Value // what the decoder gives for the others where a body lacks them
	list       bool                 // there may be many of the block
	varies     bool                 // the types of two such blocks can differ
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
	s.base = s.form.blank
	if b.Type.Check == nil {
		s.base = map[string]cty.Value{}
		for name, v := range s.form.blank {
			if a := s.form.attributes[name]; a != nil && (a.HasDefault() || slices.Contains(b.Type.Key, name)) {
				s.base[name] = v
			}
		}
	}
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
		attributes: map[string]*schema.Attribute{}, blank: map[string]cty.Value{}, varies: hcldec.ImpliedType(decoder).HasDynamicTypes()}
	empty, _ := hcldec.Decode(hcl.EmptyBody(), decoder, nil) // its errors are about what is required
	nested := hcldec.ChildBlockTypes(decoder)
	lacks := func(name string, required bool) {
		if required {
			f.required = append(f.required, name)
		} else {
			f.blank[name] = empty.GetAttr(name)
		}
	}
	for i := range b.Attributes {
		a := &b.Attributes[i]
		f.schema.Attributes = append(f.schema.Attributes, hcl.AttributeSchema{Name: a.Name})
		if a.ReadOnly {
			f.readOnly[a.Name] = true
		} else {
			f.names = append(f.names, a.Name)
		}
		f.attributes[a.Name] = a
		lacks(a.Name, a.Required)
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		f.schema.Blocks = append(f.schema.Blocks, hcl.BlockHeaderSchema{Type: n.Name})
		inner := formOf(&n.Block, nested[n.Name].(hcldec.ObjectSpec))
		inner.list = n.Nesting == schema.List
		f.blocks[n.Name] = inner
		lacks(n.Name, n.Required)
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
