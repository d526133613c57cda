package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdBackend starts a backend, which answers with what it was asked.
func cmdBackend(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: backend VARIABLE")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s http://%s%s\n", r.Method, r.Host, r.RequestURI)
		for _, name := range []string{"Authorization", "Origin"} {
			if v := r.Header.Get(name); v != "" {
				fmt.Fprintf(w, "%s: %s\n", name, v)
			}
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.Listener.Addr().String())
}

// cmdToken gets a token of Identity Server with the keys of a client of examples/platform, as the
// outputs tell them.
func cmdToken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: token CLIENT VARIABLE [SCOPE]...")
	}
	output := func(name string) string {
		ts.Check(ts.Exec("wso2plan", "output", "-json", name))
		var all map[string]string
		ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &all))
		if all[args[0]] == "" {
			ts.Fatalf("output %s has no %q", name, args[0])
		}
		return all[args[0]]
	}
	r, err := http.NewRequest(http.MethodPost, ts.Getenv("IS_ENDPOINT")+"/oauth2/token",
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(args[2:], " ")}}.Encode()))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(output("client_ids"), output("client_secrets"))
	answer, err := newLive(theSandbox(ts).Sandbox, nil).http.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	var got struct {
		AccessToken string `json:"access_token"`
	}
	ts.Check(json.NewDecoder(answer.Body).Decode(&got))
	if answer.StatusCode != http.StatusOK || got.AccessToken == "" {
		ts.Fatalf("token of %s: %s", args[0], answer.Status)
	}
	ts.Setenv(args[1], got.AccessToken)
}

// cmdCertificate makes a client certificate for call -cert=NAME. VARIABLE gets it in PEM, in one
// line as HCL writes it in quotes.
func cmdCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: certificate NAME VARIABLE")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: args[0]},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * 365 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), append(certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), 0o600))
	ts.Setenv(args[1], strings.ReplaceAll(string(certificate), "\n", `\n`))
}

// cmdCall calls the sandbox's gateway and prints the answer. What was changed reaches the gateway a
// moment later, and a limit is passed after some calls, so it is called again for a while until the
// status is the wanted one.
func cmdCall(ts *testscript.TestScript, neg bool, args []string) {
	var headers []string
	fs := flag.NewFlagSet("call", flag.ContinueOnError)
	token := fs.String("token", "", "")
	certificate := fs.String("cert", "", "")
	fs.Func("header", "", func(h string) error { headers = append(headers, h); return nil })
	if neg || fs.Parse(args) != nil || fs.NArg() != 3 {
		ts.Fatalf("usage: call [-token=TOKEN] [-cert=NAME] [-header='NAME: VALUE']... STATUS METHOD PATH")
	}
	s := theSandbox(ts)
	config := &tls.Config{RootCAs: s.Pool()}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(ts.MkAbs(*certificate+".pem"), ts.MkAbs(*certificate+".pem"))
		ts.Check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	call := func() (status, text string, err error) {
		r, err := http.NewRequest(fs.Arg(1), s.Gateway()+fs.Arg(2), nil)
		if err != nil {
			return "", "", err
		}
		if *token != "" {
			r.Header.Set("Authorization", "Bearer "+*token)
		}
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ":")
			r.Header.Set(name, strings.TrimSpace(value))
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			return "", "", err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		var all strings.Builder
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Retry-After"} {
			if v := answer.Header.Get(name); v != "" {
				fmt.Fprintf(&all, "%s: %s\n", name, v)
			}
		}
		all.Write(body)
		return fmt.Sprint(answer.StatusCode), all.String(), err
	}
	var status, text string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		status, text, err = call()
		ts.Check(err)
		if status == fs.Arg(0) {
			fmt.Fprintln(ts.Stdout(), strings.TrimRight(text, "\n"))
			return
		}
	}
	ts.Fatalf("%s %s: %s, want %s:\n%s", fs.Arg(1), fs.Arg(2), status, fs.Arg(0), text)
}

// cmdEdit replaces the one place in a file that holds a text.
func cmdEdit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Check(errors.New(args[0] + " holds " + fmt.Sprint(n) + " times " + args[1]))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}
