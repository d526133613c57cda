package is

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// An operation is one of a PATCH request.
type operation struct {
	op       string // add, replace, remove
	path     string
	hasPath  bool
	value    any
	hasValue bool
}

var errNoOperations = errors.New("no operations")

const (
	syntax     = "invalidSyntax"
	noTarget   = "noTarget"
	invalidWay = "invalidPath"
	mutability = "mutability"
)

func refuse(kind, detail string) *answer { return scimError(http.StatusBadRequest, kind, detail) }

// readOperations reads a PATCH document. Operation names may be in any letter case. What an operation's path and value may be is up to the kind of
// object: charon, whose answers these are, has code of its own for each.
func readOperations(body map[string]any) ([]operation, *answer, error) {
	if !has(body, "Operations") {
		return nil, nil, errNoOperations
	}
	list, ok := body["Operations"].([]any)
	if !ok {
		return nil, badSyntax(syntax), nil
	}
	var all []operation
	for _, element := range list {
		members, ok := element.(map[string]any)
		if !ok {
			return nil, badSyntax(syntax), nil
		}
		given, hasOp := members["op"]
		if !hasOp {
			return nil, refuse(syntax, "Operation can not be null."), nil
		}
		op, isText := given.(string)
		if !isText {
			return nil, badSyntax(syntax), nil
		}
		o := operation{op: strings.ToLower(op)}
		if o.op != "add" && o.op != "replace" && o.op != "remove" {
			return nil, refuse(syntax, "Unknown operation: "+op), nil
		}
		if o.path, o.hasPath = members["path"].(string); !o.hasPath && has(members, "path") {
			return nil, badSyntax(syntax), nil
		}
		o.value, o.hasValue = members["value"] // null is a value
		all = append(all, o)
	}
	return all, nil, nil
}

func has(members map[string]any, name string) bool {
	_, ok := members[name]
	return ok
}

// pathless refuses a removal that names nothing.
func (o operation) pathless() *answer {
	if o.op == "remove" && !o.hasPath {
		return refuse(noTarget, "No path value specified for remove operation")
	}
	return nil
}

func missingValue(op string) *answer {
	return refuse(syntax, "The value is not provided to perform patch "+op+" operation.")
}

func (s *Server) patchUser(c *call) *answer {
	body, refused := scimBody(c)
	if refused != nil {
		return refused
	}
	return s.afterUpdate(c, s.changeUser(c.PathValue("id"), body, readProjection(c.URL.Query())))
}

func failedPatch(of string) *answer {
	return scimError(http.StatusInternalServerError, "", "Error in performing the patch operation on "+of+" resource.")
}

