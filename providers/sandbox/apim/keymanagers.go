package apim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"wso2plan/providers/sandbox/fault"
)

var (
	kmManage = []string{"apim:admin", "apim:admin_operations", "apim:keymanagers_manage"}
	kmDelete = []string{"apim:admin", "apim:admin_operations"}
)

const (
	residentName = "Resident Key Manager"
	stars        = "*****" // stands for a stored secret
)

// keyManager is the DTO of /key-managers and what is kept of one.
type keyManager struct {
	ID                         *string           `json:"id"`
	Name                       *string           `json:"name" is:"required,min=1,max=100"`
	DisplayName                *string           `json:"displayName" is:"min=0,max=100"`
	Type                       *string           `json:"type" is:"required,min=1,max=45"`
	Description                *string           `json:"description" is:"min=0,max=256"`
	WellKnownEndpoint          *string           `json:"wellKnownEndpoint"`
	IntrospectionEndpoint      *string           `json:"introspectionEndpoint"`
	ClientRegistrationEndpoint *string           `json:"clientRegistrationEndpoint"`
	TokenEndpoint              *string           `json:"tokenEndpoint"`
	DisplayTokenEndpoint       *string           `json:"displayTokenEndpoint"`
	RevokeEndpoint             *string           `json:"revokeEndpoint"`
	DisplayRevokeEndpoint      *string           `json:"displayRevokeEndpoint"`
	UserInfoEndpoint           *string           `json:"userInfoEndpoint"`
	AuthorizeEndpoint          *string           `json:"authorizeEndpoint"`
	Endpoints                  []namedEndpoint   `json:"endpoints"`
	Certificates               *kmCertificates   `json:"certificates"`
	Issuer                     *string           `json:"issuer"`
	Alias                      *string           `json:"alias"`
	ScopeManagementEndpoint    *string           `json:"scopeManagementEndpoint"`
	AvailableGrantTypes        []string          `json:"availableGrantTypes"`
	EnableTokenGeneration      *bool             `json:"enableTokenGeneration"`
	EnableTokenEncryption      *bool             `json:"enableTokenEncryption"`
	EnableTokenHashing         *bool             `json:"enableTokenHashing"`
	EnableMapOAuthConsumerApps *bool             `json:"enableMapOAuthConsumerApps"`
	EnableOAuthAppCreation     *bool             `json:"enableOAuthAppCreation"`
	EnableSelfValidationJWT    *bool             `json:"enableSelfValidationJWT"`
	ClaimMapping               []claimMapping    `json:"claimMapping"`
	ConsumerKeyClaim           *string           `json:"consumerKeyClaim"`
	ScopesClaim                *string           `json:"scopesClaim"`
	TokenValidation            []tokenValidation `json:"tokenValidation"`
	Enabled                    *bool             `json:"enabled"`
	Global                     *bool             `json:"global"`
	AdditionalProperties       map[string]any    `json:"additionalProperties"`
	Permissions                *kmPermissions    `json:"permissions"`
	TokenType                  *string           `json:"tokenType" enum:"EXCHANGED,DIRECT,BOTH"`
	AllowedOrganizations       []string          `json:"allowedOrganizations"`

	loadedAt time.Time       // when the devportal knows it; zero after Restore
	given    map[string]bool // the names of the endpoints that a request held, while it is checked
}

type namedEndpoint struct {
	Name  *string `json:"name" is:"required"`
	Value *string `json:"value" is:"required"`
}

type kmCertificates struct {
	Type  *string `json:"type" enum:"JWKS,PEM"`
	Value *string `json:"value"`
}

type claimMapping struct {
	RemoteClaim *string `json:"remoteClaim"`
	LocalClaim  *string `json:"localClaim"`
}

type tokenValidation struct {
	ID     *int64  `json:"id"`
	Enable *bool   `json:"enable"`
	Type   *string `json:"type" enum:"REFERENCE,JWT,CUSTOM"`
	Value  any     `json:"value"`
}

