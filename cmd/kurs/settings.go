package main

import (
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/spf13/pflag"

	"kurs"
	"kurs/config"
)

// settings are the flags of a command that reads the config.
//
//	var s settings
//	s.bind(cmd.Flags())    // --config, --data
//	s.bindRun(cmd.Flags()) // and, of commands that record, --interval, --symbols, ...
//	c, err := s.load(std)
type settings struct {
	file    string
	dataDir string
	noData  bool // the command keeps no data, so it needs no home directory
	records bool // the command records, so warnings about its pace concern it
	noFile  bool // a config file is read only where --config names it

	flags *pflag.FlagSet
}

// overridesKey is the annotation of a flag that stands for a key of the config.
const overridesKey = "kurs_config_key"

// bind adds --config and --data.
func (s *settings) bind(fs *pflag.FlagSet) {
	s.flags = fs
	fs.StringVar(&s.file, "config", "", "config `FILE` (see kurs config path)")
	fs.StringVar(&s.dataDir, "data", "", "keep database, queue and log below `DIR`")
}

// bindRun adds the flags that override settings: those that the table of keys
// names.
func (s *settings) bindRun(fs *pflag.FlagSet) {
	s.records = true
	for _, k := range config.Keys() {
		if k.Flag != "" {
			bindKey(fs, k)
		}
	}
}

// bindKey adds the flag of one key. The text goes to package config as it is, so
// that it is checked like any other value.
func bindKey(fs *pflag.FlagSet, k config.Key) {
	kind := map[string]string{"list": "A,B", "number": "N", "duration": "DURATION"}[k.Type()]
	if kind == "" {
		kind = "TEXT"
	}
	fs.String(k.Flag, "", fmt.Sprintf("override %s with `%s`", k.Path, kind))
	// The flag was added the line above, which is all that can fail here.
	_ = fs.SetAnnotation(k.Flag, overridesKey, []string{k.Path})
}

// overrides are the flags of the command line that stand for keys, by key.
func (s *settings) overrides() map[string]string {
	given := map[string]string{}
	s.flags.Visit(func(f *pflag.Flag) {
		if path := f.Annotations[overridesKey]; len(path) == 1 {
			given[path[0]] = f.Value.String()
		}
	})
	return given
}

// load reads the config and prints its warnings. The error has been printed
// already, unless it is to be JSON.
func (s *settings) load(std streams) (config.Config, error) {
	c, _, err := s.loadOrigins(std, nil)
	return c, err
}

// loadOrigins also says where each value comes from. more are values by key path
// that beat those of the flags.
func (s *settings) loadOrigins(std streams, more map[string]string) (config.Config, *config.Origins, error) {
	given := s.overrides()
	maps.Copy(given, more)
	c, origins, err := config.Load(config.Input{
		File: s.file, DataDir: s.dataDir, NoData: s.noData, NoFile: s.noFile, Environ: os.Environ(), Flags: given,
	})
	if err != nil {
		return config.Config{}, nil, s.said(std, err)
	}
	for _, w := range origins.Warnings {
		if s.records || !w.Pace {
			fmt.Fprintln(std.err, "warning:", w.Text)
		}
	}
	return c, origins, nil
}

// said prints the screen of the config's problems, which has another shape than
// other errors; what is left to return is the exit code.
func (s *settings) said(std streams, err error) error {
	var problems *config.Problems
	if !errors.As(err, &problems) {
		return err
	}
	if f := s.flags.Lookup("output"); f != nil && (f.Value.String() == "json" || f.Value.String() == "jsonl") {
		return err
	}
	fmt.Fprintln(std.err, problems.Error())
	return exit(kurs.ExitUsage)
}
