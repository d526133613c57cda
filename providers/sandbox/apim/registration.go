package apim

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

func registrationRoutes() []route {
	return []route{alone(post(dcr, "/register", nil, registerClient))}
}

// registerClient registers a client of the resident key manager for the REST APIs (DCR v0.17). The
// answer is 200, and the same name and owner again answer the client that exists (apim-behaviour
// 1.2).
func registerClient(c *call) *answer {
	if c.user.User == "" {
		return unauthenticated()
	}
	var body struct {
		CallbackURL      *string `json:"callbackUrl"`
		ClientName       *string `json:"clientName"`
		Owner            *string `json:"owner"`
		GrantType        *string `json:"grantType"`
		SaasApp          *bool   `json:"saasApp"`
		TokenType        *string `json:"tokenType"`
		TokenScope       any     `json:"tokenScope"`
		ApplicationType  any     `json:"applicationType"`
		IsSaasApp        *bool   `json:"isSaasApp"`
		AdditionalFields any     `json:"additionalProperties"`
	}
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	if blank(body.ClientName) || blank(body.Owner) {
		return badRequest("clientName and owner must be given")
	}
	// The administrator of the super tenant registers for others too.
	if *body.Owner != c.owner() && *body.Owner != c.user.User+"@"+c.user.Tenant && !(c.user.All && c.user.Tenant == superTenant) {
		return refuse(http.StatusBadRequest, 400, "Bad Request", "Logged in user '"+c.owner()+"' and owner '"+*body.Owner+"' must be the same")
	}
	resident, ctx := c.server.options.Resident, c.request.Context()
	owner, tenant := strings.TrimSuffix(*body.Owner, "@"+superTenant), superTenant
	if _, domain, has := strings.Cut(owner, "@"); has {
		tenant = domain
	}
	client, err := resident.ClientNamed(ctx, tenant, *body.ClientName, owner)
	if errors.Is(err, ErrNoClient) {
		client, err = resident.CreateClient(ctx, tenant, Client{Name: *body.ClientName, Owner: owner, GrantTypes: strings.Fields(text(body.GrantType)),
			CallbackURLs: callbacks(body.CallbackURL), SaaS: isTrue(body.SaasApp), Extra: map[string]any{}})
	}
	if err != nil {
		return internal("")
	}
	callback := strings.Join(client.CallbackURLs, ",")
	shown, err := json.Marshal(map[string]string{"grant_types": strings.Join(client.GrantTypes, " "), "redirect_uris": callback, "client_name": client.Name})
	if err != nil {
		return internal("")
	}
	return ok(struct {
		CallBackURL       string `json:"callBackURL"`
		ClientName        string `json:"clientName"`
		ClientID          string `json:"clientId"`
		ClientSecret      string `json:"clientSecret"`
		IsSaasApplication bool   `json:"isSaasApplication"`
		AppOwner          string `json:"appOwner"`
		JSONString        string `json:"jsonString"`
		JSONAppAttribute  string `json:"jsonAppAttribute"`
		ApplicationUUID   any    `json:"applicationUUID"`
		TokenType         string `json:"tokenType"`
	}{callback, client.Name, client.ID, client.Secret, client.SaaS, owner, string(shown), "{}", nil, "JWT"})
}
