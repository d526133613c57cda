package is

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// An operation is one of a PATCH request.
type operation struct {
	op    string // add, replace, remove
	path  string
	value any
}

var errNoOperations = errors.New("no operations")

// readOperations reads a PATCH document. Operation names may be in any letter case.
func readOperations(body map[string]any) ([]operation, *answer, error) {
	list, ok := body["Operations"].([]any)
	if !ok || len(list) == 0 {
		return nil, nil, errNoOperations
	}
	var all []operation
	for _, element := range list {
		members, ok := element.(map[string]any)
		if !ok {
			return nil, badSyntax("invalidSyntax"), nil
		}
		op, _ := members["op"].(string)
		o := operation{op: strings.ToLower(op), value: members["value"]}
		o.path, _ = members["path"].(string)
		switch o.op {
		case "add", "replace":
			if o.value == nil {
				return nil, badSyntax("invalidValue"), nil
			}
		case "remove":
			if o.path == "" {
				return nil, scimError(http.StatusBadRequest, "noTarget", "No path value specified for remove operation"), nil
			}
		default:
			return nil, scimError(http.StatusBadRequest, "invalidSyntax", "Unknown operation: "+op), nil
		}
		all = append(all, o)
	}
	return all, nil, nil
}

func (s *Server) patchUser(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	return s.afterUpdate(c, s.changeUser(c.PathValue("id"), body, readProjection(c.URL.Query())))
}

