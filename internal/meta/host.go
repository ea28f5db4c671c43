package meta

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"drbd/internal/genl"
)

const drbdMajor = 147

// parseMinor reads the DEVICE of the command line: a minor number, a node of the DRBD major, or "-" for none.
func parseMinor(word string) (minor int, err error) {
	if word == "-" {
		return noMinor, nil
	}
	digits := strings.TrimPrefix(word, "/dev/drbd")
	if n, err := strconv.ParseUint(digits, 10, 20); err == nil {
		return int(n), nil
	}
	var st unix.Stat_t
	if unix.Stat(word, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK && unix.Major(st.Rdev) == drbdMajor {
		return int(unix.Minor(st.Rdev)), nil
	}
	return 0, fail(exitUsage, "Cannot determine minor device number of drbd device '%s'", word)
}

// noMinor stands for a metadata device that no DRBD device uses.
const noMinor = -1

// lockMinor excludes drbdsetup and other calls of this tool for the same minor.
func (s *session) lockMinor() error {
	if s.minor == noMinor {
		return nil
	}
	if err := os.MkdirAll(s.env.LockDir, 0o700); err != nil {
		return fail(exitUsage, "cannot create the lock directory: %v", err)
	}
	path := filepath.Join(s.env.LockDir, fmt.Sprintf("drbd-%d-%d", drbdMajor, s.minor))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fail(exitUsage, "cannot open the lock file: %v", err)
	}
	s.lock = f
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	for range lockTries { // counted, not timed: a clock that is set must not make this longer
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &lock)
		switch busy := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES); {
		case err == nil:
			return nil
		case !busy:
			return fail(exitUsage, "locking %s: %v", path, err)
		}
		time.Sleep(lockPause)
	}
	holder := unix.Flock_t{Type: unix.F_WRLCK}
	_ = unix.FcntlFlock(f.Fd(), unix.F_GETLK, &holder)
	return fail(exitUsage, "lock on %s currently held by pid:%d", path, holder.Pid)
}

// A second in all (section 7.2).
const (
	lockTries = 50
	lockPause = 20 * time.Millisecond
)

// attachedDevice asks the module whether a minor has its disk. Only a module of the 8.4 generation, which speaks another language, is
// asked through drbdsetup.
func attachedDevice(ctx context.Context, minor int) (bool, error) {
	client, err := genl.Dial()
	if errors.Is(err, genl.ErrNotLoaded) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = client.Close() }()
	if client.Family().Version != genl.FamilyVersion {
		return attachedBySetup(ctx, minor)
	}
	devices, err := client.Devices(ctx, "")
	if err != nil {
		return false, err
	}
	for _, d := range devices {
		if int(d.Minor) == minor {
			return d.Info.DiskState > genl.DiskDiskless, nil
		}
	}
	return false, nil
}

func attachedBySetup(ctx context.Context, minor int) (bool, error) {
	out, err := exec.CommandContext(ctx, "drbdsetup", "dstate", strconv.Itoa(minor)).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 10 || exit.ExitCode() == 20) {
		return false, nil // no such minor, no module
	}
	if err != nil {
		return false, fmt.Errorf("drbdsetup dstate %d: %w", minor, err)
	}
	state, _, _ := strings.Cut(strings.TrimSpace(string(out)), "/")
	return state != "Diskless" && state != "Unconfigured" && state != "", nil
}
