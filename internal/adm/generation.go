package adm

import (
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A module of 8.4 takes other steps, other metadata and another netlink interface. Its drbdadm is a program of its own, which
// replaces this one when it is installed (section 1).
const (
	oldProgram = "drbdadm-84"
	oldFolder  = "/lib/drbd"
)

func isOld(version string) bool { return version == "8.4" || strings.HasPrefix(version, "8.4.") }

// handOver replaces this process by the drbdadm of 8.4 when that is what the module needs. It returns when it is not, or not there.
func (a *App) handOver(args []string) error {
	path, err := exec.LookPath(oldProgram)
	if err != nil {
		if path, err = exec.LookPath(oldFolder + "/" + oldProgram); err != nil {
			return nil
		}
	}
	if !isOld(a.moduleVersion()) {
		return nil
	}
	if os.Getenv("DRBD_DONT_WARN_ON_VERSION_MISMATCH") == "" {
		_ = os.Setenv("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
	}
	_ = os.Setenv("PATH", os.Getenv("PATH")+":"+oldFolder) // for drbdsetup-84
	err = unix.Exec(path, append([]string{path}, args...), os.Environ())
	return exit(exitExec, "drbdadm: the drbd module is of the 8.4 generation, but its program %s cannot be run: %v", path, err)
}

// checkGeneration refuses commands that would give a module of 8.4, or the disk it uses, what it does not understand.
func (a *App) checkGeneration() error {
	if a.line.dryRun || !slices.ContainsFunc(a.cmd.backends, func(b string) bool { return !strings.HasPrefix(b, "drbdadm ") }) {
		return nil
	}
	if version := a.moduleVersion(); isOld(version) {
		return exit(exitExec, "drbdadm %s: the drbd module on this host is %s; its generation needs the program %s (from drbd-utils, in PATH or %s).\n"+
			"Install that, or replace the module: modinfo -F filename drbd shows where it is, rmmod drbd && modprobe drbd loads a newer one.",
			a.cmd.name, version, oldProgram, oldFolder)
	}
	return nil
}
