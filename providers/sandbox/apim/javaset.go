package apim

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// asSet returns texts once each, in the order in which Java's HashSet has them: that in which the server answers with what it keeps as sets (seen).
func asSet(list []string) []string {
	var distinct []string
	for _, s := range list {
		if !slices.Contains(distinct, s) {
			distinct = append(distinct, s)
		}
	}
	size := uint32(16)
	for 4*len(distinct) > 3*int(size) {
		size *= 2
	}
	bucket := func(s string) uint32 {
		var h uint32
		for _, c := range utf16.Encode([]rune(s)) {
			h = 31*h + uint32(c)
		}
		return (h ^ h>>16) & (size - 1)
	}
	slices.SortStableFunc(distinct, func(a, b string) int { return cmp.Compare(bucket(a), bucket(b)) })
	return distinct
}

// anyList makes a list of a document of texts; it is never null.
func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
