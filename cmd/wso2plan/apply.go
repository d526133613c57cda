package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"wso2plan/engine"
	"wso2plan/engine/render"
)

func applyCommand(t *terminal) *cli.Command {
	var v values
	return &cli.Command{
		Name:      "apply",
		Usage:     "change what differs, after asking",
		ArgsUsage: "[PLAN-FILE]",
		Description: "Plans, shows the plan, asks, and makes the live servers match the configuration. With a file that plan -out saved, " +
			"it plans again as the file says, and goes on, without asking, only if nothing has moved since.\n\n" + exitText(""),
		Flags: flags(v.cliFlags(), planFlags(), lockFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "auto-approve", Usage: "do not ask"},
			&cli.BoolFlag{Name: "destroy", Usage: "destroy everything that the configuration owns"},
			&cli.BoolFlag{Name: "json", Usage: "print what was done as JSON"},
		}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 0, 1); err != nil {
				return usageError(t, cmd, err)
			}
			if file := cmd.Args().First(); file != "" {
				return t.applySaved(ctx, cmd, v, file)
			}
			opts, err := planOptions(t, cmd)
			if err != nil {
				return usageError(t, cmd, err)
			}
			return t.apply(ctx, cmd, v, applyRequest{operation: "apply", opts: opts, question: applyQuestion(opts)})
		},
	}
}

func applyQuestion(opts engine.PlanOptions) question {
	if opts.Destroy {
		return question{
			ask: "Do you really want to destroy all resources?",
			detail: "wso2plan will destroy all the objects that this configuration owns, as shown above.\n" +
				"There is no undo. Only 'yes' will be accepted to confirm.",
			cancelled: "Destroy cancelled.",
		}
	}
	return question{
		ask: "Do you want to perform these actions?",
		detail: "wso2plan will perform the actions described above.\n" +
			"Only 'yes' will be accepted to approve.",
		cancelled: "Apply cancelled.",
	}
}

// An applyRequest is what one apply was asked to do.
type applyRequest struct {
	operation string // for the lock: "apply"
	opts      engine.PlanOptions
	question  question
	reviewed  *engine.Evidence // of apply FILE: what was shown before
	file      string           // where reviewed was read
}

// applySaved applies what was reviewed, if it is still what would be done.
func (t *terminal) applySaved(ctx context.Context, cmd *cli.Command, v values, file string) error {
	for _, f := range []string{"target", "replace", "destroy", "allow-missing", "rewrite-secrets"} {
		if cmd.IsSet(f) {
			return usageError(t, cmd, fmt.Errorf("-%s cannot be given with a saved plan: the plan holds its own options", f))
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return t.problem("Unreadable plan", sentence(err))
	}
	reviewed, err := engine.ReadEvidence(text)
	if err != nil {
		return t.problem("Unreadable plan", fmt.Sprintf("%q cannot be applied: %s. Make a plan with \"wso2plan plan -out=FILE\".", file, err))
	}
	given, remove, err := reviewedValues(reviewed)
	if err != nil {
		return err
	}
	defer remove()
	v.flags = append(given, v.flags...)
	return t.apply(ctx, cmd, v, applyRequest{operation: "apply", opts: reviewed.Options, reviewed: reviewed, file: file})
}

// apply plans, shows, asks and applies.
func (t *terminal) apply(ctx context.Context, cmd *cli.Command, v values, req applyRequest) error {
	ctx, stop := t.interruptible(ctx)
	defer stop()
	if cmd.Bool("json") && req.reviewed == nil && !cmd.Bool("auto-approve") {
		return usageError(t, cmd, fmt.Errorf("-json prints nothing that could be approved, so it needs -auto-approve or a saved plan"))
	}
	p, err := t.open(ctx, v, cmd.Bool("input"), false)
	if err != nil {
		return err
	}
	session, err := t.lock(ctx, cmd, p.store, req.operation)
	if err != nil {
		return err
	}
	defer session.Close()

	plan, report := p.plan(ctx, session.Meta(), session.Records(), req.opts)
	if req.reviewed != nil && plan != nil {
		if moved := req.reviewed.Compare(plan); len(moved) > 0 {
			report()
			return t.problem("Saved plan is stale", fmt.Sprintf("What %q would do is no longer what was reviewed:\n\n  - %s\n\n"+
				"Nothing was changed. Plan again, and review what has moved.", req.file, strings.Join(moved, "\n  - ")))
		}
	} else if plan != nil && !cmd.Bool("json") {
		if err := render.Text(t.out, plan, t.options(cmd.Bool("verbose"))); err != nil {
			return err
		}
	}
	if err := report(); err != nil {
		return err
	}
	if req.reviewed == nil && !plan.Empty() && !cmd.Bool("auto-approve") {
		if !cmd.Bool("input") {
			return t.problem("No approval", "Nobody can be asked, since -input=false was given. Give -auto-approve, or apply a saved plan.")
		}
		if err := t.confirm(ctx, req.question); err != nil {
			return err
		}
	}
	return p.carryOut(ctx, cmd, plan, session, req)
}

// carryOut applies a plan that was approved and says what was done.
func (p *project) carryOut(ctx context.Context, cmd *cli.Command, plan *engine.Plan, session engine.Session, req applyRequest) error {
	t := p.t
	json := cmd.Bool("json")
	if json {
		p.progress.out = t.err
	} else if !plan.Empty() && req.reviewed == nil {
		fmt.Fprintln(t.out)
	}
	result, diags := p.reconciler.Apply(ctx, plan, session)
	p.progress.end()
	for _, v := range result.Outputs {
		t.keepSecret(render.Secrets(v)...)
	}
	var err error
	if json {
		err = resultJSON(t.out, result)
	} else {
		fmt.Fprintln(t.out)
		err = render.Result(t.out, result, req.opts.Destroy, t.options(false))
	}
	if err != nil {
		return err
	}
	return t.diagnose(p.config.Sources(), diags)
}
