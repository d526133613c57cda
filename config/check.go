package config

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// check evaluates everything with what is known before any server is asked: references to blocks
// are unknown values of their types.
func (l *loader) check() {
	static := l.staticValues()
	vars := make(map[string]cty.Value, len(l.c.Variables))
	unknownVars := make(map[string]cty.Value, len(l.c.Variables))
	for name, v := range l.c.Variables {
		vars[name] = v.Value
		unknownVars[name] = cty.UnknownVal(v.Type)
		if v.Sensitive {
			unknownVars[name] = unknownVars[name].Mark(schema.Sensitive)
		}
		if v.Value == cty.NilVal {
			vars[name] = unknownVars[name]
		}
	}
	known := l.c.evaluator(vars, static, false)
	known.shares = !l.in.AllowMissing
	// A block with count may have no instances just because its body makes no sense for the values
	// at hand, so such bodies are checked for all values.
	open := l.c.evaluator(unknownVars, static, false)

	for _, name := range keys(l.c.Locals) {
		_, diags := known.local(name)
		l.addUnflagged(diags)
	}
	l.checkBlocks(known, open)
	for _, o := range l.c.Outputs {
		_, diags := known.Output(o)
		l.addUnflagged(diags)
	}
	for _, ref := range keys(l.c.Providers) {
		_, diags := known.Provider(l.c.Providers[ref])
		l.addUnflagged(diags)
	}
	if !l.diags.HasErrors() {
		_, diags := known.Imports()
		for _, d := range diags {
			if d.Severity != hcl.DiagError || !l.in.AllowMissing {
				l.diags = append(l.diags, d)
			}
		}
	}
}

// checkBlocks decodes every block once, on all processors.
func (l *loader) checkBlocks(known, open *Evaluator) {
	results := make([]hcl.Diagnostics, len(l.c.Blocks))
	parts := max(1, min(runtime.GOMAXPROCS(0), len(l.c.Blocks)/16))
	var wait sync.WaitGroup
	for part := range parts {
		wait.Go(func() {
			for i := part; i < len(l.c.Blocks); i += parts {
				results[i] = checkBlock(l.c.Blocks[i], known, open)
			}
		})
	}
	wait.Wait()
	for _, diags := range results {
		l.addUnflagged(diags)
	}
}

func checkBlock(b *Block, known, open *Evaluator) hcl.Diagnostics {
	switch {
	case b.ForEach != nil:
		each := cty.DynamicVal
		v, diags := known.meta(b)
		if diags.HasErrors() {
			return diags
		}
		if keysKnown(v) {
			if _, more := known.Instances(b); more.HasErrors() {
				return more
			}
		}
		if t := v.Type(); t.IsSetType() || t.IsMapType() {
			each = cty.UnknownVal(t.ElementType())
		}
		_, more := open.Decode(b, Instance{Key: cty.UnknownVal(cty.String), Value: each})
		return append(diags, more...)
	case b.Count != nil:
		v, diags := known.meta(b)
		if diags.HasErrors() {
			return diags
		}
		if keysKnown(v) {
			if _, more := known.Instances(b); more.HasErrors() {
				return more
			}
		}
		_, more := open.Decode(b, Instance{Key: cty.UnknownVal(cty.Number)})
		return append(diags, more...)
	}
	v, diags := known.DecodeWritten(b, Instance{})
	if len(diags) == 0 && v.IsWhollyKnown() {
		b.constant = v // most blocks are, and it spares a plan to decode them again
	}
	return diags
}

// keysKnown reports whether a count or for_each says how many instances there are.
func keysKnown(v cty.Value) bool {
	v, _ = v.Unmark()
	return v.IsKnown() && (!v.Type().IsSetType() || v.IsWhollyKnown())
}

