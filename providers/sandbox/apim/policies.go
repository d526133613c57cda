package apim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var (
	tierView   = []string{"apim:admin", "apim:tier_view", "apim:admin_tier_view"}
	tierManage = []string{"apim:admin", "apim:tier_manage", "apim:admin_tier_manage"}
	tierDelete = append(slices.Clone(tierManage), "apim:policies_import_export")
)

type policyRow[T any] interface {
	row[T]
	base() *policyBase
}

// A policyKind says how one kind of throttling policy differs from the others; all are served
// alike.
type policyKind[T any, P policyRow[T]] struct {
	path     string // "application"
	noun     string // "application policy", of "not found"
	title    string // "Application Policy", of "already exists"
	typeName string // "ApplicationThrottlePolicy"
	rows     func(*tenant) *rows[T, P]
	fresh    func() P                          // the DTO with its defaults
	taken    func(c *call, new, old P) *answer // what is wrong when the DTO is taken in, before a policy of the name is looked for; old is nil on create
	check    func(c *call, new, old P) *answer // what is wrong when the policy is stored
	inUse    func(c *call, p P) *answer
	made     func(P) any // what the answer to POST shows of it
	summary  func(P) any // what a list shows of it
}

func policyRoutes() []route {
	return slices.Concat(
		policyKind[applicationPolicy, *applicationPolicy]{
			path: "application", noun: "application policy", title: "Application Policy", typeName: "ApplicationThrottlePolicy",
			rows:    func(t *tenant) *rows[applicationPolicy, *applicationPolicy] { return &t.ApplicationPolicies },
			fresh:   func() *applicationPolicy { return &applicationPolicy{} },
			taken:   takeApplicationPolicy,
			check:   checkApplicationPolicy,
			inUse:   applicationPolicyInUse,
			made:    func(p *applicationPolicy) any { return p },
			summary: func(p *applicationPolicy) any { return p },
		}.routes(),
		policyKind[subscriptionPolicy, *subscriptionPolicy]{
			path: "subscription", noun: "subscription policy", title: "Subscription Policy", typeName: "SubscriptionThrottlePolicy",
			rows: func(t *tenant) *rows[subscriptionPolicy, *subscriptionPolicy] { return &t.SubscriptionPolicies },
			fresh: func() *subscriptionPolicy {
				return &subscriptionPolicy{CustomAttributes: []customAttribute{}, StopOnQuotaReach: ptr(false)}
			},
			taken: takeSubscriptionPolicy,
			check: checkSubscriptionPolicy,
			inUse: subscriptionPolicyInUse,
			made: func(p *subscriptionPolicy) any {
				if p.Monetization == nil {
					return p
				}
				shown := *p // [seen]: this answer shows another monetization than GET
				shown.Monetization = &monetization{ptr("DYNAMICRATE"), map[string]*string{}}
				return &shown
			},
			summary: func(p *subscriptionPolicy) any {
				shown := *p
				shown.Permissions = nil // the list does not look for them (seen)
				return &shown
			},
		}.routes(),
		policyKind[advancedPolicy, *advancedPolicy]{
			path: "advanced", noun: "advanced policy", title: "Advanced Policy", typeName: "AdvancedThrottlePolicy",
			rows:  func(t *tenant) *rows[advancedPolicy, *advancedPolicy] { return &t.AdvancedPolicies },
			fresh: func() *advancedPolicy { return &advancedPolicy{ConditionalGroups: []conditionalGroup{}} },
			taken: takeAdvancedPolicy,
			check: checkAdvancedPolicy,
			inUse: advancedPolicyInUse,
			made:  func(p *advancedPolicy) any { return p },
			summary: func(p *advancedPolicy) any {
				// The list leaves the conditional groups out (apim-behaviour 3.2).
				return struct {
					policyBase
					DefaultLimit *throttleLimit `json:"defaultLimit"`
				}{listed(p.policyBase), p.DefaultLimit}
			},
		}.routes(),
		policyKind[customRule, *customRule]{
			path: "custom", noun: "custom rule", title: "Custom rule", typeName: "CustomRule",
			rows:    func(t *tenant) *rows[customRule, *customRule] { return &t.CustomRules },
			fresh:   func() *customRule { return &customRule{} },
			taken:   takeCustomRule,
			check:   func(*call, *customRule, *customRule) *answer { return nil },
			inUse:   func(*call, *customRule) *answer { return nil },
			made:    func(p *customRule) any { return p },
			summary: func(p *customRule) any { return p },
		}.routes(),
	)
}

