package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// Codes of generate-keys and map-keys (apim-behaviour 2.3).
const (
	codeNotRegistered  = "901403"
	codeNoCreation     = "901405"
	codeDisabled       = "901406"
	codeMappingExists  = "901409"
	codeNotPermitted   = "902013"
	codeKeyManagerUsed = "902015"
	codeClientRefused  = "902003"
	codeKeysNotDeleted = "902014"
)

// keyRequest returns the action that makes the keys, and its body.
func keyRequest(planned cty.Value) (action string, body map[string]any) {
	body = map[string]any{
		"keyType":    knownString(planned, "key_type"),
		"keyManager": knownString(planned, "key_manager"),
	}
	if c := plain(planned, "existing_client"); isObject(c) {
		body["consumerKey"] = knownString(c, "consumer_key")
		if s := plain(c, "consumer_secret"); isKnown(s) {
			body["consumerSecret"] = s.AsString()
		}
		return "map-keys", body
	}
	body["grantTypesToBeSupported"] = emptyNotNull(stringsOf(plain(planned, "grant_types")))
	body["callbackUrl"] = strings.TrimSpace(knownString(planned, "callback_url"))
	// The portal always sends these two, and so do we.
	body["scopes"] = []string{"default"}
	if v := plain(planned, "scopes"); isKnown(v) {
		body["scopes"] = emptyNotNull(stringsOf(v))
	}
	body["validityTime"] = "3600"
	if v := plain(planned, "validity_time"); isKnown(v) {
		body["validityTime"] = v.AsBigFloat().Text('f', -1)
	}
	properties := map[string]any{}
	for name, text := range knownMap(planned, "additional_properties") {
		properties[name] = text
	}
	body["additionalProperties"] = properties
	return "generate-keys", body
}

// make asks for the keys until they are there.
//
// APIM 4.5 answers generate-keys with an error while a new key manager is not loaded yet, and keeps
// the row that it inserted before; each further try then fails with 901409 (apim-behaviour 0.6,
// 3.1). So we clean such rows up and try again, for a while.
func (t *keysType) make(ctx context.Context, application string, planned cty.Value) (*keyRow, error) {
	action, body := keyRequest(planned)
	request := rest.Request{
		Method: http.MethodPost, Body: body,
		Path: devportal + "/applications/" + url.PathEscape(application) + "/" + action,
	}
	var made *keyRow
	var last error
	tries := 0
	what := fmt.Sprintf("key manager %q makes %s keys of application %s", body["keyManager"], body["keyType"], application)
	err := t.client.Wait(ctx, what, t.timings.keys, func(ctx context.Context) (bool, error) {
		tries++
		var row keyRow
		last = t.client.Call(ctx, request, &row)
		if last == nil {
			made = &row
			return true, nil
		}
		row, ok, err := t.recover(ctx, application, planned, last, tries == 1)
		if ok {
			made = &row
		}
		return ok, err
	})
	switch {
	case err == nil && made.ID == "":
		return nil, errors.New("API Manager made keys without telling their id")
	case err == nil:
		return made, nil
	case last != nil && !errors.Is(err, last) && ctx.Err() == nil && tries > 1:
		err = fmt.Errorf("%w; the last answer was: %w", err, last)
		if rest.StatusOf(last) >= 500 {
			err = fmt.Errorf("%w; does API Manager reach key manager %q at its addresses, and does its trust store hold the certificate that is shown "+
				"there (keystore_trusted_certificate)?", err, body["keyManager"])
		}
		return nil, rest.Unclear(err) // an earlier try may have made what the last was refused for
	}
	return nil, err
}

