package apim

import (
	"net/http"
	"strings"
)

// validateAPI tells whether an API or a product of a name ("name:Pizza", without case) or an API of a context ("context:/pizza") exists, by the
// database and not by the index that lists come from: 200 or 404, neither with a body (seen).
func validateAPI(c *call) *answer {
	query := c.request.URL.Query()
	if !query.Has("query") {
		return violations([]violation{{"validateAPI.arg0", "must not be null"}})
	}
	attribute, value, has := strings.Cut(query.Get("query"), ":")
	if !has {
		attribute, value = "name", query.Get("query")
	}
	context, bad := c.apiContext(value, "")
	named := func(a *apiRecord) bool { return attribute == "name" && strings.EqualFold(a.field("name"), value) }
	found := c.tenant.APIs.find(func(a *apiRecord) bool {
		return named(a) || attribute == "context" && bad == nil && a.field("context")+"/"+a.field("version") == context
	})
	if found == nil && c.tenant.Products.find(named) == nil {
		return empty(http.StatusNotFound)
	}
	return empty(http.StatusOK)
}
