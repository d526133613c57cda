package definition

import (
	"slices"
	"strings"
	"unicode"
)

// definers are the words with which a definition of GraphQL's schema language begins.
var definers = []string{"schema", "type", "interface", "union", "enum", "scalar", "input", "directive", "extend"}

// looksLikeSDL reports whether text begins as a schema does: with a definition, a comment before
// one, or a description.
func looksLikeSDL(text string) bool {
	if strings.HasPrefix(text, "{") {
		return false // JSON, all of which would be cut into tokens
	}
	tokens, _ := lexSDL(text)
	for _, t := range tokens {
		if t.kind == sdlString {
			continue
		}
		// "type: object" is YAML.
		return t.kind == sdlName && slices.Contains(definers, t.text) && len(tokens) > 1 && !startsYAML(tokens)
	}
	return false
}

func startsYAML(tokens []sdlToken) bool {
	return len(tokens) > 1 && tokens[0].kind == sdlName && tokens[1].text == ":"
}

type sdlKind int

const (
	sdlName sdlKind = iota
	sdlString
	sdlPunct
)

type sdlToken struct {
	kind         sdlKind
	text         string
	line, column int
}

// lexSDL cuts a schema into tokens, without blanks, commas and comments.
func lexSDL(text string) ([]sdlToken, error) {
	var out []sdlToken
	line, start := 1, 0 // of the line
	for i := 0; i < len(text); {
		c := text[i]
		column := i - start + 1
		switch {
		case c == '\n':
			line++
			i++
			start = i
		case c == ' ' || c == '\t' || c == '\r' || c == ',' || c == 0xef || c == 0xbb || c == 0xbf:
			i++
		case c == '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case strings.HasPrefix(text[i:], `"""`):
			end := closing(text[i+3:])
			if end < 0 {
				return out, &Error{Line: line, Column: column, Message: `the description that begins here has no closing """`}
			}
			raw := text[i : i+3+end+3]
			out = append(out, sdlToken{sdlString, `"""` + blockString(raw[3:len(raw)-3]) + `"""`, line, column})
			line += strings.Count(raw, "\n")
			if n := strings.LastIndexByte(raw, '\n'); n >= 0 {
				start = i + n + 1
			}
			i += len(raw)
		case c == '"':
			j := i + 1
			for j < len(text) && text[j] != '"' && text[j] != '\n' {
				if text[j] == '\\' {
					j++
				}
				j++
			}
			if j >= len(text) || text[j] != '"' {
				return out, &Error{Line: line, Column: column, Message: `the string that begins here has no closing "`}
			}
			out = append(out, sdlToken{sdlString, text[i : j+1], line, column})
			i = j + 1
		case isNameByte(c) || c == '-':
			j := i + 1
			for j < len(text) && (isNameByte(text[j]) || text[j] == '.' || text[j] == '+' || text[j] == '-') {
				j++
			}
			out = append(out, sdlToken{sdlName, text[i:j], line, column})
			i = j
		case strings.HasPrefix(text[i:], "..."):
			out = append(out, sdlToken{sdlPunct, "...", line, column})
			i += 3
		case strings.IndexByte("{}()[]:!=|&@$", c) >= 0:
			out = append(out, sdlToken{sdlPunct, string(c), line, column})
			i++
		default:
			return out, &Error{Line: line, Column: column, Message: "the schema language of GraphQL has no " + string([]rune(text[i:])[0])}
		}
	}
	return out, nil
}

// closing finds the end of a block string, past escaped ones.
func closing(text string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], `"""`)
		if i < 0 {
			return -1
		}
		if i += from; i == 0 || text[i-1] != '\\' {
			return i
		}
		from = i + 3
	}
}

// blockString takes the common indentation out of a description.
func blockString(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n")
}

func isNameByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80 && unicode.IsLetter(rune(c))
}

// parseSDL returns the elements of a schema: its definitions, by their first words.
func parseSDL(text string) (map[string]string, error) {
	tokens, err := lexSDL(text)
	if err != nil {
		return nil, err
	}
	elements := map[string]string{formatElement: "graphql"}
	for i := 0; i < len(tokens); {
		first := i
		for i < len(tokens) && tokens[i].kind == sdlString {
			i++
		}
		if i == len(tokens) {
			return nil, sdlAt(tokens[first], "a description without a definition after it")
		}
		word := tokens[i]
		if word.kind != sdlName || !slices.Contains(definers, word.text) {
			return nil, sdlAt(word, "%q begins no definition; use %s", word.text, strings.Join(definers, ", "))
		}
		name := word.text
		for _, t := range tokens[i+1:] {
			if t.text != "@" && t.kind != sdlName {
				break
			}
			if t.kind == sdlName {
				name += " " + t.text
				if !slices.Contains(definers, t.text) { // "extend type Query"
					break
				}
			}
		}
		end, err := sdlEnd(tokens, i)
		if err != nil {
			return nil, err
		}
		body := writeSDL(tokens[first:end])
		if _, ok := elements[name]; ok && !strings.HasPrefix(name, "extend") {
			return nil, sdlAt(word, "%s is defined twice", name)
		}
		if was := elements[name]; was != "" {
			body = was + "\n" + body
		}
		elements[name] = body
		i = end
	}
	return elements, nil
}

