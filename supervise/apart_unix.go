//go:build unix

package supervise

import (
	"os/exec"
	"syscall"
)

// apart gives the stage a process group of its own: Ctrl-C on the terminal is
// for the supervisor alone.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
