package meta

import (
	"encoding/binary"
	"io"
	"os"
)

// dumpInput is the file of the argument, or standard input.
func (s *session) dumpInput() (io.Reader, func(), error) {
	if len(s.args) == 0 || s.args[0] == "-" {
		return s.env.Stdin, func() {}, nil
	}
	f, err := os.Open(s.args[0])
	if err != nil {
		return nil, nil, fail(exitUsage, "open of '%s' failed: %v", s.args[0], reason(err))
	}
	return f, func() { _ = f.Close() }, nil
}

func (s *session) parseInput() (*dumped, error) {
	in, done, err := s.dumpInput()
	if err != nil {
		return nil, err
	}
	defer done()
	return parseDump(s.format, in)
}

func runVerify(s *session) error {
	if _, err := s.parseInput(); err != nil {
		return err
	}
	s.say("input file parsed ok")
	return nil
}

// runRestore writes what a dump holds (section 7.10). The whole dump is read first: a broken one changes nothing.
func runRestore(s *session) error {
	d, err := s.parseInput()
	if err != nil {
		return err
	}
	old, found, err := s.find()
	if err != nil {
		return err
	}
	if found == inPlace {
		if !s.confirm("", "Valid meta-data in place, overwrite?") {
			return fail(exitNoMeta, "Operation canceled.")
		}
		s.warn("reinitializing")
	} else {
		old = nil
	}
	if s.given.alStripes != 0 {
		s.warn("override activity log striping from commandline")
		d.sb.ALStripes, d.sb.ALStripeSize4k = s.given.alStripes, s.given.alStripe4k
	}
	layout, err := NewLayout(s.index, d.sb.Shape(), s.dev.size)
	if err != nil {
		return &failure{code: exitOption, text: err.Error()}
	}
	a := &area{d.sb, layout}
	if layout.End() > s.dev.size {
		return fail(exitOption, "%s is only %d bytes: %d are needed for meta data with index %d", s.dev.path, s.dev.size, layout.End(), s.index)
	}
	a.sb.SetLayout(layout)
	if err := s.checkData(layout); err != nil {
		return err
	}
	s.use(a)
	return s.restore(old, a, d)
}

func (s *session) restore(old, a *area, d *dumped) error {
	if old != nil {
		if err := s.disarm(old, a); err != nil {
			return err
		}
	}
	if err := s.initAL(a); err != nil {
		return err
	}
	numbers := d.numbers()
	slots := uint64(a.sb.MaxPeers)
	most := (uint64(a.layout.BMBytes)/4 + slots - 1) / slots / 2 // the last words may exist for some slots only
	if numbers > most {
		s.warn("Bitmap info too large, truncated!")
		numbers = most
	}
	// What the dump does not tell stays as it was; without metadata before it is not a bitmap at all.
	end := min(int64(numbers*8*slots), a.layout.BMBytes)
	if old == nil || old.layout.BM() != a.layout.BM() || old.sb.MaxPeers != a.sb.MaxPeers {
		if err := s.dev.fill(0, a.layout.BM(), a.layout.BMBytes, "bitmap"); err != nil {
			return err
		}
	}
	if err := s.writeBitmap(a, d, end); err != nil {
		return err
	}
	if err := s.store(a); err != nil {
		return err
	}
	s.say("Successfully restored meta data")
	return nil
}

// runReader gives the 32-bit words of a slot in order; behind its end they are 0.
type runReader struct {
	runs []run
	used uint64 // numbers taken from runs[0]
	high bool   // the next word is the upper half
}

func (r *runReader) next() uint32 {
	if len(r.runs) == 0 {
		return 0
	}
	value := r.runs[0].value
	if !r.high {
		r.high = true
		return uint32(value)
	}
	r.high = false
	if r.used++; r.used == r.runs[0].count {
		r.runs, r.used = r.runs[1:], 0
	}
	return uint32(value >> 32)
}

// writeBitmap interleaves the slots; bytes is how much of the area that is.
func (s *session) writeBitmap(a *area, d *dumped, bytes int64) error {
	readers := make([]runReader, len(d.slots))
	for i := range readers {
		readers[i].runs = d.slots[i]
	}
	buf := alignedBuffer(bitmapChunk)
	slot := 0
	for base := int64(0); base < bytes; base += bitmapChunk {
		piece := buf[:min(bitmapChunk, alignUp(bytes, BlockSize)-base, a.layout.BMBytes-base)]
		if base+int64(len(piece)) > bytes { // the rest of the last block
			if err := s.dev.readAt(piece, a.layout.BM()+base, "bitmap"); err != nil {
				return err
			}
		}
		for at := int64(0); at+4 <= int64(len(piece)) && base+at < bytes; at += 4 {
			binary.LittleEndian.PutUint32(piece[at:], readers[slot].next())
			slot = (slot + 1) % len(readers)
		}
		if err := s.dev.writeAt(piece, a.layout.BM()+base, "bitmap"); err != nil {
			return err
		}
	}
	return nil
}
