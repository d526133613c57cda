package apim

import (
	"cmp"
	"fmt"
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
		out = append(out, d)
	}
	return all(out)
}

func createDeny(c *call) *answer {
	d := &denyPolicy{}
	if a := readBody(c.body, d); a != nil {
		return a
	}
	if d.ConditionStatus == nil {
		return internal("") // a null pointer in the server
	}
	kind, sent := *d.ConditionType, javaText(d.ConditionValue)
	fails := func(reason string) *answer {
		return internal(fmt.Sprintf("Error while adding Blocking Condition. Condition type: %s, value: %s. %s", kind, sent, reason))
	}
	switch kind {
	case "IP", "IPRANGE":
		v, isObject := d.ConditionValue.(map[string]any)
		if !isObject {
			return fails("Block condition: null was not found.")
		}
		names := []string{"fixedIp"}
		if kind == "IPRANGE" {
			names = []string{"startingIp", "endingIp"}
		}
		value := map[string]any{}
		if invert, given := v["invert"]; given {
			value["invert"] = invert == true
		}
		for _, name := range names {
			ip := textOf(v, name)
			if net.ParseIP(ip) == nil {
				return fails(ip + " is an invalid ip address format")
			}
			value[name] = ip
		}
		d.ConditionValue = value
	case "USER":
		user, isText := d.ConditionValue.(string)
		if !isText {
			return internal("")
		}
		if i := strings.LastIndexByte(user, '@'); i >= 0 {
			user = user[:i] // stored with the caller's tenant, whatever was sent; also with carbon.super
		}
		d.ConditionValue = user + "@" + c.tenant.Domain
	case "APPLICATION":
		owner, name, _ := strings.Cut(sent, ":")
		if c.tenant.applicationNamed(owner, name) == nil {
			return fails("Couldn't Save Block Condition Due to Invalid Application name " + name + " from Application Owner " + owner)
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

func readDeny(c *call) *answer {
	d := c.tenant.DenyPolicies.get(c.vars["condition"])
	if d == nil {
		return denyNotFound(c)
	}
	return ok(d)
}

func patchDeny(c *call) *answer {
	var body struct {
		ConditionID     *string `json:"conditionId"`
		ConditionStatus *bool   `json:"conditionStatus" is:"required"`
	}
	if a := readBody(c.body, &body); a != nil {
		return a
	}
	d := c.tenant.DenyPolicies.get(c.vars["condition"])
	if d == nil {
		return denyNotFound(c)
	}
	changed := *d
	changed.ConditionStatus = body.ConditionStatus
	c.tenant.DenyPolicies.replace(&changed)
	return ok(&changed)
}

func deleteDeny(c *call) *answer {
	if c.tenant.DenyPolicies.get(c.vars["condition"]) == nil {
		return denyNotFound(c)
	}
	c.tenant.DenyPolicies.remove(c.vars["condition"])
	return empty(http.StatusOK)
}

// javaText writes a value as Java's toString does; the refusals of the server show it:
// {fixedIp=192.168.1.1, invert=false}. The members of such values stand in this order, whatever the
// order of the request.
func javaText(v any) string {
	m, isObject := v.(map[string]any)
	if !isObject {
		return fmt.Sprint(v)
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	order := []string{"fixedIp", "startingIp", "endingIp", "invert"}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a), slices.Index(order, b)), strings.Compare(a, b))
	})
	for i, name := range names {
		names[i] = name + "=" + javaText(m[name])
	}
	return "{" + strings.Join(names, ", ") + "}"
}
