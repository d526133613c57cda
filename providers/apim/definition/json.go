package definition

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseJSON parses JSON as parseYAML does, several times as fast; false for what is no JSON, and then
// the other one says what is wrong.
func parseJSON(text string) (*yaml.Node, bool) {
	if !utf8.ValidString(text) {
		return nil, false
	}
	p := jsonParser{text: text, tokens: json.NewDecoder(strings.NewReader(text)), line: 1}
	p.tokens.UseNumber()
	root := p.value(0)
	if root == nil {
		return nil, false
	}
	_, err := p.tokens.Token()
	return root, err == io.EOF
}

// A jsonParser knows where it is, for the errors about what it parsed.
type jsonParser struct {
	text   string
	tokens *json.Decoder
	at     int // the place whose line and column these are, counted from 1 and 0
	line   int
	column int
}

// maxDepth is how deep JSON may be nested here; what is deeper is left to the other parser.
const maxDepth = 1000

// value parses a value; nil for what is none.
func (p *jsonParser) value(depth int) *yaml.Node {
	if depth > maxDepth {
		return nil
	}
	begin := int(p.tokens.InputOffset())
	for begin < len(p.text) && strings.IndexByte(" \t\r\n,:", p.text[begin]) >= 0 {
		begin++
	}
	token, err := p.tokens.Token()
	if err != nil {
		return nil
	}
	passed := p.text[p.at:begin]
	if i := strings.LastIndexByte(passed, '\n'); i >= 0 {
		p.line, p.column, passed = p.line+strings.Count(passed, "\n"), 0, passed[i+1:]
	}
	p.at, p.column = begin, p.column+utf8.RuneCountInString(passed)
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: p.line, Column: p.column + 1}
	switch token := token.(type) {
	case json.Delim:
		return p.list(n, token, depth)
	case string:
		n.Tag, n.Style, n.Value = "!!str", yaml.DoubleQuotedStyle, token
	case json.Number:
		n.Value = token.String()
		if _, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			n.Tag = "!!int"
		} else if _, err := strconv.ParseFloat(n.Value, 64); err == nil && strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		} else {
			return nil
		}
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(token)
	case nil:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}

// list parses what is in an object or an array, and its end.
func (p *jsonParser) list(n *yaml.Node, begin json.Delim, depth int) *yaml.Node {
	n.Style = yaml.FlowStyle
	switch begin {
	case '{':
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
	case '[':
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
	}
	for p.tokens.More() {
		x := p.value(depth + 1)
		if x == nil {
			return nil
		}
		n.Content = append(n.Content, x)
	}
	if _, err := p.tokens.Token(); err != nil {
		return nil
	}
	return n
}

// simple returns what a node holds without the decoder of the parser, which takes most of the time;
// false for what only that can tell: merges, aliases, and what YAML alone has.
func simple(n *yaml.Node) (any, bool) {
	switch n.Kind {
	case yaml.MappingNode:
		out := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			v, ok := simple(n.Content[i+1])
			if _, twice := out[k.Value]; !ok || twice || k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" {
				return nil, false
			}
			out[k.Value] = v
		}
		return out, true
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, x := range n.Content {
			v, ok := simple(x)
			if !ok {
				return nil, false
			}
			out[i] = v
		}
		return out, true
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!str":
			return n.Value, true
		case "!!null":
			return nil, true
		case "!!bool":
			return n.Value == "true", n.Value == "true" || n.Value == "false"
		case "!!int":
			if len(n.Value) > 1 && strings.TrimPrefix(n.Value, "-")[0] == '0' {
				return nil, false // octal, in some versions of YAML
			}
			i, err := strconv.ParseInt(n.Value, 10, 64)
			return i, err == nil
		}
	}
	return nil, false
}
