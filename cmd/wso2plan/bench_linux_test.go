package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wso2plan/providers/sandbox"
)

// A benchCase is a configuration whose life is measured: validate, apply from empty, a plan that
// finds nothing, a change of one object in a hundred, destroy.
type benchCase struct {
	name  string
	n     int
	files map[string]string
	edit  func(files map[string]string) // changes one object in a hundred; nil: not measured
}

// usersByForEach makes n users by one block over a CSV file.
func usersByForEach(n int) benchCase {
	csv := func(edited bool) string {
		var s strings.Builder
		s.WriteString("user_name,given_name,family_name,department\n")
		for i := range n {
			department := fmt.Sprintf("Department %d", i%20)
			if edited && i%100 == 0 {
				department = "Moved"
			}
			fmt.Fprintf(&s, "user%05d,Given%d,Family%d,%s\n", i, i, i, department)
		}
		return s.String()
	}
	return benchCase{"users, for_each", n, map[string]string{"users.csv": csv(false), "main.hcl": `
resource "is_user" "all" {
  for_each    = { for u in csvdecode(file("users.csv")) : u.user_name => u }
  user_name   = each.key
  password    = "Change-me-1"
  given_name  = each.value.given_name
  family_name = each.value.family_name
  department  = each.value.department
}
`}, func(files map[string]string) { files["users.csv"] = csv(true) }}
}

// repeated makes n blocks.
func repeated(name string, n int, block func(i int) string) benchCase {
	var s strings.Builder
	for i := range n {
		s.WriteString(block(i))
	}
	return benchCase{name: name, n: n, files: map[string]string{"main.hcl": s.String()}}
}

// platform is examples/platform: the seven APIs with all that is around them.
func platform(tb testing.TB) benchCase {
	return benchCase{name: "objects of examples/platform", n: 43, files: readFiles(tb, filepath.Join("..", "..", "examples", "platform"))}
}

func benchCases(tb testing.TB) []benchCase {
	user := func(i int) string {
		return fmt.Sprintf("resource \"is_user\" \"u%d\" {\n  user_name   = \"user%05d\"\n  password    = \"Change-me-1\"\n"+
			"  given_name  = \"Given%d\"\n  family_name = \"Family%d\"\n  department  = \"Department %d\"\n}\n", i, i, i, i, i%20)
	}
	chain := func(i int) string {
		if i == 0 {
			return "resource \"is_user\" \"u0\" {\n  user_name = \"user0\"\n  password  = \"Change-me-1\"\n}\n"
		}
		return fmt.Sprintf("resource \"is_user\" \"u%d\" {\n  user_name = \"user%d\"\n  password  = \"Change-me-1\"\n  title     = is_user.u%d.id\n}\n", i, i, i-1)
	}
	application := func(i int) string {
		return fmt.Sprintf("resource \"apim_application\" \"a%d\" {\n  name              = \"app%05d\"\n  throttling_policy = \"Unlimited\"\n  description       = \"Application %d\"\n}\n", i, i, i)
	}
	keyManager := func(i int) string {
		return fmt.Sprintf("resource \"apim_key_manager\" \"k%d\" {\n  name                         = \"km%05d\"\n  type                         = \"CustomKeyManager\"\n"+
			"  issuer                       = \"https://km%d.example.com/token\"\n  token_endpoint               = \"https://km%d.example.com/token\"\n"+
			"  revoke_endpoint              = \"https://km%d.example.com/revoke\"\n  introspection_endpoint       = \"https://km%d.example.com/introspect\"\n"+
			"  client_registration_endpoint = \"https://km%d.example.com/register\"\n}\n", i, i, i, i, i, i, i)
	}
	api := func(i int) string {
		var s strings.Builder
		fmt.Fprintf(&s, "resource \"apim_api\" \"a%d\" {\n  name            = \"API%05d\"\n  version         = \"1.0.0\"\n  context         = \"/api%d\"\n"+
			"  policies        = [\"Unlimited\"]\n  lifecycle_state = \"PUBLISHED\"\n\n  endpoint {\n    url = \"http://backend%d.example.com\"\n  }\n\n"+
			"  deployment {\n    environment = \"Default\"\n  }\n", i, i, i, i)
		for j := range 20 {
			fmt.Fprintf(&s, "\n  operation {\n    verb   = \"%s\"\n    target = \"/things/%d\"\n  }\n", []string{"GET", "PUT", "DELETE", "PATCH"}[j%4], j/4)
		}
		s.WriteString("}\n")
		return s.String()
	}
	return []benchCase{
		platform(tb),
		usersByForEach(1000),
		usersByForEach(5000),
		repeated("users, blocks", 1000, user),
		repeated("users, blocks", 5000, user),
		repeated("applications, each read", 1000, application),
		repeated("key managers, each read", 1000, keyManager),
		repeated("chain of users", 200, chain),
		repeated("APIs of 20 operations, each read", 500, api),
	}
}

