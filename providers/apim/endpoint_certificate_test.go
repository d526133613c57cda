package apim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// newCertificate makes a certificate in PEM.
func newCertificate(t *testing.T, begins, ends time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(0x2a), Subject: pkix.Name{CommonName: "shop.example.com"}, NotBefore: begins, NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// current makes a certificate that is valid today and for long.
func current(t *testing.T) string {
	return newCertificate(t, time.Now().Add(-time.Hour), time.Now().AddDate(10, 0, 0))
}

func backend(alias, certificate string) map[string]cty.Value {
	return map[string]cty.Value{"alias": str(alias), "endpoint": str("https://shop.example.com"), "certificate": str(certificate)}
}

func TestEndpointCertificateLife(t *testing.T) {
	s := serve(t, nil)
	certs := s.typ("apim_endpoint_certificate")
	ctx := t.Context()
	first, second := current(t), current(t)
	// Text around it, indentation and Base64 do not count.
	planned := value(certs, backend("shop", "subject=CN = shop\n  "+strings.ReplaceAll(first, "\n", "\n  ")))
	if _, err := certs.Find(ctx, planned); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("found before it is made: %v", err)
	}
	o := must[*engine.Object](t)(certs.Create(ctx, planned))
	if o.ID != "shop" || knownString(o.Value, "certificate") != first || knownString(o.Value, "endpoint") != "https://shop.example.com" ||
		knownString(o.Value, "status") != "Active" || knownString(o.Value, "subject") != "CN=shop.example.com" || knownString(o.Value, "issuer") != "CN=shop.example.com" ||
		knownString(o.Value, "version") != "3" || knownString(o.Value, "serial_number") != "2a" || len(knownString(o.Value, "sha256")) != 64 {
		t.Errorf("made %#v", o.Value)
	}
	if end, err := time.Parse(time.RFC3339, knownString(o.Value, "not_after")); err != nil || end.Before(time.Now().AddDate(9, 0, 0)) {
		t.Errorf("it ends %s", knownString(o.Value, "not_after"))
	}
	a := certs.Schema().Attribute("certificate")
	for name, text := range map[string]string{"indented": knownString(planned, "certificate"), "Base64": base64.StdEncoding.EncodeToString([]byte(first))} {
		if !a.Normal(str(text)).RawEquals(a.Normal(str(first))) {
			t.Errorf("%s is another certificate", name)
		}
	}
	if a.Normal(str(second)).RawEquals(a.Normal(str(first))) {
		t.Error("another certificate is the same")
	}
	changed := must[*engine.Object](t)(certs.Update(ctx, o, over(certs, o, map[string]cty.Value{"certificate": str(second)})))
	if changed.ID != o.ID || knownString(changed.Value, "certificate") != second || knownString(changed.Value, "sha256") == knownString(o.Value, "sha256") {
		t.Errorf("changed to %#v", changed.Value)
	}
	if _, err := certs.Update(ctx, o, over(certs, o, map[string]cty.Value{"certificate": str(current(t))})); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("an edit behind our back: %v", err)
	}
	_, err := certs.Create(ctx, planned)
	var conflict interface{ Conflict() bool }
	if !engine.Refused(err) || !errors.As(err, &conflict) || !conflict.Conflict() {
		t.Errorf("an alias that exists: %v", err)
	}
	for range 2 {
		if err := certs.Delete(ctx, changed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := certs.Read(ctx, "shop"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("read after delete: %v", err)
	}
}

// TestAliasTaken is an alias that the trust store has for another reason.
func TestAliasTaken(t *testing.T) {
	s := serve(t, nil)
	certs := s.typ("apim_endpoint_certificate")
	must[*engine.Object](t)(certs.Create(t.Context(), value(certs, backend("shop", current(t)))))
	for _, alias := range []string{"wso2carbon", "SHOP"} {
		o, err := certs.Create(t.Context(), value(certs, backend(alias, current(t))))
		var at *engine.AttributeError
		var conflict interface{ Conflict() bool }
		if o != nil || !errors.As(err, &at) || at.Attribute != "alias" || !strings.Contains(err.Error(), "choose another alias") || !engine.Refused(err) || errors.As(err, &conflict) {
			t.Errorf("%s: %v, %v", alias, o, err)
		}
	}
}

func TestCertificateEnded(t *testing.T) {
	s := serve(t, nil)
	certs := s.typ("apim_endpoint_certificate")
	old := newCertificate(t, time.Now().AddDate(-2, 0, 0), time.Now().AddDate(-1, 0, 0))
	o := must[*engine.Object](t)(certs.Create(t.Context(), value(certs, backend("shop", current(t)))))
	_, made := certs.Create(t.Context(), value(certs, backend("old", old)))
	_, changed := certs.Update(t.Context(), o, over(certs, o, map[string]cty.Value{"certificate": str(old)}))
	for _, err := range []error{made, changed} {
		var at *engine.AttributeError
		if !errors.As(err, &at) || at.Attribute != "certificate" || !engine.Refused(err) || !strings.Contains(err.Error(), "Certificate Expired") {
			t.Errorf("got %v", err)
		}
	}
	if now := must[*engine.Object](t)(certs.Read(t.Context(), "shop")); !now.Value.RawEquals(o.Value) {
		t.Error("a refused certificate changed something")
	}
}

// faulty lets a test answer requests for endpoint certificates in the server's place.
type faulty struct {
	mu   sync.Mutex
	next http.Handler
	sent []string // methods that write
	take func(w http.ResponseWriter, r *http.Request) bool
}

func (f *faulty) options(o *sandbox.Options) {
	o.Middleware = func(next http.Handler) http.Handler {
		f.next = next
		return f
	}
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.Contains(r.URL.Path, "/endpoint-certificates") && r.Method != http.MethodGet {
		f.sent = append(f.sent, r.Method)
		if f.take != nil && f.take(w, r) {
			return
		}
	}
	f.next.ServeHTTP(w, r)
}

func TestCertificateUpdates(t *testing.T) {
	refuse := func(w http.ResponseWriter, status int) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"code": status, "message": "refused", "description": "no", "moreInfo": "", "error": []any{}})
		return true
	}
	for name, c := range map[string]struct {
		take    func(f *faulty, w http.ResponseWriter, r *http.Request) bool
		sent    string
		want    string // of the error; "": none
		lost    bool   // the certificate is gone
		changed bool
	}{
		"answered and not done": {nil, "PUT DELETE POST", "", false, true},
		"done": {func(f *faulty, w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut {
				return false
			}
			again := r.Clone(context.Background()) // a server whose PUT does what it says
			again.Method, again.Body = http.MethodDelete, http.NoBody
			f.next.ServeHTTP(httptest.NewRecorder(), again)
			form := must[*http.Request](t)(formOf(r))
			f.next.ServeHTTP(w, form)
			return true
		}, "PUT", "", false, true},
		"lost by the trust store": {func(_ *faulty, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodPut && refuse(w, 404)
		}, "PUT DELETE POST", "", false, true},
		"deleted with 500": {func(f *faulty, w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete {
				f.next.ServeHTTP(httptest.NewRecorder(), r)
				return refuse(w, 500)
			}
			return false
		}, "PUT DELETE POST", "", false, true},
		"not deleted": {func(_ *faulty, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodDelete && refuse(w, 500)
		}, "PUT DELETE", "500", false, false},
		"not added": {func(f *faulty, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodPost && len(f.sent) == 3 && refuse(w, 400)
		}, "PUT DELETE POST POST", "the former one is back in its place", false, false},
		"neither added nor put back": {func(_ *faulty, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodPost && refuse(w, 400)
		}, "PUT DELETE POST POST", "apply again", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &faulty{}
			s := serve(t, f.options)
			certs := s.typ("apim_endpoint_certificate")
			o := must[*engine.Object](t)(certs.Create(t.Context(), value(certs, backend("shop", current(t)))))
			second := current(t)
			f.mu.Lock()
			f.sent = nil
			f.take = func(w http.ResponseWriter, r *http.Request) bool { return c.take != nil && c.take(f, w, r) }
			f.mu.Unlock()
			_, err := certs.Update(t.Context(), o, over(certs, o, map[string]cty.Value{"certificate": str(second)}))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.lost && engine.Refused(err) {
				t.Error("it is said that nothing was written")
			}
			if got := strings.Join(slices.Compact(slices.Clone(f.sent)), " "); got != strings.Join(slices.Compact(strings.Fields(c.sent)), " ") {
				t.Errorf("sent %s, want %s", got, c.sent)
			}
			now, err := certs.Read(t.Context(), "shop")
			if c.lost != errors.Is(err, engine.ErrNotFound) || !c.lost && (knownString(now.Value, "certificate") == second) != c.changed {
				t.Errorf("left is %v, %v", now, err)
			}
		})
	}
}

