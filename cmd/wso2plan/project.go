package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"wso2plan/config"
	"wso2plan/engine"
	"wso2plan/engine/render"
	"wso2plan/engine/store"
	"wso2plan/providers"
)

// A project is the configuration of the working directory, its store, and what plans them.
type project struct {
	t          *terminal
	config     *config.Config
	store      engine.Store
	reconciler *engine.Reconciler
	progress   *progress
}

// load reads the configuration. Problems are printed; then the error is an exitStatus.
func (t *terminal) load(v values, input bool) (*config.Config, error) {
	in := config.Inputs{Version: version(), Flags: v.flags, Env: os.Environ()}
	known := providers.Schemas()
	if input && t.interactive {
		in.AllowMissing = true
		c, diags := config.Load(".", known, in)
		t.keepSecret(configSecrets(c)...)
		if diags.HasErrors() {
			return c, t.diagnose(c.Sources(), diags)
		}
		asked, err := t.askMissing(c)
		if err != nil {
			return c, err
		}
		in.AllowMissing, in.Flags = false, append(in.Flags, asked...)
	}
	c, diags := config.Load(".", known, in)
	t.keepSecret(configSecrets(c)...)
	return c, t.diagnose(c.Sources(), diags)
}

// open loads the configuration and opens its store. readOnly commands leave nothing behind, not
// even the key of fingerprints.
func (t *terminal) open(ctx context.Context, v values, input, readOnly bool) (*project, error) {
	c, err := t.load(v, input)
	if err != nil {
		return nil, err
	}
	p := &project{t: t, config: c, progress: t.newProgress()}
	if p.store, err = t.openStore(c); err != nil {
		return nil, err
	}
	keys, made, err := store.Keys(p.store, os.Getenv, readOnly)
	if err != nil {
		return nil, t.problem("No key for fingerprints", sentence(err))
	}
	if made {
		if err := p.warnOfLostKey(ctx); err != nil {
			return nil, err
		}
	}
	p.reconciler = &engine.Reconciler{
		Config:    c,
		Providers: providers.All(),
		Keys:      keys,
		Progress:  p.progress.event,
	}
	return p, nil
}

func (t *terminal) openStore(c *config.Config) (engine.Store, error) {
	s, err := store.Open(c.Settings.Store, ".")
	if err == nil {
		return s, nil
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid store", Detail: sentence(err)}
	if c.Settings.Store != "" {
		d.Subject = c.Settings.StoreRange.Ptr()
	}
	return nil, t.diagnose(c.Sources(), hcl.Diagnostics{d})
}

// warnOfLostKey says what follows if records were fingerprinted with a key that is no longer there.
func (p *project) warnOfLostKey(ctx context.Context) error {
	_, records, err := p.read(ctx)
	if err != nil {
		return err
	}
	for i := range records {
		if len(records[i].Fingerprints) > 0 {
			return p.t.diagnose(nil, hcl.Diagnostics{{
				Severity: hcl.DiagWarning,
				Summary:  "Lost key of fingerprints",
				Detail: "The key by which the store's fingerprints were made is gone, so a new one was made. Drift cannot be told from " +
					"edits until the next apply, and secrets that servers do not return cannot be compared: they are written only with " +
					"-rewrite-secrets. If there is a copy of the key file, or of " + store.KeyVariable + ", put it back before you apply.",
			}})
		}
	}
	return nil
}

// read returns the records without a lock.
func (p *project) read(ctx context.Context) (engine.Meta, []engine.Record, error) {
	meta, records, err := p.store.Read(ctx)
	if err != nil {
		return meta, nil, p.t.problem("Unreadable state", sentence(err))
	}
	return meta, records, nil
}

// plan reads the servers and returns what differs. Problems are for report, after the plan is
// shown, since they are easier to find at the end. A plan that failed is nil unless some objects
// could not be read: then it shows the rest.
func (p *project) plan(ctx context.Context, meta engine.Meta, records []engine.Record, opts engine.PlanOptions) (_ *engine.Plan, report func() error) {
	plan, diags := p.reconciler.Plan(ctx, meta, records, opts)
	for range 3 {
		if !diags.HasErrors() || ctx.Err() != nil {
			break
		}
		// A plan takes no lock. If another process applied meanwhile, objects that it made look as
		// if they were nobody's: see what the store says now.
		now, later, err := p.store.Read(ctx)
		if err != nil || now == meta {
			break
		}
		meta = now
		plan, diags = p.reconciler.Plan(ctx, meta, later, opts)
	}
	p.progress.end()
	if plan != nil {
		p.t.keepSecret(render.PlanSecrets(plan)...)
	}
	if plan != nil && diags.HasErrors() && len(plan.Unknown) == 0 {
		plan = nil
	}
	return plan, func() error { return p.t.diagnose(p.config.Sources(), diags) }
}

// lockFlags are the flags of commands that write to the store.
func lockFlags() []cli.Flag {
	return []cli.Flag{
		&cli.DurationFlag{Name: "lock-timeout", Usage: "`DURATION` to wait for a lock that another process holds, such as 30s"},
	}
}

// lock begins the writing session of the store, waiting for another's lock as long as the flags say.
func (t *terminal) lock(ctx context.Context, cmd *cli.Command, s engine.Store, operation string) (engine.Session, error) {
	deadline := time.Now().Add(cmd.Duration("lock-timeout"))
	told := false
	for {
		session, err := s.Lock(ctx, holder(operation))
		var locked *engine.LockedError
		switch {
		case err == nil:
			return session, nil
		case !errors.As(err, &locked):
			if ctx.Err() != nil {
				return nil, failed
			}
			return nil, t.problem("Unreadable state", sentence(err))
		case time.Now().After(deadline):
			return nil, t.problem("Error acquiring the state lock", lockDetail(locked.Holder))
		}
		if !told {
			fmt.Fprintln(t.err, "Acquiring state lock. This may take a few moments...")
			told = true
		}
		select {
		case <-time.After(min(500*time.Millisecond, max(time.Until(deadline), time.Millisecond))):
		case <-ctx.Done():
			return nil, failed
		}
	}
}

func lockDetail(h engine.Holder) string {
	return fmt.Sprintf("Another process is writing to the store.\n\n"+
		"  ID:        %s\n  Operation: %s\n  Who:       %s\n  PID:       %d\n  Created:   %s\n\n"+
		"Wait until it ends, or give -lock-timeout=5m to wait here. If it has ended without unlocking, run:\n"+
		"  wso2plan force-unlock %s", h.ID, h.Operation, h.Who, h.PID, h.Created.Format(time.RFC3339), h.ID)
}

// holder says who we are, for those who find the store locked.
func holder(operation string) engine.Holder {
	id := make([]byte, 8)
	rand.Read(id)
	who := "unknown"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		who += "@" + host
	}
	return engine.Holder{ID: hex.EncodeToString(id), Who: who, Operation: operation, PID: os.Getpid(), Created: time.Now().UTC().Truncate(time.Second)}
}

// sentence writes an error as a sentence.
func sentence(err error) string {
	s := err.Error()
	if s == "" {
		return s
	}
	if c := s[0]; 'a' <= c && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	switch s[len(s)-1] {
	case '.', '!', '?':
		return s
	}
	return s + "."
}
