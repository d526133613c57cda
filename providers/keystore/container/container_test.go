package container

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gopkcs12 "software.sslmate.com/src/go-pkcs12"
)

const password = "wso2carbon"

// A pair is a certificate and its key.
type pair struct {
	der  []byte
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (p pair) pkcs8(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func newPair(t *testing.T, name string, issuer *pair) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return pair{der, cert, key}
}

// reopened encodes a store and opens it again.
func reopened(t *testing.T, s Store) Store {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(data, password)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Entries(), again.Entries()); diff != "" {
		t.Fatalf("reading what was written: %s", diff)
	}
	return again
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLife(t *testing.T) {
	root := newPair(t, "root", nil)
	leaf := newPair(t, "leaf", &root)
	renewed := newPair(t, "leaf", &root)
	other := newPair(t, "other", nil)
	for _, format := range []Format{JKS, PKCS12} {
		t.Run(string(format), func(t *testing.T) {
			s, err := New(format, password)
			check(t, err)
			s = reopened(t, s)
			check(t, s.SetTrusted("WSO2is", other.der))
			s = reopened(t, s)
			check(t, s.SetKey("server", leaf.pkcs8(t), [][]byte{leaf.der, root.der}, password))
			check(t, s.SetTrusted("root", root.der))
			check(t, s.SetKey("second", other.pkcs8(t), [][]byte{other.der}, password))
			s = reopened(t, s)
			want := []Entry{
				{"root", Trusted, [][]byte{root.der}},
				{"second", Key, [][]byte{other.der}},
				{"server", Key, [][]byte{leaf.der, root.der}},
				{"wso2is", Trusted, [][]byte{other.der}},
			}
			if diff := cmp.Diff(want, s.Entries()); diff != "" {
				t.Fatal(diff)
			}

			key, err := s.Key("SERVER", password)
			check(t, err)
			if !bytes.Equal(key, leaf.pkcs8(t)) {
				t.Error("the key is another")
			}
			if _, err := s.Key("server", "another"); !errors.Is(err, ErrKeyPassword) {
				t.Errorf("a wrong key password: %v", err)
			}
			if _, err := s.Key("root", password); !errors.Is(err, ErrNoKey) {
				t.Errorf("the key of a trusted certificate: %v", err)
			}

			check(t, s.SetKey("Server", renewed.pkcs8(t), [][]byte{renewed.der, root.der}, password))
			s = reopened(t, s)
			if e, _ := Find(s, "server"); len(e.Chain) != 2 || !bytes.Equal(e.Chain[0], renewed.der) {
				t.Errorf("after a renewal: %v", e)
			}
			check(t, s.SetTrusted("wso2IS", root.der))
			check(t, s.Delete("server"))
			check(t, s.Delete("not there"))
			s = reopened(t, s)
			want = []Entry{{"root", Trusted, [][]byte{root.der}}, {"second", Key, [][]byte{other.der}}, {"wso2is", Trusted, [][]byte{root.der}}}
			if diff := cmp.Diff(want, s.Entries()); diff != "" {
				t.Fatal(diff)
			}
			for _, e := range s.Entries() {
				check(t, s.Delete(e.Alias))
			}
			if s = reopened(t, s); len(s.Entries()) > 0 {
				t.Errorf("left: %v", s.Entries())
			}
		})
	}
}

// The chains of two keys share an authority, which stays until the second is gone.
func TestSharedAuthority(t *testing.T) {
	root := newPair(t, "root", nil)
	a, b := newPair(t, "a", &root), newPair(t, "b", &root)
	s, err := New(PKCS12, password)
	check(t, err)
	check(t, s.SetKey("a", a.pkcs8(t), [][]byte{a.der, root.der}, password))
	check(t, s.SetKey("b", b.pkcs8(t), [][]byte{b.der, root.der}, password))
	check(t, s.Delete("a"))
	s = reopened(t, s)
	if diff := cmp.Diff([]Entry{{"b", Key, [][]byte{b.der, root.der}}}, s.Entries()); diff != "" {
		t.Error(diff)
	}
}

// A trusted certificate is the issuer in the chain of a key, as Java reads it: without the entry the
// chain is the same.
func TestTrustedIssuer(t *testing.T) {
	root := newPair(t, "root", nil)
	a := newPair(t, "a", &root)
	s, err := New(PKCS12, password)
	check(t, err)
	check(t, s.SetTrusted("root", root.der))
	check(t, s.SetKey("a", a.pkcs8(t), [][]byte{a.der}, password))
	key := Entry{"a", Key, [][]byte{a.der, root.der}}
	if diff := cmp.Diff([]Entry{key, {"root", Trusted, [][]byte{root.der}}}, reopened(t, s).Entries()); diff != "" {
		t.Error(diff)
	}
	check(t, s.Delete("root"))
	if diff := cmp.Diff([]Entry{key}, reopened(t, s).Entries()); diff != "" {
		t.Error(diff)
	}
}

func TestKeyPasswords(t *testing.T) {
	p := newPair(t, "server", nil)
	s, err := New(JKS, password)
	check(t, err)
	check(t, s.SetKey("server", p.pkcs8(t), [][]byte{p.der}, "its own"))
	if _, err := reopened(t, s).Key("server", "its own"); err != nil {
		t.Error(err)
	}
	s, err = New(PKCS12, password)
	check(t, err)
	if err := s.SetKey("server", p.pkcs8(t), [][]byte{p.der}, "its own"); err == nil || !strings.Contains(err.Error(), "one password") {
		t.Errorf("a PKCS12 key with a password of its own: %v", err)
	}
}

// Another implementation reads what we write.
func TestGoPKCS12(t *testing.T) {
	p, q := newPair(t, "p", nil), newPair(t, "q", nil)
	s, err := New(PKCS12, password)
	check(t, err)
	check(t, s.SetTrusted("p", p.der))
	check(t, s.SetTrusted("q", q.der))
	data, err := s.Encode()
	check(t, err)
	certs, err := gopkcs12.DecodeTrustStore(data, password)
	check(t, err)
	if len(certs) != 2 || !bytes.Equal(certs[0].Raw, p.der) || !bytes.Equal(certs[1].Raw, q.der) {
		t.Errorf("read %d certificates", len(certs))
	}
	if _, err := gopkcs12.DecodeTrustStore(data, "another"); err == nil {
		t.Error("a wrong password is taken")
	}
}

// We read what another implementation writes, by each kind of encryption, and keep to that kind.
func TestEncryptions(t *testing.T) {
	p, q := newPair(t, "p", nil), newPair(t, "q", nil)
	for name, enc := range map[string]*gopkcs12.Encoder{
		"RC2": gopkcs12.LegacyRC2, "3DES": gopkcs12.LegacyDES, "AES": gopkcs12.Modern2023, "PBMAC1": gopkcs12.Modern2026, "none": gopkcs12.Passwordless,
	} {
		t.Run(name, func(t *testing.T) {
			password := password
			if enc == gopkcs12.Passwordless {
				password = ""
			}
			data, err := enc.EncodeTrustStoreEntries([]gopkcs12.TrustStoreEntry{{Cert: p.cert, FriendlyName: "First One"}}, password)
			check(t, err)
			s, err := Open(data, password)
			check(t, err)
			check(t, s.SetTrusted("second", q.der))
			data, err = s.Encode()
			check(t, err)
			certs, err := gopkcs12.DecodeTrustStore(data, password)
			check(t, err)
			if len(certs) != 2 {
				t.Errorf("the other implementation reads %d certificates", len(certs))
			}
			s, err = Open(data, password)
			check(t, err)
			want := []Entry{{"First One", Trusted, [][]byte{p.der}}, {"second", Trusted, [][]byte{q.der}}}
			if diff := cmp.Diff(want, s.Entries()); diff != "" {
				t.Error(diff)
			}
			if password == "" {
				return
			}
			if _, err := Open(data, "another"); !errors.Is(err, ErrPassword) {
				t.Errorf("a wrong password: %v", err)
			}
			data, err = enc.Encode(p.key, p.cert, []*x509.Certificate{q.cert}, password)
			check(t, err)
			s, err = Open(data, password)
			check(t, err)
			key, err := s.Key("1", password) // it has no name, so Java counts it
			check(t, err)
			if !bytes.Equal(key, p.pkcs8(t)) {
				t.Error("the key is another")
			}
		})
	}
}

// RFC 2268, section 5.
func TestRC2(t *testing.T) {
	for _, v := range []struct{ key, plain, cipher string }{
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, _ := hex.DecodeString(v.key)
		plain, _ := hex.DecodeString(v.plain)
		got := make([]byte, 8)
		c := newRC2(key)
		c.Encrypt(got, plain)
		if hex.EncodeToString(got) != v.cipher {
			t.Errorf("%s encrypts to %x, want %s", v.plain, got, v.cipher)
		}
		c.Decrypt(got, got)
		if !bytes.Equal(got, plain) {
			t.Errorf("and decrypts to %x", got)
		}
	}
}

func TestBadInput(t *testing.T) {
	p := newPair(t, "p", nil)
	stores := map[Format][]byte{}
	for _, format := range []Format{JKS, PKCS12} {
		s, err := New(format, password)
		check(t, err)
		check(t, s.SetTrusted("p", p.der))
		check(t, s.SetKey("k", p.pkcs8(t), [][]byte{p.der}, password))
		if stores[format], err = s.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "it is empty"},
		{"PEM", []byte("-----BEGIN CERTIFICATE-----\n"), "PEM file"},
		{"PEM with text", []byte("subject=CN = localhost\n-----BEGIN CERTIFICATE-----\n"), "PEM file"},
		{"JCEKS", []byte{0xCE, 0xCE, 0xCE, 0xCE, 0, 0}, "JCEKS"},
		{"BER", []byte{0x30, 0x80, 2, 1, 3}, "indefinite lengths"},
		{"text", []byte("hello"), "neither a JKS nor a PKCS12"},
		{"cut JKS", stores[JKS][:len(stores[JKS])-30], "cut off"},
		{"long JKS", append(bytes.Clone(stores[JKS]), 0), "1 bytes too many"},
		{"JKS of version 9", []byte{0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 9, 0, 0, 0, 0}, "version 9"},
		{"endless JKS", []byte{0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}, "cut off"},
		{"cut PKCS12", stores[PKCS12][:200], "no PKCS12 store"},
		{"a certificate", p.der, "no PKCS12 store"},
	} {
		_, err := Open(c.data, password)
		if bad := (*FormatError)(nil); !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want one that says %q", c.name, err, c.want)
		}
	}
	for format, data := range stores {
		if _, err := Open(data, "another"); !errors.Is(err, ErrPassword) {
			t.Errorf("%s with a wrong password: %v", format, err)
		}
		damaged := bytes.Clone(data)
		damaged[len(damaged)/2] ^= 1
		if _, err := Open(damaged, password); err == nil {
			t.Errorf("%s with a wrong bit is taken", format)
		}
	}
	if _, err := New(JKS, "pässwörd"); err != nil {
		t.Error(err)
	}
	if _, err := New(JKS, "пароль"); err == nil {
		t.Error("a JKS password that the library would garble is taken")
	}
}

