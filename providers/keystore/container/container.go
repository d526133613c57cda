// Package container reads and writes the entries of JKS and PKCS12 key stores as bytes, leaving
// every entry that it does not change as it is.
package container

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Format is how a key store is written.
type Format string

const (
	JKS    Format = "JKS"
	PKCS12 Format = "PKCS12"
)

// A Kind says what an entry holds.
type Kind int

const (
	Other   Kind = iota // a secret key, or what this package does not know
	Trusted             // a trusted certificate
	Key                 // a private key with its certificate chain
)

// An Entry is what a store holds under one alias.
type Entry struct {
	Alias string
	Kind  Kind
	Chain [][]byte // certificates as DER: one when trusted, leaf first with a key, else none
}

// A Store is a key store in memory, opened with its password. Aliases are compared without case,
// as Java's key stores do. It is not safe for concurrent use.
type Store interface {
	Format() Format

	// Entries returns every entry, sorted by alias.
	Entries() []Entry

	// SetTrusted puts a trusted certificate, as DER, under an alias, in place of what is there.
	SetTrusted(alias string, certificate []byte) error

	// SetKey puts a private key (PKCS #8 as DER) with its chain under an alias, in place of what is
	// there, protected by keyPassword.
	SetKey(alias string, key []byte, chain [][]byte, keyPassword string) error

	// Key returns the private key under an alias, as PKCS #8 in DER. ErrKeyPassword means that
	// keyPassword is not the key's.
	Key(alias, keyPassword string) ([]byte, error)

	// Delete removes the entry under an alias; one that is not there is no error.
	Delete(alias string) error

	// Encode returns the bytes of the store.
	Encode() ([]byte, error)
}

var (
	// ErrPassword means that a store could be read and its checksum does not fit: the password is
	// wrong, or the contents are damaged, which cannot be told apart.
	ErrPassword = errors.New("the password is wrong, or the contents are damaged")
	// ErrKeyPassword means that a key could not be decrypted.
	ErrKeyPassword = errors.New("the password of the key is wrong")
	// ErrNoKey means that there is no private key under the alias.
	ErrNoKey = errors.New("there is no private key under the alias")
)

// A FormatError says why bytes are no key store that this package reads, and what to do.
type FormatError struct{ Reason string }

func (e *FormatError) Error() string { return e.Reason }

func badFormat(format string, args ...any) error { return &FormatError{fmt.Sprintf(format, args...)} }

// Detect returns the format of a store by its first bytes.
func Detect(data []byte) (Format, error) {
	switch {
	case len(data) == 0:
		return "", badFormat("it is empty: remove it, and it is made anew, or put the right file there")
	case len(data) >= 4 && binary.BigEndian.Uint32(data) == jksMagic:
		return JKS, nil
	case len(data) >= 4 && binary.BigEndian.Uint32(data) == 0xCECECECE:
		return "", badFormat("it is a JCEKS store; convert it with \"keytool -importkeystore -srcstoretype JCEKS -deststoretype PKCS12\"")
	case bytes.Contains(data[:min(len(data), 4096)], []byte("-----BEGIN ")):
		return "", badFormat("it is a PEM file, not a key store; name a JKS or PKCS12 file")
	case len(data) >= 2 && data[0] == 0x30 && data[1] == 0x80:
		return "", badFormat("it is a PKCS12 store in BER with indefinite lengths, which is not supported; " +
			"convert it with \"keytool -importkeystore -srcstoretype PKCS12 -deststoretype PKCS12\"")
	case data[0] == 0x30:
		return PKCS12, nil
	}
	return "", badFormat("it is neither a JKS nor a PKCS12 key store")
}

// Open reads a store. The error is ErrPassword, a *FormatError, or one of them wrapped.
func Open(data []byte, password string) (Store, error) {
	format, err := Detect(data)
	if err != nil {
		return nil, err
	}
	if format == JKS {
		return openJKS(data, password)
	}
	return openPKCS12(data, password)
}

// New returns an empty store.
func New(format Format, password string) (Store, error) {
	switch format {
	case JKS:
		return newJKS(password)
	case PKCS12:
		return newPKCS12(password), nil
	}
	return nil, badFormat("%q is no format of key stores", format)
}

// Find returns the entry under an alias.
func Find(s Store, alias string) (Entry, bool) {
	for _, e := range s.Entries() {
		if SameAlias(e.Alias, alias) {
			return e, true
		}
	}
	return Entry{}, false
}

// SameAlias reports whether two aliases mean one entry.
func SameAlias(a, b string) bool { return Fold(a) == Fold(b) }

// Fold returns the form of an alias in which Java's key stores keep it.
func Fold(alias string) string { return strings.ToLower(alias) }

func sortEntries(entries []Entry) []Entry {
	slices.SortStableFunc(entries, func(a, b Entry) int { return strings.Compare(a.Alias, b.Alias) })
	return entries
}