func (v *tokenValidation) defaults() { v.Enable = ptr(true) }

type kmPermissions struct {
	PermissionType *string  `json:"permissionType" enum:"PUBLIC,ALLOW,DENY"`
	Roles          []string `json:"roles"`
}

func (p *kmPermissions) defaults() { p.PermissionType, p.Roles = ptr("PUBLIC"), []string{} }

func (k *keyManager) rowID() string  { return text(k.ID) }
func (k *keyManager) resident() bool { return text(k.Name) == residentName }

func isTrue(b *bool) bool { return b != nil && *b }

// newKeyManager is the DTO with the defaults of the contract.
func newKeyManager() *keyManager {
	return &keyManager{Endpoints: []namedEndpoint{}, AvailableGrantTypes: []string{}, EnableTokenEncryption: ptr(false), EnableTokenHashing: ptr(false),
		EnableMapOAuthConsumerApps: ptr(false), EnableOAuthAppCreation: ptr(false), EnableSelfValidationJWT: ptr(true), ClaimMapping: []claimMapping{},
		TokenValidation: []tokenValidation{}, TokenType: ptr("DIRECT"), AllowedOrganizations: []string{}}
}

func keyManagerRoutes() []route {
	return []route{
		get(admin, "/key-managers", kmManage, listKeyManagers),
		post(admin, "/key-managers", kmManage, createKeyManager),
		get(admin, "/key-managers/{km}", kmManage, readKeyManager),
		put(admin, "/key-managers/{km}", kmManage, updateKeyManager),
		remove(admin, "/key-managers/{km}", kmDelete, deleteKeyManager),
		get(devportal, "/key-managers", []string{"apim:subscribe"}, devportalKeyManagers),
		get(admin, "/global-key-managers", kmManage, globally(listGlobalKeyManagers)),
		post(admin, "/global-key-managers", kmManage, globally(createKeyManager)),
		get(admin, "/global-key-managers/{km}", kmManage, globally(readKeyManager)),
		put(admin, "/global-key-managers/{km}", kmManage, globally(updateKeyManager)),
		remove(admin, "/global-key-managers/{km}", kmManage, globally(deleteKeyManager)),
	}
}

// A kmSummary is what the admin list shows of a key manager.
type kmSummary struct {
	ID          *string `json:"id"`
	Name        *string `json:"name"`
	Type        *string `json:"type"`
	Description *string `json:"description"`
	Enabled     *bool   `json:"enabled"`
	IsGlobal    bool    `json:"isGlobal"`
	IsUsed      bool    `json:"isUsed"`
	TokenType   *string `json:"tokenType"`
}

// globally wraps an operation on a tenant's key managers to work on the global ones, which are the
// super tenant's.
func globally(run func(*call) *answer) func(*call) *answer {
	return func(c *call) *answer {
		if c.tenant.Domain != superTenant {
			return forbidden("You are not allowed to access this resource")
		}
		c.global = true
		return run(c)
	}
}

// ownKeyManagers are the key managers that an operation works on: the tenant's, or the global ones.
func (c *call) ownKeyManagers() *rows[keyManager, *keyManager] {
	if c.global {
		return c.tenant.global
	}
	return &c.tenant.KeyManagers
}

// keyManager finds a key manager that the tenant can use, its own or a global one, nil when there
// is none.
func (t *tenant) keyManager(id string) *keyManager {
	if k := t.KeyManagers.get(id); k != nil {
		return k
	}
	return t.global.get(id)
}

// orderedKeyManagers returns all that the tenant can use as lists show them: the resident one last.
func (t *tenant) orderedKeyManagers() []*keyManager {
	list := append(t.KeyManagers.values(), t.global.list...)
	slices.SortStableFunc(list, func(a, b *keyManager) int {
		switch {
		case a.resident() == b.resident():
			return 0
		case a.resident():
			return 1
		}
		return -1
	})
	return list
}

