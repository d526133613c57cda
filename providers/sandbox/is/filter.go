package is

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A condition is one expression of a filter: attribute, operator, value.
type condition struct {
	attr, op, value string
}

// A filter is what the filter parameter says: conditions that all must hold.
type filter []condition

// A badFilter is a filter that cannot be read; its text is the server's own sentence.
type badFilter string

func (e badFilter) Error() string { return string(e) }

// errOperator is what charon answers to an operator that it does not know, and to one without a value.
const errOperator = badFilter("Given filter operator is not supported.")

var operators = []string{"eq", "ne", "co", "sw", "ew", "pr", "gt", "ge", "lt", "le"}

// A complexFilter is refused: or, not, parentheses.
type complexFilter struct{ word string }

func (e complexFilter) Error() string { return "Unsupported Operation: " + e.word }

// parseFilter reads a filter. A value may be quoted or bare, and a bare one may hold spaces: it ends with the next "and" or "or" (is-behaviour 1.10).
func parseFilter(input string) (filter, error) {
	words := filterWords(input)
	var all filter
	complex := ""
	for i := 0; i < len(words); {
		if len(all) > 0 {
			if strings.EqualFold(words[i].text, "or") {
				complex = "or"
			}
			i++ // the word is "and" or "or": nothing else ends a value
		}
		if i < len(words) && strings.EqualFold(words[i].text, "not") {
			return nil, complexFilter{"not"}
		}
		if i+1 < len(words) && strings.EqualFold(words[i+1].text, "pr") {
			all = append(all, condition{attr: strings.TrimPrefix(words[i].text, "("), op: "pr"})
			if i += 2; i < len(words) && !words[i].joins() {
				return nil, errOperator
			}
			continue
		}
		if i+2 >= len(words) || !slices.Contains(operators, strings.ToLower(words[i+1].text)) {
			return nil, errOperator
		}
		c := condition{attr: strings.TrimPrefix(words[i].text, "("), op: strings.ToLower(words[i+1].text)}
		var value []string
		for i += 2; i < len(words) && !words[i].joins(); i++ {
			text := words[i].text
			if !words[i].quoted {
				text = strings.TrimSuffix(text, ")")
			}
			if text != "" {
				value = append(value, text)
			}
		}
		if c.value = strings.Join(value, " "); c.value == "" {
			return nil, errOperator
		}
		all = append(all, c)
	}
	switch {
	case len(all) == 0:
		return nil, errOperator
	case complex != "":
		return nil, complexFilter{complex}
	}
	return all, nil
}

type filterWord struct {
	text   string
	quoted bool
}

// joins says whether a word stands between two expressions.
func (w filterWord) joins() bool {
	return !w.quoted && (strings.EqualFold(w.text, "and") || strings.EqualFold(w.text, "or"))
}

// filterWords splits at spaces outside of quotes, single or double. A quote that is not closed reaches to the end.
func filterWords(input string) []filterWord {
	var words []filterWord
	rest := strings.TrimSpace(input)
	for rest != "" {
		if quote := rest[0]; quote == '"' || quote == '\'' {
			var b strings.Builder
			at := 1
			for ; at < len(rest) && rest[at] != quote; at++ {
				if rest[at] == '\\' && at+1 < len(rest) {
					at++
				}
				b.WriteByte(rest[at])
			}
			words = append(words, filterWord{b.String(), true})
			rest = strings.TrimSpace(rest[min(at+1, len(rest)):])
			continue
		}
		word, after, _ := strings.Cut(rest, " ")
		words = append(words, filterWord{text: word})
		rest = strings.TrimSpace(after)
	}
	return words
}

// parseCondition reads the filter inside the brackets of a member's path: value or display, eq.
func parseCondition(input string) (condition, error) {
	f, err := parseFilter(input)
	if err != nil {
		return condition{}, err
	}
	if len(f) != 1 || f[0].op != "eq" || f[0].attr != "value" && f[0].attr != "display" {
		return condition{}, fmt.Errorf("filter %q is not supported in a path", input)
	}
	return f[0], nil
}

