package render

import (
	"strings"
	"sync"

	"github.com/fatih/color"
)

// A style is what switches an ANSI attribute on and off again; both are empty without colour.
type style struct{ open, close string }

// A palette holds the styles of a text.
type palette struct {
	bold, dim, underline                                         style
	red, green, yellow, cyan, boldRed, boldGreen, boldYellow     style
	symAdd, symChange, symRemove, symReplace, symCreateFirst, to string
	symRead                                                      string
}

func newPalette(on bool) *palette {
	of := func(attributes ...color.Attribute) style {
		if !on {
			return style{}
		}
		c := color.New(attributes...)
		c.EnableColor()
		open, close, _ := strings.Cut(c.Sprint("|"), "|")
		return style{open, close}
	}
	p := &palette{
		bold: of(color.Bold), dim: of(color.FgHiBlack), underline: of(color.Underline),
		red: of(color.FgRed), green: of(color.FgGreen), yellow: of(color.FgYellow), cyan: of(color.FgCyan),
		boldRed: of(color.Bold, color.FgRed), boldGreen: of(color.Bold, color.FgGreen),
		boldYellow: of(color.Bold, color.FgYellow),
	}
	p.symAdd = p.green.of("+")
	p.symChange = p.yellow.of("~")
	p.symRemove = p.red.of("-")
	p.symReplace = p.red.of("-") + "/" + p.green.of("+")
	p.symCreateFirst = p.green.of("+") + "/" + p.red.of("-")
	p.symRead = p.cyan.of("<=")
	p.to = " " + p.yellow.of("->") + " "
	return p
}

func (s style) of(text string) string { return s.open + text + s.close }

var palettes = [2]func() *palette{
	sync.OnceValue(func() *palette { return newPalette(false) }),
	sync.OnceValue(func() *palette { return newPalette(true) }),
}

func paletteFor(on bool) *palette {
	if on {
		return palettes[1]()
	}
	return palettes[0]()
}
