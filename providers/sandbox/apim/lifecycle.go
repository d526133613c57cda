package apim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A transition is one action that a lifecycle state allows.
type transition struct{ event, to string }

// lifecycle is the default lifecycle of an API; the actions stand in the order in which the server
// lists them.
var lifecycle = map[string][]transition{
	"CREATED":    {{"Publish", "PUBLISHED"}, {"Deploy as a Prototype", "PROTOTYPED"}},
	"PROTOTYPED": {{"Publish", "PUBLISHED"}, {"Demote to Created", "CREATED"}, {"Deploy as a Prototype", "PROTOTYPED"}},
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

func stateOf(a *apiRecord) lifecycleState {
	out := lifecycleState{State: a.State[:1] + strings.ToLower(a.State[1:]), CheckItems: []any{}, AvailableTransitions: []availableTransition{}}
	for _, t := range lifecycle[a.State] {
		out.AvailableTransitions = append(out.AvailableTransitions, availableTransition{Event: t.event}) // [seen]: the target is left empty
	}
	return out
}

func readLifecycle(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	return ok(stateOf(a))
}

func changeLifecycle(c *call) *answer {
	query := c.request.URL.Query()
	a, bad := c.ownAPI(query.Get("apiId"))
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
		if t.to == "PUBLISHED" && len(a.names("policies")) == 0 {
			return refuse(http.StatusBadRequest, 903224, "Failed to publish service to API store. No Tiers selected",
				"Failed to publish service to API store. No Tiers selected for API with UUID "+a.ID)
		}
		changed := *a
		changed.State, changed.UpdatedTime = t.to, c.server.now()
		c.keepAPI(&changed)
		if t.to == "RETIRED" {
			c.tenant.removeSubscriptionsTo(a.ID)
		}
		return ok(struct {
			WorkflowStatus string         `json:"workflowStatus"`
			JSONPayload    string         `json:"jsonPayload"`
			LifecycleState lifecycleState `json:"lifecycleState"`
		}{"APPROVED", "", stateOf(&changed)})
	}
	return refuse(http.StatusBadRequest, 903234, "Unsupported state change action",
		fmt.Sprintf("Lifecycle state change action %s is not allowed for this API. Allowed actions are [%s]", action, strings.Join(events, ", ")))
}

// A revision is a snapshot of an API's working copy.
type revision struct {
	ID          string         `json:"id"`
	DisplayName string         `json:"displayName"`
	Description *string        `json:"description"`
	CreatedTime time.Time      `json:"createdTime"`
	Document    map[string]any `json:"document"`
	Deployments []deployment   `json:"deployments"`
}

// deployment is the DTO of a revision in a gateway environment.
type deployment struct {
	RevisionUUID         *string `json:"revisionUuid"`
	Name                 *string `json:"name" is:"min=1,max=255"`
	Status               *string `json:"status"`
	VHost                *string `json:"vhost" is:"min=1,max=255"`
	DisplayOnDevportal   *bool   `json:"displayOnDevportal"`
	DeployedTime         *string `json:"deployedTime"`
	SuccessDeployedTime  *string `json:"successDeployedTime"`
	LiveGatewayCount     *int64  `json:"liveGatewayCount"`
	DeployedGatewayCount *int64  `json:"deployedGatewayCount"`
	FailedGatewayCount   *int64  `json:"failedGatewayCount"`
}

func (d *deployment) defaults() { d.DisplayOnDevportal = ptr(true) }

func revisionRoutes() []route {
	view := []string{"apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish", "apim:api_import_export"}
	change := []string{"apim:api_create", "apim:api_manage", "apim:api_publish", "apim:api_import_export"}
	return []route{
		get(publisher, "/apis/{api}/revisions", view, listRevisions),
		post(publisher, "/apis/{api}/revisions", change, createRevision),
		get(publisher, "/apis/{api}/revisions/{revision}", view, readRevision),
		remove(publisher, "/apis/{api}/revisions/{revision}", change, deleteRevision),
		post(publisher, "/apis/{api}/deploy-revision", change, deployRevision),
		post(publisher, "/apis/{api}/undeploy-revision", change, undeployRevision),
	}
}

func shownRevision(api string, r revision) map[string]any {
	deployed := r.Deployments
	if deployed == nil {
		deployed = []deployment{}
	}
	return map[string]any{"displayName": r.DisplayName, "id": r.ID, "description": r.Description, "createdTime": stamp(r.CreatedTime),
		"apiInfo": map[string]any{"id": api}, "deploymentInfo": deployed}
}

func listRevisions(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	deployed := c.request.URL.Query().Get("query")
	var out []map[string]any
	for _, r := range a.Revisions {
		if deployed == "deployed:true" && len(r.Deployments) == 0 || deployed == "deployed:false" && len(r.Deployments) > 0 {
			continue
		}
		out = append(out, shownRevision(a.ID, r))
	}
	return all(out)
}

// maxRevisions is how many revisions an API may have.
const maxRevisions = 5