// changeUser carries out the operations of a PATCH on a copy, which replaces the user's attributes when all of them are good.
func (s *Server) changeUser(id string, body map[string]any, p projection) *answer {
	operations, refused, err := readOperations(body)
	if err != nil {
		return failedPatch("user")
	}
	if refused != nil {
		return refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.dir.users[id]
	switch {
	case u == nil:
		return noUser(id)
	case len(operations) == 0:
		return failedPatch("user")
	}
	draft := userDraft{schema: s.schema, user: u, attributes: cloneAttributes(u.attributes)}
	for _, o := range operations {
		if refused := draft.apply(o); refused != nil {
			return refused
		}
	}
	if draft.renamed {
		return errRename
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
	renamed    bool // which is refused after everything else (seen)
}

func (d *userDraft) apply(o operation) *answer {
	if refused := o.pathless(); refused != nil {
		return refused
	}
	if o.op == "add" && !o.hasValue {
		return missingValue(o.op)
	}
	if !o.hasPath {
		return d.applyObject(o)
	}
	if name, rest, cut := strings.Cut(o.path, "["); cut && rest == "" && o.op != "add" {
		// A bracket that is not closed is cut off by a removal, and lets a replacement find nothing (seen).
		if o.op == "replace" {
			return nil
		}
		o.path = name
	}
	p, refused := d.readPath(o)
	if refused != nil {
		return refused
	}
	if o.op == "remove" {
		return d.remove(p)
	}
	if !o.hasValue {
		return failedPatch("user")
	}
	switch {
	case p.attr.name == "groups" || p.attr.name == "roles":
		return nil // taken, and without effect
	case p.attr.readOnly && o.op == "add":
		return refuse(mutability, "Can not update a immutable attribute or a read-only attribute")
	case p.attr.readOnly:
		return refuse(mutability, "Can not replace a immutable attribute or a read-only attribute")
	}
	return d.set(o, p)
}

// applyObject carries out an operation without a path: an object whose members are set one by one. Members that no schema knows are dropped.
func (d *userDraft) applyObject(o operation) *answer {
	members, ok := o.value.(map[string]any)
	switch {
	case !o.hasValue:
		return failedPatch("user")
	case !ok && o.op == "add":
		return scimError(http.StatusInternalServerError, "", "Error in decoding the request")
	case !ok:
		return scimError(http.StatusInternalServerError, "", "Error in performing the replace operation")
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		if slices.Contains(d.schema.urns[1:], name) {
			extension, ok := value.(map[string]any)
			if !ok {
				return badSyntax(syntax)
			}
			for _, member := range slices.Sorted(maps.Keys(extension)) {
				if a, ok := d.schema.find(name, member); ok && a.name == member && !a.readOnly {
					if refused := d.merge(path{urn: name, attr: a}, o.op, extension[member]); refused != nil {
						return refused
					}
				}
			}
			continue
		}
		a, ok := d.schema.find(coreUser, name)
		switch {
		case !ok || a.name != name || a.name == "schemas" || a.name == "groups" || a.name == "roles":
		case a.readOnly && o.op == "replace":
			return refuse(mutability, "Immutable or Read-Only attributes can not be modified.")
		case a.readOnly:
		default:
			if refused := d.merge(path{urn: coreUser, attr: a}, o.op, value); refused != nil {
				return refused
			}
		}
	}
	return nil
}

// merge sets one attribute from a value without a path: the members of an object are merged, where a path replaces it.
func (d *userDraft) merge(p path, op string, value any) *answer {
	if members, ok := value.(map[string]any); ok && p.attr.kind == complexValue {
		into, done := d.into(p)
		defer done()
		for _, member := range p.attr.members {
			if v, named := members[member]; named {
				setMember(into, p.attr.name, member, v)
			}
		}
		return nil
	}
	if value == nil {
		value = ""
		if p.attr.kind == typedValues {
			value = []any{}
		}
	}
	return d.set(operation{op: op, value: value}, p)
}

// rule is what charon's check of the path of an add wants of a URN: a version in it, a name and an attribute. urn:scim:wso2:schema:… has no version,
// so its attributes can be replaced by path, and added without one only.
var rule = regexp.MustCompile(`^urn:[\w.:-]+:\d+\.\d+:\w+:[\w$.]+$`)

// plainRule is the same of a path without a URN.
var plainRule = regexp.MustCompile(`^[\w$.-]+(\[\S+ \S+ .+\](\.[\w$]+)?)?$`)

// readPath reads an operation's path. Names are in the letter case of the schema.
func (d *userDraft) readPath(o operation) (path, *answer) {
	var p path
	text := o.path
	absent := func(name string) *answer {
		if o.op == "remove" {
			return refuse(invalidWay, "No such attribute with the name : "+name+" in the current resource")
		}
		return refuse(noTarget, "No such attribute with the name : "+name)
	}
	rest := text
	if strings.HasPrefix(text, "urn:") {
		if o.op == "add" && !rule.MatchString(text) {
			return p, refuse(syntax, "Path value is not a valid syntax according to the SCIM PATCH PATH Rule. path: "+text)
		}
		p.urn, rest = "", ""
		for _, urn := range d.schema.urns[1:] {
			if after, ok := strings.CutPrefix(text, urn+":"); ok {
				p.urn, rest = urn, after
			}
		}
		if p.urn == "" {
			// The core URN and an extension's URN alone are no paths.
			return p, absent(text[:strings.LastIndexByte(text, ':')])
		}
	} else {
		if o.op == "add" && !plainRule.MatchString(text) {
			return p, refuse(syntax, "Path value is not a valid syntax according to the SCIM PATCH PATH Rule. path: "+text)
		}
		p.urn = coreUser
		if open := strings.IndexByte(rest, '['); open >= 0 {
			end := strings.LastIndexByte(rest, ']')
			if end < open {
				return p, badSyntax("No attribute with the name : " + text)
			}
			f, err := parseFilter(rest[open+1 : end])
			if err != nil && len(strings.Fields(rest[open+1:end])) < 3 {
				return p, failedPatch("user")
			}
			if err != nil {
				return p, badSyntax("No attribute with the name : " + text)
			}
			if slices.ContainsFunc(f, func(c condition) bool { return c.op != "eq" }) {
				return p, scimError(http.StatusNotImplemented, "", "Only Eq filter is supported")
			}
			p.filter, rest = f, rest[:open]+rest[end+1:]
		}
	}
	name, member, hasMember := strings.Cut(rest, ".")
	a, ok := d.schema.find(p.urn, name)
	if !ok || a.name != name || a.name == "schemas" {
		_, extended := d.attributes[p.urn].(map[string]any)
		switch {
		case o.op == "remove" && extended && p.urn != coreUser:
			return p, refuse(invalidWay, "No such sub attribute with the name : "+name+" in the attribute : "+p.urn)
		case o.op == "remove" && p.urn != coreUser:
			return p, absent(p.urn)
		case o.op == "remove" || hasMember || p.urn != coreUser:
			return p, absent(name)
		default:
			return p, badSyntax("No attribute with the name : " + text)
		}
	}
	p.attr, p.member = a, member
	if !hasMember {
		return p, nil
	}
	switch {
	case p.urn != coreUser && o.op == "add":
		return p, refuse(noTarget, "According to SCIM specification max one sub attribute can be allowed for SCIM attribute. path: "+text)
	case a.has(member):
		return p, nil
	case p.filter != nil && o.op == "remove":
		return p, refuse(invalidWay, "No such sub attribute with the name : "+member+" within the attribute "+a.name)
	case p.filter != nil:
		return p, failedPatch("user")
	case o.op == "remove":
		return p, refuse(invalidWay, "No such sub attribute with the name : "+member+" in the attribute : "+a.name)
	}
	return p, refuse(noTarget, "No such attribute with the name : "+member)
}

// into is the object that holds an attribute, and what is to be done afterwards: an extension that has become empty goes.
func (d *userDraft) into(p path) (map[string]any, func()) {
	if p.urn == coreUser {
		return d.attributes, func() {}
	}
	return inner(d.attributes, p.urn), func() {
		if members, ok := d.attributes[p.urn].(map[string]any); ok && len(members) == 0 {
			delete(d.attributes, p.urn)
		}
	}
}

func inner(object map[string]any, name string) map[string]any {
	members, ok := object[name].(map[string]any)
	if !ok {
		members = map[string]any{}
		object[name] = members
	}
	return members
}

// setMember sets one text of an object; nothing and an empty text remove it (is-behaviour 1.15), and an empty object goes.
func setMember(into map[string]any, name, member string, value any) {
	members := inner(into, name)
	if text := textOf(value); value != nil && text != "" {
		members[member] = text
	} else {
		delete(members, member)
	}
	if len(members) == 0 {
		delete(into, name)
	}
}

// set carries out add and replace of one attribute.
func (d *userDraft) set(o operation, p path) *answer {
	switch p.attr.name {
	case "userName":
		if _, isText := o.value.(string); !isText && o.op == "add" {
			return failedPatch("user")
		}
		name, _ := o.value.(string)
		d.renamed = name != d.user.userName() && name != d.user.store+"/"+d.user.name
		return nil
	case "password":
		d.password, _ = o.value.(string)
		return nil
	}
	into, done := d.into(p)
	defer done()
	_, isObject := o.value.(map[string]any)
	_, isList := o.value.([]any)
	_, isText := o.value.(string)
	switch {
	case p.attr.kind == typedValues:
		return d.setValues(o, p, into)
	case p.attr.kind == complexValue && p.member != "" && !isText:
		return badValue("Violation in attribute schema. DataType doesn't match that of the value.")
	case p.attr.kind == complexValue && p.member != "":
		setMember(into, p.attr.name, p.member, o.value)
		return nil
	case p.attr.kind == complexValue:
		if !isObject {
			return badSyntax(syntax)
		}
		stored, ok := p.attr.accept(o.value)
		switch {
		case !ok && o.op == "replace":
			delete(into, p.attr.name)
		case !ok:
		case o.op == "replace":
			into[p.attr.name] = stored // what the value does not name is gone
		default:
			maps.Copy(inner(into, p.attr.name), stored.(map[string]any))
		}
		return nil
	case (isObject || isList || o.value == nil) && o.path != "" && (o.op == "add" || p.attr.kind == boolean):
		return failedPatch("user")
	case (isObject || isList || o.value == nil) && o.path != "":
		text, err := json.Marshal(o.value) // (seen)
		if err != nil {
			return failedPatch("user")
		}
		into[p.attr.name] = string(text)
		return nil
	case (isObject || isList) && o.op == "add":
		return failedPatch("user")
	case p.urn != coreUser && p.attr.kind == boolean && isText && o.path != "":
		return badValue("Violation in attribute schema. DataType doesn't match that of the value.")
	}
	if stored, ok := p.attr.accept(o.value); ok {
		into[p.attr.name] = stored
	} else {
		delete(into, p.attr.name)
	}
	return nil
}

// setValues carries out add and replace on a list of typed values: on all of it, or on the elements that its filter finds.
func (d *userDraft) setValues(o operation, p path, into map[string]any) *answer {
	name := p.attr.name
	values := inner(into, name)
	defer func() {
		if len(values) == 0 {
			delete(into, name)
		}
	}()
	if p.filter == nil && p.member == "" {
		list, ok := o.value.([]any)
		if !ok {
			return badSyntax(syntax)
		}
		if o.op == "replace" {
			clear(values)
		} else {
			// Bare texts in an add are dropped.
			list = slices.DeleteFunc(slices.Clone(list), func(v any) bool { _, isText := v.(string); return isText })
		}
		if stored, ok := p.attr.accept(list); ok {
			maps.Copy(values, stored.(map[string]any))
		}
		return nil
	}
	hits := d.hits(p, values)
	if len(hits) == 0 {
		if o.op == "add" || len(values) > 0 {
			return refuse(noTarget, "No matching filter value found.")
		}
		// Where there is no element at all, charon makes one of the member alone: a value without a type.
		if p.member == "value" && textOf(o.value) != "" {
			values[""] = textOf(o.value)
		}
		return nil
	}
	for _, kind := range hits {
		switch p.member {
		case "value", "formatted":
			values[kind] = textOf(o.value)
		case "type":
			value := values[kind]
			delete(values, kind)
			if to := textOf(o.value); slices.Contains(multiValued[name], to) {
				values[to] = value // two elements of one type become one
			}
		case "":
			to, value, ok := p.attr.element(o.value)
			if !ok {
				return badSyntax(syntax)
			}
			if to == "" {
				to = kind
			}
			delete(values, kind)
			values[to] = value
		} // primary and display are not stored
	}
	return nil
}

// hits are the types of the elements that a path names: all, or those its filter finds. Letter case matters.
func (d *userDraft) hits(p path, values map[string]any) []string {
	var hits []string
	for _, kind := range multiValued[p.attr.name] {
		value, ok := values[kind]
		for _, c := range p.filter {
			switch c.attr {
			case "type":
				ok = ok && c.holds(kind, false)
			case "value", "formatted":
				ok = ok && c.holds(textOf(value), false)
			default:
				ok = false
			}
		}
		if ok {
			hits = append(hits, kind)
		}
	}
	return hits
}

// remove takes an attribute away. One that the user does not have cannot be removed.
func (d *userDraft) remove(p path) *answer {
	absent := func(name string) *answer {
		return refuse(invalidWay, "No such attribute with the name : "+name+" in the current resource")
	}
	name := p.attr.name
	switch {
	case name == "password", name == "groups" && len(d.user.groups) == 0:
		return absent(name)
	case p.attr.readOnly || p.attr.required && p.member == "":
		return refuse(mutability, "Can not remove a required attribute or a read-only attribute")
	}
	if p.urn != coreUser && d.attributes[p.urn] == nil {
		return absent(p.urn)
	}
	into, done := d.into(p)
	defer done()
	stored, ok := into[name]
	if !ok && p.urn != coreUser {
		return refuse(invalidWay, "No such sub attribute with the name : "+name+" in the attribute : "+p.urn)
	}
	if !ok {
		return absent(name)
	}
	members, _ := stored.(map[string]any)
	switch {
	case p.attr.kind == typedValues && (p.filter != nil || p.member != ""):
		for _, kind := range d.hits(p, members) {
			if p.member == "" || p.member == "value" || p.member == "formatted" {
				delete(members, kind) // an element without a value is none
			}
		}
	case p.attr.kind == complexValue && p.member != "":
		if _, ok := members[p.member]; !ok {
			return refuse(invalidWay, "No such sub attribute with the name : "+p.member+" in the attribute : "+name)
		}
		delete(members, p.member)
	default:
		delete(into, name)
		return nil
	}
	if len(members) == 0 {
		delete(into, name)
	}
	return nil
}

// jsonText is a list or object as text.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}
