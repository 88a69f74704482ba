package supervise

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"kurs/config"
	"kurs/queue"
)

// The stages, in the order in which data flows.
const (
	Acquire = "acquire"
	Process = "process"
	Store   = "store"
)

// Stages are the names of all stages, in order.
func Stages() []string { return []string{Acquire, Process, Store} }

// Order is what a stage is told when it starts. It holds the secret of the
// broker, so it goes over a pipe, never into arguments or the environment.
type Order struct {
	Stage  string        `json:"stage"`
	Run    string        `json:"run"`
	Queue  queue.Address `json:"queue"`
	Config config.Config `json:"config"`
	Color  bool          `json:"color"` // of what the stage prints for people
}

// stopWord is the line that asks a stage to come to its end.
const stopWord = "stop"

// Orders is the stage's end of the pipe.
type Orders struct {
	Order
	Stop chan struct{} // closed when the stage is to come to its end
	Gone chan struct{} // closed when the supervisor is gone
}

// Receive reads the order from the pipe and then watches it, in a goroutine that
// ends with the pipe.
func Receive(r io.Reader) (*Orders, error) {
	lines := bufio.NewReader(r)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("read the order of the supervisor: %w", err)
	}
	o := &Orders{Stop: make(chan struct{}), Gone: make(chan struct{})}
	if err := json.Unmarshal(line, &o.Order); err != nil {
		return nil, errors.New("what came on standard input is no order of a supervisor")
	}
	go o.watch(lines)
	return o, nil
}

func (o *Orders) watch(lines *bufio.Reader) {
	defer close(o.Gone)
	stopped := false
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if line == stopWord+"\n" && !stopped {
			stopped = true
			close(o.Stop)
		}
	}
}
