package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"wso2plan/engine/store/storetest"
)

// asNobody calls f without root's right to open every file.
func asNobody(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Geteuid() == 0 {
		syscall.Setfsuid(65534)
		defer syscall.Setfsuid(0)
	}
	f()
}

func TestDenied(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.state")
	s := lock(t, openAt(t, path), "a")
	commitNow(t, s, put("a"))
	closeNow(t, s)
	if _, _, err := Keys(openAt(t, path), noEnv, false); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{filepath.Dir(dir): 0o755, path: 0, path + ".key": 0, dir: 0o555} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	store := openAt(t, path)
	var read, locked, key error
	asNobody(func() {
		_, _, read = store.Read(context.Background())
		_, locked = store.Lock(context.Background(), storetest.Holder("b"))
		_, _, key = Keys(store, noEnv, true)
	})
	for want, err := range map[string]error{
		"cannot read the store":    read,
		"cannot lock or unlock":    locked,
		"cannot read the key file": key,
	} {
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
