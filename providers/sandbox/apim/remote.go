package apim

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A remote is the connector of one key manager, for one client: it speaks to the resident registry
// or, by HTTP, to the authorization server.
type remote struct {
	server      *Server
	tenant      string
	km          keyManager // a copy
	kind        *connector
	consumerKey string
}

// remote copies a key manager out of the contents, so that it can be called after they are
// unlocked.
func (c *call) remote(k *keyManager, consumerKey string) remote {
	return remote{c.server, c.tenant.Domain, c.server.shown(k), connectorOf(*k.Type), consumerKey}
}

// A backendError is a refusal of an authorization server.
type backendError struct {
	status int
	reason string
}

func (e backendError) Error() string { return e.reason }

// A silenceError is an exchange with an authorization server that came to nothing: it does not
// answer, or with what is no answer of its kind.
type silenceError struct{ error }

func (e silenceError) Unwrap() error { return e.error }

func silent(err error) bool { return errors.As(err, new(silenceError)) }

var errGone = errors.New("the key manager of these keys is gone")

func (r remote) resident() bool { return text(r.km.Name) == residentName }

// key shows a mapping with what its key manager knows of the client.
func (r remote) key(m *keyMapping, client Client) *applicationKey {
	out := &applicationKey{KeyMappingID: ptr(m.ID), KeyManager: r.km.Name, KeyType: ptr(m.KeyType), Mode: ptr(m.Mode), ConsumerSecrets: []any{},
		SupportedGrantTypes: client.GrantTypes, AdditionalProperties: map[string]any{}}
	if out.SupportedGrantTypes == nil {
		out.SupportedGrantTypes = []string{}
	}
	if m.ConsumerKey != "" {
		out.ConsumerKey = ptr(m.ConsumerKey)
	}
	if client.Secret != "" {
		out.ConsumerSecret = ptr(client.Secret)
	}
	if len(client.CallbackURLs) > 0 {
		out.CallbackURL = ptr(strings.Join(client.CallbackURLs, ","))
	}
	if r.kind != nil {
		for _, s := range r.kind.application {
			out.AdditionalProperties[s.Name] = client.Extra[s.Name]
		}
		if r.kind.outOfBand {
			out.AdditionalProperties = nil
		}
	}
	return out
}

// checkProperties refuses additional properties of keys as the connectors of WSO2 do: whatever its
// name, a value must be a number that is not negative, for a switch true or false, or "N/A" (seen).
// Other connectors take what comes.
func (k *connector) checkProperties(sent map[string]any) *answer {
	invalid := func(reason string) *answer {
		return refuse(http.StatusBadRequest, 900970, "Invalid application additional properties", "Invalid additional properties. "+reason)
	}
	if k == nil || len(k.application) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		t := ""
		switch v := sent[name].(type) {
		case string:
			t = strings.TrimSpace(v)
		case json.Number:
			t = v.String()
		case bool:
			if !k.isSwitch(name) {
				t = strconv.FormatBool(v)
			}
		case map[string]any, []any:
			return internal("") // a null pointer or a cast in the server (seen)
		}
		if t == "" || t == "N/A" {
			continue
		}
		if k.isSwitch(name) {
			if !strings.EqualFold(t, "true") && !strings.EqualFold(t, "false") {
				return invalid("Boolean configuration values must be 'true' or 'false'.")
			}
			continue
		}
		switch n, err := strconv.ParseInt(t, 10, 64); {
		case err != nil:
			return invalid("Application configuration values cannot have string values.")
		case n < 0:
			return invalid("Application configuration values cannot have negative values.")
		}
	}
	return nil
}

func (k *connector) isSwitch(name string) bool {
	return slices.ContainsFunc(k.application, func(s setting) bool { return s.Name == name && s.Type == "checkbox" })
}

