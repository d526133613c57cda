package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// mark is the type of our cty marks, so that no other package's mark equals one of them.
type mark string

// Sensitive is the cty mark of values that no output may show. Marks follow a value through
// expressions; they are taken off only by the diff and by the providers' encoders.
const Sensitive mark = "sensitive"

// Spec returns the decoder specification of the block, for resource blocks and provider blocks
// alike. ReadOnly attributes are not part of what may be configured, but are of the value's type:
// they decode as null. Required attributes are enforced.
func (b *Block) Spec() hcldec.ObjectSpec { return b.spec(true) }

// DataSpec returns the decoder specification of a data block: the key attributes may be
// configured (all of them required), everything else is the server's.
func (t *Type) DataSpec() hcldec.ObjectSpec {
	if t.DataOnly {
		return t.Block.spec(true)
	}
	spec := hcldec.ObjectSpec{}
	for i := range t.Attributes {
		a := &t.Attributes[i]
		switch {
		case contains(t.Key, a.Name):
			spec[a.Name] = a.spec(true, a.Default == cty.NilVal)
		default:
			spec[a.Name] = &hcldec.LiteralSpec{Value: cty.NullVal(a.Type)}
		}
	}
	for i := range t.Blocks {
		n := &t.Blocks[i]
		spec[n.Name] = &hcldec.LiteralSpec{Value: n.empty()}
	}
	return spec
}

func (b *Block) spec(required bool) hcldec.ObjectSpec {
	spec := hcldec.ObjectSpec{}
	for i := range b.Attributes {
		a := &b.Attributes[i]
		spec[a.Name] = a.spec(!a.ReadOnly, required && a.Required)
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		nested := n.Block.spec(required)
		if n.Nesting == Single {
			spec[n.Name] = &hcldec.BlockSpec{TypeName: n.Name, Nested: nested, Required: required && n.Required}
			continue
		}
		list := &hcldec.BlockListSpec{TypeName: n.Name, Nested: nested}
		if required && n.Required {
			list.MinItems = 1
		}
		spec[n.Name] = list
	}
	return spec
}

func (a *Attribute) spec(configurable, required bool) hcldec.Spec {
	if !configurable {
		return &hcldec.LiteralSpec{Value: cty.NullVal(a.Type)}
	}
	var spec hcldec.Spec = &hcldec.AttrSpec{Name: a.Name, Type: a.writtenType(), Required: required}
	if a.Read != nil {
		spec = a.reading(spec)
	}
	if a.HasDefault() {
		spec = &hcldec.DefaultSpec{Primary: spec, Default: &hcldec.LiteralSpec{Value: mustConvert(a.Name, a.Default, a.Type)}}
	}
	if a.Sensitive {
		spec = &hcldec.TransformFuncSpec{Wrapped: spec, Func: markSensitive}
	}
	return spec
}

// writtenType returns the type in which people write the attribute.
func (a *Attribute) writtenType() cty.Type {
	if a.Written != cty.NilType {
		return a.Written
	}
	return a.Type
}

// FromWritten turns a value as an expression gives it into what Spec decodes of the attribute. The
// error is not for people: Spec has better ones.
func (a *Attribute) FromWritten(v cty.Value) (cty.Value, error) {
	v, err := convert.Convert(v, a.writtenType())
	if err == nil && a.Read != nil {
		v, err = a.read(v)
	}
	if err != nil {
		return cty.NilVal, err
	}
	if v.IsNull() && a.HasDefault() {
		v = mustConvert(a.Name, a.Default, a.Type)
	}
	if a.Sensitive && (v.IsMarked() || !v.IsNull()) {
		v = v.Mark(Sensitive)
	}
	return v, nil
}

