package definition

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// parseAsyncAPI returns the elements of AsyncAPI 2 or 3: one for each operation of a channel, one
// for the rest of the channel, and one for each component.
func parseAsyncAPI(root *yaml.Node) (map[string]string, error) {
	top, err := members(root, "the definition")
	if err != nil {
		return nil, err
	}
	elements := map[string]string{}
	channels := false
	for _, m := range top {
		v, err := value(m.node)
		if err != nil {
			return nil, err
		}
		switch {
		case m.name == "asyncapi":
			version := m.node.Value
			if !strings.HasPrefix(version, "2.") && !strings.HasPrefix(version, "3.") {
				return nil, at(m.node, "asyncapi is %q; API Manager reads 2 and 3", version)
			}
			elements[formatElement] = "asyncapi " + version
		case m.name == "servers", isAddition(m.name): // where it is served is API Manager's
		case m.name == "info":
			if err := infoElement(elements, m.node); err != nil {
				return nil, err
			}
		case m.name == "channels":
			channels = true
			list, err := members(m.node, "channels")
			if err != nil {
				return nil, err
			}
			for _, c := range list {
				if _, err := members(c.node, "channels."+c.name); err != nil {
					return nil, err
				}
				v, err := value(c.node)
				if err != nil {
					return nil, err
				}
				channelElements(elements, c.name, v)
			}
		case m.name == "components":
			if err := asyncComponents(elements, m.node); err != nil {
				return nil, err
			}
		default:
			if !empty(v) {
				elements[m.name] = text(clean(v))
			}
		}
	}
	if !channels {
		return nil, at(root, "it has no channels")
	}
	return elements, nil
}

// channelElements makes elements of the operations of a channel, and one of the channel itself.
func channelElements(elements map[string]string, name string, v any) {
	channel, _ := clean(v).(map[string]any)
	for _, verb := range []string{"subscribe", "publish"} {
		if operation, ok := channel[verb]; ok {
			elements[strings.ToUpper(verb)+" "+name] = text(operation)
			delete(channel, verb)
		}
	}
	if empty(channel["parameters"]) {
		delete(channel, "parameters")
	}
	elements["channel "+name] = text(channel)
}

func asyncComponents(elements map[string]string, n *yaml.Node) error {
	sections, err := members(n, "components")
	if err != nil {
		return err
	}
	for _, s := range sections {
		list, err := members(s.node, "components."+s.name)
		if err != nil {
			return err
		}
		for _, m := range list {
			if s.name == "securitySchemes" && m.name == "oauth2" {
				v, err := value(m.node)
				if err != nil {
					return err
				}
				scopeElements(elements, v) // API Manager writes scopes there
				continue
			}
			v, err := value(m.node)
			if err != nil {
				return err
			}
			elements["component "+s.name+" "+m.name] = text(clean(v))
		}
	}
	return nil
}

// asyncAPIText writes elements as a document in JSON.
func asyncAPIText(elements map[string]string, title, version string) (string, error) {
	_, number, _ := strings.Cut(elements[formatElement], " ")
	doc := map[string]any{"asyncapi": number}
	channels, parts, scopes := map[string]any{}, map[string]any{}, map[string]any{}
	channel := func(name string) map[string]any {
		if channels[name] == nil {
			channels[name] = map[string]any{}
		}
		m, _ := channels[name].(map[string]any)
		return m
	}
	info := map[string]any{}
	for _, element := range sortedNames(elements) {
		v := parsed(elements[element])
		m, _ := v.(map[string]any)
		kind, rest, _ := strings.Cut(element, " ")
		switch {
		case element == formatElement:
		case element == "info":
			info = m
		case kind == "channel":
			for k, x := range m {
				channel(rest)[k] = x
			}
			channel(rest)
		case kind == "SUBSCRIBE" || kind == "PUBLISH":
			channel(rest)[strings.ToLower(kind)] = v
		case kind == "scope":
			description, _ := m["description"].(string)
			scopes[rest] = description
		case kind == "component":
			section, name, _ := strings.Cut(rest, " ")
			list, _ := parts[section].(map[string]any)
			if list == nil {
				list = map[string]any{}
				parts[section] = list
			}
			list[name] = v
		default:
			doc[element] = v
		}
	}
	if len(scopes) > 0 {
		schemes, _ := parts["securitySchemes"].(map[string]any)
		if schemes == nil {
			schemes = map[string]any{}
			parts["securitySchemes"] = schemes
		}
		schemes["oauth2"] = map[string]any{"type": "oauth2", "flows": map[string]any{"implicit": map[string]any{
			"authorizationUrl": "http://localhost:9999", "scopes": scopes}}}
	}
	if info == nil {
		info = map[string]any{}
	}
	info["title"], info["version"] = title, version
	doc["info"], doc["channels"] = info, channels
	if len(parts) > 0 {
		doc["components"] = parts
	}
	return text(doc), nil
}
