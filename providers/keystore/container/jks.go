package container

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"time"

	keystore "github.com/pavlo-v-chernykh/keystore-go/v4"
)

const jksMagic uint32 = 0xFEEDFEED

// jksCertificate is the type of certificates that Java writes.
const jksCertificate = "X.509"

type jks struct {
	store    keystore.KeyStore
	password []byte
}

func newJKS(password string) (*jks, error) {
	p, err := jksPassword(password)
	if err != nil {
		return nil, err
	}
	// The case of other entries' aliases is kept; ours are folded as Java does.
	return &jks{keystore.New(keystore.WithCaseExactAliases(), keystore.WithOrderedAliases()), p}, nil
}

// jksPassword returns a password as the library takes it: it writes each byte as one character of
// two bytes, so that characters up to U+00FF can be said.
func jksPassword(password string) ([]byte, error) {
	out := make([]byte, 0, len(password))
	for _, r := range password {
		if r > 0xFF {
			return nil, badFormat("passwords of JKS stores cannot hold the character %q here; use Latin letters, or a PKCS12 store", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

func openJKS(data []byte, password string) (*jks, error) {
	if err := scanJKS(data); err != nil {
		return nil, err
	}
	s, err := newJKS(password)
	if err != nil {
		return nil, err
	}
	// The layout is sound, so what fails is the digest.
	if err := s.store.Load(bytes.NewReader(data), s.password); err != nil {
		return nil, ErrPassword
	}
	return s, nil
}

func (s *jks) Format() Format { return JKS }

func (s *jks) Entries() []Entry {
	var out []Entry
	for _, alias := range s.store.Aliases() {
		e := Entry{Alias: alias}
		switch {
		case s.store.IsTrustedCertificateEntry(alias):
			if c, err := s.store.GetTrustedCertificateEntry(alias); err == nil {
				e.Kind, e.Chain = Trusted, [][]byte{c.Certificate.Content}
			}
		case s.store.IsPrivateKeyEntry(alias):
			if chain, err := s.store.GetPrivateKeyEntryCertificateChain(alias); err == nil {
				e.Kind = Key
				for _, c := range chain {
					e.Chain = append(e.Chain, c.Content)
				}
			}
		}
		out = append(out, e)
	}
	return sortEntries(out)
}

// exact returns the alias as the store holds it.
func (s *jks) exact(alias string) (string, bool) {
	for _, a := range s.store.Aliases() {
		if SameAlias(a, alias) {
			return a, true
		}
	}
	return Fold(alias), false
}

func (s *jks) SetTrusted(alias string, certificate []byte) error {
	if err := s.Delete(alias); err != nil {
		return err
	}
	return s.store.SetTrustedCertificateEntry(Fold(alias), keystore.TrustedCertificateEntry{
		CreationTime: time.Now(), Certificate: keystore.Certificate{Type: jksCertificate, Content: certificate}})
}

func (s *jks) SetKey(alias string, key []byte, chain [][]byte, keyPassword string) error {
	p, err := jksPassword(keyPassword)
	if err != nil {
		return err
	}
	entry := keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: key}
	for _, der := range chain {
		entry.CertificateChain = append(entry.CertificateChain, keystore.Certificate{Type: jksCertificate, Content: der})
	}
	if err := s.Delete(alias); err != nil {
		return err
	}
	return s.store.SetPrivateKeyEntry(Fold(alias), entry, p)
}

func (s *jks) Key(alias, keyPassword string) ([]byte, error) {
	p, err := jksPassword(keyPassword)
	if err != nil {
		return nil, err
	}
	name, _ := s.exact(alias)
	entry, err := s.store.GetPrivateKeyEntry(name, p)
	switch {
	case errors.Is(err, keystore.ErrEntryNotFound), errors.Is(err, keystore.ErrWrongEntryType):
		return nil, ErrNoKey
	case err != nil:
		return nil, ErrKeyPassword
	}
	return entry.PrivateKey, nil
}

func (s *jks) Delete(alias string) error {
	for {
		name, ok := s.exact(alias)
		if !ok {
			return nil
		}
		s.store.DeleteEntry(name)
	}
}

func (s *jks) Encode() ([]byte, error) {
	var out bytes.Buffer
	err := s.store.Store(&out, s.password)
	return out.Bytes(), err
}

// scanJKS checks the layout of a JKS store, so that lengths in a damaged one are not believed.
func scanJKS(data []byte) error {
	r := &jksReader{rest: data}
	r.uint32() // magic
	version := r.uint32()
	if r.ok() && version != 1 && version != 2 {
		return badFormat("it is a JKS store of version %d, and only 1 and 2 are known", version)
	}
	for n := r.uint32(); n > 0 && r.ok(); n-- {
		switch kind := r.uint32(); {
		case !r.ok():
		case kind == 1:
			r.skip(int64(r.uint16())) // alias
			r.skip(8)                 // time
			// The library reads salt and digest without looking whether they are there.
			if key := r.skip(int64(r.uint32())); r.ok() && shortJKSKey(key) {
				return badFormat("it is a JKS store with a private key that was cut off: put a good copy there")
			}
			for c := r.uint32(); c > 0 && r.ok(); c-- {
				r.certificate(version)
			}
		case kind == 2:
			r.skip(int64(r.uint16()))
			r.skip(8)
			r.certificate(version)
		default:
			return badFormat("it is a JKS store with an entry of unknown kind %d, so it is damaged: put a good copy there", kind)
		}
	}
	r.skip(20) // SHA-1
	if !r.ok() {
		return badFormat("it is a JKS store that was cut off: put a good copy there")
	}
	if len(r.rest) > 0 {
		return badFormat("it is a JKS store with %d bytes too many, so it is damaged: put a good copy there", len(r.rest))
	}
	return nil
}

// shortJKSKey reports whether an encrypted key is too short for its salt and digest, 20 bytes each.
func shortJKSKey(der []byte) bool {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	_, err := asn1.Unmarshal(der, &info)
	return err == nil && len(info.Data) < 40
}

// A jksReader reads numbers in network order. After the end it reads zeros and is not ok.
type jksReader struct {
	rest []byte
	over bool
}

func (r *jksReader) ok() bool { return !r.over }

func (r *jksReader) skip(n int64) []byte {
	if r.over || n > int64(len(r.rest)) {
		r.over = true
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *jksReader) uint32() uint32 {
	if b := r.skip(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *jksReader) uint16() uint16 {
	if b := r.skip(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *jksReader) certificate(version uint32) {
	if version == 2 {
		r.skip(int64(r.uint16())) // type
	}
	r.skip(int64(r.uint32()))
}
