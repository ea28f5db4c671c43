package meta

import (
	"fmt"
	"strconv"
)

// Index says where on its device metadata lies (section 2.1): an external area by number, or one of the constants.
type Index int

// The kinds that are not numbered.
const (
	FixedInternal    Index = -1 // v07 only: 128 MiB at the end
	FlexibleExternal Index = -2 // the whole metadata device
	Internal         Index = -3 // at the end of the data device
)

const (
	indexedBytes    = 128 << 20
	minDeviceBytes  = 69632
	minALBlocks     = 8
	maxALBlocks     = 32 << 20 / BlockSize
	maxALBlocksDisk = 16 << 30 / BlockSize // what kernels accept
	maxIndex        = 255
	sectorsPerBlock = BlockSize / SectorSize
)

// internal: superblock last; else it is first.
func (x Index) internal() bool { return x == Internal }

// exclusive: no other DRBD device shares the metadata device.
func (x Index) exclusive() bool { return x < 0 }

func (x Index) external() bool { return x >= 0 || x == FlexibleExternal }

// ParseIndex reads the keyword of the command line; internal is another place in v07.
func ParseIndex(format Format, word string) (Index, error) {
	switch word {
	case "internal":
		if format == V07 {
			return FixedInternal, nil
		}
		return Internal, nil
	case "flex-internal":
		return Internal, nil
	case "flex-external":
		return FlexibleExternal, nil
	}
	n, err := strconv.ParseUint(word, 10, 32)
	if err != nil || n > maxIndex {
		return 0, fail(exitUsage, "'%s' is not a valid index number.", word)
	}
	return Index(n), nil
}

// Shape is what decides about the size of the parts.
type Shape struct {
	Slots          uint32
	BytesPerBit    uint32
	ALStripes      uint32
	ALStripeSize4k uint32
}

// ALBlocks is the size of the activity log in blocks.
func (s Shape) ALBlocks() uint64 { return uint64(s.ALStripes) * uint64(s.ALStripeSize4k) }

// Layout is where everything lies. Offsets are in sectors from the superblock, the rest in bytes of the metadata device.
type Layout struct {
	Index      Index
	Superblock int64
	MDSizeSect uint32
	ALOffset   int32
	BMOffset   int32
	ALBytes    int64
	BMBytes    int64  // what belongs to the bitmap
	Capacity   uint64 // sectors of data it can serve
}

// AL is the position of the activity log.
func (l Layout) AL() int64 { return l.Superblock + int64(l.ALOffset)*SectorSize }

// BM is the position of the bitmap.
func (l Layout) BM() int64 { return l.Superblock + int64(l.BMOffset)*SectorSize }

// Start and End enclose all of it.
func (l Layout) Start() int64 { return min(l.Superblock, l.AL(), l.BM()) }

// End is the first byte behind it.
func (l Layout) End() int64 { return l.Start() + int64(l.MDSizeSect)*SectorSize }

// BitmapBytes is the size on disk of the bitmap of a device (section 2.3): bits to multiples of 64, the whole to full blocks.
func BitmapBytes(sectors uint64, bytesPerBit, slots uint32) int64 {
	return alignUp(int64(bitmapBits(sectors, bytesPerBit)/8*uint64(slots)), BlockSize)
}

// bitmapBits of one slot, with the tail that belongs to no data.
func bitmapBits(sectors uint64, bytesPerBit uint32) uint64 {
	perBit := uint64(bytesPerBit / SectorSize)
	return uint64(alignUp(int64((sectors+perBit-1)/perBit), 64))
}

func alignUp(x, a int64) int64   { return (x + a - 1) / a * a }
func alignDown(x, a int64) int64 { return x / a * a }

// SuperblockAt is the position of the superblock on a device of that size; negative when the device is too small.
func SuperblockAt(index Index, size int64) int64 {
	switch index {
	case Internal:
		return alignDown(size-BlockSize, BlockSize)
	case FlexibleExternal:
		return 0
	case FixedInternal:
		return alignDown(size, BlockSize) - indexedBytes
	}
	return int64(index) * indexedBytes
}

// NewLayout is the layout that new metadata gets (section 2.4).
func NewLayout(index Index, shape Shape, size int64) (Layout, error) {
	al := shape.ALBlocks() * sectorsPerBlock
	l := Layout{Index: index, Superblock: SuperblockAt(index, size), ALBytes: int64(al) * SectorSize}
	if err := shape.check(index); err != nil {
		return l, err
	}
	if index == Internal {
		l.BMBytes = BitmapBytes(uint64(size)/SectorSize, shape.BytesPerBit, shape.Slots)
		total := l.BMBytes/SectorSize + int64(al) + sectorsPerBlock
		if total > 1<<31-1 || total*SectorSize > l.Superblock+BlockSize {
			return l, fail(exitOption, "the metadata would need %d sectors, the device has only %d: take fewer bitmap slots, coarser bits "+
				"or a smaller activity log", total, size/SectorSize)
		}
		l.MDSizeSect, l.ALOffset, l.BMOffset = uint32(total), -int32(al), -int32(total)+sectorsPerBlock
		l.Capacity = uint64(l.BM()) / SectorSize
		return l, nil
	}
	sectors := int64(indexedBytes / SectorSize)
	if index == FlexibleExternal {
		// The field has 32 bits; what is behind stays unused.
		sectors = min(size/SectorSize, 0xfffffff8)
	}
	l.MDSizeSect, l.ALOffset, l.BMOffset = uint32(sectors), sectorsPerBlock, sectorsPerBlock+int32(al)
	room := sectors - int64(l.BMOffset)
	if room <= 0 {
		return l, fail(exitOption, "an activity log of %d KiB leaves no room for the bitmap in %d KiB", al/2, sectors/2)
	}
	l.BMBytes = room * SectorSize
	l.Capacity = uint64(room) * (SectorSize / 8) / uint64(shape.Slots) * 64 * uint64(shape.BytesPerBit/SectorSize)
	if index == FixedInternal {
		l.Capacity = uint64(l.Superblock) / SectorSize
	}
	return l, nil
}

