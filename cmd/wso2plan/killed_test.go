package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wso2plan/providers/sandbox"
)

// TestKilledAnywhere kills an apply at each of its writes, before it is served and after, and holds
// that the next apply converges: the plan after it is empty, every object exists once, and destroy
// leaves nothing behind.
func TestKilledAnywhere(t *testing.T) {
	config := `
resource "is_user" "staff" {
  for_each  = toset(["ann", "bob"])
  user_name = each.key
  password  = "Change-me-1"
}

resource "is_role" "finance" {
  display_name = "finance"
  users        = [for u in is_user.staff : u.id]
}

resource "apim_application" "shop" {
  name              = "shop"
  throttling_policy = "Unlimited"
}

resource "apim_application_keys" "shop" {
  application_id = apim_application.shop.id
  key_type       = "PRODUCTION"
  grant_types    = ["client_credentials"]
}

resource "apim_key_manager" "resident" {
  name        = "Resident Key Manager"
  type        = "default"
  description = "Ours for a while"
}
`
	f := &strikes{}
	s, err := sandbox.Start(context.Background(), sandbox.Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0", Middleware: f.wrap})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fresh := holdings(t, s)
	var whole map[string][]string
	for n := 1; ; n++ {
		ended := true
		for _, after := range []bool{false, true} {
			dir := t.TempDir()
			env, err := s.Env(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			wso2plan := func(args ...string) ([]byte, error) {
				cmd := exec.Command("wso2plan", args...)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
				return cmd.CombinedOutput()
			}
			must := func(args ...string) {
				t.Helper()
				if out, err := wso2plan(args...); err != nil {
					t.Fatalf("write %d, after %t: wso2plan %s: %v\n%s", n, after, strings.Join(args, " "), err, out)
				}
			}
			struck := f.strike(n, after, func() { killHolder(t, dir) })
			out, err := wso2plan("apply", "-auto-approve")
			if !struck() {
				if err != nil {
					t.Fatalf("the apply failed by itself: %v\n%s", err, out)
				}
			} else {
				ended = false
			}
			must("apply", "-auto-approve")
			must("plan", "-detailed-exitcode")
			now := holdings(t, s)
			if whole == nil {
				whole = now
			}
			if diff := cmp.Diff(whole, now); diff != "" {
				t.Fatalf("write %d, after %t: the servers hold (-want +got):\n%s", n, after, diff)
			}
			must("destroy", "-auto-approve")
			if diff := cmp.Diff(fresh, holdings(t, s)); diff != "" {
				t.Fatalf("write %d, after %t: destroy leaves (-want +got):\n%s", n, after, diff)
			}
		}
		if ended {
			if n < 5 {
				t.Fatalf("only %d writes were struck", n-1)
			}
			return
		}
	}
}

// holdings are the names of what a sandbox holds, by kind.
func holdings(t *testing.T, s *sandbox.Sandbox) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for kind := range kinds {
		names, err := newLive(s).names(kind)
		if err != nil {
			t.Fatal(err)
		}
		all[kind] = names
	}
	return all
}

// killHolder kills the process that holds the lock of the store in dir.
func killHolder(t *testing.T, dir string) {
	if err := signalLocked(filepath.Join(dir, "wso2plan.state.lock.info"), os.Kill); err != nil {
		t.Error(err)
	}
}

// signalLocked signals the process that a lock's file names. After a kill it waits a moment, until
// the process is gone.
func signalLocked(file string, sig os.Signal) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("no process holds the lock: %w", err)
	}
	var holder struct{ PID int }
	if err := json.Unmarshal(text, &holder); err != nil {
		return fmt.Errorf("unreadable lock: %w", err)
	}
	p, err := os.FindProcess(holder.PID)
	if err != nil {
		return err
	}
	if err := p.Signal(sig); err != nil {
		return err
	}
	if sig == os.Kill {
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}
