package meta

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whatever is on a device, it is read without harm, and what is not recognised is not written to. Seeds that found something, or that
// reach far, are in testdata/fuzz. FuzzDump and FuzzSuperblock are in dump_test.go.

// fuzzRing makes a ring of eight blocks: one for each eight bytes of the script, with right sums.
func fuzzRing(script []byte) []byte {
	area := bytes.Repeat(InitialALBlock(), 8)
	for ; len(script) >= 8; script = script[8:] {
		block := area[int(script[0]%8)*BlockSize:][:BlockSize]
		if script[0]&8 != 0 {
			clear(block)
			continue
		}
		copy(block, emptyUpdate(uint32(int8(script[1]))))
		be.PutUint16(block[12:], uint16(script[0]>>7)) // a type that is unknown
		be.PutUint16(block[14:], uint16(script[2]))
		be.PutUint16(block[16:], uint16(script[3])<<2)
		be.PutUint16(block[18:], uint16(script[4])<<8)
		be.PutUint16(block[alAtSlots+2*int(script[5]%alUpdates):], uint16(script[6])<<4)
		be.PutUint32(block[alAtExtents+4*int(script[5]%alUpdates):], uint32(script[7]))
		be.PutUint32(block[alAtContext+4*int(script[5]):], uint32(script[6]))
		be.PutUint32(block[alAtCRC:], blockCRC(block))
	}
	return area
}

// named are all numbers of a log at the places of extents.
func named(area []byte) map[uint32]bool {
	all := map[uint32]bool{}
	for base := 0; base < len(area); base += BlockSize {
		for at := alAtExtents; at < BlockSize; at += 4 {
			all[be.Uint32(area[base+at:])] = true
		}
	}
	return all
}

