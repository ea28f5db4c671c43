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

// bitmapReader gives the words of one slot, in order, from an area that is read in pieces. All slots have words in each piece; one in
// which all words are equal, as nearly everywhere, is read for the first slot only.
type bitmapReader struct {
	dev   *device
	at    int64 // of the area
	bytes int64 // how much of it counts
	slots int64

	space []byte
	piece int64   // at hand, -1 before the first
	buf   []byte  // its content; nothing where even tells more
	even  []uint8 // by pieces
	value []uint32
	parts []bool // by parts of buf: all words are equal
}

const (
	bitmapPiece = 1 << 20
	uniformPart = 16 << 10
)

const (
	pieceUnknown uint8 = iota
	pieceEven          // all words have the value
	pieceMixed
)

func newBitmapReader(dev *device, at, bytes, slots int64) *bitmapReader {
	pieces := (bytes + bitmapPiece - 1) / bitmapPiece
	return &bitmapReader{dev: dev, at: at, bytes: bytes, slots: slots, piece: -1, even: make([]uint8, pieces), value: make([]uint32, pieces)}
}

// words is how many words the slot has.
func (b *bitmapReader) words(slot uint32) int64 {
	total := b.bytes / 4
	return (total - int64(slot) + b.slots - 1) / b.slots
}

// index is the place of a slot's word in the area, counted in words.
func (b *bitmapReader) index(slot uint32, word int64) int64 { return word*b.slots + int64(slot) }

// end is where a piece ends.
func (b *bitmapReader) end(piece int64) int64 { return min((piece+1)*bitmapPiece, b.bytes) }

// load makes the piece with that word of the area present.
func (b *bitmapReader) load(index int64) error {
	piece := index * 4 / bitmapPiece
	if b.piece == piece {
		return nil
	}
	b.piece = piece
	if b.even[piece] == pieceEven {
		return nil
	}
	if b.space == nil {
		b.space = alignedBuffer(int(min(bitmapPiece, alignUp(b.bytes, BlockSize))))
	}
	b.buf = b.space[:b.end(piece)-piece*bitmapPiece]
	if err := b.dev.readAt(b.buf, b.at+piece*bitmapPiece, "bitmap"); err != nil {
		b.piece = -1
		return err
	}
	if isEven(b.buf) {
		b.even[piece], b.value[piece] = pieceEven, binary.LittleEndian.Uint32(b.buf)
		return nil
	}
	b.even[piece] = pieceMixed
	b.parts = b.parts[:0]
	for rest := b.buf; len(rest) > 0; {
		part := rest[:min(uniformPart, len(rest))]
		b.parts = append(b.parts, isEven(part))
		rest = rest[len(part):]
	}
	return nil
}

// isEven: all words are equal.
func isEven(words []byte) bool { return bytes.Equal(words[4:], words[:len(words)-4]) }

func (b *bitmapReader) word(index int64) (uint32, error) {
	if err := b.load(index); err != nil {
		return 0, err
	}
	if b.even[b.piece] == pieceEven {
		return b.value[b.piece], nil
	}
	return binary.LittleEndian.Uint32(b.buf[index*4-b.piece*bitmapPiece:]), nil
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
		n := min(limit-length, (b.end(b.piece)/4-index+b.slots-1)/b.slots) // words of the slot in this piece
		same := b.same(index*4-b.piece*bitmapPiece, n, value)
		length += same
		if same < n {
			break
		}
	}
	return length, value, nil
}

// same counts how many of n words, from a place of the piece on, have the value.
func (b *bitmapReader) same(at, n int64, value uint32) int64 {
	if b.even[b.piece] == pieceEven {
		if b.value[b.piece] == value {
			return n
		}
		return 0
	}
	step := 4 * b.slots
	for i := int64(0); i < n; {
		if binary.LittleEndian.Uint32(b.buf[at:]) != value {
			return i
		}
		skip := int64(1)
		if part := at / uniformPart; b.parts[part] {
			skip = ((part+1)*uniformPart - at + step - 1) / step
		}
		at += skip * step
		i += skip
	}
	return n
}
