// Package render writes plans, progress, live objects, outputs and diagnostics for people and for
// programs, with every secret masked before a format sees it.
//
// A plan goes through View, which turns values into masked rows; the formats know those rows and
// nothing else. The look is Terraform's, to the symbol and the phrase.
package render

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Options say how to write for people. The zero value is plain text, folded, 100 columns wide.
type Options struct {
	Color   bool // ANSI colours and attributes
	Width   int  // columns of the terminal; prose wraps there, at 100 at most; 0: 100
	Verbose bool // show every instance of a block, and every line of a long text
}

// What stands in the place of a value. They are Terraform's phrases.
const (
	sensitiveText = "(sensitive value)"
	writeOnlyText = "(write-only value)"
	unknownText   = "(known after apply)"
)

// width is the column at which prose wraps.
func (o Options) width() int {
	switch {
	case o.Width <= 0 || o.Width > 100:
		return 100
	case o.Width < 20:
		return 20
	}
	return o.Width
}

// wrap breaks text at spaces into lines of at most width runes. A line of text that begins with a
// space is left as it is, so that commands and tables survive; a word longer than width stands on a
// line of its own.
func wrap(text string, width int) []string {
	var lines []string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, " ") || utf8.RuneCountInString(line) <= width {
			lines = append(lines, line)
			continue
		}
		var out strings.Builder
		n := 0
		for _, word := range strings.Fields(line) {
			w := utf8.RuneCountInString(word)
			if n > 0 && n+1+w > width {
				lines = append(lines, out.String())
				out.Reset()
				n = 0
			}
			if n > 0 {
				out.WriteByte(' ')
				n++
			}
			out.WriteString(word)
			n += w
		}
		lines = append(lines, out.String())
	}
	return lines
}

// printable returns s with every rune that could move a cursor, hide text or reorder it written as
// an escape; spaces and, with newlines, line breaks and tabs stay. What servers answer goes through
// it before it reaches a terminal.
func printable(s string, newlines bool) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case newlines && (r == '\n' || r == '\t'), unicode.IsPrint(r):
			if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
				b.WriteString(`\x` + strconv.FormatUint(uint64(s[i]), 16))
				continue
			}
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// plural returns "1 thing" or "2 things".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// list joins texts with commas, and says how many it left out beyond limit.
func list(texts []string, limit int) string {
	if len(texts) <= limit {
		return strings.Join(texts, ", ")
	}
	return strings.Join(texts[:limit], ", ") + " and " + strconv.Itoa(len(texts)-limit) + " more"
}

// A page collects text and hands it to w in large pieces.
type page struct {
	b   []byte
	w   io.Writer
	o   Options
	pal *palette
	err error
}

func newPage(w io.Writer, o Options) *page {
	return &page{w: w, o: o, pal: paletteFor(o.Color), b: make([]byte, 0, 1<<15)}
}

func (p *page) add(texts ...string) {
	for _, s := range texts {
		p.b = append(p.b, s...)
	}
}

func (p *page) in(s style, texts ...string) {
	p.b = append(p.b, s.open...)
	p.add(texts...)
	p.b = append(p.b, s.close...)
}

// prose writes a paragraph, wrapped, each line after prefix.
func (p *page) prose(prefix, text string) {
	for _, line := range wrap(text, p.o.width()-utf8.RuneCountInString(prefix)) {
		p.add(prefix, line, "\n")
	}
}

// flush writes what has collected once it is much; the last call takes all.
func (p *page) flush(all bool) error {
	if p.err == nil && (all || len(p.b) > 1<<15-1<<12) {
		_, p.err = p.w.Write(p.b)
		p.b = p.b[:0]
	}
	return p.err
}
