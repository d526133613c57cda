package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config"
)

// manyBlocks writes n users and groups that refer to each other in pairs.
func manyBlocks(n int) string {
	var s strings.Builder
	s.WriteString("variable \"domain\" {\n  default = \"example.com\"\n}\nlocals {\n  store = \"PRIMARY\"\n}\n")
	for i := range n / 2 {
		fmt.Fprintf(&s, `
resource "is_user" "u%[1]d" {
  name       = "user%[1]d"
  user_store = local.store
  password   = "secret-%[1]d"
  emails     = ["u%[1]d@${var.domain}"]
  attributes = { country = "LK", number = "%[1]d" }
  status     = "ACTIVE"
  phone {
    kind   = "work"
    number = "%[1]d"
  }
}

resource "is_group" "g%[1]d" {
  name    = "group%[1]d"
  members = [is_user.u%[1]d.id, is_user.u%[2]d.name]
}
`, i, (i+1)%(n/2))
	}
	return s.String()
}

// manyInstances writes a block with n instances, and one that refers to each of them.
func manyInstances(n int) string {
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = strconv.Itoa(i)
	}
	return fmt.Sprintf(`
locals {
  people = { for i in split(",", %q) : "user${i}" => { number = i, mail = "u${i}@example.com" } }
}
resource "is_user" "u" {
  for_each   = local.people
  name       = each.key
  password   = "secret-${each.value.number}"
  emails     = [each.value.mail]
  attributes = { country = "LK", number = each.value.number }
  status     = "ACTIVE"
  dynamic "phone" {
    for_each = ["work"]
    content {
      kind   = phone.value
      number = each.value.number
    }
  }
}
resource "is_group" "g" {
  for_each = is_user.u
  name     = "group-${each.key}"
  members  = [is_user.u[each.key].id]
}`, strings.Join(numbers, ","))
}

func writeConfig(b *testing.B, src string) string {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(src), 0o600); err != nil {
		b.Fatal(err)
	}
	return dir
}

func BenchmarkLoad(b *testing.B) {
	for name, src := range map[string]string{
		"blocks=1000": manyBlocks(1000), "blocks=5000": manyBlocks(5000), "instances=5000": manyInstances(5000),
	} {
		b.Run(name, func(b *testing.B) {
			dir := writeConfig(b, src)
			for b.Loop() {
				if _, diags := config.Load(dir, testTypes(), config.Inputs{}); diags.HasErrors() {
					b.Fatal(diags)
				}
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	c := load(b, manyInstances(5000))
	for b.Loop() {
		if diags := c.Check(); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, src := range map[string]string{"blocks=5000": manyBlocks(5000), "instances=10000": manyInstances(10000)} {
		b.Run(name, func(b *testing.B) {
			c := load(b, src)
			for b.Loop() {
				w := &world{c: c, known: true}
				if got := w.evaluate(b, c.Evaluator(w.value, true)); got["x"] != cty.NilVal {
					b.Fatal("a block named x")
				}
			}
		})
	}
}