// properties converts the connector's own properties of keys: lifetimes to numbers, switches to
// booleans. "N/A" means "leave". A switch that is sent as a boolean is passed over: the connectors
// look at texts alone (seen).
func (r remote) properties(sent map[string]any) map[string]any {
	out := map[string]any{}
	if r.kind == nil {
		return out
	}
	for _, s := range r.kind.application {
		t := ""
		switch v := sent[s.Name].(type) {
		case string:
			t = strings.TrimSpace(v)
		case json.Number:
			t = v.String()
		}
		if s.Type == "checkbox" {
			if t != "" {
				out[s.Name] = strings.EqualFold(t, "true")
			}
			continue
		}
		if n, err := strconv.ParseInt(t, 10, 64); err == nil {
			out[s.Name] = n
		}
	}
	return out
}

func (r remote) create(ctx context.Context, wanted Client, displayName string) (Client, error) {
	wanted.Extra = r.properties(wanted.Extra)
	if r.resident() {
		return r.server.options.Resident.CreateClient(ctx, r.tenant, wanted)
	}
	body := r.registration(wanted, displayName)
	if wanted.ID != "" {
		body["ext_param_client_id"], body["ext_param_client_secret"] = wanted.ID, wanted.Secret
	}
	return r.register(ctx, http.MethodPost, "", body)
}

func (r remote) get(ctx context.Context) (Client, error) {
	if r.resident() {
		return r.server.options.Resident.Client(ctx, r.tenant, r.consumerKey)
	}
	if r.kind != nil && r.kind.outOfBand {
		return Client{}, nil
	}
	return r.register(ctx, http.MethodGet, r.consumerKey, nil)
}

func (r remote) update(ctx context.Context, wanted Client, displayName string) (Client, error) {
	wanted.Extra = r.properties(wanted.Extra)
	if r.resident() {
		return r.server.options.Resident.UpdateClient(ctx, r.tenant, wanted)
	}
	return r.register(ctx, http.MethodPut, r.consumerKey, r.registration(wanted, displayName))
}

func (r remote) delete(ctx context.Context) error {
	if r.resident() {
		return r.server.options.Resident.DeleteClient(ctx, r.tenant, r.consumerKey)
	}
	if r.kind != nil && r.kind.outOfBand {
		return nil
	}
	_, err := r.register(ctx, http.MethodDelete, r.consumerKey, nil)
	return err
}

// rotate makes a new secret; empty where the connector cannot.
func (r remote) rotate(ctx context.Context) (string, error) {
	switch {
	case r.resident():
		client, err := r.server.options.Resident.RotateSecret(ctx, r.tenant, r.consumerKey)
		return client.Secret, err
	case r.kind == nil || r.kind.dialect != wso2Dialect:
		return "", nil
	}
	client, err := r.register(ctx, http.MethodPost, r.consumerKey+"/regenerate-consumer-secret", map[string]any{})
	return client.Secret, err
}