// keytool runs Java's own tool.
func keytool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("keytool", append([]string{"-J-Duser.language=en", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("keytool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// needKeytool skips where there is no JDK, and says so; the machine of .ci/run has one.
func needKeytool(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("keytool"); err != nil {
		t.Skip("NOT TESTED against Java: keytool of a JDK is not in PATH")
	}
}

var listed = regexp.MustCompile(`(?m)^(\S[^,\n]*), .*?(trustedCertEntry|PrivateKeyEntry|SecretKeyEntry),?[ \t]*(?:\nCertificate fingerprint \(SHA-256\): (\S+))?`)

// javaSees returns what keytool lists: alias, kind and fingerprint.
func javaSees(t *testing.T, file string) []string {
	t.Helper()
	var out []string
	for _, m := range listed.FindAllStringSubmatch(keytool(t, "-list", "-keystore", file, "-storepass", password), -1) {
		out = append(out, m[1]+" "+m[2]+" "+m[3])
	}
	return out
}

func javaLine(alias, kind string, der []byte) string {
	if der == nil {
		return alias + " " + kind + " "
	}
	sum := sha256.Sum256(der)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	return alias + " " + kind + " " + strings.Join(parts, ":")
}

// What Java made keeps every entry when we change it, and Java reads what we made of it.
func TestKeytool(t *testing.T) {
	needKeytool(t)
	root := newPair(t, "root", nil)
	leaf := newPair(t, "leaf", &root)
	for name, args := range map[string][]string{
		"JKS":           {"-storetype", "JKS"},
		"PKCS12":        {"-storetype", "PKCS12"},
		"legacy PKCS12": {"-storetype", "PKCS12", "-J-Dkeystore.pkcs12.legacy"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "store")
			pem := filepath.Join(dir, "root.der")
			check(t, os.WriteFile(pem, root.der, 0o600))
			common := append([]string{"-keystore", file, "-storepass", password}, args...)
			keytool(t, append([]string{"-genkeypair", "-alias", "wso2carbon", "-keyalg", "EC", "-keypass", password, "-dname", "CN=localhost"}, common...)...)
			keytool(t, append([]string{"-importcert", "-noprompt", "-alias", "A Root", "-file", pem}, common...)...)
			if name == "PKCS12" {
				keytool(t, append([]string{"-genseckey", "-alias", "secret", "-keyalg", "AES", "-keysize", "256"}, common...)...)
			}
			before := javaSees(t, file)
			if want := 2; len(before) < want {
				t.Fatalf("keytool lists %q", before)
			}

			change := func(do func(Store) error) {
				t.Helper()
				data, err := os.ReadFile(file)
				check(t, err)
				s, err := Open(data, password)
				check(t, err)
				check(t, do(s))
				data, err = s.Encode()
				check(t, err)
				check(t, os.WriteFile(file, data, 0o600))
			}
			change(func(s Store) error {
				return errors.Join(s.SetTrusted("wso2is", root.der), s.SetKey("second", leaf.pkcs8(t), [][]byte{leaf.der, root.der}, password))
			})
			want := append([]string{javaLine("wso2is", "trustedCertEntry", root.der), javaLine("second", "PrivateKeyEntry", leaf.der)}, before...)
			less := cmp.Transformer("sorted", func(in []string) map[string]bool {
				out := map[string]bool{}
				for _, line := range in {
					out[line] = true
				}
				return out
			})
			if diff := cmp.Diff(want, javaSees(t, file), less); diff != "" {
				t.Errorf("after two entries were put: %s", diff)
			}
			// Java decrypts both keys: it writes them into another store.
			out := filepath.Join(dir, "out")
			keytool(t, "-importkeystore", "-noprompt", "-srckeystore", file, "-srcstorepass", password,
				"-destkeystore", out, "-deststorepass", password, "-deststoretype", "PKCS12")
			data, err := os.ReadFile(out)
			check(t, err)
			s, err := Open(data, password)
			check(t, err)
			if key, err := s.Key("second", password); err != nil || !bytes.Equal(key, leaf.pkcs8(t)) {
				t.Errorf("the key that Java handed on: %v", err)
			}
			if name != "PKCS12" {
				return // one is enough for what takes time
			}
			if out := keytool(t, "-list", "-v", "-alias", "second", "-keystore", file, "-storepass", password); !strings.Contains(out, "Certificate chain length: 2") {
				t.Errorf("the chain that Java sees:\n%s", out)
			}
			change(func(s Store) error { return errors.Join(s.Delete("wso2is"), s.Delete("second")) })
			if diff := cmp.Diff(before, javaSees(t, file), less); diff != "" {
				t.Errorf("after they were removed: %s", diff)
			}
		})
	}
}

// Java reads a store that we made, also an empty one.
func TestKeytoolReadsNew(t *testing.T) {
	needKeytool(t)
	p := newPair(t, "p", nil)
	for _, format := range []Format{JKS, PKCS12} {
		s, err := New(format, password)
		check(t, err)
		file := filepath.Join(t.TempDir(), "store")
		write := func() {
			data, err := s.Encode()
			check(t, err)
			check(t, os.WriteFile(file, data, 0o600))
		}
		write()
		if got := javaSees(t, file); len(got) != 0 {
			t.Errorf("%s: an empty store lists %q", format, got)
		}
		check(t, s.SetTrusted("p", p.der))
		write()
		if diff := cmp.Diff([]string{javaLine("p", "trustedCertEntry", p.der)}, javaSees(t, file)); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
		check(t, s.Delete("p"))
		write()
		if got := javaSees(t, file); len(got) != 0 {
			t.Errorf("%s: an emptied store lists %q", format, got)
		}
	}
}

// Whatever the bytes, a store opens or there is an error; what opens is written and read again.
func FuzzOpen(f *testing.F) {
	t := &testing.T{}
	p := newPair(t, "p", nil)
	for _, format := range []Format{JKS, PKCS12} {
		s, err := New(format, password)
		if err != nil {
			f.Fatal(err)
		}
		if err := errors.Join(s.SetTrusted("p", p.der), s.SetKey("k", p.pkcs8(t), [][]byte{p.der}, password)); err != nil {
			f.Fatal(err)
		}
		data, err := s.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	open, err := gopkcs12.Passwordless.EncodeTrustStore([]*x509.Certificate{p.cert}, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(open)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Open(unsealed(data), password)
		if err != nil {
			return
		}
		for _, e := range s.Entries() {
			_, _ = s.Key(e.Alias, password)
		}
		if err := s.SetTrusted("fuzz", p.der); err != nil {
			return // an encryption whose parameters cannot be made anew
		}
		again, err := s.Encode()
		if err != nil {
			return
		}
		if s, err = Open(again, password); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if e, ok := Find(s, "fuzz"); !ok || !bytes.Equal(e.Chain[0], p.der) {
			t.Fatal("the entry that was put is not there")
		}
	})
}

// unsealed makes the checksum of a store fit, or takes it away, so that fuzzing goes deeper than it.
func unsealed(data []byte) []byte {
	switch format, err := Detect(data); {
	case err != nil:
	case format == JKS && len(data) > 20:
		body := bytes.Clone(data[:len(data)-20])
		sum := sha1.New()
		for _, c := range []byte(password) {
			sum.Write([]byte{0, c})
		}
		sum.Write([]byte("Mighty Aphrodite"))
		sum.Write(body)
		return sum.Sum(body)
	case format == PKCS12:
		var p pfx
		if _, err := asn1.Unmarshal(data, &p); err == nil {
			p.MAC = asn1.RawValue{}
			if out, err := asn1.Marshal(p); err == nil {
				return out
			}
		}
	}
	return data
}
