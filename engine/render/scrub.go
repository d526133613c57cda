package render

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Scrubber is a writer that replaces secrets by "(sensitive value)" in what passes, wherever
// writes end. It is the last line of defence, behind masking: messages of servers and libraries may
// quote what they were sent. Safe for concurrent use.
type Scrubber struct {
	mu   sync.Mutex
	w    io.Writer
	held []byte // the end of what was written, which may begin a secret
	prev byte   // the byte before held; 0 at the beginning

	secrets map[string]bool
	sorted  []string // the secrets, for finding what begins one
	lengths []int    // the distinct lengths, longest first
	begins  [1 << 16 / 64]uint64
}

// Scrub returns a Scrubber over w that knows secrets. Those of less than four bytes are left out,
// since they stand in innocent words; those of less than eight are replaced only where they are a
// word by themselves, so that the password "user" leaves "app_users" as it is. A secret is also known in the forms in which it is quoted in
// JSON, HCL and URLs, and one of several lines, such as a private key, line by line.
//
// Write holds back bytes only while they may begin a secret; Flush writes them out, so call it
// before the program ends.
func Scrub(w io.Writer, secrets []string) *Scrubber {
	s := &Scrubber{w: w, secrets: map[string]bool{}}
	s.Add(secrets...)
	return s
}

// Add makes more secrets known, such as one that a server has just made.
func (s *Scrubber) Add(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.secrets)
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			if len(form) >= shortest {
				s.secrets[form] = true
			}
		}
	}
	if len(s.secrets) == n {
		return
	}
	s.sorted = sortedKeys(s.secrets)
	s.lengths = nil
	for _, form := range s.sorted {
		h := begin(form)
		s.begins[h/64] |= 1 << (h % 64)
		if !slices.Contains(s.lengths, len(form)) {
			s.lengths = append(s.lengths, len(form))
		}
	}
	slices.Sort(s.lengths)
	slices.Reverse(s.lengths)
}

// forms returns the texts by which a secret may be written.
func forms(secret string) []string {
	out := []string{secret}
	quoted := strconv.Quote(secret)
	out = append(out, quoted[1:len(quoted)-1])
	if text, err := json.Marshal(secret); err == nil {
		out = append(out, string(text[1:len(text)-1]))
	}
	out = append(out, url.QueryEscape(secret), url.PathEscape(secret))
	if strings.Contains(secret, "\n") {
		for _, line := range strings.Split(secret, "\n") {
			line = strings.TrimSpace(line)
			if len(line) >= 16 && !strings.HasPrefix(line, "-----") {
				out = append(out, line)
			}
		}
	}
	return out
}

// begin hashes the first four bytes of a secret.
func begin(s string) uint32 {
	v := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
	return v * 2654435761 >> 16
}

// Write passes p on without secrets. What may be the beginning of one waits for the next Write. It
// returns len(p) unless w fails.
func (s *Scrubber) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sorted) == 0 {
		return s.w.Write(p)
	}
	text := string(append(s.held, p...))
	out, rest := s.scrub(text, false)
	s.held = append(s.held[:0], rest...)
	if len(out) > 0 {
		if _, err := s.w.Write(out); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Flush writes out what is held back.
func (s *Scrubber) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, _ := s.scrub(string(s.held), true)
	s.held = s.held[:0]
	if len(out) == 0 {
		return nil
	}
	_, err := s.w.Write(out)
	return err
}

// scrub returns text without secrets, and the end of it that may begin one. At each place the
// longest secret wins; with last, no more text comes.
func (s *Scrubber) scrub(text string, last bool) (out []byte, rest string) {
	longest := 0
	if len(s.lengths) > 0 {
		longest = s.lengths[0]
	}
	from := 0 // what is not copied to out yet
	for i := 0; i < len(text); {
		// Only near the end may text[i:] be less than a whole secret.
		if !last && len(text)-i < longest && s.mayBegin(text[i:]) {
			return s.pass(out, text, from, i), text[i:]
		}
		before := s.prev
		if i > 0 {
			before = text[i-1]
		}
		n, wait := s.match(text[i:], before, last)
		if wait {
			return s.pass(out, text, from, i), text[i:]
		}
		if n == 0 {
			i++
			continue
		}
		out = append(out, text[from:i]...)
		out = append(out, sensitiveText...)
		i += n
		from = i
	}
	return s.pass(out, text, from, len(text)), ""
}

// pass copies text[from:to] and remembers the byte before what comes next.
func (s *Scrubber) pass(out []byte, text string, from, to int) []byte {
	if to > 0 {
		s.prev = text[to-1]
	}
	return append(out, text[from:to]...)
}

// match returns the length of the longest secret that text begins with, or 0. before is the byte
// before text. It asks to wait for more text when a secret ends with it and must be a word.
func (s *Scrubber) match(text string, before byte, last bool) (n int, wait bool) {
	if len(text) < shortest {
		return 0, false
	}
	if h := begin(text); s.begins[h/64]&(1<<(h%64)) == 0 {
		return 0, false
	}
	for _, n := range s.lengths {
		if n > len(text) || !s.secrets[text[:n]] {
			continue
		}
		switch {
		case n >= certain:
			return n, false
		case inWord(text[0]) && inWord(before):
		case !inWord(text[n-1]):
			return n, false
		case n == len(text) && !last:
			return 0, true
		case n == len(text) || !inWord(text[n]):
			return n, false
		}
	}
	return 0, false
}

// certain is the length from which a secret is replaced within words too.
const certain = 8

func inWord(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// mayBegin reports whether a secret begins with text and goes on after it.
func (s *Scrubber) mayBegin(text string) bool {
	if len(text) >= shortest {
		if h := begin(text); s.begins[h/64]&(1<<(h%64)) == 0 {
			return false
		}
	}
	i, found := slices.BinarySearch(s.sorted, text)
	if found {
		i++
	}
	return i < len(s.sorted) && strings.HasPrefix(s.sorted[i], text)
}