func sdlAt(t sdlToken, format string, args ...any) *Error {
	e := at(newNode(t.line, t.column), format, args...)
	return e
}

// sdlEnd returns where the definition that begins at i ends: before the next definition at depth 0.
func sdlEnd(tokens []sdlToken, i int) (int, error) {
	var open []sdlToken
	pairs := map[string]string{"}": "{", ")": "(", "]": "["}
	for j := i + 1; j < len(tokens); j++ {
		t := tokens[j]
		switch t.text {
		case "{", "(", "[":
			if t.kind == sdlPunct {
				open = append(open, t)
			}
			continue
		case "}", ")", "]":
			if t.kind != sdlPunct {
				continue
			}
			switch {
			case len(open) == 0:
				return 0, sdlAt(t, "%q closes nothing", t.text)
			case open[len(open)-1].text != pairs[t.text]:
				was := open[len(open)-1]
				return 0, sdlAt(t, "%q closes nothing, while the %q of line %d is open", t.text, was.text, was.line)
			}
			open = open[:len(open)-1]
			if t.text == "}" && len(open) == 0 {
				return j + 1, nil
			}
			continue
		}
		if len(open) > 0 {
			continue
		}
		previous := tokens[j-1]
		glued := previous.kind == sdlPunct && strings.Contains("=|&@:", previous.text) || previous.text == "implements" || previous.text == "on" || j == i+1
		if t.kind == sdlString && !glued || t.kind == sdlName && slices.Contains(definers, t.text) && !glued && tokens[i].text != "extend" ||
			t.kind == sdlName && slices.Contains(definers, t.text) && !glued && j > i+2 {
			return j, nil
		}
	}
	if len(open) > 0 {
		return 0, sdlAt(open[len(open)-1], "%q is not closed", open[len(open)-1].text)
	}
	return len(tokens), nil
}

// writeSDL writes tokens in one form: members of braces on lines of their own.
func writeSDL(tokens []sdlToken) string {
	var b strings.Builder
	depth, round := 0, 0
	fresh := true // at the beginning of a line
	newline := func() {
		b.WriteByte('\n')
		b.WriteString(strings.Repeat("  ", depth))
		fresh = true
	}
	for i, t := range tokens {
		var previous sdlToken
		if i > 0 {
			previous = tokens[i-1]
		}
		switch {
		case t.text == "{" && t.kind == sdlPunct && round == 0:
			b.WriteString(" {")
			depth++
			newline()
			continue
		case t.text == "}" && t.kind == sdlPunct && round == 0:
			depth--
			newline()
			b.WriteString("}")
			fresh = false
			continue
		case t.text == "(" && t.kind == sdlPunct:
			round++
		case t.text == ")" && t.kind == sdlPunct:
			round--
		}
		// A member begins with a name that follows a whole type, or with its description.
		begins := depth > 0 && round == 0 && !fresh && (t.kind == sdlString && !glue(previous) || t.kind == sdlName && !glue(previous))
		switch {
		case begins, previous.kind == sdlString && t.kind != sdlPunct && i > 0 && round == 0 && !fresh:
			newline()
		case round > 0 && t.kind != sdlPunct && !glue(previous) && previous.kind != sdlString && !strings.Contains("{[", previous.text):
			b.WriteString(", ")
		case !fresh && i > 0 && spaced(previous, t):
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
		fresh = false
	}
	return b.String()
}

// glue reports whether what follows a token belongs to it.
func glue(t sdlToken) bool {
	return t.kind == sdlPunct && strings.Contains("=:@&|([", t.text)
}

func spaced(previous, t sdlToken) bool {
	switch {
	case previous.kind == sdlPunct && strings.Contains("([@$", previous.text):
		return false
	case t.kind == sdlPunct && strings.Contains(")]!:(", t.text):
		return false
	}
	return true
}

// sdlText writes elements as a schema.
func sdlText(elements map[string]string) string {
	var b strings.Builder
	for _, name := range sortedNames(elements) {
		if name != formatElement {
			b.WriteString(elements[name])
			b.WriteString("\n\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
