package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// complete returns what the shell scripts of "wso2plan completion" call: it prints the words that
// may stand next, one "word:description" a line. Flags are completed with one dash or two, as
// they were begun; commands that take the address of an owned object are given those addresses.
func complete(t *terminal) cli.ShellCompleteFunc {
	return func(ctx context.Context, cmd *cli.Command) {
		word := ""
		if n := len(os.Args); n > 1 && os.Args[n-1] == "--generate-shell-completion" {
			word = os.Args[n-2]
		}
		if strings.HasPrefix(word, "-") {
			completeFlag(t, cmd, word)
			return
		}
		for _, c := range cmd.VisibleCommands() {
			fmt.Fprintf(t.out, "%s:%s\n", c.Name, c.Usage)
		}
		if slices.Contains(addressCommands, cmd.FullName()) {
			for _, address := range ownedAddresses(ctx) {
				fmt.Fprintln(t.out, strings.ReplaceAll(address, ":", `\:`))
			}
		}
	}
}

// addressCommands take addresses of owned objects.
var addressCommands = []string{"wso2plan state show", "wso2plan state mv", "wso2plan state rm", "wso2plan show"}

func completeFlag(t *terminal, cmd *cli.Command, word string) {
	dashes := "-"
	if strings.HasPrefix(word, "--") {
		dashes = "--"
	}
	begun := strings.TrimLeft(word, "-")
	for _, f := range append(cmd.VisibleFlags(), cmd.VisiblePersistentFlags()...) {
		name := f.Names()[0]
		if !strings.HasPrefix(name, begun) {
			continue
		}
		usage := ""
		if d, ok := f.(cli.DocGenerationFlag); ok {
			usage = strings.ReplaceAll(d.GetUsage(), "`", "")
		}
		fmt.Fprintf(t.out, "%s%s:%s\n", dashes, name, usage)
	}
}
