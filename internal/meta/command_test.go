package meta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// answer makes the tool ask a person who types that.
func (b *bench) answer(text string) {
	b.env.Terminal, b.env.Stdin = true, strings.NewReader(text)
}

func blockImage(t *testing.T, size int64) (b *bench, dev string) {
	t.Helper()
	return newBench(t), loop(t, image(t, size))
}

// loop makes a block device of a file; only where this process may.
func loop(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command("losetup", "--find", "--show", file).Output()
	if err != nil {
		t.Skipf("no loop device to be had: %v", err)
	}
	dev := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", dev).CombinedOutput(); err != nil {
			t.Errorf("losetup --detach %s: %v %s", dev, err, out)
		}
	})
	return dev
}

// TestQuestions: what is asked, and what each answer does.
func TestQuestions(t *testing.T) {
	b, dev := blockImage(t, 16*mib)
	b.must("7", "v09", dev, "internal", "create-md", "2")
	if got := b.out.String(); got != "initializing activity log\nWriting meta data...\nNew drbd meta data block successfully created.\n" {
		t.Errorf("create-md on an empty device says %q", got)
	}
	if got := b.err.String(); got != "initializing bitmap (4 KB) to all zero\n" {
		t.Errorf("create-md on an empty device says on stderr %q", got)
	}
	before := contentSum(t, dev)
	b.fails(exitDeclined, "stdin not a TTY, not waiting for confirmation", "7", "v09", dev, "internal", "create-md", "2")
	for _, text := range []string{"no\n", "\n", "YES\n", "yes", "yes please\n", " yes\n"} {
		b.answer(text)
		b.fails(exitDeclined, "[need to type 'yes' to confirm] \nOperation cancelled.", "7", "v09", dev, "internal", "create-md", "2")
		b.answer(text)
		b.fails(exitDeclined, "Operation cancelled.", "7", "v09", dev, "internal", "wipe-md")
		b.answer(text)
		b.fails(exitOK, "Operation canceled.", "7", "v09", dev, "internal", "set-gi", "-i", "1", "1:2:3:4")
	}
	if contentSum(t, dev) != before {
		t.Error("a declined command changed the device")
	}
	b.answer("yes\n")
	b.must("7", "v09", dev, "internal", "set-gi", "-i", "1", "1:2:3:4")
	b.answer("yes\n")
	b.must("7", "v09", dev, "internal", "create-md", "3")
	want := fmt.Sprintf("\nYou want me to create a v09 style flexible-size internal meta data block.\nThere appears to be a v09 flexible-size internal "+
		"meta data block\nalready in place on %s at byte offset 16773120\n\nDo you really want to overwrite the existing meta-data?\n"+
		"[need to type 'yes' to confirm] \ninitializing bitmap (4 KB) to all zero\n", dev)
	if got := b.err.String(); got != want {
		t.Errorf("create-md asks\n%q, want\n%q", got, want)
	}
	b.must("-qf", "7", "v09", dev, "internal", "create-md", "3")
	if got := b.err.String(); !strings.HasSuffix(got, "\n# --force --quiet: 1 confirmation(s) suppressed and auto-confirmed\n") {
		t.Errorf("--quiet says %q", got)
	}
	b.fails(exitStripes, "Sorry, not yet fully implemented", "-f", "7", "v09", dev, "internal", "-s", "2", "create-md", "3")
	b.must("-f", "7", "v09", dev, "internal", "wipe-md")
	b.fails(exitOK, "There appears to be no drbd meta data to wipe out?", "7", "v09", dev, "internal", "wipe-md")
}

