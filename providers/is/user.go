package is

import (
	"context"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// user is the type of users. They are made by POST and changed by PATCH with explicit paths: a PUT
// would wipe claims that the configuration does not name (is-behaviour 3).
type user struct {
	*rest.Collection
}

func newUser(c *rest.Client) engine.Type {
	u := user{&rest.Collection{
		Client:       c,
		Type:         userType(),
		Path:         usersPath,
		Paging:       rest.Paging{Style: rest.SCIM},
		ListComplete: true,
		Filter:       userFilter,
		Decode:       decodeUser,
		Encode:       encodeUser,
		BlankStrings: true,
		ContentType:  scimJSON,
	}}
	u.System = func(object map[string]any) bool {
		// The server does not let its administrator go, and without the user that we act as
		// nothing could be done any more.
		name, store := object["userName"], object["userStore"]
		login, _, _ := strings.Cut(c.Settings().Username, "@")
		own, ok := name.(string)
		return ok && store == primaryStore && (strings.EqualFold(own, "admin") || own == login || own == c.Settings().Username)
	}
	return u
}

func userType() *schema.Type {
	enterprise := func(name string) string { return enterpriseURN + "/" + name }
	system := func(name string) string { return systemURN + "/" + name }
	return &schema.Type{
		Name: "is_user",
		Doc: "A user of a user store. Attributes that are left out stay as they are; an empty string clears one. An attribute " +
			"that the server has no claim for is an error, since the server would drop it without a word. " +
			"Membership in groups and roles belongs to `is_group` and `is_role`.",
		Key: []string{"user_store", "user_name"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The server's id, a UUID."},
			{Name: "user_name", Type: cty.String, Required: true, RequiresReplace: true, Normalize: lower, Validate: plainName,
				Doc: "Name to log in with, without the user store. Compared without regard to case."},
			storeAttribute("user"),
			{Name: "password", Type: cty.String, Sensitive: true, WriteOnly: true,
				Doc: "Password. Needed to make the user, unless `ask_password` is set; sent again only when it is changed here."},
			{Name: "external_id", Type: cty.String, Doc: "Id of the user in the system that it comes from."},
			{Name: "active", Type: cty.Bool, Doc: "Whether the user may log in, where a claim is mapped to it; otherwise use `account_disabled`."},

			{Name: "given_name", Type: cty.String, JSON: "name/givenName", Doc: "First name."},
			{Name: "family_name", Type: cty.String, JSON: "name/familyName", Doc: "Last name."},
			{Name: "middle_name", Type: cty.String, JSON: "name/middleName", Doc: "Middle name."},
			{Name: "formatted_name", Type: cty.String, JSON: "name/formatted", Doc: "Whole name as it is shown."},
			{Name: "honorific_prefix", Type: cty.String, JSON: "name/honorificPrefix", Doc: "Title before the name, such as `Dr.`"},
			{Name: "honorific_suffix", Type: cty.String, JSON: "name/honorificSuffix", Doc: "Suffix of the name, such as `III`."},
			{Name: "display_name", Type: cty.String, Doc: "Name shown to others."},
			{Name: "nick_name", Type: cty.String, Doc: "Nick name."},
			{Name: "profile_url", Type: cty.String, Doc: "Address of the user's profile page."},
			{Name: "title", Type: cty.String, Doc: "Job title."},
			{Name: "user_type", Type: cty.String, Doc: "Relation to the organization, such as `Employee`."},
			{Name: "preferred_language", Type: cty.String, Doc: "Language, such as `en_US`."},
			{Name: "locale", Type: cty.String, Doc: "Locale, such as `en_US`."},
			{Name: "timezone", Type: cty.String, Doc: "Time zone, such as `Europe/Berlin`."},

			{Name: "emails", Type: cty.Map(cty.String), Doc: "E-mail addresses by type (`work`, `home`, `other`); the key `\"\"` is the primary address, which has no type."},
			{Name: "phone_numbers", Type: cty.Map(cty.String), Doc: "Phone numbers by type (`mobile`, `home`, `work`, `other`, `fax`, `pager`)."},
			{Name: "addresses", Type: cty.Map(cty.String), Doc: "Postal addresses, each in one string, by type (`home`, `work`)."},
			{Name: "ims", Type: cty.Map(cty.String), Doc: "Instant messaging addresses by type (`gtalk`, `skype`)."},
			{Name: "photos", Type: cty.Map(cty.String), Doc: "Addresses of pictures by type (`photo`, `thumbnail`)."},
			{Name: "entitlements", Type: cty.Map(cty.String), Doc: "Entitlements by type; the key `\"\"` is the one without a type."},
			{Name: "x509_certificates", Type: cty.Map(cty.String), JSON: "x509Certificates", Doc: "Certificates in Base64 by type; the key `\"\"` is the one without a type."},

			{Name: "employee_number", Type: cty.String, JSON: enterprise("employeeNumber"), Doc: "Number of the employee."},
			{Name: "cost_center", Type: cty.String, JSON: enterprise("costCenter"), Doc: "Cost centre."},
			{Name: "organization", Type: cty.String, JSON: enterprise("organization"), Doc: "Organization."},
			{Name: "division", Type: cty.String, JSON: enterprise("division"), Doc: "Division."},
			{Name: "department", Type: cty.String, JSON: enterprise("department"), Doc: "Department."},
			{Name: "manager_id", Type: cty.String, JSON: enterprise("manager/value"), Doc: "Id of the user's superior."},
			{Name: "manager_display_name", Type: cty.String, JSON: enterprise("manager/displayName"), Doc: "Name of the user's superior."},

			{Name: "country", Type: cty.String, JSON: system("country"), Doc: "Country."},
			{Name: "date_of_birth", Type: cty.String, JSON: system("dateOfBirth"), Doc: "Date of birth as `YYYY-MM-DD`."},
			{Name: "account_locked", Type: cty.Bool, JSON: system("accountLocked"), Doc: "Whether the account is locked. Needs the account lock feature."},
			{Name: "account_disabled", Type: cty.Bool, JSON: system("accountDisabled"), Doc: "Whether the account is disabled. Needs the account disable feature."},
			{Name: "email_verified", Type: cty.Bool, JSON: system("emailVerified"), Doc: "Whether the e-mail address is verified."},
			{Name: "phone_verified", Type: cty.Bool, JSON: system("phoneVerified"), Doc: "Whether the mobile number is verified."},
			{Name: "preferred_channel", Type: cty.String, JSON: system("preferredChannel"), Doc: "Channel of notifications, `EMAIL` or `SMS`."},
			{Name: "email_otp_disabled", Type: cty.Bool, JSON: system("emailOTPDisabled"), Doc: "Whether one-time passwords by e-mail are off for the user."},
			{Name: "sms_otp_disabled", Type: cty.Bool, JSON: system("smsOTPDisabled"), Doc: "Whether one-time passwords by SMS are off for the user."},
			{Name: "ask_password", Type: cty.Bool, WriteOnly: true, JSON: system("askPassword"),
				Doc: "Let the user choose the password by e-mail; the account is locked until then. The server acts on it and need not show it."},
			{Name: "verify_email", Type: cty.Bool, WriteOnly: true, JSON: system("verifyEmail"),
				Doc: "Send a message to verify the e-mail address. The server acts on it and need not show it."},
			{Name: "verify_mobile", Type: cty.Bool, WriteOnly: true, JSON: system("verifyMobile"),
				Doc: "Send a message to verify the mobile number. The server acts on it and need not show it."},
			{Name: "force_password_reset", Type: cty.Bool, WriteOnly: true, JSON: system("forcePasswordReset"),
				Doc: "Make the user set a new password. The server acts on it and need not show it."},

			{Name: "system_attributes", Type: cty.Map(cty.String), PerKey: true,
				Doc: "Further attributes of the schema `" + systemURN + "`, those that have no attribute of their own here. Keys that are not named are left alone."},
			{Name: "attributes", Type: cty.Map(cty.String), PerKey: true, JSON: customURN,
				Doc: "Custom attributes, of the schema `" + customURN + "`. Keys that are not named are left alone."},

			{Name: "groups", Type: cty.Set(cty.String), ReadOnly: true, Doc: "Ids of the groups that the user is in."},
			{Name: "roles", Type: cty.Set(cty.String), ReadOnly: true, Doc: "Ids of the roles that the user has, by groups too."},
		}},
	}
}

