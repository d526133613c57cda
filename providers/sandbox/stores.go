package sandbox

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	keystore "github.com/pavlo-v-chernykh/keystore-go/v4"
	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// The stores of API Manager are JKS, those of Identity Server PKCS12.

func jksEncoded(s keystore.KeyStore, password string) ([]byte, error) {
	var out bytes.Buffer
	err := s.Store(&out, []byte(password))
	return out.Bytes(), err
}

func jksWithKey(c tls.Certificate, alias, password string) ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, err
	}
	entry := keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: key}
	for _, der := range c.Certificate {
		entry.CertificateChain = append(entry.CertificateChain, keystore.Certificate{Type: "X.509", Content: der})
	}
	s := keystore.New(keystore.WithOrderedAliases())
	if err := s.SetPrivateKeyEntry(alias, entry, []byte(password)); err != nil {
		return nil, err
	}
	return jksEncoded(s, password)
}

func jksWithTrust(trusted map[string]*x509.Certificate, password string) ([]byte, error) {
	s := keystore.New(keystore.WithOrderedAliases())
	for alias, c := range trusted {
		entry := keystore.TrustedCertificateEntry{CreationTime: time.Now(), Certificate: keystore.Certificate{Type: "X.509", Content: c.Raw}}
		if err := s.SetTrustedCertificateEntry(alias, entry); err != nil {
			return nil, err
		}
	}
	return jksEncoded(s, password)
}

func openJKS(data []byte, password string) (keystore.KeyStore, error) {
	s := keystore.New(keystore.WithOrderedAliases())
	return s, s.Load(bytes.NewReader(data), []byte(password))
}

func keyOfJKS(data []byte, alias, password string) (tls.Certificate, error) {
	s, err := openJKS(data, password)
	if err != nil {
		return tls.Certificate{}, err
	}
	entry, err := s.GetPrivateKeyEntry(alias, []byte(password))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("alias %q: %w", alias, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	c := tls.Certificate{PrivateKey: key}
	for _, one := range entry.CertificateChain {
		c.Certificate = append(c.Certificate, one.Content)
	}
	return c, nil
}

func trustOfJKS(data []byte, password string) ([]*x509.Certificate, error) {
	s, err := openJKS(data, password)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for _, alias := range s.Aliases() {
		if !s.IsTrustedCertificateEntry(alias) {
			continue
		}
		entry, err := s.GetTrustedCertificateEntry(alias)
		if err != nil {
			return nil, err
		}
		c, err := x509.ParseCertificate(entry.Certificate.Content)
		if err != nil {
			return nil, fmt.Errorf("alias %q: %w", alias, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func pkcs12WithTrust(trusted map[string]*x509.Certificate, password string) ([]byte, error) {
	var entries []pkcs12.TrustStoreEntry
	for _, alias := range slices.Sorted(maps.Keys(trusted)) {
		entries = append(entries, pkcs12.TrustStoreEntry{Cert: trusted[alias], FriendlyName: alias})
	}
	return pkcs12.Modern2023.EncodeTrustStoreEntries(entries, password)
}

func trustOfPKCS12(data []byte, password string) ([]*x509.Certificate, error) {
	return pkcs12.DecodeTrustStore(data, password)
}

// The library writes a key without an alias, and reads a store with one key alone. Both are mended in the part of the store that holds the keys,
// which is not encrypted as a whole: each key is by itself.

type p12 struct {
	Version int
	Safe    p12Content
	MAC     p12MAC
}

type p12Content struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type p12MAC struct {
	Mac struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

type p12Bag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue  `asn1:"tag:0,explicit"`
	Attributes []p12Attribute `asn1:"set,optional"`
}

type p12Attribute struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue `asn1:"set"`
}

var (
	oidP12Data   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidP12Key    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidP12Name   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	oidP12SHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

func utf16Text(s string) []byte {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r>>8), byte(r))
	}
	return out
}

// withKeys hands the bags of each part that is not encrypted to edit, and seals the store again.
func withKeys(data []byte, password string, edit func([]p12Bag) []p12Bag) ([]byte, error) {
	var store p12
	if _, err := asn1.Unmarshal(data, &store); err != nil {
		return nil, err
	}
	var contents []byte
	if _, err := asn1.Unmarshal(store.Safe.Content.Bytes, &contents); err != nil {
		return nil, err
	}
	var parts []p12Content
	if _, err := asn1.Unmarshal(contents, &parts); err != nil {
		return nil, err
	}
	for i := range parts {
		if !parts[i].Type.Equal(oidP12Data) {
			continue
		}
		var octets []byte
		if _, err := asn1.Unmarshal(parts[i].Content.Bytes, &octets); err != nil {
			return nil, err
		}
		var bags []p12Bag
		if _, err := asn1.Unmarshal(octets, &bags); err != nil {
			return nil, err
		}
		for j := range bags {
			bags[j].Value.FullBytes = nil
		}
		octets, err := asn1.Marshal(edit(bags))
		if err != nil {
			return nil, err
		}
		if parts[i].Content, err = p12Octets(octets); err != nil {
			return nil, err
		}
	}
	contents, err := asn1.Marshal(parts)
	if err != nil {
		return nil, err
	}
	if store.Safe.Content, err = p12Octets(contents); err != nil {
		return nil, err
	}
	if !store.MAC.Mac.Algorithm.Algorithm.Equal(oidP12SHA256) {
		return nil, errors.New("the store is sealed with another hash than SHA-256")
	}
	store.MAC.Mac.Digest = p12Seal(store.MAC, contents, password)
	return asn1.Marshal(store)
}

func p12Octets(b []byte) (asn1.RawValue, error) {
	der, err := asn1.Marshal(b)
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}, err
}

// p12Seal is the checksum of RFC 7292, appendix B: one block of SHA-256.
func p12Seal(m p12MAC, contents []byte, password string) []byte {
	fill := func(b []byte) []byte {
		n := (len(b) + 63) / 64 * 64
		return bytes.Repeat(b, n/max(len(b), 1)+1)[:n]
	}
	text := slices.Concat(bytes.Repeat([]byte{3}, 64), fill(m.Salt), fill(append(utf16Text(password), 0, 0)))
	for range m.Iterations {
		sum := sha256.Sum256(text)
		text = sum[:]
	}
	mac := hmac.New(sha256.New, text)
	mac.Write(contents)
	return mac.Sum(nil)
}

func pkcs12WithKey(c tls.Certificate, alias, password string) ([]byte, error) {
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil, err
	}
	data, err := pkcs12.Modern2023.Encode(c.PrivateKey, leaf, nil, password)
	if err != nil {
		return nil, err
	}
	name, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagBMPString, Bytes: utf16Text(alias)})
	if err != nil {
		return nil, err
	}
	return withKeys(data, password, func(bags []p12Bag) []p12Bag {
		for i := range bags {
			if bags[i].ID.Equal(oidP12Key) {
				value := asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: name}
				bags[i].Attributes = append(bags[i].Attributes, p12Attribute{oidP12Name, value})
			}
		}
		return bags
	})
}