// recover looks at what a failed attempt left, and decides whether another may succeed: then the
// error is nil. It returns the row, and true, when the keys are there in spite of the failure.
func (t *keysType) recover(ctx context.Context, application string, planned cty.Value, failure error, first bool) (keyRow, bool, error) {
	status, code := rest.StatusOf(failure), rest.CodeOf(failure)
	name := knownString(planned, "key_manager")
	refused := func(format string, args ...any) (keyRow, bool, error) {
		return keyRow{}, false, &engine.AttributeError{Attribute: "key_manager",
			Err: fmt.Errorf(format+": %w", append(args, failure)...)}
	}
	switch {
	case errors.Is(failure, engine.ErrNotFound):
		// The application is gone; the keys were not made.
		return keyRow{}, false, &engine.AttributeError{Attribute: "application_id",
			Err: fmt.Errorf("there is no application with the id %q: %w", application, failure)}
	case code == codeDisabled:
		return refused("key manager %q is disabled, so it makes no keys; enable it, or name another", name)
	case code == codeNoCreation:
		return refused("key manager %q does not let clients be made; set its enable_oauth_app_creation, or map a client with existing_client", name)
	case code == codeNotPermitted:
		return refused("the permissions of key manager %q do not let %s make keys", name, t.client.Settings().Username)
	case code == codeNotRegistered:
		known, err := t.offered(ctx, name)
		if err != nil {
			return keyRow{}, false, errors.Join(failure, err)
		}
		if known != "" {
			return refused("%s", known)
		}
	case code == codeMappingExists, status >= 500, status == 0:
	case code == codeClientRefused:
		// APIM 4.5 answers 400 also when it has made the client and got no token for it.
	default:
		return keyRow{}, false, failure
	}
	if ctx.Err() != nil {
		return keyRow{}, false, failure
	}

	rows, err := t.rows(ctx, application)
	if err != nil {
		return keyRow{}, false, rest.Unclear(fmt.Errorf("%w; and the keys could not be listed: %w", failure, err))
	}
	for i := range rows {
		r := &rows[i]
		switch {
		case !r.matches(planned):
		case !r.stuck() && code == codeMappingExists && first:
			// Theirs, not ours: the engine says how to adopt it.
			return keyRow{}, false, failure
		case !r.stuck():
			// The answer was lost, or an error came after the keys were made.
			return *r, true, nil
		case code == codeMappingExists && first && r.State == "CREATED" && t.awaitsApproval(ctx, r.KeyType):
			return keyRow{}, false, fmt.Errorf("these keys were asked for before and wait for an approval in the admin portal: %w", failure)
		default:
			if err := t.cleanUp(ctx, application, r.ID); err != nil {
				return keyRow{}, false, rest.Unclear(fmt.Errorf("%w; and the row that it left (%s) could not be cleaned up: %w", failure, r.ID, err))
			}
		}
	}
	switch mapped := isKnown(plain(planned, "existing_client")); {
	case code == codeClientRefused && !mapped:
		// Clients have unique names in Identity Server (is-behaviour 6). One that it made without API
		// Manager's getting to know stands in the way of each further try.
		return keyRow{}, false, &engine.AttributeError{Attribute: "key_manager",
			Err: fmt.Errorf("%w; if an earlier try left the client %q in key manager %q, delete it there, and apply again",
				failure, t.clientName(application, planned), name)}
	case code == codeClientRefused:
		return keyRow{}, false, failure
	case status >= 500 && mapped:
		// APIM 4.5 answers 500 when the key manager does not know the client or its secret, so
		// another try would be no better.
		return keyRow{}, false, fmt.Errorf("%w; are the consumer key and secret of existing_client those of a client in key manager %q?", failure, name)
	}
	return keyRow{}, false, nil
}

// clientName is how API Manager names the client of the keys in the key manager.
func (t *keysType) clientName(application string, planned cty.Value) string {
	s := t.client.Settings()
	owner := strings.TrimSuffix(s.Username, "@"+s.TenantName())
	owner = strings.NewReplacer("/", "_", "@", "-AT-").Replace(owner)
	return owner + "_" + application + "_" + knownString(planned, "key_type")
}

// offered returns why the developer portal does not offer the key manager, or "" when it does: then
// it is only not loaded everywhere yet.
func (t *keysType) offered(ctx context.Context, name string) (string, error) {
	list, err := t.server.keyManagers(ctx, devportal)
	if err != nil {
		return "", err
	}
	others := map[string]bool{}
	for _, k := range list {
		if k.Name == name && !k.Enabled {
			// Once API Manager was restarted it does not know a disabled one at all [seen].
			return fmt.Sprintf("key manager %q is disabled, so it makes no keys; enable it, or name another", name), nil
		}
		if k.Name == name {
			return "", nil
		}
		if k.Enabled {
			others[k.Name] = true
		}
	}
	if len(others) == 0 {
		return fmt.Sprintf("the developer portal offers no key manager named %q, and no other", name), nil
	}
	return fmt.Sprintf("the developer portal offers no key manager named %q; it offers %s", name, quoted(others)), nil
}

// awaitsApproval reports whether the tenant has a request for keys of that type that nobody has
// approved yet. The row of such a request has no client either, and cleaning it up would withdraw
// the request. A server that does not tell has none.
func (t *keysType) awaitsApproval(ctx context.Context, keyType string) bool {
	var out []struct {
		Status string `json:"workflowStatus"`
	}
	err := t.client.GetList(ctx, admin+"/workflows", url.Values{"workflowType": {"AM_APPLICATION_REGISTRATION_" + keyType}}, "list", &out)
	if err != nil {
		return false
	}
	for _, w := range out {
		if w.Status == "CREATED" {
			return true
		}
	}
	return false
}
