package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wso2plan/engine"
)

func testLocked(t *testing.T, open func() engine.Store) {
	first := open()
	s := lock(t, first, "a")
	for _, other := range []engine.Store{open(), first} {
		_, err := other.Lock(context.Background(), Holder("b"))
		got, ok := isLocked(err)
		if !ok {
			t.Fatalf("a second Lock gives %v", err)
		}
		if diff := cmp.Diff(Holder("a"), got); diff != "" {
			t.Fatalf("the holder (-want +got):\n%s", diff)
		}
	}
	commit(t, s, Put(user("ann"))) // the attempts did no harm
	closeSession(t, s)
	s = lock(t, open(), "b")
	holds(t, open, s, user("ann"))
}

func testOneOfManyLocks(t *testing.T, open func() engine.Store) {
	// Many lock at once, time and again; never do two hold the lock, and each sees what the former
	// committed.
	const rounds, lockers = 10, 8
	var held, won atomic.Int32
	var wait sync.WaitGroup
	for i := range lockers {
		wait.Go(func() {
			for round := range rounds {
				s, err := open().Lock(context.Background(), Holder(fmt.Sprint(i, round)))
				if _, ok := isLocked(err); ok {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if held.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				if n := won.Add(1); s.Meta().Serial != uint64(n-1) {
					t.Errorf("locked the %d. time, the serial is %d", n, s.Meta().Serial)
				}
				if err := s.Commit(context.Background(), []engine.Op{Put(user("ann"))}); err != nil {
					t.Error(err)
				}
				held.Add(-1)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if won.Load() == 0 {
		t.Fatal("nobody got the lock")
	}
}

func testForcedUnlock(t *testing.T, open func() engine.Store) {
	old := lock(t, open(), "a")
	commit(t, old, Put(user("ann")))
	if err := open().Unlock(context.Background(), "a"); err != nil {
		t.Fatalf("Unlock: %v", err)
	}
	if err := old.Commit(context.Background(), []engine.Op{Put(user("bob"))}); err == nil {
		t.Fatal("a session whose lock was taken away can commit")
	}
	select {
	case <-old.Context().Done():
	case <-time.After(time.Second):
		t.Fatal("its Context is not cancelled")
	}
	s := lock(t, open(), "b")
	holds(t, open, s, user("ann"))
	commit(t, s, Put(user("carl")))
	if err := old.Commit(context.Background(), []engine.Op{Put(user("bob"))}); err == nil {
		t.Fatal("a session whose lock was taken away can commit")
	}
	if err := old.Close(); err != nil {
		t.Fatalf("Close after a forced unlock: %v", err)
	}
	if _, err := open().Lock(context.Background(), Holder("c")); err == nil {
		t.Fatal("closing the old session unlocked the new one")
	}
	commit(t, s, Put(user("dora")))
	holds(t, open, s, user("ann"), user("carl"), user("dora"))

	// Without a commit, the Context says it too.
	if err := open().Unlock(context.Background(), "b"); err != nil {
		t.Fatalf("Unlock: %v", err)
	}
	select {
	case <-s.Context().Done():
	case <-time.After(time.Second):
		t.Fatal("the Context of an idle session is not cancelled")
	}
}

func testForcedUnlockUnderCommits(t *testing.T, open func() engine.Store) {
	// Sessions commit as fast as they can while their locks are taken away, one after the other.
	// Whatever was acknowledged is there in the end.
	const sessions, writers = 6, 4
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var wait sync.WaitGroup
	for n := range sessions {
		s := lock(t, open(), fmt.Sprint(n))
		var some sync.WaitGroup
		for w := range writers {
			some.Add(1)
			wait.Go(func() {
				for i := 0; ; i++ {
					r := Record(fmt.Sprintf("s%d-w%d", n, w), fmt.Sprintf("[%d]", i))
					if s.Commit(context.Background(), []engine.Op{Put(r)}) != nil {
						if i < 3 {
							some.Done()
						}
						return
					}
					mu.Lock()
					acknowledged[r.Address.String()] = true
					mu.Unlock()
					if i == 2 {
						some.Done()
					}
				}
			})
		}
		some.Wait()
		if err := open().Unlock(context.Background(), fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	wait.Wait()
	_, list := read(t, open())
	for _, r := range list {
		delete(acknowledged, r.Address.String())
	}
	if len(acknowledged) > 0 {
		t.Fatalf("%d acknowledged records are lost: %v", len(acknowledged), acknowledged)
	}
	if len(list) < sessions*writers*3 {
		t.Fatalf("only %d records", len(list))
	}
}

func testWrongID(t *testing.T, open func() engine.Store) {
	if err := open().Unlock(context.Background(), "a"); err == nil {
		t.Fatal("a store that is not locked can be unlocked")
	}
	s := lock(t, open(), "a")
	err := open().Unlock(context.Background(), "b")
	if err == nil {
		t.Fatal("Unlock takes any id")
	}
	for _, want := range []string{`"b"`, "id a", Holder("a").Who} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s: %v", want, err)
		}
	}
	commit(t, s, Put(user("ann")))
	if s.Context().Err() != nil {
		t.Fatal("the Context is cancelled")
	}
	closeSession(t, s)
	if err := open().Unlock(context.Background(), "a"); err == nil {
		t.Fatal("a store that is not locked any more can be unlocked")
	}
	holds(t, open, lock(t, open(), "c"), user("ann"))
}

func testClosed(t *testing.T, open func() engine.Store) {
	s := lock(t, open(), "a")
	commit(t, s, Put(user("ann")))
	for range 3 {
		closeSession(t, s)
	}
	if err := s.Commit(context.Background(), []engine.Op{Put(user("bob"))}); err == nil {
		t.Fatal("a closed session commits")
	}
	if s.Context().Err() == nil {
		t.Fatal("the Context of a closed session goes on")
	}
	next := lock(t, open(), "b")
	closeSession(t, s) // does not unlock the next
	if _, err := open().Lock(context.Background(), Holder("c")); err == nil {
		t.Fatal("closing a session twice unlocked another")
	}
	holds(t, open, next, user("ann"))
	closeSession(t, next)

	// Close waits for commits that have begun: each is whole or refused.
	s = lock(t, open(), "d")
	var wait sync.WaitGroup
	var count atomic.Int32
	started := make(chan struct{}, 8)
	for i := range 8 {
		wait.Go(func() {
			for j := 0; ; j++ {
				if s.Commit(context.Background(), []engine.Op{Put(user(fmt.Sprintf("u%d-%d", i, j)))}) != nil {
					return
				}
				count.Add(1)
				if j == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 8 {
		<-started
	}
	closeSession(t, s)
	wait.Wait()
	if _, list := read(t, open()); len(list) != 1+int(count.Load()) {
		t.Fatalf("%d commits succeeded, and there are %d records", count.Load(), len(list)-1)
	}
}

func testCancelled(t *testing.T, open func() engine.Store) {
	cancelled, cancel := context.WithCancel(context.Background())
	s, err := open().Lock(cancelled, Holder("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cancel()
	if s.Context().Err() != nil {
		t.Fatal("the Context ends with that of Lock, but means the lock alone")
	}
	if err := s.Commit(cancelled, []engine.Op{Put(user("ann"))}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Commit gives %v", err)
	}
	if _, _, err := open().Read(cancelled); !errors.Is(err, context.Canceled) {
		t.Fatalf("Read gives %v", err)
	}
	if err := open().Unlock(cancelled, "a"); !errors.Is(err, context.Canceled) {
		t.Fatalf("Unlock gives %v", err)
	}
	holds(t, open, s)
	commit(t, s, Put(user("ann")))
	closeSession(t, s)
	if _, err := open().Lock(cancelled, Holder("b")); !errors.Is(err, context.Canceled) {
		t.Fatalf("Lock gives %v", err)
	}
	holds(t, open, lock(t, open(), "c"), user("ann"))
}
