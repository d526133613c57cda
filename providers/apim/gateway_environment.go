package apim

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// gatewayEnvironmentType is the table of apim_gateway_environment (apim-behaviour 3.4).
func gatewayEnvironmentType() *schema.Type {
	port := func(name string, number int64, doc string) schema.Attribute {
		// APIM was seen to answer 500 where a port is absent, and to keep half of the environment,
		// so we send what the portal does.
		return schema.Attribute{Name: name, Type: cty.Number, Validate: wholeFrom(1), Default: cty.NumberIntVal(number), Doc: doc}
	}
	return &schema.Type{
		Name: "apim_gateway_environment",
		Doc: "A gateway, or a group of them, to which APIs are deployed: they name it and one of its virtual hosts. Those of the server's " +
			"`deployment.toml`, such as `Default`, are read-only: they can be read as data, or named with what they have.",
		Key:   []string{"name"},
		Check: checkEnvironment,
		Block: schema.Block{
			Attributes: []schema.Attribute{
				{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id: a UUID, for a read-only one its name."},
				{Name: "name", Type: cty.String, Required: true, RequiresReplace: true, Validate: environmentName, Doc: "Name of letters, digits, `_` and `-`; APIs are deployed by it."},
				{Name: "display_name", Type: cty.String, Validate: lengthIn(1, 255), Doc: "Name shown to people. The server's default is the name."},
				{Name: "description", Type: cty.String, Validate: lengthIn(0, 1023), Doc: "What it is for."},
				// A PUT takes these three and keeps the old ones [seen]. Without a provider a POST is
				// an error, and leaves a row that breaks every later listing (apim-behaviour 10).
				{Name: "vendor", Type: cty.String, JSON: "provider", RequiresReplace: true, Default: cty.StringVal("wso2"), Validate: notBlank, Doc: "Who makes the gateway; API Manager calls it the provider."},
				{Name: "type", Type: cty.String, RequiresReplace: true, Enum: []string{"hybrid", "production", "sandbox"}, Doc: "Which keys it serves: both kinds (the server's default), or one."},
				{Name: "gateway_type", Type: cty.String, RequiresReplace: true, Doc: "Kind of gateway: `Regular` (the server's default), `APK`, `AWS` or what else the server's configuration enables."},
				{Name: "read_only", Type: cty.Bool, ReadOnly: true, JSON: "isReadOnly", Doc: "Whether it stands in the server's configuration."},
				{Name: "permission_type", Type: cty.String, JSON: "permissions/permissionType", Enum: []string{"PUBLIC", "ALLOW", "DENY"},
					Doc: "Who may deploy to it: everybody (the server's default), only `permission_roles`, or everybody but these."},
				{Name: "permission_roles", Type: cty.Set(cty.String), JSON: "permissions/roles", Doc: "Roles of API Manager's user store."},
				{Name: "additional_properties", Type: cty.Map(cty.String), PerKey: true, Doc: "What the kind of gateway needs beside, each managed by itself. Secrets go to `secret_properties`."},
				{Name: "secret_properties", Type: cty.Map(cty.String), PerKey: true, Sensitive: true, WriteOnly: true, Keep: schema.KeepMask,
					Doc: "Secrets that the kind of gateway needs, such as the access key of `AWS`. The server masks them, so a change made there cannot be seen."},
			},
			Blocks: []schema.NestedBlock{{
				Name: "vhost", JSON: "vhosts", Nesting: schema.List, Required: true, Key: []string{"host"}, Doc: "A host under which the gateway is called.",
				Block: schema.Block{Attributes: []schema.Attribute{
					{Name: "host", Type: cty.String, Required: true, Validate: hostName, Doc: "Host name, without a port."},
					{Name: "http_context", Type: cty.String, Validate: pathSegment, Doc: "One path segment before the contexts of APIs."},
					port("http_port", 8280, "Port of HTTP."),
					port("https_port", 8243, "Port of HTTPS."),
					port("ws_port", 9099, "Port of WebSocket."),
					port("wss_port", 8099, "Port of WebSocket over TLS."),
				}},
			}},
		},
	}
}

// gatewayEnvironment is a gateway to which APIs are deployed.
func gatewayEnvironment(p *Provider) engine.Type {
	table := gatewayEnvironmentType()
	return &environments{&rest.Collection{
		Client:       &p.client,
		Type:         table,
		Path:         admin + "/environments",
		NoItem:       true, // no GET of one in the contract of 4.5.0
		Paging:       rest.Paging{Items: "list"},
		ListComplete: true,
		ReadBack:     true, // answers lack what the server adds and drops [seen]
		Decode: func(object map[string]any) error {
			blankNulls(&table.Block, object)
			decodeEnvironment(object)
			return nil
		},
		Encode: func(object map[string]any) error {
			encodeEnvironment(object)
			clearBlanks(&table.Block, object)
			return nil
		},
		System: func(object map[string]any) bool { return object["isReadOnly"] == true },
	}}
}

// environments is the type apim_gateway_environment.
type environments struct{ *rest.Collection }

// Update changes an environment.
func (t *environments) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	if live.System {
		return nil, rest.Unwritten(fmt.Errorf("environment %q stands in the server's deployment.toml: change it there", knownString(live.Value, "name")))
	}
	o, err := t.Collection.Update(ctx, live, planned)
	if err != nil {
		return o, err
	}
	// APIM writes permissions after it has committed the rest; whether they stay depends on its
	// connection pool [seen].
	for _, name := range rest.Different(&t.Type.Block, planned, o.Value) {
		if strings.HasPrefix(name, "permission_") {
			return o, &engine.AttributeError{Attribute: name, Summary: "Permissions not stored", Err: fmt.Errorf(
				"API Manager was sent other permissions of environment %q and kept the old ones; replace the environment, with -replace, or let its database pool commit on return",
				knownString(o.Value, "name"))}
		}
	}
	return o, nil
}

