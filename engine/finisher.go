package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A Finisher ends an apply: it does once, after all writes, what many of them need, such as
// restarting a server that reads its files when it starts. Optional for a Provider.
type Finisher interface {
	// Finish is called when the writes of an apply are done or given up, also when there was none.
	// ctx is cancelled when the run was interrupted: then nothing is begun. Notes are for people,
	// without a full stop, and are shown as warnings. What an error leaves undone must be done by
	// the Finish of a later apply.
	Finish(ctx context.Context) (notes []string, err error)
}

// finish ends an apply at each provider in use, in the order of their names.
func (cs *connections) finish(ctx context.Context) hcl.Diagnostics {
	cs.mu.Lock()
	var used []*connection
	for _, c := range cs.byRef {
		used = append(used, c)
	}
	cs.mu.Unlock()
	slices.SortFunc(used, func(a, b *connection) int { return strings.Compare(a.ref, b.ref) })
	var diags hcl.Diagnostics
	for _, c := range used {
		f, ok := c.provider.(Finisher)
		if !ok || c.err != nil {
			continue
		}
		var subject *hcl.Range
		if c.decl != nil && c.decl.Range != (hcl.Range{}) {
			subject = c.decl.Range.Ptr()
		}
		notes, err := f.Finish(ctx)
		for _, note := range notes {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: fmt.Sprintf("Provider %q", c.ref),
				Detail: note + ".", Subject: subject})
		}
		if err != nil {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Apply not finished",
				Detail: fmt.Sprintf("Provider %q: %s.", c.ref, err), Subject: subject})
		}
	}
	return diags
}
