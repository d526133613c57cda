package is

import (
	"encoding/json"
	"io"
	"net/http"
)

// maxBody is how much a request may carry.
const maxBody = 8 << 20

// An answer is what an operation has decided to send.
type answer struct {
	status   int
	kind     string // Content-Type
	location string
	body     []byte
}

func (a *answer) send(w http.ResponseWriter) {
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	if len(a.body) > 0 {
		w.Header().Set("Content-Type", a.kind)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// at adds a Location header.
func (a *answer) at(location string) *answer {
	a.location = location
	return a
}

func empty(status int) *answer { return &answer{status: status} }

func object(status int, v any) *answer {
	body, err := json.Marshal(v)
	if err != nil {
		return empty(http.StatusInternalServerError)
	}
	return &answer{status: status, kind: "application/json", body: body}
}

// failure is an error of the server APIs: {code, message, description, traceId} (is-behaviour 1.3).
func failure(status int, code, message, description string) *answer {
	return object(status, map[string]string{"code": code, "message": message, "description": description, "traceId": newID()})
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *answer) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, empty(http.StatusRequestEntityTooLarge)
	}
	return body, nil
}
