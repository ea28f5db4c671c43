package meta

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Power failures. A disk keeps what was flushed; of what was written since, each sector may have arrived or not, in any order. The
// repair afterwards must find metadata it understands, with all that was marked.

var errPowerOff = errors.New("power failure")

// volatileDisk is a tap that remembers what is not stable yet. The file has all that was written; powerOff takes some of it back.
type volatileDisk struct {
	t        testing.TB
	path     string
	cut      int // the write or flush at which the power goes off
	lost     int // the flush that does nothing, from 1 on
	pending  []pendingWrite
	events   int
	flushes  int
	oneBlock int64 // the superblock: it has no sum, kernels too rely on its being written in one piece
}

type pendingWrite struct {
	at       int64
	old, new []byte
}

func (v *volatileDisk) write(at, n int64, data []byte) error {
	if v.events == v.cut {
		return errPowerOff
	}
	v.events++
	if data == nil {
		data = make([]byte, n)
	}
	v.pending = append(v.pending, pendingWrite{at, peek(v.t, v.path, at, int(n)), bytes.Clone(data)})
	return nil
}

func (v *volatileDisk) flush() error {
	if v.events == v.cut {
		return errPowerOff
	}
	v.events++
	if v.flushes++; v.flushes != v.lost {
		v.pending = nil
	}
	return nil
}

// fate decides about a sector of a write that was not stable: true keeps it.
type fate func(write, sector int) bool

// fates: nothing of it arrives, or all, the first or the last writes, parts of a block, some sectors by chance.
func fates(r *rand.Rand, pending int) []fate {
	list := []fate{
		func(int, int) bool { return false },
		func(int, int) bool { return true },
		func(w, _ int) bool { return w == pending-1 },
		func(w, _ int) bool { return w != 0 },
		func(_, s int) bool { return s%8 < 3 },
		func(_, s int) bool { return s%8 >= 3 },
		func(_, s int) bool { return s < 11 },
		func(_, s int) bool { return s >= 11 },
	}
	for range 8 {
		seed := r.Uint64()
		list = append(list, func(w, s int) bool { return rand.New(rand.NewPCG(seed, uint64(w)<<32|uint64(s))).IntN(2) == 0 })
	}
	return list
}

// powerOff makes of all that was written, from a place of the disk on, what a failure leaves of it.
func (v *volatileDisk) powerOff(written []byte, from int64, keep fate) {
	state := bytes.Clone(written)
	for _, w := range slices.Backward(v.pending) {
		copy(state[w.at-from:], w.old)
	}
	for i, w := range v.pending {
		for s := 0; s < len(w.new); s += SectorSize {
			sector := s / SectorSize
			if w.at == v.oneBlock {
				sector = 0
			}
			if keep(i, sector) {
				copy(state[w.at-from+int64(s):], w.new[s:s+SectorSize])
			}
		}
	}
	poke(v.t, v.path, from, state)
}

// powered is a device whose command is going to be interrupted.
type powered struct {
	*bench
	dev    string
	target []string
	size   int64
	from   int64 // what lies before is not of interest
	sb     int64 // where the command writes its superblock
}

func (p *powered) command(line string) int {
	return p.run(append(slices.Clone(p.target), strings.Fields(line)...)...)
}

func (p *powered) note() string { return filepath.Join(p.env.StateDir, "drbd-minor-9.lkbd") }

// failing runs a command with the power going off at each of its writes and flushes, in all fates; prepare makes the device. check gets it as the
// failure left it and says what is wrong. With lost, that flush does not work.
func failing(t *testing.T, lost int, prepare func() *powered, line string, check func(p *powered, finished bool) string) (problem string, flushes int) {
	t.Helper()
	r := rand.New(rand.NewPCG(8, uint64(lost)))
	for cut := range 200 {
		p := prepare()
		v := &volatileDisk{t: t, path: p.dev, cut: cut, lost: lost, oneBlock: p.sb}
		p.env.tap = v
		code := p.command(line)
		p.env.tap = onWrite(func(int64, int64) error { return nil }) // spares real flushes
		if code != 0 && !strings.Contains(p.err.String(), errPowerOff.Error()) {
			t.Fatalf("%s: exit %d\n%s", line, code, p.err.String())
		}
		left := peek(t, p.dev, p.from, int(p.size-p.from))
		note, _ := os.ReadFile(p.note())
		for n, keep := range fates(r, len(v.pending)) {
			if note != nil {
				_ = os.WriteFile(p.note(), note, 0o600)
			}
			v.powerOff(left, p.from, keep)
			if problem := check(p, code == 0); problem != "" {
				return fmt.Sprintf("%s, power off at step %d, fate %d: %s", line, cut, n, problem), v.flushes
			}
		}
		if code == 0 {
			return "", v.flushes
		}
	}
	t.Fatalf("%s does not end", line)
	return "", 0
}

