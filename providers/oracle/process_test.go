package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

const (
	buildLimit = 30 * time.Minute // the first build fetches 200 MB, with a JVM for each file
	startLimit = 4 * time.Minute
	stopLimit  = 20 * time.Second
)

// oracles returns the folder of the programs that run the real servers, and skips the test where
// there is none.
func oracles(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WSO2PLAN_ORACLES")
	if dir == "" {
		t.Skip("NOT RUN against WSO2's own code: WSO2PLAN_ORACLES does not name the folder of the oracles (make oracles sets it)")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("WSO2PLAN_ORACLES: %v", err)
	}
	return dir
}

// cache returns the folder in which built servers are kept.
func cache(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WSO2PLAN_ORACLE_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(user, "wso2plan", "oracles")
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A process is a running server.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *capture
	hold *os.File // the server lives as long as this is open
	done chan struct{}
}

// A capture keeps what a server prints: in a file, and the newest of it in memory.
type capture struct {
	mu   sync.Mutex
	file *os.File
	all  bytes.Buffer
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.Write(p)
	return c.file.Write(p)
}

func (c *capture) contains(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.all.Bytes(), []byte(text))
}

// tail returns the last lines.
func (c *capture) tail() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.all.Bytes()
	return string(text[max(0, len(text)-3000):])
}

// guard runs a server in a process group of its own, and ends the group when its standard input
// does: the kernel closes that when this process ends, in whatever way (a failure, a time-out, an
// interrupt, a kill). The servers keep nothing, so there is nothing that they should finish.
const guard = `
{ "$@" </dev/null; kill -KILL 0; } &
cat >/dev/null
kill -KILL 0
`

// launch starts a server and waits until its log holds the text ready.
func launch(t *testing.T, name, ready string, env []string, command ...string) *process {
	t.Helper()
	file, err := os.Create(filepath.Join(cache(t), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{name: name, log: &capture{file: file}, hold: write, done: make(chan struct{})}
	p.cmd = exec.Command("sh", append([]string{"-c", guard, "sh"}, command...)...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = read, p.log, p.log
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = read.Close()
	go func() {
		_ = p.cmd.Wait() // it is always ended by a signal
		close(p.done)
	}()
	t.Cleanup(func() { p.stop(t) })
	began := time.Now()
	for !p.log.contains(ready) {
		select {
		case <-p.done:
			t.Fatalf("%s ended before it was ready; %s ends with:\n%s", name, file.Name(), p.log.tail())
		case <-time.After(100 * time.Millisecond):
		}
		if time.Since(began) > startLimit {
			t.Fatalf("%s was not ready within %s; %s ends with:\n%s", name, startLimit, file.Name(), p.log.tail())
		}
	}
	t.Logf("%s is ready after %.1f s", name, time.Since(began).Seconds())
	return p
}

// stop ends a server and everything that it started.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.hold.Close()
	select {
	case <-p.done:
	case <-time.After(stopLimit):
		t.Errorf("%s did not end within %s", p.name, stopLimit)
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
	_ = p.log.file.Close()
}

// run runs a command to its end.
func run(t *testing.T, limit time.Duration, env []string, command ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("took longer than %s", limit)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out[max(0, len(out)-3000):])
	}
}

// free returns the first of the steps (0, 10, 20, …) that, added to each port, gives ports on which
// nobody listens, and that no other run on this machine has taken: a server takes its time until it
// listens.
func free(t *testing.T, ports ...int) int {
	t.Helper()
next:
	for step := 0; step < 1000; step += 10 {
		taken := flock.New(filepath.Join(os.TempDir(), fmt.Sprintf("wso2plan-oracle-%d.lock", ports[0]+step)))
		if ok, err := taken.TryLock(); err != nil {
			t.Fatal(err)
		} else if !ok {
			continue
		}
		for _, port := range ports {
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port+step))
			if err != nil {
				_ = taken.Unlock()
				continue next
			}
			_ = l.Close()
		}
		t.Cleanup(func() { _ = taken.Unlock() })
		return step
	}
	t.Fatalf("nothing is free near the ports %v", ports)
	return 0
}
