package parquet

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"kurs"
)

// Format is the number of the dataset's form. A newer one is refused untouched.
const Format = 1

const (
	own          = "_kurs" // the folder of what is no data
	manifestName = own + "/manifest.json"
	datePrefix   = "date="
	extension    = ".parquet"
)

// manifest says what belongs to the dataset. It is replaced as a whole, last of
// all: what it does not name is not there.
type manifest struct {
	Format   int                 `json:"format"`
	Base     string              `json:"base_currency"`
	Commit   int64               `json:"commit"`   // how many there were
	Journal  int64               `json:"journal"`  // the number of the last journal that is in files; older ones are void
	Position kurs.StreamPos      `json:"position"` // in the queue; what is behind it is in the journal, if anywhere
	Files    map[string][]string `json:"files"`    // by folder: "quotes/date=2026-11-24": ["0000000012-00"]
}

var (
	// folders are those of data: only names of this form are ever read or removed.
	folders = regexp.MustCompile(`^(?:[a-z]{4,12}(?:_versions|_seen)?/date=\d{4}-\d{2}-\d{2}|instruments)$`)
	// A file is named after the commit that made it, or, where it is made of
	// others, after the newest of those and the commit.
	names = regexp.MustCompile(`^(\d{10})(c\d{10})?-\d{2,4}$`)
)

// ErrManifest says that the manifest cannot be understood. Nothing was touched.
var ErrManifest = errors.New("the manifest is damaged")

// parseManifest reads a manifest. Whatever is in it, what it names are names of
// data below the dataset's folder.
func parseManifest(text []byte) (manifest, error) {
	var m manifest
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&m); err != nil {
		return manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return manifest{}, fmt.Errorf("%w: something follows it", ErrManifest)
	}
	if m.Format > Format {
		return m, kurs.ErrNewerFormat
	}
	if m.Format < 1 || m.Commit < 0 || m.Commit > 9_999_999_999 || m.Journal < 0 || m.Journal > m.Commit || !kurs.LooksLikeCurrency(m.Base) {
		return manifest{}, fmt.Errorf("%w: format %d, commit %d, base currency %q", ErrManifest, m.Format, m.Commit, m.Base)
	}
	for folder, files := range m.Files {
		if !folders.MatchString(folder) {
			return manifest{}, fmt.Errorf("%w: folder %s", ErrManifest, quoted(folder))
		}
		for _, file := range files {
			if !names.MatchString(file) {
				return manifest{}, fmt.Errorf("%w: file %s", ErrManifest, quoted(file))
			}
		}
	}
	return m, nil
}

// has tells whether a file of the place belongs to the dataset.
func (m manifest) has(name string) bool {
	folder, file, ok := cutName(name)
	return ok && slices.Contains(m.Files[folder], file)
}

// cutName takes a name apart; ok is false for one that is not of kurs's data.
func cutName(name string) (folder, file string, ok bool) {
	at := strings.LastIndexByte(name, '/')
	if at < 0 {
		return "", "", false
	}
	file, ok = strings.CutSuffix(name[at+1:], extension)
	folder = name[:at]
	return folder, file, ok && folders.MatchString(folder) && names.MatchString(file)
}

// with is the manifest after a commit: without some files, with others.
func (m manifest) with(gone, come []string) manifest {
	files := make(map[string][]string, len(m.Files))
	for folder, in := range m.Files {
		files[folder] = slices.Clone(in)
	}
	for _, name := range gone {
		folder, file, _ := cutName(name)
		files[folder] = slices.DeleteFunc(files[folder], func(f string) bool { return f == file })
		if len(files[folder]) == 0 {
			delete(files, folder)
		}
	}
	for _, name := range come {
		folder, file, _ := cutName(name)
		if !slices.Contains(files[folder], file) {
			files[folder] = append(files[folder], file)
			slices.Sort(files[folder])
		}
	}
	m.Files = files
	return m
}

// in are the names of the files in a folder.
func (m manifest) in(folder string) []string {
	var out []string
	for _, file := range m.Files[folder] {
		out = append(out, folder+"/"+file+extension)
	}
	return out
}

// days are the dates of which there are files of a kind, in order, with how many
// there are in all of its datasets, and how many of those were not made by
// compacting.
func (m manifest) days(kind string) []daysFiles {
	byDate := map[string]*daysFiles{}
	for folder, files := range m.Files {
		dataset, date, ok := strings.Cut(folder, "/"+datePrefix)
		if !ok || dataset != kind && dataset != kind+suffixes[superseded] && dataset != kind+suffixes[seen] {
			continue
		}
		d := byDate[date]
		if d == nil {
			d = &daysFiles{date: date}
			byDate[date] = d
		}
		for _, file := range files {
			if !strings.Contains(file, "c") {
				d.fresh++
			}
		}
	}
	out := make([]daysFiles, 0, len(byDate))
	for _, d := range byDate {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b daysFiles) int { return cmp.Compare(a.date, b.date) })
	return out
}

type daysFiles struct {
	date  string
	fresh int
}

// orderOf is a file's place among the others of its day.
func orderOf(name string) string {
	_, file, _ := cutName(name)
	order, _, _ := strings.Cut(file, "-")
	order, _, _ = strings.Cut(order, "c")
	return order
}

// readManifest reads the manifest of a place; ok is false where there is none.
func readManifest(ctx context.Context, at place) (m manifest, ok bool, err error) {
	file, err := at.get(ctx, manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest{}, false, nil
	}
	if err != nil {
		return manifest{}, false, err
	}
	text, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return manifest{}, false, err
	}
	m, err = parseManifest(text)
	return m, err == nil, err
}

// writeManifest replaces the manifest of a place.
func writeManifest(ctx context.Context, at place, work string, m manifest) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	temporary := filepath.Join(work, "manifest.json")
	if err := os.WriteFile(temporary, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return at.put(ctx, manifestName, temporary)
}