// token asks the token endpoint for an application's access token.
func (r remote) token(ctx context.Context, secret string, scopes []string, seconds int) (Token, error) {
	if r.resident() {
		return r.server.options.Resident.Token(ctx, r.tenant, r.consumerKey, scopes, seconds)
	}
	if r.km.TokenEndpoint == nil {
		return Token{}, errGone
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")}}
	var out struct {
		AccessToken string `json:"access_token"`
		Scope       string `json:"scope"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := r.call(ctx, http.MethodPost, *r.km.TokenEndpoint, "application/x-www-form-urlencoded", []byte(form.Encode()),
		basic(r.consumerKey, secret), &out); err != nil {
		return Token{}, err
	}
	granted := strings.Fields(out.Scope)
	if granted == nil {
		granted = []string{}
	}
	return Token{out.AccessToken, granted, out.ExpiresIn}, nil
}

// registration is the body that registers or updates a client.
func (r remote) registration(c Client, displayName string) map[string]any {
	owner, _, _ := strings.Cut(c.Owner, "@")
	body := map[string]any{"client_name": c.Name, "grant_types": c.GrantTypes, "ext_application_owner": owner,
		"ext_application_display_name": displayName, "token_type_extension": "JWT"}
	if len(c.CallbackURLs) > 0 {
		body["redirect_uris"] = c.CallbackURLs
	}
	maps.Copy(body, c.Extra)
	return body
}

// register calls the client registration endpoint, of one client when an id is given.
func (r remote) register(ctx context.Context, method, id string, body map[string]any) (Client, error) {
	if r.kind == nil || r.km.ClientRegistrationEndpoint == nil {
		return Client{}, errGone
	}
	at := strings.TrimRight(*r.km.ClientRegistrationEndpoint, "/")
	if id != "" {
		id, action, _ := strings.Cut(id, "/")
		if r.kind.dialect == wso2Dialect {
			id = base64.URLEncoding.EncodeToString([]byte(id))
		}
		at += "/" + url.PathEscape(id)
		if action != "" {
			at += "/" + action
		}
	}
	authorization, err := r.authorization(ctx)
	if err != nil {
		return Client{}, err
	}
	var payload []byte
	if body != nil {
		if payload, err = json.Marshal(body); err != nil {
			return Client{}, err
		}
	}
	var out map[string]any
	if err := r.call(ctx, method, at, "application/json", payload, authorization, &out); err != nil {
		return Client{}, err
	}
	c := Client{ID: textOf(out, "client_id"), Secret: textOf(out, "client_secret"), Name: textOf(out, "client_name"),
		GrantTypes: grantsOf(out["grant_types"]), CallbackURLs: list(out["redirect_uris"]), Extra: map[string]any{}}
	for _, s := range r.kind.application {
		if v, given := out[s.Name]; given {
			c.Extra[s.Name] = v
		}
	}
	if c.ID == "" && method != http.MethodDelete {
		return Client{}, fmt.Errorf("%s %s answers no client_id", method, at)
	}
	return c, nil
}

func textOf(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

func list(v any) []string {
	out := []string{}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if s, isText := e.(string); isText && s != "" {
				out = append(out, s)
			}
		}
	case string:
		out = append(out, strings.Fields(v)...)
	}
	return out
}

// grantsOf are the grants of a client as its key manager shows them, an empty one among them.
func grantsOf(v any) []string {
	all, isList := v.([]any)
	if !isList {
		return list(v)
	}
	out := []string{}
	for _, e := range all {
		if s, isText := e.(string); isText {
			out = append(out, s)
		}
	}
	return out
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// authorization is how the connector shows itself to the registration endpoint.
func (r remote) authorization(ctx context.Context) (string, error) {
	p := func(names ...string) string {
		for _, name := range names {
			if s := textOf(r.km.AdditionalProperties, name); s != "" {
				return s
			}
		}
		return ""
	}
	switch r.kind.dialect {
	case ssws:
		return "SSWS " + p("apiKey"), nil
	case bearerDialect:
		service := r
		service.consumerKey = p("client_id")
		token, err := service.token(ctx, p("client_secret"), nil, 0)
		return "Bearer " + token.AccessToken, err
	}
	return basic(p("Username", "username"), p("Password", "password")), nil
}

// maxReply is how much of another server's answer is read.
const maxReply = 1 << 20

// call sends one request to an authorization server and decodes its answer.
func (r remote) call(ctx context.Context, method, at, kind string, body []byte, authorization string, into any) error {
	q, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		q.Header.Set("Content-Type", kind)
	}
	q.Header.Set("Accept", "application/json")
	if authorization != "" {
		q.Header.Set("Authorization", authorization)
	}
	got, err := r.server.options.HTTP.Do(q)
	if err != nil {
		return silenceError{err}
	}
	defer func() { _ = got.Body.Close() }()
	reply, err := io.ReadAll(io.LimitReader(got.Body, maxReply))
	if err != nil {
		return silenceError{err}
	}
	if got.StatusCode < 200 || got.StatusCode > 299 {
		return backendError{got.StatusCode, fmt.Sprintf("Received status code: %d Reason: %s", got.StatusCode, http.StatusText(got.StatusCode))}
	}
	if len(bytes.TrimSpace(reply)) == 0 {
		return nil
	}
	if err := json.Unmarshal(reply, into); err != nil {
		return silenceError{fmt.Errorf("%s %s: %w", method, at, err)}
	}
	return nil
}
