package apim

import (
	"net/http"
	"net/url"
	"strings"
)

// An api is one of the server's REST APIs.
type api struct {
	base     string // path before its operations
	location string // path before those of Location headers: without the version (apim-behaviour 10)
}

var (
	admin     = api{"/api/am/admin/v4", "/api/am/admin"}
	devportal = api{"/api/am/devportal/v3", "/api/am/devportal"}
	publisher = api{"/api/am/publisher/v4", "/api/am/publisher"}
	dcr       = api{"/client-registration/v0.17", "/client-registration/v0.17"}
)

const (
	jsonBody = "application/json"
	formBody = "multipart/form-data"
)

// A route is one operation: what it is called by, which scopes open it (one of them is enough; none
// is open to all), and what it does.
type route struct {
	api      api
	method   string
	path     string // "/applications/{application}"
	scopes   []string
	run      func(*call) *answer
	consumes string // the Content-Type of its body; empty: it takes none, or any
	produces string
	unlocked bool // it locks the contents by itself, because it calls other servers
	withKeys bool // it reads an application with its keys, which asks their key managers first
}

// get, post, put, patch and remove are the ordinary rows of the table.
func get(a api, path string, scopes []string, run func(*call) *answer) route {
	return route{api: a, method: http.MethodGet, path: path, scopes: scopes, run: run, produces: jsonBody}
}

func post(a api, path string, scopes []string, run func(*call) *answer) route {
	return route{api: a, method: http.MethodPost, path: path, scopes: scopes, run: run, consumes: jsonBody, produces: jsonBody}
}

func put(a api, path string, scopes []string, run func(*call) *answer) route {
	return route{api: a, method: http.MethodPut, path: path, scopes: scopes, run: run, consumes: jsonBody, produces: jsonBody}
}

func patch(a api, path string, scopes []string, run func(*call) *answer) route {
	return route{api: a, method: http.MethodPatch, path: path, scopes: scopes, run: run, consumes: jsonBody, produces: jsonBody}
}

func remove(a api, path string, scopes []string, run func(*call) *answer) route {
	return route{api: a, method: http.MethodDelete, path: path, scopes: scopes, run: run, produces: jsonBody}
}

// alone marks a route whose operation locks the contents by itself.
func alone(r route) route {
	r.unlocked = true
	return r
}

// withKeys marks a route that reads an application with its keys: the server asks the key manager of
// each, and fails where one does not answer (seen).
func withKeys(r route) route {
	r.withKeys = true
	return r
}

// anyBody marks a route whose body, if it has one, may be of any type.
func anyBody(r route) route {
	r.consumes = ""
	return r
}

// form marks a route whose body is a multipart form. What is none is an exception in the server (seen).
func form(r route) route {
	run := r.run
	r.consumes = formBody
	r.run = func(c *call) *answer {
		if !c.readForm() {
			return internal("")
		}
		return run(c)
	}
	return r
}

// A table finds the route of a request.
type table struct {
	bySize map[int][]*compiledRoute // by the number of segments
}

type compiledRoute struct {
	route
	segments []string
	literal  int // how many segments are no variables
}

func newTable(rows []route) *table {
	t := &table{bySize: map[int][]*compiledRoute{}}
	for _, r := range rows {
		c := &compiledRoute{route: r, segments: split(r.api.base + r.path)}
		for _, s := range c.segments {
			if !strings.HasPrefix(s, "{") {
				c.literal++
			}
		}
		t.bySize[len(c.segments)] = append(t.bySize[len(c.segments)], c)
	}
	return t
}

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// find returns the route of a method and an escaped path with the values of its variables. The
// route with the most literal segments wins. Other tells that the path is served with another
// method.
func (t *table) find(method, escaped string) (found *route, vars map[string]string, other bool) {
	segments := split(escaped)
	best := -1
	for _, c := range t.bySize[len(segments)] {
		if !c.matches(segments) {
			continue
		}
		if c.method != method {
			other = true
			continue
		}
		if c.literal > best {
			found, best = &c.route, c.literal
			vars = c.variables(segments)
		}
	}
	return found, vars, other
}

func (c *compiledRoute) matches(segments []string) bool {
	for i, s := range c.segments {
		if !strings.HasPrefix(s, "{") && s != segments[i] {
			return false
		}
	}
	return true
}

func (c *compiledRoute) variables(segments []string) map[string]string {
	vars := map[string]string{}
	for i, s := range c.segments {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			value, err := url.PathUnescape(segments[i])
			if err != nil {
				value = segments[i]
			}
			vars[strings.TrimSuffix(name, "}")] = value
		}
	}
	return vars
}