// BenchmarkProgram measures the program itself, as built, against the sandbox at 20 ms: "make
// bench" prints the table. The sandbox runs on the same cores; CPU and memory are the program's
// alone.
func BenchmarkProgram(b *testing.B) {
	program := filepath.Join(b.TempDir(), "wso2plan")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	for b.Loop() {
		fmt.Printf("\n| objects | job | wall | CPU | peak memory | requests |\n|---|---|---|---|---|---|\n")
		started := measure(b, program, b.TempDir(), nil, nil, []string{"version"}, "wso2plan")
		info, err := os.Stat(program)
		if err != nil {
			b.Fatal(err)
		}
		fmt.Printf("| %.1f MB binary | version | %s |\n", float64(info.Size())/1e6, started)
		for _, c := range benchCases(b) {
			if only := os.Getenv("WSO2PLAN_BENCH"); strings.Contains(c.name, only) {
				benchLife(b, program, c)
			}
		}
	}
}

func benchLife(b *testing.B, program string, c benchCase) {
	s, err := sandbox.Start(context.Background(), sandbox.Options{
		APIMAddr: "127.0.0.1:0", ISAddr: "127.0.0.1:0", Latency: 20 * time.Millisecond,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	dir, err := os.MkdirTemp(b.TempDir(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	env, err := s.Env(dir)
	if err != nil {
		b.Fatal(err)
	}
	write := func() {
		for name, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	write()
	row := func(job, want string, args ...string) {
		fmt.Printf("| %d %s | %s | %s |\n", c.n, c.name, job, measure(b, program, dir, env, s, args, want))
	}
	row("validate", "The configuration is valid", "validate")
	row("apply from empty", fmt.Sprintf("%d added", c.n), "apply", "-auto-approve")
	row("plan, no change", "No changes.", "plan", "-detailed-exitcode")
	if c.edit != nil {
		c.edit(c.files)
		write()
		row("apply 1 %", fmt.Sprintf("%d changed", c.n/100), "apply", "-auto-approve")
	}
	row("destroy", fmt.Sprintf("%d destroyed", c.n), "destroy", "-auto-approve")
}

// measure runs the program and returns the cells of its row.
func measure(b *testing.B, program, dir string, env []string, s *sandbox.Sandbox, args []string, want string) string {
	count := func() (n int64) {
		if s != nil {
			for _, served := range s.Requests() {
				n += int64(served)
			}
		}
		return n
	}
	before := count()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begun := time.Now()
	err := cmd.Run()
	wall := time.Since(begun)
	if err != nil || !strings.Contains(out.String(), want) {
		text := out.String()
		b.Fatalf("wso2plan %s: %v\n%s", strings.Join(args, " "), err, text[max(0, len(text)-2000):])
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss // KiB on Linux
	return fmt.Sprintf("%.2f s | %.2f s | %d MiB | %d", wall.Seconds(), cpu.Seconds(), peak/1024, count()-before)
}
