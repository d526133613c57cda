package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// A killing is a place at which a run of the program is killed: at its nth write to a server, before
// it was served or after, or at its nth diskCall.
type killing struct {
	disk  bool
	nth   int
	after bool
}

func (k killing) String() string {
	when, what := "before", "write"
	if k.after {
		when = "after"
	}
	if k.disk {
		what = "disk call"
	}
	return fmt.Sprintf("%s %s %d", when, what, k.nth)
}

func (k killing) kind() string {
	switch {
	case k.disk && k.after:
		return "kill -9 after a write, fsync or rename of the store"
	case k.disk:
		return "kill -9 before a write, fsync or rename of the store"
	case k.after:
		return "kill -9 after a write to a server"
	}
	return "kill -9 before a write to a server"
}

var killKinds = []string{
	killing{}.kind(), killing{after: true}.kind(), killing{disk: true}.kind(), killing{disk: true, after: true}.kind(),
}

// command is the program, in the folder of the stage.
func (s *stage) command(c scenario) *exec.Cmd {
	args := []string{"apply", "-auto-approve"}
	switch {
	case c.destroy:
		args[0] = "destroy"
	case c.planOnly:
		args = []string{"plan", "-detailed-exitcode"}
	}
	cmd := exec.Command("wso2plan", args...)
	cmd.Dir, cmd.Env = s.dir, os.Environ()
	for name, value := range s.vars {
		cmd.Env = append(cmd.Env, "WSO2PLAN_VAR_"+name+"="+value)
	}
	return cmd
}

// kill runs a scenario and kills it. struck is false when it came to its end before that; calls is
// how many diskCalls it came by.
func (s *stage) kill(c scenario, at killing) (struck bool, calls int, output string, err error) {
	out, err := os.Create(filepath.Join(s.dir, "output.txt"))
	if err != nil {
		return false, 0, "", err
	}
	defer out.Close()
	cmd := s.command(c)
	if at.disk {
		struck, calls, err = killedAtDisk(cmd, out, diskCall{at.nth, at.after})
	} else {
		cmd.Stdout, cmd.Stderr = out, out
		var killed atomic.Bool
		acted := s.strikes.strike(at.nth, at.after, func() {
			killed.Store(true)
			cmd.Process.Kill()
		})
		err = cmd.Run()
		struck = acted()
		if killed.Load() {
			err = nil
		}
	}
	text, _ := os.ReadFile(out.Name())
	return struck, calls, string(text), err
}

// tryKilled kills a run and holds that the next apply brings all to where it would have been.
func (s *stage) tryKilled(c scenario, at killing) (v verdict) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := s.begin(ctx, c); err != nil {
		v.bad = err.Error()
		return v
	}
	struck, _, output, err := s.kill(c, at)
	v.struck = struck
	if err == nil {
		err = s.script.Quiet(ctx)
	}
	if err != nil {
		v.bad = fmt.Sprintf("%v:\n%s", err, output)
		return v
	}
	v.byHand, v.bad = s.converges(ctx, c, output, false)
	return v
}

// killings are the places of a stage's scenarios: at their writes to servers, and their diskCalls.
func (s *stage) killings(name string) (out []task, err error) {
	for i, c := range s.scenarios {
		if c.planOnly {
			continue
		}
		add := func(at killing) {
			out = append(out, task{name: fmt.Sprintf("%s: %s; kill -9 %s", name, c.name, at), kind: at.kind(), stage: name, run: i, kill: &at})
		}
		n := 0
		for _, p := range s.places[c.name] {
			if p.method != "GET" && !betweenServers(p.fault()) {
				n++
			}
		}
		for nth := 1; nth <= n; nth++ {
			add(killing{nth: nth})
			add(killing{nth: nth, after: true})
		}
		if err := s.begin(context.Background(), c); err != nil {
			return nil, err
		}
		_, calls, output, err := s.kill(c, killing{disk: true})
		if err != nil || calls == 0 {
			return nil, fmt.Errorf("%s: %d disk calls: %w\n%s", c.name, calls, err, output)
		}
		for nth := 1; nth <= calls; nth++ {
			add(killing{disk: true, nth: nth})
			add(killing{disk: true, nth: nth, after: true})
		}
	}
	return out, nil
}

// TestKilled kills the program at each of its writes to a server and to its store, and holds that
// the next plan and apply converge: nothing twice, nothing lost, nothing left behind.
func TestKilled(t *testing.T) {
	stage := smallStage(t)
	s, err := stage(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := s.killings("small")
	s.Close()
	if err != nil {
		t.Fatal(err)
	}
	do(&troupe{t: t, make: map[string]makeStage{"small": stage}, real: true, size: 6}, tasks, killKinds, 5*time.Second)
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
