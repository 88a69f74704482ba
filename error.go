package kurs

import "errors"

// ExitCode is the exit code of a command: few, documented by
// "kurs help exit-codes", and only added to.
type ExitCode int

// The exit codes.
const (
	ExitOK          ExitCode = 0
	ExitFailed      ExitCode = 1
	ExitUsage       ExitCode = 2
	ExitPartly      ExitCode = 3
	ExitUnhealthy   ExitCode = 4
	ExitNotFound    ExitCode = 5
	ExitNetwork     ExitCode = 6
	ExitRateLimit   ExitCode = 7
	ExitLocked      ExitCode = 8
	ExitDisk        ExitCode = 9
	ExitNotRunning  ExitCode = 10
	ExitInterrupted ExitCode = 130
)

// Error is an error that a person meets: what happened, what is safe, what to
// do, and a stable code that "kurs help CODE" explains.
type Error struct {
	Code      string // "KURS-NET"
	Message   string // what happened, without a full stop
	Safe      string // what is not lost or changed
	Try       string // what to do
	Exit      ExitCode
	Retryable bool
	Err       error // the cause, for errors.Is and the verbose form
}

// Error is the message with its cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ExitCodeOf is the exit code that an error ends a command with.
func ExitCodeOf(err error) ExitCode {
	if err == nil {
		return ExitOK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Exit
	}
	return ExitFailed
}
