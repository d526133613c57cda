package engine

import (
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// jsonText returns a known, unmarked value as JSON.
func jsonText(v cty.Value) string {
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		panic("engine: " + err.Error())
	}
	return string(b)
}

// unjson reads what jsonText wrote; an absent text is null.
func unjson(s string, t cty.Type) (cty.Value, error) {
	if s == "" {
		return cty.NullVal(t), nil
	}
	return ctyjson.Unmarshal([]byte(s), t)
}
