package render

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
)

const diagSource = `variable "names" {}

resource "apim_key_manager" "is7" {
  name     = "is7"
  count    = var.names + var.missing
  endpoint = "${var.host}/${var.token}"
  body     = <<-EOT
    1
    2
    3
    4
    5
    6
    7
    8
    9
  EOT
  hidden   = "s3cr3t-literal"
}
`

func diagnostics(t *testing.T) (map[string]*hcl.File, hcl.Diagnostics) {
	parser := hclparse.NewParser()
	file, diags := parser.ParseHCL([]byte(diagSource), "main.hcl")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	_, diags = parser.ParseHCL([]byte("resource \"is_user\" \"ann\" {\n  name = \n}\n"), "broken.hcl")
	content, _, _ := file.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "resource", LabelNames: []string{"type", "name"}}}})
	block := content.Blocks[0]
	attributes, _ := block.Body.JustAttributes()
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{
		"names":   cty.ListVal(strs("ann", "bob")),
		"missing": cty.NullVal(cty.String),
		"host":    str("https://" + strings.Repeat("long", 20)),
		"token":   secret("s3cr3t-token"),
	})}}
	child := ctx.NewChild()
	_, more := attributes["count"].Expr.Value(child)
	diags = append(diags, more...)
	diags = append(diags,
		&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Key manager already exists", Subject: &block.DefRange,
			Detail: `API Manager already has a key manager named "is7" that this configuration does not own. Adopt it with "wso2plan import apim_key_manager.is7", or choose another name.`},
		&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid endpoint", Subject: attributes["endpoint"].Expr.Range().Ptr(), Context: attributes["endpoint"].Range.Ptr(),
			Expression: attributes["endpoint"].Expr, EvalContext: child, Detail: "The server refused https://host/s3cr3t-token:\n\n  400 Bad\x1b[31m Request\n\nWrite another one."},
		&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Long text", Subject: attributes["body"].Expr.Range().Ptr(), Detail: "It has many lines."},
		&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No detail", Subject: &hcl.Range{Filename: "elsewhere.hcl", Start: hcl.Pos{Line: 7, Column: 1}}},
		&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "No place", Detail: "This one points nowhere."},
	)
	return parser.Files(), diags
}

func TestDiagnosticGoldens(t *testing.T) {
	files, diags := diagnostics(t)
	golden(t, "diagnostics.txt", func(w io.Writer) error { return Diagnostics(w, files, diags, Options{}) })
	golden(t, "diagnostics_color.txt", func(w io.Writer) error { return Diagnostics(w, files, diags, Options{Color: true}) })
	golden(t, "diagnostics_narrow.txt", func(w io.Writer) error { return Diagnostics(w, files, diags, Options{Width: 50}) })
}

// A source line may hold a secret literal; the scrubber of the run knows it.
func TestDiagnosticThroughScrub(t *testing.T) {
	files, _ := diagnostics(t)
	d := hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Bad value", Detail: "It is s3cr3t-literal.",
		Subject: &hcl.Range{Filename: "main.hcl", Start: hcl.Pos{Line: 18, Column: 14}, End: hcl.Pos{Line: 18, Column: 30}}}}
	for _, o := range []Options{{}, {Color: true}} {
		var b bytes.Buffer
		s := Scrub(&b, []string{"s3cr3t-literal"})
		if err := Diagnostics(s, files, d, o); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "s3cr3t") || !strings.Contains(b.String(), "It is (sensitive value).") {
			t.Error(b.String())
		}
	}
}

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		v    cty.Value
		want string
	}{
		{str("x"), `is "x"`},
		{str("a\nb"), "is a long string"},
		{secret("x"), "has a sensitive value"},
		{cty.TupleVal([]cty.Value{str("a"), secret("b")}), "has a sensitive value"},
		{cty.DynamicVal, "will be known only after apply"},
		{unknown(cty.String), "is a string, known only after apply"},
		{cty.NullVal(cty.String), "is null"},
		{cty.NumberIntVal(3), "is 3"},
		{cty.EmptyObjectVal, "is object with 0 attributes"},
		{cty.MapVal(attrs{"a": str("b")}), "is map of string with 1 element"},
		{cty.SetVal([]cty.Value{cty.True.Mark(schema.Sensitive)}), "has a sensitive value"},
	} {
		if got := describe(test.v); got != test.want {
			t.Errorf("describe(%#v) = %q, want %q", test.v, got, test.want)
		}
	}
}
