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

// applicationType is the table of apim_application (apim-behaviour 4.1).
func applicationType() *schema.Type {
	return &schema.Type{
		Name: "apim_application",
		Doc: "An application of the developer portal, which subscribes to APIs and holds keys. It belongs to the provider's user: for " +
			"applications of other users make an alias of the provider with their login. Names are unique for each owner, upper and lower " +
			"case alike. Deleting it deletes its keys and subscriptions.",
		Key: []string{"name"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, JSON: "applicationId", Doc: "The server's id, a UUID."},
			{Name: "name", Type: cty.String, Required: true, Validate: applicationName, Doc: "Name. It can be changed in place."},
			{Name: "throttling_policy", Type: cty.String, Required: true, Validate: lengthIn(1, 60), Doc: "Name of an application throttling policy, such as `Unlimited`."},
			{Name: "description", Type: cty.String, Validate: lengthIn(0, 512), Doc: "What it is for."},
			{Name: "groups", Type: cty.Set(cty.String), Doc: "Groups whose members share it. The server must have group sharing configured, else it drops them; then the apply says so."},
			{Name: "attributes", Type: cty.Map(cty.String), PerKey: true, Doc: "Custom attributes, each managed by itself. The server's configuration must declare them; the plan checks that."},
			{Name: "visibility", Type: cty.String, Enum: []string{"PRIVATE", "SHARED_WITH_ORG"}, Doc: "Who sees it: the owner, or everybody of the owner's organization. The server's default is `PRIVATE`."},
			{Name: "owner", Type: cty.String, ReadOnly: true, Doc: "User that it belongs to."},
			{Name: "status", Type: cty.String, ReadOnly: true, Doc: "`APPROVED`; `CREATED` while it waits for an approval, `DELETE_PENDING` once its deletion was begun."},
		}},
	}
}

// application is an application of the developer portal.
func application(p *Provider) engine.Type {
	t := &applications{server: &p.server}
	table := applicationType()
	t.Collection = &rest.Collection{
		Client: &p.client,
		Type:   table,
		Path:   devportal + "/applications",
		ID:     "applicationId",
		Paging: rest.Paging{Style: rest.LimitOffset},
		// The query finds names that contain it, and answers with summaries (apim-behaviour 2.1, 10).
		Filter: func(wanted cty.Value) url.Values { return url.Values{"query": {knownString(wanted, "name")}} },
		Match:  t.match,
		Decode: func(object map[string]any) error {
			blankNulls(&table.Block, object)
			return nil
		},
		ListKeys: true,
		// The answer to a create holds what was stored [seen].
		CreateAnswers: true,
		ReadBack:      true, // a PUT answer was seen echoing what was before (apim-behaviour 2.2)
	}
	return t
}

// applications is the type apim_application.
type applications struct {
	*rest.Collection
	server *server
}

// match reports whether a listed application has the wanted name and is ours. Groups can show us
// those of others. The server compares names without case (apim-behaviour 10).
func (t *applications) match(raw map[string]any, wanted cty.Value) bool {
	name, _ := raw["name"].(string)
	owner, _ := raw["owner"].(string)
	return strings.EqualFold(name, knownString(wanted, "name")) && t.isUs(owner)
}

// isUs reports whether owner, as API Manager writes it, is the provider's user. With an OAuth2
// client that acts for itself the user is not known, and everybody counts.
func (t *applications) isUs(owner string) bool {
	s := t.Client.Settings()
	if s.Username == "" || owner == "" {
		return true
	}
	bare := func(user string) string {
		for _, tenant := range []string{s.TenantName(), rest.SuperTenant} {
			user = strings.TrimSuffix(user, "@"+tenant)
		}
		return strings.TrimPrefix(user, "PRIMARY/")
	}
	return strings.EqualFold(bare(owner), bare(s.Username))
}

// Create makes an application.
func (t *applications) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	body := rest.Encode(&t.Type.Block, planned)
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodPost, Path: t.Path, Body: body})
	if err != nil {
		return nil, explainApplication(rest.Hide(err, planned))
	}
	o, err := t.Created(ctx, res, planned)
	if err != nil || o == nil {
		return o, err
	}
	return o, dropped(planned, o.Value)
}