// typedLists are the members that hold one value per type, as arrays that mix objects and strings
// (is-behaviour 3), with the member that holds the value.
var typedLists = []struct{ attribute, json, value string }{
	{"emails", "emails", "value"},
	{"phone_numbers", "phoneNumbers", "value"},
	{"addresses", "addresses", "formatted"},
	{"ims", "ims", "value"},
	{"photos", "photos", "value"},
	{"entitlements", "entitlements", "value"},
	{"x509_certificates", "x509Certificates", "value"},
}

// ownSystem are the members of the system schema that have an attribute of their own.
var ownSystem = func() map[string]bool {
	own := map[string]bool{}
	t := userType()
	for i := range t.Attributes {
		if name, ok := strings.CutPrefix(t.Attributes[i].JSON, systemURN+"/"); ok {
			own[name] = true
		}
	}
	return own
}()

// flags are the booleans of the system schema: absent means false.
var flags = func() (names []string) {
	t := userType()
	for i := range t.Attributes {
		if a := &t.Attributes[i]; a.Type == cty.Bool && !a.WriteOnly && strings.HasPrefix(a.JSON, systemURN+"/") {
			names = append(names, strings.TrimPrefix(a.JSON, systemURN+"/"))
		}
	}
	return names
}()

func userFilter(wanted cty.Value) url.Values {
	store, name := stringOf(wanted, "user_store"), stringOf(wanted, "user_name")
	return url.Values{
		"filter": {"userName eq " + quote(joinStore(store, name))},
		"domain": {strings.ToUpper(store)},
	}
}

