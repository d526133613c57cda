package fault

import (
	"encoding/json"
	"net/http"
	"strings"
)

// remembering notes the ids of what a POST makes.
func (s *Script) remembering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := newAnswer()
		next.ServeHTTP(a, r)
		if a.status >= 200 && a.status < 300 {
			s.note(a)
		}
		a.send(w, len(a.body))
	})
}

// note remembers the ids in an answer: the members id, applicationId and the like, and the end of its Location.
func (s *Script) note(a *answer) {
	var object map[string]any
	_ = json.Unmarshal(a.body, &object)
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, v := range object {
		if text, ok := v.(string); ok && text != "" && (name == "id" || strings.HasSuffix(name, "Id")) {
			s.made[text] = true
		}
	}
	if id := lastSegment(a.header.Get("Location")); id != "" {
		s.made[id] = true
	}
}

// outdated returns a listing without what was made since the script was set. What is no listing is returned as it is.
func (s *Script) outdated(body []byte) []byte {
	var document any
	if json.Unmarshal(body, &document) != nil {
		return body
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := 0
	without := func(list []any) []any {
		kept := []any{}
		for _, x := range list {
			if s.new(x) {
				gone++
				continue
			}
			kept = append(kept, x)
		}
		return kept
	}
	switch d := document.(type) {
	case []any:
		document = without(d)
	case map[string]any:
		if _, single := d["id"]; single {
			return body
		}
		for name, v := range d {
			if list, ok := v.([]any); ok && name != "schemas" {
				d[name] = without(list)
			}
		}
		pagination, _ := d["pagination"].(map[string]any)
		for _, m := range []map[string]any{d, pagination} {
			for _, name := range []string{"count", "total", "totalResults", "itemsPerPage"} {
				if n, ok := m[name].(float64); ok {
					m[name] = max(0, n-float64(gone))
				}
			}
		}
	}
	if gone == 0 {
		return body
	}
	text, err := json.Marshal(document)
	if err != nil {
		return body
	}
	return text
}

// new reports whether an element of a listing was made since the script was set.
func (s *Script) new(x any) bool {
	m, _ := x.(map[string]any)
	for _, v := range m {
		if text, ok := v.(string); ok && s.made[text] {
			return true
		}
	}
	return false
}
