package engine

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// An Action says what happens to an object. It is its own symbol.
//
//	action    Before     After                    what happens
//	None      live       live                     nothing
//	Create    null       wanted, with unknowns    made
//	Update    live       wanted over live         changed in place
//	Replace   live       wanted, with unknowns    deleted and made, or made and deleted (CreateFirst)
//	Delete    live       null                     deleted; an adopted one is let go (Release)
//	Import    live       live                     owned from now on, as it is
//	Move      live       live                     its record changes address
//	Forget    null       null                     its record is dropped: it is gone already
//	Read      null       unknown                  a data source, read during apply
//
// An imported or moved object may change at the same time: then the action is the change's, and
// Imported or From is set.
type Action rune

// The actions.
const (
	None    Action = 0
	Create  Action = '+'
	Update  Action = '~'
	Replace Action = '±'
	Delete  Action = '-'
	Import  Action = '<'
	Move    Action = '>'
	Forget  Action = '.'
	Read    Action = '≤'
)

// Kind says why a path of an object changes, by the table of W (wanted), L (live) and F (the
// fingerprint of what was last applied).
type Kind int

// The kinds.
const (
	Pending      Kind = iota // W≠L, F=L: the configuration was edited
	Drift                    // W≠L, F=W: the server was edited
	Both                     // W≠L, F neither
	NewlyManaged             // W≠L, no F
	Secret                   // write-only, F≠W: it will be written
	Uncompared               // write-only, no F: cannot be compared and is not written
	Unmanaged                // managed until now and dropped from the configuration; stays as it is
	Consequent               // a ReadOnly attribute that changes with others
)

// A PathChange is one path of a change. Before and After may be marked sensitive; After may be
// unknown. For Secret and Uncompared Before is null.
type PathChange struct {
	Path          cty.Path
	Kind          Kind
	Before, After cty.Value
	Replaces      bool // it cannot be changed in place, so the object is replaced
}

// A Change is what the plan does with one object.
type Change struct {
	Address config.Address
	From    config.Address // where it is moved from; zero otherwise
	Type    *schema.Type
	Action  Action
	ID      string // of the live object; "" before create

	Imported    bool     // it begins to be owned by an import block or the import command
	Adopted     bool     // the server's own object: letting go restores what it held before
	Release     bool     // with Delete: it is let go, not deleted
	CreateFirst bool     // with Replace: the new one is made before the old one is deleted
	Deposed     []string // ids replaced earlier and still to delete
	Incomplete  bool     // an earlier apply ended before it was whole

	Before, After cty.Value
	AsLive        bool      // After is Before itself, in which nothing is sensitive but what the schema calls so
	Wanted        cty.Value // the decoded block; cty.NilVal for an object that is not configured
	Paths         []PathChange
	Reason        string // "name cannot be changed in place"; why it is replaced or deleted
	Consequence   string // what it means for others
	Blockers      []string
	Range         hcl.Range
}

// HasDrift reports whether a path of the object was edited on the server.
func (c *Change) HasDrift() bool {
	for i := range c.Paths {
		if k := c.Paths[i].Kind; k == Drift || k == Both {
			return true
		}
	}
	return false
}

// An OutputChange is an output with the value that it has now (of the live objects) and after the
// plan. Marked when sensitive.
type OutputChange struct {
	Name          string
	Before, After cty.Value
	Sensitive     bool
}

// A Plan is what an apply would do. It is sorted by address: the same input prints the same bytes.
// The order of work is the operation graph's, made from it.
type Plan struct {
	Changes []Change // every managed object, unchanged ones with None, and deferred data sources
	Outputs []OutputChange
	Options PlanOptions

	// Unknown lists objects that could not be read, so that the plan says nothing of them or of
	// what depends on them.
	Unknown []config.Address

	// Stats of the reading.
	Objects int // objects read

	state *planState // what apply goes on with; nil in a plan that this process did not make
}

// PlanOptions are the choices of one plan. They are part of a saved plan.
type PlanOptions struct {
	Destroy        bool             // plan the deletion of everything owned
	Targets        []config.Address // only these and what they depend on; empty: all
	Replace        []config.Address // replace these even without a change
	AllowMissing   bool             // go on when everything owned of a type is gone
	RewriteSecrets bool             // write secrets that cannot be compared
	RefreshOnly    bool             // only show what others changed on the servers; an apply writes nothing
}

// Counts of a plan, as its summary line says them.
type Counts struct{ Import, Add, Change, Destroy, Move, Forget int }

// Counts counts the changes: a replacement is one to add and one to destroy; an adopted object that
// is let go is one to forget.
func (p *Plan) Counts() Counts {
	var n Counts
	for i := range p.Changes {
		c := &p.Changes[i]
		switch c.Action {
		case Create:
			n.Add++
		case Update:
			n.Change++
		case Replace:
			n.Add++
			n.Destroy++
		case Delete:
			if c.Release {
				n.Forget++
			} else {
				n.Destroy++
			}
		case Forget:
			n.Forget++
		}
		n.Destroy += len(c.Deposed)
		if c.Imported || c.Action == Import {
			n.Import++
		}
		if c.From != (config.Address{}) {
			n.Move++
		}
	}
	return n
}

// Empty reports whether the plan changes no object, no record and no output.
func (p *Plan) Empty() bool {
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Action != None || c.Imported || c.From != (config.Address{}) || len(c.Deposed) > 0 {
			return false
		}
	}
	for i := range p.Outputs {
		if o := &p.Outputs[i]; !o.unchanged() {
			return false
		}
	}
	return true
}

func (o *OutputChange) unchanged() bool {
	b, _ := o.Before.UnmarkDeep()
	a, _ := o.After.UnmarkDeep()
	return b.RawEquals(a)
}
