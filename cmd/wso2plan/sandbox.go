package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"wso2plan/providers/sandbox"
	"wso2plan/providers/sandbox/fault"
)

func sandboxCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "sandbox",
		Usage:     "serve an API Manager with its gateway and an Identity Server of this machine's own, to try things on",
		ArgsUsage: "[-- COMMAND [ARGUMENT]...]",
		Description: "Serves both over HTTPS, as strict and as odd as the real ones, with a certificate authority of its own: API Manager on " +
			"https://localhost:9443, its gateway on https://localhost:8243, and Identity Server on https://localhost:9444, until interrupted. Their administrator is admin, password admin. " +
			"Identity Server is set up as API Manager's key manager must be: it grants every scope that is registered, and takes roles named system_….\n\n" +
			"With a command: serves on free ports, runs the command with APIM_ENDPOINT, APIM_GATEWAY, IS_ENDPOINT, APIM_USERNAME and so on set, and ends with it. " +
			"Write -- before the command.\n\n" +
			"A fault script makes requests fail, one fault on each line, as SERVER METHOD PATH WHEN FAULT:\n\n" +
			"  is POST /scim2/Users 2 cut after\n" +
			"  apim read * 1-3 status 429 retry-after=1 {\"message\": \"Too many requests\"}\n" +
			"  * GET * 10- delay 2s\n\n" +
			"SERVER is apim, is or *. METHOD is one of HTTP's, read, write or *. In PATH, * is any text without slashes, ** any text; a * alone is all. WHEN says which of the requests that match: " +
			"3, 2-4, 3- or all. FAULT is status [after] CODE [retry-after=SECONDS] [BODY], delay [after] DURATION, cut [after], half (the answer " +
			"breaks off), stale (lists lack what was just made) or lost (a key manager is stored and not loaded); after means that the write took " +
			"effect. Lines that begin with # are comments.\n\n" +
			"EXIT STATUS: 0 done, 1 error; with a command that command's.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "free-ports", Usage: "serve on free ports in place of 9443, 8243 and 9444"},
			&cli.DurationFlag{Name: "latency", Usage: "`DURATION` that each request waits, such as 20ms"},
			&cli.StringFlag{Name: "data", Usage: "keep the contents in `FILE`", TakesFile: true},
			&cli.IntFlag{Name: "seed", Usage: "`NUMBER` of objects to make for load"},
			&cli.StringFlag{Name: "security", Usage: "keep both servers' key and trust stores in `DIR`: each shows the certificate of its own and trusts its own alone, as read at start or at POST /_restart", TakesFile: true},
			&cli.StringFlag{Name: "issuer", Usage: "`URL` that Identity Server's tokens name as their issuer"},
			&cli.StringFlag{Name: "faults", Usage: "fail as the fault script in `FILE` says", TakesFile: true},
			&cli.DurationFlag{Name: "index-lag", Usage: "`DURATION` that lists and searches of APIs lag behind; 0 is none", Value: 300 * time.Millisecond},
			&cli.DurationFlag{Name: "gateway-lag", Usage: "`DURATION` that a change takes to reach the gateway; 0 is none", Value: 150 * time.Millisecond},
			&cli.StringSliceFlag{Name: "resolve", Usage: "`HOST:PORT=ADDR`: where calls of the servers and of the gateway to HOST:PORT go, as curl's; can be repeated"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			opts := sandbox.Options{
				Latency:  cmd.Duration("latency"),
				DataFile: cmd.String("data"),
				Seed:     cmd.Int("seed"),
				Issuer:   cmd.String("issuer"),
				Resolve:  cmd.StringSlice("resolve"),
				Security: cmd.String("security"),
			}
			for flag, lag := range map[string]*time.Duration{"index-lag": &opts.IndexLag, "gateway-lag": &opts.GatewayLag} {
				if *lag = cmd.Duration(flag); *lag < 0 {
					return usageError(t, cmd, fmt.Errorf("-%s cannot be negative", flag))
				}
				if *lag == 0 {
					*lag = -1 // of the options, zero is the default
				}
			}
			if opts.Seed < 0 || opts.Latency < 0 {
				return usageError(t, cmd, errors.New("-seed and -latency cannot be negative"))
			}
			if file := cmd.String("faults"); file != "" {
				var err error
				if opts.Faults, err = readFaults(file); err != nil {
					return t.problem("Unusable fault script", sentence(err))
				}
			}
			if cmd.Bool("free-ports") || cmd.Args().Present() {
				opts.APIMAddr, opts.ISAddr = "127.0.0.1:0", "127.0.0.1:0"
			}
			if cmd.Args().Present() {
				return t.sandboxWith(ctx, opts, cmd.Args().Slice())
			}
			return t.sandboxUntilInterrupted(ctx, opts)
		},
	}
}

func readFaults(file string) (*fault.Script, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	faults, err := fault.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("in %s, %w", file, err)
	}
	return fault.New(faults...), nil
}

// sandboxUntilInterrupted serves and says where.
func (t *terminal) sandboxUntilInterrupted(ctx context.Context, opts sandbox.Options) error {
	interrupted, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := sandbox.Start(ctx, opts)
	if errors.Is(err, syscall.EADDRINUSE) {
		return t.problem("Sandbox not started", sentence(err)+" End what listens there, or give -free-ports.")
	}
	if err != nil {
		return t.problem("Sandbox not started", sentence(err))
	}
	dir, err := os.MkdirTemp("", "wso2plan-sandbox-")
	if err != nil {
		return errors.Join(err, s.Close())
	}
	defer os.RemoveAll(dir)
	env, err := s.Env(dir)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	fmt.Fprintf(t.out, "API Manager     %s\nGateway         %s\nIdentity Server %s\n\nIn another shell:\n\n", s.APIM(), s.Gateway(), s.IS())
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(t.out, "  export %s=%s\n", name, shellQuoted(value))
	}
	fmt.Fprint(t.out, "\nCtrl-C ends it.\n")
	t.flush()
	<-interrupted.Done()
	return s.Close()
}

// sandboxWith serves while a command runs. The command gets the signals itself: it
// is in the terminal's foreground, so we only wait for it.
func (t *terminal) sandboxWith(ctx context.Context, opts sandbox.Options, command []string) error {
	s, err := sandbox.Start(ctx, opts)
	if err != nil {
		return t.problem("Sandbox not started", sentence(err))
	}
	defer s.Close()
	dir, err := os.MkdirTemp("", "wso2plan-sandbox-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	env, err := s.Env(dir)
	if err != nil {
		return err
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return t.problem("Command not started", sentence(err))
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	child := exec.Command(path, command[1:]...)
	child.Args[0] = command[0]
	child.Env = append(os.Environ(), env...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		return t.problem("Command not started", sentence(err))
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case sig := <-signals:
			// Ctrl-C reaches the child by itself; what is sent to us alone we pass on.
			if sig == syscall.SIGTERM {
				child.Process.Signal(sig)
			}
		case err := <-ended:
			var exit *exec.ExitError
			switch {
			case errors.As(err, &exit) && exit.ExitCode() > 0:
				return exitStatus(exit.ExitCode())
			case err != nil:
				return t.problem("Command ended by a signal", sentence(err))
			}
			return s.Close()
		}
	}
}

// shellQuoted writes a value for a POSIX shell.
func shellQuoted(s string) string {
	for _, r := range s {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-", r) {
			return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return s
}
