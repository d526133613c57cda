package engine

import (
	"context"
	"time"

	"wso2plan/config"
)

// A Store remembers which live objects we own. Apart from what an adopted object held before us,
// it knows no attribute values: the servers are their only copy.
type Store interface {
	// Lock begins the only writing session, or fails with *LockedError.
	Lock(ctx context.Context, h Holder) (Session, error)
	// Unlock removes a lock by force; the session that held it can commit no more. An id that is
	// not the lock's is an error that names the lock's.
	Unlock(ctx context.Context, id string) error
	// Read returns the records without the lock, for plan and show. A store that does not exist
	// yet is empty, with the zero Meta.
	Read(ctx context.Context) (Meta, []Record, error)
}

// A Session is the one writer of a store, from Lock to Close. Safe for concurrent use.
type Session interface {
	Context() context.Context // cancelled when the lock is lost
	Meta() Meta
	Records() []Record // as they are now, sorted by address
	// Commit makes ops durable, all or none, before it returns; concurrent commits share one
	// write. It is refused after a forced unlock.
	Commit(ctx context.Context, ops []Op) error
	// Queue is Commit without the wait: ops have their place before those of every later Commit and
	// Queue, and durable waits until they are durable, all or none. Who goes on meanwhile can lose
	// them by a crash, but not what he commits later without them.
	Queue(ctx context.Context, ops []Op) (durable func() error)
	Close() error
}

// Holder says who holds a lock, for people.
type Holder struct {
	ID        string    `json:"id"`        // random; force-unlock takes it
	Who       string    `json:"who"`       // user@host
	Operation string    `json:"operation"` // "apply"
	PID       int       `json:"pid"`
	Created   time.Time `json:"created"`
}

// LockedError says that another process holds the lock.
type LockedError struct{ Holder Holder }

func (e *LockedError) Error() string {
	return "the store is locked by " + e.Holder.Who + " (" + e.Holder.Operation + ", since " +
		e.Holder.Created.Format(time.RFC3339) + ", id " + e.Holder.ID + ")"
}

// Meta identifies a store and its version.
type Meta struct {
	Lineage string // random, given at the first write; two stores never share it
	Serial  uint64 // grows with each commit
}

// An Op is one step of a commit: it puts a record, or deletes the one at an address.
type Op struct {
	Put    *Record
	Delete *config.Address
}

// Status says how far the creation of a record's object came.
type Status string

// The statuses.
const (
	Intent     Status = "intent"     // a create was begun; ID is not known
	Incomplete Status = "incomplete" // it exists, and a later step failed
	Complete   Status = "complete"
)

// A Record is one object that we own.
type Record struct {
	Address      config.Address    `json:"address"`
	Provider     string            `json:"provider"` // "apim", "apim.acme"
	Realm        string            `json:"realm"`
	ID           string            `json:"id,omitempty"`
	Status       Status            `json:"status"`
	Key          map[string]string `json:"key,omitempty"`          // of an intent: what it will be found by, as JSON values
	Deposed      []string          `json:"deposed,omitempty"`      // ids replaced create-first and not yet deleted
	Adopted      bool              `json:"adopted,omitempty"`      // destroying lets it go, after putting back Original
	Original     map[string]string `json:"original,omitempty"`     // adopted only: first-seen values, as JSON, of the managed, non-sensitive paths
	Protected    bool              `json:"protected,omitempty"`    // had prevent_destroy
	Parents      []config.Address  `json:"parents,omitempty"`      // blocks named by Parent attributes
	Dependencies []config.Address  `json:"dependencies,omitempty"` // blocks, followed through locals and data
	Fingerprints map[string]string `json:"fingerprints,omitempty"` // per managed path "keyid:alg:hex" of what was last applied
}
