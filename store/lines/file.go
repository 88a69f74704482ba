package lines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kurs/store/position"
)

// recover looks at what is on the disk, removes what was not committed, and opens
// the file to go on with, if there is one.
func (s *Store) recover(ctx context.Context) error {
	known := filepath.Join(s.config.Dir, positionName)
	s.at.Number = -1
	if err := position.Read(known, &s.at); err != nil {
		return err
	}
	files, err := list(s.config.Dir)
	if err != nil {
		return err
	}
	if s.at.Number < 0 { // a new folder, or one whose position file was taken away
		s.at.Number = 0
		for _, f := range files {
			s.at.Number = max(s.at.Number, f.number)
		}
	}
	// Which of two it was that was read may have been in doubt.
	if err := position.Write(known, s.at); err != nil {
		return err
	}
	if err := s.removeRest(files); err != nil {
		return err
	}
	return s.resume(ctx)
}

// removeRest removes the files of what was not committed and what is half of a
// file.
func (s *Store) removeRest(files []entry) error {
	halves, err := filepath.Glob(filepath.Join(s.config.Dir, positionName+".*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.part || f.number > s.at.Number {
			halves = append(halves, filepath.Join(s.config.Dir, f.name))
		}
	}
	for _, name := range halves {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// resume opens the file that was written last, where more may be added to it, and
// cuts off what was not committed.
func (s *Store) resume(ctx context.Context) error {
	if s.at.File == "" {
		return nil
	}
	day, err := time.Parse(time.DateOnly, s.at.File[:min(len(s.at.File), len(time.DateOnly))])
	if err != nil || nameForm.FindString(s.at.File) == "" {
		return fmt.Errorf("position file %s names %q, which is no file of lines", positionName, s.at.File)
	}
	file, err := os.OpenFile(filepath.Join(s.config.Dir, s.at.File), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		s.log.WarnContext(ctx, "the file that was written last is gone: another is begun", "file", s.at.File)
		return nil
	}
	if err != nil {
		return err
	}
	more, err := s.cut(ctx, file)
	if err != nil || !more {
		return errors.Join(err, file.Close())
	}
	s.file, s.day = file, day
	return nil
}

// cut takes away what was not committed, and tells whether more may be added:
// whether the file is whole and of this format.
func (s *Store) cut(ctx context.Context, file *os.File) (more bool, err error) {
	length, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	if length < s.at.Bytes {
		s.log.ErrorContext(ctx, "the file that was written last has lost its end: another is begun", "file", s.at.File, "bytes", length, "written", s.at.Bytes)
		return false, nil
	}
	if length > s.at.Bytes {
		if err := errors.Join(file.Truncate(s.at.Bytes), file.Sync()); err != nil {
			return false, err
		}
	}
	head := s.head()
	begin := make([]byte, len(head))
	if _, err := file.ReadAt(begin, 0); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	_, err = file.Seek(s.at.Bytes, io.SeekStart)
	return strings.HasSuffix(s.at.File, "."+string(s.config.Format)) && bytes.Equal(begin, head), err
}

// head is what a file begins with: of CSV the names of the columns.
func (s *Store) head() []byte {
	if s.config.Format == CSV {
		return s.config.Dialect.RowHead(nil)
	}
	return nil
}

// append writes lines, to as many files as they need, and puts them on the disk.
func (s *Store) append(ctx context.Context, next *place, lines []byte, ends []int) error {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	if !s.day.Equal(today) || !s.there(ctx) {
		if err := s.begin(next, today); err != nil {
			return err
		}
	}
	alone := int64(len(s.head())) // how long a file is without a line
	written := 0
	for i := range ends {
		begin := 0
		if i > 0 {
			begin = ends[i-1]
		}
		length := next.Bytes + int64(begin-written)
		if s.config.MaxSize > 0 && length > alone && length+int64(ends[i]-begin) > s.config.MaxSize {
			if err := s.write(next, lines[written:begin]); err != nil {
				return err
			}
			written = begin
			if err := s.begin(next, today); err != nil {
				return err
			}
		}
	}
	return s.write(next, lines[written:])
}

// there tells whether the file that is written is still the one in the folder: a
// person may have taken it away.
func (s *Store) there(ctx context.Context) bool {
	if s.file == nil {
		return false
	}
	mine, err := s.file.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(filepath.Join(s.config.Dir, s.at.File))
	if err != nil || !os.SameFile(mine, theirs) {
		s.log.WarnContext(ctx, "the file that was written was taken away: another is begun", "file", s.at.File)
		return false
	}
	return true
}

// begin begins a file. The one before it is on the disk already.
func (s *Store) begin(next *place, day time.Time) error {
	if s.file != nil {
		err := s.file.Close()
		s.file = nil
		if err != nil {
			return err
		}
	}
	name := nameOf(day, next.Number+1, s.config.Format)
	file, err := os.OpenFile(filepath.Clean(filepath.Join(s.config.Dir, name)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	s.file, s.day = file, day
	next.Number++
	next.File, next.Bytes = name, 0
	if err := s.write(next, s.head()); err != nil {
		return err
	}
	return position.SyncFolder(s.config.Dir)
}

// write adds to the file, and puts it on the disk.
func (s *Store) write(next *place, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if _, err := s.file.Write(text); err != nil {
		return err
	}
	next.Bytes += int64(len(text))
	return s.file.Sync()
}
