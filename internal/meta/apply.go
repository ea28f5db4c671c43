package meta

import (
	"bytes"
	"encoding/binary"
	"io"
)

// runApplyAL marks the extents that a crashed node was writing to as out of sync, and makes the metadata attachable (sections 3.9, 5.7).
func runApplyAL(s *session) error {
	a, err := s.need()
	if err != nil {
		return err
	}
	replay, err := s.readAL(a)
	if err != nil {
		return err
	}
	needed := a.sb.primaryIndicated()
	if err := s.judgeAL(&replay, needed); err != nil {
		return err
	}
	applied := false
	if needed && replay.Verdict == ReplayExtents {
		if applied, err = s.markExtents(a, replay.Extents); err != nil {
			return err
		}
	}
	if replay.Rewrite {
		if applied { // bits first: until then the log is the only trace of these writes
			if err := s.dev.flush(); err != nil {
				return err
			}
		}
		if err := s.retireAL(a, &replay); err != nil {
			return err
		}
	}
	if a.sb.Clean() && !applied && !replay.Rewrite {
		return nil
	}
	a.sb.SetClean()
	return s.store(a)
}

// readAL finds the format of the log and reads it.
func (s *session) readAL(a *area) (Replay, error) {
	head := alignedBuffer(int(min(a.layout.ALBytes, oldALSectors*SectorSize)))
	if err := s.dev.readAt(head, a.layout.AL(), "activity log"); err != nil {
		return Replay{}, err
	}
	if a.sb.Format == V09 && binary.BigEndian.Uint32(head) == pmemALMagic {
		area := alignedBuffer(int(min(a.layout.ALBytes, maxALBlocks*BlockSize)))
		if err := s.dev.readAt(area, a.layout.AL(), "activity log"); err != nil {
			return Replay{}, err
		}
		return ReplayPmemAL(area, a.sb.ALExtents), nil
	}
	if usesOldAL(&a.sb, head) {
		return ReplayOldAL(head, a.sb.ALExtents), nil
	}
	var area io.ReaderAt = deviceReader{s.dev, a.layout.AL()}
	if a.layout.ALBytes <= maxALBlocks*BlockSize { // one read instead of many
		all := alignedBuffer(int(a.layout.ALBytes))
		if err := s.dev.readAt(all, a.layout.AL(), "activity log"); err != nil {
			return Replay{}, err
		}
		area = bytes.NewReader(all)
	}
	return ReplayAL(area, a.sb.ALStripes, a.sb.ALStripeSize4k)
}

// judgeAL reports what was found; an unusable log is an error only if it is needed.
func (s *session) judgeAL(r *Replay, needed bool) error {
	for _, line := range r.Reports {
		s.warn("%s", line)
	}
	if r.OldStyle {
		s.judgeOldAL(r)
		return nil
	}
	var code int
	var text string
	switch r.Verdict {
	case ReplayNothing:
		r.Rewrite = r.Corrupt > 0 // with a second torn block after the next crash nobody could tell any more
		return nil
	case ReplayExtents:
		if r.Corrupt > 0 {
			s.warn("%d corrupt AL transactions found", r.Corrupt)
		}
		return nil
	case ReplayNoBlock:
		code, text = exitDeclined, "No usable activity log found. Do you need to create-md?"
	case ReplayNoUpdate:
		code, text = exitNoUpdate, "No valid AL update transaction found."
	}
	if needed {
		return fail(code, "%s", text)
	}
	s.warn("%s\nError ignored, no need to apply the AL", text)
	r.Rewrite = true
	return nil
}

func (s *session) judgeOldAL(r *Replay) {
	switch {
	case r.Verdict == ReplayNoBlock:
		s.warn("No usable activity log found.")
	case r.Corrupt > 0:
		s.warn("%d corrupt or uninitialized AL transactions found\nYou can safely ignore this if this node was cleanly stopped (no crash).",
			r.Corrupt)
	}
}

