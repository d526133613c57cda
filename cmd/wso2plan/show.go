package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v3"

	"wso2plan/engine"
	"wso2plan/engine/render"
)

func showCommand(t *terminal) *cli.Command {
	var v values
	return &cli.Command{
		Name:      "show",
		Usage:     "show the live objects that are owned, or a saved plan",
		ArgsUsage: "[PLAN-FILE]",
		Description: "Reads everything that is owned from the servers and shows it. With a file that plan -out saved, shows what was reviewed, as JSON: " +
			"its options, and of each change the paths with their values before and after, of sensitive ones fingerprints.\n\n" + exitText(""),
		Flags: flags(v.cliFlags(), []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print it as JSON"}}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 0, 1); err != nil {
				return usageError(t, cmd, err)
			}
			if file := cmd.Args().First(); file != "" {
				return t.showSaved(file)
			}
			plan, report, err := t.live(ctx, v, cmd.Bool("input"))
			if err != nil {
				return err
			}
			if plan == nil {
				return report()
			}
			if cmd.Bool("json") {
				err = render.StateJSON(t.out, plan)
			} else {
				err = render.State(t.out, plan, t.options(true))
			}
			if err != nil {
				return err
			}
			return report()
		},
	}
}

func (t *terminal) showSaved(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return t.problem("Unreadable plan", sentence(err))
	}
	saved, err := engine.ReadEvidence(text)
	if err != nil {
		return t.problem("Unreadable plan", sentence(err))
	}
	return writeJSON(t.out, saved)
}

// live reads everything that is owned from the servers. report prints the problems met.
func (t *terminal) live(ctx context.Context, v values, input bool) (*engine.Plan, func() error, error) {
	ctx, stop := t.interruptible(ctx)
	defer stop()
	p, err := t.open(ctx, v, input, true)
	if err != nil {
		return nil, nil, err
	}
	meta, records, err := p.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	plan, report := p.plan(ctx, meta, records, engine.PlanOptions{AllowMissing: true})
	return plan, report, nil
}
