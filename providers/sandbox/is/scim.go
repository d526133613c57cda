package is

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const scimType = "application/scim+json;charset=UTF-8"

// timestamp is how SCIM shows a time: with fractions of a second.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func scimObject(status int, v any) *answer {
	a := object(status, v)
	a.kind = scimType
	return a
}

// scimError is the error of RFC 7644 3.12: status is a text, scimType optional (is-behaviour 1.4).
func scimError(status int, kind, detail string) *answer {
	body := map[string]any{"schemas": []string{messageError}, "status": strconv.Itoa(status), "detail": detail}
	if kind != "" {
		body["scimType"] = kind
	}
	return scimObject(status, body)
}

const (
	unparsable = "Request is unparsable, syntactically incorrect, or violates schema."
	noResource = "Specified resource (e.g., User) or endpoint does not exist."
)

func badSyntax(kind string) *answer { return scimError(http.StatusBadRequest, kind, unparsable) }

func badValue(detail string) *answer {
	return scimError(http.StatusBadRequest, "invalidValue", detail)
}

// scimBody reads a request's document. SCIM takes application/json and application/scim+json and answers 406 to another type.
func scimBody(c *call) (map[string]any, *answer) {
	kind, _, _ := strings.Cut(c.Header.Get("Content-Type"), ";")
	if kind = strings.ToLower(strings.TrimSpace(kind)); kind != "application/json" && kind != "application/scim+json" {
		return nil, scimError(http.StatusNotAcceptable, "", kind+" is not supported.")
	}
	var body map[string]any
	if err := json.Unmarshal(c.body, &body); err != nil || body == nil {
		return nil, badSyntax("invalidSyntax")
	}
	return body, nil
}

func (s *Server) scimRoutes() {
	const users, groups, roles, v1 = "/scim2/Users", "/scim2/Groups", "/scim2/v2/Roles", "/scim2/Roles"
	s.handle("GET "+users, "internal_user_mgt_list", s.listUsers)
	s.handle("POST "+users, "internal_user_mgt_create", s.createUser)
	s.handle("POST "+users+"/.search", "internal_user_mgt_list", search(s.listUsers))
	s.handle("GET "+users+"/{id}", "internal_user_mgt_view", s.getUser)
	s.handle("PUT "+users+"/{id}", "internal_user_mgt_update", s.putUser)
	s.handle("PATCH "+users+"/{id}", "internal_user_mgt_update", s.patchUser)
	s.handle("DELETE "+users+"/{id}", "internal_user_mgt_delete", s.deleteUser)

	s.handle("GET "+groups, "internal_group_mgt_view", s.listGroups)
	s.handle("POST "+groups, "internal_group_mgt_create", s.createGroup)
	s.handle("POST "+groups+"/.search", "internal_group_mgt_view", search(s.listGroups))
	s.handle("GET "+groups+"/{id}", "internal_group_mgt_view", s.getGroup)
	s.handle("PUT "+groups+"/{id}", "internal_group_mgt_update", s.putGroup)
	s.handle("PATCH "+groups+"/{id}", "internal_group_mgt_update", s.patchGroup)
	s.handle("DELETE "+groups+"/{id}", "internal_group_mgt_delete", s.deleteGroup)

	s.handle("GET "+roles, "internal_role_mgt_view", s.listRoles)
	s.handle("POST "+roles, "internal_role_mgt_create", s.createRole)
	s.handle("POST "+roles+"/.search", "internal_role_mgt_view", search(s.listRoles))
	s.handle("GET "+roles+"/{id}", "internal_role_mgt_view", s.getRole)
	s.handle("PUT "+roles+"/{id}", "internal_role_mgt_update", s.putRole)
	s.handle("PATCH "+roles+"/{id}", "internal_role_mgt_update", s.patchRole)
	s.handle("DELETE "+roles+"/{id}", "internal_role_mgt_delete", s.deleteRole)

	s.handle("GET "+v1, "internal_role_mgt_view", s.listRolesV1)
	s.handle("POST "+v1, "internal_role_mgt_create", s.createRoleV1)
	s.handle("POST "+v1+"/.search", "internal_role_mgt_view", search(s.listRolesV1))
	s.handle("GET "+v1+"/{id}", "internal_role_mgt_view", s.getRoleV1)
	s.handle("PUT "+v1+"/{id}", "internal_role_mgt_update", s.putRoleV1)
	s.handle("PATCH "+v1+"/{id}", "internal_role_mgt_update", s.patchRoleV1)
	s.handle("DELETE "+v1+"/{id}", "internal_role_mgt_delete", s.deleteRole)

	s.handle("GET /scim2/Me", "internal_login", s.getMe)
	s.handle("POST /scim2/Bulk", "internal_bulk_resource_create", s.bulk)
	s.handle("GET /scim2/ServiceProviderConfig", "", s.providerConfig)
	s.handle("GET /scim2/ResourceTypes", "", s.resourceTypes)
	s.handle("GET /scim2/Schemas", "", s.schemas)
}

// search serves POST /.search by the operation that serves GET: the document's members are the parameters.
func search(list answerFunc) answerFunc {
	return func(c *call) *answer {
		body, refused := scimBody(c)
		if refused != nil {
			return refused
		}
		q := url.Values{}
		for _, name := range []string{"filter", "sortBy", "sortOrder", "domain", "startIndex", "count"} {
			if v, ok := body[name]; ok && v != nil {
				q.Set(name, textOf(v))
			}
		}
		for _, name := range []string{"attributes", "excludedAttributes"} {
			list, _ := body[name].([]any)
			var names []string
			for _, v := range list {
				names = append(names, textOf(v))
			}
			if len(names) > 0 {
				q.Set(name, strings.Join(names, ","))
			}
		}
		inner := *c
		inner.Request = c.Clone(c.Context())
		inner.URL.RawQuery = q.Encode()
		return list(&inner)
	}
}

