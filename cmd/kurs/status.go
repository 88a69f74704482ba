package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/store/sqlite"
	"kurs/supervise"
)

// shownStatus is the JSON of kurs status: how the run does, and what is stored.
type shownStatus struct {
	supervise.Status

	Prices  []kurs.Row    `json:"prices"` // the newest of each symbol
	Missing []string      `json:"missing,omitempty"`
	Disk    diskStatus    `json:"disk"`
	shownIn string        // the currency of the prices' values
	Waiting []waitingPair `json:"waiting_for_rates"`
	Aside   asideStatus   `json:"quarantine"`
}

// asideStatus is what was set aside and waits for a decision.
type asideStatus struct {
	Waiting int64     `json:"waiting"`
	Since   time.Time `json:"since,omitzero"` // the first of it was received
}

// waitingPair is prices without a base value.
type waitingPair struct {
	Pair   string    `json:"pair"`
	Prices int64     `json:"prices"`
	Oldest time.Time `json:"oldest"`
}

// diskStatus is how much room there is and how long it lasts.
type diskStatus struct {
	DatabaseBytes int64   `json:"database_bytes"`
	FreeBytes     uint64  `json:"free_bytes"`
	BytesPerDay   uint64  `json:"bytes_per_day"`
	DaysLeft      float64 `json:"days_left"` // until store.min_free; 0: not known
}

