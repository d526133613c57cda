package apim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
)

// The functions below look into decoded blocks, which may hold marks, nulls and unknowns, and
// answer with Go's zero value where nothing is known.

// plain returns an attribute or block without its marks; a null when v is not a known object.
func plain(v cty.Value, name string) cty.Value {
	v, _ = v.Unmark()
	if !isObject(v) || !v.Type().HasAttribute(name) {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	out, _ := v.GetAttr(name).Unmark()
	return out
}

// isObject reports whether v is a known object.
func isObject(v cty.Value) bool {
	return v != cty.NilVal && v.Type().IsObjectType() && v.IsKnown() && !v.IsNull()
}

// isSet reports whether an attribute is not null; an unknown one counts as set.
func isSet(v cty.Value, name string) bool {
	x := plain(v, name)
	return !x.IsKnown() || !x.IsNull()
}

func isKnown(v cty.Value) bool { return v.IsWhollyKnown() && !v.IsNull() }

func knownString(v cty.Value, name string) string {
	if x := plain(v, name); isKnown(x) && x.Type() == cty.String {
		return x.AsString()
	}
	return ""
}

// knownMap returns the known strings of a map attribute.
func knownMap(v cty.Value, name string) map[string]string {
	out := map[string]string{}
	x := plain(v, name)
	if !x.IsKnown() || x.IsNull() || !x.CanIterateElements() {
		return out
	}
	for key, e := range x.AsValueMap() {
		if e, _ = e.Unmark(); isKnown(e) {
			out[key] = e.AsString()
		}
	}
	return out
}

// keysOf returns the keys of a map attribute, of known and of unknown values.
func keysOf(v cty.Value, name string) []string {
	x := plain(v, name)
	if !x.IsKnown() || x.IsNull() || !x.CanIterateElements() {
		return nil
	}
	return slices.Sorted(maps.Keys(x.AsValueMap()))
}

// knownList returns the elements of a list or set.
func knownList(v cty.Value, name string) []cty.Value {
	x := plain(v, name)
	if !x.IsKnown() || x.IsNull() || !x.CanIterateElements() {
		return nil
	}
	return x.AsValueSlice()
}

// lengthIn returns a validation of the number of characters.
func lengthIn(least, most int) func(cty.Value) error {
	return func(v cty.Value) error {
		n := utf8.RuneCountInString(v.AsString())
		if n < least {
			return fmt.Errorf("it must not be empty")
		}
		if n > most {
			return fmt.Errorf("it has %d characters; at most %d are allowed", n, most)
		}
		return nil
	}
}

// isAddress reports whether s is an IP address.
func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// pemText returns the canonical PEM text of value, which is PEM or PEM in Base64; "" when it is
// neither.
func pemText(value string) string {
	// A certificate may be indented, as in a here-document.
	lines := strings.Split(value, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	text := []byte(strings.Join(lines, "\n"))
	if !strings.Contains(value, "-----BEGIN") {
		var err error
		if text, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), "")); err != nil {
			return ""
		}
	}
	var out bytes.Buffer
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return out.String()
		}
		block.Headers = nil
		if pem.Encode(&out, block) != nil {
			return ""
		}
	}
}

// canonicalPEM is the normal form of a certificate's value: PEM without what surrounds it. The URL
// of a JWKS comes back as it is.
func canonicalPEM(v cty.Value) cty.Value {
	if text := pemText(v.AsString()); text != "" {
		return cty.StringVal(text)
	}
	return trimmed(v)
}

// wholeFrom returns a validation of whole numbers.
func wholeFrom(least int64) func(cty.Value) error {
	return func(v cty.Value) error {
		n := v.AsBigFloat()
		if !n.IsInt() {
			return fmt.Errorf("%s is not a whole number", n.Text('g', 10))
		}
		if n.Cmp(cty.NumberIntVal(least).AsBigFloat()) < 0 {
			return fmt.Errorf("%s is too small; the least is %d", n.Text('f', -1), least)
		}
		return nil
	}
}

// stringsOf returns the strings of a known list or set, in its order; a set's is the same each
// time.
func stringsOf(v cty.Value) []string {
	if !isKnown(v) {
		return nil
	}
	out := make([]string, 0, v.LengthInt())
	for _, e := range v.AsValueSlice() {
		if e, _ = e.Unmark(); isKnown(e) {
			out = append(out, e.AsString())
		}
	}
	return out
}

var uuidText = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// propertyText returns the text of a connector's property, as configurations write it: scalars as
// strings, lists and objects as JSON. False for null, which is how servers say that it is not set.
func propertyText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	}
	b, err := json.Marshal(v)
	return string(b), err == nil
}
