package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"wso2plan/config"
	"wso2plan/engine"
)

// The file is a log of JSON lines. A line begins with the CRC-32C of what follows its comma:
//
//	{"crc":"5ee3c7fd","wso2plan_state":1,"lineage":"9f…","serial":7,"records":1}
//	{"crc":"8d0a92be","put":{"address":"is_user.ann",…}}
//	{"crc":"13a87c11","serial":8,"put":{"address":"is_user.bob","status":"intent",…}}
//	{"crc":"e4d2f609","serial":9,"more":true,"put":{"address":"is_user.bob","status":"complete",…}}
//	{"crc":"0b6c55d8","serial":9,"delete":"is_user.ann"}
//	{"crc":"77a1c4e0","serial":10,"group":9,"delete":"is_user.bob"}
//
// The first line says how many records follow that were there when the log was last rewritten, at
// that serial. Then come the operations of later commits, each with its commit's serial: "more" on
// all but the last of a commit, "group" on a commit that was written together with earlier ones,
// whose first serial it is. That first part is never incomplete, because it was renamed into place;
// the end of the file is what a crash may leave incomplete, as far back as its last group.
const format = 1

// header is the first line.
type header struct {
	Format  int    `json:"wso2plan_state"`
	Lineage string `json:"lineage"`
	Serial  uint64 `json:"serial"`
	Records int    `json:"records"`
}

// wire is a Record as it is written: its addresses are read by splitAddress.
type wire struct {
	Address      wireAddress       `json:"address"`
	Provider     string            `json:"provider"`
	Realm        string            `json:"realm"`
	ID           string            `json:"id,omitempty"`
	Status       engine.Status     `json:"status"`
	Key          map[string]string `json:"key,omitempty"`
	Deposed      []string          `json:"deposed,omitempty"`
	Adopted      bool              `json:"adopted,omitempty"`
	Original     map[string]string `json:"original,omitempty"`
	Protected    bool              `json:"protected,omitempty"`
	Parents      []wireAddress     `json:"parents,omitempty"`
	Dependencies []wireAddress     `json:"dependencies,omitempty"`
	Fingerprints map[string]string `json:"fingerprints,omitempty"`
}

type wireAddress config.Address

func (a wireAddress) MarshalText() ([]byte, error) { return []byte(config.Address(a).String()), nil }

func (a *wireAddress) UnmarshalText(text []byte) error {
	split, err := splitAddress(string(text))
	*a = wireAddress(split)
	return err
}

func toWire(r engine.Record) wire {
	return wire{
		Address: wireAddress(r.Address), Provider: r.Provider, Realm: r.Realm, ID: r.ID,
		Status: r.Status, Key: r.Key, Deposed: r.Deposed, Adopted: r.Adopted, Original: r.Original,
		Protected: r.Protected, Parents: convert[wireAddress](r.Parents),
		Dependencies: convert[wireAddress](r.Dependencies), Fingerprints: r.Fingerprints,
	}
}

func (w wire) record() engine.Record {
	return engine.Record{
		Address: config.Address(w.Address), Provider: w.Provider, Realm: w.Realm, ID: w.ID,
		Status: w.Status, Key: w.Key, Deposed: w.Deposed, Adopted: w.Adopted, Original: w.Original,
		Protected: w.Protected, Parents: convert[config.Address](w.Parents),
		Dependencies: convert[config.Address](w.Dependencies), Fingerprints: w.Fingerprints,
	}
}

func convert[To, From config.Address | wireAddress](list []From) []To {
	if len(list) == 0 {
		return nil
	}
	out := make([]To, len(list))
	for i, a := range list {
		out[i] = To(a)
	}
	return out
}

