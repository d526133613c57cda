package config

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Mode says whether an address names a resource, which is ours to write, or a data source.
type Mode byte

const (
	Managed Mode = iota // a resource block
	Data                // a data block
)

// An Address names one resource, data source or block instance. Comparable; the key of every map.
type Address struct {
	Module string // the module path in source form, such as `module.eu`; "" is the root module
	Mode   Mode
	Type   string
	Name   string
	Key    string // the instance key in source form: `["eu"]`, `[0]` or empty
}

// String returns the address as it is written in configuration and on the command line:
// `module.eu.data.is_user.ann["x"]`.
func (a Address) String() string {
	var s strings.Builder
	if a.Module != "" {
		s.WriteString(a.Module)
		s.WriteByte('.')
	}
	if a.Mode == Data {
		s.WriteString("data.")
	}
	s.WriteString(a.Type)
	s.WriteByte('.')
	s.WriteString(a.Name)
	s.WriteString(a.Key)
	return s.String()
}

// Block returns the address of the block that a is an instance of: a without its Key.
func (a Address) Block() Address {
	a.Key = ""
	return a
}

// Instance returns the address of the instance of a's block with the given key: a string for
// for_each, a number for count, cty.NilVal for the single instance of a block with neither.
func (a Address) Instance(key cty.Value) Address {
	switch {
	case key == cty.NilVal || key.IsNull():
		a.Key = ""
	case key.Type() == cty.Number:
		a.Key = "[" + key.AsBigFloat().Text('f', -1) + "]"
	default:
		a.Key = quoteKey(key.AsString())
	}
	return a
}

// quoteKey writes a for_each key as an HCL index with a quoted string.
func quoteKey(key string) string {
	var s strings.Builder
	s.WriteString(`["`)
	for i, r := range key {
		switch {
		case r == '"' || r == '\\':
			s.WriteByte('\\')
			s.WriteRune(r)
		case r == '\n':
			s.WriteString(`\n`)
		case r == '\r':
			s.WriteString(`\r`)
		case r == '\t':
			s.WriteString(`\t`)
		case (r == '$' || r == '%') && strings.HasPrefix(key[i+1:], "{"):
			s.WriteRune(r)
			s.WriteRune(r)
		case !strconv.IsPrint(r) && r > 0xffff:
			fmt.Fprintf(&s, `\U%08x`, r)
		case !strconv.IsPrint(r):
			fmt.Fprintf(&s, `\u%04x`, r)
		default:
			s.WriteRune(r)
		}
	}
	s.WriteString(`"]`)
	return s.String()
}

// KeyValue returns the instance key as a value: a string, a number, or cty.NilVal without a key.
func (a Address) KeyValue() cty.Value {
	if len(a.Key) < 2 {
		return cty.NilVal
	}
	expr, diags := hclsyntax.ParseExpression([]byte(a.Key[1:len(a.Key)-1]), "", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal
	}
	return v
}

// Compare orders addresses by module, mode (resources first), type, name and key; numeric keys by
// their number.
func (a Address) Compare(b Address) int {
	if c := cmp.Or(strings.Compare(a.Module, b.Module), cmp.Compare(a.Mode, b.Mode),
		strings.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name)); c != 0 {
		return c
	}
	if a.Key != b.Key && len(a.Key) > 1 && len(b.Key) > 1 && a.Key[1] != '"' && b.Key[1] != '"' {
		x, errX := strconv.Atoi(a.Key[1 : len(a.Key)-1])
		y, errY := strconv.Atoi(b.Key[1 : len(b.Key)-1])
		if errX == nil && errY == nil {
			return cmp.Compare(x, y)
		}
	}
	return strings.Compare(a.Key, b.Key)
}

// MarshalText writes the address in source form, so that it can be a JSON string and map key.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := ParseAddress(string(text))
	if err == nil {
		*a = parsed
	}
	return err
}

// ParseAddress reads an address in source form. Errors say which part is wrong.
func ParseAddress(s string) (Address, error) {
	bad := func(why string) (Address, error) {
		return Address{}, fmt.Errorf("%q is not an address: %s", s, why)
	}
	traversal, diags := hclsyntax.ParseTraversalAbs([]byte(s), "", hcl.InitialPos)
	if diags.HasErrors() {
		return bad("write it as TYPE.NAME, TYPE.NAME[0] or TYPE.NAME[\"key\"]")
	}
	var a Address
	var names []string
	for i, step := range traversal {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, step.Name)
		case hcl.TraverseAttr:
			names = append(names, step.Name)
		case hcl.TraverseIndex:
			if i == len(traversal)-1 {
				a = a.Instance(step.Key)
				continue
			}
			if len(names) < 2 || names[len(names)-2] != "module" {
				return bad("an instance key stands at its end")
			}
			names[len(names)-1] += Address{}.Instance(step.Key).Key
		default:
			return bad("it names one object")
		}
	}
	var module []string
	for len(names) >= 2 && names[0] == "module" {
		module = append(module, "module."+names[1])
		names = names[2:]
	}
	a.Module = strings.Join(module, ".")
	if len(names) > 0 && names[0] == "data" {
		a.Mode = Data
		names = names[1:]
	}
	if len(names) != 2 {
		return bad("it needs a type and a name, as in is_user.ann")
	}
	a.Type, a.Name = names[0], names[1]
	return a, nil
}
