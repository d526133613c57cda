package engine

import (
	"slices"
	"strings"

	"wso2plan/config"
)

func sortAddresses(list []config.Address) {
	slices.SortFunc(list, config.Address.Compare)
}

// uniqueAddresses returns list sorted and without repetitions; nil when empty.
func uniqueAddresses(list []config.Address) []config.Address {
	sortAddresses(list)
	list = slices.Compact(list)
	if len(list) == 0 {
		return nil
	}
	return list
}

// sortedKeysOf returns the addresses that are keys of m, sorted.
func sortedKeysOf[V any](m map[config.Address]V) []config.Address {
	out := make([]config.Address, 0, len(m))
	for a := range m {
		out = append(out, a)
	}
	sortAddresses(out)
	return out
}

// withArticle puts "a" or "an" before a name.
func withArticle(name string) string {
	if name != "" && strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}
