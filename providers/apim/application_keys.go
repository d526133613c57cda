package apim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// applicationKeysType is the table of apim_application_keys (apim-behaviour 4.2).
func applicationKeysType() *schema.Type {
	return &schema.Type{
		Name: "apim_application_keys",
		Doc: "The OAuth2 client of an application for one environment at one key manager: generated, or with " +
			"`existing_client` one that exists already and is mapped. Its id for `import` is `APPLICATION-ID/KEY-MAPPING-ID`. " +
			"Rows that a failed generation leaves behind are cleaned up and tried again.",
		Key:         []string{"application_id", "key_type", "key_manager"},
		DeleteFirst: true, // one client for each application, key type and key manager
		Check:       checkApplicationKeys,
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "`APPLICATION-ID/KEY-MAPPING-ID`."},
				{Name: "key_mapping_id", Type: cty.String, ReadOnly: true, Doc: "The server's id of the keys within the application, a UUID."},
				{Name: "application_id", Type: cty.String, Required: true, RequiresReplace: true, Parent: true,
					Doc: "Id of the application. The keys live in it and are deleted with it."},
				{Name: "key_type", Type: cty.String, Required: true, RequiresReplace: true, Enum: []string{"PRODUCTION", "SANDBOX"}, Doc: "Which endpoints the keys are for."},
				{Name: "key_manager", Type: cty.String, RequiresReplace: true, Default: cty.StringVal(residentKeyManager),
					Doc: "Name of the key manager that holds the client."},
				{Name: "grant_types", Type: cty.Set(cty.String), JSON: "supportedGrantTypes",
					Doc: "Grants that the client may use. Required unless an existing client is mapped. Some key managers drop those that they do not know."},
				{Name: "callback_url", Type: cty.String, JSON: "callbackUrl", Normalize: trimmed,
					Doc: "Where the browser comes back to; required for the grants `authorization_code` and `implicit`. Several are " +
						"written as the server does, `regexp=(https://a.example/cb|https://b.example/cb)`."},
				{Name: "scopes", Type: cty.Set(cty.String), WriteOnly: true, RequiresReplace: true,
					Doc: "Scopes asked for when the client is made. The server keeps no record of them, so they are compared with what was last applied."},
				{Name: "validity_time", Type: cty.Number, WriteOnly: true, RequiresReplace: true, Validate: wholeFrom(-1),
					Doc: "Life of the first access token in seconds, given when the client is made; 3600 by default. The server keeps no record of " +
						"it, so it is compared with what was last applied. The life of later tokens is a property, such as " +
						"`application_access_token_expiry_time`."},
				{Name: "additional_properties", Type: cty.Map(cty.String), PerKey: true,
					Doc: "The key manager's own properties of the client, each managed by itself, such as " +
						"`application_access_token_expiry_time` or `pkceMandatory`. Numbers and booleans are written as strings."},
				{Name: "secret_version", Type: cty.Number, WriteOnly: true, Default: cty.NumberIntVal(1), Validate: wholeFrom(0),
					Doc: "Change it to have a new secret made. It is a number of your own, of which the server knows nothing, so it is compared " +
						"with what was last applied. Keys are made with the secret of version 1. The connector `WSO2-IS-7` makes no new secrets: " +
						"there `-replace` the keys, which changes the `consumer_key` too."},
				{Name: "consumer_key", Type: cty.String, ReadOnly: true, Doc: "The client id."},
				{Name: "consumer_secret", Type: cty.String, ReadOnly: true, Sensitive: true, Once: true, ChangesWith: []string{"secret_version"},
					Doc: "The client secret. Key managers that do not give it out again return it only when it is made."},
				{Name: "mode", Type: cty.String, ReadOnly: true, Doc: "`CREATED` when the client was generated, `MAPPED` when it existed."},
				{Name: "key_state", Type: cty.String, ReadOnly: true, Doc: "`COMPLETED`; `CREATED` while the keys wait for an approval."},
			},
			Blocks: []schema.NestedBlock{{
				Name: "existing_client", Nesting: schema.Single,
				Doc: "A client that exists in the key manager already. It is mapped, and survives the deletion of the keys. The key manager " +
					"must have `enable_map_oauth_consumer_apps`.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "consumer_key", Type: cty.String, Required: true, RequiresReplace: true, Validate: lengthIn(1, 512), Doc: "Its client id."},
					{Name: "consumer_secret", Type: cty.String, RequiresReplace: true, WriteOnly: true, Sensitive: true, Doc: "Its client secret."},
				}},
			}},
		},
	}
}

