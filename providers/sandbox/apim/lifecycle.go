package apim

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A transition is one action that a lifecycle state allows.
type transition struct{ event, to string }

// lifecycle is the default lifecycle of an API; the actions stand in the order in which the server lists them (seen).
var lifecycle = map[string][]transition{
	"CREATED":    {{"Publish", "PUBLISHED"}, {"Deploy as a Prototype", "PROTOTYPED"}},
	"PROTOTYPED": {{"Publish", "PUBLISHED"}, {"Demote to Created", "CREATED"}},
	"PUBLISHED": {{"Block", "BLOCKED"}, {"Deploy as a Prototype", "PROTOTYPED"}, {"Demote to Created", "CREATED"},
		{"Deprecate", "DEPRECATED"}},
	"BLOCKED":    {{"Deprecate", "DEPRECATED"}, {"Re-Publish", "PUBLISHED"}},
	"DEPRECATED": {{"Retire", "RETIRED"}},
	"RETIRED":    {},
}

type lifecycleState struct {
	State                string                `json:"state"`
	CheckItems           []any                 `json:"checkItems"`
	AvailableTransitions []availableTransition `json:"availableTransitions"`
}

type availableTransition struct {
	Event       string `json:"event"`
	TargetState string `json:"targetState"`
}

// A lifecycleEvent is one change of state.
type lifecycleEvent struct {
	From string    `json:"from,omitempty"`
	To   string    `json:"to"`
	User string    `json:"user"`
	Time time.Time `json:"time"`
}

func lifecycleRoutes() []route {
	change := []string{"apim:api_publish", "apim:api_manage", "apim:api_import_export"}
	changeProduct := []string{"apim:api_publish", "apim:api_manage", "apim:api_product_import_export"}
	view := []string{"apim:api_view", "apim:api_publish", "apim:api_create", "apim:api_manage"}
	cancel := []string{"apim:api_publish", "apim:api_manage"}
	out := []route{
		anyBody(post(publisher, "/apis/change-lifecycle", change, changeLifecycle)),
		anyBody(post(publisher, "/api-products/change-lifecycle", changeProduct, changeLifecycle)),
	}
	for _, base := range []string{"/apis/{api}", "/api-products/{api}"} {
		out = append(out,
			get(publisher, base+"/lifecycle-state", view, readLifecycle),
			get(publisher, base+"/lifecycle-history", view, readHistory),
			remove(publisher, base+"/lifecycle-state/pending-tasks", cancel, cancelLifecycle))
	}
	return out
}

func (c *call) stateOf(a *apiRecord) lifecycleState {
	out := lifecycleState{State: a.State[:1] + strings.ToLower(a.State[1:]), CheckItems: []any{}, AvailableTransitions: []availableTransition{}}
	if unpublished := a.State == "CREATED" || a.State == "PROTOTYPED"; unpublished && c.tenant.olderVersion(a) {
		for _, name := range []string{deprecateOld, resubscribe} { // about the older one (seen)
			if a.Product {
				name = strings.ReplaceAll(name, "API", "API Product")
			}
			out.CheckItems = append(out.CheckItems, map[string]any{"name": name, "value": false, "requiredStates": []any{}})
		}
	}
	for _, t := range lifecycle[a.State] {
		out.AvailableTransitions = append(out.AvailableTransitions, availableTransition{Event: t.event}) // [seen]: the target is left empty
	}
	return out
}

// What is to be done with an older version when an API is published.
const (
	deprecateOld = "Deprecate old versions after publishing the API"
	resubscribe  = "Requires re-subscription when publishing the API"
)

// olderVersion tells whether there is a version before this.
func (t *tenant) olderVersion(a *apiRecord) bool {
	return slices.ContainsFunc(slices.Concat(t.APIs.list, t.Products.list), func(other *apiRecord) bool {
		return other.field("name") == a.field("name") && other.field("provider") == a.field("provider") && compareVersions(other.field("version"), a.field("version")) < 0
	})
}

// versionPart is a number, which may be missing, and what follows it up to the next "." or number.
var versionPart = regexp.MustCompile(`([0-9]*)([^0-9._-]*)[._-]?`)

// compareVersions compares versions as the server does: by their numbers, and one without a suffix comes after one with it.
func compareVersions(a, b string) int {
	one, other := versionPart.FindAllStringSubmatch(a, -1), versionPart.FindAllStringSubmatch(b, -1)
	for i := range max(len(one), len(other)) {
		x, y := []string{"", "", ""}, []string{"", "", ""}
		if i < len(one) {
			x = one[i]
		}
		if i < len(other) {
			y = other[i]
		}
		n, _ := strconv.Atoi(x[1]) // none is 0
		m, _ := strconv.Atoi(y[1])
		switch {
		case n != m:
			return n - m
		case x[2] == y[2]:
			continue
		case x[2] == "":
			return 1
		case y[2] == "":
			return -1
		}
		return strings.Compare(x[2], y[2])
	}
	return 0
}

// ofProducts tells whether an operation is one on API products.
func (c *call) ofProducts() bool { return strings.HasPrefix(c.path, "/api-products/") }

