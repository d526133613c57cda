package main

import (
	"context"

	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine/render"
)

func outputCommand(t *terminal) *cli.Command {
	var v values
	return &cli.Command{
		Name:      "output",
		Usage:     "print output values, read from the live servers",
		ArgsUsage: "[NAME]",
		Description: "Prints all outputs, hiding sensitive ones, or the one named. A named output, and every one with -json, is printed in plain text " +
			"even if it is sensitive.\n\n" + exitText(""),
		Flags: flags(v.cliFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print as JSON"},
			&cli.BoolFlag{Name: "raw", Usage: "print one string, number or bool as it is, for scripts"},
		}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 0, 1); err != nil {
				return usageError(t, cmd, err)
			}
			plan, report, err := t.live(ctx, v, cmd.Bool("input"))
			if err != nil {
				return err
			}
			if err := report(); err != nil {
				return err
			}
			outputs := map[string]cty.Value{}
			for _, o := range plan.Outputs {
				value := o.Before
				if value == cty.NilVal || value.IsNull() && !o.After.IsNull() {
					continue
				}
				if o.Sensitive {
					value = value.Mark(schema.Sensitive)
				}
				outputs[o.Name] = value
			}
			return t.diagnose(nil, render.Outputs(t.plain, outputs, render.OutputOptions{
				Name: cmd.Args().First(), JSON: cmd.Bool("json"), Raw: cmd.Bool("raw"),
			}))
		},
	}
}
