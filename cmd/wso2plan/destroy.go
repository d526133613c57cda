package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

func destroyCommand(t *terminal) *cli.Command {
	var v values
	return &cli.Command{
		Name:        "destroy",
		Usage:       "destroy everything that the configuration owns, after asking",
		Description: "The same as apply -destroy. Objects of the servers' own, such as the resident key manager, are given back as they were.\n\n" + exitText(""),
		Flags: flags(v.cliFlags(), planFlags(), lockFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "auto-approve", Usage: "do not ask"},
			&cli.BoolFlag{Name: "json", Usage: "print what was done as JSON"},
		}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 0, 0); err != nil {
				return usageError(t, cmd, err)
			}
			opts, err := planOptions(t, cmd)
			if err != nil {
				return usageError(t, cmd, err)
			}
			opts.Destroy = true
			return t.apply(ctx, cmd, v, applyRequest{operation: "destroy", opts: opts, question: applyQuestion(opts)})
		},
	}
}
