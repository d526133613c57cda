package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// An edge is a place where an expression refers to a block or to a local.
type edge struct {
	local string  // or
	to    Address // a block
	attr  string  // the first attribute named of the block
	only  string  // the attribute or block of the referring block that holds the place
	rng   hcl.Range
}

// A site is where an expression stands, and what it may refer to there.
type site struct {
	refs        *[]edge // collects what it refers to; nil: nothing does
	only        string
	scope       []string // the iterators of dynamic blocks around it
	each, count bool     // whether each and count are defined
}

// resolve finds what every expression refers to.
func (l *loader) resolve() {
	l.checkProviders()
	for _, name := range keys(l.c.Locals) {
		local := l.c.Locals[name]
		l.resolveAll(local.Expr, site{refs: &local.refs})
	}
	for _, b := range l.c.Blocks {
		if b.Count != nil {
			l.resolveAll(b.Count, site{refs: &b.metaRefs, only: "count"})
		}
		if b.ForEach != nil {
			l.resolveAll(b.ForEach, site{refs: &b.metaRefs, only: "for_each"})
		}
		b.dynamic = hasDynamic(b.Body)
		l.walk(b.Body, b.spec.form, true, site{refs: &b.refs, each: b.ForEach != nil, count: b.Count != nil})
		l.resolveDependsOn(b.dependsOn, &b.dependsRefs)
	}
	for _, o := range l.c.Outputs {
		l.resolveAll(o.Expr, site{refs: &o.refs, only: "value"})
		l.resolveDependsOn(o.dependsOn, &o.dependsRefs)
	}
	for _, ref := range keys(l.c.Providers) {
		p := l.c.Providers[ref]
		known := l.c.Known.Providers[p.Name]
		l.walk(p.Body, formOf(&known, known.Spec()), false, site{refs: &p.refs})
	}
	for _, im := range l.c.Imports {
		l.resolveImport(im)
	}
}

func (l *loader) resolveImport(im *Import) {
	if im.ForEach != nil {
		l.resolveAll(im.ForEach, site{refs: &im.refs})
	}
	at := site{refs: &im.refs, each: im.ForEach != nil}
	l.resolveAll(im.ID, at)
	if im.key != nil {
		l.resolveAll(im.key, at)
	}
	b := l.c.byAddr[im.Block]
	switch {
	case b == nil && l.faulty[im.Block]:
	case b == nil:
		l.flag(im.To.Range(), "Unknown import target", "The configuration has no resource %s to import into.%s Write its "+
			"block, which says what the object is to be.", im.Block, l.nearAddress(im.Block))
	case im.key == nil && (b.Count != nil || b.ForEach != nil):
		l.flag(im.To.Range(), "Missing resource instance key", "%s has more than one instance. Name one of them, as in "+
			"%s[each.key].", im.Block, im.Block)
	case im.key != nil && b.Count == nil && b.ForEach == nil:
		l.flag(im.To.Range(), "Unexpected resource instance key", "%s has neither count nor for_each, and so no instances to "+
			"choose from. Remove the key.", im.Block)
	}
}

// walk resolves the expressions of a body. What the decoder will find too is left to it, except
// where more can be said. At the top of a block the meta-arguments have been taken out.
func (l *loader) walk(body hcl.Body, f *form, top bool, s site) {
	content, _, _ := body.PartialContent(f.schema)
	if native, ok := body.(*hclsyntax.Body); ok {
		l.flagUnknownNames(native, f, top)
	}
	for _, name := range keys(content.Attributes) {
		a := content.Attributes[name]
		if f.readOnly[name] {
			l.flag(a.NameRange, "Value for read-only attribute", "%q is set by the server and cannot be configured. "+
				"Remove it.", name)
			continue
		}
		l.resolveAll(a.Expr, s.within(name))
	}
	for _, b := range content.Blocks {
		if b.Type == "dynamic" {
			l.walkDynamic(b, f, s)
			continue
		}
		if nested := f.blocks[b.Type]; nested != nil {
			l.walk(b.Body, nested, false, s.within(b.Type))
		}
	}
}

// within returns s inside the attribute or block of that name; the outermost one counts.
func (s site) within(name string) site {
	if s.only == "" {
		s.only = name
	}
	return s
}

var dynamicSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "for_each"}, {Name: "iterator"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "content"}},
}

func (l *loader) walkDynamic(b *hcl.Block, f *form, s site) {
	name := b.Labels[0]
	nested := f.blocks[name]
	if nested == nil {
		l.flag(b.LabelRanges[0], "Unsupported block type", "Blocks of type %q are not expected here.%s", name,
			didYouMean(name, keys(f.blocks)))
		return
	}
	s = s.within(name)
	content, _, _ := b.Body.PartialContent(dynamicSchema)
	if a := content.Attributes["for_each"]; a != nil {
		l.resolveAll(a.Expr, s)
	}
	iterator := name
	if a := content.Attributes["iterator"]; a != nil {
		if word := hcl.ExprAsKeyword(native(a.Expr)); word != "" {
			iterator = word
		}
	}
	s.scope = append(slices.Clip(s.scope), iterator)
	for _, inner := range content.Blocks {
		l.walk(inner.Body, nested, false, s)
	}
}

// flagUnknownNames says more than the decoder about attributes that do not exist.
func (l *loader) flagUnknownNames(body *hclsyntax.Body, f *form, top bool) {
	for name, a := range body.Attributes {
		if top && slices.Contains(metaArguments, name) || f.readOnly[name] || f.blocks[name] != nil ||
			slices.Contains(f.names, name) || name == "alias" {
			continue
		}
		candidates := f.names
		if top {
			candidates = append(slices.Clip(candidates), metaArguments...)
		}
		l.flag(a.NameRange, "Unsupported argument", "An argument named %q is not expected here.%s", name,
			didYouMean(name, candidates))
	}
}

// resolveAll resolves every reference of an expression.
func (l *loader) resolveAll(expr hcl.Expression, s site) {
	for _, t := range expr.Variables() {
		if !slices.Contains(s.scope, t.RootName()) {
			l.resolveOne(expr, t, s)
		}
	}
}

func (l *loader) resolveDependsOn(list []hcl.Traversal, refs *[]edge) {
	for _, t := range list {
		if root := t.RootName(); slices.Contains([]string{"var", "local", "each", "count", "path"}, root) {
			l.flag(t.SourceRange(), "Invalid depends_on reference", "depends_on names resources and data sources, and %s is "+
				"neither.", traversalString(t))
			continue
		}
		addr, rest, ok := l.addressOf(t)
		if !ok {
			continue
		}
		if _, isKey := first(rest).(hcl.TraverseIndex); len(rest) > 1 || len(rest) == 1 && !isKey {
			l.flag(t.SourceRange(), "Invalid depends_on reference", "depends_on names whole blocks: write %s, without an "+
				"attribute.", addr)
			continue
		}
		if l.lookUp(addr, t) != nil {
			*refs = append(*refs, edge{to: addr, only: "depends_on", rng: t.SourceRange()})
		}
	}
}

func first(t hcl.Traversal) hcl.Traverser {
	if len(t) == 0 {
		return nil
	}
	return t[0]
}

// attrName returns the name of step i of t, or "" when that is no attribute access.
func attrName(t hcl.Traversal, i int) string {
	if i < len(t) {
		if a, ok := t[i].(hcl.TraverseAttr); ok {
			return a.Name
		}
	}
	return ""
}

