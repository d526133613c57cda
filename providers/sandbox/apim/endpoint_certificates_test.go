package apim_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"wso2plan/providers/sandbox/apim"
)

const certificates = "/api/am/publisher/v4/endpoint-certificates"

// newCertificate makes a certificate that ends after a while, and began two days before that.
func newCertificate(t *testing.T, name string, ends time.Duration) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(ends - 48*time.Hour), NotAfter: time.Now().Add(ends),
		Subject: pkix.Name{Country: []string{"LK"}, Organization: []string{"Example, Inc"}, CommonName: name + ".example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// upload is the form of an upload; an update has neither alias nor endpoint.
func upload(alias, endpoint string, text []byte) formBody {
	f := formBody{certificate: text, file: "x.crt"}
	if endpoint != "" {
		f.texts = map[string]string{"alias": alias, "endpoint": endpoint}
	}
	return f
}

func der(text []byte) []byte {
	block, _ := pem.Decode(text)
	return block.Bytes
}

func aliases(b body) []string {
	out := []string{}
	items, _ := b.any["certificates"].([]any)
	for _, item := range items {
		out = append(out, item.(map[string]any)["alias"].(string))
	}
	return out
}

func TestEndpointCertificate(t *testing.T) {
	c := start(t, options(), nil)
	a, b := newCertificate(t, "a", time.Hour), newCertificate(t, "b", time.Hour)
	made := c.post(201, certificates, upload("shop", " https://shop.example.com ", a))
	if made.text("alias") != "shop" || made.text("endpoint") != "https://shop.example.com" {
		t.Errorf("made %s", made.raw)
	}
	read := c.get(200, certificates+"/shop")
	cert, err := x509.ParseCertificate(der(a))
	if err != nil {
		t.Fatal(err)
	}
	if read.text("status") != "Active" || read.text("version") != "3" || read.text("subject") != `CN=a.example.com, O="Example, Inc", C=LK` ||
		read.text("validity", "to") != cert.NotAfter.UTC().Format("Mon Jan 02 15:04:05 UTC 2006") {
		t.Errorf("read %s", read.raw)
	}
	if got := c.get(200, certificates+"/shop/content").raw; got != string(der(a)) {
		t.Error("the content is not the certificate in DER")
	}
	// An update is answered, and seen by nobody.
	if got := c.put(200, certificates+"/shop", upload("", "", b)); got.text("endpoint") != "https://shop.example.com" {
		t.Errorf("updated %s", got.raw)
	}
	if got := c.get(200, certificates+"/shop/content").raw; got != string(der(a)) {
		t.Error("an update is seen")
	}
	c.delete(200, certificates+"/shop")
	if got := c.delete(404, certificates+"/shop").text("description"); got != "Certificate for alias 'shop' is not found." {
		t.Errorf("deleted twice: %s", got)
	}
	c.get(404, certificates+"/shop")
	c.get(404, certificates+"/shop/content")
	c.put(404, certificates+"/shop", upload("", "", b))
	c.post(201, certificates, upload("shop", "https://shop.example.com", der(b))) // DER will do
}

func TestEndpointCertificateRefusals(t *testing.T) {
	c := start(t, options(), nil)
	a, b, expired := newCertificate(t, "a", time.Hour), newCertificate(t, "b", time.Hour), newCertificate(t, "old", -time.Hour)
	both := slices.Concat(a, b)
	c.post(201, certificates, upload("shop", "https://e", a))
	for _, test := range []struct {
		name   string
		status int
		form   formBody
		want   string
	}{
		{"taken", 409, upload("shop", "https://e", b), "The alias 'shop' already exists in the trust store."},
		{"taken in other letters", 409, upload("SHOP", "https://e", b), "already exists"},
		{"the server's own", 409, upload("wso2carbon", "https://e", b), "already exists"},
		{"taken and expired", 409, upload("shop", "https://e", expired), "already exists"},
		{"expired", 400, upload("x", "https://e", expired), "Certificate Expired"},
		{"none", 500, upload("x", "https://e", []byte("nonsense")), "internal error"},
		{"empty", 500, upload("x", "https://e", []byte{}), "internal error"},
		{"two", 409, upload("two", "https://e", both), "already exists"},
		{"after two", 409, upload("two", "https://e", a), "already exists"}, // the first of the two is left over
		{"no alias", 400, formBody{texts: map[string]string{"endpoint": "https://e"}, certificate: a, file: "x"}, ""},
		{"empty alias", 400, upload("", "https://e", a), "The alias and/ or endpoint should not be empty"},
		{"no certificate", 400, formBody{texts: map[string]string{"alias": "x", "endpoint": "https://e"}}, ""},
		{"no file name", 400, formBody{texts: map[string]string{"alias": "x", "endpoint": "https://e"}, certificate: a}, "Proper Certificate file"},
	} {
		if got := c.post(test.status, certificates, test.form); !strings.Contains(got.raw, test.want) || test.want == "" && got.raw != "" {
			t.Errorf("%s: %s", test.name, got.raw)
		}
	}
	c.post(415, certificates, map[string]any{})
	c.put(400, certificates+"/shop", upload("", "", expired))
	c.put(500, certificates+"/shop", upload("", "", []byte("nonsense")))
	c.put(200, certificates+"/shop", upload("", "", both))
	c.put(400, certificates+"/shop", formBody{certificate: a})
	c.put(400, certificates+"/shop", formBody{texts: map[string]string{"x": "y"}})
	c.put(500, certificates+"/shop", nil)
	c.post(201, certificates, upload("1234567890123456789012345678901", "https://e", a)) // not checked here
	c.get(400, certificates+"?alias=1234567890123456789012345678901")                    // but here
	c.post(500, certificates, upload("a b", "https://e", a))                             // stored all the same
	c.get(200, certificates+"/a%20b")
	if got := aliases(c.get(200, certificates)); !slices.Equal(got, []string{"shop", "1234567890123456789012345678901", "a b"}) {
		t.Errorf("left are %v", got)
	}
}

func TestEndpointCertificateSearch(t *testing.T) {
	c := start(t, options(), nil)
	a := newCertificate(t, "a", time.Hour)
	for _, alias := range []string{"one", "two", "three"} {
		c.post(201, certificates, upload(alias, "https://p.example.com:8443/"+alias, a))
	}
	c.post(201, certificates, upload("other", "plain", a))
	for query, want := range map[string]string{
		"":                                       "one two three other",
		"?alias=two":                             "two",
		"?alias=tw":                              "",
		"?alias=TWO":                             "",
		"?endpoint=https://p.example.com:8443/x": "one two three",
		"?endpoint=p.example.com":                "",
		"?endpoint=plain":                        "other",
		"?alias=other&endpoint=https://p.example.com:8443": "one two three other",
		"?limit=1&offset=1": "two",
		"?limit=2&offset=9": "one two",
		"?limit=0":          "",
		"?limit=-1":         "",
	} {
		if got := strings.Join(aliases(c.get(200, certificates+query)), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	got := c.get(200, certificates+"?limit=1&offset=1&endpoint=https://p.example.com:8443")
	if got.number("count") != 1 || got.number("pagination", "total") != 3 ||
		got.text("pagination", "next") != "/certificates?limit=1&offset=2&endpoint=https://p.example.com:8443" ||
		got.text("pagination", "previous") != "/certificates?limit=1&offset=0&endpoint=https://p.example.com:8443" {
		t.Errorf("page %s", got.raw)
	}
	c.get(500, certificates+"?offset=-1")
	c.get(404, certificates+"?limit=x")
}

func TestEndpointCertificateUsage(t *testing.T) {
	c := start(t, options(), nil)
	for _, name := range []string{"a", "b"} {
		c.post(201, "/api/am/publisher/v4/apis", map[string]any{"name": name, "context": "/" + name, "version": "1", "endpointConfig": map[string]any{
			"endpoint_type": "http", "production_endpoints": map[string]any{"url": "https://" + name + ".example.com/v1"}}})
	}
	c.post(201, certificates, upload("a", "https://a.example.com", newCertificate(t, "a", time.Hour)))
	if got := c.get(200, certificates+"/a/usage"); got.number("count") != 1 || got.list()[0].text("name") != "a" {
		t.Errorf("usage %s", got.raw)
	}
	if got := c.get(200, certificates+"/none/usage"); got.number("count") != 0 {
		t.Errorf("usage of none %s", got.raw)
	}
}

// TestLostTrust is a server whose trust store no longer has what its database has.
func TestLostTrust(t *testing.T) {
	server := apim.New(options())
	s := httptest.NewServer(server)
	defer s.Close()
	c := client{t: t, base: s.URL, user: "admin"}
	a := newCertificate(t, "a", time.Hour)
	c.post(201, certificates, upload("shop", "https://e", a))
	saved, err := server.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var contents map[string]any
	if err := json.Unmarshal(saved, &contents); err != nil {
		t.Fatal(err)
	}
	delete(contents, "trustStore")
	fresh, err := json.Marshal(contents)
	if err != nil || bytes.Equal(fresh, saved) {
		t.Fatalf("the snapshot has no trust store: %v", err)
	}
	if err := server.Restore(fresh); err != nil {
		t.Fatal(err)
	}
	c.get(200, certificates+"/shop/content")
	c.put(404, certificates+"/shop", upload("", "", a))
	c.post(409, certificates, upload("shop", "https://e", a))
	c.delete(500, certificates+"/shop") // and gone
	c.get(404, certificates+"/shop")
	c.post(201, certificates, upload("shop", "https://e", a))
}

func TestEndpointCertificateScopes(t *testing.T) {
	admin := start(t, options(), nil)
	a := newCertificate(t, "a", time.Hour)
	admin.post(201, certificates, upload("shop", "https://e", a))
	as := func(scope string) client { return client{t: t, base: admin.base, user: "Bearer " + scope} }
	as("apim:ep_certificates_view").get(200, certificates+"/shop")
	as("apim:ep_certificates_view").delete(401, certificates+"/shop")
	as("apim:ep_certificates_add").get(401, certificates)
	as("apim:ep_certificates_add").post(201, certificates, upload("new", "https://e", a))
	as("apim:ep_certificates_update").post(401, certificates, upload("newer", "https://e", a))
	as("apim:ep_certificates_update").put(200, certificates+"/shop", upload("", "", a))
	as("apim:ep_certificates_manage").delete(200, certificates+"/shop")
	as("apim:subscribe").get(401, certificates)
	// Tenants do not see each other's, and share one trust store.
	other := client{t: t, base: admin.base, user: "admin@acme.com"}
	if got := aliases(other.get(200, certificates)); len(got) != 0 {
		t.Errorf("another tenant sees %v", got)
	}
	other.delete(404, certificates+"/new")
	other.post(409, certificates, upload("new", "https://e", a))
}
