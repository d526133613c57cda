package lang

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// locate returns where a path of an expression lies: `~` is the home folder, and what is not
// absolute is taken from baseDir.
func locate(baseDir, path string) (string, error) {
	if path == "~" || strings.HasPrefix(path, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(home, path[1:])
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(baseDir, path)
	}
	return filepath.Clean(path), nil
}

func read(baseDir, path string) ([]byte, error) {
	at, err := locate(baseDir, path)
	if err != nil {
		return nil, err
	}
	src, err := os.ReadFile(at)
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("no file exists at %q", at)
	case err != nil:
		return nil, err
	}
	return src, nil
}

func absPathFunc(baseDir string) function.Function {
	return stringFunc("path", func(path string) (string, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(baseDir, path)
		}
		abs, err := filepath.Abs(path)
		return filepath.ToSlash(abs), err
	})
}

// fileHashFunc returns filesha256 and its siblings.
func fileHashFunc(baseDir string, hash func([]byte) string) function.Function {
	return stringFunc("path", func(path string) (string, error) {
		src, err := read(baseDir, path)
		if err != nil {
			return "", err
		}
		return hash(src), nil
	})
}

// fileSetFunc returns fileset: the regular files under a folder whose paths, relative to it, match
// a pattern with `*`, `**`, `?`, `[…]` and `{…}`.
func fileSetFunc(baseDir string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			dir, err := locate(baseDir, args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			pattern := filepath.ToSlash(filepath.Clean(args[1].AsString()))
			if strings.HasPrefix(pattern, "../") || filepath.IsAbs(pattern) {
				return cty.NilVal, function.NewArgErrorf(1, "the pattern must stay below the folder %q", dir)
			}
			if !doublestar.ValidatePattern(pattern) {
				return cty.NilVal, function.NewArgErrorf(1, "%q is not a pattern", pattern)
			}
			var found []cty.Value
			err = doublestar.GlobWalk(os.DirFS(dir), pattern, func(path string, d fs.DirEntry) error {
				info, err := os.Stat(filepath.Join(dir, path))
				if err == nil && info.Mode().IsRegular() {
					found = append(found, cty.StringVal(path))
				}
				return err
			})
			if err != nil {
				return cty.NilVal, err
			}
			if len(found) == 0 {
				return cty.SetValEmpty(cty.String), nil
			}
			return cty.SetVal(found), nil
		},
	})
}

func templateFileFunc(baseDir string, functions map[string]function.Function) function.Function {
	load := func(path cty.Value) (hcl.Expression, error) {
		name := path.AsString()
		src, err := read(baseDir, name)
		if err != nil {
			return nil, function.NewArgError(0, err)
		}
		if !utf8.Valid(src) {
			return nil, function.NewArgErrorf(0, "the contents of %q are not UTF-8", name)
		}
		return parseTemplate(string(src), name)
	}
	return templateFunc("path", functions, load)
}

func templateStringFunc(functions map[string]function.Function) function.Function {
	return templateFunc("template", functions, func(template cty.Value) (hcl.Expression, error) {
		return parseTemplate(template.AsString(), "template")
	})
}

func parseTemplate(src, name string) (hcl.Expression, error) {
	expr, diags := hclsyntax.ParseTemplate([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, function.NewArgError(0, diags)
	}
	return expr, nil
}

// templateFunc returns a function that renders the template that load finds, with the attributes
// of its second argument as variables.
func templateFunc(first string, functions map[string]function.Function, load func(cty.Value) (hcl.Expression, error)) function.Function {
	render := func(args []cty.Value) (cty.Value, error) {
		if t := args[1].Type(); !t.IsMapType() && !t.IsObjectType() {
			return cty.DynamicVal, function.NewArgErrorf(1, "the template's variables must be a map or an object")
		}
		expr, err := load(args[0])
		if err != nil {
			return cty.DynamicVal, err
		}
		ctx := &hcl.EvalContext{Variables: args[1].AsValueMap(), Functions: functions}
		if ctx.Variables == nil {
			ctx.Variables = map[string]cty.Value{}
		}
		for name := range ctx.Variables {
			if !hclsyntax.ValidIdentifier(name) {
				return cty.DynamicVal, function.NewArgErrorf(1, "%q is not a name that a template can use", name)
			}
		}
		for _, t := range expr.Variables() {
			if _, ok := ctx.Variables[t.RootName()]; !ok {
				return cty.DynamicVal, function.NewArgErrorf(1, "the template uses %q, at %s, which the variables do not hold",
					t.RootName(), t.SourceRange())
			}
		}
		v, diags := expr.Value(ctx)
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		return v, nil
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: first, Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType},
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			// A template that is one ${…} alone has that value's type.
			v, err := render(args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return render(args) },
	})
}
