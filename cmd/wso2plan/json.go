package main

import (
	"bytes"
	"encoding/json"
	"io"

	"wso2plan/engine"
	"wso2plan/engine/render"
)

// writeJSON writes v as indented JSON.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// resultJSON writes what an apply did as one object. Outputs are not in it: "wso2plan output -json"
// has them.
func resultJSON(w io.Writer, r *engine.Result) error {
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		Imported      int    `json:"imported"`
		Added         int    `json:"added"`
		Changed       int    `json:"changed"`
		Destroyed     int    `json:"destroyed"`
		Moved         int    `json:"moved"`
		Forgotten     int    `json:"forgotten"`
		Failed        int    `json:"failed"`
		Skipped       int    `json:"skipped"`
	}{render.FormatVersion, r.Counts.Import, r.Counts.Add, r.Counts.Change, r.Counts.Destroy, r.Counts.Move, r.Counts.Forget, r.Failed, r.Skipped})
}
