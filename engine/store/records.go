package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"wso2plan/config"
	"wso2plan/engine"
)

// records are the contents of a store: what all commits so far amount to.
type records map[config.Address]engine.Record

// apply does ops in their order. Deleting an address that has no record does nothing.
func (rs records) apply(ops []engine.Op) {
	for _, op := range ops {
		if op.Put != nil {
			rs[op.Put.Address] = *op.Put
		} else {
			delete(rs, *op.Delete)
		}
	}
}

// sorted returns copies of the records, by address.
func (rs records) sorted() []engine.Record {
	list := make([]engine.Record, 0, len(rs))
	for _, r := range rs {
		list = append(list, clone(r))
	}
	slices.SortFunc(list, func(a, b engine.Record) int { return a.Address.Compare(b.Address) })
	return list
}

// clone copies what r points to. Empty maps and lists become nil, as they are after reading.
func clone(r engine.Record) engine.Record {
	r.Key, r.Original, r.Fingerprints = cloneMap(r.Key), cloneMap(r.Original), cloneMap(r.Fingerprints)
	r.Deposed, r.Parents, r.Dependencies = cloneList(r.Deposed), cloneList(r.Parents), cloneList(r.Dependencies)
	return r
}

func cloneMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return maps.Clone(m)
}

func cloneList[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}

// checked returns copies of ops, which the caller may go on changing, or says which of them cannot
// be recorded: one that is neither a put nor a delete, or that would be read back as another.
func checked(ops []engine.Op) ([]engine.Op, error) {
	copies := make([]engine.Op, len(ops))
	for i, op := range ops {
		switch {
		case (op.Put == nil) == (op.Delete == nil):
			return nil, errors.New("an operation of a commit either puts a record or deletes one")
		case op.Delete != nil:
			address := *op.Delete
			if err := recordable(address); err != nil {
				return nil, err
			}
			copies[i].Delete = &address
		default:
			r := clone(*op.Put)
			for _, list := range [][]config.Address{{r.Address}, r.Parents, r.Dependencies} {
				for _, address := range list {
					if err := recordable(address); err != nil {
						return nil, err
					}
				}
			}
			if s, bad := notText(r); bad {
				return nil, fmt.Errorf("the record of %s holds %q, which is not UTF-8 text", r.Address, s)
			}
			copies[i].Put = &r
		}
	}
	return copies, nil
}

// recordable says whether the address is read back as it is written.
func recordable(a config.Address) error {
	if back, err := splitAddress(a.String()); err != nil || back != a || !utf8.ValidString(a.String()) {
		return fmt.Errorf("%q is not an address that can be recorded", a)
	}
	return nil
}

// notText returns a string of r that JSON would change.
func notText(r engine.Record) (string, bool) {
	for _, s := range append([]string{r.Provider, r.Realm, r.ID, string(r.Status)}, r.Deposed...) {
		if !utf8.ValidString(s) {
			return s, true
		}
	}
	for _, m := range []map[string]string{r.Key, r.Original, r.Fingerprints} {
		for k, v := range m {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return k + "=" + v, true
			}
		}
	}
	return "", false
}