const powerSize, powerSlots = 64 * mib, 2

// crashLog is a node that crashed, with its activity log.
type crashLog struct {
	name    string
	format  Format
	stripes [2]uint32
	area    func(layout Layout) []byte
	hot     []uint32
	lost    []int // flushes without which something must go wrong
}

func blocksOf(stripes [2]uint32, at map[uint32][]byte) func(Layout) []byte {
	return func(l Layout) []byte {
		area := bytes.Repeat(InitialALBlock(), int(l.ALBytes/BlockSize))
		for pos, block := range at {
			copy(area[RingBlock(pos, stripes[0], stripes[1])*BlockSize:], block)
		}
		return area
	}
}

func pmemArea(extents ...uint32) []byte {
	area := bytes.Repeat([]byte{0xff}, 32*kib)
	binary.BigEndian.PutUint32(area, pmemALMagic)
	for i, e := range extents {
		binary.BigEndian.PutUint32(area[4+4*i:], e)
	}
	return area
}

func crashLogs() []crashLog {
	plain, striped := [2]uint32{1, 8}, [2]uint32{3, 4}
	torn := alBlock(21, []uint32{5, 7}, 67, update{0, 9})
	torn[700] ^= 1
	old := make([]byte, 32*kib)
	copy(old[4*SectorSize:], oldSectorOf(4, update{0, 5}))
	copy(old[5*SectorSize:], oldSectorOf(5, update{1, 7}))
	full := map[uint32][]byte{}
	for n := uint32(48); n < 60; n++ {
		context := []uint32{n - 48, n - 47}
		if n%2 == 1 {
			slices.Reverse(context)
		}
		full[n%12] = alBlock(n, context, 67, update{uint16(n % 2), n - 46})
	}
	return []crashLog{
		{"one block", V09, plain, blocksOf(plain, map[uint32][]byte{3: alBlock(19, nil, 67, update{0, 5}, update{1, 7})}), []uint32{5, 7}, []int{2, 3}},
		{"first block", V09, plain, blocksOf(plain, map[uint32][]byte{0: alBlock(16, nil, 67, update{0, 5}, update{1, 7})}), []uint32{5, 7}, nil},
		{"torn newest", V09, plain, blocksOf(plain, map[uint32][]byte{4: alBlock(20, nil, 67, update{0, 5}, update{1, 7}), 5: torn}),
			[]uint32{5, 7}, []int{2, 3}},
		{"torn newest behind the first", V09, plain, blocksOf(plain, map[uint32][]byte{0: alBlock(16, nil, 67, update{0, 5}), 1: torn}),
			[]uint32{5}, []int{2}},
		{"full ring on stripes", V09, striped, blocksOf(striped, full), []uint32{12, 13}, []int{1, 2}},
		{"v08", V08, plain, blocksOf(plain, map[uint32][]byte{3: alBlock(3, nil, 67, update{0, 5}, update{1, 7})}), []uint32{5, 7}, []int{2, 3}},
		{"format before 8.4", V08, plain, func(Layout) []byte { return old }, []uint32{5, 7}, []int{3, 5, 6}},
		{"persistent memory", V09, plain, func(Layout) []byte { return pmemArea(7, alFree, 5) }, []uint32{5, 7}, []int{6}},
	}
}

// prepare makes the device of a crashed node.
func (c crashLog) prepare(t *testing.T) (*powered, Layout) {
	shape := Shape{powerSlots, 4096, c.stripes[0], c.stripes[1]}
	if c.format == V08 {
		shape.Slots = 1
	}
	l, err := NewLayout(Internal, shape, powerSize)
	if err != nil {
		t.Fatal(err)
	}
	p := &powered{bench: newBench(t), dev: image(t, powerSize), size: powerSize, from: powerSize - mib, sb: l.Superblock}
	p.target = []string{"-f", "-", c.format.String(), p.dev, "internal"}
	sb := Fresh(c.format, shape)
	sb.SetLayout(l)
	sb.Flags, sb.EffectiveSize = FlagPrimaryInd|FlagConsistent, l.Capacity
	poke(t, p.dev, l.Superblock, sb.Encode())
	poke(t, p.dev, l.AL(), c.area(l))
	return p, l
}

// unmarked are the bits of extents that are clear, in any slot.
func unmarked(t testing.TB, dev string, l Layout, slots uint32, extents []uint32) (missing int) {
	bitmap := peek(t, dev, l.BM(), int(l.BMBytes))
	for _, e := range extents {
		sp := extentSpan(e, 4096, slots)
		missing += int(setMask(bitmap[sp.from:sp.to], sp.mask))
	}
	return missing
}

