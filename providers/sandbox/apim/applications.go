package apim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var (
	appRead   = []string{"apim:subscribe", "apim:app_manage", "apim:app_import_export"}
	appManage = []string{"apim:subscribe", "apim:app_manage"}
	appDelete = appRead
)

const defaultApplication = "DefaultApplication"

// application is the DTO of devportal /applications and what is kept of one.
type application struct {
	ApplicationID      *string           `json:"applicationId"`
	Name               *string           `json:"name" is:"required,min=1,max=100"`
	ThrottlingPolicy   *string           `json:"throttlingPolicy" is:"required,min=1"`
	Description        *string           `json:"description" is:"min=0,max=512"`
	TokenType          *string           `json:"tokenType" enum:"OAUTH,JWT"`
	Status             *string           `json:"status"`
	Groups             []string          `json:"groups"`
	SubscriptionCount  *int64            `json:"subscriptionCount"`
	Keys               []any             `json:"keys"`
	Attributes         map[string]string `json:"attributes"`
	SubscriptionScopes []any             `json:"subscriptionScopes"`
	Owner              *string           `json:"owner"`
	HashEnabled        *bool             `json:"hashEnabled"`
	CreatedTime        *string           `json:"createdTime"`
	UpdatedTime        *string           `json:"updatedTime"`
	Visibility         *string           `json:"visibility" enum:"PRIVATE,SHARED_WITH_ORG"`
}

func (a *application) rowID() string { return text(a.ApplicationID) }

// An applicationInfo is what lists show of an application.
type applicationInfo struct {
	ApplicationID     *string           `json:"applicationId"`
	Name              *string           `json:"name"`
	ThrottlingPolicy  *string           `json:"throttlingPolicy"`
	Description       *string           `json:"description"`
	Status            *string           `json:"status"`
	Groups            []string          `json:"groups"`
	SubscriptionCount *int64            `json:"subscriptionCount"`
	Attributes        map[string]string `json:"attributes"`
	Owner             *string           `json:"owner"`
	TokenType         *string           `json:"tokenType"`
	CreatedTime       *string           `json:"createdTime"`
	UpdatedTime       *string           `json:"updatedTime"`
}

func applicationRoutes() []route {
	return []route{
		get(devportal, "/applications", appRead, listApplications),
		post(devportal, "/applications", appManage, createApplication),
		withKeys(get(devportal, "/applications/{application}", appManage, readApplication)),
		withKeys(put(devportal, "/applications/{application}", appManage, updateApplication)),
		alone(remove(devportal, "/applications/{application}", appDelete, deleteApplication)),
		post(devportal, "/applications/{application}/reset-throttle-policy", appManage, resetThrottlePolicy),
	}
}

// subscriber registers the caller as a subscriber: the first devportal call of a user makes
// DefaultApplication (apim-behaviour 4).
func (c *call) subscriber() {
	if c.tenant.Subscribers[c.user.User] {
		return
	}
	c.tenant.Subscribers[c.user.User] = true
	if c.tenant.applicationNamed(c.owner(), defaultApplication) == nil {
		c.add(&application{Name: ptr(defaultApplication), ThrottlingPolicy: ptr("Unlimited"), Description: ptr("This is the default application"),
			Attributes: c.server.attributes(nil)})
	}
}

// add stores a new application of the caller.
func (c *call) add(a *application) {
	now := ptr(strconv.FormatInt(c.server.now().UnixMilli(), 10))
	a.ApplicationID, a.Owner, a.Status, a.TokenType = ptr(newID()), ptr(c.owner()), ptr("APPROVED"), ptr("JWT")
	a.CreatedTime, a.UpdatedTime = now, now
	if a.Groups == nil || !c.server.options.GroupSharing {
		a.Groups = []string{}
	}
	a.Visibility = ptr("PRIVATE") // whatever was sent, for users without an organization (seen)
	a.Keys, a.SubscriptionScopes, a.HashEnabled, a.SubscriptionCount = []any{}, []any{}, nil, nil
	c.tenant.Applications.add(a)
}

// attributes keeps the attributes that the configuration declares; declared ones that are unset are
// "" and hidden ones are dropped.
func (s *Server) attributes(sent map[string]string) map[string]string {
	out := map[string]string{}
	for _, a := range s.options.ApplicationAttributes {
		if !a.Hidden {
			out[a.Name] = sent[a.Name]
		}
	}
	return out
}

func (t *tenant) applicationNamed(owner, name string) *application {
	return t.Applications.find(func(a *application) bool { return *a.Owner == owner && strings.EqualFold(*a.Name, name) })
}

