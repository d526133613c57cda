package keystore

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

func presentedBy(t *testing.T, address string, more map[string]any) (*engine.Object, error) {
	t.Helper()
	f := newServerCertificate()
	attrs := map[string]any{"address": address}
	for name, v := range more {
		attrs[name] = v
	}
	return f.Find(t.Context(), object(&f.Schema().Block, attrs))
}

func TestServerCertificate(t *testing.T) {
	address := serve(t, "wso2am")
	for _, written := range []string{address, "https://" + address, "https://" + address + "/carbon"} {
		o, err := presentedBy(t, written, map[string]any{"server_name": "wso2am"})
		if err != nil {
			t.Fatal(err)
		}
		if n := o.Value.GetAttr("chain").LengthInt(); n != 2 || o.Value.GetAttr("self_signed").True() {
			t.Errorf("%s: %d certificates, %#v", written, n, o.Value)
		}
		if text := stringOf(o.Value, "certificate"); !strings.HasPrefix(sample(t, "wso2am.pem"), text) || stringOf(o.Value, "subject") != "CN=wso2am,O=Example" {
			t.Errorf("%s presents %s", written, text)
		}
	}
}

// A server that asks us for a certificate presents its own all the same.
func TestMutualTLS(t *testing.T) {
	pair, err := tls.X509KeyPair([]byte(sample(t, "wso2is.pem")), []byte(sample(t, "wso2is.key")))
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, MinVersion: version, MaxVersion: version}
		s.StartTLS()
		defer s.Close()
		o, err := presentedBy(t, s.Listener.Addr().String(), nil)
		if err != nil || !o.Value.GetAttr("self_signed").True() {
			t.Errorf("TLS %x: %v", version, err)
		}
	}
}

func TestServerWithoutCertificate(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	_, err := presentedBy(t, plain.Listener.Addr().String(), nil)
	wantError(t, "plain HTTP", err, "not with TLS")

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	_, err = presentedBy(t, closed.Addr().String(), nil)
	wantError(t, "a closed port", err, "cannot be reached", "Check host and port")

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	begun := time.Now()
	_, err = presentedBy(t, silent.Addr().String(), map[string]any{"timeout": "300ms"})
	wantError(t, "a silent server", err, "did not answer within 300ms")
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"localhost:9443": "localhost:9443", "localhost": "localhost:443", "https://wso2is": "wso2is:443", "https://[::1]:9443/x": "[::1]:9443", "::1": "[::1]:443",
		"http://localhost:9763": "", "localhost:port": "", "": "", ":9443": "", "localhost:0": "",
	} {
		got, _, err := addressOf(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
		if v := newServerCertificate().Schema().Attribute("address").Validate(cty.StringVal(text)); (v == nil) != (want != "") {
			t.Errorf("%q is checked as %v", text, v)
		}
	}
}
