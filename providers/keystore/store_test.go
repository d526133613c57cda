package keystore

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/keystore/container"
)

func encodedKey(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// object builds a value of a block from strings, numbers of them and nested values.
func object(b *schema.Block, attrs map[string]any) cty.Value {
	out := map[string]cty.Value{}
	for name, v := range attrs {
		switch v := v.(type) {
		case string:
			out[name] = cty.StringVal(v)
		case bool:
			out[name] = cty.BoolVal(v)
		case cty.Value:
			out[name] = v
		}
	}
	return b.Defaults(b.Object(out))
}

// A declared is a provider block in parts.
type declared struct {
	stores, servers []map[string]any
	attrs           map[string]any
}

func configured(t *testing.T, d declared) (*Provider, error) {
	t.Helper()
	p := New()
	p.getenv = func(string) string { return "" }
	b := p.Schema()
	blocks := func(name string, list []map[string]any) cty.Value {
		n := b.NestedBlock(name)
		out := []cty.Value{}
		for _, attrs := range list {
			out = append(out, object(&n.Block, attrs))
		}
		if len(out) == 0 {
			return cty.ListValEmpty(n.Block.ImpliedType())
		}
		return cty.ListVal(out)
	}
	attrs := map[string]any{"store": blocks("store", d.stores), "server": blocks("server", d.servers)}
	for name, v := range d.attrs {
		attrs[name] = v
	}
	_, _, err := p.Configure(t.Context(), object(&b, attrs))
	return p, err
}

// oneStore returns a provider that declares the file as the store "s".
func oneStore(t *testing.T, path string, more ...string) *Provider {
	t.Helper()
	attrs := map[string]any{"name": "s", "path": path}
	for i := 0; i+1 < len(more); i += 2 {
		attrs[more[i]] = more[i+1]
	}
	p, err := configured(t, declared{stores: []map[string]any{attrs}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func trusted(p *Provider) engine.Type  { return p.types[0] }
func keyPairs(p *Provider) engine.Type { return p.types[1] }

func planned(typ engine.Type, attrs map[string]any) cty.Value {
	return object(&typ.Schema().Block, attrs)
}

func trust(t *testing.T, p *Provider, store, alias, name string) (*engine.Object, error) {
	t.Helper()
	typ := trusted(p)
	return typ.Create(t.Context(), planned(typ, map[string]any{"store": store, "alias": alias, "certificate": sample(t, name+".pem")}))
}

func aliases(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	for _, e := range opened(t, path).Entries() {
		out = append(out, e.Alias)
	}
	return out
}

func wantError(t *testing.T, what string, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v\nwant one that says %q", what, err, text)
		}
	}
}

func TestFileMade(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, kind string
		want       container.Format
	}{{"a.jks", "", container.JKS}, {"a.p12", "", container.PKCS12}, {"a.PFX", "", container.PKCS12}, {"cacerts", "JKS", container.JKS}, {"b.jks", "PKCS12", container.PKCS12}} {
		file := filepath.Join(dir, c.name)
		p := oneStore(t, file, "type", c.kind)
		if c.kind == "" {
			p = oneStore(t, file)
		}
		if o, err := trusted(p).Read(t.Context(), "s#wso2is"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s before: %v, %v", c.name, o, err)
		}
		if _, err := trust(t, p, "s", "wso2is", "wso2is"); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := opened(t, file).Format(); got != c.want {
			t.Errorf("%s was made as %s", c.name, got)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", c.name, info.Mode(), err)
		}
	}
	_, err := trust(t, oneStore(t, filepath.Join(dir, "cacerts2")), "s", "a", "wso2is")
	wantError(t, "a name that says no format", err, "Set type in its store block")
	_, err = trust(t, oneStore(t, filepath.Join(dir, "no", "a.jks")), "s", "a", "wso2is")
	wantError(t, "a missing folder", err, "does not exist. Mount it")
	if exists(filepath.Join(dir, "no")) {
		t.Error("the folder was made")
	}
}

// Wherever a file cannot be used, the error says which, why, and what to do; nothing is written.
func TestUnusableFiles(t *testing.T) {
	dir := t.TempDir()
	good, other := filepath.Join(dir, "good.jks"), filepath.Join(dir, "other.p12")
	fresh(t, good)
	fresh(t, other)
	pem := filepath.Join(dir, "pem.jks")
	if err := os.WriteFile(pem, []byte(sample(t, "wso2is.pem")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "empty.jks"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		p    *Provider
		want []string
	}{
		{"a wrong password", oneStore(t, good, "password", "secret-word"), []string{`store "s"`, "the password is wrong, or the contents are damaged", "KEYSTORE_PASSWORD"}},
		{"a wrong password of PKCS12", oneStore(t, other, "password", "secret-word"), []string{"the password is wrong"}},
		{"another format", oneStore(t, good, "type", "PKCS12"), []string{"holds a JKS store, and its type is PKCS12"}},
		{"a PEM file", oneStore(t, pem), []string{"it is a PEM file, not a key store"}},
		{"an empty file", oneStore(t, filepath.Join(dir, "empty.jks")), []string{"it is empty"}},
		{"a folder", oneStore(t, dir), []string{"is no file"}},
	} {
		_, err := trusted(c.p).Read(t.Context(), "s#wso2is")
		wantError(t, "reading "+c.what, err, c.want...)
		_, err = trust(t, c.p, "s", "wso2is", "wso2is")
		wantError(t, "writing "+c.what, err, c.want...)
		if !engine.Refused(err) {
			t.Errorf("%s: nothing was written, and the error does not say so", c.what)
		}
		if strings.Contains(fmt.Sprint(err), "secret-word") {
			t.Errorf("%s: the error shows the password", c.what)
		}
	}
	if diff := cmp.Diff([]string{"authority", "wso2carbon"}, aliases(t, good)); diff != "" {
		t.Error(diff)
	}
}

// A file that is a mount by itself is written in place, after a backup.
func TestMounted(t *testing.T) {
	for _, how := range []string{"EBUSY", "EXDEV", "in place"} {
		t.Run(how, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "a.p12")
			fresh(t, file)
			before, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			d, inPlace := realDisk, false
			switch how {
			case "EBUSY":
				d.rename = func(string, string) error { return &os.LinkError{Op: "rename", Err: syscall.EBUSY} }
			case "EXDEV":
				d.rename = func(string, string) error { return &os.LinkError{Op: "rename", Err: syscall.EXDEV} }
			default:
				inPlace = true
			}
			s := opened(t, file)
			if err := s.SetTrusted("a", opened(t, file).Entries()[0].Chain[0]); err != nil {
				t.Fatal(err)
			}
			data, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, make([]byte, 0)...)
			if err := d.write(file, data, before, inPlace); err != nil {
				t.Fatal(err)
			}
			after, err := os.Stat(file)
			if err != nil || !os.SameFile(before, after) {
				t.Errorf("it is another file now: %v", err)
			}
			if diff := cmp.Diff([]string{"a", "authority", "wso2carbon"}, aliases(t, file)); diff != "" {
				t.Error(diff)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// What a crash in the middle of writing in place leaves is read from the backup, and written whole
// by the next change or, without one, at the end of the next apply.
func TestTornFile(t *testing.T) {
	for _, how := range []string{"changed", "finished"} {
		t.Run(how, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "a.jks")
			fresh(t, file)
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.WriteFile(file+backupSuffix, whole, 0o600), os.WriteFile(file, whole[:len(whole)/2], 0o600)); err != nil {
				t.Fatal(err)
			}
			p := oneStore(t, file)
			if _, err := keyPairs(p).Read(t.Context(), "s#wso2carbon"); err != nil {
				t.Fatal(err)
			}
			want := []string{"authority", "wso2carbon"}
			if how == "changed" {
				if _, err := trust(t, p, "s", "wso2is", "wso2is"); err != nil {
					t.Fatal(err)
				}
				want = append(want, "wso2is")
			} else if notes, err := p.Finish(t.Context()); err != nil || len(notes) != 1 {
				t.Fatalf("%q, %v", notes, err)
			}
			if diff := cmp.Diff(want, aliases(t, file)); diff != "" {
				t.Error(diff)
			}
			if exists(file + backupSuffix) {
				t.Error("the backup was left")
			}
		})
	}
}

// Two provider blocks, as two processes, and both types write one file at once: nothing is lost.
func TestConcurrentWrites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.p12")
	fresh(t, file)
	var all sync.WaitGroup
	want := []string{"authority"}
	for i := range 2 {
		p := oneStore(t, file)
		for j := range 4 {
			alias := fmt.Sprintf("entry%d%d", i, j)
			want = append(want, alias)
			all.Go(func() {
				var err error
				if j%2 == 0 {
					_, err = trust(t, p, "s", alias, "wso2is")
				} else {
					_, err = keyPairs(p).Create(t.Context(), pairOf(t, p, alias, "wso2am"))
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if diff := cmp.Diff(append(want, "wso2carbon"), aliases(t, file)); diff != "" {
		t.Error(diff)
	}
}

func TestInterruptedWait(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.jks")
	fresh(t, file)
	unlock, err := lockFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := oneStore(t, file)
	typ := trusted(p)
	_, err = typ.Create(ctx, planned(typ, map[string]any{"store": "s", "alias": "a", "certificate": sample(t, "wso2is.pem")}))
	if !errors.Is(err, context.Canceled) || !engine.Refused(err) {
		t.Errorf("%v", err)
	}
}

func TestDeclarations(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.jks")
	fresh(t, file)
	store := func(name, path, server string) map[string]any {
		m := map[string]any{"name": name, "path": path}
		if server != "" {
			m["server"] = server
		}
		return m
	}
	for _, c := range []struct {
		what string
		d    declared
		want string
	}{
		{"one name twice", declared{stores: []map[string]any{store("a", "x.jks", ""), store("a", "y.jks", "")}}, `store "a" is declared twice`},
		{"one file twice", declared{stores: []map[string]any{store("a", "x.jks", ""), store("b", "./x.jks", "")}}, "are one file"},
		{"an unknown server", declared{stores: []map[string]any{store("a", "x.jks", "apin")}, servers: []map[string]any{{"name": "apim"}}}, `Did you mean "apim"?`},
		{"one server twice", declared{servers: []map[string]any{{"name": "apim"}, {"name": "apim"}}}, `server "apim" is declared twice`},
	} {
		_, err := configured(t, c.d)
		wantError(t, c.what, err, c.want)
	}
	p := oneStore(t, file)
	_, err := trust(t, p, "t", "wso2is", "wso2is")
	wantError(t, "a store that is not declared", err, `"t" is no store of the provider block`, `Did you mean "s"?`)
	_, err = trust(t, p, file, "wso2is", "wso2is")
	wantError(t, "a declared store by its path", err, `is that of the store "s"; name it so`)
	if _, err := trust(t, p, filepath.Join(dir, "b.jks"), "wso2is", "wso2is"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", "s", "s#", "#wso2is", "s#%zz"} {
		_, err := trusted(p).Read(t.Context(), id)
		wantError(t, "the id "+id, err, "is no id of an entry")
	}
	realms := map[string]string{}
	for _, name := range []string{"", "production"} {
		p := New()
		p.getenv = func(v string) string {
			if v == "KEYSTORE_INSTALLATION" {
				return name
			}
			return ""
		}
		b := p.Schema()
		if realms[name], _, err = p.Configure(t.Context(), b.Object(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]string{"": "keystore", "production": "keystore:production"}, realms); diff != "" {
		t.Error(diff)
	}
}
