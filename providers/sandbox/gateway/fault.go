package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// A fault is an answer of the gateway itself. Its body has the members in this order.
type fault struct {
	status      int
	Code        string `json:"code"`
	Type        string `json:"type,omitempty"`
	Message     string `json:"message"`
	Description string `json:"description"`
	NextAccess  string `json:"nextAccessTime,omitempty"`
	challenge   bool
	retryAfter  time.Time
}

// status is a fault of routing and of backends, which says its type.
func status(code int, message, description string) *fault {
	return &fault{status: code, Code: strconv.Itoa(code), Type: "Status report", Message: message, Description: description}
}

// unauthorized is 401.
func unauthorized(code, message, description string) *fault {
	return &fault{status: http.StatusUnauthorized, Code: code, Message: message, Description: description, challenge: true}
}

func forbidden(code, message, description string) *fault {
	return &fault{status: http.StatusForbidden, Code: code, Message: message, Description: description}
}

const provideCredentials = ". Make sure you have provided the correct security credentials"

// invalid is the refusal of a token, 900901. Reason is "Invalid JWT token", or how the key manager called it.
func invalid(reason string) *fault {
	return unauthorized("900901", "Invalid Credentials", reason+provideCredentials)
}

// noAccess is how a token is refused that no key manager knows.
func (c *call) noAccess() *fault {
	return invalid("Access failure for API: " + c.api.Context + ", version: " + c.api.Version + " status: (900901) - Invalid Credentials")
}

// throttled is 429.
func throttled(code string, next time.Time) *fault {
	at := next.UTC().Format("2006-Jan-02 15:04:05-0700") + " UTC"
	return &fault{status: http.StatusTooManyRequests, Code: code, Message: "Message throttled out",
		Description: "You have exceeded your quota .You can access API after " + at, NextAccess: at, retryAfter: next}
}

func (f *fault) send(w http.ResponseWriter) {
	body, err := json.Marshal(f)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	if f.challenge {
		h.Set("WWW-Authenticate", `OAuth2 realm="WSO2 API Manager", error="invalid_token", error_description="The provided token is invalid"`)
	}
	if !f.retryAfter.IsZero() {
		h.Set("Retry-After", f.retryAfter.UTC().Format(http.TimeFormat))
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(body) // the client is gone; nobody is left to tell
}
