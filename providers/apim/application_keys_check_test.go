package apim

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// TestKeysWithoutClient reads keys while their key manager does not answer API Manager: the plan
// warns, and nothing is written that might overwrite what is not known.
func TestKeysWithoutClient(t *testing.T) {
	d := newDCR(t)
	_, keys, app := withDCR(t, d, nil)
	planned := value(keys, keysOfShop(app, map[string]cty.Value{"key_manager": str("IS")}))
	o := must[*engine.Object](t)(keys.Create(t.Context(), planned))
	whole := must[*engine.Object](t)(keys.Read(t.Context(), o.ID))
	check := func(o *engine.Object, action engine.Action) []engine.PlanProblem {
		return keys.(engine.Checker).CheckPlan(t.Context(), []engine.Planned{{Address: "apim_application_keys.shop", Live: o, After: planned, Action: action}})
	}
	if got := check(whole, engine.None); len(got) != 0 {
		t.Errorf("problems of keys that were read: %+v", got)
	}
	d.Close()
	hollow := must[*engine.Object](t)(keys.Read(t.Context(), o.ID))
	got := check(hollow, engine.Update)
	if len(got) != 1 || !got[0].Warning || !strings.Contains(got[0].Detail, `could not ask key manager "IS"`) {
		t.Errorf("problems of keys without a client: %+v", got)
	}
	if got := check(hollow, engine.Delete); len(got) != 0 {
		t.Errorf("problems of a deletion: %+v", got)
	}
	_, err := keys.Update(t.Context(), hollow, over(keys, hollow, map[string]cty.Value{"grant_types": strs("password")}))
	if err == nil || !engine.Refused(err) || !strings.Contains(err.Error(), "without their client") {
		t.Errorf("update: %v", err)
	}
}
