package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// metaArguments are the names that mean the same in every resource block; data blocks have them
// all but lifecycle.
var metaArguments = []string{"count", "depends_on", "dynamic", "for_each", "lifecycle", "provider"}

var resourceSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "count"}, {Name: "for_each"}, {Name: "depends_on"}, {Name: "provider"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "lifecycle"}},
}

var dataSchema = &hcl.BodySchema{Attributes: resourceSchema.Attributes}

var lifecycleSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "prevent_destroy"}, {Name: "ignore_changes"}, {Name: "create_before_destroy"}},
}

// declareBlock reads the header and the meta-arguments of a resource or data block.
func (l *loader) declareBlock(b *hcl.Block, mode Mode) {
	addr := Address{Mode: mode, Type: b.Labels[0], Name: b.Labels[1]}
	if !l.validName(b, 1) {
		return
	}
	if first := l.c.byAddr[addr]; first != nil {
		l.twice(b.DefRange, map[Mode]string{Managed: "resource", Data: "data source"}[mode], addr.String(), first.Range)
		return
	}
	t := l.typeOf(b, mode)
	if t == nil {
		l.faulty[addr] = true
		return
	}
	block := &Block{Address: addr, Type: t, Range: b.DefRange}
	l.c.byAddr[addr] = block
	l.c.Blocks = append(l.c.Blocks, block)
	block.spec = l.specOf(block)

	meta := resourceSchema
	if mode == Data {
		meta = dataSchema
	}
	content, rest, diags := b.Body.PartialContent(meta)
	l.add(diags)
	block.Body, block.sorted = rest, &sortedBody{Body: rest}
	if a := content.Attributes["count"]; a != nil {
		block.Count = a.Expr
	}
	if a := content.Attributes["for_each"]; a != nil {
		block.ForEach = a.Expr
		if block.Count != nil {
			l.errorf(a.NameRange.Ptr(), "Invalid combination of count and for_each", "A block has either count or for_each: "+
				"they say in two ways how many instances there are. Remove one.")
			block.Count = nil
		}
	}
	block.dependsOn = l.dependsOn(content)
	block.Provider = schema.Provider(t.Name)
	if a := content.Attributes["provider"]; a != nil {
		l.chooseProvider(block, a)
	}
	var lifecycle *hcl.Block
	for _, inner := range content.Blocks {
		if lifecycle != nil {
			l.errorf(inner.DefRange.Ptr(), "Duplicate lifecycle block", "This resource already has a lifecycle block at "+
				"%s:%d. Join the two.", lifecycle.DefRange.Filename, lifecycle.DefRange.Start.Line)
			continue
		}
		lifecycle = inner
		l.declareLifecycle(block, inner)
	}
}

// chooseProvider reads `provider = apim.acme`. Whether that one exists is checked when all are
// declared.
func (l *loader) chooseProvider(b *Block, a *hcl.Attribute) {
	t, diags := hcl.AbsTraversalForExpr(a.Expr)
	ref := ""
	if !diags.HasErrors() {
		ref = t.RootName()
		if len(t) == 2 {
			if attr, ok := t[1].(hcl.TraverseAttr); ok {
				ref += "." + attr.Name
			} else {
				diags = append(diags, problem(nil, "", ""))
			}
		}
	}
	switch {
	case diags.HasErrors() || len(t) > 2:
		l.errorf(a.Expr.Range().Ptr(), "Invalid provider reference", "Name the provider, and its alias if it has one, "+
			"without quotes: %s or %s.ALIAS.", b.Provider, b.Provider)
	case t.RootName() != b.Provider:
		l.errorf(a.Expr.Range().Ptr(), "Invalid provider reference", "The type %q belongs to the provider %q; %q cannot serve it.",
			b.Address.Type, b.Provider, ref)
	default:
		b.Provider, b.providerRange = ref, a.Expr.Range()
	}
}

func (l *loader) checkProviders() {
	for _, b := range l.c.Blocks {
		if l.c.Providers[b.Provider] != nil {
			continue
		}
		var known []string
		for _, ref := range keys(l.c.Providers) {
			if l.c.Providers[ref].Name == schema.Provider(b.Type.Name) {
				known = append(known, ref)
			}
		}
		l.errorf(b.providerRange.Ptr(), "Unknown provider", "There is no provider %s.%s The configuration has %s. Declare "+
			"it with a provider block that has this alias.", b.Provider, didYouMean(b.Provider, known), list(known))
	}
}

func (l *loader) declareLifecycle(b *Block, inner *hcl.Block) {
	content, diags := inner.Body.Content(lifecycleSchema)
	l.add(diags)
	if a := content.Attributes["prevent_destroy"]; a != nil {
		l.constant(a, &b.PreventDestroy)
	}
	if a := content.Attributes["create_before_destroy"]; a != nil {
		l.constant(a, &b.CreateBeforeDestroy)
	}
	a := content.Attributes["ignore_changes"]
	if a == nil {
		return
	}
	if hcl.ExprAsKeyword(a.Expr) == "all" || hcl.ExprAsKeyword(native(a.Expr)) == "all" {
		b.IgnoreAll = true
		return
	}
	exprs, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		l.errorf(a.Expr.Range().Ptr(), "Invalid ignore_changes argument", "ignore_changes is a list of attributes, as in "+
			"[description, attributes[\"x\"]], or the word all.")
		return
	}
	for _, expr := range exprs {
		if hcl.ExprAsKeyword(expr) == "all" && b.Type.Attribute("all") == nil {
			l.errorf(expr.Range().Ptr(), "Invalid ignore_changes argument", "To ignore the changes of every attribute, write "+
				"ignore_changes = all, without brackets.")
			continue
		}
		t, diags := hcl.RelTraversalForExpr(expr)
		if diags.HasErrors() {
			l.errorf(expr.Range().Ptr(), "Invalid ignore_changes argument", "Each element of ignore_changes names an attribute "+
				"of the block, without quotes.")
			continue
		}
		if path, ok := l.ignorePath(b, t); ok {
			b.IgnoreChanges = append(b.IgnoreChanges, path)
		}
	}
}

// ignorePath turns an element of ignore_changes into a path of the block's type.
func (l *loader) ignorePath(b *Block, t hcl.Traversal) (cty.Path, bool) {
	first, ok := t[0].(hcl.TraverseAttr)
	if !ok {
		return nil, false
	}
	if a := b.Type.Attribute(first.Name); a != nil && a.ReadOnly {
		l.errorf(t.SourceRange().Ptr(), "Invalid ignore_changes argument", "%q is set by the server alone, so there is no "+
			"configured value to ignore. Remove it.", first.Name)
		return nil, false
	}
	if !l.checkPath(b.Type.ImpliedType(), t, b.Address.Type) {
		return nil, false
	}
	var path cty.Path
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			path = path.GetAttr(step.Name)
		case hcl.TraverseIndex:
			path = path.Index(step.Key)
		}
	}
	return path, true
}

// hasDynamic reports whether there is a dynamic block in a native body or, as far as can be told
// without its schema, in one of the JSON syntax.
func hasDynamic(body hcl.Body) bool {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return true
	}
	for _, b := range native.Blocks {
		if b.Type == "dynamic" || hasDynamic(b.Body) {
			return true
		}
	}
	return false
}