func statusCommand(std streams) *cobra.Command {
	var (
		s      settings
		f      viewFlags
		check  bool
		output string
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Is it running, and is it well?",
		Long: `Tell how the kurs does that records into the data directory: its stages and
queues, the last price and its age of each symbol, errors, and the disk.

Exit codes: 0; with --check 4 when it is not healthy; 10 when none is running.`,
		Example: `  kurs status
  kurs status --check || echo "look after kurs"
  kurs status -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := tableOrJSON(output); err != nil {
				return err
			}
			c, err := s.load(std)
			if err != nil {
				return err
			}
			status, err := lookAround(cmd.Context(), c, f)
			if err != nil {
				return err
			}
			return tellStatus(std, c, status, check, output)
		},
	}
	s.bind(cmd.Flags())
	f.bindCurrency(cmd.Flags())
	cmd.Flags().BoolVar(&check, "check", false, "print one line, and exit with 4 when something is wrong")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return cmd
}

// lookAround asks the run, and reads the database.
func lookAround(ctx context.Context, c config.Config, f viewFlags) (shownStatus, error) {
	status, err := supervise.Ask(ctx, c.Paths.Data)
	if err != nil {
		return shownStatus{}, &kurs.Error{
			Code: "KURS-STATUS", Message: "the kurs that records here does not answer", Safe: "it was not disturbed",
			Try: "kurs status again; its log tells more", Exit: kurs.ExitUnhealthy, Retryable: true, Err: err,
		}
	}
	out := shownStatus{Status: status, shownIn: status.Currency, Prices: []kurs.Row{}, Waiting: []waitingPair{}}
	if status.Database != "" {
		c.Paths.Database = status.Database
	}
	if free, err := freeSpace(existing(c.Paths.Data)); err == nil {
		out.Disk.FreeBytes = free
	}
	if readable(c) != nil {
		return out, nil // of what is stored nothing is told
	}
	v, err := f.open(ctx, c, nil)
	if errors.Is(err, sqlite.ErrNoDatabase) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	defer v.close()
	r := v.db
	out.shownIn = v.currency()
	prices, err := v.latest(ctx, nil)
	if err != nil {
		return out, err
	}
	out.Prices = append(out.Prices, prices...)
	waiting, err := r.Waiting(ctx)
	if err != nil {
		return out, err
	}
	for _, w := range waiting {
		out.Waiting = append(out.Waiting, waitingPair{Pair: w.String(), Prices: w.Quotes + w.Bars, Oldest: w.Oldest})
	}
	if out.Aside.Waiting, out.Aside.Since, err = r.AsideWaiting(ctx); err != nil {
		return out, err
	}
	stats, err := r.Stats(ctx)
	if err != nil {
		return out, err
	}
	out.Disk.measure(stats, uint64(c.Store.MinFree)) //nolint:gosec // never negative
	return out, nil
}

// measure tells how fast the database grows, by all that it has grown so far.
func (d *diskStatus) measure(stats sqlite.Stats, least uint64) {
	d.DatabaseBytes = stats.Bytes
	span := stats.LastTime.Sub(stats.FirstTime)
	if span < time.Minute || stats.Bytes <= 0 {
		return
	}
	const day = 24 * time.Hour
	d.BytesPerDay = uint64(float64(stats.Bytes) * float64(day) / float64(span))
	if d.BytesPerDay > 0 && d.FreeBytes > least {
		d.DaysLeft = float64((d.FreeBytes - least) / d.BytesPerDay)
	}
}

// tellStatus prints, and decides about the exit code.
func tellStatus(std streams, c config.Config, s shownStatus, check bool, output string) error {
	var err error
	switch {
	case output == "json":
		err = printJSON(std.out, s)
	case check:
		_, err = fmt.Fprintln(std.out, checkLine(s))
	default:
		err = statusScreen(std.out, c, s)
	}
	switch {
	case err != nil:
		return err
	case !s.Running:
		return exit(kurs.ExitNotRunning)
	case check && !s.Healthy:
		return exit(kurs.ExitUnhealthy)
	}
	return nil
}

func checkLine(s shownStatus) string {
	switch {
	case !s.Running:
		return "not running" + lastStored(s)
	case !s.Healthy:
		return "not healthy: " + printable(strings.Join(s.Problems, "; "))
	default:
		return fmt.Sprintf("healthy: %s, lag %.1f s", countOf(s.Symbols, "symbol"), s.Lag)
	}
}

// lastStored says how old what is stored is.
func lastStored(s shownStatus) string {
	at := newest(s.Prices)
	if at.IsZero() {
		return ", nothing is stored"
	}
	return fmt.Sprintf("   last price stored %s (%s ago)", at.Local().Format(time.DateTime), ageText(s.Now.Sub(at)))
}

func statusScreen(w io.Writer, c config.Config, s shownStatus) error {
	if !s.Running {
		fmt.Fprintf(w, "○ not running%s\n  Start it:  %s run\n", lastStored(s), programName())
		return nil
	}
	head := "● healthy"
	if !s.Healthy {
		head = "! not healthy"
	}
	if s.Stopping {
		head += ", stopping"
	}
	fmt.Fprintf(w, "%s   up %s · pid %d · %s\n", head, ageText(s.Now.Sub(s.Since)), s.PID, config.Short(c.Paths.Data, os.Environ()))
	for _, p := range s.Problems {
		fmt.Fprintf(w, "  %s\n", printable(p))
	}
	fmt.Fprintln(w)
	if err := stageTable(w, s); err != nil {
		return err
	}
	fmt.Fprintln(w)
	c.Currency = s.shownIn
	if err := priceTable(w, c, s.Prices[:min(len(s.Prices), mostShown)], s.Now); err != nil {
		return err
	}
	if more := len(s.Prices) - mostShown; more > 0 {
		fmt.Fprintf(w, "and %d more: %s quote --stored\n", more, programName())
	}
	fmt.Fprintln(w)
	return statusTail(w, s)
}

// mostShown is how many symbols the screen lists.
const mostShown = 50

func stageTable(w io.Writer, s shownStatus) error {
	t := table{
		head:  []string{"STAGE", "PID", "RATE", "WAITING", "RETRIES", "RESTARTS", "DEAD", "LAST ERROR"},
		right: []bool{false, true, true, true, true, true, true, false},
	}
	for i := range s.Stages {
		g := &s.Stages[i]
		last := "-"
		if g.LastError != "" {
			last = fmt.Sprintf("%s (%s ago)", cutText(printable(g.LastError), 60), ageText(s.Now.Sub(g.LastErrorAt)))
		}
		pid := "-"
		if g.PID != 0 {
			pid = strconv.Itoa(g.PID)
		}
		t.add(g.Stage, pid, fmt.Sprintf("%d/min", g.PerMinute), number(g.Waiting), number(g.Retries), strconv.Itoa(g.Restarts),
			number(g.Dead), last)
	}
	return t.print(w)
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func cutText(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// statusTail is what else there is to know: the provider, rates, dead letters,
// the disk.
func statusTail(w io.Writer, s shownStatus) error {
	if src := s.Source; src != nil {
		budget := "no limit"
		if src.PerMinute > 0 {
			budget = fmt.Sprintf("of %d a minute", src.PerMinute)
		}
		fmt.Fprintf(w, "provider  %s: %d requests, %s; session %s\n", src.Name, src.Requests, budget, src.Session)
		if st := src.Stream; st != nil {
			fmt.Fprintf(w, "          stream: %s deliver %d of %s, %d frames so far\n",
				countOf(st.Connections, "connection"), st.Symbols, countOf(src.Symbols, "symbol"), st.Frames)
		}
		for _, u := range src.Unknown {
			fmt.Fprintf(w, "          %s: %s\n", printable(u.Symbol), printable(u.Words))
		}
	}
	for _, p := range s.Waiting {
		fmt.Fprintf(w, "fx        %d prices wait for a rate of %s, the oldest of %s\n", p.Prices, p.Pair, p.Oldest.Format(time.RFC3339))
	}
	if s.Aside.Waiting > 0 {
		fmt.Fprintf(w, "aside     %d probably wrong, waiting for a decision since %s: %s gaps --quarantine\n",
			s.Aside.Waiting, s.Aside.Since.Format(time.RFC3339), programName())
	}
	if s.Dead > 0 {
		fmt.Fprintf(w, "dead      %d", s.Dead)
		if s.Latest != nil {
			fmt.Fprintf(w, ", the last: %s", cutText(printable(s.Latest.Reason), 100))
		}
		fmt.Fprintln(w)
	}
	d := s.Disk
	fmt.Fprintf(w, "disk      database %s", bytesText(uint64(max(0, d.DatabaseBytes))))
	if d.BytesPerDay > 0 {
		fmt.Fprintf(w, ", about %s a day", bytesText(d.BytesPerDay))
	}
	fmt.Fprintf(w, " · queue %s · free %s", bytesText(queueBytes(s)), bytesText(d.FreeBytes))
	if d.DaysLeft > 0 {
		fmt.Fprintf(w, " (%.0f days until store.min_free)", d.DaysLeft)
	}
	_, err := fmt.Fprintf(w, "\nlag       %.1f s\n", s.Lag)
	return err
}

func queueBytes(s shownStatus) uint64 {
	var n uint64
	for _, q := range s.Queues {
		n += q.Bytes
	}
	return n
}
