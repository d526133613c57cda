package apim

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A revision is a snapshot of a working copy.
type revision struct {
	ID          string    `json:"id"`
	DisplayName string    `json:"displayName"`
	Description *string   `json:"description"`
	CreatedTime time.Time `json:"createdTime"`
	working
	Documents   []keptDocument `json:"documents,omitempty"`
	Deployments []deployment   `json:"deployments"`
}

// number is the one in a revision's name; at is its place.
func (r *revision) number(at int) int {
	if n, err := strconv.Atoi(strings.TrimPrefix(r.DisplayName, "Revision ")); err == nil {
		return n
	}
	return at + 1
}

// deployment is the DTO of a revision in a gateway environment. Times are milliseconds since 1970, whole seconds (seen; the documents call them texts).
type deployment struct {
	RevisionUUID         *string `json:"revisionUuid" is:"min=0,max=255"`
	Name                 *string `json:"name" is:"min=1,max=255"`
	Status               *string `json:"status" enum:"CREATED,APPROVED,REJECTED"`
	VHost                *string `json:"vhost" is:"min=1,max=255" pattern:"^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]*[a-zA-Z0-9])\\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\\-]*[A-Za-z0-9])$"`
	DisplayOnDevportal   *bool   `json:"displayOnDevportal"`
	DeployedTime         any     `json:"deployedTime"`
	SuccessDeployedTime  any     `json:"successDeployedTime"`
	LiveGatewayCount     *int64  `json:"liveGatewayCount"`
	DeployedGatewayCount *int64  `json:"deployedGatewayCount"`
	FailedGatewayCount   *int64  `json:"failedGatewayCount"`
}

func (d *deployment) defaults() { d.DisplayOnDevportal, d.Status = ptr(true), ptr("CREATED") }

func revisionRoutes() []route {
	view := []string{"apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish", "apim:api_import_export", "apim:api_product_import_export"}
	change := []string{"apim:api_create", "apim:api_manage", "apim:api_publish", "apim:api_import_export"}
	deploy := []string{"apim:api_create", "apim:api_manage", "apim:api_publish"}
	undeploy := append(slices.Clone(change), "apim:api_product_import_export")
	var out []route
	for _, base := range []string{"/apis/{api}", "/api-products/{api}"} {
		out = append(out,
			get(publisher, base+"/revisions", view, listRevisions),
			post(publisher, base+"/revisions", change, createRevision),
			get(publisher, base+"/revisions/{revision}", view, readRevision),
			remove(publisher, base+"/revisions/{revision}", change, deleteRevision),
			get(publisher, base+"/deployments", deploymentView, listDeployments),
			put(publisher, base+"/deployments/{deployment}", deploy, updateDeployment),
			post(publisher, base+"/deploy-revision", deploy, deployRevision),
			post(publisher, base+"/undeploy-revision", undeploy, undeployRevision),
			anyBody(post(publisher, base+"/restore-revision", deploy, restoreRevision)))
	}
	return append(out, remove(publisher, "/apis/{api}/cancel-revision-workflow/{revision}/{environment}", deploy, cancelDeployment))
}

var deploymentView = []string{"apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish"}

// seconds is a time as answers on revisions write it.
func seconds(t time.Time) int64 { return t.Unix() * 1000 }

func shownRevision(api string, r revision) map[string]any {
	deployed := r.Deployments
	if deployed == nil {
		deployed = []deployment{}
	}
	return map[string]any{"displayName": r.DisplayName, "id": r.ID, "description": r.Description, "createdTime": seconds(r.CreatedTime),
		"apiInfo": map[string]any{"id": api}, "deploymentInfo": deployed}
}

