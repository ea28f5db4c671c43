package meta

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Where the stock tool loses data, ours does not. Each test runs both: what ours does is asserted for every version of the stock tool,
// what the stock one does for Debian 12's 9.22, where we know it.

// isKnown tells whether the reference is the version whose faults these tests name.
func (p *pair) isKnown() bool {
	usage, _, _ := p.reference.run(p.t, filepath.Dir(p.theirs), "--help")
	return strings.Contains(usage, "forget-peer") && !strings.Contains(usage, "repair-md")
}

// loses asserts that the reference loses what ours keeps.
func (p *pair) loses(lost bool, what string, args ...any) {
	p.t.Helper()
	switch {
	case lost:
		p.t.Logf("the reference: "+what, args...)
	case p.isKnown():
		p.t.Errorf("the reference does not lose anything here any more: "+what, args...)
	}
}

// both runs a command line on both devices and gives the exit codes; differences are not looked at.
func (p *pair) both(line string) (ours, theirs int) {
	p.t.Helper()
	args := func(dev string) []string { return strings.Fields(strings.ReplaceAll(line, "DEV", dev)) }
	_, _, theirs = p.reference.run(p.t, filepath.Dir(p.theirs), args(p.theirs)...)
	ours = p.run(args(p.ours)...)
	if ours != 0 {
		p.t.Errorf("%s: exit %d\n%s%s", line, ours, p.out.String(), p.err.String())
	}
	return ours, theirs
}

