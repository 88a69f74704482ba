package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
)

// exitCodes is what each exit code means. Codes are only added to; one that a
// script does not know is a failure.
var exitCodes = []struct {
	code    kurs.ExitCode
	meaning string
	retry   string
}{
	{kurs.ExitOK, "done", ""},
	{kurs.ExitFailed, "failed, see the message", "no"},
	{kurs.ExitUsage, "wrong flags or config", "no"},
	{kurs.ExitPartly, "partly done: some symbols failed, or not everything could be stored in time", "yes"},
	{kurs.ExitUnhealthy, "a check found something unhealthy", ""},
	{kurs.ExitNotFound, "symbol, pair or time range not found", "no"},
	{kurs.ExitNetwork, "provider or network not reachable", "yes"},
	{kurs.ExitRateLimit, "the provider says slow down (429)", "later"},
	{kurs.ExitLocked, "the store is locked, or another kurs owns the directory", "later"},
	{kurs.ExitDisk, "not enough disk space", "after cleaning"},
	{kurs.ExitNotRunning, "kurs is not running", ""},
	{kurs.ExitInterrupted, "ended by a signal: kurs run by the second one, the first ends it with 0; kurs export by the first", "yes"},
}

// errorHelp is what each error code means and what to do about it.
var errorHelp = map[string]string{
	"KURS-ALIAS": `Another name of an instrument cannot be said so, or cannot be taken back. Each price
of a symbol belongs to one instrument: two may not claim the same symbol for the same
time, and no names may go in a circle. kurs symbols alias --list lists what was said.`,
	"KURS-BACKUP": `A backup of the database could not be written. Nothing of it is left behind, and the
database was not touched.`,
	"KURS-BASE": `The data directory belongs to another base currency. A directory has one currency
for good, so that no two prices in it are in different ones. Nothing was changed.
Record elsewhere (--data DIR), or set currency back.`,
	"KURS-CHECKSUM": `A file that was exported does not read back as it was written: the disk or what is
between changed it, or kurs has a bug. The file was taken away.`,
	"KURS-CONFIG": `A setting is wrong. Every mistake is listed at once, with its place and what was
probably meant; nothing was started or changed. kurs config check reads it again,
kurs config keys lists what there is.`,
	"KURS-CORRECT": `The price that is to be corrected was not found, or there are several. The message
names them; times are those that prices were made at, as kurs export prints them.`,
	"KURS-DAMAGED": `A database, or a backup of one, is not whole. It was not touched. kurs db check tells
what is wrong; kurs db restore BACKUP puts a backup in its place, and keeps what was
there.`,
	"KURS-DATA": `A directory that kurs needs cannot be made, read or written. Nothing was started.
Mend its permissions, or name another with --data DIR.`,
	"KURS-DECIDE": `That cannot be decided of what was set aside: it is not there, no price can be made
of it, or prices were converted with it already. kurs gaps --quarantine --all lists all.`,
	"KURS-DECODE": `A file is no answer of Yahoo, or not a whole one. The message says where it stops
making sense. Name the endpoint with --endpoint where it was guessed wrongly.`,
	"KURS-DB": `The database server cannot be reached, is too slow, or refuses the user. kurs goes
on trying; prices are safe in the queue meanwhile. Look at store.postgres.dsn and at
the server's log; docs/postgres.md tells which rights are needed.`,
	"KURS-DIR": `The directory of a store is gone, read-only, or its disk fails. Prices wait in the
queue, and are stored when it is back; nothing is lost.`,
	"KURS-DISK": `The disk is full, or nearly (store.min_free). Fetching pauses; what was fetched is
stored, or safe in the queue on disk. When there is room again kurs goes on by
itself, without a restart.`,
	"KURS-DRAIN": `At the end of a run not everything could be stored within --drain-timeout. What is
left is on disk in the queue: the next kurs run stores it.`,
	"KURS-EMPTY":  `Nothing has been recorded into this directory yet. kurs run records.`,
	"KURS-EXISTS": `A file is there already and was not touched. --force replaces it.`,
	"KURS-EXPORT": `The file could not be written. Nothing of it is left behind.`,
	"KURS-FAILED": `Something failed that has no code of its own; the message tells what.`,
	"KURS-FORMAT": `The data was written by a newer kurs, or by another program. It was not touched.
Use the kurs that wrote it, or record elsewhere with --data DIR.`,
	"KURS-FX": `There is no exchange rate young enough for a price (fx.max_age). The price is
stored in its own currency; its value in yours is left empty, never guessed, and
filled in when a rate for its time arrives.`,
	"KURS-LAG": `A store besides the first was down, or slow, for so long that the queue was nearly
full. It was detached so that recording goes on; when it is back it is filled from
the first store.`,
	"KURS-LEDGER": `The ledger of the simulated exchange cannot be written. Name another with --ledger.`,
	"KURS-LISTEN": `The address is taken or not allowed. Name another with --listen.`,
	"KURS-LOCK": `Another kurs records into this directory, or another program holds the database.
The first is refused at the start and names the other's process. The second is
waited for: prices are safe in the queue meanwhile.`,
	"KURS-LOG": `The log file cannot be opened. Name another with --log-file.`,
	"KURS-NET": `The provider cannot be reached, or gives no usable answer. kurs run goes on and
tries again in growing steps; a single command ends with exit code 6. Check the
connection; behind a proxy set HTTPS_PROXY.`,
	"KURS-OBJECTS": `The object storage (store.parquet.url) refuses, or cannot be reached; the message has its own
words. Prices wait in the queue and are stored when it works again. Where it refuses: check the bucket's
name, the keys (store.parquet.access_key, secret_key_file) and their right to list, read, write and delete.`,
	"KURS-PIPE": `Who read the standard output of the store stdout has ended. What was not printed
waits in the queue.`,
	"KURS-QUERY": `The database could not answer a SELECT of kurs query: it is wrong, it would change
something, or it took longer than --timeout. Nothing was changed.`,
	"KURS-QUEUE": `The queue between the stages cannot be opened or written. What is in it was not
touched. It is started again by itself when there is room on the disk; otherwise
look at queue.dir or queue.url.`,
	"KURS-RATE": `Yahoo answered 429: it wants fewer requests. kurs waits, longer each time, also
over a restart, and goes on by itself. Lower source.yahoo.max_per_minute if it
comes often.`,
	"KURS-READ": `The command reads the first store of store.use, and cannot read that one. Use the
store's own tool, as psql or duckdb, or name "sqlite" first: both can be written at once.`,
	"KURS-REFUSED": `What you said was taken over and then found impossible. It is kept as a dead letter,
and what is stored is as it was. kurs status, while kurs records, or the log tells
why.`,
	"KURS-SAY": `What you said could not be handed to the kurs that records, or not put on the queue.
Say it again in a moment; saying a thing twice does no harm.`,
	"KURS-SIM": `The simulated exchange stopped; the message tells why.`,
	"KURS-STAGE": `A stage of kurs run cannot work, and starting it again would not help. Its own
words are above, and in the log. Everything accepted is on disk.`,
	"KURS-STATUS": `The kurs that records here did not answer in time. It was not disturbed.`,
	"KURS-STOPPED": `The second signal ended everything at once. Everything accepted is on disk; the
next kurs run stores what is waiting. kurs export ends so by the first one: nothing
half-written is left behind.`,
	"KURS-SYMBOL": `Yahoo has no price for a symbol; its own words are quoted. The other symbols go on.
Names are as on finance.yahoo.com.`,
	"KURS-USAGE": `A command or a flag is wrong. kurs COMMAND --help tells which there are.`,
}

