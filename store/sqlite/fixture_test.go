package sqlite_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"kurs"
	"kurs/store/sqlite"
)

// TestDatabasesOfEveryFormatAreTakenUp: one that an earlier kurs left is opened,
// brought up to date where its format is older, and shows the same prices. Each
// new format leaves a fixture here.
func TestDatabasesOfEveryFormatAreTakenUp(t *testing.T) {
	for _, c := range []struct {
		fixture       string
		quotes, rates int64
	}{
		{"format1.sql", 7, 20},
		{"format2.sql", 4, 49}, // one of them corrected, and an alias
	} {
		t.Run(c.fixture, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", c.fixture))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "kurs.db")
			script(t, path, string(text))
			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			at, err := s.Position(t.Context())
			if err != nil || at.Seq == 0 || at.Epoch == "" {
				t.Errorf("position %+v, %v", at, err)
			}
			if err := s.Write(t.Context(), kurs.Group{Position: kurs.StreamPos{Epoch: at.Epoch, Seq: at.Seq + 1}}); err != nil {
				t.Errorf("cannot be written to: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := sqlite.OpenReader(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			stats, err := r.Stats(t.Context())
			if err != nil || stats.Quotes != c.quotes || stats.Rates != c.rates {
				t.Errorf("%d quotes, %d rates, %v", stats.Quotes, stats.Rates, err)
			}
			shown := int64(0)
			err = r.Quotes(t.Context(), sqlite.Filter{}, func(row kurs.Row) error {
				shown++
				if base, err := kurs.Convert(row.PriceNative, row.Factor, row.FXRate); err != nil || base != row.PriceBase {
					t.Errorf("%s at %s: %s, computed %s, %v", row.Symbol, row.Time, row.PriceBase, base, err)
				}
				return nil
			})
			if err != nil || shown != c.quotes {
				t.Errorf("%d prices shown, %v", shown, err)
			}
		})
	}
}
