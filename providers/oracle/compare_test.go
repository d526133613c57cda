package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wso2plan/providers/sandbox/replay"
)

// A comparison sends each request to the real server, turns the pair into a recording in which what
// differs from server to server is a placeholder ("{id-7}", "{time}"), and plays it to the sandbox.
// Requests are written with those placeholders too, so one text serves both.
type comparison struct {
	t       *testing.T
	rand    *rand.Rand
	seed    uint64
	client  *http.Client
	base    string // of the real server; <base> stands for it
	user    string // "admin:admin", or empty
	kind    string // Content-Type of bodies
	player  *replay.Player
	times   []string // members that hold a time
	made    []string // members that hold a secret which nothing needs again
	secrets []string // members that hold a secret which later requests send

	names  map[string]string // what the real server calls a thing -> placeholder
	values map[string]string // the other way round
	count  int
	groups map[string]*group
	order  []string
	began  time.Time
}

// A group is differences of one sort.
type group struct {
	count   int
	example string
}

// newComparison prepares a comparison. Its seed and the number of requests are taken from the
// environment; requests is the number without it.
func newComparison(t *testing.T, base string, player *replay.Player, requests int) (*comparison, int) {
	t.Helper()
	number := func(name string, missing int) int {
		text := os.Getenv(name)
		if text == "" {
			return missing
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s=%s is no number", name, text)
		}
		return n
	}
	for _, e := range exceptions {
		if e.want == nil && e.got == nil {
			player.Except = append(player.Except, replay.Exception{Step: e.step, At: e.at, Why: e.why})
		}
	}
	seed := uint64(number("WSO2PLAN_ORACLE_SEED", 1))
	requests = number("WSO2PLAN_ORACLE_REQUESTS", requests)
	t.Logf("seed %d, %d requests (WSO2PLAN_ORACLE_SEED, WSO2PLAN_ORACLE_REQUESTS)", seed, requests)
	// A redirect is an answer: documents that are elsewhere have one.
	client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	player.Client = client
	return &comparison{
		t: t, rand: rand.New(rand.NewPCG(seed, 0)), seed: seed, client: client, base: base, kind: "application/json",
		player: player, names: map[string]string{}, values: map[string]string{}, groups: map[string]*group{}, began: time.Now(),
	}, requests
}

// A reply is the real server's answer, with placeholders.
type reply struct {
	status int
	body   any  // decoded JSON, nil when it is none
	same   bool // the sandbox gave it too, exceptions aside
}

// text returns a member of the body that is a string, or "".
func (r reply) text(name string) string {
	m, _ := r.body.(map[string]any)
	s, _ := m[name].(string)
	return s
}

func (r reply) ok() bool { return r.status >= 200 && r.status < 300 }

// send sends one request to both and compares. Step names the sort of request, for exceptions. Body
// is a text, nil for none, or what is encoded as JSON.
func (c *comparison) send(step, method, path string, body any) reply {
	c.t.Helper()
	text, isText := body.(string)
	if !isText && body != nil {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(body); err != nil {
			c.t.Fatal(err)
		}
		text = strings.TrimSpace(b.String())
	}
	status, header, raw := c.real(method, c.fill(path), c.fill(text))
	r := replay.Recording{Step: step, Method: method, Path: path, Body: text, Status: status, Header: http.Header{}}
	answer := reply{status: status}
	if len(raw) > 0 {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&answer.body); err == nil {
			answer.body = c.mask("", answer.body)
			masked, err := json.Marshal(answer.body)
			if err != nil {
				c.t.Fatal(err)
			}
			r.Answer = string(masked)
		} else {
			answer.body, r.Answer = nil, c.tidy(string(raw))
		}
	}
	for _, name := range []string{"Location", "Content-Type"} {
		if v := header.Get(name); v != "" {
			r.Header.Set(name, c.tidy(v))
		}
	}
	differences, err := c.player.Play(r)
	if err != nil {
		c.t.Fatal(err)
	}
	c.count++
	answer.same = true
	for _, d := range differences {
		if d.At == "status" {
			c.unfork(method, path, d)
			differences = []replay.Difference{d} // whatever else differs follows from it
			break
		}
	}
	for _, d := range differences {
		if excepted(d) {
			continue
		}
		answer.same = false
		key := d.Step + " " + generalised(d.At) + " " + generalised(d.Want[:min(60, len(d.Want))]) + " | " + generalised(d.Got[:min(40, len(d.Got))])
		if d.At == "status" {
			key += generalised(r.Answer[:min(100, len(r.Answer))])
		}
		if c.groups[key] == nil {
			c.groups[key] = &group{example: fmt.Sprintf("%s\nrequest %d: %s %s\n%s\nanswer: %d %s", d, c.count, method, path, text, status, r.Answer)}
			c.order = append(c.order, key)
		}
		c.groups[key].count++
	}
	return answer
}