// checkApplicationKeys finds what tables cannot say.
func checkApplicationKeys(v cty.Value) []schema.Problem {
	var out []schema.Problem
	problem := func(path cty.Path, summary, format string, args ...any) {
		out = append(out, schema.Problem{Path: path, Summary: summary, Detail: fmt.Sprintf(format, args...)})
	}
	grants := stringsOf(plain(v, "grant_types"))
	if isSet(v, "existing_client") {
		for _, name := range []string{"scopes", "validity_time"} {
			if isSet(v, name) {
				problem(cty.GetAttrPath(name), "Setting of generated keys",
					"%s takes effect when a client is generated, and existing_client maps one that exists. Drop one of the two.", name)
			}
		}
		if n := plain(v, "secret_version"); isKnown(n) && !n.RawEquals(cty.NumberIntVal(1)) {
			problem(cty.GetAttrPath("secret_version"), "Secret of an existing client",
				"The secret of an existing client is made where the client was. Change existing_client.consumer_secret there and here, and drop secret_version.")
		}
		return out
	}
	if g := plain(v, "grant_types"); g.IsKnown() && (g.IsNull() || g.LengthInt() == 0) {
		problem(nil, "Missing grant types", "Keys are generated for the grants that the client may use, and none is named. "+
			"Set grant_types, for example [\"client_credentials\"], or map a client with existing_client.")
	}
	for _, grant := range []string{"authorization_code", "implicit"} {
		if slices.Contains(grants, grant) && plain(v, "callback_url").IsKnown() && knownString(v, "callback_url") == "" {
			problem(cty.GetAttrPath("grant_types"), "Missing callback URL", "The grant %q sends the browser back to the application. Set callback_url.", grant)
			break
		}
	}
	return out
}

// applicationKeys is the type apim_application_keys. Its protocol is its own: actions make and
// change keys, and only their list tells all of them (apim-behaviour 4.2).
func applicationKeys(p *Provider) engine.Type {
	return &keysType{client: &p.client, server: &p.server, timings: &p.timings, table: applicationKeysType()}
}

type keysType struct {
	client  *rest.Client
	server  *server
	timings *timings
	table   *schema.Type
}

func (t *keysType) Schema() *schema.Type { return t.table }

// keyRow is an ApplicationKey of the devportal API.
type keyRow struct {
	ID         string         `json:"keyMappingId"`
	KeyManager string         `json:"keyManager"`
	Key        string         `json:"consumerKey"`
	Secret     string         `json:"consumerSecret"`
	Grants     []string       `json:"supportedGrantTypes"`
	Callback   string         `json:"callbackUrl"`
	State      string         `json:"keyState"`
	KeyType    string         `json:"keyType"`
	Mode       string         `json:"mode"`
	Properties map[string]any `json:"additionalProperties"`
}

// stuck reports whether the row was left behind by a generation that failed: no client, and not
// waiting for an approval either.
func (r *keyRow) stuck() bool { return r.Key == "" }

func keysPath(application string) string {
	return devportal + "/applications/" + url.PathEscape(application) + "/oauth-keys"
}

// splitKeysID splits an object's id into the ids of the application and of the key mapping.
func splitKeysID(id string) (application, mapping string, err error) {
	application, mapping, ok := strings.Cut(id, "/")
	if !ok || application == "" || mapping == "" || strings.Contains(mapping, "/") {
		return "", "", fmt.Errorf("the id of application keys is APPLICATION-ID/KEY-MAPPING-ID, and %q is not: %w", id, engine.ErrNotFound)
	}
	return application, mapping, nil
}

