package main

import "github.com/agext/levenshtein"

// nearest returns the one of names that was probably meant by name, or "".
func nearest(name string, names []string) string {
	best, distance := "", 3
	for _, n := range names {
		if d := levenshtein.Distance(name, n, nil); d < distance && d < len(n) {
			best, distance = n, d
		}
	}
	return best
}
