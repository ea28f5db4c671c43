package meta

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"testing"
)

// crashed is a device of 1 GiB with one slot whose log is made by the test.
type crashed struct {
	*bench
	dev            string
	sb, al, bm     int64
	perBit, slots  uint32
	bitmapBytes    int
	effectiveBytes uint64
}

func newCrashed(t *testing.T, slots, perBit uint32, flags uint32, blocks map[int][]byte) *crashed {
	t.Helper()
	layout, err := NewLayout(Internal, Shape{slots, perBit, 1, 8}, gib)
	if err != nil {
		t.Fatal(err)
	}
	c := &crashed{bench: newBench(t), dev: image(t, gib), sb: layout.Superblock, al: layout.AL(), bm: layout.BM(), perBit: perBit,
		slots: slots, bitmapBytes: int(layout.BMBytes)}
	sb := Fresh(V09, Shape{slots, perBit, 1, 8})
	sb.SetLayout(layout)
	sb.Flags, sb.EffectiveSize = flags, layout.Capacity
	poke(t, c.dev, c.sb, sb.Encode())
	for i := range 8 {
		poke(t, c.dev, c.al+int64(i)*BlockSize, InitialALBlock())
	}
	for i, block := range blocks {
		poke(t, c.dev, c.al+int64(i)*BlockSize, block)
	}
	return c
}

// extents are those whose bits are all set in all slots; any other set bit fails.
func (c *crashed) extents() []uint32 {
	c.t.Helper()
	data := peek(c.t, c.dev, c.bm, c.bitmapBytes)
	var found []uint32
	marked := 0
	for e := range uint32(gib / extentBytes) {
		per := extentBytes / c.perBit
		set := 0
		for slot := range c.slots {
			for bit := e * per; bit < (e+1)*per; bit++ {
				word := binary.LittleEndian.Uint32(data[4*(bit/32*c.slots+slot):])
				set += int(word >> (bit % 32) & 1)
			}
		}
		if set == int(per*c.slots) {
			found = append(found, e)
		}
		if set != 0 {
			marked += set
		}
	}
	total := 0
	for i := range data {
		total += bits.OnesCount8(data[i])
	}
	if total != marked || marked != len(found)*int(extentBytes/c.perBit*c.slots) {
		c.t.Errorf("%d bits are set, %d in extents, %d in full ones", total, marked, len(found)*int(extentBytes/c.perBit*c.slots))
	}
	return found
}

