package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// maxPayload is the largest message: an answer of 200 symbols in full is 0.5 MB.
const maxPayload = 8 << 20

// ServerConfig describes the embedded broker.
type ServerConfig struct {
	Dir      string // of its own; the broker takes no lock on it, the caller must hold one
	MaxBytes int64  // of each of the two queues
	Open     bool   // no secret: whoever reaches the loopback port may use it, as stages that are started alone do
}

// Server is the broker inside kurs. It listens on a loopback port, open only to
// who knows its secret, which is new in every run.
type Server struct {
	options *server.Options
	log     *slog.Logger
	url     string

	mu      sync.Mutex
	running *server.Server // nil after a restart that failed
}

// Address is where a broker is and what opens it. The secret belongs in no
// argument list, environment or log.
type Address struct {
	URL    string
	Secret Secret
}

// StartServer starts the broker and returns when it can be used. A store that
// cannot be recovered in time is an error; nothing of it is touched then.
func StartServer(config ServerConfig, log *slog.Logger) (*Server, error) {
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the queue's directory: %w", err)
	}
	s := &Server{
		log: log,
		options: &server.Options{
			ServerName:            "kurs",
			Host:                  "127.0.0.1",
			Port:                  server.RANDOM_PORT,
			Authorization:         rand.Text(),
			NoSigs:                true,
			MaxPayload:            maxPayload,
			MaxPending:            128 << 20,
			WriteDeadline:         10 * time.Second,
			JetStream:             true,
			StoreDir:              config.Dir,
			SyncAlways:            true,
			JetStreamMaxStore:     2*config.MaxBytes + sideBytes,
			JetStreamMaxMemory:    64 << 20,
			DisableShortFirstPing: true,
		},
	}
	if config.Open {
		s.options.Authorization = ""
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	s.url = s.running.ClientURL()
	if at, ok := s.running.Addr().(*net.TCPAddr); ok {
		s.options.Port = at.Port // a restart is found where it was
	}
	return s, nil
}

// startTimeout bounds the recovery of the broker's files: 415 ms were measured
// for half a million messages; a damaged store may never be ready.
const startTimeout = 60 * time.Second

func (s *Server) start() error {
	ns, err := server.NewServer(s.options)
	if err != nil {
		return fmt.Errorf("configure the queue: %w", err)
	}
	ns.SetLoggerV2(&brokerLog{log: s.log, said: map[string]time.Time{}}, false, false, false)
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) || !ns.JetStreamEnabled() {
		ns.Shutdown()
		ns.WaitForShutdown()
		return errors.New("the queue's files could not be opened in time")
	}
	s.running = ns
	return nil
}

// Address is where the stages reach it.
func (s *Server) Address() Address {
	return Address{URL: s.url, Secret: Secret(s.options.Authorization)}
}

// Restart stops the broker and starts it again, at the same address: after a
// full disk it takes nothing more until then, even when there is room again.
// All that was put is there afterwards; connections come back by themselves.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shutdown()
	return s.start()
}

var errStopped = errors.New("queue: not started")

// Health asks the broker about itself; nil is well. A full disk shows here and
// nowhere else: publishing only stops to be answered.
func (s *Server) Health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return errStopped
	}
	if h := s.running.Healthz(&server.HealthzOptions{}); h.Error != "" {
		return fmt.Errorf("queue: %s", h.Error)
	}
	return nil
}

// Stop closes the broker and waits for it. All that was put stays on disk.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shutdown()
}

// shutdown is Stop with the lock held.
func (s *Server) shutdown() {
	if s.running == nil {
		return
	}
	s.running.Shutdown()
	s.running.WaitForShutdown()
	s.running = nil
}

// Secret prints as nothing that could be used.
type Secret string

// String hides the secret.
func (Secret) String() string { return "***" }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// brokerLog passes on what the broker has to say, from warnings up: its notices
// are about itself. The same thing it says once a minute at most.
type brokerLog struct {
	log *slog.Logger

	mu   sync.Mutex
	said map[string]time.Time // by format; there are as many as in its source
}

func (*brokerLog) Noticef(string, ...any) {}
func (*brokerLog) Debugf(string, ...any)  {}
func (*brokerLog) Tracef(string, ...any)  {}

func (l *brokerLog) Warnf(format string, v ...any)  { l.say(slog.LevelWarn, format, v) }
func (l *brokerLog) Errorf(format string, v ...any) { l.say(slog.LevelError, format, v) }
func (l *brokerLog) Fatalf(format string, v ...any) { l.say(slog.LevelError, format, v) }

func (l *brokerLog) say(level slog.Level, format string, v []any) {
	l.mu.Lock()
	now := time.Now()
	late := now.Sub(l.said[format]) < time.Minute
	if !late {
		l.said[format] = now
	}
	l.mu.Unlock()
	if !late {
		l.log.Log(context.Background(), level, "the broker of the queue", "says", fmt.Sprintf(format, v...))
	}
}
