package apim

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// subscription is what is kept of one.
type subscription struct {
	ID          string `json:"id"`
	Application string `json:"application"`
	API         string `json:"api"`
	Policy      string `json:"policy"`
	Updated     bool   `json:"updated,omitempty"` // then the requested tier is null
	Status      string `json:"status"`
	Gone        bool   `json:"gone,omitempty"` // deleted while it was blocked: it stays, so that nobody gets around that by subscribing again (seen)
}

func (s *subscription) rowID() string { return s.ID }

type subscriptionBody struct {
	SubscriptionID            *string `json:"subscriptionId"`
	ApplicationID             *string `json:"applicationId" is:"required"`
	APIID                     *string `json:"apiId"`
	APIInfo                   any     `json:"apiInfo"`
	ApplicationInfo           any     `json:"applicationInfo"`
	ThrottlingPolicy          *string `json:"throttlingPolicy" is:"required"`
	RequestedThrottlingPolicy *string `json:"requestedThrottlingPolicy"`
	Status                    *string `json:"status" enum:"BLOCKED,PROD_ONLY_BLOCKED,UNBLOCKED,ON_HOLD,REJECTED,TIER_UPDATE_PENDING,DELETE_PENDING"`
	RedirectionParams         *string `json:"redirectionParams"`
}

func subscriptionRoutes() []route {
	scopes := []string{"apim:subscribe", "apim:sub_manage"}
	block := []string{"apim:subscription_block", "apim:subscription_manage"}
	return []route{
		withKeys(get(devportal, "/subscriptions", scopes, listSubscriptions)),
		withKeys(post(devportal, "/subscriptions", scopes, createSubscription)),
		get(devportal, "/subscriptions/{subscription}", scopes, readSubscription),
		withKeys(put(devportal, "/subscriptions/{subscription}", scopes, updateSubscription)),
		remove(devportal, "/subscriptions/{subscription}", scopes, deleteSubscription),
		withKeys(post(devportal, "/subscriptions/multiple", scopes, createSubscriptions)),
		get(devportal, "/subscriptions/{api}/additionalInfo", nil, subscriptionTiers),
		get(publisher, "/subscriptions", viewSubscriptions, publisherSubscriptions),
		anyBody(post(publisher, "/subscriptions/change-business-plan", []string{"apim:subscription_manage"}, changePlan)),
		get(publisher, "/subscriptions/{subscription}/subscriber-info", viewSubscriptions, subscriberInfo),
		anyBody(post(publisher, "/subscriptions/block-subscription", block, blockSubscription)),
		anyBody(post(publisher, "/subscriptions/unblock-subscription", block, unblockSubscription)),
	}
}

func (t *tenant) subscriptionsOf(a *application) int {
	n := 0
	for _, s := range t.Subscriptions.list {
		if s.Application == *a.ApplicationID && !s.Gone {
			n++
		}
	}
	return n
}

func (t *tenant) removeSubscriptions(a *application) {
	for _, s := range t.Subscriptions.values() {
		if s.Application == *a.ApplicationID {
			t.Subscriptions.remove(s.ID)
		}
	}
}

func (t *tenant) removeSubscriptionsTo(api string) {
	for _, s := range t.Subscriptions.values() {
		if s.API == api {
			t.Subscriptions.remove(s.ID)
		}
	}
}

// subscriptionPolicyInUse refuses the deletion of a policy with live subscriptions; one that is
// only offered by APIs may go.
func subscriptionPolicyInUse(c *call, p *subscriptionPolicy) *answer {
	if c.tenant.Subscriptions.find(func(s *subscription) bool { return s.Policy == *p.PolicyName && !s.Gone }) != nil {
		return internal("Error while deleting Subscription level policy : " + *p.PolicyID + " Subscriptions exist for the policy " + *p.PolicyName)
	}
	return nil
}

