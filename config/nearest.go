package config

import "strings"

// Nearest is the candidate that word was probably meant to be, or "" when none
// is near: letter case is ignored, and one slip (a letter wrong, missing, too
// many, or two swapped) is allowed for every three letters. Of equally near
// candidates the first is taken.
func Nearest(word string, candidates []string) string {
	const longest = 64 // nothing that kurs suggests is longer; hostile words cost nothing
	if word == "" || len(word) > longest {
		return ""
	}
	near, least := "", len(word)+1
	folded := strings.ToLower(word)
	for _, c := range candidates {
		limit := max(1, min(len(word), len(c))/3)
		if d := slips(folded, strings.ToLower(c)); d <= limit && d < least {
			near, least = c, d
		}
	}
	return near
}

// slips is the edit distance with swapped neighbours counting once (optimal
// string alignment). It compares bytes: what is suggested is ASCII.
func slips(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
