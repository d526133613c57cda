package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/urfave/cli/v3"

	"wso2plan/config/schema"
	"wso2plan/providers"
)

// titles name the providers' products, and say what to know before writing a provider block.
var titles = map[string][2]string{
	"apim": {"WSO2 API Manager", "The provider `apim` manages WSO2 API Manager 4.5. Without a provider block its arguments come from the environment. What becomes of each field of the server's contract is in [fields.md](fields.md)."},
	"is":   {"WSO2 Identity Server", "The provider `is` manages WSO2 Identity Server 7.1. Without a provider block its arguments come from the environment."},
	"keystore": {"Key and trust stores", "The provider `keystore` manages entries of JKS and PKCS12 files, in which WSO2 servers keep their keys and the certificates " +
		"that they trust, and reads the certificates that servers present."},
}

func docsCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "docs",
		Usage:     "write the reference of all resource types",
		ArgsUsage: "[DIR]",
		Description: "Writes DIR/providers/NAME/README.md for each provider, from the tables by which this program checks configurations. " +
			"DIR is a source tree of wso2plan, by default the working directory; examples come from its tests.\n\n" +
			"EXIT STATUS: 0 done, 1 error, or a file is out of date (-check).",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "write nothing; show what is out of date"},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 0, 1); err != nil {
				return usageError(t, cmd, err)
			}
			dir := cmd.Args().First()
			if dir == "" {
				dir = "."
			}
			stale := false
			for _, name := range sorted(providers.All()) {
				text, err := reference(dir, name)
				if err != nil {
					return t.problem("Docs not written", sentence(err))
				}
				file := filepath.Join(dir, "providers", name, "README.md")
				now, err := os.ReadFile(file)
				if err != nil && !os.IsNotExist(err) {
					return err
				}
				if bytes.Equal(now, text) {
					continue
				}
				if cmd.Bool("check") {
					stale = true
					t.out.Write(diff.Diff(file, now, "what the tables say", text))
					continue
				}
				if err := os.WriteFile(file, text, 0o644); err != nil {
					return t.problem("Docs not written", sentence(err))
				}
				fmt.Fprintln(t.out, file)
			}
			if stale {
				return t.problem("Docs out of date", "The reference differs from the tables. Run \"wso2plan docs\" and commit the result.")
			}
			return nil
		},
	}
}

// reference returns the reference of a provider as Markdown.
func reference(dir, name string) ([]byte, error) {
	folder := filepath.Join(dir, "providers", name)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder %s, so %s is not a source tree of wso2plan", folder, dir)
	}
	p := providers.All()[name]()
	d := schema.Docs{Provider: name, Title: titles[name][0], Doc: titles[name][1], Block: p.Schema()}
	for _, t := range p.Types() {
		d.Types = append(d.Types, t.Schema())
	}
	for _, t := range p.Data() {
		if !slices.Contains(d.Types, t.Schema()) {
			d.Types = append(d.Types, t.Schema())
		}
	}
	examples := map[string]string{}
	for _, t := range d.Types {
		file := filepath.Join(folder, "testdata", strings.TrimPrefix(t.Name, name+"_")+".txtar")
		archive, err := txtar.ParseFile(file)
		if err != nil {
			return nil, fmt.Errorf("the example of %s cannot be read: %w", t.Name, err)
		}
		for _, f := range archive.Files {
			if f.Name == "create.hcl" {
				examples[t.Name] = string(f.Data)
			}
		}
	}
	d.Example = func(t *schema.Type) string { return examples[t.Name] }
	var b bytes.Buffer
	err := schema.WriteDocs(&b, d)
	return b.Bytes(), err
}
