// Package store keeps the records of the objects we own: in a file, or in memory for tests.
//
// A store is opened by its URL. Stores of every kind keep the contract of engine.Store, which
// package storetest tests.
package store

import "errors"

// ErrLockLost is why a session can commit no more after a forced unlock. It is the cause of its
// Context's cancellation, and Commit wraps it.
var ErrLockLost = errors.New("the lock of the store was taken away by force-unlock")

// ErrClosed is returned by Commit after Close.
var ErrClosed = errors.New("the session of the store is closed")
