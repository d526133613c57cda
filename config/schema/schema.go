// Package schema describes resource types as data, from which decoding, validation, diffing,
// rendering and documentation derive.
package schema

import (
	"github.com/zclconf/go-cty/cty"
)

// A Type describes a resource type: its attributes and blocks, and how its objects are found.
type Type struct {
	Name string   // "apim_key_manager"; the part before the first "_" names the provider
	Doc  string   // one paragraph, Markdown
	Key  []string // attributes that find an object we do not own yet; never sensitive
	Block

	// DataOnly marks a type that can only be read: it has a data source and no resource.
	DataOnly bool

	// DeleteFirst marks a type whose replacement always deletes the old object first, since the
	// server cannot hold both.
	DeleteFirst bool

	// Collide tells of one object and another one that would replace it under another key whether
	// the server cannot hold both, so that the old one is deleted first. The values may hold unknowns
	// and marks. Nil: it can hold both.
	Collide func(before, after cty.Value) bool

	// Check validates one whole decoded block beyond what tables can say, without a server. The
	// value may hold unknowns, nulls and marks. Nil: nothing to check.
	Check func(v cty.Value) []Problem
}

// A Problem is a mistake that Check found, at a path of the block it was given.
type Problem struct {
	Path    cty.Path // nil: the block itself
	Summary string   // a noun phrase
	Detail  string   // full sentences: what is wrong, then what to do
}

// A Block is the content of a block: attributes and nested blocks, in the order of the docs.
type Block struct {
	Attributes []Attribute
	Blocks     []NestedBlock
}

// Nesting says how often a nested block may occur and what its value is.
type Nesting int

const (
	Single Nesting = iota // at most one; an object, null when absent
	List                  // any number; a list of objects, empty when absent
)

// A NestedBlock is a block type inside a block.
type NestedBlock struct {
	Name, Doc string
	Nesting   Nesting
	Required  bool // at least one

	// Key names the attributes of a List by which its elements are matched with live ones; the
	// configured leaves of matched elements are compared, their order is not. Without a Key
	// elements are matched by their position.
	Key []string

	// Unless names an attribute of the same block that says the same in another way. While that is
	// configured, the absence of this block leaves what is live alone, also when it was managed.
	Unless string

	// JSON is the API's name, when it is not the camelCase of Name.
	JSON string

	Block
}

// Keep says what a full-replacement PUT sends for a stored secret that is to stay as it is.
type Keep int

const (
	KeepOmit   Keep = iota // leave the member out
	KeepMask               // send the server's mask, such as *****
	KeepBlank              // send an empty string
	KeepResend             // send the configured secret each time
)

// An Attribute is one attribute of a block. Legal combinations of flags: Required excludes
// ReadOnly and Default; ReadOnly excludes Required, Default, Enum, WriteOnly and RequiresReplace;
// WriteOnly implies Sensitive or a reason in Doc; Keep needs WriteOnly; Once needs ReadOnly;
// ChangesWith needs ReadOnly; PerKey needs a map type. Validate checks them.
type Attribute struct {
	Name, Doc       string
	Type            cty.Type
	Required        bool
	ReadOnly        bool // set by the server alone
	RequiresReplace bool // the API cannot change it in place
	Sensitive       bool // masked in every output
	WriteOnly       bool // never returned, or returned masked; compared by fingerprint
	Once            bool // returned when made and never again: null in a later Read
	Keep            Keep // for a WriteOnly attribute in a full-replacement PUT

	// Parent marks a reference to an object in which this one lives, or whose deletion this one
	// blocks: it is replaced or deleted with it.
	Parent bool

	// ChangesWith names attributes of the same block; this ReadOnly one becomes unknown when one
	// of them changes, and keeps its live value otherwise.
	ChangesWith []string

	// Written is the type in which people write the attribute, where it is not Type: a document, say,
	// that is compared by its parts. Read turns what they wrote, known, not null and unmarked, into
	// a value of Type, or says what is wrong with it in an error for people.
	Written cty.Type
	Read    func(cty.Value) (cty.Value, error)

	PerKey    bool                      // a map that others write too: each configured key is managed by itself
	Default   cty.Value                 // applied when absent; the zero Value: absent means "leave as it is"
	Enum      []string                  // the allowed strings, of the attribute or of its elements
	Validate  func(cty.Value) error     // of a known, non-null, unmarked value; nil: any
	Normalize func(cty.Value) cty.Value // the form compared and fingerprinted; nil: the value
	JSON      string                    // the API's name, when not the camelCase of Name
}

// A Set holds everything that configuration may name: provider blocks, resource types and data
// sources.
type Set struct {
	Providers map[string]Block // by provider name
	Resources map[string]*Type // by type name
	Data      map[string]*Type // by type name; every type with a Key, and those that are DataOnly
}

// NewSet returns an empty Set.
func NewSet() Set {
	return Set{Providers: map[string]Block{}, Resources: map[string]*Type{}, Data: map[string]*Type{}}
}

// Add enters a type where it belongs: as a resource, a data source, or both.
func (s Set) Add(t *Type) {
	if !t.DataOnly {
		s.Resources[t.Name] = t
	}
	if t.DataOnly || len(t.Key) > 0 {
		s.Data[t.Name] = t
	}
}

// Attribute returns the attribute of that name, or nil.
func (b *Block) Attribute(name string) *Attribute {
	for i := range b.Attributes {
		if b.Attributes[i].Name == name {
			return &b.Attributes[i]
		}
	}
	return nil
}

// NestedBlock returns the nested block type of that name, or nil.
func (b *Block) NestedBlock(name string) *NestedBlock {
	for i := range b.Blocks {
		if b.Blocks[i].Name == name {
			return &b.Blocks[i]
		}
	}
	return nil
}

// JSONName returns the API's name of the attribute.
func (a *Attribute) JSONName() string {
	if a.JSON != "" {
		return a.JSON
	}
	return CamelCase(a.Name)
}

// JSONName returns the API's name of the nested block.
func (n *NestedBlock) JSONName() string {
	if n.JSON != "" {
		return n.JSON
	}
	return CamelCase(n.Name)
}

// HasDefault reports whether an absent attribute takes a default.
func (a *Attribute) HasDefault() bool { return a.Default != cty.NilVal }

// Normal returns the form of v that is compared and fingerprinted. Null, unknown and marked values
// come back as they are, marks kept.
func (a *Attribute) Normal(v cty.Value) cty.Value {
	if a.Normalize == nil {
		return v
	}
	u, marks := v.UnmarkDeep()
	if u.IsNull() || !u.IsWhollyKnown() {
		return v
	}
	return a.Normalize(u).WithMarks(marks)
}

// Provider returns the name of the provider of a type name: "apim" of "apim_key_manager".
func Provider(typeName string) string {
	for i := 0; i < len(typeName); i++ {
		if typeName[i] == '_' {
			return typeName[:i]
		}
	}
	return typeName
}

// CamelCase turns a snake_case name into the form that the APIs use: "token_endpoint" into
// "tokenEndpoint".
func CamelCase(name string) string {
	out := make([]byte, 0, len(name))
	up := false
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '_':
			up = true
		case up && 'a' <= c && c <= 'z':
			out = append(out, c-'a'+'A')
			up = false
		default:
			out = append(out, c)
			up = false
		}
	}
	return string(out)
}
