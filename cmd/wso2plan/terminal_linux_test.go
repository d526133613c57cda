package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wso2plan/providers/sandbox"
)

// A screen is a pseudo-terminal on which a command runs.
type screen struct {
	t    *testing.T
	ptmx *os.File
	cmd  *exec.Cmd

	mu   sync.Mutex
	text bytes.Buffer
	done chan struct{}
}

// onScreen starts wso2plan on a terminal, in dir.
func onScreen(t *testing.T, dir string, env []string, args ...string) *screen {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	s := &screen{t: t, ptmx: ptmx, done: make(chan struct{})}
	s.cmd = exec.Command("wso2plan", args...)
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), append([]string{"TERM=xterm", "NO_COLOR="}, env...)...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.done)
		b := make([]byte, 4096)
		for {
			n, err := ptmx.Read(b)
			s.mu.Lock()
			s.text.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return // EIO, once the command has closed its side
			}
		}
	}()
	return s
}

func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.text.String(), "\r\n", "\n")
}

// expect waits until the screen shows text.
func (s *screen) expect(text string) {
	s.t.Helper()
	for range 1000 {
		if strings.Contains(s.shown(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("the screen does not show %q but:\n%s", text, s.shown())
}

func (s *screen) enter(text string) {
	s.t.Helper()
	if _, err := s.ptmx.WriteString(text + "\n"); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for the command and returns its exit status.
func (s *screen) end() int {
	s.cmd.Wait()
	<-s.done
	s.ptmx.Close()
	return s.cmd.ProcessState.ExitCode()
}

// TestTerminal holds what is different on a terminal: colours, boxes, questions, a line that is
// rewritten.
func TestTerminal(t *testing.T) {
	s, err := sandbox.Start(context.Background(), sandbox.Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	env, err := s.Env(dir)
	if err != nil {
		t.Fatal(err)
	}
	config := `
variable "title" {
  type        = string
  description = "What ann is."
}

variable "password" {
  type      = string
  sensitive = true
}

resource "is_user" "ann" {
  user_name = "ann"
  password  = var.password
  title     = var.title
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}

	t.Run("ask", func(t *testing.T) {
		c := onScreen(t, dir, env, "apply")
		c.expect("var.password")
		c.expect("Enter a value:")
		c.enter("Unseen-pass-1")
		c.expect("What ann is.")
		c.enter("Clerk")
		c.expect("Do you want to perform these actions?")
		c.enter("yes")
		if status := c.end(); status != 0 {
			t.Errorf("exit status %d:\n%s", status, c.shown())
		}
		shown := c.shown()
		for _, want := range []string{"\x1b[32m+\x1b[0m", "Apply complete! Resources: 1 added"} {
			if !strings.Contains(shown, want) {
				t.Errorf("the screen does not show %q but:\n%s", want, shown)
			}
		}
		if strings.Contains(shown, "Unseen-pass-1") {
			t.Errorf("the screen shows the password:\n%s", shown)
		}
	})
	t.Run("no", func(t *testing.T) {
		c := onScreen(t, dir, env, "destroy", "-var=title=Clerk", "-var=password=Unseen-pass-1")
		c.expect("Do you really want to destroy all resources?")
		c.enter("no")
		if status := c.end(); status != 1 {
			t.Errorf("exit status %d, want 1", status)
		}
		c.expect("Destroy cancelled.")
	})
	t.Run("no colour", func(t *testing.T) {
		for _, c := range []*screen{
			onScreen(t, dir, env, "plan", "-no-color", "-var=title=Boss", "-var=password=Unseen-pass-1"),
			onScreen(t, dir, append([]string{"NO_COLOR=1"}, env...), "plan", "-var=title=Boss", "-var=password=Unseen-pass-1"),
		} {
			if status := c.end(); status != 0 {
				t.Errorf("exit status %d:\n%s", status, c.shown())
			}
			if shown := c.shown(); strings.Contains(shown, "\x1b[3") || !strings.Contains(shown, "Plan: 0 to add, 1 to change") {
				t.Errorf("the screen shows:\n%q", shown)
			}
		}
	})
	t.Run("error", func(t *testing.T) {
		c := onScreen(t, dir, env, "plan", "-input=false")
		if status := c.end(); status != 1 {
			t.Errorf("exit status %d, want 1", status)
		}
		c.expect("╷")
		c.expect("No value for required variable")
	})
}
