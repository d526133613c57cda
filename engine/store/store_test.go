package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wso2plan/engine"
	"wso2plan/engine/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() engine.Store {
		s := NewMemory()
		return func() engine.Store { return s }
	})
}

func TestFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() engine.Store {
		dir := t.TempDir()
		return func() engine.Store {
			s, err := Open("", dir)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	})
}

func TestOpen(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.state", filepath.Join(dir, "link.state")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "real.state"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                            dir + "/wso2plan.state",
		"a.state":                     dir + "/a.state",
		"./sub/../a.state":            dir + "/a.state",
		"file:a.state":                dir + "/a.state",
		"FILE:a.state":                dir + "/a.state",
		"/nowhere/a.state":            "/nowhere/a.state",
		"file:/nowhere/a.state":       "/nowhere/a.state",
		"file:///nowhere/a.state":     "/nowhere/a.state",
		"a b:c.state":                 dir + "/a b:c.state",
		"file:odd:name":               dir + "/odd:name",
		"link.state":                  dir + "/real.state",
		"file:" + dir + "/link.state": dir + "/real.state",
	} {
		s, err := Open(url, dir)
		if err != nil {
			t.Errorf("Open(%q): %v", url, err)
		} else if got := s.(*file).path; got != want {
			t.Errorf("Open(%q) is at %s, not %s", url, got, want)
		}
	}
	for url, want := range map[string]string{
		"ftp://h/a.state": `"ftp" is not a kind of store; the store is one of: file:PATH`,
		"s3:bucket":       `"s3" is not a kind of store`,
		"file:":           "names no file",
		"file://host/a":   "file:///PATH",
		"file://a.state":  "file:///PATH",
	} {
		if _, err := Open(url, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) gives %v, not %q", url, err, want)
		}
	}
}
