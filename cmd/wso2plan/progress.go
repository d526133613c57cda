package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"wso2plan/engine"
	"wso2plan/engine/render"
)

// progress shows the events of one run. Operations are told as they begin and end, in Terraform's
// words, on out. Reading is told only when it lasts: on a terminal in one line that is rewritten,
// elsewhere in a line each few seconds, on err.
type progress struct {
	out, err io.Writer
	inPlace  bool // err is a terminal
	options  render.Options
	now      func() time.Time

	mu     sync.Mutex
	begun  time.Time // of the reading
	last   time.Time // when reading was last told
	inLine bool      // a line that can be rewritten stands on err
}

const (
	readingQuiet   = time.Second            // reading that is over by then is not told
	readingInPlace = 100 * time.Millisecond // between two rewritings of the line
	readingLine    = 5 * time.Second        // between two lines where lines cannot be rewritten
)

// event shows one event.
func (p *progress) event(e engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Kind == engine.Reading {
		p.reading(e)
		return
	}
	p.clear()
	if line := render.Line(e, p.options); line != "" {
		fmt.Fprintln(p.out, line)
	}
}

// end removes what stands in the line that is rewritten.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) reading(e engine.Event) {
	now := p.now()
	if p.begun.IsZero() {
		p.begun, p.last = now, now
	}
	pause, first := readingLine, readingLine
	if p.inPlace {
		pause, first = readingInPlace, readingQuiet
	}
	switch {
	case now.Sub(p.begun) < first:
	case now.Sub(p.last) < pause:
	case p.inPlace:
		fmt.Fprint(p.err, "\r\x1b[K"+render.ReadingLine(e))
		p.inLine, p.last = true, now
	default:
		fmt.Fprintln(p.err, render.ReadingLine(e))
		p.last = now
	}
}

func (p *progress) clear() {
	if p.inLine {
		fmt.Fprint(p.err, "\r\x1b[K")
		p.inLine = false
	}
}
