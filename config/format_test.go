package config_test

import (
	"bytes"
	"testing"

	"wso2plan/config"
)

func TestFormat(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"alignment", "resource \"a\" \"b\" {\nname=\"x\"\n  longer   =1 # why\n}\n",
			"resource \"a\" \"b\" {\n  name   = \"x\"\n  longer = 1 # why\n}\n"},
		{"nested", "a {\nb {\nc=[1,2]\n}\n}\n", "a {\n  b {\n    c = [1, 2]\n  }\n}\n"},
		{"values", "region=\"eu\"\nsize  = 3\n", "region = \"eu\"\nsize   = 3\n"},
		{"broken", "a {\n b = \n", "a {\n b = \n"},
		{"empty", "", ""},
	}
	for _, test := range tests {
		if got := string(config.Format([]byte(test.src))); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
	if diags := config.Syntax([]byte("a {\n"), "x.hcl"); !diags.HasErrors() || diags[0].Subject.Filename != "x.hcl" {
		t.Errorf("got %v", diags)
	}
}

func FuzzFormat(f *testing.F) {
	for _, s := range sources() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		once := config.Format(src)
		if twice := config.Format(once); !bytes.Equal(once, twice) {
			t.Errorf("formatting twice changes\n%q\ninto\n%q", once, twice)
		}
		if !config.Syntax(src, "").HasErrors() && config.Syntax(once, "").HasErrors() {
			t.Errorf("formatting breaks\n%q\ninto\n%q", src, once)
		}
	})
}
