package lang_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/lang"
	"wso2plan/config/schema"
)

// show writes a value the way it would be written in configuration, unknowns and marks in words.
func show(v cty.Value) string {
	if v.IsMarked() {
		u, _ := v.Unmark()
		return "sensitive(" + show(u) + ")"
	}
	t := v.Type()
	var parts []string
	switch {
	case !v.IsKnown():
		return "unknown " + t.FriendlyName()
	case v.IsNull():
		return "null"
	case t == cty.String:
		return fmt.Sprintf("%q", v.AsString())
	case t == cty.Number:
		return v.AsBigFloat().Text('f', -1)
	case t == cty.Bool:
		return fmt.Sprint(v.True())
	case t.IsObjectType() || t.IsMapType():
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			parts = append(parts, k.AsString()+" = "+show(e))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		parts = append(parts, show(e))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func files(t *testing.T) string {
	dir := t.TempDir()
	for name, src := range map[string]string{
		"hello.txt":   "hello",
		"hello.tmpl":  "Hello ${name}%{ for x in list } ${upper(x)}%{ endfor }",
		"value.tmpl":  "${list}",
		"self.tmpl":   `${templatefile("self.tmpl", {})}`,
		"latin1.txt":  "\xe4",
		"people.csv":  "name,age\nann,3\nbob,4\n",
		"sub/a.txt":   "a",
		"sub/b.json":  "{}",
		"sub/c/d.txt": "d",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var variables = map[string]cty.Value{
	"secret":  cty.StringVal("s3cr3t").Mark(schema.Sensitive),
	"unknown": cty.UnknownVal(cty.String),
	"list":    cty.UnknownVal(cty.List(cty.String)),
	"dynamic": cty.DynamicVal,
	"map":     cty.UnknownVal(cty.Map(cty.String)),
	"secrets": cty.ListVal([]cty.Value{cty.StringVal("s3cr3t").Mark(schema.Sensitive), cty.StringVal("x")}),
}

// tests holds an expression and its value or, after "error: ", a part of the error.
var tests = []struct{ expr, want string }{
	{`abs(-3)`, `3`},
	{`alltrue([true, true])`, `true`},
	{`alltrue([true, false])`, `false`},
	{`alltrue([])`, `true`},
	{`alltrue([null])`, `false`},
	{`alltrue([unknown == "x", false])`, `false`},
	{`alltrue([unknown == "x", true])`, `unknown bool`},
	{`anytrue([false, true])`, `true`},
	{`anytrue([])`, `false`},
	{`anytrue([unknown == "x", true])`, `true`},
	{`anytrue([unknown == "x", false])`, `unknown bool`},
	{`base64decode("aGVsbG8=")`, `"hello"`},
	{`base64encode("hello")`, `"aGVsbG8="`},
	{`base64gunzip(base64gzip("hello"))`, `"hello"`},
	{`base64gunzip("aGVsbG8=")`, `error: gzip`},
	{`base64gunzip("?")`, `error: not Base64`},
	{`base64sha256("hello")`, `"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="`},
	{`length(base64sha512("hello"))`, `88`},
	{`basename("a/b.txt")`, `"b.txt"`},
	{`dirname("a/b.txt")`, `"a"`},
	{`bcrypt("x")`, `unknown string`},
	{`ceil(1.2)`, `2`},
	{`floor(1.8)`, `1`},
	{`chomp("hello\n\n")`, `"hello"`},
	{`chunklist(["a", "b", "c"], 2)`, `[["a", "b"], ["c"]]`},
	{`cidrhost("10.1.0.0/16", 5)`, `"10.1.0.5"`},
	{`cidrnetmask("10.1.0.0/16")`, `"255.255.0.0"`},
	{`cidrsubnet("10.1.0.0/16", 8, 2)`, `"10.1.2.0/24"`},
	{`cidrsubnets("10.1.0.0/16", 8, 8)`, `["10.1.0.0/24", "10.1.1.0/24"]`},
	{`coalesce("", "b")`, `"b"`},
	{`coalesce(null, "", "c")`, `"c"`},
	{`coalesce("", null)`, `error: no non-null`},
	{`coalescelist([], ["b"])`, `["b"]`},
	{`compact(["a", "", null, "b"])`, `["a", "b"]`},
	{`concat(["a"], ["b", "c"])`, `["a", "b", "c"]`},
	{`contains(["a", "b"], "b")`, `true`},
	{`csvdecode("a,b\n1,2\n")`, `[{a = "1", b = "2"}]`},
	{`csvdecode(file("people.csv"))[1].name`, `"bob"`},
	{`distinct(["a", "b", "a"])`, `["a", "b"]`},
	{`element(["a", "b"], 3)`, `"b"`},
	{`element([], 0)`, `error: empty`},
	{`endswith("hello", "lo")`, `true`},
	{`startswith("hello", "lo")`, `false`},
	{`strcontains("hello", "ell")`, `true`},
	{`file("hello.txt")`, `"hello"`},
	{`file("absent.txt")`, `error: no file exists at`},
	{`file("latin1.txt")`, `error: not valid UTF-8`},
	{`filebase64("latin1.txt")`, `"5A=="`},
	{`fileexists("hello.txt")`, `true`},
	{`fileexists("absent.txt")`, `false`},
	{`filemd5("hello.txt")`, `"5d41402abc4b2a76b9719d911017c592"`},
	{`filesha1("hello.txt") == sha1("hello")`, `true`},
	{`filesha256("hello.txt") == sha256("hello")`, `true`},
	{`filesha512("hello.txt") == sha512("hello")`, `true`},
	{`filebase64sha256("hello.txt") == base64sha256("hello")`, `true`},
	{`filebase64sha512("hello.txt") == base64sha512("hello")`, `true`},
	{`filesha256("absent.txt")`, `error: no file exists at`},
	{`fileset("sub", "*")`, `["a.txt", "b.json"]`},
	{`fileset(".", "sub/**")`, `["sub/a.txt", "sub/b.json", "sub/c/d.txt"]`},
	{`fileset("sub", "**/*.{txt,csv}")`, `["a.txt", "c/d.txt"]`},
	{`fileset("sub", "../*")`, `error: must stay below`},
	{`fileset("sub", "[")`, `error: not a pattern`},
	{`fileset("absent", "*")`, `[]`},
	{`flatten([["a"], [["b"]], "c"])`, `["a", "b", "c"]`},
	{`format("%s-%03d", "a", 7)`, `"a-007"`},
	{`formatlist("%s!", ["a", "b"])`, `["a!", "b!"]`},
	{`formatdate("YYYY-MM-DD", "2024-02-03T04:05:06Z")`, `"2024-02-03"`},
	{`indent(2, "a\nb")`, `"a\n  b"`},
	{`index(["a", "b"], "b")`, `1`},
	{`index(["a"], "x")`, `error: does not hold`},
	{`index([], "x")`, `error: empty`},
	{`index("ab", "b")`, `error: must be a list or a tuple`},
	{`index([1, "a"], "a")`, `1`},
	{`issensitive(secret)`, `true`},
	{`issensitive("x")`, `false`},
	{`join(",", ["a", "b"])`, `"a,b"`},
	{`jsondecode("{\"a\": [1, true]}")`, `{a = [1, true]}`},
	{`jsonencode({ a = [1, true, null] })`, `"{\"a\":[1,true,null]}"`},
	{`keys({ b = 1, a = 2 })`, `["a", "b"]`},
	{`values({ b = 1, a = 2 })`, `[2, 1]`},
	{`length("hello")`, `5`},
	{`length("👨‍👩‍👧ä")`, `2`},
	{`length([1, 2])`, `2`},
	{`length({ a = 1 })`, `1`},
	{`length(toset(["a", "a"]))`, `1`},
	{`length(unknown)`, `unknown number`},
	{`length(list)`, `unknown number`},
	{`length(dynamic)`, `unknown number`},
	{`length(3)`, `error: must be a string`},
	{`length(null)`, `error: must not be null`},
	{`length(secret)`, `sensitive(6)`},
	{`length(secrets)`, `2`},
	{`log(8, 2)`, `3`},
	{`lookup({ a = "x" }, "a")`, `"x"`},
	{`lookup({ a = "x" }, "b", "y")`, `"y"`},
	{`lookup(tomap({ a = "x" }), "b", "y")`, `"y"`},
	{`lookup(tomap({ a = "x" }), "a", "y")`, `"x"`},
	{`lookup({ a = "x" }, "b")`, `error: no attribute "b"`},
	{`lookup(tomap({ a = "x" }), "b")`, `error: no default was given`},
	{`lookup(tomap({ a = 1 }), "b", "y")`, `error: type of the map's elements`},
	{`lookup({}, "b", 1, 2)`, `error: one default`},
	{`lookup(map, "b", "y")`, `unknown string`},
	{`lookup({ a = secret }, "a")`, `sensitive("s3cr3t")`},
	{`lookup({ s3cr3t = 1 }, secret)`, `sensitive(1)`},
	{`lower("ABC")`, `"abc"`},
	{`upper("abc")`, `"ABC"`},
	{`title("hello world")`, `"Hello World"`},
	{`matchkeys(["a", "b", "c"], ["1", "2", "3"], ["1", "3"])`, `["a", "c"]`},
	{`matchkeys(["a"], ["1", "2"], ["1"])`, `error: one length`},
	{`matchkeys(["a"], ["1"], [])`, `[]`},
	{`max(1, 3, 2)`, `3`},
	{`min(1, 3, 2)`, `1`},
	{`md5("hello")`, `"5d41402abc4b2a76b9719d911017c592"`},
	{`merge({ a = 1 }, { a = 2, b = 3 })`, `{a = 2, b = 3}`},
	{`nonsensitive(secret)`, `"s3cr3t"`},
	{`nonsensitive("x")`, `"x"`},
	{`sensitive("x")`, `sensitive("x")`},
	{`upper(secret)`, `sensitive("S3CR3T")`},
	{`one([])`, `null`},
	{`one(["a"])`, `"a"`},
	{`one(["a", "b"])`, `error: and has 2`},
	{`one(toset(["a", "b"]))`, `error: and has 2`},
	{`one(list)`, `unknown string`},
	{`one("a")`, `error: list, set or tuple is needed`},
	{`parseint("ff", 16)`, `255`},
	{`parseint("zz", 10)`, `error: zz`},
	{`pow(2, 3)`, `8`},
	{`range(3)`, `[0, 1, 2]`},
	{`regex("(\\d+)-(\\d+)", "1-2")`, `["1", "2"]`},
	{`regex("x", "y")`, `error: did not match`},
	{`regexall("\\d", "a1b2")`, `["1", "2"]`},
	{`replace("a.b.c", ".", "-")`, `"a-b-c"`},
	{`replace("a1b22", "/\\d+/", "#")`, `"a#b#"`},
	{`replace("john smith", "/(\\w+) (\\w+)/", "$2 $1")`, `"smith john"`},
	{`replace("a", "/(/", "")`, `error: missing closing )`},
	{`replace("a/b", "/", "-")`, `"a-b"`},
	{`reverse(["a", "b"])`, `["b", "a"]`},
	{`rsadecrypt("?", "x")`, `error: base64`},
	{`setintersection(["a", "b"], ["b"])`, `["b"]`},
	{`setproduct(["a", "b"], [1])`, `[["a", 1], ["b", 1]]`},
	{`setsubtract(["a", "b"], ["b"])`, `["a"]`},
	{`setunion(["a"], ["b"])`, `["a", "b"]`},
	{`sha1("hello")`, `"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"`},
	{`substr(sha256("hello"), 0, 8)`, `"2cf24dba"`},
	{`substr(sha512("hello"), 0, 8)`, `"9b71d224"`},
	{`signum(-3)`, `-1`},
	{`slice(["a", "b", "c"], 1, 2)`, `["b"]`},
	{`sort(["b", "a"])`, `["a", "b"]`},
	{`split(",", "a,b")`, `["a", "b"]`},
	{`strrev("abc")`, `"cba"`},
	{`sum([1, 2.5])`, `3.5`},
	{`sum(["1", 2])`, `3`},
	{`sum([])`, `error: no sum`},
	{`sum(["a"])`, `error: numbers is needed`},
	{`sum(3)`, `error: numbers is needed`},
	{`templatefile("hello.tmpl", { name = "ann", list = ["a", "b"] })`, `"Hello ann A B"`},
	{`templatefile("value.tmpl", { list = ["a"] })`, `["a"]`},
	{`templatefile("hello.tmpl", { name = "ann" })`, `error: the template uses "list"`},
	{`templatefile("hello.tmpl", 3)`, `error: must be a map or an object`},
	{`templatefile("absent.tmpl", {})`, `error: no file exists at`},
	{`templatefile("self.tmpl", {})`, `error: no function named "templatefile"`},
	{`templatefile("hello.tmpl", { name = secret, list = [] })`, `sensitive("Hello s3cr3t")`},
	{`templatefile("hello.tmpl", { name = unknown, list = [] })`, `unknown string`},
	{`templatefile("hello.tmpl", { "bad name" = 1 })`, `error: not a name`},
	{`templatestring("a $${x}", { x = 1 })`, `"a 1"`},
	{`templatestring("a $${", {})`, `error: template`},
	{`textencodebase64("ä", "ISO-8859-1")`, `"5A=="`},
	{`textencodebase64("日", "ISO-8859-1")`, `error: cannot express`},
	{`textencodebase64("ä", "nonsense")`, `error: no character encoding "nonsense"`},
	{`textdecodebase64("5A==", "ISO-8859-1")`, `"ä"`},
	{`textdecodebase64("?", "ISO-8859-1")`, `error: not Base64`},
	{`timeadd("2024-02-03T04:05:06Z", "1h")`, `"2024-02-03T05:05:06Z"`},
	{`timecmp("2024-02-03T04:05:06Z", "2024-02-03T05:05:06+01:00")`, `0`},
	{`timecmp("2024-02-03T04:05:06Z", "2025-02-03T04:05:06Z")`, `-1`},
	{`timecmp("yesterday", "2025-02-03T04:05:06Z")`, `error: RFC 3339`},
	{`timestamp()`, `unknown string`},
	{`tobool("true")`, `true`},
	{`tobool("yes")`, `error: cannot convert "yes" to bool`},
	{`tobool(null)`, `null`},
	{`tolist(["a", 1])`, `["a", "1"]`},
	{`tomap({ a = 1, b = "x" })`, `{a = "1", b = "x"}`},
	{`tonumber("3")`, `3`},
	{`tonumber("a")`, `error: cannot convert "a" to number`},
	{`tonumber(["a"])`, `error: cannot convert tuple to number`},
	{`tonumber(unknown)`, `unknown number`},
	{`toset(["b", "a", "b"])`, `["a", "b"]`},
	{`tostring(1.5)`, `"1.5"`},
	{`tostring(dynamic)`, `unknown string`},
	{`transpose({ a = ["1", "2"], b = ["2"] })`, `{1 = ["a"], 2 = ["a", "b"]}`},
	{`transpose({})`, `{}`},
	{`transpose({ a = [null] })`, `error: may be null`},
	{`trim("??a??", "?")`, `"a"`},
	{`trimprefix("hello", "he")`, `"llo"`},
	{`trimspace("  a ")`, `"a"`},
	{`trimsuffix("hello", "lo")`, `"hel"`},
	{`try({}.a, "fallback")`, `"fallback"`},
	{`try(tonumber(secret), "fallback")`, `"fallback"`},
	{`can({}.a)`, `false`},
	{`can(1 + 1)`, `true`},
	{`urlencode("a b&c")`, `"a+b%26c"`},
	{`urldecode("a+b%26c")`, `"a b&c"`},
	{`urldecode("%zz")`, `error: invalid URL escape`},
	{`uuid()`, `unknown string`},
	{`uuidv5("dns", "example.com")`, `"cfbff0d1-9375-5685-968c-48ce8b15ae17"`},
	{`yamldecode("a: [1, two]")`, `{a = [1, "two"]}`},
	{`yamlencode({ a = [1, "two"] })`, `"\"a\":\n- 1\n- \"two\"\n"`},
	{`zipmap(["a", "b"], [1, 2])`, `{a = 1, b = 2}`},
	{`basename(pathexpand("~/x"))`, `"x"`},

	// The text of a sensitive argument is in no error.
	{`parseint(secret, 10)`, `error: the value is not one that the function takes (the argument is sensitive)`},
	{`tonumber(secret)`, `error: (the argument is sensitive)`},
	{`regex("^x$", secret)`, `error: (the argument is sensitive)`},
	{`jsondecode(secret)`, `error: (the argument is sensitive)`},
	{`index(secrets, "nothing")`, `error: (the argument is sensitive)`},
	{`timecmp("2025-02-03T04:05:06Z", secret)`, `error: (the argument is sensitive)`},
	{`file(secret)`, `error: (the argument is sensitive)`},
	{`templatestring("$${upper([x])}", { x = secret })`, `error: (the argument is sensitive)`},
	{`parseint("zz", length(secret))`, `error: sensitive`},
}

func evaluate(t *testing.T, functions *hcl.EvalContext, expr string) string {
	t.Helper()
	parsed, diags := hclsyntax.ParseExpression([]byte(expr), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	v, diags := parsed.Value(functions)
	if diags.HasErrors() {
		var s []string
		for _, d := range diags {
			s = append(s, d.Summary+": "+d.Detail)
		}
		return "error: " + strings.Join(s, "; ")
	}
	return show(v)
}

func TestFunctions(t *testing.T) {
	ctx := &hcl.EvalContext{Functions: lang.Functions(files(t), false), Variables: variables}
	tested := map[string]bool{}
	for _, test := range tests {
		name, _, _ := strings.Cut(test.expr, "(")
		tested[name] = true
		for name := range ctx.Functions {
			if strings.Contains(test.expr, name+"(") {
				tested[name] = true
			}
		}
		got := evaluate(t, ctx, test.expr)
		want, isError := strings.CutPrefix(test.want, "error: ")
		if isError != strings.HasPrefix(got, "error: ") || isError && !strings.Contains(got, want) || !isError && got != want {
			t.Errorf("%s\n  got  %s\n  want %s", test.expr, got, test.want)
		}
		if strings.HasPrefix(got, "error: ") && strings.Contains(test.want, "sensitive") && strings.Contains(got, "s3cr3t") {
			t.Errorf("%s shows the secret: %s", test.expr, got)
		}
	}
	for name := range ctx.Functions {
		if !tested[name] && name != "abspath" {
			t.Errorf("no test calls %s", name)
		}
	}
}

// TestUnknowns calls every function with unknowns only: none may fail, and none knows.
func TestUnknowns(t *testing.T) {
	ctx := &hcl.EvalContext{Functions: lang.Functions(t.TempDir(), false), Variables: variables}
	for name, f := range ctx.Functions {
		args := make([]string, max(len(f.Params()), 1))
		for i := range args {
			args[i] = "dynamic"
		}
		if len(f.Params()) == 0 && f.VarParam() == nil || name == "try" || name == "can" {
			continue // nothing to be unknown
		}
		call := name + "(" + strings.Join(args, ", ") + ")"
		switch got := evaluate(t, ctx, call); {
		case name == "sensitive" && strings.HasPrefix(got, "sensitive(unknown"), name == "issensitive" && got == "false":
		case !strings.HasPrefix(got, "unknown"):
			t.Errorf("%s is %s", call, got)
		}
	}
}

func TestImpure(t *testing.T) {
	ctx := &hcl.EvalContext{Functions: lang.Functions(t.TempDir(), true)}
	for expr, want := range map[string]string{
		`length(uuid())`:      `36`,
		`length(bcrypt("x"))`: `60`,
		`timecmp(timestamp(), "2024-01-01T00:00:00Z")`: `1`,
		`uuid() == uuid()`: `false`,
	} {
		if got := evaluate(t, ctx, expr); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
}

func TestAbsPath(t *testing.T) {
	dir := t.TempDir()
	ctx := &hcl.EvalContext{Functions: lang.Functions(dir, false)}
	if got, want := evaluate(t, ctx, `abspath("x")`), fmt.Sprintf("%q", filepath.ToSlash(filepath.Join(dir, "x"))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRSADecrypt(t *testing.T) {
	const key = `-----BEGIN RSA PRIVATE KEY-----
nonsense
-----END RSA PRIVATE KEY-----`
	ctx := &hcl.EvalContext{Functions: lang.Functions(t.TempDir(), false), Variables: map[string]cty.Value{
		"key": cty.StringVal(key).Mark(schema.Sensitive),
	}}
	got := evaluate(t, ctx, `rsadecrypt("aGVsbG8=", key)`)
	if !strings.Contains(got, "the argument is sensitive") || strings.Contains(got, "nonsense") {
		t.Errorf("got %s", got)
	}
}
