package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"wso2plan/config/schema"
)

// Load reads the configuration files of dir, *.hcl and *.hcl.json, and the values of its
// variables, and checks all that needs no server. All mistakes come out together, sorted by place.
//
// A file with syntax errors, or one that cannot be read, hides what it declares, so then nothing
// else is checked.
//
// The Config is never nil: with errors it serves to print them (Sources) and for nothing else.
// Files whose names begin with a dot or are an editor's leftovers are not read.
func Load(dir string, known schema.Set, vars Inputs) (*Config, hcl.Diagnostics) {
	l := &loader{
		c: &Config{
			Dir:       dir,
			Known:     known,
			Variables: map[string]*Variable{},
			Locals:    map[string]*Local{},
			Providers: map[string]*Provider{},
			sources:   map[string]*hcl.File{},
			byAddr:    map[Address]*Block{},
			specs:     map[specKey]spec{},
		},
		in:      vars,
		faulty:  map[Address]bool{},
		outputs: map[string]*Output{},
		flagged: map[string][]hcl.Range{},
	}
	l.load()
	return l.c, Distinct(l.diags)
}

// A loader holds what Load needs and the Config does not.
type loader struct {
	c     *Config
	in    Inputs
	names []string // the files of the directory
	diags hcl.Diagnostics

	settings *hcl.Range
	refused  bool             // required_version rules this program out
	faulty   map[Address]bool // blocks that are written, but of no known type
	outputs  map[string]*Output
	flagged  map[string][]hcl.Range // by file: where a better diagnostic than the decoder's stands

	inVariables *hcl.EvalContext // of the rules of variables
	suggested   int              // how many undeclared addresses got a suggestion
}

func (l *loader) add(diags hcl.Diagnostics) { l.diags = append(l.diags, diags...) }

func (l *loader) errorf(subject *hcl.Range, summary, format string, args ...any) {
	l.diags = append(l.diags, problem(subject, summary, format, args...))
}

// flag reports a mistake inside an expression or body, and hides what the decoder says about it.
func (l *loader) flag(at hcl.Range, summary, format string, args ...any) {
	l.errorf(at.Ptr(), summary, format, args...)
	l.flagged[at.Filename] = append(l.flagged[at.Filename], at)
}

// addUnflagged adds the decoder's diagnostics, less those about places that are flagged.
func (l *loader) addUnflagged(diags hcl.Diagnostics) {
	for _, d := range diags {
		if !l.isFlagged(d.Subject) {
			l.diags = append(l.diags, d)
		}
	}
}

func (l *loader) isFlagged(at *hcl.Range) bool {
	if at == nil {
		return false
	}
	for _, r := range l.flagged[at.Filename] {
		if r.Overlaps(*at) {
			return true
		}
	}
	return false
}

func (l *loader) load() {
	bodies := l.readFiles()
	if l.diags.HasErrors() {
		return // what a broken file declares is missed everywhere else
	}
	var blocks hcl.Blocks
	for _, body := range bodies {
		l.flagForeign(body)
		content, diags := body.Content(fileSchema)
		l.addUnflagged(diags)
		blocks = append(blocks, content.Blocks...)
	}
	if l.declareSettings(blocks); l.versionRefused() {
		return
	}
	l.declare(blocks)
	l.addImplicitProviders()
	l.giveValues()
	l.resolve()
	l.findCycles()
	if !l.diags.HasErrors() {
		l.expandReferences()
	}
	l.check()
}

// readFiles parses the configuration files in the order of their names.
func (l *loader) readFiles() []hcl.Body {
	entries, err := os.ReadDir(l.c.Dir)
	if err != nil {
		l.errorf(nil, "Unreadable directory", "The directory %q cannot be read: %s.", l.c.Dir, fileError(err))
		return nil
	}
	digest := sha256.New()
	var bodies []hcl.Body
	count := 0
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") {
			continue
		}
		l.names = append(l.names, name)
		if !strings.HasSuffix(name, ".hcl") && !strings.HasSuffix(name, ".hcl.json") {
			continue
		}
		count++
		path := filepath.Join(l.c.Dir, name)
		src, err := os.ReadFile(path)
		if err != nil {
			l.errorf(nil, "Unreadable file", "The file %q cannot be read: %s.", path, fileError(err))
			continue
		}
		fmt.Fprintf(digest, "%s\x00%d\x00", name, len(src))
		digest.Write(src)
		if file := l.parse(src, path); file != nil {
			bodies = append(bodies, file.Body)
		}
	}
	if count == 0 {
		l.errorf(nil, "No configuration files", "The directory %q has no files named *.hcl or *.hcl.json. "+
			"Write one, or name another directory with -chdir.", l.c.Dir)
	}
	l.c.Digest = hex.EncodeToString(digest.Sum(nil))
	return bodies
}

// fileSchema says which blocks stand at the top of a file.
var fileSchema = &hcl.BodySchema{
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "variable", LabelNames: []string{"name"}},
		{Type: "locals"},
		{Type: "provider", LabelNames: []string{"name"}},
		{Type: "resource", LabelNames: []string{"type", "name"}},
		{Type: "data", LabelNames: []string{"type", "name"}},
		{Type: "import"},
		{Type: "output", LabelNames: []string{"name"}},
		{Type: "wso2plan"},
	},
}

// flagForeign explains blocks of Terraform's that have another name here or none.
func (l *loader) flagForeign(body hcl.Body) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return
	}
	for _, b := range native.Blocks {
		switch b.Type {
		case "terraform":
			l.flag(b.TypeRange, "Unsupported block type", "Blocks of type %q are not expected here. Settings stand in a "+
				"\"wso2plan\" block; providers are built in and need no declaration.", b.Type)
		case "module", "moved", "removed", "check":
			l.flag(b.TypeRange, "Unsupported block type", "Blocks of type %q are Terraform's, and this version of wso2plan "+
				"does not have them.", b.Type)
		}
	}
}

// declare enters every block but the settings into the Config, expressions unresolved.
func (l *loader) declare(blocks hcl.Blocks) {
	for _, b := range blocks {
		switch b.Type {
		case "variable":
			l.declareVariable(b)
		case "locals":
			l.declareLocals(b)
		case "provider":
			l.declareProvider(b)
		case "resource":
			l.declareBlock(b, Managed)
		case "data":
			l.declareBlock(b, Data)
		case "import":
			l.declareImport(b)
		case "output":
			l.declareOutput(b)
		}
	}
	slices.SortFunc(l.c.Blocks, func(a, b *Block) int { return a.Address.Compare(b.Address) })
	for _, name := range keys(l.outputs) {
		l.c.Outputs = append(l.c.Outputs, l.outputs[name])
	}
}

// validName reports whether label i of b can be used in a reference, and says so if not.
func (l *loader) validName(b *hcl.Block, i int) bool {
	if hclsyntax.ValidIdentifier(b.Labels[i]) {
		return true
	}
	l.errorf(b.LabelRanges[i].Ptr(), "Invalid name", "%q is not a name. A name starts with a letter or underscore and "+
		"holds only letters, digits, underscores and dashes.", b.Labels[i])
	return false
}

// twice reports a second declaration of what is declared at first.
func (l *loader) twice(at hcl.Range, what, name string, first hcl.Range) {
	l.errorf(at.Ptr(), "Duplicate "+what, "%s is already declared at %s:%d. Names are unique: rename one of the "+
		"two, or remove it.", name, first.Filename, first.Start.Line)
}
