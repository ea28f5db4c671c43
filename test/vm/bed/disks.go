package bed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
)

// Disk is the path of a machine's raw disk image, counted from 0 (/dev/vda).
func (m *Machine) Disk(i int) string { return m.disks[i] }

// DiskDifference is where two disks differ first.
type DiskDifference struct {
	A, B   string
	Offset int64
}

func (d *DiskDifference) Error() string {
	return fmt.Sprintf("%s and %s differ at byte %d (4 KiB block %d)", d.A, d.B, d.Offset, d.Offset/4096)
}

// CompareDisks compares the bytes from start to end of two raw disk images. The
// machines must be off, or have flushed what they wrote. A difference is a
// *DiskDifference.
func CompareDisks(a, b string, start, end int64) error {
	fa, err := os.Open(a)
	if err != nil {
		return err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if err != nil {
		return err
	}
	defer fb.Close()
	const chunk = 1 << 20
	ba, bb := make([]byte, chunk), make([]byte, chunk)
	for at := start; at < end; {
		n := min(chunk, end-at)
		if err := readBoth(fa, fb, ba[:n], bb[:n], at); err != nil {
			return fmt.Errorf("compare %s with %s at byte %d: %w", a, b, at, err)
		}
		if !bytes.Equal(ba[:n], bb[:n]) {
			for i := range ba[:n] {
				if ba[i] != bb[i] {
					return &DiskDifference{a, b, at + int64(i)}
				}
			}
		}
		at += n
	}
	return nil
}

func readBoth(fa, fb io.ReaderAt, ba, bb []byte, at int64) error {
	_, errA := fa.ReadAt(ba, at)
	_, errB := fb.ReadAt(bb, at)
	return errors.Join(errA, errB)
}

func makeDisk(path string, size int64, fill bool, seed uint64) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already", path)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil || !fill {
		return err
	}
	// drbdadm create-md asks for leave when it finds data near the ends.
	const blank = 1 << 20
	if _, err := f.Seek(blank, io.SeekStart); err != nil {
		return err
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	_, err = io.CopyN(f, rand.NewChaCha8(key), max(0, size-2*blank))
	return err
}

// AllocatedBytes is what a disk image takes on the host: the holes that a guest's
// discards have made do not count.
func AllocatedBytes(path string) (int64, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return st.Blocks * 512, nil
}
