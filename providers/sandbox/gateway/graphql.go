package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// maxQuery is how much of a request with a GraphQL query is read.
const maxQuery = 4 << 20

// A query is a GraphQL document: fields with what is asked of each.
type query struct {
	kind   string // QUERY, MUTATION, SUBSCRIPTION
	fields []*field
}

type field struct {
	name   string
	fields []*field
}

// depth is how many fields stand in one another.
func depth(fields []*field) int {
	deepest := 0
	for _, f := range fields {
		deepest = max(deepest, 1+depth(f.fields))
	}
	return deepest
}

// graphQL reads the query of a request and takes the operation from it: its scopes are those of all fields that it asks for, it is public when all
// are, and its policy is the first field's. It does nothing for other APIs.
func (c *call) graphQL() *fault {
	if c.api.Type != "GRAPHQL" {
		return nil
	}
	text, err := c.queryText()
	var q *query
	if err == nil {
		q, err = parseQuery(text)
	}
	if err != nil {
		return &fault{status: http.StatusUnprocessableEntity, Code: "900422", Message: "GraphQL query is invalid", Description: err.Error()}
	}
	merged := Operation{Target: "/*", Verb: q.kind, Public: true, Policy: "Unlimited"}
	for i, f := range q.fields {
		at := slices.IndexFunc(c.api.operations, func(o *operation) bool { return o.Verb == q.kind && (o.Target == f.name || o.Target == "/*") })
		if at < 0 {
			if strings.HasPrefix(f.name, "__") { // what the schema is
				continue
			}
			return &fault{status: http.StatusUnprocessableEntity, Code: "900422", Message: "GraphQL query is invalid",
				Description: "Field '" + f.name + "' in type '" + q.kind + "' is undefined"}
		}
		o := c.api.operations[at]
		merged.Public = merged.Public && o.Public
		if i == 0 {
			merged.Target, merged.Policy = o.Target, o.Policy
			merged.Request, merged.Response = o.Request, o.Response
		}
		if len(o.Scopes) > 0 {
			merged.groups = append(merged.groups, o.Scopes)
		}
	}
	c.operation = &operation{&merged, nil}
	c.query = q
	return nil
}

// costly refuses a query that is deeper or costs more than the subscription allows.
func (c *call) costly() *fault {
	if c.query == nil || c.caller.subscription == nil {
		return nil
	}
	p := c.contents.SubscriptionPolicies[PolicyKey(c.api.Tenant, c.caller.subscription.Policy)]
	if p == nil {
		return nil
	}
	if is := depth(c.query.fields); p.QueryDepth > 0 && is > p.QueryDepth {
		return &fault{status: http.StatusBadRequest, Code: "900820", Message: "QUERY TOO DEEP",
			Description: fmt.Sprintf("maximum query depth exceeded %d > %d", is, p.QueryDepth)}
	}
	if is := c.cost(c.query.fields); p.QueryComplexity > 0 && is > p.QueryComplexity {
		return &fault{status: http.StatusBadRequest, Code: "900821", Message: "QUERY TOO COMPLEX",
			Description: fmt.Sprintf("maximum query complexity exceeded %d > %d", is, p.QueryComplexity)}
	}
	return nil
}

// cost adds up fields: each costs what the API says of it, else 1. Types are not looked at: a field of one name costs the most that any type has for it.
func (c *call) cost(fields []*field) int {
	sum := 0
	for _, f := range fields {
		value := 0
		for _, k := range c.api.Costs {
			if k.Field == f.name {
				value = max(value, k.Value)
			}
		}
		if value == 0 {
			value = 1
		}
		sum += value + c.cost(f.fields)
	}
	return sum
}

// queryText finds the query: in a parameter, in a JSON body, or as the whole body. The body can be read again.
func (c *call) queryText() (string, error) {
	if text := c.request.URL.Query().Get("query"); text != "" {
		return text, nil
	}
	body, err := io.ReadAll(io.LimitReader(c.request.Body, maxQuery+1))
	if err != nil {
		return "", err
	}
	if len(body) > maxQuery {
		return "", errors.New("the query is too long")
	}
	c.request.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasPrefix(c.request.Header.Get("Content-Type"), "application/graphql") {
		return string(body), nil
	}
	var sent struct {
		Query string `json:"query"`
	}
	if err := json.Unmarshal(body, &sent); err != nil || sent.Query == "" {
		return "", errors.New("the request holds no query")
	}
	return sent.Query, nil
}

// parseQuery reads the first operation of a document, with its fragments in their places.
func parseQuery(text string) (*query, error) {
	p := &queryParser{tokens: queryTokens(text), fragments: map[string][]string{}}
	if !balanced(p.tokens) {
		return nil, errors.New("the query does not end")
	}
	var operation []string
	kind := ""
	for len(p.tokens) > 0 {
		switch word := p.next(); word {
		case "fragment":
			name := p.next()
			p.fragments[name] = p.braces()
		case "query", "mutation", "subscription":
			body := p.braces()
			if kind == "" {
				kind, operation = strings.ToUpper(word), body
			}
		case "{":
			p.tokens = append([]string{"{"}, p.tokens...)
			body := p.braces()
			if kind == "" {
				kind, operation = "QUERY", body
			}
		default:
			return nil, fmt.Errorf("unexpected %q", word)
		}
	}
	if kind == "" {
		return nil, errors.New("the query holds no operation")
	}
	fields, err := p.selection(operation, 0)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, errors.New("the query asks for nothing")
	}
	return &query{kind, fields}, nil
}

