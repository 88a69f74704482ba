package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"kurs"
)

// Running is a stage at work.
type Running interface {
	Stop()       // asks it to come to its end
	Kill()       // ends it at once; nothing accepted is lost by it
	Wait() error // until it has ended: nil if well; an error that wraps ErrHopeless if another start cannot help
	PID() int
}

// Launch starts a stage.
type Launch func(ctx context.Context, o Order) (Running, error)

// ErrHopeless says that a stage failed for a reason that starting it again
// cannot mend.
var ErrHopeless = errors.New("the stage cannot work")

// ExitHopeless is the exit code by which a stage process says so. A panic ends a
// Go program with 2, a usage error of kurs too, so it is neither.
const ExitHopeless kurs.ExitCode = 78

// Processes starts each stage as "program STAGE --supervised". relay reads what
// it writes on standard error, to the end; standard output is shared.
func Processes(program string, out *os.File, relay func(stage string, r io.Reader)) Launch {
	return func(_ context.Context, o Order) (Running, error) {
		// Not CommandContext: a stage ends by its orders, or by Kill.
		cmd := exec.Command(program, o.Stage, "--supervised") //nolint:gosec,noctx // kurs itself
		cmd.Args[0] = "kurs"                                  // what ps shows, wherever the program lies
		cmd.Stdout = out
		apart(cmd)
		orders, err := cmd.StdinPipe()
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", o.Stage, err)
		}
		words, err := cmd.StderrPipe()
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", o.Stage, err)
		}
		line, err := json.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", o.Stage, err)
		}
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("start %s: %w", o.Stage, err)
		}
		c := &child{cmd: cmd, orders: orders, read: make(chan struct{})}
		go func() {
			defer close(c.read)
			relay(o.Stage, words)
		}()
		// A stage that dies before it has read its order shows in Wait.
		_, _ = orders.Write(append(line, '\n'))
		return c, nil
	}
}

// child is a stage that is a process.
type child struct {
	cmd    *exec.Cmd
	orders io.WriteCloser
	read   chan struct{} // closed when all it wrote was read
	stop   sync.Once
}

func (c *child) PID() int { return c.cmd.Process.Pid }

func (c *child) Stop() {
	// One that has died meanwhile is past stopping.
	c.stop.Do(func() { _, _ = io.WriteString(c.orders, stopWord+"\n") })
}

func (c *child) Kill() { _ = c.cmd.Process.Kill() } // one that has ended needs none

func (c *child) Wait() error {
	<-c.read // Wait closes the pipe, so first everything is read
	err := c.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == int(ExitHopeless) {
		return ErrHopeless
	}
	return err
}
