package apim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// governance is the API of rulesets and of the policies that ask for them.
var governance = api{"/api/am/governance/v1", "/api/am/governance/v1"}

// ruleset is the DTO RulesetInfo, with its content.
type ruleset struct {
	ID                *string `json:"id"`
	Name              *string `json:"name" is:"required,min=0,max=256"`
	Description       *string `json:"description" is:"min=0,max=1024"`
	RuleCategory      *string `json:"ruleCategory" enum:"SPECTRAL"`
	RuleType          *string `json:"ruleType" is:"required" enum:"API_METADATA,API_DEFINITION,API_DOCUMENTATION"`
	ArtifactType      *string `json:"artifactType" is:"required" enum:"REST_API,ASYNC_API"`
	DocumentationLink *string `json:"documentationLink"`
	Provider          *string `json:"provider"`
	CreatedBy         *string `json:"createdBy"`
	CreatedTime       *string `json:"createdTime"`
	UpdatedBy         *string `json:"updatedBy"`
	UpdatedTime       *string `json:"updatedTime"`
}

type keptRuleset struct {
	ruleset
	Content []byte `json:"content"`
}

func (r *keptRuleset) rowID() string { return text(r.ID) }

// governancePolicy is the DTO APIMGovernancePolicy.
type governancePolicy struct {
	ID               *string            `json:"id"`
	Name             *string            `json:"name" is:"required,min=0,max=256"`
	Description      *string            `json:"description" is:"min=0,max=1024"`
	GovernableStates []string           `json:"governableStates" is:"required"`
	Actions          []governanceAction `json:"actions" is:"required"`
	Rulesets         []string           `json:"rulesets" is:"required"`
	Labels           []string           `json:"labels" is:"required"`
	CreatedBy        *string            `json:"createdBy"`
	CreatedTime      *string            `json:"createdTime"`
	UpdatedBy        *string            `json:"updatedBy"`
	UpdatedTime      *string            `json:"updatedTime"`
}

func (p *governancePolicy) rowID() string { return text(p.ID) }

type governanceAction struct {
	State        *string `json:"state" enum:"API_CREATE,API_UPDATE,API_DEPLOY,API_PUBLISH"`
	RuleSeverity *string `json:"ruleSeverity" enum:"ERROR,WARN,INFO"`
	Type         *string `json:"type" enum:"BLOCK,NOTIFY"`
}

func governanceRoutes() []route {
	ruleRead, ruleManage := []string{"apim:gov_rule_read"}, []string{"apim:gov_rule_manage"}
	policyRead, policyManage := []string{"apim:gov_policy_read"}, []string{"apim:gov_policy_manage"}
	content := get(governance, "/rulesets/{ruleset}/content", ruleRead, rulesetContent)
	content.produces = ""
	return []route{
		get(governance, "/rulesets", ruleRead, listRulesets),
		form(post(governance, "/rulesets", ruleManage, addRuleset)),
		get(governance, "/rulesets/{ruleset}", ruleRead, readRuleset),
		form(put(governance, "/rulesets/{ruleset}", ruleManage, updateRuleset)),
		remove(governance, "/rulesets/{ruleset}", ruleManage, deleteRuleset),
		content,
		get(governance, "/rulesets/{ruleset}/usage", ruleRead, rulesetUsage),
		get(governance, "/policies", policyRead, listGovernance),
		post(governance, "/policies", policyManage, addGovernance),
		get(governance, "/policies/{policy}", policyRead, readGovernance),
		put(governance, "/policies/{policy}", policyManage, updateGovernance),
		remove(governance, "/policies/{policy}", policyManage, deleteGovernance),
	}
}

