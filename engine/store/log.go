package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
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
//	{"crc":"e4d2f609","serial":9,"op":1,"of":2,"put":{"address":"is_user.bob","status":"complete",…}}
//	{"crc":"0b6c55d8","serial":9,"op":2,"of":2,"delete":"is_user.ann"}
//	{"crc":"77a1c4e0","serial":10,"group":9,"delete":"is_user.bob"}
//
// The first line says how many records follow that were there when the log was last rewritten, at
// that serial. Then come the operations of later commits, each with its commit's serial; "op" and
// "of" number those of a commit that has several; "group" is the first serial of the commits that
// were written together, in those after it. The first part is never incomplete, because it was renamed into
// place; the end of the file is what a crash may leave incomplete, as far back as its last group.
const format = 1

// header is the first line.
type header struct {
	Format  int    `json:"wso2plan_state"`
	Lineage string `json:"lineage"`
	Serial  uint64 `json:"serial"`
	Records int    `json:"records"`
}

// payload returns the end of an operation's line: `"put":{…}}` or `"delete":"…"}`.
func payload(op engine.Op) []byte {
	if op.Put != nil {
		return append(appendRecord([]byte(`"put":`), *op.Put), '}')
	}
	return append(appendString([]byte(`"delete":`), op.Delete.String()), '}')
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
	b = append(b, crcPrefix...)
	b = hex.AppendEncode(b, binary.BigEndian.AppendUint32(nil, sum))
	b = append(b, `",`...)
	for _, part := range body {
		b = append(b, part...)
	}
	return append(b, '\n')
}

// appendBase appends the first part of a log: the header and all records.
func appendBase(b []byte, meta engine.Meta, rs records) []byte {
	body := fmt.Appendf(nil, `"wso2plan_state":%d,"lineage":"%s","serial":%d,"records":%d}`,
		format, meta.Lineage, meta.Serial, len(rs))
	b = appendLine(b, body)
	for _, address := range slices.SortedFunc(maps.Keys(rs), config.Address.Compare) {
		body = append(appendRecord(append(body[:0], `"put":`...), rs[address]), '}')
		b = appendLine(b, body)
	}
	return b
}

// appendCommit appends the lines of one commit, whose operations have those payloads.
func appendCommit(b []byte, serial, group uint64, payloads [][]byte) []byte {
	var prefix []byte
	for i, p := range payloads {
		prefix = fmt.Appendf(prefix[:0], `"serial":%d,`, serial)
		if group != serial {
			prefix = fmt.Appendf(prefix, `"group":%d,`, group)
		}
		if len(payloads) > 1 {
			prefix = fmt.Appendf(prefix, `"op":%d,"of":%d,`, i+1, len(payloads))
		}
		b = appendLine(b, prefix, p)
	}
	return b
}

// A line is an operation as it stands in the log.
type line struct {
	serial, group uint64 // 0 in the first part
	op, of        uint64 // 1 of 1 if it is alone
	put           []byte // the record's JSON; nil in a delete
	address       []byte // its JSON
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
	if l.op, l.of = number(`"op":`), number(`"of":`); l.of == 0 {
		l.op, l.of = 1, 1
	}
	value, ok := bytes.CutSuffix(rest, []byte("}"))
	if !ok || err != nil {
		return l, errUnknownLine
	}
	const put, del = `"put":`, `"delete":`
	switch {
	case bytes.HasPrefix(value, []byte(del)):
		l.address = value[len(del):]
	case bytes.HasPrefix(value, []byte(put+`{"address":`)):
		l.put = value[len(put):]
		start := len(`{"address":`)
		end := stringEnd(l.put[start:])
		if end == 0 {
			return l, errUnknownLine
		}
		l.address = l.put[start : start+end]
	default:
		return l, errUnknownLine
	}
	return l, nil
}

// stringEnd returns the length of the JSON string that s begins with, or 0.
func stringEnd[T string | []byte](s T) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
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
	stated := text[len(crcPrefix) : len(crcPrefix)+8]
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, castagnoli))
	if !bytes.Equal(hex.AppendEncode(nil, sum), stated) {
		return nil, fmt.Errorf("its checksum is %q and its text gives %x", stated, sum)
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
	latest := newContents(head.Records)
	last, pending := head.Serial, []line(nil)
	n := 2 // the line
	for ; len(data) > 0; n++ {
		text, rest, _ := bytes.Cut(data, []byte("\n"))
		inBase := n-2 < head.Records
		l, err := parseLine(text)
		switch {
		case err == nil && inBase && l.serial == 0 && l.put != nil:
			latest.put(l, n)
		case err == nil && !inBase && l.serial == last+1:
			pending = append(pending, l)
			if l.op != uint64(len(pending)) || l.of != pending[0].of {
				err = fmt.Errorf("it is operation %d of %d of its commit and should be %d of %d",
					l.op, l.of, len(pending), pending[0].of)
			}
			if err != nil || l.op < l.of {
				break
			}
			for i, l := range pending {
				latest.put(l, n-len(pending)+1+i)
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
	list, err := latest.decode()
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

// contents are the records as JSON, in the order in which their addresses first came, with the line
// each is of.
type contents struct {
	at    map[string]int // an address's JSON -> its index below
	json  [][]byte       // nil: deleted
	lines []int
}

func newContents(n int) *contents {
	return &contents{make(map[string]int, n), make([][]byte, 0, n), make([]int, 0, n)}
}

// put does what line l says, which is the nth.
func (c *contents) put(l line, n int) {
	i, ok := c.at[string(l.address)]
	if !ok {
		i = len(c.json)
		c.at[string(l.address)] = i
		c.json, c.lines = append(c.json, nil), append(c.lines, 0)
	}
	c.json[i], c.lines[i] = l.put, n
}

// decode reads the records, on all processors, and sorts them by address.
func (c *contents) decode() ([]engine.Record, error) {
	list := make([]engine.Record, len(c.json))
	workers := min(runtime.GOMAXPROCS(0), 1+len(list)/256)
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			d := newDecoder()
			for i := w; i < len(list); i += workers {
				if c.json[i] == nil {
					continue
				}
				var err error
				if list[i], err = d.record(string(c.json[i])); err != nil {
					errs[w] = &damage{c.lines[i], err}
					return
				}
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	list = slices.DeleteFunc(list, func(r engine.Record) bool { return r.Address == config.Address{} })
	slices.SortFunc(list, func(a, b engine.Record) int { return a.Address.Compare(b.Address) })
	return list, nil
}
