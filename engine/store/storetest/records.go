package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/engine"
)

func testEmpty(t *testing.T, open func() engine.Store) {
	meta, list := read(t, open())
	if meta != (engine.Meta{}) || len(list) != 0 {
		t.Fatalf("a new store has %+v and %d records", meta, len(list))
	}
	s := lock(t, open(), "a")
	holds(t, open, s)
	closeSession(t, s)
	if meta, _ := read(t, open()); meta != (engine.Meta{}) {
		t.Fatalf("a session without a commit left %+v", meta)
	}
}

func testCommit(t *testing.T, open func() engine.Store) {
	s := lock(t, open(), "a")
	ann, bob := user("ann"), user("bob")
	commit(t, s, Put(ann), Put(bob))
	first := s.Meta()
	if len(first.Lineage) < 16 || first.Serial != 1 {
		t.Fatalf("after the first commit Meta is %+v", first)
	}
	holds(t, open, s, ann, bob)

	ann.ID, ann.Status = "1", engine.Complete
	commit(t, s, Put(ann))
	holds(t, open, s, ann, bob)

	// In order: what a commit puts it may delete, and the other way round.
	carl := user("carl")
	commit(t, s, Put(carl), Delete(carl.Address), Delete(bob.Address), Put(bob), Delete(ann.Address))
	holds(t, open, s, bob)

	commit(t, s, Delete(ann.Address)) // not there: nothing happens
	commit(t, s, Delete(bob.Address))
	holds(t, open, s)
	if want := (engine.Meta{Lineage: first.Lineage, Serial: 5}); s.Meta() != want {
		t.Fatalf("after five commits Meta is %+v, not %+v", s.Meta(), want)
	}
}

// What is queued comes before what is committed later, durable with it at the latest.
func testQueue(t *testing.T, open func() engine.Store) {
	s := lock(t, open(), "a")
	ann, bob := user("ann"), user("bob")
	var durable []func() error
	for i := range 50 {
		ann.ID = fmt.Sprint(i)
		durable = append(durable, s.Queue(context.Background(), []engine.Op{Put(ann)}))
	}
	commit(t, s, Put(bob))
	holds(t, open, s, ann, bob)
	for _, wait := range durable {
		if err := wait(); err != nil {
			t.Fatalf("durable gives %v", err)
		}
		if err := wait(); err != nil {
			t.Fatalf("asked again, durable gives %v", err)
		}
	}
	wait := s.Queue(context.Background(), []engine.Op{Delete(bob.Address)})
	closeSession(t, s)
	if err := wait(); err != nil {
		t.Fatalf("durable gives %v after Close", err)
	}
	if _, list := read(t, open()); len(list) != 1 || list[0].ID != ann.ID {
		t.Fatalf("after Close the store holds %+v", list)
	}
	if err := s.Queue(context.Background(), []engine.Op{Put(bob)})(); err == nil {
		t.Fatal("a closed session took a commit")
	}
}

func testCommitChecked(t *testing.T, open func() engine.Store) {
	s := lock(t, open(), "a")
	ann := user("ann")
	commit(t, s, Put(ann))
	binary := user("bob")
	binary.ID = "\xff"
	for what, op := range map[string]engine.Op{
		"neither":      {},
		"both":         {Put: &ann, Delete: &ann.Address},
		"no address":   Put(engine.Record{Realm: "r"}),
		"odd address":  Delete(config.Address{Type: "is_user", Name: "a.b"}),
		"odd key":      Delete(config.Address{Type: "is_user", Name: "a", Key: `["x`}),
		"binary value": Put(binary),
	} {
		if err := s.Commit(context.Background(), []engine.Op{Delete(ann.Address), op}); err == nil {
			t.Errorf("Commit took an operation with %s", what)
		}
	}
	holds(t, open, s, ann)
}

func testCommitNothing(t *testing.T, open func() engine.Store) {
	s := lock(t, open(), "a")
	commit(t, s)
	holds(t, open, s)
	commit(t, s, Put(user("ann")))
	before := s.Meta()
	commit(t, s)
	if s.Meta() != before {
		t.Fatalf("a commit of nothing made %+v of %+v", s.Meta(), before)
	}
}

