package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func scrubbed(t interface{ Fatal(...any) }, secrets []string, writes ...string) string {
	var b bytes.Buffer
	s := Scrub(&b, secrets)
	for _, text := range writes {
		if n, err := io.WriteString(s, text); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestScrub(t *testing.T) {
	const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----\n"
	for _, test := range []struct {
		secrets, writes []string
		want            string
	}{
		{nil, []string{"text"}, "text"},
		{[]string{"abc"}, []string{"abc"}, "abc"}, // too short to be told from a word
		{[]string{"hunter22"}, []string{"password hunter22!"}, "password (sensitive value)!"},
		{[]string{"hunter22"}, []string{"pass hun", "te", "r22", "hunter2"}, "pass (sensitive value)hunter2"},
		{[]string{"pass", "password"}, []string{"password pass passwor"}, "(sensitive value) (sensitive value) passwor"},
		{[]string{"admin"}, []string{"app_admin ad", "min", "_x adm", "in", " administrator admin"},
			"app_admin admin_x (sensitive value) administrator (sensitive value)"},
		{[]string{"hunter22"}, []string{"xhunter22x"}, "x(sensitive value)x"},
		{[]string{"pass", "password"}, []string{"passw", "ord"}, "(sensitive value)"},
		{[]string{`p"ss\word`}, []string{`{"p":"p\"ss\\word"} p"ss\word`}, `{"p":"(sensitive value)"} (sensitive value)`},
		{[]string{"p&ss wörd"}, []string{"?p=p%26ss+w%C3%B6rd ", `"p\u0026ss wörd"`}, `?p=(sensitive value) "(sensitive value)"`},
		{[]string{key}, []string{"    MIIEvQIBADANBgkqhkiG9w0BAQ\n"}, "    (sensitive value)\n"},
	} {
		if got := scrubbed(t, test.secrets, test.writes...); got != test.want {
			t.Errorf("Scrub(%q, %q) = %q, want %q", test.secrets, test.writes, got, test.want)
		}
	}
}

// A prompt is not held back, and a secret learned late is known from then on.
func TestScrubPassesOnAtOnce(t *testing.T) {
	var b bytes.Buffer
	s := Scrub(&b, []string{"hunter22"})
	io.WriteString(s, "Enter a value: ")
	if b.String() != "Enter a value: " {
		t.Errorf("held back: %q", b.String())
	}
	io.WriteString(s, "generated1 ")
	s.Add("generated1")
	io.WriteString(s, "generated1 ")
	if want := "Enter a value: generated1 (sensitive value) "; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// However a text is cut into writes, the result is that of the whole, and holds no secret.
func TestScrubIsBlindToWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("ab-")), 4, 10, -1)
		secrets := rapid.SliceOfN(word, 1, 5).Draw(t, "secrets")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abc- ")), 0, 60, -1).Draw(t, "text")
		whole := scrubbed(t, secrets, text)
		var writes []string
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			writes = append(writes, rest[:n])
			rest = rest[n:]
		}
		if got := scrubbed(t, secrets, writes...); got != whole {
			t.Fatalf("%q in pieces %q: %q, whole: %q", text, writes, got, whole)
		}
		for _, s := range secrets {
			if len(s) >= certain && strings.Contains(whole, s) {
				t.Fatalf("%q still holds %q", whole, s)
			}
		}
	})
}

func TestScrubConcurrently(t *testing.T) {
	var b bytes.Buffer
	s := Scrub(&b, []string{"hunter22"})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 100 {
				fmt.Fprintf(s, "line hunter22 %d\n", i)
				s.Add(fmt.Sprintf("secret-%d", i))
			}
		})
	}
	wg.Wait()
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "hunter") || strings.Count(b.String(), "\n") != 800 {
		t.Error("lines are missing or hold the secret")
	}
}

func BenchmarkScrub(b *testing.B) {
	secrets := make([]string, 5000)
	for i := range secrets {
		secrets[i] = fmt.Sprintf("user-pass-%06d", i)
	}
	var text strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&text, "      + user_name = \"user-%d\" # user-pass is not one, user-pass-%06d is\n", i, i)
	}
	p := []byte(text.String())
	s := Scrub(io.Discard, secrets)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		s.Write(p)
	}
}
