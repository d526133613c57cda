package keystore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/agext/levenshtein"

	"wso2plan/engine"
	"wso2plan/providers/keystore/container"
)

// A declaration is what a provider block says.
type declaration struct {
	password string
	stores   []*store
	serverOf []string // by store: the name of its server, or ""
	servers  []*server
}

// stores are those that a provider block declares, and those that resources name by their path.
type stores struct {
	mu       sync.Mutex
	password string
	servers  []*server
	all      []*store // declared first
	byRef    map[string]*store
}

// A store is one file.
type store struct {
	name     string // "" when it is not declared
	path     string // as configured
	real     string // absolute, without symbolic links
	password string
	format   container.Format // "": that of the file or of its name
	inPlace  bool
	server   *server // nil: not known

	mu      sync.Mutex
	known   [sha256.Size]byte // of the contents that entries was read from
	entries []container.Entry
	torn    bool // its contents were taken from a backup
	written bool // in this run
}

// declare takes over a declaration and finds out where the files are.
func (ss *stores) declare(d declaration) error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.password, ss.servers, ss.all, ss.byRef = d.password, d.servers, nil, map[string]*store{}
	names := map[string]*server{}
	for _, srv := range d.servers {
		if names[srv.name] != nil {
			return fmt.Errorf("server %q is declared twice; join the two blocks", srv.name)
		}
		names[srv.name] = srv
	}
	for i, s := range d.stores {
		if ss.byRef[s.name] != nil {
			return fmt.Errorf("store %q is declared twice; give each its own name", s.name)
		}
		if name := d.serverOf[i]; name != "" {
			if s.server = names[name]; s.server == nil {
				return fmt.Errorf("store %q names the server %q, for which there is no server block.%s", s.name, name, meant(name, keysOf(names)))
			}
		}
		if s.password == "" {
			s.password = d.password
		}
		if err := ss.add(s, s.name); err != nil {
			return err
		}
	}
	return nil
}

// add enters a store under the name or path by which resources mean it.
func (ss *stores) add(s *store, ref string) error {
	var err error
	if s.real, err = resolve(s.path); err != nil {
		return fmt.Errorf("%s: %w", s.label(), err)
	}
	for _, other := range ss.all {
		if other.real != s.real {
			continue
		}
		if s.name == "" && other.name != "" {
			return fmt.Errorf("the file %s is that of the store %q; name it so", s.path, other.name)
		}
		return fmt.Errorf("%s and %s are one file, %s; keep one of the two", other.label(), s.label(), s.real)
	}
	ss.all = append(ss.all, s)
	ss.byRef[ref] = s
	return nil
}

// resolve follows symbolic links, of a file that need not exist.
func resolve(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(full); err == nil {
		return real, nil
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
		return filepath.Join(dir, filepath.Base(full)), nil
	}
	return full, nil
}

// get returns the store that a resource means: by the name of a declared one, or by a path.
func (ss *stores) get(ref string) (*store, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if s := ss.byRef[ref]; s != nil {
		return s, nil
	}
	if !isPath(ref) {
		var names []string
		for _, s := range ss.all {
			if s.name != "" {
				names = append(names, s.name)
			}
		}
		return nil, fmt.Errorf("%q is no store of the provider block.%s Declare one of that name there (as long as it holds something of yours), "+
			"or write a path, with its folder or extension", ref, meant(ref, names))
	}
	s := &store{path: ref, password: ss.password}
	if ss.byRef == nil {
		return nil, errors.New("the provider is not configured")
	}
	return s, ss.add(s, ref)
}

func meant(name string, known []string) string {
	slices.Sort(known)
	for _, k := range known {
		if levenshtein.Distance(name, k, nil) <= 2 {
			return fmt.Sprintf(" Did you mean %q?", k)
		}
	}
	if len(known) == 0 {
		return ""
	}
	return " There are: " + strings.Join(known, ", ") + "."
}

func keysOf(m map[string]*server) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

// label names a store for people.
func (s *store) label() string {
	if s.name == "" {
		return s.path
	}
	return fmt.Sprintf("store %q (%s)", s.name, s.path)
}

// contents are those of a store's file.
type contents struct {
	data []byte // nil: there is no file
	info fs.FileInfo
	torn bool // data is that of the backup
}

// read reads the file, or the backup of one whose writing was interrupted.
func (s *store) read() (contents, error) {
	data, info, err := readFile(s.real)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !exists(filepath.Dir(s.real)) {
			return contents{}, fmt.Errorf("%s: the folder %s does not exist. Mount it, or make it, or correct the path", s.label(), filepath.Dir(s.path))
		}
		return contents{}, nil
	case errors.Is(err, fs.ErrPermission):
		return contents{}, fmt.Errorf("%s cannot be read: %w. Run as a user who may, or change the file's mode", s.label(), err)
	case err != nil:
		return contents{}, fmt.Errorf("%s: %w", s.label(), err)
	}
	c := contents{data: data, info: info}
	if exists(s.real + backupSuffix) {
		if _, err := container.Open(data, s.password); err != nil {
			former, _, readErr := readFile(s.real + backupSuffix)
			if readErr == nil {
				if _, openErr := container.Open(former, s.password); openErr == nil {
					c.data, c.torn = former, true
				}
			}
		}
	}
	return c, nil
}