// helpCommand is kurs help: of commands, of exit codes, and of error codes.
func helpCommand(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | exit-codes | errors | KURS-CODE]",
		Short: "Help about a command, the exit codes, or an error code",
		Example: `  kurs help run
  kurs help exit-codes
  kurs help KURS-NET`,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if len(args) == 0 {
				return root.Help()
			}
			switch topic := args[0]; {
			case topic == "exit-codes":
				return helpExitCodes(std.out)
			case topic == "errors":
				return helpErrors(std.out)
			case strings.HasPrefix(strings.ToUpper(topic), "KURS-"):
				return helpError(std.out, strings.ToUpper(topic))
			}
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 || found == root {
				return unknownTopic(root, args[0])
			}
			return found.Help()
		},
	}
}

func helpExitCodes(w io.Writer) error {
	t := table{head: []string{"CODE", "MEANING", "TRY AGAIN"}, right: []bool{true, false, false}}
	for _, c := range exitCodes {
		t.add(fmt.Sprintf("%d", c.code), c.meaning, c.retry)
	}
	return t.print(w)
}

func errorCodes() []string {
	var codes []string
	for code := range errorHelp {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

func helpErrors(w io.Writer) error {
	for _, code := range errorCodes() {
		first, _, _ := strings.Cut(errorHelp[code], ". ")
		if _, err := fmt.Fprintf(w, "%-13s %s.\n", code, strings.TrimSuffix(strings.ReplaceAll(first, "\n", " "), ".")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, "\nMore: kurs help CODE")
	return err
}

func helpError(w io.Writer, code string) error {
	text, ok := errorHelp[code]
	if !ok {
		try := "kurs help errors"
		if near := config.Nearest(code, errorCodes()); near != "" {
			try = "kurs help " + near
		}
		return usageError(code+" is not an error code", try)
	}
	_, err := fmt.Fprintf(w, "%s\n\n%s\n", code, text)
	return err
}

func unknownTopic(root *cobra.Command, topic string) error {
	names := []string{"exit-codes", "errors"}
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	try := "kurs help"
	if near := config.Nearest(topic, names); near != "" {
		try = "kurs help " + near
	}
	return usageError(fmt.Sprintf("there is no help about %q", topic), try)
}
