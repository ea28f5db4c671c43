// Package meta is drbdmeta as a library: on-disk metadata of DRBD (superblock, activity log, bitmap) and the commands that create,
// show, change and repair it. It works on metadata that no kernel uses at that moment; the kernel's own codec is kernel/core/disk.
//
// The layouts and texts are those of the metadata specification; "section" in comments means a section of it.
package meta

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Exit codes (section 7.4).
const (
	exitOK           = 0
	exitDeclined     = 1
	exitNoUpdate     = 2
	exitLastKnown    = 2
	exitNoSuperblock = 3
	exitNoJSON       = 4
	exitInconsistent = 5
	exitOption       = 10
	exitUsage        = 20
	exitStripes      = 30
	exitRefused      = 40
	exitEmptyNumber  = 100
	exitInternal     = 111
	exitNoMeta       = 255
)

// Env is what a command touches besides the metadata device.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Terminal tells whether Stdin can be asked, and whether Stdout is looked at by a person.
	Terminal, OutTerminal bool
	// LockDir has a lock file per minor, StateDir the notes about last known devices.
	LockDir, StateDir string
	// Attached asks the module about a minor.
	Attached func(ctx context.Context, minor int) (bool, error)
	Now      func() time.Time
	Hostname func() (string, error)
	// Random gives a 64-bit number for UUIDs.
	Random func() uint64

	// Root is in front of /proc and /sys, where it is looked up who holds a device.
	Root string

	tap tap
}

// NewEnv is the real world.
func NewEnv(stdin io.Reader, stdout, stderr io.Writer) *Env {
	return &Env{
		Stdin: stdin, Stdout: stdout, Stderr: stderr, Terminal: isTerminal(stdin), OutTerminal: isTerminal(stdout),
		LockDir: "/var/run/drbd/lock", StateDir: "/var/lib/drbd", Attached: attachedDevice,
		Now: time.Now, Hostname: os.Hostname, Random: randomUUID,
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// randomUUID is never a number with a meaning of its own (section 3.7).
func randomUUID() uint64 {
	for {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			panic(err) // documented never to happen
		}
		if u := binary.BigEndian.Uint64(b[:]) &^ uuidPrimaryBit; u != 0 && u != JustCreated {
			return u
		}
	}
}

// Run executes one command line without the program's name and gives its exit status. Everything it has to say goes to the writers.
func Run(ctx context.Context, argv []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return NewEnv(stdin, stdout, stderr).Run(ctx, argv)
}

// Run is [Run] in a world of the caller.
func (e *Env) Run(ctx context.Context, argv []string) int {
	s := &session{ctx: ctx, env: e, argv: argv}
	err := s.parse()
	if err == nil {
		err = s.execute()
	}
	s.close()
	code := exitOK
	var f *failure
	switch {
	case errors.As(err, &f):
		code = f.code
		if f.text != "" {
			fmt.Fprintln(e.Stderr, f.text)
		}
		if f.usage {
			printUsage(e.Stdout)
		}
	case err != nil:
		code = exitOption
		fmt.Fprintln(e.Stderr, err)
	}
	if s.suppressed > 0 {
		fmt.Fprintf(e.Stderr, "# --force --quiet: %d confirmation(s) suppressed and auto-confirmed\n", s.suppressed)
	}
	return code
}

// failure is an error with its exit code; without text it was told already.
type failure struct {
	code  int
	text  string
	usage bool
}

func (f *failure) Error() string { return f.text }

func fail(code int, format string, args ...any) error {
	return &failure{code: code, text: fmt.Sprintf(format, args...)}
}

// session is one run of the tool.
type session struct {
	ctx  context.Context
	env  *Env
	argv []string
	opt  options

	minor      int
	format     Format
	devicePath string
	index      Index
	command    *command
	args       []string
	given      givenOptions

	lock       *os.File
	dev        *device
	attached   bool
	suppressed int
}

// execute runs the command within locks, checks and the open device (section 7.2).
func (s *session) execute() error {
	if s.command.noDevice {
		return s.command.run(s)
	}
	if err := s.lockMinor(); err != nil {
		return err
	}
	if err := s.checkAttached(); err != nil {
		return err
	}
	if err := s.openDevice(); err != nil {
		return err
	}
	if s.dev.size < minDeviceBytes {
		return fail(exitOption, "%s is only %d bytes. That's not enough.", s.dev.path, s.dev.size)
	}
	at := SuperblockAt(s.index, s.dev.size)
	if at < 0 || at+BlockSize > s.dev.size {
		return fail(exitOption, "Device too small: expecting meta data block at\nbyte offset %d, but %s is only %d bytes.", at, s.dev.path,
			s.dev.size)
	}
	err := s.command.run(s)
	if s.attached {
		s.warn("# Output might be stale, since minor %d is attached", s.minor)
	}
	return err
}

func (s *session) checkAttached() error {
	if s.minor == noMinor {
		return nil
	}
	attached, err := s.env.Attached(s.ctx, s.minor)
	changes := s.command.modifies && !s.opt.DryRun
	switch {
	case err != nil && changes:
		return fail(exitUsage, "cannot find out whether minor %d is attached: %v", s.minor, err)
	case attached && changes:
		return fail(exitUsage, "Device '%d' is configured!", s.minor)
	}
	s.attached = attached
	return nil
}

func (s *session) close() {
	if s.dev != nil {
		_ = s.dev.f.Close()
	}
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

// say writes a line to standard output, warn to standard error.
func (s *session) say(format string, args ...any)  { fmt.Fprintf(s.env.Stdout, format+"\n", args...) }
func (s *session) warn(format string, args ...any) { fmt.Fprintf(s.env.Stderr, format+"\n", args...) }

// traceIO shows reads and writes from -vv on, as the other messages of that kind.
func (s *session) traceIO(format string, args ...any) { s.detail(2, format, args...) }

func (s *session) detail(level int, format string, args ...any) {
	if s.opt.Verbose >= level {
		s.warn(format, args...)
	}
}

// confirm asks a question (section 7.3).
func (s *session) confirm(about, question string) bool {
	if s.opt.Force && s.opt.Quiet {
		s.suppressed++
		return true
	}
	if about != "" {
		about += "\n\n"
	}
	s.warn("\n%s%s", about, question)
	if s.opt.Force {
		s.warn("*** confirmation forced via --force option ***")
		return true
	}
	if !s.env.Terminal {
		s.warn("stdin not a TTY, not waiting for confirmation")
		return false
	}
	fmt.Fprint(s.env.Stderr, "[need to type 'yes' to confirm] ")
	answer := readLine(s.env.Stdin)
	s.warn("")
	return answer == "yes\n"
}

// readLine takes no more than a line from the stream, which may have other readers after us.
func readLine(r io.Reader) string {
	var line strings.Builder
	for b := make([]byte, 1); line.Len() < 4096; {
		n, err := r.Read(b)
		if n > 0 {
			line.WriteByte(b[0])
		}
		if err != nil || n > 0 && b[0] == '\n' {
			break
		}
	}
	return line.String()
}

// sizeText is a size for people: four digits at most (section 7.7).
func sizeText(bytes uint64) string {
	kib, unit := bytes/1024, 0
	for kib >= 10000 && unit < len(sizeUnits)-1 {
		kib = (kib + 512) / 1024
		unit++
	}
	return fmt.Sprintf("%d %s", kib, sizeUnits[unit])
}

var sizeUnits = []string{"KB", "MB", "GB", "TB", "PB"}
