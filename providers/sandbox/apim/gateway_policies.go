package apim

import (
	"net/http"
	"slices"
)

// gatewayPolicy is the DTO GatewayPolicyMappings: policies for all APIs of gateways.
type gatewayPolicy struct {
	ID                   *string    `json:"id"`
	PolicyMapping        *flowsBody `json:"policyMapping" is:"required"`
	Description          *string    `json:"description"`
	DisplayName          *string    `json:"displayName" is:"required"`
	AppliedGatewayLabels []string   `json:"appliedGatewayLabels"`
}

func (p *gatewayPolicy) rowID() string { return text(p.ID) }

func gatewayPolicyRoutes() []route {
	view := []string{"apim:gateway_policy_view", "apim:gateway_policy_manage"}
	manage := []string{"apim:gateway_policy_manage"}
	return []route{
		get(publisher, "/gateway-policies", view, listGatewayPolicies),
		post(publisher, "/gateway-policies", manage, addGatewayPolicy),
		get(publisher, "/gateway-policies/{mapping}", view, readGatewayPolicy),
		put(publisher, "/gateway-policies/{mapping}", manage, updateGatewayPolicy),
		remove(publisher, "/gateway-policies/{mapping}", manage, deleteGatewayPolicy),
		post(publisher, "/gateway-policies/{mapping}/deploy", manage, deployGatewayPolicy),
	}
}

func listGatewayPolicies(c *call) *answer {
	out := []map[string]any{}
	for _, p := range c.tenant.GatewayPolicies.list {
		out = append(out, map[string]any{"id": p.ID, "description": p.Description, "displayName": p.DisplayName, "appliedGatewayLabels": append([]string{}, p.AppliedGatewayLabels...)})
	}
	return page(c, out, pageLinks{})
}

// readGatewayPolicyBody reads a mapping; each policy that it names must be a common one that may stand in its flow.
func (c *call) readGatewayPolicyBody() (*gatewayPolicy, *answer) {
	p := &gatewayPolicy{}
	if bad := readBody(c.body, p); bad != nil {
		return nil, bad
	}
	at := &attacher{call: c, used: map[string]bool{}, secrets: map[string]string{}}
	if _, bad := at.flows("", asObject(p.PolicyMapping)); bad != nil {
		return nil, bad
	}
	return p, nil
}

func gatewayPolicyInfo(p *gatewayPolicy) map[string]any {
	return map[string]any{"id": p.ID, "description": p.Description, "displayName": p.DisplayName}
}

func addGatewayPolicy(c *call) *answer {
	p, bad := c.readGatewayPolicyBody()
	if bad != nil {
		return bad
	}
	p.ID, p.AppliedGatewayLabels = ptr(newID()), []string{}
	c.tenant.GatewayPolicies.add(p)
	return created(publisher.base+"/gateway-policies/"+*p.ID, gatewayPolicyInfo(p))
}

// ownGatewayPolicy finds the mapping of the path.
func (c *call) ownGatewayPolicy() (*gatewayPolicy, *answer) {
	p := c.tenant.GatewayPolicies.get(c.vars["mapping"])
	if p == nil {
		return nil, notFound("gateway policy mapping", c.vars["mapping"])
	}
	return p, nil
}

// readGatewayPolicy answers also for mappings that there are not: with one that is empty (seen).
func readGatewayPolicy(c *call) *answer {
	p := c.tenant.GatewayPolicies.get(c.vars["mapping"])
	if p == nil {
		return ok(map[string]any{"id": nil, "description": nil, "displayName": nil, "policyMapping": map[string]any{"request": []any{}, "response": []any{}, "fault": []any{}},
			"appliedGatewayLabels": []any{}})
	}
	return ok(p)
}

func updateGatewayPolicy(c *call) *answer {
	old, bad := c.ownGatewayPolicy()
	if bad != nil {
		return bad
	}
	p, bad := c.readGatewayPolicyBody()
	if bad != nil {
		return bad
	}
	p.ID, p.AppliedGatewayLabels = old.ID, old.AppliedGatewayLabels
	c.tenant.GatewayPolicies.replace(p)
	return ok(p)
}

func deleteGatewayPolicy(c *call) *answer {
	p, bad := c.ownGatewayPolicy()
	if bad != nil {
		return bad
	}
	if len(p.AppliedGatewayLabels) > 0 {
		return refuse(http.StatusPreconditionFailed, 903022, "Cannot delete the gateway policy mapping", "Gateway policy mapping "+*p.ID+" is deployed to a gateway")
	}
	c.tenant.GatewayPolicies.remove(*p.ID)
	return empty(http.StatusOK)
}

// deployGatewayPolicy deploys a mapping to gateways, or takes it off. A gateway has one mapping.
func deployGatewayPolicy(c *call) *answer {
	var body []struct {
		GatewayLabel      *string `json:"gatewayLabel" is:"required"`
		GatewayDeployment *bool   `json:"gatewayDeployment" is:"required"`
		MappingUUID       *string `json:"mappingUUID"`
	}
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	p, bad := c.ownGatewayPolicy()
	if bad != nil {
		return bad
	}
	labels := slices.Clone(p.AppliedGatewayLabels)
	for _, d := range body {
		label := *d.GatewayLabel
		if c.tenant.Environments.find(func(e *environment) bool { return *e.Name == label }) == nil {
			return refuse(http.StatusBadRequest, 900504, "Invalid Gateway Environment", "Gateway Environment with name '"+label+"' not found")
		}
		other := c.tenant.GatewayPolicies.find(func(o *gatewayPolicy) bool { return *o.ID != *p.ID && slices.Contains(o.AppliedGatewayLabels, label) })
		if *d.GatewayDeployment && other != nil {
			return refuse(http.StatusBadRequest, 903023, "Gateway already has a policy mapping", "Gateway "+label+" already has the gateway policy mapping "+*other.ID)
		}
		labels = slices.DeleteFunc(labels, func(l string) bool { return l == label })
		if *d.GatewayDeployment {
			labels = append(labels, label)
		}
	}
	changed := *p
	changed.AppliedGatewayLabels = labels
	c.tenant.GatewayPolicies.replace(&changed)
	for i := range body {
		body[i].MappingUUID = p.ID
	}
	return ok(body)
}
