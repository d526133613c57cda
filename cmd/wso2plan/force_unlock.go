package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"
)

func forceUnlockCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "force-unlock",
		Usage:     "release the lock of the store, left by a process that is gone",
		ArgsUsage: "LOCK-ID",
		Description: "Removes the lock with that ID; the message of a command that found the store locked tells it. " +
			"A process that still holds it can write no more.\n\n" + exitText(""),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "do not ask"},
			inputFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 1, 1); err != nil {
				return usageError(t, cmd, err)
			}
			ctx, stop := t.interruptible(ctx)
			defer stop()
			s, err := t.storeOnly()
			if err != nil {
				return err
			}
			if !cmd.Bool("force") {
				if !cmd.Bool("input") {
					return t.problem("No approval", "Nobody can be asked, since -input=false was given. Give -force.")
				}
				err := t.confirm(ctx, question{
					ask: "Do you really want to force-unlock?",
					detail: "wso2plan will remove the lock on the store.\n" +
						"This will allow other wso2plan commands to modify it, even though it\n" +
						"may still be in use. Only 'yes' will be accepted to confirm.",
					cancelled: "force-unlock cancelled.",
				})
				if err != nil {
					return err
				}
			}
			if err := s.Unlock(ctx, cmd.Args().First()); err != nil {
				return t.problem("Failed to unlock state", sentence(err))
			}
			_, err = fmt.Fprint(t.out, "wso2plan state has been successfully unlocked!\n\n"+
				"The state has been unlocked, and wso2plan commands should now be able to\nobtain a new lock on it.\n")
			return err
		},
	}
}
