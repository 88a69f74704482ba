package lines_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"kurs"
	"kurs/internal/testkit"
	"kurs/rowtext"
	"kurs/store/lines"
	"kurs/store/storetest"
)

func TestStore(t *testing.T) {
	for _, c := range []lines.Config{
		{Format: lines.JSONLines},
		{Format: lines.CSV, Compress: lines.None, MaxSize: 1 << 20},
		{Format: lines.CSV, Compress: lines.Gzip, MaxSize: 4000},
		{Format: lines.JSONLines, Compress: lines.Zstd, MaxSize: 4000},
	} {
		t.Run(fmt.Sprintf("%s %s", c.Format, c.Compress), func(t *testing.T) {
			storetest.Run(t, storetest.Harness{
				Promises: storetest.Promises{AtLeastOnce: true},
				New: func(t *testing.T) storetest.Data {
					config := c
					config.Dir = filepath.Join(t.TempDir(), "lines")
					return storetest.Data{
						Open: func(t *testing.T) kurs.Store { return open(t, config) },
						Read: func(t *testing.T) storetest.Dump { return storetest.Dump{Quotes: once(read(t, config.Dir))} },
					}
				},
			})
		})
	}
}

func open(t *testing.T, config lines.Config) *lines.Store {
	t.Helper()
	s, err := lines.Open(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closed(t *testing.T, s *lines.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// read reads all files in the order of their numbers: a line of a rate that came
// later is a row without a native price.
func read(t *testing.T, dir string) []kurs.Row {
	t.Helper()
	byNumber := map[string]string{}
	for _, name := range names(t, dir) {
		number := name[len("2026-11-24-"):strings.IndexByte(name, '.')]
		if _, twice := byNumber[number]; !twice && !strings.HasSuffix(name, ".part") { // the plain one comes first
			byNumber[number] = name
		}
	}
	var rows []kurs.Row
	for _, number := range slices.Sorted(maps.Keys(byNumber)) {
		text, err := os.ReadFile(filepath.Join(dir, byNumber[number]))
		if errors.Is(err, fs.ErrNotExist) {
			return read(t, dir) // it was compressed at this moment
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, rowsOf(t, byNumber[number], text)...)
	}
	return rows
}

// names are the files of the folder, but for the store's own.
func names(t *testing.T, dir string) []string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "lines.") {
			out = append(out, f.Name())
		}
	}
	return out
}

func rowsOf(t *testing.T, name string, text []byte) (rows []kurs.Row) {
	t.Helper()
	var err error
	switch filepath.Ext(name) {
	case ".gz":
		var zip *gzip.Reader
		if zip, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
			text, err = io.ReadAll(zip)
		}
		name = strings.TrimSuffix(name, ".gz")
	case ".zst":
		var zip *zstd.Decoder
		if zip, err = zstd.NewReader(bytes.NewReader(text)); err == nil {
			text, err = io.ReadAll(zip)
			zip.Close()
		}
		name = strings.TrimSuffix(name, ".zst")
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	add := func(object []byte) {
		var row kurs.Row
		if err := json.Unmarshal(object, &row); err != nil {
			t.Fatalf("%s: %v in %s", name, err, object)
		}
		rows = append(rows, row)
	}
	if strings.HasSuffix(name, ".csv") {
		for _, record := range testkit.CSV(t, string(text), ',', "\n") {
			object := map[string]any{}
			for column, field := range record {
				object[column] = field
			}
			if volume, ok := record["volume"]; ok {
				object["volume"] = json.Number(volume)
			}
			if record["approximate"] != "" {
				object["approximate"] = true
			}
			line, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			add(line)
		}
		return rows
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		t.Fatalf("%s: the last line is torn", name)
	}
	scan := bufio.NewScanner(bytes.NewReader(text))
	for scan.Buffer(nil, 1<<20); scan.Scan(); {
		add(scan.Bytes())
	}
	return rows
}

