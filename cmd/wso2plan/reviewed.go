package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"wso2plan/config"
	"wso2plan/engine"
)

// reviewedValues returns the values that variables had when a plan was saved, as a file that comes
// before everything on the command line. Sensitive ones are not saved: they are given anew. remove
// removes the file.
func reviewedValues(e *engine.Evidence) (_ []config.Flag, remove func(), err error) {
	values := map[string]any{}
	for name, text := range e.Variables {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			return nil, nil, fmt.Errorf("the saved plan holds no value of the variable %q: %w", name, err)
		}
		values[name] = literalJSON(v)
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "wso2plan-")
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(dir, "reviewed.hclvars.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		os.RemoveAll(dir)
		return nil, nil, err
	}
	return []config.Flag{{File: file}}, func() { os.RemoveAll(dir) }, nil
}

// literalJSON returns v with every string written so that the JSON syntax of HCL, where strings are
// templates, reads it as it is.
func literalJSON(v any) any {
	switch v := v.(type) {
	case string:
		return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(v)
	case []any:
		for i := range v {
			v[i] = literalJSON(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[literalJSON(name).(string)] = literalJSON(e)
		}
		return out
	}
	return v
}
