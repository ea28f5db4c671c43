package meta

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// ALMagic marks a transaction block (section 5.2).
const ALMagic = 0x69CB65A2

const (
	alUpdates     = 64
	alContext     = 919
	alFree        = 0xffffffff
	alNoSlot      = 0xffff
	alSlotLimit   = 65534
	alInitialized = 0xffff
	alUpdate      = 0

	alAtCRC     = 8
	alAtSlots   = 36
	alAtExtents = 164
	alAtContext = 420
	extentBytes = 4 << 20
)

// CRC-32C with initial value 0 and no inversion: not what hash/crc32 computes. Eight bits at a time.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		crc := uint32(i)
		for range 8 {
			crc = crc>>1 ^ -(crc&1)&0x82F63B78
		}
		t[i] = crc
	}
	return t
}()

func crc32c(crc uint32, data []byte) uint32 {
	for _, b := range data {
		crc = crc>>8 ^ crcTable[byte(crc)^b]
	}
	return crc
}

// blockCRC is over the whole block, its own field taken as zero.
func blockCRC(block []byte) uint32 {
	crc := crc32c(0, block[:alAtCRC])
	crc = crc32c(crc, []byte{0, 0, 0, 0})
	return crc32c(crc, block[alAtCRC+4:BlockSize])
}

// ALSum is the checksum that a block of the activity log must carry.
func ALSum(block []byte) uint32 { return blockCRC(block) }

// ALBlock is the head of a transaction block.
type ALBlock struct {
	Valid        bool
	Type         uint16
	Number       uint32
	Updates      int
	ContextSize  int
	ContextStart int
}

// InspectALBlock looks at a block of the activity log.
func InspectALBlock(block []byte) ALBlock {
	be := binary.BigEndian
	if be.Uint32(block) != ALMagic || be.Uint32(block[alAtCRC:]) != blockCRC(block) {
		return ALBlock{}
	}
	return ALBlock{
		Valid: true, Number: be.Uint32(block[4:]), Type: be.Uint16(block[12:]), Updates: int(be.Uint16(block[14:])),
		ContextSize: int(be.Uint16(block[16:])), ContextStart: int(be.Uint16(block[18:])),
	}
}

// InitialALBlock is what create-md and apply-al fill the ring with (section 5.4).
func InitialALBlock() []byte {
	block := make([]byte, BlockSize)
	binary.BigEndian.PutUint32(block, ALMagic)
	binary.BigEndian.PutUint16(block[12:], alInitialized)
	binary.BigEndian.PutUint32(block[alAtCRC:], blockCRC(block))
	return block
}

// emptyUpdate is a transaction that changes nothing.
func emptyUpdate(number uint32) []byte {
	block := make([]byte, BlockSize)
	be := binary.BigEndian
	be.PutUint32(block, ALMagic)
	be.PutUint32(block[4:], number)
	for i := range alUpdates {
		be.PutUint16(block[alAtSlots+2*i:], alNoSlot)
	}
	for at := alAtExtents; at < BlockSize; at += 4 {
		be.PutUint32(block[at:], alFree)
	}
	be.PutUint32(block[alAtCRC:], blockCRC(block))
	return block
}

// RingBlock is the block of the area that has ring position pos: neighbours lie on different stripes (section 5.3).
func RingBlock(pos, stripes, stripeSize4k uint32) uint32 {
	return pos%stripes*stripeSize4k + pos/stripes
}

// Verdict is what a replay found (section 5.7).
type Verdict int

// The verdicts. NoBlock and NoUpdate are errors when the log is needed.
const (
	ReplayNothing Verdict = iota
	ReplayExtents
	ReplayNoBlock
	ReplayNoUpdate
)

// Replay is the result of reading an activity log.
type Replay struct {
	Verdict  Verdict
	Extents  []uint32 // hot ones, ascending, each once
	Corrupt  int      // blocks that are not valid
	Reports  []string // oddities, for the user
	Rewrite  bool     // the area must be initialised anew
	OldStyle bool     // in the format before 8.4
	Foreign  bool     // in another format than the area is initialised with
	Newest   uint32   // number of the newest update
	// UpdateFirst: there is an update at ring position 0.
	UpdateFirst bool
}

