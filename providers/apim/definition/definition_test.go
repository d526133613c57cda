package definition

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

const pets = `openapi: 3.0.1
info:
  title: Pets
  version: 1.0.0
  description: All about pets
servers:
  - url: https://elsewhere.example.com
tags:
  - name: pets
paths:
  /pets:
    parameters:
      - {name: locale, in: query, schema: {type: string}}
    get:
      summary: List pets
      parameters:
        - name: limit
          in: query
          schema: {type: integer, maximum: 100.0}
      security:
        - default: [read]
      responses:
        "200": {description: All pets, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
    post:
      operationId: add
  /pets/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      responses: {"200": {description: A pet}, 404: {description: None}}
components:
  schemas:
    Pet:
      type: object
      properties: {name: {type: string}}
  securitySchemes:
    default:
      type: oauth2
      flows: {implicit: {authorizationUrl: https://x, scopes: {read: To read}, x-scopes-bindings: {read: "admin, Internal/creator"}}}
`

// stored is pets as API Manager keeps it: with its own additions, reordered, in JSON.
const stored = `{"openapi":"3.0.1","info":{"title":"PetAPI","description":"All about pets","version":"v2","contact":{}},
"servers":[{"url":"/"}],"security":[{"default":[]}],"tags":[{"name":"pets"}],
"paths":{"/pets/{id}":{"get":{"parameters":[{"name":"id","in":"path","required":true,"style":"simple","explode":false,"schema":{"type":"string"}}],
"responses":{"404":{"description":"None"},"200":{"description":"A pet"}},"security":[{"default":[]}],"x-auth-type":"Application & Application User","x-throttling-tier":"Unlimited"}},
"/pets":{"post":{"operationId":"add","responses":{"200":{"description":"OK"}},"security":[{"default":[]}],"x-throttling-tier":"Unlimited","x-wso2-application-security":{"security-types":["oauth2"],"optional":false}},
"get":{"summary":"List pets","parameters":[{"name":"limit","in":"query","required":false,"style":"form","explode":true,"schema":{"maximum":100,"type":"integer"}}],
"security":[{"default":["read"]}],"x-scopes":["read"],"responses":{"200":{"description":"All pets","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pet"}}}}}},
"parameters":[{"name":"locale","in":"query","schema":{"type":"string"}}]}},
"components":{"schemas":{"Pet":{"type":"object","properties":{"name":{"type":"string","exampleSetFlag":false}}}},
"securitySchemes":{"default":{"type":"oauth2","flows":{"implicit":{"authorizationUrl":"https://test.com","scopes":{"read":"To read"},"x-scopes-bindings":{"read":"Internal/creator,admin"}}}}}},
"x-wso2-auth-header":"Authorization","x-wso2-cors":{},"x-wso2-basePath":"/pets/v2"}`

func parse(t *testing.T, text string) map[string]string {
	t.Helper()
	_, elements, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return elements
}

// TestStored holds that what API Manager adds is in no element.
func TestStored(t *testing.T) {
	if diff := cmp.Diff(parse(t, pets), parse(t, stored)); diff != "" {
		t.Errorf("(- written, + stored):\n%s", diff)
	}
}

func TestOpenAPIElements(t *testing.T) {
	elements := parse(t, pets)
	want := []string{"GET /pets", "GET /pets/{id}", "POST /pets", "format", "info", "path /pets", "schema Pet", "scope read", "tags"}
	if diff := cmp.Diff(want, sortedNames(elements)); diff != "" {
		t.Error(diff)
	}
	if got := elements["scope read"]; got != "{\n  \"description\": \"To read\",\n  \"roles\": [\n    \"Internal/creator\",\n    \"admin\"\n  ]\n}" {
		t.Error(got)
	}
	edited := parse(t, strings.Replace(pets, "maximum: 100.0", "maximum: 50", 1))
	for name, text := range edited {
		if (text != elements[name]) != (name == "GET /pets") {
			t.Errorf("an edit of GET /pets shows in %s", name)
		}
	}
}

const starWars = `"""
The heroes
"""
schema { query: Query, mutation: Mutation }

# a comment
type Query implements Node & Other @key(fields: "id") {
  "One hero"
  hero(episode: Episode = JEDI, first: Int = -1): Character! @deprecated(reason: "old")
  search(text: [String!]!): [SearchResult]
}
type Mutation { addHero(name: String!): Character }
union SearchResult = Human | Droid
enum Episode { NEWHOPE EMPIRE
 JEDI }
scalar Date
input Review { stars: Int!, words: [String] = ["a", "b"] }
directive @key(fields: String!) repeatable on OBJECT | INTERFACE
interface Node { id: ID! }
extend type Query { more: Int }
extend type Query { still: Int }
type Human implements Node { id: ID! type: String input: Int }
`

