package sandbox

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// reach asks a server to call another one.
func reach(t *testing.T, c *http.Client, server, address string) int {
	t.Helper()
	r, err := c.Get(server + "/_reach?url=" + url.QueryEscape(address))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	return r.StatusCode
}

func restarted(t *testing.T, server string) int {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	r, err := c.Post(server+"/_restart", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	return r.StatusCode
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Each server shows its own certificate and trusts what its trust store held when it started.
func TestSecurity(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Options{Security: dir})
	c := client(s)
	if status, _ := send(t, c, "GET", s.IS()+"/scim2/Users", nil); status != http.StatusOK {
		t.Errorf("a client that trusts both: %d", status)
	}
	const is, am = "https://wso2is:9443/oauth2/jwks", "https://wso2am:9443/services/Version"
	want := func(what string, statuses ...int) {
		t.Helper()
		got := []int{reach(t, c, s.APIM(), is), reach(t, c, s.IS(), am), reach(t, c, s.APIM(), am)}
		for i := range statuses {
			if got[i] != statuses[i] {
				t.Errorf("%s: %v, want %v", what, got, statuses)
				return
			}
		}
	}
	want("fresh", 502, 502, 200)

	isKey, err := readKeyStore(filepath.Join(dir, "is", "wso2carbon.p12"))
	must(t, err)
	trusted, err := readTrustStore(filepath.Join(dir, "apim", "client-truststore.jks"))
	must(t, err)
	if len(trusted) != 2 {
		t.Errorf("a fresh trust store holds %d certificates", len(trusted))
	}
	leaf := s.security["is"].now.Load().certificate
	if string(leaf.Certificate[0]) != string(isKey.Certificate[0]) {
		t.Error("Identity Server shows another certificate than its key store holds")
	}
	// What API Manager trusts is put into its file: it counts from the next start.
	file := filepath.Join(dir, "apim", "client-truststore.jks")
	old, err := os.ReadFile(file)
	must(t, err)
	store, err := openJKS(old, storePassword)
	must(t, err)
	entry, err := store.GetTrustedCertificateEntry(ownAlias)
	must(t, err)
	entry.Certificate.Content = isKey.Certificate[0]
	must(t, store.SetTrustedCertificateEntry("wso2is", entry))
	data, err := jksEncoded(store, storePassword)
	must(t, err)
	must(t, os.WriteFile(file, data, 0o600))
	want("before the restart", 502, 502, 200)
	if status := restarted(t, s.APIM()); status != http.StatusOK {
		t.Errorf("restart: %d", status)
	}
	want("after the restart", 200, 502, 200)

	// A store that cannot be read keeps the server from starting, until it is mended.
	must(t, os.WriteFile(file, data[:100], 0o600))
	if status := restarted(t, s.APIM()); status != http.StatusInternalServerError {
		t.Errorf("restart with a damaged store: %d", status)
	}
	if status, _ := send(t, c, "GET", s.APIM()+"/services/Version", nil); status != http.StatusServiceUnavailable {
		t.Errorf("a server that is down answers %d", status)
	}
	must(t, os.WriteFile(file, old, 0o600))
	restarted(t, s.APIM())
	want("mended", 502, 502, 200)
}

// The stores of an earlier run are kept, with what others put into them.
func TestSecurityKept(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Options{Security: dir})
	pem := string(first.CAPEM())
	must(t, first.Close())
	second := start(t, Options{Security: dir})
	if string(second.CAPEM()) != pem {
		t.Error("the second run shows other certificates")
	}
}

// Without -security there are neither files nor the two paths.
func TestNoSecurity(t *testing.T) {
	s := start(t, Options{})
	if status := restarted(t, s.APIM()); status == http.StatusOK {
		t.Errorf("%d", status)
	}
}

// A second key in the key store leaves the server's own.
func TestSecondKey(t *testing.T) {
	own, err := selfSigned(nil)
	must(t, err)
	data, err := pkcs12WithKey(own, ownAlias, storePassword)
	must(t, err)
	other, err := selfSigned(nil)
	must(t, err)
	second, err := pkcs12WithKey(other, "another", storePassword)
	must(t, err)
	var bags []p12Bag
	_, err = withKeys(second, storePassword, func(b []p12Bag) []p12Bag { bags = append(bags, b...); return b })
	must(t, err)
	data, err = withKeys(data, storePassword, func(b []p12Bag) []p12Bag { return append(b, bags...) })
	must(t, err)
	got, err := keyOfPKCS12(data, ownAlias, storePassword)
	if err != nil || string(got.Certificate[0]) != string(own.Certificate[0]) {
		t.Errorf("%v", err)
	}
	if _, err := keyOfPKCS12(data, "nobody", storePassword); err == nil {
		t.Error("a key that is not there is read")
	}
	if _, err := keyOfPKCS12(data, ownAlias, "another"); err == nil {
		t.Error("a wrong password is taken")
	}
}

// Java reads the stores, with their aliases.
func TestSecurityForJava(t *testing.T) {
	if _, err := exec.LookPath("keytool"); errors.Is(err, exec.ErrNotFound) {
		t.Skip("NOT TESTED against Java: keytool of a JDK is not in PATH")
	}
	dir := t.TempDir()
	start(t, Options{Security: dir})
	for file, want := range map[string][]string{
		"apim/wso2carbon.jks": {"wso2carbon, PrivateKeyEntry"}, "is/wso2carbon.p12": {"wso2carbon, PrivateKeyEntry"},
		"apim/client-truststore.jks": {"wso2carbon, trustedCertEntry", "sandbox-authority, trustedCertEntry"},
		"is/client-truststore.p12":   {"wso2carbon, trustedCertEntry", "sandbox-authority, trustedCertEntry"},
	} {
		out, err := exec.Command("keytool", "-J-Duser.language=en", "-list", "-keystore", filepath.Join(dir, file), "-storepass", storePassword).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
		text := strings.Join(strings.Fields(string(out)), " ")
		for _, line := range want {
			alias, kind, _ := strings.Cut(line, ", ")
			if !strings.Contains(text, alias+", ") || !strings.Contains(text, kind) {
				t.Errorf("%s lacks %s:\n%s", file, line, out)
			}
		}
	}
}