// governanceTime is how the governance API writes times.
func governanceTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// seedGovernance gives a tenant the rulesets of a fresh pack. The documents name them; their rules are a part of the real ones.
func (s *Server) seedGovernance(t *tenant) {
	now := governanceTime(s.now())
	var ids []string
	for _, r := range []struct{ name, kind, description, content string }{
		{"WSO2 API Management Guidelines", "API_METADATA", "A ruleset that checks the metadata of APIs against the guidelines of WSO2.",
			"rules:\n  api-name-must-be-pascal-case:\n    description: API names are in Pascal case.\n    given: $.name\n    severity: warn\n    then:\n      function: pattern\n      functionOptions:\n        match: ^[A-Z][A-Za-z0-9]*$\n"},
		{"WSO2 REST API Design Guidelines", "API_DEFINITION", "A ruleset that checks definitions of REST APIs against the guidelines of WSO2.",
			"rules:\n  contact-information:\n    description: Definitions name a contact.\n    given: $.info\n    severity: info\n    then:\n      field: contact\n      function: truthy\n"},
		{"OWASP Top 10", "API_DEFINITION", "A ruleset that checks definitions of REST APIs against the ten greatest risks.",
			"rules:\n  no-http-basic:\n    description: Basic authentication is not used.\n    given: $.components.securitySchemes[*]\n    severity: error\n    then:\n      field: scheme\n      function: pattern\n      functionOptions:\n        notMatch: basic\n"},
	} {
		id := newID()
		ids = append(ids, id)
		t.Rulesets.add(&keptRuleset{ruleset{ptr(id), ptr(r.name), ptr(r.description), ptr("SPECTRAL"), ptr(r.kind), ptr("REST_API"), nil, ptr("WSO2"), ptr("admin"),
			ptr(now), ptr("admin"), ptr(now)}, []byte(r.content)})
	}
	t.GovernancePolicies.add(&governancePolicy{ptr(newID()), ptr("WSO2 API Management Best Practices"), ptr("Checks all APIs against the guidelines of WSO2."),
		[]string{"API_UPDATE", "API_DEPLOY", "API_PUBLISH"}, []governanceAction{{ptr("API_UPDATE"), ptr("ERROR"), ptr("NOTIFY")}}, ids[:2], []string{"GLOBAL"},
		ptr("admin"), ptr(now), ptr("admin"), ptr(now)})
}

// governed is a refusal of the governance API, whose code is one of its own.
func governed(status int, code int64, message, description string) *answer {
	return refuse(status, code, message, description)
}

func listRulesets(c *call) *answer {
	out := []ruleset{}
	for _, r := range c.tenant.Rulesets.list {
		matches := true
		for _, word := range queryWords(c.request.URL.Query().Get("query")) {
			name, value, _ := strings.Cut(word, ":")
			value = strings.Trim(value, `"`)
			switch name {
			case "name":
				matches = matches && strings.Contains(strings.ToLower(*r.Name), strings.ToLower(value))
			case "artifactType":
				matches = matches && *r.ArtifactType == value
			case "ruleType":
				matches = matches && *r.RuleType == value
			}
		}
		if matches {
			out = append(out, r.ruleset)
		}
	}
	return page(c, out, pageLinks{})
}

// readRulesetForm reads the form of a ruleset; old is the stored one of an update, which keeps what is absent.
func (c *call) readRulesetForm(old *keptRuleset) (*keptRuleset, *answer) {
	r := &keptRuleset{ruleset: ruleset{RuleCategory: ptr("SPECTRAL"), Provider: ptr("")}}
	if old != nil {
		*r = *old
	}
	for name, to := range map[string]**string{"name": &r.Name, "description": &r.Description, "ruleCategory": &r.RuleCategory, "ruleType": &r.RuleType,
		"artifactType": &r.ArtifactType, "documentationLink": &r.DocumentationLink, "provider": &r.Provider} {
		if f, given := c.fields[name]; given {
			*to = ptr(f.text)
		}
	}
	if f, given := c.fields["rulesetContent"]; given {
		r.Content = []byte(f.text)
	}
	for name, allowed := range map[string][]string{text(r.RuleType): {"API_METADATA", "API_DEFINITION", "API_DOCUMENTATION"}, text(r.ArtifactType): {"REST_API", "ASYNC_API"},
		text(r.RuleCategory): {"SPECTRAL"}} {
		if !slices.Contains(allowed, name) {
			return nil, badRequest("One or more request body parameters contain disallowed values.")
		}
	}
	if strings.TrimSpace(text(r.Name)) == "" {
		return nil, governed(http.StatusBadRequest, 990107, "Invalid ruleset", "The name of the ruleset is missing")
	}
	if reason := rulesetFault(r.Content); reason != "" {
		return nil, governed(http.StatusBadRequest, 990113, "Invalid ruleset content", "Invalid content of ruleset "+*r.Name+". "+reason)
	}
	other := c.tenant.Rulesets.find(func(o *keptRuleset) bool { return *o.Name == *r.Name && (old == nil || *o.ID != *old.ID) })
	if other != nil {
		return nil, governed(http.StatusConflict, 990112, "Ruleset already exists", "Ruleset with name "+*r.Name+" already exists in the organization")
	}
	return r, nil
}