// shownApplication is an application as answers show it.
func (t *tenant) shownApplication(a *application) application {
	out := *a
	out.SubscriptionCount = ptr(int64(t.subscriptionsOf(a)))
	return out
}

func (t *tenant) applicationInfo(a *application) applicationInfo {
	return applicationInfo{a.ApplicationID, a.Name, a.ThrottlingPolicy, a.Description, a.Status, a.Groups, ptr(int64(t.subscriptionsOf(a))), a.Attributes,
		a.Owner, a.TokenType, a.CreatedTime, a.UpdatedTime}
}

func listApplications(c *call) *answer {
	c.subscriber()
	query := c.request.URL.Query()
	// [seen]: the query is a part of the name, in any case; the total counts those that hold it in the
	// same case.
	name, total := query.Get("query"), 0
	list := []*application{}
	for _, a := range c.tenant.Applications.list {
		if c.mayUse(a) && strings.Contains(strings.ToLower(*a.Name), strings.ToLower(name)) {
			list = append(list, a)
			if strings.Contains(*a.Name, name) {
				total++
			}
		}
	}
	by, order := query.Get("sortBy"), query.Get("sortOrder")
	if by != "status" && by != "owner" {
		by = "name" // also for an order that is none (seen)
	}
	if order == "" {
		order = "asc"
	}
	sortApplications(list, by, order)
	infos := make([]applicationInfo, len(list))
	for i, a := range list {
		infos[i] = c.tenant.applicationInfo(a)
	}
	// [seen]: the links hold the order by the name of its column, and lose the query.
	column := map[string]string{"name": "name", "status": "application_status", "owner": "created_by"}[by]
	return page(c, infos, pageLinks{total: &total, before: "sortBy=" + column + "&sortOrder=" + order + "&", after: "&groupId=", failing: "Error while retrieving Applications"})
}

// sortApplications sorts by one field, with case.
func sortApplications(list []*application, by, order string) {
	key := func(a *application) string { return *a.Name }
	switch by {
	case "status":
		key = func(a *application) string { return *a.Status }
	case "owner":
		key = func(a *application) string { return *a.Owner }
	}
	slices.SortStableFunc(list, func(a, b *application) int { return cmp.Compare(key(a), key(b)) })
	if strings.EqualFold(order, "desc") {
		slices.Reverse(list)
	}
}

// mayUse tells whether the caller owns an application or shares a group with it. Groups are the
// server's own matter: with group sharing every user of the tenant who knows the group is taken to
// be in it.
func (c *call) mayUse(a *application) bool {
	return *a.Owner == c.owner() || c.server.options.GroupSharing && len(a.Groups) > 0
}

// ownApplication finds the application of the path for a caller who may use it.
func (c *call) ownApplication() (*application, *answer) {
	c.subscriber()
	a := c.tenant.Applications.get(c.vars["application"])
	if a == nil {
		return nil, notFound("application", c.vars["application"])
	}
	if !c.mayUse(a) {
		return nil, forbidden("You don't have permission to access the application with Id " + *a.ApplicationID)
	}
	return a, nil
}

func readApplication(c *call) *answer {
	a, bad := c.ownApplication()
	if bad != nil {
		return bad
	}
	out := c.tenant.shownApplication(a)
	out.HashEnabled = ptr(false) // only GET fills it
	return ok(out)
}

// checkApplication refuses what bean validation does not see. Old is the stored one of a PUT.
func (c *call) checkApplication(a, old *application) *answer {
	name := *a.Name
	spaced := strings.TrimSpace(name) != name // any other character passes (seen)
	if spaced && old == nil {
		return badRequest("Application name cannot contain leading or trailing white spaces")
	}
	policy := c.tenant.ApplicationPolicies.find(func(p *applicationPolicy) bool { return *p.PolicyName == *a.ThrottlingPolicy })
	if policy == nil && old == nil {
		return refuse(http.StatusBadRequest, 900305, "The tier name is invalid.", "The tier name is invalid")
	}
	owner := c.owner()
	if old != nil {
		owner = *old.Owner
	}
	if other := c.tenant.applicationNamed(owner, name); other != nil && (old == nil || *other.ApplicationID != *old.ApplicationID) {
		return exists("An application already exists with name " + name)
	}
	switch {
	case old != nil && a.TokenType == nil:
		return internal("") // a null pointer in the server (seen)
	case old != nil && spaced:
		return badRequest("Application name cannot contains leading or trailing white spaces")
	case old != nil && (policy == nil || *a.TokenType != "JWT"):
		return internal("Error while updating application " + *old.ApplicationID)
	}
	for _, declared := range c.server.options.ApplicationAttributes {
		if declared.Required && !declared.Hidden && strings.TrimSpace(a.Attributes[declared.Name]) == "" {
			return general()
		}
	}
	return nil
}

