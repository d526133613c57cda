package keystore

import (
	"runtime"
	"syscall"
)

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
