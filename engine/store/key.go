package store

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"wso2plan/engine"
)

// KeyVariable is the environment variable that holds the key of fingerprints, in hexadecimal or
// base64, and goes before a key file.
const KeyVariable = "WSO2PLAN_KEY"

const (
	newKeyBytes  = 32
	leastKeyByte = 16
)

// A secretKeeper is a store that can keep the key of fingerprints beside itself.
type secretKeeper interface {
	// secret returns the key; made if there was none, and then kept unless readOnly.
	secret(readOnly bool) (secret []byte, made bool, err error)
}

// Keys returns the keys by which the fingerprints of s are made: from KeyVariable, if env has it,
// else from the store's own key file, FILE.key beside a file store, which is made if it does not
// exist. With readOnly no file is made, and such a key lasts as long as the process.
//
// made says that there was no key. If the store has records, theirs is lost: their fingerprints
// cannot be compared any more, which is no error. A key that is too short or garbled is one, and
// so is a key file that others may read. A store that keeps no key of its own needs KeyVariable.
func Keys(s engine.Store, env func(string) string, readOnly bool) (keys *engine.Keys, made bool, err error) {
	if text := env(KeyVariable); text != "" {
		secret, err := decodeKey(text)
		if err != nil {
			return nil, false, fmt.Errorf("the environment variable %s is not a key: %w", KeyVariable, err)
		}
		return engine.NewKeys(secret), false, nil
	}
	keeper, ok := s.(secretKeeper)
	if !ok {
		return nil, false, fmt.Errorf("a shared store needs the key of its fingerprints in the environment variable %s; %s",
			KeyVariable, howToMakeKey)
	}
	secret, made, err := keeper.secret(readOnly)
	if err != nil {
		return nil, false, err
	}
	return engine.NewKeys(secret), made, nil
}

const howToMakeKey = `make one with "openssl rand -base64 32"`

// decodeKey reads a key in hexadecimal or any base64. Its errors do not show it.
func decodeKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	secret, err := hex.DecodeString(text)
	if err != nil {
		encoding := base64.RawStdEncoding
		if strings.ContainsAny(text, "-_") {
			encoding = base64.RawURLEncoding
		}
		secret, err = encoding.DecodeString(strings.TrimRight(text, "="))
	}
	switch {
	case err != nil:
		return nil, errors.New("it is neither hexadecimal nor base64; " + howToMakeKey)
	case len(secret) < leastKeyByte:
		return nil, fmt.Errorf("it has %d bytes and needs at least %d; %s", len(secret), leastKeyByte, howToMakeKey)
	}
	return secret, nil
}

func newSecret() []byte {
	secret := make([]byte, newKeyBytes)
	rand.Read(secret)
	return secret
}

func (f *file) secret(readOnly bool) (secret []byte, made bool, err error) {
	path := f.path + ".key"
	secret, err = readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, false, err
	}
	secret = newSecret()
	if readOnly {
		return secret, true, nil
	}
	err = writeKey(path, secret)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		secret, err = readKey(path)
		return secret, false, err
	}
	if err != nil {
		return nil, false, fmt.Errorf("cannot make the key file %s: %w", path, err)
	}
	return secret, true, nil
}

// readKey reads a key file. One that does not exist is fs.ErrNotExist.
func readKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the key file %s is not a file", path)
	}
	// Windows shows no group and others here.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("the key file %s can be read or written by others (its mode is %04o); run: chmod 600 %[1]s",
			path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("cannot read the key file: %w", err)
	}
	secret, err := decodeKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("the key file %s is not a key: %w, or put back a copy of the former. With another key, "+
			"or with none, what was written to write-only attributes cannot be compared", path, err)
	}
	return secret, nil
}

// writeKey makes a key file, whole or not at all. If it exists the error is fs.ErrExist.
func writeKey(path string, secret []byte) error {
	t, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(t.Name())
	_, err = fmt.Fprintln(t, base64.StdEncoding.EncodeToString(secret))
	if err == nil {
		err = t.Sync()
	}
	if err := errors.Join(err, t.Close()); err != nil {
		return err
	}
	// Unlike a rename, a link does not replace a file.
	if err := os.Link(t.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func (m *memory) secret(readOnly bool) (secret []byte, made bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.key != nil:
		return m.key, false, nil
	case readOnly:
		return newSecret(), true, nil
	}
	m.key = newSecret()
	return m.key, true, nil
}
