package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wso2plan/engine"
	"wso2plan/engine/store/storetest"
)

func openAt(t testing.TB, path string) *file {
	t.Helper()
	s, err := Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return s.(*file)
}

func lock(t testing.TB, s engine.Store, id string) engine.Session {
	t.Helper()
	session, err := s.Lock(context.Background(), storetest.Holder(id))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func put(names ...string) (ops []engine.Op) {
	for _, name := range names {
		ops = append(ops, storetest.Put(bare(name)))
	}
	return ops
}

func commitNow(t testing.TB, s engine.Session, ops []engine.Op) {
	t.Helper()
	if err := s.Commit(context.Background(), ops); err != nil {
		t.Fatal(err)
	}
}

func closeNow(t testing.TB, s engine.Session) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// names returns the names of the records that Read gives.
func names(t testing.TB, s engine.Store) string {
	t.Helper()
	_, list, err := s.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range list {
		all = append(all, r.Address.Name)
	}
	return strings.Join(all, " ")
}

func files(t testing.TB, dir string) (found []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		found = append(found, f.Name())
	}
	return found
}

func content(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestTornFile cuts the file at every byte of its last group, and goes on with some of these.
func TestTornFile(t *testing.T) {
	data, states, ends := written(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "a.state")
	for cut := ends[2]; cut < len(data); cut++ {
		if err := os.WriteFile(path, data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s := lock(t, openAt(t, path), "a")
		want := 2
		for want < 5 && ends[want+1]-1 <= cut {
			want++
		}
		if diff := cmp.Diff(states[want], state{s.Meta(), s.Records()}); diff != "" {
			t.Fatalf("cut at %d (-want +got):\n%s", cut, diff)
		}
		if cut%9 != 0 && slices.Index(ends, cut) < 0 {
			closeNow(t, s)
			continue
		}
		commitNow(t, s, put("z"))
		closeNow(t, s)
		if content(t, path+".backup") != string(data[:cut]) {
			t.Fatalf("cut at %d: the backup is not what was there", cut)
		}
		meta, list, err := openAt(t, path).Read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		after := states[want]
		after.Meta.Serial++
		after.Records = append(slices.Clone(after.Records), bare("z"))
		if diff := cmp.Diff(after, state{meta, list}); diff != "" {
			t.Fatalf("cut at %d and gone on with (-want +got):\n%s", cut, diff)
		}
	}
}

func TestFilesAndModes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "wso2plan.state")
	store := openAt(t, path)
	check := func(when string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, files(t, dir)); diff != "" {
			t.Fatalf("files %s (-want +got):\n%s", when, diff)
		}
		for _, name := range want {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
	}
	if _, _, err := store.Read(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Fatalf("reading made %v", got)
	}
	s := lock(t, store, "a")
	check("locked", "wso2plan.state.lock", "wso2plan.state.lock.info")
	commitNow(t, s, put("a"))
	commitNow(t, s, put("b"))
	check("written", "wso2plan.state", "wso2plan.state.lock", "wso2plan.state.lock.info")
	closeNow(t, s)
	check("closed", "wso2plan.state")

	// A session that changes nothing leaves all as it is.
	former := content(t, path)
	closeNow(t, lock(t, store, "b"))
	if check("closed again", "wso2plan.state"); content(t, path) != former {
		t.Fatal("a session without a commit changed the file")
	}

	// Another mode is put right, leavings of killed processes are removed, the former file is kept.
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{".12345.tmp", ".lock", ".lock.info"} {
		if err := os.WriteFile(path+left, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = lock(t, store, "c")
	commitNow(t, s, []engine.Op{storetest.Delete(bare("a").Address)})
	closeNow(t, s)
	check("rewritten", "wso2plan.state", "wso2plan.state.backup")
	if content(t, path+".backup") != former {
		t.Fatal("the backup is not the former file")
	}
	if names(t, store) != "b" || names(t, openAt(t, path+".backup")) != "a b" {
		t.Fatalf("%s; in the backup %s", names(t, store), names(t, openAt(t, path+".backup")))
	}
	if lines := strings.Count(content(t, path), "\n"); lines != 4 {
		t.Fatalf("rewritten, with one commit, it has %d lines, not the header, 2 records and a delete", lines)
	}
}

func TestLinkIsKept(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link.state")
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	closeNow(t, func() engine.Session {
		s := lock(t, openAt(t, filepath.Join(dir, "real", "a.state")), "a")
		commitNow(t, s, put("a"))
		return s
	}())
	if err := os.Symlink(filepath.Join("real", "a.state"), link); err != nil {
		t.Fatal(err)
	}
	s := lock(t, openAt(t, link), "b")
	if _, err := openAt(t, filepath.Join(dir, "real", "a.state")).Lock(context.Background(), storetest.Holder("c")); err == nil {
		t.Fatal("a link has a lock of its own")
	}
	commitNow(t, s, put("b"))
	closeNow(t, s)
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Fatalf("the link is %v now, %v", info, err)
	}
	if got := names(t, openAt(t, filepath.Join(dir, "real", "a.state"))); got != "a b" {
		t.Fatal(got)
	}
}

func TestNoFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere", "a.state")
	if meta, _, err := openAt(t, path).Read(context.Background()); err != nil || meta != (engine.Meta{}) {
		t.Fatal(meta, err)
	}
	_, err := openAt(t, path).Lock(context.Background(), storetest.Holder("a"))
	if err == nil || !strings.Contains(err.Error(), "there is no folder "+filepath.Dir(path)) {
		t.Fatal(err)
	}
}

