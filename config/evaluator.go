package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"wso2plan/config/lang"
	"wso2plan/config/schema"
)

// An Evaluator evaluates the expressions of one Config. It is safe for concurrent use as far as
// the function it was made with is.
//
// A local is evaluated when an expression first uses it and kept, and so is what the body of a
// block refers to: ask for a block's instances and values when the blocks it refers to are final.
type Evaluator struct {
	c      *Config
	values func(block Address) cty.Value
	root   *hcl.EvalContext // functions, var and path
	shares bool             // it keeps what refers to no block in the Config, for other evaluators

	mu     sync.Mutex
	locals map[string]*memo
	bodies map[*Block]*memo
}

// A memo is made once.
type memo struct {
	once      sync.Once
	value     cty.Value
	ctx       *hcl.EvalContext
	instances []Instance
	diags     hcl.Diagnostics
}

// kept holds what evaluators of one Config share: the values of locals, and the instances of
// blocks, that no block decides. A for_each over thousands of rows is then evaluated once.
type kept struct {
	mu        sync.Mutex
	locals    map[string]*memo
	metas     map[*Block]*memo
	instances map[*Block]*memo
}

// memoOf returns the memo of a key, a new one the first time.
func memoOf[K comparable](mu *sync.Mutex, memos *map[K]*memo, key K) *memo {
	mu.Lock()
	defer mu.Unlock()
	if *memos == nil {
		*memos = map[K]*memo{}
	}
	m := (*memos)[key]
	if m == nil {
		m = &memo{}
		(*memos)[key] = m
	}
	return m
}

// Evaluator returns an evaluator. values returns what an expression sees for a whole block: an
// object (neither count nor for_each), a tuple (count), or an object by key (for_each). It is
// called for the blocks that an expression refers to only, and its result is used as it is. impure
// says whether timestamp(), uuid() and bcrypt() give values, as in an apply, or unknowns, as in a
// plan.
func (c *Config) Evaluator(values func(block Address) cty.Value, impure bool) *Evaluator {
	vars := make(map[string]cty.Value, len(c.Variables))
	for name, v := range c.Variables {
		vars[name] = v.Value
	}
	e := c.evaluator(vars, values, impure)
	e.shares = !impure
	return e
}

func (c *Config) evaluator(vars map[string]cty.Value, values func(Address) cty.Value, impure bool) *Evaluator {
	cwd, err := os.Getwd()
	if err != nil {
		cwd = "."
	}
	return &Evaluator{
		c:      c,
		values: values,
		root: &hcl.EvalContext{
			Functions: lang.Functions(c.Dir, impure),
			Variables: map[string]cty.Value{
				"var": cty.ObjectVal(vars),
				// Functions take relative paths from Dir, so there the module is ".".
				"path": cty.ObjectVal(map[string]cty.Value{
					"module": cty.StringVal("."),
					"root":   cty.StringVal("."),
					"cwd":    cty.StringVal(filepath.ToSlash(cwd)),
				}),
			},
		},
	}
}

// context returns a context with the root names that the edges lead to, and no others.
func (e *Evaluator) context(lists ...[]edge) (*hcl.EvalContext, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	var locals map[string]cty.Value
	types := map[string]map[string]cty.Value{}
	data := map[string]map[string]cty.Value{}
	seen := map[Address]bool{}
	for _, edges := range lists {
		for _, r := range edges {
			if r.local != "" {
				if _, ok := locals[r.local]; ok {
					continue
				}
				if locals == nil {
					locals = map[string]cty.Value{}
				}
				v, more := e.local(r.local)
				locals[r.local] = v
				diags = append(diags, more...)
				continue
			}
			if seen[r.to] {
				continue
			}
			seen[r.to] = true
			group := types
			if r.to.Mode == Data {
				group = data
			}
			if group[r.to.Type] == nil {
				group[r.to.Type] = map[string]cty.Value{}
			}
			group[r.to.Type][r.to.Name] = e.values(r.to)
		}
	}
	if locals == nil && len(seen) == 0 {
		return e.root, nil
	}
	ctx := e.root.NewChild()
	ctx.Variables = make(map[string]cty.Value, len(types)+2)
	if locals != nil {
		ctx.Variables["local"] = cty.ObjectVal(locals)
	}
	for name, blocks := range types {
		ctx.Variables[name] = cty.ObjectVal(blocks)
	}
	if len(data) > 0 {
		byType := make(map[string]cty.Value, len(data))
		for name, blocks := range data {
			byType[name] = cty.ObjectVal(blocks)
		}
		ctx.Variables["data"] = cty.ObjectVal(byType)
	}
	return ctx, diags
}

