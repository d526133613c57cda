// Package definition turns the definition of an API (OpenAPI, AsyncAPI, GraphQL or WSDL) into its
// elements, by which two definitions are compared, and elements back into a definition.
//
// The elements are a map from what an element is, such as "GET /pets", "schema Pet" or "type Query",
// to its text in a normal form: what API Manager adds to a definition that it stores is not in them,
// so that what was uploaded and what is stored have the same elements (apim-behaviour 5.1).
package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Kind is a language of definitions.
type Kind string

// The kinds.
const (
	OpenAPI  Kind = "OpenAPI"
	AsyncAPI Kind = "AsyncAPI"
	GraphQL  Kind = "GraphQL"
	WSDL     Kind = "WSDL"
)

// formatElement is the element that tells the kind and its version: "openapi 3.0", "graphql".
const formatElement = "format"

// An Error is what is wrong with a definition, and where.
type Error struct {
	Line, Column int // from 1; 0: not known
	Message      string
}

func (e *Error) Error() string {
	switch {
	case e.Line > 0 && e.Column > 0:
		return fmt.Sprintf("line %d, column %d of the definition: %s", e.Line, e.Column, e.Message)
	case e.Line > 0:
		return fmt.Sprintf("line %d of the definition: %s", e.Line, e.Message)
	}
	return e.Message
}

// Parse returns the elements of a definition, and its kind, which its content tells. The error is an
// *Error.
func Parse(text string) (Kind, map[string]string, error) {
	trimmed := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	switch {
	case trimmed == "":
		return "", nil, &Error{Message: "it is empty"}
	case strings.HasPrefix(text, archiveMagic), strings.HasPrefix(trimmed, archiveBase):
		elements, err := parseArchive(text)
		return WSDL, elements, err
	case strings.HasPrefix(trimmed, "<"):
		elements, err := parseWSDL(text)
		return WSDL, elements, err
	case looksLikeSDL(trimmed):
		elements, err := parseSDL(text)
		return GraphQL, elements, err
	}
	root, err := parseYAML(text)
	if err != nil {
		return "", nil, err
	}
	if root.Kind != yaml.MappingNode {
		return "", nil, at(root, "it is no definition: OpenAPI and AsyncAPI begin with an object, GraphQL with a type, WSDL with an element")
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch key := root.Content[i].Value; key {
		case "openapi", "swagger":
			elements, err := parseOpenAPI(root)
			return OpenAPI, elements, err
		case "asyncapi":
			elements, err := parseAsyncAPI(root)
			return AsyncAPI, elements, err
		}
	}
	return "", nil, at(root, `it has none of the members "openapi", "swagger" and "asyncapi", which tell what a definition is`)
}

// KindOf returns the kind of which elements are.
func KindOf(elements map[string]string) Kind {
	switch name, _, _ := strings.Cut(elements[formatElement], " "); name {
	case "openapi", "swagger":
		return OpenAPI
	case "asyncapi":
		return AsyncAPI
	case "graphql":
		return GraphQL
	case "wsdl":
		return WSDL
	}
	return ""
}

// Text returns a definition that has these elements; it is an archive where they came from one, which
// IsArchive tells. title and version are those of the API, which
// OpenAPI and AsyncAPI name.
func Text(elements map[string]string, title, version string) (string, error) {
	switch KindOf(elements) {
	case OpenAPI:
		return openAPIText(elements, title, version)
	case AsyncAPI:
		return asyncAPIText(elements, title, version)
	case GraphQL:
		return sdlText(elements), nil
	case WSDL:
		if elements[formatElement] == archiveFormat {
			return archiveText(elements)
		}
		return wsdlText(elements), nil
	}
	return "", errors.New("these are no elements of a definition")
}

// IsArchive reports whether a definition is an archive of files.
func IsArchive(text string) bool { return strings.HasPrefix(text, archiveMagic) }

// parseYAML parses YAML or JSON, which is YAML.
func parseYAML(text string) (*yaml.Node, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		if root, ok := parseJSON(text); ok {
			return root, nil
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, syntaxError(err, text)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, &Error{Line: 1, Column: 1, Message: "it is empty"}
	}
	return doc.Content[0], nil
}

// syntaxError turns an error of the YAML parser into one of ours; of JSON, its own parser tells the
// place better.
func syntaxError(err error, text string) *Error {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var v any
		var bad *json.SyntaxError
		if jerr := json.Unmarshal([]byte(text), &v); errors.As(jerr, &bad) {
			before := text[:max(0, min(int(bad.Offset)-1, len(text)))]
			return &Error{Line: 1 + strings.Count(before, "\n"), Column: len(before) - strings.LastIndexByte(before, '\n'), Message: bad.Error()}
		}
	}
	line, column := place(err.Error())
	message := err.Error()
	if i := strings.LastIndex(message, ": "); i >= 0 {
		message = message[i+2:]
	}
	return &Error{Line: line, Column: column, Message: message}
}

// place finds "line 3" and "column 5" in a message of the YAML parser.
func place(message string) (line, column int) {
	number := func(word string) int {
		_, rest, ok := strings.Cut(message, word)
		if !ok {
			return 0
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(rest)
		}
		n, _ := strconv.Atoi(rest[:end])
		return n
	}
	line = number("line ")
	if column = number("column "); column == 0 && line > 0 {
		// "<input>:3:5: …"
		column = number(fmt.Sprintf(":%d:", line))
	}
	return line, column
}

func at(n *yaml.Node, format string, args ...any) *Error {
	return &Error{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// member is one member of a mapping.
type member struct {
	name string
	key  *yaml.Node
	node *yaml.Node
}

// members returns the members of a mapping in their order, merges ("<<") resolved by the decoder
// only; what is no mapping gives an error that says what was expected.
func members(n *yaml.Node, what string) ([]member, error) {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		return nil, at(n, "%s must be an object", what)
	}
	out := make([]member, 0, len(n.Content)/2)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if seen[k.Value] {
			return nil, at(k, "%s has %q twice", what, k.Value)
		}
		seen[k.Value] = true
		out = append(out, member{k.Value, k, n.Content[i+1]})
	}
	return out, nil
}

func follow(n *yaml.Node) *yaml.Node {
	for depth := 0; n.Kind == yaml.AliasNode && n.Alias != nil && depth < 100; depth++ {
		n = n.Alias
	}
	return n
}

// value decodes a node into what encoding/json would make of it, numbers as int64, uint64 or float64.
func value(n *yaml.Node) (any, error) {
	if v, ok := simple(n); ok {
		return v, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, at(n, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return plain(v), nil
}

// plain makes string keys of all keys, and integers of numbers without a fraction.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = plain(x)
		}
		return v
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[fmt.Sprint(k)] = plain(x)
		}
		return out
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
		return v
	case string, bool, nil, int, int64, uint64:
		return v
	}
	return fmt.Sprint(v) // a timestamp, which JSON writes as a string
}

// text writes a value as an element's text: JSON, indented, members sorted.
func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v) // not reached: v came from a parser
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// parsed reads the text of an element again.
func parsed(text string) any {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return text
	}
	return v
}

func sortedNames[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
