package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/urfave/cli/v3"
)

// number is this program's version, without a leading v. Builds of a release set it.
var number = "0.1.0"

func version() string { return number }

func versionCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the version",
		Description: exitText(""),
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print it as JSON"}},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 0, 0); err != nil {
				return usageError(t, cmd, err)
			}
			platform := runtime.GOOS + "_" + runtime.GOARCH
			if !cmd.Bool("json") {
				_, err := fmt.Fprintf(t.out, "wso2plan v%s\non %s\n", version(), platform)
				return err
			}
			return writeJSON(t.out, struct {
				Version  string `json:"wso2plan_version"`
				Platform string `json:"platform"`
			}{version(), platform})
		},
	}
}
