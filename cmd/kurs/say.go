package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"time"

	"kurs"
	"kurs/acquire"
	said "kurs/acquire/user"
	"kurs/config"
	"kurs/queue"
	"kurs/store/sqlite"
	"kurs/supervise"
)

// This file is the way of what a person says to the queue: through the kurs that
// records there; onto the cluster, where the queue is one; or, where none records,
// by running the stages here for a moment. It is on disk when it is accepted, and
// the stages do it like anything else.

// sayWait is how long a command waits for what was said to be done.
const sayWait = 15 * time.Second

// spoken is what became of what was said.
type spoken struct {
	messages []kurs.RawID
	done     bool // else it is accepted, and on disk
}

// say says some words, one message each.
func say(ctx context.Context, std streams, c config.Config, words []said.Words) (spoken, error) {
	if c.Queue.URL != "" {
		return sayOnCluster(ctx, c, words)
	}
	until := time.Now().Add(sayWait)
	var out spoken
	for len(words) > 0 {
		id, err := tell(ctx, c, words[0])
		switch {
		case err == nil:
			out.messages = append(out.messages, id)
			words = words[1:]
			continue
		case errors.Is(err, supervise.ErrNotRunning):
			var ids []kurs.RawID
			if ids, err = sayHere(ctx, std, c, words); !isLocked(err) {
				return spoken{append(out.messages, ids...), err == nil}, err
			}
		case !errors.Is(err, supervise.ErrStopping):
			return out, notSaid(len(out.messages), err)
		}
		// The other is about to end, or about to be there.
		if time.Now().After(until) || pause(ctx) != nil {
			return out, notSaid(len(out.messages), err)
		}
	}
	return awaitDone(ctx, c, out, until)
}

// isLocked tells whether another kurs holds the directory.
func isLocked(err error) bool {
	e, ok := errors.AsType[*kurs.Error](err)
	return ok && e.Code == "KURS-LOCK"
}

// tell tells the kurs that records.
func tell(ctx context.Context, c config.Config, w said.Words) (kurs.RawID, error) {
	document, err := said.Encode(w)
	if err != nil {
		return kurs.RawID{}, err
	}
	return supervise.Tell(ctx, c.Paths.Data, document)
}

func notSaid(before int, err error) error {
	safe := "nothing of it was taken over"
	if before > 0 {
		safe = countOf(before, "message") + " before it were, and will be done"
	}
	if errors.Is(err, kurs.ErrRejected) {
		return &kurs.Error{Code: "KURS-USAGE", Message: "that cannot be said", Safe: safe, Try: "a shorter text, in UTF-8", Exit: kurs.ExitUsage, Err: err}
	}
	return &kurs.Error{
		Code: "KURS-SAY", Message: "what you said could not be handed over", Safe: safe, Try: "the same again in a moment; kurs status tells how it does",
		Exit: kurs.ExitFailed, Retryable: true, Err: err,
	}
}

