package gateway

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A table finds what serves a request. It holds the contents in the form in which they are looked up.
type table struct {
	contents      *Contents
	byContext     map[string]*api
	patterns      map[string]*pattern // by target
	keys          map[string]*Key     // by key manager and consumer key
	applications  map[string]*Application
	subscriptions map[string]*Subscription // by application and API
}

// An api is an API in the form in which it is looked up.
type api struct {
	*API
	operations []*operation
	table      *table
}

type operation struct {
	*Operation
	*pattern
}

// A pattern is what a target matches.
type pattern struct {
	matches *regexp.Regexp
	literal int // characters that are no variables: the more, the better the match
	exact   bool
}

// newTable makes a table; patterns that the former had are taken over.
func newTable(c *Contents, former *table) *table {
	t := &table{contents: c, byContext: map[string]*api{}, patterns: map[string]*pattern{}, keys: map[string]*Key{}, applications: map[string]*Application{},
		subscriptions: map[string]*Subscription{}}
	var made []*api
	for _, a := range c.APIs {
		one := &api{API: a, table: t}
		one.operations = t.operations(a, former)
		made = append(made, one)
		t.byContext[a.Context] = one
	}
	for _, a := range made { // a version's own context goes before the default version's
		if a.DefaultContext != "" && t.byContext[a.DefaultContext] == nil {
			t.byContext[a.DefaultContext] = a
		}
	}
	for i := range c.Keys {
		k := &c.Keys[i]
		t.keys[k.KeyManager+"\x00"+k.ConsumerKey] = k
	}
	for i := range c.Applications {
		t.applications[c.Applications[i].ID] = &c.Applications[i]
	}
	for i := range c.Subscriptions {
		s := &c.Subscriptions[i]
		t.subscriptions[s.Application+"\x00"+s.API] = s
	}
	return t
}

// pattern returns that of a target.
func (t *table) pattern(target string, former *table) *pattern {
	p := t.patterns[target]
	if p == nil && former != nil {
		p = former.patterns[target]
	}
	if p == nil {
		p = compile(target)
	}
	t.patterns[target] = p
	return p
}

// api returns the API with the longest context that an escaped path begins with, and the path behind it: at least "/".
func (t *table) api(path string) (*api, string) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '/') {
		context, err := url.PathUnescape(path[:end])
		if err != nil {
			return nil, ""
		}
		if a := t.byContext[strings.TrimSuffix(context, "/")]; a != nil {
			rest := path[end:]
			if !strings.HasPrefix(rest, "/") {
				rest = "/" + rest
			}
			return a, rest
		}
	}
	return nil, ""
}

func (t *table) operations(a *API, former *table) []*operation {
	out := make([]*operation, 0, len(a.Operations))
	for i := range a.Operations {
		o := &a.Operations[i]
		out = append(out, &operation{o, t.pattern(o.Target, former)})
	}
	// Exact targets first, then those with the most literal text.
	slices.SortStableFunc(out, func(a, b *operation) int {
		if a.exact != b.exact {
			if a.exact {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.literal, a.literal)
	})
	return out
}

// compile makes a pattern of a target: "{id}" is a segment, "*" is anything, and "/*" at the end is also nothing.
func compile(target string) *pattern {
	p := &pattern{exact: !strings.ContainsAny(target, "*{")}
	var b strings.Builder
	b.WriteByte('^')
	rest, wild := strings.CutSuffix(target, "/*")
	for rest != "" {
		i := strings.IndexAny(rest, "{*")
		if i < 0 {
			i = len(rest)
		}
		b.WriteString(regexp.QuoteMeta(rest[:i]))
		p.literal += i
		if rest = rest[i:]; rest == "" {
			break
		}
		end := strings.IndexByte(rest, '}')
		if rest[0] == '*' || end < 0 {
			b.WriteString(".*")
			rest = rest[1:]
			continue
		}
		b.WriteString("[^/]+")
		rest = rest[end+1:]
	}
	if wild {
		b.WriteString("(/.*)?$")
	} else {
		b.WriteString("/?$")
	}
	p.matches = regexp.MustCompile(b.String()) // made of quoted text
	return p
}

// serves tells whether an operation of the API has this verb.
func (a *api) serves(verb string) bool {
	return slices.ContainsFunc(a.operations, func(o *operation) bool { return strings.EqualFold(o.Verb, verb) })
}

// find returns the operation of a method and a path behind the context.
func (a *api) find(method, path string) (*operation, *fault) {
	if a.Type == "GRAPHQL" {
		// Its operations are fields of the schema and are looked at when the query is read.
		if method != http.MethodPost && method != http.MethodGet || strings.Trim(path, "/") != "" {
			return nil, status(http.StatusNotFound, "Runtime Error", "No matching resource found for given API Request")
		}
		return &operation{&Operation{Target: "/*", Verb: method, Policy: "Unlimited"}, nil}, nil
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		decoded = path
	}
	known := false
	for _, o := range a.operations {
		if !o.matches.MatchString(path) && !o.matches.MatchString(decoded) {
			continue
		}
		if strings.EqualFold(o.Verb, method) || method == http.MethodHead && strings.EqualFold(o.Verb, http.MethodGet) {
			return o, nil
		}
		known = true
	}
	if known {
		return nil, status(http.StatusMethodNotAllowed, "Runtime Error", "Method not allowed for given API resource")
	}
	return nil, status(http.StatusNotFound, "Runtime Error", "No matching resource found for given API Request")
}
