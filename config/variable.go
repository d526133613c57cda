package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"wso2plan/config/lang"
	"wso2plan/config/schema"
)

var variableSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{
		{Name: "type"}, {Name: "default"}, {Name: "description"}, {Name: "sensitive"}, {Name: "nullable"},
	},
	Blocks: []hcl.BlockHeaderSchema{{Type: "validation"}},
}

var validationSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "condition", Required: true}, {Name: "error_message", Required: true}},
}

// A validation is a rule that a variable's value must meet.
type validation struct {
	condition, message hcl.Expression
	rng                hcl.Range
}

func (l *loader) declareVariable(b *hcl.Block) {
	name := b.Labels[0]
	if !l.validName(b, 0) {
		return
	}
	if first := l.c.Variables[name]; first != nil {
		l.twice(b.DefRange, "variable", "The variable "+quote(name), first.Range)
		return
	}
	v := &Variable{Name: name, Type: cty.DynamicPseudoType, Nullable: true, Range: b.DefRange, literal: true}
	l.c.Variables[name] = v
	content, diags := b.Body.Content(variableSchema)
	l.add(diags)
	if a := content.Attributes["description"]; a != nil {
		l.constant(a, &v.Description)
	}
	if a := content.Attributes["sensitive"]; a != nil {
		l.constant(a, &v.Sensitive)
	}
	if a := content.Attributes["nullable"]; a != nil {
		l.constant(a, &v.Nullable)
	}
	if a := content.Attributes["type"]; a != nil {
		t, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
		l.add(diags)
		if diags.HasErrors() {
			v.fallback = cty.DynamicVal
		} else {
			v.constraint, v.defaults = t, defaults
			v.Type = t.WithoutOptionalAttributesDeep()
			v.literal = t.IsPrimitiveType()
		}
	}
	if a := content.Attributes["default"]; a != nil {
		l.declareDefault(v, a)
	}
	for _, inner := range content.Blocks {
		rule, diags := inner.Body.Content(validationSchema)
		l.add(diags)
		if diags.HasErrors() {
			continue
		}
		v.validations = append(v.validations, validation{
			condition: rule.Attributes["condition"].Expr,
			message:   rule.Attributes["error_message"].Expr,
			rng:       rule.Attributes["condition"].Expr.Range(),
		})
	}
}

func (l *loader) declareDefault(v *Variable, a *hcl.Attribute) {
	v.fallback = cty.UnknownVal(v.Type) // stands for one that is wrong, so that it is not missing too
	value, diags := a.Expr.Value(nil)
	l.add(diags)
	if diags.HasErrors() {
		return
	}
	value, err := v.convert(value)
	switch {
	case err != nil:
		l.errorf(a.Expr.Range().Ptr(), "Invalid default value for variable", "The default does not fit the type of the "+
			"variable %q, %s: %s.", v.Name, typeexpr.TypeString(v.Type), err)
	case value.IsNull() && !v.Nullable:
		l.errorf(a.Expr.Range().Ptr(), "Invalid default value for variable", "The default of the variable %q is null, and "+
			"nullable = false excludes that.", v.Name)
	default:
		v.fallback = value
	}
}

// convert returns value in the variable's type, with the defaults of optional() filled in.
func (v *Variable) convert(value cty.Value) (cty.Value, error) {
	if v.constraint == cty.NilType {
		return value, nil
	}
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	return convert.Convert(value, v.constraint)
}

// giveValues sets the value of every variable.
func (l *loader) giveValues() {
	values := l.gather()
	for _, name := range keys(l.c.Variables) {
		v := l.c.Variables[name]
		g, ok := values[name]
		v.Value = l.giveValue(v, g, ok)
		if v.Sensitive {
			v.Value = v.Value.Mark(schema.Sensitive)
		}
	}
	for _, name := range keys(l.c.Variables) {
		for _, rule := range l.c.Variables[name].validations {
			l.validate(l.c.Variables[name], rule, values[name])
		}
	}
}