// rows lists the keys of an application. APIM 4.5 answers a single key with the id of its key
// manager and a list with the name (apim-behaviour 10), so we read lists alone.
func (t *keysType) rows(ctx context.Context, application string) ([]keyRow, error) {
	var rows []keyRow
	if err := t.client.GetList(ctx, keysPath(application), nil, "list", &rows); err != nil {
		return nil, explainSilence(err)
	}
	var byID map[string]string
	for i := range rows {
		r := &rows[i]
		if !uuidText.MatchString(r.KeyManager) {
			continue
		}
		if byID == nil {
			list, err := t.server.keyManagers(ctx, devportal)
			if err != nil {
				return nil, err
			}
			byID = map[string]string{}
			for _, k := range list {
				byID[k.ID] = k.Name
			}
		}
		if name := byID[r.KeyManager]; name != "" {
			r.KeyManager = name
		}
	}
	return rows, nil
}

// Find looks the keys up by application, key type and key manager. A row without a client is what
// a failed generation left: Create deals with it, so it is not found here.
func (t *keysType) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	application := knownString(wanted, "application_id")
	if application == "" {
		return nil, engine.ErrNotFound
	}
	rows, err := t.rows(ctx, application)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if r := &rows[i]; r.matches(wanted) && !r.stuck() {
			return t.object(application, r), nil
		}
	}
	return nil, engine.ErrNotFound
}

func (r *keyRow) matches(v cty.Value) bool {
	return r.KeyType == knownString(v, "key_type") && r.KeyManager == knownString(v, "key_manager")
}

// Read reads the keys with the id APPLICATION-ID/KEY-MAPPING-ID.
func (t *keysType) Read(ctx context.Context, id string) (*engine.Object, error) {
	application, mapping, err := splitKeysID(id)
	if err != nil {
		return nil, err
	}
	r, err := t.row(ctx, application, mapping)
	if err != nil {
		return nil, err
	}
	return t.object(application, r), nil
}

func (t *keysType) row(ctx context.Context, application, mapping string) (*keyRow, error) {
	rows, err := t.rows(ctx, application)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].ID == mapping {
			return &rows[i], nil
		}
	}
	return nil, engine.ErrNotFound
}

// object is the row as a value of the schema's type.
func (t *keysType) object(application string, r *keyRow) *engine.Object {
	id := application + "/" + r.ID
	properties := map[string]cty.Value{}
	for name, v := range r.Properties {
		if text, ok := propertyText(v); ok {
			properties[name] = cty.StringVal(text)
		}
	}
	attrs := map[string]cty.Value{
		"id":                    cty.StringVal(id),
		"key_mapping_id":        cty.StringVal(r.ID),
		"application_id":        cty.StringVal(application),
		"key_type":              cty.StringVal(r.KeyType),
		"key_manager":           cty.StringVal(r.KeyManager),
		"grant_types":           stringSet(r.Grants),
		"callback_url":          cty.StringVal(r.Callback), // null and "" are one
		"additional_properties": stringMap(properties),
		"consumer_key":          orNull(r.Key),
		"consumer_secret":       orNull(r.Secret),
		"mode":                  orNull(r.Mode),
		"key_state":             orNull(r.State),
	}
	if r.Mode == "MAPPED" {
		block := t.table.NestedBlock("existing_client")
		attrs["existing_client"] = block.Object(map[string]cty.Value{"consumer_key": orNull(r.Key)})
	}
	return &engine.Object{ID: id, Value: t.table.Object(attrs)}
}

