package store

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"wso2plan/config"
	"wso2plan/engine"
)

// A record is written as the JSON that the tags of engine.Record give. As encoding/json takes a
// third of a second for 10,000 of them, and we read nothing but what we wrote, under a checksum,
// members are expected in the order they are written. A new member is a new format.

// appendRecord appends r as JSON.
func appendRecord(b []byte, r engine.Record) []byte {
	b = appendString(append(b, `{"address":`...), r.Address.String())
	b = appendString(append(b, `,"provider":`...), r.Provider)
	b = appendString(append(b, `,"realm":`...), r.Realm)
	if r.ID != "" {
		b = appendString(append(b, `,"id":`...), r.ID)
	}
	b = appendString(append(b, `,"status":`...), string(r.Status))
	b = appendMap(b, `,"key":`, r.Key)
	b = appendList(b, `,"deposed":`, r.Deposed, func(s string) string { return s })
	if r.Adopted {
		b = append(b, `,"adopted":true`...)
	}
	b = appendMap(b, `,"original":`, r.Original)
	if r.Protected {
		b = append(b, `,"protected":true`...)
	}
	b = appendList(b, `,"parents":`, r.Parents, config.Address.String)
	b = appendList(b, `,"dependencies":`, r.Dependencies, config.Address.String)
	b = appendMap(b, `,"fingerprints":`, r.Fingerprints)
	return append(b, '}')
}

// appendMap appends name and m, if m is not empty.
func appendMap(b []byte, name string, m map[string]string) []byte {
	if len(m) == 0 {
		return b
	}
	b = append(append(b, name...), '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		b = appendString(b, m[k])
	}
	return append(b, '}')
}

// appendList appends name and list, if list is not empty.
func appendList[T any](b []byte, name string, list []T, text func(T) string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(append(b, name...), '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, text(v))
	}
	return append(b, ']')
}

// appendString appends s as JSON, with <, > and & as they are.
func appendString(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string has no error
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}

// A decoder reads records.
type decoder struct {
	rest      string
	failed    bool
	addresses map[string]config.Address // that recur
}

func newDecoder() *decoder { return &decoder{addresses: map[string]config.Address{}} }

// record reads what appendRecord wrote.
func (d *decoder) record(text string) (engine.Record, error) {
	var r engine.Record
	d.rest, d.failed = text, false
	d.need(`{"address":`)
	address, err := splitAddress(d.text())
	d.failed = d.failed || err != nil
	r.Address = address
	d.need(`,"provider":`)
	r.Provider = d.text()
	d.need(`,"realm":`)
	r.Realm = d.text()
	if d.has(`,"id":`) {
		r.ID = d.text()
	}
	d.need(`,"status":`)
	r.Status = engine.Status(d.text())
	r.Key = d.texts(`,"key":`)
	d.list(`,"deposed":`, func() { r.Deposed = append(r.Deposed, d.text()) })
	r.Adopted = d.has(`,"adopted":true`)
	r.Original = d.texts(`,"original":`)
	r.Protected = d.has(`,"protected":true`)
	d.list(`,"parents":`, func() { r.Parents = append(r.Parents, d.address()) })
	d.list(`,"dependencies":`, func() { r.Dependencies = append(r.Dependencies, d.address()) })
	r.Fingerprints = d.texts(`,"fingerprints":`)
	d.need(`}`)
	if d.failed || len(d.rest) > 0 {
		return engine.Record{}, errUnknownLine
	}
	return r, nil
}

// has reads s if it comes next.
func (d *decoder) has(s string) bool {
	rest, ok := strings.CutPrefix(d.rest, s)
	d.rest = rest
	return ok
}

// need reads s, which must come next.
func (d *decoder) need(s string) {
	if !d.has(s) {
		d.failed = true
	}
}

// text reads a string.
func (d *decoder) text() string {
	n := 0
	if strings.HasPrefix(d.rest, `"`) && !d.failed {
		n = stringEnd(d.rest)
	}
	if n == 0 {
		d.failed = true
		return ""
	}
	quoted := d.rest[:n]
	d.rest = d.rest[n:]
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : n-1]
	}
	return d.unescape(quoted)
}

// unescape reads a string with escapes; those of quotes, as in addresses, without encoding/json.
func (d *decoder) unescape(quoted string) string {
	b := make([]byte, 0, len(quoted))
	for i := 1; i < len(quoted)-1; i++ {
		c := quoted[i]
		if c == '\\' {
			i++
			if c = quoted[i]; c != '"' && c != '\\' {
				var s string
				if json.Unmarshal([]byte(quoted), &s) != nil {
					d.failed = true
				}
				return s
			}
		}
		b = append(b, c)
	}
	return string(b)
}

// texts reads a map, if name comes next.
func (d *decoder) texts(name string) map[string]string {
	if !d.has(name) {
		return nil
	}
	d.need("{")
	m := make(map[string]string, strings.Count(d.rest, `":"`))
	for first := true; !d.failed && !d.has("}"); first = false {
		if !first {
			d.need(",")
		}
		key := d.text()
		d.need(":")
		m[key] = d.text()
	}
	return m
}

// list reads a list of strings with one, if name comes next.
func (d *decoder) list(name string, one func()) {
	if !d.has(name) {
		return
	}
	d.need("[")
	for first := true; !d.failed && !d.has("]"); first = false {
		if !first {
			d.need(",")
		}
		one()
	}
}

// address reads an address that recurs.
func (d *decoder) address() config.Address {
	text := d.text()
	a, ok := d.addresses[text]
	if !ok && !d.failed {
		var err error
		a, err = splitAddress(text)
		d.failed = err != nil
		d.addresses[text] = a
	}
	return a
}
