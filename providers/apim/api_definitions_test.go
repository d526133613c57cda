package apim

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wso2plan/engine"
)

// TestDefinitions leads APIs of definitions of each language and version through a life: made, the
// plan is empty; a line edited, the plan shows the element that the line is in; and what API Manager
// adds to what it stores is never a change.
func TestDefinitions(t *testing.T) {
	for name, c := range map[string]struct {
		kind, text, line, edited string
		seen                     []string
	}{
		"OpenAPI 2": {"HTTP", `swagger: "2.0"
info: {title: Pizza, version: 1.0.0}
host: elsewhere.example.com
basePath: /v2
schemes: [http]
consumes: [application/json]
paths:
  /menu:
    get:
      summary: The menu
      parameters:
        - {name: limit, in: query, type: integer}
      responses:
        200:
          description: All
          schema: {$ref: "#/definitions/Pizza"}
definitions:
  Pizza:
    type: object
    properties:
      name: {type: string}
`, "name: {type: string}", "name: {type: string, maxLength: 9}", []string{"schema Pizza"}},
		"OpenAPI 3.0 in JSON": {"HTTP", `{"openapi": "3.0.3", "info": {"title": "Pizza", "version": "1.0.0"}, "servers": [{"url": "/"}],
  "tags": [{"name": "food"}],
  "paths": {"/menu": {"get": {"tags": ["food"], "summary": "The menu", "deprecated": false, "responses": {"200": {"description": "All"}}}}}}
`, `"The menu"`, `"Our menu"`, []string{"GET /menu"}},
		"OpenAPI 3.1": {"HTTP", `openapi: 3.1.0
info: {title: Pizza, version: 1.0.0, summary: x}
paths:
  /order:
    post:
      requestBody: {content: {application/json: {schema: {type: [string, "null"]}}}}
      responses: {"201": {description: Ordered}}
    delete:
      responses: {"204": {description: Gone}}
`, "delete", "put", []string{"DELETE /order", "PUT /order"}},
		"AsyncAPI": {"WS", `asyncapi: 2.0.0
info: {title: Pizza, version: 1.0.0}
servers: {production: {url: "ws://x", protocol: ws}}
channels:
  /ovens:
    subscribe: {message: {payload: {type: object}}}
    publish: {message: {payload: {type: string}}}
components:
  messages:
    Heat: {payload: {type: number}}
`, "{type: number}", "{type: integer}", []string{"component messages Heat"}},
		"GraphQL": {"GRAPHQL", `type Query {
  # one
  pizza(name: String!): Pizza
}
type Pizza {
  name: String!
}
`, "name: String!\n}", "name: String!\n  size: Int\n}", []string{"type Pizza"}},
		"WSDL": {"SOAP", `<wsdl:definitions name="Pizza" targetNamespace="urn:p" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="urn:p" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <wsdl:types><xsd:schema targetNamespace="urn:p"><xsd:element name="id" type="xsd:string"/></xsd:schema></wsdl:types>
  <wsdl:message name="In"><wsdl:part name="body" element="tns:id"/></wsdl:message>
  <wsdl:portType name="Port"><wsdl:operation name="get"><wsdl:input message="tns:In"/></wsdl:operation></wsdl:portType>
  <wsdl:binding name="Binding" type="tns:Port">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="get"><soap:operation soapAction="urn:get"/><wsdl:input><soap:body use="literal"/></wsdl:input></wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="Pizza"><wsdl:port name="Port" binding="tns:Binding"><soap:address location="https://backend.example.com"/></wsdl:port></wsdl:service>
</wsdl:definitions>
`, "urn:get", "urn:fetch", []string{"binding Binding"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, nil)
			api := func(text string) string {
				policies, backend := "Unlimited", pizzaBackend
				if c.kind == "WS" {
					policies, backend = "AsyncUnlimited", strings.Replace(pizzaBackend, "https:", "wss:", 1)+"  endpoint_type = \"ws\"\n"
				}
				return strings.Replace(pizza("  type = \""+c.kind+"\"\n  definition = <<-EOT\n"+text+"EOT\n"+backend+pizzaDeployed), `["Unlimited"]`, `["`+policies+`"]`, 1)
			}
			s.write(api(c.text))
			s.apply()
			s.synced()
			edited := strings.Replace(c.text, c.line, c.edited, 1)
			if edited == c.text {
				t.Fatal("nothing is edited")
			}
			s.write(api(edited))
			if diff := cmp.Diff(c.seen, editedElements(s.plan())); diff != "" {
				t.Errorf("(- edited, + shown):\n%s", diff)
			}
			s.apply()
			s.synced()
		})
	}
}

// TestDefinitionArchive leads a SOAP API of a WSDL in several files, in an archive, through a life.
func TestDefinitionArchive(t *testing.T) {
	s := newStory(t, nil)
	archive := func(kind string) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range map[string]string{
			"pizza.wsdl": `<wsdl:definitions name="Pizza" targetNamespace="urn:p" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <wsdl:types><xsd:schema><xsd:import namespace="urn:t" schemaLocation="xsd/types.xsd"/></xsd:schema></wsdl:types>
</wsdl:definitions>`,
			"xsd/types.xsd": `<xsd:schema targetNamespace="urn:t" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><xsd:element name="id" type="xsd:` + kind + `"/></xsd:schema>`,
		} {
			out, err := z.Create(name)
			if err == nil {
				_, err = out.Write([]byte(text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, "pizza.zip"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	archive("string")
	s.write(pizza("  type = \"SOAP\"\n  definition = filebase64(\"pizza.zip\")\n" + pizzaBackend))
	s.apply()
	s.synced()
	archive("int")
	if diff := cmp.Diff([]string{"file xsd/types.xsd"}, editedElements(s.plan())); diff != "" {
		t.Errorf("(- edited, + shown):\n%s", diff)
	}
	s.apply()
	s.synced()
}

// editedElements are the elements of definitions that a plan changes, sorted.
func editedElements(p *engine.Plan) []string {
	var out []string
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Action == engine.Update {
			out = append(out, differentElements(c.Before, c.After)...)
		}
	}
	return out
}