// resolveOne resolves the reference t of expr and records it.
func (l *loader) resolveOne(expr hcl.Expression, t hcl.Traversal, s site) {
	at, name := t.SourceRange(), attrName(t, 1)
	switch t.RootName() {
	case "var":
		v := l.c.Variables[name]
		switch {
		case name == "":
			l.flag(at, "Invalid reference", "\"var\" is followed by the name of a variable, as in var.region.")
		case v == nil:
			l.flag(at, "Reference to undeclared variable", "There is no variable named %q.%s Declare it with a variable %q "+
				"block.", name, didYouMean(name, keys(l.c.Variables)), name)
		default:
			l.checkPath(v.Type, t[2:], "var."+name)
		}
	case "local":
		switch {
		case name == "":
			l.flag(at, "Invalid reference", "\"local\" is followed by the name of a local value, as in local.region.")
		case l.c.Locals[name] == nil:
			l.flag(at, "Reference to undeclared local value", "There is no local value named %q.%s Declare it in a locals "+
				"block.", name, didYouMean(name, keys(l.c.Locals)))
		default:
			s.record(edge{local: name, rng: at})
		}
	case "each":
		switch {
		case !s.each:
			l.flag(at, "Reference to each without for_each", "%q can be used only inside a block that has for_each, and not in "+
				"for_each itself.", "each")
		case name != "key" && name != "value":
			l.flag(at, "Invalid each attribute", "\"each\" has the attributes key and value.")
		}
	case "count":
		switch {
		case !s.count:
			l.flag(at, "Reference to count without count", "%q can be used only inside a block that has count, and not in "+
				"count itself.", "count")
		case name != "index":
			l.flag(at, "Invalid count attribute", "\"count\" has the attribute index.")
		}
	case "path":
		if name != "module" && name != "root" && name != "cwd" {
			l.flag(at, "Invalid path attribute", "\"path\" has the attributes module, root and cwd.")
		}
	default:
		l.resolveBlock(expr, t, s)
	}
}

func (s site) record(e edge) {
	if s.refs == nil {
		return
	}
	e.only = s.only
	*s.refs = append(*s.refs, e)
}

// addressOf splits a traversal into the block it names and the steps after.
func (l *loader) addressOf(t hcl.Traversal) (addr Address, rest hcl.Traversal, ok bool) {
	at, root := t.SourceRange(), t.RootName()
	addr, rest = Address{Type: root, Name: attrName(t, 1)}, t[1:]
	if root == "data" {
		addr, rest = Address{Mode: Data, Type: attrName(t, 1), Name: attrName(t, 2)}, t[1:]
		if addr.Type == "" || addr.Name == "" {
			l.flag(at, "Invalid reference", "\"data\" is followed by the type and the name of a data source, as in "+
				"data.is_user.ann.")
			return addr, nil, false
		}
		rest = rest[1:]
	}
	if addr.Name == "" {
		if l.c.Known.Resources[root] != nil {
			l.flag(at, "Invalid reference", "A resource type is followed by the name of a resource, as in %s.example.", root)
		} else {
			l.flag(at, "Invalid reference", "There is nothing named %q here.%s A reference starts with var, local, data, path, "+
				"each, count or a resource type; a text stands in quotes.", root, didYouMean(root, l.roots()))
		}
		return addr, nil, false
	}
	return addr, rest[1:], true
}

func (l *loader) roots() []string {
	roots := []string{"var", "local", "data", "path", "each", "count"}
	return append(roots, keys(l.c.Known.Resources)...)
}

// lookUp returns the block of that address, or reports that t refers to none.
func (l *loader) lookUp(addr Address, t hcl.Traversal) *Block {
	b := l.c.byAddr[addr]
	if b != nil {
		return b
	}
	at := t.SourceRange()
	if l.faulty[addr] {
		l.flagged[at.Filename] = append(l.flagged[at.Filename], at)
		return nil
	}
	known, what := l.c.Known.Resources, "resource"
	if addr.Mode == Data {
		known, what = l.c.Known.Data, "data source"
	}
	if known[addr.Type] == nil {
		candidates := keys(known)
		if addr.Mode == Managed {
			candidates = l.roots()
		}
		l.flag(at, "Reference to undeclared "+what, "There is no %s type %q.%s", what, addr.Type,
			didYouMean(addr.Type, candidates))
		return nil
	}
	l.flag(at, "Reference to undeclared "+what, "The configuration has no %s %s.%s", what, addr, l.nearAddress(addr))
	return nil
}

// suggestionLimit bounds for how many undeclared addresses a near one is sought, so that a
// configuration full of mistakes is not slow.
const suggestionLimit = 50

// nearAddress suggests a declared address for one that is not.
func (l *loader) nearAddress(addr Address) string {
	other := addr
	other.Mode = 1 - other.Mode
	if l.c.byAddr[other] != nil {
		return " Did you mean " + quote(other.String()) + "?"
	}
	if l.suggested++; l.suggested > suggestionLimit {
		return ""
	}
	var names []string
	for _, b := range l.c.Blocks {
		if b.Address.Mode == addr.Mode {
			names = append(names, b.Address.String())
		}
	}
	return didYouMean(addr.String(), names)
}

