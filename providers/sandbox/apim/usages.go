package apim

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

func usageRoutes() []route {
	discover := alone(anyBody(post(admin, "/key-managers/discover", kmManage, discoverKeyManager)))
	return []route{
		get(admin, "/key-managers/{km}/api-usages", kmDelete, apiUsages),
		get(admin, "/key-managers/{km}/app-usages", kmDelete, applicationUsages),
		discover,
		get(publisher, "/key-managers", []string{"apim:api_view", "apim:api_create", "apim:api_manage"}, publisherKeyManagers),
	}
}

// apiUsages lists the APIs that name a key manager; APIs that take all of them do not count.
func apiUsages(c *call) *answer {
	k := c.tenant.keyManager(c.vars["km"])
	if k == nil {
		return kmNotFound()
	}
	type usage struct {
		ID              string `json:"id"`
		Type            string `json:"type"`
		Name            string `json:"name"`
		TransportType   string `json:"transportType"`
		Description     any    `json:"description"`
		Context         string `json:"context"`
		Version         string `json:"version"`
		Provider        string `json:"provider"`
		Status          string `json:"status"`
		ThumbnailURI    any    `json:"thumbnailUri"`
		AdvertiseOnly   bool   `json:"advertiseOnly"`
		KeyManagerEntry string `json:"keyManagerEntry"`
	}
	out := []usage{}
	for _, a := range c.tenant.APIs.list {
		for _, name := range a.names("keyManagers") {
			if name == *k.Name || name == *k.ID {
				out = append(out, usage{a.ID, "API", a.field("name"), a.field("type"), a.Document["description"], a.field("context"), a.field("version"),
					a.field("provider"), a.State, nil, false, name})
			}
		}
	}
	cut, bad := c.cut(len(out))
	if bad != nil {
		return bad
	}
	return ok(struct {
		APICount int     `json:"apiCount"`
		APIs     []usage `json:"apis"`
	}{len(out), out[cut.from:cut.to]})
}

// applicationUsages lists the applications that have keys of a key manager.
func applicationUsages(c *call) *answer {
	k := c.tenant.keyManager(c.vars["km"])
	if k == nil {
		return kmNotFound()
	}
	type usage struct {
		Name           string  `json:"name"`
		UUID           string  `json:"uuid"`
		OrganizationID *string `json:"organizationId"`
		Owner          string  `json:"owner"`
		Organization   string  `json:"organization"`
	}
	out, seen := []usage{}, map[string]bool{}
	for _, m := range c.tenant.Keys.list {
		a := c.tenant.Applications.get(m.Application)
		if m.KeyManager != *k.ID || a == nil || seen[m.Application] {
			continue
		}
		seen[m.Application] = true
		out = append(out, usage{*a.Name, *a.ApplicationID, nil, *a.Owner, c.tenant.Domain})
	}
	cut, bad := c.cut(len(out))
	if bad != nil {
		return bad
	}
	return ok(struct {
		Count int     `json:"applicationCount"`
		List  []usage `json:"applications"`
	}{len(out), out[cut.from:cut.to]})
}

type span struct{ from, to int }

// cut is the part of a list that limit and offset ask for.
func (c *call) cut(total int) (span, *answer) {
	limit, offset, bad := c.limits()
	if bad != nil {
		return span{}, bad
	}
	from := min(max(offset, 0), total)
	return span{from, min(from+max(limit, 0), total)}, nil
}

// publisherKeyManagers lists what APIs can be bound to.
func publisherKeyManagers(c *call) *answer {
	type info struct {
		ID                   *string `json:"id"`
		Name                 *string `json:"name"`
		DisplayName          *string `json:"displayName"`
		Type                 *string `json:"type"`
		Description          *string `json:"description"`
		Enabled              *bool   `json:"enabled"`
		AdditionalProperties []any   `json:"additionalProperties"`
	}
	out := []info{}
	for _, k := range c.tenant.orderedKeyManagers() {
		out = append(out, info{k.ID, k.Name, k.DisplayName, k.Type, k.Description, k.Enabled, []any{}})
	}
	return all(out)
}

// A formField is a part of a multipart form; name is that of its file.
type formField struct{ name, text string }

// readForm reads the body as a multipart form into c.fields; false when it is none.
func (c *call) readForm() bool {
	if c.fields == nil {
		c.fields = formFields(c.request, c.body)
	}
	return c.fields != nil
}

// formFields reads a multipart form; nil when it is none.
func formFields(r *http.Request, body []byte) map[string]formField {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != formBody {
		return nil
	}
	out := map[string]formField{}
	reader := multipart.NewReader(strings.NewReader(string(body)), params["boundary"])
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			return nil
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil
		}
		out[part.FormName()] = formField{part.FileName(), string(value)}
	}
}

// discoverKeyManager reads an OpenID configuration and shows the key manager that it describes. It
// stores nothing.
func discoverKeyManager(c *call) *answer {
	if !c.readForm() {
		return internal("") // as form
	}
	type found struct {
		Valid bool        `json:"valid"`
		Value *keyManager `json:"value"`
	}
	at, kind := c.fields["url"].text, c.fields["type"].text
	if at == "" {
		return ok(found{})
	}
	var doc struct {
		Issuer        *string  `json:"issuer"`
		Introspection *string  `json:"introspection_endpoint"`
		Registration  *string  `json:"registration_endpoint"`
		Authorize     *string  `json:"authorization_endpoint"`
		Token         *string  `json:"token_endpoint"`
		Revoke        *string  `json:"revocation_endpoint"`
		UserInfo      *string  `json:"userinfo_endpoint"`
		JWKS          *string  `json:"jwks_uri"`
		GrantTypes    []string `json:"grant_types_supported"`
	}
	var raw json.RawMessage
	caller := remote{server: c.server}
	if err := caller.call(c.request.Context(), http.MethodGet, at, "", nil, "", &raw); err != nil {
		return failed(err)
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return general()
	}
	k := newKeyManager()
	k.WellKnownEndpoint, k.Type = ptr(at), ptr(kind)
	k.Issuer, k.IntrospectionEndpoint, k.ClientRegistrationEndpoint, k.AuthorizeEndpoint = doc.Issuer, doc.Introspection, doc.Registration, doc.Authorize
	k.TokenEndpoint, k.RevokeEndpoint, k.UserInfoEndpoint = doc.Token, doc.Revoke, doc.UserInfo
	k.Enabled, k.EnableTokenGeneration, k.EnableMapOAuthConsumerApps, k.EnableOAuthAppCreation = ptr(true), ptr(true), ptr(true), ptr(true)
	if doc.GrantTypes != nil {
		k.AvailableGrantTypes = doc.GrantTypes
	}
	if doc.JWKS != nil {
		k.Certificates = &kmCertificates{Type: ptr("JWKS"), Value: doc.JWKS}
	}
	if of := connectorOf(kind); of != nil && of.consumerKeyClaim != "" {
		k.ConsumerKeyClaim, k.ScopesClaim = ptr(of.consumerKeyClaim), ptr(of.scopesClaim)
	}
	return ok(found{true, k})
}
