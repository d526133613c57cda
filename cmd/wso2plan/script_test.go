package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wso2plan/providers/sandbox"
	"wso2plan/providers/sandbox/fault"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wso2plan": main, "ask": ask})
}

// TestScript runs the stories of testdata/script. Beside testscript's own commands they have:
//
//	sandbox [-latency=D] [-seed=N] [-issuer=URL] [-security=DIR] [-resolve=HOST:PORT=ADDR]...
//	                                               start the two servers; sets APIM_… and IS_…
//	drift METHOD PATH [FILE]                       change an object behind our back; see live.go
//	synced [FLAG]...                               the plan is empty
//	live KIND                                      print the names of what the servers hold
//	masked stdout|stderr FILE                      write what was printed to FILE, with <id> and <port> for what varies
//	fault SERVER METHOD PATH STATUS [FILE]         the server answers so; fault off: no longer
//	faults FILE                                    the servers fail as the fault script in FILE says; fault off: no longer
//	killed before|after N COMMAND...               kill -9 as the Nth write reaches the server, or was done
//	interrupted [twice] N COMMAND...               Ctrl-C as the Nth write reaches the server
//	hold                                           writes wait; hold off: no longer
//	exec ask METHOD URL                            send a request without verifying; the answer is printed, 4xx and 5xx fail
//	backend VARIABLE                               start a backend for sandbox -resolve; sets its address
//	token CLIENT VARIABLE [SCOPE]...               a token with the keys of examples/platform
//	certificate NAME VARIABLE                      make a client certificate; sets it as a string of HCL
//	call [-token=T] [-cert=NAME] [-header=H]... STATUS METHOD PATH   call the gateway until the status is that
//	edit FILE OLD NEW                              replace a text that is in the file once
//	locked                                         wait until a command holds the lock; $LOCK is its id
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		Setup:               setupScript,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Cmds:                scriptCommands,
	})
}

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"sandbox":     cmdSandbox,
	"drift":       cmdDrift,
	"synced":      cmdSynced,
	"live":        cmdLive,
	"masked":      cmdMasked,
	"fault":       cmdFault,
	"faults":      cmdFaults,
	"killed":      cmdKilled,
	"interrupted": cmdInterrupted,
	"hold":        cmdHold,
	"locked":      cmdLocked,
	"backend":     cmdBackend,
	"token":       cmdToken,
	"certificate": cmdCertificate,
	"call":        cmdCall,
	"edit":        cmdEdit,
}

type sandboxKey struct{}

// A scriptSandbox is the sandbox of one script, nil until it is started.
type scriptSandbox struct {
	*sandbox.Sandbox
	script  *fault.Script
	faults  []fault.Fault // those that are set
	strikes *strikes
}

func setupScript(e *testscript.Env) error {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	e.Setenv("EXAMPLES", filepath.Join(root, "examples"))
	e.Setenv("NO_COLOR", "1")
	e.Values[sandboxKey{}] = &scriptSandbox{}
	return nil
}

func theSandbox(ts *testscript.TestScript) *scriptSandbox {
	s := ts.Value(sandboxKey{}).(*scriptSandbox)
	if s.Sandbox == nil {
		ts.Fatalf("no sandbox was started")
	}
	return s
}

func cmdSandbox(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! sandbox")
	}
	opts := sandbox.Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0"}
	fs := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	fs.DurationVar(&opts.Latency, "latency", 0, "")
	fs.IntVar(&opts.Seed, "seed", 0, "")
	fs.StringVar(&opts.Issuer, "issuer", "", "")
	fs.StringVar(&opts.Security, "security", "", "")
	fs.Func("resolve", "", func(way string) error { opts.Resolve = append(opts.Resolve, way); return nil })
	ts.Check(fs.Parse(args))
	if opts.Security != "" {
		opts.Security = ts.MkAbs(opts.Security)
	}
	script, f := fault.New(), &strikes{}
	opts.Faults, opts.Middleware = script, f.wrap
	s, err := sandbox.Start(context.Background(), opts)
	ts.Check(err)
	ts.Defer(func() {
		f.open()
		s.Close()
	})
	dir := ts.MkAbs(".tmp-sandbox-" + strconv.FormatInt(time.Now().UnixNano(), 36))
	ts.Check(os.Mkdir(dir, 0o700))
	env, err := s.Env(dir)
	ts.Check(err)
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		ts.Setenv(name, value)
	}
	*ts.Value(sandboxKey{}).(*scriptSandbox) = scriptSandbox{Sandbox: s, script: script, strikes: f}
}

