// Package fault makes the sandbox's servers fail as a script says: it stands between the network and a server and delays, cuts, refuses or
// falsifies the requests that the script names.
//
// A script is text with one fault a line. Empty lines, and those that begin with #, say nothing.
//
//	SERVER METHOD PATH WHEN FAULT
//
//	SERVER  apim, is or * (both); requests between the two servers count as well
//	METHOD  GET, POST and so on; read (GET and HEAD), write (all others) or *
//	PATH    of the request, without its query; in it * stands for any text without slashes, ** for any text, and a * alone for all paths
//	WHEN    which of the requests that match so far: 3 (the third alone), 2-4, 3- (the third and all after it), all
//	FAULT   what happens to them:
//
//	status [after] CODE [retry-after=SECONDS] [BODY]
//	        the answer, which is the server's only one: nothing is served. BODY is the rest of the line; a web page when it begins with <, else JSON.
//	delay [after] DURATION
//	        the request waits before it is served, as 300ms or 2s say. It is served even if its sender did not wait for that, as a slow server does.
//	cut [after]
//	        the connection breaks without an answer
//	half    the request is served, and the connection breaks in the middle of the answer's body
//	stale   a list lacks the objects that were made since the script was set
//	lost    the event by which a write takes effect in the rest of the server is lost: a key manager is stored, and not loaded until it is written again
//
// after means that the write took effect: the request is served, and its answer thrown away. Of the faults that are due for a request all delays
// happen, and then the first other.
//
//	# The second user is made, and nobody is told.
//	is POST /scim2/Users 2 cut after
//	# An overloaded API Manager, and a proxy in front of one that is down.
//	apim read * 1-3 status 429 retry-after=1 {"code": 900807, "message": "Too many requests"}
//	apim * * 10- status 502 <html><body>Bad gateway</body></html>
//	# JSON of another shape.
//	is GET /scim2/Users 1 status 200 {}
package fault

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Kind is what a fault does.
type Kind string

// The kinds, as scripts write them.
const (
	Status Kind = "status"
	Delay  Kind = "delay"
	Cut    Kind = "cut"
	Half   Kind = "half"
	Stale  Kind = "stale"
	Lost   Kind = "lost"
)

// A Fault is one line of a script.
type Fault struct {
	Server string // "apim", "is"; "" and "*" are both
	Method string // "POST", "read", "write"; "" and "*" are all
	Path   string // pattern in which * is any text without slashes and ** any text; "" and "*" are all
	First  int    // the first of the matching requests that fails, counted from 1; 0 is 1
	Last   int    // the last one; 0 is no end

	Kind  Kind
	After bool // the request is served, and its answer thrown away or delayed: of Status, Delay and Cut

	Code       int           // of Status
	RetryAfter time.Duration // of Status, in whole seconds; below 0 is a header "0", 0 is none
	Body       string        // of Status
	Wait       time.Duration // of Delay
}