// open opens contents with the store's password.
func (s *store) open(c contents) (container.Store, error) {
	format, err := container.Detect(c.data)
	if err == nil && s.format != "" && format != s.format {
		return nil, fmt.Errorf("%s holds a %s store, and its type is %s here. Correct type, or the path", s.label(), format, s.format)
	}
	opened, err := container.Open(c.data, s.password)
	switch {
	case errors.Is(err, container.ErrPassword):
		return nil, fmt.Errorf("%s: %w. Give the right one as password of its store block, or of the provider, or as KEYSTORE_PASSWORD", s.label(), err)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be used: %w", s.label(), err)
	}
	return opened, nil
}

// newContainer returns an empty store of the format that type or the file's name says.
func (s *store) newContainer() (container.Store, error) {
	format := s.format
	if format == "" {
		switch strings.ToLower(filepath.Ext(s.real)) {
		case ".jks":
			format = container.JKS
		case ".p12", ".pfx", ".pkcs12":
			format = container.PKCS12
		default:
			return nil, fmt.Errorf("%s does not exist, and its name does not say in what format it is to be made. "+
				"Set type in its store block, or let its name end with .jks or .p12", s.label())
		}
	}
	made, err := container.New(format, s.password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.label(), err)
	}
	return made, nil
}

// list returns the entries. The file is read each time, and opened only when it has changed: a
// password is slow to derive keys from.
func (s *store) list() ([]container.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.read()
	if err != nil {
		return nil, err
	}
	s.torn = c.torn
	if c.data == nil {
		return nil, nil
	}
	sum := sha256.Sum256(c.data)
	if s.entries != nil && sum == s.known {
		return s.entries, nil
	}
	opened, err := s.open(c)
	if err != nil {
		return nil, err
	}
	s.known, s.entries = sum, opened.Entries()
	return s.entries, nil
}

// find returns the entry under an alias, or engine.ErrNotFound.
func (s *store) find(alias string) (container.Entry, error) {
	entries, err := s.list()
	if err != nil {
		return container.Entry{}, err
	}
	for _, e := range entries {
		if container.SameAlias(e.Alias, alias) {
			return e, nil
		}
	}
	return container.Entry{}, engine.ErrNotFound
}

// A refusal is an error that says that nothing was written.
type refusal struct{ error }

// Refused says so.
func (refusal) Refused() bool { return true }

// Unwrap returns the error itself.
func (r refusal) Unwrap() error { return r.error }

// change makes one change of the file: do changes the entry under alias and no other, which is
// verified before anything is written. do returning errUnchanged leaves the file as it is.
func (s *store) change(ctx context.Context, alias string, do func(container.Store) error) error {
	unlock, err := lockFolder(ctx, filepath.Dir(s.real))
	if err != nil {
		return refusal{fmt.Errorf("%s: %w", s.label(), err)}
	}
	defer unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	sweep(s.real)
	c, err := s.read()
	if err != nil {
		return refusal{err}
	}
	var opened container.Store
	if c.data == nil {
		opened, err = s.newContainer()
	} else {
		opened, err = s.open(c)
	}
	if err != nil {
		return refusal{err}
	}
	before := opened.Entries()
	if err := do(opened); errors.Is(err, errUnchanged) && !c.torn {
		return nil
	} else if err != nil && !errors.Is(err, errUnchanged) {
		return refusal{err}
	}
	data, err := s.encoded(opened, before, alias)
	if err != nil {
		return refusal{fmt.Errorf("%s: %w", s.label(), err)}
	}
	if !c.torn && !unchanged(s.real, c.data) {
		return refusal{fmt.Errorf("%s: %w: another program wrote the file just now", s.label(), engine.ErrMoved)}
	}
	if err := mark(s.real + restartSuffix); err != nil {
		return refusal{fmt.Errorf("%s cannot be written: %w. Run as a user who may write in its folder", s.label(), err)}
	}
	s.written = true
	if err := realDisk.write(s.real, data, c.info, s.inPlace || c.torn); err != nil {
		return fmt.Errorf("%s cannot be written: %w", s.label(), err)
	}
	s.torn = false
	s.known, s.entries = sha256.Sum256(data), opened.Entries()
	return nil
}

// errUnchanged is what a change returns that has nothing to do.
var errUnchanged = errors.New("nothing to do")

// encoded returns the bytes of a changed store, after reading them as whoever opens the file will:
// every entry but the one under alias must be what it was.
func (s *store) encoded(changed container.Store, before []container.Entry, alias string) ([]byte, error) {
	data, err := changed.Encode()
	if err != nil {
		return nil, err
	}
	again, err := container.Open(data, s.password)
	if err != nil {
		return nil, fmt.Errorf("what would be written cannot be read back, so nothing was: %w", err)
	}
	others := func(entries []container.Entry) []container.Entry {
		return slices.DeleteFunc(slices.Clone(entries), func(e container.Entry) bool { return container.SameAlias(e.Alias, alias) })
	}
	same := func(a, b container.Entry) bool {
		chain := b.Chain
		if a.Kind == container.Key && len(chain) > len(a.Chain) {
			chain = chain[:len(a.Chain)] // in PKCS12 a trusted issuer completes the chains of keys
		}
		return a.Alias == b.Alias && a.Kind == b.Kind && slices.EqualFunc(a.Chain, chain, bytes.Equal)
	}
	if !slices.EqualFunc(others(before), others(again.Entries()), same) {
		return nil, fmt.Errorf("other entries than %q would not be the same afterwards, so nothing was written", alias)
	}
	return data, nil
}
