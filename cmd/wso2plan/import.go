package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"
)

func importCommand(t *terminal) *cli.Command {
	var v values
	return &cli.Command{
		Name:      "import",
		Usage:     "begin to own an object that exists",
		ArgsUsage: "ADDRESS ID-OR-KEY",
		Description: "Finds the object by its ID or its key, such as a name, and remembers that the block at ADDRESS owns it. " +
			"The object is not changed; the next plan shows where it differs.\n\n" + exitText(""),
		Flags: flags(v.cliFlags(), lockFlags()),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 2, 2); err != nil {
				return usageError(t, cmd, err)
			}
			to, err := t.address(cmd.Args().Get(0))
			if err != nil {
				return err
			}
			id := cmd.Args().Get(1)
			ctx, stop := t.interruptible(ctx)
			defer stop()
			p, err := t.open(ctx, v, cmd.Bool("input"), false)
			if err != nil {
				return err
			}
			session, err := t.lock(ctx, cmd, p.store, "import")
			if err != nil {
				return err
			}
			defer session.Close()
			fmt.Fprintf(t.out, "%s: Importing from ID %q...\n", to, id)
			record, diags := p.reconciler.Import(ctx, session, to, id)
			p.progress.end()
			if err := t.diagnose(p.config.Sources(), diags); err != nil {
				return err
			}
			_, err = fmt.Fprintf(t.out, "%s: Imported [id=%s]\n\n%s\n\nThe object is now owned by this configuration and will henceforth be\n"+
				"managed by wso2plan. Run \"wso2plan plan\" to see where it differs.\n", to, record.ID, t.green("Import successful!"))
			return err
		},
	}
}
