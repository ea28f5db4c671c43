package meta

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// The formats of the log besides today's, built from the numbers of sections 5.8 and 5.9 and not with our codec.

// slotExtent is a slot of the log and the extent in it.
type slotExtent [2]uint32

// sectorAsWritten is a transaction of a kernel before 8.4: the update, then the context.
func sectorAsWritten(number uint32, pairs ...slotExtent) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0x83740267)
	b = binary.BigEndian.AppendUint32(b, number)
	var sum uint32
	for i := range 62 {
		p := slotExtent{0xffffffff, 0xffffffff}
		if i < len(pairs) {
			p = pairs[i]
		}
		b = binary.BigEndian.AppendUint32(b, p[0])
		b = binary.BigEndian.AppendUint32(b, p[1])
		sum ^= p[1]
	}
	b = binary.BigEndian.AppendUint32(b, sum)
	return binary.BigEndian.AppendUint32(b, 0)
}

type oldLog struct {
	name    string
	extents uint32 // al_nr_extents
	sectors map[int][]byte
	hot     []uint32
	says    string
}

func oldLogs() []oldLog {
	damaged := sectorAsWritten(9, slotExtent{0, 99})
	damaged[8+5] ^= 4
	noMagic := sectorAsWritten(9, slotExtent{0, 99})
	noMagic[0] = 0
	return []oldLog{
		{"an update goes over the context of its own sector", 127, map[int][]byte{0: sectorAsWritten(0, slotExtent{3, 8}, slotExtent{3, 7}, slotExtent{4, 6})},
			[]uint32{6, 8}, "3 corrupt"},
		{"a later context is newer than an update", 127, map[int][]byte{0: sectorAsWritten(0, slotExtent{3, 8}), 1: sectorAsWritten(1, slotExtent{9, 1}, slotExtent{3, 5})},
			[]uint32{1, 5}, ""},
		{"numbers wrap", 127, map[int][]byte{1: sectorAsWritten(0xffffffff, slotExtent{0, 11}), 2: sectorAsWritten(0, slotExtent{0, 12}), 3: sectorAsWritten(1, slotExtent{1, 13})},
			[]uint32{12, 13}, "1 corrupt"},
		{"127 extents have a ring of four sectors", 127, map[int][]byte{3: sectorAsWritten(7, slotExtent{0, 20}), 4: sectorAsWritten(8, slotExtent{0, 21})}, []uint32{20}, "3 corrupt"},
		{"257 extents have a ring of six sectors", 257, map[int][]byte{5: sectorAsWritten(7, slotExtent{0, 20}), 6: sectorAsWritten(8, slotExtent{0, 21})}, []uint32{20}, "5 corrupt"},
		{"3833 extents have all sectors", 3833, map[int][]byte{63: sectorAsWritten(63, slotExtent{3832, 20}), 0: sectorAsWritten(64, slotExtent{0, 21})}, []uint32{20, 21}, "62 corrupt"},
		{"a wrong sum", 127, map[int][]byte{0: sectorAsWritten(8, slotExtent{0, 4}), 1: damaged}, []uint32{4}, "3 corrupt"},
		{"a wrong magic number", 127, map[int][]byte{0: sectorAsWritten(8, slotExtent{0, 4}), 1: noMagic}, []uint32{4}, "3 corrupt"},
		{"a free slot in the context is no news", 127, map[int][]byte{0: sectorAsWritten(0, slotExtent{3, 8}), 1: sectorAsWritten(1, slotExtent{4, 9}, slotExtent{3, 0xffffffff})},
			[]uint32{8, 9}, ""},
		{"nothing valid", 127, nil, nil, "No usable activity log found."},
	}
}

// TestOldLog: v08 metadata of an 8.3 kernel and v07 metadata.
func TestOldLog(t *testing.T) {
	for _, c := range oldLogs() {
		for _, format := range []string{"v08", "v07"} {
			t.Run(format+" "+c.name, func(t *testing.T) {
				b := newBench(t)
				dev := image(t, gib)
				target := []string{"-f", "-", format, dev, "flex-internal"}
				b.must(append(slices.Clone(target), "create-md")...)
				const sb, al, bm = 1073737728, 1073704960, 1073672192
				block := peek(t, dev, sb, BlockSize)
				if format == "v08" {
					binary.BigEndian.PutUint64(block, 2097016) // la_size, sectors
					binary.BigEndian.PutUint32(block[56:], 3)  // consistent, primary
					binary.BigEndian.PutUint32(block[72:], c.extents)
				} else {
					binary.BigEndian.PutUint64(block, 1048508) // la_kb
					binary.BigEndian.PutUint32(block[8:], 3)
					binary.BigEndian.PutUint32(block[40:], c.extents)
				}
				poke(t, dev, sb, block)
				area := make([]byte, 32*kib)
				for at, sector := range c.sectors {
					copy(area[at*512:], sector)
				}
				poke(t, dev, al, area)
				b.must(append(slices.Clone(target), "apply-al")...)
				if !strings.Contains(b.err.String(), c.says) {
					t.Errorf("apply-al says %q, want %q", b.err.String(), c.says)
				}
				bitmap := peek(t, dev, bm, 32*kib)
				var got []uint32
				for e := range uint32(256) {
					switch part := bitmap[e*128 : (e+1)*128]; {
					case bytes.Equal(part, bytes.Repeat([]byte{0xff}, 128)):
						got = append(got, e)
					case !bytes.Equal(part, make([]byte, 128)):
						t.Errorf("extent %d is marked in part", e)
					}
				}
				if !slices.Equal(got, c.hot) {
					t.Errorf("extents %v, want %v", got, c.hot)
				}
				want := make([]byte, 32*kib)
				if format == "v08" {
					for i := 0; i < len(want); i += BlockSize {
						copy(want[i:], "\x69\xCB\x65\xA2\x00\x00\x00\x00\x70\x9C\xC6\x51\xFF\xFF")
					}
				}
				if !bytes.Equal(peek(t, dev, al, 32*kib), want) {
					t.Error("the log was not initialised")
				}
			})
		}
	}
}

