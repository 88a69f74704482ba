package logs

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// both writes each line to the console and to the file. A file that cannot be
// written any more is told of once, on the console, which goes on.
type both struct {
	console, file slog.Handler
	failing       *failing
}

// failing says whether the file was told to fail; derived loggers share it.
type failing struct{ told atomic.Bool }

func (h *both) Enabled(ctx context.Context, level slog.Level) bool {
	return h.console.Enabled(ctx, level) || h.file.Enabled(ctx, level)
}

func (h *both) Handle(ctx context.Context, r slog.Record) error {
	err := h.console.Handle(ctx, r.Clone())
	ferr := h.file.Handle(ctx, r)
	switch {
	case ferr != nil && !h.failing.told.Swap(true):
		note := slog.NewRecord(time.Now().UTC(), slog.LevelError, "log file cannot be written; the console goes on", 0)
		note.AddAttrs(slog.String("error", visible(ferr.Error())))
		return h.console.Handle(ctx, note)
	case ferr == nil:
		h.failing.told.Store(false)
	}
	return err
}

func (h *both) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &both{console: h.console.WithAttrs(attrs), file: h.file.WithAttrs(attrs), failing: h.failing}
}

func (h *both) WithGroup(name string) slog.Handler {
	return &both{console: h.console.WithGroup(name), file: h.file.WithGroup(name), failing: h.failing}
}
