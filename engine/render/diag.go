package render

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Diagnostics writes diagnostics in the order given, each with the lines of source that it points
// at: in a box on a terminal, which is with colour, and plainly without. sources holds the parsed
// files by name. Of the values that an expression refers to, only short ones that are not sensitive
// are told; a sensitive value that a message quotes is replaced.
func Diagnostics(w io.Writer, sources map[string]*hcl.File, diags hcl.Diagnostics, o Options) error {
	t := newPage(w, o)
	for i, d := range diags {
		if i > 0 {
			t.add("\n")
		}
		t.diagnostic(sources, d)
		if err := t.flush(false); err != nil {
			return err
		}
	}
	return t.flush(true)
}

// shortest is how long a secret is at least for it to be looked for in the text of messages.
const shortest = 4

func (t *page) diagnostic(sources map[string]*hcl.File, d *hcl.Diagnostic) {
	inner := newPage(nil, t.o)
	word, tone := "Error:", t.pal.red
	if d.Severity == hcl.DiagWarning {
		word, tone = "Warning:", t.pal.yellow
	}
	boxed := t.o.Color
	width := t.o.width()
	if boxed {
		width -= 2
	}
	secrets := secretsInScope(d)
	safe := func(s string) string { return printable(masked(s, secrets), true) }

	inner.in(style{tone.open + t.pal.bold.open, t.pal.bold.close + tone.close}, word)
	inner.in(t.pal.bold, " ", safe(d.Summary))
	inner.add("\n\n")
	if d.Subject != nil {
		inner.source(sources, d, secrets)
		inner.add("\n")
	}
	if d.Detail != "" {
		for _, line := range wrap(safe(d.Detail), width) {
			inner.add(line, "\n")
		}
	} else {
		inner.b = bytes.TrimSuffix(inner.b, []byte("\n"))
	}
	if !boxed {
		t.b = append(t.b, inner.b...)
		return
	}
	t.in(tone, "╷")
	t.add("\n")
	for _, line := range strings.Split(strings.TrimSuffix(string(inner.b), "\n"), "\n") {
		t.in(tone, "│")
		t.add(strings.TrimRight(" "+line, " "), "\n")
	}
	t.in(tone, "╵")
	t.add("\n")
}

// mostLines is how many lines of source one diagnostic shows.
const mostLines = 8

// source writes where the diagnostic points, the lines there, and the values they refer to.
func (t *page) source(sources map[string]*hcl.File, d *hcl.Diagnostic, secrets []string) {
	r := *d.Subject
	file := sources[r.Filename]
	in := ""
	if file != nil {
		if nav, ok := file.Nav.(interface{ ContextString(offset int) string }); ok {
			if s := nav.ContextString(r.Start.Byte); s != "" {
				in = ", in " + s
			}
		}
	}
	t.add("  on ", printable(r.Filename, false), " line ", strconv.Itoa(r.Start.Line), printable(in, false), ":\n")
	if file == nil {
		t.add("  (source code not available)\n")
		return
	}
	lines := bytes.Split(file.Bytes, []byte("\n"))
	first, last := r.Start.Line, max(r.Start.Line, r.End.Line)
	if c := d.Context; c != nil && c.Filename == r.Filename && max(last, c.End.Line)-min(first, c.Start.Line) < mostLines {
		first, last = min(first, c.Start.Line), max(last, c.End.Line)
	}
	if r.End.Column == 1 && r.End.Line == last && last > first {
		last--
	}
	for n := max(1, first); n <= last && n <= len(lines); n++ {
		if n-first == mostLines {
			t.add("     …\n")
			break
		}
		line := strings.TrimSuffix(string(lines[n-1]), "\r")
		from, to := 0, 0
		switch {
		case n == r.Start.Line && n == r.End.Line:
			from, to = column(line, r.Start.Column), column(line, r.End.Column)
		case n == r.Start.Line:
			from, to = column(line, r.Start.Column), len(line)
		case n > r.Start.Line && n < r.End.Line:
			to = len(line)
		case n == r.End.Line:
			to = column(line, r.End.Column)
		}
		show := func(s string) string { return printable(masked(s, secrets), true) }
		t.add(fmt.Sprintf("%4d: ", n))
		if from < to && t.o.Color {
			t.add(show(line[:from]))
			t.in(t.pal.underline, show(line[from:to]))
			t.add(show(line[to:]), "\n")
		} else {
			t.add(show(line), "\n")
		}
	}
	if values := scope(d); len(values) > 0 {
		t.add("    ")
		t.in(t.pal.dim, "├────────────────")
		t.add("\n")
		for _, v := range values {
			t.add("    ")
			t.in(t.pal.dim, "│")
			t.add(" ")
			t.in(t.pal.bold, v.name)
			t.add(" ", printable(masked(v.text, secrets), false), "\n")
		}
	}
}

