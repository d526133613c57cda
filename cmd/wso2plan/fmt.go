package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/urfave/cli/v3"

	"wso2plan/config"
)

func fmtCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "fmt",
		Usage:     "rewrite configuration files in the one canonical format",
		ArgsUsage: "[FILE | DIR | -]...",
		Description: "Formats the *.hcl and *.hclvars files of the working directory, or those given; - reads standard input and prints the result. " +
			"The names of files that change are printed.\n\n" +
			"EXIT STATUS: 0 done, 1 error, 3 a file is not formatted (-check).",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "write nothing; exit with 3 if a file is not formatted"},
			&cli.BoolFlag{Name: "diff", Usage: "print the differences"},
			&cli.BoolFlag{Name: "recursive", Usage: "descend into directories"},
			&cli.BoolFlag{Name: "list", Value: true, Usage: "print the names of files whose formatting differs"},
			&cli.BoolFlag{Name: "write", Value: true, Usage: "write the files; -write=false shows only"},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			return formatter{
				t:         t,
				check:     cmd.Bool("check"),
				diff:      cmd.Bool("diff"),
				recursive: cmd.Bool("recursive"),
				list:      cmd.Bool("list"),
				write:     cmd.Bool("write") && !cmd.Bool("check"),
			}.run(cmd.Args().Slice())
		},
	}
}

type formatter struct {
	t                                   *terminal
	check, diff, recursive, list, write bool
}

func (f formatter) run(targets []string) error {
	if len(targets) == 0 {
		targets = []string{"."}
	}
	var files []string
	for _, target := range targets {
		if target == "-" {
			if len(targets) > 1 {
				return f.t.problem("Invalid command line", "Standard input (-) is formatted alone.")
			}
			return f.stdin()
		}
		found, err := f.find(target)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	slices.Sort(files)

	sources := map[string]*hcl.File{}
	var diags hcl.Diagnostics
	changed := false
	for _, name := range slices.Compact(files) {
		before, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if wrong := config.Syntax(before, name); wrong.HasErrors() {
			sources[name] = &hcl.File{Bytes: before}
			diags = append(diags, wrong...)
			continue
		}
		after := config.Format(before)
		if bytes.Equal(before, after) {
			continue
		}
		changed = true
		if err := f.report(name, before, after); err != nil {
			return err
		}
	}
	if diags.HasErrors() {
		return f.t.diagnose(sources, diags)
	}
	if f.check && changed {
		return unformatted
	}
	return nil
}

// find returns the files that target, a file or a directory, stands for.
func (f formatter) find(target string) ([]string, error) {
	info, err := os.Stat(target)
	if err != nil {
		return nil, f.t.problem("No such file", fmt.Sprintf("There is no file or directory %q.", target))
	}
	if !info.IsDir() {
		if !formatted(target) {
			return nil, f.t.problem("Not a configuration file",
				fmt.Sprintf("%q is neither an .hcl nor an .hclvars file. Only these have a canonical format.", target))
		}
		return []string{target}, nil
	}
	var files []string
	err = filepath.WalkDir(target, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if path != target && (!f.recursive || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
		case formatted(path):
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

func formatted(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".hcl" || ext == ".hclvars"
}

// report prints and writes what changes in a file, as the flags say.
func (f formatter) report(name string, before, after []byte) error {
	if f.list {
		fmt.Fprintln(f.t.out, name)
	}
	if f.diff {
		f.t.out.Write(diff.Diff("old/"+name, before, "new/"+name, after))
	}
	if !f.write {
		return nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, after, info.Mode().Perm())
}

func (f formatter) stdin() error {
	before, err := io.ReadAll(f.t.in)
	if err != nil {
		return err
	}
	if diags := config.Syntax(before, "<stdin>"); diags.HasErrors() {
		return f.t.diagnose(map[string]*hcl.File{"<stdin>": {Bytes: before}}, diags)
	}
	after := config.Format(before)
	switch {
	case f.check:
		if !bytes.Equal(before, after) {
			return unformatted
		}
		return nil
	case f.diff:
		_, err = f.t.out.Write(diff.Diff("old/<stdin>", before, "new/<stdin>", after))
	default:
		_, err = f.t.out.Write(after)
	}
	return err
}
