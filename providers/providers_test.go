package providers

import (
	"strings"
	"testing"

	"wso2plan/config/schema"
)

// Every name is its provider's own, and every table is well formed.
func TestSchemas(t *testing.T) {
	set := Schemas()
	for name, f := range All() {
		if p := f(); p.Name() != name {
			t.Errorf("provider %q calls itself %q", name, p.Name())
		}
		if _, ok := set.Providers[name]; !ok {
			t.Errorf("no block of provider %q", name)
		}
	}
	count := 0
	for _, types := range []map[string]*schema.Type{set.Resources, set.Data} {
		for name, typ := range types {
			count++
			if _, ok := set.Providers[schema.Provider(name)]; !ok || typ.Name != name {
				t.Errorf("type %q of %q", name, typ.Name)
			}
			if strings.TrimSpace(typ.Doc) == "" {
				t.Errorf("%s has no doc", name)
			}
			if err := typ.Validate(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if count < 15 {
		t.Errorf("%d types", count)
	}
}
