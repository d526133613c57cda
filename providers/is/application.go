package is

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// application is the type of applications, each with its OpenID Connect client. An application is
// changed by PATCH, part by part; its client by a PUT that replaces all of it (is-behaviour 7).
type application struct {
	*rest.Collection
}

func newApplication(c *rest.Client) engine.Type {
	return application{&rest.Collection{
		Client:       c,
		Type:         applicationType(),
		Path:         applicationsPath,
		Paging:       rest.Paging{Style: rest.LimitOffset, Items: "applications", Total: "totalResults"},
		Decode:       decodeApplication,
		Encode:       encodeApplication,
		BlankStrings: true,
		System: func(object map[string]any) bool {
			name, _ := object["name"].(string)
			return reservedName(name)
		},
	}}
}

func (a application) oidcPath(id string) string { return a.URL(id) + "/inbound-protocols/oidc" }

// fetch reads an application and, where it has one, its client, which is put into the application
// as the member oidc.
func (a application) fetch(ctx context.Context, id string) (*engine.Object, map[string]any, error) {
	var raw map[string]any
	if err := a.Client.Get(ctx, a.URL(id), nil, &raw); err != nil {
		return nil, nil, err
	}
	delete(raw, "oidc")
	if client, _ := raw["clientId"].(string); client != "" {
		var oidc map[string]any
		switch err := a.Client.Get(ctx, a.oidcPath(id), nil, &oidc); {
		case err == nil:
			raw["oidc"] = oidc
		case !errors.Is(err, engine.ErrNotFound): // APP-60502: deleted a moment ago
			return nil, nil, err
		}
	}
	o, err := a.Object(raw)
	if err != nil {
		return nil, nil, err
	}
	if err := a.Asked(id, o.ID); err != nil {
		return nil, nil, err
	}
	return o, raw, nil
}

// Read returns the application with that id.
func (a application) Read(ctx context.Context, id string) (*engine.Object, error) {
	o, _, err := a.fetch(ctx, id)
	return o, err
}

// Find returns the application with that name. Some databases compare names without regard to case,
// so what the filter lets through is compared again.
func (a application) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	name := stringOf(wanted, "name")
	for raw, err := range a.Elements(ctx, eq("name", name)) {
		if err != nil {
			return nil, err
		}
		if id, _ := raw["id"].(string); raw["name"] == name && id != "" {
			return a.Read(ctx, id)
		}
	}
	return nil, fmt.Errorf("application %q: %w", name, engine.ErrNotFound)
}

// Create makes the application with its client in one request. IS 7.1 ignores two members of it, so
// we set those right after (is-behaviour 7).
func (a application) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	body := rest.Encode(&a.Type.Block, planned)
	later := map[string]any{}
	for _, name := range []string{"logoutReturnUrl", "applicationVersion"} {
		if v := body[name]; v != nil && v != "" {
			later[name] = v
		}
		delete(body, name)
	}
	if err := encodeApplication(body); err != nil {
		return nil, rest.Unwritten(err)
	}
	plain, _ := planned.UnmarkDeep()
	if oidc := blockOf(plain, "oidc"); known(oidc) {
		body["inboundProtocolConfiguration"] = map[string]any{"oidc": newClient(oidc)}
	}
	w := &writes{client: a.Client, planned: planned}
	res, err := w.send(ctx, rest.Request{Method: http.MethodPost, Path: a.Path, Body: body})
	if err != nil {
		return nil, explainApplication(err)
	}
	id := res.Location()
	if id == "" {
		return nil, fmt.Errorf("POST %s: the server answered %d without a Location that names the application", a.Path, res.Status)
	}
	if len(later) > 0 {
		_, err = w.send(ctx, rest.Request{Method: http.MethodPatch, Path: a.URL(id), Body: later, Idempotent: true})
	}
	o, readErr := a.Read(context.WithoutCancel(ctx), id)
	if readErr != nil {
		o = made(&a.Type.Block, id, planned)
		readErr = fmt.Errorf("it was created as %s, but could not be read: %w", id, rest.Unfound(readErr))
	}
	if err != nil {
		return o, fmt.Errorf("it was created as %s, but a setting that can only be made after that was refused: %w", id, rest.Unfound(err))
	}
	if readErr != nil {
		return o, readErr
	}
	return o, notKept(a.Type, cty.NullVal(planned.Type()), planned, o)
}

// explainApplication points at the attribute that a refusal speaks of.
func explainApplication(err error) error {
	switch rest.CodeOf(err) {
	case "OAUTH-60008":
		return &engine.AttributeError{Attribute: "oidc", Summary: "Client id already taken", Err: err}
	case "APP-60514":
		return &engine.AttributeError{Attribute: "provisioning", Summary: "Outbound provisioning by application", Err: err}
	}
	return err
}

