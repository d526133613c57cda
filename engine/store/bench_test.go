package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"wso2plan/config"
	"wso2plan/engine"
	"wso2plan/engine/store/storetest"
)

// typical returns a record of the size that a user's has.
func typical(i int) engine.Record {
	r := engine.Record{
		Address:  config.Address{Type: "is_user", Name: "staff", Key: fmt.Sprintf(`["user%05d"]`, i)},
		Provider: "is", Realm: "https://identity.example.org:9443 carbon.super", Status: engine.Complete,
		ID:           fmt.Sprintf("0b9c6a56-7f3c-4b8e-9a43-%012d", i),
		Dependencies: []config.Address{{Type: "is_role", Name: "viewer"}, {Type: "is_group", Name: "staff"}},
		Fingerprints: map[string]string{},
	}
	for _, path := range []string{"user_name", "given_name", "family_name", "emails", "password"} {
		r.Fingerprints[path] = "ab12cd34:hmac-sha256:000102030405060708090a0b0c0d0e0f"
	}
	return r
}

// filled returns a file store with n records.
func filled(t testing.TB, dir string, n int) *file {
	t.Helper()
	s, err := Open("", dir)
	if err != nil {
		t.Fatal(err)
	}
	session, err := s.Lock(context.Background(), storetest.Holder("a"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < n; i += 100 {
		var ops []engine.Op
		for j := i; j < min(n, i+100); j++ {
			ops = append(ops, storetest.Put(typical(j)))
		}
		if err := session.Commit(context.Background(), ops); err != nil {
			t.Fatal(err)
		}
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	return s.(*file)
}

// BenchmarkRead reads 10,000 records.
func BenchmarkRead(b *testing.B) {
	s := filled(b, b.TempDir(), 10_000)
	info, err := os.Stat(s.path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		_, list, err := s.Read(context.Background())
		if err != nil || len(list) != 10_000 {
			b.Fatal(len(list), err)
		}
	}
}

// BenchmarkFirstCommit locks a store of 10,000 records, commits, which rewrites it, and closes.
func BenchmarkFirstCommit(b *testing.B) {
	s := filled(b, b.TempDir(), 10_000)
	for b.Loop() {
		session, err := s.Lock(context.Background(), storetest.Holder("a"))
		if err != nil {
			b.Fatal(err)
		}
		if err := session.Commit(context.Background(), []engine.Op{storetest.Put(typical(1))}); err != nil {
			b.Fatal(err)
		}
		if err := session.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit does commits of one operation, by ten at once, on the folder of WSO2PLAN_BENCH_DIR
// or a temporary one.
func BenchmarkCommit(b *testing.B) {
	dir, err := os.MkdirTemp(os.Getenv("WSO2PLAN_BENCH_DIR"), "store")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := Open(filepath.Join(dir, "bench.state"), "")
	if err != nil {
		b.Fatal(err)
	}
	session, err := s.Lock(context.Background(), storetest.Holder("a"))
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	work := make(chan int)
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			for i := range work {
				if err := session.Commit(context.Background(), []engine.Op{storetest.Put(typical(i % 10_000))}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	i := 0
	for b.Loop() {
		work <- i
		i++
	}
	close(work)
	wait.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}
