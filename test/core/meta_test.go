package core

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"drbd/internal/meta"
)

// The kernel and drbdmeta read the same disk with two codecs. Here both get the same input and must agree.

// toolChecks is whether the tool takes a superblock that both decoded.
func toolChecks(block []byte, index meta.Index, size int64) (bool, meta.Superblock) {
	sb, ok := meta.Decode(meta.FormatOf(block), block)
	if !ok {
		return false, sb
	}
	_, bad := sb.Check(index, size)
	return len(bad) == 0, sb
}

// randomSuperblock is good metadata for a device, with random content.
func randomSuperblock(r *rand.Rand) (block []byte, index meta.Index, size int64) {
	index = []meta.Index{meta.Internal, meta.Internal, meta.FlexibleExternal, meta.Index(r.IntN(4))}[r.IntN(4)]
	size = 512 * (2048 + r.Int64N(1<<uint(12+r.IntN(20))))
	if index >= 0 {
		size += 128 << 20 * int64(index+1)
	}
	shape := meta.Shape{Slots: 1, BytesPerBit: 4096, ALStripes: 1, ALStripeSize4k: 8}
	format := []meta.Format{meta.V08, meta.V09}[r.IntN(2)]
	if format == meta.V09 {
		shape.Slots = uint32(1 + r.IntN(31))
		if index < 0 {
			shape.BytesPerBit = 4096 << r.IntN(9)
		}
	}
	if index < 0 && r.IntN(2) == 0 {
		shape.ALStripes, shape.ALStripeSize4k = uint32(1+r.IntN(5)), uint32(8+r.IntN(9))
	}
	sb := meta.Fresh(format, shape)
	layout, err := meta.NewLayout(index, shape, size)
	if err != nil {
		return nil, 0, 0
	}
	sb.SetLayout(layout)
	fillRandom(r, &sb, format)
	return sb.Encode(), index, size
}

func fillRandom(r *rand.Rand, sb *meta.Superblock, format meta.Format) {
	sb.EffectiveSize, sb.CurrentUUID, sb.DeviceUUID = r.Uint64()>>20, r.Uint64(), r.Uint64()
	sb.ALExtents, sb.PeerMaxBioSize, sb.Flags = uint32(r.IntN(65535)), r.Uint32(), r.Uint32()&0x7ff
	sb.History[0], sb.History[1] = r.Uint64(), r.Uint64()
	sb.Peers[0].BitmapUUID = r.Uint64()
	if format == meta.V08 {
		sb.Magic = meta.MagicV08Unclean
		if sb.Flags&meta.FlagALClean != 0 {
			sb.Magic = meta.MagicV08
		}
		return
	}
	sb.Members, sb.NodeID = r.Uint64(), int32(r.IntN(33)-1)
	slots := r.Perm(int(sb.MaxPeers))
	for i := range sb.Peers {
		sb.Peers[i] = meta.Peer{BitmapUUID: r.Uint64(), BitmapDagtag: r.Uint64(), Flags: r.Uint32() & 0x1001f, BitmapIndex: -1}
		if int32(i) != sb.NodeID && len(slots) > 0 && r.IntN(2) == 0 {
			sb.Peers[i].BitmapIndex, slots = int32(slots[0]), slots[1:]
		}
	}
	for i := range sb.History {
		sb.History[i] = r.Uint64()
	}
}

// TestMetaSuperblocksAgree: what the tool writes, the kernel reads as the same and attaches; what one byte breaks, the kernel takes
// only if the tool takes it, too.
func TestMetaSuperblocksAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	good := 0
	for range 3000 {
		block, index, size := randomSuperblock(r)
		if block == nil {
			continue
		}
		good++
		c, out, err := decodeSuperblock(block)
		if err != 0 || !bytes.Equal(out, block) {
			t.Fatalf("C reads and writes another superblock: %s, first at byte %d", mdError(err), differs(out, block))
		}
		ok, sb := toolChecks(block, index, size)
		if _, e := checkLayout(block, int(index), uint64(size)); e != 0 || !ok {
			t.Fatalf("good metadata refused: C %q, tool %v (%+v, index %d, %d bytes)", mdError(e), ok, sb.Shape(), index, size)
		}
		if c.Clean != sb.Clean() {
			t.Fatalf("clean: C %v, tool %v", c.Clean, sb.Clean())
		}
		broken := bytes.Clone(block)
		broken[r.IntN(1392)] ^= 1 << r.IntN(8)
		compareBroken(t, broken, index, size)
	}
	if good < 2000 {
		t.Errorf("only %d of 3000 random shapes fit their device", good)
	}
}

