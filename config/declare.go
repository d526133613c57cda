package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

func (l *loader) declareLocals(b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	l.add(diags)
	for _, name := range keys(attrs) {
		a := attrs[name]
		if first := l.c.Locals[name]; first != nil {
			l.twice(a.NameRange, "local value", "local."+name, first.Range)
			continue
		}
		if !hclsyntax.ValidIdentifier(name) {
			l.errorf(a.NameRange.Ptr(), "Invalid name", "%q is not a name for a local value.", name)
			continue
		}
		l.c.Locals[name] = &Local{Name: name, Expr: a.Expr, Range: a.NameRange}
	}
}

func (l *loader) declareProvider(b *hcl.Block) {
	name := b.Labels[0]
	if _, ok := l.c.Known.Providers[name]; !ok {
		l.errorf(b.LabelRanges[0].Ptr(), "Unknown provider", "There is no provider named %q.%s The providers are %s.",
			name, didYouMean(name, keys(l.c.Known.Providers)), list(keys(l.c.Known.Providers)))
		return
	}
	p := &Provider{Name: name, Range: b.DefRange}
	content, rest, diags := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "alias"}}})
	l.add(diags)
	p.Body = rest
	if a := content.Attributes["alias"]; a != nil {
		if !l.constant(a, &p.Alias) {
			return
		}
		if !hclsyntax.ValidIdentifier(p.Alias) {
			l.errorf(a.Expr.Range().Ptr(), "Invalid name", "%q is not a name for a provider.", p.Alias)
			return
		}
	}
	if first := l.c.Providers[p.Ref()]; first != nil {
		how := "The default provider " + quote(name)
		if p.Alias != "" {
			how = "The provider " + p.Ref()
		}
		l.errorf(b.DefRange.Ptr(), "Duplicate provider", "%s is already declared at %s:%d. Give each further one an alias "+
			"of its own.", how, first.Range.Filename, first.Range.Start.Line)
		return
	}
	l.c.Providers[p.Ref()] = p
}

// addImplicitProviders enters the default providers that have no block: the environment configures
// them.
func (l *loader) addImplicitProviders() {
	for name := range l.c.Known.Providers {
		if l.c.Providers[name] == nil {
			l.c.Providers[name] = &Provider{Name: name, Body: hcl.EmptyBody()}
		}
	}
}

var outputSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{
		{Name: "value", Required: true}, {Name: "description"}, {Name: "sensitive"}, {Name: "depends_on"},
	},
}

func (l *loader) declareOutput(b *hcl.Block) {
	name := b.Labels[0]
	if !l.validName(b, 0) {
		return
	}
	if first := l.outputs[name]; first != nil {
		l.twice(b.DefRange, "output", "The output "+quote(name), first.Range)
		return
	}
	o := &Output{Name: name, Range: b.DefRange}
	content, diags := b.Body.Content(outputSchema)
	l.add(diags)
	if a := content.Attributes["description"]; a != nil {
		l.constant(a, &o.Description)
	}
	if a := content.Attributes["sensitive"]; a != nil {
		l.constant(a, &o.Sensitive)
	}
	o.dependsOn = l.dependsOn(content)
	l.outputs[name] = o
	if a := content.Attributes["value"]; a != nil {
		o.Expr = a.Expr
	} else {
		o.Expr = hcl.StaticExpr(cty.DynamicVal, b.DefRange)
	}
}

var importSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "to", Required: true}, {Name: "id", Required: true}, {Name: "for_each"}},
}

func (l *loader) declareImport(b *hcl.Block) {
	content, diags := b.Body.Content(importSchema)
	l.add(diags)
	if diags.HasErrors() {
		return
	}
	im := &Import{
		To:    native(content.Attributes["to"].Expr),
		ID:    content.Attributes["id"].Expr,
		Range: b.DefRange,
	}
	if a := content.Attributes["for_each"]; a != nil {
		im.ForEach = a.Expr
	}
	// An address with a key that is an expression, or a whole traversal.
	target := im.To
	if index, ok := target.(*hclsyntax.IndexExpr); ok {
		target, im.key = index.Collection, index.Key
	}
	traversal, diags := hcl.AbsTraversalForExpr(target)
	if diags.HasErrors() {
		l.invalidTarget(im)
		return
	}
	if last, ok := traversal[len(traversal)-1].(hcl.TraverseIndex); ok && im.key == nil {
		im.key = hcl.StaticExpr(last.Key, last.SrcRange)
		traversal = traversal[:len(traversal)-1]
	}
	if len(traversal) != 2 {
		l.invalidTarget(im)
		return
	}
	attr, ok := traversal[1].(hcl.TraverseAttr)
	if !ok {
		l.invalidTarget(im)
		return
	}
	im.Block = Address{Type: traversal.RootName(), Name: attr.Name}
	l.c.Imports = append(l.c.Imports, im)
}

func (l *loader) invalidTarget(im *Import) {
	l.errorf(im.To.Range().Ptr(), "Invalid import target", "The argument \"to\" must be the address of a resource or of one "+
		"of its instances, as in is_user.ann or is_user.all[each.key].")
}

// native returns the expression that a string of the JSON syntax holds, where the place calls for
// one, and any other expression as it is.
func native(expr hcl.Expression) hcl.Expression {
	if _, ok := expr.(hclsyntax.Expression); ok {
		return expr
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() || v.Type() != cty.String || v.IsNull() {
		return expr
	}
	parsed, diags := hclsyntax.ParseExpression([]byte(v.AsString()), expr.Range().Filename, expr.Range().Start)
	if diags.HasErrors() {
		return expr
	}
	return parsed
}

// dependsOn returns the addresses that a depends_on attribute lists, as traversals.
func (l *loader) dependsOn(content *hcl.BodyContent) []hcl.Traversal {
	a := content.Attributes["depends_on"]
	if a == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(a.Expr)
	l.add(diags)
	var out []hcl.Traversal
	for _, expr := range exprs {
		t, diags := hcl.AbsTraversalForExpr(expr)
		if diags.HasErrors() {
			l.errorf(expr.Range().Ptr(), "Invalid depends_on reference", "Each element of depends_on must be the address of a "+
				"resource or data source, as in is_user.ann, without quotes.")
			continue
		}
		out = append(out, t)
	}
	return out
}

// typeOf returns the type that a block's labels name, or reports that there is none.
func (l *loader) typeOf(b *hcl.Block, mode Mode) *schema.Type {
	name := b.Labels[0]
	here, there, what, other := l.c.Known.Resources, l.c.Known.Data, "resource", "data source"
	if mode == Data {
		here, there, what, other = there, here, other, what
	}
	t := here[name]
	switch {
	case t != nil:
		return t
	case there[name] != nil:
		l.errorf(b.LabelRanges[0].Ptr(), "Invalid "+what+" type", "There is no %s type %q, but there is a %s of that type.",
			what, name, other)
	case len(l.c.Known.Providers) > 0 && !isProvider(l.c.Known, schema.Provider(name)):
		hint := didYouMean(name, keys(here))
		l.errorf(b.LabelRanges[0].Ptr(), "Invalid "+what+" type", "There is no %s type %q.%s Its first part names the "+
			"provider, and the providers are %s.", what, name, hint, list(keys(l.c.Known.Providers)))
	default:
		l.errorf(b.LabelRanges[0].Ptr(), "Invalid "+what+" type", "The provider %q has no %s type %q.%s",
			schema.Provider(name), what, name, didYouMean(name, keys(here)))
	}
	return nil
}

func isProvider(known schema.Set, name string) bool {
	_, ok := known.Providers[name]
	return ok
}
