package keystore

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/providers/keystore/container"
)

// A server reads stores when it starts.
type server struct {
	name    string
	restart *restart // nil: by hand
}

// A restart is how a server is restarted.
type restart struct {
	command []string
	waitURL string
	timeout time.Duration
}

func newRestart(v cty.Value) (*restart, error) {
	r := &restart{waitURL: stringOf(v, "wait_url")}
	for _, word := range v.GetAttr("command").AsValueSlice() {
		r.command = append(r.command, word.AsString())
	}
	if len(r.command) == 0 {
		return nil, errors.New("the command of restart is empty")
	}
	var err error
	r.timeout, err = time.ParseDuration(stringOf(v, "timeout"))
	return r, err
}

// due returns a warning for each server that an earlier run should have restarted.
func (ss *stores) due() []string {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var out []string
	for _, srv := range ss.servers {
		if marked := ss.marked(srv); srv.restart != nil && len(marked) > 0 {
			out = append(out, fmt.Sprintf("server %q was not restarted yet: %s %s written, and that run ended before. The next apply does it",
				srv.name, strings.Join(marked, " and "), was(len(marked))))
		}
	}
	return out
}

// marked returns the base names of a server's stores that it has not read yet.
func (ss *stores) marked(srv *server) []string {
	var out []string
	for _, s := range ss.all {
		if s.server == srv && exists(s.real+restartSuffix) {
			out = append(out, filepath.Base(s.path))
		}
	}
	return out
}

// finish restarts each server whose stores were written, in the order of the server blocks, or
// says that it must be. A server whose restart fails is tried again by the next apply.
func (ss *stores) finish(ctx context.Context) (notes []string, err error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var errs []error
	for _, s := range ss.all {
		if s.torn && ctx.Err() == nil {
			errs = append(errs, s.change(ctx, "", func(container.Store) error { return errUnchanged }))
		}
	}
	for _, srv := range ss.servers {
		names := ss.marked(srv)
		if len(names) == 0 {
			continue
		}
		written := fmt.Sprintf("%s of server %q %s written", strings.Join(names, " and "), srv.name, was(len(names)))
		switch {
		case srv.restart == nil:
			notes = append(notes, written+". The server reads its stores when it starts: restart it now. A restart block in the provider's server block lets apply do that")
		case ctx.Err() != nil:
			notes = append(notes, written+", and the server was not restarted, since the run was interrupted: the next apply does it")
			continue
		default:
			if err := srv.restart.run(ctx); err != nil {
				errs = append(errs, fmt.Errorf("%s, and restarting it failed: %w. The next apply tries again", written, err))
				continue
			}
		}
		for _, s := range ss.all {
			if s.server == srv {
				errs = append(errs, unmark(s.real+restartSuffix))
			}
		}
	}
	for _, s := range ss.all {
		if s.server == nil && exists(s.real+restartSuffix) {
			notes = append(notes, s.label()+" was written, and is read when its server starts: restart it now")
			errs = append(errs, unmark(s.real+restartSuffix))
		}
	}
	return notes, errors.Join(errs...)
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// run runs the command and waits for the server.
func (r *restart) run(ctx context.Context) error {
	limited, cancel := context.WithTimeoutCause(ctx, r.timeout, fmt.Errorf("not done within %s", r.timeout))
	defer cancel()
	var output bytes.Buffer
	cmd := exec.CommandContext(limited, r.command[0], r.command[1:]...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Run(); err != nil {
		if limited.Err() != nil {
			err = context.Cause(limited)
		}
		return fmt.Errorf("%s: %w%s", r.command[0], err, tail(output.String()))
	}
	if r.waitURL == "" {
		return nil
	}
	if err := r.wait(limited); err != nil {
		return fmt.Errorf("%s does not answer as a started server would: %w", r.waitURL, err)
	}
	return nil
}

// tail returns the end of what a command printed, for an error.
func tail(output string) string {
	output = strings.TrimSpace(output)
	if output == "" {
		return ""
	}
	const most = 600
	if len(output) > most {
		output = "…" + strings.ToValidUTF8(output[len(output)-most:], "")
	}
	return "\n\n" + output + "\n\n"
}

// wait asks until the server answers, once a second.
func (r *restart) wait(ctx context.Context) error {
	// The certificate may be one that nobody knows yet, and no secret is sent.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var last error // what the server said, rather than that the time was up while it was asked
	for {
		err := r.ask(ctx, client)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return fmt.Errorf("%w, at last: %w", context.Cause(ctx), last)
		}
	}
}

func (r *restart) ask(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.waitURL, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	res.Body.Close()
	// A WSO2 server that is starting answers 404 for what it has not deployed yet.
	if res.StatusCode >= 500 || res.StatusCode == http.StatusNotFound {
		return errors.New(res.Status)
	}
	return nil
}