// staticValues returns what expressions see for blocks before any is read.
func (l *loader) staticValues() func(Address) cty.Value {
	single := map[specKey]cty.Value{}
	for _, b := range l.c.Blocks {
		key := specKey{b.Type, b.Address.Mode}
		if _, ok := single[key]; !ok {
			single[key] = b.Type.MarkSensitive(unknownObject(b.Type.ImpliedType()))
		}
	}
	return func(a Address) cty.Value {
		b := l.c.byAddr[a]
		switch {
		case b == nil:
			return cty.DynamicVal
		case b.Count != nil:
			return cty.UnknownVal(cty.List(b.Type.ImpliedType()))
		case b.ForEach != nil:
			return cty.UnknownVal(cty.Map(b.Type.ImpliedType()))
		}
		return single[specKey{b.Type, b.Address.Mode}]
	}
}

// unknownObject returns an object whose every attribute is unknown.
func unknownObject(t cty.Type) cty.Value {
	attrs := make(map[string]cty.Value, len(t.AttributeTypes()))
	for name, at := range t.AttributeTypes() {
		attrs[name] = cty.UnknownVal(at)
	}
	return cty.ObjectVal(attrs)
}

// Check decodes every instance that can be known without a server, and returns what is wrong with
// them. Load has checked each block once, for all its instances; this finds the one bad row of a
// thousand.
func (c *Config) Check() hcl.Diagnostics {
	l := &loader{c: c}
	e := c.Evaluator(l.staticValues(), false)
	var diags hcl.Diagnostics
	for _, b := range c.Blocks {
		if b.ForEach == nil && b.Count == nil {
			continue // decoded by Load
		}
		v, more := e.meta(b)
		if more.HasErrors() || !keysKnown(v) {
			diags = append(diags, more...)
			continue
		}
		instances, more := e.Instances(b)
		diags = append(diags, more...)
		for _, i := range instances {
			_, more := e.Decode(b, i)
			diags = append(diags, more...)
		}
	}
	return Distinct(diags)
}

// A checker finds what is wrong with a decoded body beyond its types.
type checker struct {
	body  hcl.Body
	spec  spec
	diags hcl.Diagnostics
}

func (c *checker) add(path cty.Path, summary, format string, args ...any) {
	at, _ := c.rangeOf(path)
	c.diags = append(c.diags, problem(&at, summary, format, args...))
}

// block checks the attributes of a block at path: that required ones are not null, enumerations,
// and Validate.
func (c *checker) block(b *schema.Block, v cty.Value, path cty.Path) {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return
	}
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if a.ReadOnly {
			continue
		}
		if c.absent(v, path, a.Name) {
			continue
		}
		x := v.GetAttr(a.Name)
		if !x.IsMarked() && x.IsNull() {
			if !c.requires(a) {
				continue
			}
			// That it is not written at all is the decoder's finding.
			if r, written := c.rangeOf(at(path, a.Name)); written {
				c.diags = append(c.diags, problem(&r, "Missing required argument", "The argument %q is required, and its value "+
					"is null.", a.Name))
			}
			continue
		}
		if len(a.Enum) > 0 {
			c.enum(a, x, at(path, a.Name))
		}
		if a.Validate != nil {
			c.validate(a, x, at(path, a.Name))
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		if c.absent(v, path, n.Name) {
			continue
		}
		x, _ := v.GetAttr(n.Name).Unmark()
		if x.IsNull() || !x.IsKnown() {
			continue
		}
		if n.Nesting == schema.Single {
			c.block(&n.Block, x, at(path, n.Name))
			continue
		}
		j := 0
		for it := x.ElementIterator(); it.Next(); j++ {
			_, elem := it.Element()
			c.block(&n.Block, elem, at(path, n.Name).IndexInt(j))
		}
	}
}

// absent reports whether v, the block at path, was decoded without an attribute that its body does
// not write.
func (c *checker) absent(v cty.Value, path cty.Path, name string) bool {
	return c.spec.partial && len(path) == 0 && !v.Type().HasAttribute(name)
}

