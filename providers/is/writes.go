package is

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// writes is a change that takes several requests. Whatever of it was made when one fails is kept and
// reported with the object, so that the next plan goes on from there.
type writes struct {
	client  *rest.Client
	planned cty.Value // whose secrets no error may hold
	done    int
}

// send sends one of the requests.
func (w *writes) send(ctx context.Context, r rest.Request) (*rest.Response, error) {
	res, err := w.client.Do(ctx, r)
	if err != nil {
		return nil, rest.Hide(err, w.planned)
	}
	w.done++
	return res, nil
}

// result reads the object after the last request, or after the one that failed with err.
func (w *writes) result(ctx context.Context, id string, err error, read func(context.Context, string) (*engine.Object, error)) (*engine.Object, error) {
	if err != nil {
		if w.done == 0 {
			return nil, err
		}
		o, _ := read(context.WithoutCancel(ctx), id)
		return o, fmt.Errorf("after %d of its changes were made: %w", w.done, rest.Unclear(err))
	}
	o, err := read(ctx, id)
	if err != nil && w.done > 0 {
		return nil, fmt.Errorf("it was changed, but could not be read: %w", rest.Unclear(err))
	}
	return o, err
}

// made returns the object that planned describes, for one that was made and could not be read.
func made(b *schema.Block, id string, planned cty.Value) *engine.Object {
	planned, _ = planned.UnmarkDeep()
	v, err := cty.Transform(planned, func(_ cty.Path, v cty.Value) (cty.Value, error) {
		if !v.IsKnown() {
			return cty.NullVal(v.Type()), nil
		}
		return v, nil
	})
	if err != nil {
		v = b.Object(nil)
	}
	return &engine.Object{ID: id, Value: v}
}

// eq is a filter of the server APIs for a value. Values stand in it without quotes (is-behaviour 1.10),
// so one that holds a word such as "and" would be read as more than a value: then there is none, and
// all has to be looked through.
func eq(attribute, value string) url.Values {
	for _, word := range strings.Fields(value) {
		switch strings.ToLower(word) {
		case "and", "or", "not":
			return url.Values{}
		}
	}
	return url.Values{"filter": {attribute + " eq " + value}}
}

// blockOf returns a nested block of an object, null when the object is.
func blockOf(v cty.Value, name string) cty.Value {
	if v.IsNull() || !v.IsKnown() {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return v.GetAttr(name)
}

// elements returns the blocks of a list, none when it is null or not known.
func elements(list cty.Value) []cty.Value {
	if list.IsNull() || !list.IsKnown() {
		return nil
	}
	return list.AsValueSlice()
}

// element returns the block of a list whose attribute has that value.
func element(list cty.Value, attribute, value string) (cty.Value, bool) {
	for _, e := range elements(list) {
		if stringOf(e, attribute) == value {
			return e, true
		}
	}
	return cty.NilVal, false
}

// twice reports the blocks of a list that have one key.
func twice(v cty.Value, block, attribute, what string) []schema.Problem {
	var out []schema.Problem
	seen := map[string]bool{}
	for i, e := range elements(v.GetAttr(block)) {
		if key := e.GetAttr(attribute); !key.IsKnown() || key.IsNull() {
			continue
		}
		key := stringOf(e, attribute)
		if seen[key] {
			out = append(out, schema.Problem{
				Path:    cty.GetAttrPath(block).IndexInt(i),
				Summary: "Duplicate " + what,
				Detail:  fmt.Sprintf("There are two %s blocks for %q. Write it once.", block, key),
			})
		}
		seen[key] = true
	}
	return out
}

// differs reports whether planned says something else than now. What planned leaves open, and what
// cannot be compared, is no difference.
func differs(b *schema.Block, now, planned cty.Value) bool {
	return len(different(b, now, planned)) > 0
}

// different returns the names of what planned says otherwise than now, "claims.dialect" within blocks.
// Other than rest.Different it takes a null within a block for open too.
func different(b *schema.Block, now, planned cty.Value) []string {
	if planned.IsNull() || !planned.IsKnown() {
		return nil
	}
	var names []string
	for i := range b.Attributes {
		a := &b.Attributes[i]
		want := planned.GetAttr(a.Name)
		if a.ReadOnly || a.WriteOnly || want.IsNull() || !want.IsWhollyKnown() {
			continue
		}
		if !known(now) || !rest.Equal(a, want, now.GetAttr(a.Name)) {
			names = append(names, a.Name)
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		want, have := blockOf(planned, n.Name), blockOf(now, n.Name)
		switch {
		case !known(want):
		case n.Nesting == schema.Single:
			if !known(have) {
				names = append(names, n.Name)
				continue
			}
			for _, name := range different(&n.Block, have, want) {
				names = append(names, n.Name+"."+name)
			}
		case differentElements(n, elements(have), elements(want)):
			names = append(names, n.Name)
		}
	}
	return names
}

// differentElements compares the blocks of a list: by key where they have one, by place otherwise.
func differentElements(n *schema.NestedBlock, now, planned []cty.Value) bool {
	if len(now) != len(planned) {
		return true
	}
	for i, want := range planned {
		have := now[i]
		if len(n.Key) > 0 {
			found := false
			for _, have = range now {
				if found = sameKey(n, have, want); found {
					break
				}
			}
			if !found {
				return true
			}
		}
		if differs(&n.Block, have, want) {
			return true
		}
	}
	return false
}

func sameKey(n *schema.NestedBlock, x, y cty.Value) bool {
	for _, name := range n.Key {
		if !rest.Equal(n.Attribute(name), x.GetAttr(name), y.GetAttr(name)) {
			return false
		}
	}
	return true
}

// notKept returns an error that names what was to change from now to planned, and which the server
// holds otherwise. now is null for an object that was made. What was not to change is not looked at:
// the server derives some of it from the rest.
func notKept(t *schema.Type, now, planned cty.Value, got *engine.Object) error {
	planned, _ = planned.UnmarkDeep()
	now, _ = now.UnmarkDeep()
	names := lost(&t.Block, now, planned, got.Value)
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("the server did not keep %s as written: it may not take the value, or not let one be emptied that was set once; "+
		"look at what it shows, and write that, or leave it out", strings.Join(names, ", "))
}

func lost(b *schema.Block, now, planned, got cty.Value) []string {
	var names []string
	one := schema.Block{Attributes: make([]schema.Attribute, 1)}
	for i := range b.Attributes {
		one.Attributes[0] = b.Attributes[i]
		if differs(&one, now, planned) && differs(&one, got, planned) {
			names = append(names, b.Attributes[i].Name)
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		was, want, has := blockOf(now, n.Name), blockOf(planned, n.Name), blockOf(got, n.Name)
		only := schema.Block{Blocks: []schema.NestedBlock{*n}}
		switch {
		case !known(want):
		case n.Nesting == schema.Single && known(has):
			for _, name := range lost(&n.Block, was, want, has) {
				names = append(names, n.Name+"."+name)
			}
		case differs(&only, now, planned) && differs(&only, got, planned):
			names = append(names, n.Name)
		}
	}
	return names
}
