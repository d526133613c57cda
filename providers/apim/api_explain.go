package apim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// explainDefinition points at the definition that the server refused.
func explainDefinition(err error) error {
	if s := rest.StatusOf(err); s == http.StatusBadRequest || s == http.StatusUnsupportedMediaType {
		return &engine.AttributeError{Attribute: "definition", Summary: "Definition refused", Err: err}
	}
	return err
}

// explainAPI points at the attribute that a refusal speaks of, and looks up what the server has in its
// place.
func (p *Provider) explainAPI(ctx context.Context, planned cty.Value, err error) error {
	if err == nil {
		return nil
	}
	var known *engine.AttributeError
	if errors.As(err, &known) {
		return err
	}
	at := func(attribute, summary string, err error) error {
		return &engine.AttributeError{Attribute: attribute, Summary: summary, Err: err}
	}
	ctx = context.WithoutCancel(ctx)
	switch rest.CodeOf(err) {
	case "900305":
		return at("policies", "Unknown subscription policy", p.lacking(ctx, err, "subscription policy", "apim_subscription_throttling_policy", publisher+"/throttling-policies/subscription", stringsOf(plain(planned, "policies"))))
	case "900345":
		return at("categories", "Unknown API category", p.lacking(ctx, err, "API category", "apim_api_category", publisher+"/api-categories", stringsOf(plain(planned, "categories"))))
	case "900610", "900602", "900607":
		return p.unknownRole(ctx, planned, err)
	case "900251", "900252", "900253":
		return at("context", "Context refused", fmt.Errorf("%w; choose another context, which no API has", err))
	case "900250":
		return at("name", "Name in another case", fmt.Errorf("%w; write the name as that API does, or choose another", err))
	case "900344":
		return at("operation", "Operation used by an API product", fmt.Errorf("%w; take it from the product first", err))
	case "903250":
		return p.unknownRole(ctx, planned, err)
	case "903204", "900988":
		return at("scope", "Scope of another API", fmt.Errorf("%w; share it with apim_shared_scope, or choose another name", err))
	case "900346":
		return at("properties", "Properties or addresses refused", err)
	case "902007", "902008", "902009", "902010", "902011", "903015":
		return at("operation", "Operation policy refused", err)
	case "902000":
		return at("endpoint", "Endpoint secret missing", err)
	case "903205":
		return at("transport", "Unknown transport", err)
	}
	if rest.StatusOf(err) == http.StatusBadRequest && isKnown(plain(planned, "definition")) && strings.Contains(strings.ToLower(err.Error()), "definition") {
		return explainDefinition(err)
	}
	return err
}

// lacking says which of the wanted names a list of the server lacks, and of which type it can be made.
func (p *Provider) lacking(ctx context.Context, refusal error, noun, typ, path string, wanted []string) error {
	c := &rest.Collection{Client: &p.client, Path: path, ID: "name", Paging: rest.Paging{Style: rest.LimitOffset}}
	have := map[string]bool{}
	for raw, err := range c.Elements(ctx, nil) {
		if err != nil {
			return refusal
		}
		have[nameOf(raw)] = true
	}
	for _, name := range wanted {
		if !have[name] {
			others := "leave it out, since there is none yet"
			if len(have) > 0 {
				others = fmt.Sprintf("use one of %s", quoted(have))
			}
			return fmt.Errorf("API Manager has no %s %q; make it with %s, or %s: %w", noun, name, typ, others, refusal)
		}
	}
	return refusal
}

// makeRole says what to do about a role that does not exist: no REST API of API Manager makes one.
const makeRole = "name one that exists, or add it in the management console (Users and Roles), since no API can"

