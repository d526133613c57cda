package apim

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
)

var (
	denyView   = []string{"apim:admin", "apim:bl_view"}
	denyManage = []string{"apim:admin", "apim:bl_manage"}
)

// denyPolicy is the DTO of /throttling/deny-policies.
type denyPolicy struct {
	ConditionID     *string `json:"conditionId"`
	ConditionType   *string `json:"conditionType" is:"required" enum:"API,APPLICATION,IP,IPRANGE,USER"`
	ConditionValue  any     `json:"conditionValue" is:"required"`
	ConditionStatus *bool   `json:"conditionStatus"`
}

func (d *denyPolicy) rowID() string { return text(d.ConditionID) }

func denyRoutes() []route {
	// The list is plural and the item singular (apim-behaviour 3.3).
	return []route{
		get(admin, "/throttling/deny-policies", denyView, listDeny),
		post(admin, "/throttling/deny-policies", denyManage, createDeny),
		get(admin, "/throttling/deny-policy/{condition}", denyView, readDeny),
		patch(admin, "/throttling/deny-policy/{condition}", denyManage, patchDeny),
		remove(admin, "/throttling/deny-policy/{condition}", denyManage, deleteDeny),
	}
}

// listDeny lists what the query "conditionType:USER&conditionValue:ann" matches: a part of the
// value, the whole when it is quoted.
func listDeny(c *call) *answer {
	kind, value := "", ""
	if query := c.request.URL.Query().Get("query"); query != "" {
		for part := range strings.SplitSeq(query, "&") {
			name, v, _ := strings.Cut(part, ":")
			switch name {
			case "conditionType":
				kind = v
			case "conditionValue":
				value = v
			default:
				return refuse(http.StatusBadRequest, 900254, "Block conditions retrieval error", "Provided query parameters are not valid")
			}
		}
	}
	exact := len(value) > 1 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`)
	value = strings.Trim(value, `"`)
	out := []*denyPolicy{}
	for _, d := range c.tenant.DenyPolicies.list {
		shown := javaText(d.ConditionValue)
		if kind != "" && !strings.EqualFold(kind, *d.ConditionType) || exact && shown != value || !strings.Contains(shown, value) {
			continue
		}
		if d.broken() {
			return general()
		}
		out = append(out, d)
	}
	return all(out)
}

func createDeny(c *call) *answer {
	d := &denyPolicy{}
	if a := readBody(c.body, d); a != nil {
		return a
	}
	kind, sent := *d.ConditionType, sentText(c.body, d.ConditionValue)
	fails := func(reason string) *answer {
		return internal(fmt.Sprintf("Error while adding Blocking Condition. Condition type: %s, value: %s. %s", kind, sent, reason))
	}
	if kind == "IP" || kind == "IPRANGE" {
		v, isObject := d.ConditionValue.(map[string]any)
		if !isObject {
			return fails("Block condition: null was not found.")
		}
		names := []string{"fixedIp"}
		if kind == "IPRANGE" {
			names = []string{"startingIp", "endingIp"}
		}
		for _, name := range names {
			if v[name] == nil {
				return internal("") // a null pointer in the server
			}
			if ip := javaText(v[name]); net.ParseIP(ip) == nil {
				return fails(ip + " is an invalid ip address format")
			}
		}
	} else if _, isText := d.ConditionValue.(string); !isText {
		return internal("")
	}
	if d.ConditionStatus == nil {
		return internal("") // a null pointer as well
	}
	switch kind {
	case "USER":
		user := sent
		if i := strings.LastIndexByte(user, '@'); i >= 0 {
			user = user[:i] // stored with the caller's tenant, whatever was sent; also with carbon.super
		}
		d.ConditionValue = user + "@" + c.tenant.Domain
	case "APPLICATION":
		parts := strings.Split(strings.TrimRight(sent, ":"), ":")
		if len(parts) < 2 {
			return fails("Error occurred while adding the block condition")
		}
		if c.tenant.applicationNamed(parts[0], parts[1]) == nil {
			return fails("Couldn't Save Block Condition Due to Invalid Application name " + parts[1] + " from Application Owner " + parts[0])
		}
	case "API":
		if c.tenant.apiAt(sent) == nil {
			return fails("Couldn't Save Block Condition Due to Invalid API Context " + sent)
		}
	}
	stored := javaText(d.ConditionValue)
	same := c.tenant.DenyPolicies.find(func(o *denyPolicy) bool { return *o.ConditionType == kind && javaText(o.ConditionValue) == stored })
	if same != nil {
		return exists(fmt.Sprintf("A black list item with type: %s, value: %s already exists", kind, sent))
	}
	d.ConditionID = ptr(newID())
	c.tenant.DenyPolicies.add(d)
	return created(admin.location+"/throttling/blacklist/"+*d.ConditionID, d)
}

func denyNotFound(c *call) *answer { return notFound("block condition", c.vars["condition"]) }

// broken tells that the status was made null, which the server stores and cannot read (seen).
func (d *denyPolicy) broken() bool { return d.ConditionStatus == nil }

func readDeny(c *call) *answer {
	d := c.tenant.DenyPolicies.get(c.vars["condition"])
	switch {
	case d == nil:
		return denyNotFound(c)
	case d.broken():
		return internal("Error while retrieving Block Condition. Id : " + *d.ConditionID)
	}
	return ok(d)
}

func patchDeny(c *call) *answer {
	var body struct {
		ConditionID     *string `json:"conditionId"`
		ConditionStatus *bool   `json:"conditionStatus"`
	}
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	d := c.tenant.DenyPolicies.get(c.vars["condition"])
	if d == nil {
		return denyNotFound(c)
	}
	changed := *d
	if !d.broken() {
		changed.ConditionStatus = body.ConditionStatus
		c.tenant.DenyPolicies.replace(&changed)
	}
	if changed.broken() {
		return internal("Error while updating Block Condition Status. Id : " + *d.ConditionID)
	}
	return ok(&changed)
}

func deleteDeny(c *call) *answer {
	switch d := c.tenant.DenyPolicies.get(c.vars["condition"]); {
	case d == nil:
		return denyNotFound(c)
	case d.broken():
		return internal("Error while deleting Block Condition. Id : " + *d.ConditionID)
	}
	c.tenant.DenyPolicies.remove(c.vars["condition"])
	return empty(http.StatusOK)
}

// sentText is the value of a body as javaText writes it, with its members in the order of the request.
func sentText(body []byte, value any) string {
	sent, err := decodeTree(body)
	if root, isObject := sent.(*tree); err == nil && isObject {
		value = root.get("conditionValue")
	}
	return javaText(value)
}

// javaText writes a value as Java's toString does; the refusals of the server show it: {fixedIp=192.168.1.1, invert=false}.
func javaText(v any) string {
	var names []string
	var values map[string]any
	switch v := v.(type) {
	case nil:
		return "null"
	case *tree:
		names, values = slices.Clone(v.names), v.values
	case map[string]any:
		names, values = slices.Sorted(maps.Keys(v)), v
	default:
		return fmt.Sprint(v)
	}
	for i, name := range names {
		names[i] = name + "=" + javaText(values[name])
	}
	return "{" + strings.Join(names, ", ") + "}"
}
