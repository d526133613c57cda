package apim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	modeCreated = "CREATED"
	modeMapped  = "MAPPED"
)

// A keyMapping ties an application, for one key type, to a client of a key manager. Without a
// ConsumerKey it is a half-made one: the row that the server inserts before it calls the key
// manager, and that a failed call leaves behind.
type keyMapping struct {
	ID          string `json:"id"`
	Application string `json:"application"`
	KeyManager  string `json:"keyManager"` // id
	KeyType     string `json:"keyType"`
	ConsumerKey string `json:"consumerKey,omitempty"`
	Mode        string `json:"mode"`
}

func (m *keyMapping) rowID() string { return m.ID }

// applicationKey is the DTO of /applications/{id}/oauth-keys.
type applicationKey struct {
	KeyMappingID         *string        `json:"keyMappingId"`
	KeyManager           *string        `json:"keyManager"`
	ConsumerKey          *string        `json:"consumerKey"`
	ConsumerSecret       *string        `json:"consumerSecret"`
	ConsumerSecrets      []any          `json:"consumerSecrets"`
	SupportedGrantTypes  []string       `json:"supportedGrantTypes"`
	CallbackURL          *string        `json:"callbackUrl"`
	KeyState             *string        `json:"keyState"`
	KeyType              *string        `json:"keyType" enum:"PRODUCTION,SANDBOX"`
	Mode                 *string        `json:"mode" enum:"MAPPED,CREATED"`
	GroupID              *string        `json:"groupId"`
	Token                *keyToken      `json:"token"`
	AdditionalProperties map[string]any `json:"additionalProperties"`
}

type keyToken struct {
	AccessToken  *string  `json:"accessToken"`
	TokenScopes  []string `json:"tokenScopes"`
	ValidityTime *int64   `json:"validityTime"`
}

type generateRequest struct {
	KeyType                 *string        `json:"keyType" is:"required" enum:"PRODUCTION,SANDBOX"`
	KeyManager              *string        `json:"keyManager"`
	GrantTypesToBeSupported []string       `json:"grantTypesToBeSupported" is:"required"`
	CallbackURL             *string        `json:"callbackUrl"`
	Scopes                  []string       `json:"scopes"`
	ValidityTime            *string        `json:"validityTime"`
	ClientID                *string        `json:"clientId"`
	ClientSecret            *string        `json:"clientSecret"`
	AdditionalProperties    map[string]any `json:"additionalProperties"`
}

type mapRequest struct {
	ConsumerKey    *string `json:"consumerKey" is:"required"`
	ConsumerSecret *string `json:"consumerSecret"`
	KeyManager     *string `json:"keyManager"`
	KeyType        *string `json:"keyType" is:"required" enum:"PRODUCTION,SANDBOX"`
}

type tokenRequest struct {
	ConsumerSecret       *string        `json:"consumerSecret"`
	ValidityPeriod       *int64         `json:"validityPeriod"`
	Scopes               []string       `json:"scopes"`
	RevokeToken          *string        `json:"revokeToken"`
	GrantType            *string        `json:"grantType" enum:"CLIENT_CREDENTIALS,TOKEN_EXCHANGE"`
	AdditionalProperties map[string]any `json:"additionalProperties"`
}

func keyRoutes() []route {
	const app = "/applications/{application}"
	const item = app + "/oauth-keys/{mapping}"
	return []route{
		withKeys(alone(post(devportal, app+"/generate-keys", appManage, generateKeys))),
		alone(post(devportal, app+"/map-keys", appManage, mapKeys)),
		withKeys(alone(get(devportal, app+"/oauth-keys", appManage, listKeys))),
		alone(get(devportal, item, appManage, readKeys)),
		withKeys(alone(put(devportal, item, appManage, updateKeys))),
		alone(remove(devportal, item, appManage, deleteKeys)),
		withKeys(alone(anyBody(post(devportal, item+"/regenerate-secret", appManage, regenerateSecret)))),
		anyBody(post(devportal, item+"/clean-up", appManage, cleanUpKeys)),
		withKeys(alone(post(devportal, item+"/generate-token", appManage, generateToken))),
	}
}