// pause waits a little before something is asked again.
func pause(ctx context.Context) error {
	t := time.NewTimer(100 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hearWords puts a document on the queue, as a message of its own.
func hearWords(ctx context.Context, q *queue.Queue, document []byte) (kurs.RawID, error) {
	kind, err := said.KindOf(document)
	if err != nil {
		return kurs.RawID{}, err
	}
	id := kurs.RawID{Source: said.Name, Run: supervise.NewRun(), Counter: 1}
	return id, acquire.Put(ctx, q, kurs.Raw{ID: id, Endpoint: said.Endpoint, Received: time.Now(), Body: document}, kind)
}

func sayOnCluster(ctx context.Context, c config.Config, words []said.Words) (spoken, error) {
	var out spoken
	q, err := queue.Connect(ctx, queue.Address{URL: c.Queue.URL}, "say", c.Queue.MaxBytes, slog.New(slog.DiscardHandler))
	if err != nil {
		return out, notSaid(0, err)
	}
	defer q.Close()
	for _, w := range words {
		document, err := said.Encode(w)
		if err != nil {
			return out, notSaid(len(out.messages), err)
		}
		id, err := hearWords(ctx, q, document)
		if err != nil {
			return out, notSaid(len(out.messages), err)
		}
		out.messages = append(out.messages, id)
	}
	return awaitDone(ctx, c, out, time.Now().Add(sayWait))
}

// sayHere runs the stages in this process, with nothing to acquire but the words,
// until all is done.
func sayHere(ctx context.Context, std streams, c config.Config, words []said.Words) (ids []kurs.RawID, err error) {
	claim, err := supervise.TakeClaim(c.Paths, c.Currency)
	if err != nil {
		return nil, err
	}
	defer func() { _ = claim.Release() }() // the system lets go of what is left
	if err := checkStores(ctx, c); err != nil {
		return nil, err
	}
	c.Store.Flush = min(c.Store.Flush, 50*time.Millisecond) // there is nothing to gather
	quiet := std
	quiet.err = io.Discard // the log is in its file
	all, err := newLogs(quiet, c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = all.Close() }() // what it could not write it said
	work := func(ctx context.Context, o supervise.Order, stop <-chan struct{}) error {
		log := all.Stage(o.Stage)
		var err error
		if o.Stage == supervise.Acquire {
			err = acquireWords(ctx, o, words, log)
		} else {
			err = stageWork(ctx, o, stop, std, log)
		}
		if err != nil && ctx.Err() == nil {
			logFailure(ctx, log, err)
		}
		return err
	}
	result, err := supervise.Run(ctx, supervise.Config{
		Settings: c, Claim: claim, Version: version(), Launch: supervise.Inside(work), Drain: sayWait, Free: freeSpace, Log: all.Stage("supervise"),
	}, nil)
	for i := range words {
		ids = append(ids, kurs.RawID{Source: said.Name, Run: result.Run, Counter: uint64(i) + 1})
	}
	return ids, err
}

// acquireWords is the first stage where there is nothing to acquire but words.
func acquireWords(ctx context.Context, o supervise.Order, words []said.Words, log *slog.Logger) error {
	q, err := queue.Connect(ctx, o.Queue, o.Stage, o.Config.Queue.MaxBytes, log)
	if err != nil {
		return err
	}
	defer q.Close()
	return acquire.Run(ctx, acquire.Config{Run: o.Run, Sources: []acquire.Source{{Source: said.Source(words), Name: said.Name}}}, q, queue.NewMeter(o.Stage), log)
}

// awaitDone waits until the database accounts for all messages.
func awaitDone(ctx context.Context, c config.Config, out spoken, until time.Time) (spoken, error) {
	db, err := openReader(ctx, c)
	if err != nil {
		return out, nil // it is accepted; what becomes of it cannot be seen from here
	}
	defer func() { _ = db.Close() }() // it was only read
	for _, id := range out.messages {
		for {
			n, err := db.Accounted(ctx, id.Source, id.Run)
			if err != nil {
				return out, err
			}
			if n > 0 {
				break
			}
			if time.Now().After(until) || pause(ctx) != nil {
				return out, nil
			}
		}
	}
	out.done = true
	return out, nil
}

// sayAndTell says some words and then tells what became of it, by tell, or that
// it is accepted.
func sayAndTell(ctx context.Context, std streams, c config.Config, words []said.Words, tell func(*sqlite.Reader) error) error {
	out, err := say(ctx, std, c, words)
	if err != nil {
		return err
	}
	if !out.done {
		fmt.Fprintf(std.err, "Accepted, and safe on disk; it is done as soon as what was accepted before it is stored. kurs status tells how that does.\n")
		return nil
	}
	db, err := openReader(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	return tell(db)
}

// notDone is the error for what was said and cannot be done.
func notDone(what string) error {
	return &kurs.Error{
		Code: "KURS-REFUSED", Message: what + " could not be done", Safe: "what is stored was not changed; what you said is kept as a dead letter",
		Try: "kurs status, while kurs records, or the log tells why", Exit: kurs.ExitFailed,
	}
}

// speaker is who says something: the flag, else the user of the system.
func speaker(flag string) string {
	if flag != "" {
		return flag
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

// recorded loads the config with the database of the kurs that records there now.
func (s *settings) recorded(ctx context.Context, std streams) (config.Config, error) {
	c, err := s.load(std)
	if err != nil {
		return c, err
	}
	if status, err := supervise.Ask(ctx, c.Paths.Data); err == nil && status.Running && status.Database != "" {
		c.Paths.Database = status.Database
	}
	return c, nil
}