// retireAL makes the log empty after its extents were marked. A power failure must leave, at any point and with any block torn, a log
// that the next apply-al understands. As long as there is a valid update, invalid blocks do not matter; without one, only the block
// of ring position 0 may be torn (section 5.7). So that block is an update until all others are done, and goes last.
func (s *session) retireAL(a *area, r *Replay) error {
	blocks := a.layout.ALBytes / BlockSize
	switch {
	case a.sb.Format == V07:
		return s.initAL(a)
	case r.Foreign:
		if err := s.replaceForeignAL(a, blocks); err != nil {
			return err
		}
	case r.Verdict != ReplayExtents: // nothing in it is needed
		return s.initAL(a)
	}
	if !r.UpdateFirst {
		if err := s.writeAL(a, 0, emptyUpdate(r.Newest+1)); err != nil {
			return err
		}
	}
	if err := s.fillAL(a, 1, blocks); err != nil {
		return err
	}
	return s.writeAL(a, 0, InitialALBlock())
}

// replaceForeignAL puts our format over another one, of which the first block tells that it is there, in the older one also by what the
// second block does not hold. An update behind them is the first to be written.
func (s *session) replaceForeignAL(a *area, blocks int64) error {
	if err := s.fillAL(a, 3, blocks); err != nil {
		return err
	}
	if err := s.writeAL(a, 2, emptyUpdate(0)); err != nil {
		return err
	}
	return s.writeAL(a, 1, InitialALBlock())
}

// writeAL puts one block of the log on stable storage.
func (s *session) writeAL(a *area, at int64, block []byte) error {
	if err := s.dev.writeAt(block, a.layout.AL()+at*BlockSize, "activity log"); err != nil {
		return err
	}
	return s.dev.flush()
}

// bitmapChunk is how much of the bitmap is changed with one read and one write, bitmapGap what is read for nothing to spare another one.
const (
	bitmapChunk = 1 << 20
	bitmapGap   = 16 << 10
)

// markExtents sets all bits of the extents, in all slots; hot is ascending.
func (s *session) markExtents(a *area, hot []uint32) (applied bool, err error) {
	if len(hot) == 0 {
		s.warn("Nothing to do.")
		return false, nil
	}
	sb := &a.sb
	// The last extent may reach beyond the data; bits there belong to nobody.
	end := min(BitmapBytes(sb.EffectiveSize, sb.BytesPerBit, sb.MaxPeers), a.layout.BMBytes)
	var spans []span
	for _, extent := range hot {
		sp := extentSpan(extent, sb.BytesPerBit, sb.MaxPeers)
		if sp.from >= end {
			s.warn("extent %d beyond end of bitmap! (%d >= %d)", extent, sp.to, end)
			continue
		}
		sp.to = min(sp.to, end)
		spans = append(spans, sp)
	}
	added := uint64(0)
	for rest := spans; len(rest) > 0; {
		n := neighbours(rest)
		more, err := s.markSpans(a, rest[:n])
		if err != nil {
			return false, err
		}
		added, rest = added+more, rest[n:]
	}
	s.warn("Marked additional %s as out-of-sync based on AL.", sizeText(added*uint64(sb.BytesPerBit)))
	return len(spans) > 0, nil
}

// neighbours counts the spans at the begin that are changed together.
func neighbours(spans []span) int {
	n := 1
	for n < len(spans) && spans[n].from-spans[n-1].to < bitmapGap && spans[n].to-spans[0].from < bitmapChunk {
		n++
	}
	return n
}

// markSpans sets bits in whole blocks, and counts those that were clear.
func (s *session) markSpans(a *area, spans []span) (added uint64, err error) {
	base := alignDown(spans[0].from, BlockSize)
	limit := min(alignUp(spans[len(spans)-1].to, BlockSize), a.layout.BMBytes)
	buf := alignedBuffer(int(limit - base))
	if err := s.dev.readAt(buf, a.layout.BM()+base, "bitmap"); err != nil {
		return 0, err
	}
	for _, sp := range spans {
		added += setMask(buf[sp.from-base:sp.to-base], sp.mask)
	}
	if added == 0 { // a second apply-al
		return 0, nil
	}
	return added, s.dev.writeAt(buf, a.layout.BM()+base, "bitmap")
}
