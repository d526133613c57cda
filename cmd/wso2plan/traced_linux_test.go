package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

// A diskCall is a system call of wso2plan's by which its store changes: a write to one of its files,
// an fsync, a rename.
type diskCall struct {
	nth   int  // of them, counted from 1
	after bool // when it has ended, not when it begins
}

// What is used of ptrace(2) and not in package syscall.
const (
	ptraceExitKill       = 0x100000
	ptraceSyscallInfo    = 0x420e
	waitOwnChildren      = 0x20000000 // __WNOTHREAD: no other thread's children
	syscallStop          = syscall.SIGTRAP | 0x80
	syscallEntry         = 1
	syscallInfoSize      = 88
	traceThreadsAndCalls = syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACESYSGOOD | ptraceExitKill
)

// syscallInfo is struct ptrace_syscall_info, of an entry.
type syscallInfo struct {
	op   uint8
	_    [7]byte
	_    [2]uint64
	nr   uint64
	args [6]uint64
	_    [2]uint64
}

// killedAtDisk runs a command and kills it at one of its diskCalls, as kill -9 does: between two
// instructions, all threads at once. It reports whether that call came, and how many did. The output
// goes to a file.
func killedAtDisk(cmd *exec.Cmd, out *os.File, at diskCall) (killed bool, calls int, err error) {
	// Only the thread that began to trace may go on with it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return false, 0, err
	}
	pid := cmd.Process.Pid
	defer cmd.Process.Release()
	var status syscall.WaitStatus
	if _, err := wait(pid, &status); err != nil {
		return false, 0, err
	}
	if err := syscall.PtraceSetOptions(pid, traceThreadsAndCalls); err != nil {
		return false, 0, err
	}
	if err := syscall.PtraceSyscall(pid, 0); err != nil {
		return false, 0, err
	}
	inside := map[int]int{} // thread: the diskCall that it is in
	for {
		thread, err := wait(-1, &status)
		switch {
		case err != nil:
			return killed, calls, err
		case status.Exited() || status.Signaled():
			if thread != pid {
				continue
			}
			if !killed && (status.Signaled() || status.ExitStatus() != 0) {
				return false, calls, fmt.Errorf("the command ended by itself: %v", status)
			}
			return killed, calls, nil
		case !status.Stopped():
			continue
		}
		deliver := 0
		switch signal := status.StopSignal(); {
		case signal == syscallStop:
			info, err := syscallOf(thread)
			if err != nil {
				if errors.Is(err, syscall.ESRCH) {
					continue // killed meanwhile
				}
				return killed, calls, err
			}
			now := diskCall{}
			if info.op == syscallEntry && changesDisk(pid, info) {
				calls++
				inside[thread] = calls
				now = diskCall{nth: calls}
			} else if n := inside[thread]; n > 0 && info.op != syscallEntry {
				delete(inside, thread)
				now = diskCall{nth: n, after: true}
			}
			if now.nth > 0 && now == at {
				killed = true
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					return killed, calls, err
				}
				continue
			}
		case signal == syscall.SIGTRAP, signal == syscall.SIGSTOP:
			// A new thread, or the stop that it begins with.
		default:
			deliver = int(signal)
		}
		if err := syscall.PtraceSyscall(thread, deliver); err != nil && !errors.Is(err, syscall.ESRCH) {
			return killed, calls, err
		}
	}
}

func wait(pid int, status *syscall.WaitStatus) (thread int, err error) {
	for {
		thread, err = syscall.Wait4(pid, status, syscall.WALL|waitOwnChildren, nil)
		if err != syscall.EINTR {
			return thread, err
		}
	}
}

func syscallOf(thread int) (info syscallInfo, err error) {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, ptraceSyscallInfo, uintptr(thread), syscallInfoSize, uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		return info, errno
	}
	return info, nil
}

// changesDisk reports whether a call is one by which a store changes.
func changesDisk(pid int, info syscallInfo) bool {
	switch info.nr {
	case syscall.SYS_FSYNC, syscall.SYS_RENAMEAT:
		return true
	case syscall.SYS_WRITE:
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, info.args[0]))
		return err == nil && strings.Contains(name, storeFile)
	}
	return false
}
