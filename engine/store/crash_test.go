//go:build unix

package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wso2plan/engine"
	"wso2plan/engine/store/storetest"
)

// Some tests start this test binary again, as a process to kill. What it does then is named by an
// environment variable, and it does that to the store at another.
const (
	childVariable = "WSO2PLAN_TEST_CHILD"
	childStore    = "WSO2PLAN_TEST_CHILD_STORE"
)

func TestMain(m *testing.M) {
	path := os.Getenv(childStore)
	var err error
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "commit":
		err = childCommits(path)
	case "full":
		err = childFillsDisk(path)
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// child starts a process that does what, and returns it with the lines that it prints.
func child(t *testing.T, what, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+what, childStore+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd, bufio.NewScanner(out)
}

// childCommits locks the store and commits until it is killed or loses the lock, four at once. It
// prints the name of each record when it is durable; two of a commit have the same number.
func childCommits(path string) error {
	s, err := Open(path, "")
	if err != nil {
		return err
	}
	h := storetest.Holder(fmt.Sprint(os.Getpid()))
	h.PID = os.Getpid()
	session, err := s.Lock(context.Background(), h)
	if err != nil {
		return err
	}
	fmt.Println("locked")
	var wait sync.WaitGroup
	errs := make([]error, 4)
	for w := range errs {
		wait.Go(func() {
			for i := 0; errs[w] == nil; i++ {
				name := fmt.Sprintf("p%d-%d-%d", os.Getpid(), w, i)
				if errs[w] = session.Commit(context.Background(), put(name+"-x", name+"-y")); errs[w] == nil {
					fmt.Println(name) // one write(2)
				}
			}
		})
	}
	wait.Wait()
	session.Close()
	return errors.Join(errs...)
}

func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.state")
	store := openAt(t, path)
	acknowledged := map[string]bool{}
	// Killed after some milliseconds, or (negative) after that many commits were acknowledged.
	for _, after := range []time.Duration{0, 1, 2, 3, 5, 8, 13, 30, 60, -1, -10, -50} {
		cmd, lines := child(t, "commit", path)
		if !lines.Scan() || lines.Text() != "locked" {
			t.Fatalf("the process says %q", lines.Text())
		}
		if after >= 0 {
			time.AfterFunc(after*time.Millisecond, func() { cmd.Process.Kill() })
		} else {
			_, err := store.Lock(context.Background(), storetest.Holder("a"))
			var locked *engine.LockedError
			if !errors.As(err, &locked) || locked.Holder.PID != cmd.Process.Pid {
				t.Fatalf("while it runs, Lock gives %v", err)
			}
		}
		for n := 1; lines.Scan(); n++ {
			if strings.HasPrefix(lines.Text(), "error") {
				t.Fatal(lines.Text())
			}
			acknowledged[lines.Text()] = true
			if time.Duration(n) == -after {
				cmd.Process.Kill()
			}
		}
		if err := cmd.Wait(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the process ended with %v", err)
		}

		// It is open to the next at once, with all that was acknowledged, and no commit by half.
		s := lock(t, store, "a")
		there := map[string]bool{}
		for _, r := range s.Records() {
			there[r.Address.Name] = true
		}
		for name := range acknowledged {
			if !there[name+"-x"] {
				t.Fatalf("killed after %d ms: %s is lost", after, name)
			}
		}
		for name := range there {
			if name, ok := strings.CutSuffix(name, "-x"); ok && !there[name+"-y"] {
				t.Fatalf("killed after %d ms: half of %s is there", after, name)
			}
		}
		if uint64(len(there)) != 2*s.Meta().Serial {
			t.Fatalf("%d records at serial %d", len(there), s.Meta().Serial)
		}
		closeNow(t, s)
	}
	if len(acknowledged) == 0 {
		t.Fatal("nothing was committed")
	}
}

