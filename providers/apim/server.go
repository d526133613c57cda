package apim

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"wso2plan/providers/rest"
)

// timings bound what is waited for.
type timings struct {
	keyManager time.Duration // until the developer portal offers a key manager
	restricted time.Duration // the same for one that its permissions may hide from us
	keys       time.Duration // until keys can be generated
	visible    time.Duration // until the developer portal shows an API
	indexed    time.Duration // until the publisher lists an API that it has
	inUse      time.Duration // until the index of usages has caught up with deletions
}

var defaultTimings = timings{keyManager: 90 * time.Second, restricted: 5 * time.Second, keys: 30 * time.Second, visible: 90 * time.Second, indexed: 5 * time.Second, inUse: 60 * time.Second}

// within returns the timings that a limit of the user's leaves; 0 leaves them as they are.
func (t timings) within(limit time.Duration) timings {
	if limit > 0 {
		t.keyManager, t.keys, t.visible, t.inUse = limit, limit, limit, limit
		t.restricted = min(t.restricted, limit)
	}
	return t
}

// server answers questions about the server that several types ask. What does not change while we
// run is asked once.
type server struct {
	client *rest.Client

	polls singleflight.Group // of lists that many wait by

	gateways once[knownGateways] // for deployments
	noLabels once[bool]          // whether there is no label that an API could have
	attached atomic.Bool         // we attached labels, which may have been made since that was asked
	owned    ownedIDs            // of subscriptions and API products
	holders  holders             // of documents and pictures
	scopes   *scopeTurns

	connectors once[map[string]connector]
	attributes once[map[string]declared]
}

// keyManagerInfo is an item of the lists of key managers.
type keyManagerInfo struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Enabled  bool   `json:"enabled"`
	IsGlobal bool   `json:"isGlobal"`
}

// keyManagers lists key managers as the API at base (admin or devportal) knows them. It is not
// paged.
func (s *server) keyManagers(ctx context.Context, base string) ([]keyManagerInfo, error) {
	var out []keyManagerInfo
	err := s.client.GetList(ctx, base+"/key-managers", nil, "list", &out)
	return out, rest.Unfound(err)
}

// offered lists the key managers that the developer portal offers. Those who wait for key managers of
// their own at the same time share one request, so its answer may be a little older than the call.
func (s *server) offered(ctx context.Context) ([]keyManagerInfo, error) {
	list, err, _ := s.polls.Do("offered", func() (any, error) { return s.keyManagers(ctx, devportal) })
	found, _ := list.([]keyManagerInfo)
	return found, err
}

// residentID returns the id of the tenant's resident key manager.
func (s *server) residentID(ctx context.Context) (string, error) {
	list, err := s.keyManagers(ctx, admin)
	if err != nil {
		return "", err
	}
	for _, k := range list {
		if k.Name == residentKeyManager {
			return k.ID, nil
		}
	}
	return "", fmt.Errorf("API Manager lists no key manager named %q, which every tenant has: "+
		"its realm cannot be told. Is the endpoint API Manager's, and may the user see key managers?", residentKeyManager)
}

// A connector is a type of key manager that is installed, with the properties that it takes.
type connector struct {
	properties map[string]property
	order      []string // of the properties
	endpoints  []string // those that are required, by the connector's names
}

type property struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Type     string `json:"type"` // input, select, options, checkbox
	Required bool   `json:"required"`
	Mask     bool   `json:"mask"`
	Multiple bool   `json:"multiple"`
	Default  any    `json:"default"`
}

// installed returns the connectors by type name (apim-behaviour 3.1). The resident key manager's,
// "default", is not among them on API Manager's own code.
func (s *server) installed(ctx context.Context) (map[string]connector, error) {
	return s.connectors.get(ctx, func(ctx context.Context) (map[string]connector, error) {
		var settings struct {
			Types []struct {
				Type           string     `json:"type"`
				Configurations []property `json:"configurations"`
				Endpoints      []property `json:"endpointConfigurations"`
			} `json:"keyManagerConfiguration"`
		}
		if err := s.client.Get(ctx, admin+"/settings", nil, &settings); err != nil {
			return nil, rest.Unfound(err)
		}
		out := map[string]connector{}
		for _, t := range settings.Types {
			c := connector{properties: map[string]property{}}
			for _, p := range t.Configurations {
				c.properties[p.Name] = p
				c.order = append(c.order, p.Name)
			}
			for _, p := range t.Endpoints {
				if p.Required {
					c.endpoints = append(c.endpoints, p.Name)
				}
			}
			out[t.Type] = c
		}
		return out, nil
	})
}

