package apim

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	sandbox "wso2plan/providers/sandbox/apim"
)

// data returns a data source by name.
func (p *Provider) data(name string) engine.Finder {
	for _, f := range p.Data() {
		if f.Schema().Name == name {
			return f
		}
	}
	panic("no data source " + name)
}

func TestSettingsData(t *testing.T) {
	s := serve(t, nil)
	f := s.data("apim_settings")
	o := must[*engine.Object](t)(f.Find(t.Context(), f.Schema().Object(nil)))
	masked := 0
	for _, kind := range knownList(o.Value, "key_manager_types") {
		for _, p := range knownList(kind, "configurations") {
			if mask := plain(p, "mask"); isKnown(mask) && mask.True() {
				masked++
			}
		}
	}
	if masked == 0 || !o.Value.IsWhollyKnown() || !o.Value.Type().Equals(f.Schema().ImpliedType()) {
		t.Errorf("%d secrets in %#v", masked, o.Value.Type())
	}
}

func TestRoleData(t *testing.T) {
	s := serve(t, nil)
	f := s.data("apim_role")
	for name, want := range map[string]bool{"Internal/publisher": true, "admin": true, "Internal/nobody": false} {
		_, err := f.Find(t.Context(), f.Schema().Object(map[string]cty.Value{"name": str(name)}))
		if want && err != nil || !want && (!errors.Is(err, engine.ErrNotFound) || !strings.Contains(err.Error(), name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWorkflowData reads more than a page of what waits.
func TestWorkflowData(t *testing.T) {
	s := serve(t, func(o *sandbox.Options) { o.Approvals = []string{"AM_APPLICATION_CREATION"} })
	f := s.data("apim_workflow")
	const n = 130
	for i := range n {
		s.raw(201, "POST", devportal+"/applications", map[string]any{"name": fmt.Sprintf("app%d", i), "throttlingPolicy": "Unlimited"})
	}
	pending := func(kind cty.Value) []cty.Value {
		o := must[*engine.Object](t)(f.Find(t.Context(), f.Schema().Object(map[string]cty.Value{"type": kind})))
		if !o.Value.Type().Equals(f.Schema().ImpliedType()) {
			t.Errorf("of type %#v", o.Value.Type())
		}
		return knownList(o.Value, "pending")
	}
	all := pending(cty.NullVal(cty.String))
	if len(all) != n || len(pending(str("AM_APPLICATION_CREATION"))) != n || len(pending(str("AM_USER_SIGNUP"))) != 0 {
		t.Fatalf("%d pending", len(all))
	}
	first := all[0]
	if knownString(first, "workflow_status") != "CREATED" || knownMap(first, "properties")["applicationName"] != "app0" {
		t.Errorf("the first: %#v", first)
	}
	s.raw(200, "POST", admin+"/workflows/update-workflow-status?workflowReferenceId="+knownString(first, "reference_id"), map[string]any{"status": "APPROVED"})
	if got := len(pending(cty.NullVal(cty.String))); got != n-1 {
		t.Errorf("%d pending after an approval", got)
	}
	apps := s.typ("apim_application")
	o := must[*engine.Object](t)(apps.Find(t.Context(), value(apps, map[string]cty.Value{"name": str("app0")})))
	if knownString(o.Value, "status") != "APPROVED" {
		t.Errorf("the application is %s", knownString(o.Value, "status"))
	}
}
