//go:build faults

package fault

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Point dies, panics or waits here, if KURS_FAULT says so:
//
//	KURS_FAULT=store.after_commit=kill@3,process.before_ack=sleep:200ms
//
// means: be killed at the third passage of store.after_commit (as by kill -9),
// and sleep at each of process.before_ack. Ways: kill, exit, panic, sleep:TIME.
// Without @N the first passage is meant, for sleep every one. With KURS_FAULT_DIR
// each happens once among all processes: whoever makes the file named after the
// point in that folder does it. So a process that is started again goes on.
func Point(name string) {
	if !slices.Contains(Points(), name) {
		panic("fault: point " + name + " is not in the list")
	}
	way, ok := plan().passes(name)
	if !ok || !mine(name) {
		return
	}
	what, arg, _ := strings.Cut(way, ":")
	switch what {
	case "kill":
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = p.Kill()
		}
		panic(fmt.Sprintf("fault: still alive after kill: %v", err))
	case "exit":
		os.Exit(99)
	case "panic":
		panic("fault: " + name)
	case "sleep":
		d, err := time.ParseDuration(arg)
		if err != nil {
			panic("fault: " + err.Error())
		}
		time.Sleep(d)
	default:
		panic("fault: no way to die: " + what)
	}
}

// mine tells whether this process is the one in which a point's fault happens.
func mine(name string) bool {
	dir := os.Getenv("KURS_FAULT_DIR")
	if dir == "" {
		return true
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // a test's folder
	if err != nil {
		return false
	}
	if err := file.Close(); err != nil {
		panic("fault: " + err.Error())
	}
	return true
}

type schedule struct {
	mu   sync.Mutex
	way  map[string]string
	at   map[string]int
	seen map[string]int
}

var plan = sync.OnceValue(func() *schedule {
	s := &schedule{way: map[string]string{}, at: map[string]int{}, seen: map[string]int{}}
	for item := range strings.SplitSeq(os.Getenv("KURS_FAULT"), ",") {
		name, way, ok := strings.Cut(item, "=")
		if !ok {
			continue
		}
		way, nth, _ := strings.Cut(way, "@")
		s.way[name] = way
		s.at[name], _ = strconv.Atoi(nth)
	}
	return s
})

// passes counts a passage of the point and tells what happens at it.
func (s *schedule) passes(name string) (way string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	way, ok = s.way[name]
	if !ok {
		return "", false
	}
	s.seen[name]++
	at := s.at[name]
	if at == 0 {
		return way, strings.HasPrefix(way, "sleep") || s.seen[name] == 1
	}
	return way, s.seen[name] == at
}