// check: numbers that no device can have, whatever its size.
func (s Shape) check(index Index) error {
	switch {
	case s.Slots < 1 || s.Slots > MaxPeers:
		return fmt.Errorf("%d bitmap slots: 1 to %d are possible", s.Slots, MaxSlots)
	case !validBytesPerBit(s.BytesPerBit):
		return fmt.Errorf("%d bytes per bitmap bit: a power of two from 4096 to 1048576 is possible", s.BytesPerBit)
	case s.ALStripes == 0 || s.ALStripeSize4k == 0 || s.ALBlocks() < minALBlocks || s.ALBlocks() > maxALBlocksDisk:
		return fmt.Errorf("an activity log of %d stripes of %d blocks is impossible", s.ALStripes, s.ALStripeSize4k)
	case index >= 0 && s.BytesPerBit != 4096:
		return fmt.Errorf("%d bytes per bitmap bit: metadata with an index has 4096", s.BytesPerBit)
	}
	return nil
}

func validBytesPerBit(n uint32) bool { return n >= 4096 && n <= 1<<20 && n&(n-1) == 0 }

// lies: the superblock describes this layout.
func (sb *Superblock) lies(l Layout) bool {
	return sb.MDSizeSect == l.MDSizeSect && sb.ALOffset == l.ALOffset && sb.BMOffset == l.BMOffset
}

// Check tells what is wrong with a superblock of the given place (section 7.5), in the order in which it is looked at; the layout
// is good when nothing is wrong.
func (sb *Superblock) Check(index Index, size int64) (Layout, []string) {
	var bad []string
	complain := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if sb.MaxPeers < 1 || sb.MaxPeers > MaxPeers {
		complain("%s max-peers value %d out of bounds", sb.Format, sb.MaxPeers)
		return Layout{}, bad
	}
	if sb.NodeID < -1 || sb.NodeID >= MaxPeers {
		complain("%s device node-id value %d out of bounds", sb.Format, sb.NodeID)
	}
	for i, p := range sb.Peers {
		if p.BitmapIndex < -1 || p.BitmapIndex > MaxSlots {
			complain("%s peer device %d node-id value %d out of bounds", sb.Format, i, p.BitmapIndex)
		}
	}
	if sb.Format == V08 && sb.BytesPerBit != 4096 {
		complain("%s bytes per bit: expected 4096, found %d", sb.Format, sb.BytesPerBit)
	}
	if err := sb.Shape().check(Internal); err != nil { // with an index only creation is stricter
		complain("%s %v", sb.Format, err)
	}
	if len(bad) > 0 {
		return Layout{}, bad
	}
	want, err := NewLayout(index, sb.Shape(), size)
	if whole := alignDown(size, BlockSize); index.internal() && whole != size && !sb.lies(want) {
		// Made when the device was up to 4 KiB smaller: the superblock is in its place, and only the bitmap would be larger. Kernels
		// attach that. To move it is no choice: the larger bitmap would take a block of the data.
		if smaller, err := NewLayout(index, sb.Shape(), whole); err == nil && sb.lies(smaller) {
			return smaller, nil
		}
	}
	switch {
	case err != nil:
		complain("%s %v", sb.Format, err)
		return want, bad
	case index.internal():
		if sb.BMOffset != want.BMOffset {
			complain("strange bm_offset %d (expected: %d)", sb.BMOffset, want.BMOffset)
		}
		if sb.MDSizeSect != want.MDSizeSect && sb.Format != V07 {
			complain("strange md_size_sect %d (expected: %d)", sb.MDSizeSect, want.MDSizeSect)
		}
		if sb.ALOffset != want.ALOffset {
			complain("%s al_offset: expected %d, found %d", sb.Format, want.ALOffset, sb.ALOffset)
		}
	default:
		if sb.ALOffset != want.ALOffset {
			complain("%s Magic number (al_offset) not found", sb.Format)
			complain("\texpected: %d, found %d", want.ALOffset, sb.ALOffset)
		}
		if sb.BMOffset != want.BMOffset {
			complain("%s bm_offset: expected %d, found %d", sb.Format, want.BMOffset, sb.BMOffset)
		}
	}
	return want, bad
}
