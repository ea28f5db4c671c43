package meta

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomMeta fills a device with metadata of random content, and gives the words of the command line that name it.
func randomMeta(t *testing.T, b *bench, r *rand.Rand) (dev string, target []string, l Layout) {
	size := 512 * (2048 + r.Int64N(1<<uint(10+r.IntN(10))))
	format := []Format{V08, V09}[r.IntN(2)]
	word := []string{"internal", "flex-external"}[r.IntN(2)]
	shape := Shape{1, 4096, uint32(1 + r.IntN(3)), uint32(8 + r.IntN(4))}
	if format == V09 {
		shape.Slots, shape.BytesPerBit = uint32(1+r.IntN(MaxSlots)), 4096<<r.IntN(9)
	}
	index, _ := ParseIndex(format, word)
	l, err := NewLayout(index, shape, size)
	if err != nil {
		return randomMeta(t, b, r)
	}
	sb := Fresh(format, shape)
	sb.SetLayout(l)
	sb.Flags = FlagALClean | r.Uint32()&0x153
	sb.EffectiveSize = min(r.Uint64()%(l.Capacity+1), 1<<22)
	sb.CurrentUUID, sb.DeviceUUID, sb.PeerMaxBioSize, sb.History[0] = r.Uint64(), r.Uint64(), r.Uint32(), r.Uint64()
	sb.Peers[0].BitmapUUID = r.Uint64()
	if format == V09 {
		sb.Members, sb.NodeID = r.Uint64(), int32(r.IntN(MaxPeers+1)-1)
		for i := range sb.Peers {
			sb.Peers[i] = Peer{BitmapUUID: r.Uint64(), BitmapDagtag: r.Uint64(), Flags: r.Uint32() &^ peerHasBitmap, BitmapIndex: -1}
		}
		for slot, node := range r.Perm(MaxPeers)[:r.IntN(int(sb.MaxPeers)+1)] {
			if int32(node) != sb.NodeID {
				sb.Peers[node].BitmapIndex = int32(slot)
			}
		}
	}
	dev = image(t, size)
	poke(t, dev, l.Superblock, sb.Encode())
	poke(t, dev, l.AL(), bytes.Repeat(InitialALBlock(), int(l.ALBytes/BlockSize)))
	poke(t, dev, l.BM(), randomBitmap(r, &sb, l))
	return dev, []string{"-f", "-", format.String(), dev, word}, l
}

// randomBitmap has runs, single bits and noise, in the words that a dump shows.
func randomBitmap(r *rand.Rand, sb *Superblock, l Layout) []byte {
	bytesUsed := min(BitmapBytes(sb.EffectiveSize, sb.BytesPerBit, sb.MaxPeers), l.BMBytes)
	bitmap := make([]byte, bytesUsed)
	reader := newBitmapReader(nil, 0, bytesUsed, int64(sb.MaxPeers))
	for slot := range sb.MaxPeers {
		words := reader.words(slot) &^ 1
		for at := int64(0); at < words; {
			value := []uint32{0, 0, ^uint32(0), r.Uint32()}[r.IntN(4)]
			for n := int64(r.IntN(100)); n >= 0 && at < words; n-- {
				le.PutUint32(bitmap[4*reader.index(slot, at):], value)
				at++
			}
		}
	}
	return bitmap
}

// TestDumpRestore: what dump-md tells, restore-md writes, byte for byte; also on an empty device.
func TestDumpRestore(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	for i := range rounds {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			b := newBench(t)
			dev, target, _ := randomMeta(t, b, r)
			before := contentSum(t, dev)
			dump := b.must(append(slices.Clone(target), "dump-md")...)
			file := filepath.Join(t.TempDir(), "dump")
			if err := os.WriteFile(file, []byte(dump), 0o600); err != nil {
				t.Fatal(err)
			}
			b.must(append(slices.Clone(target), "verify-dump", file)...)
			b.must(append(slices.Clone(target), "restore-md", file)...)
			if contentSum(t, dev) != before {
				t.Fatalf("restoring over it changes the device\n%s", dump[:400])
			}
			info, err := os.Stat(dev)
			if err != nil {
				t.Fatal(err)
			}
			empty := image(t, info.Size())
			target[3] = empty
			b.must(append(slices.Clone(target), "restore-md", file)...)
			if contentSum(t, empty) != before {
				t.Fatalf("restoring on an empty device gives something else, from byte %d on\n%s", firstDifference(t, dev, empty), dump[:400])
			}
			again := b.must(append(slices.Clone(target), "dump-md")...)
			if diff := cmp.Diff(withoutHead(dump), withoutHead(again)); diff != "" {
				t.Fatalf("dump after restore (-before +after):\n%s", diff)
			}
		})
	}
}

