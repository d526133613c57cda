package render

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// OutputOptions choose what Outputs writes.
type OutputOptions struct {
	Name string // of one output; "": all of them
	JSON bool   // as JSON
	Raw  bool   // the bare text of one string, number or bool, without a line break
}

// Outputs writes the values of outputs as Terraform's output command does. In the list of all for
// people a sensitive one, which is one with a mark anywhere in it, is "<sensitive>". One that is
// asked for by its name, and every one with JSON, is written in plain text: this is the way in
// which a script obtains a secret, so the result must not go through Scrub.
//
// Diagnostics say which output does not exist, or has no value that can be written so.
func Outputs(w io.Writer, outputs map[string]cty.Value, o OutputOptions) hcl.Diagnostics {
	text, diags := outputText(outputs, o)
	if diags.HasErrors() {
		return diags
	}
	if _, err := io.WriteString(w, text); err != nil {
		return diags.Append(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Output not written", Detail: "Writing the output values failed: " + err.Error() + "."})
	}
	return diags
}

func outputText(outputs map[string]cty.Value, o OutputOptions) (string, hcl.Diagnostics) {
	fail := func(summary, format string, args ...any) (string, hcl.Diagnostics) {
		return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...)}}
	}
	if o.Raw && o.JSON {
		return fail("Options that exclude each other", "-raw and -json are two forms of the same value. Use one of them.")
	}
	if o.Name == "" {
		switch {
		case o.Raw:
			return fail("Output name required", "-raw writes one value. Name the output, as in \"wso2plan output -raw NAME\".")
		case o.JSON:
			return allJSON(outputs)
		case len(outputs) == 0:
			return "", hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "No outputs found",
				Detail: "The configuration defines no outputs, or all of them are empty. Define one with an \"output\" block."}}
		}
		t := &page{pal: paletteFor(false)}
		t.outputs(outputs)
		return string(t.b), nil
	}
	v, ok := outputs[o.Name]
	if !ok {
		names := make([]string, 0, len(outputs))
		for _, name := range sortedKeys(outputs) {
			names = append(names, fmt.Sprintf("%q", name))
		}
		if len(names) == 0 {
			return fail("Output not found", "There is no output named %q: the configuration defines none.", o.Name)
		}
		return fail("Output not found", "There is no output named %q. The outputs are %s.", o.Name, list(names, 20))
	}
	v, _ = v.UnmarkDeep()
	switch {
	case v == cty.NilVal || !v.IsWhollyKnown():
		return fail("Output has no value yet", "The value of output %q depends on objects that do not exist yet. Apply the configuration first.", o.Name)
	case o.JSON:
		text, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			return fail("Output is not JSON", "The value of output %q cannot be written as JSON: %s.", o.Name, err)
		}
		return string(text) + "\n", nil
	case !o.Raw:
		return literal(v, 0) + "\n", nil
	}
	switch {
	case v.IsNull():
		return fail("Unsupported value for raw output", "The value of output %q is null, so there is nothing to write.", o.Name)
	case v.Type() == cty.String:
		return v.AsString(), nil
	case v.Type() == cty.Number, v.Type() == cty.Bool:
		return strings.TrimSpace(literal(v, 0)), nil
	}
	return fail("Unsupported value for raw output", "The -raw option only supports strings, numbers, and boolean values, but output value %q is %s.\n\n"+
		"Use the -json option for machine-readable representations of output values that have complex types.", o.Name, v.Type().FriendlyName())
}

// allJSON writes {"name": {"sensitive": false, "type": …, "value": …}}. Outputs that have no value
// yet are left out.
func allJSON(outputs map[string]cty.Value) (string, hcl.Diagnostics) {
	type output struct {
		Sensitive bool            `json:"sensitive"`
		Type      json.RawMessage `json:"type"`
		Value     json.RawMessage `json:"value"`
	}
	out := map[string]output{}
	for name, v := range outputs {
		secret := marked(v)
		v, _ := v.UnmarkDeep()
		if v == cty.NilVal || !v.IsWhollyKnown() {
			continue
		}
		typ, err := ctyjson.MarshalType(v.Type())
		if err == nil {
			var text []byte
			if text, err = ctyjson.Marshal(v, v.Type()); err == nil {
				out[name] = output{secret, typ, text}
				continue
			}
		}
		return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Output is not JSON",
			Detail: fmt.Sprintf("The value of output %q cannot be written as JSON: %s.", name, err)}}
	}
	var b strings.Builder
	if err := writeJSON(&b, out); err != nil {
		return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Output is not JSON", Detail: err.Error() + "."}}
	}
	return b.String(), nil
}