// changeUser carries out the operations of a PATCH on a copy, which replaces the user's attributes when all of them are good.
func (s *Server) changeUser(id string, body map[string]any, p projection) *answer {
	operations, refused, err := readOperations(body)
	if err != nil {
		return scimError(http.StatusInternalServerError, "", "Error in performing the patch operation on user resource.")
	}
	if refused != nil {
		return refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.dir.users[id]
	if u == nil {
		return noUser(id)
	}
	draft := userDraft{schema: s.schema, user: u, attributes: cloneAttributes(u.attributes)}
	for _, o := range operations {
		if refused := draft.apply(o); refused != nil {
			return refused
		}
	}
	if draft.password != "" {
		if refused := s.setPassword(u, draft.password); refused != nil {
			return refused
		}
	}
	u.attributes = draft.attributes
	u.modified = s.opts.Now()
	u.touch()
	return s.showUser(http.StatusOK, u, p)
}

func cloneAttributes(attributes map[string]any) map[string]any {
	clone := make(map[string]any, len(attributes))
	for name, value := range attributes {
		if members, ok := value.(map[string]any); ok {
			value = cloneAttributes(members)
		}
		clone[name] = value
	}
	return clone
}

// A userDraft is a user while a PATCH is carried out.
type userDraft struct {
	schema     *userSchema
	user       *user
	attributes map[string]any
	password   string
}

func (d *userDraft) apply(o operation) *answer {
	if o.path == "" {
		members, ok := o.value.(map[string]any)
		if !ok {
			return badSyntax("invalidSyntax")
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if refused := d.applyAt(operation{o.op, name, members[name]}, false); refused != nil {
				return refused
			}
		}
		return nil
	}
	return d.applyAt(o, true)
}

func (d *userDraft) applyAt(o operation, named bool) *answer {
	p, ok := d.schema.parse(o.path)
	if !ok {
		if !named {
			return nil // an unknown member of a value is dropped like one of a whole user
		}
		if p.attr.name != "" && strings.Contains(o.path, ".") {
			return scimError(http.StatusBadRequest, "noTarget", "No such attribute: "+o.path)
		}
		return badSyntax("No attribute with the name : " + o.path)
	}
	if p.whole {
		return d.extension(o, p)
	}
	switch {
	case p.attr.name == "schemas":
		return nil
	case p.attr.readOnly && o.op == "remove", p.attr.required && o.op == "remove" && p.member == "":
		return scimError(http.StatusBadRequest, "mutability", "Can not remove a required attribute or a read-only attribute")
	case p.attr.readOnly && o.op == "add":
		return scimError(http.StatusBadRequest, "mutability", "Can not add a immutable attribute or a read-only attribute")
	case p.attr.readOnly:
		return scimError(http.StatusBadRequest, "mutability", "Can not replace a immutable attribute or a read-only attribute")
	case p.attr.name == "userName":
		if name, _ := o.value.(string); name != d.user.userName() && name != d.user.store+"/"+d.user.name {
			return errRename
		}
		return nil
	case p.attr.name == "password":
		if o.op != "remove" {
			d.password, _ = o.value.(string)
		}
		return nil
	}
	into := d.attributes
	if p.urn != coreUser {
		into = inner(d.attributes, p.urn)
		defer d.prune(p.urn)
	}
	switch {
	case p.attr.kind == typedValues:
		return d.values(o, p, into)
	case p.attr.kind == complexValue:
		return d.complex(o, p, into)
	case o.op == "remove":
		delete(into, p.attr.name)
	default:
		if stored, ok := p.attr.accept(o.value); ok {
			into[p.attr.name] = stored
		} else {
			delete(into, p.attr.name) // an empty text clears (is-behaviour 1.15)
		}
	}
	return nil
}

func inner(object map[string]any, name string) map[string]any {
	members, ok := object[name].(map[string]any)
	if !ok {
		members = map[string]any{}
		object[name] = members
	}
	return members
}

// prune removes an object that has become empty.
func (d *userDraft) prune(name string) {
	if members, ok := d.attributes[name].(map[string]any); ok && len(members) == 0 {
		delete(d.attributes, name)
	}
}

// extension applies an operation to a whole extension: its members one by one.
func (d *userDraft) extension(o operation, p path) *answer {
	if o.op == "remove" {
		delete(d.attributes, p.urn)
		return nil
	}
	members, ok := o.value.(map[string]any)
	if !ok {
		return badSyntax("invalidSyntax")
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if refused := d.applyAt(operation{o.op, p.urn + ":" + name, members[name]}, false); refused != nil {
			return refused
		}
	}
	return nil
}

func (d *userDraft) complex(o operation, p path, into map[string]any) *answer {
	if p.member == "" {
		if o.op == "remove" {
			delete(into, p.attr.name)
			return nil
		}
		stored, ok := p.attr.accept(o.value)
		if !ok {
			return nil
		}
		maps.Copy(inner(into, p.attr.name), stored.(map[string]any))
		return nil
	}
	if p.urn != coreUser {
		// A path may have one sub-attribute after the attribute, and the URN counts (is-behaviour 3, issue 11678).
		return scimError(http.StatusBadRequest, "noTarget", "No such attribute: "+o.path)
	}
	members := inner(into, p.attr.name)
	if text := textOf(o.value); o.op != "remove" && o.value != nil && text != "" {
		members[p.member] = text
	} else {
		delete(members, p.member)
	}
	if len(members) == 0 {
		delete(into, p.attr.name)
	}
	return nil
}

// values applies an operation to a list of typed values: to all of it, or to the elements that its filter finds.
func (d *userDraft) values(o operation, p path, into map[string]any) *answer {
	name := p.attr.name
	values := inner(into, name)
	defer func() {
		if len(values) == 0 {
			delete(into, name)
		}
	}()
	if p.filter == nil {
		switch {
		case o.op == "remove":
			clear(values)
			return nil
		case p.member != "" && p.member != "value":
			return scimError(http.StatusBadRequest, "noTarget", "No such attribute: "+o.path)
		}
		if o.op == "replace" {
			clear(values)
		}
		if stored, ok := p.attr.accept(o.value); ok {
			maps.Copy(values, stored.(map[string]any))
		}
		return nil
	}
	var hits []string
	for _, kind := range multiValued[name] {
		value, ok := values[kind]
		switch strings.ToLower(p.filter.attr) {
		case "type":
			ok = ok && p.filter.holds(kind, true)
		case "value":
			ok = ok && p.filter.holds(textOf(value), false)
		default:
			ok = false
		}
		if ok {
			hits = append(hits, kind)
		}
	}
	if o.op == "remove" {
		for _, kind := range hits {
			delete(values, kind)
		}
		return nil
	}
	if len(hits) == 0 {
		if o.op == "replace" || !strings.EqualFold(p.filter.attr, "type") || !slices.Contains(multiValued[name], p.filter.value) {
			return scimError(http.StatusBadRequest, "noTarget", "No matching filter value found.")
		}
		hits = []string{p.filter.value}
	}
	for _, kind := range hits {
		switch p.member {
		case "value", "formatted":
			values[kind] = textOf(o.value)
		case "":
			to, value, ok := p.attr.element(firstElement(o.value))
			if !ok {
				return badSyntax("invalidValue")
			}
			if to == "" {
				to = kind
			}
			delete(values, kind)
			values[to] = value
		case "type":
			to := textOf(o.value)
			if !slices.Contains(multiValued[name], to) {
				return badSyntax("invalidValue")
			}
			values[to] = values[kind]
			if to != kind {
				delete(values, kind)
			}
		} // primary and display are not stored
	}
	return nil
}

func firstElement(v any) any {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return list[0]
	}
	return v
}