// read turns what is written, of type Written, into a value of Type.
func (a *Attribute) read(v cty.Value) (cty.Value, error) {
	plain, marks := v.UnmarkDeep()
	switch {
	case plain.IsNull():
		return cty.NullVal(a.Type).WithMarks(marks), nil
	case !plain.IsWhollyKnown():
		return cty.UnknownVal(a.Type).WithMarks(marks), nil
	}
	out, err := a.Read(plain)
	if err != nil {
		return cty.UnknownVal(a.Type), err
	}
	return out.WithMarks(marks), nil
}

// reading wraps the spec of an attribute so that what is written is turned into a value of Type.
func (a *Attribute) reading(spec hcldec.Spec) hcldec.Spec {
	checked := &hcldec.ValidateSpec{Wrapped: spec, Func: func(v cty.Value) hcl.Diagnostics {
		_, err := a.read(v)
		if err == nil {
			return nil
		}
		detail := err.Error()
		if v.ContainsMarked() {
			detail = "what is wrong is not shown, since the value is sensitive"
		}
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid " + strings.ReplaceAll(a.Name, "_", " "),
			Detail: fmt.Sprintf("The value of %s is not valid: %s.", a.Name, detail)}}
	}}
	return &hcldec.TransformFuncSpec{Wrapped: checked, Func: function.New(&function.Spec{
		Params: []function.Parameter{{Name: "v", Type: a.Written, AllowNull: true, AllowUnknown: true, AllowMarked: true}},
		Type:   function.StaticReturnType(a.Type),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return a.read(args[0])
		},
	})}
}

// markSensitive marks its argument, unless that is null. Done while decoding it spares a copy of
// the whole object.
var markSensitive = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "v", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true,
		AllowDynamicType: true, AllowMarked: true}},
	Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !args[0].IsMarked() && args[0].IsNull() {
			return args[0], nil
		}
		return args[0].Mark(Sensitive), nil
	},
})

// ImpliedType returns the object type of the block's values: every attribute and every nested
// block, ReadOnly ones too.
func (b *Block) ImpliedType() cty.Type {
	types := make(map[string]cty.Type, len(b.Attributes)+len(b.Blocks))
	for i := range b.Attributes {
		types[b.Attributes[i].Name] = b.Attributes[i].Type
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		if n.Nesting == Single {
			types[n.Name] = n.Block.ImpliedType()
		} else {
			types[n.Name] = cty.List(n.Block.ImpliedType())
		}
	}
	return cty.Object(types)
}

// Object returns a value of the block's type from attrs, where absent attributes and single
// blocks are null and absent lists are empty. Values are converted to the types of the table; it
// panics when one cannot be, since that is a mistake in our own code.
func (b *Block) Object(attrs map[string]cty.Value) cty.Value {
	out := make(map[string]cty.Value, len(b.Attributes)+len(b.Blocks))
	for i := range b.Attributes {
		a := &b.Attributes[i]
		v, ok := attrs[a.Name]
		if !ok || v == cty.NilVal {
			v = cty.NullVal(a.Type)
		}
		out[a.Name] = mustConvert(a.Name, v, a.Type)
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		v, ok := attrs[n.Name]
		if !ok || v == cty.NilVal {
			v = n.empty()
		}
		out[n.Name] = mustConvert(n.Name, v, n.valueType())
	}
	for name := range attrs {
		if _, ok := out[name]; !ok {
			panic(fmt.Sprintf("schema: %q is in no table", name))
		}
	}
	return cty.ObjectVal(out)
}

func (n *NestedBlock) valueType() cty.Type {
	if n.Nesting == Single {
		return n.Block.ImpliedType()
	}
	return cty.List(n.Block.ImpliedType())
}

func (n *NestedBlock) empty() cty.Value {
	if n.Nesting == Single {
		return cty.NullVal(n.Block.ImpliedType())
	}
	return cty.ListValEmpty(n.Block.ImpliedType())
}