// TestMetaSmallGrowth: metadata of a device that grew by less than 4 KiB is where it was, for both.
func TestMetaSmallGrowth(t *testing.T) {
	for slots := uint32(1); slots <= 31; slots++ {
		shape := meta.Shape{Slots: slots, BytesPerBit: 4096, ALStripes: 1, ALStripeSize4k: 8}
		for size := int64(256 << 20); ; size -= 64 * 4096 {
			l, err := meta.NewLayout(meta.Internal, shape, size)
			if err != nil {
				t.Fatal(err)
			}
			const grown = 1536
			if larger, err := meta.NewLayout(meta.Internal, shape, size+grown); err != nil || larger.BMOffset == l.BMOffset {
				continue
			}
			sb := meta.Fresh(meta.V09, shape)
			sb.SetLayout(l)
			sb.EffectiveSize = l.Capacity
			if got, bad := sb.Check(meta.Internal, size+grown); len(bad) > 0 || got != l {
				t.Fatalf("%d slots: the tool does not know it: %q, %+v, want %+v", slots, bad, got, l)
			}
			if _, e := checkLayout(sb.Encode(), int(meta.Internal), uint64(size+grown)); e != 0 {
				t.Fatalf("%d slots: the kernel refuses it: %s", slots, mdError(e))
			}
			break
		}
	}
}

func differs(a, b []byte) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

func compareBroken(t *testing.T, block []byte, index meta.Index, size int64) {
	t.Helper()
	ok, sb := toolChecks(block, index, size)
	_, e := checkLayout(block, int(index), uint64(size))
	// The kernel knows more rules: no slot twice or beyond the slots, no slot for the node itself.
	if e == 0 && !ok && stillFits(&sb, index, size) {
		_, bad := sb.Check(index, size)
		t.Fatalf("the kernel attaches what the tool does not know: %q", bad)
	}
	if e == 0 {
		_, out, _ := decodeSuperblock(block)
		if again := sb.Encode(); !bytes.Equal(out, again) && sb.Format == meta.V09 {
			t.Fatalf("written back differently, first at byte %d", differs(out, again))
		}
	}
}

// stillFits: the kernel takes any internal area that holds the bitmap of the data, and a flexible one of any size; the tool wants
// exactly the computed one (metadata.md 4.1, 7.5).
func stillFits(sb *meta.Superblock, index meta.Index, size int64) bool {
	want, err := meta.NewLayout(index, sb.Shape(), size)
	return err == nil && sb.MDSizeSect == want.MDSizeSect && sb.BMOffset == want.BMOffset
}

// TestMetaFreshAgree: new metadata has the same bytes.
func TestMetaFreshAgree(t *testing.T) {
	for slots := uint32(1); slots <= 31; slots++ {
		sb := meta.Fresh(meta.V09, meta.Shape{Slots: slots, BytesPerBit: 4096, ALStripes: 1, ALStripeSize4k: 8})
		if c := freshSuperblock(9, int(slots), Layout{}, 1, 8); !bytes.Equal(sb.Encode(), c) {
			t.Errorf("v09 with %d slots differs at byte %d", slots, differs(sb.Encode(), c))
		}
	}
	sb := meta.Fresh(meta.V08, meta.Shape{Slots: 1, BytesPerBit: 4096, ALStripes: 1, ALStripeSize4k: 8})
	if c := freshSuperblock(8, 1, Layout{}, 1, 8); !bytes.Equal(sb.Encode(), c) {
		t.Errorf("v08 differs at byte %d", differs(sb.Encode(), c))
	}
}

// TestMetaLayoutsAgree: the same places for all sizes and shapes.
func TestMetaLayoutsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	both := 0
	for range 20000 {
		size := int64(69632) + r.Int64N(1<<uint(10+r.IntN(43)))
		index := meta.Index(r.IntN(6) - 3)
		if index == meta.FixedInternal {
			continue
		}
		shape := meta.Shape{
			Slots: uint32(1 + r.IntN(32)), BytesPerBit: 4096 << r.IntN(9), ALStripes: uint32(1 + r.IntN(9)), ALStripeSize4k: uint32(1 + r.IntN(64)),
		}
		if index >= 0 {
			shape.BytesPerBit, shape.ALStripes, shape.ALStripeSize4k = 4096, 1, 8
		}
		at := meta.SuperblockAt(index, size)
		if at < 0 || at+meta.BlockSize > size {
			continue
		}
		l, err := meta.NewLayout(index, shape, size)
		c, e := layout(int(index), int(shape.Slots), shape.BytesPerBit, shape.ALStripes, shape.ALStripeSize4k, uint64(size))
		if (err == nil) != (e == 0) {
			t.Fatalf("%+v, index %d, %d bytes: C %q, tool %v", shape, index, size, mdError(e), err)
		}
		if err != nil {
			continue
		}
		both++
		got := Layout{
			uint64(l.Superblock) / 512, uint64(l.AL()) / 512, uint64(l.BM()) / 512, l.Capacity, l.MDSizeSect, l.ALOffset, l.BMOffset,
		}
		if got != c {
			t.Fatalf("%+v, index %d, %d bytes:\nC    %+v\ntool %+v", shape, index, size, c, got)
		}
	}
	if both < 5000 {
		t.Errorf("only %d layouts compared", both)
	}
}