func cmdSynced(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec("wso2plan", append([]string{"plan", "-detailed-exitcode"}, args...)...)
	out := ts.ReadFile("stdout")
	if !neg {
		if err != nil {
			ts.Fatalf("the plan is not empty: %v", err)
		}
		if !strings.Contains(out, "No changes.") {
			ts.Fatalf("the plan does not say that it is empty")
		}
		return
	}
	if err == nil {
		ts.Fatalf("the plan is empty")
	}
	if !strings.Contains(err.Error(), "exit status 2") {
		ts.Fatalf("the plan failed: %v", err)
	}
}

func cmdDrift(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: drift METHOD PATH [FILE]")
	}
	var body []byte
	if len(args) == 3 {
		body = []byte(ts.ReadFile(args[2]))
	}
	ts.Check(newLive(theSandbox(ts).Sandbox, nil).change(args[0], args[1], body))
}

func cmdLive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: live KIND")
	}
	names, err := newLive(theSandbox(ts).Sandbox, nil).names(args[0])
	ts.Check(err)
	for _, name := range names {
		fmt.Fprintln(ts.Stdout(), name)
	}
}

var (
	varyingID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	varyingPort = regexp.MustCompile(`(localhost|127\.0\.0\.1):\d{4,5}`)
)

func cmdMasked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: masked stdout|stderr FILE")
	}
	text := varyingID.ReplaceAllString(ts.ReadFile(args[0]), "<id>")
	text = varyingPort.ReplaceAllString(text, "$1:<port>")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	s := theSandbox(ts)
	switch {
	case !neg && len(args) == 1 && args[0] == "off":
		s.faults = nil
	case !neg && (len(args) == 4 || len(args) == 5):
		code, err := strconv.Atoi(args[3])
		ts.Check(err)
		one := fault.Fault{Server: args[0], Method: args[1], Path: args[2] + "**", Kind: fault.Status, Code: code}
		if len(args) == 5 {
			one.Body = strings.TrimSpace(ts.ReadFile(args[4]))
		}
		s.faults = append(s.faults, one)
	default:
		ts.Fatalf("usage: fault SERVER METHOD PATH STATUS [FILE] or fault off")
	}
	s.script.Set(s.faults...)
}

func cmdFaults(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: faults FILE")
	}
	s := theSandbox(ts)
	var err error
	s.faults, err = fault.Parse(ts.ReadFile(args[0]))
	ts.Check(err)
	s.script.Set(s.faults...)
}

func cmdKilled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || args[0] != "before" && args[0] != "after" {
		ts.Fatalf("usage: killed before|after N COMMAND...")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	done := theSandbox(ts).strikes.strike(n, args[0] == "after", func() { signalHolder(ts, os.Kill) })
	if err := ts.Exec(args[2], args[3:]...); err == nil {
		ts.Fatalf("the command ended by itself")
	}
	if !done() {
		ts.Fatalf("the command made fewer than %d writes", n)
	}
}

func cmdInterrupted(ts *testscript.TestScript, neg bool, args []string) {
	twice := len(args) > 0 && args[0] == "twice"
	if twice {
		args = args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupted [twice] N COMMAND...")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	interrupt := func() { signalHolder(ts, os.Interrupt) }
	done := theSandbox(ts).strikes.pause(n, 300*time.Millisecond, interrupt)
	if twice {
		done = theSandbox(ts).strikes.pause(n, time.Minute, func() {
			interrupt()
			time.Sleep(100 * time.Millisecond)
			interrupt()
		})
	}
	if err := ts.Exec(args[1], args[2:]...); err == nil {
		ts.Fatalf("the command succeeded")
	}
	if !done() {
		ts.Fatalf("the command made fewer than %d writes", n)
	}
}

func cmdLocked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: locked")
	}
	for range 1000 {
		var holder struct{ ID string }
		text, err := os.ReadFile(ts.MkAbs("wso2plan.state.lock.info"))
		if err == nil && json.Unmarshal(text, &holder) == nil && holder.ID != "" {
			ts.Setenv("LOCK", holder.ID)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("nothing holds the lock")
}

func cmdHold(ts *testscript.TestScript, neg bool, args []string) {
	f := theSandbox(ts).strikes
	switch {
	case !neg && len(args) == 0:
		f.close()
	case !neg && len(args) == 1 && args[0] == "off":
		f.open()
	default:
		ts.Fatalf("usage: hold [off]")
	}
}
