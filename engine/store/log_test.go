package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wso2plan/config"
	"wso2plan/engine"
	"wso2plan/engine/store/storetest"
)

// bare returns a record with nothing in it that may be left out.
func bare(name string) engine.Record {
	return engine.Record{Address: config.Address{Type: "t", Name: name}, Provider: "p", Realm: "r", Status: engine.Intent}
}

// A state is what a store holds.
type state struct {
	Meta    engine.Meta
	Records []engine.Record
}

// written returns the bytes of a store with records in its first part and five commits after it,
// the states after each, and the offset at which each commit ends. Commits 3 to 5 are one group.
func written(t *testing.T) (data []byte, states []state, ends []int) {
	t.Helper()
	meta := engine.Meta{Lineage: strings.Repeat("ab", 16), Serial: 7}
	rs := records{}
	ops := func(ops ...engine.Op) []engine.Op { return ops }
	rs.apply(ops(storetest.Put(storetest.Record("a", "")), storetest.Put(storetest.Record("b", `["x"]`)), storetest.Put(bare("c"))))
	data = appendBase(nil, meta, rs)
	after := func() {
		states = append(states, state{meta, rs.sorted()})
		ends = append(ends, len(data))
	}
	after()
	changed := bare("c")
	changed.ID = "17"
	for i, commit := range [][]engine.Op{
		ops(storetest.Put(changed)),
		ops(storetest.Put(bare("d")), storetest.Delete(changed.Address), storetest.Put(bare("e"))),
		ops(storetest.Put(bare("f"))),
		ops(storetest.Put(storetest.Record("a", `["${x}"]`)), storetest.Delete(bare("e").Address), storetest.Put(bare("g"))),
		ops(storetest.Delete(bare("g").Address), storetest.Put(bare("h"))),
	} {
		meta.Serial++
		var payloads [][]byte
		for _, op := range commit {
			payloads = append(payloads, payload(op))
		}
		group := meta.Serial
		if i >= 2 {
			group = 10
		}
		data = appendCommit(data, meta.Serial, group, payloads)
		rs.apply(commit)
		after()
	}
	return data, states, ends
}

func parse(data []byte) (state, error) {
	meta, list, err := parseLog(data)
	return state{meta, list}, err
}

func lineOf(data []byte, offset int) int { return 1 + bytes.Count(data[:offset], []byte("\n")) }

func TestLogForm(t *testing.T) {
	data, states, _ := written(t)
	for i, text := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		if !json.Valid(text) {
			t.Errorf("line %d is not JSON: %s", i+1, text)
		}
	}
	got, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(states[5], got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	lines := strings.Split(string(data), "\n")
	for i, want := range map[int]string{
		0: `"wso2plan_state":1,"lineage":"abababababababababababababababab","serial":7,"records":3}`,
		3: `"put":{"address":"t.c","provider":"p","realm":"r","status":"intent"}}`,
		4: `"serial":8,"put":{"address":"t.c","provider":"p","realm":"r","id":"17","status":"intent"}}`,
		5: `"serial":9,"op":1,"of":3,"put":{"address":"t.d",`,
		6: `"serial":9,"op":2,"of":3,"delete":"t.c"}`,
		7: `"serial":9,"op":3,"of":3,"put":{"address":"t.e",`,
		8: `"serial":10,"put":{"address":"t.f",`,
		9: `"serial":11,"group":10,"op":1,"of":3,"put":{"address":"is_user.a[\"$${x}\"]",`,
	} {
		if i == 9 {
			want = strings.Replace(want, "$${x}", "${x}", 1) // storetest.Record takes the key as it is
		}
		if !strings.HasPrefix(lines[i][bodyStart:], want) {
			t.Errorf("line %d is %s, not …%s", i+1, lines[i], want)
		}
	}
}