// TestApplyALPowerFailure: whatever a failure leaves, the next apply-al works, and all extents of the crash are out of sync in the end;
// metadata that could be attached before that has them already, and an empty log.
func TestApplyALPowerFailure(t *testing.T) {
	for _, c := range crashLogs() {
		t.Run(c.name, func(t *testing.T) {
			var l Layout
			prepare := func() (p *powered) {
				p, l = c.prepare(t)
				return p
			}
			state := func(p *powered) string {
				sb, ok := Decode(c.format, peek(t, p.dev, l.Superblock, BlockSize))
				empty := bytes.Equal(peek(t, p.dev, l.AL(), int(l.ALBytes)), bytes.Repeat(InitialALBlock(), int(l.ALBytes/BlockSize)))
				switch missing := unmarked(t, p.dev, l, sb.MaxPeers, c.hot); {
				case !ok || sb.Flags&FlagPrimaryInd == 0:
					return fmt.Sprintf("flags 0x%x (superblock: %v)", sb.Flags, ok)
				case sb.Flags&FlagALClean == 0:
					return "not clean"
				case missing > 0:
					return fmt.Sprintf("%d bits are not set", missing)
				case !empty:
					return "the log is not empty"
				}
				return ""
			}
			check := func(p *powered, finished bool) string {
				if sb, _ := Decode(c.format, peek(t, p.dev, l.Superblock, BlockSize)); finished || sb.Flags&FlagALClean != 0 {
					if bad := state(p); bad != "" {
						return "attachable, but " + bad
					}
				}
				if code := p.command("apply-al"); code != 0 {
					return fmt.Sprintf("the next apply-al ends with %d: %s", code, p.err.String())
				}
				return state(p)
			}
			problem, flushes := failing(t, 0, prepare, "apply-al", check)
			if problem != "" {
				t.Fatal(problem)
			}
			// The test can see what it is about: without a flush that matters it fails.
			for _, lost := range c.lost {
				if problem, _ := failing(t, lost, prepare, "apply-al", check); problem == "" {
					t.Errorf("flush %d of %d can be left out without being noticed", lost, flushes)
				} else {
					t.Logf("without flush %d of %d: %s", lost, flushes, problem)
				}
			}
		})
	}
}

// noisy is good metadata with a bitmap full of noise, as a generation of its own.
func noisy(t *testing.T, seed uint64) (*powered, Layout, []byte) {
	shape := Shape{powerSlots, 4096, 1, 8}
	l, err := NewLayout(Internal, shape, powerSize)
	if err != nil {
		t.Fatal(err)
	}
	p := &powered{bench: newBench(t), dev: image(t, powerSize), size: powerSize, from: powerSize - mib, sb: l.Superblock}
	p.target = []string{"-f", "9", "v09", p.dev, "internal"}
	p.must(append(slices.Clone(p.target), "--effective-size", fmt.Sprintf("%ds", l.Capacity), "--initial-current-uuid", oldUUID, "create-md",
		fmt.Sprint(powerSlots))...)
	alter(t, V09, p.dev, l.Superblock, func(sb *Superblock) {
		sb.NodeID, sb.Flags = 0, FlagConsistent|FlagWasUpToDate|FlagALClean
		sb.Peers[1].BitmapIndex, sb.Peers[2].BitmapIndex = 0, 1
	})
	r := rand.New(rand.NewPCG(seed, 1))
	bitmap := make([]byte, l.BMBytes)
	for i := range bitmap {
		bitmap[i] = byte(r.Uint32() & r.Uint32())
	}
	poke(t, p.dev, l.BM(), bitmap)
	poke(t, p.dev, l.Start()-BlockSize, bytes.Repeat([]byte{0x77}, BlockSize)) // data
	return p, l, bitmap
}

const oldUUID, newUUID = "1122334455667700", "8877665544332200"

