package definition

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// verbs are the methods that OpenAPI has operations for.
var verbs = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// components are the sections of reusable elements, by what one of them is called; in OpenAPI 2 they
// are members of the document.
var components = []struct{ section, name, section2 string }{
	{"schemas", "schema", "definitions"},
	{"parameters", "parameter", "parameters"},
	{"responses", "response", "responses"},
	{"requestBodies", "request body", ""},
	{"examples", "example", ""},
	{"headers", "header", ""},
	{"links", "link", ""},
	{"callbacks", "callback", ""},
	{"securitySchemes", "security scheme", "securityDefinitions"},
	{"pathItems", "path item", ""},
}

// defaultScheme is the security scheme that API Manager writes into definitions and reads scopes
// from.
const defaultScheme = "default"

// isAddition reports whether a member is one that API Manager adds (apim-behaviour 5.1).
func isAddition(name string) bool {
	switch name {
	case "x-auth-type", "x-throttling-tier", "x-throttling-bandwidth", "x-scopes", "x-scopes-bindings", "x-mediation-script", "x-uri-mapping", "x-operations":
		return true
	}
	return strings.HasPrefix(name, "x-wso2") || strings.HasPrefix(name, "x-amzn-resource")
}

// parseOpenAPI returns the elements of OpenAPI 2, 3.0 or 3.1.
func parseOpenAPI(root *yaml.Node) (map[string]string, error) {
	top, err := members(root, "the definition")
	if err != nil {
		return nil, err
	}
	elements := map[string]string{}
	two := false
	var paths *yaml.Node
	for _, m := range top {
		switch m.name {
		case "swagger":
			if m.node.Value != "2.0" {
				return nil, at(m.node, `swagger must be "2.0"; later versions have openapi in its place`)
			}
			two = true
			elements[formatElement] = "swagger 2.0"
		case "openapi":
			version := m.node.Value
			if !strings.HasPrefix(version, "3.0") && !strings.HasPrefix(version, "3.1") {
				return nil, at(m.node, "openapi is %q; API Manager reads 3.0 and 3.1", version)
			}
			elements[formatElement] = "openapi " + version[:3]
		case "paths":
			paths = m.node
		}
	}
	for _, m := range top {
		switch {
		case m.name == "swagger", m.name == "openapi", m.name == "servers", m.name == "paths", isAddition(m.name):
		case two && slices.Contains([]string{"host", "basePath", "schemes"}, m.name): // where it is served is API Manager's
		case m.name == "info":
			err = infoElement(elements, m.node)
		case m.name == "components":
			err = componentElements(elements, m.node)
		case two && section2(m.name) != "":
			err = namedElements(elements, m.node, m.name, section2(m.name))
		case m.name == "security":
			if v, verr := value(m.node); verr != nil {
				err = verr
			} else if v = security(v); v != nil {
				elements["security"] = text(v)
			}
		default:
			if v, verr := value(m.node); verr != nil {
				err = verr
			} else if !empty(v) {
				elements[m.name] = text(clean(v))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if paths == nil {
		return nil, at(root, "it has no paths")
	}
	return elements, pathElements(elements, paths, two)
}

func section2(name string) string {
	for _, c := range components {
		if c.section2 == name {
			return c.name
		}
	}
	return ""
}

// infoElement keeps what is not the API's own: API Manager sets title and version.
func infoElement(elements map[string]string, n *yaml.Node) error {
	if _, err := members(n, "info"); err != nil {
		return err
	}
	v, err := value(n)
	if err != nil {
		return err
	}
	info, _ := clean(v).(map[string]any)
	delete(info, "title")
	delete(info, "version")
	for name, x := range info {
		if empty(x) {
			delete(info, name)
		}
	}
	if len(info) > 0 {
		elements["info"] = text(info)
	}
	return nil
}

func componentElements(elements map[string]string, n *yaml.Node) error {
	sections, err := members(n, "components")
	if err != nil {
		return err
	}
	for _, s := range sections {
		name := ""
		for _, c := range components {
			if c.section == s.name {
				name = c.name
			}
		}
		switch {
		case isAddition(s.name):
		case name != "":
			if err := namedElements(elements, s.node, "components."+s.name, name); err != nil {
				return err
			}
		default:
			v, err := value(s.node)
			if err != nil {
				return err
			}
			elements["components "+s.name] = text(clean(v))
		}
	}
	return nil
}

// namedElements makes an element of each member of a section.
func namedElements(elements map[string]string, n *yaml.Node, section, name string) error {
	list, err := members(n, section)
	if err != nil {
		return err
	}
	for _, m := range list {
		v, err := value(m.node)
		if err != nil {
			return err
		}
		if _, ok := v.(map[string]any); !ok && v != true && v != false {
			return at(m.node, "%s.%s must be an object", section, m.name)
		}
		if name == "security scheme" && m.name == defaultScheme {
			scopeElements(elements, v)
			continue
		}
		if name == "parameter" || name == "header" {
			v = parameter(v, name)
		}
		elements[name+" "+m.name] = text(clean(v))
	}
	return nil
}

// scopeElements makes an element of each scope of API Manager's own security scheme. The rest of the
// scheme is the server's.
func scopeElements(elements map[string]string, scheme any) {
	s, _ := scheme.(map[string]any)
	take := func(flow map[string]any) {
		scopes, _ := flow["scopes"].(map[string]any)
		bindings, _ := flow["x-scopes-bindings"].(map[string]any)
		for name, description := range scopes {
			scope := map[string]any{}
			if d, ok := description.(string); ok && d != "" && d != name {
				scope["description"] = d
			}
			if roles, ok := bindings[name].(string); ok && roles != "" {
				list := strings.Split(roles, ",")
				for i := range list {
					list[i] = strings.TrimSpace(list[i])
				}
				slices.Sort(list)
				scope["roles"] = slices.Compact(list)
			}
			elements["scope "+name] = text(scope)
		}
	}
	take(s) // OpenAPI 2
	flows, _ := s["flows"].(map[string]any)
	for _, name := range sortedNames(flows) {
		if flow, ok := flows[name].(map[string]any); ok {
			take(flow)
		}
	}
}

func pathElements(elements map[string]string, n *yaml.Node, two bool) error {
	paths, err := members(n, "paths")
	if err != nil {
		return err
	}
	for _, p := range paths {
		if strings.HasPrefix(p.name, "x-") {
			if v, err := value(p.node); err == nil && !isAddition(p.name) {
				elements["paths "+p.name] = text(clean(v))
			}
			continue
		}
		if !strings.HasPrefix(p.name, "/") {
			return at(p.key, `the path %q must begin with "/"`, p.name)
		}
		items, err := members(p.node, "paths."+p.name)
		if err != nil {
			return err
		}
		rest := map[string]any{}
		for _, m := range items {
			if !slices.Contains(verbs, m.name) {
				if !slices.Contains([]string{"parameters", "summary", "description", "servers", "$ref"}, m.name) && !strings.HasPrefix(m.name, "x-") {
					return at(m.key, "the path %s has %q, which is no method; methods are %s", p.name, m.name, strings.Join(verbs, ", "))
				}
				v, err := value(m.node)
				if err != nil {
					return err
				}
				if m.name == "parameters" {
					v = parameters(v)
				}
				if m.name != "servers" && !isAddition(m.name) && !empty(v) {
					rest[m.name] = clean(v)
				}
				continue
			}
			if _, err := members(m.node, fmt.Sprintf("the operation %s %s", strings.ToUpper(m.name), p.name)); err != nil {
				return err
			}
			v, err := value(m.node)
			if err != nil {
				return err
			}
			operation, _ := v.(map[string]any)
			elements[strings.ToUpper(m.name)+" "+p.name] = text(normalOperation(operation))
		}
		if len(rest) > 0 {
			elements["path "+p.name] = text(rest)
		}
	}
	return nil
}

// normalOperation leaves out of an operation what API Manager adds or fills in.
func normalOperation(operation map[string]any) map[string]any {
	out, _ := clean(operation).(map[string]any)
	delete(out, "servers")
	if s := security(out["security"]); s != nil {
		out["security"] = s
	} else {
		delete(out, "security")
	}
	if p := parameters(out["parameters"]); !empty(p) {
		out["parameters"] = p
	} else {
		delete(out, "parameters")
	}
	if r, ok := out["responses"].(map[string]any); ok && isDefaultResponse(r) {
		delete(out, "responses")
	}
	for _, name := range []string{"deprecated"} {
		if out[name] == false {
			delete(out, name)
		}
	}
	for _, name := range []string{"summary", "description", "tags"} {
		if empty(out[name]) {
			delete(out, name)
		}
	}
	return out
}

// isDefaultResponse reports whether responses are those that an operation without any gets.
func isDefaultResponse(r map[string]any) bool {
	if len(r) == 0 {
		return true
	}
	ok, _ := r["200"].(map[string]any)
	if len(r) != 1 || ok == nil {
		return false
	}
	description, _ := ok["description"].(string)
	delete(ok, "description")
	defer func() { ok["description"] = description }()
	return strings.EqualFold(description, "OK") && len(ok) == 0
}

// security leaves out the entries of API Manager's own scheme that ask for no scope; nil when
// nothing is left.
func security(v any) any {
	list, _ := v.([]any)
	var out []any
	for _, x := range list {
		entry, _ := x.(map[string]any)
		kept := map[string]any{}
		for name, scopes := range entry {
			s, _ := scopes.([]any)
			if name == defaultScheme && len(s) == 0 {
				continue
			}
			slices.SortFunc(s, func(x, y any) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
			kept[name] = s
			if s == nil {
				kept[name] = []any{}
			}
		}
		if len(kept) > 0 {
			out = append(out, kept)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

func parameters(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	for i := range list {
		list[i] = parameter(list[i], "")
	}
	return list
}

// parameter leaves out what the server's parser fills in: the default style, and false flags.
func parameter(v any, in string) any {
	p, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if where, ok := p["in"].(string); ok {
		in = where
	}
	style, explode := "simple", false
	if in == "query" || in == "cookie" {
		style, explode = "form", true
	}
	if s, ok := p["style"].(string); !ok || s == style {
		delete(p, "style")
		if p["explode"] == explode {
			delete(p, "explode")
		}
	}
	for _, name := range []string{"required", "deprecated", "allowEmptyValue", "allowReserved"} {
		if p[name] == false {
			delete(p, name)
		}
	}
	return p
}

// clean leaves out API Manager's additions, at any depth.
func clean(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, x := range v {
			if isAddition(name) || name == "exampleSetFlag" { // the last one is a slip of the server's parser
				continue
			}
			if name == "nullable" && x == false || x == nil && name != "example" && name != "default" {
				continue
			}
			out[name] = clean(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clean(v[i])
		}
		return out
	}
	return v
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	}
	r := reflect.ValueOf(v)
	return (r.Kind() == reflect.Map || r.Kind() == reflect.Slice) && r.Len() == 0
}

// openAPIText writes elements as a document in JSON.
func openAPIText(elements map[string]string, title, version string) (string, error) {
	name, number, _ := strings.Cut(elements[formatElement], " ")
	two := name == "swagger"
	doc := map[string]any{}
	if two {
		doc["swagger"] = number
	} else {
		doc["openapi"] = map[string]string{"3.0": "3.0.1", "3.1": "3.1.0"}[number]
	}
	paths, parts := map[string]any{}, map[string]any{}
	section := func(name string) map[string]any {
		holder, key := parts, ""
		for _, c := range components {
			if c.name == name {
				key = c.section
				if two {
					holder, key = doc, c.section2
				}
			}
		}
		if key == "" {
			return nil
		}
		if holder[key] == nil {
			holder[key] = map[string]any{}
		}
		m, _ := holder[key].(map[string]any)
		return m
	}
	item := func(path string) map[string]any {
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		m, _ := paths[path].(map[string]any)
		return m
	}
	info := map[string]any{}
	scopes, bindings := map[string]any{}, map[string]any{}
	for _, element := range sortedNames(elements) {
		v := parsed(elements[element])
		kind, rest, _ := strings.Cut(element, " ")
		for _, c := range components { // names of two words
			if after, ok := strings.CutPrefix(element, c.name+" "); ok {
				kind, rest = c.name, after
			}
		}
		m, _ := v.(map[string]any)
		switch {
		case element == formatElement:
		case element == "info":
			info = m
		case kind == "path":
			for k, x := range m {
				item(rest)[k] = x
			}
		case kind == "paths":
			paths[rest] = v
		case kind == "components":
			parts[rest] = v
		case kind == "scope":
			description, _ := m["description"].(string)
			scopes[rest] = description
			if roles, ok := m["roles"].([]any); ok {
				list := make([]string, len(roles))
				for i := range roles {
					list[i] = fmt.Sprint(roles[i])
				}
				bindings[rest] = strings.Join(list, ",")
			}
		case slices.Contains(verbs, strings.ToLower(kind)) && strings.HasPrefix(rest, "/"):
			if m["responses"] == nil {
				m["responses"] = map[string]any{"200": map[string]any{"description": "OK"}}
			}
			item(rest)[strings.ToLower(kind)] = m
		case rest != "" && section(kind) != nil:
			section(kind)[rest] = v
		default:
			doc[element] = v
		}
	}
	if len(scopes) > 0 {
		flow := map[string]any{"authorizationUrl": "https://test.com", "scopes": scopes}
		if len(bindings) > 0 {
			flow["x-scopes-bindings"] = bindings
		}
		if two {
			flow["type"], flow["flow"] = "oauth2", "implicit"
			section("security scheme")[defaultScheme] = flow
		} else {
			section("security scheme")[defaultScheme] = map[string]any{"type": "oauth2", "flows": map[string]any{"implicit": flow}}
		}
	}
	if info == nil {
		info = map[string]any{}
	}
	info["title"], info["version"] = title, version
	doc["info"], doc["paths"] = info, paths
	if len(parts) > 0 {
		doc["components"] = parts
	}
	return text(doc), nil
}