func createRevision(c *call) *answer {
	var body struct {
		DisplayName    any     `json:"displayName"`
		ID             any     `json:"id"`
		Description    *string `json:"description" is:"min=0,max=255"`
		CreatedTime    any     `json:"createdTime"`
		APIInfo        any     `json:"apiInfo"`
		DeploymentInfo any     `json:"deploymentInfo"`
	}
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	if len(a.Revisions) >= maxRevisions {
		return refuse(http.StatusBadRequest, 900351, "Maximum number of revisions per API has been reached",
			"Maximum number of revisions per API has been reached. Need to remove stale revision to create a new Revision for API with id:"+a.ID)
	}
	changed := *a
	changed.Made++
	r := revision{ID: newID(), DisplayName: "Revision " + strconv.Itoa(changed.Made), Description: body.Description, CreatedTime: c.server.now(),
		Document: cloneMap(a.Document)}
	changed.Revisions = append(append([]revision{}, a.Revisions...), r)
	c.keepAPI(&changed)
	return created(publisher.location+"/apis/"+a.ID+"/revisions/"+r.ID, shownRevision(a.ID, r))
}

// ownRevision finds a revision of the API of the path and returns its place.
func (c *call) ownRevision(id string) (*apiRecord, int, *answer) {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return nil, 0, bad
	}
	for i, r := range a.Revisions {
		if r.ID == id {
			return a, i, nil
		}
	}
	return nil, 0, refuse(http.StatusNotFound, 900347, "API Revision Not Found", "Requested API Revision with id "+id+" not found")
}

func readRevision(c *call) *answer {
	a, i, bad := c.ownRevision(c.vars["revision"])
	if bad != nil {
		return bad
	}
	return ok(shownRevision(a.ID, a.Revisions[i]))
}

// withRevision replaces the revisions of an API by a changed copy.
func (c *call) withRevisions(a *apiRecord, revisions []revision) *apiRecord {
	changed := *a
	changed.Revisions = revisions
	c.keepAPI(&changed)
	return &changed
}

func deleteRevision(c *call) *answer {
	id := c.vars["revision"]
	a, i, bad := c.ownRevision(id)
	if bad != nil {
		return bad
	}
	if len(a.Revisions[i].Deployments) > 0 {
		return refuse(http.StatusBadRequest, 900348, "Can not delete API Revision ", "Couldn't delete API revision since API revision is currently deployed "+
			"to a gateway. You need to undeploy the API Revision from the gateway before attempting deleting API Revision: "+id+" ")
	}
	left := append(append([]revision{}, a.Revisions[:i]...), a.Revisions[i+1:]...)
	a = c.withRevisions(a, left)
	var out []map[string]any
	for _, r := range a.Revisions {
		out = append(out, shownRevision(a.ID, r))
	}
	return all(out)
}

// readDeployments reads the list of environments of a deploy or undeploy.
func (c *call) readDeployments() ([]deployment, *answer) {
	var list []deployment
	if bad := readBody(c.body, &list); bad != nil {
		return nil, bad
	}
	for _, d := range list {
		e := c.tenant.Environments.find(func(e *environment) bool { return *e.Name == text(d.Name) })
		if e == nil {
			return nil, refuse(http.StatusBadRequest, 900504, "Invalid Gateway Environment",
				"Gateway Environment with name 'name '"+text(d.Name)+"'' not found")
		}
		hosted := false
		for _, h := range e.VHosts {
			hosted = hosted || d.VHost == nil || *h.Host == *d.VHost
		}
		if !hosted {
			return nil, refuse(http.StatusBadRequest, 900512, "Invalid virtual host name provided", "Virtual host with provided vhost name does not exist")
		}
	}
	return list, nil
}

func deployRevision(c *call) *answer {
	id := c.request.URL.Query().Get("revisionId")
	a, i, bad := c.ownRevision(id)
	if bad != nil {
		return bad
	}
	wanted, bad := c.readDeployments()
	if bad != nil {
		return bad
	}
	revisions := append([]revision{}, a.Revisions...)
	out := []deployment{}
	for _, d := range wanted {
		d.RevisionUUID, d.Status, d.DeployedTime, d.SuccessDeployedTime = ptr(id), ptr("APPROVED"), ptr(stamp(c.server.now())), nil
		d.LiveGatewayCount, d.DeployedGatewayCount, d.FailedGatewayCount = ptr(int64(0)), ptr(int64(0)), ptr(int64(0))
		for j := range revisions { // one revision per environment
			revisions[j].Deployments = withoutEnvironment(revisions[j].Deployments, *d.Name)
		}
		revisions[i].Deployments = append(revisions[i].Deployments, d)
		out = append(out, d)
	}
	c.withRevisions(a, revisions)
	return reply(http.StatusCreated, out)
}

func undeployRevision(c *call) *answer {
	id := c.request.URL.Query().Get("revisionId")
	a, i, bad := c.ownRevision(id)
	if bad != nil {
		return bad
	}
	wanted, bad := c.readDeployments()
	if bad != nil {
		return bad
	}
	revisions := append([]revision{}, a.Revisions...)
	for _, d := range wanted {
		revisions[i].Deployments = withoutEnvironment(revisions[i].Deployments, text(d.Name))
	}
	c.withRevisions(a, revisions)
	out := revisions[i].Deployments
	if out == nil {
		out = []deployment{}
	}
	return reply(http.StatusCreated, out)
}

func withoutEnvironment(list []deployment, name string) []deployment {
	var out []deployment
	for _, d := range list {
		if text(d.Name) != name {
			out = append(out, d)
		}
	}
	return out
}

// deployedTo tells whether a revision of any API is deployed to an environment.
func (t *tenant) deployedTo(environment string) bool {
	for _, a := range t.APIs.list {
		for _, r := range a.Revisions {
			for _, d := range r.Deployments {
				if text(d.Name) == environment {
					return true
				}
			}
		}
	}
	return false
}

// stamp writes a time as the documents say of revisions and deployments.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// millis writes a time as the server writes most of them: milliseconds since 1970, in a string.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
