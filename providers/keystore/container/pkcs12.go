package container

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"strconv"
)

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}

	oidKeyBag         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedKeyBag = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidX509           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}

	oidFriendlyName = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	oidLocalKeyID   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 21}
	// oidTrusted is the attribute by which Java tells trusted certificates from those of chains.
	oidTrusted  = asn1.ObjectIdentifier{2, 16, 840, 1, 113894, 746875, 1, 1}
	oidAnyUsage = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
)

type pfx struct {
	Version int
	Safe    contentInfo
	MAC     asn1.RawValue `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type encryptedData struct {
	Version int
	Info    struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   []byte `asn1:"tag:0,optional"`
	}
}

type safeBag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue  `asn1:"tag:0,explicit"`
	Attributes []bagAttribute `asn1:"set,optional"`
}

type bagAttribute struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue `asn1:"set"`
}

type certBag struct {
	ID   asn1.ObjectIdentifier
	Data []byte `asn1:"tag:0,explicit"`
}

type shroudedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// pkcs12 is a store as a list of safes, which hold bags. What is not changed is written as it was
// read, byte for byte, so that kinds of bags and attributes which are not known here survive.
type pkcs12 struct {
	password string
	mac      *macData // nil: without a checksum
	safes    []*safe
}

// A safe is a list of bags, encrypted as one or not.
type safe struct {
	raw       []byte                    // as read; nil when it was changed
	algorithm *pkix.AlgorithmIdentifier // nil: not encrypted
	opaque    bool                      // of a kind that is not known: raw alone counts
	bags      []*bag
}

type bag struct {
	raw       []byte // DER
	id        asn1.ObjectIdentifier
	value     []byte // of the kind that id says
	cert      []byte // DER, in a certificate bag
	alias     string
	localID   []byte
	isTrusted bool
}

// parse decodes all of der.
func parse(der []byte, into any, what string) error {
	rest, err := asn1.Unmarshal(der, into)
	if err != nil || len(rest) > 0 {
		return badFormat("it is a damaged PKCS12 store: %s cannot be read; put a good copy there", what)
	}
	return nil
}

func newPKCS12(password string) *pkcs12 { return &pkcs12{password: password, mac: newMAC()} }

func openPKCS12(data []byte, password string) (*pkcs12, error) {
	var p pfx
	if rest, err := asn1.Unmarshal(data, &p); err != nil || len(rest) > 0 {
		return nil, badFormat("it is no PKCS12 store, or a damaged one: put a good copy there")
	}
	if p.Version != 3 || !p.Safe.Type.Equal(oidData) {
		return nil, badFormat("it is a PKCS12 store of an unknown kind (version %d, contents %s); "+
			"one that is protected by a password is wanted", p.Version, p.Safe.Type)
	}
	var contents []byte
	if err := parse(p.Safe.Content.Bytes, &contents, "its contents"); err != nil {
		return nil, err
	}
	s := &pkcs12{password: password}
	if len(p.MAC.FullBytes) > 0 {
		s.mac = &macData{}
		if err := parse(p.MAC.FullBytes, s.mac, "its checksum"); err != nil {
			return nil, err
		}
		sum, err := s.mac.sum(contents, password)
		if err != nil {
			return nil, err
		}
		if !hmac.Equal(sum, s.mac.Mac.Digest) {
			return nil, ErrPassword
		}
	}
	var infos []asn1.RawValue
	if err := parse(contents, &infos, "its contents"); err != nil {
		return nil, err
	}
	for _, info := range infos {
		safe, err := readSafe(info.FullBytes, password)
		if err != nil {
			return nil, err
		}
		s.safes = append(s.safes, safe)
	}
	return s, nil
}

func readSafe(der []byte, password string) (*safe, error) {
	var info contentInfo
	if err := parse(der, &info, "a part"); err != nil {
		return nil, err
	}
	s := &safe{raw: der}
	var contents []byte
	switch {
	case info.Type.Equal(oidData):
		if err := parse(info.Content.Bytes, &contents, "a part"); err != nil {
			return nil, err
		}
	case info.Type.Equal(oidEncryptedData):
		var e encryptedData
		if err := parse(info.Content.Bytes, &e, "an encrypted part"); err != nil {
			return nil, err
		}
		var err error
		contents, err = decrypt(e.Info.Algorithm, e.Info.Content, password)
		if errors.Is(err, errPadding) {
			return nil, ErrPassword
		}
		if err != nil {
			return nil, err
		}
		s.algorithm = &e.Info.Algorithm
	default:
		s.opaque = true
		return s, nil
	}
	var bags []asn1.RawValue
	if err := parse(contents, &bags, "a part"); err != nil {
		if s.algorithm != nil {
			return nil, ErrPassword // a store without a checksum: one padding in 256 fits by chance
		}
		return nil, err
	}
	for _, raw := range bags {
		b, err := readBag(raw.FullBytes)
		if err != nil {
			return nil, err
		}
		s.bags = append(s.bags, b)
	}
	return s, nil
}

func readBag(der []byte) (*bag, error) {
	var sb safeBag
	if err := parse(der, &sb, "an entry"); err != nil {
		return nil, err
	}
	b := &bag{raw: der, id: sb.ID, value: sb.Value.Bytes}
	for _, a := range sb.Attributes {
		var v asn1.RawValue
		if _, err := asn1.Unmarshal(a.Value.Bytes, &v); err != nil && !a.ID.Equal(oidTrusted) {
			continue
		}
		switch {
		case a.ID.Equal(oidFriendlyName) && v.Tag == asn1.TagBMPString:
			b.alias = fromBMP(v.Bytes)
		case a.ID.Equal(oidLocalKeyID):
			b.localID = v.Bytes
		case a.ID.Equal(oidTrusted):
			b.isTrusted = true
		}
	}
	if sb.ID.Equal(oidCertBag) {
		var c certBag
		if err := parse(sb.Value.Bytes, &c, "a certificate"); err != nil {
			return nil, err
		}
		if c.ID.Equal(oidX509) {
			b.cert = c.Data
		}
	}
	return b, nil
}

func (b *bag) isKey() bool { return b.id.Equal(oidShroudedKeyBag) || b.id.Equal(oidKeyBag) }

func (s *pkcs12) Format() Format { return PKCS12 }

// bags yields every bag of every safe.
func (s *pkcs12) bags(yield func(*bag) bool) {
	for _, safe := range s.safes {
		for _, b := range safe.bags {
			if !yield(b) {
				return
			}
		}
	}
}

// named returns the bags that are entries by themselves, by their aliases. Java names those without
// a name by their count.
func (s *pkcs12) named(yield func(string, *bag) bool) {
	count := 0
	for b := range s.bags {
		if !b.isKey() && !b.isTrusted && b.id.Equal(oidCertBag) {
			continue // of a chain
		}
		alias := b.alias
		if alias == "" {
			count++
			alias = strconv.Itoa(count)
		}
		if !yield(alias, b) {
			return
		}
	}
}

func (s *pkcs12) Entries() []Entry {
	var out []Entry
	for alias, b := range s.named {
		e := Entry{Alias: alias}
		switch {
		case b.isKey():
			e.Kind = Key
			for _, c := range s.chain(b) {
				e.Chain = append(e.Chain, c.cert)
			}
		case b.isTrusted && b.cert != nil:
			e.Kind, e.Chain = Trusted, [][]byte{b.cert}
		}
		out = append(out, e)
	}
	return sortEntries(out)
}

// chain returns the certificate bags of a key, as Java puts them together: the leaf by the key's
// local id, then each issuer by its name.
func (s *pkcs12) chain(key *bag) []*bag {
	var leaf *bag
	for b := range s.bags {
		if b.cert == nil || len(key.localID) == 0 || !bytes.Equal(b.localID, key.localID) {
			continue
		}
		if leaf == nil || SameAlias(b.alias, key.alias) && !SameAlias(leaf.alias, key.alias) {
			leaf = b
		}
	}
	var out []*bag
	for at := leaf; at != nil && !slices.Contains(out, at); {
		out = append(out, at)
		c, err := x509.ParseCertificate(at.cert)
		if err != nil || bytes.Equal(c.RawIssuer, c.RawSubject) {
			break
		}
		at = nil
		for b := range s.bags {
			if b.cert == nil {
				continue
			}
			if issuer, err := x509.ParseCertificate(b.cert); err == nil && bytes.Equal(issuer.RawSubject, c.RawIssuer) {
				at = b
				break
			}
		}
	}
	return out
}

func (s *pkcs12) SetTrusted(alias string, certificate []byte) error {
	b, err := makeCertBag(certificate, Fold(alias), nil, true)
	if err != nil {
		return err
	}
	if err := s.Delete(alias); err != nil {
		return err
	}
	return s.add(b)
}

func (s *pkcs12) SetKey(alias string, key []byte, chain [][]byte, keyPassword string) error {
	if keyPassword != s.password {
		return badFormat("a PKCS12 store has one password for itself and its keys, as Java reads it; leave the key's own password out")
	}
	alg, err := modern()
	if err != nil {
		return err
	}
	for b := range s.bags { // what the server reads its other keys with, it reads
		var k shroudedKey
		if b.id.Equal(oidShroudedKeyBag) && parse(b.value, &k, "a key") == nil {
			if alg, err = renewed(k.Algorithm); err != nil {
				return err
			}
			break
		}
	}
	sealed, err := encrypt(alg, key, keyPassword)
	if err != nil {
		return err
	}
	value, err := asn1.Marshal(shroudedKey{alg, sealed})
	if err != nil {
		return err
	}
	// A key that comes back with another certificate is another entry, so its id is one too.
	id := sha1.Sum(append(bytes.Clone(chain[0]), Fold(alias)...))
	bags := make([]*bag, 0, len(chain)+1)
	b, err := makeBag(oidShroudedKeyBag, value, Fold(alias), id[:], false)
	if err != nil {
		return err
	}
	bags = append(bags, b)
	for i, der := range chain {
		name, localID := "", []byte(nil)
		if i == 0 {
			name, localID = Fold(alias), id[:]
		}
		if b, err = makeCertBag(der, name, localID, false); err != nil {
			return err
		}
		bags = append(bags, b)
	}
	if err := s.Delete(alias); err != nil {
		return err
	}
	for _, b := range bags {
		if b.localID == nil && s.holds(b.cert) {
			continue // an authority that another chain has too
		}
		if err := s.add(b); err != nil {
			return err
		}
	}
	return nil
}

// holds reports whether a chain's certificate is there already.
func (s *pkcs12) holds(cert []byte) bool {
	for b := range s.bags {
		if !b.isTrusted && bytes.Equal(b.cert, cert) {
			return true
		}
	}
	return false
}

// add puts a bag where its like are: keys in a safe that is not encrypted, since each is by itself,
// certificates in an encrypted one unless the store has none.
func (s *pkcs12) add(b *bag) error {
	for _, safe := range s.safes {
		if safe.opaque || safe.algorithm != nil && b.isKey() {
			continue
		}
		if slices.ContainsFunc(safe.bags, func(other *bag) bool { return other.isKey() == b.isKey() && (b.isKey() || other.cert != nil) }) {
			safe.bags, safe.raw = append(safe.bags, b), nil
			return nil
		}
	}
	made := &safe{bags: []*bag{b}}
	if !b.isKey() && s.mac != nil {
		alg, err := modern()
		if err != nil {
			return err
		}
		made.algorithm = &alg
	}
	s.safes = append(s.safes, made)
	return nil
}

func (s *pkcs12) Key(alias, keyPassword string) ([]byte, error) {
	for name, b := range s.named {
		if !b.isKey() || !SameAlias(name, alias) {
			continue
		}
		if b.id.Equal(oidKeyBag) {
			return b.value, nil
		}
		var k shroudedKey
		if err := parse(b.value, &k, "a key"); err != nil {
			return nil, err
		}
		out, err := decrypt(k.Algorithm, k.Data, keyPassword)
		if errors.Is(err, errPadding) {
			return nil, ErrKeyPassword
		}
		return out, err
	}
	return nil, ErrNoKey
}

func (s *pkcs12) Delete(alias string) error {
	gone := map[*bag]bool{}
	for name, b := range s.named {
		if !SameAlias(name, alias) {
			continue
		}
		gone[b] = true
		if !b.isKey() {
			continue
		}
		for _, c := range s.chain(b) {
			if !c.isTrusted {
				gone[c] = true
			}
		}
	}
	var needed []*bag // the chains of others stay whole
	for _, b := range s.named {
		if b.isKey() && !gone[b] {
			needed = append(needed, s.chain(b)...)
		}
	}
	for _, c := range needed {
		if !c.isTrusted {
			delete(gone, c)
		}
	}
	for _, safe := range s.safes {
		if slices.ContainsFunc(safe.bags, func(b *bag) bool { return gone[b] }) {
			safe.raw = nil
			safe.bags = slices.DeleteFunc(safe.bags, func(b *bag) bool { return gone[b] })
		}
	}
	for _, c := range needed {
		if gone[c] && !s.holds(c.cert) { // it was trusted, and an issuer
			b, err := makeCertBag(c.cert, "", nil, false)
			if err != nil {
				return err
			}
			if err := s.add(b); err != nil {
				return err
			}
		}
	}
	// An emptied safe goes, but the last: its encryption is what the store's readers know.
	for i := len(s.safes) - 1; i >= 0 && len(s.safes) > 1; i-- {
		if safe := s.safes[i]; safe.raw == nil && len(safe.bags) == 0 {
			s.safes = slices.Delete(s.safes, i, i+1)
		}
	}
	return nil
}

func (s *pkcs12) Encode() ([]byte, error) {
	infos := make([]asn1.RawValue, 0, len(s.safes))
	for _, safe := range s.safes {
		der, err := safe.encode(s.password)
		if err != nil {
			return nil, err
		}
		infos = append(infos, asn1.RawValue{FullBytes: der})
	}
	contents, err := asn1.Marshal(infos)
	if err != nil {
		return nil, err
	}
	info, err := dataInfo(contents)
	if err != nil {
		return nil, err
	}
	out := pfx{Version: 3, Safe: info}
	if s.mac != nil {
		if s.mac.Mac.Digest, err = s.mac.sum(contents, s.password); err != nil {
			return nil, err
		}
		if out.MAC.FullBytes, err = asn1.Marshal(*s.mac); err != nil {
			return nil, err
		}
	}
	return asn1.Marshal(out)
}

func (s *safe) encode(password string) ([]byte, error) {
	if s.raw != nil {
		return s.raw, nil
	}
	bags := make([]asn1.RawValue, len(s.bags))
	for i, b := range s.bags {
		bags[i].FullBytes = b.raw
	}
	contents, err := asn1.Marshal(bags)
	if err != nil {
		return nil, err
	}
	if s.algorithm == nil {
		info, err := dataInfo(contents)
		if err != nil {
			return nil, err
		}
		return asn1.Marshal(info)
	}
	var e encryptedData
	e.Info.Type = oidData
	if e.Info.Algorithm, err = renewed(*s.algorithm); err != nil {
		return nil, err
	}
	if e.Info.Content, err = encrypt(e.Info.Algorithm, contents, password); err != nil {
		return nil, err
	}
	der, err := asn1.Marshal(e)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(contentInfo{oidEncryptedData, explicit(der)})
}

// explicit wraps DER in the tag [0].
func explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
}

func dataInfo(contents []byte) (contentInfo, error) {
	octets, err := asn1.Marshal(contents)
	return contentInfo{oidData, explicit(octets)}, err
}

func makeCertBag(cert []byte, alias string, localID []byte, trusted bool) (*bag, error) {
	value, err := asn1.Marshal(certBag{oidX509, cert})
	if err != nil {
		return nil, err
	}
	return makeBag(oidCertBag, value, alias, localID, trusted)
}

func makeBag(id asn1.ObjectIdentifier, value []byte, alias string, localID []byte, trusted bool) (*bag, error) {
	b := safeBag{ID: id, Value: explicit(value)}
	add := func(id asn1.ObjectIdentifier, v any) error {
		der, err := asn1.Marshal(v)
		b.Attributes = append(b.Attributes, bagAttribute{id, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: der}})
		return err
	}
	var errs []error
	if alias != "" {
		text, err := bmp(alias)
		errs = append(errs, err, add(oidFriendlyName, asn1.RawValue{Tag: asn1.TagBMPString, Bytes: text}))
	}
	if localID != nil {
		errs = append(errs, add(oidLocalKeyID, localID))
	}
	if trusted {
		errs = append(errs, add(oidTrusted, oidAnyUsage))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	der, err := asn1.Marshal(b)
	if err != nil {
		return nil, err
	}
	return readBag(der)
}