// listed is how the list of advanced policies shows one: as of another type (seen).
func listed(b policyBase) policyBase {
	b.Type = ptr("AdvancedThrottlePolicyInfo")
	return b
}

func (k policyKind[T, P]) routes() []route {
	list, item := "/throttling/policies/"+k.path, "/throttling/policies/"+k.path+"/{policy}"
	return []route{
		get(admin, list, tierView, k.list),
		post(admin, list, tierManage, k.create),
		get(admin, item, tierView, k.read),
		put(admin, item, tierManage, k.update),
		remove(admin, item, tierDelete, k.delete),
	}
}

// superOnly refuses custom rules to tenants.
func (k policyKind[T, P]) superOnly(c *call) *answer {
	if k.path == "custom" && c.tenant.Domain != superTenant {
		return forbidden("You are not allowed to access this resource")
	}
	return nil
}

func (k policyKind[T, P]) list(c *call) *answer {
	if a := k.superOnly(c); a != nil {
		return a
	}
	out := []any{}
	for _, p := range k.rows(c.tenant).list {
		out = append(out, k.summary(p))
	}
	return all(out)
}

func (k policyKind[T, P]) read(c *call) *answer {
	if a := k.superOnly(c); a != nil {
		return a
	}
	p := k.rows(c.tenant).get(c.vars["policy"])
	if p == nil {
		return notFound(k.noun, c.vars["policy"])
	}
	return ok(p)
}

// APIM answers 900706 to a name with anything but letters, digits and _, also to a hyphen (seen).
var policyName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (k policyKind[T, P]) create(c *call) *answer {
	if a := k.superOnly(c); a != nil {
		return a
	}
	p := k.fresh()
	if a := readBody(c.body, p); a != nil {
		return a
	}
	b := p.base()
	name := text(b.PolicyName)
	switch {
	case strings.TrimSpace(name) == "":
		return refuse(http.StatusBadRequest, 900705, "Blank value for required property", "policyName property value of payload cannot be blank")
	case k.path != "custom" && !policyName.MatchString(name):
		return refuse(http.StatusBadRequest, 900706, "contain invalid characters", "policyName property value of payload cannot contain invalid characters")
	}
	if a := k.taken(c, p, nil); a != nil {
		return a
	}
	if k.named(c.tenant, name) != nil {
		return exists(k.title + " with name " + name + " already exists")
	}
	if a := k.check(c, p, nil); a != nil {
		return a
	}
	k.complete(b, newID(), name)
	k.rows(c.tenant).add(p)
	return created(admin.location+"/throttling/policies/"+k.path+"/"+*b.PolicyID, k.made(p))
}

func (k policyKind[T, P]) update(c *call) *answer {
	if a := k.superOnly(c); a != nil {
		return a
	}
	p := k.fresh()
	if a := readBody(c.body, p); a != nil {
		return a
	}
	old := k.rows(c.tenant).get(c.vars["policy"])
	if old == nil {
		if a := k.taken(c, p, nil); k.path == "custom" && a != nil {
			return a // a blank is found before the policy is looked for (seen)
		}
		return notFound(k.noun, c.vars["policy"])
	}
	if a := k.taken(c, p, old); a != nil {
		return a
	}
	if a := k.check(c, p, old); a != nil {
		return a
	}
	// A name in a PUT is ignored: 200 with the old name (apim-behaviour 10).
	k.complete(p.base(), text(old.base().PolicyID), text(old.base().PolicyName))
	k.rows(c.tenant).replace(p)
	return ok(p)
}

// complete fills what the server sets.
func (k policyKind[T, P]) complete(b *policyBase, id, name string) {
	b.PolicyID, b.PolicyName, b.IsDeployed, b.Type = ptr(id), ptr(name), ptr(false), ptr(k.typeName)
	switch {
	case k.path == "custom":
		b.DisplayName = nil // the table has no column for it (seen)
	case text(b.DisplayName) == "":
		b.DisplayName = ptr(name)
	}
}