// TestBusy: a device that somebody else has open exclusively is refused, and the holder named.
func TestBusy(t *testing.T) {
	b, dev := blockImage(t, 16*mib)
	b.must("7", "v09", dev, "internal", "create-md", "1")
	before := contentSum(t, dev)
	fd, err := unix.Open(dev, unix.O_RDONLY|unix.O_EXCL, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	b.fails(exitUsage, "open("+dev+") failed: Device or resource busy\n", "7", "v09", dev, "internal", "apply-al")
	b.fails(exitUsage, "Exclusive open failed. Do it anyways?", "7", "v09", dev, "internal", "wipe-md")
	b.fails(exitUsage, "Exclusive open failed. Do it anyways?", "7", "v09", dev, "internal", "dump-md")
	b.must("7", "v09", dev, "internal", "dump-superblock")
	if b.out.Len() != BlockSize {
		t.Errorf("dump-superblock of a busy device gives %d bytes", b.out.Len())
	}
	if contentSum(t, dev) != before {
		t.Error("a busy device was changed")
	}
	b.must("-f", "7", "v09", dev, "internal", "dstate")
}

// TestAttached: nothing is changed while the module has the device.
func TestAttached(t *testing.T) {
	b := newBench(t)
	dev := image(t, 16*mib)
	b.must("-f", "-", "v09", dev, "internal", "create-md", "1")
	asked := 0
	b.env.Attached = func(_ context.Context, minor int) (bool, error) {
		if asked++; minor != 3 {
			t.Errorf("asked about minor %d", minor)
		}
		return true, nil
	}
	for _, c := range commands {
		if c.modifies {
			b.fails(exitUsage, "Device '3' is configured!", append([]string{"-f", "3", "v09", dev, "internal", c.name},
				map[bool][]string{true: {"-i", "1"}}[c.nodeID]...)...)
		}
	}
	b.must("-f", "3", "v09", dev, "internal", "dstate")
	if got := b.err.String(); got != "# Output might be stale, since minor 3 is attached\n" {
		t.Errorf("dstate of an attached device says %q", got)
	}
	asked = 0
	b.must("-f", "-", "v09", dev, "internal", "invalidate")
	if asked != 0 {
		t.Error("a device without minor was asked for")
	}
	b.env.Attached = func(context.Context, int) (bool, error) { return false, errors.New("no answer") }
	b.fails(exitUsage, "cannot find out whether minor 3 is attached: no answer", "-f", "3", "v09", dev, "internal", "wipe-md")
}

// TestLock: another process with the lock of the minor.
func TestLock(t *testing.T) {
	if os.Getenv("META_TEST_LOCK") != "" {
		holdLock(t, os.Getenv("META_TEST_LOCK"))
		return
	}
	b := newBench(t)
	dev := image(t, 16*mib)
	b.must("-f", "5", "v09", dev, "internal", "create-md", "1")
	lock := filepath.Join(b.env.LockDir, "drbd-147-5")
	info, err := os.Stat(lock)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("lock file: %v %v", info.Mode(), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	holder := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestLock$", "-test.timeout", "1m")
	holder.Env = append(os.Environ(), "META_TEST_LOCK="+lock)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	b.fails(exitUsage, fmt.Sprintf("lock on %s currently held by pid:%d", lock, holder.Process.Pid), "-f", "5", "v09", dev, "internal", "dstate")
	if d := time.Since(begin); d < 900*time.Millisecond || d > 30*time.Second { // a loaded machine sleeps longer
		t.Errorf("waited %v", d)
	}
	b.must("-f", "6", "v09", dev, "internal", "dstate")
	_ = in.Close()
	_ = holder.Wait()
	b.must("-f", "5", "v09", dev, "internal", "dstate")
}

func holdLock(t *testing.T, path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	fmt.Print("L")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// TestExistingData: what is on a device, and what is done about it.
func TestExistingData(t *testing.T) {
	ext := func(blocks uint32) []byte {
		head := make([]byte, 4096)
		le.PutUint16(head[0x438:], 0xEF53)
		le.PutUint32(head[0x404:], blocks)
		le.PutUint32(head[0x418:], 2) // 4 KiB
		head[0x45C] = 4
		return head
	}
	at := func(offset int, text string) []byte { return append(make([]byte, offset), text...) }
	mbr := make([]byte, 512)
	mbr[510], mbr[511], mbr[446+4] = 0x55, 0xAA, 0x83
	le.PutUint32(mbr[446+12:], 2048)
	cases := []struct {
		name   string
		head   []byte
		index  string
		opts   string
		exit   int
		says   string
		writes bool
	}{
		{"empty", nil, "internal", "", 0, "", true},
		{"text", []byte("hello"), "internal", "", 1, "Found some data\n\n ==> This might destroy existing data! <==\n", false},
		{"text, forced", []byte("hello"), "internal", "-f", 0, "Found some data", true},
		{"ext that fits", ext(4000), "internal", "", 1, "       16000 kB data area apparently used\n       16344 kB left usable", false},
		{"ext that fits, forced", ext(4000), "internal", "-f", 0, "unused space, you still need to confirm", true},
		{"ext too large", ext(4096), "internal", "-f", 40, "You need to either\n   * use external meta data (recommended)", false},
		{"ext too large, insisting", ext(4096), "internal", "-f --ignore-sanity-checks", 40, "Operation refused.", false},
		{"ext under external", ext(100), "flex-external", "-f", 40, "Found ext3 filesystem\n\nThis would corrupt existing data.", false},
		{"ext under external, insisting", ext(100), "flex-external", "-f --ignore-sanity-checks", 0, "Ignoring sanity check", true},
		{"swap", at(4086, "SWAPSPACE2"), "internal", "-f", 40, "Found swap space signature", false},
		{"LVM", at(0x218, "LVM2 001"), "internal", "-f", 40, "Could not determine the size", false},
		{"xfs", append([]byte("XFSB\x00\x00\x10\x00"), 0, 0, 0, 0, 0, 0, 0x10, 0), "internal", "-f", 40, "Found xfs filesystem", false},
		{"btrfs", at(0x10040, "_BHRfS_M"), "flex-external", "-f", 40, "Found btrfs filesystem", false},
		{"LUKS", []byte("LUKS\xba\xbe"), "internal", "-f", 40, "Found LUKS header", false},
		{"GPT", at(512, "EFI PART"), "internal", "-f", 40, "Found GPT partition table", false},
		{"MBR", mbr, "internal", "-f", 40, "Found partition table", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			dev := image(t, 16*mib)
			if c.head != nil {
				poke(t, dev, 0, c.head)
			}
			if !strings.Contains(c.opts, "-f") {
				dev = loop(t, dev)
			}
			before := contentSum(t, dev)
			args := append(strings.Fields(c.opts), "-", "v09", dev, c.index, "create-md", "1")
			b.fails(c.exit, c.says, args...)
			if changed := contentSum(t, dev) != before; changed != c.writes {
				t.Errorf("device changed: %v", changed)
			}
			if c.index == "internal" && c.head != nil && !bytes.Equal(peek(t, dev, 0, len(c.head)), c.head) {
				t.Error("data was overwritten")
			}
		})
	}
}

// TestDryRun writes nothing, whatever the command.
func TestDryRun(t *testing.T) {
	c := newCrashed(t, 2, 4096, FlagPrimaryInd|FlagConsistent|FlagWasUpToDate, map[int][]byte{0: alBlock(0, nil, 67, update{0, 5})})
	before := contentSum(t, c.dev)
	for _, line := range []string{"create-md 3", "apply-al", "outdate", "invalidate", "wipe-md", "write-dev-uuid 12", "forget-peer -i 3",
		"set-gi -i 2 1:2:3", "repair-md", "check-resize"} {
		c.run(append([]string{"-f", "--dry-run", "4", "v09", c.dev, "internal"}, strings.Fields(line)...)...)
		if contentSum(t, c.dev) != before {
			t.Fatalf("%s --dry-run changed the device", line)
		}
	}
	if _, err := os.Stat(filepath.Join(c.env.StateDir, "drbd-minor-4.lkbd")); err == nil {
		t.Error("--dry-run wrote the note about the device")
	}
}

// TestBadOptionsChangeNothing: values are looked at before anything is written.
func TestBadOptionsChangeNothing(t *testing.T) {
	b := newBench(t)
	dev := image(t, 16*mib)
	b.must("-f", "-", "v09", dev, "internal", "create-md", "2")
	before := contentSum(t, dev)
	cases := []struct {
		code       int
		says, line string
	}{
		{10, "is not a UUID", "create-md 2 --initial-current-uuid xyz"},
		{10, "0 says that there is no data", "create-md 2 --initial-current-uuid 1"},
		{10, "bitmap-block-size must be a power of 2 within [4k .. 1M], not '3k'", "create-md 2 -B 3k"},
		{10, "invalid node list / mask value '1,40'", "create-md 2 -D 1,40"},
		{10, "peer-max-bio-size out of range", "create-md 2 -p 2M"},
		{20, "MAX_PEERS argument missing", "create-md"},
		{20, "not in allowed range 1 .. 31", "create-md 0"},
		{20, "is not a valid number", "create-md 2 -Z 5x"},
		{100, "missing number argument", "create-md 2 --effective-size="},
		{10, "only allowed with create-md", "outdate --uptodate"},
		{10, "The --rotate-uuids option is only allowed with create-md", "wipe-md --rotate-uuids"},
		{10, "does not accept the --node-id option", "wipe-md -i 1"},
		{10, "The -o|--output-format option is only allowed with dump-superblock", "wipe-md -o hex"},
		{10, "Unknown output format 'xml'", "dump-superblock -o xml"},
		{10, "Unknown method 'fast'", "create-md 2 -b fast"},
		{10, "has 17 fields", "set-gi -i 1 1:2:3:4:0:0:0:0:0:0:0:0:0:0:0:0:0"},
		{10, "'2' is not 0 or 1.", "set-gi -i 1 ::::2"},
		{10, "is not a number.", "set-gi -i 1 hello"},
		{20, "USAGE: drbdmeta", "create-md 2 --no-such-option"},
	}
	for _, c := range cases {
		b.fails(c.code, c.says, append([]string{"-f", "-", "v09", dev, "internal"}, strings.Fields(c.line)...)...)
	}
	b.fails(10, "--consistent is not supported with 'v08'", "-f", "-", "v08", dev, "internal", "create-md", "--consistent")
	b.fails(10, "bitmap-block-size not supported with 'v08'", "-f", "-", "v08", dev, "internal", "create-md", "-B", "4k")
	b.fails(20, "Cannot determine minor device number of drbd device 'bogus'", "-f", "bogus", "v09", dev, "internal", "dstate")
	if contentSum(t, dev) != before {
		t.Error("a bad command line changed the device")
	}
}

// TestInterrupted: create-md over old metadata and restore-md, cut at every write, leave metadata that is recognised, and never the old
// generation above a bitmap that is not its own.
func TestInterrupted(t *testing.T) {
	stop := errors.New("power failure")
	for _, line := range []string{"create-md 2", "create-md 7 -b pwrite", "restore-md DUMP", "apply-al"} {
		t.Run(line, func(t *testing.T) {
			for cut := 0; ; cut++ {
				c := newCrashed(t, 2, 4096, FlagConsistent|FlagALClean, nil)
				dump := filepath.Join(t.TempDir(), "dump")
				if err := os.WriteFile(dump, []byte(c.must("-f", "-", "v09", c.dev, "internal", "dump-md")), 0o600); err != nil {
					t.Fatal(err)
				}
				bitmap := bytes.Repeat([]byte{0xA5}, c.bitmapBytes)
				poke(t, c.dev, c.bm, bitmap)
				alter(t, V09, c.dev, c.sb, func(sb *Superblock) { sb.CurrentUUID, sb.Flags = 0x1234567890, FlagConsistent|FlagPrimaryInd })
				poke(t, c.dev, c.al, alBlock(0, nil, 67, update{0, 5}))
				writes := 0
				c.env.tap = onWrite(func(int64, int64) error {
					if writes++; writes > cut {
						return stop
					}
					return nil
				})
				code := c.run(append([]string{"-f", "-", "v09", c.dev, "internal"}, strings.Fields(strings.ReplaceAll(line, "DUMP", dump))...)...)
				if code == 0 {
					if cut < 3 {
						t.Errorf("done after %d writes", cut)
					}
					break
				}
				checkInterrupted(t, c, bitmap, line == "apply-al", cut)
			}
		})
	}
}

// onWrite is a tap that only asks before each write.
type onWrite func(at, n int64) error

func (f onWrite) write(at, n int64, _ []byte) error { return f(at, n) }
func (f onWrite) flush() error                      { return nil }

func checkInterrupted(t *testing.T, c *crashed, bitmap []byte, repair bool, cut int) {
	t.Helper()
	sb, ok := Decode(V09, peek(t, c.dev, c.sb, BlockSize))
	if !ok {
		t.Fatalf("cut at write %d: no metadata", cut)
	}
	if _, bad := sb.Check(Internal, gib); len(bad) > 0 {
		t.Fatalf("cut at write %d: %q", cut, bad)
	}
	same := bytes.Equal(peek(t, c.dev, c.bm, c.bitmapBytes), bitmap)
	old := sb.CurrentUUID == 0x1234567890
	if repair {
		c.env.tap = nil
		c.must("-f", "-", "v09", c.dev, "internal", "apply-al")
		marked := peek(t, c.dev, c.bm+5*256, 256)
		if !old || !bytes.Equal(marked, bytes.Repeat([]byte{0xff}, 256)) {
			t.Fatalf("cut at write %d: the next apply-al leaves extent 5 unmarked", cut)
		}
		return
	}
	if old && !same {
		t.Fatalf("cut at write %d: the old generation stands above another bitmap", cut)
	}
	if !old && sb.Clean() {
		t.Fatalf("cut at write %d: half made metadata can be attached", cut)
	}
}

var dumpPlaces = regexp.MustCompile(`(?m)^# (md_size_sect|md_offset|al_offset|bm_offset) .*\n`)

// TestGrown: a device that grew while it was not in use is found again, and its metadata moved with all bits.
func TestGrown(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 9))
	grow := []int64{4096, 8192, 40960, mib, 3*mib + 1536, 64 * mib, 700 * mib}
	for _, by := range grow {
		for _, slots := range []uint32{1, 4, 31} {
			for _, line := range []string{"check-resize", "repair-md"} {
				t.Run(fmt.Sprint(by, "-", slots, line), func(t *testing.T) { growBy(t, r, 64*mib, by, slots, line) })
			}
		}
	}
	// More than is copied at once, and overlapping.
	t.Run("large", func(t *testing.T) { growBy(t, r, 16*gib, 2*movePiece+BlockSize, 31, "check-resize") })
}