// decodeUser brings a user into the shape of the table: the user store apart from the name, typed
// lists as maps, references as ids.
func decodeUser(object map[string]any) error {
	if name, ok := object["userName"].(string); ok {
		store, plain := splitStore(name)
		object["userName"], object["userStore"] = plain, store
	}
	for _, l := range typedLists {
		object[l.json] = typedMap(object[l.json], l.value)
	}
	object["groups"], object["roles"] = values(object["groups"]), values(object["roles"])
	system, _ := object[systemURN].(map[string]any)
	if system == nil {
		system = map[string]any{}
		object[systemURN] = system
	}
	further := map[string]any{}
	for name, v := range system {
		if !ownSystem[name] {
			further[name] = v
		}
	}
	object["systemAttributes"] = further
	for _, name := range flags {
		if system[name] == nil {
			system[name] = false
		}
	}
	return nil
}

// typedMap turns an array of {type, value} objects and bare strings into a map by type; a bare
// string, or an object without a type, has the key "".
func typedMap(list any, member string) map[string]any {
	out := map[string]any{}
	elems, _ := list.([]any)
	for _, e := range elems {
		switch e := e.(type) {
		case string:
			out[""] = e
		case map[string]any:
			kind, _ := e["type"].(string)
			if v := e[member]; v != nil {
				out[kind] = v
			} else if v := e["value"]; v != nil {
				out[kind] = v
			}
		}
	}
	return out
}

// typedElement is the inverse of typedMap for one element.
func typedElement(kind, member string, value any) any {
	if kind == "" {
		return value
	}
	return map[string]any{"type": kind, member: value}
}

// encodeUser is the inverse of decodeUser, for the body of a create. Empty strings are left out: to
// the server they are the same as nothing.
func encodeUser(body map[string]any) error {
	store, _ := body["userStore"].(string)
	name, _ := body["userName"].(string)
	body["userName"] = joinStore(store, name)
	delete(body, "userStore")
	for _, l := range typedLists {
		m, ok := body[l.json].(map[string]any)
		if !ok {
			continue
		}
		var list []any
		for _, kind := range sortedKeys(m) {
			if m[kind] != "" {
				list = append(list, typedElement(kind, l.value, m[kind]))
			}
		}
		body[l.json] = list
		if len(list) == 0 {
			delete(body, l.json)
		}
	}
	if further, ok := body["systemAttributes"].(map[string]any); ok {
		system, _ := body[systemURN].(map[string]any)
		if system == nil {
			system = map[string]any{}
			body[systemURN] = system
		}
		for name, v := range further {
			system[name] = v
		}
		delete(body, "systemAttributes")
	}
	dropEmpty(body)
	body["schemas"] = []string{coreUserURN}
	return nil
}

// dropEmpty removes empty strings, and objects that are empty without them.
func dropEmpty(object map[string]any) {
	for name, v := range object {
		switch v := v.(type) {
		case string:
			if v == "" {
				delete(object, name)
			}
		case map[string]any:
			dropEmpty(v)
			if len(v) == 0 {
				delete(object, name)
			}
		}
	}
}

// Create makes the user and checks that the server kept what it was sent.
func (u user) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	o, err := u.Collection.Create(ctx, planned)
	if err != nil {
		return o, err
	}
	return o, kept(u.Type, planned, o)
}

// Update changes the user by PATCH, one operation for each path that differs.
func (u user) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	marked := planned // tells what must not be shown in an error
	now, _, err := u.Current(ctx, live, planned)
	if err != nil {
		return nil, err
	}
	planned = rest.Rebase(&u.Type.Block, live.Value, planned, now.Value)
	ops := userOperations(&u.Type.Block, now.Value, planned)
	if len(ops) == 0 {
		return now, nil
	}
	res, err := patch(ctx, u.Collection, live.ID, ops, marked)
	if err != nil {
		return nil, err
	}
	o, err := u.Updated(ctx, live.ID, res)
	if err != nil {
		return o, err
	}
	return o, kept(u.Type, planned, o)
}