// keysOf returns the mappings of an application, newest first as lists show them.
func (t *tenant) keysOf(a *application) []*keyMapping {
	var out []*keyMapping
	for _, m := range t.Keys.list {
		if m.Application == *a.ApplicationID {
			out = append(out, m)
		}
	}
	slices.Reverse(out)
	return out
}

// keyManagerFor finds the key manager that a request for keys names, by name or id; none named is
// the resident one. ByID tells that it was an id.
func (t *tenant) keyManagerFor(named *string) (k *keyManager, byID bool) {
	if text(named) == "" {
		return t.keyManagerNamed(residentName), false
	}
	if k = t.keyManagerNamed(*named); k != nil {
		return k, false
	}
	k = t.keyManager(*named)
	return k, k != nil
}

func mappingExists() *answer {
	return refuse(http.StatusConflict, 901409, "Key Mappings already exists", "Key Mappings already exists")
}

func notRegistered() *answer {
	return refuse(http.StatusBadRequest, 901403, "Key Manager not Registered", "Key Manager not Registered")
}

// admit checks whether keys of a type can be made for an application with a key manager.
func (c *call) admit(a *application, named *string, keyType string, mapped bool) (*keyManager, *answer) {
	k, _ := c.tenant.keyManagerFor(named)
	switch {
	case k == nil:
		return nil, notRegistered()
	case !isTrue(k.Enabled):
		return nil, notRegistered() // not 901406 (seen)
	case text(k.TokenType) == "EXCHANGED" || !mapped && !isTrue(k.EnableOAuthAppCreation):
		// enableMapOAuthConsumerApps refuses nothing (seen).
		return nil, refuse(http.StatusBadRequest, 901405, "Key Manager doesn't support generating OAuth applications",
			"Key Manager doesn't support generating OAuth applications")
	}
	for _, m := range c.tenant.keysOf(a) {
		if m.KeyManager == *k.ID && m.KeyType == keyType {
			return nil, mappingExists()
		}
	}
	return k, nil
}

// restricted refuses keys of a key manager that the user may not use. It is looked at before the
// application is, for keys that are generated and where the key manager is named by its id
// (apim-behaviour 3.1, and seen).
func (c *call) restricted(named *string) *answer {
	if k, byID := c.tenant.keyManagerFor(named); byID && !k.allows(c.user.Roles) {
		return refuse(http.StatusForbidden, 902013, "Unauthorized Access to Key Manager", "Key Manager is Restricted for this user")
	}
	return nil
}

// restrictedAlone is restricted for an operation that locks by itself.
func (c *call) restrictedAlone(named *string) *answer {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.enter()
	return c.restricted(named)
}

// allows tells whether a user with these roles may use the key manager.
func (k *keyManager) allows(roles []string) bool {
	has := slices.ContainsFunc(k.Permissions.Roles, func(r string) bool {
		return slices.ContainsFunc(roles, func(u string) bool { return strings.EqualFold(r, u) })
	})
	switch *k.Permissions.PermissionType {
	case "ALLOW":
		return has
	case "DENY":
		return !has
	}
	return true
}

