package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wso2plan/engine"
)

// file is the store in one file, beside which stand, while it is locked, its .lock and .lock.info;
// after the first rewriting its .backup; and the .key of its fingerprints.
type file struct {
	path string                // absolute, links followed
	wrap func(logFile) logFile // puts itself between us and the disk, in tests
}

// A logFile is what we need of an os.File.
type logFile interface {
	io.Writer
	io.Closer
	Sync() error
	Truncate(size int64) error
	Seek(offset int64, whence int) (int64, error)
	Stat() (fs.FileInfo, error)
	Name() string
}

func (f *file) Lock(ctx context.Context, h engine.Holder) (engine.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Dir(f.path)); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, fmt.Errorf("cannot lock the store %s: there is no folder %s", f.path, filepath.Dir(f.path))
	}
	lock, err := acquire(ctx, f.path, h)
	if err != nil {
		return nil, err
	}
	meta, list, err := f.load()
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	return newFileSession(ctx, f, lock, meta, list), nil
}

func (f *file) Unlock(ctx context.Context, id string) error {
	return forceUnlock(ctx, f.path, id)
}

func (f *file) Read(ctx context.Context) (engine.Meta, []engine.Record, error) {
	for attempt := 0; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return engine.Meta{}, nil, err
		}
		meta, list, err := f.load()
		// A writer that takes back what it could not write whole may do so while we read, so a
		// damage counts when it stays.
		var d *damage
		if attempt == 2 || !errors.As(err, &d) {
			return meta, list, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// load reads the file; one that does not exist is empty.
func (f *file) load() (engine.Meta, []engine.Record, error) {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return engine.Meta{}, nil, nil
	}
	if info, statErr := os.Stat(f.path); statErr == nil && info.IsDir() {
		return engine.Meta{}, nil, fmt.Errorf("the store %s is a folder and must be a file", f.path)
	}
	if err != nil {
		return engine.Meta{}, nil, fmt.Errorf("cannot read the store: %w", err)
	}
	meta, list, err := parseLog(data)
	var later *newer
	switch {
	case err == nil:
		return meta, list, nil
	case errors.As(err, &later):
		return engine.Meta{}, nil, fmt.Errorf("cannot read the store %s: %w", f.path, err)
	}
	return engine.Meta{}, nil, fmt.Errorf("cannot read the store %s: %w. "+
		"Put a whole copy in its place, such as %s if that is there; objects made since that copy "+
		"then need to be imported", f.path, err, f.path+".backup")
}

// rewrite replaces the file by one that holds these records and no history, and keeps the former
// as .backup. The new file is returned, open at its end, with its size. It has a new inode, so that
// a session that lost its lock can no longer write to it.
func (f *file) rewrite(lock *fileLock, meta engine.Meta, rs records) (log logFile, size int64, err error) {
	base := appendBase(nil, meta, rs)
	removeTemporary(f.path)
	log, err = f.temporary(bytes.NewReader(base))
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			log.Close()
			os.Remove(log.Name())
		}
	}()
	former, err := os.Open(f.path)
	if err == nil {
		defer former.Close()
		copied, err := f.temporary(former)
		if err != nil {
			return nil, 0, err
		}
		copied.Close()
		if err := os.Rename(copied.Name(), f.path+".backup"); err != nil {
			os.Remove(copied.Name())
			return nil, 0, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, err
	}
	err = lock.whileHeld(func() error { return os.Rename(log.Name(), f.path) })
	if err != nil {
		return nil, 0, err
	}
	if err = syncDir(filepath.Dir(f.path)); err != nil {
		return nil, 0, err
	}
	return log, int64(len(base)), nil
}

// temporary writes a new file beside the store, with mode 0600, and makes it durable.
func (f *file) temporary(from io.Reader) (logFile, error) {
	created, err := os.CreateTemp(filepath.Dir(f.path), filepath.Base(f.path)+".*.tmp")
	if err != nil {
		return nil, err
	}
	t := f.wrap(created)
	_, err = io.Copy(t, from)
	if err == nil {
		err = t.Sync()
	}
	if err != nil {
		t.Close()
		os.Remove(t.Name())
		return nil, err
	}
	return t, nil
}

// removeTemporary removes what processes that were killed while rewriting left behind.
func removeTemporary(path string) {
	left, _ := filepath.Glob(globQuote(path) + ".[0-9]*.tmp")
	for _, name := range left {
		os.Remove(name)
	}
}

// syncDir makes renamings in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