// record finds the API or the API product of the path.
func (c *call) record() (*apiRecord, *answer) {
	if c.ofProducts() {
		return c.ownProduct(c.vars["api"])
	}
	return c.ownAPI(c.vars["api"])
}

func readLifecycle(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return refuse(http.StatusNotFound, 902006, "Invalid API ID", "The provided API ID is not found "+c.vars["api"])
	}
	return ok(c.stateOf(a))
}

func readHistory(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return bad
	}
	out := []map[string]any{}
	for _, e := range a.History {
		var from any
		if e.From != "" {
			from = e.From
		}
		out = append(out, map[string]any{"previousState": from, "postState": e.To, "user": e.User, "updatedTime": stamp(e.Time)})
	}
	return all(out)
}

// cancelLifecycle cancels a change that waits for approval. Without one it does nothing (seen).
func cancelLifecycle(c *call) *answer {
	if _, bad := c.record(); bad != nil {
		return bad
	}
	return empty(http.StatusOK)
}

func changeLifecycle(c *call) *answer {
	query := c.request.URL.Query()
	id := query.Get("apiId")
	if c.ofProducts() {
		id = query.Get("apiProductId")
	}
	switch {
	case query.Get("action") == "":
		return violations([]violation{{"changeAPILifecycle.arg0", "must not be null"}})
	case id == "":
		return violations([]violation{{"changeAPILifecycle.arg1", "must not be null"}})
	}
	c.vars["api"] = id
	a, bad := c.record()
	if bad != nil {
		return bad
	}
	action := query.Get("action")
	var events []string
	for _, t := range lifecycle[a.State] {
		events = append(events, t.event)
		if t.event != action {
			continue
		}
		if t.to == "PUBLISHED" && a.lacksEndpoint() {
			return refuse(http.StatusBadRequest, 903223, "Failed to publish service to API store. No endpoint selected",
				"Failed to publish service to API store. No endpoint selected for API with UUID "+a.ID)
		}
		if t.to == "PUBLISHED" && len(c.standingTiers(a)) == 0 && a.needsTiers() {
			return refuse(http.StatusBadRequest, 903224, "Failed to publish service to API store. No Tiers selected",
				"Failed to publish service to API store. No Tiers selected for API with UUID "+a.ID)
		}
		changed := c.moved(a, t.to)
		if t.to == "PUBLISHED" {
			c.published(changed, query.Get("lifecycleChecklist"))
		}
		return ok(struct {
			WorkflowStatus string         `json:"workflowStatus"`
			JSONPayload    string         `json:"jsonPayload"`
			LifecycleState lifecycleState `json:"lifecycleState"`
		}{"APPROVED", "", c.stateOf(changed)})
	}
	return refuse(http.StatusBadRequest, 903234, "Unsupported state change action",
		fmt.Sprintf("Lifecycle state change action %s is not allowed for this API. Allowed actions are [%s]", action, strings.Join(events, ", ")))
}

// lacksEndpoint tells that the API leads nowhere: it is of a type that calls a backend, and names none.
func (a *apiRecord) lacksEndpoint() bool {
	return !a.Product && a.field("type") == "HTTP" && a.field("endpointImplementationType") == "ENDPOINT" && a.Document["endpointConfig"] == nil &&
		len(a.Endpoints) == 0 && inner(a.Document, "advertiseInfo")["advertised"] != true
}

// needsTiers tells whether somebody must subscribe to call the API: not where only client certificates or API keys are asked for.
func (a *apiRecord) needsTiers() bool {
	return !a.Product && slices.ContainsFunc(a.names("securityScheme"), func(s string) bool { return s == "oauth2" || s == "basic_auth" })
}

// moved stores a record in another state. A retired one loses its revisions and its subscriptions (seen).
func (c *call) moved(a *apiRecord, to string) *apiRecord {
	changed := *a
	now := c.server.now()
	changed.State, changed.UpdatedTime = to, now
	changed.History = append(slices.Clone(a.History), lifecycleEvent{a.State, to, c.owner(), now})
	if to == "RETIRED" {
		changed.Revisions = []revision{}
		c.tenant.removeSubscriptionsTo(a.ID)
	}
	c.keepAPI(&changed)
	return &changed
}

// published does what the check list asks for when an API is published: "Deprecate old versions after publishing the API:true,Requires
// re-subscription when publishing the API:false".
func (c *call) published(a *apiRecord, checklist string) {
	asked := map[string]string{}
	for item := range strings.SplitSeq(checklist, ",") {
		if name, value, has := strings.Cut(item, ":"); has {
			asked[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	for _, old := range c.tenant.APIs.values() {
		if old.ID == a.ID || old.field("name") != a.field("name") || old.State != "PUBLISHED" {
			continue
		}
		if strings.EqualFold(asked[deprecateOld], "true") {
			c.moved(old, "DEPRECATED")
		}
		if strings.EqualFold(asked[resubscribe], "false") {
			for _, s := range c.tenant.Subscriptions.values() {
				if s.API == old.ID && c.tenant.subscriptionOf(s.Application, a.ID) == nil {
					c.tenant.Subscriptions.add(&subscription{ID: newID(), Application: s.Application, API: a.ID, Policy: s.Policy, Status: s.Status})
				}
			}
		}
	}
}
