package lang

import (
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"wso2plan/config/schema"
)

// guard returns f with its error text replaced when an argument is marked, since many functions
// quote their argument in it: parseint would print the password.
func guard(f function.Function) function.Function {
	params := f.Params()
	pass := make([]function.Parameter, len(params))
	for i, p := range params {
		pass[i] = passThrough(p)
	}
	var rest *function.Parameter
	if p := f.VarParam(); p != nil {
		all := passThrough(*p)
		rest = &all
	}
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      pass,
		VarParam:    rest,
		Type: func(args []cty.Value) (cty.Type, error) {
			t, err := f.ReturnTypeForValues(args)
			return t, conceal(err, args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			return v, conceal(err, args)
		},
	})
}

// passThrough returns p taking anything that f itself will then judge by the p it was given.
func passThrough(p function.Parameter) function.Parameter {
	p.AllowNull, p.AllowUnknown, p.AllowDynamicType, p.AllowMarked = true, true, true, true
	return p
}

// conceal replaces err when one of args is marked.
func conceal(err error, args []cty.Value) error {
	if err == nil {
		return nil
	}
	marked := false
	for _, a := range args {
		marked = marked || a.ContainsMarked()
	}
	if !marked {
		return err
	}
	var arg function.ArgError
	if errors.As(err, &arg) && arg.Index < len(args) {
		if args[arg.Index].ContainsMarked() {
			return function.NewArgErrorf(arg.Index, "the value is not one that the function takes (the argument is sensitive)")
		}
		if !anyOtherMarked(args, arg.Index) {
			return err
		}
	}
	return fmt.Errorf("the function failed for these arguments (the argument is sensitive)")
}

func anyOtherMarked(args []cty.Value, except int) bool {
	for i, a := range args {
		if i != except && a.ContainsMarked() {
			return true
		}
	}
	return false
}

var sensitiveFunc = function.New(&function.Spec{
	Params: []function.Parameter{anything("value")},
	Type:   sameType,
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return args[0].Mark(schema.Sensitive), nil
	},
})

var nonsensitiveFunc = function.New(&function.Spec{
	Params: []function.Parameter{anything("value")},
	Type:   sameType,
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, marks := args[0].Unmark()
		delete(marks, schema.Sensitive)
		return v.WithMarks(marks), nil
	},
})

var isSensitiveFunc = function.New(&function.Spec{
	Params: []function.Parameter{anything("value")},
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return cty.BoolVal(args[0].HasMark(schema.Sensitive)), nil
	},
})

// anything is a parameter that takes every value as it is.
func anything(name string) function.Parameter {
	return function.Parameter{
		Name: name, Type: cty.DynamicPseudoType,
		AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true,
	}
}

func sameType(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil }
