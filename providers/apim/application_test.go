package apim

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/rest"
	sandbox "wso2plan/providers/sandbox/apim"
)

func TestApplicationLife(t *testing.T) {
	s := serve(t, func(o *sandbox.Options) {
		o.ApplicationAttributes = []sandbox.ApplicationAttribute{{Name: "Cost centre"}, {Name: "Other"}, {Name: "Secret", Hidden: true}}
		o.GroupSharing = true
	})
	apps := s.typ("apim_application")
	ctx := t.Context()
	attrs := map[string]cty.Value{"name": str("shop"), "throttling_policy": str("10PerMin"), "description": str("d"),
		"attributes": props("Cost centre", "42"), "visibility": str("PRIVATE")}
	planned := value(apps, attrs)
	if _, err := apps.Find(ctx, planned); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("found before it is made: %v", err)
	}
	o := must[*engine.Object](t)(apps.Create(ctx, planned))
	for name, want := range attrs {
		if name == "attributes" {
			want = props("Cost centre", "42", "Other", "") // declared and not set
		}
		if got := plain(o.Value, name); !got.RawEquals(want) {
			t.Errorf("%s is %#v, want %#v", name, got, want)
		}
	}
	if knownString(o.Value, "owner") != "admin" || knownString(o.Value, "status") != "APPROVED" || knownString(o.Value, "id") != o.ID {
		t.Errorf("made %#v", o.Value)
	}
	for _, name := range []string{"shop", "SHOP"} { // the server compares without case
		found := must[*engine.Object](t)(apps.Find(ctx, value(apps, map[string]cty.Value{"name": str(name), "throttling_policy": str("Unlimited")})))
		if found.ID != o.ID || !found.Value.RawEquals(o.Value) {
			t.Errorf("%s is not what was made", name)
		}
	}
	for _, name := range []string{"sho", "shop2"} { // the query finds what contains it
		if _, err := apps.Find(ctx, value(apps, map[string]cty.Value{"name": str(name), "throttling_policy": str("Unlimited")})); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	changed := must[*engine.Object](t)(apps.Update(ctx, o, over(apps, o, map[string]cty.Value{
		"name": str("store"), "throttling_policy": str("Unlimited"), "description": str(""), "attributes": props("Other", "x")})))
	if knownString(changed.Value, "name") != "store" || changed.ID != o.ID || knownString(changed.Value, "description") != "" ||
		knownMap(changed.Value, "attributes")["Cost centre"] != "" || knownMap(changed.Value, "attributes")["Other"] != "x" ||
		knownString(changed.Value, "visibility") != "PRIVATE" {
		t.Errorf("changed to %#v", changed.Value)
	}
	body := s.raw(200, "GET", devportal+"/applications/"+o.ID, nil)
	s.raw(200, "PUT", devportal+"/applications/"+o.ID, map[string]any{"name": body["name"], "throttlingPolicy": "50PerMin"})
	if _, err := apps.Update(ctx, changed, over(apps, changed, map[string]cty.Value{"throttling_policy": str("20PerMin")})); !errors.Is(err, engine.ErrMoved) {
		t.Errorf("an edit behind our back: %v", err)
	}
	for range 2 {
		if err := apps.Delete(ctx, changed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := apps.Read(ctx, o.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("read after delete: %v", err)
	}
}

func TestApplicationDrops(t *testing.T) {
	s := serve(t, nil) // neither group sharing nor attributes, and a user without an organization
	apps := s.typ("apim_application")
	for attribute, c := range map[string]struct {
		v    cty.Value
		want string
	}{
		"groups":     {strs("team"), "configure group sharing"},
		"attributes": {props("Cost centre", "42"), "declare it in its deployment.toml"},
		"visibility": {str("SHARED_WITH_ORG"), "was sent the visibility SHARED_WITH_ORG and stored PRIVATE"},
	} {
		o, err := apps.Create(t.Context(), value(apps, map[string]cty.Value{"name": str(attribute), "throttling_policy": str("Unlimited"), attribute: c.v}))
		var at *engine.AttributeError
		if o == nil || !errors.As(err, &at) || at.Attribute != attribute || !strings.Contains(err.Error(), c.want) {
			t.Fatalf("%s: %v, %v", attribute, o, err)
		}
		if read := must[*engine.Object](t)(apps.Read(t.Context(), o.ID)); !read.Value.RawEquals(o.Value) {
			t.Errorf("%s: what is returned is not what is stored", attribute)
		}
		at = nil
		o, err = apps.Update(t.Context(), o, over(apps, o, map[string]cty.Value{attribute: c.v}))
		if o == nil || !errors.As(err, &at) || at.Attribute != attribute || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s by an update: %v, %v", attribute, o, err)
		}
	}
	_, err := apps.Create(t.Context(), value(apps, map[string]cty.Value{"name": str("x"), "throttling_policy": str("Nothing")}))
	var at *engine.AttributeError
	if !errors.As(err, &at) || at.Attribute != "throttling_policy" || !engine.Refused(err) {
		t.Errorf("unknown policy: %v", err)
	}
}

func TestApplicationCheckPlan(t *testing.T) {
	s := serve(t, func(o *sandbox.Options) {
		o.ApplicationAttributes = []sandbox.ApplicationAttribute{{Name: "Needed", Required: true}, {Name: "Free"}, {Name: "Hidden", Hidden: true}}
	})
	apps := s.typ("apim_application")
	plan := func(action engine.Action, attributes cty.Value) []engine.PlanProblem {
		return apps.(engine.Checker).CheckPlan(t.Context(), []engine.Planned{{Address: "a", Action: action,
			After: value(apps, map[string]cty.Value{"name": str("x"), "throttling_policy": str("Unlimited"), "attributes": attributes})}})
	}
	for name, c := range map[string]struct {
		action     engine.Action
		attributes cty.Value
		want       string
	}{
		"fine":       {engine.Create, props("Needed", "x", "Free", "y"), ""},
		"undeclared": {engine.Create, props("Needed", "x", "Fre", "y"), `"Free", "Hidden" and "Needed", and would drop "Fre"`},
		"hidden":     {engine.Create, props("Needed", "x", "Hidden", "y"), "as hidden"},
		"missing":    {engine.Create, cty.NullVal(cty.Map(cty.String)), `requires the application attribute "Needed"`},
		"update":     {engine.Update, props("Free", "y"), ""},
		"unchanged":  {engine.None, props("nothing", "y"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := plan(c.action, c.attributes)
			if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Detail, c.want)) {
				t.Errorf("problems %+v", got)
			}
		})
	}
}

func TestApplicationsOfOthers(t *testing.T) {
	s := serve(t, func(o *sandbox.Options) { o.GroupSharing = true })
	ann := s.login("ann")
	apps, theirs := s.typ("apim_application"), ann.typ("apim_application")
	planned := func() cty.Value {
		return value(apps, map[string]cty.Value{"name": str("shop"), "throttling_policy": str("Unlimited")})
	}
	o := must[*engine.Object](t)(theirs.Create(t.Context(), planned()))
	if knownString(o.Value, "owner") != "ann" {
		t.Errorf("owner %q", knownString(o.Value, "owner"))
	}
	if _, err := apps.Find(t.Context(), planned()); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the application of another is ours: %v", err)
	}
	must[*engine.Object](t)(apps.Create(t.Context(), planned())) // names are each owner's
	if _, err := apps.Read(t.Context(), o.ID); err == nil {
		t.Error("the application of another can be read")
	} else if !errors.Is(err, engine.ErrNotFound) && !strings.Contains(err.Error(), "alias of the provider") {
		t.Errorf("reading the application of another: %v", err)
	}
}

func TestIsUs(t *testing.T) {
	s := serve(t, nil)
	apps := s.typ("apim_application").(*applications)
	for owner, want := range map[string]bool{"admin": true, "admin@carbon.super": true, "Admin": true, "PRIMARY/admin": true, "ann": false, "admin@acme.com": false} {
		if apps.isUs(owner) != want {
			t.Errorf("%s is us: %v", owner, !want)
		}
	}
}

// TestApplicationOfSilentKeyManager: what cannot be read says why, and an application whose deletion
// was begun is not passed over.
func TestApplicationOfSilentKeyManager(t *testing.T) {
	d := newDCR(t)
	s, keys, app := withDCR(t, d, nil)
	ctx, apps := t.Context(), s.typ("apim_application")
	made := must[*engine.Object](t)(keys.Create(ctx, value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))))
	live := must[*engine.Object](t)(apps.Read(ctx, app))
	d.Close()
	explained := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "a key manager of the application's keys does not answer") || engine.Refused(err) || errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := apps.Read(ctx, app)
	explained("read", err)
	_, err = apps.Update(ctx, live, value(apps, map[string]cty.Value{"name": str("shop"), "throttling_policy": str("10PerMin")}))
	explained("update", err)
	_, err = keys.Read(ctx, made.ID)
	explained("keys", err)
	explained("delete", apps.Delete(ctx, live))

	_, mapping, _ := strings.Cut(made.ID, "/")
	if _, err := s.client.Do(ctx, rest.Request{Method: http.MethodPost, Path: keysPath(app) + "/" + mapping + "/clean-up"}); err != nil {
		t.Fatal(err)
	}
	live = must[*engine.Object](t)(apps.Read(ctx, app))
	check := func(action engine.Action) []engine.PlanProblem {
		return apps.(engine.Checker).CheckPlan(ctx, []engine.Planned{{Live: live, After: live.Value, Action: action}})
	}
	if got := check(engine.None); len(got) != 1 || !got[0].Warning || !strings.Contains(got[0].Detail, `deletion of application "shop" was begun`) {
		t.Errorf("an application that goes away: %+v", got)
	}
	if got := check(engine.Delete); len(got) != 0 {
		t.Errorf("one that is deleted: %+v", got)
	}
	if err := apps.Delete(ctx, live); err != nil {
		t.Errorf("deleted in the end: %v", err)
	}
	if _, err := apps.Read(ctx, app); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("read after all: %v", err)
	}
}