// listRevisions answers also for APIs that there are not: with none (seen).
func listRevisions(c *call) *answer {
	a, bad := c.record()
	if bad != nil {
		return all([]any{})
	}
	deployed := c.request.URL.Query().Get("query")
	out := []map[string]any{}
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
		DisplayName    *string      `json:"displayName"`
		ID             *string      `json:"id"`
		Description    *string      `json:"description" is:"min=0,max=255"`
		CreatedTime    any          `json:"createdTime"`
		APIInfo        any          `json:"apiInfo"`
		DeploymentInfo []deployment `json:"deploymentInfo"`
	}
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	a, bad := c.record()
	if bad != nil {
		return internal("Error while adding new API Revision for API : " + c.vars["api"])
	}
	if a.thirdParty() {
		return refuse(http.StatusBadRequest, 903225, "Creating API Revisions is not supported for third party APIs",
			"Creating API Revisions is not supported for third party APIs: "+a.ID)
	}
	if len(a.Revisions) >= maxRevisions {
		return refuse(http.StatusBadRequest, 900351, "Can not create API Revision ", "Maximum number of revisions per API has reached."+
			"Need to remove any revision to create a new Revision for API with API UUID: "+a.ID)
	}
	changed := *a
	changed.Made++
	r := revision{ID: newID(), DisplayName: "Revision " + strconv.Itoa(changed.Made), Description: body.Description, CreatedTime: c.server.now(),
		working: a.working}
	if !a.Product {
		r.working = a.reissuedAlike()
	}
	r.Documents = a.Documents
	if a.Product {
		r.Members = map[string]working{}
		for _, m := range objects(a.Document["apis"]) {
			if member := c.tenant.APIs.get(textOf(m, "apiId")); member != nil {
				r.Members[member.ID] = member.working
			}
		}
	}
	changed.Revisions = append(slices.Clone(a.Revisions), r)
	c.keepAPI(&changed)
	return created(publisher.location+c.recordPath(a)+"/revisions/"+r.ID, shownRevision(a.ID, r))
}

// thirdParty tells an API that others serve: it has no revisions (seen).
func (a *apiRecord) thirdParty() bool {
	return inner(a.Document, "advertiseInfo")["advertised"] == true
}

func (c *call) recordPath(a *apiRecord) string {
	if a.Product {
		return "/api-products/" + a.ID
	}
	return "/apis/" + a.ID
}

// ownRevision finds a revision of the API of the path and returns its place.
func (c *call) ownRevision(id string) (*apiRecord, int, *answer) {
	a, bad := c.record()
	if bad != nil {
		return nil, 0, bad
	}
	if i := slices.IndexFunc(a.Revisions, func(r revision) bool { return r.ID == id }); i >= 0 {
		return a, i, nil
	}
	if id == "" {
		id = "null"
	}
	return nil, 0, refuse(http.StatusNotFound, 900347, "API Revision Not Found", "Requested API Revision with id "+id+" not found")
}

// readRevision is not there, whatever the documents say (seen): a revision is read by the list, or as an API by its own id.
func readRevision(*call) *answer {
	return reply(http.StatusNotImplemented, map[string]any{"code": 501, "message": "Not Implemented", "description": "The requested resource has not been implemented",
		"moreInfo": nil, "error": []any{}})
}

// withRevisions replaces the revisions of an API by a changed copy.
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
	a = c.withRevisions(a, slices.Delete(slices.Clone(a.Revisions), i, i+1))
	out := []map[string]any{}
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
		name := "null"
		if d.Name != nil {
			name = *d.Name
		}
		e := c.tenant.Environments.find(func(e *environment) bool { return *e.Name == name })
		switch {
		case e == nil:
			return nil, c.noEnvironment(name)
		case d.VHost == nil:
			return nil, refuse(http.StatusBadRequest, 900511, "Gateway Environment virtual hosts name not provided", "Gateway Environment VHOST name not provided")
		case !c.ofProducts() && !slices.ContainsFunc(e.VHosts, func(h vhost) bool { return *h.Host == *d.VHost }):
			return nil, refuse(http.StatusBadRequest, 900512, "Invalid virtual host name provided", "Virtual host with provided vhost name does not exist")
		}
	}
	return list, nil
}