// giveValue returns the value of v, unmarked, and unknown after a mistake.
func (l *loader) giveValue(v *Variable, g given, ok bool) cty.Value {
	unknown := cty.UnknownVal(v.Type)
	if !ok {
		switch {
		case v.fallback != cty.NilVal:
			return v.fallback
		case l.in.AllowMissing:
			return unknown
		}
		l.errorf(v.Range.Ptr(), "No value for required variable", "The variable %[1]q has no default, and no value was "+
			"given. Give one with -var '%[1]s=VALUE', with -var-file=FILE, as a line %[1]s = VALUE in wso2plan.hclvars "+
			"or a file *.auto.hclvars, or in the environment as %[2]s%[1]s.", v.Name, EnvPrefix)
		return unknown
	}
	value, rng := g.value, g.rng
	if g.wrong {
		return unknown
	}
	if g.isRaw {
		var diags hcl.Diagnostics
		value, rng, diags = l.parseRaw(v, g)
		l.add(diags)
		if diags.HasErrors() {
			return unknown
		}
	}
	// The line of a sensitive value is not for showing.
	subject, where := &rng, ""
	if v.Sensitive {
		subject = &v.Range
		if !g.isRaw {
			where = fmt.Sprintf(" (at %s:%d)", rng.Filename, rng.Start.Line)
		}
	}
	if g.isRaw && l.c.sources[rng.Filename] == nil {
		subject = &v.Range
	}
	converted, err := v.convert(value)
	switch {
	case err != nil:
		l.errorf(subject, "Invalid value for input variable", "The value that %s%s gives to the variable %q, declared at "+
			"%s:%d, does not fit its type, %s: %s.", g.from, where, v.Name, v.Range.Filename, v.Range.Start.Line,
			typeexpr.TypeString(v.Type), err)
		return unknown
	case converted.IsNull() && !v.Nullable:
		if v.fallback != cty.NilVal {
			return v.fallback
		}
		l.errorf(subject, "Invalid value for input variable", "The value that %s%s gives to the variable %q, declared at "+
			"%s:%d, is null, and nullable = false excludes that.", g.from, where, v.Name, v.Range.Filename,
			v.Range.Start.Line)
		return unknown
	}
	v.valueRange = subject
	return converted
}

// validate applies one rule to the value of v.
func (l *loader) validate(v *Variable, rule validation, g given) {
	for _, expr := range []hcl.Expression{rule.condition, rule.message} {
		for _, t := range expr.Variables() {
			if t.RootName() == "var" {
				continue
			}
			l.errorf(t.SourceRange().Ptr(), "Invalid reference in variable validation", "The rule of a variable can refer to "+
				"variables, as in var.%s, and not to %s.", v.Name, t.RootName())
			return
		}
		l.resolveAll(expr, site{})
	}
	if l.isFlagged(rule.condition.Range().Ptr()) || l.isFlagged(rule.message.Range().Ptr()) {
		return
	}
	if l.inVariables == nil {
		vars := make(map[string]cty.Value, len(l.c.Variables))
		for name, v := range l.c.Variables {
			vars[name] = v.Value
		}
		l.inVariables = &hcl.EvalContext{
			Variables: map[string]cty.Value{"var": cty.ObjectVal(vars)},
			Functions: lang.Functions(l.c.Dir, false),
		}
	}
	result, diags := rule.condition.Value(l.inVariables)
	l.add(diags)
	if diags.HasErrors() {
		return
	}
	result, _ = result.Unmark()
	result, err := convert.Convert(result, cty.Bool)
	if err != nil || result.IsNull() {
		l.errorf(rule.rng.Ptr(), "Invalid variable validation result", "The condition of a validation must be true or false.")
		return
	}
	if !result.IsKnown() || result.True() {
		return
	}
	message := "The value does not meet the rule."
	if m, diags := rule.message.Value(l.inVariables); diags.HasErrors() {
		l.add(diags)
	} else if m.ContainsMarked() {
		message = "The message of the rule holds sensitive values and is not shown."
	} else if m, err := convert.Convert(m, cty.String); err == nil && m.IsKnown() && !m.IsNull() {
		message = strings.TrimSpace(m.AsString())
	}
	subject := v.valueRange
	if subject == nil {
		subject = &v.Range
	}
	from := "its default"
	if g.from != "" {
		from = g.from
	}
	l.errorf(subject, "Invalid value for variable", "%s\n\nThe value of var.%s, from %s, was checked by the rule at %s:%d.",
		message, v.Name, from, rule.rng.Filename, rule.rng.Start.Line)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }
