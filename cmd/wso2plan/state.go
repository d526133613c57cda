package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"wso2plan/config"
	"wso2plan/engine"
	"wso2plan/engine/store"
	"wso2plan/providers"
)

func stateCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "state",
		Usage:       "see and change which objects are owned",
		Description: "The store remembers which live objects the configuration owns, and none of their values. " + exitText(""),
		Commands: []*cli.Command{
			stateListCommand(t),
			stateShowCommand(t),
			stateMoveCommand(t),
			stateRemoveCommand(t),
		},
	}
}

func stateListCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "list the addresses of what is owned",
		ArgsUsage:   "[ADDRESS]...",
		Description: "Lists all, or the instances of the given blocks.\n\n" + exitText(""),
		Flags:       []cli.Flag{&cli.StringFlag{Name: "id", Usage: "only the object with this `ID`"}},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			records, err := t.records(ctx)
			if err != nil {
				return err
			}
			if cmd.Args().Present() {
				if records, err = t.selected(records, cmd.Args().Slice()); err != nil {
					return err
				}
			}
			for i := range records {
				if id := cmd.String("id"); id == "" || id == records[i].ID {
					fmt.Fprintln(t.out, records[i].Address)
				}
			}
			return nil
		},
	}
}

func stateShowCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show what is remembered of one object",
		ArgsUsage: "ADDRESS",
		Description: "Shows the record of the object: which one it is, where, and which of its attributes are managed. " +
			"Its values are on the server: see \"wso2plan show\".\n\n" + exitText(""),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 1, 1); err != nil {
				return usageError(t, cmd, err)
			}
			records, err := t.records(ctx)
			if err != nil {
				return err
			}
			records, err = t.selected(records, cmd.Args().Slice())
			if err != nil {
				return err
			}
			for i := range records {
				if i > 0 {
					fmt.Fprintln(t.out)
				}
				t.showRecord(&records[i])
			}
			return nil
		},
	}
}

// showRecord prints a record in the form of its block.
func (t *terminal) showRecord(r *engine.Record) {
	var lines [][2]string
	line := func(name, value string) {
		if value != "" {
			lines = append(lines, [2]string{name, value})
		}
	}
	line("id", quoted(r.ID))
	line("provider", quoted(r.Provider))
	line("realm", quoted(r.Realm))
	line("status", quoted(string(r.Status)))
	for _, name := range sorted(r.Key) {
		line("key."+name, r.Key[name])
	}
	if r.Adopted {
		line("adopted", "true")
	}
	for _, path := range sorted(r.Original) {
		line("original."+path, r.Original[path])
	}
	if r.Protected {
		line("prevent_destroy", "true")
	}
	line("deposed", listed(r.Deposed))
	line("depends_on", addressList(r.Dependencies))
	line("managed", listed(sorted(r.Fingerprints)))

	width := 0
	for _, l := range lines {
		width = max(width, len(l[0]))
	}
	fmt.Fprintf(t.out, "# %s:\nresource %q %q {\n", r.Address, r.Address.Type, r.Address.Name)
	for _, l := range lines {
		fmt.Fprintf(t.out, "    %-*s = %s\n", width, l[0], l[1])
	}
	fmt.Fprintln(t.out, "}")
}

func stateMoveCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "mv",
		Usage:     "give an owned object another address",
		ArgsUsage: "SOURCE DESTINATION",
		Description: "Moves one object, or all instances of a block. The servers are not touched. A block that is merely renamed needs none of " +
			"this: the next plan finds the move.\n\n" + exitText(""),
		Flags: flags(lockFlags(), []cli.Flag{&cli.BoolFlag{Name: "dry-run", Usage: "say what would be done, and do nothing"}}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 2, 2); err != nil {
				return usageError(t, cmd, err)
			}
			return t.changeState(ctx, cmd, "state mv", func(records []engine.Record) ([]engine.Op, string, error) {
				return t.moves(cmd, records, cmd.Args().Get(0), cmd.Args().Get(1))
			})
		},
	}
}

// moves says what moving source to destination changes in the records, and prints it.
func (t *terminal) moves(cmd *cli.Command, records []engine.Record, source, destination string) ([]engine.Op, string, error) {
	from, err := t.address(source)
	if err != nil {
		return nil, "", err
	}
	to, err := t.address(destination)
	if err != nil {
		return nil, "", err
	}
	if from.Type != to.Type || from.Mode != to.Mode {
		return nil, "", t.problem("Invalid state move request", fmt.Sprintf("%s and %s have different types. An object keeps its type.", from, to))
	}
	moving, err := t.selected(records, []string{source})
	if err != nil {
		return nil, "", err
	}
	if to.Key != "" && (len(moving) > 1 || moving[0].Address != from && moving[0].Address.Key != "") {
		return nil, "", t.problem("Invalid state move request",
			fmt.Sprintf("%s has several instances, and %s is one. Move them one by one, or name a block.", from, to))
	}
	moved := map[config.Address]config.Address{}
	for i := range moving {
		target := to
		if from.Key == "" && to.Key == "" {
			target.Key = moving[i].Address.Key
		}
		moved[moving[i].Address] = target
	}
	for i := range records {
		at := records[i].Address
		for _, target := range moved {
			if _, leaves := moved[at]; at == target && !leaves {
				return nil, "", t.problem("Invalid state move request",
					fmt.Sprintf("There is already an object at %s. Remove or move that first; \"wso2plan state list\" shows all.", target))
			}
		}
	}
	verb := "Move"
	if cmd.Bool("dry-run") {
		verb = "Would move"
	}
	var ops []engine.Op
	for i := range moving {
		r := moving[i]
		if moved[r.Address] == r.Address {
			return nil, "", t.problem("Invalid state move request", "The source and the destination are the same.")
		}
		fmt.Fprintf(t.out, "%s %q to %q\n", verb, r.Address, moved[r.Address])
		if _, taken := moved[moved[r.Address]]; !taken {
			ops = append(ops, engine.Op{Delete: &moving[i].Address})
		}
	}
	// What depends on the block depends on it under its new name, once no instance is left behind.
	left := slices.ContainsFunc(records, func(r engine.Record) bool {
		_, leaves := moved[r.Address]
		return r.Address.Block() == from.Block() && !leaves
	})
	for i := range records {
		r := records[i]
		target, moves := moved[r.Address]
		renamed := false
		if !left {
			r.Dependencies, renamed = replaced(r.Dependencies, from.Block(), to.Block())
			var also bool
			r.Parents, also = replaced(r.Parents, from.Block(), to.Block())
			renamed = renamed || also
		}
		if moves {
			r.Address = target
		}
		if moves || renamed {
			ops = append(ops, engine.Op{Put: &r})
		}
	}
	return ops, fmt.Sprintf("Successfully moved %d object(s).", len(moving)), nil
}

// replaced returns list with to in the place of from, and whether from was in it.
func replaced(list []config.Address, from, to config.Address) ([]config.Address, bool) {
	if !slices.Contains(list, from) {
		return list, false
	}
	list = slices.Clone(list)
	for i := range list {
		if list[i] == from {
			list[i] = to
		}
	}
	slices.SortFunc(list, config.Address.Compare)
	return slices.Compact(list), true
}

func stateRemoveCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "rm",
		Usage:       "no longer own objects, which stay on the server",
		ArgsUsage:   "ADDRESS...",
		Description: "Forgets the objects, or all instances of the blocks. The servers are not touched.\n\n" + exitText(""),
		Flags:       flags(lockFlags(), []cli.Flag{&cli.BoolFlag{Name: "dry-run", Usage: "say what would be done, and do nothing"}}),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := takes(cmd, 1, -1); err != nil {
				return usageError(t, cmd, err)
			}
			return t.changeState(ctx, cmd, "state rm", func(records []engine.Record) ([]engine.Op, string, error) {
				removed, err := t.selected(records, cmd.Args().Slice())
				if err != nil {
					return nil, "", err
				}
				verb := "Removed"
				if cmd.Bool("dry-run") {
					verb = "Would remove"
				}
				var ops []engine.Op
				for i := range removed {
					fmt.Fprintf(t.out, "%s %s\n", verb, removed[i].Address)
					ops = append(ops, engine.Op{Delete: &removed[i].Address})
				}
				return ops, fmt.Sprintf("Successfully removed %d resource instance(s).", len(removed)), nil
			})
		},
	}
}

// changeState commits what change makes of the records, under the store's lock, and then prints
// what change says was done.
func (t *terminal) changeState(ctx context.Context, cmd *cli.Command, operation string, change func([]engine.Record) ([]engine.Op, string, error)) error {
	ctx, stop := t.interruptible(ctx)
	defer stop()
	s, err := t.storeOnly()
	if err != nil {
		return err
	}
	session, err := t.lock(ctx, cmd, s, operation)
	if err != nil {
		return err
	}
	defer session.Close()
	ops, done, err := change(session.Records())
	if err != nil || cmd.Bool("dry-run") {
		return err
	}
	if err := session.Commit(ctx, ops); err != nil {
		return t.problem("State not written", sentence(err))
	}
	_, err = fmt.Fprintln(t.out, done)
	return err
}

// storeOnly opens the store of a configuration of which nothing else matters.
func (t *terminal) storeOnly() (engine.Store, error) {
	c, diags := config.Load(".", providers.Schemas(), config.Inputs{Version: version(), Env: os.Environ(), AllowMissing: true})
	if diags.HasErrors() {
		return nil, t.diagnose(c.Sources(), diags)
	}
	return t.openStore(c)
}

func (t *terminal) records(ctx context.Context) ([]engine.Record, error) {
	s, err := t.storeOnly()
	if err != nil {
		return nil, err
	}
	_, records, err := (&project{t: t, store: s}).read(ctx)
	return records, err
}

// selected returns the records at these addresses; the address of a block stands for all its
// instances. One that stands for none is an error.
func (t *terminal) selected(records []engine.Record, given []string) ([]engine.Record, error) {
	var found []engine.Record
	for _, text := range given {
		a, err := t.address(text)
		if err != nil {
			return nil, err
		}
		n := len(found)
		for i := range records {
			at := records[i].Address
			if (at == a || a.Key == "" && at.Block() == a) && !slices.ContainsFunc(found, func(r engine.Record) bool { return r.Address == at }) {
				found = append(found, records[i])
			}
		}
		if len(found) == n && !slices.ContainsFunc(found, func(r engine.Record) bool { return r.Address.Block() == a.Block() }) {
			return nil, t.problem("Invalid target address",
				fmt.Sprintf("No object is owned at %s. To see what is, run:\n  wso2plan state list", a))
		}
	}
	slices.SortFunc(found, func(x, y engine.Record) int { return x.Address.Compare(y.Address) })
	return found, nil
}

func (t *terminal) address(text string) (config.Address, error) {
	a, err := config.ParseAddress(text)
	if err != nil {
		return a, t.problem("Invalid address", sentence(err))
	}
	return a, nil
}

// ownedAddresses lists what the store of the working directory holds, for completion: without it,
// or with a configuration that does not load, there are none.
func ownedAddresses(ctx context.Context) []string {
	c, diags := config.Load(".", providers.Schemas(), config.Inputs{Version: version(), AllowMissing: true})
	if diags.HasErrors() {
		return nil
	}
	s, err := store.Open(c.Settings.Store, ".")
	if err != nil {
		return nil
	}
	_, records, err := s.Read(ctx)
	if err != nil {
		return nil
	}
	var all []string
	for i := range records {
		all = append(all, records[i].Address.String())
	}
	return all
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf("%q", s)
}

func listed(items []string) string {
	if len(items) == 0 {
		return ""
	}
	quotedItems := make([]string, len(items))
	for i, s := range items {
		quotedItems[i] = quoted(s)
	}
	return "[" + strings.Join(quotedItems, ", ") + "]"
}

func addressList(list []config.Address) string {
	if len(list) == 0 {
		return ""
	}
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.String()
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
