package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// terminalWidth is 0 when f is no terminal.
func terminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	switch {
	case err != nil:
		return 0
	case size.Col == 0:
		return 80
	}
	return int(size.Col)
}

// execOldTool hands the whole command line to the tool of the 8.4 generation; it only returns on failure.
func execOldTool(c *call) error {
	path := findOldTool()
	if path == "" {
		return failf(ExitUsage, "the loaded module speaks the interface of DRBD 8.4 (version 1) and %s is not installed: "+
			"install it, or load the module that belongs to these tools", oldTool)
	}
	err := unix.Exec(path, append([]string{path}, c.words...), os.Environ())
	return failf(ExitUsage, "%s: %v", path, err)
}

// lockMinor excludes drbdmeta and other drbdsetup calls that change the same device. The lock ends with the returned function, or
// with the process.
func (c *call) lockMinor(minor uint32) (release func(), err error) {
	dir := filepath.Join(c.env.RunDir, "lock")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failf(ExitUsage, "%s: cannot create the lock directory: %v", c.object(), err)
	}
	path := filepath.Join(dir, fmt.Sprintf("drbd-147-%d", minor))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, failf(ExitUsage, "%s: cannot open the lock file: %v", c.object(), err)
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	for deadline := time.Now().Add(time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &lock)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		busy := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES)
		if !busy || time.Now().After(deadline) {
			holder := unix.Flock_t{Type: unix.F_WRLCK}
			_ = unix.FcntlFlock(f.Fd(), unix.F_GETLK, &holder)
			_ = f.Close()
			if busy {
				return nil, failf(ExitUsage, "%s: device %d is locked by process %d (%s)", c.object(), minor, holder.Pid, path)
			}
			return nil, failf(ExitUsage, "%s: locking %s: %v", c.object(), path, err)
		}
	}
}

// deviceNumber gives the minor of an existing block device node of DRBD's major.
func deviceNumber(path string) (uint32, bool) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK || unix.Major(st.Rdev) != 147 {
		return 0, false
	}
	return unix.Minor(st.Rdev), true
}

// checkBlockDevice refuses early what the kernel would refuse with less explanation.
func checkBlockDevice(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return usage("cannot use %s as a disk: %v", path, errors.Unwrap(err))
	}
	defer func() { _ = f.Close() }()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return usage("%s: %v", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return usage("%s is not a block device", path)
	}
	return nil
}

// keySerial looks the description of a TLS key up in the kernel's key rings.
func keySerial(keyType, description string) (uint64, error) {
	if description == "" {
		return 0, nil
	}
	id, err := unix.RequestKey(keyType, description, "", 0)
	if err != nil {
		return 0, fmt.Errorf("no key of type %q called %q in the kernel's key rings: %w", keyType, description, err)
	}
	return uint64(uint32(id)), nil
}

// keyDescription is the reverse; "" for an unset or vanished key.
func keyDescription(serial uint64) string {
	if serial == 0 {
		return ""
	}
	text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, int(int32(serial)))
	if err != nil {
		return ""
	}
	// type;uid;gid;perm;description
	for range 4 {
		_, rest, ok := strings.Cut(text, ";")
		if !ok {
			return ""
		}
		text = rest
	}
	return text
}
