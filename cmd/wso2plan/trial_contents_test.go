package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// holding returns what the servers hold in a form in which two runs that came to the same are
// equal: ids, clients and secrets have the names of what they belong to, times are left out, lists
// are sorted. Passwords are looked at by logins. Left out too are revisions of APIs that are not
// deployed, which an apply that failed leaves behind, and the scopes that API Manager passes on to
// Identity Server: where that fails, it tells nobody.
func (w *trial) holding(passwords map[string]string) (string, error) {
	text, err := w.Contents()
	if err != nil {
		return "", err
	}
	var all struct {
		IS struct {
			Users, Groups, Roles, Applications, Clients []map[string]any
		}
		APIM struct {
			Tenants map[string]map[string]json.RawMessage
		}
		Clients []map[string]any
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return "", err
	}
	labels := map[string]string{}
	label := func(kind string, objects []map[string]any, id string, names ...string) {
		for _, o := range objects {
			parts := []string{kind}
			for _, name := range names {
				parts = append(parts, fmt.Sprint(o[name]))
			}
			text, _ := o[id].(string)
			if text != "" && labels[text] == "" {
				labels[text] = "<" + labelled(labels).Replace(strings.Join(parts, " ")) + ">"
			}
		}
	}
	label("user", all.IS.Users, "ID", "Store", "Name")
	label("group", all.IS.Groups, "ID", "Store", "Name")
	for _, tenant := range slices.Sorted(maps.Keys(all.APIM.Tenants)) {
		rows := func(name string) (out []map[string]any) {
			if err == nil && all.APIM.Tenants[tenant][name] != nil {
				err = json.Unmarshal(all.APIM.Tenants[tenant][name], &out)
			}
			return out
		}
		label("key manager", rows("keyManagers"), "id", "name")
		label("policy", rows("applicationPolicies"), "policyId", "policyName")
		label("application", rows("applications"), "applicationId", "owner", "name")
		keys := rows("keys")
		apis := rows("apis")
		for _, a := range apis {
			document, _ := a["document"].(map[string]any)
			label("API", []map[string]any{{"id": a["id"], "name": document["name"]}}, "id", "name")
		}
		label("subscription", rows("subscriptions"), "id", "application", "api")
		label("keys", keys, "id", "application", "keyManager", "keyType")
		label("client", keys, "consumerKey", "application", "keyManager", "keyType")
	}
	if err != nil {
		return "", err
	}
	for _, clients := range [][]map[string]any{all.IS.Clients, all.Clients} {
		label("client", clients, "ID", "Name")
		label("secret of", clients, "Secret", "Name", "ID")
	}
	label("application", all.IS.Applications, "ID", "Name")
	label("role", all.IS.Roles, "ID", "Audience", "AudienceName", "Name")

	var document map[string]any
	if err := json.Unmarshal([]byte(labelled(labels).Replace(string(text))), &document); err != nil {
		return "", err
	}
	dropUntold(document)
	delete(document, "Authority")
	delete(document, "Keys")
	normal, err := json.MarshalIndent(normalized(document), "", " ")
	if err != nil {
		return "", err
	}
	logins, err := w.logins(passwords)
	if err != nil {
		return "", err
	}
	return string(normal) + "\n" + logins, nil
}

// dropUntold leaves out what an apply cannot know of.
func dropUntold(document map[string]any) {
	within := func(v any, name string) any {
		m, _ := v.(map[string]any)
		return m[name]
	}
	if is, ok := document["IS"].(map[string]any); ok {
		list, _ := is["APIs"].([]any)
		is["APIs"] = slices.DeleteFunc(list, func(a any) bool { return within(a, "Identifier") == "User-defined-oauth2-resource" })
	}
	tenants, _ := within(document["APIM"], "tenants").(map[string]any)
	for _, tenant := range tenants {
		apis, _ := within(tenant, "apis").([]any)
		for _, a := range apis {
			api, _ := a.(map[string]any)
			delete(api, "made")
			delete(api, "writes") // one whose answer is lost is sent again
			list, _ := api["revisions"].([]any)
			api["revisions"] = slices.DeleteFunc(list, func(r any) bool {
				delete(r.(map[string]any), "displayName") // the number of it
				deployments, _ := within(r, "deployments").([]any)
				return len(deployments) == 0
			})
		}
	}
}

func labelled(labels map[string]string) *strings.Replacer {
	var pairs []string
	// The longest first, in case one is part of another.
	for _, id := range slices.SortedFunc(maps.Keys(labels), func(a, b string) int { return len(b) - len(a) }) {
		quoted, _ := json.Marshal(labels[id])
		pairs = append(pairs, id, strings.Trim(string(quoted), `"`))
	}
	return strings.NewReplacer(pairs...)
}

// passing are members that say when something was done, or what of it is hashed.
var passing = regexp.MustCompile(`^(Created|Modified|createdTime|updatedTime|lastUpdatedTime|time|deployedTime|successDeployedTime|Salt|Hash)$`)

func normalized(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if passing.MatchString(name) {
				delete(v, name)
				continue
			}
			v[name] = normalized(x)
		}
		return v
	case []any:
		texts := make([]string, len(v))
		for i, x := range v {
			b, _ := json.Marshal(normalized(x))
			texts[i] = string(b)
		}
		slices.Sort(texts)
		out := make([]any, len(v))
		for i, text := range texts {
			out[i] = json.RawMessage(text)
		}
		return out
	case string:
		return varyingID.ReplaceAllString(varyingPort.ReplaceAllString(v, "$1:<port>"), "<id>")
	}
	return v
}

// logins says which users can log in with the passwords they should have.
func (w *trial) logins(passwords map[string]string) (string, error) {
	var out strings.Builder
	client := w.live().http
	for _, name := range slices.Sorted(maps.Keys(passwords)) {
		req, err := http.NewRequest(http.MethodGet, w.IS()+"/scim2/Me", nil)
		if err != nil {
			return "", err
		}
		req.SetBasicAuth(name, passwords[name])
		res, err := client.Do(req)
		if err != nil {
			return "", err
		}
		res.Body.Close()
		if res.StatusCode == http.StatusUnauthorized {
			fmt.Fprintf(&out, "%s cannot log in\n", name)
		} else {
			fmt.Fprintf(&out, "%s can log in\n", name)
		}
	}
	return out.String(), nil
}
