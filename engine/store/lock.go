package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"wso2plan/engine"
)

// fileLock is the lock of a file store: an flock on its .lock, which the kernel releases when the
// process ends in whatever way, and the holder in .lock.info for people. Both are removed when the
// lock is released.
//
// The lock is ours as long as .lock is the very file that we locked. A forced unlock removes it,
// and the next to lock makes another.
//
// An flock on .lock.info, the guard, is held for the moment of locking, unlocking and replacing the
// store's file, so that each is one step to the others.
type fileLock struct {
	path string // of the store
	ours *flock.Flock
}

// guardTimeout is how long another process may be in the middle of locking or unlocking.
const guardTimeout = 10 * time.Second

func newFlock(path string) *flock.Flock {
	return flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))
}

// acquire locks the store at path, or fails with *engine.LockedError.
func acquire(ctx context.Context, path string, h engine.Holder) (*fileLock, error) {
	guard, err := guard(ctx, path)
	if err != nil {
		return nil, err
	}
	defer guard.Close()
	ours := newFlock(path + ".lock")
	locked, err := ours.TryLock()
	if err != nil {
		ours.Close()
		return nil, fmt.Errorf("cannot lock the store: %w", err)
	}
	if !locked {
		ours.Close()
		return nil, &engine.LockedError{Holder: holder(path)}
	}
	l := &fileLock{path, ours}
	text, err := json.MarshalIndent(h, "", "  ")
	if err == nil {
		err = os.WriteFile(path+".lock.info", append(text, '\n'), 0o600)
	}
	if err != nil {
		l.remove()
		return nil, fmt.Errorf("cannot lock the store: %w", err)
	}
	return l, nil
}

// guard waits until no other process locks or unlocks the store at path.
func guard(ctx context.Context, path string) (*flock.Flock, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, guardTimeout,
		fmt.Errorf("another process has been locking or unlocking it for %s", guardTimeout))
	defer cancel()
	for {
		g := newFlock(path + ".lock.info")
		if _, err := g.TryLockContext(ctx, 2*time.Millisecond); err != nil {
			g.Close()
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return nil, fmt.Errorf("cannot lock or unlock the store %s: %w", path, err)
		}
		// Who held it before us may have removed the file.
		if same, _ := isFile(g, path+".lock.info"); same {
			return g, nil
		}
		g.Close()
	}
}

// isFile reports whether f is open on what stands at path now.
func isFile(f *flock.Flock, path string) (bool, error) {
	open, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(open, there), err
}

// holder reads who holds the lock of the store at path.
func holder(path string) engine.Holder {
	var h engine.Holder
	text, err := os.ReadFile(path + ".lock.info")
	if err == nil {
		err = json.Unmarshal(bytes.TrimSpace(text), &h)
	}
	if err != nil || h.ID == "" {
		h = engine.Holder{Who: "an unknown process", Operation: "unknown", ID: "unknown"}
		if info, err := os.Stat(path + ".lock"); err == nil {
			h.Created = info.ModTime()
		}
	}
	return h
}

// check returns ErrLockLost if the lock is no longer ours.
func (l *fileLock) check() error {
	same, err := isFile(l.ours, l.path+".lock")
	switch {
	case err != nil:
		return fmt.Errorf("cannot see whether the store is still locked: %w", err)
	case !same:
		return ErrLockLost
	}
	return nil
}

// whileHeld calls f if the lock is ours, and it stays so meanwhile.
func (l *fileLock) whileHeld(f func() error) error {
	if err := l.check(); err != nil {
		return err
	}
	guard, err := guard(context.Background(), l.path)
	if err != nil {
		return err
	}
	defer guard.Close()
	if err := l.check(); err != nil {
		return err
	}
	return f()
}

// release unlocks the store, unless the lock was lost.
func (l *fileLock) release() error {
	err := l.whileHeld(func() error { return l.remove() })
	if err != nil {
		l.ours.Close()
	}
	if errors.Is(err, ErrLockLost) {
		return nil
	}
	return err
}

// remove removes the lock's files and unlocks; the guard is held.
func (l *fileLock) remove() error {
	return errors.Join(os.Remove(l.path+".lock"), os.Remove(l.path+".lock.info"), l.ours.Close())
}

// forceUnlock removes the lock with that id, of the store at path, from whoever holds it.
func forceUnlock(ctx context.Context, path, id string) error {
	if _, err := os.Stat(path + ".lock"); errors.Is(err, fs.ErrNotExist) {
		return errNotLocked
	}
	guard, err := guard(ctx, path)
	if err != nil {
		return err
	}
	defer guard.Close()
	h := holder(path)
	l := &fileLock{path, newFlock(path + ".lock")}
	defer l.ours.Close()
	free, err := l.ours.TryLock()
	switch {
	case err != nil:
		return fmt.Errorf("cannot unlock the store: %w", err)
	case free:
		// Its holder has ended and left these files, or none.
		if err := l.remove(); err != nil {
			return fmt.Errorf("cannot unlock the store: %w", err)
		}
		if h.ID != id {
			return errNotLocked
		}
		return nil
	case h.ID == "unknown":
		return fmt.Errorf("the store is locked, and %s.lock.info does not say by whom; if the process that "+
			"locked it cannot be ended, remove %s.lock", path, path)
	case h.ID != id:
		return wrongID(id, h)
	}
	if err := l.remove(); err != nil {
		return fmt.Errorf("cannot unlock the store: %w", err)
	}
	return nil
}

// globQuote returns the pattern that matches path alone.
func globQuote(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
