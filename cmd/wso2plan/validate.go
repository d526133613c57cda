package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"wso2plan/config"
	"wso2plan/providers"
)

func validateCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "validate",
		Usage:       "check the configuration without a server",
		Description: "Finds every mistake that can be found offline: names, types, references, cycles. Variables need no values.\n\n" + exitText(""),
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"}},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 0, 0); err != nil {
				return usageError(t, cmd, err)
			}
			c, diags := config.Load(".", providers.Schemas(), config.Inputs{Version: version(), Env: os.Environ(), AllowMissing: true})
			t.keepSecret(configSecrets(c)...)
			if cmd.Bool("json") {
				return validationJSON(t.out, diags)
			}
			if err := t.diagnose(c.Sources(), diags); err != nil {
				return err
			}
			_, err := fmt.Fprintf(t.out, "%s The configuration is valid%s.\n", t.green("Success!"), warned(len(diags)))
			return err
		},
	}
}

func warned(n int) string {
	if n == 0 {
		return ""
	}
	return ", but there were some validation warnings as shown above"
}

type jsonDiagnostic struct {
	Severity string     `json:"severity"`
	Summary  string     `json:"summary"`
	Detail   string     `json:"detail"`
	Range    *jsonRange `json:"range,omitempty"`
}

type jsonRange struct {
	Filename string  `json:"filename"`
	Start    jsonPos `json:"start"`
	End      jsonPos `json:"end"`
}

type jsonPos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// validationJSON writes the result of a validation in the form of Terraform's.
func validationJSON(w io.Writer, diags hcl.Diagnostics) error {
	out := struct {
		FormatVersion string           `json:"format_version"`
		Valid         bool             `json:"valid"`
		Errors        int              `json:"error_count"`
		Warnings      int              `json:"warning_count"`
		Diagnostics   []jsonDiagnostic `json:"diagnostics"`
	}{FormatVersion: "1.0", Valid: !diags.HasErrors(), Diagnostics: []jsonDiagnostic{}}
	for _, d := range diags {
		j := jsonDiagnostic{Severity: "error", Summary: d.Summary, Detail: d.Detail}
		if d.Severity == hcl.DiagWarning {
			j.Severity = "warning"
			out.Warnings++
		} else {
			out.Errors++
		}
		if r := d.Subject; r != nil {
			j.Range = &jsonRange{r.Filename, jsonPos(r.Start), jsonPos(r.End)}
		}
		out.Diagnostics = append(out.Diagnostics, j)
	}
	if err := writeJSON(w, out); err != nil {
		return err
	}
	if diags.HasErrors() {
		return failed
	}
	return nil
}
