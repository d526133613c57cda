package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wso2plan/providers/sandbox"
)

// BenchmarkUsers measures the program itself, as built, against the sandbox at 20 ms: an apply
// that makes users by for_each, and a plan of nothing. It prints a line of a Markdown table for
// each: "make bench" prints the table. The sandbox runs on the same cores; CPU and memory are the
// program's alone.
func BenchmarkUsers(b *testing.B) {
	program := filepath.Join(b.TempDir(), "wso2plan")
	build := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	for _, n := range []int{1000, 5000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				benchUsers(b, program, n)
			}
		})
	}
}

func benchUsers(b *testing.B, program string, n int) {
	s, err := sandbox.Start(context.Background(), sandbox.Options{
		APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0", Latency: 20 * time.Millisecond,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	dir := b.TempDir()
	env, err := s.Env(dir)
	if err != nil {
		b.Fatal(err)
	}
	var csv strings.Builder
	csv.WriteString("user_name,given_name,family_name,department\n")
	for i := range n {
		fmt.Fprintf(&csv, "user%05d,Given%d,Family%d,Department %d\n", i, i, i, i%20)
	}
	config := `
resource "is_user" "all" {
  for_each    = { for u in csvdecode(file("users.csv")) : u.user_name => u }
  user_name   = each.key
  password    = "Change-me-1"
  given_name  = each.value.given_name
  family_name = each.value.family_name
  department  = each.value.department
}
`
	for name, text := range map[string]string{"users.csv": csv.String(), "main.hcl": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for _, step := range []struct {
		what string
		args []string
		want string
	}{
		{"apply of", []string{"apply", "-auto-approve"}, fmt.Sprintf("Apply complete! Resources: %d added", n)},
		{"plan of nothing among", []string{"plan", "-detailed-exitcode"}, "No changes."},
	} {
		before := s.Requests()["is"]
		cmd := exec.Command(program, step.args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		begun := time.Now()
		err := cmd.Run()
		wall := time.Since(begun)
		if err != nil || !strings.Contains(out.String(), step.want) {
			text := out.String()
			b.Fatalf("wso2plan %s: %v\n%s", strings.Join(step.args, " "), err, text[max(0, len(text)-2000):])
		}
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss // KiB on Linux
		fmt.Printf("\n| %s %d users | %.2f s | %.2f s | %d MiB | %d |\n",
			step.what, n, wall.Seconds(), cpu.Seconds(), peak/1024, s.Requests()["is"]-before)
	}
}
