package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A question asks for the approval of a plan.
type question struct {
	ask       string // "Do you want to perform these actions?"
	detail    string // one or more lines
	cancelled string // "Apply cancelled."
}

// confirm asks q and returns nil only if the answer is yes. Input that ends is a no.
func (t *terminal) confirm(ctx context.Context, q question) error {
	fmt.Fprintf(t.out, "\n%s\n", t.bold(q.ask))
	for _, line := range strings.Split(q.detail, "\n") {
		fmt.Fprintf(t.out, "  %s\n", line)
	}
	fmt.Fprintf(t.out, "\n  %s ", t.bold("Enter a value:"))

	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := t.readLine(false)
		answers <- answer{strings.TrimSpace(text), err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintf(t.out, "\n\n%s\n", q.cancelled)
		return failed
	case a := <-answers:
		fmt.Fprintln(t.out)
		if a.text == "yes" {
			return nil
		}
		if a.err != nil && !errors.Is(a.err, io.EOF) {
			return t.problem("No answer", "The answer could not be read: "+a.err.Error()+".")
		}
		if a.err != nil && a.text == "" {
			return t.problem("No answer", "The input ended before an answer. Give -auto-approve where nobody can be asked.")
		}
		fmt.Fprintf(t.out, "%s\n", q.cancelled)
		return failed
	}
}
