package apim

import (
	"net/http"
	"strings"
)

// validateAPI tells whether an API of a name ("name:Pizza") or of a context ("context:/pizza") exists, by the database and not by the index that
// lists come from: 200, or 404 with the error of an unknown API.
func validateAPI(c *call) *answer {
	attribute, value, _ := strings.Cut(c.request.URL.Query().Get("query"), ":")
	value = strings.Trim(value, `"`)
	switch attribute {
	case "name":
		if c.tenant.APIs.find(func(a *apiRecord) bool { return strings.EqualFold(a.field("name"), value) }) != nil {
			return empty(http.StatusOK)
		}
	case "context":
		context, bad := c.apiContext(value)
		if bad != nil {
			return bad
		}
		if c.tenant.APIs.find(func(a *apiRecord) bool { return a.field("context") == context }) != nil {
			return empty(http.StatusOK)
		}
	default:
		return badRequest("The query must be name:… or context:…")
	}
	return notFound("API", value)
}
