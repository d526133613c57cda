package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

var (
	placeholder = regexp.MustCompile(`<(?:base|host|time|id\d+|[A-Za-z0-9_]+\.(?:client_id|client_secret|access_token|refresh_token))>|\{(?:id-\d+|time|made)\}`)
	isID        = regexp.MustCompile(`\A(?:<id\d+>|\{id-\d+\})\z`)
	digits      = regexp.MustCompile(`\d+`)
	bare        = regexp.MustCompile(`(:\s*)(<time>|\{time\}|\{made\})`)
)

// A matcher compares one answer. Placeholders that it meets for the first time are bound in its player.
type matcher struct {
	player   *Player
	step     string
	bindOnly bool // the whole step is excepted: bind placeholders, report nothing
	silent   int  // trying an element of a set: report nothing
	found    []Difference
	failed   bool
}

func (m *matcher) differ(at, want, got string) {
	if m.bindOnly || m.player.excepted(m.step, at) {
		return
	}
	if m.failed = true; m.silent > 0 {
		return
	}
	m.found = append(m.found, Difference{m.step, at, want, got})
}

func (m *matcher) body(want, got string) {
	wanted, err := decode(bare.ReplaceAllString(want, `$1"$2"`))
	if err != nil || want == "" {
		if !m.text(want, got) {
			m.differ("body", want, got)
		}
		return
	}
	answered, err := decode(got)
	if err != nil {
		m.differ("body", want, got)
		return
	}
	m.value("", wanted, answered)
}

func decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

func (m *matcher) value(at string, want, got any) {
	if at != "" && m.player.excepted(m.step, at) {
		return
	}
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			m.differ(at, show(want), show(got))
			return
		}
		names := slices.Sorted(maps.Keys(want))
		for name := range object {
			if _, ok := want[name]; !ok {
				names = append(names, name)
			}
		}
		for _, name := range names {
			below := at + "/" + strings.ReplaceAll(name, "/", "~1")
			wanted, inWant := want[name]
			answered, inGot := object[name]
			switch {
			case inWant && inGot:
				m.value(below, wanted, answered)
			case inWant:
				m.differ(below, show(wanted), "(absent)")
			default:
				m.differ(below, "(absent)", show(answered))
			}
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			m.differ(at, show(want), show(got))
			return
		}
		if m.isSet(at) {
			m.set(at, want, list)
			return
		}
		for i := range want {
			m.value(fmt.Sprintf("%s/%d", at, i), want[i], list[i])
		}
	case string:
		switch got := got.(type) {
		case string:
			if w, err := decode(want); err == nil && strings.HasPrefix(want, "{") && !placeholder.MatchString(want[:min(len(want), 12)]) {
				// A document inside a string: the order of its members means nothing either.
				if g, err := decode(got); err == nil {
					m.value(at+"/(text)", w, g)
					return
				}
			}
			if !m.text(want, got) {
				m.differ(at, want, got)
			}
		case json.Number:
			if !m.text(want, got.String()) {
				m.differ(at, want, got.String())
			}
		default:
			m.differ(at, show(want), show(got))
		}
	case json.Number:
		number, ok := got.(json.Number)
		if !ok || !m.near(at, want, number) {
			m.differ(at, show(want), show(got))
		}
	default: // true, false, null
		if want != got {
			m.differ(at, show(want), show(got))
		}
	}
}

func (m *matcher) near(at string, want, got json.Number) bool {
	w, err1 := want.Float64()
	g, err2 := got.Float64()
	name := at[strings.LastIndex(at, "/")+1:]
	return err1 == nil && err2 == nil && math.Abs(w-g) <= m.player.Near[name]
}

func (m *matcher) isSet(at string) bool {
	return slices.ContainsFunc(m.player.Sets, func(pattern string) bool {
		step, below, ok := strings.Cut(pattern, " ")
		return matchPath(pattern, at) || ok && step == m.step && matchPath(below, at)
	})
}

// set pairs each recorded element with the first answered one that fits and is not taken.
func (m *matcher) set(at string, want, got []any) {
	taken := make([]bool, len(got))
	for i, wanted := range want {
		at := fmt.Sprintf("%s/%d", at, i)
		pair := -1
		for j := range got {
			if taken[j] {
				continue
			}
			try := matcher{player: m.player, step: m.step, silent: 1}
			before := maps.Clone(m.player.bound)
			if try.value(at, wanted, got[j]); !try.failed {
				pair = j
				break
			}
			m.player.bound = before
		}
		if pair < 0 {
			m.differ(at, show(wanted), "(no element like it) in "+show(got))
			continue
		}
		taken[pair] = true
	}
}

// text matches one string against another that may hold placeholders, and binds those seen for the first time.
func (m *matcher) text(want, got string) bool {
	if !placeholder.MatchString(want) {
		return want == got
	}
	var pattern strings.Builder
	pattern.WriteString(`(?s)\A`)
	var names []string
	rest := want
	for {
		loc := placeholder.FindStringIndex(rest)
		if loc == nil {
			pattern.WriteString(regexp.QuoteMeta(rest))
			break
		}
		pattern.WriteString(regexp.QuoteMeta(rest[:loc[0]]))
		name := rest[loc[0]:loc[1]]
		rest = rest[loc[1]:]
		switch value, known := m.player.value(name); {
		case known:
			pattern.WriteString(regexp.QuoteMeta(value))
		case name == "<time>" || name == "{time}" || name == "{made}":
			pattern.WriteString(`.+?`)
		case isID.MatchString(name):
			names = append(names, name)
			pattern.WriteString(`([^/"\s]+?)`)
		default:
			names = append(names, name)
			pattern.WriteString(`(.+?)`)
		}
	}
	pattern.WriteString(`\z`)
	re, err := regexp.Compile(pattern.String())
	if err != nil {
		return false
	}
	found := re.FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		if bound, ok := m.player.bound[name]; ok && bound != found[i+1] {
			return false
		}
		if isID.MatchString(name) && m.taken(name, found[i+1]) {
			return false // two ids that the real server told apart are one here
		}
		m.player.bound[name] = found[i+1]
	}
	return true
}

func (m *matcher) taken(name, value string) bool {
	for other, v := range m.player.bound {
		if other != name && v == value && isID.MatchString(other) {
			return true
		}
	}
	return false
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
