package is

import (
	"os"
	"strings"
	"testing"
	"time"

	"wso2plan/engine"
	"wso2plan/providers/sandbox"
)

// BenchmarkListUsers lists 5,000 users of a server that answers after 20 ms.
func BenchmarkListUsers(b *testing.B) {
	s, err := sandbox.Start(b.Context(), sandbox.Options{APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0", Seed: 5000, Latency: 20 * time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	env, err := s.Env(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	p := New()
	p.getenv = func(name string) string {
		for _, pair := range env {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return os.Getenv(name)
	}
	block := p.Schema()
	if _, _, err := p.Configure(b.Context(), block.Object(nil)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		before := s.Requests()["is"]
		n := 0
		for _, err := range p.types[0].(engine.Lister).List(b.Context(), 100) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n < 5000 {
			b.Fatalf("%d users", n)
		}
		b.ReportMetric(float64(s.Requests()["is"]-before), "requests/op")
	}
}
