package store

import (
	"fmt"
	"strings"

	"wso2plan/config"
)

// splitAddress reads what Address.String wrote. It only cuts the text, because a store of 10,000
// records holds several addresses in each, and takes keys as they are, because it is not for users.
func splitAddress(s string) (config.Address, error) {
	var a config.Address
	rest := s
	for strings.HasPrefix(rest, "module.") {
		end := len("module.")
		for end < len(rest) && rest[end] != '.' && rest[end] != '[' {
			end++
		}
		if end < len(rest) && rest[end] == '[' {
			end += keyLength(rest[end:])
		}
		if end >= len(rest) || rest[end] != '.' || end == len("module.") {
			return a, fmt.Errorf("%q is not an address", s)
		}
		rest = rest[end+1:]
	}
	if n := len(s) - len(rest); n > 0 {
		a.Module = s[:n-1]
	}
	if after, ok := strings.CutPrefix(rest, "data."); ok {
		a.Mode, rest = config.Data, after
	}
	if i := strings.IndexByte(rest, '['); i >= 0 {
		a.Key, rest = rest[i:], rest[:i]
		if keyLength(a.Key) != len(a.Key) {
			return a, fmt.Errorf("%q is not an address", s)
		}
	}
	var ok bool
	a.Type, a.Name, ok = strings.Cut(rest, ".")
	if !ok || a.Type == "" || a.Name == "" || strings.Contains(a.Name, ".") {
		return a, fmt.Errorf("%q is not an address", s)
	}
	return a, nil
}

// keyLength returns the length of the instance key, `[0]` or `["x"]`, that s begins with, and 0 if
// it does not end.
func keyLength(s string) int {
	quoted := false
	for i := 1; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == ']':
			return i + 1
		}
	}
	return 0
}
