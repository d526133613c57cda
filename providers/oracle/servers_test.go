package oracle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"
)

// apimParts starts a fresh API Manager and returns its address, "http://127.0.0.1:9763". Its
// administrator is admin:admin.
func apimParts(t *testing.T) string {
	t.Helper()
	if at := os.Getenv("WSO2PLAN_ORACLE_APIM"); at != "" {
		return at
	}
	from := filepath.Join(oracles(t), "apim-parts")
	dir := filepath.Join(cache(t), "apim-parts")
	alone(t, dir)
	home := filepath.Join(dir, "home")
	state := []string{"repository/database", "repository/conf/api-manager.xml", "repository/conf/deployment.toml"}
	kernel := filepath.Join(from, "..", "is-parts")
	if want := digest(t, from, kernel) + fmt.Sprint(patches); !has(filepath.Join(dir, "digest"), want) {
		t.Logf("building apim-parts in %s; the first time it fetches about 200 MB", dir)
		source := filepath.Join(dir, "source")
		patched(t, from, source)
		fetched(t, append(filesOfIS(t, kernel, filepath.Join(dir, "is")), filesOfAPIM(t, from, dir)...))
		run(t, buildLimit, []string{"IS_PARTS=" + kernel}, "bash", filepath.Join(source, "build.sh"), dir)
		for _, path := range state {
			replace(t, filepath.Join(home, path), filepath.Join(dir, "fresh", path))
		}
		write(t, filepath.Join(dir, "digest"), want)
	}
	// A fresh build is a fresh server; so is one with the database of a fresh build.
	for _, path := range state {
		replace(t, filepath.Join(dir, "fresh", path), filepath.Join(home, path))
	}
	step := free(t, 9763, 9463, 9783, 9443+20)
	port := fmt.Sprint(9763 + step)
	edit(t, filepath.Join(home, "repository/conf/api-manager.xml"), "127.0.0.1:9763", "127.0.0.1:"+port)
	edit(t, filepath.Join(home, "repository/conf/deployment.toml"), "offset = 20", fmt.Sprintf("offset = %d", 20+step))
	launch(t, "apim-parts", "apim: listening", []string{"JAVA_TOOL_OPTIONS=-Dapim.port=" + port}, "bash", filepath.Join(dir, "start.sh"))
	return "http://127.0.0.1:" + port
}

// charon starts a SCIM2 server with an empty store and returns its address, to which "/scim2/Users"
// is added.
func charon(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(cache(t), "charon")
	alone(t, dir)
	lib := filepath.Join(dir, "lib")
	fetched(t, filesOfCharon(lib))
	port := fmt.Sprint(9480 + free(t, 9480))
	launch(t, "charon", "charon ready on", []string{"CHARON_LIB=" + lib}, filepath.Join(oracles(t), "charon", "run.sh"), port)
	return "http://127.0.0.1:" + port
}

// alone waits until no other run uses dir, and keeps it until the test has ended.
func alone(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		t.Logf("waiting for another run that uses %s", dir)
		err = lock.Lock()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Unlock() })
}

// digest identifies what a server is built from, recordings aside.
func digest(t *testing.T, dirs ...string) string {
	t.Helper()
	sum := sha256.New()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && strings.HasPrefix(d.Name(), "recorded"):
				return fs.SkipDir
			case d.IsDir():
				return nil
			}
			text, err := os.ReadFile(path)
			fmt.Fprintf(sum, "%s %d\n%s\n", path, len(text), text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func has(file, text string) bool {
	got, err := os.ReadFile(file)
	return err == nil && string(got) == text
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// edit replaces text that a file must hold.
func edit(t *testing.T, file, old, text string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	write(t, file, strings.ReplaceAll(string(got), old, text))
}

// replace makes to a copy of the file or folder from.
func replace(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else {
		var text []byte
		if text, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
