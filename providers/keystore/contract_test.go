package keystore

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wso2plan/engine"
	"wso2plan/providers/keystore/container"
	"wso2plan/providers/providertest"
)

// sample reads a certificate or key of testdata.
func sample(t *testing.T, file string) string { return sampleText(t, file) }

func sampleText(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestContract leads every type through its life, on files.
func TestContract(t *testing.T) {
	var folder string
	start := func(t *testing.T) []string {
		folder = t.TempDir()
		for _, name := range []string{"client-truststore.jks", "wso2carbon.p12"} {
			fresh(t, filepath.Join(folder, name))
		}
		certificates, keys := map[string]string{}, map[string]string{}
		for _, name := range []string{"wso2is", "wso2is-renewed", "wso2am", "wso2am-renewed"} {
			certificates[name] = sample(t, name+".pem")
		}
		for _, name := range []string{"wso2is", "wso2am", "wso2am-renewed"} {
			keys[name] = sample(t, name+".key")
		}
		return []string{"WSO2PLAN_VAR_folder=" + folder, "WSO2PLAN_VAR_certificates=" + asJSON(t, certificates),
			"WSO2PLAN_VAR_keys=" + asJSON(t, keys), "WSO2PLAN_VAR_is_address=" + serve(t, "wso2is")}
	}
	providertest.Run(t, providertest.Target{
		Provider:  "keystore",
		Providers: map[string]func() engine.Provider{"keystore": func() engine.Provider { return New() }},
		Fixtures:  "testdata",
		Start:     start,
		Masks:     []string{`\d{5} -> \(known`},
		Files: &providertest.Files{
			Held: func(t *testing.T) string { return held(t, folder) },
			// FILE trust|key ALIAS SAMPLE
			Drift: func(t *testing.T, _ *engine.Object, edit string) {
				words := strings.Fields(edit)
				edited(t, filepath.Join(folder, words[0]), func(s container.Store) error {
					chain, err := certificates(sample(t, words[3]+".pem"))
					if err != nil {
						return err
					}
					if words[1] == "trust" {
						return s.SetTrusted(words[2], chain[0].Raw)
					}
					return s.SetKey(words[2], pkcs8(t, words[3]), rawOf(chain), defaultPassword)
				})
			},
		},
	})
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fresh writes a store that holds entries of somebody else.
func fresh(t *testing.T, path string) {
	t.Helper()
	format := container.PKCS12
	if strings.HasSuffix(path, ".jks") {
		format = container.JKS
	}
	s, err := container.New(format, defaultPassword)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := certificates(sample(t, "wso2am.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetTrusted("authority", chain[1].Raw); err != nil {
		t.Fatal(err)
	}
	if err := s.SetKey("wso2carbon", pkcs8(t, "wso2am"), rawOf(chain), defaultPassword); err != nil {
		t.Fatal(err)
	}
	save(t, path, s)
}

func save(t *testing.T, path string, s container.Store) {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o640); err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, path string) container.Store {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := container.Open(data, defaultPassword)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// edited changes a store behind our back.
func edited(t *testing.T, path string, change func(container.Store) error) {
	t.Helper()
	s := opened(t, path)
	if err := change(s); err != nil {
		t.Fatal(err)
	}
	save(t, path, s)
}

func pkcs8(t *testing.T, name string) []byte {
	t.Helper()
	key, err := privateKey(sample(t, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return encodedKey(t, key)
}

// held lists what the stores of a folder hold.
func held(t *testing.T, folder string) string {
	t.Helper()
	var out strings.Builder
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") || strings.Contains(f.Name(), ".wso2plan-") {
			continue
		}
		fmt.Fprintf(&out, "%s\n", f.Name())
		for _, e := range opened(t, filepath.Join(folder, f.Name())).Entries() {
			fmt.Fprintf(&out, "  %s: %s, %d certificates, %s\n", e.Alias, kinds[e.Kind], len(e.Chain), fingerprint(e.Chain[0])[:16])
		}
	}
	return out.String()
}

// serve presents a certificate of testdata and returns the address.
func serve(t *testing.T, name string) string {
	t.Helper()
	pair, err := tls.X509KeyPair([]byte(sample(t, name+".pem")), []byte(sample(t, name+".key")))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "localhost:" + port
}