func (k policyKind[T, P]) delete(c *call) *answer {
	if a := k.superOnly(c); a != nil {
		return a
	}
	p := k.rows(c.tenant).get(c.vars["policy"])
	if p == nil {
		return notFound(k.noun, c.vars["policy"])
	}
	if a := k.inUse(c, p); a != nil {
		return a
	}
	k.rows(c.tenant).remove(c.vars["policy"])
	return empty(http.StatusOK)
}

func (k policyKind[T, P]) named(t *tenant, name string) P {
	return k.rows(t).find(func(p P) bool { return text(p.base().PolicyName) == name })
}

// keep checks that the limit holds what its type promises, and drops the rest.
func (l *throttleLimit) keep() bool {
	kept := throttleLimit{Type: l.Type}
	has := false
	switch *l.Type {
	case "REQUESTCOUNTLIMIT":
		kept.RequestCount, has = l.RequestCount, l.RequestCount != nil
	case "BANDWIDTHLIMIT":
		kept.Bandwidth, has = l.Bandwidth, l.Bandwidth != nil
	case "EVENTCOUNTLIMIT":
		kept.EventCount, has = l.EventCount, l.EventCount != nil
	case "AIAPIQUOTALIMIT":
		if kept.AIAPIQuota, has = l.AIAPIQuota, l.AIAPIQuota != nil; has {
			for _, n := range []**int64{&l.AIAPIQuota.TotalTokenCount, &l.AIAPIQuota.PromptTokenCount, &l.AIAPIQuota.CompletionTokenCount} {
				if *n == nil {
					*n = ptr(int64(0))
				}
			}
		}
	}
	*l = kept
	return has
}

// unkept is the 500 to a limit that does not fit its type (seen), with the reason in the words of
// the kind of policy.
func unkept(level string, new, old *policyBase) *answer {
	if old != nil {
		return internal("Error while updating " + level + " level policy: " + text(old.PolicyName))
	}
	return internal("Error while adding an " + level + " level policy: " + text(new.PolicyName))
}

// isAI tells an AI quota. APIM stores one only for subscription policies; the other kinds lack the
// columns, and answer 500 (seen).
func (l *throttleLimit) isAI() bool { return *l.Type == "AIAPIQUOTALIMIT" }

func takeApplicationPolicy(_ *call, p, old *applicationPolicy) *answer {
	if !p.DefaultLimit.keep() {
		return unkept("Application", &p.policyBase, baseOf(old))
	}
	return nil
}

func checkApplicationPolicy(_ *call, p, old *applicationPolicy) *answer {
	// A burst limit counts when it is whole and above zero (seen).
	if b := p.BurstLimit; b == nil || b.RateLimitCount == nil || *b.RateLimitCount <= 0 || b.RateLimitTimeUnit == nil {
		p.BurstLimit = &burstLimit{RateLimitCount: ptr(int64(0))}
	}
	// A policy is made with an event count and cannot be brought to one, or keep one, by an update
	// (seen).
	if p.DefaultLimit.isAI() || old != nil && p.DefaultLimit.EventCount != nil {
		return unkept("Application", &p.policyBase, baseOf(old))
	}
	return nil
}

// baseOf returns the base of a policy that may be nil.
func baseOf[P interface {
	comparable
	base() *policyBase
}](p P) *policyBase {
	var none P
	if p == none {
		return nil
	}
	return p.base()
}

func applicationPolicyInUse(c *call, p *applicationPolicy) *answer {
	name := text(p.PolicyName)
	if c.tenant.Applications.find(func(a *application) bool { return text(a.ThrottlingPolicy) == name }) != nil {
		return internal("Error while deleting Application level policy : " + text(p.PolicyID))
	}
	return nil
}

func takeSubscriptionPolicy(_ *call, p, old *subscriptionPolicy) *answer {
	if old != nil {
		if p.DefaultLimit.isAI() != old.DefaultLimit.isAI() {
			return refuse(http.StatusBadRequest, 900974, "Bad Request", "Subscription quota type can not be changed for AI Subscription policies.")
		}
		if a := checkPermissions(p); a != nil {
			return a
		}
	}
	if p.StopOnQuotaReach == nil {
		return internal("") // a null pointer in the server; absent it is false
	}
	if !p.DefaultLimit.keep() {
		return general()
	}
	return nil
}