// TestReplay is the table of verified results of section 5.7.
func TestReplay(t *testing.T) {
	zero := make([]byte, BlockSize)
	allZero := map[int][]byte{}
	for i := range 8 {
		allZero[i] = zero
	}
	torn := alBlock(1, []uint32{5}, 67, update{0, 9})
	torn[100] ^= 1
	ring := map[int][]byte{}
	for n := uint32(3); n <= 10; n++ {
		ring[int(n%8)] = alBlock(n, nil, 67, update{uint16(n), n * 10})
	}
	wrapped := map[int][]byte{}
	free := slices.Repeat([]uint32{alFree}, 67)
	for i := range uint32(6) {
		n := i - 3 // 0xfffffffd to 2
		wrapped[int(n%8)] = alBlock(n, free, 67, update{0, 20 + i})
	}
	both := map[int][]byte{0: alBlock(0, nil, 67, update{0, 5}, update{1, 7})}
	cases := []struct {
		name    string
		blocks  map[int][]byte
		flags   uint32
		exit    int
		extents []uint32
		flagsTo uint32
		initial bool // the log is empty afterwards
	}{
		{"nothing happened", nil, FlagPrimaryInd, 0, nil, FlagPrimaryInd | FlagALClean, true},
		{"two updates", both, FlagPrimaryInd, 0, []uint32{5, 7}, FlagPrimaryInd | FlagALClean, true},
		{"not needed", both, 0, 0, nil, FlagALClean, true},
		{"slot taken again", map[int][]byte{0: alBlock(0, nil, 67, update{0, 5}), 1: alBlock(1, []uint32{5}, 67, update{0, 9})},
			FlagPrimaryInd, 0, []uint32{9}, FlagPrimaryInd | FlagALClean, true},
		{"torn newest", map[int][]byte{0: alBlock(0, nil, 67, update{0, 5}), 1: torn}, FlagPrimaryInd, 0, []uint32{5},
			FlagPrimaryInd | FlagALClean, true},
		{"context frees", ring, FlagPrimaryInd, 0, []uint32{100}, FlagPrimaryInd | FlagALClean, true},
		{"number wraps", wrapped, FlagPrimaryInd, 0, []uint32{25}, FlagPrimaryInd | FlagALClean, true},
		{"no log", allZero, FlagPrimaryInd, 1, nil, FlagPrimaryInd, false},
		{"no log, not needed", allZero, 0, 0, nil, FlagALClean, true},
		{"first block torn", map[int][]byte{0: zero}, FlagPrimaryInd, 0, nil, FlagPrimaryInd | FlagALClean, true},
		{"second block torn", map[int][]byte{1: zero}, FlagPrimaryInd, 2, nil, FlagPrimaryInd, false},
		{"second block torn, not needed", map[int][]byte{1: zero}, 0, 0, nil, FlagALClean, true},
		{"clean is not looked at", both, FlagPrimaryInd | FlagALClean, 0, []uint32{5, 7}, FlagPrimaryInd | FlagALClean, true},
		{"last extent of the device", map[int][]byte{0: alBlock(0, nil, 67, update{0, 255}, update{1, 254})}, FlagPrimaryInd, 0,
			[]uint32{254, 255}, FlagPrimaryInd | FlagALClean, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, slots := range []uint32{1, 2, 7} {
				d := newCrashed(t, slots, 4096, c.flags, c.blocks)
				before := peek(t, d.dev, d.al, 8*BlockSize)
				if code := d.run("--force", "-", "v09", d.dev, "internal", "apply-al"); code != c.exit {
					t.Fatalf("exit %d, want %d\n%s", code, c.exit, d.err.String())
				}
				if got := d.extents(); !slices.Equal(got, c.extents) {
					t.Errorf("%d slots: extents %v, want %v", slots, got, c.extents)
				}
				if got := superblock(t, V09, d.dev, d.sb).Flags; got != c.flagsTo {
					t.Errorf("flags 0x%x, want 0x%x", got, c.flagsTo)
				}
				after := peek(t, d.dev, d.al, 8*BlockSize)
				if c.initial != bytes.Equal(after, bytes.Repeat(InitialALBlock(), 8)) {
					t.Errorf("log initialised: %v, want %v", !c.initial, c.initial)
				}
				if c.exit != 0 && !bytes.Equal(before, after) {
					t.Error("a log that could not be read was changed")
				}
			}
		})
	}
}

// TestReplayCoarse: extents smaller than a word of the bitmap, and beyond the end.
func TestReplayCoarse(t *testing.T) {
	blocks := map[int][]byte{0: alBlock(0, nil, 67, update{0, 5}, update{1, 9}, update{2, 255}, update{3, 1 << 20}, update{4, 1 << 30})}
	for _, perBit := range []uint32{4096, 8192, 65536, 128 << 10, 256 << 10, 512 << 10, 1 << 20} {
		for _, slots := range []uint32{1, 3} {
			c := newCrashed(t, slots, perBit, FlagPrimaryInd, blocks)
			c.must("--force", "-", "v09", c.dev, "internal", "apply-al")
			if got := c.extents(); !slices.Equal(got, []uint32{5, 9, 255}) {
				t.Errorf("%d bytes per bit, %d slots: extents %v", perBit, slots, got)
			}
			for _, beyond := range []string{"extent 1048576 beyond", "extent 1073741824 beyond"} {
				if !bytes.Contains(c.err.Bytes(), []byte(beyond)) {
					t.Errorf("%d bytes per bit: not told: %s\n%s", perBit, beyond, c.err.String())
				}
			}
		}
	}
}