// shown is a subscription as answers show it. [seen]: only the answer to POST counts the
// application's subscriptions.
func (c *call) shownSubscription(s *subscription, counted bool) map[string]any {
	out := map[string]any{"subscriptionId": s.ID, "applicationId": s.Application, "apiId": s.API, "throttlingPolicy": s.Policy,
		"requestedThrottlingPolicy": s.Policy, "status": s.Status, "redirectionParams": nil, "apiInfo": nil, "applicationInfo": nil}
	if a := c.tenant.Applications.get(s.Application); a != nil {
		info := c.tenant.applicationInfo(a)
		if !counted {
			info.SubscriptionCount = ptr(int64(0))
		}
		out["applicationInfo"] = info
	}
	if s.Updated {
		out["requestedThrottlingPolicy"] = nil
	}
	if a := c.tenant.subscribable(s.API); a != nil {
		info := c.portalInfo(a)
		if a.Product { // of which less is shown (seen)
			info["advertiseInfo"] = maps.Clone(inner(info, "advertiseInfo"))
			for _, name := range []string{"createdTime", "displayName", "gatewayType", "gatewayVendor", "monetizedInfo"} {
				info[name] = nil
			}
			info["type"] = "API_PRODUCT"
			if told := inner(info, "advertiseInfo"); told != nil {
				told["apiOwner"] = nil
			}
		}
		out["apiInfo"] = info
	}
	return out
}

func listSubscriptions(c *call) *answer {
	c.subscriber()
	query := c.request.URL.Query()
	application, api := query.Get("applicationId"), query.Get("apiId")
	if application == "" && api == "" {
		return badRequest("Either applicationId or apiId should be available")
	}
	if application != "" {
		c.vars["application"] = application
		if _, bad := c.ownApplication(); bad != nil {
			return bad
		}
	}
	key := func(s *subscription) string { // by the names of what is not asked for (seen)
		if api != "" {
			return *c.tenant.Applications.get(s.Application).Name
		}
		if a := c.tenant.subscribable(s.API); a != nil {
			return a.field("name")
		}
		return ""
	}
	found := []*subscription{}
	for _, s := range c.tenant.Subscriptions.list {
		a := c.tenant.Applications.get(s.Application)
		if s.Gone || application != "" && s.Application != application || api != "" && s.API != api || a == nil || !c.mayUse(a) {
			continue
		}
		found = append(found, s)
	}
	slices.SortStableFunc(found, func(a, b *subscription) int { return strings.Compare(key(a), key(b)) })
	out := []map[string]any{}
	for _, s := range found {
		out = append(out, c.shownSubscription(s, false))
	}
	return page(c, out, pageLinks{after: "&apiId=" + url.QueryEscape(api) + "&groupId="})
}

func createSubscription(c *call) *answer {
	var body subscriptionBody
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	s, bad := c.subscribe(&body)
	if bad != nil {
		return bad
	}
	return created(devportal.location+"/subscriptions/"+s.ID, c.shownSubscription(s, true))
}

// subscribable finds an API or a product.
func (t *tenant) subscribable(id string) *apiRecord {
	if a := t.APIs.get(id); a != nil {
		return a
	}
	return t.Products.get(id)
}

func (c *call) subscribe(body *subscriptionBody) (*subscription, *answer) {
	c.vars["application"] = *body.ApplicationID
	app, bad := c.ownApplication()
	if bad != nil {
		return nil, bad
	}
	a := c.tenant.subscribable(text(body.APIID))
	switch {
	case a == nil:
		return nil, general()
	case !slices.Contains(a.names("policies"), *body.ThrottlingPolicy):
		return nil, refuse(http.StatusForbidden, 902002, "Subscription Tier is not allowed for user",
			fmt.Sprintf("Subscription Tier %s is not allowed for user %s ", *body.ThrottlingPolicy, c.owner()))
	case a.State != "PUBLISHED" && a.State != "PROTOTYPED":
		return nil, general() // "Subscriptions not allowed on APIs/API Products in the state: CREATED" is in the log alone (seen)
	}
	if old := c.tenant.subscriptionOf(*app.ApplicationID, a.ID); old != nil {
		switch {
		case old.Status == "BLOCKED" || old.Status == "PROD_ONLY_BLOCKED":
			return nil, forbidden(fmt.Sprintf("Subscription blocked. Subscription to API/API Product %s through application %s was blocked. Please contact the API publisher.",
				a.field("name"), *app.Name))
		case !old.Gone:
			return nil, exists(fmt.Sprintf("Specified subscription already exists for API %s, for application %s", a.ID, *app.ApplicationID))
		}
		c.tenant.Subscriptions.remove(old.ID)
	}
	s := &subscription{ID: newID(), Application: *app.ApplicationID, API: a.ID, Policy: *body.ThrottlingPolicy, Status: "UNBLOCKED"}
	if c.waits("AM_SUBSCRIPTION_CREATION", s.ID, "Approve subscription request of application "+*app.Name+" to "+a.field("name"),
		map[string]string{"applicationName": *app.Name, "apiName": a.field("name"), "subscriber": *app.Owner}) {
		s.Status = "ON_HOLD"
	}
	c.tenant.Subscriptions.add(s)
	return s, nil
}

