package keystore

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wso2plan/engine"
)

// A store keeps its mode, its owner, its other entries and, when it is a link, its place.
func TestFileKept(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.jks"), filepath.Join(dir, "link.jks")
	fresh(t, file)
	if err := os.Chmod(file, 0o664); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.jks", link); err != nil {
		t.Fatal(err)
	}
	root := os.Geteuid() == 0
	if root {
		if err := os.Chown(file, 802, 802); err != nil {
			t.Fatal(err)
		}
	}
	// A run that was killed while it wrote left this.
	if err := os.WriteFile(filepath.Join(dir, ".real.jks"+newInfix+"1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := oneStore(t, link)
	if _, err := trust(t, p, "s", "wso2is", "wso2is"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o664 {
		t.Errorf("the mode is now %v", info.Mode())
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && root && (stat.Uid != 802 || stat.Gid != 802) {
		t.Errorf("the owner is now %d:%d", stat.Uid, stat.Gid)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is no link any more: %v, %v", info, err)
	}
	if diff := cmp.Diff([]string{"authority", "wso2carbon", "wso2is"}, aliases(t, file)); diff != "" {
		t.Error(diff)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A file or folder that its user may not touch. Root may do everything, so as root this thread
// takes on another user's rights.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.jks")
	fresh(t, file)
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	as := func(work func() error) error { return work() }
	if os.Geteuid() == 0 {
		as = func(work func() error) error { return accessAs(802, work) }
	}
	modes := func(onFile, onDir os.FileMode) {
		t.Helper()
		if err := errors.Join(os.Chmod(file, onFile), os.Chmod(dir, onDir)); err != nil {
			t.Fatal(err)
		}
	}
	modes(0o200, 0o755)
	err := as(func() error { _, err := trusted(oneStore(t, file)).Read(t.Context(), "s#a"); return err })
	wantError(t, "a file that may not be read", err, "cannot be read", "permission denied", "Run as a user who may")
	modes(0o644, 0o555)
	err = as(func() error { _, err := trust(t, oneStore(t, file), "s", "a", "wso2is"); return err })
	wantError(t, "a folder that may not be written", err, "cannot be written", "permission denied", "Run as a user who may")
	if !engine.Refused(err) {
		t.Error("nothing was written, and the error does not say so")
	}
	modes(0o644, 0o755)
}

// TestRealMount does it with a real mount, where the machine lets us make one.
func TestRealMount(t *testing.T) {
	dir := t.TempDir()
	source, file := filepath.Join(dir, "source.jks"), filepath.Join(dir, "mounted.jks")
	fresh(t, source)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "--bind", source, file).CombinedOutput(); err != nil {
		t.Logf("NOT TESTED with a real mount, which this machine does not allow: %v: %s", err, out)
		return
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", file).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	if _, err := trust(t, oneStore(t, file), "s", "wso2is", "wso2is"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"authority", "wso2carbon", "wso2is"}, aliases(t, source)); diff != "" {
		t.Error(diff)
	}
	if exists(file + backupSuffix) {
		t.Error("the backup was left")
	}
}

// accessAs does work with the rights that another user has on files. Only this thread has them.
func accessAs(uid int, work func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, uintptr(uid), 0, 0); errno != 0 {
		return errno
	}
	defer syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
	return work()
}
