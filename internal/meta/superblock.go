package meta

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// BlockSize is the unit of all metadata I/O.
const BlockSize = 4096

// SectorSize is the unit of sizes and offsets on disk.
const SectorSize = 512

// Format is a generation of the superblock.
type Format uint8

// The formats; v06 is a file of another program and only named to be refused.
const (
	V07 Format = 7 // DRBD 0.7
	V08 Format = 8 // 8.0 to 8.4
	V09 Format = 9
)

func (f Format) String() string { return fmt.Sprintf("v%02d", uint8(f)) }

// Magic numbers of the superblock (section 1).
const (
	MagicV07        = 0x8374026A
	MagicV08        = 0x8374026B // clean
	MagicV08Unclean = 0x8374026C
	MagicV09        = 0x8374026D
)

// Device flags (section 3.5).
const (
	FlagConsistent      = 0x001
	FlagPrimaryInd      = 0x002
	FlagConnectedInd    = 0x004 // v08
	FlagFullSync        = 0x008 // v08
	FlagWasUpToDate     = 0x010
	FlagPeerOutdated    = 0x020 // v08
	FlagCrashedPrimary  = 0x040
	FlagALClean         = 0x080
	FlagALDisabled      = 0x100
	FlagPrimaryNoQuorum = 0x200
	FlagHaveQuorum      = 0x400

	knownFlagsV08 = 0x1ff
)

// Flags of a peer entry (section 3.6).
const (
	PeerConnected = 0x01
	PeerOutdated  = 0x02
	PeerFencing   = 0x04
	PeerFullSync  = 0x08
	PeerSeen      = 0x10
	PeerExists    = 0x10000
	peerHasBitmap = 0x80000000 // lives in kernel memory only
)

// Numbers of the formats (section 1).
const (
	MaxPeers       = 32 // peer entries of v09, by node id
	MaxSlots       = 31 // bitmap slots
	historyV09     = 32
	historyV08     = 2
	JustCreated    = 4 // current UUID of new metadata
	arbitraryCount = 257
	uuidPrimaryBit = 1
)

// Peer is one entry of v09 metadata; v08 has only the first, of which only the bitmap UUID counts.
type Peer struct {
	BitmapUUID   uint64
	BitmapDagtag uint64
	Flags        uint32
	BitmapIndex  int32 // slot, -1 = none
	reserved     [2]uint32
}

// Positions of the generation counters of v07 (section 10).
const (
	gcFlags = iota
	gcHuman
	gcTimeout
	gcConnected
	gcArbitrary
	gcCount
)

// Flags in the first counter of v07.
const (
	gcConsistent   = 0x1
	gcPrimary      = 0x2
	gcConnectedInd = 0x4
	gcWantFullSync = 0x8
)

// Superblock is a superblock of any format. Flags are those of the format, as on disk (sections 3.2 to 3.4).
type Superblock struct {
	Format         Format
	Magic          uint32
	EffectiveSize  uint64 // sectors, 0 = never agreed
	CurrentUUID    uint64
	Members        uint64
	DeviceUUID     uint64
	Flags          uint32
	MDSizeSect     uint32
	ALOffset       int32 // sectors from the superblock
	ALExtents      uint32
	BMOffset       int32
	BytesPerBit    uint32
	PeerMaxBioSize uint32
	MaxPeers       uint32 // slots; 1 for v07 and v08
	NodeID         int32  // -1 = not assigned
	ALStripes      uint32
	ALStripeSize4k uint32
	Peers          [MaxPeers]Peer
	History        [historyV09]uint64 // youngest first; v08: two
	GC             [gcCount]uint32    // v07

	reserved64 [3]uint64 // v09, at 24
	reserved32 [2]uint32 // v09, at 104
}

// FormatOf tells the format of a superblock by its magic number, 0 when there is none.
func FormatOf(block []byte) Format {
	switch binary.BigEndian.Uint32(block[60:]) {
	case MagicV09:
		return V09
	case MagicV08, MagicV08Unclean:
		return V08
	}
	if binary.BigEndian.Uint32(block[28:]) == MagicV07 {
		return V07
	}
	return 0
}

// fields walks over a superblock in the order of the disk; one walk reads, the other writes.
type fields struct {
	block []byte
	at    int
	write bool
}

