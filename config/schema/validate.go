package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// reserved are the names that mean the same in every block, so that no type can have attributes or
// blocks of these names.
var reserved = []string{"count", "depends_on", "dynamic", "for_each", "lifecycle", "provider"}

// Validate checks that the table is legal: the combinations of flags that Attribute lists, that
// Key and ChangesWith name attributes that exist, and that no name is taken twice. It returns every
// mistake, joined.
func (t *Type) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(t.Name+": "+format, args...)) }
	if Provider(t.Name) == t.Name || !isName(t.Name) {
		bad("the name must be PROVIDER_NOUN in lower case")
	}
	if t.DataOnly && len(t.Key) > 0 {
		bad("a type that is only read is found by its arguments and has no Key")
	}
	for _, name := range t.Key {
		a := t.Attribute(name)
		switch {
		case a == nil:
			bad("Key names %q, which is no attribute", name)
		case a.Sensitive || a.WriteOnly:
			bad("Key names %q, which is sensitive", name)
		case !a.Type.IsPrimitiveType():
			bad("Key names %q, which is no string, number or bool", name)
		case a.ReadOnly:
			bad("Key names %q, which cannot be configured", name)
		}
	}
	for _, name := range reserved {
		if t.Attribute(name) != nil || t.NestedBlock(name) != nil {
			bad("%q means the same in every block and cannot be a name of this one's", name)
		}
	}
	errs = append(errs, t.Block.validate(t.Name)...)
	return errors.Join(errs...)
}

// Validate checks the table of a provider block as Type.Validate does.
func (b *Block) Validate() error { return errors.Join(b.validate("provider")...) }

func (b *Block) validate(path string) []error {
	var errs []error
	seen := map[string]bool{}
	for i := range b.Attributes {
		a := &b.Attributes[i]
		at := path + "." + a.Name
		for _, why := range a.mistakes(b) {
			errs = append(errs, fmt.Errorf("%s: %s", at, why))
		}
		if seen[a.Name] {
			errs = append(errs, fmt.Errorf("%s: the name is taken twice", at))
		}
		seen[a.Name] = true
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		at := path + "." + n.Name
		if !isName(n.Name) {
			errs = append(errs, fmt.Errorf("%s: the name must be in lower case with underscores", at))
		}
		if seen[n.Name] {
			errs = append(errs, fmt.Errorf("%s: the name is taken twice", at))
		}
		seen[n.Name] = true
		if len(n.Key) > 0 && n.Nesting != List {
			errs = append(errs, fmt.Errorf("%s: Key needs Nesting List", at))
		}
		for _, name := range n.Key {
			if a := n.Attribute(name); a == nil {
				errs = append(errs, fmt.Errorf("%s: Key names %q, which is no attribute", at, name))
			} else if a.Sensitive || a.WriteOnly || a.ReadOnly {
				errs = append(errs, fmt.Errorf("%s: Key names %q, which is sensitive or set by the server", at, name))
			}
		}
		if n.Unless != "" && b.Attribute(n.Unless) == nil {
			errs = append(errs, fmt.Errorf("%s: Unless names %q, which is no attribute beside it", at, n.Unless))
		}
		errs = append(errs, n.Block.validate(at)...)
	}
	return errs
}

// mistakes returns what is wrong with an attribute of b.
func (a *Attribute) mistakes(b *Block) []string {
	var out []string
	rule := func(broken bool, why string) {
		if broken {
			out = append(out, why)
		}
	}
	rule(!isName(a.Name), "the name must be in lower case with underscores")
	rule(a.Type == cty.NilType, "the Type is missing")
	rule(a.Required && a.ReadOnly, "Required excludes ReadOnly")
	rule(a.Required && a.HasDefault(), "Required excludes Default")
	rule(a.ReadOnly && a.HasDefault(), "ReadOnly excludes Default")
	rule(a.ReadOnly && len(a.Enum) > 0, "ReadOnly excludes Enum")
	rule(a.ReadOnly && a.WriteOnly, "ReadOnly excludes WriteOnly")
	rule(a.ReadOnly && a.RequiresReplace, "ReadOnly excludes RequiresReplace")
	rule(a.ReadOnly && a.Validate != nil, "ReadOnly excludes Validate")
	rule(a.WriteOnly && !a.Sensitive && a.Doc == "", "WriteOnly needs Sensitive, or a reason in Doc")
	rule(a.Keep != KeepOmit && !a.WriteOnly, "Keep needs WriteOnly")
	rule(a.Once && !a.ReadOnly, "Once needs ReadOnly")
	rule(len(a.ChangesWith) > 0 && !a.ReadOnly, "ChangesWith needs ReadOnly")
	for _, name := range a.ChangesWith {
		rule(b.Attribute(name) == nil && b.NestedBlock(name) == nil,
			fmt.Sprintf("ChangesWith names %q, which is no attribute of the block", name))
		rule(name == a.Name, "ChangesWith names the attribute itself")
	}
	rule((a.Written == cty.NilType) != (a.Read == nil), "Written and Read need each other")
	rule(a.Written != cty.NilType && (a.ReadOnly || a.HasDefault()), "Written excludes ReadOnly and Default")
	if a.Type == cty.NilType {
		return out
	}
	rule(a.PerKey && !a.Type.IsMapType(), "PerKey needs a map type")
	rule(len(a.Enum) > 0 && !holdsStrings(a.Type), "Enum needs a string, or a collection of strings")
	if a.HasDefault() {
		v, err := convert.Convert(a.Default, a.Type)
		rule(err != nil, "Default does not fit Type")
		rule(err == nil && (v.IsNull() || !v.IsWhollyKnown() || v.ContainsMarked()), "Default must be known, not null and unmarked")
		if err == nil && len(a.Enum) > 0 && v.Type() == cty.String && v.IsKnown() && !v.IsNull() && !v.IsMarked() {
			rule(!slices.Contains(a.Enum, v.AsString()), "Default is not in Enum")
		}
	}
	return out
}

func holdsStrings(t cty.Type) bool {
	return t == cty.String || t.IsCollectionType() && t.ElementType() == cty.String
}

func isName(s string) bool {
	return s != "" && 'a' <= s[0] && s[0] <= 'z' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
