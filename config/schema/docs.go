package schema

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Docs is the reference documentation of one provider.
type Docs struct {
	Provider string // "apim"
	Title    string // "WSO2 API Manager"
	Doc      string // paragraphs, Markdown, after the title
	Block    Block  // the provider block
	Types    []*Type

	// Env names the environment variables that give provider arguments a value, by argument; nil
	// when the arguments' own docs say that.
	Env map[string][]string

	// Example returns a type's example in HCL, or "" when it has none.
	Example func(*Type) string
}

// WriteDocs writes the reference as Markdown: the provider block, then every resource and data
// source in the order of their names, each with its example, arguments, nested blocks, read-only
// attributes and how it is imported. The same input writes the same bytes.
func WriteDocs(w io.Writer, d Docs) error {
	out := bufio.NewWriter(w)
	p := &page{w: out}
	p.line("# %s", d.Title)
	p.line("")
	if d.Doc != "" {
		p.line("%s", strings.TrimSpace(d.Doc))
		p.line("")
	}
	types := slices.Clone(d.Types)
	slices.SortFunc(types, func(a, b *Type) int { return strings.Compare(a.Name, b.Name) })
	p.contents(types)
	p.provider(d)
	for _, t := range types {
		example := ""
		if d.Example != nil {
			example = d.Example(t)
		}
		p.resource(t, example)
	}
	return out.Flush()
}

// A page writes lines. Errors are the buffer's, which keeps the first.
type page struct{ w *bufio.Writer }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

func (p *page) contents(types []*Type) {
	p.line("| type | |")
	p.line("|---|---|")
	for _, t := range types {
		p.line("| [%s](#%s) | %s |", t.Name, t.Name, cell(firstSentence(t.Doc)))
	}
	p.line("")
}

func (p *page) provider(d Docs) {
	p.line("## provider \"%s\"", d.Provider)
	p.line("")
	if d.Env == nil {
		p.line("| argument | type | |")
		p.line("|---|---|---|")
	} else {
		p.line("| argument | type | | environment |")
		p.line("|---|---|---|---|")
	}
	for i := range d.Block.Attributes {
		a := &d.Block.Attributes[i]
		line := fmt.Sprintf("| `%s` | %s | %s |", a.Name, typeString(a.Type), a.text())
		if d.Env != nil {
			line += " " + code(d.Env[a.Name]) + " |"
		}
		p.line("%s", line)
	}
	p.line("")
	p.nested(&d.Block, "")
}

func (p *page) resource(t *Type, example string) {
	p.line("## %s", t.Name)
	p.line("")
	if t.Doc != "" {
		p.line("%s", strings.TrimSpace(t.Doc))
		p.line("")
	}
	switch {
	case t.DataOnly:
		p.line("A data source only: `data %q \"NAME\" { … }`.", t.Name)
		p.line("")
	case len(t.Key) > 0:
		p.line("Also a data source, found by %s: `data %q \"NAME\" { %s }`.", code(t.Key), t.Name, keyArguments(t))
		p.line("")
	}
	if example != "" {
		p.line("```hcl")
		p.line("%s", strings.TrimSpace(string(hclwrite.Format([]byte(example)))))
		p.line("```")
		p.line("")
	}
	p.arguments("Arguments", &t.Block)
	p.nested(&t.Block, "")
	p.readOnly(&t.Block)
	p.importing(t)
}