// unknownRole says which of the roles that an API names does not exist.
func (p *Provider) unknownRole(ctx context.Context, planned cty.Value, refusal error) error {
	for _, attribute := range []string{"visible_roles", "access_control_roles"} {
		for _, role := range stringsOf(plain(planned, attribute)) {
			if p.roleMissing(ctx, role) {
				return &engine.AttributeError{Attribute: attribute, Summary: "Unknown role", Err: fmt.Errorf("API Manager knows no role %q; "+makeRole+": %w", role, refusal)}
			}
		}
	}
	for _, scope := range knownList(planned, "scope") {
		for _, role := range stringsOf(plain(scope, "roles")) {
			if p.roleMissing(ctx, role) {
				return &engine.AttributeError{Attribute: "scope", Summary: "Unknown role",
					Err: fmt.Errorf("API Manager knows no role %q, which scope %q is bound to; "+makeRole+": %w", role, knownString(scope, "name"), refusal)}
			}
		}
	}
	return &engine.AttributeError{Attribute: "visible_roles", Summary: "Unknown role", Err: refusal}
}

func (p *Provider) roleMissing(ctx context.Context, role string) bool {
	err := p.client.Call(ctx, rest.Request{Method: http.MethodHead, Path: publisher + "/roles/" + base64.RawURLEncoding.EncodeToString([]byte(role))}, nil)
	return errors.Is(err, engine.ErrNotFound)
}

// knownGateways are the gateway environments, by name: their hosts and their ids.
type knownGateways struct {
	hosts map[string][]string
	ids   map[string]string
}

// checkEnvironments finds that an environment does not exist before anything is made: the server says
// so only when the API stands already.
func (p *Provider) checkEnvironments(ctx context.Context, planned cty.Value) error {
	for _, d := range knownList(planned, "deployment") {
		name, vhost := knownString(d, "environment"), knownString(d, "vhost")
		hosts, all, err := p.environment(ctx, name)
		switch {
		case err != nil:
			return nil // a server that does not tell; it will refuse what it must
		case hosts == nil:
			return &engine.AttributeError{Attribute: "deployment", Summary: "Unknown gateway environment",
				Err: fmt.Errorf("API Manager has no gateway environment %q; it has %s. Make it with apim_gateway_environment, or use one of these", name, quoted(all))}
		case vhost != "" && !slices.Contains(hosts, vhost):
			return &engine.AttributeError{Attribute: "deployment", Summary: "Unknown virtual host",
				Err: fmt.Errorf("the gateway environment %q has no virtual host %q; use one that it has, or leave out vhost: %s", name, vhost, listed(hosts))}
		}
	}
	return nil
}

// environment returns the hosts of a gateway environment, nil when there is none of that name, and
// all environments. What is known is not asked for again; what is not may have been made since.
func (p *Provider) environment(ctx context.Context, name string) (hosts []string, all map[string][]string, err error) {
	now, err := p.environments(ctx, name)
	return now.hosts[name], now.hosts, err
}

// environments returns the gateway environments, as remembered if that of name is among them.
func (p *Provider) environments(ctx context.Context, name string) (knownGateways, error) {
	return p.server.gateways.find(ctx, func(g knownGateways) bool { return g.hosts[name] != nil }, p.readEnvironments)
}

func (p *Provider) readEnvironments(ctx context.Context) (knownGateways, error) {
	var settings struct {
		Environments []struct {
			ID     string `json:"id"`
			Name   string `json:"name"`
			VHosts []struct {
				Host string `json:"host"`
			} `json:"vhosts"`
		} `json:"environment"`
	}
	if err := p.client.Get(ctx, publisher+"/settings", nil, &settings); err != nil {
		return knownGateways{}, err
	}
	now := knownGateways{hosts: map[string][]string{}, ids: map[string]string{}}
	for _, e := range settings.Environments {
		hosts := []string{}
		for _, h := range e.VHosts {
			if !slices.Contains(hosts, h.Host) {
				hosts = append(hosts, h.Host)
			}
		}
		now.hosts[e.Name], now.ids[e.Name] = hosts, e.ID
	}
	return now, nil
}

// environmentID returns the id of a gateway environment, by its name.
func (p *Provider) environmentID(ctx context.Context, name string) (string, error) {
	now, err := p.environments(ctx, name)
	if err != nil {
		return "", rest.Unfound(err)
	}
	if now.hosts[name] == nil {
		return "", fmt.Errorf("API Manager has no gateway environment %q; it has %s: %w", name, quoted(now.hosts), engine.ErrNotFound)
	}
	return now.ids[name], nil
}

