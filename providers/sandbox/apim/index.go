package apim

import "time"

// An apiIndex is what lists and searches of APIs and products see: the records as they were some time ago, because they are indexed in the background
// (apim-behaviour 2.5). What was made is missing for a while, what was changed shows as it was, and what was deleted is still there.
type apiIndex struct {
	rows    rows[apiRecord, *apiRecord]
	pending []indexEvent // in the order of their times
}

type indexEvent struct {
	at     time.Time
	id     string
	record *apiRecord // nil: deleted
}

// keepAPI stores an API or a product, new or changed.
func (c *call) keepAPI(a *apiRecord) {
	c.tenant.indexed() // before it is there
	if a.Product {
		c.tenant.Products.replace(a)
	} else {
		was := c.tenant.APIs.get(a.ID)
		c.tenant.APIs.replace(a)
		c.apiScopesKept(was, a)
	}
	c.index(a.ID, a)
}

// dropAPI removes an API or a product.
func (c *call) dropAPI(id string) {
	c.tenant.indexed()
	was := c.tenant.APIs.get(id)
	c.tenant.APIs.remove(id)
	c.apiScopesKept(was, nil)
	c.tenant.Products.remove(id)
	c.index(id, nil)
}

func (c *call) index(id string, record *apiRecord) {
	x := c.tenant.indexed()
	x.pending = append(x.pending, indexEvent{c.server.now().Add(c.server.options.IndexLag), id, record})
}

// indexed is the index of a tenant. What was restored is indexed at once.
func (t *tenant) indexed() *apiIndex {
	if t.index == nil {
		t.index = &apiIndex{}
		for _, a := range t.APIs.list {
			t.index.rows.add(a)
		}
		for _, p := range t.Products.list {
			t.index.rows.add(p)
		}
	}
	return t.index
}

// settled is the index as far as it is done.
func (c *call) settled() []*apiRecord {
	x, now := c.tenant.indexed(), c.server.now()
	done := 0
	for _, e := range x.pending {
		if e.at.After(now) {
			break
		}
		if done++; e.record == nil {
			x.rows.remove(e.id)
		} else {
			x.rows.replace(e.record)
		}
	}
	x.pending = x.pending[done:]
	return x.rows.list
}

// searchable are the APIs that lists and searches see now, in the order in which they were made.
func (c *call) searchable() []*apiRecord {
	var out []*apiRecord
	for _, a := range c.settled() {
		if !a.Product {
			out = append(out, a)
		}
	}
	return out
}

// searchableProducts are the products.
func (c *call) searchableProducts() []*apiRecord {
	var out []*apiRecord
	for _, a := range c.settled() {
		if a.Product {
			out = append(out, a)
		}
	}
	return out
}