// Update changes what differs: the application by PATCH, then its client.
func (a application) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, raw, err := a.fetch(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	if err := rest.Moved(&a.Type.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	if now.System || stringOf(now.Value, "access") == "READ" {
		return nil, rest.Unwritten(readOnly(stringOf(now.Value, "name")))
	}
	secret := planned
	planned = rest.Rebase(&a.Type.Block, live.Value, planned, now.Value)
	w := &writes{client: a.Client, planned: secret}
	err = a.patch(ctx, w, live.ID, now.Value, planned)
	if err == nil {
		err = a.changeClient(ctx, w, live.ID, raw, blockOf(now.Value, "oidc"), blockOf(planned, "oidc"))
	}
	o, err := w.result(ctx, live.ID, explainApplication(err), a.Read)
	if err != nil {
		return o, err
	}
	return o, notKept(a.Type, now.Value, planned, o)
}

func readOnly(name string) error {
	return fmt.Errorf("application %q can only be read: it is the server's own, or belongs to another user", name)
}

// patch sends what changes of the application itself.
func (a application) patch(ctx context.Context, w *writes, id string, now, planned cty.Value) error {
	bodies, err := applicationChanges(a.Type, now, planned)
	if err != nil {
		return rest.Unwritten(err)
	}
	for _, body := range bodies {
		if _, err := w.send(ctx, rest.Request{Method: http.MethodPatch, Path: a.URL(id), Body: body, Idempotent: true}); err != nil {
			return err
		}
	}
	return nil
}

// changeClient brings the client of the application from now, as the server sent it in raw, to
// planned.
func (a application) changeClient(ctx context.Context, w *writes, id string, raw map[string]any, now, planned cty.Value) error {
	path := a.oidcPath(id)
	put := func(body map[string]any) error {
		_, err := w.send(ctx, rest.Request{Method: http.MethodPut, Path: path, Body: body})
		return err
	}
	switch {
	case planned.IsNull() && now.IsNull(), !planned.IsKnown():
		return nil
	case planned.IsNull():
		_, err := w.send(ctx, rest.Request{Method: http.MethodDelete, Path: path})
		return err
	case now.IsNull():
		return put(newClient(planned))
	}
	stored, _ := raw["oidc"].(map[string]any)
	before := clientBody(stored, now, now)
	after := clientBody(stored, now, planned)
	clientID, secret := stringOf(planned, "client_id"), stringOf(planned, "initial_secret")
	if clientID != "" && clientID != stored["clientId"] || secret != "" && secret != stored["clientSecret"] {
		return a.remakeClient(ctx, w, path, before, after, clientID, secret)
	}
	if !sameJSON(before, after) {
		if err := put(after); err != nil {
			return err
		}
	}
	// After a creation that failed half-way the plan writes both; then the secret is as wanted already.
	if version := planned.GetAttr("secret_version"); known(version) && secret == "" {
		_, err := w.send(ctx, rest.Request{Method: http.MethodPost, Path: path + "/regenerate-secret"})
		return err
	}
	return nil
}

// remakeClient deletes the client and makes one with another id or secret, neither of which a PUT
// can change. If that is refused, the old client is put back.
func (a application) remakeClient(ctx context.Context, w *writes, path string, before, after map[string]any, clientID, secret string) error {
	if _, err := w.send(ctx, rest.Request{Method: http.MethodDelete, Path: path}); err != nil {
		return err
	}
	delete(after, "clientSecret")
	if clientID != "" {
		after["clientId"] = clientID
	}
	if secret != "" {
		after["clientSecret"] = secret
	}
	_, err := w.send(ctx, rest.Request{Method: http.MethodPut, Path: path, Body: after})
	if err == nil || !engine.Refused(err) {
		return err
	}
	// The secret is hidden in the error as those of the plan are.
	if _, back := w.send(context.WithoutCancel(ctx), rest.Request{Method: http.MethodPut, Path: path, Body: before}); back != nil {
		return fmt.Errorf("%w; the old client was deleted and could not be put back: %w", err, rest.Unfound(back))
	}
	return fmt.Errorf("%w; the old client was put back", err)
}

// CheckPlan refuses changes of applications that can only be read.
func (a application) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i, p := range planned {
		if p.Live == nil {
			continue
		}
		switch p.Action {
		case engine.Update, engine.Replace, engine.Delete:
		default:
			continue
		}
		name := stringOf(p.Live.Value, "name")
		if p.Live.System || stringOf(p.Live.Value, "access") == "READ" {
			out = append(out, engine.PlanProblem{Index: i, Summary: "Application that can only be read",
				Detail: fmt.Sprintf("%s: application %q is the server's own, or belongs to another user, and the server refuses to change it. Leave it as it is, "+
					"or log in as its owner.", p.Address, name)})
		}
	}
	return out
}

// Consequence says who is cut off.
func (a application) Consequence(action engine.Action, before, after cty.Value) string {
	before, _ = before.UnmarkDeep()
	after, _ = after.UnmarkDeep()
	switch action {
	case engine.Replace, engine.Delete:
		return fmt.Sprintf("The roles, authorised APIs, OAuth2 client and tokens of application %q are deleted with it.", stringOf(before, "name"))
	case engine.Update:
	default:
		return ""
	}
	var out []string
	if stringOf(before, "allowed_audience") == applicationRoles && stringOf(after, "allowed_audience") == organizationRoles {
		out = append(out, "The server deletes the roles of the application.")
	}
	was, is := blockOf(before, "oidc"), blockOf(after, "oidc")
	switch {
	case !known(was) || !is.IsKnown():
	case is.IsNull():
		out = append(out, "The OAuth2 client is deleted, and its tokens end.")
	case known(is.GetAttr("initial_secret")), !is.GetAttr("client_id").RawEquals(was.GetAttr("client_id")):
		out = append(out, "The OAuth2 client is deleted and made again: its tokens end, and its users fail until they have the new id and secret.")
	case known(is.GetAttr("secret_version")):
		out = append(out, "Clients of the application fail until they have the new secret.")
	}
	return strings.Join(out, " ")
}