// listKeyManagers lists the tenant's key managers; tenants see the global ones too, the super
// tenant does not (seen).
func listKeyManagers(c *call) *answer {
	var out []kmSummary
	for _, k := range c.tenant.orderedKeyManagers() {
		if !isTrue(k.Global) || c.tenant.Domain != superTenant {
			out = append(out, c.kmSummary(k))
		}
	}
	return all(out)
}

func listGlobalKeyManagers(c *call) *answer {
	var out []kmSummary
	for _, k := range c.tenant.global.list {
		out = append(out, c.kmSummary(k))
	}
	return all(out)
}

func (c *call) kmSummary(k *keyManager) kmSummary {
	return kmSummary{k.ID, k.Name, k.Type, k.Description, k.Enabled, isTrue(k.Global), c.keyManagerUsed(k), k.TokenType}
}

func kmNotFound() *answer {
	return refuse(http.StatusNotFound, 901411, "Key Manager not Found", "Key Manager not found")
}

func readKeyManager(c *call) *answer {
	k := c.tenant.keyManager(c.vars["km"])
	if c.global {
		k = c.tenant.global.get(c.vars["km"])
	}
	if k == nil && c.global {
		return notFound("key manager", c.vars["km"])
	}
	if k == nil {
		return kmNotFound()
	}
	if k.EnableTokenHashing == nil {
		return internal("")
	}
	return ok(c.server.shown(k).masked())
}

// masked is the key manager with its secrets hidden, as GET answers it; POST and PUT answer in the
// clear (apim-behaviour 10).
func (k keyManager) masked() keyManager {
	kind := connectorOf(text(k.Type))
	k.AdditionalProperties = maps.Clone(k.AdditionalProperties)
	for name := range k.AdditionalProperties {
		if kind != nil && kind.masked(name) {
			k.AdditionalProperties[name] = stars
		}
	}
	return k
}

// plain is a copy of the key manager with what is added to the stored one.
func (k *keyManager) plain() keyManager {
	out := *k
	out.loadedAt = time.Time{}
	out.AdditionalProperties = cloneMap(k.AdditionalProperties)
	if k.EnableSelfValidationJWT == nil {
		out.EnableSelfValidationJWT = ptr(true)
	} else {
		out.AdditionalProperties["self_validate_jwt"] = *k.EnableSelfValidationJWT
	}
	return out
}

// shown is the key manager as answers show it; the endpoints of the resident one are computed from
// the host configuration.
func (s *Server) shown(k *keyManager) keyManager {
	out := k.plain()
	if k.resident() {
		at := func(path string) *string { return ptr(s.options.PublicURL + path) }
		out.TokenEndpoint, out.RevokeEndpoint, out.Issuer = at("/oauth2/token"), at("/oauth2/revoke"), at("/oauth2/token")
		out.Certificates = &kmCertificates{Type: ptr("JWKS"), Value: at("/oauth2/jwks")}
		for name, v := range map[string]any{"ServerURL": *at("/services/"), "TokenURL": *at("/oauth2/token"), "RevokeURL": *at("/oauth2/revoke"),
			"VALIDITY_PERIOD": "3600", "validation_enable": true, "enable_application_scopes": false} {
			if _, has := out.AdditionalProperties[name]; !has {
				out.AdditionalProperties[name] = v
			}
		}
	}
	return out
}

