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
			v, err := convert.Convert(args[0], retType)
			if err != nil {
				return cty.NilVal, conversionError(args[0], t, err)
			}
			return v, nil
		},
	})
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
