package is

import (
	"context"
	"fmt"

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
		return o, fmt.Errorf("after %d of its changes were made: %w", w.done, rest.Unfound(err))
	}
	o, err := read(ctx, id)
	if err != nil && w.done > 0 {
		return nil, fmt.Errorf("it was changed, but could not be read: %w", rest.Unfound(err))
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
