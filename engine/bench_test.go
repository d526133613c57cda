package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"wso2plan/engine"
)

// five thousand instances of one block, and as many blocks.
func benchSources(n int) map[string]string {
	var blocks strings.Builder
	for i := range n {
		fmt.Fprintf(&blocks, "resource \"fake_thing\" \"b%d\" {\n  name = \"p%d\"\n  value = \"v\"\n  secret = \"s%d\"\n  tags = { a = \"1\" }\n}\n", i, i, i)
	}
	return map[string]string{
		"for_each": fmt.Sprintf("resource \"fake_thing\" \"m\" {\n  for_each = toset(flatten([for i in range(100) : [for j in range(%d) : \"p${i}-${j}\"]]))\n"+
			"  name = each.key\n  value = \"v\"\n  secret = \"s${each.key}\"\n  tags = { a = \"1\" }\n}\n", n/100),
		"blocks": blocks.String(),
	}
}

// BenchmarkPlan measures a plan of 5,000 objects that need no change, from a listing, without the
// network; the configuration is loaded beforehand.
func BenchmarkPlan(b *testing.B) {
	for name, src := range benchSources(5000) {
		b.Run(name, func(b *testing.B) {
			bench := newBench(b)
			bench.lister = true
			bench.apply(src)
			meta, records, err := bench.store.Read(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			r := bench.reconciler(src)
			b.ReportAllocs()
			for b.Loop() {
				if p, diags := r.Plan(context.Background(), meta, records, engine.PlanOptions{}); diags.HasErrors() || !p.Empty() {
					b.Fatal(diags)
				}
			}
		})
	}
}