// environmentName returns the name of a gateway environment, by its id.
func (p *Provider) environmentName(ctx context.Context, id string) (string, error) {
	now, err := p.environments(ctx, "") // none has no name, so that all are read
	if err != nil {
		return "", rest.Unfound(err)
	}
	for name, known := range now.ids {
		if known == id {
			return name, nil
		}
	}
	return "", fmt.Errorf("API Manager has no gateway environment with the id %q: %w", id, engine.ErrNotFound)
}

// firstHost returns the first virtual host of a gateway environment, "" when it cannot be told.
func (p *Provider) firstHost(ctx context.Context, environment string) string {
	hosts, _, err := p.environment(ctx, environment)
	if err != nil || len(hosts) == 0 {
		return ""
	}
	return hosts[0]
}

// subscribed remembers how many subscriptions APIs had when a plan asked.
type subscribed struct {
	mu sync.Mutex
	n  map[string]int
}

func (s *subscribed) set(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == nil {
		s.n = map[string]int{}
	}
	s.n[id] = n
}

func (s *subscribed) get(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n[id]
}

// ownedIDs remembers the ids that are read one by one, which are those of objects that we own.
type ownedIDs struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (o *ownedIDs) add(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids = map[string]bool{}
	}
	o.ids[id] = true
}

func (o *ownedIDs) has(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ids[id]
}

// A subscriber is a subscription as the publisher lists it.
type subscriber struct{ id, text string }

// subscribers lists the subscriptions to an API or a product.
func (p *Provider) subscribers(ctx context.Context, api string) ([]subscriber, error) {
	c := &rest.Collection{Client: &p.client, Path: publisher + "/subscriptions", ID: "subscriptionId", Paging: rest.Paging{Style: rest.LimitOffset}}
	var out []subscriber
	for raw, err := range c.Elements(ctx, url.Values{"apiId": {api}}) {
		if err != nil {
			return nil, err
		}
		id, _ := raw["subscriptionId"].(string)
		app, _ := raw["applicationInfo"].(map[string]any)
		text := fmt.Sprintf("the subscription of application %q", nameOf(app))
		for _, member := range []string{"subscriber", "owner"} {
			if owner, ok := app[member].(string); ok && owner != "" {
				text += " of " + owner
				break
			}
		}
		out = append(out, subscriber{id, text})
	}
	slices.SortFunc(out, func(x, y subscriber) int { return strings.Compare(x.text, y.text) })
	return out, nil
}

// productsOf names the API products that use operations of an API; of those whose ids wanted refuses
// nothing is said.
func (p *Provider) productsOf(ctx context.Context, api string, wanted func(id string) bool) ([]string, error) {
	var raw struct {
		Operations []struct {
			Verb     string   `json:"verb"`
			Target   string   `json:"target"`
			Products []string `json:"usedProductIds"`
		} `json:"operations"`
	}
	if err := p.client.Get(ctx, publisher+"/apis/"+url.PathEscape(api), nil, &raw); err != nil {
		return nil, err
	}
	uses := map[string][]string{}
	for _, o := range raw.Operations {
		for _, id := range o.Products {
			if wanted(id) {
				uses[id] = append(uses[id], o.Verb+" "+o.Target)
			}
		}
	}
	var out []string
	for id, operations := range uses {
		var product map[string]any
		name := id
		if err := p.client.Get(ctx, publisher+"/api-products/"+url.PathEscape(id), nil, &product); err == nil && nameOf(product) != "" {
			name = fmt.Sprintf("%q", nameOf(product))
		}
		out = append(out, fmt.Sprintf("API product %s, of which %s is an operation", name, some(operations)))
	}
	slices.Sort(out)
	return out, nil
}

// subscriptionsOf names the subscriptions to an API that we do not own.
func (p *Provider) subscriptionsOf(ctx context.Context, api string) ([]string, error) {
	list, err := p.subscribers(ctx, api)
	var out []string
	for _, s := range list {
		if !p.server.owned.has(s.id) {
			out = append(out, s.text)
		}
	}
	return out, err
}