// resolveBlock resolves a reference to a resource or data source.
func (l *loader) resolveBlock(expr hcl.Expression, t hcl.Traversal, s site) {
	addr, rest, ok := l.addressOf(t)
	if !ok {
		return
	}
	b := l.lookUp(addr, t)
	if b == nil {
		return
	}
	e := edge{to: addr, rng: t.SourceRange()}
	many := b.Count != nil || b.ForEach != nil
	switch step := first(rest).(type) {
	case hcl.TraverseIndex:
		if !l.checkKey(b, step, t) {
			return
		}
		rest = rest[1:]
	case hcl.TraverseAttr:
		if many {
			key := "each.key"
			if b.Count != nil {
				key = "count.index"
			}
			l.flag(t.SourceRange(), "Missing resource instance key", "%s has more than one instance, so an attribute is that of "+
				"one of them. Name it, as in %s[%s].%s.", addr, addr, key, step.Name)
			return
		}
	case nil:
		if many {
			rest = l.after(expr, t)
		}
	}
	e.attr = attrName(rest, 0)
	s.record(e)
	l.checkPath(b.Type.ImpliedType(), rest, addr.String())
}

// checkKey reports whether a literal instance key can be one of b's.
func (l *loader) checkKey(b *Block, step hcl.TraverseIndex, t hcl.Traversal) bool {
	switch {
	case b.Count == nil && b.ForEach == nil:
		l.flag(t.SourceRange(), "Unexpected resource instance key", "%s has neither count nor for_each, and so no instances to "+
			"choose from. Remove the key.", b.Address)
	case b.Count != nil && step.Key.Type() == cty.String && !isNumeric(step.Key.AsString()):
		l.flag(t.SourceRange(), "Invalid resource instance key", "The instances of %s are numbered, since it has count. "+
			"Name one as in %s[0].", b.Address, b.Address)
	case b.ForEach != nil && step.Key.Type() == cty.Number:
		l.flag(t.SourceRange(), "Invalid resource instance key", "The instances of %s have the keys of its for_each, which are "+
			"strings. Name one as in %s[\"key\"].", b.Address, b.Address)
	default:
		return true
	}
	return false
}

func isNumeric(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// after returns the steps that follow t[KEY] or t[*] in expr, where KEY is an expression.
func (l *loader) after(expr hcl.Expression, t hcl.Traversal) hcl.Traversal {
	node, ok := expr.(hclsyntax.Expression)
	if !ok {
		return nil
	}
	at := t.SourceRange()
	is := func(e hclsyntax.Expression) bool {
		scope, ok := e.(*hclsyntax.ScopeTraversalExpr)
		return ok && scope.Traversal.SourceRange() == at
	}
	var found hcl.Traversal
	hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.RelativeTraversalExpr:
			if index, ok := n.Source.(*hclsyntax.IndexExpr); ok && is(index.Collection) {
				found = n.Traversal
			}
		case *hclsyntax.SplatExpr:
			if each, ok := n.Each.(*hclsyntax.RelativeTraversalExpr); ok && is(n.Source) {
				if _, ok := each.Source.(*hclsyntax.AnonSymbolExpr); ok {
					found = each.Traversal
				}
			}
		}
		return nil
	})
	return found
}

// checkPath reports whether steps lead somewhere in a value of type t, which messages call what.
func (l *loader) checkPath(t cty.Type, steps hcl.Traversal, what string) bool {
	for _, step := range steps {
		var name string
		switch step := step.(type) {
		case hcl.TraverseAttr:
			name = step.Name
		case hcl.TraverseIndex:
			if t.IsObjectType() && step.Key.Type() == cty.String {
				name = step.Key.AsString()
			}
		}
		switch {
		case t.IsObjectType() && name != "":
			if !t.HasAttribute(name) {
				l.flag(step.SourceRange(), "Unsupported attribute", "%s has no attribute %q.%s", what, name,
					didYouMean(name, keys(t.AttributeTypes())))
				return false
			}
			t, what = t.AttributeType(name), what+"."+name
		case t.IsMapType() || t.IsListType() && name == "":
			t = t.ElementType()
		default:
			return true // the evaluation knows more
		}
	}
	return true
}
