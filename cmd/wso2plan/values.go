package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"wso2plan/config"
)

// values are the -var and -var-file flags of one command line, in their order, since the last of
// them that gives a variable a value wins.
type values struct{ flags []config.Flag }

// cliFlags are the flags that fill v, and -input, by which missing values are asked for.
func (v *values) cliFlags() []cli.Flag {
	return []cli.Flag{
		&cli.GenericFlag{Name: "var", Usage: "value of a variable, `NAME=VALUE`; can be repeated",
			Value: &valueFlag{v, func(s string) config.Flag { return config.Flag{Var: s} }}},
		&cli.GenericFlag{Name: "var-file", Usage: "values of variables from `FILE`; can be repeated", TakesFile: true,
			Value: &valueFlag{v, func(s string) config.Flag { return config.Flag{File: s} }}},
		inputFlag(),
	}
}

func inputFlag() cli.Flag {
	return &cli.BoolFlag{Name: "input", Value: true, Usage: "ask for what is missing; -input=false fails instead"}
}

// A valueFlag adds what one flag is given to its values.
type valueFlag struct {
	to   *values
	flag func(string) config.Flag
}

func (f *valueFlag) Set(s string) error {
	f.to.flags = append(f.to.flags, f.flag(s))
	return nil
}

func (f *valueFlag) Get() any       { return f }
func (f *valueFlag) String() string { return "" }

// askMissing asks for the values of variables that have none, in the order of their names, and
// returns them as flags. It asks on a terminal only.
func (t *terminal) askMissing(c *config.Config) ([]config.Flag, error) {
	if !t.interactive {
		return nil, nil
	}
	var missing []*config.Variable
	for _, v := range c.Variables {
		if value, _ := v.Value.Unmark(); !value.IsKnown() {
			missing = append(missing, v)
		}
	}
	slices.SortFunc(missing, func(a, b *config.Variable) int { return strings.Compare(a.Name, b.Name) })
	var flags []config.Flag
	for _, v := range missing {
		fmt.Fprintf(t.out, "%s\n", t.bold("var."+v.Name))
		if v.Description != "" {
			fmt.Fprintf(t.out, "  %s\n", v.Description)
		}
		fmt.Fprintf(t.out, "\n  %s ", t.bold("Enter a value:"))
		text, err := t.readLine(v.Sensitive)
		fmt.Fprintln(t.out)
		if err != nil {
			return nil, t.problem("No value for required variable", fmt.Sprintf("The value of var.%s could not be read: %s.", v.Name, err))
		}
		flags = append(flags, config.Flag{Var: v.Name + "=" + text})
	}
	return flags, nil
}

// readLine reads a line from the terminal, unseen if it is secret.
func (t *terminal) readLine(secret bool) (string, error) {
	t.flush()
	if f, ok := t.in.(*os.File); ok && secret {
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(t.out)
		return string(text), err
	}
	if t.lines == nil {
		t.lines = bufio.NewReader(t.in)
	}
	text, err := t.lines.ReadString('\n')
	return strings.TrimRight(text, "\r\n"), err
}
