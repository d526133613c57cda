package render

// costliest is the largest table that align fills, in cells.
const costliest = 1 << 22

// align matches two sequences, keeping order, so that as many elements as possible are matched with
// an equal one. It returns positions in both; -1 stands for none, and what is only in the first
// comes before what is only in the second. Where that would cost too much the unequal middle is
// left unmatched.
func align(n, m int, same func(i, j int) bool) [][2]int {
	out := make([][2]int, 0, max(n, m))
	start := 0
	for start < n && start < m && same(start, start) {
		out = append(out, [2]int{start, start})
		start++
	}
	endN, endM := n, m
	for endN > start && endM > start && same(endN-1, endM-1) {
		endN--
		endM--
	}
	out = alignMiddle(out, start, endN, endM, same)
	for ; endN < n; endN, endM = endN+1, endM+1 {
		out = append(out, [2]int{endN, endM})
	}
	return out
}

func alignMiddle(out [][2]int, start, endN, endM int, same func(i, j int) bool) [][2]int {
	n, m := endN-start, endM-start
	i, j := start, start
	if n > 0 && m > 0 && n*m <= costliest {
		// length[a*(m+1)+b]: of the longest common subsequence of what follows a and b.
		length := make([]int32, (n+1)*(m+1))
		for a := n - 1; a >= 0; a-- {
			for b := m - 1; b >= 0; b-- {
				at := a*(m+1) + b
				if same(start+a, start+b) {
					length[at] = length[at+m+2] + 1
				} else {
					length[at] = max(length[at+m+1], length[at+1])
				}
			}
		}
		for i < endN && j < endM {
			at := (i-start)*(m+1) + j - start
			switch {
			case same(i, j):
				out = append(out, [2]int{i, j})
				i++
				j++
			case length[at+m+1] >= length[at+1]:
				out = append(out, [2]int{i, -1})
				i++
			default:
				out = append(out, [2]int{-1, j})
				j++
			}
		}
	}
	for ; i < endN; i++ {
		out = append(out, [2]int{i, -1})
	}
	for ; j < endM; j++ {
		out = append(out, [2]int{-1, j})
	}
	return out
}

// joinGaps matches, between equal elements, what is only in the first sequence with what is only in
// the second, one by one: elements that were changed rather than exchanged.
func joinGaps(pairs [][2]int) [][2]int {
	out := make([][2]int, 0, len(pairs))
	var gone, come []int
	flush := func() {
		for k := range max(len(gone), len(come)) {
			pair := [2]int{-1, -1}
			if k < len(gone) {
				pair[0] = gone[k]
			}
			if k < len(come) {
				pair[1] = come[k]
			}
			out = append(out, pair)
		}
		gone, come = gone[:0], come[:0]
	}
	for _, p := range pairs {
		switch {
		case p[1] < 0:
			gone = append(gone, p[0])
		case p[0] < 0:
			come = append(come, p[1])
		default:
			flush()
			out = append(out, p)
		}
	}
	flush()
	return out
}
