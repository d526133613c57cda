package apim

import (
	"fmt"

	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// parseJSON parses JSON of any shape.
func parseJSON(text string) (cty.Value, error) {
	t, err := ctyjson.ImpliedType([]byte(text))
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal([]byte(text), t)
}

// canonicalText writes a value as JSON, members by their names.
func canonicalText(v cty.Value) (string, bool) {
	out, err := ctyjson.Marshal(v, v.Type())
	return string(out), err == nil
}

// canonicalDocument is the normal form of JSON or YAML: JSON with its members by their names. What is
// neither comes back as it is.
func canonicalDocument(v cty.Value) cty.Value {
	text := v.AsString()
	parsed, err := parseJSON(text)
	if err != nil {
		t, terr := ctyyaml.Standard.ImpliedType([]byte(text))
		if terr != nil || !t.IsObjectType() {
			return v
		}
		if parsed, err = ctyyaml.Standard.Unmarshal([]byte(text), t); err != nil {
			return v
		}
	}
	if out, ok := canonicalText(parsed); ok {
		return cty.StringVal(out)
	}
	return v
}

// isJSON refuses what is no JSON.
func isJSON(v cty.Value) error {
	if _, err := parseJSON(v.AsString()); err != nil {
		return fmt.Errorf("it is not JSON: %w; write it with jsonencode", err)
	}
	return nil
}
