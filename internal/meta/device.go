package meta

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// device is the open metadata device. All transfers are aligned blocks, so that direct I/O works with any logical block size.
type device struct {
	path string
	f    *os.File
	size int64

	readOnly bool // --dry-run: writes are left out
	// low and high bound what may be written; high 0: nothing yet.
	low, high int64
	unbounded bool // --ignore-sanity-checks

	trace func(format string, args ...any)
	tap   tap
}

// tap sees each change before it is made, and has the flushes to itself; for tests of interruptions and of power failures.
type tap interface {
	write(at, n int64, data []byte) error // data nil: zeroes
	flush() error
}

// alignedBuffer is fit for direct I/O.
func alignedBuffer(n int) []byte {
	raw := make([]byte, n+BlockSize)
	skip := int(-uintptr(unsafe.Pointer(&raw[0])) & (BlockSize - 1))
	return raw[skip : skip+n : skip+n]
}

func isAligned(b []byte) bool {
	return len(b) == 0 || uintptr(unsafe.Pointer(&b[0]))&(BlockSize-1) == 0
}

func (d *device) readAt(b []byte, at int64, what string) error {
	d.trace(" %-26s: pread(%d, ..., %d, %d)", what, d.f.Fd(), len(b), at)
	into := b
	if !isAligned(b) {
		into = alignedBuffer(len(b))
	}
	n, err := d.f.ReadAt(into, at)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the device ends after %d of %d bytes", n, len(b))
		}
		return fail(exitOption, "reading %s from %s at byte %d failed: %v", what, d.path, at, reason(err))
	}
	if !isAligned(b) {
		copy(b, into)
	}
	return nil
}

// allowed refuses writes outside of the metadata.
func (d *device) allowed(at, n int64, what string) error {
	if d.unbounded || at >= d.low && at+n <= d.high {
		return nil
	}
	return fail(exitOption, "%s: offset+count (%d+%d) not in meta data area range [%d; %d], aborted\n"+
		"If you want to force this, tell me to --ignore-sanity-checks", what, at, n, d.low, d.high)
}

func (d *device) writeAt(b []byte, at int64, what string) error {
	if err := d.allowed(at, int64(len(b)), what); err != nil {
		return err
	}
	d.trace(" %-26s: pwrite(%d, ..., %d, %d)", what, d.f.Fd(), len(b), at)
	if d.readOnly {
		return nil
	}
	if d.tap != nil {
		if err := d.tap.write(at, int64(len(b)), b); err != nil {
			return err
		}
	}
	from := b
	if !isAligned(b) {
		from = alignedBuffer(len(b))
		copy(from, b)
	}
	if _, err := d.f.WriteAt(from, at); err != nil {
		return fail(exitOption, "writing %s to %s at byte %d failed: %v", what, d.path, at, reason(err))
	}
	return nil
}

// fill writes the same byte everywhere.
func (d *device) fill(value byte, at, n int64, what string) error {
	piece := alignedBuffer(int(min(n, 4<<20)))
	for i := range piece {
		piece[i] = value
	}
	for done := int64(0); done < n; {
		step := min(n-done, int64(len(piece)))
		if err := d.writeAt(piece[:step], at+done, what); err != nil {
			return err
		}
		done += step
	}
	return nil
}

// zeroOut lets the device write the zeroes itself; the error is the plain reason.
func (d *device) zeroOut(at, n int64) error {
	if err := d.allowed(at, n, "zero-out"); err != nil {
		return err
	}
	d.trace(" %-26s: ioctl(%d, BLKZEROOUT, [%d, %d])", "zero-out", d.f.Fd(), at, n)
	if d.readOnly {
		return nil
	}
	if d.tap != nil {
		if err := d.tap.write(at, n, nil); err != nil {
			return err
		}
	}
	zone := [2]uint64{uint64(at), uint64(n)}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, d.f.Fd(), unix.BLKZEROOUT, uintptr(unsafe.Pointer(&zone))); errno != 0 {
		return errno
	}
	return nil
}

// flush makes what was written stable.
func (d *device) flush() error {
	if d.readOnly {
		return nil
	}
	if d.tap != nil {
		return d.tap.flush()
	}
	if err := unix.Fdatasync(int(d.f.Fd())); err != nil {
		return fail(exitDeclined, "flushing %s failed: %v", d.path, err)
	}
	return nil
}

// ReadAt makes an io.ReaderAt that begins at a position of the device.
type deviceReader struct {
	dev *device
	at  int64
}

func (r deviceReader) ReadAt(b []byte, at int64) (int, error) {
	if err := r.dev.readAt(b, r.at+at, "activity log"); err != nil {
		return 0, err
	}
	return len(b), nil
}

// reason is why a system call failed, without what the message says already, in the words that scripts look for: those of the C
// library, which begin with a capital.
func reason(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// openDevice opens the metadata device of the command line (section 7.2).
func (s *session) openDevice() error {
	path := s.devicePath
	flags := unix.O_RDWR | unix.O_DIRECT | unix.O_CLOEXEC
	if s.command.readOnly {
		flags = unix.O_RDONLY | unix.O_DIRECT | unix.O_CLOEXEC
	}
	if s.index.exclusive() && !s.command.raw {
		flags |= unix.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0)
	if errors.Is(err, unix.EINVAL) {
		s.warn("could not open with O_DIRECT, retrying without")
		flags &^= unix.O_DIRECT
		f, err = os.OpenFile(path, flags, 0)
	}
	if errors.Is(err, unix.EBUSY) {
		s.warn("open(%s) failed: %v", path, reason(err))
		s.nameHolders(path)
		if s.command.neverShared && !s.opt.Force {
			return fail(exitUsage, "")
		}
		if !s.confirm("", "Exclusive open failed. Do it anyways?") {
			return fail(exitUsage, "Operation canceled.")
		}
		f, err = os.OpenFile(path, flags&^unix.O_EXCL, 0)
	}
	if err != nil {
		return fail(exitUsage, "open(%s) failed: %v", path, reason(err))
	}
	s.dev = &device{path: path, f: f, readOnly: s.opt.DryRun || s.command.readOnly, unbounded: s.opt.IgnoreSanityChecks,
		trace: s.traceIO, tap: s.env.tap}
	return s.sizeDevice(flags&unix.O_DIRECT == 0)
}

func (s *session) sizeDevice(buffered bool) error {
	f := s.dev.f
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fail(exitUsage, "stat of %s failed: %v", s.dev.path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		if !s.opt.Force && !s.command.raw || st.Mode&unix.S_IFMT != unix.S_IFREG {
			return fail(exitUsage, "'%s' is not a block device!", s.dev.path)
		}
		s.dev.size = st.Size
		return nil
	}
	if buffered {
		_ = unix.IoctlSetInt(int(f.Fd()), unix.BLKFLSBUF, 0) // others' writes may be in no cache of ours
	}
	if _, err := unix.IoctlGetInt(int(f.Fd()), unix.BLKSSZGET); err != nil {
		s.warn("ioctl(md_fd, BLKSSZGET) returned -1, assuming hard_sect_size is 512 Byte")
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fail(exitUsage, "size of %s: %v", s.dev.path, reason(err))
	}
	s.dev.size = size
	return nil
}
