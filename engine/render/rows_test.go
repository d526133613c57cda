package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// rowsOf renders a change of one attribute.
func rowsOf(before, after cty.Value, o Options) string {
	d := &differ{verbose: o.Verbose}
	d.unit(before, after)
	t := newPage(nil, o)
	t.rows(d.entry("x", opOf(before, after), before, after, nil, false, ""), 1, frame{depth: 0, in: Block, base: 4})
	return string(t.b)
}

func TestValues(t *testing.T) {
	object := func(a, b int64) cty.Value {
		return cty.ObjectVal(attrs{"a": cty.NumberIntVal(a), "b": cty.NumberIntVal(b)})
	}
	for name, test := range map[string]struct {
		before, after cty.Value
		want          string
	}{
		"scalar":                 {str("a"), str("b"), `  ~ x = "a" -> "b"`},
		"number":                 {cty.NumberIntVal(1), cty.NumberFloatVal(0.5), `  ~ x = 1 -> 0.5`},
		"set to":                 {cty.NilVal, cty.True, `  + x = true`},
		"removed":                {cty.True, cty.NilVal, `  - x = true -> null`},
		"becomes unknown":        {str("a"), unknown(cty.String), `  ~ x = "a" -> (known after apply)`},
		"unknown from the first": {cty.NilVal, unknown(cty.List(cty.String)), `  + x = (known after apply)`},
		"marked before":          {secret("a"), str("b"), `  ~ x = (sensitive value)`},
		"marked after":           {str("a"), secret("b"), `  ~ x = (sensitive value)`},
		"empty list":             {cty.NilVal, cty.ListValEmpty(cty.String), `  + x = []`},
		"empty map":              {cty.NilVal, cty.MapValEmpty(cty.String), `  + x = {}`},
		"emptied": {cty.ListVal(strs("a")), cty.ListValEmpty(cty.String), `
  ~ x = [
      - "a",
    ]`},
		"list becomes unknown": {cty.ListVal(strs("a")), unknown(cty.List(cty.String)), `
  ~ x = [
      - "a",
    ] -> (known after apply)`},
		"list": {cty.ListVal(strs("a", "b", "c", "d", "e", "f")), cty.ListVal(strs("a", "b", "c", "x", "d", "e", "f")), `
  ~ x = [
        # (2 unchanged elements hidden)
        "c",
      + "x",
        "d",
        # (2 unchanged elements hidden)
    ]`},
		"tuple": {cty.TupleVal(strs("a", "b")), cty.TupleVal(strs("a", "c")), `
  ~ x = [
        "a",
      ~ "b" -> "c",
    ]`},
		"unknown element": {cty.ListVal(strs("a", "b")), cty.ListVal([]cty.Value{str("a"), unknown(cty.String)}), `
  ~ x = [
        "a",
      - "b",
      + (known after apply),
    ]`},
		"list of objects": {cty.ListVal([]cty.Value{object(1, 1), object(2, 2)}), cty.ListVal([]cty.Value{object(1, 3), object(2, 2)}), `
  ~ x = [
      ~ {
          ~ b = 1 -> 3
            # (1 unchanged attribute hidden)
        },
        {
            a = 2
            b = 2
        },
    ]`},
		"set of objects": {cty.SetVal([]cty.Value{object(1, 1)}), cty.SetVal([]cty.Value{object(1, 2)}), `
  ~ x = [
      - {
          - a = 1
          - b = 1
        },
      + {
          + a = 1
          + b = 2
        },
    ]`},
		"map": {cty.MapVal(attrs{"a b": str("1"), "c": str("2"), "d": str("3")}), cty.MapVal(attrs{"a b": str("9"), "c": str("2"), "e": str("4")}), `
  ~ x = {
      ~ "a b" = "1" -> "9"
      - d     = "3" -> null
      + e     = "4"
        # (1 unchanged element hidden)
    }`},
		"another kind": {str("a"), cty.TupleVal(strs("a")), `
  - x = "a" -> null
  + x = [
      + "a",
    ]`},
		"null in an object": {cty.ObjectVal(attrs{"a": cty.NullVal(cty.String)}), cty.ObjectVal(attrs{"a": str("b")}), `
  ~ x = {
      ~ a = null -> "b"
    }`},
		"lines": {str("a\nb\n"), str("a\nc\nd\n"), `
  ~ x = <<-EOT
        a
      - b
      + c
      + d
    EOT`},
		"last line break": {str("a\nb"), str("a\nb\n"), `
  ~ x = <<-EOT # (only the last line break differs)
        # (2 unchanged lines hidden)
    EOT`},
		"JSON": {str(`{"a":[1,2],"b":"x"}`), str(`{"a":[1,3],"b":"x"}`), `
  ~ x = jsonencode(
      ~ {
          ~ a = [
                1,
              ~ 2 -> 3,
            ]
            # (1 unchanged attribute hidden)
        }
    )`},
		"JSON spaces": {str(`{"a":1}`), str(`{ "a": 1 }`), `
  ~ x = jsonencode( # (only its formatting changes)
        {
            a = 1
        }
    )`},
		"new JSON": {cty.NilVal, str(`[]`), `
  + x = jsonencode(
        []
    )`},
		"not JSON": {str(`{a`), str(`{"a":1}`), `  ~ x = "{a" -> "{\"a\":1}"`},
		"secret moved in a list": {cty.ListVal(strs("hidden", "a")), cty.ListVal([]cty.Value{str("a"), secret("hidden")}), `
  ~ x = [
      - (sensitive value),
        "a",
      + (sensitive value),
    ]`},
		"secret under another key": {cty.MapVal(attrs{"a": str("hidden")}), cty.MapVal(attrs{"b": secret("hidden")}), `
  ~ x = {
      - a = (sensitive value) -> null
      + b = (sensitive value)
    }`},
	} {
		if got := rowsOf(test.before, test.after, Options{}); got != strings.TrimPrefix(test.want, "\n")+"\n" {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, strings.TrimPrefix(test.want, "\n"))
		}
	}
}

