package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wso2plan/providers/sandbox"
)

// A fence is a fenced block of a Markdown file.
type fence struct {
	info string   // what stands behind the opening
	at   int      // the first line inside
	text []string // the lines inside
}

func fences(lines []string) []fence {
	var all []fence
	var open *fence
	for i, line := range lines {
		switch {
		case open == nil && strings.HasPrefix(line, "```"):
			open = &fence{info: strings.TrimPrefix(line, "```"), at: i + 1}
		case open != nil && line == "```":
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text = append(open.text, line)
		}
	}
	return all
}

// TestReadme runs every command of the README in order and holds that it prints what stands there:
// `hcl FILE` blocks are written, `console` blocks run, `sh` blocks are make targets or commands.
// With -update the output is written into the README.
func TestReadme(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "README.md")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.Start(context.Background(), sandbox.Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	env, err := s.Env(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	run := func(command string) string {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
		return strings.TrimRight(string(out), "\n")
	}

	lines := strings.Split(string(source), "\n")
	var updated []string
	copied, stale := 0, false
	for _, f := range fences(lines) {
		kind, name, _ := strings.Cut(f.info, " ")
		switch kind {
		case "hcl":
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(f.text, "\n") + "\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		case "sh":
			for _, line := range f.text {
				command, _, _ := strings.Cut(line, "#")
				command = strings.TrimSpace(command)
				if target, ok := strings.CutPrefix(command, "make "); ok {
					if !bytes.Contains(makefile, []byte("\n"+target+":")) {
						t.Errorf("the Makefile has no target %s", target)
					}
					continue
				}
				run(command)
			}
		case "console":
			var want, got []string
			for _, line := range f.text {
				want = append(want, line)
				command, ok := strings.CutPrefix(line, "$ ")
				if !ok {
					continue
				}
				got = append(got, line)
				if command == "wso2plan sandbox -- sh" {
					continue // the shell that this test stands for; testdata/script/sandbox.txtar runs it
				}
				got = append(got, strings.Split(run(command), "\n")...)
			}
			if *update {
				updated = append(updated, lines[copied:f.at]...)
				updated = append(updated, got...)
				copied = f.at + len(f.text)
				stale = stale || !slices.Equal(constant(want), constant(got))
				continue
			}
			if diff := cmp.Diff(constant(want), constant(got)); diff != "" {
				t.Errorf("README.md line %d prints something else, run \"make golden\" (-want +got):\n%s", f.at, diff)
			}
		default:
			t.Errorf("README.md line %d: unknown kind of block %q", f.at, f.info)
		}
	}
	if stale {
		updated = append(updated, lines[copied:]...)
		if err := os.WriteFile(file, []byte(strings.Join(updated, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var varyingTime = regexp.MustCompile(`after \d+s`)

// constant masks ids and times, and sorts the lines of an apply: what does not depend on each other
// is done at the same time.
func constant(lines []string) []string {
	var out, progress []string
	for _, line := range lines {
		line = varyingID.ReplaceAllString(line, "<id>")
		line = varyingTime.ReplaceAllString(line, "after 0s")
		if progressLine.MatchString(line) {
			progress = append(progress, line)
			continue
		}
		slices.Sort(progress)
		out = append(append(out, progress...), line)
		progress = nil
	}
	slices.Sort(progress)
	return append(out, progress...)
}

var progressLine = regexp.MustCompile(`^\w+\.\S+: (Creat|Modif|Destr|Import)`)

// TestFences holds that no block of the README is overlooked.
func TestFences(t *testing.T) {
	got := fences(strings.Split("a\n```sh x\nb\nc\n```\n```\nd\n```\n", "\n"))
	want := "[{sh x 2 [b c]} { 6 [d]}]"
	if fmt.Sprint(got) != want {
		t.Errorf("fences = %v, want %s", got, want)
	}
}