// holds compares one value.
func (c condition) holds(value string, fold bool) bool {
	want := c.value
	if fold {
		value, want = strings.ToLower(value), strings.ToLower(want)
	}
	switch c.op {
	case "eq":
		return value == want
	case "ne":
		return value != want
	case "co":
		return strings.Contains(value, want)
	case "sw":
		return strings.HasPrefix(value, want)
	case "ew":
		return strings.HasSuffix(value, want)
	case "ge":
		return value >= want
	case "le":
		return value <= want
	}
	return false
}

// filterRefusal is the answer to a filter that cannot be read.
func filterRefusal(err error) *answer {
	var c complexFilter
	if errors.As(err, &c) {
		return scimError(http.StatusInternalServerError, "", c.Error())
	}
	return scimError(http.StatusBadRequest, "InvalidFilter", err.Error())
}

// A userMatch tells whether a user is one that a filter asks for.
type userMatch func(*user) bool

// compileUsers checks a filter over users and turns it into a function. Operators beyond eq, co, sw, ew, ge, le are refused (is-behaviour 3).
func (s *Server) compileUsers(f filter) (userMatch, *answer) {
	var all []userMatch
	for _, c := range f {
		m, refused := s.compileUser(c)
		if refused != nil {
			return nil, refused
		}
		all = append(all, m)
	}
	return func(u *user) bool {
		for _, m := range all {
			if !m(u) {
				return false
			}
		}
		return true
	}, nil
}

func (s *Server) compileUser(c condition) (userMatch, *answer) {
	p, ok := s.schema.parse(c.attr)
	if !ok {
		return nil, scimError(http.StatusBadRequest, "invalidValue", "Not a valid attribute name/uri")
	}
	if !slices.Contains([]string{"eq", "co", "sw", "ew", "ge", "le"}, c.op) {
		return nil, scimError(http.StatusBadRequest, "invalidFilter", "Filter operator: "+c.op+" is not supported for filtering users.")
	}
	full := p.urn + ":" + p.attr.name
	if p.member != "" {
		full += "." + p.member
	}
	switch p.attr.name {
	case "userName":
		store, name, known := s.dir.split(c.value)
		qualified := known && strings.Contains(c.value, "/")
		return func(u *user) bool {
			if qualified {
				return u.store == store && condition{op: c.op, value: name}.holds(u.name, true)
			}
			return c.holds(u.name, true)
		}, nil
	case "id":
		return func(u *user) bool { return c.holds(u.id, false) }, nil
	case "groups":
		return func(u *user) bool {
			for _, g := range u.groups {
				if c.holds(g.display(), true) || c.holds(g.id, false) {
					return true
				}
			}
			return false
		}, nil
	case "meta":
		switch p.member {
		case "created":
			return func(u *user) bool { return c.holds(timestamp(u.created), false) }, nil
		case "lastModified":
			return func(u *user) bool { return c.holds(timestamp(u.modified), false) }, nil
		}
		return nil, unsupportedAttribute(full)
	case "schemas":
		return nil, badValue("Not a valid attribute name/uri")
	case "roles", "password":
		return nil, unsupportedAttribute(full)
	}
	extension := func(u *user) map[string]any {
		if p.urn == coreUser {
			return u.attributes
		}
		members, _ := u.attributes[p.urn].(map[string]any)
		return members
	}
	switch {
	case p.attr.kind == typedValues && p.member != "":
		// IS 7.1 answers 500 to emails.value, which has no claim of its own; the attribute itself is the value without a type.
		return nil, unsupportedAttribute(full)
	case p.attr.kind == typedValues:
		return func(u *user) bool {
			values, _ := u.attributes[p.attr.name].(map[string]any)
			value, ok := values[""].(string)
			return ok && c.holds(value, false)
		}, nil
	case p.attr.kind == complexValue && p.member == "":
		return nil, unsupportedAttribute(full)
	case p.attr.kind == complexValue:
		return func(u *user) bool {
			members, _ := extension(u)[p.attr.name].(map[string]any)
			value, ok := members[p.member].(string)
			return ok && c.holds(value, false)
		}, nil
	}
	return func(u *user) bool {
		value, ok := extension(u)[p.attr.name]
		return ok && c.holds(textOf(value), false)
	}, nil
}

func unsupportedAttribute(full string) *answer {
	return scimError(http.StatusInternalServerError, "", "Unsupported attribute: "+full)
}
