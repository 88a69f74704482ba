package supervise

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"kurs"
	"kurs/config"
)

// The files in a data directory that are the supervisor's own.
const (
	lockName   = "kurs.lock"   // locked while kurs records; empty
	runName    = "kurs.run"    // who records, and where to ask it
	formatName = "format.json" // what the directory is

	// DataFormat is the format of a data directory that this version writes. It
	// is independent of the database's own.
	DataFormat = 1
)

// Runner is who records into a data directory, as it is in the file kurs.run.
type Runner struct {
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"` // UTC
	Network string    `json:"network"`
	Address string    `json:"address"`         // of the status socket
	Token   string    `json:"token,omitempty"` // where the socket is not a file of its own
}

// Claim is the hold on the directories of one kurs: nobody else records there.
type Claim struct {
	paths     config.Paths
	locks     []*flock.Flock
	announced bool
}

// TakeClaim locks the directories that a run writes to, and makes them if they
// are not there. It refuses a directory that another kurs holds (KURS-LOCK), one
// of a newer format (KURS-FORMAT) and one of another currency (KURS-BASE);
// nothing of them is touched then.
func TakeClaim(paths config.Paths, currency string) (_ *Claim, err error) {
	c := &Claim{paths: paths}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Release())
		}
	}()
	for _, dir := range c.dirs() {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, noDirectory(dir, err)
		}
		lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))
		ok, err := lock.TryLock()
		switch {
		case err != nil:
			return nil, noDirectory(dir, err)
		case !ok:
			return nil, c.held(dir)
		}
		c.locks = append(c.locks, lock)
	}
	return c, c.checkFormat(currency)
}

// dirs are the directories to lock, each once, in an order that is the same for
// everybody.
func (c *Claim) dirs() []string {
	dirs := []string{c.paths.Data, c.paths.Queue}
	if c.paths.Database != "" {
		dirs = append(dirs, filepath.Dir(c.paths.Database))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

func noDirectory(dir string, err error) error {
	return &kurs.Error{
		Code: "KURS-DATA", Message: "cannot write to the directory " + dir, Safe: "nothing was changed",
		Try: "name another with --data DIR, or mend its permissions", Exit: kurs.ExitFailed, Err: err,
	}
}

// held is the error for a directory that another kurs holds.
func (c *Claim) held(dir string) error {
	e := &kurs.Error{
		Code: "KURS-LOCK", Message: "another kurs already records into " + dir, Safe: "it goes on undisturbed",
		Try: "kurs status tells how it does; another --data DIR records beside it", Exit: kurs.ExitLocked, Retryable: true,
	}
	if r, err := ReadRunner(c.paths.Data); err == nil {
		e.Message += fmt.Sprintf(" (pid %d, since %s)", r.PID, r.Since.Local().Format(time.DateTime))
		e.Try = fmt.Sprintf("kurs status; to stop it: kill %d; or record beside it with another --data DIR", r.PID)
	}
	return e
}

// dataFormat is the form of the file format.json.
type dataFormat struct {
	Format   int    `json:"format"`
	Currency string `json:"base_currency"`
}

func (c *Claim) checkFormat(currency string) error {
	name := filepath.Join(c.paths.Data, formatName)
	text, err := os.ReadFile(filepath.Clean(name))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = json.Marshal(dataFormat{Format: DataFormat, Currency: currency})
		if err == nil {
			err = writeFile(name, append(text, '\n'))
		}
	}
	if err != nil {
		return noDirectory(c.paths.Data, err)
	}
	var f dataFormat
	if err := json.Unmarshal(text, &f); err != nil {
		return noDirectory(c.paths.Data, fmt.Errorf("%s is damaged: %w", name, err))
	}
	if f.Format > DataFormat {
		return &kurs.Error{
			Code: "KURS-FORMAT", Message: fmt.Sprintf("%s has format %d, this kurs knows up to %d", c.paths.Data, f.Format, DataFormat),
			Safe: "nothing was changed", Try: "use the kurs that wrote it, or a newer one; or record elsewhere with --data DIR",
			Exit: kurs.ExitFailed, Err: kurs.ErrNewerFormat,
		}
	}
	if f.Currency != currency {
		return &kurs.Error{
			Code: "KURS-BASE", Message: fmt.Sprintf("the prices in %s are in %s, not %s", c.paths.Data, f.Currency, currency),
			Safe: "nothing was changed",
			Try:  fmt.Sprintf("record in %s elsewhere (--data DIR), or set currency = %q again", currency, f.Currency),
			Exit: kurs.ExitUsage, Err: kurs.ErrBaseCurrency,
		}
	}
	return nil
}

// announce writes down who records and where to ask. Only its owner can read it.
func (c *Claim) announce(r Runner) error {
	c.announced = true
	text, err := json.Marshal(r)
	if err == nil {
		err = writeFile(filepath.Join(c.paths.Data, runName), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write down who records: %w", err)
	}
	return nil
}

// writeFile replaces a file whole: whoever reads sees the old one or the new.
func writeFile(name string, text []byte) error {
	temporary := name + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

// ReadRunner reads who records into a data directory, or did last; whether it
// still does shows when it is asked.
func ReadRunner(data string) (Runner, error) {
	text, err := os.ReadFile(filepath.Join(data, runName)) //nolint:gosec // the user's own directory
	if err != nil {
		return Runner{}, err
	}
	var r Runner
	if err := json.Unmarshal(text, &r); err != nil {
		return Runner{}, fmt.Errorf("read who records: %w", err)
	}
	return r, nil
}

// Release lets others record there.
func (c *Claim) Release() error {
	var err error
	if c.announced {
		err = os.Remove(filepath.Join(c.paths.Data, runName))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	for _, lock := range slices.Backward(c.locks) {
		err = errors.Join(err, lock.Close())
	}
	c.locks = nil
	return err
}
