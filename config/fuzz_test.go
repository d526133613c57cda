package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"wso2plan/config"
)

// sources returns the configuration files of testdata, as seeds.
func sources() []string {
	var out []string
	archives, _ := filepath.Glob("testdata/diagnostics/*.txtar")
	for _, path := range archives {
		if archive, err := txtar.ParseFile(path); err == nil {
			for _, f := range archive.Files {
				if strings.HasSuffix(f.Name, ".hcl") || strings.HasSuffix(f.Name, ".json") {
					out = append(out, string(f.Data))
				}
			}
		}
	}
	return out
}

// FuzzLoad loads arbitrary bytes in both syntaxes. Nothing may panic, every diagnostic must be
// printable, and what loads must evaluate.
func FuzzLoad(f *testing.F) {
	for _, s := range sources() {
		f.Add([]byte(s), strings.HasPrefix(s, "{"))
	}
	types := testTypes()
	f.Fuzz(func(t *testing.T, src []byte, isJSON bool) {
		dir := t.TempDir()
		name := "main.hcl"
		if isJSON {
			name += ".json"
		}
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
			t.Fatal(err)
		}
		c, diags := config.Load(dir, types, config.Inputs{AllowMissing: true})
		printed(t, c, diags, dir)
		for _, d := range diags {
			if d.Summary == "" || strings.HasSuffix(d.Summary, ".") {
				t.Errorf("the summary %q is no noun phrase", d.Summary)
			}
		}
		if !diags.HasErrors() {
			diags = c.Check()
			printed(t, c, diags, dir)
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{`is_user.ann`, `data.is_user.ann["x"]`, `module.a[0].is_user.ann[12]`, `a.b["$${x}"]`, `a.b[1e3]`, `.`, `a["`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := config.ParseAddress(s)
		if err != nil {
			return
		}
		again, err := config.ParseAddress(a.String())
		if err != nil || again != a {
			t.Errorf("%q is %s, which is read as %s (%v)", s, a, again, err)
		}
		a.KeyValue()
	})
}