// local returns the value of a local, cty.DynamicVal when it has none.
func (e *Evaluator) local(name string) (cty.Value, hcl.Diagnostics) {
	local := e.c.Locals[name]
	if local.cyclic {
		return cty.DynamicVal, nil // reported by Load
	}
	m := memoOf(&e.mu, &e.locals, name)
	if e.shares && local.static {
		m = memoOf(&e.c.kept.mu, &e.c.kept.locals, name)
	}
	m.once.Do(func() { m.value, m.diags = e.evaluate(local.Expr, local.refs) })
	return m.value, m.diags
}

// evaluate evaluates an expression that is in no block.
func (e *Evaluator) evaluate(expr hcl.Expression, refs []edge) (cty.Value, hcl.Diagnostics) {
	ctx, diags := e.context(refs)
	v, more := expr.Value(ctx)
	diags = append(diags, more...)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	return v, diags
}

// bodyContext returns the context of b's body, one for all instances.
func (e *Evaluator) bodyContext(b *Block) (*hcl.EvalContext, hcl.Diagnostics) {
	m := memoOf(&e.mu, &e.bodies, b)
	m.once.Do(func() { m.ctx, m.diags = e.context(b.refs) })
	return m.ctx, m.diags
}

// An Instance is one of a block's instances.
type Instance struct {
	Key   cty.Value // a number (count), a string (for_each), or cty.NilVal
	Value cty.Value // each.value; cty.NilVal without for_each
}

// maxCount bounds count, since what is above is a mistake and would fill the memory.
const maxCount = 100_000

// Instances returns the instances of b in the order of their keys. A block without count and
// for_each has one, with no key. An unknown count or for_each is an error that names what is
// unknown, and what to key by instead.
func (e *Evaluator) Instances(b *Block) ([]Instance, hcl.Diagnostics) {
	if !e.shares || !b.staticMeta {
		return e.findInstances(b)
	}
	m := memoOf(&e.c.kept.mu, &e.c.kept.instances, b)
	m.once.Do(func() { m.instances, m.diags = e.findInstances(b) })
	return m.instances, m.diags
}

// meta returns the value of count or for_each of b.
func (e *Evaluator) meta(b *Block) (cty.Value, hcl.Diagnostics) {
	expr := b.ForEach
	if expr == nil {
		expr = b.Count
	}
	if !e.shares || !b.staticMeta {
		return e.evaluate(expr, b.metaRefs)
	}
	m := memoOf(&e.c.kept.mu, &e.c.kept.metas, b)
	m.once.Do(func() { m.value, m.diags = e.evaluate(expr, b.metaRefs) })
	return m.value, m.diags
}

func (e *Evaluator) findInstances(b *Block) ([]Instance, hcl.Diagnostics) {
	switch {
	case b.Count != nil:
		return e.countInstances(b)
	case b.ForEach != nil:
		v, diags := e.meta(b)
		return e.forEachInstances(v, diags, b.ForEach, b.metaRefs)
	}
	return []Instance{{}}, nil
}