func mustConvert(name string, v cty.Value, t cty.Type) cty.Value {
	if v.Type().Equals(t) {
		return v
	}
	c, err := convert.Convert(v, t)
	if err != nil {
		panic(fmt.Sprintf("schema: %s: %s", name, err))
	}
	return c
}

// Defaults returns v, a decoded block, with the defaults of absent attributes filled in, in nested
// blocks too, and the values of Sensitive attributes marked.
func (b *Block) Defaults(v cty.Value) cty.Value {
	return b.fill(v, true)
}

// MarkSensitive returns v, a value of the block's type, with the values of Sensitive attributes
// marked. Nulls stay unmarked.
func (b *Block) MarkSensitive(v cty.Value) cty.Value {
	return b.fill(v, false)
}

func (b *Block) fill(v cty.Value, defaults bool) cty.Value {
	if !b.fills(defaults) {
		return v
	}
	v, marks := v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return v.WithMarks(marks)
	}
	if !b.needsFill(v, defaults) {
		return v.WithMarks(marks)
	}
	attrs := v.AsValueMap()
	for i := range b.Attributes {
		a := &b.Attributes[i]
		x := attrs[a.Name]
		if defaults && a.HasDefault() && !x.IsMarked() && x.IsNull() {
			x = mustConvert(a.Name, a.Default, a.Type)
		}
		if a.Sensitive && (x.IsMarked() || !x.IsNull()) {
			x = x.Mark(Sensitive)
		}
		attrs[a.Name] = x
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		x := attrs[n.Name]
		if n.Nesting == Single {
			attrs[n.Name] = n.Block.fill(x, defaults)
			continue
		}
		list, listMarks := x.Unmark()
		if list.IsNull() || !list.IsKnown() || list.LengthInt() == 0 || !n.Block.fills(defaults) {
			continue
		}
		elems := list.AsValueSlice()
		for j := range elems {
			elems[j] = n.Block.fill(elems[j], defaults)
		}
		attrs[n.Name] = cty.ListVal(elems).WithMarks(listMarks)
	}
	return cty.ObjectVal(attrs).WithMarks(marks)
}

// needsFill reports whether fill changes v, an unmarked object; it is cheaper than a copy.
func (b *Block) needsFill(v cty.Value, defaults bool) bool {
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if !a.Sensitive && !(defaults && a.HasDefault()) {
			continue
		}
		x := v.GetAttr(a.Name)
		if x.IsMarked() {
			if a.Sensitive && !x.HasMark(Sensitive) {
				return true
			}
			continue
		}
		if null := x.IsNull(); a.Sensitive && !null || defaults && a.HasDefault() && null {
			return true
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		if !n.Block.fills(defaults) {
			continue
		}
		x, _ := v.GetAttr(n.Name).Unmark()
		if x.IsKnown() && !x.IsNull() && (n.Nesting == Single || x.LengthInt() > 0) {
			return true
		}
	}
	return false
}

// fills reports whether fill could change anything.
func (b *Block) fills(defaults bool) bool {
	for i := range b.Attributes {
		if b.Attributes[i].Sensitive || defaults && b.Attributes[i].HasDefault() {
			return true
		}
	}
	for i := range b.Blocks {
		if b.Blocks[i].Block.fills(defaults) {
			return true
		}
	}
	return false
}

// PathString returns the form of a path that people read and records hold:
// `claim_mapping["http://x"].local`, `roles`, `additional_properties["Username"]`.
func PathString(p cty.Path) string {
	var s strings.Builder
	for _, step := range p {
		switch step := step.(type) {
		case cty.GetAttrStep:
			if s.Len() > 0 {
				s.WriteByte('.')
			}
			s.WriteString(step.Name)
		case cty.IndexStep:
			key := step.Key
			if key.Type() == cty.String {
				fmt.Fprintf(&s, "[%q]", key.AsString())
			} else {
				fmt.Fprintf(&s, "[%s]", key.AsBigFloat().Text('f', -1))
			}
		}
	}
	return s.String()
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
