package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"kurs"
)

// Work is a stage's work: stop asks it to come to its end, ctx ends it at once.
type Work func(ctx context.Context, o Order, stop <-chan struct{}) error

// Inside starts each stage as goroutines of this process.
func Inside(work Work) Launch {
	return func(ctx context.Context, o Order) (Running, error) {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		r := &inside{stop: make(chan struct{}), kill: cancel, ended: make(chan error, 1)}
		go func() {
			defer cancel()
			r.ended <- guarded(ctx, o, r.stop, work)
		}()
		return r, nil
	}
}

// guarded makes an error of a panic: one stage must not take the others along.
func guarded(ctx context.Context, o Order, stop <-chan struct{}, work Work) (err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("panic: %v", trouble)
		}
	}()
	err = work(ctx, o, stop)
	if Hopeless(err) {
		err = fmt.Errorf("%w: %w", ErrHopeless, err)
	}
	return err
}

// Hopeless tells whether a stage that ended with an error need not be started
// again: kurs's own errors that are not to be retried.
func Hopeless(err error) bool {
	e, ok := errors.AsType[*kurs.Error](err)
	return ok && !e.Retryable
}

// inside is a stage that is a goroutine.
type inside struct {
	once  sync.Once
	stop  chan struct{}
	kill  context.CancelFunc
	ended chan error
}

func (*inside) PID() int      { return os.Getpid() }
func (r *inside) Stop()       { r.once.Do(func() { close(r.stop) }) }
func (r *inside) Kill()       { r.kill() }
func (r *inside) Wait() error { return <-r.ended }