func (f *fields) u32(v *uint32) {
	b := f.block[f.at : f.at+4]
	f.at += 4
	if f.write {
		binary.BigEndian.PutUint32(b, *v)
	} else {
		*v = binary.BigEndian.Uint32(b)
	}
}

func (f *fields) s32(v *int32) {
	u := uint32(*v)
	f.u32(&u)
	*v = int32(u)
}

func (f *fields) u64(v *uint64) {
	b := f.block[f.at : f.at+8]
	f.at += 8
	if f.write {
		binary.BigEndian.PutUint64(b, *v)
	} else {
		*v = binary.BigEndian.Uint64(b)
	}
}

// walk visits the fields of the superblock's format.
func (sb *Superblock) walk(f *fields) {
	switch sb.Format {
	case V07:
		sb.walkV07(f)
	case V08:
		sb.walkV08(f)
	case V09:
		sb.walkV09(f)
	}
}

// walkV07: sizes are in KiB on disk.
func (sb *Superblock) walkV07(f *fields) {
	kib, mdKib := sb.EffectiveSize/2, sb.MDSizeSect/2
	f.u64(&kib)
	for i := range sb.GC {
		f.u32(&sb.GC[i])
	}
	f.u32(&sb.Magic)
	f.u32(&mdKib)
	f.s32(&sb.ALOffset)
	f.u32(&sb.ALExtents)
	f.s32(&sb.BMOffset)
	if !f.write {
		sb.EffectiveSize, sb.MDSizeSect = kib*2, mdKib*2
	}
}

func (sb *Superblock) walkV08(f *fields) {
	var reserved uint64
	f.u64(&sb.EffectiveSize)
	f.u64(&sb.CurrentUUID)
	f.u64(&sb.Peers[0].BitmapUUID)
	for i := range historyV08 {
		f.u64(&sb.History[i])
	}
	f.u64(&sb.DeviceUUID)
	f.u64(&reserved)
	sb.walkMiddle(f)
	f.u32(&sb.ALStripes)
	f.u32(&sb.ALStripeSize4k)
}

// walkMiddle is what v08 and v09 have at the same place.
func (sb *Superblock) walkMiddle(f *fields) {
	f.u32(&sb.Flags)
	f.u32(&sb.Magic)
	f.u32(&sb.MDSizeSect)
	f.s32(&sb.ALOffset)
	f.u32(&sb.ALExtents)
	f.s32(&sb.BMOffset)
	f.u32(&sb.BytesPerBit)
	f.u32(&sb.PeerMaxBioSize)
}

func (sb *Superblock) walkV09(f *fields) {
	f.u64(&sb.EffectiveSize)
	f.u64(&sb.CurrentUUID)
	f.u64(&sb.Members)
	for i := range sb.reserved64 {
		f.u64(&sb.reserved64[i])
	}
	f.u64(&sb.DeviceUUID)
	sb.walkMiddle(f)
	f.u32(&sb.MaxPeers)
	f.s32(&sb.NodeID)
	f.u32(&sb.ALStripes)
	f.u32(&sb.ALStripeSize4k)
	for i := range sb.reserved32 {
		f.u32(&sb.reserved32[i])
	}
	for i := range sb.Peers {
		p := &sb.Peers[i]
		f.u64(&p.BitmapUUID)
		f.u64(&p.BitmapDagtag)
		f.u32(&p.Flags)
		f.s32(&p.BitmapIndex)
		f.u32(&p.reserved[0])
		f.u32(&p.reserved[1])
	}
	for i := range sb.History {
		f.u64(&sb.History[i])
	}
}

// Decode reads a superblock of one format from a block; false when the magic is another. Nothing else is checked: see Problems.
func Decode(format Format, block []byte) (Superblock, bool) {
	sb := Superblock{Format: format, MaxPeers: 1, NodeID: -1, BytesPerBit: 4096, ALStripes: 1, ALStripeSize4k: 8}
	for i := range sb.Peers {
		sb.Peers[i].BitmapIndex = -1
	}
	if FormatOf(block) != format && (format != V07 || binary.BigEndian.Uint32(block[28:]) != MagicV07) {
		return sb, false
	}
	sb.walk(&fields{block: block})
	if sb.ALStripes == 0 && sb.ALStripeSize4k == 0 { // made before striping existed
		sb.ALStripes, sb.ALStripeSize4k = 1, 8
	}
	for i := range sb.Peers {
		sb.Peers[i].Flags &^= peerHasBitmap
	}
	return sb, true
}

