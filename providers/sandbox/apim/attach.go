package apim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// attachAll attaches the policies that a draft uses: those of the whole API and those of its operations. A common policy is cloned: the copy has an
// id of its own and does not change with the original (apim-behaviour 5.8). Clones that nothing uses any more are dropped.
func (c *call) attachAll(w *working, old *apiRecord, b *apiBody) *answer {
	at := &attacher{call: c, used: map[string]bool{}, secrets: map[string]string{}}
	if old != nil {
		at.policies = slices.Clone(old.Policies)
		at.remember("", old.Document["apiPolicies"])
		for _, o := range operationsOf(old.Document) {
			at.remember(operationKey(o), o["operationPolicies"])
		}
	}
	if p := b.APIPolicies; p != nil && len(p.Request)+len(p.Response)+len(p.Fault) > 0 { // of empty flows nothing is left (seen)
		flows, bad := at.flows("", asObject(p))
		if bad != nil {
			return bad
		}
		w.Document["apiPolicies"] = flows
	}
	made := []any{}
	for _, o := range operationsOf(w.Document) {
		flows, bad := at.flows(operationKey(o), inner(o, "operationPolicies"))
		if bad != nil {
			return bad
		}
		o = maps.Clone(o)
		o["operationPolicies"] = flows
		made = append(made, o)
	}
	w.Document["operations"] = made
	w.Policies = slices.DeleteFunc(at.policies, func(p operationPolicy) bool { return p.ClonedFrom != "" && !at.used[p.ID] })
	return nil
}

// An attacher finds the policies that uses name.
type attacher struct {
	call     *call
	policies []operationPolicy // of the API
	used     map[string]bool
	secrets  map[string]string // by place, policy and parameter: what was stored
}

func secretKey(place, flow string, index int, name, parameter string) string {
	return fmt.Sprintf("%s\x00%s\x00%d\x00%s\x00%s", place, flow, index, name, parameter)
}

// remember notes the parameters that are stored.
func (at *attacher) remember(place string, flows any) {
	m, _ := flows.(map[string]any)
	for flow, uses := range m {
		for i, use := range objects(uses) {
			for name, v := range inner(use, "parameters") {
				at.secrets[secretKey(place, flow, i, textOf(use, "policyName"), name)] = textValue(v)
			}
		}
	}
}

// textValue is a parameter as it is kept: a text.
func textValue(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number, bool, float64:
		return fmt.Sprint(v)
	}
	b, _ := json.Marshal(v) // what was decoded can be encoded
	return string(b)
}

func (at *attacher) flows(place string, flows map[string]any) (map[string]any, *answer) {
	out := map[string]any{}
	for _, flow := range []string{"request", "response", "fault"} {
		made := []any{}
		for i, use := range objects(flows[flow]) {
			attached, bad := at.attach(place, flow, i, use)
			if bad != nil {
				return nil, bad
			}
			made = append(made, attached)
		}
		out[flow] = made
	}
	return out, nil
}

func (at *attacher) attach(place, flow string, index int, use map[string]any) (map[string]any, *answer) {
	id, name, version := textOf(use, "policyId"), textOf(use, "policyName"), textOf(use, "policyVersion")
	p := at.find(id, name, version)
	switch {
	case p != nil && id != "" && p.ID == id && (p.Spec.Name != name && p.Spec.DisplayName != name || p.Spec.Version != version):
		return nil, general()
	case p != nil && id != "" && p.ID != id && (p.Spec.Name != name || p.Spec.Version != version): // a common one
		return nil, refuse(http.StatusBadRequest, 903211, "Invalid operation policy name or version", "policyName and/or policyVersion provided for the applied policy "+
			name+"_"+version+" does not match the policy specification identified by the given policyId "+id)
	case p == nil:
		return nil, refuse(http.StatusBadRequest, 902005, "Cannot find the selected api policy", "Selected api policy is not found")
	case !slices.ContainsFunc(p.Spec.Flows, func(f string) bool { return strings.EqualFold(f, flow) }):
		// The name is not filled in (seen).
		return nil, refuse(http.StatusBadRequest, 902008, "API policy is not allowed in the applied flow", "%s policy is not allowed in response flow")
	}
	parameters := map[string]any{}
	for name, v := range inner(use, "parameters") {
		parameters[name] = v // of any type (seen)
	}
	for _, a := range p.Spec.Attributes {
		name := text(a.Name)
		if strings.EqualFold(text(a.Type), "Secret") && textValue(parameters[name]) == "" {
			if kept := at.secrets[secretKey(place, flow, index, p.Spec.Name, name)]; kept != "" {
				parameters[name] = kept
			}
		}
		if a.Required && textValue(parameters[name]) == "" {
			return nil, refuse(http.StatusBadRequest, 902009, "Missing mandatory api policy attribute",
				"Required attributes(s) %s for api policy specification %s are either missing or empty")
		}
	}
	at.used[p.ID] = true
	return map[string]any{"policyName": p.Spec.Name, "policyVersion": p.Spec.Version, "policyType": p.kind(), "policyId": p.ID, "parameters": parameters}, nil
}

// kind is the type of a policy in its uses, whatever was sent.
func (p *operationPolicy) kind() string {
	if p.ClonedFrom != "" {
		return "common"
	}
	return "api"
}