// column returns the byte offset of a column, which counts characters from 1. HCL counts grapheme
// clusters; runes are near enough to underline by, and never cut a rune.
func column(line string, col int) int {
	at := 0
	for i := 1; i < col && at < len(line); i++ {
		_, n := utf8.DecodeRuneInString(line[at:])
		at += n
	}
	return at
}

type scopeValue struct{ name, text string }

// longestShown is how long a string may be for its value to be told.
const longestShown = 60

// scope says what the expression's references stand for, where that can be told.
func scope(d *hcl.Diagnostic) []scopeValue {
	var out []scopeValue
	each(d, func(name string, v cty.Value) {
		if text := describe(v); text != "" {
			out = append(out, scopeValue{name, text})
		}
	})
	slices.SortFunc(out, func(a, b scopeValue) int { return strings.Compare(a.name, b.name) })
	return slices.Compact(out)
}

// each calls f with each reference of the diagnostic's expression that has a value.
func each(d *hcl.Diagnostic, f func(name string, v cty.Value)) {
	if d.Expression == nil || d.EvalContext == nil {
		return
	}
	for _, traversal := range d.Expression.Variables() {
		for ctx := d.EvalContext; ctx != nil; ctx = ctx.Parent() {
			if _, ok := ctx.Variables[traversal.RootName()]; !ok {
				continue
			}
			if v, diags := traversal.TraverseAbs(ctx); !diags.HasErrors() && v != cty.NilVal {
				f(traversalName(traversal), v)
			}
			break
		}
	}
}

func traversalName(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			if key, _ := step.Key.Unmark(); step.Key.IsMarked() || !key.IsKnown() || key.IsNull() {
				b.WriteString("[…]")
			} else {
				b.WriteString("[" + (&differ{}).literal(key) + "]")
			}
		}
	}
	return b.String()
}

// describe says what a value is without giving away what is secret or long.
func describe(v cty.Value) string {
	t := v.Type()
	switch {
	case marked(v):
		return "has a sensitive value"
	case !v.IsKnown() && t == cty.DynamicPseudoType:
		return "will be known only after apply"
	case !v.IsKnown():
		return "is a " + t.FriendlyName() + ", known only after apply"
	case v.IsNull():
		return "is null"
	case t == cty.String:
		if s := v.AsString(); utf8.RuneCountInString(s) <= longestShown && !strings.Contains(s, "\n") {
			return "is " + strconv.Quote(s)
		}
		return "is a long string"
	case t == cty.Number, t == cty.Bool:
		return "is " + (&differ{}).literal(v)
	case t.IsObjectType():
		return "is object with " + plural(len(t.AttributeTypes()), "attribute")
	case t.IsTupleType(), t.IsCollectionType():
		return "is " + t.FriendlyName() + " with " + plural(v.LengthInt(), "element")
	}
	return ""
}

// secretsInScope returns the secrets that the diagnostic's expression refers to.
func secretsInScope(d *hcl.Diagnostic) []string {
	var values []cty.Value
	each(d, func(_ string, v cty.Value) {
		if marked(v) {
			values = append(values, v)
		}
	})
	return Secrets(values...)
}

// masked returns s without the secrets.
func masked(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= shortest {
			s = strings.ReplaceAll(s, secret, sensitiveText)
		}
	}
	return s
}