// ring remembers of each position only what ordering needs.
type ringEntry struct {
	number uint32
	kind   uint8
}

const (
	ringInvalid uint8 = iota
	ringInitialized
	ringUpdate
)

// ReplayAL reads the ring of the 8.4/9 format. area begins at the log.
func ReplayAL(area io.ReaderAt, stripes, stripeSize4k uint32) (Replay, error) {
	n := stripes * stripeSize4k
	ring := make([]ringEntry, n)
	block := make([]byte, BlockSize)
	read := func(pos uint32) error {
		_, err := area.ReadAt(block, int64(RingBlock(pos, stripes, stripeSize4k))*BlockSize)
		return err
	}
	var r Replay
	updates := 0
	for pos := range ring {
		if err := read(uint32(pos)); err != nil {
			return r, err
		}
		info := InspectALBlock(block)
		switch {
		case !info.Valid:
			r.Corrupt++
			continue
		case info.Type == alInitialized:
			ring[pos].kind = ringInitialized
			continue
		case info.Type != alUpdate:
			r.report("AL transaction %d has the unknown type 0x%04x, taken as an update", info.Number, info.Type)
		}
		ring[pos] = ringEntry{info.Number, ringUpdate}
		updates++
	}
	if r.Verdict = verdict(ring, r.Corrupt, updates); r.Verdict != ReplayExtents {
		return r, nil
	}
	oldest, newest := r.bounds(ring)
	r.Newest, r.UpdateFirst = ring[newest].number, ring[0].kind == ringUpdate
	slots := newSlots()
	for pos := oldest; ; pos = (pos + 1) % n {
		if ring[pos].kind == ringUpdate {
			if err := read(pos); err != nil {
				return r, err
			}
			slots.apply(&r, block)
		}
		if pos == newest {
			break
		}
	}
	r.Extents = slots.hot()
	r.Rewrite = true
	return r, nil
}

func (r *Replay) report(format string, args ...any) {
	r.Reports = append(r.Reports, fmt.Sprintf(format, args...))
}

func verdict(ring []ringEntry, corrupt, updates int) Verdict {
	switch {
	case corrupt == len(ring):
		return ReplayNoBlock
	case updates > 0:
		return ReplayExtents
	case corrupt == 0, corrupt == 1 && ring[0].kind == ringInvalid: // the first transaction after an attach was torn
		return ReplayNothing
	}
	return ReplayNoUpdate
}

// bounds finds the oldest and the newest update; numbers wrap, so their differences count.
func (r *Replay) bounds(ring []ringEntry) (oldest, newest uint32) {
	seen := false
	for pos, e := range ring {
		p := uint32(pos)
		switch {
		case e.kind != ringUpdate:
			continue
		case !seen:
			oldest, newest, seen = p, p, true
			continue
		case e.number == ring[oldest].number || e.number == ring[newest].number:
			r.report("AL transaction number %d found twice", e.number)
		}
		if int32(e.number-ring[oldest].number) < 0 {
			oldest = p
		}
		if int32(e.number-ring[newest].number) > 0 {
			newest = p
		}
	}
	n := uint32(len(ring))
	if span := (newest + n - oldest) % n; ring[newest].number-ring[oldest].number != span {
		r.report("AL transaction numbers %d to %d lie %d blocks apart", ring[oldest].number, ring[newest].number, span)
	}
	return oldest, newest
}

// alSlots is the state of the log's slots: slot to extent.
type alSlots []uint32

func newSlots() alSlots {
	s := make(alSlots, alSlotLimit)
	for i := range s {
		s[i] = alFree
	}
	return s
}

func (s alSlots) store(r *Replay, slot int, extent uint32) {
	if slot >= alSlotLimit {
		r.report("AL slot %d is out of range, skipped", slot)
		return
	}
	s[slot] = extent
}

// apply lets one transaction change the slots: first the context, which is the state before it, then its updates.
func (s alSlots) apply(r *Replay, block []byte) {
	info := InspectALBlock(block)
	for i := range alContext {
		slot, extent := info.ContextStart+i, binary.BigEndian.Uint32(block[alAtContext+4*i:])
		if extent == alFree && slot >= info.ContextSize {
			continue // unused end of the window; inside of it the entry says "free now"
		}
		s.store(r, slot, extent)
	}
	for i := range alUpdates {
		slot := int(binary.BigEndian.Uint16(block[alAtSlots+2*i:]))
		if i >= info.Updates && slot == alNoSlot {
			continue
		}
		s.store(r, slot, binary.BigEndian.Uint32(block[alAtExtents+4*i:]))
	}
}

