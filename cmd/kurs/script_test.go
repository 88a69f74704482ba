package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be kurs itself, for the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kurs": func() {
			code := execute(context.Background(), os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
			leavePeak()
			os.Exit(int(code))
		},
	})
}

// TestScripts runs testdata/script: one file a command, as a person types it, on
// a machine with an empty home directory.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "", // writes what was printed into the files that it is compared with
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"stored": func(ts *testscript.TestScript, neg bool, args []string) { // stored DIR: a database to read
				if neg || len(args) != 1 {
					ts.Fatalf("usage: stored DIR")
				}
				ts.Check(storeMarket(context.Background(), ts.MkAbs(args[0])))
			},
		},
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			if err := os.Mkdir(home, 0o700); err != nil {
				return err
			}
			env.Setenv("HOME", home)
			for _, name := range []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "KURS_CONFIG", "KURS_DATA"} {
				env.Setenv(name, "")
			}
			return nil
		},
	})
}
