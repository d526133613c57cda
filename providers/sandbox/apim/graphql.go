package apim

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// A complexity is how much one field of a GraphQL schema costs.
type complexity struct {
	Type  *string `json:"type" is:"required"`
	Field *string `json:"field" is:"required"`
	Value *int64  `json:"complexityValue" is:"required"`
}

func graphQLRoutes() []route {
	view := []string{"apim:api_view", "apim:api_manage"}
	change := []string{"apim:api_create", "apim:api_manage"}
	complexityView := []string{"apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish"}
	return []route{
		form(post(publisher, "/apis/import-graphql-schema", change, importGraphQL)),
		form(post(publisher, "/apis/validate-graphql-schema", change, validateGraphQL)),
		get(publisher, "/apis/{api}/graphql-schema", view, readGraphQL),
		form(put(publisher, "/apis/{api}/graphql-schema", change, updateGraphQL)),
		get(publisher, "/apis/{api}/graphql-policies/complexity", complexityView, readComplexity),
		put(publisher, "/apis/{api}/graphql-policies/complexity", change, updateComplexity),
		get(publisher, "/apis/{api}/graphql-policies/complexity/types", complexityView, readComplexityTypes),
	}
}

// An sdlType is a type of a schema with the names of its fields.
type sdlType struct {
	name   string
	fields []string
}

// sdl reads the object types of a GraphQL schema, with those that extensions add, and which types queries, mutations and subscriptions start at.
func sdl(text string) (types []sdlType, roots map[string]string, err error) {
	tokens, err := sdlTokens(text)
	if err != nil {
		return nil, nil, err
	}
	p := &sdlParser{tokens: tokens, roots: map[string]string{"QUERY": "Query", "MUTATION": "Mutation", "SUBSCRIPTION": "Subscription"}}
	if err := p.document(); err != nil {
		return nil, nil, err
	}
	if len(p.types) == 0 {
		return nil, nil, errors.New("the schema has no types")
	}
	return p.types, p.roots, nil
}

// sdlTokens splits a schema: names, numbers and punctuation; texts and comments are left out.
func sdlTokens(text string) ([]string, error) {
	var out []string
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '#':
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				end = len(text) - i
			}
			i += end
		case strings.HasPrefix(text[i:], `"""`):
			end := strings.Index(text[i+3:], `"""`)
			if end < 0 {
				return nil, errors.New("a description does not end")
			}
			i += end + 6
		case c == '"':
			end := 1
			for i+end < len(text) && text[i+end] != '"' {
				if text[i+end] == '\\' {
					end++
				}
				end++
			}
			if i+end >= len(text) {
				return nil, errors.New("a text does not end")
			}
			i += end + 1
			out = append(out, `""`)
		case unicode.IsSpace(rune(c)) || c == ',':
			i++
		case c == '_' || unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) || c == '-':
			end := 1
			for i+end < len(text) && (text[i+end] == '_' || unicode.IsLetter(rune(text[i+end])) || unicode.IsDigit(rune(text[i+end])) || text[i+end] == '.') {
				end++
			}
			out = append(out, text[i:i+end])
			i += end
		case strings.IndexByte("{}()[]:=!|&@$.", c) >= 0:
			out = append(out, string(c))
			i++
		default:
			return nil, fmt.Errorf("unexpected character %q", c)
		}
	}
	return out, nil
}

type sdlParser struct {
	tokens []string
	types  []sdlType
	roots  map[string]string
}

func (p *sdlParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *sdlParser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *sdlParser) document() error {
	for len(p.tokens) > 0 {
		switch word := p.next(); word {
		case `""`: // a description
		case "extend":
		case "type", "interface", "input":
			if err := p.object(word == "type"); err != nil {
				return err
			}
		case "schema":
			if err := p.schema(); err != nil {
				return err
			}
		case "enum", "union", "scalar", "directive":
			p.until("type", "interface", "input", "schema", "enum", "union", "scalar", "directive", "extend")
		default:
			return fmt.Errorf("invalid syntax: offending token %q", word)
		}
	}
	return nil
}