// requires reports whether the attribute must be configured.
func (c *checker) requires(a *schema.Attribute) bool {
	if c.spec.data != nil {
		return slices.Contains(c.spec.data.Key, a.Name) && !a.HasDefault()
	}
	return a.Required
}

func at(path cty.Path, name string) cty.Path { return path.Copy().GetAttr(name) }

// enum checks that v, or each of its elements, is one of the allowed strings.
func (c *checker) enum(a *schema.Attribute, v cty.Value, path cty.Path) {
	sensitive := a.Sensitive || v.ContainsMarked()
	v, _ = v.UnmarkDeep()
	if !v.IsKnown() || v.IsNull() {
		return
	}
	if v.Type() != cty.String {
		if v.CanIterateElements() {
			for it := v.ElementIterator(); it.Next(); {
				_, elem := it.Element()
				if elem.Type() == cty.String {
					c.enumString(a, elem, path, sensitive)
				}
			}
		}
		return
	}
	c.enumString(a, v, path, sensitive)
}

func (c *checker) enumString(a *schema.Attribute, v cty.Value, path cty.Path, sensitive bool) {
	if !v.IsKnown() || v.IsNull() {
		return
	}
	for _, allowed := range a.Enum {
		if allowed == v.AsString() {
			return
		}
	}
	if sensitive {
		c.add(path, "Unsupported value", "The value of %q, which is sensitive, is not one of %s.", a.Name, list(a.Enum))
		return
	}
	c.add(path, "Unsupported value", "%q cannot be %q.%s The values allowed are %s.", a.Name, v.AsString(),
		didYouMean(v.AsString(), a.Enum), list(a.Enum))
}

// validate applies the attribute's own rule.
func (c *checker) validate(a *schema.Attribute, v cty.Value, path cty.Path) {
	sensitive := a.Sensitive || v.ContainsMarked()
	v, _ = v.UnmarkDeep()
	if !v.IsWhollyKnown() || v.IsNull() {
		return
	}
	err := a.Validate(v)
	if err == nil {
		return
	}
	text := err.Error()
	if sensitive && quotes(text, v) {
		text = "the value, which is sensitive, does not fit"
	}
	c.add(path, "Invalid value", "Inappropriate value for attribute %q: %s.", a.Name, strings.TrimSuffix(text, "."))
}

// quotes reports whether text holds a string or number that v is made of.
func quotes(text string, v cty.Value) bool {
	found := false
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.IsNull() || !v.Type().IsPrimitiveType() {
			return true, nil
		}
		s := ""
		switch v.Type() {
		case cty.String:
			s = v.AsString()
		case cty.Number:
			s = v.AsBigFloat().Text('f', -1)
		}
		if s != "" && (strings.Contains(text, s) || strings.Contains(text, fmt.Sprintf("%q", s))) {
			found = true
		}
		return true, nil
	})
	return found
}

// rangeOf returns where the value at path is written, as near as can be told, and whether it is
// written at all.
func (c *checker) rangeOf(path cty.Path) (hcl.Range, bool) {
	body, form := c.body, hcldec.Spec(c.spec.decoder)
	where := body.MissingItemRange()
	for i := 0; i < len(path); i++ {
		step, ok := path[i].(cty.GetAttrStep)
		if !ok {
			return where, true
		}
		content, _ := body.Content(hcldec.ImpliedSchema(form))
		if a := content.Attributes[step.Name]; a != nil {
			return a.Expr.Range(), true
		}
		blocks := content.Blocks.OfType(step.Name)
		n := 0
		if i+1 < len(path) {
			if index, ok := path[i+1].(cty.IndexStep); ok && index.Key.Type() == cty.Number {
				n, _ = isWholeNumber(index.Key)
				i++
			}
		}
		nested := hcldec.ChildBlockTypes(form)[step.Name]
		if n >= len(blocks) || nested == nil {
			return where, false
		}
		where, body, form = blocks[n].DefRange, blocks[n].Body, nested
	}
	return where, true
}
