package keystore

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/keystore/container"
)

// pairOf returns a planned key pair of testdata, in the store "s".
func pairOf(t *testing.T, p *Provider, alias, name string, more ...string) cty.Value {
	t.Helper()
	attrs := map[string]any{"store": "s", "alias": alias, "certificate_chain": sample(t, name+".pem"), "private_key": sample(t, name+".key")}
	for i := 0; i+1 < len(more); i += 2 {
		attrs[more[i]] = more[i+1]
	}
	return planned(keyPairs(p), attrs)
}

// An entry that somebody else made is never overwritten, nor one of another kind taken for ours.
func TestNotOurs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.jks")
	fresh(t, file)
	p := oneStore(t, file)
	_, err := trust(t, p, "s", "Authority", "wso2is")
	wantError(t, "an alias that is taken", err, `has an entry "authority" already`)
	var c interface{ Conflict() bool }
	if !errors.As(err, &c) || !c.Conflict() || !engine.Refused(err) {
		t.Errorf("%v is no refused conflict", err)
	}
	_, err = trusted(p).Read(t.Context(), "s#wso2carbon")
	wantError(t, "a key read as a certificate", err, `the entry "wso2carbon" of store "s"`, "holds a private key, not a trusted certificate")
	_, err = keyPairs(p).Find(t.Context(), pairOf(t, p, "authority", "wso2am"))
	wantError(t, "a certificate found as a key", err, "holds a trusted certificate, not a private key")
	err = trusted(p).Delete(t.Context(), &engine.Object{ID: "s#wso2carbon"})
	wantError(t, "a key deleted as a certificate", err, "holds a private key")
	if len(aliases(t, file)) != 2 {
		t.Errorf("left: %v", aliases(t, file))
	}
}

// An entry that was changed after the plan is left as it is.
func TestMoved(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.p12")
	p := oneStore(t, file)
	typ := trusted(p)
	live, err := trust(t, p, "s", "wso2is", "wso2is")
	if err != nil {
		t.Fatal(err)
	}
	next := planned(typ, map[string]any{"store": "s", "alias": "wso2is", "certificate": sample(t, "wso2is-renewed.pem")})
	chain, err := certificates(sample(t, "wso2am.pem"))
	if err != nil {
		t.Fatal(err)
	}
	edited(t, file, func(s container.Store) error { return s.SetTrusted("wso2is", chain[0].Raw) })
	_, err = typ.Update(t.Context(), live, next)
	if !errors.Is(err, engine.ErrMoved) {
		t.Errorf("an entry that was changed: %v", err)
	}
	edited(t, file, func(s container.Store) error { return s.Delete("wso2is") })
	if _, err = typ.Update(t.Context(), live, next); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("an entry that is gone: %v", err)
	}
	if err := typ.Delete(t.Context(), live); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
}

// Without its private key in the plan, an entry keeps the key that it has.
func TestStoredKey(t *testing.T) {
	for _, name := range []string{"a.jks", "a.p12"} {
		file := filepath.Join(t.TempDir(), name)
		fresh(t, file)
		p := oneStore(t, file)
		live, err := keyPairs(p).Read(t.Context(), "s#wso2carbon")
		if err != nil {
			t.Fatal(err)
		}
		// The chain without its authority, of the same key.
		leaf := strings.SplitAfter(sample(t, "wso2am.pem"), "-----END CERTIFICATE-----\n")[0]
		plan := pairOf(t, p, "wso2carbon", "wso2am").AsValueMap()
		plan["private_key"], plan["certificate_chain"] = cty.NullVal(cty.String), cty.StringVal(leaf)
		if name == "a.p12" {
			_, err = keyPairs(p).Update(t.Context(), live, cty.ObjectVal(plan))
			wantError(t, "a chain that the store completes", err, "CN=wso2am,O=Example; CN=Example Authority,O=Example, of 2 certificates", "Write the same chain")
			edited(t, file, func(s container.Store) error { return s.Delete("authority") })
		}
		live, err = keyPairs(p).Update(t.Context(), live, cty.ObjectVal(plan))
		if err != nil {
			t.Fatal(err)
		}
		e, _ := container.Find(opened(t, file), "wso2carbon")
		if key, err := opened(t, file).Key("wso2carbon", defaultPassword); err != nil || len(e.Chain) != 1 || string(key) != string(pkcs8(t, "wso2am")) {
			t.Errorf("%s: %d certificates, %v", name, len(e.Chain), err)
		}
		plan["certificate_chain"] = cty.StringVal(sample(t, "wso2am-renewed.pem"))
		_, err = keyPairs(p).Update(t.Context(), live, cty.ObjectVal(plan))
		wantError(t, name+": a chain of another key", err, "-rewrite-secrets")
	}
}

func TestKeyPasswords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.jks")
	p := oneStore(t, file)
	if _, err := keyPairs(p).Create(t.Context(), pairOf(t, p, "tls", "wso2am", "key_password", "its own")); err != nil {
		t.Fatal(err)
	}
	if _, err := opened(t, file).Key("tls", "its own"); err != nil {
		t.Error(err)
	}
	live, err := keyPairs(p).Read(t.Context(), "s#tls")
	if err != nil {
		t.Fatal(err)
	}
	plan := pairOf(t, p, "tls", "wso2am").AsValueMap()
	plan["private_key"] = cty.NullVal(cty.String)
	_, err = keyPairs(p).Update(t.Context(), live, cty.ObjectVal(plan))
	wantError(t, "a stored key with a password that is not known", err, "Give it as key_password")
	p = oneStore(t, filepath.Join(t.TempDir(), "a.p12"))
	_, err = keyPairs(p).Create(t.Context(), pairOf(t, p, "tls", "wso2am", "key_password", "its own"))
	wantError(t, "a key password in PKCS12", err, "Leave key_password out")
}

// What is read of an entry is the same by text: another encoding of the same certificate is no change.
func TestNormal(t *testing.T) {
	pem := sample(t, "wso2is.pem")
	windows := "subject=CN = wso2is\r\n" + strings.ReplaceAll(pem, "\n", "\r\n")
	if !normalCertificates(cty.StringVal(pem)).RawEquals(normalCertificates(cty.StringVal(windows))) {
		t.Error("a certificate with other line ends counts as another")
	}
	if normalCertificates(cty.StringVal(pem)).RawEquals(normalCertificates(cty.StringVal(sample(t, "wso2is-renewed.pem")))) {
		t.Error("two certificates count as one")
	}
	if normalKey(cty.StringVal(sample(t, "wso2am.key"))).RawEquals(normalKey(cty.StringVal(sample(t, "wso2is.key")))) {
		t.Error("two keys count as one")
	}
	if v := normalKey(cty.StringVal(sample(t, "wso2am.key"))).AsString(); !strings.HasPrefix(v, "sha256:") {
		t.Errorf("a key is compared as %q", v)
	}
}
