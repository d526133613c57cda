package apim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
	"wso2plan/config/schema"
)

// TestDataByKey holds that every type that has a key can be read by it alone, in a data block. That
// the object is found by it is part of the contract of each type.
func TestDataByKey(t *testing.T) {
	p := New()
	known := schema.NewSet()
	known.Providers["apim"] = p.Schema()
	var main strings.Builder
	n := 0
	for _, typ := range p.Types() {
		table := typ.Schema()
		known.Add(table)
		if len(table.Key) == 0 {
			t.Errorf("%s has no key, by which it would be found", table.Name)
			continue
		}
		fmt.Fprintf(&main, "data %q \"one\" {\n", table.Name)
		for _, name := range table.Key {
			a := table.Attribute(name)
			text := `"x"`
			switch {
			case a == nil:
				t.Errorf("the key %s of %s is no attribute", name, table.Name)
			case len(a.Enum) > 0:
				text = fmt.Sprintf("%q", a.Enum[0])
			case name == "path":
				text = `"/x"`
			case a.Type == cty.Bool:
				text = "true"
			}
			fmt.Fprintf(&main, "  %s = %s\n", name, text)
		}
		main.WriteString("}\n")
		n++
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(main.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := config.Load(dir, known, config.Inputs{NoFiles: true})
	if diags.HasErrors() {
		t.Fatalf("%s\n%s", diags, main.String())
	}
	if len(cfg.Blocks) != n {
		t.Errorf("%d data blocks of %d types", len(cfg.Blocks), n)
	}
}
