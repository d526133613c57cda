package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"
)

// An authority is the sandbox's own certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

const (
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY"
)

// newAuthority reads an authority that was kept, or makes one.
func newAuthority(kept string) (*authority, error) {
	if kept != "" {
		return readAuthority([]byte(kept))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "wso2plan sandbox CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key}, err
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return big.NewInt(time.Now().UnixNano())
	}
	return n
}

func readAuthority(text []byte) (*authority, error) {
	var a authority
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		switch block.Type {
		case certificateBlock:
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			a.certificate = certificate
		case keyBlock:
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, err
			}
			a.key, _ = key.(*ecdsa.PrivateKey)
		}
	}
	if a.certificate == nil || a.key == nil {
		return nil, errors.New("the kept certificate authority is not complete")
	}
	return &a, nil
}

// text is the form in which an authority is kept.
func (a *authority) text() (string, error) {
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return "", err
	}
	return string(a.pem()) + string(pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: key})), nil
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: a.certificate.Raw})
}

// pool is what a server trusts: this authority, and what the machine trusts.
func (a *authority) pool() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AddCert(a.certificate)
	return pool
}

// issue makes a server certificate for localhost, 127.0.0.1, ::1, wso2is, wso2am and more hosts.
func (a *authority) issue(hosts []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := serverTemplate(hosts)
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}, nil
}

// serverTemplate is a certificate for localhost, 127.0.0.1, ::1, wso2is, wso2am and more hosts.
func serverTemplate(hosts []string) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	names := append([]string{"localhost", "wso2is", "wso2am"}, hosts...)
	slices.Sort(names)
	for _, host := range slices.Compact(names) {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

// serverKeys are the keys that sign the tokens of the two servers.
type serverKeys struct{ apim, is *rsa.PrivateKey }

// freshKeys makes them once in a process: they take a good part of a second.
var freshKeys = sync.OnceValues(func() (serverKeys, error) {
	var k serverKeys
	var err1, err2 error
	var both sync.WaitGroup
	both.Go(func() { k.apim, err1 = rsa.GenerateKey(rand.Reader, 2048) })
	both.Go(func() { k.is, err2 = rsa.GenerateKey(rand.Reader, 2048) })
	both.Wait()
	return k, errors.Join(err1, err2)
})

// signingKeys reads keys that were kept, or makes them.
func signingKeys(kept keyTexts) (serverKeys, error) {
	if kept.APIM == "" || kept.IS == "" {
		return freshKeys()
	}
	var k serverKeys
	for _, one := range []struct {
		text string
		to   **rsa.PrivateKey
	}{{kept.APIM, &k.apim}, {kept.IS, &k.is}} {
		block, _ := pem.Decode([]byte(one.text))
		if block == nil {
			return k, errors.New("a kept signing key is not PEM")
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return k, err
		}
		var ok bool
		if *one.to, ok = key.(*rsa.PrivateKey); !ok {
			return k, fmt.Errorf("a kept signing key is %T, not RSA", key)
		}
	}
	return k, nil
}

func keyText(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der})), nil
}
