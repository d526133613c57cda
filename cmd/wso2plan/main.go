// Command wso2plan makes WSO2 API Manager and Identity Server match a configuration: it shows
// exactly what differs, changes that, and finds nothing to do the second time.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"
)

func main() {
	collectLate()
	os.Exit(run(context.Background(), os.Args))
}

// exitStatus is the error of a command that has said why already: it only carries the exit status.
type exitStatus int

// The exit statuses of all commands.
const (
	failed      exitStatus = 1
	pending     exitStatus = 2 // plan -detailed-exitcode: there are changes
	unformatted exitStatus = 3 // fmt -check: a file is not formatted
)

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run runs one command line and returns its exit status.
func run(ctx context.Context, args []string) int {
	t := newTerminal(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	defer t.flush()
	err := commands(t).Run(ctx, args)
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	default:
		t.fail(err)
		return int(failed)
	}
}

// commands is the table of commands.
func commands(t *terminal) *cli.Command {
	cli.FlagStringer = flagHelp
	root := &cli.Command{
		Name:    "wso2plan",
		Usage:   "plan and apply for WSO2 API Manager and Identity Server",
		Version: version(),
		Description: "wso2plan reads *.hcl files, compares them with the live servers, and changes what differs.\n\n" +
			exitText("the configuration and the servers differ (plan -detailed-exitcode)"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "chdir", Usage: "`DIR` to change to before anything else", TakesFile: true},
			&cli.BoolFlag{Name: "no-color", Usage: "print no colours; they are printed on a terminal only, and not where NO_COLOR is set"},
		},
		Commands: []*cli.Command{
			validateCommand(t),
			planCommand(t),
			applyCommand(t),
			destroyCommand(t),
			showCommand(t),
			outputCommand(t),
			importCommand(t),
			stateCommand(t),
			forceUnlockCommand(t),
			fmtCommand(t),
			docsCommand(t),
			sandboxCommand(t),
			versionCommand(t),
		},
		Before: func(ctx context.Context, cmd *cli.Command) (context.Context, error) {
			t.settle(cmd.Bool("no-color"))
			if dir := cmd.String("chdir"); dir != "" {
				if err := os.Chdir(dir); err != nil {
					return ctx, fmt.Errorf("cannot change to the directory of -chdir: %w", err)
				}
			}
			return ctx, nil
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if name := cmd.Args().First(); name != "" {
				return unknownCommand(t, cmd, name)
			}
			return cli.ShowRootCommandHelp(cmd)
		},
		HideHelpCommand:       true,
		EnableShellCompletion: true,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // run sees to errors
		Writer:                t.out,
		ErrWriter:             t.err,
		Reader:                t.in,
		ConfigureShellCompletionCommand: func(c *cli.Command) {
			c.Hidden = false
			c.Usage = "print the completion script of a shell: bash, zsh, fish or pwsh"
		},
	}
	everyCommand(root, func(c *cli.Command) {
		c.Description = folded(c.Description, 90)
		c.DisableSliceFlagSeparator = true // -var 'l=["a","b"]' is one value
		c.ShellComplete = complete(t)
		c.OnUsageError = func(_ context.Context, cmd *cli.Command, err error, _ bool) error {
			return usageError(t, cmd, err)
		}
		if len(c.Commands) > 0 && c.Action == nil {
			c.Action = func(_ context.Context, cmd *cli.Command) error {
				if name := cmd.Args().First(); name != "" {
					return unknownCommand(t, cmd, name)
				}
				return cli.ShowSubcommandHelp(cmd)
			}
		}
	})
	return root
}

// flagHelp is the line of a flag in the help: its name as Terraform writes it, and what it does.
func flagHelp(f cli.Flag) string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	usage := d.GetUsage()
	value := ""
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		name, after, _ := strings.Cut(rest, "`")
		value = "=" + name
		usage = before + name + after
	} else if d.TakesValue() {
		value = "=" + strings.ToUpper(d.TypeName())
	}
	return "-" + strings.Join(f.Names(), ", -") + value + "\t" + usage
}

func everyCommand(c *cli.Command, do func(*cli.Command)) {
	do(c)
	for _, sub := range c.Commands {
		everyCommand(sub, do)
	}
}

// exitText is the EXIT STATUS part of a command's help. two says when it is 2; "" means never.
func exitText(two string) string {
	text := "EXIT STATUS: 0 done, 1 error"
	if two != "" {
		text += ", 2 " + two
	}
	return text + "."
}

// unknownCommand says that cmd has no command of that name, and which one was probably meant.
func unknownCommand(t *terminal, cmd *cli.Command, name string) error {
	detail := fmt.Sprintf("%s has no command named %q.", cmd.FullName(), name)
	var names []string
	for _, c := range cmd.VisibleCommands() {
		names = append(names, c.Name)
	}
	if near := nearest(name, names); near != "" {
		detail += fmt.Sprintf(" Did you mean %q?", near)
	}
	detail += fmt.Sprintf(" To see all of them, run:\n  %s -help", cmd.FullName())
	return t.problem("Unknown command", detail)
}

// usageError says what is wrong with the flags or arguments of cmd, and where its help is.
func usageError(t *terminal, cmd *cli.Command, err error) error {
	text := strings.TrimSuffix(err.Error(), ".")
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		text = fmt.Sprintf("%s has no flag -%s", cmd.FullName(), name)
		var names []string
		for _, f := range append(cmd.VisibleFlags(), cmd.VisiblePersistentFlags()...) {
			names = append(names, f.Names()...)
		}
		if near := nearest(name, names); near != "" {
			text += fmt.Sprintf(". Did you mean -%s?", near)
		}
	}
	if !strings.HasSuffix(text, "?") {
		text += "."
	}
	return t.problem("Invalid command line", text+fmt.Sprintf(" To see what it takes, run:\n  %s -help", cmd.FullName()))
}

// folded breaks the paragraphs of text into lines of at most width bytes.
func folded(text string, width int) string {
	var out strings.Builder
	for i, paragraph := range strings.Split(text, "\n") {
		if i > 0 {
			out.WriteByte('\n')
		}
		n := 0
		for _, word := range strings.Fields(paragraph) {
			if n > 0 && n+1+len(word) > width {
				out.WriteByte('\n')
				n = 0
			} else if n > 0 {
				out.WriteByte(' ')
				n++
			}
			out.WriteString(word)
			n += len(word)
		}
	}
	return out.String()
}
