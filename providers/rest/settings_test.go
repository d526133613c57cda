package rest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

var testProduct = Product{
	Name: "API Manager", Env: "APIM", Settles: true,
	Also: map[string][]string{"username": {"APIM_ADMIN_USER"}, "password": {"APIM_ADMIN_PASS"}},
	Endpoint: func(getenv func(string) string) string {
		if host := getenv("APIM_HOST"); host != "" {
			return "https://" + host + ":9443"
		}
		return ""
	},
}

func TestSettings(t *testing.T) {
	b := testProduct.Schema()
	login := map[string]cty.Value{
		"endpoint": cty.StringVal("https://h:1/"), "username": cty.StringVal("u"), "password": cty.StringVal("p").Mark(schema.Sensitive),
	}
	and := func(set map[string]cty.Value) map[string]cty.Value {
		all := map[string]cty.Value{}
		for k, v := range login {
			all[k] = v
		}
		for k, v := range set {
			all[k] = v
		}
		return all
	}
	for _, test := range []struct {
		name  string
		block map[string]cty.Value
		env   map[string]string
		check func(Settings) bool
		err   string // of attribute: text
	}{
		{"block", login, map[string]string{"APIM_ENDPOINT": "https://other"}, func(s Settings) bool {
			return s.Endpoint == "https://h:1" && s.Username == "u" && s.Password == "p" && s.Auth == AuthBasic && s.TenantName() == SuperTenant
		}, ""},
		{"environment", nil, map[string]string{
			"APIM_ENDPOINT": "https://e", "APIM_USERNAME": "eu", "APIM_PASSWORD": "ep", "APIM_TENANT": "acme.com", "APIM_INSECURE_SKIP_VERIFY": "true",
			"APIM_TIMEOUT": "2m", "APIM_RETRY_WAIT": "20ms", "APIM_SETTLE_TIMEOUT": "5m", "APIM_READ_REQUESTS": "7", "APIM_WRITE_REQUESTS": "3", "APIM_REQUESTS_PER_SECOND": "2.5", "APIM_CA_FILE": "ca.pem",
		}, func(s Settings) bool {
			return s.Endpoint == "https://e" && s.user() == "eu@acme.com" && s.Password == "ep" && s.InsecureSkipVerify && s.Timeout == 2*time.Minute &&
				s.ReadsInFlight == 7 && s.WritesInFlight == 3 && s.RequestsPerSecond == 2.5 && s.CAFile == "ca.pem" &&
				s.RetryWait == 20*time.Millisecond && s.SettleTimeout == 5*time.Minute
		}, ""},
		{"the toolkit's names", nil, map[string]string{"APIM_HOST": "h", "APIM_ADMIN_USER": "a", "APIM_ADMIN_PASS": "b"}, func(s Settings) bool {
			return s.Endpoint == "https://h:9443" && s.Username == "a" && s.Password == "b"
		}, ""},
		{"client and user", and(map[string]cty.Value{"client_id": cty.StringVal("i"), "client_secret": cty.StringVal("s")}), nil,
			func(s Settings) bool { return s.Auth == AuthPassword }, ""},
		{"client alone", map[string]cty.Value{"endpoint": cty.StringVal("https://h"), "client_id": cty.StringVal("i"), "client_secret": cty.StringVal("s")}, nil,
			func(s Settings) bool { return s.Auth == AuthClient }, ""},
		{"user with tenant", and(map[string]cty.Value{"username": cty.StringVal("u@acme.com"), "tenant": cty.StringVal("acme.com")}), nil,
			func(s Settings) bool { return s.user() == "u@acme.com" }, ""},

		{"no endpoint", nil, nil, nil, "endpoint: the provider block of API Manager has no endpoint, and APIM_ENDPOINT is not set in the environment: set one of them"},
		{"no password", map[string]cty.Value{"endpoint": cty.StringVal("https://h"), "username": cty.StringVal("u")}, nil, nil,
			"password: the provider block of API Manager has no password, and APIM_PASSWORD and APIM_ADMIN_PASS are not set in the environment: set one of them"},
		{"no client secret", and(map[string]cty.Value{"client_id": cty.StringVal("i")}), nil, nil, "client_secret: the provider block of API Manager has no client_secret, and APIM_CLIENT_SECRET is not set"},
		{"endpoint", and(map[string]cty.Value{"endpoint": cty.StringVal("localhost:9443")}), nil, nil, `endpoint: "localhost:9443" is not the address of a server, such as "https://localhost:9443"`},
		{"endpoint with user", and(map[string]cty.Value{"endpoint": cty.StringVal("https://a:b@h")}), nil, nil, "endpoint: the endpoint holds a user name"},
		{"timeout", and(map[string]cty.Value{"timeout": cty.StringVal("30")}), nil, nil, `timeout: timeout is "30"; write a duration such as "30s" or "2m"`},
		{"reads", and(map[string]cty.Value{"read_requests": cty.NumberFloatVal(1.5)}), nil, nil, "read_requests: read_requests is 1.5; write a whole number from 1 to 1000"},
		{"reads in environment", login, map[string]string{"APIM_READ_REQUESTS": "many"}, nil, `read_requests: APIM_READ_REQUESTS is "many"; write a number`},
		{"verify in environment", login, map[string]string{"APIM_INSECURE_SKIP_VERIFY": "perhaps"}, nil, `insecure_skip_verify: APIM_INSECURE_SKIP_VERIFY holds "perhaps"; write true or false`},
		{"auth in environment", login, map[string]string{"APIM_AUTH": "magic"}, nil, `auth: "magic" is no way to log in`},
		{"unknown", and(map[string]cty.Value{"endpoint": cty.UnknownVal(cty.String)}), nil, nil, "endpoint: endpoint of API Manager depends on something that is known after apply only"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := testProduct.Settings(b.Object(test.block), func(name string) string { return test.env[name] })
			if test.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				if !test.check(s) {
					t.Errorf("%+v", s)
				}
				return
			}
			var a *engine.AttributeError
			if !errors.As(err, &a) || !strings.HasPrefix(a.Attribute+": "+err.Error(), test.err) {
				t.Errorf("got  %v\nwant %s", err, test.err)
			}
		})
	}
}

func TestSettleTimeoutOfThoseThatSettle(t *testing.T) {
	for _, settles := range []bool{false, true} {
		p := testProduct
		p.Settles = settles
		if b := p.Schema(); (b.Attribute(settleTimeout) != nil) != settles {
			t.Errorf("settles %t: the schema has %s: %t", settles, settleTimeout, !settles)
		}
	}
}

func TestCAFile(t *testing.T) {
	c := new(Client)
	err := c.Connect(Settings{Endpoint: "https://h", CAFile: "settings_test.go"})
	var a *engine.AttributeError
	if !errors.As(err, &a) || a.Attribute != "ca_file" || !strings.Contains(err.Error(), "holds no certificate in PEM form") {
		t.Error(err)
	}
}
