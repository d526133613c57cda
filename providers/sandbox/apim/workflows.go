package apim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// workflow is something that waits, or has waited, for an approval.
type workflow struct {
	ReferenceID string            `json:"referenceId"`
	Type        string            `json:"workflowType"` // "AM_APPLICATION_CREATION"
	Status      string            `json:"workflowStatus"`
	CreatedTime string            `json:"createdTime"`
	UpdatedTime string            `json:"updatedTime"`
	Properties  map[string]string `json:"properties"`
	Description string            `json:"description"`
	Subject     string            `json:"subject"` // id of the application or subscription
}

func (w *workflow) rowID() string { return w.ReferenceID }

var (
	workflowView    = []string{"apim:admin", "apim:api_workflow_view"}
	workflowApprove = []string{"apim:admin", "apim:api_workflow_approve"}
)

func workflowRoutes() []route {
	return []route{
		get(admin, "/workflows", workflowView, listWorkflows),
		get(admin, "/workflows/{workflow}", workflowView, readWorkflow),
		post(admin, "/workflows/update-workflow-status", workflowApprove, decideWorkflow),
	}
}

// waits starts a workflow when the server is configured to ask for an approval of this kind, and tells so.
func (c *call) waits(kind, subject, description string, properties map[string]string) bool {
	if !slices.Contains(c.server.options.Approvals, kind) {
		return false
	}
	now := c.server.now().UTC().Format(workflowTime)
	c.tenant.Workflows.add(&workflow{newID(), kind, "CREATED", now, now, properties, description, subject})
	return true
}

const workflowTime = "2006-01-02 15:04:05.000"

// shown is a workflow as it is answered: without the AM_ of its type and the server's own fields.
func (w *workflow) shown() map[string]any {
	return map[string]any{"workflowType": strings.TrimPrefix(w.Type, "AM_"), "workflowStatus": w.Status, "createdTime": w.CreatedTime, "updatedTime": w.UpdatedTime,
		"referenceId": w.ReferenceID, "properties": w.Properties, "description": w.Description}
}

// listWorkflows lists what waits, of one type when the request names it. Its links stand beside the list (seen).
func listWorkflows(c *call) *answer {
	query := c.request.URL.Query()
	limit, bad := number(query, "limit", 25)
	if bad != nil {
		return bad
	}
	offset, bad := number(query, "offset", 0)
	if bad != nil {
		return bad
	}
	list := []any{}
	for _, w := range c.tenant.Workflows.list {
		if kind := query.Get("workflowType"); w.Status == "CREATED" && (kind == "" || kind == w.Type) {
			list = append(list, w.shown())
		}
	}
	limit, offset = max(limit, 0), max(offset, 0)
	at := func(offset int) string { return fmt.Sprintf("/workflows?limit=%d&offset=%d", limit, offset) }
	next, previous := "", ""
	if offset+limit < len(list) {
		next = at(offset + limit)
	}
	if offset > 0 && offset < len(list) {
		previous = at(max(offset-limit, 0))
	}
	cut := list[min(offset, len(list)):min(offset+limit, len(list))]
	return ok(map[string]any{"count": len(cut), "next": next, "previous": previous, "list": cut})
}

func workflowNotFound() *answer {
	return refuse(http.StatusNotFound, 900551, "Workflow error", "Workflow entry cannot be found for the given reference id")
}

func readWorkflow(c *call) *answer {
	w := c.tenant.Workflows.get(c.vars["workflow"])
	if w == nil {
		return workflowNotFound()
	}
	return ok(w.shown())
}

// decideWorkflow approves or rejects what waits, which takes effect at once.
func decideWorkflow(c *call) *answer {
	var body struct {
		Status      *string           `json:"status" is:"required" enum:"APPROVED,REJECTED"`
		Attributes  map[string]string `json:"attributes"`
		Description *string           `json:"description"`
	}
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	old := c.tenant.Workflows.get(c.request.URL.Query().Get("workflowReferenceId"))
	switch {
	case old == nil:
		return workflowNotFound()
	case old.Status != "CREATED":
		return refuse(http.StatusPreconditionFailed, 900557, "Workflow error", "No pending workflow task for the given reference id")
	}
	w := *old
	w.Status, w.UpdatedTime = *body.Status, c.server.now().UTC().Truncate(time.Millisecond).Format(workflowTime)
	c.tenant.Workflows.replace(&w)
	approved := w.Status == "APPROVED"
	switch w.Type {
	case "AM_APPLICATION_CREATION":
		if a := c.tenant.Applications.get(w.Subject); a != nil {
			changed := *a
			changed.Status = body.Status
			c.tenant.Applications.replace(&changed)
		}
	case "AM_SUBSCRIPTION_CREATION":
		if s := c.tenant.Subscriptions.get(w.Subject); s != nil {
			changed := *s
			changed.Status = map[bool]string{true: "UNBLOCKED", false: "REJECTED"}[approved]
			c.tenant.Subscriptions.replace(&changed)
		}
	}
	return ok(map[string]any{"status": w.Status, "attributes": body.Attributes, "description": body.Description})
}
