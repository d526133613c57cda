package store

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
	"wso2plan/engine/store/storetest"
)

func noEnv(string) string { return "" }

func keyEnv(value string) func(string) string {
	return func(name string) string {
		if name == "WSO2PLAN_KEY" {
			return value
		}
		return ""
	}
}

func TestKeyFile(t *testing.T) {
	for what, s := range map[string]engine.Store{"file": openAt(t, filepath.Join(t.TempDir(), "a.state")), "memory": NewMemory()} {
		passing, made, err := Keys(s, noEnv, true)
		if err != nil || !made {
			t.Fatal(what, made, err)
		}
		kept, made, err := Keys(s, noEnv, false)
		if err != nil || !made {
			t.Fatal(what, made, err)
		}
		if passing.ID() == kept.ID() {
			t.Errorf("%s: a key that was read only is kept", what)
		}
		for _, readOnly := range []bool{true, false} {
			again, made, err := Keys(s, noEnv, readOnly)
			if err != nil || made || again.ID() != kept.ID() {
				t.Fatal(what, made, err)
			}
			if v := cty.StringVal("secret"); again.Fingerprint("t", "1", "password", v) != kept.Fingerprint("t", "1", "password", v) {
				t.Errorf("%s: the fingerprint differs", what)
			}
		}
	}
}

func TestKeyFileMadeOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.state")
	if _, _, err := Keys(openAt(t, path), noEnv, true); err != nil {
		t.Fatal(err)
	}
	if found := files(t, dir); len(found) > 0 {
		t.Fatalf("a plan made %v", found)
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	ids, makers := map[string]bool{}, 0
	for range 20 {
		wait.Go(func() {
			k, made, err := Keys(openAt(t, path), noEnv, false)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[k.ID()] = true
			if made {
				makers++
			}
		})
	}
	wait.Wait()
	if len(ids) != 1 || makers != 1 {
		t.Fatalf("20 at once made %d keys, and %d say that they did", len(ids), makers)
	}
	info, err := os.Stat(path + ".key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
	if found := files(t, dir); len(found) != 1 {
		t.Fatalf("%v are there", found)
	}
}

func TestKeyLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.state")
	store := openAt(t, path)
	former, _, err := Keys(store, noEnv, false)
	if err != nil {
		t.Fatal(err)
	}
	r := bare("a")
	r.Fingerprints = map[string]string{"password": former.Fingerprint("t", "1", "password", cty.StringVal("x"))}
	s := lock(t, store, "a")
	commitNow(t, s, []engine.Op{storetest.Put(r)})
	closeNow(t, s)
	if err := os.Remove(path + ".key"); err != nil {
		t.Fatal(err)
	}
	now, made, err := Keys(store, noEnv, false)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	_, list, err := store.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if f := list[0].Fingerprints["password"]; now.Comparable(f) || !former.Comparable(f) {
		t.Fatal("the fingerprint of the lost key can be compared")
	}
}

func TestKeyFileErrors(t *testing.T) {
	good := hex.EncodeToString(make([]byte, 16)) + "\n"
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{
		"good":    {good, 0o600, ""},
		"strict":  {good, 0o400, ""},
		"group":   {good, 0o640, "chmod 600"},
		"others":  {good, 0o604, "chmod 600"},
		"write":   {good, 0o620, "chmod 600"},
		"empty":   {"", 0o600, "0 bytes"},
		"short":   {"00112233\n", 0o600, "4 bytes"},
		"garbled": {"\x00\x01 not a key\n", 0o600, "neither hexadecimal nor base64"},
		"folder":  {"", os.ModeDir | 0o700, "is not a file"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if test.mode.IsDir() {
			if err := os.Mkdir(path+".key", 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path+".key", []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		} else if err := os.Chmod(path+".key", test.mode); err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{true, false} {
			_, made, err := Keys(openAt(t, path), noEnv, readOnly)
			switch {
			case made:
				t.Errorf("%s: another was made", name)
			case test.want == "" && err != nil:
				t.Errorf("%s: %v", name, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path+".key")):
				t.Errorf("%s: the error does not say %q: %v", name, test.want, err)
			}
		}
	}
}

func TestKeyVariable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.state")
	if err := os.WriteFile(path+".key", []byte("not read"), 0o644); err != nil {
		t.Fatal(err)
	}
	secret := []byte("\xfb\xff0123456789abcdefghij")
	want := engine.NewKeys(secret).ID()
	for _, text := range []string{
		hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), base64.StdEncoding.EncodeToString(secret),
		base64.RawStdEncoding.EncodeToString(secret), base64.URLEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret) + "\n",
	} {
		k, made, err := Keys(openAt(t, path), keyEnv(text), false)
		if err != nil || made || k.ID() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"!", "changeit", "secret-password-of-many-letters!", hex.EncodeToString(secret[:15])} {
		_, _, err := Keys(openAt(t, path), keyEnv(text), false)
		if err == nil || !strings.Contains(err.Error(), "WSO2PLAN_KEY") || !strings.Contains(err.Error(), "openssl rand") {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), text) && len(text) > 1 {
			t.Errorf("the error shows the key: %v", err)
		}
	}

	// A store that keeps no key.
	shared := struct{ engine.Store }{NewMemory()}
	if _, _, err := Keys(shared, noEnv, true); err == nil || !strings.Contains(err.Error(), "WSO2PLAN_KEY") {
		t.Errorf("a shared store without a key: %v", err)
	}
	if k, _, err := Keys(shared, keyEnv(hex.EncodeToString(secret)), true); err != nil || k.ID() != want {
		t.Errorf("a shared store: %v", err)
	}
}
