package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
)

// configCommand is kurs config: what the settings are, where they come from and
// what is wrong with them.
func configCommand(std streams) *cobra.Command {
	return groupOf(&cobra.Command{
		Use:   "config",
		Short: "Check and show the settings",
		Example: `  kurs config check             all mistakes at once
  kurs config show --origin     what is in force, and where it comes from
  kurs config keys              every setting there is`,
	}, configCheck(std), configShow(std), configPath(std), configKeys(std))
}

func configCheck(std streams) *cobra.Command {
	s := settings{noData: true, records: true}
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check the config file, all mistakes at once",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				if s.file != "" {
					return usageError("the file is given twice: "+args[0]+" and --config "+s.file, "kurs config check "+args[0])
				}
				s.file = args[0]
			}
			c, origins, err := s.loadOrigins(std, nil)
			if err != nil {
				return err
			}
			fmt.Fprintln(std.out, s.verdict(origins))
			if len(c.Symbols) == 0 {
				fmt.Fprintln(std.err, "warning: symbols is empty: kurs run has nothing to record")
			}
			return nil
		},
	}
	s.bind(cmd.Flags())
	return cmd
}

// verdict is what is said of settings that are valid.
func (s *settings) verdict(o *config.Origins) string {
	name := s.file
	if name == "" {
		name = config.Short(o.File, os.Environ())
	}
	text := name + ": valid, " + countOf(o.Count(config.FromFile), "key") + " set"
	if !o.Exists {
		text = strings.TrimSpace(name + " does not exist; the defaults are valid")
	}
	var env []string
	for _, k := range config.Keys() {
		if from := o.Of(k.Path); from.Kind == config.FromEnv {
			env = append(env, from.Name)
		}
	}
	if len(env) > 0 {
		text += fmt.Sprintf(", %s from the environment (%s)", countOf(len(env), "key"), strings.Join(env, ", "))
	}
	return text
}

func configShow(std streams) *cobra.Command {
	s := settings{noData: true}
	var (
		withOrigin bool
		output     string
	)
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the values in force, as TOML or JSON",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := tableOrJSON(output); err != nil {
				return err
			}
			_, origins, err := s.loadOrigins(std, nil)
			if err != nil {
				return err
			}
			if output == "json" {
				return printJSON(std.out, shownValues(origins))
			}
			showTOML(std.out, origins, withOrigin)
			return nil
		},
	}
	s.bind(cmd.Flags())
	s.bindRun(cmd.Flags())
	s.records = false // nothing is recorded; the flags are there to try them out
	cmd.Flags().BoolVar(&withOrigin, "origin", false, "say where each value comes from")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`FORMAT`: table (TOML) or json")
	return cmd
}

// shownValue is one value in kurs config show -o json.
type shownValue struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

// shownValues gives lists as lists, numbers as numbers, the rest as it is
// written in the file.
func shownValues(o *config.Origins) []shownValue {
	var all []shownValue
	for _, k := range config.Keys() {
		texts := o.Texts(k.Path)
		v := shownValue{Key: k.Path, Origin: o.Of(k.Path).String()}
		switch k.Type() {
		case "list":
			v.Value = texts
		case "number":
			v.Value = json.Number(texts[0])
		default:
			v.Value = texts[0]
		}
		all = append(all, v)
	}
	return all
}

// showTOML prints a file that would give the same settings.
func showTOML(w io.Writer, o *config.Origins, withOrigin bool) {
	table := ""
	for _, k := range config.Keys() {
		if k.Table() != table {
			table = k.Table()
			fmt.Fprintf(w, "\n[%s]\n", table)
		}
		line := k.Name() + " = " + o.Literal(k.Path)
		if withOrigin {
			line = fmt.Sprintf("%-40s  # %s", line, o.Of(k.Path))
		}
		fmt.Fprintln(w, line)
	}
}

func configPath(std streams) *cobra.Command {
	s := settings{noData: true}
	cmd := &cobra.Command{
		Use:   "path",
		Short: "Print where the config file is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path, err := s.path()
			if err != nil {
				return err
			}
			fmt.Fprintln(std.out, path)
			if _, err := os.Stat(path); err != nil {
				fmt.Fprintln(std.err, "there is no such file; kurs init writes it")
			}
			return nil
		},
	}
	s.bind(cmd.Flags())
	return cmd
}

// path is the config file, whether it is there or not.
func (s *settings) path() (string, error) {
	path, _, err := config.FilePath(config.Input{File: s.file, Environ: os.Environ()})
	if err == nil && path == "" {
		err = &kurs.Error{
			Code: "KURS-CONFIG", Message: "there is no home directory to keep a config file in: HOME is not set",
			Try: "name one: --config FILE, or KURS_CONFIG=FILE", Exit: kurs.ExitUsage,
		}
	}
	return path, err
}

func configKeys(std streams) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List every setting: type, default, environment, flag, meaning",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := tableOrJSON(output); err != nil {
				return err
			}
			if output == "json" {
				return printJSON(std.out, listedKeys())
			}
			w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "KEY\tTYPE\tDEFAULT\tVALUES\tENVIRONMENT\tFLAG\tRELOAD\tMEANING")
			for _, k := range listedKeys() {
				reload := ""
				if k.Reload {
					reload = "yes"
				}
				fmt.Fprintln(w, strings.Join([]string{
					k.Key, k.Type, k.Default, strings.TrimSpace(k.Values + " " + k.Unit), k.Env, k.Flag, reload, k.Meaning,
				}, "\t"))
			}
			return w.Flush() //nolint:wrapcheck // writing to the terminal
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`FORMAT`: table or json")
	return cmd
}

// listedKey is one setting in kurs config keys -o json.
type listedKey struct {
	Key     string `json:"key"`
	Type    string `json:"type"`
	Default string `json:"default"` // as TOML
	Unit    string `json:"unit,omitempty"`
	Values  string `json:"values,omitempty"`
	Env     string `json:"env"`
	Flag    string `json:"flag,omitempty"`
	Reload  bool   `json:"reloadable"`
	Meaning string `json:"meaning"`
}

func listedKeys() []listedKey {
	var all []listedKey
	for _, k := range config.Keys() {
		one := listedKey{
			Key: k.Path, Type: k.Type(), Default: k.Literal(k.Default), Unit: k.Unit, Values: k.Range(),
			Env: k.Env(), Reload: k.Reload, Meaning: k.Meaning,
		}
		if k.Flag != "" {
			one.Flag = "--" + k.Flag
		}
		all = append(all, one)
	}
	return all
}

// tableOrJSON checks the value of -o where these are all there are.
func tableOrJSON(output string) error {
	if output == "table" || output == "json" {
		return nil
	}
	message := fmt.Sprintf("-o %s is not a format: there are table and json", output)
	if near := config.Nearest(output, []string{"table", "json"}); near != "" {
		return usageError(message, "-o "+near)
	}
	return usageError(message, "-o table")
}

// printJSON prints one indented JSON value.
func printJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// countOf is "1 key" or "3 keys".
func countOf(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