// declared is an attribute that the server's configuration lets applications have.
type declared struct{ required, hidden bool }

// applicationAttributes returns the declared attributes by name (apim-behaviour 4.1).
func (s *server) applicationAttributes(ctx context.Context) (map[string]declared, error) {
	return s.attributes.get(ctx, func(ctx context.Context) (map[string]declared, error) {
		var answer []struct {
			Name     string `json:"attribute"`
			Required any    `json:"required"` // a string by the contract, a boolean in practice
			Hidden   any    `json:"hidden"`
		}
		if err := s.client.GetList(ctx, devportal+"/settings/application-attributes", nil, "list", &answer); err != nil {
			return nil, rest.Unfound(err)
		}
		out := map[string]declared{}
		for _, a := range answer {
			out[a.Name] = declared{required: truth(a.Required), hidden: truth(a.Hidden)}
		}
		return out, nil
	})
}

func truth(v any) bool { return strings.EqualFold(fmt.Sprint(v), "true") }

// usages names what uses a key manager: applications that hold keys of it, and APIs that name it.
func (s *server) usages(ctx context.Context, id string) (applications, apis []string, err error) {
	path := admin + "/key-managers/" + url.PathEscape(id)
	var apps struct {
		Count int `json:"applicationCount"`
		List  []struct {
			Name  string `json:"name"`
			Owner string `json:"owner"`
		} `json:"applications"`
	}
	var list struct {
		Count int `json:"apiCount"`
		List  []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"apis"`
	}
	for offset := 0; ; offset += usagePage {
		if err := s.client.Get(ctx, path+"/app-usages", page(offset), &apps); err != nil {
			return nil, nil, err
		}
		for _, a := range apps.List {
			applications = append(applications, fmt.Sprintf("application %q of %s", a.Name, a.Owner))
		}
		if len(apps.List) < usagePage || len(applications) >= apps.Count {
			break
		}
		apps.List = nil
	}
	for offset := 0; ; offset += usagePage {
		if err := s.client.Get(ctx, path+"/api-usages", page(offset), &list); err != nil {
			return nil, nil, err
		}
		for _, a := range list.List {
			apis = append(apis, fmt.Sprintf("API %q %s", a.Name, a.Version))
		}
		if len(list.List) < usagePage || len(apis) >= list.Count {
			break
		}
		list.List = nil
	}
	slices.Sort(applications)
	slices.Sort(apis)
	// A server that does not page answers with the same items again.
	return slices.Compact(applications), slices.Compact(apis), nil
}

const usagePage = 100

func page(offset int) url.Values {
	return url.Values{"offset": {fmt.Sprint(offset)}, "limit": {fmt.Sprint(usagePage)}}
}

// once holds what is asked for at most once; a failure is not kept. Safe for concurrent use.
type once[T any] struct {
	mu     sync.Mutex
	asking chan struct{} // closed when who asks now has an answer; nil: nobody does
	done   bool
	val    T
}

func (o *once[T]) get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	return o.find(ctx, func(T) bool { return true }, ask)
}

// find is get of an answer that will do; an answer that will not is asked for again, since what it
// lacks may have been made.
func (o *once[T]) find(ctx context.Context, will func(T) bool, ask func(context.Context) (T, error)) (T, error) {
	for {
		o.mu.Lock()
		if o.done && will(o.val) {
			defer o.mu.Unlock()
			return o.val, nil
		}
		other := o.asking
		if other == nil {
			break
		}
		o.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
	o.asking = make(chan struct{})
	o.mu.Unlock()
	val, err := ask(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.asking)
	if o.asking = nil; err != nil {
		var none T
		return none, err
	}
	o.val, o.done = val, true
	return val, nil
}

// quoted lists the keys of m for people: "a", "b" and "c".
func quoted[V any](m map[string]V) string {
	names := slices.Sorted(maps.Keys(m))
	for i := range names {
		names[i] = fmt.Sprintf("%q", names[i])
	}
	return listed(names)
}

// listed joins names for people: a, b and c.
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
