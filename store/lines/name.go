package lines

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// What else is in the folder.
const (
	positionName = "lines.position"
	lockName     = "lines.lock"
	partSuffix   = ".part" // a compressed file that is not whole yet
)

// A file is called after the day on which it was begun and its number, which no
// other of the folder has: 2026-11-24-000017.jsonl, and compressed
// 2026-11-24-000017.jsonl.zst.
var nameForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}-(\d{6,18})\.(?:jsonl|csv)(\.gz|\.zst)?(\.part)?$`)

// entry is a file of ours in the folder.
type entry struct {
	name   string
	number int64
	zip    string // its suffix, where it is compressed
	part   bool
}

func nameOf(day time.Time, number int64, format Format) string {
	return fmt.Sprintf("%s-%06d.%s", day.Format(time.DateOnly), number, format)
}

// list lists the files of ours in a folder, by number.
func list(dir string) ([]entry, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, file := range all {
		m := nameForm.FindStringSubmatch(file.Name())
		if m == nil || !file.Type().IsRegular() {
			continue // somebody else's
		}
		number, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, entry{name: file.Name(), number: number, zip: m[2], part: m[3] != ""})
	}
	slices.SortStableFunc(out, func(a, b entry) int { return cmp.Compare(a.number, b.number) })
	return out, nil
}