// TestWhichLog: how v08 metadata tells its log's format. The area has an old transaction of extent 8, and a new one of extent 9.
func TestWhichLog(t *testing.T) {
	const sb, al, bm = 1073737728, 1073704960, 1073672192
	cases := []struct {
		name  string
		magic uint32
		block int // of the new transaction
		want  int // extent
	}{
		{"8.4 wrote it", 0x8374026C, 3, 9},
		{"first block", 0x8374026B, 0, 9},
		{"second block", 0x8374026B, 1, 9},
		{"neither", 0x8374026B, 2, 8},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			dev := image(t, gib)
			b.must("-f", "-", "v08", dev, "internal", "create-md")
			block := peek(t, dev, sb, BlockSize)
			binary.BigEndian.PutUint64(block, 2097016)
			binary.BigEndian.PutUint32(block[56:], 3)
			binary.BigEndian.PutUint32(block[60:], c.magic)
			poke(t, dev, sb, block)
			area := make([]byte, 32*kib)
			copy(area[512:], sectorAsWritten(1, slotExtent{0, 8}))
			copy(area[c.block*BlockSize:], alBlock(1, nil, 67, update{0, 9}))
			poke(t, dev, al, area)
			b.must("-f", "-", "v08", dev, "internal", "apply-al")
			for e := range 12 {
				if got := peek(t, dev, bm+int64(e)*128, 1)[0] == 0xff; got != (e == c.want) {
					t.Errorf("extent %d marked: %v", e, got)
				}
			}
			if got := binary.BigEndian.Uint32(peek(t, dev, sb+60, 4)); got != 0x8374026B {
				t.Errorf("magic 0x%x", got)
			}
		})
	}
}

// TestPmemLog: the slots of persistent memory, as many as the superblock says, over several blocks.
func TestPmemLog(t *testing.T) {
	cases := []struct {
		name    string
		extents uint32
		slots   map[int]uint32
		hot     []uint32
	}{
		{"first and last", 67, map[int]uint32{0: 5, 66: 9, 3: 5}, []uint32{5, 9}},
		{"behind the last slot", 67, map[int]uint32{0: 5, 67: 9}, []uint32{5}},
		{"second block", 1237, map[int]uint32{1023: 6, 1022: 7, 1236: 8}, []uint32{6, 7, 8}},
		{"all of the area", 8*1024 - 1, map[int]uint32{8*1024 - 2: 3}, []uint32{3}},
		{"more slots than the area has", 65534, map[int]uint32{8*1024 - 2: 3}, []uint32{3}},
		{"all free", 1237, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := newCrashed(t, 2, 4096, FlagPrimaryInd, nil)
			alter(t, V09, d.dev, d.sb, func(sb *Superblock) { sb.ALExtents = c.extents })
			area := bytes.Repeat([]byte{0xff}, 32*kib)
			copy(area, "\x6A\xA6\x67\xA6")
			for slot, extent := range c.slots {
				binary.BigEndian.PutUint32(area[4+4*slot:], extent)
			}
			poke(t, d.dev, d.al, area)
			dump := d.must("-f", "-vvvvvvvvvv", "-", "v09", d.dev, "internal", "dump-md")
			if want := "# slot[0]: "; !strings.Contains(dump, want) {
				t.Errorf("dump-md does not show the slots:\n%s", dump)
			}
			d.must("-f", "-", "v09", d.dev, "internal", "apply-al")
			if got := d.extents(); !slices.Equal(got, c.hot) {
				t.Errorf("extents %v, want %v", got, c.hot)
			}
			if sb := superblock(t, V09, d.dev, d.sb); !sb.Clean() || sb.Flags&FlagPrimaryInd == 0 {
				t.Errorf("flags 0x%x", sb.Flags)
			}
			if !bytes.Equal(peek(t, d.dev, d.al, 32*kib), bytes.Repeat(InitialALBlock(), 8)) {
				t.Error("the log is not in the format of blocks")
			}
		})
	}
}

// TestReferenceOtherLogs: the stock tool finds the same in these formats.
func TestReferenceOtherLogs(t *testing.T) {
	referenceTool(t)
	const sb, al = 1073737728, 1073704960
	for _, c := range oldLogs() {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, gib)
			p.step("--force - v08 DEV internal create-md")
			p.alter(V08, sb, func(s *Superblock) { s.Flags, s.EffectiveSize, s.ALExtents = 3, 2097016, c.extents })
			area := make([]byte, 32*kib)
			for at, sector := range c.sectors {
				copy(area[at*512:], sector)
			}
			p.poke(al, area)
			p.step("--force - v08 DEV internal apply-al")
			p.step("--force - v08 DEV internal dump-md")
		})
	}
	t.Run("persistent memory", func(t *testing.T) {
		p := newPair(t, gib)
		p.step("--force - v09 DEV internal create-md 1")
		p.alter(V09, sb, func(s *Superblock) { s.Flags, s.EffectiveSize, s.ALExtents = FlagPrimaryInd, 2097016, 67 })
		p.poke(al, pmemArea(5, alFree, 200, 255))
		p.step("--force - v09 DEV internal apply-al")
		p.step("--force - v09 DEV internal dump-md")
	})
}