// Encode makes the block for the disk. What the format does not have is zero, reserved words included, as with the kernel.
func (sb *Superblock) Encode() []byte {
	block := make([]byte, BlockSize)
	out := *sb
	if out.Format == V08 {
		out.Flags &= knownFlagsV08
	}
	out.reserved64, out.reserved32 = [3]uint64{}, [2]uint32{}
	for i := range out.Peers {
		out.Peers[i].Flags &^= peerHasBitmap
		out.Peers[i].reserved = [2]uint32{}
	}
	out.walk(&fields{block: block, write: true})
	return block
}

// Fresh is new metadata (section 3.8). Sizes and offsets come from the layout: see SetLayout.
func Fresh(format Format, shape Shape) Superblock {
	sb := Superblock{
		Format: format, CurrentUUID: JustCreated, Flags: FlagALClean, ALExtents: arbitraryCount, NodeID: -1,
		BytesPerBit: shape.BytesPerBit, MaxPeers: shape.Slots, ALStripes: shape.ALStripes, ALStripeSize4k: shape.ALStripeSize4k,
	}
	for i := range sb.Peers {
		sb.Peers[i].BitmapIndex = -1
	}
	switch format {
	case V07:
		sb.Magic, sb.Flags, sb.CurrentUUID = MagicV07, 0, 0
		sb.GC = [gcCount]uint32{0, 1, 1, 1, 1}
	case V08:
		sb.Magic = MagicV08
	case V09:
		sb.Magic = MagicV09
	}
	return sb
}

// Shape is what the layout depends on besides the size of the device.
func (sb *Superblock) Shape() Shape {
	return Shape{Slots: sb.MaxPeers, BytesPerBit: sb.BytesPerBit, ALStripes: sb.ALStripes, ALStripeSize4k: sb.ALStripeSize4k}
}

// SetLayout stores sizes and offsets.
func (sb *Superblock) SetLayout(l Layout) {
	sb.MDSizeSect, sb.ALOffset, sb.BMOffset = l.MDSizeSect, l.ALOffset, l.BMOffset
}

// Clean tells whether the activity log was applied, so that a kernel attaches it (section 3.9). v07 has no such mark.
func (sb *Superblock) Clean() bool {
	return sb.Format != V07 && sb.Magic != MagicV08Unclean && sb.Flags&FlagALClean != 0
}

// SetClean marks the activity log as applied.
func (sb *Superblock) SetClean() {
	switch sb.Format {
	case V08:
		sb.Magic = MagicV08
	case V07:
		return
	}
	sb.Flags |= FlagALClean
}

// Needs the activity log after a crash: some node was Primary while this one could be written.
func (sb *Superblock) primaryIndicated() bool {
	if sb.Format == V07 {
		return sb.GC[gcFlags]&gcPrimary != 0
	}
	return sb.Flags&FlagPrimaryInd != 0
}

var peerFlagNames = []struct {
	bit  uint32
	name string
}{
	{PeerConnected, "connected"}, {PeerOutdated, "<=outdated"}, {PeerFencing, "fencing"}, {PeerFullSync, "full-sync"},
	{PeerSeen, "seen"}, {PeerExists, "exists"},
}

// peerFlagText is the comment of dump-md, empty for no flags.
func peerFlagText(flags uint32) string {
	var words []string
	for _, f := range peerFlagNames {
		if flags&f.bit != 0 {
			words = append(words, f.name)
			flags &^= f.bit
		}
	}
	if flags != 0 {
		words = append(words, fmt.Sprintf("0x%x=?", flags))
	}
	return strings.Join(words, " | ")
}

// DiskState is the state that the flags alone give (section 7.12).
func (sb *Superblock) DiskState() string {
	switch {
	case sb.Format == V07 && sb.GC[gcFlags]&gcConsistent != 0:
		return "Consistent"
	case sb.Format == V07, sb.Flags&FlagConsistent == 0:
		return "Inconsistent"
	case sb.Flags&FlagWasUpToDate == 0:
		return "Outdated"
	case sb.Format == V08 && sb.Flags&FlagPeerOutdated != 0:
		return "UpToDate"
	}
	return "Consistent"
}