// createSubscriptions makes several subscriptions. It stops at the first that fails; those before it are made (seen).
func createSubscriptions(c *call) *answer {
	var list []subscriptionBody
	if bad := readBody(c.body, &list); bad != nil {
		return bad
	}
	out := []map[string]any{}
	for i := range list {
		s, bad := c.subscribe(&list[i])
		if bad != nil {
			return bad
		}
		out = append(out, c.shownSubscription(s, false))
	}
	return ok(out)
}

// subscriptionTiers lists the tiers that an application may be subscribed to an API with.
func subscriptionTiers(c *call) *answer {
	a, bad := c.portalAPI()
	if bad != nil {
		return bad
	}
	tiers := []map[string]any{}
	for _, t := range c.shownTiers(a) {
		tiers = append(tiers, map[string]any{"tierName": t["name"], "tierPlan": t["tierPlan"], "monetizationAttributes": nil})
	}
	return ok(map[string]any{"list": []any{map[string]any{"id": a.ID, "name": a.field("name"), "tiers": tiers, "isSubscriptionAvailable": true,
		"monetization": map[string]any{"enabled": false}}}, "count": 1, "pagination": nil})
}

var viewSubscriptions = []string{"apim:api_view", "apim:subscription_view", "apim:subscription_manage"}

// publisherSubscription is what the publisher shows of a subscription.
func (c *call) publisherSubscription(s *subscription) map[string]any {
	var info any
	if a := c.tenant.Applications.get(s.Application); a != nil {
		info = map[string]any{"applicationId": a.ApplicationID, "name": a.Name, "subscriber": a.Owner, "description": a.Description, "subscriptionCount": 0}
	}
	return map[string]any{"subscriptionId": s.ID, "applicationInfo": info, "throttlingPolicy": s.Policy, "subscriptionStatus": s.Status}
}

func publisherSubscriptions(c *call) *answer {
	api := c.request.URL.Query().Get("apiId")
	out := []map[string]any{}
	for _, s := range c.tenant.Subscriptions.list {
		if api == "" || s.API == api {
			out = append(out, c.publisherSubscription(s))
		}
	}
	return page(c, out, pageLinks{})
}

// changePlan puts a subscription into another tier of its API.
func changePlan(c *call) *answer {
	query := c.request.URL.Query()
	s := c.tenant.Subscriptions.get(query.Get("subscriptionId"))
	if s == nil {
		return notFound("subscription", query.Get("subscriptionId"))
	}
	plan := query.Get("businessPlan")
	a := c.tenant.subscribable(s.API)
	switch {
	case plan == "":
		return violations([]violation{{"changeSubscriptionBusinessPlan.arg1", "must not be null"}})
	case a == nil || !slices.Contains(a.names("policies"), plan):
		return refuse(http.StatusBadRequest, 902017, "Invalid business plan", "Business plan "+plan+" is not offered by the API")
	case s.Status == "BLOCKED" || s.Status == "ON_HOLD" || s.Status == "REJECTED":
		return refuse(http.StatusConflict, 902019, "Subscription is not active", "Business plan of a subscription with status "+s.Status+" cannot be changed")
	}
	changed := *s
	changed.Policy = plan
	c.tenant.Subscriptions.replace(&changed)
	return ok(c.publisherSubscription(&changed))
}

