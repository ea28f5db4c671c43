package meta

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// Comparison with the drbdmeta of Debian 12 (drbd-utils 9.22) as a black box: the same commands on two files must leave the same
// bytes, text and status. `make guest` unpacks the package into the cache.

func referenceTool(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("DRBD_CACHE")
	if cache == "" {
		cache = filepath.Join("..", "..", ".cache")
	}
	tool, err := filepath.Abs(filepath.Join(cache, "guest", "tree", "stock", "usr", "sbin", "drbdmeta"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tool); err != nil {
		if os.Getenv("DRBD_REFERENCE") == "required" {
			t.Fatalf("no drbdmeta to compare with: %v", err)
		}
		t.Skipf("no drbdmeta to compare with: %v (make guest fetches it)", err)
	}
	return tool
}

// reference runs the stock tool, in places of its own: it has no option for where it keeps its locks and notes.
type reference struct {
	tool  string
	state string // its /var/lib and /run; empty: those of this machine
}

const ownPlaces = `mount --bind "$0/lib" /var/lib && mount --bind "$0/run" /run && exec "$@"`

func newReference(t *testing.T) *reference {
	r := &reference{tool: referenceTool(t), state: t.TempDir()}
	for _, dir := range []string{"lib/drbd", "run/lock", "run/drbd/lock"} {
		if err := os.MkdirAll(filepath.Join(r.state, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := r.command("true").CombinedOutput(); err != nil {
		t.Logf("the reference uses the folders of this machine: %v %s", err, out)
		r.state = ""
	}
	return r
}

func (r *reference) command(argv ...string) *exec.Cmd {
	if r.state == "" {
		return exec.Command(argv[0], argv[1:]...)
	}
	return exec.Command("unshare", append([]string{"--map-root-user", "--mount", "sh", "-c", ownPlaces, r.state}, argv...)...)
}

// run gives what the tool wrote, and its exit status.
func (r *reference) run(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := r.command(append([]string{r.tool}, args...)...)
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// pair is the same device twice: ours and the reference's.
type pair struct {
	*bench
	t            *testing.T
	reference    *reference
	ours, theirs string
}

func newPair(t *testing.T, size int64) *pair {
	reference := newReference(t)
	dir := t.TempDir()
	p := &pair{newBench(t), t, reference, filepath.Join(dir, "ours", "dev"), filepath.Join(dir, "ref", "dev")}
	for _, f := range []string{p.ours, p.theirs} {
		if err := os.MkdirAll(filepath.Dir(f), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(f, size); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// What differs on purpose is cut from both texts: time, what only newer versions say, how the kernel zeroes a file.
var (
	onlyOurs   = regexp.MustCompile(`(?m)^members 0x.*\n`)
	dumpHead   = regexp.MustCompile(`(?m)^# (\d{4}-|[^ ]*> ).*\n`)
	zeroing    = regexp.MustCompile(`(?m)^(ioctl\(|initializing bitmap|could not open with O_DIRECT|\s*\d+%).*\n`)
	emptyLines = regexp.MustCompile(`(?m)^\n`)
	v08flags   = regexp.MustCompile(`(?m)^    flags 0x.*\n`)
	added      = regexp.MustCompile(`Marked additional .* as`)
)

// step runs a command line on both; DEV stands for the device.
func (p *pair) step(line string) {
	p.t.Helper()
	// The tools are in a folder with their device, so that all texts are equal.
	args := strings.Fields(strings.ReplaceAll(line, "DEV", "dev"))
	out, stderr, want := p.reference.run(p.t, filepath.Dir(p.theirs), args...)
	p.t.Chdir(filepath.Dir(p.ours))
	if code := p.run(args...); code != want {
		p.t.Errorf("%s: exit %d, the reference %d\n%s%s--- reference:\n%s%s", line, code, want, p.out.String(), p.err.String(), out, stderr)
	}
	clean := func(s string) string {
		for _, r := range []*regexp.Regexp{onlyOurs, dumpHead, zeroing, emptyLines} {
			s = r.ReplaceAllString(s, "")
		}
		if strings.Contains(line, "v08") {
			s = v08flags.ReplaceAllString(s, "")
		}
		return s
	}
	if diff := cmp.Diff(clean(out), clean(p.out.String())); diff != "" {
		p.t.Errorf("%s: output (-reference +ours):\n%s", line, diff)
	}
	if diff := cmp.Diff(clean(stderr), clean(p.err.String())); diff != "" {
		p.t.Errorf("%s: errors (-reference +ours):\n%s", line, diff)
	}
	if a, b := contentSum(p.t, p.theirs), contentSum(p.t, p.ours); a != b {
		p.t.Fatalf("%s: the devices differ from byte %d on", line, firstDifference(p.t, p.theirs, p.ours))
	}
}

// data calls do for each stretch that is not a hole.
func data(t testing.TB, path string, do func(at int64, block []byte)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	buf := make([]byte, 64*kib)
	for at := int64(0); ; {
		begin, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			return
		}
		end, err2 := unix.Seek(int(f.Fd()), begin, unix.SEEK_HOLE)
		if err != nil || err2 != nil { // a block device has no holes to tell
			begin = at
			if end, err = unix.Seek(int(f.Fd()), 0, io.SeekEnd); err != nil || begin >= end {
				return
			}
		}
		for at = begin; at < end; at += int64(len(buf)) {
			n, err := f.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
			for i := 0; i < n; i += BlockSize {
				if block := buf[i:min(i+BlockSize, n)]; len(bytes.Trim(block, "\x00")) > 0 {
					do(at+int64(i), block)
				}
			}
		}
		at = end
	}
}

func contentSum(t testing.TB, path string) string {
	h := sha256.New()
	data(t, path, func(at int64, block []byte) {
		fmt.Fprintf(h, "%d ", at)
		h.Write(block)
	})
	return string(h.Sum(nil))
}

func firstDifference(t testing.TB, a, b string) int64 {
	blocks := map[int64]string{}
	data(t, a, func(at int64, block []byte) { blocks[at] = string(block) })
	first := int64(1) << 62
	data(t, b, func(at int64, block []byte) {
		old := blocks[at]
		delete(blocks, at)
		for i := range block {
			if i >= len(old) || old[i] != block[i] {
				first = min(first, at+int64(i))
				break
			}
		}
	})
	for at := range blocks {
		first = min(first, at)
	}
	return first
}

func (p *pair) alter(format Format, at int64, change func(*Superblock)) {
	alter(p.t, format, p.ours, at, change)
	alter(p.t, format, p.theirs, at, change)
}

func (p *pair) poke(at int64, data []byte) {
	poke(p.t, p.ours, at, data)
	poke(p.t, p.theirs, at, data)
}

type referenceCase struct {
	size   int64
	format Format
	index  string
	slots  uint32
	al     string // options
	shape  [2]uint32
}

func (c referenceCase) String() string {
	return fmt.Sprintf("%s-%d-%s-p%d-al%dx%d", c.format, c.size, c.index, c.slots, c.shape[0], c.shape[1])
}

func referenceCases() []referenceCase {
	shapes := []struct {
		options string
		shape   [2]uint32
	}{{"", [2]uint32{1, 8}}, {"--al-stripes 3 --al-stripe-size-kB 16", [2]uint32{3, 4}}, {"--al-stripes 7 -z 64", [2]uint32{7, 16}}}
	const big = 128 * gib
	var cases []referenceCase
	for _, size := range []int64{128 * kib, mib, mib + 1536, 10*mib + 512, gib, 3140676 * kib, 3140676*kib + 1536, big} {
		for i, shape := range shapes {
			if shape.shape[0] == 7 && size < 10*mib {
				continue
			}
			cases = append(cases, referenceCase{size, V08, "internal", 1, shape.options, shape.shape})
			for j, slots := range []uint32{1, 2, 7, 31} {
				if (i+j)%2 == 0 && (size < big || slots < 7) {
					cases = append(cases, referenceCase{size, V09, "internal", slots, shape.options, shape.shape})
				}
			}
			if size < gib {
				cases = append(cases, referenceCase{size, V09, "flex-external", uint32(1 + 3*i), shape.options, shape.shape},
					referenceCase{size, V08, "flex-external", 1, shape.options, shape.shape})
			}
		}
	}
	for _, index := range []string{"0", "2", "7"} {
		cases = append(cases, referenceCase{gib, V09, index, 3, "", shapes[0].shape}, referenceCase{gib, V08, index, 1, "", shapes[0].shape})
	}
	return cases
}

func TestReference(t *testing.T) {
	referenceTool(t)
	cases := referenceCases()
	if len(cases) < 60 {
		t.Errorf("only %d combinations", len(cases))
	}
	for i, c := range cases {
		if testing.Short() && i%5 != 0 {
			continue
		}
		t.Run(c.String(), func(t *testing.T) { compare(t, c) })
	}
}

// compare leads both through a life: creation, generations, a crash, its repair, the end.
func compare(t *testing.T, c referenceCase) {
	p := newPair(t, c.size)
	base := fmt.Sprintf("--force - %s DEV %s ", c.format, c.index)
	slots, node := "", ""
	if c.format == V09 {
		slots, node = fmt.Sprint(c.slots), "--node-id 3 "
	}
	p.step(base + c.al + " create-md " + slots)
	if t.Failed() {
		return
	}
	index, _ := ParseIndex(c.format, c.index)
	layout, err := NewLayout(index, Shape{c.slots, 4096, c.shape[0], c.shape[1]}, c.size)
	if err != nil {
		t.Fatal(err)
	}
	steps := func(lines ...string) {
		for _, line := range lines {
			p.step(base + line)
		}
	}
	steps("dump-md", "read-dev-uuid", "write-dev-uuid 123456789ABCDEF0", node+"set-gi 1122334455667788:99AA:BB::1:1", node+"get-gi",
		node+"show-gi", "dstate", "outdate", "dstate", "invalidate", "outdate", "dump-md")

	sectors := min(layout.Capacity, 1<<24)
	if index.external() && c.size%BlockSize != 0 {
		sectors /= 2 // the reference reads the bitmap in whole blocks, beyond the end of such a device
	}
	last := uint32((sectors - 1) / (extentBytes / SectorSize))
	p.alter(c.format, layout.Superblock, func(sb *Superblock) {
		sb.Flags = FlagConsistent | FlagPrimaryInd | FlagCrashedPrimary
		sb.EffectiveSize, sb.PeerMaxBioSize = sectors, 1<<20
		if c.format == V08 {
			sb.Magic = MagicV08Unclean
		}
	})
	ring := func(n uint32) int64 {
		return layout.AL() + int64(RingBlock(n%(c.shape[0]*c.shape[1]), c.shape[0], c.shape[1]))*BlockSize
	}
	p.poke(ring(20), alBlock(20, nil, 67, update{0, 0}, update{1, last / 2}))
	p.poke(ring(21), alBlock(21, []uint32{0, last / 2}, 67, update{2, last}, update{0, last / 3}))
	steps("dump-md", "apply-al", "dump-md", "apply-al", node+"show-gi", "wipe-md", "wipe-md")
}

// TestReferenceConvert: conversions, and the refusals that depend on what is on the device.
func TestReferenceConvert(t *testing.T) {
	const sb = 64*mib - BlockSize
	p := newPair(t, 64*mib)
	p.step("--force - v08 DEV internal create-md")
	p.alter(V08, sb, func(s *Superblock) {
		s.EffectiveSize, s.DeviceUUID = 100000, 0xDDDD // this reference drops the max-bio-size, later ones keep it
		s.CurrentUUID, s.Peers[0].BitmapUUID, s.History[0], s.History[1] = 0xA0, 0xB0, 0xC0, 0xD0
		s.Flags = FlagConsistent | FlagWasUpToDate | FlagConnectedInd | FlagPeerOutdated | FlagALClean
	})
	for _, line := range []string{
		"--force - v08 DEV internal show-gi", "--force - v09 DEV internal create-md 1", "--force - v09 DEV internal show-gi -i 0",
		"--force - v09 DEV internal dump-md", "--force - v08 DEV internal create-md", "--force - v08 DEV internal show-gi",
		"--force - v08 DEV internal create-md", "--force - v08 DEV internal wipe-md",
	} {
		p.step(line)
	}
	p.poke(0, []byte("something"))
	p.step("--force - v09 DEV internal create-md 2")
	p.step("--force - v09 DEV internal -z 64 create-md 2")
	head := make([]byte, 4096)
	le.PutUint16(head[0x438:], 0xEF53)
	le.PutUint32(head[0x404:], 10000)
	le.PutUint32(head[0x418:], 2)
	p.step("--force - v09 DEV internal wipe-md")
	p.poke(0, head)
	p.step("--force - v09 DEV internal create-md 2")
	p.step("--force - v09 DEV flex-external create-md 2")
	le.PutUint32(head[0x404:], 16384)
	p.poke(0, head)
	p.step("--force - v09 DEV internal wipe-md")
	p.step("--force - v09 DEV internal create-md 2")
	copy(head[4086:], "SWAPSPACE2")
	p.poke(0, head)
	p.step("--force - v09 DEV internal create-md 2")
}

// TestReferenceRestore: dumps of the reference restored by us and the other way round.
func TestReferenceRestore(t *testing.T) {
	p := newPair(t, 3140676*kib)
	input := strings.Replace(goldenText(t, "03-v09-int-3140676KiB-p7-restored.restore-input.txt"), "members 0x0000000000000005;\n", "", 1)
	for _, dev := range []string{p.ours, p.theirs} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(dev), "dump"), []byte(input), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.step("--force - v09 DEV internal create-md 7")
	p.step("--force - v09 DEV internal restore-md dump")
	p.step("--force - v09 DEV internal dump-md")
}

// TestReferenceLarge: a bitmap that is read in many pieces, on a device of 6 TiB.
func TestReferenceLarge(t *testing.T) {
	const size = 6 << 40
	p := newPair(t, size)
	l, err := NewLayout(Internal, Shape{7, 4096, 1, 8}, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, dev := range []string{p.ours, p.theirs} {
		p.must("-f", "-", "v09", dev, "internal", "-b", "skip", "--effective-size", "6400000000k", "create-md", "7")
	}
	r := rand.New(rand.NewPCG(5, 20))
	for piece := int64(1); piece < l.BMBytes/bitmapPiece; piece += 3 { // on the border of two pieces, and anywhere
		noise := make([]byte, r.IntN(400))
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		p.poke(l.BM()+piece*bitmapPiece+(r.Int64N(128)-64)*4, noise)
		p.poke(l.BM()+r.Int64N(1400000000), noise)
	}
	p.step("--force - v09 DEV internal dump-md")
	p.alter(V09, l.Superblock, func(sb *Superblock) { sb.Flags = FlagPrimaryInd })
	var updates []update
	for i := range uint16(60) {
		updates = append(updates, update{i, r.Uint32() % 1500000})
	}
	p.poke(l.AL(), alBlock(0, nil, 67, updates...))
	p.step("--force - v09 DEV internal apply-al")
}