func TestLongTextsShowTheirSurroundings(t *testing.T) {
	lines := make([]string, 40)
	for i := range lines {
		lines[i] = fmt.Sprint("line ", i)
	}
	before := strings.Join(lines, "\n")
	after := strings.Replace(before, "line 20", "another", 1)
	got := rowsOf(str(before), str(after), Options{})
	if !strings.Contains(got, "# (17 unchanged lines hidden)\n        line 17\n") || !strings.Contains(got, "line 23\n        # (16 unchanged lines hidden)\n") {
		t.Error(got)
	}
	if got := rowsOf(str(before), str(after), Options{Verbose: true}); strings.Contains(got, "hidden") || !strings.Contains(got, "line 0\n") {
		t.Error(got)
	}
}

// Every element of both sequences is in the alignment once and in order; what is matched is equal.
func TestAlign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seq := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 12)
		a, b := seq.Draw(t, "a"), seq.Draw(t, "b")
		for _, pairs := range [][][2]int{
			align(len(a), len(b), func(i, j int) bool { return a[i] == b[j] }),
			joinGaps(align(len(a), len(b), func(i, j int) bool { return a[i] == b[j] })),
		} {
			i, j := 0, 0
			for _, p := range pairs {
				if p[0] >= 0 {
					if p[0] != i {
						t.Fatal("out of order", pairs)
					}
					i++
				}
				if p[1] >= 0 {
					if p[1] != j {
						t.Fatal("out of order", pairs)
					}
					j++
				}
			}
			if i != len(a) || j != len(b) {
				t.Fatal("elements are missing", pairs)
			}
		}
		for _, p := range align(len(a), len(b), func(i, j int) bool { return a[i] == b[j] }) {
			if p[0] >= 0 && p[1] >= 0 && a[p[0]] != b[p[1]] {
				t.Fatal("unequal elements are matched", p)
			}
		}
	})
}

func TestAlignGivesUpOnWhatCostsTooMuch(t *testing.T) {
	n := 3000
	pairs := align(n, n, func(i, j int) bool { return i == j && i < 10 })
	if len(pairs) != 10+2*(n-10) {
		t.Errorf("got %d pairs", len(pairs))
	}
}

func TestFolding(t *testing.T) {
	plan := func(n int) *engine.Plan {
		p := &engine.Plan{}
		for i := range n {
			p.Changes = append(p.Changes, engine.Change{Address: address(fmt.Sprintf("is_user.x[%d]", i)), Type: userType, Action: engine.Create,
				Before: cty.NullVal(userType.ImpliedType()), After: user(attrs{"user_name": str("x")})})
		}
		return p
	}
	for _, test := range []struct {
		n, shown int
		verbose  bool
	}{{12, 12, false}, {13, 3, false}, {13, 13, true}, {1000, 3, false}} {
		v := View(plan(test.n), ViewOptions{Verbose: test.verbose})
		shown, folded := 0, 0
		for _, c := range v.Changes {
			if c.Fold != nil {
				folded += c.Fold.Count
			} else {
				shown++
			}
		}
		if shown != test.shown || shown+folded != test.n {
			t.Errorf("%+v: %d shown, %d folded", test, shown, folded)
		}
	}
}