const orders = `<?xml version="1.0"?>
<!-- orders -->
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="urn:o" targetNamespace="urn:o" name="Orders">
  <wsdl:types><xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"><xsd:element name="a" type="xsd:string"/></xsd:schema></wsdl:types>
  <wsdl:message name="In"><wsdl:part name="p" element="tns:a"/></wsdl:message>
  <wsdl:portType name="Orders"><wsdl:operation name="get"><wsdl:documentation>Gets &amp; goes</wsdl:documentation><wsdl:input message="tns:In"/></wsdl:operation></wsdl:portType>
  <wsdl:service name="Orders"/>
</wsdl:definitions>`

const events = `
asyncapi: 2.0.0
info: {title: Events, version: 1.0.0}
servers: {production: {url: ws://x, protocol: ws}}
channels:
  /orders:
    parameters: {}
    subscribe: {message: {$ref: '#/components/messages/Order'}}
    publish: {message: {payload: {type: object}}}
  /quiet: {}
components:
  messages: {Order: {payload: {type: object}}}
  securitySchemes: {oauth2: {type: oauth2, flows: {implicit: {authorizationUrl: x, scopes: {s: a scope}}}}}
`

// TestRoundTrip holds that the text of elements has the same elements.
func TestRoundTrip(t *testing.T) {
	swagger := `{"swagger":"2.0","info":{"title":"a","version":"b"},"host":"x","basePath":"/y","schemes":["http"],"consumes":["application/json"],
	"paths":{"/a":{"get":{"responses":{"200":{"description":"x"}}}}},"definitions":{"A":{"type":"object"}},"securityDefinitions":{"default":{"type":"oauth2","flow":"implicit","authorizationUrl":"x","scopes":{"s":"S"}}}}`
	for name, source := range map[string]string{"openapi": pets, "stored": stored, "swagger": swagger, "graphql": starWars, "wsdl": orders, "asyncapi": events} {
		t.Run(name, func(t *testing.T) {
			kind, elements, err := Parse(source)
			if err != nil {
				t.Fatal(err)
			}
			if KindOf(elements) != kind {
				t.Errorf("a kind of %q, which is %q", KindOf(elements), kind)
			}
			text, err := Text(elements, "A", "1.0.0")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(elements, parse(t, text)); diff != "" {
				t.Errorf("(- elements, + of their text):\n%s\n%s", diff, text)
			}
		})
	}
}