// noEnvironment refuses to deploy to, or to take from, an environment that there is not.
func (c *call) noEnvironment(name string) *answer {
	if c.ofProducts() {
		return refuse(http.StatusBadRequest, 903233, "Gateway environment not found", "Provided gateway environment "+name+" is not found")
	}
	return refuse(http.StatusBadRequest, 900504, "Invalid Gateway Environment", "Gateway Environment with name 'name '"+name+"'' not found")
}

func deployRevision(c *call) *answer {
	id := c.request.URL.Query().Get("revisionId")
	if a, bad := c.record(); bad == nil && !a.Product && a.State == "RETIRED" {
		return refuse(http.StatusBadRequest, 903227, "Deploying API Revisions is not supported for retired APIs",
			"Deploying API Revisions is not supported for retired APIs. ApiId: "+a.ID)
	} else if bad == nil && a.thirdParty() {
		return refuse(http.StatusBadRequest, 903226, "Deploying API Revisions is not supported for third party APIs",
			"Deploying API Revisions is not supported for third party APIs: "+a.ID)
	}
	wanted, bad := c.readDeployments() // before there is looked for the revision (seen)
	if bad != nil {
		return bad
	}
	a, i, bad := c.ownRevision(id)
	if bad != nil {
		return bad
	}
	revisions := slices.Clone(a.Revisions)
	for _, d := range wanted {
		d.RevisionUUID, d.Status, d.DeployedTime, d.SuccessDeployedTime = ptr(id), ptr("APPROVED"), seconds(c.server.now()), nil
		if a.Product {
			d.Status = nil // (seen)
		}
		d.LiveGatewayCount, d.DeployedGatewayCount, d.FailedGatewayCount = ptr(int64(0)), ptr(int64(0)), ptr(int64(0))
		for j := range revisions { // one revision per environment
			revisions[j].Deployments = withoutEnvironment(revisions[j].Deployments, *d.Name)
		}
		revisions[i].Deployments = append(slices.Clone(revisions[i].Deployments), d)
	}
	c.withRevisions(a, revisions)
	return reply(http.StatusCreated, append([]deployment{}, revisions[i].Deployments...))
}