// once is what a program makes of the rows: each version of a price once,
// completed by the line of its rate.
func once(rows []kurs.Row) []kurs.Row {
	var out []kurs.Row
	for _, row := range rows {
		i := slices.IndexFunc(out, func(o kurs.Row) bool {
			return o.Symbol == row.Symbol && o.Time.Equal(row.Time) && o.Session == row.Session && o.Source == row.Source
		})
		switch {
		case i < 0:
			out = append(out, row)
		case !row.PriceNative.Known() && !out[i].PriceBase.Known() && out[i].ReceivedISO.Equal(row.ReceivedISO):
			out[i].FXRate, out[i].FXTime, out[i].FXSource, out[i].PriceBase = row.FXRate, row.FXTime, row.FXSource, row.PriceBase
		}
	}
	return out
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// group is so many prices, numbered on from a number, at a position.
func group(seq uint64, from, count int) kurs.Group {
	b := kurs.Batch{BaseCurrency: "DKK"}
	for n := from; n < from+count; n++ {
		b.Prices = append(b.Prices, kurs.Price{
			Quote:   kurs.Quote{Symbol: fmt.Sprintf("A;\n=%d", n), Source: "y", Time: noon.Add(time.Duration(n) * time.Second), Value: kurs.Int(int64(n)), Unit: "DKK"},
			Receipt: kurs.Receipt{Received: noon},
		})
	}
	return kurs.Group{Batches: []kurs.Batch{b}, Position: kurs.StreamPos{Epoch: "e", Seq: seq}}
}

func write(t *testing.T, s *lines.Store, groups ...kurs.Group) {
	t.Helper()
	for _, g := range groups {
		if err := s.Write(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
}

// exactly tells whether the prices numbered from 0 are in the folder, each once and
// in order.
func exactly(t *testing.T, dir string, count int) {
	t.Helper()
	var want []int64
	for n := range count {
		want = append(want, int64(n))
	}
	if diff := gocmp.Diff(want, values(t, dir)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", names(t, dir), diff)
	}
}

func values(t *testing.T, dir string) []int64 {
	t.Helper()
	var got []int64
	for _, row := range read(t, dir) {
		n, exponent := row.PriceNative.Parts()
		for range exponent {
			n *= 10
		}
		got = append(got, n)
	}
	return got
}

func TestADayAndASizeBeginAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := lines.Config{Dir: t.TempDir(), Format: lines.CSV, MaxSize: 370, Compress: lines.Gzip}
		s := open(t, config)
		write(t, s, group(1, 0, 1), group(2, 1, 4)) // four lines are more than a file holds
		synctest.Wait()                             // until what is closed is compressed
		want := []string{"2000-01-01-000001.csv.gz", "2000-01-01-000002.csv.gz", "2000-01-01-000003.csv"}
		if diff := gocmp.Diff(want, names(t, config.Dir)); diff != "" {
			t.Error(diff)
		}
		<-time.NewTimer(25 * time.Hour).C
		write(t, s, kurs.Group{Position: kurs.StreamPos{Epoch: "e", Seq: 3}}) // nothing to write begins nothing
		if diff := gocmp.Diff(want, names(t, config.Dir)); diff != "" {
			t.Error(diff)
		}
		closed(t, s)
		s = open(t, config)
		write(t, s, group(4, 5, 1))
		synctest.Wait()
		want = append(want[:2], "2000-01-01-000003.csv.gz", "2000-01-02-000004.csv")
		if diff := gocmp.Diff(want, names(t, config.Dir)); diff != "" {
			t.Error(diff)
		}
		closed(t, s)
		exactly(t, config.Dir, 6)
		for _, name := range want {
			if info, err := os.Stat(filepath.Join(config.Dir, name)); err != nil || strings.HasSuffix(name, ".csv") && info.Size() > config.MaxSize {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A line that is longer than a file may be is alone in one.
func TestALineLongerThanAFile(t *testing.T) {
	for _, format := range []lines.Format{lines.JSONLines, lines.CSV} {
		config := lines.Config{Dir: t.TempDir(), Format: format, MaxSize: 10}
		s := open(t, config)
		write(t, s, group(1, 0, 3), group(2, 3, 1))
		closed(t, s)
		exactly(t, config.Dir, 4)
		if n := len(names(t, config.Dir)); n != 4 {
			t.Errorf("%d files", n)
		}
	}
}

func TestTheOldestFilesAreRemoved(t *testing.T) {
	for _, compress := range []lines.Compression{lines.None, lines.Zstd} {
		synctest.Test(t, func(t *testing.T) {
			config := lines.Config{Dir: t.TempDir(), Format: lines.JSONLines, MaxSize: 10, MaxFiles: 2, Compress: compress}
			foreign := filepath.Join(config.Dir, "2000-01-01-notes.jsonl")
			if err := os.WriteFile(foreign, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, config)
			write(t, s, group(1, 0, 6))
			synctest.Wait()
			closed(t, s)
			if err := os.Remove(foreign); err != nil {
				t.Error(err)
			}
			if diff := gocmp.Diff([]int64{3, 4, 5}, values(t, config.Dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAnotherFormatBeginsAFile, and so does another dialect.
func TestAnotherFormatBeginsAFile(t *testing.T) {
	config := lines.Config{Dir: t.TempDir(), Format: lines.JSONLines}
	for i, c := range []struct {
		format  lines.Format
		dialect rowtext.Dialect
		files   int
	}{
		{lines.JSONLines, "", 1},
		{lines.JSONLines, "", 1},
		{lines.CSV, "", 2},
		{lines.CSV, rowtext.RFC4180, 2},
		{lines.CSV, rowtext.ExcelDA, 3},
		{lines.CSV, rowtext.ExcelDA, 3},
		{lines.JSONLines, "", 4},
	} {
		config.Format, config.Dialect = c.format, c.dialect
		s := open(t, config)
		write(t, s, group(uint64(i+1), i, 1))
		closed(t, s)
		files := names(t, config.Dir)
		if len(files) != c.files {
			t.Errorf("%d: %q", i, files)
		}
		if c.dialect != rowtext.ExcelDA {
			continue
		}
		if text, err := os.ReadFile(filepath.Join(config.Dir, files[2])); err != nil || !bytes.HasPrefix(text, []byte("\ufeffsymbol;time;")) {
			t.Errorf("%v, %q", err, text)
		}
	}
}