// TestStopped takes the lock from a process that was stopped, which then goes on.
func TestStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.state")
	store := openAt(t, path)
	cmd, lines := child(t, "commit", path)
	acknowledged := map[string]bool{}
	for i := 0; i < 200 && lines.Scan(); i++ {
		if lines.Text() != "locked" {
			acknowledged[lines.Text()] = true
		}
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint(cmd.Process.Pid)
	if err := store.Unlock(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	s := lock(t, store, "a")
	commitNow(t, s, put("ours"))
	serial := s.Meta().Serial
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	var last string
	for lines.Scan() {
		if last = lines.Text(); strings.HasPrefix(last, "p"+id) {
			acknowledged[last] = true
		} else if strings.HasPrefix(last, "error") {
			break
		}
	}
	if !strings.Contains(last, ErrLockLost.Error()) {
		t.Fatalf("the process says %q", last)
	}
	cmd.Process.Kill()
	cmd.Wait()
	commitNow(t, s, put("ours2"))
	if s.Meta().Serial != serial+1 {
		t.Fatalf("the serial went from %d to %d", serial, s.Meta().Serial)
	}
	closeNow(t, s)
	there := " " + names(t, store) + " "
	for name := range acknowledged {
		if !strings.Contains(there, " "+name+"-x ") {
			t.Fatalf("%s is lost", name)
		}
	}
	if !strings.Contains(there, " ours ours2 ") {
		t.Fatal("what was committed after the lock was taken is lost")
	}
}

// childFillsDisk commits until its files may grow no further, and goes on when they may.
func childFillsDisk(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := func(set func(*syscall.Rlimit)) error {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &now); err != nil {
			return err
		}
		set(&now)
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now)
	}
	s, err := Open(path, "")
	if err != nil {
		return err
	}
	session, err := s.Lock(context.Background(), storetest.Holder("a"))
	if err != nil {
		return err
	}
	defer session.Close()
	if err := limit(func(l *syscall.Rlimit) { l.Cur = 10_000 }); err != nil {
		return err
	}
	n := 0
	for ; ; n++ {
		before := session.Meta()
		if err = session.Commit(context.Background(), put(fmt.Sprint("n", n, "x"), fmt.Sprint("n", n, "y"))); err != nil {
			if session.Meta() != before {
				return fmt.Errorf("a failed commit made %+v of %+v", session.Meta(), before)
			}
			break
		}
	}
	if !errors.Is(err, syscall.EFBIG) || n < 10 {
		return fmt.Errorf("after %d commits: %w", n, err)
	}
	meta, list, err := s.Read(context.Background())
	if err != nil || meta.Serial != uint64(n) || len(list) != 2*n {
		return fmt.Errorf("after %d commits it reads %+v, %d records: %w", n, meta, len(list), err)
	}
	// A smaller one may still find room, and a larger does not.
	if err := session.Commit(context.Background(), put(strings.Repeat("n", 9000))); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("a larger commit gives %w", err)
	}
	if err := limit(func(l *syscall.Rlimit) { l.Cur = 1 << 20 }); err != nil {
		return err
	}
	if err := session.Commit(context.Background(), put("more")); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	if err := session.Close(); err != nil {
		return err
	}

	// Too little room to rewrite the file: it stays as it is.
	if session, err = s.Lock(context.Background(), storetest.Holder("b")); err != nil {
		return err
	}
	defer session.Close()
	if err := limit(func(l *syscall.Rlimit) { l.Cur = 5_000 }); err != nil {
		return err
	}
	if err := session.Commit(context.Background(), put("evenmore")); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("without room to rewrite: %w", err)
	}
	fmt.Println(n)
	return nil
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.state")
	cmd, lines := child(t, "full", path)
	lines.Scan()
	n := 0
	if _, err := fmt.Sscan(lines.Text(), &n); err != nil {
		t.Fatal(lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	meta, list, err := openAt(t, path).Read(context.Background())
	if err != nil || meta.Serial != uint64(n)+1 || len(list) != 2*n+1 {
		t.Fatalf("after %d commits and one it reads %+v, %d records: %v", n, meta, len(list), err)
	}
	if found := files(t, dir); len(found) != 1 {
		t.Fatalf("%v are left", found)
	}
}
