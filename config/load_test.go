package config_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"wso2plan/config"
)

var update = flag.Bool("update", false, "write what the tests see into testdata")

// TestDiagnostics loads each archive of testdata/diagnostics and compares what is printed with its
// "want" file. "flags" holds -var and -var-file, "env" the environment, "check" asks for Check too;
// every other file is one of the configuration.
func TestDiagnostics(t *testing.T) {
	archives, err := filepath.Glob("testdata/diagnostics/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			inputs := config.Inputs{Version: "1.4.0"}
			want, check := -1, false
			for i, f := range archive.Files {
				switch f.Name {
				case "want":
					want = i
				case "check":
					check = true
				case "missing-ok":
					inputs.AllowMissing = true
				case "env":
					inputs.Env = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
				case "flags":
					for _, line := range strings.Split(strings.TrimSpace(string(f.Data)), "\n") {
						if v, ok := strings.CutPrefix(line, "-var-file="); ok {
							inputs.Flags = append(inputs.Flags, config.Flag{File: filepath.Join(dir, v)})
						} else {
							inputs.Flags = append(inputs.Flags, config.Flag{Var: strings.TrimPrefix(line, "-var=")})
						}
					}
				default:
					if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			c, diags := config.Load(dir, testTypes(), inputs)
			if check && !diags.HasErrors() {
				diags = c.Check()
			}
			got := printed(t, c, diags, dir)
			if *update {
				if want < 0 {
					archive.Files = append(archive.Files, txtar.File{Name: "want"})
					want = len(archive.Files) - 1
				}
				archive.Files[want].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want < 0 {
				t.Fatalf("%s has no want file; got:\n%s", path, got)
			}
			if diff := cmp.Diff(string(archive.Files[want].Data), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// printed returns the diagnostics as they are shown, each after its range.
func printed(t *testing.T, c *config.Config, diags hcl.Diagnostics, dir string) string {
	t.Helper()
	var b bytes.Buffer
	for _, d := range diags {
		if d.Subject != nil {
			b.WriteString("# " + d.Subject.String() + "\n")
		}
		w := hcl.NewDiagnosticTextWriter(&b, c.Sources(), 0, false)
		if err := w.WriteDiagnostic(d); err != nil {
			t.Fatal(err)
		}
	}
	out := strings.ReplaceAll(b.String(), dir+string(filepath.Separator), "")
	out = strings.ReplaceAll(out, dir, "DIR")
	return strings.TrimRight(out, "\n") + "\n"
}

// load loads one file and fails on any error.
func load(t testing.TB, src string, inputs ...config.Inputs) *config.Config {
	t.Helper()
	return loadFiles(t, map[string]string{"main.hcl": src}, inputs...)
}

func loadFiles(t testing.TB, files map[string]string, inputs ...config.Inputs) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, src := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := config.Inputs{}
	if len(inputs) > 0 {
		in = inputs[0]
	}
	c, diags := config.Load(dir, testTypes(), in)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

// TestDeepNesting loads files that would overflow the stacks of the parsers.
func TestDeepNesting(t *testing.T) {
	for _, src := range []string{
		"locals {\n  x = " + strings.Repeat("[", 1_000_000),
		"locals {\n  x = \"" + strings.Repeat("${", 1_000_000),
		"locals {\n  x = " + strings.Repeat("-", 1_000_000),
		strings.Repeat("a {\n", 1_000_000),
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		_, diags := config.Load(dir, testTypes(), config.Inputs{})
		if len(diags) != 1 || diags[0].Summary != "Nesting too deep" {
			t.Errorf("%.20q: got %v", src, diags)
		}
		if !bytes.Equal(config.Format([]byte(src)), []byte(src)) {
			t.Errorf("%.20q is formatted", src)
		}
	}
}