// checkPermissions refuses permissions of nobody; roles that do not exist pass (seen).
func checkPermissions(p *subscriptionPolicy) *answer {
	if p.Permissions != nil && len(p.Permissions.Roles) == 0 {
		return refuse(http.StatusBadRequest, 900600, "Role list cannot be empty", "Role list cannot be empty")
	}
	return nil
}

func checkSubscriptionPolicy(_ *call, p, old *subscriptionPolicy) *answer {
	if a := checkPermissions(p); a != nil {
		return a
	}
	if p.BillingPlan == nil && old == nil {
		return internal("") // a null pointer in the server, on create alone
	}
	if p.Monetization != nil {
		kept := map[string]*string{}
		for _, name := range []string{"billingCycle", "currencyType", "fixedPrice", "pricePerRequest"} {
			kept[name] = p.Monetization.Properties[name]
		}
		p.Monetization.Properties = kept
	}
	for _, n := range []**int64{&p.GraphQLMaxComplexity, &p.GraphQLMaxDepth, &p.RateLimitCount, &p.SubscriberCount} {
		if *n == nil {
			*n = ptr(int64(0))
		}
	}
	if p.CustomAttributes == nil {
		p.CustomAttributes = []customAttribute{}
	}
	return nil
}

func takeAdvancedPolicy(_ *call, p, old *advancedPolicy) *answer {
	if p.ConditionalGroups == nil {
		return internal("") // a null pointer in the server, as are those below; absent there are none
	}
	for i := range p.ConditionalGroups {
		g := &p.ConditionalGroups[i]
		if !g.Limit.keep() {
			return unkept("Advanced", &p.policyBase, baseOf(old))
		}
		for j := range g.Conditions {
			condition := &g.Conditions[j]
			if !condition.keep() {
				return unkept("Advanced", &p.policyBase, baseOf(old))
			}
			if condition.InvertCondition == nil || condition.IPCondition != nil && condition.IPCondition.IPConditionType == nil {
				return internal("")
			}
		}
		// They are kept in a table for each kind, and come back kind by kind (seen).
		slices.SortStableFunc(g.Conditions, func(a, b throttleCondition) int {
			return slices.Index(conditionOrder, *a.Type) - slices.Index(conditionOrder, *b.Type)
		})
	}
	if !p.DefaultLimit.keep() {
		return unkept("Advanced", &p.policyBase, baseOf(old))
	}
	return nil
}

func checkAdvancedPolicy(_ *call, p, old *advancedPolicy) *answer {
	// The statement that stores a group knows requests and bandwidth alone (seen).
	if p.DefaultLimit.isAI() || slices.ContainsFunc(p.ConditionalGroups, func(g conditionalGroup) bool { return g.Limit.isAI() || g.Limit.EventCount != nil }) {
		return unkept("Advanced", &p.policyBase, baseOf(old))
	}
	return nil
}

var conditionOrder = []string{"IPCONDITION", "HEADERCONDITION", "QUERYPARAMETERCONDITION", "JWTCLAIMSCONDITION"}

// keep checks that the condition holds what its type promises, and drops the rest.
func (c *throttleCondition) keep() bool {
	has := false
	kept := throttleCondition{Type: c.Type, InvertCondition: c.InvertCondition}
	switch *c.Type {
	case "HEADERCONDITION":
		has, kept.HeaderCondition = c.HeaderCondition != nil, c.HeaderCondition
	case "IPCONDITION":
		has, kept.IPCondition = c.IPCondition != nil, c.IPCondition
	case "JWTCLAIMSCONDITION":
		has, kept.JWTClaimsCondition = c.JWTClaimsCondition != nil, c.JWTClaimsCondition
	case "QUERYPARAMETERCONDITION":
		has, kept.QueryParameterCondition = c.QueryParameterCondition != nil, c.QueryParameterCondition
	}
	*c = kept
	return has
}

func takeCustomRule(_ *call, p, _ *customRule) *answer {
	for _, f := range []struct {
		name  string
		value *string
	}{{"siddhiQuery", p.SiddhiQuery}, {"keyTemplate", p.KeyTemplate}} {
		if blank(f.value) {
			return refuse(http.StatusBadRequest, 900705, "Blank value for required property", f.name+" property value of payload cannot be blank")
		}
	}
	return nil
}
