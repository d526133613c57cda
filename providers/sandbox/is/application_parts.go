package is

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// An applicationRequest is the body of POST and PATCH. Null and absent are one (is-behaviour 1.15), so pointers and nil lists tell what was sent.
type applicationRequest struct {
	Name         *string            `json:"name"`
	Description  *string            `json:"description"`
	Roles        *rolesRequest      `json:"associatedRoles"`
	Claims       *claimsRequest     `json:"claimConfiguration"`
	Sequence     *sequenceRequest   `json:"authenticationSequence"`
	Advanced     map[string]any     `json:"advancedConfigurations"`
	Provisioning *provisionsRequest `json:"provisioningConfigurations"`
	Inbound      struct {
		OIDC *oidcSettings `json:"oidc"`
	} `json:"inboundProtocolConfiguration"`

	members map[string]any
}

func readApplication(body []byte) (applicationRequest, *answer) {
	var r applicationRequest
	err := json.Unmarshal(body, &r)
	if err == nil {
		err = json.Unmarshal(body, &r.members)
	}
	if err != nil {
		return r, failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
	}
	return r, nil
}

// onlySequence says whether the authentication sequence is all that a request changes.
func (r *applicationRequest) onlySequence() bool {
	for name, v := range r.members {
		if v != nil && name != "authenticationSequence" && name != "name" {
			return false
		}
	}
	return true
}

func badApplication(description string) *answer {
	return failure(http.StatusBadRequest, "APP-60001", "Invalid application configuration.", description)
}

// applyApplication puts what a request says over an application that nobody else sees yet. The caller holds the lock.
func (s *Server) applyApplication(a *application, r applicationRequest, ignored []string) *answer {
	if r.Description != nil {
		a.description = *r.Description
	}
	for _, name := range plainMembers {
		v := r.members[name]
		if v == nil || slices.Contains(ignored, name) {
			continue
		}
		_, isBool := v.(bool)
		_, isText := v.(string)
		wantBool := name == "isManagementApp" || name == "isB2BSelfServiceApp" || name == "applicationEnabled"
		if wantBool != isBool || wantBool == isText {
			return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Provided request body content is not in the expected format.")
		}
		a.more[name] = v
	}
	for _, apply := range []func() *answer{
		func() *answer { return s.applyRoles(a, r.Roles) },
		func() *answer { return applyClaims(a, r.Claims) },
		func() *answer { return applySequence(a, r.Sequence) },
		func() *answer { return applyAdvanced(a, r.Advanced) },
		func() *answer { return applyProvisioning(a, r.Provisioning) },
	} {
		if refused := apply(); refused != nil {
			return refused
		}
	}
	if access, _ := a.more["accessUrl"].(string); access == "" && a.advanced()["discoverableByEndUsers"] == true {
		return badApplication("A valid accessURL needs to be defined if an application is marked as discoverable.")
	}
	return nil
}

// part reads what is kept under a name; set keeps it in the form that it has after a restart.
func (a *application) part(name string, into any) {
	if text, err := json.Marshal(a.more[name]); err == nil && a.more[name] != nil {
		_ = json.Unmarshal(text, into)
	}
}

func (a *application) set(name string, v any) {
	var plain any
	if text, err := json.Marshal(v); err == nil && json.Unmarshal(text, &plain) == nil {
		put(&a.more, name, plain)
	}
}

type rolesRequest struct {
	Audience string `json:"allowedAudience"`
	Roles    []struct {
		ID string `json:"id"`
	} `json:"roles"`
}

// applyRoles replaces the links of an application with roles. As long as the application takes those of the organization it can have none, so that
// a request that both asks for roles of its own and names some is refused (is-behaviour 7); and they must be its own.
func (s *Server) applyRoles(a *application, r *rolesRequest) *answer {
	switch {
	case r == nil:
		return nil
	case r.Audience != "ORGANIZATION" && r.Audience != "APPLICATION":
		return badApplication("allowedAudience must be ORGANIZATION or APPLICATION.")
	case len(r.Roles) > 0 && a.allowedAudience == "ORGANIZATION":
		return failure(http.StatusBadRequest, "APP-60008", "Invalid role association.", "Organization roles cannot be associated with the application.")
	}
	var roles []string
	for _, link := range r.Roles {
		role := s.dir.roles[link.ID]
		if role == nil || r.Audience != "APPLICATION" || role.audience != "application" || role.audienceID != a.id {
			return badApplication("One or more associating roles does not exist or not in the allowed audience for the application.")
		}
		roles = union(roles, []string{link.ID})
	}
	a.allowedAudience, a.roles = r.Audience, roles
	return nil
}

