package meta

// area is metadata that was found, or is about to be made, at a place.
type area struct {
	sb     Superblock
	layout Layout
}

// where is what a search ended with.
type where int

const (
	nowhere where = iota
	inPlace
	atLastKnown // of a device that grew since (section 7.9)
)

// tryRead looks for one format at the place that an index means on a device of that size. Complaints about something that has
// the magic go to standard error when wanted.
func (s *session) tryRead(format Format, index Index, size int64, complain bool) (*area, error) {
	at := SuperblockAt(index, size)
	if at < 0 || at+BlockSize > s.dev.size {
		return nil, nil
	}
	block := alignedBuffer(BlockSize)
	if err := s.dev.readAt(block, at, "superblock"); err != nil {
		return nil, err
	}
	sb, ok := Decode(format, block)
	if !ok {
		if complain {
			s.detail(1, "%s Magic number not found", format)
		}
		return nil, nil
	}
	layout, bad := sb.Check(index, size)
	if len(bad) > 0 {
		for _, line := range bad {
			if complain {
				s.warn("%s", line)
			}
		}
		return nil, nil
	}
	return &area{sb, layout}, nil
}

// find looks for the metadata of the command line: in its place, then where it was before the device grew.
func (s *session) find() (*area, where, error) {
	a, err := s.tryRead(s.format, s.index, s.dev.size, true)
	if err != nil {
		return nil, nowhere, err
	}
	found := inPlace
	if a == nil {
		a, err = s.olderInPlace()
	}
	if err != nil {
		return nil, nowhere, err
	}
	if a == nil {
		if a, err = s.findLastKnown(); a == nil || err != nil {
			return nil, nowhere, err
		}
		found = atLastKnown
	}
	s.use(a)
	return a, found, nil
}

// olderInPlace finds what a node of 8.4 has left when v09 is asked for: drbdadm always asks for that, and the module attaches
// either. It stays v08, so that the node can go back; only create-md converts.
func (s *session) olderInPlace() (*area, error) {
	if s.format != V09 || s.command.makes {
		return nil, nil
	}
	a, err := s.tryRead(V08, s.index, s.dev.size, true)
	if a == nil || err != nil {
		return nil, err
	}
	s.detail(1, "the metadata is v08; it stays so")
	s.format, s.given.nodeID = V08, 0
	return a, nil
}

// use permits writes inside of the area, and clips a size that the place cannot have.
func (s *session) use(a *area) {
	s.dev.low, s.dev.high = a.layout.Start(), a.layout.End()
	if a.sb.EffectiveSize > a.layout.Capacity {
		// On standard output: programs that read our output skip comments.
		s.say("# la-size-sect was too big (%d), truncated (%d)!", a.sb.EffectiveSize, a.layout.Capacity)
		a.sb.EffectiveSize = a.layout.Capacity
	}
}

// need finds metadata in its place; anything else ends the command.
func (s *session) need() (*area, error) {
	a, found, err := s.find()
	if err != nil {
		return nil, err
	}
	if found != inPlace {
		return nil, fail(exitNoMeta, "No valid meta data found")
	}
	return a, nil
}

// store writes the superblock, after all that it vouches for is stable, and refreshes the note about the device.
func (s *session) store(a *area) error {
	if err := s.dev.flush(); err != nil {
		return err
	}
	if err := s.dev.writeAt(a.sb.Encode(), a.layout.Superblock, "superblock"); err != nil {
		return err
	}
	if err := s.dev.flush(); err != nil {
		return err
	}
	s.noteDevice(a)
	return nil
}

// initAL fills the activity log with empty transactions; v07 has none.
func (s *session) initAL(a *area) error {
	if a.sb.Format == V07 {
		return s.dev.fill(0, a.layout.AL(), a.layout.ALBytes, "activity log")
	}
	return s.fillAL(a, 0, a.layout.ALBytes/BlockSize)
}

// fillAL makes blocks empty, on stable storage.
func (s *session) fillAL(a *area, from, to int64) error {
	const piece = 256
	buf := alignedBuffer(int(min(to-from, piece)) * BlockSize)
	block := InitialALBlock()
	for i := 0; i < len(buf); i += BlockSize {
		copy(buf[i:], block)
	}
	for ; from < to; from += piece {
		n := min(to-from, piece)
		if err := s.dev.writeAt(buf[:n*BlockSize], a.layout.AL()+from*BlockSize, "activity log"); err != nil {
			return err
		}
	}
	return s.dev.flush()
}
