package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// apiCategory groups APIs in the developer portal (apim-behaviour 3.5).
func apiCategory(p *Provider) engine.Type {
	return &attached{timings: &p.timings, noun: "category", refused: http.StatusInternalServerError, Collection: &rest.Collection{
		Client:       &p.client,
		Path:         admin + "/api-categories",
		NoItem:       true,
		Paging:       rest.Paging{Items: "list"},
		ListComplete: true,
		BlankStrings: true,
		UpdateStrip:  []string{"numberOfAPIs"},
		Type: &schema.Type{
			Name: "apim_api_category",
			Doc:  "A category under which the developer portal shows APIs. APIs name it. Names are unique, upper and lower case alike.",
			Key:  []string{"name"},
			Block: schema.Block{Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
				// A name in a PUT is ignored: 200, and the old name [seen].
				{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: categoryName, Doc: "Name, without blanks and special characters."},
				{Name: "description", Type: cty.String, Validate: lengthIn(0, 1024), Doc: "What it is for."},
			}},
		},
	}}
}

// categoryName refuses what API Manager refuses.
func categoryName(v cty.Value) error {
	if err := lengthIn(1, 255)(v); err != nil {
		return err
	}
	if name := v.AsString(); strings.ContainsAny(name, "~!@#;:%^*()={}|\\<>\",&$[]? \t\n") {
		return fmt.Errorf("%q holds blanks or special characters, which API Manager refuses", name)
	}
	return nil
}

// attached is the type of what APIs are attached to: it cannot be deleted before the last of them is
// gone, and API Manager counts them in an index that lags behind (apim-behaviour 2.5).
type attached struct {
	*rest.Collection
	timings *timings
	noun    string
	refused int // the status with which the deletion of one in use is refused
}

// Delete removes the object. A refusal is believed after a while.
func (t *attached) Delete(ctx context.Context, live *engine.Object) error {
	var refusal error
	what := fmt.Sprintf("no API has the %s %q", t.noun, knownString(live.Value, "name"))
	err := t.Client.Wait(ctx, what, t.timings.inUse, func(ctx context.Context) (bool, error) {
		err := t.Collection.Delete(ctx, live)
		if rest.StatusOf(err) != t.refused {
			return err == nil, err
		}
		// Deleting what is gone is refused with the same status (apim-behaviour 10: categories).
		if _, rerr := t.Read(ctx, live.ID); errors.Is(rerr, engine.ErrNotFound) {
			return true, nil
		}
		refusal = err
		return false, nil
	})
	if err == nil || refusal == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s %q is in use by APIs: %w", t.noun, knownString(live.Value, "name"), refusal)
}