func testEveryField(t *testing.T, open func() engine.Store) {
	r := Record("ann", `["x"]`)
	for _, v := range reflect.ValueOf(r).Fields() {
		if v.IsZero() {
			t.Fatalf("Record leaves a field empty: %+v", r)
		}
	}
	s := lock(t, open(), "a")
	commit(t, s, Put(r))
	holds(t, open, s, r)
	closeSession(t, s)
	s = lock(t, open(), "b")
	holds(t, open, s, r)
	closeSession(t, s)

	// Empty and nil are the same.
	bare := user("bob")
	empty := bare
	empty.Key, empty.Deposed, empty.Parents = map[string]string{}, []string{}, []config.Address{}
	s = lock(t, open(), "c")
	commit(t, s, Delete(r.Address), Put(empty))
	holds(t, open, s, bare)
}

func testCopies(t *testing.T, open func() engine.Store) {
	s := lock(t, open(), "a")
	r := Record("ann", "")
	commit(t, s, Put(r))
	r.Fingerprints["password"] = "changed"
	s.Records()[0].Deposed[0] = "changed"
	_, list := read(t, open())
	list[0].Key["name"] = "changed"
	holds(t, open, s, Record("ann", ""))
}

func testOrder(t *testing.T, open func() engine.Store) {
	// By module, mode, type, name and key, numbers by their value.
	var want []engine.Record
	for _, a := range []config.Address{
		{Type: "is_group", Name: "z"},
		{Type: "is_user", Name: "a"},
		{Type: "is_user", Name: "a", Key: `["a"]`},
		{Type: "is_user", Name: "b", Key: "[2]"},
		{Type: "is_user", Name: "b", Key: "[10]"},
		{Mode: config.Data, Type: "is_group", Name: "z"},
		{Module: "module.a", Type: "is_group", Name: "z"},
		{Module: `module.a["x.y"]`, Type: "is_group", Name: "z"},
		{Module: `module.a["x.y"].module.b[3]`, Mode: config.Data, Type: "is_group", Name: "z", Key: "[0]"},
	} {
		want = append(want, engine.Record{Address: a, Provider: "is", Realm: "r", Status: engine.Complete, ID: a.String()})
	}
	s := lock(t, open(), "a")
	for i := range want {
		commit(t, s, Put(want[(i*4+5)%len(want)]))
	}
	holds(t, open, s, want...)
}