// rulesetFault says what is wrong with the rules of a ruleset; empty is nothing.
func rulesetFault(content []byte) string {
	parsed, err := parseTree(content)
	if err != nil {
		return err.Error()
	}
	doc, _ := parsed.(*tree)
	rules := doc.object("rules")
	if rules == nil || len(rules.names) == 0 {
		return "Ruleset content does not contain any rules"
	}
	for _, name := range rules.names {
		rule := rules.object(name)
		if rule.get("given") == nil || rule.get("then") == nil {
			return "Rule " + name + " lacks given or then"
		}
	}
	return ""
}

func addRuleset(c *call) *answer {
	r, bad := c.readRulesetForm(nil)
	if bad != nil {
		return bad
	}
	now := governanceTime(c.server.now())
	r.ID, r.CreatedBy, r.CreatedTime, r.UpdatedBy, r.UpdatedTime = ptr(newID()), ptr(c.owner()), ptr(now), ptr(c.owner()), ptr(now)
	c.tenant.Rulesets.add(r)
	return created(governance.location+"/rulesets/"+*r.ID, r.ruleset)
}

// ownRuleset finds the ruleset of the path.
func (c *call) ownRuleset() (*keptRuleset, *answer) {
	r := c.tenant.Rulesets.get(c.vars["ruleset"])
	if r == nil {
		return nil, governed(http.StatusNotFound, 990101, "Ruleset not found", "Ruleset with ID "+c.vars["ruleset"]+" not found")
	}
	return r, nil
}

func readRuleset(c *call) *answer {
	r, bad := c.ownRuleset()
	if bad != nil {
		return bad
	}
	return ok(r.ruleset)
}

func updateRuleset(c *call) *answer {
	old, bad := c.ownRuleset()
	if bad != nil {
		return bad
	}
	r, bad := c.readRulesetForm(old)
	if bad != nil {
		return bad
	}
	r.ID, r.CreatedBy, r.CreatedTime = old.ID, old.CreatedBy, old.CreatedTime
	r.UpdatedBy, r.UpdatedTime = ptr(c.owner()), ptr(governanceTime(c.server.now()))
	c.tenant.Rulesets.replace(r)
	return ok(r.ruleset)
}

// policiesWith are the policies that ask for a ruleset.
func (c *call) policiesWith(ruleset string) []string {
	var out []string
	for _, p := range c.tenant.GovernancePolicies.list {
		if slices.Contains(p.Rulesets, ruleset) {
			out = append(out, *p.ID)
		}
	}
	return out
}

func deleteRuleset(c *call) *answer {
	r, bad := c.ownRuleset()
	if bad != nil {
		return bad
	}
	if len(c.policiesWith(*r.ID)) > 0 {
		return governed(http.StatusConflict, 990114, "Ruleset is in use", "Ruleset with ID "+*r.ID+" is already associated with existing policies")
	}
	c.tenant.Rulesets.remove(*r.ID)
	return empty(http.StatusNoContent)
}

func rulesetContent(c *call) *answer {
	r, bad := c.ownRuleset()
	if bad != nil {
		return bad
	}
	return &answer{status: http.StatusOK, kind: "application/x-yaml", download: strings.ReplaceAll(*r.Name, " ", "_") + ".yaml", body: r.Content}
}

