package engine

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// Import begins to own the object that idOrKey names as the instance at to, which must be
// configured, and changes nothing on the server. What differs from the configuration shows in the
// next plan. records are those of s.
func (r *Reconciler) Import(ctx context.Context, s Session, to config.Address, idOrKey string) (Record, hcl.Diagnostics) {
	none := Record{}
	b := r.Config.Block(to)
	if b == nil || to.Mode != config.Managed {
		return none, hcl.Diagnostics{problem(hcl.Range{}, "Import to an address that is not configured", fmt.Sprintf(
			"There is no resource %s in the configuration. Write its block first: it says which provider and which "+
				"attributes the object has.", to))}
	}
	for _, rec := range s.Records() {
		if rec.Address == to {
			return none, hcl.Diagnostics{problem(b.Range, "Address already owns an object", fmt.Sprintf(
				"%s already owns the object %s. To own another one, let that one go first with \"wso2plan state rm '%s'\".",
				to, rec.ID, to))}
		}
	}
	p := r.newPlanner(s.Meta(), s.Records(), PlanOptions{Targets: []config.Address{to}})
	p.imports[to] = config.ImportTarget{To: to, ID: idOrKey, Range: b.Range}
	p.run(ctx)
	if p.diags.HasErrors() {
		return none, p.diags
	}
	w := p.works[to]
	if w == nil || w.live == nil {
		return none, append(p.diags, problem(b.Range, "Import to an address that is not configured", fmt.Sprintf(
			"%s has no instance %s. Use one of the keys that its count or for_each gives.", to.Block(), to)))
	}
	if w.change.From != (config.Address{}) {
		return none, append(p.diags, problem(b.Range, "Object already owned", fmt.Sprintf(
			"The object %s is owned already, as %s. Move it with \"wso2plan state mv\".", w.live.ID, w.change.From)))
	}
	rec := p.recordOf(w, w.live.ID, p.wanted(w), w.change.Paths, Complete)
	for i := range w.change.Paths {
		// What differs was not applied by us.
		delete(rec.Fingerprints, schema.PathString(w.change.Paths[i].Path))
	}
	if err := s.Commit(ctx, []Op{{Put: &rec}}); err != nil {
		return none, append(p.diags, storeProblem(err))
	}
	return rec, p.diags
}