// TestRewritePowerFailure: create-md and restore-md over metadata leave the old generation with its bitmap, or something that is not
// attached, or the new one complete.
func TestRewritePowerFailure(t *testing.T) {
	for _, line := range []string{
		"create-md --initial-current-uuid " + newUUID + " 2", "create-md --initial-current-uuid " + newUUID + " 5",
		"create-md -b set-all --initial-current-uuid " + newUUID + " 2", "restore-md DUMP",
	} {
		t.Run(line, func(t *testing.T) {
			words, complete := line, []byte(nil)
			var old []byte
			var oldLayout Layout
			hot := alBlock(0, nil, 67, update{0, 5})
			dump := filepath.Join(t.TempDir(), "dump")
			if strings.HasPrefix(line, "restore") {
				other, l, bitmap := noisy(t, 2)
				alter(t, V09, other.dev, other.sb, func(sb *Superblock) { sb.CurrentUUID = 0x8877665544332200 })
				text := other.must(append(slices.Clone(other.target), "dump-md")...)
				if err := os.WriteFile(dump, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				words, complete = "restore-md "+dump, bitmap[:BitmapBytes(l.Capacity, 4096, powerSlots)]
			}
			prepare := func() (p *powered) {
				p, oldLayout, old = noisy(t, 1)
				poke(t, p.dev, oldLayout.AL(), hot)
				alter(t, V09, p.dev, p.sb, func(sb *Superblock) { sb.Flags = FlagConsistent | FlagPrimaryInd })
				return p
			}
			check := func(p *powered, _ bool) string {
				sb, ok := Decode(V09, peek(t, p.dev, p.sb, BlockSize))
				l, bad := sb.Check(Internal, powerSize)
				switch {
				case !ok || len(bad) > 0:
					return fmt.Sprintf("no metadata: %q", bad)
				case sb.CurrentUUID == 0x1122334455667700:
					if !bytes.Equal(peek(t, p.dev, oldLayout.BM(), len(old)), old) {
						return "the old generation stands above another bitmap"
					}
					if !bytes.Equal(peek(t, p.dev, oldLayout.AL(), BlockSize), hot) {
						return "the old generation stands above another log"
					}
					return ""
				case !sb.Clean():
					return ""
				case !bytes.Equal(peek(t, p.dev, l.AL(), int(l.ALBytes)), bytes.Repeat(InitialALBlock(), int(l.ALBytes/BlockSize))):
					return "attachable, but the log is not empty"
				}
				want := complete
				if want == nil {
					fill := byte(0)
					if strings.Contains(line, "set-all") {
						fill = 0xff
					}
					want = bytes.Repeat([]byte{fill}, int(l.BMBytes))
				}
				if !bytes.Equal(peek(t, p.dev, l.BM(), len(want)), want) {
					return "attachable, but the bitmap is another one"
				}
				return ""
			}
			problem, flushes := failing(t, 0, prepare, words, check)
			if problem != "" {
				t.Fatal(problem)
			}
			seen := 0
			for lost := 1; lost <= flushes; lost++ {
				if problem, _ := failing(t, lost, prepare, words, check); problem != "" {
					t.Logf("without flush %d of %d: %s", lost, flushes, problem)
					seen++
				}
			}
			if seen < 2 { // that behind the mark at the begin, and that before the superblock
				t.Errorf("only %d flushes of %d are noticed when they are left out", seen, flushes)
			}
		})
	}
}

// TestMovePowerFailure: metadata of a grown device is found after any failure of its move, with all bits or marked for a full sync, and no
// data is touched.
func TestMovePowerFailure(t *testing.T) {
	for _, by := range []int64{BlockSize, 3 * BlockSize, 12 * BlockSize, mib, 2 * mib} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			var from Layout
			var bitmap []byte
			prepare := func() (p *powered) {
				p, from, bitmap = noisy(t, 3)
				if err := os.Truncate(p.dev, powerSize+by); err != nil {
					t.Fatal(err)
				}
				p.size, p.sb = powerSize+by, SuperblockAt(Internal, powerSize+by)
				return p
			}
			check := func(p *powered, _ bool) string {
				if code := p.command("check-resize"); code != 0 {
					return fmt.Sprintf("the next check-resize ends with %d: %s", code, p.err.String())
				}
				sb, ok := Decode(V09, peek(t, p.dev, p.sb, BlockSize))
				to, bad := sb.Check(Internal, powerSize+by)
				whole := sb.Peers[1].Flags&sb.Peers[2].Flags&PeerFullSync != 0
				used := BitmapBytes(from.Capacity, 4096, powerSlots)
				switch {
				case !ok || len(bad) > 0 || sb.CurrentUUID != 0x1122334455667700:
					return fmt.Sprintf("metadata is %x, %q", sb.CurrentUUID, bad)
				case !whole && !bytes.Equal(peek(t, p.dev, to.BM(), int(used)), bitmap[:used]):
					return "bits are lost"
				case !bytes.Equal(peek(t, p.dev, from.Start()-BlockSize, BlockSize), bytes.Repeat([]byte{0x77}, BlockSize)):
					return "data was touched"
				}
				return ""
			}
			problem, flushes := failing(t, 0, prepare, "check-resize", check)
			if problem != "" {
				t.Fatal(problem)
			}
			if problem, _ := failing(t, 1, prepare, "check-resize", check); problem == "" {
				t.Errorf("the first flush of %d can be left out without being noticed", flushes)
			}
		})
	}
}