// until skips to the next definition.
func (p *sdlParser) until(words ...string) {
	depth := 0
	for len(p.tokens) > 0 {
		switch t := p.peek(); {
		case t == "{" || t == "(" || t == "[":
			depth++
		case t == "}" || t == ")" || t == "]":
			depth--
		case depth == 0 && slices.Contains(words, t):
			return
		}
		p.next()
	}
}

func (p *sdlParser) schema() error {
	for p.peek() != "{" && p.peek() != "" {
		p.next()
	}
	p.next()
	for p.peek() != "}" {
		kind, colon, name := p.next(), p.next(), p.next()
		if colon != ":" {
			return errors.New("the schema does not end")
		}
		p.roots[strings.ToUpper(kind)] = name
	}
	p.next()
	return nil
}

// object reads one type; kept tells whether it has operations or costs.
func (p *sdlParser) object(kept bool) error {
	t := sdlType{name: p.next()}
	if t.name == "" || strings.ContainsAny(t.name, "{}():") {
		return errors.New("a type has no name")
	}
	for p.peek() != "{" {
		if w := p.peek(); w == "" || w == "type" || w == "input" || w == "schema" || w == "enum" || w == "}" {
			return nil // without fields
		}
		p.next()
	}
	p.next()
	for p.peek() != "}" {
		name := p.next()
		if name == `""` {
			continue
		}
		if name == "" || strings.ContainsAny(name, "{}():[]!|&=@$") {
			return fmt.Errorf("type %s: a field has no name", t.name)
		}
		p.skip("(", ")")
		if p.next() != ":" {
			return fmt.Errorf("type %s: field %s has no type", t.name, name)
		}
		p.typeReference()
		if p.peek() == "=" {
			p.next()
			switch p.peek() {
			case "{":
				p.skip("{", "}")
			case "[":
				p.skip("[", "]")
			default:
				p.next()
			}
		}
		for p.peek() == "@" {
			p.next()
			p.next()
			p.skip("(", ")")
		}
		t.fields = append(t.fields, name)
	}
	p.next()
	if !kept {
		return nil
	}
	if i := slices.IndexFunc(p.types, func(o sdlType) bool { return o.name == t.name }); i >= 0 {
		p.types[i].fields = append(p.types[i].fields, t.fields...)
		return nil
	}
	p.types = append(p.types, t)
	return nil
}

// typeReference skips "ID!" or "[ID!]!".
func (p *sdlParser) typeReference() {
	if p.peek() == "[" {
		p.skip("[", "]")
	} else {
		p.next()
	}
	for p.peek() == "!" {
		p.next()
	}
}

// skip skips what stands between brackets, if one comes next.
func (p *sdlParser) skip(open, closed string) {
	if p.peek() != open {
		return
	}
	depth := 0
	for len(p.tokens) > 0 {
		switch p.next() {
		case open:
			depth++
		case closed:
			if depth--; depth == 0 {
				return
			}
		}
	}
}

