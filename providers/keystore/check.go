package keystore

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// The checks of attributes, each of a known value.

func notEmpty(v cty.Value) error {
	if v.AsString() == "" {
		return errors.New("it must not be empty")
	}
	return nil
}

func notEmptyList(v cty.Value) error {
	if v.LengthInt() == 0 {
		return errors.New("it must not be empty")
	}
	for _, s := range v.AsValueSlice() {
		if s, _ := s.Unmark(); s.IsKnown() && s.IsNull() {
			return errors.New("it must not hold null")
		}
	}
	return nil
}

// storeName keeps names apart from paths.
func storeName(v cty.Value) error {
	if s := v.AsString(); s == "" || isPath(s) || strings.Contains(s, "#") {
		return fmt.Errorf("%q is no name for a store: use letters, digits, \"_\" and \"-\", such as \"apim_trust\"", s)
	}
	return nil
}

// isPath tells the path of a store from its name.
func isPath(s string) bool { return strings.ContainsAny(s, `/\.`) }

func webAddress(v cty.Value) error {
	u, err := url.Parse(v.AsString())
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no web address, such as \"https://localhost:9443/services/Version\"", v.AsString())
	}
	return nil
}

func duration(v cty.Value) error {
	if d, err := time.ParseDuration(v.AsString()); err != nil || d <= 0 {
		return fmt.Errorf("%q is no length of time, such as \"90s\" or \"5m\"", v.AsString())
	}
	return nil
}

// alias checks what Java's stores take as a name of an entry.
func alias(v cty.Value) error {
	s := v.AsString()
	if strings.TrimSpace(s) != s || s == "" {
		return fmt.Errorf("%q is no alias: it must not be empty, nor begin or end with a space", s)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7F || r > 0xFFFF {
			return fmt.Errorf("%q is no alias: it holds the character %q", s, r)
		}
	}
	return nil
}
