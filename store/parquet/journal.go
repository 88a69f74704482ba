package parquet

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kurs"
)

// journal holds the groups that are not in files yet, on the local disk. It has a
// number, and the manifest that of the last one whose groups are in files: one
// with such a number is void. A record is its length, its checksum (CRC-32C) and a
// group as JSON.
type journal struct {
	folder string
	number int64
	file   *os.File
	size   int64 // of what is whole and on the disk
}

// mostRecord is the largest record that is believed: far above what the largest
// group can be.
const mostRecord = 4 << 30

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func journalPath(folder string, number int64) string {
	return filepath.Join(folder, fmt.Sprintf("%010d.journal", number))
}

// append puts a group behind the others. It returns nil when it is on the disk;
// else it is not in the journal, or the journal may no longer be written to: then
// broken is true.
func (j *journal) append(group kurs.Group) (broken bool, err error) {
	text, err := json.Marshal(group)
	if err != nil {
		return false, rejected("a group that has no text: %v", err)
	}
	record := make([]byte, 8, 8+len(text))
	binary.LittleEndian.PutUint32(record[:4], uint32(len(text))) //nolint:gosec // below mostRecord
	binary.LittleEndian.PutUint32(record[4:], crc32.Checksum(text, castagnoli))
	record = append(record, text...)
	if j.file == nil {
		if err := j.begin(); err != nil {
			return false, err
		}
	}
	if _, err := j.file.WriteAt(record, j.size); err != nil {
		// What is there of it is overwritten by the next record.
		return false, err
	}
	if err := j.file.Sync(); err != nil {
		return true, err // what is on the disk is not known any more
	}
	j.size += int64(len(record))
	return false, nil
}

// keepCopy gives a journal that is not whole another name beside it, where nothing
// removes it.
func (j *journal) keepCopy() (path string, err error) {
	text, err := os.ReadFile(filepath.Clean(journalPath(j.folder, j.number)))
	if err != nil {
		return "", err
	}
	path = filepath.Join(j.folder, fmt.Sprintf("damaged-%010d.journal", j.number))
	if err := os.WriteFile(path, text, 0o600); err != nil { //nolint:gosec // a name of our own in our own folder
		return "", err
	}
	return path, syncFolder(j.folder)
}

func (j *journal) begin() error {
	if err := makeFolder(j.folder); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Clean(journalPath(j.folder, j.number)), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := syncFolder(j.folder); err != nil {
		return errors.Join(err, file.Close())
	}
	j.file, j.size = file, 0
	return nil
}

// close closes the file; what is in it stays.
func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// next begins the next journal. The old one is void, whether it can be removed or
// not.
func (j *journal) next() error {
	err := errors.Join(j.close(), removeJournals(j.folder, j.number))
	j.number, j.size = j.number+1, 0
	return err
}

// removeJournals removes those up to a number.
func removeJournals(folder string, upTo int64) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var failed []error
	for _, entry := range entries {
		var number int64
		if n, err := fmt.Sscanf(entry.Name(), "%010d.journal", &number); n == 1 && err == nil && number <= upTo {
			failed = append(failed, os.Remove(filepath.Join(folder, entry.Name())))
		}
	}
	return errors.Join(err, errors.Join(failed...))
}

// readJournal hands over the groups of a journal, in order. What is torn at its
// end was never acknowledged: dropped is how many bytes that are. Where more follows
// behind a record that is not as it was written, it is damaged.
func readJournal(folder string, number int64, do func(kurs.Group) error) (dropped int64, damaged bool, err error) {
	file, err := os.Open(filepath.Clean(journalPath(folder, number)))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return 0, false, err
	}
	left := info.Size()
	in := bufio.NewReaderSize(file, 1<<16)
	for {
		group, size, ok, err := readRecord(in, left)
		if err != nil || !ok {
			return left, size > 0 && size < left, err
		}
		if err := do(group); err != nil {
			return left, false, err
		}
		left -= size
	}
}

// readRecord reads the next record; ok is false where no whole one follows. Its size
// is not zero where there is one of that size which is not as it was written.
func readRecord(in io.Reader, left int64) (group kurs.Group, size int64, ok bool, err error) {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return group, 0, false, ignoreEnd(err)
	}
	size = int64(binary.LittleEndian.Uint32(head[:4])) + int64(len(head))
	if size <= int64(len(head)) || size > left || size > mostRecord { // zeros are no record either
		return group, 0, false, nil
	}
	text := make([]byte, size-int64(len(head)))
	if _, err := io.ReadFull(in, text); err != nil {
		return group, 0, false, ignoreEnd(err)
	}
	if crc32.Checksum(text, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return group, size, false, nil
	}
	if err := json.Unmarshal(text, &group); err != nil {
		return group, 0, false, fmt.Errorf("a whole record of the journal cannot be read: %w", err)
	}
	return group, size, true, nil
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
