package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wso2plan/providers"
)

// TestDocs holds that the reference says what the tables say, and that every provider has a title.
func TestDocs(t *testing.T) {
	root := filepath.Join("..", "..")
	for name := range providers.All() {
		if titles[name][0] == "" {
			t.Errorf("provider %q has no title", name)
		}
		want, err := reference(root, name)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(root, "providers", name, "README.md")
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is out of date, run \"make docs\" (-want +got):\n%s", file, diff)
		}
	}
}
