package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"

	"wso2plan/engine"
)

// NewMemory returns an empty store that lives as long as the process, for tests. Safe for
// concurrent use.
func NewMemory() engine.Store { return &memory{records: records{}} }

type memory struct {
	mu      sync.Mutex
	meta    engine.Meta
	records records
	holder  *memorySession // nil: not locked
	key     []byte         // of its fingerprints, once made
}

func (m *memory) Lock(ctx context.Context, h engine.Holder) (engine.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holder != nil {
		return nil, &engine.LockedError{Holder: m.holder.as}
	}
	s := &memorySession{store: m, as: h}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	m.holder = s
	return s, nil
}

func (m *memory) Unlock(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.holder == nil:
		return errNotLocked
	case m.holder.as.ID != id:
		return wrongID(id, m.holder.as)
	}
	m.holder.cancel(ErrLockLost)
	m.holder = nil
	return nil
}

func (m *memory) Read(ctx context.Context) (engine.Meta, []engine.Record, error) {
	if err := ctx.Err(); err != nil {
		return engine.Meta{}, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.meta, m.records.sorted(), nil
}

type memorySession struct {
	store  *memory
	as     engine.Holder
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (s *memorySession) Context() context.Context { return s.ctx }

func (s *memorySession) Meta() engine.Meta {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.meta
}

func (s *memorySession) Records() []engine.Record {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.records.sorted()
}

func (s *memorySession) Commit(ctx context.Context, ops []engine.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ops, err := checked(ops)
	if err != nil {
		return err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if err := context.Cause(s.ctx); err != nil {
		return err
	}
	if len(ops) == 0 {
		return nil
	}
	if s.store.meta.Lineage == "" {
		s.store.meta.Lineage = newLineage()
	}
	s.store.meta.Serial++
	s.store.records.apply(ops)
	return nil
}

func (s *memorySession) Queue(ctx context.Context, ops []engine.Op) (durable func() error) {
	err := s.Commit(ctx, ops)
	return func() error { return err }
}

func (s *memorySession) Close() error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.cancel(ErrClosed)
	if s.store.holder == s {
		s.store.holder = nil
	}
	return nil
}

// newLineage returns the random name of a new store, in hexadecimal.
func newLineage() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
