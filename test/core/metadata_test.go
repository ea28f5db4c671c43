package core

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	flexExt  = -2
	internal = -3
)

// vector is a file of testdata/metadata: superblock, activity log, first bitmap page.
func vector(t *testing.T, name string) (sb, al, bm []byte) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata/metadata", name+".bin.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b[:4096], b[4096 : len(b)-4096], b[len(b)-4096:]
}

// TestSuperblockVectors: what stock tools wrote is read, fits its device, and comes
// out the same.
func TestSuperblockVectors(t *testing.T) {
	for _, v := range []struct {
		name              string
		index             int
		bytes, sb, al, bm uint64
		format, slots     int
		clean             bool
	}{
		{"01-v09-int-1GiB-p1-fresh", internal, 1 << 30, 1073737728, 1073704960, 1073672192, 9, 1, true},
		{"02-v08-int-1GiB-restored", internal, 1 << 30, 1073737728, 1073704960, 1073672192, 8, 1, true},
		{"03-v09-int-3140676KiB-p7-restored", internal, 3216052224, 3216048128, 3216015360, 3215327232, 9, 7, true},
		{"04-v09-int-1GiB-p3-bm64k-setall", internal, 1 << 30, 1073737728, 1073704960, 1073696768, 9, 3, true},
		{"05-v09-flexext-10MiB-p31-al3x16k", flexExt, 10485760, 0, 4096, 53248, 9, 31, true},
		{"06-v09-alreplay-1GiB-p2-before", internal, 1 << 30, 1073737728, 1073704960, 1073639424, 9, 2, false},
		{"06-v09-alreplay-1GiB-p2-after", internal, 1 << 30, 1073737728, 1073704960, 1073639424, 9, 2, true},
	} {
		t.Run(v.name, func(t *testing.T) {
			block, _, _ := vector(t, v.name)
			sb, again, e := decodeSuperblock(block)
			if e != 0 {
				t.Fatal(mdError(e))
			}
			if sb.Format != v.format || int(sb.Slots) != v.slots || sb.Clean != v.clean {
				t.Errorf("format %d, slots %d, clean %v", sb.Format, sb.Slots, sb.Clean)
			}
			if !bytes.Equal(block, again) {
				for i := range block {
					if block[i] != again[i] {
						t.Fatalf("byte %d was %#x, encoded %#x", i, block[i], again[i])
					}
				}
			}
			l, e := checkLayout(block, v.index, v.bytes)
			if e != 0 {
				t.Fatal(mdError(e))
			}
			if l.SbSector != v.sb/512 || l.AlSector != v.al/512 || l.BmSector != v.bm/512 {
				t.Errorf("%+v", l)
			}
			fresh, e := layout(v.index, v.slots, sb.PerBit, sb.AlStripes, sb.AlStripe4K, v.bytes)
			if e != 0 || fresh != l {
				t.Errorf("%s: a new layout is %+v, this one %+v", mdError(e), fresh, l)
			}
		})
	}
	block, _, _ := vector(t, "01-v09-int-1GiB-p1-fresh")
	l, _ := layout(internal, 1, 4096, 1, 8, 1<<30)
	if fresh := freshSuperblock(9, 1, l, 1, 8); !bytes.Equal(fresh, block) {
		t.Errorf("fresh metadata differs from the tool's (-want +got):\n%s", cmp.Diff(hex.Dump(block[:256]), hex.Dump(fresh[:256])))
	}
	block, _, _ = vector(t, "05-v09-flexext-10MiB-p31-al3x16k")
	l, _ = layout(flexExt, 31, 4096, 3, 4, 10485760)
	if fresh := freshSuperblock(9, 31, l, 3, 4); !bytes.Equal(fresh, block) {
		t.Error("fresh striped metadata differs from the tool's")
	}
}

func TestV08IsMappedToOnePeer(t *testing.T) {
	block, _, bm := vector(t, "02-v08-int-1GiB-restored")
	sb, _, _ := decodeSuperblock(block)
	be := binary.BigEndian
	if sb.PeerUUID[0] != be.Uint64(block[16:]) || sb.PeerIndex[0] != 0 || sb.PeerIndex[1] != -1 {
		t.Errorf("peer %x %d", sb.PeerUUID[0], sb.PeerIndex[0])
	}
	if sb.History[0] != be.Uint64(block[24:]) || sb.History[1] != be.Uint64(block[32:]) {
		t.Error("history")
	}
	// 0xd5 on disk: CONNECTED_IND becomes the peer's.
	if sb.Flags != 0xd1 || sb.PeerFlags[0]&0x7fffffff != 1 {
		t.Errorf("flags %#x, of the peer %#x", sb.Flags, sb.PeerFlags[0])
	}
	b := NewBitmap(2*1048508, 1, 12)
	defer b.Free()
	b.Load(0, bm)
	if b.Weight(0) == 0 {
		t.Error("no bit set")
	}
}