// Parse reads a script. The error names the line.
func Parse(script string) ([]Fault, error) {
	var faults []Fault
	n := 0
	for line := range strings.Lines(script) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

// word takes the first word off a line.
func word(line string) (first, rest string) {
	first, rest, _ = strings.Cut(line, " ")
	return first, strings.TrimLeft(rest, " ")
}

func parseLine(line string) (f Fault, err error) {
	line = strings.ReplaceAll(line, "\t", " ")
	var when string
	f.Server, line = word(line)
	f.Method, line = word(line)
	f.Path, line = word(line)
	when, line = word(line)
	switch {
	case f.Server != "apim" && f.Server != "is" && f.Server != "*":
		return f, fmt.Errorf("%q is no server; write apim, is or *", f.Server)
	case f.Method == "":
		return f, fmt.Errorf("the line ends after its server; write SERVER METHOD PATH WHEN FAULT")
	case !validMethod(f.Method):
		return f, fmt.Errorf("%q is no method; write one such as POST, read, write or *", f.Method)
	case f.Path != "*" && !strings.HasPrefix(f.Path, "/") && !strings.HasPrefix(f.Path, "*"):
		return f, fmt.Errorf("%q is no path; it begins with / or *", f.Path)
	}
	if f.First, f.Last, err = parseWhen(when); err != nil {
		return f, err
	}
	kind, line := word(line)
	f.Kind = Kind(kind)
	if rest, ok := strings.CutPrefix(line+" ", "after "); ok && (f.Kind == Status || f.Kind == Delay || f.Kind == Cut) {
		f.After, line = true, strings.TrimSpace(rest)
	}
	switch f.Kind {
	case Status:
		var code string
		code, line = word(line)
		f.Code, err = strconv.Atoi(code)
		if err != nil || f.Code < 200 || f.Code > 599 {
			return f, fmt.Errorf("%q is no status; write one from 200 to 599", code)
		}
		if rest, ok := strings.CutPrefix(line, "retry-after="); ok {
			var text string
			text, line = word(rest)
			seconds, err := strconv.Atoi(text)
			if err != nil || seconds < 0 {
				return f, fmt.Errorf("retry-after=%s is no number of seconds", text)
			}
			if f.RetryAfter = time.Duration(seconds) * time.Second; seconds == 0 {
				f.RetryAfter = -1
			}
		}
		f.Body, line = line, ""
	case Delay:
		var text string
		text, line = word(line)
		if f.Wait, err = time.ParseDuration(text); err != nil || f.Wait <= 0 {
			return f, fmt.Errorf("%q is no duration, such as 300ms", text)
		}
	case Cut, Half, Stale, Lost:
	default:
		return f, fmt.Errorf("%q is no fault; write status, delay, cut, half, stale or lost", kind)
	}
	if line != "" {
		return f, fmt.Errorf("%q says nothing after %s", line, f.Kind)
	}
	return f, nil
}

func validMethod(m string) bool {
	switch m {
	case "*", "read", "write", http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

func parseWhen(text string) (first, last int, err error) {
	if text == "all" {
		return 1, 0, nil
	}
	from, to, isRange := strings.Cut(text, "-")
	first, err = strconv.Atoi(from)
	last = first
	if err == nil && isRange {
		last = 0
		if to != "" {
			last, err = strconv.Atoi(to)
			if err == nil && last < first {
				err = strconv.ErrRange
			}
		}
	}
	if err != nil || first < 1 {
		return 0, 0, fmt.Errorf("%q does not say which requests; write 3, 2-4, 3- or all", text)
	}
	return first, last, nil
}

// String writes the fault as a line of a script.
func (f Fault) String() string {
	star := func(s string) string {
		if s == "" {
			return "*"
		}
		return s
	}
	when := strconv.Itoa(max(f.First, 1))
	switch {
	case f.Last == 0 && f.First <= 1:
		when = "all"
	case f.Last == 0:
		when += "-"
	case f.Last != f.First:
		when += "-" + strconv.Itoa(f.Last)
	}
	parts := []string{star(f.Server), star(f.Method), star(f.Path), when, string(f.Kind)}
	if f.After {
		parts = append(parts, "after")
	}
	switch f.Kind {
	case Status:
		parts = append(parts, strconv.Itoa(f.Code))
		if f.RetryAfter != 0 {
			parts = append(parts, "retry-after="+f.retryAfter())
		}
		if f.Body != "" {
			parts = append(parts, f.Body)
		}
	case Delay:
		parts = append(parts, f.Wait.String())
	}
	return strings.Join(parts, " ")
}

// retryAfter is the value of the header.
func (f Fault) retryAfter() string {
	return strconv.Itoa(int(max(0, f.RetryAfter) / time.Second))
}

// matches reports whether the fault is about such a request, whichever it is of them.
func (f *Fault) matches(server, method, path string) bool {
	read := method == http.MethodGet || method == http.MethodHead
	switch {
	case f.Server != "" && f.Server != "*" && f.Server != server:
		return false
	case f.Method == "read" && !read, f.Method == "write" && read:
		return false
	case f.Method != "" && f.Method != "*" && f.Method != "read" && f.Method != "write" && f.Method != method:
		return false
	}
	return f.Path == "" || f.Path == "*" || pattern(f.Path).MatchString(path)
}

// pattern is the regular expression of a path pattern.
func pattern(text string) *regexp.Regexp {
	text = regexp.QuoteMeta(text)
	text = strings.ReplaceAll(text, `\*\*`, ".*")
	text = strings.ReplaceAll(text, `\*`, "[^/]*")
	return regexp.MustCompile("^" + text + "$")
}

// due reports whether the nth matching request is one that fails.
func (f *Fault) due(n int) bool {
	return n >= max(f.First, 1) && (f.Last == 0 || n <= f.Last)
}
