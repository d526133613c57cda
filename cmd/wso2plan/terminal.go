package main

import (
	"bufio"
	"io"
	"os"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"

	"wso2plan/engine/render"
)

// A terminal is where a run reads and prints. Everything printed passes a scrubber that knows the
// secrets of the run.
type terminal struct {
	in       io.Reader
	out, err io.Writer

	interactive bool // in and out are a terminal, so that somebody can be asked
	outColor    bool // out is a terminal that shows colours
	errColor    bool
	inPlace     bool // err is a terminal, on which a line can be rewritten
	outWidth    int  // columns; 0 where it is no terminal
	errWidth    int
	compact     bool // of warnings print only the summaries

	plain io.Writer // standard output past the scrubber, for outputs that are asked for

	scrubbers []*render.Scrubber
	lines     *bufio.Reader // of in, while questions are asked
}

// newTerminal returns the terminal of a process. Its colours are settled by settle.
func newTerminal(in, out, err *os.File, getenv func(string) string) *terminal {
	t := &terminal{in: in, plain: out}
	t.out, t.err = t.scrubbed(out), t.scrubbed(err)
	outTerm, errTerm := term.IsTerminal(int(out.Fd())), term.IsTerminal(int(err.Fd()))
	t.interactive = outTerm && term.IsTerminal(int(in.Fd()))
	dumb := getenv("NO_COLOR") != "" || getenv("TERM") == "dumb"
	t.outColor, t.errColor = outTerm && !dumb, errTerm && !dumb
	t.inPlace = errTerm && getenv("TERM") != "dumb"
	if outTerm {
		t.outWidth, _, _ = term.GetSize(int(out.Fd()))
	}
	if errTerm {
		t.errWidth, _, _ = term.GetSize(int(err.Fd()))
	}
	return t
}

// settle takes the colours away where the command line says so.
func (t *terminal) settle(noColor bool) {
	if noColor {
		t.outColor, t.errColor = false, false
	}
}

func (t *terminal) options(verbose bool) render.Options {
	return render.Options{Color: t.outColor, Width: t.outWidth, Verbose: verbose}
}

// diagnose prints diags on standard error, with the lines of sources that they are about. The
// error is nil unless one of them is an error; then it has been said.
func (t *terminal) diagnose(sources map[string]*hcl.File, diags hcl.Diagnostics) error {
	if t.compact {
		var err error
		if diags, err = t.compacted(diags); err != nil {
			return err
		}
	}
	if len(diags) > 0 {
		if err := render.Diagnostics(t.err, sources, diags, render.Options{Color: t.errColor, Width: t.errWidth}); err != nil {
			return err
		}
	}
	if diags.HasErrors() {
		return failed
	}
	return nil
}

// compacted prints the summaries of warnings, each once with the number of places, and returns the
// errors.
func (t *terminal) compacted(diags hcl.Diagnostics) (errors hcl.Diagnostics, err error) {
	count := map[string]int{}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			errors = append(errors, d)
		} else {
			count[d.Summary]++
		}
	}
	if len(count) == 0 {
		return errors, nil
	}
	var text strings.Builder
	text.WriteString("Warnings:\n\n")
	for _, summary := range sorted(count) {
		text.WriteString("- " + summary)
		if n := count[summary]; n > 1 {
			text.WriteString(" (" + plural(n, "time") + ")")
		}
		text.WriteByte('\n')
	}
	text.WriteString("\nTo see the full warning notes, run wso2plan without -compact-warnings.\n")
	_, err = io.WriteString(t.err, text.String())
	return errors, err
}

// problem prints an error that is about no place in the configuration.
func (t *terminal) problem(summary, detail string) error {
	return t.diagnose(nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail}})
}

// fail prints an error that nobody has said yet.
func (t *terminal) fail(err error) {
	t.problem("Command failed", sentence(err))
}

func (t *terminal) newProgress() *progress {
	return &progress{out: t.out, err: t.err, inPlace: t.inPlace, options: t.options(false), now: time.Now}
}

func (t *terminal) bold(s string) string  { return t.styled(s, color.Bold) }
func (t *terminal) green(s string) string { return t.styled(s, color.Bold, color.FgGreen) }

func (t *terminal) styled(s string, attributes ...color.Attribute) string {
	if !t.outColor {
		return s
	}
	c := color.New(attributes...)
	c.EnableColor()
	return c.Sprint(s)
}

func (t *terminal) scrubbed(w io.Writer) io.Writer {
	s := render.Scrub(w, nil)
	t.scrubbers = append(t.scrubbers, s)
	return s
}

// keepSecret makes texts known that are never to be printed.
func (t *terminal) keepSecret(secrets ...string) {
	for _, s := range t.scrubbers {
		s.Add(secrets...)
	}
}

// flush prints what is held back because it might begin a secret. Call it before waiting for an
// answer, and at the end.
func (t *terminal) flush() {
	for _, s := range t.scrubbers {
		s.Flush()
	}
}