func testOddKeys(t *testing.T, open func() engine.Store) {
	s := lock(t, open(), "a")
	keys := []string{"", `"`, `\`, `\"`, "a.b", "]", "[", `"]`, `["a"]`, "${x}", "%{ if x }", "$${x}", "Ünï çøde", "日本", "🙂",
		"a b", "tab\there", "line\nfeed", "<&>", "{", "\x00", "\x7f", "\u2028", "module.a.data.x"}
	want := map[config.Address]engine.Record{}
	for _, key := range keys {
		for _, module := range []string{"", "module.m" + config.Address{}.Instance(cty.StringVal(key)).Key} {
			r := engine.Record{Provider: "is", Realm: key, Status: engine.Complete, ID: key,
				Address: config.Address{Module: module, Type: "is_user", Name: "u"}.Instance(cty.StringVal(key)),
				Key:     map[string]string{key: key}}
			r.Dependencies = []config.Address{r.Address}
			want[r.Address] = r
			commit(t, s, Put(r))
		}
	}
	if len(want) != 2*len(keys) {
		t.Fatalf("%d addresses of %d", len(want), 2*len(keys))
	}
	closeSession(t, s)
	_, list := read(t, open())
	if len(list) != len(want) {
		t.Fatalf("%d records of %d", len(list), len(want))
	}
	for _, r := range list {
		same(t, r.Address.String(), []engine.Record{want[r.Address]}, []engine.Record{r})
	}
	s = lock(t, open(), "b")
	for address := range want {
		commit(t, s, Delete(address))
	}
	holds(t, open, s)
}

func testBig(t *testing.T, open func() engine.Store) {
	s := lock(t, open(), "a")
	var want []engine.Record
	for i := range 4 {
		r := numbered(i)
		r.Original = map[string]string{"content": strings.Repeat("wso2 ", 1<<20/5)}
		commit(t, s, Put(user("small")), Put(r))
		want = append(want, r)
	}
	want = append([]engine.Record{user("small")}, want...)
	holds(t, open, s, want...)
	closeSession(t, s)
	_, list := read(t, open())
	same(t, "reopened", want, list)
}

func testMany(t *testing.T, open func() engine.Store) {
	const n = 3000
	s := lock(t, open(), "a")
	var ops []engine.Op
	var want []engine.Record
	for i := range n {
		ops = append(ops, Put(numbered(i)))
		want = append(want, numbered(i))
	}
	commit(t, s, ops...)
	if s.Meta().Serial != 1 {
		t.Fatalf("one commit made serial %d", s.Meta().Serial)
	}
	holds(t, open, s, want...)
	ops = nil
	for i := range n - 1 {
		ops = append(ops, Delete(numbered(i).Address))
	}
	commit(t, s, ops...)
	holds(t, open, s, numbered(n-1))
}

func testReopened(t *testing.T, open func() engine.Store) {
	var lineage string
	for i := range 5 {
		s := lock(t, open(), fmt.Sprint(i))
		if i > 0 && (s.Meta() != engine.Meta{Lineage: lineage, Serial: uint64(2 * i)}) {
			t.Fatalf("opened the %d. time Meta is %+v, and the lineage was %s", i+1, s.Meta(), lineage)
		}
		commit(t, s, Put(numbered(i)))
		commit(t, s, Put(numbered(i+1)), Delete(numbered(i).Address))
		lineage = s.Meta().Lineage
		holds(t, open, s, numbered(i+1))
		closeSession(t, s)
	}
	meta, list := read(t, open())
	same(t, "at last", []engine.Record{numbered(5)}, list)
	if meta.Serial != 10 {
		t.Fatalf("after ten commits the serial is %d", meta.Serial)
	}
}

func testConcurrent(t *testing.T, open func() engine.Store) {
	const writers, each = 16, 25
	s := lock(t, open(), "a")
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				r := Record(fmt.Sprintf("w%d", w), fmt.Sprintf("[%d]", i))
				ops := []engine.Op{Put(r)}
				if i > 0 {
					ops = append(ops, Delete(Record(fmt.Sprintf("w%d", w), fmt.Sprintf("[%d]", i-1)).Address))
				}
				before := s.Meta().Serial
				if err := s.Commit(context.Background(), ops); err != nil {
					t.Error(err)
					return
				}
				if s.Meta().Serial <= before {
					t.Errorf("the serial did not grow from %d", before)
				}
				s.Records()
			}
		})
	}
	wait.Wait()
	if s.Meta().Serial != writers*each {
		t.Fatalf("%d commits made serial %d", writers*each, s.Meta().Serial)
	}
	list := s.Records()
	if len(list) != writers {
		t.Fatalf("%d records are left, not %d", len(list), writers)
	}
	holds(t, open, s, list...)
}

func testReadWhileWritten(t *testing.T, open func() engine.Store) {
	// Each commit puts i at two addresses, so a reader must see the same at both, never going back.
	s := lock(t, open(), "a")
	pair := func(i int) []engine.Op {
		a, b := user("a"), user("b")
		a.ID, b.ID = fmt.Sprint(i), fmt.Sprint(i)
		return []engine.Op{Put(a), Put(b)}
	}
	commit(t, s, pair(0)...)
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 1; i <= 200 && err == nil; i++ {
			err = s.Commit(context.Background(), pair(i))
		}
		done <- err
	}()
	reader, last := open(), uint64(0)
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			meta, list := read(t, reader)
			if meta.Serial != 201 || list[0].ID != "200" {
				t.Fatalf("in the end it reads serial %d, value %s", meta.Serial, list[0].ID)
			}
			return
		default:
		}
		meta, list := read(t, reader)
		if len(list) != 2 || list[0].ID != list[1].ID || fmt.Sprint(meta.Serial-1) != list[0].ID {
			t.Fatalf("at serial %d it reads half a commit: %+v", meta.Serial, list)
		}
		if meta.Serial < last {
			t.Fatalf("it reads serial %d after %d", meta.Serial, last)
		}
		last = meta.Serial
	}
}

func isLocked(err error) (engine.Holder, bool) {
	var locked *engine.LockedError
	if errors.As(err, &locked) {
		return locked.Holder, true
	}
	return engine.Holder{}, false
}
