// Package store keeps the records of the objects we own: in a file, or in memory for tests.
//
// A store is opened by its URL. Stores of every kind keep the contract of engine.Store, which
// package storetest tests.
package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"wso2plan/engine"
)

// DefaultFile is the name of the store in the configuration's folder when no other is named.
const DefaultFile = "wso2plan.state"

// ErrLockLost is why a session can commit no more after a forced unlock. It is the cause of its
// Context's cancellation, and Commit wraps it.
var ErrLockLost = errors.New("the lock of the store was taken away by force-unlock")

// ErrClosed is returned by Commit after Close, and the cause of its Context's cancellation then.
var ErrClosed = errors.New("the session of the store is closed")

var errNotLocked = errors.New("the store is not locked")

func wrongID(id string, h engine.Holder) error {
	return fmt.Errorf("%q is not the id of the lock: %w", id, &engine.LockedError{Holder: h})
}

// A kind is one way of keeping a store, chosen by the scheme of its URL.
type kind struct {
	scheme  string
	example string
	open    func(url, dir string) (engine.Store, error)
}

// kinds lists every kind of store.
func kinds() []kind {
	return []kind{
		{"file", "file:PATH, or a bare path", openFile},
	}
}

// A scheme has two letters at least, so that C:\wso2plan.state is a path.
var scheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+):`)

// Open returns the store at url: file:PATH or a bare path, where a relative path is taken from
// dir, or DefaultFile in dir if url is empty. It reads and creates nothing. An unknown scheme is an
// error that lists the known ones.
func Open(url, dir string) (engine.Store, error) {
	match := scheme.FindStringSubmatch(url)
	if match == nil {
		return openFile(url, dir)
	}
	var known []string
	for _, k := range kinds() {
		if strings.EqualFold(k.scheme, match[1]) {
			return k.open(url, dir)
		}
		known = append(known, k.example)
	}
	return nil, fmt.Errorf("%q is not a kind of store; the store is one of: %s",
		match[1], strings.Join(known, "; "))
}

func openFile(url, dir string) (engine.Store, error) {
	path := url
	if match := scheme.FindString(url); match != "" {
		path = url[len(match):]
		if rest, ok := strings.CutPrefix(path, "//"); ok {
			if !strings.HasPrefix(rest, "/") {
				return nil, fmt.Errorf("the store %q names a host; write file:PATH or file:///PATH", url)
			}
			path = rest
		}
		if path == "" {
			return nil, fmt.Errorf("the store %q names no file; write file:PATH", url)
		}
	}
	if path == "" {
		path = DefaultFile
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	// Links are followed here, so that two links to one file share its lock, and so that writing
	// replaces the file and not the link.
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("cannot find the store %s: %w", url, err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if real, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(real, filepath.Base(path))
	}
	return &file{path: path, wrap: func(f logFile) logFile { return f }}, nil
}