// find returns the API's own policy that a use means: by id, or by name and version; a common one is cloned.
func (at *attacher) find(id, name, version string) *operationPolicy {
	own := func(test func(*operationPolicy) bool) *operationPolicy {
		for i := range at.policies {
			if test(&at.policies[i]) {
				return &at.policies[i]
			}
		}
		return nil
	}
	if version == "" {
		version = "v1"
	}
	var common *operationPolicy
	if id != "" {
		if p := own(func(p *operationPolicy) bool { return p.ID == id }); p != nil {
			return p
		}
		common = at.call.tenant.OperationPolicies.get(id)
	} else {
		if p := own(func(p *operationPolicy) bool {
			return p.ClonedFrom == "" && p.Spec.Name == name && p.Spec.Version == version
		}); p != nil {
			return p
		}
		common = samePolicy(at.call.tenant.OperationPolicies.list, name, version)
	}
	if common == nil {
		return nil
	}
	if p := own(func(p *operationPolicy) bool { return p.ClonedFrom == common.ID && p.sum() == common.sum() }); p != nil {
		return p
	}
	clone := *common
	clone.ID, clone.ClonedFrom = newID(), common.ID
	at.policies = append(at.policies, clone)
	return &at.policies[len(at.policies)-1]
}

// shownFlows is the use of policies as answers show it: secret parameters are blank.
func shownFlows(v any, policies []operationPolicy) any {
	flows, isObject := v.(map[string]any)
	if !isObject {
		return v
	}
	out := map[string]any{}
	for flow, uses := range flows {
		made := []any{}
		for _, use := range objects(uses) {
			shown := maps.Clone(use)
			parameters := maps.Clone(inner(use, "parameters"))
			for _, p := range policies {
				if p.ID != textOf(use, "policyId") {
					continue
				}
				for _, a := range p.Spec.Attributes {
					if strings.EqualFold(text(a.Type), "Secret") && parameters[text(a.Name)] != nil {
						parameters[text(a.Name)] = ""
					}
				}
			}
			shown["parameters"] = parameters
			made = append(made, shown)
		}
		out[flow] = made
	}
	return out
}

// reissued is a document with other policies in place of those that it uses, and these: become is asked once for each.
func reissued(doc map[string]any, policies []operationPolicy, become func(operationPolicy) operationPolicy) (map[string]any, []operationPolicy) {
	made, order := map[string]operationPolicy{}, []operationPolicy{}
	swap := func(v any) any {
		flows, isObject := v.(map[string]any)
		if !isObject {
			return v
		}
		out := map[string]any{}
		for _, flow := range slices.Sorted(maps.Keys(flows)) {
			uses := []any{}
			for _, use := range objects(flows[flow]) {
				old := textOf(use, "policyId")
				if i := slices.IndexFunc(policies, func(p operationPolicy) bool { return p.ID == old }); i >= 0 {
					p, known := made[old]
					if !known {
						p = become(policies[i])
						made[old], order = p, append(order, p)
					}
					use = maps.Clone(use)
					use["policyId"], use["policyName"], use["policyVersion"], use["policyType"] = p.ID, p.Spec.Name, p.Spec.Version, p.kind()
				}
				uses = append(uses, use)
			}
			out[flow] = uses
		}
		return out
	}
	doc = maps.Clone(doc)
	doc["apiPolicies"] = swap(doc["apiPolicies"])
	operations := []any{}
	for _, o := range operationsOf(doc) {
		o = maps.Clone(o)
		o["operationPolicies"] = swap(o["operationPolicies"])
		operations = append(operations, o)
	}
	doc["operations"] = operations
	return doc, order
}

// withoutUnused drops the clones that nothing uses.
func (w working) withoutUnused() working {
	_, used := reissued(w.Document, w.Policies, func(p operationPolicy) operationPolicy { return p })
	w.Policies = slices.DeleteFunc(slices.Clone(w.Policies), func(p operationPolicy) bool {
		return p.ClonedFrom != "" && !slices.ContainsFunc(used, func(u operationPolicy) bool { return u.ID == p.ID })
	})
	return w
}

// reissuedAlike is reissued with policies that differ by their ids: those of a revision and of a new version (seen).
func (w working) reissuedAlike() working {
	w.Document, w.Policies = reissued(w.Document, w.Policies, func(p operationPolicy) operationPolicy {
		p.ID = newID()
		return p
	})
	return w
}

// restored is a revision as it becomes the working copy of an API (seen): a policy of the API's own of the same name is used, and made what it was;
// a common one is cloned anew; what was cloned from one that has changed or gone becomes the API's own, by another name.
func (c *call) restored(a *apiRecord, r *revision) working {
	w := r.working
	own := slices.DeleteFunc(slices.Clone(a.Policies), func(p operationPolicy) bool { return p.ClonedFrom != "" })
	doc, made := reissued(w.Document, w.Policies, func(p operationPolicy) operationPolicy {
		if i := slices.IndexFunc(own, func(o operationPolicy) bool { return o.Spec.Name == p.Spec.Name && o.Spec.Version == p.Spec.Version }); i >= 0 {
			p.ID, p.ClonedFrom = own[i].ID, ""
			own = slices.Delete(own, i, i+1)
			return p
		}
		p.ID = newID()
		if p.ClonedFrom == "" {
			return p
		}
		if common := c.tenant.OperationPolicies.get(p.ClonedFrom); common == nil || common.sum() != p.sum() {
			number := strings.TrimPrefix(r.DisplayName, "Revision ")
			p.ClonedFrom = ""
			p.Spec.Name += "_restored-" + number
			p.Spec.DisplayName += " Restored from revision " + number
		}
		return p
	})
	w.Document, w.Policies = doc, append(own, made...)
	return w
}