func (s alSlots) hot() []uint32 {
	var hot []uint32
	for _, e := range s {
		if e != alFree {
			hot = append(hot, e)
		}
	}
	slices.Sort(hot)
	return slices.Compact(hot)
}

// The format before 8.4 (section 5.8): transactions of one sector.
const (
	oldALMagic   = 0x83740267
	oldALPairs   = 62
	oldALSectors = 64
	oldALXorAt   = 504
)

// usesOldAL tells whether the log of v07 or v08 metadata is to be read in the format before 8.4; head is its begin, two blocks at
// least.
func usesOldAL(sb *Superblock, head []byte) bool {
	switch {
	case sb.Format == V07:
		return true
	case sb.Format == V09, sb.Magic == MagicV08Unclean, sb.ALStripes != 1 || sb.ALStripeSize4k != minALBlocks:
		return false
	}
	return binary.BigEndian.Uint32(head) != ALMagic && binary.BigEndian.Uint32(head[BlockSize:]) != ALMagic
}

// ReplayOldAL reads a log of the format before 8.4; area holds its 32 KiB. A log without any valid sector is no error.
func ReplayOldAL(area []byte, alExtents uint32) Replay {
	n := int(min(1+(uint64(alExtents)+60)/61, oldALSectors))
	r := Replay{OldStyle: true, Foreign: true, Rewrite: true}
	numbers := make([]*uint32, n)
	oldest, newest := -1, -1
	for i := range n {
		number, ok := oldSector(area[i*SectorSize:])
		if !ok {
			r.Corrupt++
			continue
		}
		numbers[i] = &number
		if oldest < 0 || int32(number-*numbers[oldest]) < 0 {
			oldest = i
		}
		if newest < 0 || int32(number-*numbers[newest]) > 0 {
			newest = i
		}
	}
	if oldest < 0 {
		r.Verdict = ReplayNoBlock
		return r
	}
	r.Verdict = ReplayExtents
	hot := map[uint32]uint32{}
	for i := oldest; ; i = (i + 1) % n {
		if numbers[i] != nil {
			applyOldSector(hot, area[i*SectorSize:])
		}
		if i == newest {
			break
		}
	}
	for _, extent := range hot {
		r.Extents = append(r.Extents, extent)
	}
	slices.Sort(r.Extents)
	r.Extents = slices.Compact(r.Extents)
	return r
}

func oldSector(sector []byte) (number uint32, ok bool) {
	be := binary.BigEndian
	var xor uint32
	for i := range oldALPairs {
		xor ^= be.Uint32(sector[8+8*i+4:])
	}
	return be.Uint32(sector[4:]), be.Uint32(sector) == oldALMagic && be.Uint32(sector[oldALXorAt:]) == xor
}

// applyOldSector: the first pair is the update, so it comes last.
func applyOldSector(hot map[uint32]uint32, sector []byte) {
	for i := oldALPairs - 1; i >= 0; i-- {
		pair := sector[8+8*i:]
		if extent := binary.BigEndian.Uint32(pair[4:]); extent != alFree {
			hot[binary.BigEndian.Uint32(pair)] = extent
		}
	}
}

// The format of persistent memory (section 5.9): the slots themselves, updated in place.
const pmemALMagic = 0x6AA667A6

// ReplayPmemAL reads the first slots of area.
func ReplayPmemAL(area []byte, alExtents uint32) Replay {
	r := Replay{Verdict: ReplayExtents, Foreign: true, Rewrite: true}
	for i := 0; i < int(alExtents) && 4*i+8 <= len(area); i++ {
		if extent := binary.BigEndian.Uint32(area[4+4*i:]); extent != alFree {
			r.Extents = append(r.Extents, extent)
		}
	}
	slices.Sort(r.Extents)
	r.Extents = slices.Compact(r.Extents)
	return r
}