func (e *Evaluator) countInstances(b *Block) ([]Instance, hcl.Diagnostics) {
	v, diags := e.meta(b)
	if diags.HasErrors() {
		return nil, diags
	}
	at := b.Count.Range().Ptr()
	bad := func(format string, args ...any) ([]Instance, hcl.Diagnostics) {
		return nil, append(diags, problem(at, "Invalid count argument", format, args...))
	}
	if v.IsMarked() {
		return bad("The count is sensitive, and the number of instances could not be shown then. Use nonsensitive() if " +
			"it may be.")
	}
	n, err := convert.Convert(v, cty.Number)
	switch {
	case err != nil:
		return bad("The count is not a number: %s.", err)
	case n.IsNull():
		return bad("The count is null. It is a whole number, 0 or more.")
	case !n.IsKnown():
		return bad("The count depends on %s, which is known only after apply. Compute it from what the configuration says, "+
			"or use for_each with keys from there.", e.unknownIn(b.Count, b.metaRefs))
	}
	count, ok := isWholeNumber(n)
	switch {
	case !ok || count < 0:
		return bad("The count is %s. It is a whole number, 0 or more.", n.AsBigFloat().Text('f', -1))
	case count > maxCount:
		return bad("The count is %d, and %d is the most that is allowed.", count, maxCount)
	}
	out := make([]Instance, count)
	for i := range out {
		out[i].Key = cty.NumberIntVal(int64(i))
	}
	return out, diags
}

// forEachInstances returns the instances that a for_each of a block or an import asks for.
// v and diags are what evaluating it gave.
func (e *Evaluator) forEachInstances(v cty.Value, diags hcl.Diagnostics, expr hcl.Expression, refs []edge) ([]Instance, hcl.Diagnostics) {
	if diags.HasErrors() {
		return nil, diags
	}
	at := expr.Range().Ptr()
	bad := func(format string, args ...any) ([]Instance, hcl.Diagnostics) {
		return nil, append(diags, problem(at, "Invalid for_each argument", format, args...))
	}
	if v.IsMarked() {
		return bad("The for_each is sensitive, and its keys would be shown in addresses. Use nonsensitive() around the keys " +
			"if they may be.")
	}
	t := v.Type()
	unknown := func() ([]Instance, hcl.Diagnostics) {
		return bad("The keys of for_each depend on %s, which is known only after apply. Key by what the configuration says, "+
			"such as names, and put the unknown in the values: for_each = { NAME = UNKNOWN, … }.", e.unknownIn(expr, refs))
	}
	switch {
	case v.IsNull():
		return bad("The for_each is null. It is a map, or a set of strings; an empty one, {}, makes no instances.")
	case t == cty.DynamicPseudoType:
		return unknown()
	case t.IsSetType() && t.ElementType() != cty.String && t.ElementType() != cty.DynamicPseudoType:
		return bad("The for_each is %s, and a set must be one of strings. Use a map from names to these values, as in "+
			"{ for x in …: x.name => x }.", typeName(t))
	case t.IsListType() || t.IsTupleType():
		return bad("The for_each is %s, and it must be a map or a set of strings. Write toset(…) around a list of strings, or "+
			"make a map as in { for x in …: x.name => x }.", typeName(t))
	case !t.IsMapType() && !t.IsObjectType() && !t.IsSetType():
		return bad("The for_each is %s, and it must be a map or a set of strings.", typeName(t))
	case !v.IsKnown() || t.IsSetType() && !v.IsWhollyKnown():
		return unknown()
	}
	out := make([]Instance, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if t.IsSetType() {
			key = value
		}
		if key.IsNull() {
			return bad("The set of for_each holds null, which cannot be a key. Leave it out.")
		}
		out = append(out, Instance{Key: key, Value: value})
	}
	slices.SortFunc(out, func(a, b Instance) int { return strings.Compare(a.Key.AsString(), b.Key.AsString()) })
	return out, diags
}

