package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// Paging says how a collection is listed.
type Paging struct {
	Style Style
	Size  int    // elements asked for in a page; 0 is 100
	Items string // member that holds the elements; "" is the style's own, and for NoPaging the answer is the array itself
	Total string // member that holds the total, going down at each "/"; "" is the style's own
}

// Style is the way in which a listing is cut into pages.
type Style int

// The styles.
const (
	NoPaging    Style = iota // one answer: an array, or an object with the array in Items
	LimitOffset              // limit and offset from 0; {list, pagination{total}} (API Manager)
	SCIM                     // count and startIndex from 1; {Resources, totalResults}
)

func (p Paging) size() int {
	if p.Size > 0 {
		return p.Size
	}
	return 100
}

func (p Paging) items() string {
	switch {
	case p.Items != "":
		return p.Items
	case p.Style == LimitOffset:
		return "list"
	case p.Style == SCIM:
		return "Resources"
	}
	return ""
}

func (p Paging) total() string {
	switch {
	case p.Total != "":
		return p.Total
	case p.Style == LimitOffset:
		return "pagination/total"
	case p.Style == SCIM:
		return "totalResults"
	}
	return ""
}

// query returns the parameters of the page of size elements that begins after skip of them.
func (p Paging) query(skip, size int) url.Values {
	switch p.Style {
	case LimitOffset:
		return url.Values{"limit": {strconv.Itoa(size)}, "offset": {strconv.Itoa(skip)}}
	case SCIM:
		return url.Values{"count": {strconv.Itoa(size)}, "startIndex": {strconv.Itoa(skip + 1)}}
	}
	return nil
}

// pagesAhead bounds how many pages of one listing are asked for at a time.
const pagesAhead = 16

// List yields all objects, pages being read side by side. Without ListComplete it yields
// engine.ErrCostly at once, since each object would have to be read after it.
func (c *Collection) List(ctx context.Context, limit int) iter.Seq2[*engine.Object, error] {
	return func(yield func(*engine.Object, error) bool) {
		if !c.ListComplete || limit < 1 {
			yield(nil, engine.ErrCostly)
			return
		}
		listed(ctx, c, nil, limit, c.object)(yield)
	}
}

// Directory reads the keys of all objects, for types whose ListKeys is set; for others it fails with
// engine.ErrCostly at once.
func (c *Collection) Directory(ctx context.Context, limit int) (ids func(wanted cty.Value) []string, err error) {
	if !c.ListKeys || c.ListComplete || limit < 1 {
		return nil, engine.ErrCostly
	}
	key := c.Type.Attribute(c.Type.Key[0])
	member := key.JSONName()
	// Match decides; the name in one case is where to look.
	fold := func(name string) string { return strings.ToLower(strings.ToUpper(name)) }
	named := map[string][]map[string]any{}
	for raw, err := range listed(ctx, c, nil, limit, asSent) {
		if err != nil {
			return nil, err
		}
		name, ok := raw[member].(string)
		if !ok || c.id(raw) == "" {
			return nil, fmt.Errorf("%s lists an object without %s or id: %w", c.Path, member, engine.ErrCostly)
		}
		named[fold(name)] = append(named[fold(name)], raw)
	}
	return func(wanted cty.Value) []string {
		wanted, _ = wanted.UnmarkDeep()
		name := attr(wanted, key.Name, cty.String)
		if name.IsNull() || !name.IsKnown() {
			return nil
		}
		var ids []string
		for _, raw := range named[fold(name.AsString())] {
			if c.Match(raw, wanted) {
				ids = append(ids, c.id(raw))
			}
		}
		return ids
	}, nil
}

// Elements yields every element of the collection as the server sent it, narrowed by filter.
func (c *Collection) Elements(ctx context.Context, filter url.Values) iter.Seq2[map[string]any, error] {
	return listed(ctx, c, filter, 0, asSent)
}

func asSent(raw map[string]any) (map[string]any, error) { return raw, nil }

// An element is what one element of a page was read as.
type element[T any] struct {
	id    string
	value T
	err   error
}