func rulesetUsage(c *call) *answer {
	r, bad := c.ownRuleset()
	if bad != nil {
		return bad
	}
	return ok(append([]string{}, c.policiesWith(*r.ID)...))
}

func listGovernance(c *call) *answer {
	out := []*governancePolicy{}
	for _, p := range c.tenant.GovernancePolicies.list {
		matches := true
		for _, word := range queryWords(c.request.URL.Query().Get("query")) {
			name, value, _ := strings.Cut(word, ":")
			matches = matches && (name != "name" || strings.Contains(strings.ToLower(*p.Name), strings.ToLower(strings.Trim(value, `"`))))
		}
		if matches {
			out = append(out, p)
		}
	}
	return page(c, out, pageLinks{})
}

// readGovernanceBody reads and checks a policy.
func (c *call) readGovernanceBody(old *governancePolicy) (*governancePolicy, *answer) {
	p := &governancePolicy{GovernableStates: []string{}, Actions: []governanceAction{}, Rulesets: []string{}, Labels: []string{}}
	if bad := readBody(c.body, p); bad != nil {
		return nil, bad
	}
	for _, id := range p.Rulesets {
		if c.tenant.Rulesets.get(id) == nil {
			return nil, governed(http.StatusNotFound, 990101, "Ruleset not found", "Ruleset with ID "+id+" not found")
		}
	}
	for _, a := range p.Actions {
		if a.State != nil && !slices.Contains(p.GovernableStates, *a.State) {
			return nil, governed(http.StatusBadRequest, 990108, "Invalid policy", "Invalid action found in policy. "+*a.State+" is no governable state of it")
		}
		if text(a.Type) == "BLOCK" && (text(a.State) == "API_CREATE" || text(a.State) == "API_UPDATE") {
			return nil, governed(http.StatusBadRequest, 990108, "Invalid policy", "Action BLOCK cannot be assigned to the state "+*a.State)
		}
	}
	other := c.tenant.GovernancePolicies.find(func(o *governancePolicy) bool { return *o.Name == *p.Name && (old == nil || *o.ID != *old.ID) })
	if other != nil {
		return nil, governed(http.StatusConflict, 990102, "Policy already exists", "Policy with name "+*p.Name+" already exists in the organization")
	}
	return p, nil
}

func addGovernance(c *call) *answer {
	p, bad := c.readGovernanceBody(nil)
	if bad != nil {
		return bad
	}
	now := governanceTime(c.server.now())
	p.ID, p.CreatedBy, p.CreatedTime, p.UpdatedBy, p.UpdatedTime = ptr(newID()), ptr(c.owner()), ptr(now), ptr(c.owner()), ptr(now)
	c.tenant.GovernancePolicies.add(p)
	return created(governance.location+"/policies/"+*p.ID, p)
}

// ownGovernance finds the policy of the path.
func (c *call) ownGovernance() (*governancePolicy, *answer) {
	p := c.tenant.GovernancePolicies.get(c.vars["policy"])
	if p == nil {
		return nil, governed(http.StatusNotFound, 990103, "Policy not found", "Policy with ID "+c.vars["policy"]+" not found")
	}
	return p, nil
}

func readGovernance(c *call) *answer {
	p, bad := c.ownGovernance()
	if bad != nil {
		return bad
	}
	return ok(p)
}

func updateGovernance(c *call) *answer {
	old, bad := c.ownGovernance()
	if bad != nil {
		return bad
	}
	p, bad := c.readGovernanceBody(old)
	if bad != nil {
		return bad
	}
	p.ID, p.CreatedBy, p.CreatedTime = old.ID, old.CreatedBy, old.CreatedTime
	p.UpdatedBy, p.UpdatedTime = ptr(c.owner()), ptr(governanceTime(c.server.now()))
	c.tenant.GovernancePolicies.replace(p)
	return ok(p)
}

func deleteGovernance(c *call) *answer {
	p, bad := c.ownGovernance()
	if bad != nil {
		return bad
	}
	c.tenant.GovernancePolicies.remove(*p.ID)
	return empty(http.StatusNoContent)
}