func TestDumpErrors(t *testing.T) {
	good := goldenText(t, "03-v09-int-3140676KiB-p7-restored.restore-input.txt")
	cases := []struct{ name, from, to, says string }{
		{"other format", `"v09"`, `"v08"`, "dump is 'v08' you requested 'v09'."},
		{"cut off", "history-uuids", "\x00", "history-uuids expected, not"},
		{"unknown word", "members", "member", "unknown token: member"},
		{"missing semicolon", "node-id 2;", "node-id 2", "';' expected, not 'current-uuid'"},
		{"short number", "flags 0x00000491", "flags 0x491", "32-bit hexadecimal number expected, not '0x491'"},
		{"node twice", "peer[31]", "peer[30]", "peer[30] is there twice"},
		{"node out of range", "peer[31]", "peer[32]", "from 0 to 31"},
		{"too many slots", "max-peers 7", "max-peers 32", "from 1 to 31"},
		{"slot out of range", "bitmap-index 2;", "bitmap-index 7;", "from -1 to 6"},
		{"slot twice", "bitmap-index 2;", "bitmap-index 1;", "peer[1] and peer[5] have the same bitmap-index"},
		{"own slot", "node-id 2;", "node-id 1;", "node-id 1 is this node"},
		{"impossible granularity", "bm-byte-per-bit 4096", "bm-byte-per-bit 5000", "5000 bytes per bitmap bit"},
		{"impossible log", "al-stripe-size-4k 8", "al-stripe-size-4k 1", "1 stripes of 1 blocks"},
		{"huge log", "al-stripes 1;", "al-stripes 4294967295;", "4294967295 stripes"},
		{"slots out of order", "bitmap[1]", "bitmap[2]", "from 1 to 1, not '2'"},
		{"negative count", "bitmap[0] {", "bitmap[0] { -3 times 0x0000000000000000;", "a count is from 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.from) {
				t.Fatalf("%q is not in the dump", c.from)
			}
			b := newBench(t)
			dev := image(t, mib)
			b.must("-f", "-", "v09", dev, "internal", "create-md", "1")
			before := contentSum(t, dev)
			file := filepath.Join(t.TempDir(), "dump")
			if err := os.WriteFile(file, []byte(strings.Replace(good, c.from, c.to, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			b.fails(exitOption, c.says, "-f", "-", "v09", dev, "internal", "restore-md", file)
			if contentSum(t, dev) != before {
				t.Error("a broken dump changed the device")
			}
		})
	}
}

// TestDumpUnevenSlots: the longest slot counts, and dumps of older tools have no members.
func TestDumpUnevenSlots(t *testing.T) {
	b := newBench(t)
	dev := image(t, 64*mib)
	b.must("-f", "-", "v09", dev, "internal", "--effective-size", "100000s", "create-md", "3")
	dump := b.must("-f", "-", "v09", dev, "internal", "dump-md")
	dump = strings.Replace(dump, "members 0x0000000000000000;\n", "", 1)
	dump = dump[:strings.Index(dump, "bitmap[0]")] + "bitmap[0] { 3 times 0x0000000000000001; 0xF0F0F0F0F0F0F0F0; 20 times 0xFFFFFFFFFFFFFFFF; }\n" +
		"bitmap[1] { }\nbitmap[2] { 0x0000000100000002; }\n"
	file := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(file, []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
	b.must("-f", "-", "v09", dev, "internal", "restore-md", file)
	again := b.must("-f", "-", "v09", dev, "internal", "dump-md")
	for _, want := range []string{
		"bitmap[0] {\n   # at 0kB\n    0x0000000000000001; 0x0000000000000001; 0x0000000000000001; 0xF0F0F0F0F0F0F0F0;\n    20 times 0xFFFFFFFFFFFFFFFF;",
		"bitmap[2] {\n   # at 0kB\n    0x0000000100000002; 0x0000000000000000;",
	} {
		if !strings.Contains(again, want) {
			t.Errorf("not in the dump: %s\n%s", want, again[strings.Index(again, "bitmap[0]"):])
		}
	}
}

func FuzzDump(f *testing.F) {
	for _, name := range []string{"01-v09-int-1GiB-p1-fresh.dump.txt", "02-v08-int-1GiB-restored.restore-input.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", "golden", name))
		if err != nil {
			f.Fatal(err)
		}
		short := strings.Fields(regexp.MustCompile("#.*").ReplaceAllString(string(text), ""))
		f.Add(strings.Join(short, " "))
	}
	f.Add(`version "v07"; gc { 3; 1; 2; 3; 4; } la-size-sect 100; bm { 5 times 0xFFFFFFFFFFFFFFFF; }`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []Format{V07, V08, V09} {
			d, err := parseDump(format, strings.NewReader(text))
			if err != nil {
				continue
			}
			if len(d.slots) != int(d.sb.MaxPeers) {
				t.Fatalf("%d slots, max-peers %d", len(d.slots), d.sb.MaxPeers)
			}
			if _, ok := Decode(format, d.sb.Encode()); !ok {
				t.Fatal("a dump was accepted whose superblock is none")
			}
		}
	})
}

// FuzzSuperblock: any block is read without harm, and written back as it was read.
func FuzzSuperblock(f *testing.F) {
	shape := Shape{3, 4096, 1, 8}
	for _, format := range []Format{V07, V08, V09} {
		sb := Fresh(format, shape)
		l, err := NewLayout(Internal, shape, gib)
		if err != nil {
			f.Fatal(err)
		}
		sb.SetLayout(l)
		f.Add(sb.Encode()[:1392], int64(gib))
	}
	f.Fuzz(func(t *testing.T, head []byte, size int64) {
		if size < minDeviceBytes || size > 1<<50 {
			return
		}
		block := make([]byte, BlockSize)
		copy(block, head)
		for _, format := range []Format{V07, V08, V09} {
			sb, ok := Decode(format, block)
			if !ok {
				continue
			}
			for _, index := range []Index{Internal, FlexibleExternal, FixedInternal, 0, 255} {
				l, bad := sb.Check(index, size)
				if at := SuperblockAt(index, size); len(bad) == 0 && at >= 0 && (l.BM() < 0 || l.AL() < 0 || l.BMBytes <= 0) {
					t.Fatalf("taken for good: %+v", l)
				}
			}
			again, _ := Decode(format, sb.Encode())
			sb.reserved64, sb.reserved32 = [3]uint64{}, [2]uint32{}
			for i := range sb.Peers {
				sb.Peers[i].reserved = [2]uint32{}
			}
			if format == V08 {
				sb.Flags &= knownFlagsV08
			}
			if again != sb {
				t.Fatalf("written back differently (-read +again):\n%s", fmt.Sprint(sb, "\n", again))
			}
		}
	})
}
