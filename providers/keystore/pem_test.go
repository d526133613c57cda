package keystore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

func TestBadPEM(t *testing.T) {
	is, am, key := sample(t, "wso2is.pem"), sample(t, "wso2am.pem"), sample(t, "wso2is.key")
	for _, c := range []struct{ what, text, want string }{
		{"nothing", "", "there is no certificate in it: PEM is wanted"},
		{"a file name", "certs/wso2is.pem", `write file("certs/wso2is.pem")`},
		{"DER", "\x30\x82\x01", "openssl x509 -inform der"},
		{"a cut PEM", is[:200], "there is no whole certificate"},
		{"a joined PEM", strings.ReplaceAll(is, "\n", " "), "there is no whole certificate"},
		{"a key", key, "holds a private key"},
		{"a request", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n", "a request for a certificate"},
		{"a public key", "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", `a block "PUBLIC KEY"`},
		{"rubbish", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "certificate 1 of the PEM cannot be read"},
		{"two", is + am, "holds 3 certificates, and an entry takes one"},
	} {
		_, err := oneCertificate(c.text)
		wantError(t, c.what, err, c.want)
	}
	parts := strings.SplitAfter(am, "-----END CERTIFICATE-----\n")
	_, err := chainOf(parts[1] + parts[0])
	wantError(t, "a chain in the wrong order", err, "is not followed by that of its issuer", "order them from the server's own")
	for _, c := range []struct{ what, text, want string }{
		{"nothing", "", "there is no private key in it"},
		{"a file name", "wso2is.key", "write file("},
		{"a certificate", is, "there is no private key in it"},
		{"two keys", key + sample(t, "wso2am.key"), "more than one private key"},
		{"an encrypted key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n", "takes the password off"},
		{"an encrypted key of old", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMAA=\n-----END RSA PRIVATE KEY-----\n", "takes the password off"},
		{"rubbish", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "cannot be read"},
		{"another block", "-----BEGIN DSA PARAMETERS-----\nMAA=\n-----END DSA PARAMETERS-----\n", `a block "DSA PARAMETERS"`},
	} {
		_, err := privateKey(c.text)
		wantError(t, c.what, err, c.want)
	}
	if _, err := privateKey("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + key); err != nil {
		t.Errorf("a key as openssl writes it: %v", err)
	}
}

func TestCheckKeyPair(t *testing.T) {
	p := oneStore(t, "x.jks")
	v := pairOf(t, p, "a", "wso2am")
	check := keyPairs(p).Schema().Check
	if got := check(v); len(got) > 0 {
		t.Errorf("a pair that fits: %v", got)
	}
	attrs := v.AsValueMap()
	attrs["private_key"] = cty.StringVal(sample(t, "wso2is.key"))
	if got := check(cty.ObjectVal(attrs)); len(got) != 1 || !strings.Contains(got[0].Detail, "does not belong to the first certificate") {
		t.Errorf("a key of another certificate: %v", got)
	}
	attrs["private_key"] = cty.UnknownVal(cty.String)
	if got := check(cty.ObjectVal(attrs)); len(got) > 0 {
		t.Errorf("a key that is not known yet: %v", got)
	}
}

// ending returns a certificate that ends in some days.
func ending(t *testing.T, days int) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "soon"},
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().Add(time.Duration(days)*24*time.Hour + time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestExpiring(t *testing.T) {
	p := oneStore(t, "x.jks")
	typ := trusted(p)
	var all []engine.Planned
	for _, days := range []int{100, 30, 29, -2} {
		all = append(all, engine.Planned{Address: "a", Action: engine.None,
			After: planned(typ, map[string]any{"store": "s", "alias": "a", "certificate": ending(t, days)})})
	}
	all = append(all, engine.Planned{Address: "gone", Action: engine.Delete, After: cty.NullVal(typ.Schema().ImpliedType())})
	got := typ.(engine.Checker).CheckPlan(t.Context(), all)
	if len(got) != 2 || got[0].Index != 2 || got[0].Summary != "Certificate expires soon" || !strings.Contains(got[0].Detail, "ends in 29 days") ||
		got[1].Index != 3 || got[1].Summary != "Certificate expired" || !got[0].Warning || !got[1].Warning {
		t.Errorf("%+v", got)
	}
}

// FuzzPEM: whatever a user writes, the parsers answer or say why not.
func FuzzPEM(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
	f.Add("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n")
	f.Add("-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		if list, err := chainOf(text); err == nil {
			again, err := chainOf(encodePEM(rawOf(list)))
			if err != nil || len(again) != len(list) {
				t.Fatalf("%d certificates, written and read again %d: %v", len(list), len(again), err)
			}
		}
		_, _ = privateKey(text)
		_ = normalCertificates(cty.StringVal(text))
		_ = normalKey(cty.StringVal(text))
		_, _, _ = entryOf(text)
		_, _, _ = addressOf(text)
	})
}

// FuzzDER puts any bytes where a certificate is expected, with what is read of it.
func FuzzDER(f *testing.F) {
	for _, name := range []string{"wso2is", "wso2am"} {
		list, err := certificates(sampleText(f, name+".pem"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(list[0].Raw)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		list, err := certificates(encodePEM([][]byte{der}))
		if err != nil {
			return
		}
		describe(map[string]cty.Value{}, list[0])
	})
}