// Delete removes an environment.
func (t *environments) Delete(ctx context.Context, live *engine.Object) error {
	err := t.Collection.Delete(ctx, live)
	if rest.StatusOf(err) == http.StatusConflict {
		return fmt.Errorf("API revisions are deployed to environment %q: undeploy them first: %w", knownString(live.Value, "name"), err)
	}
	return err
}

// CheckPlan refuses changes of read-only environments.
func (t *environments) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i := range planned {
		if p := &planned[i]; p.Live != nil && p.Live.System && p.Action == engine.Update {
			out = append(out, engine.PlanProblem{Index: i, Summary: "Read-only environment",
				Detail: fmt.Sprintf("Environment %q stands in the server's deployment.toml, and the API does not change it. Change it there, write here what it has, or read it as data.",
					knownString(p.Live.Value, "name"))})
		}
	}
	return out
}

// organizationProperty is what API Manager adds to the properties of an environment [seen].
const organizationProperty = "organization"

// decodeEnvironment makes the list of properties a map, without secrets and what the server adds,
// and drops hosts that are listed twice, as those of deployment.toml are [seen].
func decodeEnvironment(object map[string]any) {
	plain, stored := map[string]any{}, map[string]any{}
	for _, p := range objects(object["additionalProperties"]) {
		name, _ := p["key"].(string)
		if p["value"] == mask || name == organizationProperty {
			stored[name] = p["value"]
		} else {
			plain[name] = p["value"]
		}
	}
	object["additionalProperties"], object[storedMember] = plain, stored
	seen := map[any]bool{}
	var hosts []any
	for _, h := range objects(object["vhosts"]) {
		if !seen[h["host"]] {
			hosts = append(hosts, h)
		}
		seen[h["host"]] = true
	}
	object["vhosts"] = hosts
}

// encodeEnvironment is the inverse of decodeEnvironment.
func encodeEnvironment(object map[string]any) {
	properties := map[string]any{}
	for _, member := range []string{storedMember, "additionalProperties", secretMember} {
		m, _ := object[member].(map[string]any)
		for name, v := range m {
			properties[name] = v
		}
		delete(object, member)
	}
	delete(properties, organizationProperty)
	list := make([]any, 0, len(properties)) // never absent: the server walks it (apim-behaviour 3.4)
	for name, v := range properties {
		list = append(list, map[string]any{"key": name, "value": v})
	}
	slices.SortFunc(list, func(a, b any) int {
		return strings.Compare(fmt.Sprint(a.(map[string]any)["key"]), fmt.Sprint(b.(map[string]any)["key"]))
	})
	object["additionalProperties"] = list
}

var (
	environmentNames = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	// RFC 1123, in any case: the server keeps what it is sent (apim-behaviour 3.4).
	hostNames    = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?))*$`)
	pathSegments = regexp.MustCompile(`^/?([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)?$`)
)

func environmentName(v cty.Value) error {
	if err := lengthIn(1, 255)(v); err != nil {
		return err
	}
	if name := v.AsString(); !environmentNames.MatchString(name) {
		return fmt.Errorf("%q holds more than letters, digits, underscores and hyphens, which API Manager refuses", name)
	}
	return nil
}

func hostName(v cty.Value) error {
	if host := v.AsString(); len(host) > 255 || !hostNames.MatchString(host) {
		return fmt.Errorf("%q is no host name; give one without scheme, port and path, such as gw.example.com", host)
	}
	return nil
}

func pathSegment(v cty.Value) error {
	if s := v.AsString(); len(s) > 255 || !pathSegments.MatchString(s) {
		return fmt.Errorf("%q is not one path segment of letters, digits and hyphens", s)
	}
	return nil
}

// checkEnvironment finds what API Manager refuses.
func checkEnvironment(v cty.Value) []schema.Problem {
	var out []schema.Problem
	seen := map[string]int{}
	for i, h := range knownList(v, "vhost") {
		host := knownString(h, "host")
		if j, ok := seen[host]; ok && host != "" {
			out = append(out, schema.Problem{Path: cty.GetAttrPath("vhost").IndexInt(i).GetAttr("host"), Summary: "Duplicate virtual host",
				Detail: fmt.Sprintf("The host %q is that of vhost blocks %d and %d. Keep one of them.", host, j+1, i+1)})
		}
		seen[host] = i
	}
	return append(out, checkPermissions(v)...)
}
