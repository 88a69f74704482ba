package supervise

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"kurs"
	"kurs/config"
	"kurs/fault"
	"kurs/queue"
)

// Config is what the supervisor is to do.
type Config struct {
	Settings config.Config
	Claim    *Claim // of the directories that the settings name
	Version  string
	Launch   Launch
	Color    bool                                    // of what stages print for people
	Duration time.Duration                           // of the run; 0: until it is stopped
	Drain    time.Duration                           // so long the stages may take to come to their end
	Free     func(dir string) (free uint64, _ error) // bytes of the disk that a folder is on
	Say      Say                                     // puts on the queue what people say meanwhile; may be nil
	Log      *slog.Logger
}

// NewRun makes the id of a run: when it began, and chance.
func NewRun() string {
	return time.Now().UTC().Format("20060102T150405") + "-" + strings.ToLower(rand.Text()[:6])
}

// Result is how a run ended.
type Result struct {
	Run      string
	Accepted uint64 // answers that were put on the queue raw
	Waiting  uint64 // messages in the queues that are not stored yet
	Unpriced uint64 // messages of prices that wait for a rate
	Dead     uint64 // dead letters, of all runs
}

// The errors of a run.
var (
	errInterrupted = &kurs.Error{
		Code: "KURS-STOPPED", Message: "stopped at once, by the second signal", Exit: kurs.ExitInterrupted,
		Safe: "everything accepted is on disk; the next kurs run stores what is waiting",
		Try:  "kurs run",
	}
)

// Run runs the stages until the duration is over or a stop comes, and then in
// order to their end. The first stop asks for that end; the second ends
// everything at once (KURS-STOPPED). Stages that have not come to their end in
// time are ended too (KURS-DRAIN); what they left waits in the queue.
func Run(ctx context.Context, c Config, stops <-chan struct{}) (Result, error) {
	s := &supervisor{Config: c, run: NewRun(), since: time.Now().UTC(), tally: newTally()}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.openQueue(ctx); err != nil {
		return Result{Run: s.run}, err
	}
	defer s.closeQueue()
	stopServing, err := s.serve(ctx)
	if err != nil {
		return Result{Run: s.run}, err
	}
	defer stopServing()

	var beside sync.WaitGroup
	defer beside.Wait()
	side, stopSide := context.WithCancel(ctx)
	defer stopSide()
	beside.Go(func() {
		if err := s.queue.Listen(side, s.tally.hear); err != nil {
			s.Log.ErrorContext(side, "reports of the stages cannot be heard", "error", err)
		}
	})
	beside.Go(func() { s.watch(side) })

	fault.Point("supervise.before_stages")
	err = s.stages(ctx, stops)
	fault.Point("supervise.before_cleanup")
	return s.result(ctx), err
}

// supervisor is a run that is on.
type supervisor struct {
	Config
	run     string
	since   time.Time
	server  *queue.Server // nil where the queue is a cluster
	queue   *queue.Queue
	address queue.Address
	tally   *tally

	restarted time.Time // the broker, last; only watch knows it

	mu       sync.Mutex
	ending   time.Time // when the end was asked for; zero: it was not
	watchers map[string]*watcher
}

// openQueue starts the broker, unless the settings name a cluster.
func (s *supervisor) openQueue(ctx context.Context) (err error) {
	s.address = queue.Address{URL: s.Settings.Queue.URL}
	if s.address.URL == "" {
		s.server, err = queue.StartServer(queue.ServerConfig{Dir: s.Settings.Paths.Queue, MaxBytes: s.Settings.Queue.MaxBytes}, s.Log)
		if err != nil {
			return queueError(err)
		}
		s.address = s.server.Address()
	}
	ctx, cancel := context.WithTimeout(ctx, queueWait)
	defer cancel()
	s.queue, err = queue.Connect(ctx, s.address, "supervisor", s.Settings.Queue.MaxBytes, s.Log)
	if err == nil && s.server != nil {
		err = s.queue.ForgetRuns(ctx)
	}
	if err != nil {
		s.closeQueue()
		return queueError(err)
	}
	return nil
}

// queueWait is how long a queue may take to answer at the start.
const queueWait = 30 * time.Second

func queueError(err error) error {
	return &kurs.Error{
		Code: "KURS-QUEUE", Message: "the queue cannot be opened", Safe: "what is in it was not touched",
		Try: "look at queue.dir or queue.url (kurs config show), and at the free space of its disk", Exit: kurs.ExitFailed, Err: err,
	}
}

func (s *supervisor) closeQueue() {
	if s.queue != nil {
		s.queue.Close()
	}
	if s.server != nil {
		s.server.Stop()
	}
}

