// Package config reads *.hcl files into a Config: blocks, their references and ranges, checked as
// far as no server is needed.
package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

// A Config is everything that the files of one directory say, checked without a server: names,
// types, references, cycles. It is immutable after Load and safe for concurrent use.
type Config struct {
	Dir      string
	Known    schema.Set
	Settings Settings

	Variables map[string]*Variable
	Locals    map[string]*Local
	Providers map[string]*Provider // by "apim" or "apim.acme"
	Blocks    []*Block             // resources and data sources, sorted by address
	Outputs   []*Output            // sorted by name
	Imports   []*Import            // in source order

	// Digest is a hash in hex of the bytes of all configuration files with their names.
	Digest string

	sources map[string]*hcl.File
	byAddr  map[Address]*Block
	kept    kept
	specs   map[specKey]spec
}

// Sources returns the parsed files by name, for printing diagnostics with their source lines.
func (c *Config) Sources() map[string]*hcl.File { return c.sources }

// Block returns the block of that address (its Key is ignored), or nil.
func (c *Config) Block(a Address) *Block { return c.byAddr[a.Block()] }

// Settings is the `wso2plan` block.
type Settings struct {
	RequiredVersion string
	Store           string // URL or path of the store; "" is the file store in Dir
	StoreRange      hcl.Range
	MaxDestroy      *int     // limits.max_destroy: objects that one apply may delete or replace
	MaxDestroyPct   *float64 // limits.max_destroy_percent: of the owned objects
	Range           hcl.Range
}

// A Variable is an input variable with the value that this run gives it.
type Variable struct {
	Name        string
	Description string
	Type        cty.Type
	Sensitive   bool
	Nullable    bool
	Value       cty.Value // converted to Type, validated, and marked when Sensitive
	Range       hcl.Range

	constraint  cty.Type // Type with its optional attributes; the zero Type without a constraint
	defaults    *typeexpr.Defaults
	literal     bool      // whether a value that is typed is a string as it stands
	fallback    cty.Value // the default; the zero Value without one
	validations []validation
	valueRange  *hcl.Range // where the value was given
}

// A Local is a named expression of a `locals` block.
type Local struct {
	Name  string
	Expr  hcl.Expression
	Range hcl.Range

	refs   []edge
	cyclic bool // part of a cycle: it has no value
	static bool // refers to no block, through other locals either
}

// A Provider is a provider block, or stands for one that is absent: then Body is empty, and the
// environment configures it.
type Provider struct {
	Name  string // "apim"
	Alias string // "" or "acme"
	Body  hcl.Body
	Range hcl.Range

	refs []edge
}

// Ref returns the name by which resources choose the provider: "apim" or "apim.acme".
func (p *Provider) Ref() string {
	if p.Alias == "" {
		return p.Name
	}
	return p.Name + "." + p.Alias
}

// A Block is a resource or data block. Its instances are found by Evaluator.Instances.
type Block struct {
	Address  Address // without a Key
	Type     *schema.Type
	Count    hcl.Expression // nil without count
	ForEach  hcl.Expression // nil without for_each
	Body     hcl.Body       // the type's own attributes and blocks, dynamic blocks expanded lazily
	Provider string         // Ref of its provider: "apim" or "apim.acme"

	PreventDestroy      bool
	IgnoreChanges       []cty.Path // attribute paths
	IgnoreAll           bool       // ignore_changes = all
	CreateBeforeDestroy bool

	// References are the blocks that this one refers to, through locals too, and by depends_on,
	// one for each place where it does, in source order.
	References []Reference

	Range hcl.Range // the header

	spec          spec
	sorted        *sortedBody // Body, for decoding
	dynamic       bool        // whether Body may hold dynamic blocks
	dependsOn     []hcl.Traversal
	providerRange hcl.Range // where the provider was chosen
	metaRefs      []edge    // of count and for_each
	staticMeta    bool      // count and for_each refer to no block, through locals either
	refs          []edge    // of Body
	constant      cty.Value // what DecodeWritten gives whatever the servers hold; NilVal where that is not so
	dependsRefs   []edge    // of depends_on
}

// A Reference is a place where one block, output or provider refers to another block.
type Reference struct {
	To     Address // a block, without a Key
	Attr   string  // the first attribute named, or ""
	Range  hcl.Range
	Via    []string // the locals it goes through, outermost first
	OnlyIn string   // the attribute or block of the referring block that holds it; "depends_on"
}

// An Output is an output block.
type Output struct {
	Name, Description string
	Expr              hcl.Expression
	Sensitive         bool
	References        []Reference
	Range             hcl.Range

	dependsOn   []hcl.Traversal
	refs        []edge
	dependsRefs []edge
}

// An Import is an import block: begin to own an object that exists.
type Import struct {
	To      hcl.Expression // an address, whose key may use each.key
	ID      hcl.Expression // the object's ID, or its key
	ForEach hcl.Expression // nil without for_each
	Block   Address        // the block that To names
	Range   hcl.Range

	key  hcl.Expression // the instance key of To; nil without one
	refs []edge
}

// AttributeRange returns the range of the attribute or nested block of that name in b's body, or
// b's own range when it has none. For diagnostics.
func (b *Block) AttributeRange(name string) hcl.Range {
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: name}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: name}, {Type: "dynamic", LabelNames: []string{"type"}}},
	})
	if a, ok := content.Attributes[name]; ok {
		return a.Range
	}
	for _, inner := range content.Blocks {
		if inner.Type == name || inner.Labels[0] == name {
			return inner.DefRange
		}
	}
	return b.Range
}