// TestInterleavedBitmap: slots of vector 03, as its README describes them.
func TestInterleavedBitmap(t *testing.T) {
	_, _, bm := vector(t, "03-v09-int-3140676KiB-p7-restored")
	b := NewBitmap(2*3139968, 7, 12)
	defer b.Free()
	b.Load(0, bm)
	if diff := cmp.Diff([][2]uint64{{36, 43}}, b.Runs(6)); diff != "" {
		t.Errorf("slot 6 (-want +got):\n%s", diff)
	}
	if runs := b.Runs(2); !slices.Contains(runs, [2]uint64{127, 127}) {
		t.Errorf("slot 2: %v", runs)
	}
}

func TestBadSuperblocks(t *testing.T) {
	good, _, _ := vector(t, "03-v09-int-3140676KiB-p7-restored")
	be := binary.BigEndian
	for _, c := range []struct {
		name string
		want string
		edit func(b []byte)
	}{
		{"no magic", "no metadata found", func(b []byte) { be.PutUint32(b[60:], 0) }},
		{"v07", "metadata of format v07, which has to be converted first", func(b []byte) {
			clear(b)
			be.PutUint32(b[28:], 0x8374026a)
		}},
		{"no slots", "impossible number of bitmap slots, slot number or node id", func(b []byte) { be.PutUint32(b[88:], 0) }},
		{"33 slots", "impossible number of bitmap slots, slot number or node id", func(b []byte) { be.PutUint32(b[88:], 33) }},
		{"slot behind the end", "impossible number of bitmap slots, slot number or node id", func(b []byte) { be.PutUint32(b[112+20:], 7) }},
		{"slot used twice", "impossible number of bitmap slots, slot number or node id", func(b []byte) { be.PutUint32(b[112+32+20:], 0) }},
		{"slot for itself", "impossible number of bitmap slots, slot number or node id", func(b []byte) { be.PutUint32(b[92:], 1) }},
		{"granularity", "impossible bitmap granularity", func(b []byte) { be.PutUint32(b[80:], 4097) }},
		{"granularity too coarse", "impossible bitmap granularity", func(b []byte) { be.PutUint32(b[80:], 2<<20) }},
		{"no activity log", "impossible shape of the activity log", func(b []byte) { be.PutUint32(b[96:], 0) }},
		{"product wraps", "impossible shape of the activity log", func(b []byte) {
			be.PutUint32(b[96:], 1<<31)
			be.PutUint32(b[100:], 1<<31)
		}},
	} {
		b := bytes.Clone(good)
		c.edit(b)
		if _, _, e := decodeSuperblock(b); mdError(e) != c.want {
			t.Errorf("%s: %s", c.name, mdError(e))
		}
	}
	for _, c := range []struct {
		name string
		edit func(b []byte)
	}{
		{"al_offset", func(b []byte) { be.PutUint32(b[68:], 0xffffffb8) }},
		{"bm_offset", func(b []byte) { be.PutUint32(b[76:], 0xfffffff8) }},
		{"bm_offset positive", func(b []byte) { be.PutUint32(b[76:], 72) }},
		{"size too small for the slots", func(b []byte) { be.PutUint32(b[64:], 136); be.PutUint32(b[76:], 0xffffff80) }},
		{"size 0", func(b []byte) { be.PutUint32(b[64:], 0) }},
	} {
		b := bytes.Clone(good)
		c.edit(b)
		if _, e := checkLayout(b, internal, 3216052224); mdError(e) != "offsets and sizes do not fit this device" {
			t.Errorf("%s: %s", c.name, mdError(e))
		}
	}
}