// Create generates keys, or maps those of an existing client.
func (t *keysType) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	application := knownString(planned, "application_id")
	made, err := t.make(ctx, application, planned)
	if err != nil {
		return nil, err
	}
	// The answer lacks what the list has: the name of the key manager, the final state.
	r, err := t.row(ctx, application, made.ID)
	if err != nil {
		made.KeyManager = knownString(planned, "key_manager")
		return t.object(application, made), fmt.Errorf("the keys were made and could not be read: %w", rest.Unfound(err))
	}
	if r.Secret == "" {
		r.Secret = made.Secret // shown this once
	}
	o := t.object(application, r)
	// Mapping takes neither grants nor a callback URL nor properties: they are set by an update.
	if isSet(planned, "existing_client") && t.differs(planned, r) {
		if err := t.put(ctx, application, r, planned); err != nil {
			return o, fmt.Errorf("the client was mapped, and its settings could not be changed: %w", err)
		}
		return t.again(ctx, o, r.Secret)
	}
	return o, nil
}

// differs reports whether planned sets something of the row to another value.
func (t *keysType) differs(planned cty.Value, r *keyRow) bool {
	live := t.object("x", r).Value
	for _, name := range []string{"grant_types", "callback_url"} {
		if v := plain(planned, name); isKnown(v) && !v.RawEquals(live.GetAttr(name)) {
			return true
		}
	}
	have := knownMap(live, "additional_properties")
	for key, v := range knownMap(planned, "additional_properties") {
		if got, ok := have[key]; !ok || got != v {
			return true
		}
	}
	return false
}

// again reads the object anew and keeps a secret that the server does not give out again.
func (t *keysType) again(ctx context.Context, o *engine.Object, secret string) (*engine.Object, error) {
	application, mapping, err := splitKeysID(o.ID)
	if err != nil {
		return o, err
	}
	r, err := t.row(ctx, application, mapping)
	if err != nil {
		return o, fmt.Errorf("the keys were changed and could not be read: %w", rest.Unfound(err))
	}
	if r.Secret == "" {
		r.Secret = secret
	}
	return t.object(application, r), nil
}

// Update changes grants, callback URL and properties, and makes a new secret when secret_version
// is to be written.
func (t *keysType) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	application, mapping, err := splitKeysID(live.ID)
	if err != nil {
		return nil, err
	}
	r, err := t.row(ctx, application, mapping)
	if err != nil {
		return nil, err
	}
	if r.hollow() {
		// A PUT replaces all settings, also those that we do not know now.
		return nil, rest.Unwritten(fmt.Errorf("API Manager shows these keys without their client, so nothing was changed: key manager %q does not answer it, "+
			"or has lost the client", r.KeyManager))
	}
	now := t.object(application, r)
	if err := rest.Moved(&t.table.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	planned = rest.Rebase(&t.table.Block, live.Value, planned, now.Value)
	if t.differs(planned, r) || len(removedProperties(planned)) > 0 {
		if err := t.put(ctx, application, r, planned); err != nil {
			return nil, err
		}
	}
	// A write-only attribute that is not null is to be written (engine.Type). The secret of a mapped
	// client is not ours to renew.
	if version := plain(planned, "secret_version"); isKnown(version) && r.Mode != "MAPPED" {
		return t.renew(ctx, now, r.Secret, version)
	}
	return t.again(ctx, now, r.Secret)
}

// removedProperties are those that the plan removes: nulls, by rest.Rebase.
func removedProperties(planned cty.Value) []string {
	var out []string
	known := knownMap(planned, "additional_properties")
	for _, name := range keysOf(planned, "additional_properties") {
		if _, ok := known[name]; !ok {
			out = append(out, name)
		}
	}
	return out
}

// put sends the settings of the keys. It is a full replacement, so what planned leaves alone is
// sent as it was read; server-only fields are left out.
func (t *keysType) put(ctx context.Context, application string, r *keyRow, planned cty.Value) error {
	return t.client.Call(ctx, rest.Request{
		Method: http.MethodPut, Path: keysPath(application) + "/" + url.PathEscape(r.ID), Body: t.putBody(r, planned),
	}, nil)
}