// TestLogCut cuts the log at every byte.
func TestLogCut(t *testing.T) {
	data, states, ends := written(t)
	for cut := range data {
		got, err := parse(data[:cut])
		if cut < ends[0]-1 {
			var d *damage
			if !errors.As(err, &d) {
				t.Fatalf("cut at %d of the first part, which is %d long: %v", cut, ends[0], err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		// A commit without its last line feed is whole.
		want := 0
		for want < 5 && ends[want+1]-1 <= cut {
			want++
		}
		if diff := cmp.Diff(states[want], got); diff != "" {
			t.Fatalf("cut at %d, after commit %d (-want +got):\n%s", cut, want, diff)
		}
	}
}

// TestLogHoles puts zeros for what was not written yet of the last group: everything from any byte
// on, or any of its lines.
func TestLogHoles(t *testing.T) {
	data, states, ends := written(t)
	start := ends[2]
	check := func(what string, torn []byte, hole int) {
		got, err := parse(torn)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		want := 2
		for ends[want+1] <= hole {
			want++
		}
		if diff := cmp.Diff(states[want], got); diff != "" {
			t.Fatalf("%s, after commit %d (-want +got):\n%s", what, want, diff)
		}
	}
	for hole := start; hole < len(data)-1; hole++ {
		torn := bytes.Clone(data)
		clear(torn[hole:])
		if hole != ends[3]-1 && hole != ends[4]-1 {
			check(fmt.Sprintf("zeros from %d", hole), torn, hole)
		}
	}
	for from := start; from < len(data); {
		to := from + 1 + bytes.IndexByte(data[from:], '\n')
		for _, until := range []int{to, to - 1} {
			torn := bytes.Clone(data)
			clear(torn[from:until])
			check(fmt.Sprintf("zeros from %d to %d", from, until), torn, from)
		}
		from = to
	}
}

// TestLogDamage changes every byte of the log, one at a time: what is read is as it was or, if the
// change may be what a crash left, as it was before the last group's changed commit.
func TestLogDamage(t *testing.T) {
	data, states, ends := written(t)
	for i := range data {
		for _, bit := range []byte{1, 2, 0x80} {
			damaged := bytes.Clone(data)
			damaged[i] ^= bit
			got, err := parse(damaged)
			var d *damage
			var later *newer
			if errors.As(err, &later) && lineOf(data, i) == 1 {
				continue // the format's number
			}
			if errors.As(err, &d) {
				if line := lineOf(data, i); d.line != line {
					t.Fatalf("byte %d of line %d is changed, and it says %v", i, line, err)
				}
				continue
			}
			if err != nil || i < ends[2] {
				t.Fatalf("byte %d of line %d is changed to %q, and it says %v", i, lineOf(data, i), damaged[i], err)
			}
			want := 2
			for ends[want+1] <= i {
				want++
			}
			if i == len(data)-1 { // the last line feed
				continue
			}
			if diff := cmp.Diff(states[want], got); diff != "" {
				t.Fatalf("byte %d is changed (-want +got):\n%s", i, diff)
			}
		}
	}
}

// TestLogLines removes, doubles and swaps lines before the last group.
func TestLogLines(t *testing.T) {
	data, _, ends := written(t)
	lines := bytes.SplitAfter(data, []byte("\n"))
	edit := func(what string, i int, edited ...[]byte) {
		_, err := parse(bytes.Join(edited, nil))
		var d *damage
		if !errors.As(err, &d) {
			t.Errorf("line %d %s: %v", i+1, what, err)
		}
	}
	for i := range lineOf(data, ends[2]) - 1 {
		before, after := bytes.Join(lines[:i], nil), bytes.Join(lines[i+1:], nil)
		edit("is removed", i, before, after)
		if i != 0 {
			edit("is doubled", i, before, lines[i], lines[i], after)
		}
		edit("is emptied", i, before, []byte("\n"), after)
		if swapped := bytes.Join(lines[i+2:], nil); i != 1 && i != 2 && i != 5 && i != 6 {
			edit("is swapped with the next", i, before, lines[i+1], lines[i], swapped)
		}
	}
	// The last line changed by hand is no crash.
	edited := bytes.Replace(data, []byte(`"t.h"`), []byte(`"t.i"`), 1)
	edit("is edited", len(lines)-2, edited)
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	data, _, ends := written(t)
	newerFormat := `{"crc":"00000000","wso2plan_state":2,"lineage":"x"}` + "\nanything\n"
	for name, test := range map[string]struct {
		content string
		want    []string
	}{
		"folder":  {"", []string{"is a folder"}},
		"empty":   {"", []string{"line 1", "empty", "empty.backup"}},
		"text":    {"hello\n", []string{"line 1", "not begin a store", "text.backup"}},
		"other":   {`{"version":4,"terraform_version":"1.9"}` + "\n", []string{"line 1", "not begin a store"}},
		"newer":   {newerFormat, []string{"newer:", "format 2", "up to format 1", "upgrade"}},
		"cut":     {string(data[:ends[0]-40]), []string{"line 4", "cut.backup"}},
		"shorter": {string(data[:bytes.LastIndexByte(data[:ends[0]-1], '\n')+1]), []string{"line 4", "3 records"}},
		"damaged": {strings.Replace(string(data), `"t.e"`, `"t.x"`, 1), []string{"line 8", "checksum", "damaged.backup"}},
	} {
		path := filepath.Join(dir, name)
		if name != "folder" {
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Open(name, dir)
		if err != nil {
			t.Fatal(err)
		}
		_, _, readErr := s.Read(context.Background())
		_, lockErr := s.Lock(context.Background(), storetest.Holder("a"))
		for _, err := range []error{readErr, lockErr} {
			for _, want := range append(test.want, path) {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: the error does not say %q: %v", name, want, err)
				}
			}
		}
		if got, _ := os.ReadFile(path); string(got) != test.content {
			t.Errorf("%s was changed", name)
		}
		for _, left := range []string{".lock", ".lock.info", ".backup", ".key"} {
			if _, err := os.Stat(path + left); err == nil {
				t.Errorf("%s is left", name+left)
			}
		}
	}
}

// TestRecordForm compares with encoding/json over engine.Record, whose tags are the form.
func TestRecordForm(t *testing.T) {
	odd := storetest.Record("a", `["\"\\ ü <&> \n"]`)
	odd.ID, odd.Realm = "\u2028\x00\x7f\"", `\`
	odd.Fingerprints["<ü>"] = "\t"
	for _, r := range []engine.Record{bare("c"), storetest.Record("a", "[3]"), odd} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(r); err != nil {
			t.Fatal(err)
		}
		text := string(appendRecord(nil, r))
		if text+"\n" != want.String() {
			t.Errorf("wrote %s\nnot   %s", text, want.String())
		}
		d := newDecoder()
		got, err := d.record(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for i := range text {
			if _, err := d.record(text[:i]); err == nil {
				t.Errorf("reads %s", text[:i])
			}
		}
	}
	if n := reflect.TypeFor[engine.Record]().NumField(); n != 13 {
		t.Errorf("a Record has %d fields; appendRecord writes 13", n)
	}
}

func FuzzParseLog(f *testing.F) {
	f.Add([]byte("{}\n"))
	f.Add(appendBase(nil, engine.Meta{Lineage: "x", Serial: 3}, records{bare("a").Address: bare("a")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		parseLog(data) // does not panic
		var body []byte
		for text := range bytes.Lines(data) { // with checksums that are right
			body = appendLine(body, bytes.TrimSuffix(text, []byte("\n")))
		}
		parseLog(body)
		newDecoder().record(string(data))
	})
}

func TestSplitAddress(t *testing.T) {
	for _, bad := range []string{"", "a", "a.", ".b", "a.b.c", "data.a", "module.a", "module.x.a", "module..a.b", "a.b[", `a.b["]`,
		"a.b[0]x", "module.a[0.b.c", "module.a[0]b.c", `a.b["\"]`} {
		if a, err := splitAddress(bad); err == nil {
			t.Errorf("%q is read as %+v", bad, a)
		}
	}
}
