package gateway

import (
	"net/http"
	"slices"
	"strings"
)

// serverCORS is what a gateway answers for APIs that have no configuration of their own ([apim.cors] of a fresh pack).
var serverCORS = &CORS{
	Origins: []string{"*"},
	Headers: []string{"authorization", "Access-Control-Allow-Origin", "Content-Type", "SOAPAction", "apikey", "Internal-Key"},
	Methods: []string{"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"},
}

// cors sets the headers of an answer to a page of another origin. They are on every answer once a resource was found, refusals among them.
func (c *call) cors(h http.Header) {
	config := c.api.CORS
	if config == nil {
		config = serverCORS
	}
	origin := c.request.Header.Get("Origin")
	switch {
	case slices.Contains(config.Origins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
	case origin != "" && slices.Contains(config.Origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		if config.Credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	default:
		return
	}
	var methods []string
	for _, m := range config.Methods {
		if c.api.Type == "GRAPHQL" || c.sameTarget(m) {
			methods = append(methods, m)
		}
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ","))
	allowed := strings.Join(config.Headers, ",")
	if allowed == "*" {
		allowed = c.request.Header.Get("Access-Control-Request-Headers")
	}
	h.Set("Access-Control-Allow-Headers", allowed)
}

// sameTarget tells whether the resource of the call is served with a verb.
func (c *call) sameTarget(verb string) bool {
	return slices.ContainsFunc(c.api.operations, func(o *operation) bool {
		return o.Target == c.operation.Target && strings.EqualFold(o.Verb, verb)
	})
}