// marshal returns v as JSON, with <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// payload returns the end of an operation's line: `"put":{…}}` or `"delete":"…"}`.
func payload(op engine.Op) ([]byte, error) {
	name, value := `"put":`, any(nil)
	if op.Put != nil {
		value = toWire(*op.Put)
	} else {
		name, value = `"delete":`, wireAddress(*op.Delete)
	}
	text, err := marshal(value)
	if err != nil {
		return nil, err
	}
	return append(append([]byte(name), text...), '}'), nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const crcPrefix = `{"crc":"`

// bodyStart is where the text that the checksum covers begins in a line.
const bodyStart = len(crcPrefix) + 8 + len(`",`)

// appendLine appends a line with the given body, which ends with the line's closing brace.
func appendLine(b []byte, body ...[]byte) []byte {
	var sum uint32
	for _, part := range body {
		sum = crc32.Update(sum, castagnoli, part)
	}
	b = fmt.Appendf(b, "%s%08x\",", crcPrefix, sum)
	for _, part := range body {
		b = append(b, part...)
	}
	return append(b, '\n')
}

// appendBase appends the first part of a log: the header and all records.
func appendBase(b []byte, meta engine.Meta, rs records) ([]byte, error) {
	head, err := marshal(header{format, meta.Lineage, meta.Serial, len(rs)})
	if err != nil {
		return nil, err
	}
	b = appendLine(b, head[1:])
	for _, address := range slices.SortedFunc(maps.Keys(rs), config.Address.Compare) {
		r := rs[address]
		p, err := payload(engine.Op{Put: &r})
		if err != nil {
			return nil, err
		}
		b = appendLine(b, p)
	}
	return b, nil
}

// appendCommit appends the lines of one commit, whose operations have those payloads.
func appendCommit(b []byte, serial, group uint64, payloads [][]byte) []byte {
	var prefix []byte
	for i, p := range payloads {
		prefix = fmt.Appendf(prefix[:0], `"serial":%d,`, serial)
		if group != serial {
			prefix = fmt.Appendf(prefix, `"group":%d,`, group)
		}
		if i < len(payloads)-1 {
			prefix = append(prefix, `"more":true,`...)
		}
		b = appendLine(b, prefix, p)
	}
	return b
}

// A line is an operation as it stands in the log.
type line struct {
	serial, group uint64 // 0 in the first part
	more          bool
	put           []byte // the record's JSON; nil in a delete
	address       string // its JSON
}

// parseLine reads what appendLine wrote, without its line feed. As the checksum has shown that the
// text is our own, members are expected in the order we write them.
func parseLine(text []byte) (l line, err error) {
	body, err := checkedBody(text)
	if err != nil {
		return l, err
	}
	rest := body
	number := func(name string) (n uint64) {
		if after, ok := bytes.CutPrefix(rest, []byte(name)); ok {
			if digits, after, ok := bytes.Cut(after, []byte(",")); ok && err == nil {
				n, err = strconv.ParseUint(string(digits), 10, 64)
				rest = after
			}
		}
		return n
	}
	l.serial = number(`"serial":`)
	l.group = number(`"group":`)
	if l.group == 0 {
		l.group = l.serial
	}
	rest, l.more = bytes.CutPrefix(rest, []byte(`"more":true,`))
	value, ok := bytes.CutSuffix(rest, []byte("}"))
	if !ok || err != nil {
		return l, errUnknownLine
	}
	const put, del = `"put":`, `"delete":`
	switch {
	case bytes.HasPrefix(value, []byte(del)):
		l.address = string(value[len(del):])
	case bytes.HasPrefix(value, []byte(put+`{"address":`)):
		l.put = value[len(put):]
		start := len(`{"address":`)
		end := stringEnd(l.put[start:])
		if end == 0 {
			return l, errUnknownLine
		}
		l.address = string(l.put[start : start+end])
	default:
		return l, errUnknownLine
	}
	return l, nil
}

// stringEnd returns the length of the JSON string that b begins with, or 0.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

var errUnknownLine = fmt.Errorf("it is not of a form that this version of wso2plan writes")

// checkedBody returns the part of a line that its checksum covers, or says that it does not match.
func checkedBody(text []byte) ([]byte, error) {
	if len(text) < bodyStart || string(text[:len(crcPrefix)]) != crcPrefix || string(text[bodyStart-2:bodyStart]) != `",` {
		return nil, errUnknownLine
	}
	body := text[bodyStart:]
	stated := string(text[len(crcPrefix) : len(crcPrefix)+8])
	if sum := fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli)); sum != stated {
		return nil, fmt.Errorf("its checksum is %s and its text gives %s", stated, sum)
	}
	return body, nil
}

