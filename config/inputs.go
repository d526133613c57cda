package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// EnvPrefix begins the names of environment variables that give values: WSO2PLAN_VAR_region.
const EnvPrefix = "WSO2PLAN_VAR_"

// Inputs is what a run gives to a configuration. Where several places give one variable a value,
// the last of these wins: Env, wso2plan.hclvars, *.auto.hclvars in the order of their names, Flags
// in their order.
type Inputs struct {
	// Version is this program's, checked against required_version. Empty, or not of the form
	// 1.2.3, it satisfies every constraint.
	Version string

	Flags []Flag
	Env   []string // as os.Environ returns it

	// NoFiles leaves wso2plan.hclvars and *.auto.hclvars unread.
	NoFiles bool

	// AllowMissing makes variables without any value unknown, where they are an error else. For
	// commands that check and change nothing.
	AllowMissing bool
}

// A Flag is one -var=NAME=VALUE or -var-file=FILE of the command line.
type Flag struct {
	Var  string // NAME=VALUE; empty for a -var-file
	File string // a path, from the working directory of the process
}

// A given is a value that one place gives to a variable.
type given struct {
	raw   string    // as typed, of the environment and of -var
	isRaw bool      // whether raw counts
	wrong bool      // reported already; the value is unknown
	value cty.Value // of a file
	rng   hcl.Range
	from  string // how messages call the place: `the environment variable "X"`
}

// gather collects the values that inputs give, by variable name, in order of precedence.
func (l *loader) gather() map[string]given {
	values := map[string]given{}
	for _, env := range l.in.Env {
		name, raw, ok := strings.Cut(env, "=")
		if name, isVar := strings.CutPrefix(name, EnvPrefix); ok && isVar && l.c.Variables[name] != nil {
			values[name] = given{raw: raw, isRaw: true, from: "the environment variable " + EnvPrefix + name}
		}
	}
	if !l.in.NoFiles {
		for _, path := range l.valueFiles() {
			l.readValues(path, values)
		}
	}
	for _, flag := range l.in.Flags {
		if flag.Var == "" {
			l.readValues(flag.File, values)
			continue
		}
		name, raw, ok := strings.Cut(flag.Var, "=")
		name = strings.TrimSpace(name)
		switch {
		case !ok || name == "":
			l.errorf(nil, "Invalid -var option", "%q is not a value for a variable. Write a name and a value "+
				"with an equals sign between them, as in -var 'region=eu'.", flag.Var)
		case l.c.Variables[name] == nil:
			l.errorf(nil, "Value for undeclared variable", "A variable named %q was given a value with -var, and the "+
				"configuration declares none of that name.%s Declare it with a variable %q block, or leave the "+
				"option out.", name, didYouMean(name, keys(l.c.Variables)), name)
		default:
			values[name] = given{raw: raw, isRaw: true, from: "-var"}
		}
	}
	return values
}

// valueFiles returns the files of values that are read without being named, in order.
func (l *loader) valueFiles() []string {
	var fixed, auto []string
	for _, name := range l.names {
		switch {
		case name == "wso2plan.hclvars":
			fixed = slices.Insert(fixed, 0, name)
		case name == "wso2plan.hclvars.json":
			fixed = append(fixed, name)
		case strings.HasSuffix(name, ".auto.hclvars"), strings.HasSuffix(name, ".auto.hclvars.json"):
			auto = append(auto, name)
		}
	}
	sort.Strings(auto)
	paths := append(fixed, auto...)
	for i, name := range paths {
		paths[i] = filepath.Join(l.c.Dir, name)
	}
	return paths
}