var index = regexp.MustCompile(`\d+`)

func generalised(text string) string { return index.ReplaceAllString(text, "*") }

// unfork deletes what the sandbox alone has created, so that one difference does not become many. The
// caller deletes what the real server alone has.
func (c *comparison) unfork(method, path string, d replay.Difference) {
	status, text, _ := strings.Cut(d.Got, " ")
	if method != http.MethodPost || status != "201" {
		return
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return
	}
	for _, name := range []string{"id", "policyId", "applicationId"} {
		if id, ok := body[name].(string); ok {
			if _, err := c.player.Play(replay.Recording{Step: "unfork", Method: http.MethodDelete, Path: path + "/" + id}); err != nil {
				c.t.Fatal(err)
			}
			return
		}
	}
}

// both sends a request to both without comparing.
func (c *comparison) both(method, path string) {
	c.t.Helper()
	c.real(method, c.fill(path), "")
	if _, err := c.player.Play(replay.Recording{Step: "both", Method: method, Path: path}); err != nil {
		c.t.Fatal(err)
	}
}

// sandbox sends a request to the sandbox alone.
func (c *comparison) sandbox(method, path string) map[string]any {
	c.t.Helper()
	alone := &comparison{t: c.t, client: c.client, base: c.player.Base, user: c.player.User, kind: c.kind}
	status, _, raw := alone.real(method, path, "")
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); len(raw) > 0 && err != nil || status >= 300 {
		c.t.Fatalf("sandbox: %s %s: %d %s", method, path, status, raw)
	}
	return out
}

// report fails the test for each sort of difference.
func (c *comparison) report() {
	c.t.Helper()
	total := 0
	for _, key := range c.order {
		g := c.groups[key]
		total += g.count
		c.t.Errorf("%d times: %s", g.count, g.example)
	}
	c.t.Logf("%d requests compared in %.0f s, %d differences of %d sorts (seed %d)", c.count, time.Since(c.began).Seconds(), total, len(c.order), c.seed)
}

// real sends a request to the real server.
func (c *comparison) real(method, path, body string) (int, http.Header, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if strings.HasPrefix(body, formStart) {
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+formBoundary)
	} else if body != "" {
		r.Header.Set("Content-Type", c.kind)
	}
	if name, password, ok := strings.Cut(c.user, ":"); ok {
		r.SetBasicAuth(name, password)
	}
	got, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return got.StatusCode, got.Header, bytes.TrimSpace(raw)
}