func keyOfPKCS12(data []byte, alias, password string) (tls.Certificate, error) {
	// The password is tried on the store as it is, before it is sealed again.
	if _, _, _, err := pkcs12.DecodeChain(data, password); errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return tls.Certificate{}, err
	}
	named := func(b p12Bag) bool {
		return slices.ContainsFunc(b.Attributes, func(a p12Attribute) bool {
			var name asn1.RawValue
			_, err := asn1.Unmarshal(a.Value.Bytes, &name)
			return err == nil && a.ID.Equal(oidP12Name) && strings.EqualFold(string(name.Bytes), string(utf16Text(alias)))
		})
	}
	one, err := withKeys(data, password, func(bags []p12Bag) []p12Bag {
		return slices.DeleteFunc(bags, func(b p12Bag) bool { return b.ID.Equal(oidP12Key) && !named(b) })
	})
	if err != nil {
		return tls.Certificate{}, err
	}
	key, first, others, err := pkcs12.DecodeChain(one, password)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("alias %q: %w", alias, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("alias %q: the key is %T", alias, key)
	}
	all := append([]*x509.Certificate{first}, others...)
	c := tls.Certificate{PrivateKey: key}
	at := slices.IndexFunc(all, func(c *x509.Certificate) bool {
		public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
		return ok && public.Equal(c.PublicKey)
	})
	if at < 0 {
		return tls.Certificate{}, fmt.Errorf("alias %q: there is no certificate for the key", alias)
	}
	for len(c.Certificate) <= len(all) {
		here := all[at]
		c.Certificate = append(c.Certificate, here.Raw)
		at = slices.IndexFunc(all, func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, here.RawIssuer) })
		if at < 0 || bytes.Equal(here.RawIssuer, here.RawSubject) {
			break
		}
	}
	return c, nil
}
