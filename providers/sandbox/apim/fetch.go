package apim

import (
	"fmt"
	"io"
	"net/http"
)

// fetching marks a route whose form may name the address of a document. It is fetched before the contents are locked.
func fetching(r route) route {
	run := r.run
	r.unlocked = true
	r.run = func(c *call) *answer {
		if c.readForm() {
			if f, given := c.fields["url"]; given {
				c.fetched, c.fetchError = c.get(f.text)
			}
		}
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		c.enter()
		return run(c)
	}
	return r
}

// fetch returns what fetching found at an address.
func (c *call) fetch(string) ([]byte, error) { return c.fetched, c.fetchError }

// get calls an address.
func (c *call) get(at string) ([]byte, error) {
	r, err := http.NewRequestWithContext(c.request.Context(), http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.server.options.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the document's address answers %d", answer.StatusCode)
	}
	return io.ReadAll(io.LimitReader(answer.Body, maxBody))
}
