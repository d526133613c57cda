package config_test

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"wso2plan/config"
)

func TestParseAddress(t *testing.T) {
	good := []string{
		`is_user.ann`, `is_user.ann["eu"]`, `is_user.ann[0]`, `data.is_user.ann`, `module.eu.is_user.ann`,
		`module.eu.module.x.data.is_user.ann["a.b[0]"]`, `module.eu["x"].is_user.ann`, `is_user.ann["a\"b\\c\n$${x}"]`,
	}
	for _, s := range good {
		a, err := config.ParseAddress(s)
		if err != nil {
			t.Errorf("%s: %s", s, err)
			continue
		}
		if a.String() != s {
			t.Errorf("%s comes back as %s", s, a)
		}
	}
	bad := map[string]string{
		``: "write it as TYPE.NAME", `is_user`: "needs a type and a name", `is_user.`: "write it as",
		`is_user.ann.name`: "needs a type and a name", `is_user["a"].x`: "an instance key stands at its end",
		`is_user.ann[*]`: "write it as", `data.is_user`: "needs a type and a name", `is user.ann`: "write it as",
	}
	for s, want := range bad {
		if _, err := config.ParseAddress(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want one with %q", s, err, want)
		}
	}
}

func TestAddressKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := cty.StringVal(rapid.String().Draw(t, "key")) // NFC
		a := config.Address{Type: "is_user", Name: "ann"}.Instance(key)
		if v := a.KeyValue(); v == cty.NilVal || !v.RawEquals(key) {
			t.Fatalf("key %#v of %s comes back as %#v", key, a, v)
		}
		b, err := config.ParseAddress(a.String())
		if err != nil || b != a {
			t.Fatalf("%s comes back as %s (%v)", a, b, err)
		}
	})
	a := config.Address{Type: "is_user", Name: "ann"}.Instance(cty.NumberIntVal(12))
	if a.String() != "is_user.ann[12]" || !a.KeyValue().RawEquals(cty.NumberIntVal(12)) {
		t.Errorf("%s has key %#v", a, a.KeyValue())
	}
	if v := a.Block().KeyValue(); v != cty.NilVal {
		t.Errorf("a block has the key %#v", v)
	}
}

func TestAddressOrder(t *testing.T) {
	inOrder := []string{
		`is_group.z`, `is_user.a`, `is_user.a["x"]`, `is_user.b[2]`, `is_user.b[10]`, `data.is_group.a`, `module.m.is_group.a`,
	}
	for i := 1; i < len(inOrder); i++ {
		a, _ := config.ParseAddress(inOrder[i-1])
		b, _ := config.ParseAddress(inOrder[i])
		if a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 {
			t.Errorf("%s must come before %s", a, b)
		}
	}
}