// TestLayouts are the verified examples of the specification.
func TestLayouts(t *testing.T) {
	const gib, tib, kib = 1 << 30, 1 << 40, 1 << 10
	for _, c := range []struct {
		index, slots             int
		perBit, stripes, stripe4 uint32
		bytes, sb                uint64
		md                       uint32
		al, bm                   int32
		capacity                 uint64 // sectors
	}{
		{internal, 1, 4096, 1, 8, gib, 1073737728, 136, -64, -128, 2 * 1048508},
		{internal, 31, 4096, 1, 8, gib, 1073737728, 2056, -64, -2048, 2 * 1047548},
		{internal, 7, 4096, 1, 8, 10 * gib, 10737414144, 4552, -64, -4544, 2 * 10483484},
		{internal, 7, 4096, 1, 8, 3140676 * kib, 3216048128, 1416, -64, -1408, 2 * 3139968},
		{internal, 7, 4096, 1, 8, 3140676*kib + 1536, 3216048128, 1416, -64, -1408, 2 * 3139968},
		{internal, 31, 4096, 1, 8, 6 * tib, 6597069762560, 12189768, -64, -12189760, 2 * 6436356060},
		{internal, 1, 4096, 1, 8, 69632, 65536, 80, -64, -72, 2 * 28},
		{internal, 1, 4096, 1, 8, 1 << 20, 1044480, 80, -64, -72, 2 * 984},
		{internal, 7, 65536, 1, 8, 6 * tib, 6597069762560, 172104, -64, -172096, 2 * 6442364892},
		{internal, 7, 1 << 20, 1, 8, 6 * tib, 6597069762560, 10824, -64, -10816, 2 * 6442445532},
		{internal, 2, 4096, 7, 16, 10 * gib, 10737414144, 2184, -896, -2176, 2 * 10484668},
		{flexExt, 1, 4096, 1, 8, 128 << 20, 0, 262144, 8, 72, 8587575296},
		{flexExt, 7, 4096, 1, 8, 128 << 20, 0, 262144, 8, 72, 1226796032},
		{flexExt, 31, 4096, 1, 8, 128 << 20, 0, 262144, 8, 72, 277018112},
		{flexExt, 3, 1 << 20, 1, 8, 10 << 20, 0, 20480, 8, 72, 57064816640},
		{flexExt, 3, 4096, 1, 8, 10<<20 + 1536, 0, 20483, 8, 72, 222942208},
		{0, 1, 4096, 1, 8, gib, 0, 262144, 8, 72, 8587575296},
		{7, 1, 4096, 1, 8, gib, 939524096, 262144, 8, 72, 8587575296},
		{2, 3, 4096, 1, 8, gib, 268435456, 262144, 8, 72, 2862524928},
	} {
		l, e := layout(c.index, c.slots, c.perBit, c.stripes, c.stripe4, c.bytes)
		if e != 0 {
			t.Errorf("%+v: %s", c, mdError(e))
			continue
		}
		if l.SbSector*512 != c.sb || l.MdSize != c.md || l.AlOffset != c.al || l.BmOffset != c.bm || l.Capacity != c.capacity {
			t.Errorf("%+v:\ngot %+v", c, l)
		}
	}
	for _, c := range []struct {
		index, slots    int
		perBit, stripes uint32
		bytes           uint64
	}{
		{8, 1, 4096, 1, gib},
		{internal, 1, 4096, 1, 69631},
		{internal, 33, 4096, 1, gib},
		{internal, 0, 4096, 1, gib},
		{0, 1, 8192, 1, gib},
		{0, 1, 4096, 2, gib},
		{-1, 1, 4096, 1, gib},
		{256, 1, 4096, 1, 64 * gib},
		{internal, 1, 4096, 0, gib},
		{internal, 1, 4096, 4096, 70000},
	} {
		if l, e := layout(c.index, c.slots, c.perBit, c.stripes, 8, c.bytes); e == 0 {
			t.Errorf("%+v accepted: %+v", c, l)
		}
	}
	for _, c := range [][4]uint32{{1237, 1, 8, 1237}, {60000, 1, 8, 6433}, {60000, 1, 80, 60000}, {1, 1, 8, 67}} {
		if got := alExtents(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("al-extents %d with %d x %d: %d", c[0], c[1], c[2], got)
		}
	}
}

func TestActivityLogBlocks(t *testing.T) {
	if crc := alCRC([]byte("123456789")); crc != 0x58e3fa20 {
		t.Errorf("crc %#x", crc)
	}
	want, _ := hex.DecodeString("69cb65a200000000709cc651ffff000000000000")
	if b := alInitBlock(); !bytes.Equal(b[:20], want) {
		t.Errorf("empty block %x", b[:20])
	}
	for i, want := range []uint32{0, 4, 8, 1, 5, 9, 2} {
		if got := alRingBlock(uint32(i), 3, 4); got != want {
			t.Errorf("transaction %d is in block %d", i, got)
		}
	}
	// The ring that create-md made, striped.
	_, al, _ := vector(t, "05-v09-flexext-10MiB-p31-al3x16k")
	for i := range 12 {
		if !bytes.Equal(al[i*4096:(i+1)*4096], alInitBlock()) {
			t.Errorf("block %d differs", i)
		}
	}
	if _, v, _ := alReplay(al, 3, 4); v != replayNothing {
		t.Errorf("verdict %d", v)
	}
	// Transactions that the real tools accepted.
	_, al, _ = vector(t, "06-v09-alreplay-1GiB-p2-before")
	context := make([]uint32, 67)
	for i := range context {
		context[i] = 0xffffffff
	}
	for _, tr := range []struct {
		number  uint32
		updates []alUpdate
	}{
		{5, []alUpdate{{0, 3}, {1, 7}}}, {6, []alUpdate{{2, 11}}}, {7, []alUpdate{{0, 19}}}, {8, []alUpdate{{3, 23}}},
		{9, []alUpdate{{4, 40}, {5, 41}}}, {10, []alUpdate{{1, 100}}}, {11, []alUpdate{{6, 200}}},
	} {
		got, want := alBlock(tr.number, tr.updates, context, 0), al[tr.number%8*4096:][:4096]
		if !bytes.Equal(got, want) {
			t.Errorf("transaction %d differs (-want +got):\n%s", tr.number, cmp.Diff(hex.Dump(want[:64]), hex.Dump(got[:64])))
		}
		for _, u := range tr.updates {
			context[u.slot] = u.extent
		}
	}
}

