// Package engine makes live objects match a configuration: it plans what differs and applies it
// in an order that no server refuses, knowing nothing of WSO2 or HTTP.
package engine

import (
	"context"
	"errors"
	"iter"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// A Finder finds live objects of one type by their key. Safe for concurrent use.
type Finder interface {
	Schema() *schema.Type

	// Find returns the object that the key attributes of wanted name, or ErrNotFound. It is called
	// only when they are known; wanted has the schema's type and may hold marks. A data source is
	// read by Find, and then the whole decoded block is passed.
	Find(ctx context.Context, wanted cty.Value) (*Object, error)
}

// A Type reads and writes the live objects of one resource type. Methods are safe for concurrent
// use.
//
// Create and Update may return an Object and an error: the object exists, and a later step failed;
// it is recorded as incomplete and the next plan goes on with it. An error of Create without an
// Object for which Refused is true means that nothing was made; any other leaves the intent, and
// the object is looked for by its key before anything is sent again.
//
// Only ErrNotFound means gone. Any other failure to read means unknown: its dependents are not
// planned, no delete is ordered past it, and the run fails.
type Type interface {
	Finder

	Read(ctx context.Context, id string) (*Object, error)

	// Create makes an object. planned has the schema's type, with no unknowns but in ReadOnly and
	// unset attributes, which are left to the server.
	Create(ctx context.Context, planned cty.Value) (*Object, error)

	// Update changes the object to planned. It reads the object again first, and returns ErrMoved
	// when a path that differs between live.Value and planned no longer holds what live says. A
	// WriteOnly attribute that is null in planned keeps its stored value.
	Update(ctx context.Context, live *Object, planned cty.Value) (*Object, error)

	// Delete removes the object; one that is gone already is no error.
	Delete(ctx context.Context, live *Object) error
}

// A Lister enumerates every object of its type, complete as Read returns them. Optional.
type Lister interface {
	// List yields all objects. It yields ErrCostly, at once or after some objects, if the listing
	// takes more than limit requests; the engine then reads one by one. A listing may lag: an
	// owned object that it lacks is Read before it counts as gone.
	List(ctx context.Context, limit int) iter.Seq2[*Object, error]
}

// A Directory looks for many objects in one reading of a listing that holds their keys and less
// than whole objects. Optional.
type Directory interface {
	// Directory reads the listing and returns what tells the ids of the objects with the key of
	// wanted. It fails with ErrCostly if that takes more than limit requests.
	Directory(ctx context.Context, limit int) (ids func(wanted cty.Value) []string, err error)
}

// Exclusive serializes writes: those of a realm whose strings are equal and not empty run one at a
// time, from their read to their write, whatever their types. Optional.
type Exclusive interface {
	Exclusive(planned cty.Value) string
}

// A Checker refuses a plan of its type that the server would refuse or that would do harm, such as
// two enabled key managers with one issuer. Optional. It is called once per provider block with
// all planned values of the type.
type Checker interface {
	CheckPlan(ctx context.Context, planned []Planned) []PlanProblem
}

// Planned is one object of a plan, for Checker.
type Planned struct {
	Address string
	Live    *Object   // nil when it does not exist yet
	After   cty.Value // null when it is deleted; may hold unknowns and marks
	Action  Action
}

// A PlanProblem is what a Checker found, about the i-th Planned that it was given.
type PlanProblem struct {
	Index           int
	Attribute       string // "" for the whole block
	Summary, Detail string
	Warning         bool
}

// Blockers names what stops an object from being deleted, such as the applications that hold keys
// of a key manager. Optional; asked while planning a replacement or a deletion.
type Blockers interface {
	Blockers(ctx context.Context, live *Object) ([]string, error)
}

// Consequence tells what a change means for others beyond the object, in one sentence, or "".
// Optional; asked after Blockers. "Clients of this application fail until they have the new secret."
type Consequence interface {
	Consequence(action Action, before, after cty.Value) string
}

// An Object is what is live.
type Object struct {
	ID     string
	Value  cty.Value // of the schema's type, wholly known; Once attributes are null when not returned
	System bool      // the server's own (resident key manager, seeded policy): adopted, never created or deleted
}

// A Provider is one product's resource types. One Provider serves one provider block.
type Provider interface {
	Name() string         // "apim"
	Schema() schema.Block // of its provider block
	Types() []Type
	Data() []Finder // those that can only be read

	// Configure connects the types to the server that block describes and returns its realm: which
	// server and tenant this is, the same for every address by which it can be reached. Warnings
	// are for people, such as a surprising version of the server.
	Configure(ctx context.Context, block cty.Value) (realm string, warnings []string, err error)
}

// Errors that a Type returns, alone or wrapped.
var (
	// ErrNotFound: the server says that the object does not exist.
	ErrNotFound = errors.New("not found")
	// ErrMoved: the object was changed since the plan.
	ErrMoved = errors.New("changed since it was planned")
	// ErrCostly: a listing takes more requests than allowed.
	ErrCostly = errors.New("listing takes too many requests")
)

// Refused reports whether err is a definite refusal by the server, so that nothing was written:
// an error in whose chain an error with a method Refused() bool says so.
func Refused(err error) bool {
	var r interface{ Refused() bool }
	return errors.As(err, &r) && r.Refused()
}

// AttributeError is an error about one attribute of a block; providers return it so that the
// engine can point at it.
type AttributeError struct {
	Attribute string
	Summary   string // a noun phrase; "" takes the engine's own
	Err       error
}

func (e *AttributeError) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *AttributeError) Unwrap() error { return e.Err }
