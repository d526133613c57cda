package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"wso2plan/engine"
)

// fileSession is the one writer of a file. Commits are queued for a goroutine, which writes all
// that wait in one group and makes them durable with one fsync.
type fileSession struct {
	store  *file
	lock   *fileLock
	ctx    context.Context
	cancel context.CancelCauseFunc

	enqueue sync.RWMutex // held to send on queue, and to close it
	closed  bool
	queue   chan *commit
	done    chan struct{} // closed when nothing is written any more

	mu      sync.RWMutex // guards what follows
	meta    engine.Meta
	records records

	// The writing goroutine's own.
	log    logFile // nil before the first commit
	size   int64   // of its part that is durable
	broken error   // why nothing can be written any more
}

// A commit waits in the queue.
type commit struct {
	ops      []engine.Op
	payloads [][]byte
	result   chan error
}

const (
	maxGroup  = 1024                   // commits
	pollEvery = 250 * time.Millisecond // to see that the lock is lost
)

func newFileSession(ctx context.Context, f *file, lock *fileLock, meta engine.Meta, list []engine.Record) *fileSession {
	s := &fileSession{
		store: f, lock: lock, meta: meta, records: make(records, len(list)),
		queue: make(chan *commit, maxGroup), done: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, r := range list {
		s.records[r.Address] = r
	}
	go s.write()
	go s.watch()
	return s
}

func (s *fileSession) Context() context.Context { return s.ctx }

func (s *fileSession) Meta() engine.Meta {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.meta
}

func (s *fileSession) Records() []engine.Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.records.sorted()
}

// Commit does not begin when ctx is cancelled. Once begun it ends in the time of one fsync, whatever
// becomes of ctx.
func (s *fileSession) Commit(ctx context.Context, ops []engine.Op) error {
	return s.Queue(ctx, ops)()
}

// Queue takes a place in the queue of the writing goroutine.
func (s *fileSession) Queue(ctx context.Context, ops []engine.Op) (durable func() error) {
	failed := func(err error) func() error { return func() error { return err } }
	if err := ctx.Err(); err != nil {
		return failed(err)
	}
	ops, err := checked(ops)
	if err != nil {
		return failed(err)
	}
	c := &commit{ops: ops, payloads: make([][]byte, len(ops)), result: make(chan error, 1)}
	for i, op := range ops {
		c.payloads[i] = payload(op)
	}
	if err := s.send(c); err != nil {
		return failed(err)
	}
	return sync.OnceValue(func() error { return <-c.result })
}

func (s *fileSession) send(c *commit) error {
	s.enqueue.RLock()
	defer s.enqueue.RUnlock()
	if s.closed {
		return ErrClosed
	}
	s.queue <- c
	return nil
}

// Close waits for the commits that have begun, and unlocks the store.
func (s *fileSession) Close() error {
	s.enqueue.Lock()
	first := !s.closed
	if first {
		s.closed = true
		close(s.queue)
	}
	s.enqueue.Unlock()
	<-s.done
	if !first {
		return nil
	}
	s.cancel(ErrClosed)
	var err error
	if s.log != nil {
		err = s.log.Close()
	}
	return errors.Join(err, s.lock.release())
}

// watch cancels the Context when the lock is lost.
func (s *fileSession) watch() {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			if s.lock.check() == ErrLockLost {
				s.cancel(ErrLockLost)
				return
			}
		}
	}
}

// write writes what is queued, group by group, until Close.
func (s *fileSession) write() {
	defer close(s.done)
	for c := range s.queue {
		group := []*commit{c}
		for more := true; more && len(group) < maxGroup; {
			select {
			case c, ok := <-s.queue:
				if more = ok; ok {
					group = append(group, c)
				}
			default:
				more = false
			}
		}
		err := s.writeGroup(group)
		for _, c := range group {
			c.result <- err
		}
	}
}

// writeGroup makes the commits durable, all or none.
func (s *fileSession) writeGroup(group []*commit) error {
	if s.broken != nil {
		return s.broken
	}
	if err := s.check(); err != nil {
		return err
	}
	meta := s.Meta()
	if meta.Lineage == "" {
		meta.Lineage = newLineage()
	}
	if s.log == nil && !empty(group) {
		log, size, err := s.store.rewrite(s.lock, meta, s.records)
		if err != nil {
			if errors.Is(err, ErrLockLost) {
				s.cancel(ErrLockLost)
			}
			return fmt.Errorf("cannot write the store: %w", err)
		}
		s.log, s.size = log, size
	}
	var lines []byte
	first := meta.Serial + 1
	for _, c := range group {
		if len(c.ops) > 0 {
			meta.Serial++
			lines = appendCommit(lines, meta.Serial, first, c.payloads)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	if err := s.append(lines); err != nil {
		return err
	}
	// A lock that is still ours now was ours while we wrote; so whoever takes it over reads what we
	// say is durable.
	if err := s.check(); err != nil {
		return fmt.Errorf("it is not known whether the last commit was recorded: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meta = meta
	for _, c := range group {
		s.records.apply(c.ops)
	}
	return nil
}

func empty(group []*commit) bool {
	for _, c := range group {
		if len(c.ops) > 0 {
			return false
		}
	}
	return true
}

// append adds lines to the log and makes them durable. What cannot be written whole is taken back.
func (s *fileSession) append(lines []byte) error {
	_, err := s.log.Write(lines)
	if err == nil {
		err = s.log.Sync()
	}
	if err == nil {
		s.size += int64(len(lines))
		return nil
	}
	err = fmt.Errorf("cannot write the store: %w", err)
	undo := s.log.Truncate(s.size)
	if undo == nil {
		_, undo = s.log.Seek(s.size, io.SeekStart)
	}
	if undo != nil {
		s.broken = fmt.Errorf("%w; and what was written of it could not be taken back: %w", err, undo)
		return s.broken
	}
	return err
}

// check says why we may not write: the lock is lost, or the file is no longer the one we write to.
func (s *fileSession) check() error {
	if err := s.lock.check(); err != nil {
		if err == ErrLockLost {
			s.cancel(err)
		}
		return err
	}
	if s.log == nil {
		return nil
	}
	ours, err := s.log.Stat()
	if err != nil {
		return fmt.Errorf("cannot write the store: %w", err)
	}
	if there, err := os.Stat(s.store.path); err != nil || !os.SameFile(ours, there) {
		return fmt.Errorf("the store %s was removed or replaced by another program while it was locked", s.store.path)
	}
	return nil
}

var _ engine.Session = (*fileSession)(nil)