// TestReplayVector is a crashed node, and what the real apply-al made of it.
func TestReplayVector(t *testing.T) {
	_, al, _ := vector(t, "06-v09-alreplay-1GiB-p2-before")
	extents, verdict, invalid := alReplay(al, 1, 8)
	slices.Sort(extents)
	if diff := cmp.Diff([]uint32{11, 19, 23, 40, 41, 100, 200}, extents); diff != "" || verdict != replayExtents || invalid != 1 {
		t.Fatalf("verdict %d, %d corrupt (-want +got):\n%s", verdict, invalid, diff)
	}
	b := NewBitmap(2096952, 2, 12)
	defer b.Free()
	for _, e := range extents {
		b.SetExtent(e)
	}
	_, _, bm := vector(t, "06-v09-alreplay-1GiB-p2-after")
	if !bytes.Equal(b.Page(0), bm) {
		t.Error("first bitmap page differs")
	}
	h := sha256.New()
	for i := range b.Pages() {
		h.Write(b.Page(i))
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != "d9fb2b061aa319010dfc571eff0e9ba702761ca0a2ef54070c1cfd8f5e95a6e0" {
		t.Errorf("bitmap area %s", sum)
	}
}

// TestReplayCases is the table of verified results.
func TestReplayCases(t *testing.T) {
	free := func(n int) []uint32 {
		c := make([]uint32, n)
		for i := range c {
			c[i] = 0xffffffff
		}
		return c
	}
	with := func(c []uint32, slot int, e uint32) []uint32 { c = slices.Clone(c); c[slot] = e; return c }
	torn := func(b []byte) []byte { b = bytes.Clone(b); b[3000] ^= 1; return b }
	empty := alInitBlock()
	one := alBlock(0, []alUpdate{{0, 5}, {1, 7}}, free(67), 0)
	type ring map[int][]byte
	wrap, ten := ring{}, ring{}
	for i := uint32(0); i < 6; i++ {
		tr := 0xfffffffd + i
		wrap[int(tr%8)] = alBlock(tr, []alUpdate{{uint16(i), 100 + i}}, free(67), 0)
	}
	for tr := uint32(3); tr <= 10; tr++ {
		ten[int(tr%8)] = alBlock(tr, []alUpdate{{uint16(tr), tr}}, free(67), 0)
	}
	for _, c := range []struct {
		name    string
		blocks  ring
		verdict int
		extents []uint32
	}{
		{"empty", ring{}, replayNothing, nil},
		{"one", ring{0: one}, replayExtents, []uint32{5, 7}},
		{"evicted", ring{0: alBlock(0, []alUpdate{{0, 5}}, free(67), 0), 1: alBlock(1, []alUpdate{{0, 9}}, with(free(67), 0, 5), 0)}, replayExtents, []uint32{9}},
		{"newest torn", ring{0: alBlock(0, []alUpdate{{0, 5}}, free(67), 0), 1: torn(alBlock(1, []alUpdate{{0, 9}}, with(free(67), 0, 5), 0))}, replayExtents, []uint32{5}},
		{"contexts free", ten, replayExtents, []uint32{10}},
		{"number wraps", wrap, replayExtents, []uint32{105}},
		{"all zero", ring{0: nil, 1: nil, 2: nil, 3: nil, 4: nil, 5: nil, 6: nil, 7: nil}, replayNoBlock, nil},
		{"first torn", ring{0: torn(empty)}, replayNothing, nil},
		{"second torn", ring{1: torn(empty)}, replayNoUpdate, nil},
	} {
		area := bytes.Repeat(empty, 8)
		for i, b := range c.blocks {
			clear(area[i*4096 : (i+1)*4096])
			copy(area[i*4096:], b)
		}
		got, verdict, _ := alReplay(area, 1, 8)
		slices.Sort(got)
		if verdict != c.verdict || !slices.Equal(got, c.extents) {
			t.Errorf("%s: verdict %d, extents %v", c.name, verdict, got)
		}
	}
}
