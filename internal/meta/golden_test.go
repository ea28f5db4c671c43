package meta

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The golden vectors are metadata and dumps of the stock tools: superblock, activity log, first block of the bitmap.

const mib, gib, kib = 1 << 20, 1 << 30, 1 << 10

type place struct {
	at int64
	n  int
}

func goldenBytes(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "test", "core", "testdata", "metadata", name+".bin.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func goldenText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// withoutHead cuts the lines that name time, host and command.
func withoutHead(dump string) string {
	lines := strings.SplitN(dump, "\n", 4)
	return lines[len(lines)-1]
}

func TestGolden(t *testing.T) {
	goldens := []struct {
		name   string
		size   int64
		target string // format and index
		create string
		input  bool // restore-md of the input file
		places []place
	}{
		{"01-v09-int-1GiB-p1-fresh", gib, "v09 internal", "create-md 1", false,
			[]place{{1073737728, 4096}, {1073704960, 32768}, {1073672192, 4096}}},
		{"02-v08-int-1GiB-restored", gib, "v08 internal", "create-md", true,
			[]place{{1073737728, 4096}, {1073704960, 32768}, {1073672192, 4096}}},
		{"03-v09-int-3140676KiB-p7-restored", 3140676 * kib, "v09 internal", "create-md 7", true,
			[]place{{3216048128, 4096}, {3216015360, 32768}, {3215327232, 4096}}},
		{"04-v09-int-1GiB-p3-bm64k-setall", gib, "v09 internal", "--bitmap-block-size 64k --initialize-bitmap=set-all " +
			"--initial-current-uuid deadbeefcafe1234 --uptodate --effective-size 2097064s --diskful-peers 0,2 --peer-max-bio-size 128k create-md 3",
			false, []place{{1073737728, 4096}, {1073704960, 32768}, {1073696768, 4096}}},
		{"05-v09-flexext-10MiB-p31-al3x16k", 10 * mib, "v09 flex-external", "--al-stripes 3 --al-stripe-size-kB 16 create-md 31", false,
			[]place{{0, 4096}, {4096, 12 * 4096}, {53248, 4096}}},
	}
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			b := newBench(t)
			dev := image(t, g.size)
			format, index, _ := strings.Cut(g.target, " ")
			base := []string{"--force", "-", format, dev, index}
			b.must(append(base, strings.Fields(g.create)...)...)
			if g.input {
				b.must(append(base, "restore-md", filepath.Join("testdata", "golden", g.name+".restore-input.txt"))...)
			}
			checkPlaces(t, g.name, dev, g.places)
			dump := b.must(append(base, "dump-md")...)
			if diff := cmp.Diff(withoutHead(goldenText(t, g.name+".dump.txt")), withoutHead(dump)); diff != "" {
				t.Errorf("dump-md (-want +got):\n%s", diff)
			}
			if strings.HasPrefix(g.name, "04") {
				js := b.must("-", format, dev, index, "dump-superblock", "--output-format=json")
				js = strings.Replace(js, dev, "/dev/sdb1", 1)
				if diff := cmp.Diff(goldenText(t, g.name+".superblock.json"), js); diff != "" {
					t.Errorf("JSON (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func checkPlaces(t *testing.T, name, dev string, places []place) {
	t.Helper()
	want := goldenBytes(t, name)
	for _, p := range places {
		got := peek(t, dev, p.at, p.n)
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: byte %d is 0x%02x, want 0x%02x", name, p.at+int64(i), got[i], want[i])
				break
			}
		}
		want = want[p.n:]
	}
}

// TestGoldenReplay applies the activity log of a crashed node, with a torn block.
func TestGoldenReplay(t *testing.T) {
	b := newBench(t)
	dev := image(t, gib)
	before := goldenBytes(t, "06-v09-alreplay-1GiB-p2-before")
	b.must("--force", "-", "v09", dev, "internal", "--effective-size", "2096952s", "create-md", "2")
	poke(t, dev, 1073737728, before[:4096])
	poke(t, dev, 1073704960, before[4096:4096*9])

	dump := b.must("--force", "-vvvvvvvvvv", "-", "v09", dev, "internal", "dump-md")
	if diff := cmp.Diff(withoutHead(goldenText(t, "06-v09-alreplay-1GiB-p2-before.dump.txt")), withoutHead(dump)); diff != "" {
		t.Errorf("dump of the log (-want +got):\n%s", diff)
	}
	b.fails(exitOption, "unknown token: "+uncleanMark, "-f", "-", "v09", image(t, mib), "internal", "restore-md", unclean(t, dump))
	b.must("--force", "-", "v09", dev, "internal", "apply-al")
	if want := "1 corrupt AL transactions found\nMarked additional 56 MB as out-of-sync based on AL.\n"; b.err.String() != want {
		t.Errorf("apply-al says %q, want %q", b.err.String(), want)
	}
	checkPlaces(t, "06-v09-alreplay-1GiB-p2-after", dev, []place{{1073737728, 4096}, {1073704960, 32768}, {1073639424, 4096}})
	sum := sha256.Sum256(peek(t, dev, 1073639424, 65536))
	if got := hex.EncodeToString(sum[:]); got != "d9fb2b061aa319010dfc571eff0e9ba702761ca0a2ef54070c1cfd8f5e95a6e0" {
		t.Errorf("bitmap after the replay has sum %s", got)
	}
	after := b.must("--force", "-", "v09", dev, "internal", "dump-md")
	if diff := cmp.Diff(withoutHead(goldenText(t, "06-v09-alreplay-1GiB-p2-after.dump.txt")), withoutHead(after)); diff != "" {
		t.Errorf("dump (-want +got):\n%s", diff)
	}
}

func unclean(t *testing.T, dump string) string {
	path := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(path, []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLayouts: the verified examples of section 2.7.
func TestLayouts(t *testing.T) {
	const tib = 1 << 40
	type row struct {
		size      int64
		slots     uint32
		perBit    uint32
		stripes   uint32
		stripe4k  uint32
		index     Index
		sb        int64
		mdSize    uint32
		al, bm    int32
		usableKiB uint64
	}
	rows := []row{
		{gib, 1, 4096, 1, 8, Internal, 1073737728, 136, -64, -128, 1048508},
		{gib, 2, 4096, 1, 8, Internal, 1073737728, 200, -64, -192, 1048476},
		{gib, 7, 4096, 1, 8, Internal, 1073737728, 520, -64, -512, 1048316},
		{gib, 31, 4096, 1, 8, Internal, 1073737728, 2056, -64, -2048, 1047548},
		{10 * gib, 7, 4096, 1, 8, Internal, 10737414144, 4552, -64, -4544, 10483484},
		{3140676 * kib, 7, 4096, 1, 8, Internal, 3216048128, 1416, -64, -1408, 3139968},
		{3140676*kib + 1536, 7, 4096, 1, 8, Internal, 3216048128, 1416, -64, -1408, 3139968},
		{6 * tib, 1, 4096, 1, 8, Internal, 6597069762560, 393288, -64, -393280, 6442254300},
		{6 * tib, 31, 4096, 1, 8, Internal, 6597069762560, 12189768, -64, -12189760, 6436356060},
		{69632, 1, 4096, 1, 8, Internal, 65536, 80, -64, -72, 28},
		{mib, 1, 4096, 1, 8, Internal, 1044480, 80, -64, -72, 984},
		{6 * tib, 7, 8192, 1, 8, Internal, 6597069762560, 1376328, -64, -1376320, 6441762780},
		{6 * tib, 7, 1 << 20, 1, 8, Internal, 6597069762560, 10824, -64, -10816, 6442445532},
		{gib, 3, 1 << 20, 1, 8, Internal, 1073737728, 80, -64, -72, 1048536},
		{10 * gib, 2, 4096, 7, 16, Internal, 10737414144, 2184, -896, -2176, 10484668},
		{10 * gib, 2, 4096, 1, 256, Internal, 10737414144, 3336, -2048, -3328, 10484092},
		{128 * mib, 1, 4096, 1, 8, FlexibleExternal, 0, 262144, 8, 72, 8587575296 / 2},
		{128 * mib, 7, 4096, 1, 8, FlexibleExternal, 0, 262144, 8, 72, 1226796032 / 2},
		{128 * mib, 31, 4096, 1, 8, FlexibleExternal, 0, 262144, 8, 72, 277018112 / 2},
		{10 * mib, 3, 1 << 20, 1, 8, FlexibleExternal, 0, 20480, 8, 72, 57064816640 / 2},
		{10*mib + 1536, 3, 4096, 1, 8, FlexibleExternal, 0, 20483, 8, 72, 222942208 / 2},
		{gib, 3, 4096, 1, 8, 2, 268435456, 262144, 8, 72, 2862524928 / 2},
		{gib, 1, 4096, 1, 8, 7, 939524096, 262144, 8, 72, 8587575296 / 2},
		{gib, 1, 4096, 1, 8, FixedInternal, 939524096, 262144, 8, 72, 1835008 / 2},
		{3140676 * kib, 1, 4096, 1, 8, FixedInternal, 3081834496, 262144, 8, 72, 6019208 / 2},
	}
	for _, r := range rows {
		l, err := NewLayout(r.index, Shape{r.slots, r.perBit, r.stripes, r.stripe4k}, r.size)
		if err != nil {
			t.Errorf("%+v: %v", r, err)
			continue
		}
		got := r
		got.sb, got.mdSize, got.al, got.bm, got.usableKiB = l.Superblock, l.MDSizeSect, l.ALOffset, l.BMOffset, l.Capacity/2
		if got != r {
			t.Errorf("layout is %+v\n     want %+v", got, r)
		}
	}
}

// TestRecode: a superblock is written back as it was read.
func TestRecode(t *testing.T) {
	for name, format := range map[string]Format{
		"01-v09-int-1GiB-p1-fresh": V09, "02-v08-int-1GiB-restored": V08, "03-v09-int-3140676KiB-p7-restored": V09,
	} {
		block := goldenBytes(t, name)[:BlockSize]
		sb, ok := Decode(format, block)
		if !ok || !bytes.Equal(sb.Encode(), block) {
			t.Errorf("%s changes when it is written back", name)
		}
	}
}
