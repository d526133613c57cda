package keystore

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// certificates reads every certificate of a PEM text, in which there may be other lines.
func certificates(text string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	blocks := 0
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks++
		switch {
		case block.Type == "CERTIFICATE" || block.Type == "X509 CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("certificate %d of the PEM cannot be read: %w", len(out)+1, err)
			}
			out = append(out, c)
		case block.Type == "CERTIFICATE REQUEST" || block.Type == "NEW CERTIFICATE REQUEST":
			return nil, errors.New("the PEM holds a request for a certificate; give the certificate that the authority made of it")
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return nil, errors.New("the PEM holds a private key, which does not belong here; give the certificate alone")
		default:
			return nil, fmt.Errorf("the PEM holds a block %q, which is no certificate", block.Type)
		}
	}
	switch {
	case blocks == 0 && strings.Contains(text, "-----BEGIN"):
		return nil, errors.New("there is no whole certificate in the PEM: it may be cut off, or its lines joined or indented")
	case blocks == 0 && isFileName(text):
		return nil, fmt.Errorf("there is no certificate in it, but what looks like the name of a file: write file(%q)", text)
	case blocks == 0:
		return nil, errors.New("there is no certificate in it: PEM is wanted, which begins with \"-----BEGIN CERTIFICATE-----\"; " +
			"\"openssl x509 -inform der -in FILE\" makes it of DER")
	}
	return out, nil
}

// isFileName guesses that a text that is no PEM was meant as the name of one.
func isFileName(text string) bool {
	return len(text) < 200 && !strings.ContainsAny(text, "\n ") && slices.Contains([]string{".pem", ".crt", ".cer", ".key"}, strings.ToLower(filepath.Ext(text)))
}

// oneCertificate reads the only certificate of a PEM text.
func oneCertificate(text string) (*x509.Certificate, error) {
	list, err := certificates(text)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return nil, fmt.Errorf("the PEM holds %d certificates, and an entry takes one: give each an entry with an alias of its own", len(list))
	}
	return list[0], nil
}

// chainOf reads a chain, leaf first, each certificate followed by its issuer's.
func chainOf(text string) ([]*x509.Certificate, error) {
	list, err := certificates(text)
	if err != nil {
		return nil, err
	}
	for i := range list[:len(list)-1] {
		if !bytes.Equal(list[i].RawIssuer, list[i+1].RawSubject) {
			return nil, fmt.Errorf("certificate %d of the chain (%s) is not followed by that of its issuer (%s) but by %s; "+
				"order them from the server's own to the authority's", i+1, list[i].Subject, list[i].Issuer, list[i+1].Subject)
		}
	}
	return list, nil
}

// privateKey reads the only private key of a PEM text: PKCS #8, PKCS #1 or SEC 1.
func privateKey(text string) (crypto.Signer, error) {
	var found crypto.Signer
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "EC PARAMETERS" || strings.Contains(block.Type, "CERTIFICATE") {
			continue // openssl writes the first before a key, and others put chains behind it
		}
		if found != nil {
			return nil, errors.New("the PEM holds more than one private key; give the one of the certificate")
		}
		var key any
		var err error
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, errors.New("the private key is encrypted; \"openssl pkey -in FILE\" takes the password off")
		case block.Type == "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			return nil, fmt.Errorf("the PEM holds a block %q, which is no private key", block.Type)
		}
		if err != nil {
			return nil, errors.New("the private key cannot be read; \"openssl pkey -in FILE -check\" says why")
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, errors.New("the private key is not one that signs; a server needs an RSA, EC or Ed25519 key")
		}
		found = signer
	}
	if found == nil && isFileName(text) {
		return nil, errors.New("there is no private key in it, but what looks like the name of a file: write file(\"NAME\")")
	}
	if found == nil {
		return nil, errors.New("there is no private key in it: PEM is wanted, which begins with \"-----BEGIN PRIVATE KEY-----\"; " +
			"\"openssl pkey -in FILE\" makes it")
	}
	return found, nil
}

// encodePEM writes certificates as PEM, one after the other.
func encodePEM(chain [][]byte) string {
	var out strings.Builder
	for _, der := range chain {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return out.String()
}

// rawOf returns certificates as DER.
func rawOf(chain []*x509.Certificate) [][]byte {
	out := make([][]byte, len(chain))
	for i, c := range chain {
		out[i] = c.Raw
	}
	return out
}

// fingerprint returns the SHA-256 of bytes in hexadecimal.
func fingerprint(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// normalCertificates is the form in which certificates are compared: the SHA-256 of each one's DER.
func normalCertificates(v cty.Value) cty.Value {
	list, err := certificates(v.AsString())
	if err != nil {
		return v
	}
	prints := make([]string, len(list))
	for i, c := range list {
		prints[i] = fingerprint(c.Raw)
	}
	return cty.StringVal("sha256:" + strings.Join(prints, " "))
}

// normalKey is the form in which private keys are compared: the SHA-256 of their public key's DER.
func normalKey(v cty.Value) cty.Value {
	key, err := privateKey(v.AsString())
	if err != nil {
		return v
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return v
	}
	return cty.StringVal("sha256:" + fingerprint(der))
}
