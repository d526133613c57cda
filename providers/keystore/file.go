package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Names of what stands beside a store for a while.
const (
	// backupSuffix is of the copy that is made before a file is written in place, and removed when
	// that is done: where there is one, writing was interrupted.
	backupSuffix = ".wso2plan-backup"
	// restartSuffix is of a mark that a store was written and its server not restarted yet.
	restartSuffix = ".wso2plan-restart"
	// newInfix is of a file that takes the store's name when it is whole; with a dot before it.
	newInfix = ".wso2plan-new-"
)

// maxSize is the largest file that is taken for a key store, in bytes.
const maxSize = 64 << 20

// A disk is how files are replaced; tests stand in for file systems that refuse it.
type disk struct{ rename func(from, to string) error }

var realDisk = disk{os.Rename}

// readFile reads a file of at most maxSize bytes.
func readFile(path string) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is no file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s is larger than %d MiB, so it is no key store", path, maxSize>>20)
	}
	return data, info, err
}

// write gives a file new contents, so that whoever reads it, also after a crash, finds the old or
// the new: by a new file beside it that takes its name, mode and owner. Where that cannot be done,
// or inPlace is set, it is written in place after a backup. info is nil for a file that is new.
func (d disk) write(path string, data []byte, info fs.FileInfo, inPlace bool) error {
	if info == nil {
		return d.replace(path, data, nil)
	}
	if !inPlace {
		err := d.replace(path, data, info)
		if !cannotReplace(err) {
			return err
		}
	}
	return overwrite(path, data)
}

// errOwner means that a new file could not be given the owner of the old one.
var errOwner = errors.New("the owner cannot be kept")

// cannotReplace reports whether err says that a file must be written in place: it is mounted by
// itself (EBUSY, EXDEV), or its owner cannot be given to another file.
func cannotReplace(err error) bool { return errors.Is(err, errOwner) || isMounted(err) }

func (d disk) replace(path string, data []byte, info fs.FileInfo) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+newInfix+"*") // mode 0600
	if err != nil {
		return fmt.Errorf("nothing can be written beside it: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if info == nil {
		// Whoever owns the folder is who will read it, so far as we may give it away.
		if folder, err := os.Stat(dir); err == nil {
			_ = giveTo(f, folder)
		}
	} else {
		if err := giveTo(f, info); err != nil {
			return fmt.Errorf("%w: %w", errOwner, err)
		}
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := d.rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

// sweep removes what runs that were killed left of a file that they were writing. The folder must
// be locked.
func sweep(path string) {
	dir, prefix := filepath.Dir(path), "."+filepath.Base(path)+newInfix
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// overwrite writes a file in place. Its former contents stand in a backup until that is done.
func overwrite(path string, data []byte) error {
	backup := path + backupSuffix
	if _, err := os.Lstat(backup); errors.Is(err, fs.ErrNotExist) {
		former, _, err := readFile(path)
		if err != nil {
			return err
		}
		if err := realDisk.replace(backup, former, nil); err != nil {
			return fmt.Errorf("it is mounted by itself, and no backup can be made before it is written: %w", err)
		}
	} else if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%w; its former contents are in %s, from where the next apply takes them", err, backup)
	}
	if err := os.Remove(backup); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// mark makes an empty file that lasts through a crash.
func mark(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// unmark removes a mark; one that is gone is no error.
func unmark(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncFolder(filepath.Dir(path)))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// unchanged reports whether a file still holds data; nil: whether it is still missing.
func unchanged(path string, data []byte) bool {
	now, _, err := readFile(path)
	if data == nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && bytes.Equal(now, data)
}

// turns are the writers of this process, by folder.
var turns sync.Map

// lockFolder waits until nobody else who asks writes in a folder: no other provider block of this
// process, and, where the system has locks on folders, no other process.
func lockFolder(ctx context.Context, dir string) (unlock func(), err error) {
	v, _ := turns.LoadOrStore(dir, make(chan struct{}, 1))
	turn := v.(chan struct{})
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		release, err := tryLockFolder(dir)
		if err == nil {
			return func() { release(); <-turn }, nil
		}
		if !errors.Is(err, errLocked) {
			<-turn
			return nil, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			<-turn
			return nil, fmt.Errorf("another run writes in %s: %w", dir, ctx.Err())
		}
	}
}

// errLocked means that another process holds the lock.
var errLocked = errors.New("locked")