func TestGraphQLElements(t *testing.T) {
	elements := parse(t, starWars)
	want := []string{"directive key", "enum Episode", "extend type Query", "format", "input Review", "interface Node", "scalar Date", "schema",
		"type Human", "type Mutation", "type Query", "union SearchResult"}
	if diff := cmp.Diff(want, sortedNames(elements)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(`type Query implements Node & Other @ key(fields: "id") {
  "One hero"
  hero(episode: Episode = JEDI, first: Int = -1): Character! @deprecated(reason: "old")
  search(text: [String!]!): [SearchResult]
}`, strings.ReplaceAll(elements["type Query"], "@key", "@ key")); diff != "" {
		t.Error(diff)
	}
	other := parse(t, strings.ReplaceAll(strings.ReplaceAll(starWars, "# a comment", ""), "  hero(episode: Episode = JEDI, first", "hero (\n episode : Episode=JEDI\n first"))
	if diff := cmp.Diff(elements, other); diff != "" {
		t.Errorf("blanks and commas count: %s", diff)
	}
}

func TestWSDLElements(t *testing.T) {
	elements := parse(t, orders)
	want := []string{"format", "message In", "portType Orders", "root", "service Orders", "types"}
	if diff := cmp.Diff(want, sortedNames(elements)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(elements["portType Orders"], "Gets &amp; goes") {
		t.Error(elements["portType Orders"])
	}
}

func TestAsyncAPIElements(t *testing.T) {
	want := []string{"PUBLISH /orders", "SUBSCRIBE /orders", "channel /orders", "channel /quiet", "component messages Order", "format", "scope s"}
	if diff := cmp.Diff(want, sortedNames(parse(t, events))); diff != "" {
		t.Error(diff)
	}
}

// TestJSON holds that JSON has the same elements by the parser of JSON as by that of YAML, and that
// what is neither has none.
func TestJSON(t *testing.T) {
	for _, source := range []string{stored, `{"openapi": "3.0.1", "paths": {"/a\u00e9\n": {"get": {"x-n": [1, -2, 1.5, 3.0, 1e3, 10, true, false, null, "", "\"", {}, []]}}}}`} {
		root, ok := parseJSON(source)
		if !ok {
			t.Fatal("no JSON")
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
			t.Fatal(err)
		}
		fast, err := parseOpenAPI(root)
		if err != nil {
			t.Fatal(err)
		}
		slow, err := parseOpenAPI(doc.Content[0])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slow, fast); diff != "" {
			t.Errorf("(- by YAML, + by JSON):\n%s", diff)
		}
	}
	for _, source := range []string{`{`, `{"a"}`, `{"a":1,}`, `{"a":1}}`, `{a:1}`, `{"a":1 2}`, `{"a":"b`, "{\"a\":\"\n\"}", `{"a":tru}`, `{"a":1-2}`, `{"a":.inf}`, `{1:2}`, `{"a":[1,]}`} {
		if root, ok := parseJSON(source); ok {
			t.Errorf("%s is taken for JSON: %v", source, root)
		}
	}
	root, _ := parseJSON("{\n  \"é\": {\"b\": 5}}")
	if b := root.Content[1].Content[1]; b.Line != 2 || b.Column != 14 {
		t.Errorf("line %d, column %d", b.Line, b.Column)
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name, text, message string
		line, column        int
	}{
		{"empty", " \n", "empty", 0, 0},
		{"a scalar", "hello", "no definition", 1, 1},
		{"a list", "- a", "no definition", 1, 1},
		{"something else", "a: 1", "none of the members", 1, 1},
		{"YAML", "openapi: 3.0.1\npaths:\n  /a: [\n", "did not find", 4, 0},
		{"YAML tab", "openapi: 3.0.1\npaths:\n\t/a: {}\n", "cannot start", 3, 0},
		{"JSON", "{\"openapi\": \"3.0.1\",\n \"paths\": {]}", "invalid character", 2, 12},
		{"version", "openapi: 4.0.0\npaths: {}", "3.0 and 3.1", 1, 10},
		{"no paths", "openapi: 3.0.1\ninfo: {}", "no paths", 1, 1},
		{"paths", "openapi: 3.0.1\npaths: []", "paths must be an object", 2, 8},
		{"path", "openapi: 3.0.1\npaths:\n  a: {}", `must begin with "/"`, 3, 3},
		{"method", "openapi: 3.0.1\npaths:\n  /a:\n    gett: {}", "no method", 4, 5},
		{"operation", "openapi: 3.0.1\npaths:\n  /a:\n    get: 5", "must be an object", 4, 10},
		{"twice", "openapi: 3.0.1\npaths:\n  /a: {}\n  /a: {}", "", 4, 3},
		{"schema", "openapi: 3.0.1\npaths: {}\ncomponents:\n  schemas:\n    A: text", "must be an object", 5, 8},
		{"no channels", "asyncapi: 2.0.0", "no channels", 1, 1},
		{"SDL brace", "type A {\n  a: Int\n", "not closed", 1, 8},
		{"SDL closing", "type A }", "closes nothing", 1, 8},
		{"SDL word", "type A { a: Int }\ntyp B { b: Int }", "begins no definition", 2, 1},
		{"SDL string", "type A { a(b: String = \"x): Int }", "no closing", 1, 24},
		{"SDL character", "type A { a: Int; }", "has no ;", 1, 16},
		{"SDL twice", "type A { a: Int }\ntype A { b: Int }", "twice", 2, 1},
		{"XML", "<definitions>\n<a></b></definitions>", "while a is open", 2, 8},
		{"XML end", "<definitions><a>", "before its root is closed", 1, 17},
		{"archive", "UEsDBAoAAAAA", "no archive", 0, 0},
		{"XML root", "<html/>", "its root is html", 1, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Parse(test.text)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if !strings.Contains(e.Message, test.message) || e.Line != test.line || test.column != e.Column {
				t.Errorf("line %d, column %d: %s; want line %d, column %d: …%s…", e.Line, e.Column, e.Message, test.line, test.column, test.message)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{pets, stored, starWars, orders, events, "type", "type A", "{", "openapi: &a [*a]", "openapi: 3.0\npaths: &p {<<: *p}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		_, elements, err := Parse(source)
		if err != nil {
			return
		}
		if KindOf(elements) == "" {
			t.Fatal("no kind")
		}
		if _, err := Text(elements, "a", "1"); err != nil {
			t.Fatal(err)
		}
	})
}
