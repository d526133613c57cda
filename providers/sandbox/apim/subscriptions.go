package apim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// subscription is what is kept of one.
type subscription struct {
	ID          string `json:"id"`
	Application string `json:"application"`
	API         string `json:"api"`
	Policy      string `json:"policy"`
	Status      string `json:"status"`
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
		get(devportal, "/subscriptions", scopes, listSubscriptions),
		post(devportal, "/subscriptions", scopes, createSubscription),
		get(devportal, "/subscriptions/{subscription}", scopes, readSubscription),
		put(devportal, "/subscriptions/{subscription}", scopes, updateSubscription),
		remove(devportal, "/subscriptions/{subscription}", scopes, deleteSubscription),
		anyBody(post(publisher, "/subscriptions/block-subscription", block, blockSubscription)),
		anyBody(post(publisher, "/subscriptions/unblock-subscription", block, unblockSubscription)),
	}
}

func (t *tenant) subscriptionsOf(a *application) int {
	n := 0
	for _, s := range t.Subscriptions.list {
		if s.Application == *a.ApplicationID {
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
	if c.tenant.Subscriptions.find(func(s *subscription) bool { return s.Policy == *p.PolicyName }) != nil {
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
	if a := c.tenant.APIs.get(s.API); a != nil {
		out["apiInfo"] = map[string]any{"id": a.ID, "name": a.Document["name"], "displayName": a.Document["displayName"],
			"description": a.Document["description"], "context": a.Document["context"], "version": a.Document["version"], "type": a.Document["type"],
			"createdTime": millis(a.CreatedTime), "provider": a.Document["provider"], "lifeCycleStatus": a.State, "thumbnailUri": nil, "avgRating": "0.0",
			"throttlingPolicies": a.names("policies"), "advertiseInfo": a.Document["advertiseInfo"],
			"businessInformation": a.Document["businessInformation"], "isSubscriptionAvailable": true, "monetizationLabel": "FREE",
			"gatewayType": a.Document["gatewayType"], "gatewayVendor": a.Document["gatewayVendor"], "additionalProperties": []any{},
			"monetizedInfo": false, "egress": a.Document["egress"], "subtype": "DEFAULT"}
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
	out := []map[string]any{}
	for _, s := range c.tenant.Subscriptions.list {
		a := c.tenant.Applications.get(s.Application)
		if application != "" && s.Application != application || api != "" && s.API != api || a == nil || !c.mayUse(a) {
			continue
		}
		out = append(out, c.shownSubscription(s, false))
	}
	return page(c, out, pageLinks{after: "&apiId=" + url.QueryEscape(api) + "&groupId="})
}

func createSubscription(c *call) *answer {
	var body subscriptionBody
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	c.vars["application"] = *body.ApplicationID
	app, bad := c.ownApplication()
	if bad != nil {
		return bad
	}
	a := c.tenant.APIs.get(text(body.APIID))
	switch {
	case a == nil:
		return general()
	case a.State != "PUBLISHED" && a.State != "PROTOTYPED":
		return forbidden("Subscriptions are not allowed for the API " + a.ID + " in the state " + a.State)
	case c.tenant.subscriptionOf(*app.ApplicationID, a.ID) != nil:
		return exists(fmt.Sprintf("Specified subscription already exists for API %s, for application %s", a.ID, *app.ApplicationID))
	case !slices.Contains(a.names("policies"), *body.ThrottlingPolicy):
		return refuse(http.StatusForbidden, 902002, "Subscription Tier is not allowed for user",
			fmt.Sprintf("Subscription Tier %s is not allowed for user %s ", *body.ThrottlingPolicy, c.owner()))
	}
	s := &subscription{ID: newID(), Application: *app.ApplicationID, API: a.ID, Policy: *body.ThrottlingPolicy, Status: "UNBLOCKED"}
	c.tenant.Subscriptions.add(s)
	return created(devportal.location+"/subscriptions/"+s.ID, c.shownSubscription(s, true))
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

// updateSubscription changes the tier. APIM answers 200 to a tier that the API lacks, and changes
// nothing (apim-behaviour 4.4).
func updateSubscription(c *call) *answer {
	var body subscriptionBody
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	s, bad := c.ownSubscription()
	if bad != nil {
		return bad
	}
	switch s.Status {
	case "BLOCKED", "ON_HOLD", "REJECTED":
		return badRequest("Cannot update subscription with status " + s.Status)
	}
	if a := c.tenant.APIs.get(s.API); a != nil && slices.Contains(a.names("policies"), *body.ThrottlingPolicy) {
		changed := *s
		changed.Policy = *body.ThrottlingPolicy
		c.tenant.Subscriptions.replace(&changed)
		s = &changed
	}
	return ok(c.shownSubscription(s, false))
}

func deleteSubscription(c *call) *answer {
	s, bad := c.ownSubscription()
	if bad != nil {
		return bad
	}
	c.tenant.Subscriptions.remove(s.ID)
	return empty(http.StatusOK)
}

func blockSubscription(c *call) *answer {
	state := c.request.URL.Query().Get("blockState")
	if state != "BLOCKED" && state != "PROD_ONLY_BLOCKED" {
		return badRequest("blockState must be BLOCKED or PROD_ONLY_BLOCKED")
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
	return empty(http.StatusOK)
}