// FuzzActivityLog: the hot extents are in order, each once, and all of them are named by the log.
func FuzzActivityLog(f *testing.F) {
	f.Add([]byte("\x00\x01\x01\x10\x00\x00\x00\x05"), []byte{}, uint16(0))
	f.Add([]byte("\x01\xff\x40\x10\x00\x3f\xff\x05\x02\x00\x02\xff\x04\x01\x07\x09"), []byte{1}, uint16(4097))
	f.Add([]byte("\x08\x00\x00\x00\x00\x00\x00\x00\x83\x07\x02\x10\x00\x01\x07\x09"), []byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, script, noise []byte, at uint16) {
		area := fuzzRing(script)
		copy(area[int(at)%len(area):], noise)
		for _, shape := range [][2]uint32{{1, 8}, {2, 4}, {8, 1}} {
			r, err := ReplayAL(bytes.NewReader(area), shape[0], shape[1])
			if err != nil {
				t.Fatal(err)
			}
			all := named(area)
			for i, e := range r.Extents {
				if e == alFree || i > 0 && e <= r.Extents[i-1] || !all[e] {
					t.Fatalf("extents %d", r.Extents)
				}
			}
			if r.Corrupt > 8 || r.Verdict != ReplayExtents && len(r.Extents) > 0 || (r.Verdict == ReplayNoBlock) != (r.Corrupt == 8) {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// FuzzOldLog: the formats before 8.4 and of persistent memory.
func FuzzOldLog(f *testing.F) {
	f.Add(sectorAsWritten(7, slotExtent{1, 2}, slotExtent{3, 4})[:32], uint32(127), true)
	f.Add(append([]byte("\x6A\xA6\x67\xA6\x00\x00\x00\x05"), bytes.Repeat([]byte{0xff}, 40)...), uint32(9), false)
	f.Fuzz(func(t *testing.T, sectors []byte, extents uint32, seal bool) {
		area := make([]byte, oldALSectors*SectorSize)
		for i := 0; i*32 < len(sectors) && i < oldALSectors; i++ { // the begin of a sector tells much with few bytes
			copy(area[i*SectorSize:], sectors[i*32:min((i+1)*32, len(sectors))])
			if sector := area[i*SectorSize:][:SectorSize]; seal {
				var sum uint32
				for p := range oldALPairs {
					sum ^= be.Uint32(sector[12+8*p:])
				}
				be.PutUint32(sector[oldALXorAt:], sum)
			}
		}
		for _, r := range []Replay{ReplayOldAL(area, extents), ReplayPmemAL(area, extents)} {
			if !slices.IsSorted(r.Extents) || slices.Contains(r.Extents, alFree) || r.Corrupt > oldALSectors {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// FuzzBitmap: a bitmap of any content and shape is dumped, and restored as it was.
func FuzzBitmap(f *testing.F) {
	f.Add(uint8(1), uint8(0), uint16(2000), []byte{1, 2, 3, 4})
	f.Add(uint8(7), uint8(0), uint16(65535), bytes.Repeat([]byte{0xff}, 300))
	f.Add(uint8(3), uint8(8), uint16(9), []byte{0, 0, 0, 0, 0, 0x80})
	f.Fuzz(func(t *testing.T, slots, coarse uint8, sectors uint16, content []byte) {
		shape := Shape{uint32(slots)%MaxSlots + 1, 4096 << (coarse % 9), 1, 8}
		const size = 32*mib + 1536
		l, err := NewLayout(Internal, shape, size)
		if err != nil {
			t.Fatal(err)
		}
		sb := Fresh(V09, shape)
		sb.SetLayout(l)
		sb.EffectiveSize = min(uint64(sectors), l.Capacity)
		b := newBench(t)
		dev, copied := image(t, size), image(t, size)
		r := newBitmapReader(nil, 0, min(BitmapBytes(sb.EffectiveSize, shape.BytesPerBit, shape.Slots), l.BMBytes), int64(shape.Slots))
		bitmap := make([]byte, r.bytes)
		for i := 0; len(content) > 0 && i < len(bitmap); i++ {
			bitmap[i] = content[i%len(content)]
		}
		for slot := range shape.Slots { // a last single word is in no dump
			if words := r.words(slot); words%2 == 1 {
				binary.LittleEndian.PutUint32(bitmap[4*r.index(slot, words-1):], 0)
			}
		}
		poke(t, dev, l.Superblock, sb.Encode())
		poke(t, dev, l.AL(), bytes.Repeat(InitialALBlock(), 8))
		poke(t, dev, l.BM(), bitmap)
		dump := filepath.Join(t.TempDir(), "dump")
		if err := os.WriteFile(dump, []byte(b.must("-f", "-", "v09", dev, "internal", "dump-md")), 0o600); err != nil {
			t.Fatal(err)
		}
		b.must("-f", "-", "v09", copied, "internal", "restore-md", dump)
		if at := firstDifference(t, dev, copied); contentSum(t, dev) != contentSum(t, copied) {
			t.Fatalf("restored differently from byte %d on; the bitmap begins at %d", at, l.BM())
		}
	})
}

// FuzzUnrecognised: commands on a device with any block where metadata would be. What they do not recognise they leave alone; what they
// do is not written to outside of it.
func FuzzUnrecognised(f *testing.F) {
	const size = 2 * mib
	for format, slots := range map[Format]uint32{V07: 1, V08: 1, V09: 3} {
		shape := Shape{slots, 4096, 1, 8}
		sb := Fresh(format, shape)
		l, err := NewLayout(Internal, shape, size)
		if err != nil {
			f.Fatal(err)
		}
		sb.SetLayout(l)
		sb.Flags |= FlagPrimaryInd
		f.Add(sb.Encode()[:200], []byte{9, 8, 7}, uint8(format))
	}
	lines := []string{"apply-al", "outdate", "invalidate", "wipe-md", "write-dev-uuid 77", "set-gi -i 1 1:2:3:4", "forget-peer -i 1", "repair-md",
		"check-resize", "dump-md", "get-gi -i 1", "show-gi -i 1", "dump-superblock -o json", "dstate", "read-dev-uuid"}
	f.Fuzz(func(t *testing.T, head, log []byte, choice uint8) {
		b := newBench(t)
		dev := image(t, size)
		data := bytes.Repeat([]byte{0x77}, 64*kib)
		for at := int64(0); at < size-mib; at += int64(len(data)) {
			poke(t, dev, at, data)
		}
		const at = size - BlockSize
		block := make([]byte, BlockSize)
		copy(block, head)
		poke(t, dev, at, block)
		poke(t, dev, at-36*kib, log[:min(len(log), 36*kib)])
		before := contentSum(t, dev)
		for _, format := range []Format{V07, V08, V09} {
			line := strings.Fields(lines[int(choice)%len(lines)])
			if i := slices.Index(line, "-i"); i > 0 && format != V09 {
				line = slices.Delete(line, i, i+2)
			}
			now := peek(t, dev, at, BlockSize)
			sb, ok := Decode(format, now)
			start := int64(size)
			if ok {
				if l, bad := sb.Check(Internal, size); len(bad) == 0 {
					start = l.Start()
				}
			}
			kept := peek(t, dev, 0, int(min(start, size)))
			b.run(append([]string{"-f", "-", format.String(), dev, "flex-internal"}, line...)...)
			if !bytes.Equal(peek(t, dev, 0, len(kept)), kept) {
				t.Fatalf("%v with %s changed what is not metadata (before: %x)", line, format, before[:4])
			}
		}
	})
}