// randomLog is what a node could leave behind: a run of transactions, some torn or lost, sometimes with strange fields.
func randomLog(r *rand.Rand) (area []byte, stripes, stripe4k uint32) {
	stripes, stripe4k = uint32(1+r.IntN(3)), uint32(4+r.IntN(6))
	n := stripes * stripe4k
	area = make([]byte, n*meta.BlockSize)
	put := func(pos uint32, block []byte) {
		copy(area[meta.RingBlock(pos%n, stripes, stripe4k)*meta.BlockSize:], block)
	}
	for pos := range n {
		put(pos, alInitBlock())
	}
	context := slices.Repeat([]uint32{0xffffffff}, 67+r.IntN(2000))
	number := r.Uint32() >> (8 * r.IntN(4))
	if r.IntN(4) == 0 {
		number = -uint32(r.IntN(20)) // wraps
	}
	start := uint32(0)
	for range r.IntN(int(2 * n)) {
		var updates []alUpdate
		for range r.IntN(65) {
			updates = append(updates, alUpdate{uint16(r.IntN(len(context))), r.Uint32() >> 12})
		}
		block := alBlock(number, updates, context, start)
		for _, u := range updates {
			context[u.slot] = u.extent
		}
		if start += 919; start >= uint32(len(context)) {
			start = 0
		}
		put(number, block)
		number++
	}
	for range r.IntN(3) { // torn or strange
		at := r.IntN(len(area))
		area[at] ^= byte(1 << r.IntN(8))
		if r.IntN(2) == 0 {
			block := area[at/meta.BlockSize*meta.BlockSize:][:meta.BlockSize]
			reseal(block)
		}
	}
	return area, stripes, stripe4k
}

// reseal gives a block the sum it needs, so that what is in it counts.
func reseal(block []byte) {
	clear(block[8:12])
	binary.BigEndian.PutUint32(block[8:], meta.ALSum(block))
}

func sameLog(t *testing.T, area []byte, stripes, stripe4k uint32) meta.Replay {
	t.Helper()
	got, err := meta.ReplayAL(bytes.NewReader(area), stripes, stripe4k)
	if err != nil {
		t.Fatal(err)
	}
	extents, verdict, corrupt := alReplay(area, stripes, stripe4k)
	slices.Sort(extents)
	extents = slices.Compact(extents)
	if int(got.Verdict) != verdict || got.Corrupt != corrupt || !slices.Equal(got.Extents, extents) {
		t.Fatalf("replay: C %d, %d corrupt, %d extents; tool %d, %d, %d", verdict, corrupt, len(extents), got.Verdict, got.Corrupt,
			len(got.Extents))
	}
	return got
}

// TestMetaReplayAgrees: the same extents are hot for both.
func TestMetaReplayAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	seen := map[meta.Verdict]int{}
	for range 1500 {
		area, stripes, stripe4k := randomLog(r)
		seen[sameLog(t, area, stripes, stripe4k).Verdict]++
	}
	for _, v := range []meta.Verdict{meta.ReplayNothing, meta.ReplayExtents, meta.ReplayNoUpdate} {
		if seen[v] == 0 {
			t.Errorf("no log gave verdict %d", v)
		}
	}
}

func FuzzMetaReplay(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 4 {
		area, _, _ := randomLog(r)
		f.Add(area[:8*meta.BlockSize], uint8(1))
		f.Add(area[:8*meta.BlockSize], uint8(2))
	}
	f.Fuzz(func(t *testing.T, area []byte, stripes uint8) {
		const blocks = 8
		area = append(bytes.Clone(area), make([]byte, blocks*meta.BlockSize)...)[:blocks*meta.BlockSize]
		for i := 0; i < len(area); i += meta.BlockSize {
			if area[i+20] != 0 { // else hardly any block has the right sum
				reseal(area[i : i+meta.BlockSize])
			}
		}
		s := uint32(1) << (stripes % 4)
		sameLog(t, area, s, blocks/s)
	})
}

func FuzzMetaSuperblock(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 5))
	for range 8 {
		if block, index, size := randomSuperblock(r); block != nil {
			f.Add(block[:1392], int8(index), uint32(size/512))
		}
	}
	f.Fuzz(func(t *testing.T, head []byte, index int8, sectors uint32) {
		if index < -3 || index == -1 || sectors < 136 {
			return
		}
		block := make([]byte, meta.BlockSize)
		copy(block, head)
		compareBroken(t, block, meta.Index(index), int64(sectors)*512)
	})
}