// A window is the part of a list that is asked for.
type window struct {
	start int // 1-based, at least 1
	count int // -1: not given
}

// readWindow reads startIndex and count. What is less than 1, or no number, is brought to what the server makes of it.
func readWindow(q url.Values) (window, *answer) {
	w := window{start: 1, count: -1}
	if text := q.Get("startIndex"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return w, badValue("startIndex should be an integer")
		}
		w.start = max(n, 1)
	}
	if text := q.Get("count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return w, badValue("count should be an integer")
		}
		w.count = max(n, 0)
	}
	return w, nil
}

// cut returns the window's part of a list, of at most limit elements.
func cut[E any](list []E, w window, limit int) []E {
	count := w.count
	if count < 0 || count > limit {
		count = limit
	}
	from := min(w.start-1, len(list))
	return list[from:min(from+count, len(list))]
}

// writeList makes a list answer of documents. An empty one has no Resources member (is-behaviour 22).
func writeList(total, start int, documents [][]byte) *answer {
	size := 200
	for _, d := range documents {
		size += len(d) + 1
	}
	b := make([]byte, 0, size)
	b = append(b, `{"totalResults":`...)
	b = strconv.AppendInt(b, int64(total), 10)
	b = append(b, `,"startIndex":`...)
	b = strconv.AppendInt(b, int64(start), 10)
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(len(documents)), 10)
	b = append(b, `,"schemas":["`+messageList+`"]`...)
	if len(documents) > 0 {
		b = append(b, `,"Resources":[`...)
		for i, d := range documents {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, d...)
		}
		b = append(b, ']')
	}
	b = append(b, '}')
	return &answer{status: http.StatusOK, kind: scimType, body: b}
}

// refuseSort refuses sorting, which is not implemented.
func refuseSort(q url.Values, message string) *answer {
	by, order := q.Get("sortBy"), q.Get("sortOrder")
	switch {
	case by != "" && order != "" && !strings.EqualFold(order, "ascending") && !strings.EqualFold(order, "descending"):
		return badValue("Invalid sortOrder value is specified")
	case by != "" || order != "":
		return scimError(http.StatusNotImplemented, "", message)
	}
	return nil
}

// A projection is which attributes an answer shows: those of the attributes parameter, or all but those of excludedAttributes. Attributes of an
// extension are named URN.name; charon does not know them as URN:name, nor core attributes with their URN.
type projection struct {
	only, not []string
}

func readProjection(q url.Values) projection {
	var p projection
	if q.Has("attributes") {
		p.only = strings.Split(q.Get("attributes"), ",") // an empty one names nothing
	}
	if text := q.Get("excludedAttributes"); text != "" {
		p.not = strings.Split(text, ",")
	}
	return p
}

func (p projection) all() bool { return len(p.only) == 0 && len(p.not) == 0 }

func named(list []string, name string) bool {
	return slices.ContainsFunc(list, func(asked string) bool { return strings.EqualFold(asked, name) })
}

// names says whether a member of an attribute is named, so that the attribute must be cut.
func (p projection) names(name string) bool {
	return slices.ContainsFunc(slices.Concat(p.only, p.not), func(asked string) bool { return hasPrefixFold(asked, name+".") })
}

// shows says whether an attribute or one of its members is in the answer.
func (p projection) shows(name string) bool {
	if len(p.only) > 0 {
		return named(p.only, name) || slices.ContainsFunc(p.only, func(asked string) bool { return hasPrefixFold(asked, name+".") })
	}
	return !named(p.not, name)
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// apply cuts a document down to what is asked for. Members named in always stay.
func (p projection) apply(document map[string]any, always ...string) map[string]any {
	if p.all() {
		return document
	}
	kept := map[string]any{}
	for name, value := range document {
		switch {
		case slices.Contains(always, name):
			kept[name] = value
		case p.shows(name):
			if value, ok := p.members(name, value); ok {
				kept[name] = value
			}
		}
	}
	return kept
}

// members cuts a value down to the members that are asked for. ok is false when none of an object is left.
func (p projection) members(name string, value any) (cut any, ok bool) {
	if !p.names(name) || len(p.only) > 0 && named(p.only, name) {
		return value, true
	}
	cutObject := func(object map[string]any) map[string]any {
		inner := map[string]any{}
		for member, v := range object {
			if full := name + "." + member; len(p.only) > 0 && named(p.only, full) || len(p.only) == 0 && !named(p.not, full) {
				inner[member] = v
			}
		}
		return inner
	}
	switch value := value.(type) {
	case map[string]any:
		object := cutObject(value)
		return object, len(object) > 0
	case []any:
		list := make([]any, 0, len(value))
		for _, element := range value {
			if object, ok := element.(map[string]any); ok {
				element = cutObject(object)
			}
			list = append(list, element)
		}
		return list, true
	case []reference:
		list := make([]any, 0, len(value))
		for _, r := range value {
			list = append(list, cutObject(map[string]any{"value": r.Value, "display": r.Display, "$ref": r.Ref}))
		}
		return list, true
	}
	return value, true
}

// A reference is an element of a list of other objects.
type reference struct {
	Value   string `json:"value"`
	Display string `json:"display"`
	Ref     string `json:"$ref"`
}