// residentKeyManager is the one key manager that every tenant has.
func residentKeyManager() *keyManager {
	k := newKeyManager()
	k.ID, k.Name, k.Type, k.Description = ptr(newID()), ptr(residentName), ptr("default"), ptr("This is Resident Key Manager")
	k.AvailableGrantTypes = []string{"refresh_token", "urn:ietf:params:oauth:grant-type:saml2-bearer", "password", "client_credentials", "iwa:ntlm",
		"authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange"}
	k.EnableTokenGeneration, k.EnableMapOAuthConsumerApps, k.EnableOAuthAppCreation, k.Enabled = ptr(true), ptr(true), ptr(true), ptr(true)
	k.AdditionalProperties = map[string]any{"OAuthConfigurations.EncryptPersistedTokens": false, "enable_token_hash": false}
	k.TokenValidation = []tokenValidation{{Enable: ptr(true), Type: ptr("REFERENCE"),
		Value: "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"}}
	for _, claim := range residentClaims {
		k.ClaimMapping = append(k.ClaimMapping, claimMapping{ptr(claim[0]), ptr("http://wso2.org/claims/" + claim[1])})
	}
	k.Global = ptr(false)
	k.Permissions = &kmPermissions{PermissionType: ptr("PUBLIC"), Roles: []string{}}
	return k
}

// residentClaims are the claims that the resident key manager maps: its own name, and the local
// name behind http://wso2.org/claims/.
var residentClaims = [][2]string{
	{"gender", "gender"}, {"email_verified", "identity/emailVerified"}, {"zoneinfo", "timeZone"}, {"picture", "photourl"},
	{"preferred_username", "displayName"}, {"middle_name", "middleName"}, {"nickname", "nickname"}, {"profile", "url"},
	{"phone_number_verified", "identity/phoneVerified"}, {"postal_code", "postalcode"}, {"groups", "role"}, {"address", "addresses"},
	{"country", "country"}, {"formatted", "addresses.formatted"}, {"email", "emailaddress"}, {"upn", "userprincipal"}, {"given_name", "givenname"},
	{"locality", "locality"}, {"region", "region"}, {"family_name", "lastname"}, {"name", "fullname"}, {"locale", "local"}, {"website", "url"},
	{"phone_number", "telephone"}, {"birthdate", "dob"}, {"updated_at", "modified"},
}

func createKeyManager(c *call) *answer {
	k := newKeyManager()
	if a := readBody(c.body, k); a != nil {
		return a
	}
	if a := k.normalize(nil); a != nil {
		return a
	}
	if a := k.checkRoles(c); a != nil {
		return a
	}
	if c.tenant.keyManagerNamed(*k.Name) != nil {
		return refuse(http.StatusConflict, 901402, "Key Manager Already Exists", "Key Manager Already Exists")
	}
	if a := k.checkConnector(); a != nil {
		return a
	}
	k.ID, k.Global = ptr(newID()), ptr(c.global)
	k.loadedAt = c.loading()
	c.ownKeyManagers().add(k)
	path := "/key-managers/"
	if c.global {
		path = "/global-key-managers/"
	}
	a := created(admin.location+path+*k.ID, c.server.shown(k))
	return k.kept(a)
}

func updateKeyManager(c *call) *answer {
	k := newKeyManager()
	if a := readBody(c.body, k); a != nil {
		return a
	}
	old := c.ownKeyManagers().get(c.vars["km"])
	if a := k.normalize(old); a != nil {
		return a
	}
	if old == nil {
		return kmNotFound()
	}
	if a := k.checkRoles(c); a != nil {
		return a
	}
	if *old.Name != *k.Name {
		return badRequest("Key Manager name couldn't able to change")
	}
	if a := k.checkConnector(); a != nil {
		return a
	}
	k.ID, k.Global, k.loadedAt = old.ID, old.Global, old.loadedAt
	if !c.server.loaded(old) {
		k.loadedAt = c.loading() // this write has an event of its own
	}
	c.ownKeyManagers().replace(k)
	if k.resident() {
		return k.kept(ok(k.plain())) // what was sent; GET computes again
	}
	return k.kept(ok(c.server.shown(k)))
}

// kept brings a key manager that was just stored, and the answer to that, to what is there from now
// on (all of it seen): a permission is a row for each role, so that without roles it is public, and
// public has none. One whose enableTokenHashing is null cannot be shown: 500, though it was stored.
func (k *keyManager) kept(a *answer) *answer {
	if len(k.Permissions.Roles) == 0 || *k.Permissions.PermissionType == "PUBLIC" {
		k.Permissions = &kmPermissions{PermissionType: ptr("PUBLIC"), Roles: []string{}}
	}
	if *k.TokenType == "DIRECT" {
		k.Alias = nil // it is a matter of key managers that exchange tokens (seen)
	}
	if k.EnableTokenHashing == nil {
		return internal("")
	}
	return a
}

