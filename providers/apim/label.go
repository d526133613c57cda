package apim

import (
	"net/http"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// label marks APIs in the publisher (apim-behaviour 3.6). What is said of names was seen on API
// Manager's own code.
func label(p *Provider) engine.Type {
	return &attached{timings: &p.timings, noun: "label", refused: http.StatusConflict, Collection: &rest.Collection{
		Client:       &p.client,
		Path:         admin + "/labels",
		NoItem:       true,
		Paging:       rest.Paging{Items: "list"},
		ListComplete: true,
		BlankStrings: true,
		Type: &schema.Type{
			Name: "apim_label",
			Doc:  "A label by which the publisher tells APIs apart. Names are unique, upper and lower case alike; a new name is a change in place.",
			Key:  []string{"name"},
			Block: schema.Block{Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
				{Name: "name", Type: cty.String, Required: true, Validate: lengthIn(1, 255), Doc: "Name."},
				{Name: "description", Type: cty.String, Validate: lengthIn(0, 1024), Doc: "What it is for."},
			}},
		},
	}}
}
