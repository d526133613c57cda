package apim

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// holders remembers by id whether what holds documents and pictures is an API or an API product.
type holders struct {
	mu   sync.Mutex
	path map[string]string
}

// holderPath returns the path of an API or an API product, "apis/ID" or "api-products/ID", by its id.
func (p *Provider) holderPath(ctx context.Context, id string) (string, error) {
	h := &p.server.holders
	h.mu.Lock()
	known := h.path[id]
	h.mu.Unlock()
	if known != "" {
		return known, nil
	}
	path := "apis/" + url.PathEscape(id)
	err := p.client.Get(ctx, publisher+"/"+path, nil, nil)
	if errors.Is(err, engine.ErrNotFound) {
		path = "api-products/" + url.PathEscape(id)
		if perr := p.client.Get(ctx, publisher+"/"+path, nil, nil); perr != nil {
			return "", fmt.Errorf("there is neither an API nor an API product with the id %q: %w", id, engine.ErrNotFound)
		}
		err = nil
	}
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.path == nil {
		h.path = map[string]string{}
	}
	h.path[id] = path
	return path, nil
}

// heldID cuts an id that begins with the path of what holds the object: "apis/ID/documents/ID".
func heldID(id string, parts int) ([]string, error) {
	out := strings.Split(id, "/")
	if len(out) != parts || out[0] != "apis" && out[0] != "api-products" {
		return nil, fmt.Errorf("%q is no id of an object below an API: %w", id, engine.ErrNotFound)
	}
	for _, p := range out {
		if p == "" || p == "." || p == ".." {
			return nil, fmt.Errorf("%q is no id of an object below an API: %w", id, engine.ErrNotFound)
		}
	}
	return out, nil
}

// missingHolder says that what holds an object is gone, so that the object is too. The server
// answers some of these with 500.
func (p *Provider) missingHolder(ctx context.Context, holder string) bool {
	err := p.client.Get(ctx, publisher+"/"+holder, nil, nil)
	return errors.Is(err, engine.ErrNotFound) || err != nil && strings.HasPrefix(holder, "api-products/") && rest.StatusOf(err) == 500
}