// normalize brings a key manager into the form in which the server keeps it. Old is the stored one
// of a PUT, nil where there is none.
func (k *keyManager) normalize(old *keyManager) *answer {
	if k.Enabled == nil || k.TokenType == nil {
		return internal("") // a null pointer in the server: apim-behaviour 10, "only name and type sent: 500; unknown tokenType: 500"
	}
	for _, s := range []**string{&k.WellKnownEndpoint, &k.IntrospectionEndpoint, &k.ClientRegistrationEndpoint, &k.TokenEndpoint, &k.DisplayTokenEndpoint,
		&k.RevokeEndpoint, &k.DisplayRevokeEndpoint, &k.UserInfoEndpoint, &k.AuthorizeEndpoint, &k.ScopeManagementEndpoint, &k.Issuer,
		&k.ConsumerKeyClaim, &k.ScopesClaim} {
		if text(*s) == "" {
			*s = nil // empty strings come back null; white space comes back as an empty string (seen)
		} else {
			*s = ptr(strings.TrimSpace(**s))
		}
	}
	if k.AdditionalProperties == nil {
		k.AdditionalProperties = map[string]any{}
	}
	k.AdditionalProperties, _ = gson(k.AdditionalProperties).(map[string]any)
	delete(k.AdditionalProperties, "self_validate_jwt") // the field of its own decides
	// A display endpoint of white space, and half a certificate, stay behind among the additional
	// properties (seen).
	for name, s := range map[string]**string{"display_token_endpoint": &k.DisplayTokenEndpoint, "display_revoke_endpoint": &k.DisplayRevokeEndpoint} {
		if *s != nil && **s == "" {
			*s, k.AdditionalProperties[name] = nil, ""
		}
	}
	if cert := k.Certificates; cert != nil && (cert.Type == nil || cert.Value == nil) {
		if cert.Type != nil {
			k.AdditionalProperties["certificate_type"] = *cert.Type
		}
		if cert.Value != nil {
			k.AdditionalProperties["certificate_value"] = *cert.Value
		}
		k.Certificates = nil
	}
	k.given = map[string]bool{}
	for _, e := range k.Endpoints {
		k.given[text(e.Name)] = true
	}
	k.Endpoints = []namedEndpoint{} // [seen]: endpoints that are sent are answered as an empty list
	k.Global = ptr(false)
	if k.AvailableGrantTypes == nil {
		k.AvailableGrantTypes = []string{}
	}
	if k.ClaimMapping == nil {
		k.ClaimMapping = []claimMapping{}
	}
	if k.TokenValidation == nil {
		k.TokenValidation = []tokenValidation{}
	}
	for i := range k.TokenValidation {
		if v := &k.TokenValidation[i]; v.Enable == nil {
			v.Enable = ptr(true)
		}
	}
	if k.AllowedOrganizations == nil {
		k.AllowedOrganizations = []string{}
	}
	for _, b := range []**bool{&k.EnableMapOAuthConsumerApps, &k.EnableOAuthAppCreation} {
		if *b == nil {
			*b = ptr(false)
		}
	}
	if k.EnableTokenEncryption == nil {
		// The two are read back together: without the one, the other stays behind among the additional
		// properties (seen).
		if k.EnableTokenHashing != nil {
			k.AdditionalProperties["enable_token_hash"] = *k.EnableTokenHashing
		}
		k.EnableTokenEncryption, k.EnableTokenHashing = ptr(false), ptr(false)
	}
	if k.Permissions == nil || k.Permissions.PermissionType == nil {
		k.Permissions = &kmPermissions{PermissionType: ptr("PUBLIC"), Roles: []string{}}
	}
	if k.Permissions.Roles == nil {
		k.Permissions.Roles = []string{}
	}
	if kind := connectorOf(*k.Type); kind != nil && !k.resident() {
		if k.ConsumerKeyClaim == nil && kind.consumerKeyClaim != "" {
			k.ConsumerKeyClaim = ptr(kind.consumerKeyClaim)
		}
		if k.ScopesClaim == nil && kind.scopesClaim != "" {
			k.ScopesClaim = ptr(kind.scopesClaim)
		}
		if old != nil {
			for name, v := range k.AdditionalProperties {
				if stored, had := old.AdditionalProperties[name]; had && v == stars && kind.masked(name) {
					k.AdditionalProperties[name] = stored
				}
			}
		}
	}
	return nil
}

