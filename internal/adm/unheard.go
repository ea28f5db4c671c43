package adm

import (
	"io"
	"log/syslog"
	"os"

	"golang.org/x/sys/unix"
)

// When the kernel runs a handler nobody has opened an output, and Go has put /dev/null in its place. What is said then goes to the
// system's log (section 10.6).

// unheard reports whether nobody can read what is written.
func unheard(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	var at, null unix.Stat_t
	return unix.Fstat(int(f.Fd()), &at) == nil && unix.Stat(os.DevNull, &null) == nil && at.Mode&unix.S_IFMT == unix.S_IFCHR && at.Rdev == null.Rdev
}

func openLog() (io.Writer, error) { return syslog.New(syslog.LOG_DAEMON|syslog.LOG_NOTICE, "drbdadm") }

// logUnheard sends output that nobody would see to the log. Without a log daemon it is lost, as before.
func (a *App) logUnheard(open func() (io.Writer, error)) {
	out, err := unheard(a.env.Stdout), unheard(a.env.Stderr)
	if !out && !err {
		return
	}
	log, failure := open()
	if failure != nil {
		return
	}
	own := *a.env
	own.Shell = own.runShell
	if out {
		own.Stdout = log
	}
	if err {
		own.Stderr = log
	}
	a.env = &own
}