func TestReplacedWhileLocked(t *testing.T) {
	for what, do := range map[string]func(path string) error{
		"removed":  os.Remove,
		"replaced": func(path string) error { return os.Rename(path+".backup", path) },
	} {
		path := filepath.Join(t.TempDir(), "a.state")
		s := lock(t, openAt(t, path), "a")
		commitNow(t, s, put("a"))
		closeNow(t, s)
		s = lock(t, openAt(t, path), "b")
		commitNow(t, s, put("b"))
		if err := do(path); err != nil {
			t.Fatal(err)
		}
		err := s.Commit(context.Background(), put("c"))
		if err == nil || !strings.Contains(err.Error(), "removed or replaced by another program") {
			t.Errorf("%s: %v", what, err)
		}
		closeNow(t, s)
	}
}

func TestLockFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.state")
	store := openAt(t, path)
	s := lock(t, store, "a")
	if text := content(t, path+".lock.info"); !strings.Contains(text, `"who": "ann@build"`) {
		t.Fatalf("the holder reads %s", text)
	}

	// Somebody empties the file that says who holds the lock.
	if err := os.Truncate(path+".lock.info", 0); err != nil {
		t.Fatal(err)
	}
	_, err := store.Lock(context.Background(), storetest.Holder("b"))
	var locked *engine.LockedError
	if !errors.As(err, &locked) || locked.Holder.Who != "an unknown process" || locked.Holder.Created.IsZero() {
		t.Fatalf("%v", err)
	}
	if err := store.Unlock(context.Background(), "a"); err == nil || !strings.Contains(err.Error(), "remove "+path+".lock") {
		t.Fatalf("%v", err)
	}
	commitNow(t, s, put("a"))

	// Somebody follows that advice: it is a forced unlock.
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	next := lock(t, store, "b")
	if err := s.Commit(context.Background(), put("b")); !errors.Is(err, ErrLockLost) {
		t.Fatalf("%v", err)
	}
	if context.Cause(s.Context()) != ErrLockLost {
		t.Fatalf("the cause is %v", context.Cause(s.Context()))
	}
	closeNow(t, s)
	commitNow(t, next, put("c"))
	closeNow(t, next)
	if got := names(t, store); got != "a c" {
		t.Fatal(got)
	}
}