// listed yields the elements of a listing, each as read makes it of what the server sent. A limit
// above 0 is the most requests it may take. The total that the server tells is a hint for how many
// pages to ask for at once; the listing ends with a short page, however (is-behaviour 3: totals are
// wrong for LDAP and across stores). An element that two pages hold, since another was deleted
// meanwhile, comes once. Pages are asked for ahead of what is yielded, and read where they arrive.
func listed[T any](ctx context.Context, c *Collection, filter url.Values, limit int, read func(map[string]any) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var running sync.WaitGroup
		defer running.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var none T
		readAll := func(page []map[string]any) []element[T] {
			out := make([]element[T], len(page))
			for i, raw := range page {
				out[i].id = c.id(raw)
				out[i].value, out[i].err = read(raw)
			}
			return out
		}
		size := c.Paging.size()
		first, total, err := c.page(ctx, filter, 0, size)
		if err != nil {
			yield(none, err)
			return
		}
		if c.Paging.Style != NoPaging && len(first) < size && len(first) > 0 && total > len(first) {
			size = len(first) // the server's own limit is lower (is-behaviour 1.9)
		}
		full := c.Paging.Style != NoPaging && len(first) >= size
		hint := (total + size - 1) / size // pages
		if limit > 0 && full && max(hint, 2) > limit {
			yield(none, engine.ErrCostly)
			return
		}

		type page struct {
			elements []element[T]
			err      error
		}
		var ahead []chan page // asked for, in order
		asked := 1
		ask := func() {
			arrived, skip := make(chan page, 1), asked*size
			ahead = append(ahead, arrived)
			asked++
			running.Go(func() {
				raws, _, err := c.page(ctx, filter, skip, size)
				arrived <- page{readAll(raws), err}
			})
		}
		seen := map[string]bool{}
		give := func(elements []element[T]) bool {
			for _, e := range elements {
				if e.id != "" {
					if seen[e.id] {
						continue
					}
					seen[e.id] = true
				}
				if !yield(e.value, e.err) || e.err != nil {
					return false
				}
			}
			return true
		}
		if !give(readAll(first)) {
			return // who looks for one element has often found it
		}
		for full && asked < hint && len(ahead) < pagesAhead {
			ask()
		}
		for full || len(ahead) > 0 {
			if len(ahead) == 0 {
				if limit > 0 && asked >= limit {
					yield(none, engine.ErrCostly)
					return
				}
				ask()
			}
			p := <-ahead[0]
			ahead = ahead[1:]
			if p.err != nil {
				yield(none, p.err)
				return
			}
			if len(p.elements) < size {
				full = false
			}
			if full && asked < hint {
				ask()
			}
			if !give(p.elements) {
				return
			}
		}
	}
}

// page reads one page and the total that the answer tells, 0 when it tells none.
func (c *Collection) page(ctx context.Context, filter url.Values, skip, size int) (list []map[string]any, total int, err error) {
	query := maps.Clone(c.Query)
	if query == nil {
		query = url.Values{}
	}
	maps.Copy(query, filter)
	maps.Copy(query, c.Paging.query(skip, size))
	var answer any
	if err := c.Client.Get(ctx, c.Path, query, &answer); err != nil {
		return nil, 0, Unfound(err)
	}
	items, may := answer, false
	if name := c.Paging.items(); name != "" {
		object, ok := answer.(map[string]any)
		if !ok {
			return nil, 0, fmt.Errorf("GET %s: %w", c.Path, unexpected("an object", answer))
		}
		items = member(object, name)
		// SCIM leaves out an empty list (is-behaviour 3), and tells that it is empty.
		may = items == nil && slices.ContainsFunc([]string{"totalResults", "count", c.Paging.total()}, func(name string) bool {
			return name != "" && member(object, name) != nil
		})
		if n, ok := member(object, c.Paging.total()).(json.Number); ok {
			if t, err := strconv.Atoi(n.String()); err == nil {
				total = t
			}
		}
	}
	elems, ok := items.([]any)
	if !ok && !may {
		return nil, 0, fmt.Errorf("GET %s: %w", c.Path, unexpected("a list", items))
	}
	list = make([]map[string]any, 0, len(elems))
	for _, x := range elems {
		m, ok := x.(map[string]any)
		if !ok {
			return nil, 0, fmt.Errorf("GET %s: in the list: %w", c.Path, unexpected("an object", x))
		}
		list = append(list, m)
	}
	return list, total, nil
}