// undeployRevision takes a revision, named by its id or its name, out of environments; its virtual hosts are not looked at (seen).
func undeployRevision(c *call) *answer {
	query := c.request.URL.Query()
	id := query.Get("revisionId")
	if name := query.Get("revisionName"); id == "" && name != "" {
		if a, bad := c.record(); bad == nil {
			if i := slices.IndexFunc(a.Revisions, func(r revision) bool { return r.DisplayName == name }); i >= 0 {
				id = a.Revisions[i].ID
			}
		}
	}
	var wanted []deployment
	if bad := readBody(c.body, &wanted); bad != nil {
		return bad
	}
	for _, d := range wanted {
		name := "null"
		if d.Name != nil {
			name = *d.Name
		}
		if c.tenant.Environments.find(func(e *environment) bool { return *e.Name == name }) == nil {
			return c.noEnvironment(name)
		}
	}
	a, i, bad := c.ownRevision(id)
	if bad != nil {
		return bad
	}
	revisions := slices.Clone(a.Revisions)
	for _, d := range wanted {
		revisions[i].Deployments = withoutEnvironment(revisions[i].Deployments, text(d.Name))
	}
	c.withRevisions(a, revisions)
	out := append([]deployment{}, revisions[i].Deployments...)
	for j := range out {
		out[j].Status = nil // in this answer alone (seen)
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

// restoreRevision makes a revision the working copy.
func restoreRevision(c *call) *answer {
	a, i, bad := c.ownRevision(c.request.URL.Query().Get("revisionId"))
	if bad != nil {
		return bad
	}
	changed := *a
	changed.UpdatedTime, changed.Documents = c.server.now(), copiedDocuments(a.Revisions[i].Documents)
	if bad := c.usedByProducts(a, a.Revisions[i].Document); bad != nil && !a.Product {
		return refuse(http.StatusBadRequest, 900364, "Cannot remove the resource paths because they are used by one or more API Products",
			"Cannot restore API "+a.field("name")+":"+a.field("version")+", as some resources used by one or more API Products will be removed")
	}
	if a.Product && c.tenant.lacksOperations(a.Revisions[i].Document) {
		return refuse(http.StatusBadRequest, 900365, "Cannot restore revision as one or more resources are missing from the associated APIs",
			"Cannot restore API Product "+a.field("name")+":"+a.field("version")+", as one or more resources are missing from the associated APIs")
	}
	if a.Product {
		changed.working = a.Revisions[i].working
		changed.Members = nil
		c.keepAPI(&changed)
		return reply(http.StatusCreated, c.shownProduct(&changed))
	}
	changed.working = c.restored(a, &a.Revisions[i])
	changed.Document["isDefaultVersion"] = a.Document["isDefaultVersion"] // which version is the default is kept apart (seen)
	changed.Writes++
	c.keepAPI(&changed)
	out := c.shownAPI(&changed)
	out["visibleOrganizations"] = changed.Document["visibleOrganizations"] // shown as stored (seen)
	return reply(http.StatusCreated, out)
}

// listDeployments answers also for APIs that there are not: with none (seen).
func listDeployments(c *call) *answer {
	out := []deployment{}
	if a, bad := c.record(); bad == nil {
		for _, r := range a.Revisions {
			out = append(out, r.Deployments...)
		}
	}
	return ok(out)
}

// updateDeployment changes whether an environment is shown in the devportal. The id is the environment's name in base64url.
func updateDeployment(c *call) *answer {
	var body deployment
	body.defaults()
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	a, i, bad := c.ownRevision(text(body.RevisionUUID))
	if bad != nil {
		return bad
	}
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(c.vars["deployment"], "="))
	name := string(decoded)
	there := func(d deployment) bool { return text(d.Name) == name }
	if err != nil || !slices.ContainsFunc(a.Revisions, func(r revision) bool { return slices.ContainsFunc(r.Deployments, there) }) {
		return refuse(http.StatusNotFound, 900356, "Existing Deployment Not Found", "Deployment with "+strings.ToValidUTF8(name, "\ufffd")+" not found")
	}
	at := slices.IndexFunc(a.Revisions[i].Deployments, there)
	if at < 0 { // of another revision: nothing is changed, and shown (seen)
		none := ptr(int64(0))
		return ok(deployment{DisplayOnDevportal: ptr(false), LiveGatewayCount: none, DeployedGatewayCount: none, FailedGatewayCount: none})
	}
	revisions := slices.Clone(a.Revisions)
	revisions[i].Deployments = slices.Clone(revisions[i].Deployments)
	revisions[i].Deployments[at].DisplayOnDevportal = body.DisplayOnDevportal
	out := revisions[i].Deployments[at]
	c.withRevisions(a, revisions)
	out.Status = nil // in this answer alone (seen)
	return ok(out)
}

// cancelDeployment cancels a deployment that waits for approval. Without one it does nothing.
func cancelDeployment(c *call) *answer {
	if _, _, bad := c.ownRevision(c.vars["revision"]); bad != nil {
		return bad
	}
	return empty(http.StatusOK)
}

// deployedTo tells whether a revision of any API is deployed to an environment.
func (t *tenant) deployedTo(environment string) bool {
	return slices.ContainsFunc(slices.Concat(t.APIs.list, t.Products.list), func(a *apiRecord) bool {
		return slices.ContainsFunc(a.Revisions, func(r revision) bool {
			return slices.ContainsFunc(r.Deployments, func(d deployment) bool { return text(d.Name) == environment })
		})
	})
}

// stamp writes a time as the documents say of most times.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// millis writes a time as the server writes most of them: milliseconds since 1970, in a string.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