func TestUnlockOfTheDead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.state")
	for id, want := range map[string]error{"a": nil, "b": errNotLocked} {
		if err := os.WriteFile(path+".lock", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+".lock.info", []byte(`{"id":"a","who":"ann@build"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := openAt(t, path).Unlock(context.Background(), id); err != want {
			t.Errorf("Unlock(%q) after its holder was killed: %v", id, err)
		}
		if left := files(t, dir); len(left) > 0 {
			t.Errorf("%v are left", left)
		}
	}
}

// A badDisk fails as a test says.
type badDisk struct {
	mu                    sync.Mutex
	write, sync, truncate error
	short                 int // how many bytes of a failing write are written
}

func (d *badDisk) set(write, sync, truncate error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.write, d.sync, d.truncate = write, sync, truncate
}

type badFile struct {
	logFile
	disk *badDisk
}

func (f badFile) Write(b []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.write; err != nil {
		n, _ := f.logFile.Write(b[:min(len(b), f.disk.short)])
		return n, err
	}
	return f.logFile.Write(b)
}

func (f badFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return errors.Join(f.disk.sync, f.logFile.Sync())
}

func (f badFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.truncate != nil {
		return f.disk.truncate
	}
	return f.logFile.Truncate(size)
}

func TestBadDisk(t *testing.T) {
	full, broken := errors.New("no space left on device"), errors.New("input/output error")
	for _, test := range []struct {
		name                  string
		write, sync, truncate error
		short                 int
	}{
		{"nothing written", full, nil, nil, 0},
		{"a part written", full, nil, nil, 60},
		{"all written", full, nil, nil, 1 << 20},
		{"not durable", nil, broken, nil, 0},
		{"not taken back", full, nil, broken, 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.state")
			store, disk := openAt(t, path), &badDisk{short: test.short}
			store.wrap = func(f logFile) logFile { return badFile{f, disk} }
			s := lock(t, store, "a")

			// The first commit of a session, which rewrites the file.
			disk.set(test.write, test.sync, test.truncate)
			if err := s.Commit(context.Background(), put("a")); err == nil || !errors.Is(err, errors.Join(test.write, test.sync)) && !errors.Is(err, test.write) && !errors.Is(err, test.sync) {
				t.Fatalf("Commit on a bad disk gives %v", err)
			}
			if s.Meta() != (engine.Meta{}) || len(s.Records()) > 0 || names(t, store) != "" {
				t.Fatalf("it left %+v", s.Meta())
			}
			if diff := cmp.Diff([]string{"a.state.lock", "a.state.lock.info"}, files(t, dir)); diff != "" {
				t.Fatalf("files (-want +got):\n%s", diff)
			}
			disk.set(nil, nil, nil)
			commitNow(t, s, put("a"))
			before := s.Meta()

			// A later one.
			disk.set(test.write, test.sync, test.truncate)
			for range 3 {
				if err := s.Commit(context.Background(), put("b", "c")); err == nil {
					t.Fatal("Commit succeeds on a bad disk")
				}
				if s.Meta() != before || names(t, openAt(t, path)) != "a" {
					t.Fatalf("it left %+v, %s", s.Meta(), names(t, openAt(t, path)))
				}
			}
			disk.set(nil, nil, nil)
			err := s.Commit(context.Background(), put("d"))
			switch {
			case test.truncate == nil && err != nil:
				t.Fatalf("Commit on a disk that is good again: %v", err)
			case test.truncate != nil && (err == nil || !strings.Contains(err.Error(), "could not be taken back")):
				t.Fatalf("Commit after what was left half-written: %v", err)
			}
			closeNow(t, s)
			s = lock(t, openAt(t, path), "b")
			commitNow(t, s, put("e"))
			closeNow(t, s)
			want := "a d e"
			if test.truncate != nil {
				want = "a e"
			}
			if got := names(t, openAt(t, path)); got != want {
				t.Fatalf("in the end it has %s, not %s", got, want)
			}
		})
	}
}