func growBy(t *testing.T, r *rand.Rand, size, by int64, slots uint32, line string) {
	b := newBench(t)
	dev := image(t, size)
	target := []string{"-f", "9", "v09", dev, "internal"}
	run := func(words ...string) string { return b.must(append(slices.Clone(target), words...)...) }
	sectors := uint64(size)/SectorSize*3/4 + 1
	run("--effective-size", fmt.Sprintf("%ds", sectors), "create-md", fmt.Sprint(slots))
	run("write-dev-uuid", "ABCDEF")
	note, err := os.ReadFile(filepath.Join(b.env.StateDir, "drbd-minor-9.lkbd"))
	if want := fmt.Sprintf("%d\t%s\nuuid:\t0000000000ABCDEF\n", size, dev); err != nil || string(note) != want {
		t.Fatalf("note %q, want %q (%v)", note, want, err)
	}
	from, err := NewLayout(Internal, Shape{slots, 4096, 1, 8}, size)
	if err != nil {
		t.Fatal(err)
	}
	bitmap := make([]byte, BitmapBytes(sectors, 4096, slots))
	for i := 0; i < len(bitmap); i += 1 + r.IntN(1+len(bitmap)/50) { // a mostly empty one has a short dump
		bitmap[i] = byte(r.Uint32())
	}
	poke(t, dev, from.BM(), bitmap)
	poke(t, dev, from.BM()-BlockSize, bytes.Repeat([]byte{0x77}, BlockSize)) // data
	before := withoutHead(run("dump-md"))
	if err := os.Truncate(dev, size+by); err != nil {
		t.Fatal(err)
	}
	b.fails(exitNoMeta, "No valid meta data found", append(slices.Clone(target), "dstate")...)
	run(line)
	if !strings.Contains(b.err.String(), "Internal drbd meta data successfully moved.\n") {
		t.Errorf("%s says %q", line, b.err.String())
	}
	offsets := func(dump string) string { // positions differ, of course
		return dumpPlaces.ReplaceAllString(dump, "")
	}
	if after := withoutHead(run("dump-md")); offsets(after) != offsets(before) {
		t.Errorf("dump after the move differs:\n%s", after)
	}
	if _, ok := Decode(V09, peek(t, dev, from.Superblock, BlockSize)); ok {
		t.Error("the old superblock is still there")
	}
	if got := peek(t, dev, from.BM()-BlockSize, BlockSize); !bytes.Equal(got, bytes.Repeat([]byte{0x77}, BlockSize)) {
		t.Error("data before the metadata was touched")
	}
	run(line) // nothing more to do
	if got := b.err.String(); got != "" {
		t.Errorf("again says %q", got)
	}
}
