package storetest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"wso2plan/config"
	"wso2plan/engine"
)

// testModel does random operations, in sessions that are closed or lose their lock, and compares
// with a map.
func testModel(t *testing.T, create func(t *testing.T) (open func() engine.Store)) {
	address := rapid.Custom(func(t *rapid.T) config.Address {
		a := config.Address{
			Module: rapid.SampledFrom([]string{"", "module.a", `module.a["x"].module.b[0]`}).Draw(t, "module"),
			Type:   "is_user", Name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"),
		}
		switch rapid.IntRange(0, 2).Draw(t, "key") {
		case 0:
			a = a.Instance(cty.NumberIntVal(int64(rapid.IntRange(0, 3).Draw(t, "number"))))
		case 1:
			a = a.Instance(cty.StringVal(rapid.SampledFrom([]string{"", `"`, "é", "${", "]"}).Draw(t, "text")))
		}
		return a
	})
	text := rapid.String()
	texts := rapid.MapOfN(text, text, 0, 3)
	record := rapid.Custom(func(t *rapid.T) engine.Record {
		return engine.Record{
			Address: address.Draw(t, "address"), Provider: text.Draw(t, "provider"), Realm: text.Draw(t, "realm"),
			ID: text.Draw(t, "id"), Status: rapid.SampledFrom([]engine.Status{engine.Intent, engine.Incomplete, engine.Complete}).Draw(t, "status"),
			Key: texts.Draw(t, "key"), Deposed: rapid.SliceOfN(text, 0, 2).Draw(t, "deposed"), Adopted: rapid.Bool().Draw(t, "adopted"),
			Original: texts.Draw(t, "original"), Protected: rapid.Bool().Draw(t, "protected"),
			Parents: rapid.SliceOfN(address, 0, 2).Draw(t, "parents"), Dependencies: rapid.SliceOfN(address, 0, 2).Draw(t, "dependencies"),
			Fingerprints: texts.Draw(t, "fingerprints"),
		}
	})
	op := rapid.Custom(func(t *rapid.T) engine.Op {
		if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
			return Delete(address.Draw(t, "address"))
		}
		return Put(record.Draw(t, "record"))
	})

	rapid.Check(t, func(r *rapid.T) {
		open := create(t)
		ctx := context.Background()
		model, serial, lineage := map[config.Address]engine.Record{}, uint64(0), ""
		equal := func(what string, meta engine.Meta, got []engine.Record) {
			want := slices.SortedFunc(maps.Values(model), func(a, b engine.Record) int { return a.Address.Compare(b.Address) })
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				r.Fatalf("%s (-want +got):\n%s", what, diff)
			}
			if meta.Serial != serial || meta.Lineage != lineage {
				r.Fatalf("%s: Meta is %+v, and should be of serial %d and lineage %q", what, meta, serial, lineage)
			}
		}
		for range rapid.IntRange(1, 4).Draw(r, "sessions") {
			s, err := open().Lock(ctx, Holder("a"))
			if err != nil {
				r.Fatal(err)
			}
			equal("locked", s.Meta(), s.Records())
			for range rapid.IntRange(0, 4).Draw(r, "commits") {
				ops := rapid.SliceOfN(op, 1, 4).Draw(r, "ops")
				if err := s.Commit(ctx, ops); err != nil {
					r.Fatal(err)
				}
				for _, op := range ops {
					if op.Put != nil {
						model[op.Put.Address] = *op.Put
					} else {
						delete(model, *op.Delete)
					}
				}
				serial++
				if lineage == "" {
					lineage = s.Meta().Lineage
				}
				equal("committed", s.Meta(), s.Records())
			}
			if rapid.Bool().Draw(r, "forced") {
				if err := open().Unlock(ctx, "a"); err != nil {
					r.Fatal(err)
				}
				if err := s.Commit(ctx, []engine.Op{Delete(config.Address{Type: "t", Name: "n"})}); err == nil {
					r.Fatal("the session commits without its lock")
				}
			}
			if err := s.Close(); err != nil {
				r.Fatal(err)
			}
			meta, list, err := open().Read(ctx)
			if err != nil {
				r.Fatal(err)
			}
			equal("read", meta, list)
		}
	})
}
