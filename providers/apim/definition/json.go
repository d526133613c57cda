package definition

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseJSON parses JSON as parseYAML does, several times as fast; false for what is no JSON, and then
// the other one says what is wrong.
func parseJSON(text string) (*yaml.Node, bool) {
	p := jsonParser{text: text, line: 1}
	p.space()
	root := p.value(0)
	if p.space(); root == nil || p.at != len(text) {
		return nil, false
	}
	return root, true
}

// A jsonParser knows where it is, for the errors about what it parsed.
type jsonParser struct {
	text        string
	at          int
	line        int
	column, was int // the column that the place was was at
}

// maxDepth is how deep JSON may be nested here; what is deeper is left to the other parser.
const maxDepth = 1000

func (p *jsonParser) space() {
	for ; p.at < len(p.text); p.at++ {
		switch p.text[p.at] {
		case ' ', '\t', '\r':
		case '\n':
			p.line, p.column, p.was = p.line+1, 0, p.at+1
		default:
			return
		}
	}
}

func (p *jsonParser) take(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// value parses a value; nil for what is none.
func (p *jsonParser) value(depth int) *yaml.Node {
	p.space()
	if p.at == len(p.text) || depth > maxDepth {
		return nil
	}
	p.column, p.was = p.column+utf8.RuneCountInString(p.text[p.was:p.at]), p.at
	n := &yaml.Node{Line: p.line, Column: p.column + 1}
	switch c := p.text[p.at]; c {
	case '{', '[':
		return p.list(n, depth)
	case '"':
		s, ok := p.quoted()
		if !ok {
			return nil
		}
		n.Kind, n.Tag, n.Style, n.Value = yaml.ScalarNode, "!!str", yaml.DoubleQuotedStyle, s
		return n
	}
	end := p.at
	for end < len(p.text) && !strings.ContainsRune(" \t\r\n,]}", rune(p.text[end])) {
		end++
	}
	n.Kind, n.Value = yaml.ScalarNode, p.text[p.at:end]
	p.at = end
	switch n.Value {
	case "true", "false":
		n.Tag = "!!bool"
	case "null":
		n.Tag = "!!null"
	default:
		if strings.Trim(n.Value, "+-.0123456789eE") != "" {
			return nil
		}
		if _, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			n.Tag = "!!int"
		} else if _, err := strconv.ParseFloat(n.Value, 64); err == nil && strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		} else {
			return nil
		}
	}
	return n
}

// list parses an object or an array.
func (p *jsonParser) list(n *yaml.Node, depth int) *yaml.Node {
	n.Style = yaml.FlowStyle
	n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
	end := byte(']')
	if p.text[p.at] == '{' {
		n.Kind, n.Tag, end = yaml.MappingNode, "!!map", '}'
	}
	p.at++
	if p.take(end) {
		return n
	}
	for {
		x := p.value(depth + 1)
		if x == nil {
			return nil
		}
		n.Content = append(n.Content, x)
		if n.Kind == yaml.MappingNode {
			if x.Tag != "!!str" || !p.take(':') {
				return nil
			}
			if x = p.value(depth + 1); x == nil {
				return nil
			}
			n.Content = append(n.Content, x)
		}
		if p.take(end) {
			return n
		}
		if !p.take(',') {
			return nil
		}
	}
}

// quoted parses a string.
func (p *jsonParser) quoted() (string, bool) {
	begin := p.at
	for i := begin + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.at = i + 1
			s := p.text[begin+1 : i]
			if !strings.Contains(s, `\`) {
				return s, utf8.ValidString(s)
			}
			out, ok := parsed(p.text[begin:p.at]).(string)
			return out, ok && out != p.text[begin:p.at]
		case c == '\\':
			i++
		case c < ' ':
			return "", false
		}
	}
	return "", false
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
