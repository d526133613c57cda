// Package storetest is the contract that every store of package store passes.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wso2plan/config"
	"wso2plan/engine"
)

// Run tests a kind of store. create makes a new, empty store and returns a function that opens it,
// which may be called often: every Store that it returns stands for another process. Where stores
// outlive the process, what one commits the next reads.
func Run(t *testing.T, create func(t *testing.T) (open func() engine.Store)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, open func() engine.Store)
	}{
		{"empty", testEmpty},
		{"commit", testCommit},
		{"queue", testQueue},
		{"commit is checked", testCommitChecked},
		{"commit of nothing", testCommitNothing},
		{"every field", testEveryField},
		{"records are copies", testCopies},
		{"order", testOrder},
		{"odd keys", testOddKeys},
		{"big records", testBig},
		{"many records", testMany},
		{"reopened", testReopened},
		{"concurrent commits", testConcurrent},
		{"read while written", testReadWhileWritten},
		{"locked", testLocked},
		{"one of many locks", testOneOfManyLocks},
		{"forced unlock", testForcedUnlock},
		{"forced unlock under commits", testForcedUnlockUnderCommits},
		{"wrong id", testWrongID},
		{"closed", testClosed},
		{"cancelled", testCancelled},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, create(t))
		})
	}
	t.Run("model", func(t *testing.T) { testModel(t, create) })
}

// Holder returns the holder of a lock with that id.
func Holder(id string) engine.Holder {
	return engine.Holder{ID: id, Who: "ann@build", Operation: "apply", PID: 4711,
		Created: time.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC)}
}

// Record returns a record with a value in every field.
func Record(name, key string) engine.Record {
	block := config.Address{Type: "is_role", Name: "viewer"}
	return engine.Record{
		Address: config.Address{Type: "is_user", Name: name, Key: key}, Provider: "is", Realm: "is|https://localhost:9444|carbon.super",
		ID: "7b1c-" + name, Status: engine.Complete, Key: map[string]string{"name": `"` + name + `"`},
		Deposed: []string{"old-1", "old-2"}, Adopted: true, Original: map[string]string{"enabled": "true", "note": `"<a> & \"b\" ${c}"`},
		Protected: true, Parents: []config.Address{block}, Dependencies: []config.Address{block, {Mode: config.Data, Type: "is_group", Name: "all"}},
		Fingerprints: map[string]string{"password": "ab12cd34:hmac-sha256:00ff", "email": "ab12cd34:hmac-sha256:11ee"},
	}
}

// Put returns the operation that puts r.
func Put(r engine.Record) engine.Op { return engine.Op{Put: &r} }

// Delete returns the operation that deletes the record at a.
func Delete(a config.Address) engine.Op { return engine.Op{Delete: &a} }

func user(name string) engine.Record {
	return engine.Record{Address: config.Address{Type: "is_user", Name: name}, Provider: "is", Realm: "r", Status: engine.Intent}
}

func lock(t testing.TB, s engine.Store, id string) engine.Session {
	t.Helper()
	session, err := s.Lock(context.Background(), Holder(id))
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func commit(t testing.TB, s engine.Session, ops ...engine.Op) {
	t.Helper()
	if err := s.Commit(context.Background(), ops); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func closeSession(t testing.TB, s engine.Session) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func read(t testing.TB, s engine.Store) (engine.Meta, []engine.Record) {
	t.Helper()
	meta, list, err := s.Read(context.Background())
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return meta, list
}

// same fails unless both lists are equal; an empty one equals nil.
func same(t testing.TB, what string, want, got []engine.Record) {
	t.Helper()
	if len(want) == 0 && len(got) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// holds fails unless session and store both hold those records.
func holds(t testing.TB, open func() engine.Store, session engine.Session, want ...engine.Record) {
	t.Helper()
	same(t, "Session.Records", want, session.Records())
	meta, list := read(t, open())
	same(t, "Store.Read", want, list)
	if meta != session.Meta() {
		t.Fatalf("Read gives %+v, the session %+v", meta, session.Meta())
	}
}

func numbered(i int) engine.Record { return Record("u", fmt.Sprintf("[%d]", i)) }