func createApplication(c *call) *answer {
	c.subscriber()
	a := &application{}
	if bad := readBody(c.body, a); bad != nil {
		return bad
	}
	if bad := c.checkApplication(a, nil); bad != nil {
		return bad
	}
	a.Attributes = c.server.attributes(a.Attributes)
	c.add(a)
	if c.waits("AM_APPLICATION_CREATION", *a.ApplicationID, "Approve application "+*a.Name+" creation request from application creator - "+*a.Owner,
		map[string]string{"applicationName": *a.Name, "applicationTier": *a.ThrottlingPolicy, "userName": *a.Owner}) {
		a.Status = ptr("CREATED")
	}
	return created(devportal.location+"/applications/"+*a.ApplicationID, c.tenant.shownApplication(a))
}

func updateApplication(c *call) *answer {
	sent := &application{TokenType: ptr("JWT")}
	if bad := readBody(c.body, sent); bad != nil {
		return bad
	}
	a, bad := c.ownApplication()
	if bad != nil {
		return bad
	}
	if bad := c.checkApplication(sent, a); bad != nil {
		return bad
	}
	// The body's owner and token type are ignored; an absent description becomes empty (apim-behaviour
	// 4.1).
	changed := *a
	changed.Name, changed.ThrottlingPolicy, changed.Description = sent.Name, sent.ThrottlingPolicy, sent.Description
	changed.Attributes = c.server.attributes(sent.Attributes)
	if changed.Groups = []string{}; c.server.options.GroupSharing && sent.Groups != nil {
		changed.Groups = sent.Groups
	}
	changed.UpdatedTime = ptr(strconv.FormatInt(c.server.now().UnixMilli(), 10))
	c.tenant.Applications.replace(&changed)
	return ok(c.tenant.shownApplication(&changed))
}

const deletePending = "DELETE_PENDING"

// deleteApplication removes an application of the caller.
func deleteApplication(c *call) *answer { return c.removeApplication(c.ownApplication) }

// removeApplication removes an application with its subscriptions and keys, after the clients that
// were made for them. A key manager that refuses keeps its client, and the application goes all the
// same. One that does not answer stops it: the application stays, with a status that says so, and
// when it is removed later the answer is 201 in place of 200 (seen).
func (c *call) removeApplication(find func() (*application, *answer)) *answer {
	s := c.server
	s.mu.Lock()
	c.enter()
	a, bad := find()
	if bad != nil {
		s.mu.Unlock()
		return bad
	}
	var clients []remote
	for _, m := range c.tenant.keysOf(a) {
		if k := c.tenant.keyManager(m.KeyManager); k != nil && m.Mode == modeCreated && m.ConsumerKey != "" {
			clients = append(clients, c.remote(k, m.ConsumerKey))
		}
	}
	status := http.StatusOK
	if *a.Status == deletePending {
		status = http.StatusCreated
	}
	going := *a
	going.Status = ptr(deletePending)
	c.tenant.Applications.replace(&going)
	s.mu.Unlock()

	for _, r := range clients {
		if err := r.delete(c.request.Context()); silent(err) {
			return internal("")
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	c.enter()
	for _, m := range c.tenant.keysOf(&going) {
		c.tenant.Keys.remove(m.ID)
	}
	c.tenant.removeSubscriptions(&going)
	c.tenant.Applications.remove(*going.ApplicationID)
	return empty(status)
}

func resetThrottlePolicy(c *call) *answer {
	var body struct {
		UserName *string `json:"userName"`
	}
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	if _, bad := c.ownApplication(); bad != nil {
		return bad
	}
	return empty(http.StatusOK)
}

// applicationAttributes lists what the configuration declares.
func applicationAttributes(c *call) *answer {
	type attribute struct {
		Description string `json:"description"`
		Type        string `json:"type"`
		Tooltip     string `json:"tooltip"`
		Required    string `json:"required"`
		Attribute   string `json:"attribute"`
		Hidden      string `json:"hidden"`
	}
	var out []attribute
	for _, a := range c.server.options.ApplicationAttributes {
		out = append(out, attribute{a.Description, "text", a.Description, strconv.FormatBool(a.Required), a.Name, strconv.FormatBool(a.Hidden)})
	}
	return all(out)
}

func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}