type sequenceRequest struct {
	Type          string     `json:"type"`
	Steps         []authStep `json:"steps"`
	RequestPath   []string   `json:"requestPathAuthenticators"`
	Script        string     `json:"script"`
	SubjectStep   int        `json:"subjectStepId"`
	AttributeStep int        `json:"attributeStepId"`
}

type authStep struct {
	ID      int `json:"id"`
	Options []struct {
		IDP           string `json:"idp"`
		Authenticator string `json:"authenticator"`
	} `json:"options"`
}

// sequence is how users log in to an application. Without steps it is the default one.
type sequence struct {
	Steps              []authStep
	Subject, Attribute int
	Script             string
	RequestPath        []string
}

func (a *application) sequence() sequence {
	var q sequence
	a.part("authenticationSequence", &q)
	return q
}

// localAuthenticators are those that a fresh pack has. It has no identity providers, so no others can be named.
var localAuthenticators = []string{"BasicAuthenticator", "IdentifierExecutor", "FIDOAuthenticator", "totp", "email-otp-authenticator", "sms-otp-authenticator",
	"MagicLinkAuthenticator", "backup-code-authenticator", "x509CertificateAuthenticator", "SessionExecutor", "JWTBasicAuthenticator", "push-notification-authenticator"}

var requestPathAuthenticators = []string{"BasicAuthRequestPathAuthenticator", "OAuthRequestPathAuthenticator"}

// applySequence replaces the steps. A blank script keeps the one there is; going back to the default sequence drops steps and script
// (is-behaviour 7).
func applySequence(a *application, r *sequenceRequest) *answer {
	if r == nil {
		return nil
	}
	q := a.sequence()
	if r.RequestPath != nil {
		for _, name := range r.RequestPath {
			if !slices.Contains(requestPathAuthenticators, name) {
				return badApplication("Request path authenticator: " + name + " is not available in the server.")
			}
		}
		q.RequestPath = r.RequestPath
	}
	switch r.Type {
	case "DEFAULT":
		q.Steps, q.Subject, q.Attribute, q.Script = nil, 0, 0, ""
	case "", "USER_DEFINED":
		if len(r.Steps) == 0 {
			return badApplication("Authentication steps cannot be empty for user defined authentication type: USER_DEFINED")
		}
		slices.SortStableFunc(r.Steps, func(x, y authStep) int { return x.ID - y.ID })
		for i, step := range r.Steps {
			if step.ID != i+1 {
				return badApplication("Step ids need to be consecutive in the authentication sequence steps.")
			}
			if len(step.Options) == 0 {
				return badApplication("Authentication Step options cannot be empty.")
			}
			for _, o := range step.Options {
				if o.IDP != "LOCAL" {
					return badApplication("Federated IDP: " + o.IDP + " does not exist.")
				}
				if !slices.Contains(localAuthenticators, o.Authenticator) {
					return badApplication("Authenticator: " + o.Authenticator + " is not available in the server.")
				}
			}
		}
		within := func(id int) int {
			if id < 1 || id > len(r.Steps) {
				return 1
			}
			return id
		}
		q.Steps, q.Subject, q.Attribute = r.Steps, within(r.SubjectStep), within(r.AttributeStep)
		if strings.TrimSpace(r.Script) != "" {
			q.Script = r.Script
		}
	default:
		return failure(http.StatusBadRequest, "UE-10000", "Invalid request", "Invalid type: "+r.Type)
	}
	a.set("authenticationSequence", q)
	return nil
}

// document shows the default sequence as if it had been set, with its steps.
func (q sequence) document() map[string]any {
	d := map[string]any{
		"type": "DEFAULT", "subjectStepId": 1, "attributeStepId": 1, "requestPathAuthenticators": append([]string{}, q.RequestPath...),
		"steps": []any{map[string]any{"id": 1, "options": []any{map[string]any{"idp": "LOCAL", "authenticator": "BasicAuthenticator"}}}},
	}
	if len(q.Steps) > 0 {
		d["type"], d["steps"], d["subjectStepId"], d["attributeStepId"] = "USER_DEFINED", q.Steps, q.Subject, q.Attribute
	}
	if q.Script != "" {
		d["script"] = q.Script
	}
	return d
}

