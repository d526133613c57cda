package apim

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// maxRevisions is how many revisions an API may have (apim-behaviour 5.3).
const maxRevisions = 5

// revisionMark begins the description of a revision that we made; what follows is the digest of
// what it serves, by which we tell whether it is still up to date. The server has no such flag
// (apim-behaviour 5.3).
const revisionMark = "wso2plan "

// A revision is a snapshot of an API.
type revision struct {
	ID          string       `json:"id"`
	Name        string       `json:"displayName"`
	Description string       `json:"description"`
	Created     any          `json:"createdTime"` // a text by the contract, milliseconds on the real code [seen]
	Deployments []deployment `json:"deploymentInfo"`
}

// A deployment is a revision at a gateway environment.
type deployment struct {
	Name   string  `json:"name"`
	VHost  *string `json:"vhost,omitempty"`
	Shown  *bool   `json:"displayOnDevportal,omitempty"`
	Status string  `json:"status,omitempty"`
}

// digest returns the digest in the description of a revision, "" when it is not ours.
func (r *revision) digest() string {
	d, ok := strings.CutPrefix(r.Description, revisionMark)
	if !ok {
		return ""
	}
	return d
}

// stands reports whether a deployment is not waiting for an approval.
func (d *deployment) stands() bool { return d.Status == "" || d.Status == "APPROVED" }

// revisions lists the revisions of an element, the oldest first.
func (s *deployable) revisions(ctx context.Context, id string) ([]revision, error) {
	var out []revision
	if err := s.client.GetList(ctx, s.item(id)+"/revisions", nil, "list", &out); err != nil {
		return nil, rest.Unfound(err)
	}
	slices.SortStableFunc(out, func(x, y revision) int {
		// Names are numbered and never used again; created times can be equal.
		return cmp.Or(cmp.Compare(len(x.Name), len(y.Name)), strings.Compare(x.Name, y.Name))
	})
	return out, nil
}

// A deploying is what is to be deployed.
type deploying struct {
	digest  string
	wanted  []deployment // where; the whole of it
	renewed []string     // environments that are to serve what is there now
	force   bool         // a secret was written, of which the digest does not tell
}