// graphQLOperations are the fields of the root types, as operations.
func graphQLOperations(text string) ([]operationBody, error) {
	types, roots, err := sdl(text)
	if err != nil {
		return nil, err
	}
	var out []operationBody
	for _, verb := range verbs("GRAPHQL") {
		for _, t := range types {
			if t.name != roots[verb] {
				continue
			}
			for _, field := range t.fields {
				out = append(out, operationBody{Target: ptr(field), Verb: ptr(verb)})
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the schema has no operations")
	}
	return out, nil
}

func importGraphQL(c *call) *answer {
	d, bad := c.additional()
	if bad != nil {
		return bad
	}
	file, err := c.uploaded("schema")
	if err != nil {
		return badRequest("The schema is missing")
	}
	schema := string(file)
	operations, err := graphQLOperations(schema)
	if err != nil {
		return badRequest("Error while parsing the GraphQL schema: " + err.Error())
	}
	if len(d.body.Operations) == 0 {
		d.body.Operations = operations
	}
	d.body.Type = ptr("GRAPHQL")
	if bad := c.fill(d); bad != nil {
		return bad
	}
	a, bad := c.addAPI(d, working{Schema: schema})
	if bad != nil {
		return bad
	}
	out := c.madeAPI(a)
	out["visibleOrganizations"] = []string{"none"}
	return created(publisher.location+"/apis/"+a.ID, out)
}

func validateGraphQL(c *call) *answer {
	file, err := c.uploaded("schema")
	if err != nil {
		return badRequest("The schema is missing")
	}
	operations, err := graphQLOperations(string(file))
	if err != nil {
		return ok(map[string]any{"isValid": false, "errorMessage": err.Error(), "graphQLInfo": nil})
	}
	shown := []any{}
	for i, o := range operations {
		one := asObject(o)
		one["id"], one["authType"], one["scopes"], one["usedProductIds"], one["operationHubPolicies"] = fmt.Sprint(i), "Any", []any{}, []any{}, []any{}
		one["verb"] = (*o.Verb)[:1] + strings.ToLower((*o.Verb)[1:])
		shown = append(shown, one)
	}
	return ok(map[string]any{"isValid": true, "errorMessage": nil, "graphQLInfo": map[string]any{"operations": shown,
		"graphQLSchema": map[string]any{"name": nil, "schemaDefinition": string(file)}}})
}

func readGraphQL(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	var schema any
	if a.Schema != "" && a.field("type") == "GRAPHQL" {
		schema = a.Schema
	}
	return ok(map[string]any{"name": a.field("provider") + "--" + a.field("name") + a.field("version") + ".graphql", "schemaDefinition": schema})
}

// updateGraphQL replaces the schema and with it the operations; those that stay keep what they have.
func updateGraphQL(c *call) *answer {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return bad
	}
	schema := c.fields["schemaDefinition"].text
	sent, err := graphQLOperations(schema)
	if err != nil {
		return internal("") // 500, not 400 (seen)
	}
	before := map[string]map[string]any{}
	for _, o := range operationsOf(a.Document) {
		before[operationKey(o)] = o
	}
	made, bad := c.operations("GRAPHQL", sent, nil)
	if bad != nil {
		return bad
	}
	for i, o := range objects(made) {
		if old := before[operationKey(o)]; old != nil {
			made[i] = old
		}
	}
	changed := *a
	changed.Document = cloneMap(a.Document)
	changed.Document["operations"] = made
	if bad := c.usedByProducts(a, changed.Document); bad != nil {
		return bad
	}
	changed.Schema, changed.UpdatedTime = schema, c.server.now()
	c.keepAPI(&changed)
	return ok(c.shownOperations(&changed))
}

// ownGraphQL finds a GraphQL API for an operation on its costs.
func (c *call) ownGraphQL() (*apiRecord, *answer) {
	a, bad := c.ownAPI(c.vars["api"])
	if bad != nil {
		return nil, bad
	}
	if a.field("type") != "GRAPHQL" {
		return nil, internal("Error while retrieving complexity details of API " + a.ID)
	}
	return a, nil
}

func readComplexity(c *call) *answer {
	a, bad := c.ownGraphQL()
	if bad != nil {
		return bad
	}
	return ok(map[string]any{"list": append([]complexity{}, a.Complexity...)})
}

// updateComplexity replaces the costs. Types and fields that the schema lacks pass (seen).
func updateComplexity(c *call) *answer {
	var body struct {
		List []complexity `json:"list"`
	}
	if bad := readBody(c.body, &body); bad != nil {
		return bad
	}
	a, bad := c.ownGraphQL()
	if bad != nil {
		return bad
	}
	changed := *a
	changed.Complexity = body.List
	c.keepAPI(&changed)
	return empty(http.StatusOK)
}

func readComplexityTypes(c *call) *answer {
	a, bad := c.ownGraphQL()
	if bad != nil {
		return bad
	}
	out := []map[string]any{}
	types, _, err := sdl(a.Schema)
	if err != nil {
		types = nil // an API without a schema
	}
	for _, t := range types {
		out = append(out, map[string]any{"type": t.name, "fieldList": t.fields})
	}
	return ok(map[string]any{"typeList": out})
}
