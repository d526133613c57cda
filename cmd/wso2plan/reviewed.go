package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"wso2plan/config"
	"wso2plan/engine"
)

// reviewedValues returns the values that variables had when a plan was saved, as a file that comes
// before everything on the command line. Sensitive ones are not saved: they are given anew. remove
// removes the file.
func reviewedValues(e *engine.Evidence) (_ []config.Flag, remove func(), err error) {
	text, err := json.Marshal(e.Variables)
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