func (t *keysType) putBody(r *keyRow, planned cty.Value) map[string]any {
	body := map[string]any{
		"keyMappingId":        r.ID,
		"keyManager":          r.KeyManager,
		"keyType":             r.KeyType,
		"supportedGrantTypes": emptyNotNull(r.Grants),
		"callbackUrl":         r.Callback,
	}
	if v := plain(planned, "grant_types"); isKnown(v) {
		body["supportedGrantTypes"] = stringsOf(v)
	}
	if v := plain(planned, "callback_url"); isKnown(v) {
		body["callbackUrl"] = strings.TrimSpace(v.AsString())
	}
	properties := map[string]any{}
	removed := removedProperties(planned)
	for name, v := range r.Properties {
		if v != nil && !slices.Contains(removed, name) {
			properties[name] = v
		}
	}
	for name, text := range knownMap(planned, "additional_properties") {
		if live, ok := propertyText(properties[name]); !ok || live != text {
			properties[name] = text
		}
	}
	body["additionalProperties"] = properties
	return body
}

// Delete removes the keys, and the client with them when it was generated.
func (t *keysType) Delete(ctx context.Context, live *engine.Object) error {
	application, mapping, err := splitKeysID(live.ID)
	if err != nil {
		return err
	}
	path := keysPath(application) + "/" + url.PathEscape(mapping)
	err = t.client.Call(ctx, rest.Request{Method: http.MethodDelete, Path: path}, nil)
	if errors.Is(err, engine.ErrNotFound) || rest.StatusOf(err) == http.StatusMethodNotAllowed {
		// The keys are gone, or the application with them; or the server lacks the operation, which
		// APIM 4.5 has. So we look, and clean up what is still there: that needs the same scope, so it
		// does not get round a permission. A 401 is no such sign: cleaning up would leave the client.
		switch _, read := t.row(ctx, application, mapping); {
		case errors.Is(read, engine.ErrNotFound):
			return nil
		case read != nil:
			return errors.Join(err, rest.Unfound(read))
		}
		return t.cleanUp(ctx, application, mapping)
	}
	if rest.CodeOf(err) == codeKeysNotDeleted {
		if r, read := t.row(ctx, application, mapping); read == nil && r.hollow() {
			return fmt.Errorf("%w; see that API Manager reaches key manager %q; if that has lost the client, use Clean Up at the %s keys of application %s "+
				"in the developer portal, and apply again", err, r.KeyManager, r.KeyType, application)
		}
	}
	return err
}

// cleanUp removes the rows of a mapping, without a promise about the client.
func (t *keysType) cleanUp(ctx context.Context, application, mapping string) error {
	err := t.client.Call(ctx, rest.Request{Method: http.MethodPost, Path: keysPath(application) + "/" + url.PathEscape(mapping) + "/clean-up", Idempotent: true}, nil)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// Exclusive lets one write at a time change the keys of an application: API Manager keeps them in
// rows of one table that it reads and rewrites per application.
func (t *keysType) Exclusive(planned cty.Value) string {
	if application := knownString(planned, "application_id"); application != "" {
		return "apim_application_keys " + application
	}
	return ""
}

// Consequence says who is cut off.
func (t *keysType) Consequence(action engine.Action, before, after cty.Value) string {
	const redeploy = "Clients of this application fail until they are redeployed with the new "
	switch {
	case action == engine.Update && isSet(after, "secret_version"):
		return redeploy + "secret."
	case action == engine.Replace:
		return redeploy + "key and secret."
	case action == engine.Delete && knownString(before, "mode") != "MAPPED":
		return "Clients of this application can get no more tokens with these keys."
	}
	return ""
}

func emptyNotNull(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func stringSet(list []string) cty.Value {
	if len(list) == 0 {
		return cty.SetValEmpty(cty.String)
	}
	vals := make([]cty.Value, len(list))
	for i, s := range list {
		vals[i] = cty.StringVal(s)
	}
	return cty.SetVal(vals)
}

func stringMap(m map[string]cty.Value) cty.Value {
	if len(m) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	return cty.MapVal(maps.Clone(m))
}

func orNull(s string) cty.Value {
	if s == "" {
		return cty.NullVal(cty.String)
	}
	return cty.StringVal(s)
}