// formOf makes the POST that adds what a PUT brings.
func formOf(r *http.Request) (*http.Request, error) {
	file, _, err := r.FormFile("certificate")
	if err != nil {
		return nil, err
	}
	text := make([]byte, 1<<16)
	n, err := file.Read(text)
	if err != nil {
		return nil, err
	}
	body, kind := certificateForm(string(text[:n]), "alias", r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], "endpoint", "https://shop.example.com")
	out, err := http.NewRequest(http.MethodPost, certificatesPath, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	out.Header = http.Header{"Content-Type": {kind}, "Authorization": r.Header["Authorization"]}
	out.RequestURI = certificatesPath
	return out, nil
}

// TestCertificateWithoutContent is one of which the server has lost the content: it differs from
// any.
func TestCertificateWithoutContent(t *testing.T) {
	s := serve(t, func(o *sandbox.Options) {
		o.Middleware = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/content") {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	certs := s.typ("apim_endpoint_certificate")
	o := must[*engine.Object](t)(certs.Create(t.Context(), value(certs, backend("shop", current(t)))))
	if !plain(o.Value, "certificate").IsNull() || !o.Value.IsWhollyKnown() {
		t.Errorf("read %#v", o.Value)
	}
}

func TestCertificateInPlan(t *testing.T) {
	certs := New().typ("apim_endpoint_certificate").(*endpointCertificates)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	certs.now = func() time.Time { return now }
	text := func(begins, ends time.Time) string { return newCertificate(t, begins, ends) }
	before := now.AddDate(-1, 0, 0)
	for name, c := range map[string]struct {
		action  engine.Action
		text    string
		want    string // of the detail; "": no problem
		warning bool
	}{
		"long":            {engine.Create, text(before, now.AddDate(1, 0, 0)), "", false},
		"just 30 days":    {engine.Create, text(before, now.Add(30*24*time.Hour)), "", false},
		"29 days":         {engine.None, text(before, now.Add(30*24*time.Hour-time.Second)), "ends on 2026-03-31T11:59:59Z: 29 days are left", true},
		"one day":         {engine.Update, text(before, now.Add(25*time.Hour)), "1 day is left", true},
		"hours":           {engine.Create, text(before, now.Add(2*time.Hour)), "less than a day is left", true},
		"ended, to write": {engine.Update, text(before, now.Add(-time.Hour)), "API Manager refuses it", false},
		"ended, as it is": {engine.None, text(before, now), "ended on 2026-03-01T12:00:00Z. Set certificate", true},
		"not begun":       {engine.Create, text(now.Add(time.Hour), now.AddDate(1, 0, 0)), "begins on 2026-03-01T13:00:00Z", true},
	} {
		t.Run(name, func(t *testing.T) {
			unknown := value(certs, backend("later", ""))
			unknown = over(certs, &engine.Object{Value: unknown}, map[string]cty.Value{"certificate": cty.UnknownVal(cty.String)})
			got := certs.CheckPlan(t.Context(), []engine.Planned{
				{Action: engine.Delete, After: cty.NullVal(certs.table.ImpliedType())}, {Action: engine.Create, After: unknown},
				{Action: c.action, After: value(certs, backend("shop", c.text))},
			})
			if c.want == "" {
				if len(got) != 0 {
					t.Errorf("problems %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Index != 2 || got[0].Attribute != "certificate" || got[0].Warning != c.warning ||
				!strings.Contains(got[0].Detail, c.want) || !strings.Contains(got[0].Detail, `"shop"`) {
				t.Errorf("problems %+v", got)
			}
		})
	}
}

func TestCertificateValidation(t *testing.T) {
	one := current(t)
	for name, c := range map[string]struct{ text, want string }{
		"one":     {one, ""},
		"Base64":  {base64.StdEncoding.EncodeToString([]byte(one)), ""},
		"a chain": {one + current(t), "it holds 2 certificates"},
		"a key":   {one + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})), "it holds a private key"},
		"no PEM":  {"certificate", "it holds no PEM"},
		"empty":   {"", "it holds no PEM"},
		"damaged": {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})), "no valid certificate"},
	} {
		if err := oneCertificate(str(c.text)); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for alias, want := range map[string]string{
		"shop": "", "größe": "", "a~@:+!$(),=": "", strings.Repeat("ä", 30): "",
		"": "must not be empty", strings.Repeat("a", 31): "at most 30", "a b": "' '", "a/b": "'/'", "a%41": "'%'", "..": "part of an address",
	} {
		if err := certificateAlias(str(alias)); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", alias, err, want)
		}
	}
}
