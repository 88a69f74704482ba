package supervise

import (
	"os/exec"
	"syscall"
)

// apart gives the stage a process group of its own: Ctrl-C in the console is for
// the supervisor alone.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
