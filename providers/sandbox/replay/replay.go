// Package replay sends recorded requests again and says where the answers differ from those that the real server gave.
//
// A recording is one text file: a request and the answer to it, in which everything that differs from run to run (ids, times, secrets, the
// server's address) stands as a placeholder. Two forms are read. The identity server's:
//
//	>>> POST /Users as admin:admin
//
//	{"userName": "ann"}
//
//	<<< 201
//	Location: <base>/Users/<id1>
//
//	{"id": "<id1>", …}
//
// and API Manager's, where a line "POST /path" opens the request, a line "=> 201" opens the answer, and placeholders are written {id-1},
// {time} and {made}. A placeholder that names something (<id1>, {id-1}, <one.client_secret>) is bound by the first answer that shows it and
// stands for the same text from then on; <time>, {time} and {made} stand for any text; <base> and <host> for the server under test.
package replay

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A Recording is one request and the answer that the real server gave.
type Recording struct {
	Step   string // the file's name without ".txt": "02-user-duplicate"
	Method string
	Path   string // with query, unescaped: `/Users?filter=userName eq "bob"`
	User   string // "name:password"; "None" for a request without credentials; empty where the recording does not say
	Body   string

	Status int
	Header http.Header // Location and Content-Type, where the answer had them
	Answer string
}

var (
	requestIS   = regexp.MustCompile(`(?s)\A>>> (\S+) ([^\n]*)\n(.*?)\n<<< (\d+)\n(.*)\z`)
	requestAPIM = regexp.MustCompile(`(?s)\A([A-Z]+) (/[^\n]*)\n(.*?)\n=> (\d+)\n(.*)\z`)
	userSuffix  = regexp.MustCompile(` as (\S+)\z`)
)

// Parse reads one recording.
func Parse(step, text string) (Recording, error) {
	r := Recording{Step: step, Header: http.Header{}}
	m := requestIS.FindStringSubmatch(text)
	if m == nil {
		m = requestAPIM.FindStringSubmatch(text)
	}
	if m == nil {
		return r, fmt.Errorf("recording %s: neither form of recording", step)
	}
	r.Method, r.Path, r.Body = m[1], m[2], strings.TrimSpace(m[3])
	if u := userSuffix.FindStringSubmatch(r.Path); u != nil {
		r.User, r.Path = u[1], strings.TrimSuffix(r.Path, u[0])
	}
	r.Status, _ = strconv.Atoi(m[4])
	head, answer, _ := strings.Cut("\n"+m[5], "\n\n")
	for line := range strings.Lines(head) {
		if name, value, ok := strings.Cut(line, ": "); ok {
			r.Header.Set(textproto.TrimString(name), textproto.TrimString(value))
		}
	}
	r.Answer = strings.TrimSpace(answer)
	return r, nil
}

