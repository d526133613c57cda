package main

import (
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOnlySandboxImportsSandbox holds that no code but the sandbox command reaches the sandbox, so
// that no branch anywhere can ask whether it talks to one.
func TestOnlySandboxImportsSandbox(t *testing.T) {
	const sandbox = "wso2plan/providers/sandbox"
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "wso2plan/...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	found := false
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		if strings.HasPrefix(fields[0], sandbox) {
			continue
		}
		for _, imported := range fields[1:] {
			if !strings.HasPrefix(imported, sandbox) {
				continue
			}
			if fields[0] != "wso2plan/cmd/wso2plan" {
				t.Errorf("%s imports %s", fields[0], imported)
			}
			found = true
		}
	}
	if !found {
		t.Error("nothing imports the sandbox: the test looks for the wrong path")
	}

	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if name == "sandbox.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if strings.HasPrefix(strings.Trim(i.Path.Value, `"`), sandbox) {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}