func generateKeys(c *call) *answer {
	body := generateRequest{GrantTypesToBeSupported: []string{}, Scopes: []string{}}
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	s, ctx := c.server, c.request.Context()

	s.mu.Lock()
	c.enter()
	if bad := c.restricted(body.KeyManager); bad != nil {
		s.mu.Unlock()
		return bad
	}
	a, bad := c.ownApplication()
	if bad != nil {
		s.mu.Unlock()
		return bad
	}
	if redirects(body.GrantTypesToBeSupported) && text(body.CallbackURL) == "" {
		s.mu.Unlock()
		return badRequest("The callback url must have at least one URI value when using Authorization code or implicit grant types.")
	}
	k, bad := c.admit(a, body.KeyManager, *body.KeyType, false)
	if bad != nil {
		s.mu.Unlock()
		return bad
	}
	if bad := connectorOf(*k.Type).checkProperties(body.AdditionalProperties); bad != nil {
		s.mu.Unlock()
		return bad
	}
	// The row is inserted before the key manager is called and stays when the call fails: every retry
	// is then 409 901409 until it is cleaned up.
	m := &keyMapping{ID: newID(), Application: *a.ApplicationID, KeyManager: *k.ID, KeyType: *body.KeyType, Mode: modeCreated}
	c.tenant.Keys.add(m)
	if !s.loaded(k) || connectorOf(*k.Type).outOfBand {
		s.mu.Unlock()
		return general() // "Key Manager … not configured", or not implemented
	}
	owner, application := *a.Owner, *a
	r := c.remote(k, "")
	s.mu.Unlock()

	wanted := Client{
		ID: text(body.ClientID), Secret: text(body.ClientSecret), Owner: owner, Name: clientName(owner, *application.ApplicationID, *body.KeyType),
		GrantTypes: body.GrantTypesToBeSupported, CallbackURLs: callbacks(body.CallbackURL), Extra: body.AdditionalProperties,
	}
	client, err := r.create(ctx, wanted, *application.Name)
	if err != nil {
		return failed(err)
	}

	s.mu.Lock()
	c.enter()
	if c.tenant.Keys.get(m.ID) == nil { // cleaned up, or deleted with the application, in the meantime
		s.mu.Unlock()
		r.consumerKey = client.ID
		_ = r.delete(context.WithoutCancel(ctx))
		return general()
	}
	changed := *m
	changed.ConsumerKey = client.ID
	c.tenant.Keys.replace(&changed)
	s.mu.Unlock()

	out := r.key(&changed, client)
	out.KeyState = ptr("APPROVED") // GET says COMPLETED
	out.KeyManager = ptr(*k.Name)
	if text(body.KeyManager) != "" {
		out.KeyManager = body.KeyManager // as it was sent
	}
	out.Token = &keyToken{AccessToken: ptr(""), TokenScopes: []string{"N/A"}, ValidityTime: ptr(int64(0))}
	if isTrue(r.km.EnableTokenGeneration) && slices.Contains(body.GrantTypesToBeSupported, "client_credentials") {
		seconds := 0
		if text(body.ValidityTime) != "" {
			if seconds, err = strconv.Atoi(*body.ValidityTime); err != nil {
				return general() // the keys are made all the same (seen)
			}
		}
		r.consumerKey = client.ID
		scopes := body.Scopes
		if scopes == nil {
			scopes = []string{"null"} // the text of the server's language (seen)
		}
		token, err := r.token(ctx, client.Secret, scopes, seconds)
		if err != nil {
			return failed(err)
		}
		out.Token = &keyToken{AccessToken: ptr(token.AccessToken), TokenScopes: token.Scopes, ValidityTime: ptr(int64(token.ExpiresIn))}
	}
	return ok(out)
}

// clientName is the name that clients of keys get in their key manager: <owner>_<application
// UUID>_<key type>, an "@" of the owner as "-AT-" and the tenant cut off.
func clientName(owner, application, keyType string) string {
	if i := strings.LastIndex(owner, "@"); i >= 0 {
		owner = owner[:i]
	}
	owner = strings.ReplaceAll(strings.ReplaceAll(owner, "/", "_"), "@", "-AT-")
	return owner + "_" + application + "_" + keyType
}

// redirects tells whether one of the grants needs a callback URL.
func redirects(grants []string) bool {
	return slices.Contains(grants, "authorization_code") || slices.Contains(grants, "implicit")
}

// callbacks splits a callback URL as the connectors do.
func callbacks(url *string) []string {
	out := []string{}
	for u := range strings.SplitSeq(text(url), ",") {
		if u = strings.TrimSpace(u); u != "" {
			out = append(out, u)
		}
	}
	return out
}