func shapeLayout(t *testing.T, shape Shape, size int64) Layout {
	t.Helper()
	l, err := NewLayout(Internal, shape, size)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLossGrowth: the bitmap is moved by check-resize, and all bits stay bits of the same blocks.
func TestLossGrowth(t *testing.T) {
	p := newPair(t, 64*mib)
	if p.reference.state == "" {
		t.Skip("the reference needs a mount namespace, to keep its note about the device to itself")
	}
	shape := Shape{4, 4096, 1, 8}
	from, to := shapeLayout(t, shape, 64*mib), shapeLayout(t, shape, 65*mib)
	p.both("-f 3 v09 DEV internal create-md 4")
	p.alter(V09, from.Superblock, func(sb *Superblock) { sb.EffectiveSize = from.Capacity })
	bitmap := make([]byte, BitmapBytes(from.Capacity, 4096, 4))
	for i := range bitmap {
		bitmap[i] = byte(i * 7)
	}
	p.poke(from.BM(), bitmap)
	for _, dev := range []string{p.ours, p.theirs} {
		if err := os.Truncate(dev, 65*mib); err != nil {
			t.Fatal(err)
		}
	}
	_, theirs := p.both("-f 3 v09 DEV internal check-resize")
	if !bytes.Equal(peek(t, p.ours, to.BM(), len(bitmap)), bitmap) {
		t.Error("ours: the bitmap is another one after the move")
	}
	after := peek(t, p.theirs, to.BM(), len(bitmap))
	p.loses(!bytes.Equal(after, bitmap), "check-resize ends with %d, the bitmap begins with % x instead of % x", theirs, after[:8], bitmap[:8])
}

// TestLossSmallGrowth: a device that grew by less than 4 KiB, so that its superblock stays, but a larger bitmap belongs to it.
func TestLossSmallGrowth(t *testing.T) {
	shape := Shape{31, 4096, 1, 8}
	for base := int64(64 * mib); ; base -= 4 * kib {
		from, to := shapeLayout(t, shape, base), shapeLayout(t, shape, base+1024)
		if from.BMBytes == to.BMBytes {
			continue
		}
		p := newPair(t, base)
		if p.reference.state == "" {
			t.Skip("the reference needs a mount namespace, to keep its note about the device to itself")
		}
		p.both("-f 3 v09 DEV internal create-md 31")
		p.alter(V09, from.Superblock, func(sb *Superblock) { sb.EffectiveSize = from.Capacity })
		data := bytes.Repeat([]byte("data"), BlockSize/4)
		p.poke(from.Start()-BlockSize, data)
		p.poke(from.BM(), []byte{1, 2, 3, 4})
		for _, dev := range []string{p.ours, p.theirs} {
			if err := os.Truncate(dev, base+1024); err != nil {
				t.Fatal(err)
			}
		}
		_, theirs := p.both("-f 3 v09 DEV internal check-resize")
		if !bytes.Equal(peek(t, p.ours, from.Start()-BlockSize, BlockSize), data) {
			t.Error("ours: the bitmap was put over the last block of the data")
		}
		for _, line := range []string{"dump-md", "apply-al", "invalidate", "check-resize", "dump-md"} {
			p.must(append([]string{"-f", "3", "v09", p.ours, "internal"}, line)...)
		}
		if sb := superblock(t, V09, p.ours, from.Superblock); sb.EffectiveSize != from.Capacity || sb.BMOffset != from.BMOffset {
			t.Errorf("ours: size %d, bitmap at %d; want %d, %d", sb.EffectiveSize, sb.BMOffset, from.Capacity, from.BMOffset)
		}
		if got := peek(t, p.ours, from.BM(), 4); !bytes.Equal(got, []byte{1, 2, 3, 4}) {
			t.Errorf("ours: the bitmap begins with % x", got)
		}
		// It is found, too, after the device grew further.
		if err := os.Truncate(p.ours, base+mib); err != nil {
			t.Fatal(err)
		}
		p.must("-f", "3", "v09", p.ours, "internal", "check-resize")
		if got := peek(t, p.ours, shapeLayout(t, shape, base+mib).BM(), 4); !bytes.Equal(got, []byte{1, 2, 3, 4}) {
			t.Errorf("ours: the bitmap begins with % x after the move", got)
		}
		sb := superblock(t, V09, p.theirs, from.Superblock)
		p.loses(sb.BMOffset < from.BMOffset, "check-resize ends with %d, the bitmap begins %d sectors before the superblock, the data ends %d before it",
			theirs, -sb.BMOffset, -from.BMOffset)
		return
	}
}

// TestLossDryRun: on a block device, where the kernel zeroes.
func TestLossDryRun(t *testing.T) {
	p := newPair(t, 64*mib)
	ours, theirs := p.ours, p.theirs
	p.ours, p.theirs = loop(t, ours), loop(t, theirs)
	p.both("-f - v09 DEV internal create-md 2")
	l := shapeLayout(t, Shape{2, 4096, 1, 8}, 64*mib)
	bitmap := bytes.Repeat([]byte{0xA5}, int(l.BMBytes))
	for _, dev := range []string{p.ours, p.theirs} {
		pokeDevice(t, dev, l.BM(), bitmap)
	}
	before := contentSum(t, p.ours)
	p.both("-f --dry-run - v09 DEV internal create-md 2")
	if contentSum(t, p.ours) != before {
		t.Error("ours: --dry-run changed the device")
	}
	after := peek(t, p.theirs, l.BM(), len(bitmap))
	p.loses(!bytes.Equal(after, bitmap), "create-md --dry-run leaves a bitmap that begins with % x instead of % x", after[:4], bitmap[:4])
}

// pokeDevice writes to a block device, past nobody's cache.
func pokeDevice(t *testing.T, dev string, at int64, data []byte) {
	t.Helper()
	f, err := os.OpenFile(dev, os.O_RDWR|unix.O_SYNC, 0)
	if err == nil {
		_, err = f.WriteAt(data, at)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
}

// restoreBoth gives both a dump to restore on an empty device.
func (p *pair) restoreBoth(format, dump string) (theirs int) {
	p.t.Helper()
	for _, dev := range []string{p.ours, p.theirs} {
		if err := os.WriteFile(dev+".dump", []byte(dump), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	_, theirs = p.both("-f - " + format + " DEV internal restore-md DEV.dump")
	return theirs
}

// oursDumped makes metadata with our tool and gives its dump.
func oursDumped(t *testing.T, size int64, shape Shape, change func(*Superblock)) (string, Layout) {
	b := newBench(t)
	dev := image(t, size)
	l := shapeLayout(t, shape, size)
	b.must("-f", "-", "v09", dev, "internal", "-B", fmt.Sprint(shape.BytesPerBit), "create-md", fmt.Sprint(shape.Slots))
	alter(t, V09, dev, l.Superblock, func(sb *Superblock) {
		sb.EffectiveSize = l.Capacity
		if change != nil {
			change(sb)
		}
	})
	dump := b.must("-f", "-", "v09", dev, "internal", "dump-md")
	return strings.Replace(dump, "members 0x0000000000000000;\n", "", 1), l
}

// TestLossRestoreLog: the dump of a node that was Primary, on a new disk, can be attached.
func TestLossRestoreLog(t *testing.T) {
	dump, l := oursDumped(t, 64*mib, Shape{2, 4096, 1, 8}, func(sb *Superblock) { sb.Flags = FlagALClean | FlagPrimaryInd })
	p := newPair(t, 64*mib)
	p.restoreBoth("v09", dump)
	_, theirs := p.both("-f - v09 DEV internal apply-al")
	if !bytes.Equal(peek(t, p.ours, l.AL(), BlockSize), InitialALBlock()) {
		t.Error("ours: restore-md leaves the log as it was")
	}
	p.loses(theirs != 0, "apply-al after restore-md ends with %d", theirs)
}

// TestLossRestoreUneven: a dump whose last slot is shorter than the others.
func TestLossRestoreUneven(t *testing.T) {
	dump, l := oursDumped(t, 64*mib, Shape{3, 4096, 1, 8}, nil)
	dump = dump[:strings.Index(dump, "bitmap[0]")] + "bitmap[0] { 64 times 0xFFFFFFFFFFFFFFFF; }\nbitmap[1] { }\nbitmap[2] { 0x0000000000000001; }\n"
	p := newPair(t, 64*mib)
	theirs := p.restoreBoth("v09", dump)
	count := func(dev string) (n int) {
		data := peek(t, dev, l.BM(), int(l.BMBytes))
		for i := 0; i < len(data); i += 12 {
			if i+4 <= len(data) && binary.LittleEndian.Uint32(data[i:]) == 0xffffffff {
				n++
			}
		}
		return n
	}
	if n := count(p.ours); n != 128 {
		t.Errorf("ours: %d words of the first slot are set, want 128", n)
	}
	n := count(p.theirs)
	p.loses(n != 128, "restore-md ends with %d, %d of 128 words of the first slot are set", theirs, n)
}

// TestLossRestoreCoarse: a dump with more than 4 KiB per bit. 9.22 restores it, later versions write to a wrong place.
func TestLossRestoreCoarse(t *testing.T) {
	shape := Shape{2, 65536, 1, 8}
	dump, l := oursDumped(t, 64*mib, shape, nil)
	dump = dump[:strings.Index(dump, "bitmap[0]")] + "bitmap[0] { 0xFFFFFFFFFFFFFFFF; }\nbitmap[1] { 0x0000000000000001; }\n"
	p := newPair(t, 64*mib)
	data := bytes.Repeat([]byte("data"), 16*kib/4) // the end of the data, which a bitmap of 4 KiB per bit would cover
	p.poke(l.Start()-int64(len(data)), data)
	theirs := p.restoreBoth("v09", dump)
	want := append(bytes.Repeat([]byte{0xff}, 4), 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
	if got := peek(t, p.ours, l.BM(), 16); !bytes.Equal(got, want) {
		t.Errorf("ours: the bitmap is % x, want % x", got, want)
	}
	if !bytes.Equal(peek(t, p.ours, l.Start()-int64(len(data)), len(data)), data) {
		t.Error("ours: data was overwritten")
	}
	left := peek(t, p.theirs, l.Start()-int64(len(data)), len(data))
	bitmap := peek(t, p.theirs, l.BM(), 16)
	t.Logf("the reference: restore-md ends with %d; data kept: %v; the bitmap is % x", theirs, bytes.Equal(left, data), bitmap)
}

// TestLossCoarseReplay: after a crash a device with coarse bits gets its extents marked.
func TestLossCoarseReplay(t *testing.T) {
	shape := Shape{2, 1 << 20, 1, 8}
	l := shapeLayout(t, shape, 64*mib)
	p := newPair(t, 64*mib)
	sb := Fresh(V09, shape)
	sb.SetLayout(l)
	sb.EffectiveSize, sb.Flags = l.Capacity, FlagPrimaryInd
	p.poke(l.Superblock, sb.Encode())
	p.poke(l.AL(), bytes.Repeat(InitialALBlock(), 8))
	p.poke(l.AL(), alBlock(0, nil, 67, update{0, 2}))
	_, theirs := p.both("-f - v09 DEV internal apply-al")
	want := []byte{0, 0x0f, 0, 0, 0, 0x0f, 0, 0}
	if got := peek(t, p.ours, l.BM(), 8); !bytes.Equal(got, want) {
		t.Errorf("ours: the bitmap is % x, want % x", got, want)
	}
	p.loses(theirs != 0, "apply-al with 1 MiB per bit ends with %d", theirs)
}

// TestLossLastExtent: the last extent of a device whose bitmap has no padding. 9.22 marks it, later versions do not.
func TestLossLastExtent(t *testing.T) {
	p := newPair(t, gib)
	shape := Shape{2, 4096, 1, 8}
	l := shapeLayout(t, shape, gib)
	p.both("-f - v09 DEV internal create-md 2")
	p.alter(V09, l.Superblock, func(sb *Superblock) { sb.Flags, sb.EffectiveSize = FlagPrimaryInd, 2096952 })
	p.poke(l.AL(), alBlock(0, nil, 67, update{0, 254}, update{1, 255}))
	p.both("-f - v09 DEV internal apply-al")
	if n := unmarked(t, p.ours, l, 2, []uint32{254, 255}); n != 0 {
		t.Errorf("ours: %d bits are not set", n)
	}
	n := unmarked(t, p.theirs, l, 2, []uint32{254, 255})
	t.Logf("the reference leaves %d bits unset", n)
	if p.isKnown() && n != 0 {
		t.Error("9.22 was thought to mark the last extent")
	}
}

// TestLossDumpFlags: a dump of v08 metadata carries its flags.
func TestLossDumpFlags(t *testing.T) {
	p := newPair(t, 64*mib)
	const sb = 64*mib - BlockSize
	p.both("-f - v08 DEV internal create-md")
	p.alter(V08, sb, func(s *Superblock) { s.Flags = FlagConsistent | FlagWasUpToDate | FlagALClean })
	p.both("-f - v08 DEV internal dump-md")
	if !strings.Contains(p.out.String(), "flags 0x00000091;") {
		t.Errorf("ours: flags are not in the dump\n%s", p.out.String())
	}
	out, _, _ := p.reference.run(t, filepath.Dir(p.theirs), "-f", "-", "v08", p.theirs, "internal", "dump-md")
	p.loses(!strings.Contains(out, "flags 0x00000091;"), "dump-md does not tell the flags, and restore-md makes the node Inconsistent")
}

// TestLossConversion: v09 with several slots does not become v08, whose bitmap would be a mixture.
func TestLossConversion(t *testing.T) {
	p := newPair(t, 64*mib)
	l := shapeLayout(t, Shape{2, 4096, 1, 8}, 64*mib)
	p.both("-f - v09 DEV internal create-md 2")
	p.poke(l.BM(), bytes.Repeat([]byte{0xff}, int(l.BMBytes)))
	before := contentSum(t, p.ours)
	_, _, theirs := p.reference.run(t, filepath.Dir(p.theirs), "-f", "-", "v08", p.theirs, "internal", "create-md")
	p.fails(exitOption, "has bitmaps for 2 peers", "-f", "-", "v08", p.ours, "internal", "create-md")
	if contentSum(t, p.ours) != before {
		t.Error("ours: a refused conversion changed the device")
	}
	p.loses(theirs == 0, "create-md v08 over v09 with two slots ends with %d", theirs)
}
