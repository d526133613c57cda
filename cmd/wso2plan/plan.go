package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"

	"wso2plan/engine"
	"wso2plan/engine/render"
)

func planCommand(t *terminal) *cli.Command {
	var v values
	return &cli.Command{
		Name:  "plan",
		Usage: "show what apply would change",
		Description: "Reads the live servers, compares them with the configuration and shows every difference. Nothing is written.\n\n" +
			exitText("there are changes (-detailed-exitcode)"),
		Flags: flags(v.cliFlags(), planFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "destroy", Usage: "plan to destroy everything that the configuration owns"},
			&cli.BoolFlag{Name: "refresh-only", Usage: "show only what was changed on the servers"},
			&cli.StringFlag{Name: "out", Usage: "save the plan to `FILE`, for apply FILE", TakesFile: true},
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit with 2 if there are changes"},
			&cli.BoolFlag{Name: "json", Usage: "print the plan as JSON"},
		}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 0, 0); err != nil {
				return usageError(t, cmd, err)
			}
			opts, err := planOptions(t, cmd)
			if err != nil {
				return usageError(t, cmd, err)
			}
			if opts.RefreshOnly && cmd.String("out") != "" {
				return usageError(t, cmd, fmt.Errorf("a plan of -refresh-only only shows, so there is nothing to apply and -out cannot save it"))
			}
			ctx, stop := t.interruptible(ctx)
			defer stop()
			// A saved plan holds fingerprints, so their key has to last.
			p, err := t.open(ctx, v, cmd.Bool("input"), cmd.String("out") == "")
			if err != nil {
				return err
			}
			meta, records, err := p.read(ctx)
			if err != nil {
				return err
			}
			plan, report := p.plan(ctx, meta, records, opts)
			if plan != nil {
				if err := p.show(cmd, plan); err != nil {
					return err
				}
			}
			if err := report(); err != nil {
				return err
			}
			if file := cmd.String("out"); file != "" {
				if err := savePlan(file, plan); err != nil {
					return t.problem("Plan not saved", sentence(err))
				}
			}
			if file := cmd.String("out"); !cmd.Bool("json") && (file != "" || !plan.Empty() && !opts.RefreshOnly) {
				fmt.Fprintln(t.out)
				if err := render.SavedPlan(t.out, file, t.options(false)); err != nil {
					return err
				}
			}
			if cmd.Bool("detailed-exitcode") && differs(plan) {
				return pending
			}
			return nil
		},
	}
}

// differs reports whether a plan shows a change; one of -refresh-only shows what the servers say.
func differs(plan *engine.Plan) bool {
	if plan.Options.RefreshOnly {
		return len(render.View(plan, render.ViewOptions{}).Changes) > 0
	}
	return !plan.Empty()
}

// planFlags are the flags that shape a plan, for all commands that make one.
func planFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "target", Usage: "plan only `ADDRESS` and what it depends on; can be repeated"},
		&cli.StringSliceFlag{Name: "replace", Usage: "replace the object at `ADDRESS`, changed or not; can be repeated"},
		&cli.BoolFlag{Name: "allow-missing", Usage: "go on when everything owned of a type is gone"},
		&cli.BoolFlag{Name: "rewrite-secrets", Usage: "write secrets that cannot be compared with what the server holds"},
		&cli.BoolFlag{Name: "compact-warnings", Usage: "print only the summaries of warnings"},
		&cli.BoolFlag{Name: "verbose", Usage: "show every instance of a block"},
	}
}

// planOptions reads planFlags, and -destroy and -refresh-only where a command has them; -compact-warnings
// is t's.
func planOptions(t *terminal, cmd *cli.Command) (engine.PlanOptions, error) {
	t.compact = cmd.Bool("compact-warnings")
	opts := engine.PlanOptions{
		Destroy:        cmd.Bool("destroy"),
		RefreshOnly:    cmd.Bool("refresh-only"),
		AllowMissing:   cmd.Bool("allow-missing"),
		RewriteSecrets: cmd.Bool("rewrite-secrets"),
	}
	if opts.Destroy && opts.RefreshOnly {
		return opts, fmt.Errorf("-destroy and -refresh-only exclude each other")
	}
	var err error
	if opts.Targets, err = addresses("target", cmd.StringSlice("target")); err != nil {
		return opts, err
	}
	opts.Replace, err = addresses("replace", cmd.StringSlice("replace"))
	return opts, err
}

// show prints a plan in the format that the flags ask for.
func (p *project) show(cmd *cli.Command, plan *engine.Plan) error {
	if cmd.Bool("json") {
		return render.JSON(p.t.out, plan)
	}
	return render.Text(p.t.out, plan, p.t.options(cmd.Bool("verbose")))
}

// savePlan writes what apply FILE compares with. The file holds no sensitive values, but says much
// of the servers, so that only its owner can read it.
func savePlan(file string, plan *engine.Plan) error {
	text, err := json.Marshal(plan.Evidence())
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

// flags joins lists of flags.
func flags(lists ...[]cli.Flag) []cli.Flag {
	var all []cli.Flag
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