// stages runs all stages to their end.
func (s *supervisor) stages(ctx context.Context, stops <-chan struct{}) error {
	ended := make(chan stageEnd, len(Stages())) // room for all: nobody waits to say that he ended
	s.mu.Lock()
	s.watchers = map[string]*watcher{}
	for _, stage := range Stages() {
		s.watchers[stage] = newWatcher(s, stage)
	}
	s.mu.Unlock()
	for _, w := range s.watchers {
		go func() { ended <- stageEnd{w.stage, w.keep(ctx)} }()
	}
	fault.Point("supervise.after_stages")
	err := s.await(ctx, stops, ended)
	if err != nil {
		for _, w := range s.watchers {
			w.kill()
		}
	}
	// What was told to end at once has nothing to finish; a goroutine that does
	// not end all the same is not waited for, the process is about to.
	patience := time.NewTimer(killWait)
	defer patience.Stop()
	for range s.running() {
		select {
		case <-ended:
		case <-patience.C:
			return err
		}
	}
	return err
}

// killWait is how long stages that were killed are waited for.
const killWait = 5 * time.Second

// stageEnd is that a stage has ended for good.
type stageEnd struct {
	stage string
	err   error
}

// await waits until all stages have ended, or one cannot work, or the time for
// the end is over, or the second stop comes.
func (s *supervisor) await(ctx context.Context, stops <-chan struct{}, ended <-chan stageEnd) error {
	deadline := after(s.Duration)
	var drained <-chan time.Time
	end := func(why string) {
		if drained != nil {
			return
		}
		s.end(ctx, why)
		drained = after(s.Drain)
	}
	for s.running() > 0 {
		select {
		case e := <-ended:
			s.gone(e.stage)
			if e.err != nil {
				return e.err
			}
			if e.stage == Acquire {
				end("the source has no more")
			}
		case <-deadline:
			end("the duration is over")
		case <-stops:
			if drained != nil {
				return errInterrupted
			}
			end("asked to")
		case <-drained:
			return s.notDrained(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// after is a timer's channel; of no time, one that never comes.
func after(d time.Duration) <-chan time.Time {
	if d <= 0 {
		return nil
	}
	return time.NewTimer(d).C
}

// end asks acquire to stop; the others follow by themselves.
func (s *supervisor) end(ctx context.Context, why string) {
	s.mu.Lock()
	s.ending = time.Now()
	s.mu.Unlock()
	s.Log.InfoContext(ctx, "stopping: no new requests, what was accepted is stored", "reason", why, "waiting", s.waiting(ctx))
	s.watchers[Acquire].end()
}

func (s *supervisor) notDrained(ctx context.Context) error {
	return &kurs.Error{
		Code:    "KURS-DRAIN",
		Message: fmt.Sprintf("not everything could be stored within %s: %d messages wait in the queue", s.Drain, s.waiting(ctx)),
		Safe:    "they are on disk; the next kurs run stores them",
		Try:     "kurs run; --drain-timeout gives more time", Exit: kurs.ExitPartly, Retryable: true,
	}
}

func (s *supervisor) running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, w := range s.watchers {
		if !w.gone {
			n++
		}
	}
	return n
}

func (s *supervisor) gone(stage string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[stage].gone = true
}

// waiting is how many messages of the two queues are not stored yet.
func (s *supervisor) waiting(ctx context.Context) uint64 {
	raw, priced := s.depths(ctx)
	return raw + priced
}

func (s *supervisor) depths(ctx context.Context) (raw, priced uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	state, err := s.queue.RawState(ctx)
	if err != nil {
		return 0, 0
	}
	raw = state.Messages
	state, err = s.queue.PricedState(ctx)
	if err != nil {
		return raw, 0
	}
	for _, store := range s.Settings.Store.Use {
		at, err := s.queue.Position(ctx, store)
		switch {
		case err != nil:
		case at.Epoch != state.Epoch:
			priced = state.Messages
		case at.Seq < state.Last:
			priced = max(priced, state.Last-at.Seq)
		}
	}
	return raw, priced
}

func (s *supervisor) result(ctx context.Context) Result {
	r := Result{Run: s.run, Waiting: s.waiting(ctx)}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, accepted, ok, err := s.queue.Mark(ctx, s.run, queue.MarkAcquired); err == nil && ok {
		r.Accepted = accepted
	}
	if depths, err := s.queue.Depths(ctx); err == nil {
		r.Unpriced, r.Dead = depths["unpriced"].Messages, depths["dead"].Messages
	}
	return r
}

var errNotRunning = errors.New("not running")
