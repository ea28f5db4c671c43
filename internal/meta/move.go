package meta

// runCheckResize brings internal metadata to the end of a device that grew (section 7.9).
func runCheckResize(s *session) error {
	if !s.noted() {
		if s.index.external() || s.format == V07 {
			return fail(exitNoMeta, "Operation only supported for >= v8 internal meta data")
		}
	}
	a, found, err := s.find()
	switch {
	case err != nil:
		return err
	case found == atLastKnown:
		return s.move(a)
	case found == nowhere:
		return fail(exitNoMeta, "no suitable meta data found :(")
	}
	if k, ok := s.readNote(); !ok || k.size != s.dev.size || k.uuid != a.sb.DeviceUUID {
		s.noteDevice(a)
	}
	return nil
}

// move puts metadata that was found where the device ended before to its new end. The old superblock is the valid one until the new
// one is stable.
func (s *session) move(a *area) error {
	from := a.layout
	to, err := NewLayout(s.index, a.sb.Shape(), s.dev.size)
	if err != nil {
		return err
	}
	if to.Start() < from.Start() { // no growth of the bitmap is larger than that of the device
		return fail(exitInternal, "the new place of the meta data, from byte %d on, would be in the data, which ends at %d", to.Start(), from.Start())
	}
	s.warn("Moving the internal meta data to its proper location")
	s.dev.low, s.dev.high = from.Start(), to.End()
	if to.Start() < from.End() {
		return s.moveOverlapping(a, from, to)
	}
	return s.moveParts(a, from, to)
}

func (s *session) moveParts(a *area, from, to Layout) error {
	if err := s.copyBack(from.BM(), to.BM(), from.BMBytes); err != nil {
		return err
	}
	if err := s.copyBack(from.AL(), to.AL(), from.ALBytes); err != nil {
		return err
	}
	if err := s.initTail(to.BM()+from.BMBytes, to.BMBytes-from.BMBytes); err != nil {
		return err
	}
	return s.finishMove(a, from, to)
}

// moveOverlapping is for a device that grew by less than its metadata: parts of the old place are overwritten. So a superblock at the
// new end comes first, which asks for a full sync; an interruption costs that, but no change is lost.
func (s *session) moveOverlapping(a *area, from, to Layout) error {
	al := alignedBuffer(int(from.ALBytes))
	if err := s.dev.readAt(al, from.AL(), "activity log"); err != nil {
		return err
	}
	marked := a.sb
	marked.SetLayout(to)
	marked.markFullSync()
	if err := s.dev.writeAt(marked.Encode(), to.Superblock, "superblock"); err != nil {
		return err
	}
	if err := s.dev.flush(); err != nil {
		return err
	}
	if err := s.copyBack(from.BM(), to.BM(), from.BMBytes); err != nil {
		return err
	}
	if err := s.initTail(to.BM()+from.BMBytes, to.BMBytes-from.BMBytes); err != nil {
		return err
	}
	if err := s.dev.writeAt(al, to.AL(), "activity log"); err != nil {
		return err
	}
	return s.finishMove(a, from, to)
}

// markFullSync: neither the bitmap nor the activity log is needed any more.
func (sb *Superblock) markFullSync() {
	sb.Flags &^= FlagPrimaryInd
	if sb.Format == V08 {
		sb.Flags |= FlagFullSync
		return
	}
	for i := range sb.Peers {
		sb.Peers[i].Flags |= PeerFullSync
	}
}

const movePiece = 4 << 20

func (s *session) copyPiece(from, to, n int64) error {
	buf := alignedBuffer(int(n))
	if err := s.dev.readAt(buf, from, "old place"); err != nil {
		return err
	}
	return s.dev.writeAt(buf, to, "new place")
}

// copyBack copies with the last piece first, for a destination behind the source.
func (s *session) copyBack(from, to, n int64) error {
	for n > 0 {
		piece := min(n, movePiece)
		n -= piece
		if err := s.copyPiece(from+n, to+n, piece); err != nil {
			return err
		}
	}
	return nil
}

// initTail is the part of the bitmap that the growth added.
func (s *session) initTail(at, n int64) error {
	switch {
	case n <= 0, s.given.bitmapInit == "skip":
		return nil
	case s.given.bitmapInit == "set-all":
		return s.dev.fill(0xff, at, n, "bitmap")
	}
	return s.dev.fill(0, at, n, "bitmap")
}

func (s *session) finishMove(a *area, from, to Layout) error {
	a.layout = to
	a.sb.SetLayout(to)
	if err := s.store(a); err != nil {
		return err
	}
	s.warn("Internal drbd meta data successfully moved.")
	if end := min(from.End(), to.Start()); end > from.Start() {
		if err := s.dev.fill(0, from.Start(), end-from.Start(), "old place"); err != nil {
			return err
		}
		if err := s.dev.flush(); err != nil {
			return err
		}
		s.warn("Old meta data region zeroed.")
	}
	s.use(a)
	return nil
}