// Load reads every *.txt file of dir in fsys, ordered by name: the order in which they were recorded.
func Load(fsys fs.FS, dir string) ([]Recording, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Recording
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		r, err := Parse(strings.TrimSuffix(path.Base(name), ".txt"), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// An Exception is a place where the server under test is meant to differ from the recording.
type Exception struct {
	Step string // a step's name, or a pattern in path.Match's syntax: "*" is every step
	At   string // "status", "header Location", a path within the answer's JSON such as "/Resources/*/roles", or "" for the whole step
	Why  string
}

// A Difference is one place where the answer is not what was recorded.
type Difference struct {
	Step, At  string
	Want, Got string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: %s\n  recorded: %s\n  answered: %s", d.Step, d.At, d.Want, d.Got)
}

// A Player sends recordings to a server, in order, and remembers what their placeholders stand for. It is not safe for concurrent use.
type Player struct {
	Client *http.Client // nil: http.DefaultClient
	Base   string       // what a recording's path is appended to, and what <base> stands for: "https://localhost:9444/scim2"
	User   string       // "name:password" for recordings that name none

	// Anonymous lists the steps that were recorded without credentials though the recording does not show it.
	Anonymous []string
	// ContentType of bodies that are JSON; empty means application/json. A body that begins with "--BOUNDARY\r\n" is sent as a multipart form,
	// others as forms, except JSON that was cut short.
	ContentType string
	// Rewrite replaces text of the recordings (an address that the real server had) before anything else is done with them.
	Rewrite map[string]string
	// Sets lists paths of arrays whose order means nothing: "/permissions", or "keys-list /list" for one step.
	Sets []string
	// Near gives, by member name, how far a number may be from the recorded one: {"expires_in": 5}.
	Near map[string]float64
	// Except lists the places where a difference is meant.
	Except []Exception

	bound map[string]string
	used  map[int]bool
}

// Play sends one request and compares. An error means that there was no answer to compare.
func (p *Player) Play(r Recording) ([]Difference, error) {
	if p.bound == nil {
		p.bound, p.used = map[string]string{}, map[int]bool{}
	}
	for old, text := range p.Rewrite {
		r.Path, r.Body, r.Answer = strings.ReplaceAll(r.Path, old, text), strings.ReplaceAll(r.Body, old, text), strings.ReplaceAll(r.Answer, old, text)
		for _, values := range r.Header {
			for i := range values {
				values[i] = strings.ReplaceAll(values[i], old, text)
			}
		}
	}
	status, header, body, err := p.send(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Step, err)
	}
	m := matcher{player: p, step: r.Step}
	if p.excepted(r.Step, "") {
		m.bindOnly = true
	}
	if status != r.Status {
		m.differ("status", strconv.Itoa(r.Status), fmt.Sprintf("%d %s", status, body))
	}
	for name, values := range r.Header {
		if name != "Location" && name != "Content-Type" {
			continue
		}
		if !m.text(values[0], header.Get(name)) {
			m.differ("header "+name, values[0], header.Get(name))
		}
	}
	m.body(r.Answer, string(body))
	return m.found, nil
}

func (p *Player) send(r Recording) (int, http.Header, []byte, error) {
	where, query, _ := strings.Cut(p.fill(r.Path), "?")
	full := strings.TrimSuffix(p.Base, "/") + where
	if query != "" {
		full += "?" + escapeQuery(query)
	}
	text := p.fill(r.Body)
	req, err := http.NewRequest(r.Method, full, strings.NewReader(text))
	if err != nil {
		return 0, nil, nil, err
	}
	if text != "" {
		switch {
		case strings.HasPrefix(text, "--"):
			boundary, _, _ := strings.Cut(text[2:], "\r\n")
			req.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		case !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "["):
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		case p.ContentType != "":
			req.Header.Set("Content-Type", p.ContentType)
		default:
			req.Header.Set("Content-Type", "application/json")
		}
	}
	user := p.User
	if r.User != "" {
		user = p.fill(r.User)
	}
	if user != "" && user != "None" && !slices.Contains(p.Anonymous, r.Step) {
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user)))
	}
	client := p.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, bytes.TrimSpace(body), err
}

// escapeQuery escapes what a recording shows in clear and leaves what is escaped already.
func escapeQuery(q string) string {
	var b strings.Builder
	for _, r := range q {
		if r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^{|}#`+"`", r) {
			b.WriteString(strings.ReplaceAll(url.QueryEscape(string(r)), "+", "%20"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// fill puts what is known for placeholders into a request. An id that no answer has shown yet is one that does not exist.
func (p *Player) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := p.value(name); ok {
			return value
		}
		if n := digits.FindString(name); n != "" && isID.MatchString(name) {
			number, _ := strconv.Atoi(n)
			value := fmt.Sprintf("00000000-0000-4000-8000-%012d", number)
			p.bound[name] = value
			return value
		}
		return name
	})
}

func (p *Player) value(name string) (string, bool) {
	switch name {
	case "<base>":
		return strings.TrimSuffix(p.Base, "/"), true
	case "<host>":
		u, err := url.Parse(p.Base)
		if err != nil {
			return "", false
		}
		return u.Host, true
	}
	value, ok := p.bound[name]
	return value, ok
}

func (p *Player) excepted(step, at string) bool {
	for i, e := range p.Except {
		if ok, _ := path.Match(e.Step, step); ok && matchPath(e.At, at) {
			p.used[i] = true
			return true
		}
	}
	return false
}

// Unused returns the exceptions that no step needed; a list that holds one is longer than it should be.
func (p *Player) Unused() []Exception {
	var all []Exception
	for i, e := range p.Except {
		if !p.used[i] {
			all = append(all, e)
		}
	}
	return all
}

// matchPath says whether at is the place that pattern names: "*" is one element. A pattern names what is below it too, because the
// comparison does not descend into a place that is excepted.
func matchPath(pattern, at string) bool {
	if pattern == at {
		return true
	}
	if !strings.HasPrefix(pattern, "/") || !strings.HasPrefix(at, "/") {
		return false
	}
	ok, _ := path.Match(pattern, at)
	return ok
}

// Run plays every recording of dir and fails t for each difference that is not excepted and each exception that was not needed.
func Run(t *testing.T, fsys fs.FS, dir string, p *Player) {
	t.Helper()
	all, err := Load(fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("%s: no recordings", dir)
	}
	for _, r := range all {
		differences, err := p.Play(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range differences {
			t.Errorf("%s", d)
		}
	}
	for _, e := range p.Unused() {
		t.Errorf("exception that nothing needs: %s at %q (%s)", e.Step, e.At, e.Why)
	}
}
