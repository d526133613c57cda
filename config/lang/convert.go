package lang

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// toFunc returns tostring, tolist and their siblings: the conversion to t.
func toFunc(t cty.Type) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{
			Name: "v", Type: cty.DynamicPseudoType,
			AllowNull: true, AllowMarked: true, AllowDynamicType: true,
		}},
		Type: func(args []cty.Value) (cty.Type, error) {
			got := args[0].Type()
			if got.Equals(t) {
				return t, nil
			}
			switch {
			case got == cty.DynamicPseudoType && (args[0].IsNull() || t.IsPrimitiveType()):
				return t, nil
			case got == cty.DynamicPseudoType:
				return cty.DynamicPseudoType, nil
			}
			if elem, ok := uniform(got); ok {
				switch {
				case t.IsSetType():
					return cty.Set(elem), nil
				case t.IsListType():
					return cty.List(elem), nil
				}
			}
			v, err := convert.Convert(args[0], t)
			if err == nil {
				return v.Type(), nil
			}
			if args[0].IsNull() {
				return cty.NullVal(t).Type(), nil
			}
			return cty.NilType, conversionError(args[0], t, err)
		},
		Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
			if elem, ok := uniform(args[0].Type()); ok && !args[0].IsMarked() && args[0].IsKnown() && !args[0].IsNull() {
				switch {
				case retType.Equals(cty.Set(elem)):
					return cty.SetVal(args[0].AsValueSlice()), nil
				case retType.Equals(cty.List(elem)):
					return cty.ListVal(args[0].AsValueSlice()), nil
				}
			}
			v, err := convert.Convert(args[0], retType)
			if err != nil {
				return cty.NilVal, conversionError(args[0], t, err)
			}
			return v, nil
		},
	})
}

// uniform reports whether t is a tuple whose elements are all of one primitive type, and which.
// cty finds a common type of a tuple's elements in time that grows with their square.
func uniform(t cty.Type) (cty.Type, bool) {
	if !t.IsTupleType() || t.Length() == 0 {
		return cty.NilType, false
	}
	types := t.TupleElementTypes()
	if !types[0].IsPrimitiveType() {
		return cty.NilType, false
	}
	for _, e := range types[1:] {
		if e != types[0] {
			return cty.NilType, false
		}
	}
	return types[0], true
}

func conversionError(v cty.Value, t cty.Type, err error) error {
	name := strings.TrimSuffix(t.FriendlyNameForConstraint(), " of any single type")
	u, _ := v.Unmark()
	switch {
	case !u.IsKnown() || u.IsNull() || !u.Type().IsPrimitiveType():
		return function.NewArgErrorf(0, "cannot convert %s to %s: %s", v.Type().FriendlyName(), name, err)
	case u.Type() == cty.String:
		return function.NewArgErrorf(0, "cannot convert %q to %s: %s", u.AsString(), name, err)
	default:
		return function.NewArgErrorf(0, "cannot convert %s to %s: %s", u.Type().FriendlyName(), name, err)
	}
}