// deploy makes the gateways serve what is wanted: a new revision where what they serve differs from
// digest, the same one where only the host or what the portal shows does. Environments that are not
// wanted are left.
func (s *deployable) deploy(ctx context.Context, id string, d deploying) error {
	list, err := s.revisions(ctx, id)
	if err != nil {
		return err
	}
	type place struct {
		revision   *revision
		deployment *deployment
	}
	at := map[string]place{}
	for i := range list {
		for j := range list[i].Deployments {
			if dep := &list[i].Deployments[j]; dep.stands() {
				at[dep.Name] = place{&list[i], dep}
			}
		}
	}
	var leave, fresh []deployment
	for name, p := range at {
		if !slices.ContainsFunc(d.wanted, func(w deployment) bool { return w.Name == name }) {
			leave = append(leave, deployment{Name: name, VHost: p.deployment.VHost})
		}
	}
	slices.SortFunc(leave, func(x, y deployment) int { return strings.Compare(x.Name, y.Name) })
	for _, l := range leave {
		if err := s.undeploy(ctx, id, at[l.Name].revision.ID, l); err != nil {
			return fmt.Errorf("undeploying from %s: %w", l.Name, err)
		}
	}
	for _, w := range d.wanted {
		p, there := at[w.Name]
		moves := there && w.VHost != nil && p.deployment.VHost != nil && *w.VHost != *p.deployment.VHost
		stale := slices.Contains(d.renewed, w.Name) && (d.force || there && p.revision.digest() != d.digest)
		switch {
		case !there || moves || stale:
			if there && w.VHost == nil {
				w.VHost = p.deployment.VHost
			}
			if w.VHost == nil {
				// APIM 4.5 refuses a deployment without a host [seen].
				if host := s.host(ctx, w.Name); host != "" {
					w.VHost = &host
				}
			}
			if there && w.Shown == nil {
				w.Shown = p.deployment.Shown
			}
			fresh = append(fresh, w)
		case w.Shown != nil && p.deployment.Shown != nil && *w.Shown != *p.deployment.Shown:
			w.VHost = p.deployment.VHost
			if err := s.show(ctx, id, p.revision.ID, w); err != nil {
				return fmt.Errorf("changing what the developer portal shows of %s: %w", w.Name, err)
			}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	made, err := s.revision(ctx, id, d, fresh)
	if err != nil {
		return err
	}
	var answer []deployment
	err = s.client.Call(ctx, rest.Request{Method: http.MethodPost, Path: s.item(id) + "/deploy-revision",
		Query: url.Values{"revisionId": {made}}, Body: fresh, Idempotent: true}, &answer)
	if err != nil {
		return explainDeployment(err)
	}
	for _, a := range answer {
		if !a.stands() {
			return &engine.AttributeError{Attribute: "deployment", Summary: "Deployment waits for an approval",
				Err: fmt.Errorf("the deployment to %s is asked for and not done; approve it in the admin portal and apply again", a.Name)}
		}
	}
	return nil
}

func explainDeployment(err error) error {
	switch rest.CodeOf(err) {
	case "900504":
		return &engine.AttributeError{Attribute: "deployment", Summary: "Unknown gateway environment", Err: fmt.Errorf("%w; use one that the admin portal lists", err)}
	case "900511", "900512":
		return &engine.AttributeError{Attribute: "deployment", Summary: "Unknown virtual host", Err: fmt.Errorf("%w; use one of the environment, or leave out vhost", err)}
	case "902005":
		return &engine.AttributeError{Attribute: "deployment", Summary: "Deployment waits for an approval", Err: fmt.Errorf("%w; approve or reject it in the admin portal first", err)}
	}
	return err
}

// undeploy takes a revision from an environment.
func (s *deployable) undeploy(ctx context.Context, id, revision string, d deployment) error {
	err := s.client.Call(ctx, rest.Request{Method: http.MethodPost, Path: s.item(id) + "/undeploy-revision",
		Query: url.Values{"revisionId": {revision}}, Body: []deployment{d}, Idempotent: true}, nil)
	return rest.Unfound(err)
}

// show changes whether the portal shows a deployment.
func (s *deployable) show(ctx context.Context, id, revision string, d deployment) error {
	err := s.client.Call(ctx, rest.Request{Method: http.MethodPut,
		Path: s.item(id) + "/deployments/" + base64.RawURLEncoding.EncodeToString([]byte(d.Name)),
		Body: map[string]any{"revisionUuid": revision, "name": d.Name, "vhost": d.VHost, "displayOnDevportal": d.Shown}}, nil)
	if errors.Is(err, engine.ErrNotFound) {
		// How a deployment is named in this path is not sure (apim-behaviour 5.3); deploying the
		// same revision again says the same.
		err = s.client.Call(ctx, rest.Request{Method: http.MethodPost, Path: s.item(id) + "/deploy-revision",
			Query: url.Values{"revisionId": {revision}}, Body: []deployment{d}, Idempotent: true}, nil)
	}
	return rest.Unfound(err)
}

// revision returns the id of a revision of what is there now, making one where there is none, for
// deployment to the environments of fresh.
func (s *deployable) revision(ctx context.Context, id string, d deploying, fresh []deployment) (string, error) {
	list, err := s.revisions(ctx, id)
	if err != nil {
		return "", err
	}
	if !d.force {
		for i := range list {
			if list[i].digest() == d.digest {
				return list[i].ID, nil // an earlier apply ended before it was deployed, or elsewhere it is
			}
		}
	}
	if len(list) >= maxRevisions {
		if err := s.makeRoom(ctx, id, list, fresh); err != nil {
			return "", err
		}
	}
	var made revision
	err = s.client.Call(ctx, rest.Request{Method: http.MethodPost, Path: s.item(id) + "/revisions",
		Body: map[string]any{"description": revisionMark + d.digest}}, &made)
	if err != nil {
		return "", fmt.Errorf("making a revision: %w", rest.Unfound(err))
	}
	if made.ID == "" {
		return "", errors.New("making a revision: the server answered without an id")
	}
	return made.ID, nil
}

// makeRoom deletes the oldest revision that is not deployed. Where all are, it takes one from the
// environments that get the new revision, which serve nothing until then.
func (s *deployable) makeRoom(ctx context.Context, id string, list []revision, fresh []deployment) error {
	victim := slices.IndexFunc(list, func(r revision) bool { return len(r.Deployments) == 0 })
	if victim < 0 {
		victim = slices.IndexFunc(list, func(r revision) bool {
			return !slices.ContainsFunc(r.Deployments, func(d deployment) bool {
				return !slices.ContainsFunc(fresh, func(f deployment) bool { return f.Name == d.Name })
			})
		})
		if victim < 0 {
			return &engine.AttributeError{Attribute: "deployment", Summary: "No room for a revision",
				Err: fmt.Errorf("the %s has %d revisions, which is the most, and each is deployed to an environment that this apply does not change", s.noun, len(list))}
		}
		for _, d := range list[victim].Deployments {
			if err := s.undeploy(ctx, id, list[victim].ID, deployment{Name: d.Name, VHost: d.VHost}); err != nil {
				return fmt.Errorf("undeploying %s from %s to make room: %w", list[victim].Name, d.Name, err)
			}
		}
	}
	err := s.client.Call(ctx, rest.Request{Method: http.MethodDelete, Path: s.item(id) + "/revisions/" + url.PathEscape(list[victim].ID)}, nil)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return fmt.Errorf("deleting %s to make room: %w", list[victim].Name, err)
	}
	return nil
}

// deployments are the deployments of an element in the shape of the tables. digest is that of what
// is there now; of revisions that are not ours, theirs is asked for.
func (s *deployable) deployments(list []revision, digest string, foreign func(revision string) string) []any {
	out := []any{}
	for i := range list {
		r := &list[i]
		served := r.digest()
		for _, d := range r.Deployments {
			if !d.stands() {
				continue
			}
			if served == "" {
				served = foreign(r.ID)
			}
			e := map[string]any{"name": d.Name, "upToDate": served == digest}
			if d.VHost != nil {
				e["vhost"] = *d.VHost
			}
			if d.Shown != nil {
				e["displayOnDevportal"] = *d.Shown
			}
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(x, y any) int { return strings.Compare(nameOf(x), nameOf(y)) })
	return out
}

func nameOf(x any) string {
	m, _ := x.(map[string]any)
	name, _ := m["name"].(string)
	return name
}

// wantedDeployments reads planned deployment blocks. Those that are not to be up to date, since
// they are not managed, are left as they are.
func wantedDeployments(planned cty.Value) (d deploying, managed bool) {
	blocks := plain(planned, "deployment")
	if !blocks.IsKnown() || blocks.IsNull() {
		return d, false
	}
	for _, b := range blocks.AsValueSlice() {
		w := deployment{Name: knownString(b, "environment")}
		if v := knownString(b, "vhost"); v != "" {
			w.VHost = &v
		}
		if v := plain(b, "display_on_devportal"); isKnown(v) {
			shown := v.True()
			w.Shown = &shown
		}
		if v := plain(b, "up_to_date"); isKnown(v) && v.True() {
			d.renewed = append(d.renewed, w.Name)
		}
		d.wanted = append(d.wanted, w)
	}
	return d, true
}

// gatewayMembers are the members of an API that reach the gateway.
var gatewayMembers = []string{"type", "context", "version", "isDefaultVersion", "transport", "authorizationHeader", "apiKeyHeader", "securityScheme", "maxTps",
	"apiThrottlingPolicy", "responseCachingEnabled", "cacheTimeout", "enableSchemaValidation", "enableSubscriberVerification", "corsConfiguration",
	"websubSubscriptionConfiguration", "endpointConfig", "primaryProductionEndpointId", "primarySandboxEndpointId", "endpointImplementationType",
	"subtypeConfiguration", "scopes", "operations", "apiPolicies", "keyManagers", "audiences", "asyncTransportProtocols", "gatewayType", "gatewayVendor",
	"mediationPolicies"}

// gatewayDigest is the digest of what reaches the gateway of an API: its members as the server sends
// them, and parts, which are read from elsewhere.
func gatewayDigest(api map[string]any, parts map[string]any) string {
	all := map[string]any{}
	for _, name := range gatewayMembers {
		if v := forDigest(name, api[name]); v != nil {
			all[name] = v
		}
	}
	if list, ok := api["additionalProperties"].([]any); ok {
		all["additionalProperties"] = forDigest("additionalProperties", slices.DeleteFunc(slices.Clone(list), func(x any) bool { return nameOf(x) == onDestroyProperty }))
	}
	for name, v := range parts {
		if v = forDigest(name, v); v != nil {
			all["part "+name] = v
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "" // decoded JSON: not reached
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// forDigest leaves out what the server makes anew with each write, and sorts what has no order; nil
// for what is empty.
func forDigest(name string, v any) any {
	switch v := v.(type) {
	case nil, string, bool:
		if v == "" || v == false {
			return nil
		}
		return v
	case map[string]any:
		out := map[string]any{}
		for key, x := range v {
			switch key {
			case "id", "policyId", "usedProductIds", "usageCount", "bindings", "displayName", "description":
				// Ids are made anew, and the others do not reach the gateway.
				if name != "definition" && name != "endpointConfig" && name != "parameters" {
					continue
				}
			}
			if x = forDigest(key, x); x != nil {
				out[key] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			if x = forDigest(name, x); x != nil {
				out = append(out, x)
			}
		}
		switch name {
		case "request", "response", "fault", "production_endpoints", "sandbox_endpoints", "production_failovers", "sandbox_failovers", "mediationPolicies":
			// Their order counts.
		default:
			sortByText(out)
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	return v
}

// sortByText sorts values by their JSON, which is made once for each.
func sortByText(list []any) {
	if len(list) < 2 {
		return
	}
	type element struct {
		text string
		v    any
	}
	elements := make([]element, len(list))
	for i, v := range list {
		elements[i] = element{jsonText(v), v}
	}
	slices.SortFunc(elements, func(x, y element) int { return strings.Compare(x.text, y.text) })
	for i := range elements {
		list[i] = elements[i].v
	}
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
