package apim

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// CheckPlan refuses what API Manager refuses without saying why, and what it accepts and then does
// badly: types that are not installed, connector properties that are missing or at the wrong place,
// and two enabled key managers with one issuer.
func (t *keyManagers) CheckPlan(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	if slices.ContainsFunc(planned, func(p engine.Planned) bool { return writes(p.Action) }) {
		installed, err := t.server.installed(ctx)
		if err != nil {
			out = append(out, engine.PlanProblem{Index: first(planned), Warning: true, Summary: "Connectors not known",
				Detail: fmt.Sprintf("The types of key managers that API Manager has installed could not be read, so connector properties are not checked: %s.", err)})
		} else {
			for i := range planned {
				if writes(planned[i].Action) {
					out = append(out, checkConnector(i, &planned[i], installed)...)
				}
			}
		}
	}
	return append(out, t.checkIssuers(ctx, planned)...)
}

func writes(a engine.Action) bool {
	return a == engine.Create || a == engine.Update || a == engine.Replace
}

// first returns the index of the first object that is written.
func first(planned []engine.Planned) int {
	return max(0, slices.IndexFunc(planned, func(p engine.Planned) bool { return writes(p.Action) }))
}

// checkConnector holds the properties of one key manager against its connector.
func checkConnector(index int, p *engine.Planned, installed map[string]connector) []engine.PlanProblem {
	var out []engine.PlanProblem
	problem := func(attribute, summary, format string, args ...any) {
		out = append(out, engine.PlanProblem{Index: index, Attribute: attribute, Summary: summary, Detail: fmt.Sprintf(format, args...)})
	}
	kind := knownString(p.After, "type")
	c, ok := installed[kind]
	if !ok && kind == "default" {
		return nil
	}
	if !ok {
		if kind != "" && len(installed) > 0 {
			problem("type", "Unknown type of key manager",
				"API Manager has no connector of type %q; it has %s. Use one of these (upper and lower case differ), or install the connector.", kind, quoted(installed))
		}
		return out
	}
	given := keysOf(p.After, "additional_properties")
	for _, name := range given {
		if c.properties[name].Mask {
			problem("additional_properties", "Secret among plain properties",
				"API Manager treats %q of connector %s as a secret and answers with a mask in its place. Move it to secret_properties.", name, kind)
		}
	}
	// The server keeps the properties of a key manager that exists.
	if p.Action != engine.Create && p.Action != engine.Replace {
		return out
	}
	for _, name := range missing(c, p.After) {
		attribute := "additional_properties"
		if c.properties[name].Mask {
			attribute = "secret_properties"
		}
		problem(attribute, "Missing connector property", "Connector %s needs %q (%s), and the configuration does not set it. Add it to %s.",
			kind, name, c.properties[name].Label, attribute)
	}
	for _, name := range missingEndpoints(c, p.After) {
		problem(name, "Missing endpoint", "Connector %s needs %s, and the configuration does not set it. Set it to the URL at the authorization server.", kind, name)
	}
	return out
}

// missingEndpoints returns the required endpoints that v surely lacks. In a plan one that is not
// set is not known; Create looks again.
func missingEndpoints(c connector, v cty.Value) []string {
	var out []string
	for _, name := range c.endpoints {
		attribute, ok := endpointAttributes[name]
		if x := plain(v, attribute); ok && x.IsKnown() && (x.IsNull() || strings.TrimSpace(x.AsString()) == "") {
			out = append(out, attribute)
		}
	}
	return out
}

// missing returns the required properties that v surely lacks: a map that is not known may hold
// them. In a plan so is one that is not set at all; Create looks again.
func missing(c connector, v cty.Value) []string {
	given, secrets := keysOf(v, "additional_properties"), keysOf(v, "secret_properties")
	var out []string
	for _, name := range c.order {
		p := c.properties[name]
		has := slices.Contains(given, name) || slices.Contains(secrets, name)
		open := !plain(v, "secret_properties").IsKnown() || !p.Mask && !plain(v, "additional_properties").IsKnown()
		if p.Required && !has && !open {
			out = append(out, name)
		}
	}
	return out
}

// checkIssuers refuses two enabled key managers with one issuer, among the planned ones and the
// live ones that are not ours: the gateway picks either for a token, by chance.
func (t *keyManagers) checkIssuers(ctx context.Context, planned []engine.Planned) []engine.PlanProblem {
	type holder struct {
		index int
		name  string
	}
	var out []engine.PlanProblem
	byIssuer := map[string]holder{}
	ours := map[string]bool{}
	changes := false
	for i := range planned {
		p := &planned[i]
		if p.Live != nil {
			ours[p.Live.ID] = true
		}
		changes = changes || writes(p.Action)
		issuer, enabled := issuerOf(p.After)
		if issuer == "" || !enabled {
			continue
		}
		other, ok := byIssuer[issuer]
		if !ok {
			byIssuer[issuer] = holder{index: i, name: p.Address}
			continue
		}
		out = append(out, engine.PlanProblem{Index: i, Attribute: "issuer", Summary: "Two key managers with one issuer",
			Warning: !writes(p.Action) && !writes(planned[other.index].Action), // as it was; not this plan's doing
			Detail: fmt.Sprintf("%s and %s are both enabled with the issuer %q, so API Manager could not tell whose a token is. "+
				"Give each its own issuer, or disable one of them.", other.name, p.Address, issuer)})
	}
	if !changes || len(byIssuer) == 0 {
		return out
	}
	list, err := t.server.keyManagers(ctx, admin)
	if err != nil {
		return append(out, engine.PlanProblem{Index: first(planned), Warning: true, Summary: "Issuers not compared",
			Detail: fmt.Sprintf("The key managers of API Manager could not be listed, so their issuers are not compared with the planned ones: %s.", err)})
	}
	for _, k := range list {
		if !k.Enabled || ours[k.ID] {
			continue
		}
		o, err := t.Read(ctx, k.ID)
		if err != nil {
			continue // deleted meanwhile, or a global one that only the super tenant reads
		}
		issuer, _ := issuerOf(o.Value)
		h, ok := byIssuer[issuer]
		if issuer == "" || !ok || !writes(planned[h.index].Action) {
			continue
		}
		out = append(out, engine.PlanProblem{Index: h.index, Attribute: "issuer", Summary: "Two key managers with one issuer",
			Detail: fmt.Sprintf("%s has the issuer %q, and so has key manager %q, which is enabled on the server and not part of this configuration. "+
				"API Manager could not tell whose a token is. Disable that one, or adopt it with \"wso2plan import\" and disable it.", h.name, issuer, k.Name)})
	}
	return out
}

// issuerOf returns the issuer that is known of v, and whether v is enabled, as a new one is when
// nothing else is said.
func issuerOf(v cty.Value) (issuer string, enabled bool) {
	if v == cty.NilVal {
		return "", false
	}
	e := plain(v, "enabled")
	return strings.TrimSpace(knownString(v, "issuer")), !isKnown(e) || e.True()
}
