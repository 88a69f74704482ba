package parquet

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kurs"
	"kurs/store/storetest"
)

// never is longer than any test.
const never = 1000 * time.Hour

// quick is a directory that need not outlive a power cut.
type quick struct{ local }

func (q quick) put(_ context.Context, name, file string) error {
	to := q.path(name)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(file, to)
}

// compacting is a store that compacts every day after each group.
type compacting struct{ *Store }

func (c compacting) Write(ctx context.Context, group kurs.Group) error {
	if err := c.Store.Write(ctx, group); err != nil {
		return err
	}
	return c.compact(ctx, func(d daysFiles) bool { return d.fresh > 0 })
}

func TestStore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		rows    int // that become files at once
		compact bool
	}{
		{"in the journal", 1 << 20, false},
		{"a file a group", 0, false},
		{"compacted after each group", 0, true},
		{"some in the journal, compacted", 2, true},
	} {
		if raced && c.rows != 2 {
			continue // that one does all that the others do
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, storetest.Harness{New: func(t *testing.T) storetest.Data {
				dir := t.TempDir()
				return storetest.Data{
					Open: func(t *testing.T) kurs.Store {
						// Nothing goes on beside the test, which reads the files.
						s := must(open(t.Context(), crashConfig(dir, c.rows), quick{local{dir: dir}}, quiet(), alive))(t)
						t.Cleanup(func() { s.Close() })
						if c.compact {
							return compacting{s}
						}
						return s
					},
					Read: func(t *testing.T) storetest.Dump { return dump(t, local{dir: dir}, dir) },
				}
			}})
		})
	}
}