// A damage is a line that is not as it was written. line counts from 1.
type damage struct {
	line int
	why  error
}

func (d *damage) Error() string { return fmt.Sprintf("line %d is damaged: %v", d.line, d.why) }

// A newer is a log of a later format than ours.
type newer struct{ format int }

func (n *newer) Error() string {
	return fmt.Sprintf("it has format %d, of a newer wso2plan; this one reads up to format %d, so upgrade it",
		n.format, format)
}

// parseLog reads a log. A group that a crash left incomplete at its end is dropped from its first
// incomplete commit on. Errors are *newer and *damage.
func parseLog(data []byte) (engine.Meta, []engine.Record, error) {
	head, data, err := parseHeader(data)
	if err != nil {
		return engine.Meta{}, nil, err
	}
	latest := make(map[string]put, head.Records)
	last, pending := head.Serial, []line(nil)
	n := 2 // the line
	for ; len(data) > 0; n++ {
		text, rest, _ := bytes.Cut(data, []byte("\n"))
		inBase := n-2 < head.Records
		l, err := parseLine(text)
		switch {
		case err == nil && inBase && l.serial == 0 && l.put != nil:
			latest[l.address] = put{n, l.put}
		case err == nil && !inBase && l.serial == last+1:
			pending = append(pending, l)
			if l.more {
				break
			}
			for i, l := range pending {
				if l.put != nil {
					latest[l.address] = put{n - len(pending) + 1 + i, l.put}
				} else {
					delete(latest, l.address)
				}
			}
			last, pending = l.serial, pending[:0]
		case err == nil && !inBase && l.serial != 0:
			err = fmt.Errorf("its serial is %d and should be %d", l.serial, last+1)
		case err == nil:
			err = fmt.Errorf("not as many records as the %d that line 1 says come before the first commit", head.Records)
		case !inBase && torn(text, rest, last):
			rest = nil
			err = nil
		}
		if err != nil {
			return engine.Meta{}, nil, &damage{n, err}
		}
		data = rest
	}
	if n-2 < head.Records {
		return engine.Meta{}, nil, &damage{n,
			fmt.Errorf("the file ends before it, and line 1 says that %d records follow", head.Records)}
	}
	list, err := decode(latest)
	return engine.Meta{Lineage: head.Lineage, Serial: last}, list, err
}

// torn reports whether the unreadable line text, with rest after it and last the serial of the last
// complete commit before it, can be what a crash made of the last group. It cannot if a later group
// follows, or if it is whole JSON that was changed.
func torn(text, rest []byte, last uint64) bool {
	if json.Valid(text) {
		return false
	}
	for line := range bytes.Lines(rest) {
		if l, err := parseLine(bytes.TrimSuffix(line, []byte("\n"))); err == nil && l.group > last+1 {
			return false
		}
	}
	return true
}

func parseHeader(data []byte) (head header, rest []byte, err error) {
	text, rest, _ := bytes.Cut(data, []byte("\n"))
	switch {
	case len(data) == 0:
		return head, nil, &damage{1, fmt.Errorf("the file is empty")}
	case json.Unmarshal(text, &head) != nil || head.Format == 0:
		return head, nil, &damage{1, fmt.Errorf("it does not begin a store of wso2plan")}
	case head.Format > format:
		return head, nil, &newer{head.Format}
	}
	if _, err := checkedBody(text); err != nil {
		return head, nil, &damage{1, err}
	}
	return head, rest, nil
}

// A put is a record as JSON, and its line.
type put struct {
	line int
	json []byte
}

// decode reads the records, on all processors, and sorts them by address.
func decode(latest map[string]put) ([]engine.Record, error) {
	puts := slices.Collect(maps.Values(latest))
	list := make([]engine.Record, len(puts))
	workers := min(runtime.GOMAXPROCS(0), 1+len(puts)/256)
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(puts); i += workers {
				var r wire
				if err := json.Unmarshal(puts[i].json, &r); err != nil && errs[w] == nil {
					errs[w] = &damage{puts[i].line, err}
				}
				list[i] = r.record()
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b engine.Record) int { return a.Address.Compare(b.Address) })
	return list, nil
}