// gson is a value as the server's JSON library keeps it: without nulls, texts trimmed.
func gson(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, e := range v {
			if e != nil {
				out[name] = gson(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = gson(e)
		}
		return out
	case string:
		return strings.TrimSpace(v)
	}
	return v
}

// checkRoles refuses roles that do not exist, whatever the kind of permission.
func (k *keyManager) checkRoles(c *call) *answer {
	for _, role := range k.Permissions.Roles {
		if !c.server.options.RoleExists(c.tenant.Domain, role) {
			return refuse(http.StatusNotFound, 900607, "Role does not exist in the system", "Role does not exist in the system")
		}
	}
	return nil
}

// checkConnector refuses what the connector does not allow: what it requires must be there, be it
// empty (seen).
func (k *keyManager) checkConnector() *answer {
	if k.resident() {
		return nil
	}
	kind := connectorOf(*k.Type)
	if kind == nil {
		return refuse(http.StatusBadRequest, 901400, "Key Manager Type not configured", "Key Manager Type not configured")
	}
	for name, s := range map[string]*string{"client_registration_endpoint": k.ClientRegistrationEndpoint, "introspection_endpoint": k.IntrospectionEndpoint,
		"token_endpoint": k.TokenEndpoint, "revoke_endpoint": k.RevokeEndpoint} {
		if s != nil {
			k.given[name] = true
		}
	}
	missing, broken := false, false
	for _, s := range kind.settings {
		v, has := k.AdditionalProperties[s.Name]
		missing = missing || s.Required && !has
		if _, isText := v.(string); has && s.Mask && !isText {
			broken = true // what is masked is encrypted, and only texts can be (seen)
		}
	}
	for _, s := range kind.endpointSettings() {
		missing = missing || s.Required && !k.given[s.Name]
	}
	k.given = nil
	if missing {
		return refuse(http.StatusBadRequest, 901401, "Required Key Manager configuration missing", "Missing required configuration")
	}
	if broken {
		return internal("")
	}
	return nil
}

// kmNotDeleted is the refusal to delete a key manager that is in use, or the resident one. Its text
// ends in "%s" on the real server too.
func kmNotDeleted() *answer {
	return refuse(http.StatusPreconditionFailed, 902015, "Key Manager Delete error", "Error while deleting the Key Manager. %s")
}

func deleteKeyManager(c *call) *answer {
	k := c.ownKeyManagers().get(c.vars["km"])
	if k == nil && (c.global || c.tenant.global.get(c.vars["km"]) != nil) {
		return empty(http.StatusOK) // nothing is deleted, and nothing is said (seen)
	}
	if k == nil {
		return kmNotFound()
	}
	if k.resident() {
		return kmNotDeleted()
	}
	if c.keyManagerUsed(k) {
		return kmNotDeleted()
	}
	c.ownKeyManagers().remove(*k.ID)
	return empty(http.StatusOK)
}

// keyManagerNamed finds a key manager that the tenant can use by its name, its own before a global
// one.
func (t *tenant) keyManagerNamed(name string) *keyManager {
	named := func(k *keyManager) bool { return *k.Name == name }
	if k := t.KeyManagers.find(named); k != nil {
		return k
	}
	return t.global.find(named)
}

// keyManagerUsed tells whether keys of applications were made by it or an API names it: in the
// tenant, for a global one in any.
func (c *call) keyManagerUsed(k *keyManager) bool {
	used := func(t *tenant) bool {
		return t.Keys.find(func(m *keyMapping) bool { return m.KeyManager == *k.ID }) != nil || t.apiNaming(k) != nil
	}
	if !isTrue(k.Global) {
		return used(c.tenant)
	}
	for _, t := range c.server.contents.Tenants {
		if used(t) {
			return true
		}
	}
	return false
}

// loading is when the event of a write to a key manager arrives: never when a fault script loses
// it.
func (c *call) loading() time.Time {
	if fault.EventLost(c.request.Context()) {
		return c.server.now().AddDate(100, 0, 0)
	}
	return c.server.now().Add(c.server.options.KeyManagerDelay)
}

// loaded tells whether the event about a key manager has reached the part of the server that makes
// keys.
func (s *Server) loaded(k *keyManager) bool { return !s.now().Before(k.loadedAt) }

// A kmInfo is what the devportal shows of a key manager.
type kmInfo struct {
	ID                         *string        `json:"id"`
	Name                       *string        `json:"name"`
	Type                       *string        `json:"type"`
	DisplayName                *string        `json:"displayName"`
	Description                *string        `json:"description"`
	Enabled                    *bool          `json:"enabled"`
	AvailableGrantTypes        []string       `json:"availableGrantTypes"`
	TokenEndpoint              *string        `json:"tokenEndpoint"`
	RevokeEndpoint             *string        `json:"revokeEndpoint"`
	UserInfoEndpoint           *string        `json:"userInfoEndpoint"`
	EnableTokenGeneration      *bool          `json:"enableTokenGeneration"`
	EnableTokenEncryption      *bool          `json:"enableTokenEncryption"`
	EnableTokenHashing         *bool          `json:"enableTokenHashing"`
	EnableOAuthAppCreation     *bool          `json:"enableOAuthAppCreation"`
	EnableMapOAuthConsumerApps *bool          `json:"enableMapOAuthConsumerApps"`
	ApplicationConfiguration   []any          `json:"applicationConfiguration"`
	Alias                      *string        `json:"alias"`
	AdditionalProperties       map[string]any `json:"additionalProperties"`
	TokenType                  *string        `json:"tokenType"`
}

// devportalKeyManagers lists what is loaded and the user may use, disabled ones among them. None
// has a userInfoEndpoint (seen).
func devportalKeyManagers(c *call) *answer {
	out := []kmInfo{}
	for _, stored := range c.tenant.orderedKeyManagers() {
		if !c.server.loaded(stored) || !stored.allows(c.user.Roles) {
			continue
		}
		k := c.server.shown(stored)
		info := kmInfo{k.ID, k.Name, k.Type, k.DisplayName, k.Description, k.Enabled, k.AvailableGrantTypes, k.TokenEndpoint, k.RevokeEndpoint,
			nil, k.EnableTokenGeneration, k.EnableTokenEncryption, ptr(isTrue(k.EnableTokenHashing)), k.EnableOAuthAppCreation,
			k.EnableMapOAuthConsumerApps, []any{}, k.Alias, map[string]any{}, k.TokenType}
		if k.DisplayTokenEndpoint != nil {
			info.TokenEndpoint = k.DisplayTokenEndpoint
		}
		if k.DisplayRevokeEndpoint != nil {
			info.RevokeEndpoint = k.DisplayRevokeEndpoint
		}
		if kind := connectorOf(text(k.Type)); kind != nil && !kind.formless {
			for _, s := range kind.application {
				info.ApplicationConfiguration = append(info.ApplicationConfiguration, struct {
					setting
					Constraint any `json:"constraint"`
				}{s, nil})
			}
		}
		out = append(out, info)
	}
	return all(out)
}
