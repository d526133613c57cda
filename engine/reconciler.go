package engine

import (
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
)

// A Reconciler plans and applies one configuration. Its fields are set before first use and not
// changed afterwards.
type Reconciler struct {
	Config    *config.Config
	Providers map[string]func() Provider // by name; one call for each provider block that is used
	Keys      *Keys                      // for fingerprints
	Progress  func(Event)                // called from many goroutines, one at a time; nil: no progress
}

// EventKind says what an Event tells.
type EventKind int

// The kinds of event.
const (
	Reading  EventKind = iota // Done of Total objects were read; Total grows as blocks are reached
	Started                   // the operation on Address began
	Waiting                   // it is still going on, after Elapsed; sent every 10 s
	Finished                  // it is done
	Failed                    // it failed
	Skipped                   // it was not begun, since something it depends on failed
)

// An Event is a step of a plan or an apply, for showing progress.
type Event struct {
	Kind        EventKind
	Done, Total int
	Address     config.Address
	Action      Action // Create, Update, Delete, Read; Forget lets go; a replacement sends Delete and Create
	ID          string
	Elapsed     time.Duration
}

// A Result is what an apply did.
type Result struct {
	Counts  Counts               // what was done, as Plan.Counts counts it
	Outputs map[string]cty.Value // marked when sensitive
	Failed  int                  // operations that failed
	Skipped int                  // operations not begun since something failed
}
