package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wso2plan/config"
)

func TestPrecedence(t *testing.T) {
	files := map[string]string{
		"main.hcl": `
variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { default = "default" }
variable "d" { default = "default" }
variable "e" { default = "default" }
variable "f" { default = "default" }
variable "g" { default = "default" }
`,
		"wso2plan.hclvars":       `b = "file", c = "file", d = "file"`,
		"wso2plan.hclvars.json":  `{"c": "json file"}`,
		"a.auto.hclvars":         `d = "a.auto"`,
		"b.auto.hclvars.json":    `{"d": "b.auto", "e": "b.auto"}`,
		"c.auto.hclvars":         "e = \"c.auto\"\nf = \"c.auto\"",
		"named.hclvars":          "f = \"named\"\ng = \"named\"",
		".hidden.auto.hclvars":   `a = "hidden"`,
		"not.hclvars":            `a = "not asked for"`,
		"ignored.auto.hclvars.x": `a = "ignored"`,
	}
	files["wso2plan.hclvars"] = strings.ReplaceAll(files["wso2plan.hclvars"], ", ", "\n")
	env := []string{"PATH=/bin", "WSO2PLAN_VAR_a=env", "WSO2PLAN_VAR_b=env", "WSO2PLAN_VAR_other=env", "NONSENSE"}
	tests := []struct {
		name  string
		in    config.Inputs
		flags []string
		want  map[string]string
	}{
		{"defaults", config.Inputs{NoFiles: true}, nil, map[string]string{
			"a": "default", "b": "default", "c": "default", "d": "default", "e": "default", "f": "default", "g": "default",
		}},
		{"environment, files", config.Inputs{Env: env}, nil, map[string]string{
			"a": "env", "b": "file", "c": "json file", "d": "b.auto", "e": "c.auto", "f": "c.auto", "g": "default",
		}},
		{"flags in order", config.Inputs{Env: env}, []string{"f=flag", "file", "g=flag"}, map[string]string{
			"a": "env", "b": "file", "c": "json file", "d": "b.auto", "e": "c.auto", "f": "named", "g": "flag",
		}},
		{"the last flag wins", config.Inputs{}, []string{"file", "f=one", "f=two=2"}, map[string]string{
			"a": "default", "b": "file", "c": "json file", "d": "b.auto", "e": "c.auto", "f": "two=2", "g": "named",
		}},
	}
	dir := t.TempDir()
	for name, src := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, f := range test.flags {
				if f == "file" {
					test.in.Flags = append(test.in.Flags, config.Flag{File: filepath.Join(dir, "named.hclvars")})
				} else {
					test.in.Flags = append(test.in.Flags, config.Flag{Var: f})
				}
			}
			c, diags := config.Load(dir, testTypes(), test.in)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			for name, want := range test.want {
				if got := c.Variables[name].Value.AsString(); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestTypedValues(t *testing.T) {
	tests := []struct{ decl, raw, want string }{
		{`type = string`, `["a"]`, `"[\"a\"]"`},
		{``, `["a"]`, `"[\"a\"]"`},
		{`type = number`, `3`, `3`},
		{`type = bool`, `true`, `true`},
		{`type = any`, `[1, "a"]`, `[1 "a"]`},
		{`type = list(string)`, `["a", 2]`, `["a" "2"]`},
		{`type = map(number)`, `{ a = 1 }`, `{a=1}`},
		{`type = object({ a = string, b = optional(number, 7), c = optional(string) })`, `{ a = "x" }`, `{a="x" b=7}`},
		{"type = list(object({ n = string, on = optional(bool, true) }))", `[{ n = "x" }, { n = "y", on = false }]`,
			`[{n="x" on=true} {n="y" on=false}]`},
		{"type = string\nsensitive = true", `x`, `(sensitive "x")`},
		{"type = string\nnullable = true", ``, `""`},
		{"type = list(string)\ndefault = []", `null`, `null`},
		{"type = list(string)\nnullable = false\ndefault = [\"d\"]", `null`, `["d"]`},
		{"type = tuple([string, number])", `["a", "2"]`, `["a" 2]`},
		{"type = set(string)", `["b", "a", "b"]`, `["a" "b"]`},
	}
	for _, test := range tests {
		t.Run(test.decl, func(t *testing.T) {
			c := load(t, "variable \"x\" {\n"+test.decl+"\n}", config.Inputs{Flags: []config.Flag{{Var: "x=" + test.raw}}})
			if got := show(c.Variables["x"].Value); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			// The environment is read the same way.
			c = load(t, "variable \"x\" {\n"+test.decl+"\n}", config.Inputs{Env: []string{"WSO2PLAN_VAR_x=" + test.raw}})
			if got := show(c.Variables["x"].Value); got != test.want {
				t.Errorf("from the environment: got %s, want %s", got, test.want)
			}
		})
	}
}

func TestAllowMissing(t *testing.T) {
	c := load(t, `
variable "region" { type = string }
variable "secret" { sensitive = true }
output "region" { value = var.region }
`, config.Inputs{AllowMissing: true})
	if v := c.Variables["region"].Value; v.IsKnown() {
		t.Errorf("region is known: %#v", v)
	}
	if v := c.Variables["secret"].Value; v.IsKnown() || !v.IsMarked() {
		t.Errorf("secret is known or unmarked: %#v", v)
	}
}

// TestSecretsAreNotShown gives a secret wherever one can be given, makes each go wrong, and looks
// for it in what is printed.
func TestSecretsAreNotShown(t *testing.T) {
	const secret = "s3cr3t"
	main := `
variable "pin" {
  type      = number
  sensitive = true
}
variable "list" {
  type      = list(number)
  sensitive = true
}
variable "word" {
  sensitive = true
  validation {
    condition     = length(var.word) > 20
    error_message = "It is ${var.word}."
  }
}
resource "is_user" "ann" {
  name     = "ann"
  password = var.word
  status   = var.word
  age      = parseint(var.word, 10)
  emails   = [regex("x(.*)", var.word)]
  phone {
    kind = tonumber(var.word)
  }
}
output "o" { value = var.word }
`
	dir := t.TempDir()
	for name, src := range map[string]string{"main.hcl": main, "wso2plan.hclvars": `pin = "` + secret + `"`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, diags := config.Load(dir, testTypes(), config.Inputs{
		Env:   []string{"WSO2PLAN_VAR_list=[\"" + secret + "\"]"},
		Flags: []config.Flag{{Var: "word=" + secret}},
	})
	if got := len(diags); got < 8 {
		t.Errorf("%d diagnostics, want 8 or more: %s", got, diags)
	}
	if out := printed(t, c, diags, dir); strings.Contains(out, secret) {
		t.Errorf("the secret is shown:\n%s", out)
	}
}