// typeName names a type with its article.
func typeName(t cty.Type) string {
	name := t.FriendlyName()
	if strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

// unknownIn names the references of expr whose values are unknown.
func (e *Evaluator) unknownIn(expr hcl.Expression, refs []edge) string {
	ctx, _ := e.context(refs)
	var names []string
	for _, t := range expr.Variables() {
		v, diags := t.TraverseAbs(ctx)
		if diags.HasErrors() || v.IsWhollyKnown() {
			continue
		}
		name := traversalString(t)
		if t.RootName() == "local" {
			if inner := e.unknownLocal(attrName(t, 1)); inner != "" {
				name += " (" + inner + ")"
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "something"
	}
	return strings.Join(names, " and ")
}

func (e *Evaluator) unknownLocal(name string) string {
	local := e.c.Locals[name]
	if local == nil || len(local.refs) == 0 {
		return ""
	}
	return e.unknownIn(local.Expr, local.refs)
}

// traversalString writes a reference as the source does.
func traversalString(t hcl.Traversal) string {
	var s strings.Builder
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			s.WriteString(step.Name)
		case hcl.TraverseAttr:
			s.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			s.WriteString(Address{}.Instance(step.Key).Key)
		}
	}
	return s.String()
}

// Decode evaluates the body of one instance of b to a value of its type: defaults filled in,
// sensitive values marked, enumerations, Validate and Check applied, unknowns left unknown. A data
// block has values for what it may configure, and nulls. With errors the value is of no use.
func (e *Evaluator) Decode(b *Block, i Instance) (cty.Value, hcl.Diagnostics) {
	if b.constant != cty.NilVal && !b.partial() {
		return b.constant, nil
	}
	ctx, diags := e.instanceContext(b, i)
	t := b.Type
	if b.Address.Mode == Data && !t.DataOnly {
		t = nil // it checks what is written, and this only says what is looked for
	}
	return decode(b.sorted, b.spec, b.dynamic, ctx, t, diags)
}

// instanceContext returns the context of the body of one instance of b.
func (e *Evaluator) instanceContext(b *Block, i Instance) (*hcl.EvalContext, hcl.Diagnostics) {
	ctx, diags := e.bodyContext(b)
	switch {
	case b.ForEach != nil:
		ctx = ctx.NewChild()
		ctx.Variables = map[string]cty.Value{
			"each": cty.ObjectVal(map[string]cty.Value{"key": i.Key, "value": i.Value}),
		}
	case b.Count != nil:
		ctx = ctx.NewChild()
		ctx.Variables = map[string]cty.Value{"count": cty.ObjectVal(map[string]cty.Value{"index": i.Key})}
	}
	return ctx, diags
}

// Provider evaluates a provider block, whose decoder is that of its schema.
func (e *Evaluator) Provider(p *Provider) (cty.Value, hcl.Diagnostics) {
	ctx, diags := e.context(p.refs)
	known := e.c.Known.Providers[p.Name]
	return decode(p.Body, spec{decoder: known.Spec(), block: &known}, hasDynamic(p.Body), ctx, nil, diags)
}

// decode evaluates a body. t is the type whose Check applies, or nil; diags is what was wrong
// before, with the context.
func decode(body hcl.Body, s spec, dynamic bool, ctx *hcl.EvalContext, t *schema.Type, diags hcl.Diagnostics) (cty.Value, hcl.Diagnostics) {
	if dynamic {
		body = dynblock.Expand(body, ctx)
	}
	v, more := hcldec.Decode(body, s.decoder, ctx)
	c := checker{body: body, spec: s, diags: append(slices.Clip(diags), more...)}
	if c.block(s.block, v, nil); c.diags.HasErrors() {
		return cty.DynamicVal, Distinct(c.diags)
	}
	v = s.defaults(v)
	if t != nil && t.Check != nil {
		for _, p := range t.Check(v) {
			c.add(p.Path, p.Summary, "%s", p.Detail)
		}
	}
	return v, Distinct(c.diags)
}

// Output evaluates an output. A sensitive one is marked; one that holds sensitive values and is
// not declared so is an error.
func (e *Evaluator) Output(o *Output) (cty.Value, hcl.Diagnostics) {
	v, diags := e.evaluate(o.Expr, o.refs)
	switch {
	case diags.HasErrors():
		return cty.DynamicVal, diags
	case o.Sensitive:
		v, _ = v.UnmarkDeep()
		return v.Mark(schema.Sensitive), diags
	case v.ContainsMarked():
		return cty.DynamicVal, append(diags, problem(o.Expr.Range().Ptr(), "Output refers to sensitive values",
			"The output %q holds sensitive values, which would be shown. Write sensitive = true in it, or nonsensitive(…) "+
				"around the value if it may be shown.", o.Name))
	}
	return v, diags
}

// An ImportTarget is one object that an import block asks to own.
type ImportTarget struct {
	To    Address // with its Key
	ID    string  // the object's ID, or its key as it stands in the documentation of the type
	Range hcl.Range
}

// Imports returns what the import blocks ask for, in source order.
func (e *Evaluator) Imports() ([]ImportTarget, hcl.Diagnostics) {
	var out []ImportTarget
	var diags hcl.Diagnostics
	first := map[Address]hcl.Range{}
	for _, im := range e.c.Imports {
		instances := []Instance{{}}
		if im.ForEach != nil {
			var more hcl.Diagnostics
			v, evaluated := e.evaluate(im.ForEach, im.refs)
			instances, more = e.forEachInstances(v, evaluated, im.ForEach, im.refs)
			diags = append(diags, more...)
		}
		ctx, more := e.context(im.refs)
		diags = append(diags, more...)
		if more.HasErrors() {
			continue
		}
		for _, i := range instances {
			target, more := importTarget(im, i, ctx)
			diags = append(diags, more...)
			if more.HasErrors() {
				continue
			}
			if at, ok := first[target.To]; ok {
				diags = append(diags, problem(im.Range.Ptr(), "Duplicate import", "Something is already imported into %s at "+
					"%s:%d. An instance is one object: import the other into another one.", target.To, at.Filename,
					at.Start.Line))
				continue
			}
			first[target.To] = im.Range
			out = append(out, target)
		}
	}
	return out, Distinct(diags)
}

func importTarget(im *Import, i Instance, ctx *hcl.EvalContext) (ImportTarget, hcl.Diagnostics) {
	if im.ForEach != nil {
		ctx = ctx.NewChild()
		ctx.Variables = map[string]cty.Value{
			"each": cty.ObjectVal(map[string]cty.Value{"key": i.Key, "value": i.Value}),
		}
	}
	target := ImportTarget{To: im.Block, Range: im.Range}
	if im.key != nil {
		key, diags := settled(im.key, ctx, cty.DynamicPseudoType, "key of the import target")
		if diags.HasErrors() {
			return target, diags
		}
		if key.Type() != cty.String && key.Type() != cty.Number {
			return target, hcl.Diagnostics{problem(im.key.Range().Ptr(), "Invalid import target",
				"The key of the import target is %s, and a key is a string or a number.", typeName(key.Type()))}
		}
		target.To = im.Block.Instance(key)
	}
	id, diags := settled(im.ID, ctx, cty.String, "id")
	if diags.HasErrors() {
		return target, diags
	}
	target.ID = id.AsString()
	if target.ID == "" {
		diags = append(diags, problem(im.ID.Range().Ptr(), "Invalid import id", "The id is empty. Write the ID or the key of "+
			"the object to import."))
	}
	return target, diags
}

// settled evaluates an expression that must be known, neither null nor sensitive.
func settled(expr hcl.Expression, ctx *hcl.EvalContext, t cty.Type, what string) (cty.Value, hcl.Diagnostics) {
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return v, diags
	}
	bad := func(why string) (cty.Value, hcl.Diagnostics) {
		return v, append(diags, problem(expr.Range().Ptr(), "Invalid import block", "The %s is %s.", what, why))
	}
	if v.ContainsMarked() {
		return bad("sensitive, and it would be shown in the plan")
	}
	v, err := convert.Convert(v, t)
	switch {
	case err != nil:
		return bad(fmt.Sprintf("of the wrong type: %s", err))
	case v.IsNull():
		return bad("null")
	case !v.IsWhollyKnown():
		return bad("not known before apply")
	}
	return v, diags
}