// balanced tells whether each bracket is closed by one of its kind.
func balanced(tokens []string) bool {
	closing := map[string]string{"{": "}", "(": ")", "[": "]"}
	var open []string
	for _, t := range tokens {
		switch t {
		case "{", "(", "[":
			open = append(open, closing[t])
		case "}", ")", "]":
			if len(open) == 0 || open[len(open)-1] != t {
				return false
			}
			open = open[:len(open)-1]
		}
	}
	return len(open) == 0
}

type queryParser struct {
	tokens    []string
	fragments map[string][]string
}

func (p *queryParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

// braces skips to the next "{" and returns what stands up to its "}".
func (p *queryParser) braces() []string {
	for len(p.tokens) > 0 && p.tokens[0] != "{" {
		if p.tokens[0] == "(" {
			p.tokens = skipped(p.tokens)
			continue
		}
		p.next()
	}
	inside := p.tokens
	p.tokens = skipped(p.tokens)
	if len(inside)-len(p.tokens) < 2 {
		return nil
	}
	return inside[1 : len(inside)-len(p.tokens)-1]
}

// skipped is what follows the bracket that the tokens begin with, and all in it.
func skipped(tokens []string) []string {
	level := 0
	for i, t := range tokens {
		switch t {
		case "{", "(", "[":
			level++
		case "}", ")", "]":
			if level--; level == 0 {
				return tokens[i+1:]
			}
		}
	}
	return nil
}

// selection reads the fields of a selection set. Level bounds fragments that hold themselves.
func (p *queryParser) selection(tokens []string, level int) ([]*field, error) {
	if level > 50 {
		return nil, errors.New("the query is nested too deeply")
	}
	var out []*field
	for len(tokens) > 0 {
		word := tokens[0]
		tokens = tokens[1:]
		switch {
		case word == "...":
			var inside []string
			switch {
			case len(tokens) > 1 && tokens[0] == "on":
				tokens = tokens[2:]
				fallthrough
			case len(tokens) > 0 && tokens[0] == "{":
				rest := skipped(tokens)
				if len(tokens)-len(rest) >= 2 {
					inside = tokens[1 : len(tokens)-len(rest)-1]
				}
				tokens = rest
			case len(tokens) > 0:
				inside = p.fragments[tokens[0]]
				tokens = tokens[1:]
			}
			fields, err := p.selection(inside, level+1)
			if err != nil {
				return nil, err
			}
			out = append(out, fields...)
		case isName(word):
			if len(tokens) > 1 && tokens[0] == ":" { // an alias
				word, tokens = tokens[1], tokens[2:]
			}
			f := &field{name: word}
			if len(tokens) > 0 && tokens[0] == "(" {
				tokens = skipped(tokens)
			}
			for len(tokens) > 1 && tokens[0] == "@" {
				tokens = tokens[2:]
				if len(tokens) > 0 && tokens[0] == "(" {
					tokens = skipped(tokens)
				}
			}
			if len(tokens) > 0 && tokens[0] == "{" {
				rest := skipped(tokens)
				if len(tokens)-len(rest) < 2 {
					return nil, errors.New("a selection does not end")
				}
				fields, err := p.selection(tokens[1:len(tokens)-len(rest)-1], level+1)
				if err != nil {
					return nil, err
				}
				f.fields, tokens = fields, rest
			}
			out = append(out, f)
		default:
			return nil, fmt.Errorf("unexpected %q", word)
		}
	}
	return out, nil
}

func isName(s string) bool { return s != "" && (s[0] == '_' || unicode.IsLetter(rune(s[0]))) }

// queryTokens splits a document; texts become one token, comments none.
func queryTokens(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case strings.HasPrefix(text[i:], "..."):
			out = append(out, "...")
			i += 3
		case strings.HasPrefix(text[i:], `"""`):
			end := strings.Index(text[i+3:], `"""`)
			if end < 0 {
				return append(out, `"`)
			}
			i += end + 6
			out = append(out, `""`)
		case c == '"':
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			i = end + 1
			out = append(out, `""`)
		case unicode.IsSpace(rune(c)) || c == ',' || c >= 0x80:
			i++
		case c == '_' || unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) || c == '-':
			end := i + 1
			for end < len(text) && (text[end] == '_' || unicode.IsLetter(rune(text[end])) || unicode.IsDigit(rune(text[end])) || text[end] == '.') {
				end++
			}
			out = append(out, text[i:end])
			i = end
		default:
			out = append(out, string(c))
			i++
		}
	}
	return out
}
