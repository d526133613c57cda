package is

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Schema URNs (is-behaviour 3 to 5).
const (
	coreUser         = "urn:ietf:params:scim:schemas:core:2.0:User"
	coreGroup        = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseUser   = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	wso2Schema       = "urn:scim:wso2:schema"
	customUser       = "urn:scim:schemas:extension:custom:User"
	roleSchema       = "urn:ietf:params:scim:schemas:extension:2.0:Role"
	messageList      = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	messageError     = "urn:ietf:params:scim:api:messages:2.0:Error"
	messagePatch     = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	messageBulk      = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	resourceTypeURN  = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	providerConfig   = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	schemaDefinition = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// userSchemas are what the schemas member of every user says, whether or not it has such data.
var userSchemas = []string{coreUser, enterpriseUser, wso2Schema, customUser}

// A kind is what values an attribute takes and how they are stored.
type kind int

const (
	text kind = iota
	boolean
	integer
	complexValue // stored as an object of texts
	typedValues  // stored as an object from type ("" without one) to text: one value per type (is-behaviour 3)
)

// An attribute is one entry of a schema.
type attribute struct {
	name     string
	kind     kind
	members  []string // of a complex value
	readOnly bool
	required bool
	never    bool // never returned
	request  bool // returned on request only
}

// multiValued are the types that have a claim, in the order in which they are shown; a value of another type is dropped.
var multiValued = map[string][]string{
	"emails":           {"", "work", "other", "home"},
	"phoneNumbers":     {"", "mobile", "home", "work", "other", "fax", "pager"},
	"ims":              {"", "gtalk", "skype"},
	"photos":           {"", "photo", "thumbnail"},
	"addresses":        {"home", "work", "other"},
	"entitlements":     {""},
	"x509Certificates": {""},
}

var coreAttributes = []attribute{
	{name: "id", readOnly: true}, {name: "meta", readOnly: true, kind: complexValue}, {name: "schemas", readOnly: true},
	{name: "externalId"}, {name: "userName", required: true}, {name: "password", never: true},
	{name: "name", kind: complexValue, members: []string{"formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"}},
	{name: "displayName"}, {name: "nickName"}, {name: "profileUrl"}, {name: "title"}, {name: "userType"}, {name: "preferredLanguage"},
	{name: "locale"}, {name: "timezone"}, {name: "active", kind: boolean},
	{name: "emails", kind: typedValues}, {name: "phoneNumbers", kind: typedValues}, {name: "ims", kind: typedValues},
	{name: "photos", kind: typedValues}, {name: "addresses", kind: typedValues}, {name: "entitlements", kind: typedValues},
	{name: "x509Certificates", kind: typedValues},
	{name: "groups", readOnly: true}, {name: "roles", readOnly: true},
}

var enterpriseAttributes = []attribute{
	{name: "employeeNumber"}, {name: "costCenter"}, {name: "organization"}, {name: "division"}, {name: "department"},
	{name: "manager", kind: complexValue, members: []string{"value", "$ref", "displayName"}},
}

// wso2Attributes are those of urn:scim:wso2:schema that a fresh 7.1 maps to claims.
var wso2Attributes = []attribute{
	{name: "accountLocked", kind: boolean}, {name: "accountDisabled", kind: boolean}, {name: "accountState", readOnly: true},
	{name: "askPassword", kind: boolean}, {name: "verifyEmail", kind: boolean}, {name: "verifyMobile", kind: boolean},
	{name: "emailVerified", kind: boolean}, {name: "phoneVerified", kind: boolean}, {name: "country"}, {name: "dateOfBirth"},
	{name: "forcePasswordReset", kind: boolean}, {name: "preferredChannel"}, {name: "unlockTime"}, {name: "isLiteUser", kind: boolean},
	{name: "emailOTPDisabled", kind: boolean}, {name: "smsOTPDisabled", kind: boolean}, {name: "totpEnabled"}, {name: "backupCodeEnabled"},
	{name: "enabledAuthenticators"}, {name: "failedLoginAttempts", kind: integer}, {name: "failedLoginLockoutCount", kind: integer},
	{name: "failedPasswordRecoveryAttempts", kind: integer}, {name: "failedEmailOTPAttempts", kind: integer}, {name: "failedSMSOTPAttempts", kind: integer},
	{name: "failedTOTPAttempts", kind: integer}, {name: "tenantAdminAskPassword", kind: boolean}, {name: "pendingMobileNumber"},
	{name: "userSourceId", readOnly: true}, {name: "lastLogonTime", readOnly: true}, {name: "lastLoginTime", readOnly: true},
	{name: "lastPasswordUpdateTime", readOnly: true}, {name: "lockedReason", readOnly: true}, {name: "isReadOnlyUser", kind: boolean, readOnly: true, request: true},
	{name: "managedOrg", readOnly: true}, {name: "sharedType", readOnly: true}, {name: "passwordExpiryTime", readOnly: true},
}

// A userSchema is what users may have: by URN, the attributes of that schema.
type userSchema struct {
	urns  []string // the core first
	attrs map[string][]attribute
}

func newUserSchema(custom []string) *userSchema {
	s := &userSchema{urns: userSchemas, attrs: map[string][]attribute{coreUser: coreAttributes, enterpriseUser: enterpriseAttributes, wso2Schema: wso2Attributes}}
	for _, name := range custom {
		s.attrs[customUser] = append(s.attrs[customUser], attribute{name: name})
	}
	return s
}

// find returns an attribute of a schema; names compare without regard to letter case, as SCIM says.
func (s *userSchema) find(urn, name string) (attribute, bool) {
	list := s.attrs[urn]
	at := slices.IndexFunc(list, func(a attribute) bool { return strings.EqualFold(a.name, name) })
	if at < 0 {
		return attribute{}, false
	}
	return list[at], true
}

// A path names an attribute of a user, or a member of one, or the elements of a list: "name.givenName", "urn:scim:wso2:schema:accountLocked",
// `emails[type eq work].value`.
type path struct {
	urn    string
	attr   attribute
	member string
	filter filter // of the elements of a list; nil for all
}

// splitURN cuts the schema's URN off a path.
func (s *userSchema) splitURN(text string) (urn, rest string) {
	for _, urn := range s.urns {
		if len(text) >= len(urn) && strings.EqualFold(text[:len(urn)], urn) {
			if rest := text[len(urn):]; rest == "" || rest[0] == ':' {
				return urn, strings.TrimPrefix(rest, ":")
			}
		}
	}
	return coreUser, text
}

// parse reads the path of a filter: an attribute or a member of one. Letter case does not matter. ok is false when there is no such attribute.
func (s *userSchema) parse(textual string) (p path, ok bool) {
	var rest string
	p.urn, rest = s.splitURN(textual)
	name, member, hasMember := strings.Cut(rest, ".")
	if p.attr, ok = s.find(p.urn, name); !ok || !hasMember {
		return p, ok
	}
	p.member = member
	for _, known := range p.attr.members {
		if strings.EqualFold(known, member) {
			p.member = known
		}
	}
	return p, p.attr.has(p.member)
}

// check refuses a whole user whose members have shapes that the schema does not allow: charon's decoder is as strict as this, and no stricter.
func (s *userSchema) check(body map[string]any) *answer {
	for _, a := range s.attrs[coreUser] {
		if v, ok := body[a.name]; ok {
			if refused := a.check(v); refused != nil {
				return refused
			}
		}
	}
	for _, urn := range s.urns[1:] {
		v, ok := body[urn]
		if !ok {
			continue
		}
		members, isObject := v.(map[string]any)
		if !isObject {
			return badSyntax(syntax)
		}
		for _, a := range s.attrs[urn] {
			if v, ok := members[a.name]; ok {
				if refused := a.check(v); refused != nil {
					return refused
				}
			}
		}
	}
	return nil
}

func (a attribute) check(v any) *answer {
	number, isNumber := v.(float64)
	_, isText := v.(string)
	_, isBool := v.(bool)
	_, isObject := v.(map[string]any)
	list, isList := v.([]any)
	switch {
	case a.name == "meta" || a.name == "schemas":
	case a.kind == typedValues || a.name == "groups" || a.name == "roles":
		if !isList {
			return badSyntax(syntax)
		}
		if slices.Contains(list, nil) {
			return refuse(syntax, "Unknown JSON representation for the MultiValued attribute "+a.name+" which has data type as COMPLEX")
		}
	case a.kind == complexValue && !isObject, a.kind == text && (isObject || isList || isNumber && number != float64(int64(number))):
		return badSyntax(syntax)
	case a.kind == complexValue:
		for _, name := range a.members {
			switch v.(map[string]any)[name].(type) {
			case map[string]any, []any:
				return badSyntax(syntax)
			}
		}
	case a.kind == boolean && (isObject || isList):
		return badSyntax(syntax)
	case a.kind == boolean && !isText && !isBool:
		// A number or null where a boolean is wanted is an exception that nobody catches.
		return scimError(http.StatusInternalServerError, "", "Internal Server Error")
	}
	return nil
}

// has says whether an attribute has a member of that name.
func (a attribute) has(member string) bool {
	switch a.kind {
	case complexValue:
		return slices.Contains(a.members, member) || a.name == "meta"
	case typedValues:
		return slices.Contains([]string{"value", "type", "primary", "display", "formatted", "$ref"}, member)
	}
	return a.readOnly && (member == "value" || member == "display" || member == "$ref") // groups and roles
}

// accept turns a value of a request into the stored form. ok is false when nothing of it is to be kept.
func (a attribute) accept(v any) (stored any, ok bool) {
	if v == nil {
		return nil, false // null is the same as leaving the member out (is-behaviour 1.15)
	}
	switch a.kind {
	case boolean:
		// A text that is no boolean reads as false (is-behaviour 22: "active": "perhaps").
		switch v := v.(type) {
		case bool:
			return v, true
		case string:
			return strings.EqualFold(v, "true"), true
		}
		return false, true
	case integer:
		switch v := v.(type) {
		case float64:
			return int64(v), true
		case string:
			n, err := strconv.ParseInt(v, 10, 64)
			return n, err == nil
		}
		return nil, false
	case complexValue:
		members, isObject := v.(map[string]any)
		if !isObject {
			return nil, false
		}
		kept := map[string]any{}
		for _, name := range a.members {
			if value, ok := members[name]; ok && value != nil {
				kept[name] = textOf(value)
			}
		}
		return kept, len(kept) > 0
	case typedValues:
		kept := map[string]any{}
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, element := range list {
			kind, value, ok := a.element(element)
			if ok {
				kept[kind] = value
			}
		}
		return kept, len(kept) > 0
	}
	s := textOf(v)
	return s, s != ""
}

// element reads one element of a list: a text, or an object with type and value (addresses: formatted). primary and display are not stored.
func (a attribute) element(v any) (kind, value string, ok bool) {
	switch v := v.(type) {
	case string:
		value = v
	case map[string]any:
		kind, _ = v["type"].(string)
		member := "value"
		if a.name == "addresses" {
			member = "formatted"
		}
		if v[member] != nil {
			value = textOf(v[member])
		}
	}
	return kind, value, value != "" && slices.Contains(multiValued[a.name], kind)
}

// show turns a stored value into the form of answers.
func (a attribute) show(stored any) any {
	if a.kind != typedValues {
		return stored
	}
	values, _ := stored.(map[string]any)
	list := []any{}
	for _, kind := range multiValued[a.name] {
		value, ok := values[kind]
		switch {
		case !ok:
		case kind == "":
			list = append(list, value) // an element without a type is a bare text
		case a.name == "addresses":
			list = append(list, map[string]any{"type": kind, "formatted": value})
		default:
			list = append(list, map[string]any{"type": kind, "value": value})
		}
	}
	return list
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case nil:
		return ""
	}
	return jsonText(v)
}

// acceptAll reads the attributes of a whole user from a request. Unknown and read-only ones are dropped without a word (is-behaviour 22).
func (s *userSchema) acceptAll(body map[string]any) map[string]any {
	kept := map[string]any{}
	take := func(into map[string]any, list []attribute, from map[string]any) {
		for _, a := range list {
			if a.readOnly || a.never || a.name == "userName" {
				continue
			}
			if v, ok := from[a.name]; ok {
				if stored, ok := a.accept(v); ok {
					into[a.name] = stored
				}
			}
		}
	}
	take(kept, coreAttributes, body)
	for _, urn := range s.urns[1:] {
		members, ok := body[urn].(map[string]any)
		if !ok {
			continue
		}
		extension := map[string]any{}
		take(extension, s.attrs[urn], members)
		if len(extension) > 0 {
			kept[urn] = extension
		}
	}
	return kept
}
