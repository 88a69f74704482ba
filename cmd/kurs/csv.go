package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"kurs/rowtext"
)

// csvFlags are those of every command that writes CSV.
type csvFlags struct{ name string }

func (f *csvFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.name, "csv-dialect", "", "CSV as others read it: "+strings.Join(rowtext.Dialects(), " or ")+" (a Danish Excel)")
}

// dialect is the one that is wanted with a format.
func (f *csvFlags) dialect(format string) (rowtext.Dialect, error) {
	switch {
	case f.name == "":
		return rowtext.RFC4180, nil
	case !slices.Contains(rowtext.Dialects(), f.name):
		return "", usageError(fmt.Sprintf("--csv-dialect %s is not one: there are %s", f.name, strings.Join(rowtext.Dialects(), " and ")), "--csv-dialect "+string(rowtext.ExcelDA))
	case format != "csv":
		return "", usageError("--csv-dialect is for -o csv, not -o "+format, "-o csv --csv-dialect "+f.name)
	}
	return rowtext.Dialect(f.name), nil
}