// readValues adds the values of one file.
func (l *loader) readValues(path string, values map[string]given) {
	src, err := os.ReadFile(path)
	if err != nil {
		l.errorf(nil, "Unreadable values file", "The file of values %q cannot be read: %s.", path, fileError(err))
		return
	}
	file := l.parse(src, path)
	if file == nil {
		return
	}
	attrs, diags := file.Body.JustAttributes()
	l.add(diags)
	for _, name := range keys(attrs) {
		attr := attrs[name]
		v, diags := attr.Expr.Value(nil)
		l.add(diags)
		if diags.HasErrors() {
			values[name] = given{wrong: true}
			continue
		}
		if l.c.Variables[name] == nil {
			l.diags = append(l.diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning,
				Summary:  "Value for undeclared variable",
				Detail: fmt.Sprintf("The configuration declares no variable named %q.%s The value is not used.",
					name, didYouMean(name, keys(l.c.Variables))),
				Subject: attr.NameRange.Ptr(),
			})
			continue
		}
		values[name] = given{value: v, rng: attr.Expr.Range(), from: fmt.Sprintf("the file %q", path)}
	}
}

// parse parses one file by its name and keeps it for diagnostics. Nil when it has no body.
func (l *loader) parse(src []byte, path string) *hcl.File {
	var file *hcl.File
	var diags hcl.Diagnostics
	parser := hclparse.NewParser()
	if tooDeep(src) {
		l.errorf(nil, "Nesting too deep", "The file %q has more than %d brackets inside each other.", path, maxDepth)
		return nil
	}
	if strings.HasSuffix(path, ".json") {
		file, diags = parser.ParseJSON(src, path)
	} else {
		file, diags = parser.ParseHCL(src, path)
	}
	l.add(diags)
	if file == nil {
		file = &hcl.File{Bytes: src}
	}
	l.c.sources[path] = file
	if file.Body == nil {
		return nil
	}
	return file
}

// maxDepth bounds how deep brackets and operators may nest, since the parsers recurse and a
// goroutine's stack is bounded.
const maxDepth = 10_000

// tooDeep reports whether src, strings and comments counted too, nests deeper than maxDepth.
func tooDeep(src []byte) bool {
	depth, unary := 0, 0
	for _, c := range src {
		switch c {
		case '[', '(', '{':
			depth, unary = depth+1, 0
		case ']', ')', '}':
			depth, unary = max(0, depth-1), 0
		case '!', '-':
			unary++
		case ' ', '\t':
		default:
			unary = 0
		}
		if depth > maxDepth || unary > maxDepth {
			return true
		}
	}
	return false
}

// parseRaw reads a value as it was typed. Strings, numbers and bools are taken literally, and so is
// what a variable without a type constraint gets; everything else is an expression.
func (l *loader) parseRaw(v *Variable, g given) (cty.Value, hcl.Range, hcl.Diagnostics) {
	name := fmt.Sprintf("<value of var.%s>", v.Name)
	rng := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if v.literal {
		return cty.StringVal(g.raw), rng, nil
	}
	if !v.Sensitive {
		l.c.sources[name] = &hcl.File{Bytes: []byte(g.raw)}
	}
	var expr hcl.Expression
	var diags hcl.Diagnostics
	if tooDeep([]byte(g.raw)) {
		diags = hcl.Diagnostics{problem(v.Range.Ptr(), "Nesting too deep", "The value that %s gives to the variable %q has "+
			"more than %d brackets inside each other.", g.from, v.Name, maxDepth)}
	} else {
		expr, diags = hclsyntax.ParseExpression([]byte(g.raw), name, hcl.InitialPos)
	}
	if diags.HasErrors() {
		if v.Sensitive {
			return cty.NilVal, rng, hcl.Diagnostics{{
				Severity: hcl.DiagError,
				Summary:  "Invalid value for input variable",
				Detail: fmt.Sprintf("The value that %s gives to the sensitive variable %q is not an expression. "+
					"It is not shown here.", g.from, v.Name),
				Subject: v.Range.Ptr(),
			}}
		}
		return cty.NilVal, rng, diags
	}
	value, diags := expr.Value(nil)
	return value, expr.Range(), diags
}
