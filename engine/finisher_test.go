package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"wso2plan/engine"
)

// A finishing provider notes when it is told that an apply ends.
type finishing struct {
	*provider
	finish func(ctx context.Context) ([]string, error)
}

func (f finishing) Finish(ctx context.Context) ([]string, error) { return f.finish(ctx) }

// applied plans and applies src with a provider that finishes.
func applied(b *bench, ctx context.Context, src string, finish func(context.Context) ([]string, error)) (*engine.Result, hcl.Diagnostics) {
	b.t.Helper()
	r := b.reconciler(src)
	r.Providers["fake"] = func() engine.Provider { return finishing{&provider{w: b.w, realm: "here"}, finish} }
	s, err := b.store.Lock(context.Background(), engine.Holder{ID: "x", Who: "test", Operation: "apply"})
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close()
	p, diags := r.Plan(context.Background(), s.Meta(), s.Records(), b.opts)
	if diags.HasErrors() {
		b.t.Fatal(diags)
	}
	return r.Apply(ctx, p, s)
}

func TestFinish(t *testing.T) {
	b := newBench(t)
	src := `
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name = "b"
}
`
	calls := 0
	_, diags := applied(b, t.Context(), src, func(ctx context.Context) ([]string, error) {
		calls++
		if n := len(b.w.things); n != 2 || ctx.Err() != nil {
			t.Errorf("finished after %d of 2 writes, %v", n, ctx.Err())
		}
		return []string{"something is to be done by hand"}, nil
	})
	if calls != 1 || len(diags) != 1 || diags[0].Severity != hcl.DiagWarning || diags[0].Summary != `Provider "fake"` ||
		diags[0].Detail != "something is to be done by hand." {
		t.Errorf("%d calls; %v", calls, diags)
	}

	// Without a write too; what fails is an error of the apply, whose result stands.
	result, diags := applied(b, t.Context(), src, func(context.Context) ([]string, error) { return nil, errors.New("no restart") })
	fails(t, diags, "Apply not finished", `Provider "fake": no restart.`)
	if result == nil || result.Failed != 0 {
		t.Errorf("%+v", result)
	}

	// After a write that failed, since others may have been done.
	b.w.before = func(method string, _ *thing) error { return refusal("no") }
	called := false
	_, diags = applied(b, t.Context(), src+"resource \"fake_thing\" \"c\" {\n  name = \"c\"\n}\n", func(context.Context) ([]string, error) {
		called = true
		return nil, nil
	})
	if fails(t, diags, "Cannot create fake_thing"); !called {
		t.Error("not finished after a failure")
	}
	b.w.before = nil

	// An interrupted run is told so.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, diags = applied(b, ctx, src+"resource \"fake_thing\" \"c\" {\n  name = \"c\"\n}\n", func(ctx context.Context) ([]string, error) {
		return []string{fmt.Sprint(ctx.Err())}, nil
	})
	fails(t, diags, "Interrupted")
	found := false
	for _, d := range diags {
		found = found || d.Detail == "context canceled."
	}
	if !found {
		t.Errorf("the interrupted run is finished with a context that goes on: %v", diags)
	}

	// A plan that only looks has nothing to finish.
	b.opts.RefreshOnly = true
	_, diags = applied(b, t.Context(), src, func(context.Context) ([]string, error) { return []string{"never"}, nil })
	if len(diags) > 0 {
		t.Errorf("refresh-only: %v", diags)
	}
}
