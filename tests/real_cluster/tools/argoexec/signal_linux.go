// The file that the published module of Argo lacks for Linux: how its executor starts, signals and awaits the command
// of a container. Written for the test cluster, from what the callers need.
package osspecific

import (
	"os"
	"syscall"

	"github.com/argoproj/argo-workflows/v4/util/errors"
)

// Term asks a process to end.
var Term = syscall.SIGTERM

// CanIgnoreSignal says which signals are the runtime's own business, and not passed on.
func CanIgnoreSignal(s os.Signal) bool {
	return s == syscall.SIGURG || s == syscall.SIGCHLD
}

// Setpgid gives the command a process group of its own, so that all of it can be signalled.
func Setpgid(attributes *syscall.SysProcAttr) {
	attributes.Setpgid = true
}

// Kill signals the group that a process leads or belongs to.
func Kill(pid int, s syscall.Signal) error {
	if group, err := syscall.Getpgid(pid); err == nil {
		return syscall.Kill(-group, s)
	}
	return syscall.Kill(pid, s)
}

// Wait waits for the command alone, not for what it leaves in the background, and gives how it ended.
func Wait(process *os.Process) error {
	state, err := process.Wait()
	if err != nil {
		return err
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return errors.NewExitErr(128 + int(status.Signal()))
	}
	return errors.NewExitErr(state.ExitCode())
}
