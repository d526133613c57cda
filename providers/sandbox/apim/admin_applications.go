package apim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func adminApplicationRoutes() []route {
	view := []string{"apim:admin", "apim:app_settings_change", "apim:app_owner_change", "apim:app_import_export", "apim:admin_application_view"}
	return []route{
		get(admin, "/applications", view, adminApplications),
		withKeys(get(admin, "/applications/{application}", []string{"apim:admin", "apim:app_import_export", "apim:admin_application_view"}, adminApplication)),
		withKeys(alone(remove(admin, "/applications/{application}", []string{"apim:admin", "apim:app_import_export"}, adminDeleteApplication))),
		withKeys(anyBody(post(admin, "/applications/{application}/change-owner", []string{"apim:admin", "apim:app_owner_change"}, changeOwner))),
	}
}

// adminApplications lists the applications of all owners.
func adminApplications(c *call) *answer {
	query := c.request.URL.Query()
	t := c.tenant
	if domain := query.Get("tenantDomain"); domain != "" && domain != t.Domain {
		if t.Domain != superTenant {
			return forbidden("You are not allowed to access applications of another tenant")
		}
		t = c.server.tenantOf(domain)
	}
	type info struct {
		ApplicationID *string  `json:"applicationId"`
		Name          *string  `json:"name"`
		Owner         *string  `json:"owner"`
		TokenType     *string  `json:"tokenType"`
		CreatedTime   *string  `json:"createdTime"`
		KeyManagers   []kmUsed `json:"keyManagers"`
		Status        *string  `json:"status"`
		GroupID       *string  `json:"groupId"`
	}
	list := t.Applications.values()
	by := func(a *application) string { return *a.Name }
	switch query.Get("sortBy") {
	case "owner":
		by = func(a *application) string { return *a.Owner }
	case "createdTime":
		by = func(a *application) string { return *a.CreatedTime }
	}
	slices.SortStableFunc(list, func(a, b *application) int { return cmp.Compare(by(a), by(b)) })
	if strings.EqualFold(query.Get("sortOrder"), "desc") {
		slices.Reverse(list)
	}
	out := []info{}
	for _, a := range list {
		user, name := query.Get("user"), query.Get("name")
		if user != "" && *a.Owner != user || name != "" && !strings.Contains(*a.Name, name) {
			continue
		}
		out = append(out, info{a.ApplicationID, a.Name, a.Owner, a.TokenType, ptr(adminTime(*a.CreatedTime)), t.keyManagersOf(a), a.Status, ptr("")})
	}
	return page(c, out, pageLinks{after: "&groupId="})
}

// adminTime writes a time of milliseconds as the admin API does.
func adminTime(millis string) string {
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil {
		return millis
	}
	return time.UnixMilli(n).UTC().Format("2006-01-02 15:04:05.000")
}

// keyManagersOf lists the key managers that an application has keys of; only name and types are
// filled (seen).
func (t *tenant) keyManagersOf(a *application) []kmUsed {
	out := []kmUsed{}
	for _, m := range t.keysOf(a) {
		k := t.keyManager(m.KeyManager)
		if k == nil || slices.ContainsFunc(out, func(o kmUsed) bool { return text(o.Name) == text(k.Name) }) {
			continue
		}
		out = append(out, kmUsed{Name: k.Name, Type: k.Type, TokenType: k.TokenType})
	}
	return out
}

type kmUsed struct {
	ID          *string `json:"id"`
	Name        *string `json:"name"`
	Type        *string `json:"type"`
	Description *string `json:"description"`
	Enabled     *bool   `json:"enabled"`
	IsGlobal    *bool   `json:"isGlobal"`
	IsUsed      *bool   `json:"isUsed"`
	TokenType   *string `json:"tokenType"`
}

func adminApplication(c *call) *answer {
	a := c.tenant.Applications.get(c.vars["application"])
	if a == nil {
		return notFound("application", c.vars["application"])
	}
	type shown struct {
		ApplicationID      *string           `json:"applicationId"`
		Name               *string           `json:"name"`
		ThrottlingPolicy   *string           `json:"throttlingPolicy"`
		Description        *string           `json:"description"`
		TokenType          *string           `json:"tokenType"`
		Status             *string           `json:"status"`
		Groups             []string          `json:"groups"`
		SubscriptionCount  int               `json:"subscriptionCount"`
		Attributes         map[string]string `json:"attributes"`
		SubscriptionScopes []any             `json:"subscriptionScopes"`
		Owner              *string           `json:"owner"`
	}
	return ok(shown{a.ApplicationID, a.Name, a.ThrottlingPolicy, a.Description, a.TokenType, a.Status, a.Groups, c.tenant.subscriptionsOf(a), a.Attributes,
		[]any{}, a.Owner})
}

func adminDeleteApplication(c *call) *answer {
	gone := c.removeApplication(func() (*application, *answer) {
		a := c.tenant.Applications.get(c.vars["application"])
		if a == nil {
			return nil, notFound("application", c.vars["application"])
		}
		return a, nil
	})
	if gone.status == http.StatusCreated {
		return empty(http.StatusOK) // the administrator is not told that it was stuck
	}
	return gone
}

// changeOwner gives an application to another user. An unknown application is 500 without a reason;
// an unknown user, one who has never been in the devportal, the owner themselves, and one who has
// an application of this name already are 500 with one (seen).
func changeOwner(c *call) *answer {
	if !c.request.URL.Query().Has("owner") {
		return violations([]violation{{"applicationsApplicationIdChangeOwnerPost.arg0", "must not be null"}})
	}
	a := c.tenant.Applications.get(c.vars["application"])
	if a == nil {
		return internal("")
	}
	owner := c.request.URL.Query().Get("owner")
	user, domain, tenanted := strings.Cut(owner, "@")
	refused := internal("Error while updating application owner " + *a.ApplicationID)
	switch {
	case !tenanted && c.tenant.Domain != superTenant, tenanted && domain != c.tenant.Domain:
		return refused
	case !c.tenant.Subscribers[user]:
		return refused
	}
	if c.tenant.Domain == superTenant {
		owner = user
	}
	if c.tenant.applicationNamed(owner, *a.Name) != nil {
		return refused
	}
	changed := *a
	changed.Owner = ptr(owner)
	changed.UpdatedTime = ptr(strconv.FormatInt(c.server.now().UnixMilli(), 10))
	c.tenant.Applications.replace(&changed)
	return empty(http.StatusOK)
}
