package apim

import (
	"context"
	"net/url"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// workflowTypes are the kinds of approval that can be asked for.
var workflowTypes = []string{
	"AM_APPLICATION_CREATION", "AM_APPLICATION_DELETION", "AM_APPLICATION_REGISTRATION_PRODUCTION", "AM_APPLICATION_REGISTRATION_SANDBOX",
	"AM_SUBSCRIPTION_CREATION", "AM_SUBSCRIPTION_UPDATE", "AM_SUBSCRIPTION_DELETION", "AM_USER_SIGNUP", "AM_API_STATE", "AM_API_PRODUCT_STATE", "AM_REVISION_DEPLOYMENT",
}

// workflowType is the table of the data source apim_workflow (apim-behaviour 3.10).
func workflowType() *schema.Type {
	return &schema.Type{
		Name:     "apim_workflow",
		DataOnly: true,
		Doc: "What waits for an approval in the admin portal. Where approvals are configured, applications, subscriptions, keys and API states take " +
			"effect when somebody has given one; wso2plan gives none.",
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "type", Type: cty.String, Enum: workflowTypes, Doc: "Kind of approval. Default: all."},
			{Name: "pending", Type: cty.List(cty.Object(map[string]cty.Type{
				"reference_id": cty.String, "workflow_type": cty.String, "workflow_status": cty.String, "description": cty.String,
				"created_time": cty.String, "updated_time": cty.String, "properties": cty.Map(cty.String),
			})), ReadOnly: true, Doc: "What waits: `reference_id`, `workflow_type`, `workflow_status` (`CREATED`), `description`, `created_time`, `updated_time` and `properties`, in the order of the server."},
		}},
	}
}

// workflow reads what waits for an approval.
type workflow struct {
	client *rest.Client
	table  *schema.Type
}

func newWorkflow(p *Provider) engine.Finder { return &workflow{&p.client, workflowType()} }

// Schema returns the table.
func (t *workflow) Schema() *schema.Type { return t.table }

// Find lists what waits, page by page.
func (t *workflow) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	kind := knownString(wanted, "type")
	filter := url.Values{}
	if kind != "" {
		filter.Set("workflowType", kind)
	}
	list := &rest.Collection{Client: t.client, Path: admin + "/workflows", ID: "referenceId", Paging: rest.Paging{Style: rest.LimitOffset}}
	pending := []any{}
	for raw, err := range list.Elements(ctx, filter) {
		if err != nil {
			return nil, err
		}
		pending = append(pending, raw)
	}
	v, err := rest.Decode(&t.table.Block, map[string]any{"pending": pending})
	if err != nil {
		return nil, err
	}
	attrs := v.AsValueMap()
	if kind != "" {
		attrs["type"] = cty.StringVal(kind)
	}
	return &engine.Object{ID: "workflows " + kind, Value: cty.ObjectVal(attrs)}, nil
}
