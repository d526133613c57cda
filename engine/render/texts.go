package render

import (
	"encoding/json"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

func splitLines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }

// around is how many unchanged lines are shown on each side of a changed one.
const around = 3

func (d *differ) lines(x, y string) []Row {
	old, want := splitLines(x), splitLines(y)
	pairs := align(len(old), len(want), func(i, j int) bool { return old[i] == want[j] })
	rows := make([]Row, 0, len(pairs))
	for _, p := range pairs {
		switch {
		case p[1] < 0:
			rows = append(rows, Row{Op: Remove, Before: printable(old[p[0]], false)})
		case p[0] < 0:
			rows = append(rows, Row{Op: Add, After: printable(want[p[1]], false)})
		default:
			rows = append(rows, Row{Op: Same, After: printable(want[p[1]], false)})
		}
	}
	if d.verbose {
		return rows
	}
	return context(rows, around, "line", 2)
}

// context leaves of unchanged rows those that stand within n of a changed one, and counts the
// others, if there are at least few in a run.
func context(rows []Row, n int, thing string, few int) []Row {
	near := make([]bool, len(rows))
	for i := range rows {
		if rows[i].Op != Same {
			for j := max(0, i-n); j <= min(len(rows)-1, i+n); j++ {
				near[j] = true
			}
		}
	}
	out := make([]Row, 0, len(rows))
	for i := 0; i < len(rows); {
		end := i
		for end < len(rows) && !near[end] {
			end++
		}
		switch {
		case end == i:
			out = append(out, rows[i])
			i++
			continue
		case end-i < few:
			out = append(out, rows[i:end]...)
		default:
			out = append(out, hiddenRow(end-i, thing))
		}
		i = end
	}
	return out
}

// json returns the row of strings that hold JSON objects or arrays.
func (d *differ) json(op Op, a, b cty.Value, x, y string, all bool) (Row, bool) {
	v, okX := parseJSON(x)
	w, okY := parseJSON(y)
	if a != cty.NilVal && !okX || b != cty.NilVal && !okY || !okX && !okY {
		return Row{}, false
	}
	if kindOf(v) != kindOf(w) && okX && okY {
		return Row{}, false
	}
	inner := d.one("", opOf(v, w), v, w, nil, all || op == Same)
	r := Row{Op: op, Form: Encoded, Rows: []Row{inner}}
	if op == Change && inner.Op == Same {
		r.Rows = []Row{d.one("", Same, v, w, nil, true)}
		r.Note = "only its formatting changes"
	}
	return r, true
}

func parseJSON(s string) (cty.Value, bool) {
	t := strings.TrimLeft(s, " \t\r\n")
	if t == "" || t[0] != '{' && t[0] != '[' || !json.Valid([]byte(t)) {
		return cty.NilVal, false
	}
	typ, err := ctyjson.ImpliedType([]byte(t))
	if err != nil {
		return cty.NilVal, false
	}
	v, err := ctyjson.Unmarshal([]byte(t), typ)
	return v, err == nil
}
