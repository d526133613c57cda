package apim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// An answer is what the server sends back: status, headers and a body that was rendered while the
// contents were locked.
type answer struct {
	status   int
	kind     string // Content-Type
	location string // path behind the address of the server
	redirect string // address elsewhere
	download string // file name of an attachment
	body     []byte
}

// errorBody is the body of every refusal (apim-behaviour 2.2).
type errorBody struct {
	Code        int64       `json:"code"`
	Message     string      `json:"message"`
	Description string      `json:"description"`
	MoreInfo    string      `json:"moreInfo"`
	Error       []errorItem `json:"error"`
}

type errorItem struct {
	Code        string  `json:"code"`
	Message     string  `json:"message"`
	Description *string `json:"description"`
}

// A violation is one field that bean validation refuses.
type violation struct{ path, message string }

// reply renders a value as JSON.
func reply(status int, v any) *answer {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return internal("")
	}
	return &answer{status: status, kind: "application/json", body: bytes.TrimRight(b.Bytes(), "\n")}
}

// ok is 200 with a body.
func ok(v any) *answer { return reply(http.StatusOK, v) }

// empty is a status without a body.
func empty(status int) *answer { return &answer{status: status} }

// created is 201 with a body and the Location header, whose path lacks the API's version as on the
// real server (apim-behaviour 10).
func created(location string, v any) *answer {
	a := reply(http.StatusCreated, v)
	a.location = location
	return a
}

// refuse is a refusal with a six-digit code.
func refuse(status int, code int64, message, description string) *answer {
	return reply(status, errorBody{Code: code, Message: message, Description: description, Error: []errorItem{}})
}

func badRequest(description string) *answer {
	return refuse(http.StatusBadRequest, 400, "Bad Request", description)
}

// violations is the answer to a body that bean validation refuses.
func violations(list []violation) *answer {
	items := make([]errorItem, len(list))
	for i, v := range list {
		items[i] = errorItem{Code: "400_" + v.path, Message: v.path + ": " + v.message}
	}
	return reply(http.StatusBadRequest, errorBody{Code: 400, Message: "Bad Request", Description: "Validation Error", Error: items})
}

// unauthenticated is the one answer to no login, a bad login, a missing scope and a missing role
// (apim-behaviour 2.2).
func unauthenticated() *answer {
	return refuse(http.StatusUnauthorized, 401, "", "Unauthenticated request")
}

func forbidden(description string) *answer {
	return refuse(http.StatusForbidden, 403, "Forbidden", description)
}

// notFound is the answer of most resources that have no code of their own.
func notFound(resource, id string) *answer {
	return refuse(http.StatusNotFound, 404, "Not Found", fmt.Sprintf("Requested %s with Id '%s' not found", resource, id))
}

func exists(description string) *answer {
	return refuse(http.StatusConflict, 409, "Resource Already Exists", description)
}

func conflict(description string) *answer {
	return refuse(http.StatusConflict, 409, "Conflict", description)
}

// internal is an exception that the real server did not foresee, mostly a null pointer; with a
// description, one that it rethrew with a reason.
func internal(description string) *answer {
	if description == "" {
		description = "The server encountered an internal error. Please contact administrator."
	}
	return refuse(http.StatusInternalServerError, 500, "Internal server error", description)
}

// general is the server's own exception without a code of its own.
func general() *answer {
	return refuse(http.StatusInternalServerError, 900967, "General Error", "Server Error Occurred")
}

// send writes an answer to the client.
func (a *answer) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if a.location != "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		h.Set("Location", scheme+"://"+r.Host+a.location)
	}
	if a.redirect != "" {
		h.Set("Location", a.redirect)
	}
	if a.kind != "" {
		h.Set("Content-Type", a.kind)
	}
	if a.download != "" {
		h.Set("Content-Disposition", `attachment; filename="`+a.download+`"`)
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // the client is gone; nobody is left to tell
	}
}

// A listing is the body of every list. Pagination is nil where the API has none.
type listing struct {
	Count int         `json:"count"`
	List  any         `json:"list"`
	Page  *pagination `json:"pagination,omitempty"`
}

type pagination struct {
	Offset   int    `json:"offset"`
	Limit    int    `json:"limit"`
	Total    int    `json:"total"`
	Next     string `json:"next"`
	Previous string `json:"previous"`
}

// all is a list without paging.
func all[T any](list []T) *answer {
	if list == nil {
		list = []T{}
	}
	return ok(listing{Count: len(list), List: list})
}

// pageLinks is how the links of a page are written: "<path>?<before>limit=1&offset=1<after>".
type pageLinks struct {
	path          string // where it is not the request's
	before, after string
	failing       string // the reason of the 500 to a negative limit or offset; empty: they count as 0
	total         *int   // where it is not the length of the list
}

// page cuts one page out of a list by the request's limit (default 25) and offset. Next and
// previous are relative addresses, empty at the ends (apim-behaviour 2.1).
func page[T any](c *call, list []T, links pageLinks) *answer {
	limit, offset, bad := c.limits()
	if bad != nil {
		return bad
	}
	if (limit < 0 || offset < 0) && links.failing != "" {
		return internal(links.failing)
	}
	limit, offset = max(limit, 0), max(offset, 0)
	total := len(list)
	cut := list[min(offset, total):min(offset+limit, total)]
	path := cmp.Or(links.path, c.path)
	at := func(offset int) string {
		return fmt.Sprintf("%s?%slimit=%d&offset=%d%s", path, links.before, limit, offset, links.after)
	}
	if links.total != nil {
		total = *links.total
	}
	p := &pagination{Offset: offset, Limit: limit, Total: total}
	if offset+limit < total {
		p.Next = at(offset + limit)
	}
	if offset > 0 && offset < total {
		p.Previous = at(max(offset-limit, 0))
	}
	out := make([]T, len(cut))
	copy(out, cut)
	return ok(listing{Count: len(out), List: out, Page: p})
}

// limits reads limit, which is 25 when it is absent, and offset. They may be negative.
func (c *call) limits() (limit, offset int, bad *answer) {
	query := c.request.URL.Query()
	if limit, bad = number(query, "limit", 25); bad == nil {
		offset, bad = number(query, "offset", 0)
	}
	return limit, offset, bad
}

// number reads an integer parameter. JAX-RS answers 404 to a query parameter that it cannot
// convert.
func number(query url.Values, name string, missing int) (int, *answer) {
	s := query.Get(name)
	if s == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, empty(http.StatusNotFound)
	}
	return int(n), nil
}