// Update changes an application by PUT of the whole.
func (t *applications) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	now, body, err := t.Current(ctx, live, planned)
	if err != nil {
		return nil, t.foreign(err)
	}
	rest.Overlay(&t.Type.Block, body, now.Value, rest.Rebase(&t.Type.Block, live.Value, planned, now.Value))
	for _, name := range serverOnly {
		delete(body, name)
	}
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodPut, Path: t.URL(live.ID), Body: body})
	if err != nil {
		return nil, explainApplication(rest.Hide(err, planned))
	}
	o, err := t.Updated(ctx, live.ID, res)
	if err != nil {
		return o, err
	}
	return o, dropped(planned, o.Value)
}

// serverOnly are the members of an application that only the server sets. Newer servers answer
// with more than the contract of 4.5.0 knows, which would refuse them.
var serverOnly = []string{"applicationId", "status", "subscriptionCount", "keys", "owner", "hashEnabled", "createdTime", "updatedTime", "subscriptionScopes"}

// Read reads an application.
func (t *applications) Read(ctx context.Context, id string) (*engine.Object, error) {
	o, err := t.Collection.Read(ctx, id)
	return o, t.foreign(err)
}

// Delete removes an application, with its keys and subscriptions.
func (t *applications) Delete(ctx context.Context, live *engine.Object) error {
	res, err := t.Client.Do(ctx, rest.Request{Method: http.MethodDelete, Path: t.URL(live.ID)})
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return t.foreign(err)
	case res.Status == http.StatusAccepted || res.Status == http.StatusCreated:
		// A workflow may have let it go at once all the same.
		if _, err := t.Collection.Read(ctx, live.ID); errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		return fmt.Errorf("the deletion of application %q waits for an approval in the admin portal; approve it and apply again", knownString(live.Value, "name"))
	}
	return nil
}

// foreign explains a refusal to touch somebody else's application, and a failure that may be that
// of a key manager.
func (t *applications) foreign(err error) error {
	if rest.StatusOf(err) != http.StatusForbidden {
		return explainSilence(err)
	}
	return fmt.Errorf("the application belongs to another user than %s; make an alias of the provider with the login of its owner: %w", t.Client.Settings().Username, err)
}

// explainSilence says what an error of the server without a code may come from. API Manager asks the
// key manager of each key of an application, and fails like that where one does not answer (seen on
// its own code).
func explainSilence(err error) error {
	if rest.StatusOf(err) != http.StatusInternalServerError || rest.CodeOf(err) != "" {
		return err
	}
	return fmt.Errorf("%w; API Manager answers so where a key manager of the application's keys does not answer: see that it runs and can be reached from there", err)
}

func explainApplication(err error) error {
	switch rest.CodeOf(err) {
	case "900304", "900305":
		return &engine.AttributeError{Attribute: "throttling_policy", Summary: "Unknown throttling policy", Err: err}
	}
	return err
}

// dropped reports what was sent and is not stored: API Manager drops groups where group sharing is
// not configured, and attributes that it does not know, without an error (apim-behaviour 0.4, 4.1).
func dropped(planned, stored cty.Value) error {
	planned, _ = planned.UnmarkDeep()
	if g := plain(planned, "groups"); isKnown(g) && !g.RawEquals(plain(stored, "groups")) {
		return &engine.AttributeError{Attribute: "groups", Summary: "Groups not stored",
			Err: fmt.Errorf("API Manager was sent the groups %s and stored %s; configure group sharing in it, or drop groups",
				orNone(stringsOf(g)), orNone(stringsOf(plain(stored, "groups"))))}
	}
	if v := knownString(planned, "visibility"); v != "" && v != knownString(stored, "visibility") {
		return &engine.AttributeError{Attribute: "visibility", Summary: "Visibility not stored",
			Err: fmt.Errorf("API Manager was sent the visibility %s and stored %s; it shares applications only where the user belongs to an organization", v, knownString(stored, "visibility"))}
	}
	have := knownMap(stored, "attributes")
	for _, name := range slices.Sorted(maps.Keys(knownMap(planned, "attributes"))) {
		if want := knownMap(planned, "attributes")[name]; have[name] != want {
			return &engine.AttributeError{Attribute: "attributes", Summary: "Attribute not stored",
				Err: fmt.Errorf("API Manager was sent the attribute %q and did not store it; declare it in its deployment.toml, or drop it", name)}
		}
	}
	return nil
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return listed(list)
}

// CheckPlan refuses attributes that the server's configuration does not declare, which it would
// drop, misses required ones, for which it answers 500 (apim-behaviour 4.1), and warns of
// applications whose deletion was begun.
func (t *applications) CheckPlan(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	asks := func(p engine.Planned) bool {
		return p.Action == engine.Create || p.Action == engine.Replace || writes(p.Action) && len(keysOf(p.After, "attributes")) > 0
	}
	out := goingAway(planned)
	if !slices.ContainsFunc(planned, asks) {
		return out
	}
	declared, err := t.server.applicationAttributes(ctx)
	if err != nil {
		return append(out, engine.PlanProblem{Index: slices.IndexFunc(planned, asks), Warning: true, Summary: "Application attributes not known",
			Detail: fmt.Sprintf("The attributes that API Manager lets applications have could not be read, so they are not checked: %s.", err)})
	}
	for i := range planned {
		p := &planned[i]
		if !asks(*p) {
			continue
		}
		given := keysOf(p.After, "attributes")
		live := map[string]string{}
		if p.Live != nil {
			live = knownMap(p.Live.Value, "attributes")
		}
		for _, name := range given {
			if _, ok := live[name]; ok && p.Action == engine.Update {
				continue
			}
			problem := engine.PlanProblem{Index: i, Attribute: "attributes", Summary: "Undeclared application attribute"}
			switch d, ok := declared[name]; {
			case !ok && len(declared) == 0:
				problem.Detail = fmt.Sprintf("API Manager declares no application attributes, and would drop %q. Declare it in its deployment.toml, or drop it here.", name)
			case !ok:
				problem.Detail = fmt.Sprintf("API Manager declares the application attributes %s, and would drop %q. Declare it in its deployment.toml, or use one of these.", quoted(declared), name)
			case d.hidden:
				problem.Detail = fmt.Sprintf("API Manager declares the application attribute %q as hidden, and drops what is sent for it. Drop it here.", name)
			default:
				continue
			}
			out = append(out, problem)
		}
		if p.Action == engine.Update {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(declared)) {
			if d := declared[name]; d.required && !d.hidden && !slices.Contains(given, name) {
				out = append(out, engine.PlanProblem{Index: i, Attribute: "attributes", Summary: "Missing application attribute",
					Detail: fmt.Sprintf("API Manager requires the application attribute %q, and the configuration does not set it. Add it to attributes.", name)})
			}
		}
	}
	return out
}

// goingAway warns of applications that are wanted and that somebody began to delete.
func goingAway(planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i := range planned {
		p := &planned[i]
		if p.Live != nil && p.Action != engine.Delete && knownString(p.Live.Value, "status") == "DELETE_PENDING" {
			out = append(out, engine.PlanProblem{Index: i, Warning: true, Summary: "Application is being deleted",
				Detail: fmt.Sprintf("The deletion of application %q was begun: it waits for an approval in the admin portal, or it failed since a key manager of its "+
					"keys did not answer. Refuse the approval; or delete the application to the end and apply again, which makes it anew, with new keys.",
					knownString(p.Live.Value, "name"))})
		}
	}
	return out
}

// Consequence says what goes with an application.
func (t *applications) Consequence(action engine.Action, before, after cty.Value) string {
	switch action {
	case engine.Delete, engine.Replace:
		return "The keys and subscriptions of this application are deleted with it, those that are not part of this configuration too."
	}
	return ""
}

// applicationName refuses what API Manager refuses.
func applicationName(v cty.Value) error {
	if err := lengthIn(1, 100)(v); err != nil {
		return err
	}
	if name := v.AsString(); strings.TrimSpace(name) != name {
		return fmt.Errorf("%q begins or ends with a blank, which API Manager refuses", name)
	}
	return nil
}
