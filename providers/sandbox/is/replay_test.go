package is

import (
	"net/http/httptest"
	"os"
	"testing"

	"wso2plan/providers/sandbox/replay"
)

// serve starts a fresh server; where it listens is where it says it is.
func serve(t *testing.T, opts Options) (*Server, *httptest.Server) {
	t.Helper()
	listener := httptest.NewUnstartedServer(nil)
	opts.Base = "http://" + listener.Listener.Addr().String()
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	listener.Config.Handler = s
	listener.Start()
	t.Cleanup(listener.Close)
	return s, listener
}

const packScopes = "the pack behind the recording lists its management scopes in one API resource, of which there is no evidence"

// TestReplayIdentityServer sends what was sent to Identity Server's own SCIM2 code. Every place where the answer is meant to differ stands here.
func TestReplayIdentityServer(t *testing.T) {
	_, listener := serve(t, Options{})
	replay.Run(t, os.DirFS("../../../testdata/oracle"), "is-scim2", &replay.Player{
		Client: listener.Client(), Base: listener.URL + "/scim2", User: "admin:admin", ContentType: "application/scim+json",
		Rewrite: map[string]string{"https://localhost:9463": listener.URL},
		// The recorded order is that of a hash table.
		Sets: []string{"/permissions", "/Resources/*/permissions"},
		Except: []replay.Exception{
			{Step: "6[34]-*", At: "/permissions/*", Why: packScopes},
			{Step: "66-*", At: "/permissions/*", Why: packScopes},
			{Step: "70-*", At: "/permissions/*", Why: packScopes},
			{Step: "71-*", At: "/Resources/*/permissions/*", Why: packScopes},
		},
	})
}

// TestReplayCharon sends the list that was sent to charon with a store of our own. Where charon's answers differ from those that Identity Server gave
// to the same list, the latter are right; every such place stands here.
func TestReplayCharon(t *testing.T) {
	const (
		store   = "charon's store holds nothing but what was sent; Identity Server has its administrator, with group and roles"
		lean    = "Identity Server answers creates and changes of roles and groups without lists (is-behaviour 22)"
		claims  = "Identity Server keeps e-mails as claims by type: no primary, no display, another order"
		meta    = "Identity Server gives no dates and resource types of groups and roles, and systemRole only where it is true"
		message = "Identity Server's store says it in its own words"
	)
	_, listener := serve(t, Options{})
	replay.Run(t, os.DirFS("../../../testdata/oracle"), "charon", &replay.Player{
		Client: listener.Client(), Base: listener.URL + "/scim2", User: "admin:admin", ContentType: "application/scim+json",
		Sets: []string{"/emails", "/Resources", "/permissions"},
		Except: []replay.Exception{
			{Step: "*", At: "header Content-Type", Why: "Identity Server names the character set"},
			{Step: "*", At: "/schemas", Why: "Identity Server has a schema of custom attributes too, and names none in a created group"},
			{Step: "*", At: "/roles", Why: store},
			{Step: "*", At: "/Resources/*/roles", Why: store},
			{Step: "2[4-8]-*", At: "/totalResults", Why: store + "; and count=0 gives no total"},
			{Step: "2[45]-*", At: "/Resources", Why: store},
			{Step: "58-*", At: "/Resources", Why: store},
			{Step: "58-*", At: "/itemsPerPage", Why: store},
			{Step: "58-*", At: "/totalResults", Why: store},
			{Step: "*", At: "/emails/*/primary", Why: claims},
			{Step: "*", At: "/emails/*/display", Why: claims},
			{Step: "18-*", At: "", Why: "emails.value is no claim: 500 (is-behaviour 22)"},
			{Step: "*", At: "/meta/resourceType", Why: meta},
			{Step: "*", At: "/meta/created", Why: meta},
			{Step: "*", At: "/meta/lastModified", Why: meta},
			{Step: "*", At: "/meta/systemRole", Why: meta},
			{Step: "71-*", At: "/Resources/*/meta", Why: meta},
			{Step: "46-*", At: "/members", Why: lean},
			{Step: "59-*", At: "/permissions", Why: lean},
			{Step: "65-*", At: "/permissions", Why: lean},
			{Step: "*", At: "/users", Why: lean},
			{Step: "*", At: "/properties", Why: "roles of Identity Server have the property isSharedRole"},
			{Step: "71-*", At: "/Resources/*/properties", Why: "the same"},
			{Step: "*", At: "/permissions/*/$ref", Why: "permissions of Identity Server lead to their API resource"},
			{Step: "71-*", At: "/Resources/*/permissions/*/$ref", Why: "the same"},
			{Step: "*", At: "/groups/*/display", Why: "groups in roles carry their store (is-behaviour 22)"},
			{Step: "71-*", At: "/Resources/*/groups/*/display", Why: "the same"},
			{Step: "02-*", At: "/detail", Why: "the name is masked (is-behaviour 22)"},
			{Step: "13-*", At: "/detail", Why: message},
			{Step: "47-*", At: "/detail", Why: message},
			{Step: "60-*", At: "/detail", Why: message},
			{Step: "79-*", At: "", Why: "the second deletion of a group is 400 (is-behaviour 22)"},
			{Step: "84-*", At: "/detail", Why: message},
			{Step: "74-*", At: "/Operations/*/response/(text)/*", Why: "as for single requests: roles, schemas, masked names"},
			{Step: "75-*", At: "/authenticationSchemes", Why: "set by each server's configuration"},
			{Step: "75-*", At: "/changePassword/supported", Why: "set by each server's configuration"},
		},
	})
}

// TestReplayOAuth sends what was sent to Identity Server's own DCR, token and introspection services.
func TestReplayOAuth(t *testing.T) {
	_, listener := serve(t, Options{})
	const facade = "the JSON of introspection is a stand-in's; the real endpoint leaves null members out (is-behaviour 1.15)"
	replay.Run(t, os.DirFS("../../../testdata/oracle"), "is-oauth", &replay.Player{
		Client: listener.Client(), Base: listener.URL, Near: map[string]float64{"expires_in": 5},
		Except: []replay.Exception{
			{Step: "36-introspect", At: "/iss", Why: facade},
			{Step: "36-introspect", At: "/sub", Why: facade},
			{Step: "38-introspect-garbage", At: "/why", Why: "added by the stand-in"},
		},
	})
}