// oldSectorOf makes a transaction of the format before 8.4.
func oldSectorOf(number uint32, pairs ...update) []byte {
	sector := make([]byte, SectorSize)
	binary.BigEndian.PutUint32(sector, oldALMagic)
	binary.BigEndian.PutUint32(sector[4:], number)
	var xor uint32
	for i := range oldALPairs {
		slot, extent := uint32(alFree), uint32(alFree)
		if i < len(pairs) {
			slot, extent = uint32(pairs[i].slot), pairs[i].extent
		}
		binary.BigEndian.PutUint32(sector[8+8*i:], slot)
		binary.BigEndian.PutUint32(sector[12+8*i:], extent)
		xor ^= extent
	}
	binary.BigEndian.PutUint32(sector[oldALXorAt:], xor)
	return sector
}

// TestReplayOldFormat: metadata of an 8.3 that crashed becomes attachable, with its extents out of sync.
func TestReplayOldFormat(t *testing.T) {
	b := newBench(t)
	dev := image(t, gib)
	b.must("--force", "-", "v08", dev, "internal", "create-md")
	const sb, al, bm = 1073737728, 1073704960, 1073672192
	alter(t, V08, dev, sb, func(s *Superblock) {
		s.Flags, s.EffectiveSize, s.ALExtents = FlagConsistent|FlagPrimaryInd, 2097016, 257
	})
	area := make([]byte, 32*kib)
	copy(area, oldSectorOf(6, update{0, 9}, update{1, 7}))
	copy(area[5*SectorSize:], oldSectorOf(5, update{0, 5}, update{1, 7}))
	copy(area[1*SectorSize:], oldSectorOf(7, update{2, 11}))
	poke(t, dev, al, area)
	b.must("--force", "-", "v08", dev, "internal", "apply-al")
	got := superblock(t, V08, dev, sb)
	if got.Magic != MagicV08 || got.Flags != FlagConsistent|FlagPrimaryInd|FlagALClean {
		t.Errorf("magic 0x%x, flags 0x%x", got.Magic, got.Flags)
	}
	if !bytes.Equal(peek(t, dev, al, 32*kib), bytes.Repeat(InitialALBlock(), 8)) {
		t.Error("the log is not in the new format")
	}
	bitmap := peek(t, dev, bm, 32*kib)
	for e := range 256 {
		part := bitmap[e*128 : (e+1)*128]
		want := byte(0)
		if slices.Contains([]int{7, 9, 11}, e) {
			want = 0xff
		}
		if !bytes.Equal(part, bytes.Repeat([]byte{want}, 128)) {
			t.Errorf("extent %d: % x..., want %02x", e, part[:4], want)
		}
	}
}

// TestStripes: a log on three stripes is read in the order of the ring.
func TestStripes(t *testing.T) {
	b := newBench(t)
	dev := image(t, gib)
	b.must("--force", "-", "v09", dev, "internal", "--al-stripes", "3", "--al-stripe-size-kB", "16", "--effective-size", "1048576s",
		"create-md", "1")
	layout, err := NewLayout(Internal, Shape{1, 4096, 3, 4}, gib)
	if err != nil {
		t.Fatal(err)
	}
	places := []int64{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}
	for n := uint32(30); n < 42; n++ {
		context := []uint32{n - 1}
		poke(t, dev, layout.AL()+places[n%12]*BlockSize, alBlock(n, context, 67, update{0, n}))
	}
	alter(t, V09, dev, layout.Superblock, func(s *Superblock) { s.Flags = FlagPrimaryInd })
	b.must("--force", "-", "v09", dev, "internal", "apply-al")
	if b.err.String() != "Marked additional 4096 KB as out-of-sync based on AL.\n" {
		t.Errorf("apply-al says %q", b.err.String())
	}
	if bitmap := peek(t, dev, layout.BM()+41*128, 128); !bytes.Equal(bitmap, bytes.Repeat([]byte{0xff}, 128)) {
		t.Error("extent 41 is not marked")
	}
}
