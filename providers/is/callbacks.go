package is

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// pattern begins a callback that is a regular expression.
const pattern = "regexp="

// IS 7.1 keeps one callback for each client. Several addresses are one regular expression,
// regexp=(https://a/cb|https://b/cb), which is how its Console writes them and DCR shows them
// (is-behaviour 6, 7); a list of several is answered 501. So we write plain addresses as that, and
// read it as plain addresses.

// encodeCallbacks returns the list to send for plain addresses: one element at most.
func encodeCallbacks(addresses []string) []string {
	if len(addresses) < 2 {
		return append([]string{}, addresses...)
	}
	escaped := make([]string, len(addresses))
	for i, a := range addresses {
		escaped[i] = escapeCallback(a)
	}
	return []string{pattern + "(" + strings.Join(escaped, "|") + ")"}
}

// special are the characters of an address that mean something else in a regular expression. Dots
// stay as they are, as the server and its Console leave them.
const special = `?+*$()[]{}^`

func escapeCallback(address string) string {
	var s strings.Builder
	for _, r := range address {
		if strings.ContainsRune(special, r) {
			s.WriteByte('\\')
		}
		s.WriteRune(r)
	}
	return s.String()
}

// decodeCallbacks returns the plain addresses of a list as the server shows it. A pattern that is
// more than a choice of addresses stays as it is.
func decodeCallbacks(shown []string) []string {
	out := []string{}
	for _, s := range shown {
		if list, ok := choice(s); ok {
			out = append(out, list...)
		} else if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// choice splits regexp=(a|b) into a and b.
func choice(s string) ([]string, bool) {
	inner, ok := strings.CutPrefix(s, pattern)
	if !ok || !strings.HasPrefix(inner, "(") || !strings.HasSuffix(inner, ")") {
		return nil, false
	}
	inner = inner[1 : len(inner)-1]
	list := []string{}
	var one strings.Builder
	escaped := false
	for _, r := range inner {
		switch {
		case escaped:
			one.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '|':
			list = append(list, one.String())
			one.Reset()
		case r != '?' && strings.ContainsRune(special, r):
			return nil, false // an expression in earnest
		default:
			// A question mark before a query is not always escaped by those who write one by hand.
			one.WriteRune(r)
		}
	}
	if escaped {
		return nil, false
	}
	list = append(list, one.String())
	for _, a := range list {
		if !strings.Contains(a, ":") {
			return nil, false
		}
	}
	return list, true
}

// callbackAddress refuses what is no address to come back to.
func callbackAddress(v cty.Value) error {
	for _, s := range stringsOf(v) {
		switch {
		case s == "":
			return fmt.Errorf("an address is empty")
		case strings.HasPrefix(s, pattern):
		case strings.ContainsAny(s, " |<>\"\\^`\t\r\n"):
			return fmt.Errorf("%q is no address: it holds a character that addresses have not", s)
		case !strings.Contains(s, ":"):
			return fmt.Errorf("%q is no address: it has no scheme such as https", s)
		}
	}
	return nil
}

// plainCallbacks is callbackAddress without regular expressions.
func plainCallbacks(v cty.Value) error {
	for _, s := range stringsOf(v) {
		if strings.HasPrefix(s, pattern) {
			return fmt.Errorf("%q is a regular expression, which registration does not take: write each address by itself", s)
		}
	}
	return callbackAddress(v)
}

// members returns the strings of a JSON list.
func members(list any) []string {
	elems, _ := list.([]any)
	out := make([]string, 0, len(elems))
	for _, e := range elems {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// anys turns strings into a JSON list.
func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
