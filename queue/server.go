package queue

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// maxPayload is the largest message: an answer of 200 symbols in full is 0.5 MB.
const maxPayload = 8 << 20

// ServerConfig describes the embedded broker.
type ServerConfig struct {
	Dir      string // of its own; the broker takes no lock on it, the caller must hold one
	MaxBytes int64  // of each of the two queues
}

// Server is the broker inside kurs. It listens on a loopback port, open only to
// who knows its secret, which is new in every run.
type Server struct {
	options *server.Options
	log     *slog.Logger
	running *server.Server
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
	if err := s.start(); err != nil {
		return nil, err
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
	ns.SetLoggerV2(brokerLog{s.log}, false, false, false)
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
	return Address{URL: s.running.ClientURL(), Secret: Secret(s.options.Authorization)}
}

// Health asks the broker about itself; nil is well. A full disk shows here and
// nowhere else: publishing only stops to be answered.
func (s *Server) Health() error {
	if h := s.running.Healthz(&server.HealthzOptions{}); h.Error != "" {
		return fmt.Errorf("queue: %s", h.Error)
	}
	return nil
}

// Stop closes the broker and waits for it. All that was put stays on disk.
func (s *Server) Stop() {
	s.running.Shutdown()
	s.running.WaitForShutdown()
}

// Secret prints as nothing that could be used.
type Secret string

// String hides the secret.
func (Secret) String() string { return "***" }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// brokerLog passes on what the broker has to say, from warnings up: its notices
// are about itself.
type brokerLog struct{ log *slog.Logger }

func (brokerLog) Noticef(string, ...any) {}
func (brokerLog) Debugf(string, ...any)  {}
func (brokerLog) Tracef(string, ...any)  {}

func (l brokerLog) Warnf(format string, v ...any) {
	l.log.Warn("queue", "says", fmt.Sprintf(format, v...))
}

func (l brokerLog) Errorf(format string, v ...any) {
	l.log.Error("queue", "says", fmt.Sprintf(format, v...))
}

func (l brokerLog) Fatalf(format string, v ...any) {
	l.log.Error("queue", "says", fmt.Sprintf(format, v...))
}