// arguments writes the table of what may be configured.
func (p *page) arguments(title string, b *Block) {
	empty := true
	for i := range b.Attributes {
		empty = empty && b.Attributes[i].ReadOnly
	}
	if empty && len(b.Blocks) == 0 {
		return
	}
	p.line("### %s", title)
	p.line("")
	p.line("| name | type | |")
	p.line("|---|---|---|")
	for i := range b.Attributes {
		if a := &b.Attributes[i]; !a.ReadOnly {
			p.line("| `%s` | %s | %s |", a.Name, typeString(a.writtenType()), a.text())
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		p.line("| `%s` | %s | %s |", n.Name, n.kind(), n.text())
	}
	p.line("")
}

// nested writes the tables of the blocks inside b, each under the path that leads to it.
func (p *page) nested(b *Block, path string) {
	for i := range b.Blocks {
		n := &b.Blocks[i]
		at := strings.TrimPrefix(path+"."+n.Name, ".")
		p.arguments(fmt.Sprintf("Block `%s`", at), &n.Block)
		p.nested(&n.Block, at)
	}
}

func (p *page) readOnly(b *Block) {
	var rows []string
	collectReadOnly(b, "", &rows)
	if len(rows) == 0 {
		return
	}
	p.line("### Read-only attributes")
	p.line("")
	p.line("| name | type | |")
	p.line("|---|---|---|")
	for _, row := range rows {
		p.line("%s", row)
	}
	p.line("")
}

func collectReadOnly(b *Block, path string, rows *[]string) {
	for i := range b.Attributes {
		if a := &b.Attributes[i]; a.ReadOnly {
			*rows = append(*rows, fmt.Sprintf("| `%s` | %s | %s |", path+a.Name, typeString(a.Type), a.text()))
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		at := path + n.Name + "."
		if n.Nesting == List {
			at = path + n.Name + "[*]."
		}
		collectReadOnly(&n.Block, at, rows)
	}
}

func (p *page) importing(t *Type) {
	if t.DataOnly {
		return
	}
	p.line("### Import")
	p.line("")
	if len(t.Key) > 0 {
		p.line("By ID, or by key, which is %s:", code(t.Key))
	} else {
		p.line("By ID:")
	}
	p.line("")
	p.line("```sh")
	p.line("wso2plan import %s.NAME ID", t.Name)
	if len(t.Key) > 0 {
		keys := make([]string, len(t.Key))
		for i, name := range t.Key {
			keys[i] = strings.ToUpper(name)
		}
		p.line("wso2plan import %s.NAME %s", t.Name, strings.Join(keys, "/"))
	}
	p.line("```")
	p.line("")
}

// keyArguments writes the arguments of a data block that finds an object.
func keyArguments(t *Type) string {
	var args []string
	for _, name := range t.Key {
		if a := t.Attribute(name); a == nil || !a.HasDefault() {
			args = append(args, name+" = …")
		}
	}
	return strings.Join(args, ", ")
}

// text returns the last column of an attribute: what must be known before its prose, then the prose.
func (a *Attribute) text() string {
	var notes []string
	note := func(holds bool, text string) {
		if holds {
			notes = append(notes, text)
		}
	}
	note(a.Required, "**Required.**")
	if a.HasDefault() {
		notes = append(notes, fmt.Sprintf("Default `%s`.", valueString(a.Default)))
	}
	if len(a.Enum) > 0 {
		notes = append(notes, "One of "+code(a.Enum)+".")
	}
	note(a.RequiresReplace, "*Changing it replaces the object.*")
	note(a.Parent && !a.RequiresReplace, "*The object is replaced with the one it names.*")
	note(a.WriteOnly, "*Write-only: the server does not return it, so it is compared by fingerprint.*")
	note(a.Sensitive, "*Sensitive.*")
	note(a.Once, "*Shown once, when it is made.*")
	note(a.PerKey, "*Each key is managed by itself; keys that are not configured stay.*")
	if a.Doc != "" {
		notes = append(notes, cell(a.Doc))
	}
	return strings.Join(notes, " ")
}

func (n *NestedBlock) kind() string {
	if n.Nesting == Single {
		return "block"
	}
	return "blocks"
}

func (n *NestedBlock) text() string {
	var notes []string
	switch {
	case n.Required && n.Nesting == Single:
		notes = append(notes, "**Required.**")
	case n.Required:
		notes = append(notes, "**At least one is required.**")
	}
	if len(n.Key) > 0 {
		notes = append(notes, "Matched by "+code(n.Key)+".")
	}
	if n.Doc != "" {
		notes = append(notes, cell(n.Doc))
	}
	return strings.Join(notes, " ")
}

// cell makes text fit a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

func firstSentence(doc string) string {
	doc = strings.Join(strings.Fields(doc), " ")
	if i := strings.Index(doc, ". "); i >= 0 {
		return doc[:i+1]
	}
	return doc
}

func code(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "`" + n + "`"
	}
	return strings.Join(quoted, ", ")
}

// typeString writes a type as a variable's type constraint would.
func typeString(t cty.Type) string {
	switch {
	case t == cty.DynamicPseudoType:
		return "any"
	case t.IsPrimitiveType():
		return t.FriendlyName()
	case t.IsListType():
		return "list(" + typeString(t.ElementType()) + ")"
	case t.IsSetType():
		return "set(" + typeString(t.ElementType()) + ")"
	case t.IsMapType():
		return "map(" + typeString(t.ElementType()) + ")"
	case t.IsObjectType():
		var parts []string
		for name, at := range t.AttributeTypes() {
			parts = append(parts, name+" = "+typeString(at))
		}
		slices.Sort(parts)
		return "object({" + strings.Join(parts, ", ") + "})"
	}
	return t.FriendlyName()
}

// valueString writes a value on one line, as in configuration.
func valueString(v cty.Value) string {
	return strings.Join(strings.Fields(string(hclwrite.TokensForValue(v).Bytes())), " ")
}