func mapKeys(c *call) *answer {
	var body mapRequest
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	s, ctx := c.server, c.request.Context()
	s.mu.Lock()
	c.enter()
	a, bad := c.ownApplication()
	if bad != nil {
		s.mu.Unlock()
		return bad
	}
	k, bad := c.admit(a, body.KeyManager, *body.KeyType, true)
	if bad != nil {
		s.mu.Unlock()
		return bad
	}
	if !s.loaded(k) {
		s.mu.Unlock()
		return notRegistered()
	}
	if c.clientTaken(k, *body.ConsumerKey) {
		s.mu.Unlock()
		return mappingExists()
	}
	r := c.remote(k, *body.ConsumerKey)
	s.mu.Unlock()

	var client Client
	if !r.kind.outOfBand {
		var err error
		if client, err = r.get(ctx); err != nil || client.Secret != text(body.ConsumerSecret) {
			return general() // "The secret key is wrong for the given consumer key"; no client at all is the same (seen)
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	c.enter()
	if a, bad = c.ownApplication(); bad != nil {
		return bad
	}
	if k, bad = c.admit(a, body.KeyManager, *body.KeyType, true); bad != nil {
		return bad
	}
	if c.clientTaken(k, *body.ConsumerKey) {
		return mappingExists()
	}
	m := &keyMapping{ID: newID(), Application: *a.ApplicationID, KeyManager: *k.ID, KeyType: *body.KeyType, ConsumerKey: *body.ConsumerKey, Mode: modeMapped}
	c.tenant.Keys.add(m)
	out := r.key(m, client)
	out.Token = &keyToken{AccessToken: ptr(""), TokenScopes: []string{}, ValidityTime: ptr(int64(0))}
	out.KeyManager = ptr(*k.Name)
	if text(body.KeyManager) != "" {
		out.KeyManager = body.KeyManager
	}
	return ok(out)
}

// clientTaken tells whether keys of an application are a client of this id already.
func (c *call) clientTaken(k *keyManager, id string) bool {
	return c.tenant.Keys.find(func(m *keyMapping) bool { return m.KeyManager == *k.ID && m.ConsumerKey == id }) != nil
}

// outOfBand is the answer to what a key manager does not do whose clients are made elsewhere.
func outOfBand() *answer {
	const reason = "Operation not implemented for custom Key Manager for Out-of-Band type"
	return refuse(http.StatusNotImplemented, 901413, reason, reason)
}

// A mappingView is what an operation on keys needs, copied out of the contents.
type mappingView struct {
	mapping keyMapping
	app     application
	remote  remote
}

// view copies a mapping out. Its key manager may be gone: then remote.km is empty and every call to
// it fails.
func (c *call) view(a *application, m *keyMapping) mappingView {
	v := mappingView{mapping: *m, app: *a}
	if k := c.tenant.keyManager(m.KeyManager); k != nil {
		v.remote = c.remote(k, m.ConsumerKey)
	}
	return v
}

// ownKeys finds the mapping of the path. It locks the contents by itself.
func (c *call) ownKeys() (mappingView, *answer) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.enter()
	a, m, bad := c.ownMapping()
	if bad != nil {
		return mappingView{}, bad
	}
	return c.view(a, m), nil
}

// ownMapping is ownKeys while the contents are locked.
func (c *call) ownMapping() (*application, *keyMapping, *answer) {
	a, bad := c.ownApplication()
	if bad != nil {
		return nil, nil, bad
	}
	m := c.tenant.Keys.get(c.vars["mapping"])
	if m == nil || m.Application != *a.ApplicationID {
		return nil, nil, internal("") // a null pointer in the server (seen)
	}
	return a, m, nil
}

// askKeyManagers asks for the client of each key of the applications that the request names, and is
// the answer where a key manager does not: its client throws where nothing catches it (seen).
func (c *call) askKeyManagers() *answer {
	s := c.server
	s.mu.Lock()
	c.enter()
	var asked []remote
	for _, id := range c.namedApplications() {
		a := c.tenant.Applications.get(id)
		if a == nil {
			continue
		}
		for _, m := range c.tenant.keysOf(a) {
			if k := c.tenant.keyManager(m.KeyManager); k != nil && m.ConsumerKey != "" && isTrue(k.Enabled) && s.loaded(k) {
				asked = append(asked, c.remote(k, m.ConsumerKey))
			}
		}
	}
	s.mu.Unlock()
	for _, r := range asked {
		if _, err := r.get(c.request.Context()); silent(err) {
			return internal("")
		}
	}
	return nil
}

// namedApplications are the ids of applications in the path, the query or the body.
func (c *call) namedApplications() []string {
	if id := cmp.Or(c.vars["application"], c.request.URL.Query().Get("applicationId")); id != "" {
		return []string{id}
	}
	type named struct {
		ApplicationID string `json:"applicationId"`
	}
	var one named
	var several []named
	if json.Unmarshal(c.body, &several) != nil && json.Unmarshal(c.body, &one) == nil {
		several = []named{one}
	}
	var ids []string
	for _, n := range several {
		ids = append(ids, n.ApplicationID)
	}
	return ids
}

// read asks the key manager for the client of a mapping. A key manager that refuses leaves the
// fields of the client empty; one that does not answer is a failure.
func (v mappingView) read(ctx context.Context) (*applicationKey, *answer) {
	var client Client
	if v.mapping.ConsumerKey != "" {
		got, err := v.remote.get(ctx)
		if silent(err) && isTrue(v.remote.km.Enabled) {
			return nil, internal("") // as askKeyManagers
		}
		if err == nil {
			client = got
		}
	}
	out := v.remote.key(&v.mapping, client)
	out.KeyState = ptr("COMPLETED")
	if v.mapping.ConsumerKey == "" { // a half-made one (seen)
		out.KeyState, out.SupportedGrantTypes, out.AdditionalProperties = ptr("APPROVED"), nil, nil
	}
	if len(out.SupportedGrantTypes) == 0 {
		out.SupportedGrantTypes = nil // (seen)
	}
	out.Token = &keyToken{TokenScopes: []string{}, ValidityTime: ptr(int64(0))}
	return out, nil
}

func listKeys(c *call) *answer {
	s := c.server
	s.mu.Lock()
	c.enter()
	a, bad := c.ownApplication()
	if bad != nil {
		s.mu.Unlock()
		return bad
	}
	var views []mappingView
	for _, m := range c.tenant.keysOf(a) {
		views = append(views, c.view(a, m))
	}
	s.mu.Unlock()
	out := []*applicationKey{}
	for _, v := range views {
		key, bad := v.read(c.request.Context())
		if bad != nil {
			return bad
		}
		out = append(out, key)
	}
	return all(out)
}

func readKeys(c *call) *answer {
	v, bad := c.ownKeys()
	if bad != nil {
		return bad
	}
	out, bad := v.read(c.request.Context())
	if bad != nil {
		return bad
	}
	out.KeyManager = ptr(v.mapping.KeyManager) // [seen]: the list names the key manager, GET of one gives its id
	return ok(out)
}

func updateKeys(c *call) *answer {
	body := applicationKey{SupportedGrantTypes: []string{}}
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	if bad := c.restrictedAlone(body.KeyManager); bad != nil {
		return bad
	}
	v, bad := c.ownKeys()
	if bad != nil {
		return bad
	}
	if v.remote.kind != nil && v.remote.kind.outOfBand {
		return outOfBand()
	}
	if v.mapping.ConsumerKey == "" || v.remote.kind == nil {
		return refuse(http.StatusInternalServerError, 900606, "Key Manager initialization failed", "Key Manager initialization failed")
	}
	if bad := v.remote.kind.checkProperties(body.AdditionalProperties); bad != nil {
		return bad
	}
	if redirects(body.SupportedGrantTypes) && text(body.CallbackURL) == "" {
		return general()
	}
	m := v.mapping
	grants := body.SupportedGrantTypes
	if len(grants) == 0 {
		grants = []string{""} // an empty list, joined and split again (seen)
	}
	client, err := v.remote.update(c.request.Context(), Client{
		ID: m.ConsumerKey, Name: clientName(*v.app.Owner, m.Application, m.KeyType), Owner: *v.app.Owner, GrantTypes: grants,
		CallbackURLs: callbacks(body.CallbackURL), Extra: body.AdditionalProperties,
	}, *v.app.Name)
	if err != nil {
		return failed(err)
	}
	out := v.remote.key(&m, client)
	// [seen]: the answer to PUT has neither mode nor state nor token, and shows ids as they were sent.
	out.Mode, out.KeyMappingID, out.KeyManager = nil, body.KeyMappingID, body.KeyManager
	return ok(out)
}

// regenerateSecret makes a new secret. [java: WSO2IS7KeyManager]: the WSO2-IS-7 connector of 4.5
// does nothing and the answer holds no secret.
func regenerateSecret(c *call) *answer {
	v, bad := c.ownKeys()
	if bad != nil {
		return bad
	}
	if v.remote.kind != nil && v.remote.kind.outOfBand {
		return outOfBand()
	}
	if v.mapping.ConsumerKey == "" {
		return internal("")
	}
	secret, err := v.remote.rotate(c.request.Context())
	if err != nil {
		return failed(err)
	}
	out := applicationKey{ConsumerKey: ptr(v.mapping.ConsumerKey), ConsumerSecrets: []any{}, SupportedGrantTypes: []string{}}
	if secret != "" {
		out.ConsumerSecret = ptr(secret)
	}
	return ok(out)
}

// cleanUpKeys removes the mapping, if there is one; the client stays in the key manager.
func cleanUpKeys(c *call) *answer {
	a, bad := c.ownApplication()
	if bad != nil {
		return bad
	}
	if m := c.tenant.Keys.get(c.vars["mapping"]); m != nil && m.Application == *a.ApplicationID {
		c.tenant.Keys.remove(m.ID)
	}
	return empty(http.StatusOK)
}

// deleteKeys removes the mapping and the client that was made for it; a mapped client stays.
func deleteKeys(c *call) *answer {
	v, bad := c.ownKeys()
	if bad != nil && bad.status == http.StatusInternalServerError { // apim-behaviour 4.2; the null pointer of the others is not known of this one
		return refuse(http.StatusNotFound, 900331, "Key Mapping Not Found", "Key Mapping Not Found for the given id")
	}
	if bad != nil {
		return bad
	}
	if v.mapping.Mode == modeCreated && v.mapping.ConsumerKey != "" {
		if err := v.remote.delete(c.request.Context()); err != nil {
			return refuse(http.StatusPreconditionFailed, 902014, "Key Delete error", "Error while deleting Keys. "+err.Error())
		}
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.enter()
	c.tenant.Keys.remove(v.mapping.ID)
	return empty(http.StatusOK)
}

func generateToken(c *call) *answer {
	body := tokenRequest{Scopes: []string{}, GrantType: ptr("CLIENT_CREDENTIALS")}
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	v, bad := c.ownKeys()
	if bad != nil {
		return bad
	}
	if v.mapping.ConsumerKey == "" || body.ValidityPeriod == nil {
		return internal("") // null pointers in the server (seen)
	}
	if !isTrue(v.remote.km.EnableTokenGeneration) {
		return refuse(http.StatusBadRequest, 901405, "Bad Request", "Key Manager didn't support to generate token Generation From portal")
	}
	seconds := int(min(max(*body.ValidityPeriod, 0), 1<<31-1))
	secret := text(body.ConsumerSecret)
	if secret == "" {
		if client, err := v.remote.get(c.request.Context()); err == nil {
			secret = client.Secret
		}
	}
	token, err := v.remote.token(c.request.Context(), secret, body.Scopes, seconds)
	if err != nil {
		return failed(err)
	}
	return ok(keyToken{AccessToken: ptr(token.AccessToken), TokenScopes: token.Scopes, ValidityTime: ptr(int64(token.ExpiresIn))})
}

// failed is the answer to a call that failed because its key manager did.
func failed(err error) *answer {
	var status backendError
	switch {
	case errors.As(err, &status) && status.status < 500:
		return refuse(http.StatusBadRequest, 902003, "Invalid Request sent to Key Manager.", "Invalid Request sent to Key Manager.Error from Backend : "+status.reason)
	case errors.As(err, &status):
		return refuse(http.StatusInternalServerError, 902004, "Internal Server Error from Key Manager",
			"Internal Server Error from Key Manager.Error from Backend : "+status.reason)
	}
	return general()
}
