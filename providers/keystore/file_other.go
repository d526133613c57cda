//go:build !unix

package keystore

import (
	"io/fs"
	"os"
)

// isMounted reports whether err says that a file cannot be replaced since it is a mount: elsewhere
// than on Unix, files are not mounted one by one.
func isMounted(error) bool { return false }

// giveTo does nothing: a new file has the owner whom its folder gives it.
func giveTo(*os.File, fs.FileInfo) error { return nil }

// syncFolder does nothing: a rename is written with the file.
func syncFolder(string) error { return nil }

// tryLockFolder does nothing: the turns of this process must suffice.
func tryLockFolder(string) (release func(), err error) { return func() {}, nil }