var (
	named = regexp.MustCompile(`\{id-\d+\}|<s\d+\.client_secret>`)
	ids   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{28}\b`)
)

// fill puts the real server's names in.
func (c *comparison) fill(text string) string {
	return named.ReplaceAllStringFunc(text, func(name string) string {
		if v, ok := c.values[name]; ok {
			return v
		}
		return name
	})
}

// tidy replaces the real server's ids and address by placeholders.
func (c *comparison) tidy(text string) string {
	text = ids.ReplaceAllStringFunc(text, func(id string) string {
		if id == nobody {
			return id
		}
		return c.name(id, "{id-%d}")
	})
	return strings.ReplaceAll(text, c.base, "<base>")
}

func (c *comparison) name(value, form string) string {
	if _, ok := c.names[value]; !ok {
		name := fmt.Sprintf(form, len(c.names)+1)
		c.names[value], c.values[name] = name, value
	}
	return c.names[value]
}

func (c *comparison) mask(member string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = c.mask(name, inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = c.mask(member, inner)
		}
	case json.Number:
		if slices.Contains(c.times, member) {
			return "{time}"
		}
	case string:
		switch {
		case v == "":
		case slices.Contains(c.times, member):
			return "{time}"
		case slices.Contains(c.made, member):
			return "{made}"
		case slices.Contains(c.secrets, member):
			return c.name(v, "<s%d.client_secret>")
		}
		return c.tidy(v)
	}
	return v
}

const (
	formBoundary = "of-an-oracle"
	formStart    = "--" + formBoundary + "\r\n"
)

// A part is one of a multipart form: a field, or a file when it has a name.
type part struct{ field, file, text string }

// form writes a multipart form. It is a text, so that placeholders in it are filled in.
func form(parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(formStart + `Content-Disposition: form-data; name="` + p.field + `"`)
		if p.file != "" {
			b.WriteString(`; filename="` + p.file + "\"\r\nContent-Type: application/octet-stream")
		}
		b.WriteString("\r\n\r\n" + p.text + "\r\n")
	}
	if len(parts) == 0 {
		return formStart + "Content-Disposition: form-data; name=\"nothing\"\r\n\r\n\r\n--" + formBoundary + "--\r\n"
	}
	return b.String() + "--" + formBoundary + "--\r\n"
}

// Choices.

// chance is true in so many of a hundred cases.
func (c *comparison) chance(percent int) bool { return c.rand.IntN(100) < percent }

func pick[E any](c *comparison, list ...E) E { return list[c.rand.IntN(len(list))] }

// some returns each element in half of the cases.
func some[E any](c *comparison, list ...E) []E {
	out := []E{}
	for _, e := range list {
		if c.chance(50) {
			out = append(out, e)
		}
	}
	return out
}

// spoil breaks one place of a body in a way that people and programs do: a member is missing, null,
// empty, too long, of another type or unknown. Members named in spare are left as they are.
func (c *comparison) spoil(body map[string]any, spare ...string) {
	at := body
	for {
		names := make([]string, 0, len(at))
		for name := range at {
			if !slices.Contains(spare, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		if len(names) == 0 || c.chance(8) {
			at[pick(c, "nonsense", "Name", "id ", "enabled2")] = pick[any](c, 1, "x", nil)
			return
		}
		name := pick(c, names...)
		if inner, ok := at[name].(map[string]any); ok && c.chance(70) {
			at = inner
			continue
		}
		if list, ok := at[name].([]any); ok && len(list) > 0 && c.chance(60) {
			if inner, ok := list[0].(map[string]any); ok {
				at = inner
				continue
			}
		}
		if c.chance(25) {
			delete(at, name)
			return
		}
		at[name] = pick[any](c, nil, nil, "", "", " ", "text", 7, -1, 1.5, "12", true, "true", []any{}, []any{"a"}, map[string]any{}, strings.Repeat("x", 101),
			strings.Repeat("y", 600))
		return
	}
}

// escaped escapes a query's value and leaves placeholders.
func escaped(text string) string {
	return regexp.MustCompile(`%7B(id-\d+)%7D`).ReplaceAllString(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"), "{$1}")
}

// An exception is a place where the sandbox is meant to answer something else than the real code.
type exception struct {
	step, at  string         // patterns in path.Match's syntax
	want, got *regexp.Regexp // of what the two answer; nil is anything
	why       string
	used      int
}

func excepted(d replay.Difference) bool {
	for i := range exceptions {
		e := &exceptions[i]
		step, _ := path.Match(e.step, d.Step)
		at, _ := path.Match(e.at, d.At)
		if step && (at || e.at == "*") && (e.want == nil || e.want.MatchString(d.Want)) && (e.got == nil || e.got.MatchString(d.Got)) {
			e.used++
			return true
		}
	}
	return false
}