func TestFoldedNotes(t *testing.T) {
	p := &engine.Plan{}
	for i := range 40 {
		v := user(attrs{"user_name": str("x")})
		p.Changes = append(p.Changes, engine.Change{Address: address(fmt.Sprintf("is_user.x[%d]", i)), Type: userType, Before: v, After: v,
			Paths: []engine.PathChange{{Path: path("password"), Kind: engine.Uncompared, Before: cty.NullVal(cty.String), After: secret("s3cr3t")}}})
	}
	var b bytes.Buffer
	if err := Text(&b, p, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "  is_user.x (40 instances): password\n") {
		t.Error(b.String())
	}
}

// An object whose provider is gone is shown by its value.
func TestWithoutType(t *testing.T) {
	p := &engine.Plan{Changes: []engine.Change{{Address: address("is_user.x"), Action: engine.Delete, ID: "1",
		Before: cty.ObjectVal(attrs{"name": str("x"), "list": cty.ListVal(strs("a"))}), After: null},
		{Address: address("is_user.y"), Action: engine.Delete, ID: "2"}}}
	var b bytes.Buffer
	if err := Text(&b, p, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "- name = \"x\" -> null") || !strings.Contains(b.String(), "is_user.y will be destroyed") {
		t.Error(b.String())
	}
	if err := JSON(io.Discard, p); err != nil {
		t.Fatal(err)
	}
}

func TestMarkedBlocks(t *testing.T) {
	km := attrs{"name": str("x")}
	mapping := cty.ListVal([]cty.Value{cty.ObjectVal(attrs{"remote": str("a"), "local": str("s3cr3t")})})
	p := &engine.Plan{Changes: []engine.Change{{Address: address("apim_key_manager.x"), Type: keyManagerType, Action: engine.Update,
		Before: keyManager(with(km, attrs{"claim_mapping": mapping})),
		After:  cty.ObjectVal(with(keyManager(km).AsValueMap(), attrs{"claim_mapping": mapping.Mark(schema.Sensitive), "token_endpoint": str("y")}))}}}
	text := every(t, p)
	// State writes what is live, where the block is not marked.
	if n := strings.Count(text, "s3cr3t"); n != 2 {
		t.Errorf("%d", n)
	}
	if !strings.Contains(text, "this block is sensitive, so it is not shown") && !strings.Contains(text, "# (1 unchanged block hidden)") {
		t.Error(text)
	}
}

func largePlan(blocks, instances int) *engine.Plan {
	p := &engine.Plan{}
	for b := range blocks {
		for i := range instances {
			name := fmt.Sprintf("user-%d-%d", b, i)
			live := attrs{"id": str(name), "user_name": str(name), "given_name": str("Given"), "email": str(name + "@old.example.com"), "active": cty.True,
				"roles": cty.SetVal(strs("admin", "publisher", "creator")), "claims": cty.MapVal(attrs{"country": str("NL"), "dept": str("sales")})}
			wanted := with(live, attrs{"email": str(name + "@example.com"), "roles": cty.SetVal(strs("admin", "creator"))})
			p.Changes = append(p.Changes, engine.Change{Address: address(fmt.Sprintf("is_user.b%05d[%d]", b, i)), Type: userType, Action: engine.Update, ID: name,
				Before: user(live), After: user(wanted),
				Paths: []engine.PathChange{{Path: path("email"), Before: live["email"], After: wanted["email"]},
					{Path: path("roles"), Kind: engine.Drift, Before: live["roles"], After: wanted["roles"]}}})
		}
	}
	return p
}

func BenchmarkText10000(b *testing.B) {
	p := largePlan(10000, 1)
	for b.Loop() {
		Text(io.Discard, p, Options{Color: true})
	}
}

func BenchmarkText10000Folded(b *testing.B) {
	p := largePlan(1, 10000)
	for b.Loop() {
		Text(io.Discard, p, Options{Color: true})
	}
}

func BenchmarkJSON10000(b *testing.B) {
	p := largePlan(10000, 1)
	for b.Loop() {
		JSON(io.Discard, p)
	}
}
