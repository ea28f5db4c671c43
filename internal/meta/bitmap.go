package meta

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Bitmaps of several slots are interleaved: word w of slot s is word w*slots+s of the area, words being 32 bits, little endian
// (section 6.2). So an extent's bits of all slots lie together.

// span is a part of the bitmap area and the bits in each of its 32-bit words.
type span struct {
	from, to int64 // bytes, multiples of 4
	mask     uint32
}

// extentSpan is where all slots have the bits of an extent of 4 MiB. With more than 128 KiB per bit they are a part of a word.
func extentSpan(extent uint32, bytesPerBit, slots uint32) span {
	perExtent := uint64(extentBytes / bytesPerBit)
	first := uint64(extent) * perExtent
	group := int64(first/32) * int64(slots) * 4
	if perExtent < 32 {
		return span{group, group + int64(slots)*4, (1<<perExtent - 1) << (first % 32)}
	}
	return span{group, group + int64(perExtent/32)*int64(slots)*4, ^uint32(0)}
}

// setMask sets the masked bits of each word and counts those that were clear.
func setMask(words []byte, mask uint32) (added uint64) {
	for ; len(words) >= 4; words = words[4:] {
		old := binary.LittleEndian.Uint32(words)
		added += uint64(bits.OnesCount32(mask &^ old))
		binary.LittleEndian.PutUint32(words, old|mask)
	}
	return added
}

// bitmapReader gives the words of one slot, in order, from an area that is read in large pieces.
type bitmapReader struct {
	dev   *device
	at    int64 // of the area
	bytes int64 // how much of it counts
	slots int64

	space   []byte
	buf     []byte // the piece at hand, nil before the first
	base    int64  // of buf, relative to the area
	uniform []bool // by parts of buf: all words are equal, as nearly everywhere
}

const (
	bitmapPiece = 32 << 20
	uniformPart = 16 << 10
)

// words is how many words the slot has.
func (b *bitmapReader) words(slot uint32) int64 {
	total := b.bytes / 4
	return (total - int64(slot) + b.slots - 1) / b.slots
}

// index is the place of a slot's word in the area, counted in words.
func (b *bitmapReader) index(slot uint32, word int64) int64 { return word*b.slots + int64(slot) }

// load makes the piece with that word of the area present.
func (b *bitmapReader) load(index int64) error {
	base := alignDown(index*4, bitmapPiece)
	if b.buf != nil && b.base == base {
		return nil
	}
	size := min(bitmapPiece, b.bytes-base)
	if b.space == nil {
		b.space = alignedBuffer(int(min(bitmapPiece, b.bytes)))
	}
	b.buf, b.base = b.space[:size], base
	if err := b.dev.readAt(b.buf, b.at+base, "bitmap"); err != nil {
		b.buf = nil
		return err
	}
	b.uniform = b.uniform[:0]
	for rest := b.buf; len(rest) > 0; {
		part := rest[:min(uniformPart, len(rest))]
		b.uniform = append(b.uniform, bytes.Equal(part[4:], part[:len(part)-4]))
		rest = rest[len(part):]
	}
	return nil
}

func (b *bitmapReader) word(index int64) (uint32, error) {
	if err := b.load(index); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b.buf[index*4-b.base:]), nil
}

// run counts the equal words from one word of the slot on, up to a limit.
func (b *bitmapReader) run(slot uint32, from, limit int64) (length int64, value uint32, err error) {
	if value, err = b.word(b.index(slot, from)); err != nil {
		return 0, 0, err
	}
	for length < limit {
		index := b.index(slot, from+length)
		if err := b.load(index); err != nil {
			return 0, 0, err
		}
		n := min(limit-length, ((b.base+int64(len(b.buf)))/4-index+b.slots-1)/b.slots) // words of the slot in this piece
		same := b.same(index*4-b.base, n, value)
		length += same
		if same < n {
			break
		}
	}
	return length, value, nil
}

// same counts how many of n words, from a place of the piece on, have the value.
func (b *bitmapReader) same(at, n int64, value uint32) int64 {
	step := 4 * b.slots
	for i := int64(0); i < n; {
		if binary.LittleEndian.Uint32(b.buf[at:]) != value {
			return i
		}
		skip := int64(1)
		if part := at / uniformPart; b.uniform[part] {
			skip = ((part+1)*uniformPart - at + step - 1) / step
		}
		at += skip * step
		i += skip
	}
	return n
}
