package meta

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// bench is a tool with a world of its own.
type bench struct {
	t        testing.TB
	env      *Env
	out, err bytes.Buffer
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t}
	dir := t.TempDir()
	b.env = &Env{
		Stdin: strings.NewReader(""), Stdout: &b.out, Stderr: &b.err,
		LockDir: filepath.Join(dir, "lock"), StateDir: filepath.Join(dir, "state"),
		Attached: func(context.Context, int) (bool, error) { return false, nil },
		Now:      func() time.Time { return time.Unix(1767225600, 0).UTC() },
		Hostname: func() (string, error) { return "alpha", nil },
		Random:   func() uint64 { return 0xABCDEF0123456788 },
	}
	return b
}

// run gives the exit status; what was said is in out and err.
func (b *bench) run(args ...string) int {
	b.out.Reset()
	b.err.Reset()
	return b.env.Run(context.Background(), args)
}

// must run with success.
func (b *bench) must(args ...string) string {
	b.t.Helper()
	if code := b.run(args...); code != 0 {
		b.t.Fatalf("drbdmeta %s: exit %d\n%s%s", strings.Join(args, " "), code, b.out.String(), b.err.String())
	}
	return b.out.String()
}

// fails with that status and a word of explanation.
func (b *bench) fails(code int, explanation string, args ...string) {
	b.t.Helper()
	got := b.run(args...)
	if got != code || !strings.Contains(b.out.String()+b.err.String(), explanation) {
		b.t.Fatalf("drbdmeta %s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), got, code, explanation, b.out.String(), b.err.String())
	}
}

// image is an empty file of that size.
func image(t testing.TB, size int64) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "image")
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	return f.Name()
}

func peek(t testing.TB, path string, at int64, n int) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	data := make([]byte, n)
	if _, err := f.ReadAt(data, at); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return data
}

func poke(t testing.TB, path string, at int64, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt(data, at); err != nil {
		t.Fatal(err)
	}
}

// superblock reads what a tool wrote.
func superblock(t testing.TB, format Format, path string, at int64) Superblock {
	t.Helper()
	sb, ok := Decode(format, peek(t, path, at, BlockSize))
	if !ok {
		t.Fatalf("no %s superblock at byte %d of %s", format, at, path)
	}
	return sb
}

// alter changes a superblock behind the tool's back, as a kernel does.
func alter(t testing.TB, format Format, path string, at int64, change func(*Superblock)) {
	t.Helper()
	sb := superblock(t, format, path, at)
	change(&sb)
	poke(t, path, at, sb.Encode())
}

// update is a change of the activity log: slot and extent.
type update struct {
	slot   uint16
	extent uint32
}

// alBlock makes a transaction as a kernel writes it.
func alBlock(number uint32, context []uint32, contextSize int, updates ...update) []byte {
	be := binary.BigEndian
	block := make([]byte, BlockSize)
	be.PutUint32(block, ALMagic)
	be.PutUint32(block[4:], number)
	be.PutUint16(block[14:], uint16(len(updates)))
	be.PutUint16(block[16:], uint16(contextSize))
	for i := range alUpdates {
		be.PutUint16(block[alAtSlots+2*i:], alNoSlot)
		be.PutUint32(block[alAtExtents+4*i:], alFree)
	}
	for i, u := range updates {
		be.PutUint16(block[alAtSlots+2*i:], u.slot)
		be.PutUint32(block[alAtExtents+4*i:], u.extent)
	}
	for i := range alContext {
		e := uint32(alFree)
		if i < len(context) {
			e = context[i]
		}
		be.PutUint32(block[alAtContext+4*i:], e)
	}
	be.PutUint32(block[alAtCRC:], blockCRC(block))
	return block
}