func subscriberInfo(c *call) *answer {
	s := c.tenant.Subscriptions.get(c.vars["subscription"])
	if s == nil {
		return notFound("subscription", c.vars["subscription"])
	}
	name := ""
	if a := c.tenant.Applications.get(s.Application); a != nil {
		name = *a.Owner
	}
	return ok(map[string]any{"name": name, "claims": []any{}})
}

func (t *tenant) subscriptionOf(application, api string) *subscription {
	return t.Subscriptions.find(func(s *subscription) bool { return s.Application == application && s.API == api })
}

// ownSubscription finds a subscription of an application that the caller may use.
func (c *call) ownSubscription() (*subscription, *answer) {
	id := c.vars["subscription"]
	s := c.tenant.Subscriptions.get(id)
	if s == nil {
		return nil, notFound("subscription", id)
	}
	if a := c.tenant.Applications.get(s.Application); a == nil || !c.mayUse(a) {
		return nil, forbidden("You don't have permission to access the subscription with Id " + id)
	}
	return s, nil
}

func readSubscription(c *call) *answer {
	s, bad := c.ownSubscription()
	if bad != nil {
		return bad
	}
	return ok(c.shownSubscription(s, false))
}

// updateSubscription changes the tier: to the one that is requested, not to the one that is called the policy, and it fails when the API lacks that
// (seen; apim-behaviour 4.4 has 200 without a change for 4.7, which Options.UnknownTierKept gives).
func updateSubscription(c *call) *answer {
	var body subscriptionBody
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	if body.Status == nil {
		return badRequest("Request must contain status of the subscription")
	}
	if c.tenant.Applications.get(*body.ApplicationID) == nil {
		return notFound("application", *body.ApplicationID)
	}
	if c.tenant.subscribable(text(body.APIID)) == nil {
		return notFound("API", text(body.APIID))
	}
	s, bad := c.ownSubscription()
	if bad != nil {
		return bad
	}
	fixed := []string{"BLOCKED", "PROD_ONLY_BLOCKED", "ON_HOLD", "REJECTED"}
	if slices.Contains(fixed, *body.Status) || slices.Contains(fixed, s.Status) {
		return badRequest("Cannot update subscriptions with provided or existing status")
	}
	wanted := text(body.RequestedThrottlingPolicy)
	if a := c.tenant.subscribable(s.API); a == nil || !slices.Contains(a.names("policies"), wanted) {
		if c.server.options.UnknownTierKept {
			return ok(c.shownSubscription(s, false))
		}
		return internal(fmt.Sprintf("Error while adding the subscription API:%s, application:%s, tier:%s", s.API, s.Application, *body.ThrottlingPolicy))
	}
	if a := c.tenant.subscribable(s.API); a.State != "PUBLISHED" && a.State != "PROTOTYPED" {
		return notFound("API", a.ID) // it means its state (seen)
	}
	changed := *s
	changed.Policy, changed.Updated = wanted, true
	c.tenant.Subscriptions.replace(&changed)
	return ok(c.shownSubscription(&changed, false))
}

func deleteSubscription(c *call) *answer {
	s, bad := c.ownSubscription()
	if bad != nil {
		return bad
	}
	if s.Status == "BLOCKED" || s.Status == "PROD_ONLY_BLOCKED" {
		changed := *s
		changed.Gone = true
		c.tenant.Subscriptions.replace(&changed)
	} else {
		c.tenant.Subscriptions.remove(s.ID)
	}
	return empty(http.StatusOK)
}

func blockSubscription(c *call) *answer {
	state := c.request.URL.Query().Get("blockState")
	if state != "BLOCKED" && state != "PROD_ONLY_BLOCKED" {
		return internal("") // a null pointer in the server (seen)
	}
	return c.setBlocked(state)
}

func unblockSubscription(c *call) *answer { return c.setBlocked("UNBLOCKED") }

func (c *call) setBlocked(status string) *answer {
	id := c.request.URL.Query().Get("subscriptionId")
	s := c.tenant.Subscriptions.get(id)
	if s == nil {
		return notFound("subscription", id)
	}
	changed := *s
	changed.Status = status
	c.tenant.Subscriptions.replace(&changed)
	return ok(c.publisherSubscription(&changed))
}