var advancedFlags = []string{"saas", "discoverableByEndUsers", "skipLoginConsent", "skipLogoutConsent", "useExternalConsentPage", "returnAuthenticatedIdpList",
	"enableAuthorization", "enableAPIBasedAuthentication"}

// applyAdvanced merges member by member, but replaces attestationMetaData and trustedAppConfiguration as they are (is-behaviour 7). fragment cannot
// be set.
func applyAdvanced(a *application, r map[string]any) *answer {
	if r == nil {
		return nil
	}
	if more, _ := r["additionalSpProperties"].([]any); len(more) > 0 {
		return failure(http.StatusBadRequest, "APP-60506", "Unsupported application property.", "'additionalSpProperties' is not yet supported in this version of the API.")
	}
	kept := map[string]any{}
	a.part("advancedConfigurations", &kept)
	for _, name := range advancedFlags {
		if on, ok := r[name].(bool); ok {
			kept[name] = on
		}
	}
	for _, name := range []string{"attestationMetaData", "trustedAppConfiguration"} {
		if members, ok := r[name].(map[string]any); ok {
			kept[name] = members
		}
	}
	if certificate, ok := r["certificate"].(map[string]any); ok {
		value, _ := certificate["value"].(string)
		switch kind := certificate["type"]; {
		case kind != "PEM" && kind != "JWKS":
		case value == "":
			delete(kept, "certificate") // blank content removes it, null does nothing
			if certificate["value"] == nil {
				kept["certificate"] = a.advanced()["certificate"]
			}
		case kind == "PEM":
			if block, _ := pem.Decode([]byte(value)); block == nil || block.Type != "CERTIFICATE" {
				return badApplication("Provided application certificate for application with name: " + a.name + " is malformed.")
			}
			kept["certificate"] = certificate
		default:
			kept["certificate"] = certificate
		}
	}
	a.set("advancedConfigurations", kept)
	return nil
}

func (a *application) advanced() map[string]any {
	d := map[string]any{}
	for _, name := range advancedFlags {
		d[name] = false
	}
	d["fragment"] = false
	d["attestationMetaData"] = map[string]any{"enableClientAttestation": false}
	properties := []any{map[string]any{"name": "isThirdPartyApp", "value": strconv.FormatBool(a.thirdParty), "displayName": "Is Third Party Application"}}
	kept := map[string]any{}
	a.part("advancedConfigurations", &kept)
	for name, v := range kept {
		switch members, ok := v.(map[string]any); {
		case v == nil:
		case ok && name == "attestationMetaData":
			// The credentials are a secret, which is not shown.
			delete(members, "androidAttestationServiceCredentials")
			if members["enableClientAttestation"] == nil {
				members["enableClientAttestation"] = false
			}
			d[name] = members
		default:
			d[name] = v
		}
	}
	d["additionalSpProperties"] = properties
	return d
}

type provisionsRequest struct {
	Inbound *struct {
		ProxyMode *bool   `json:"proxyMode"`
		Store     *string `json:"provisioningUserstoreDomain"`
	} `json:"inboundProvisioning"`
	Outbound *[]any `json:"outboundProvisioningIdps"`
}

// provisions says where users go that are provisioned through an application.
type provisions struct {
	ProxyMode bool
	Store     string
}

func (a *application) provisioning() provisions {
	p := provisions{Store: "PRIMARY"}
	a.part("provisioningConfigurations", &p)
	return p
}

// applyProvisioning merges. Outbound provisioning by application is off in 7.x, even an empty list of it is refused (is-behaviour 7).
func applyProvisioning(a *application, r *provisionsRequest) *answer {
	if r == nil {
		return nil
	}
	if r.Outbound != nil {
		return failure(http.StatusBadRequest, "APP-60514", "Unsupported outbound provisioning configuration.", "Application-based outbound provisioning is not enabled.")
	}
	p := a.provisioning()
	if r.Inbound != nil {
		if r.Inbound.ProxyMode != nil {
			p.ProxyMode = *r.Inbound.ProxyMode
		}
		if r.Inbound.Store != nil {
			p.Store = *r.Inbound.Store
		}
	}
	a.set("provisioningConfigurations", p)
	return nil
}

func (p provisions) document() map[string]any {
	return map[string]any{
		"inboundProvisioning":      map[string]any{"proxyMode": p.ProxyMode, "provisioningUserstoreDomain": p.Store},
		"outboundProvisioningIdps": []any{},
	}
}
