package meta

import (
	"errors"
	"fmt"
	"strconv"
)

// runCreate makes new metadata, or converts what is there (section 7.7).
func runCreate(s *session) error {
	slots, err := s.slotsArgument()
	if err != nil {
		return err
	}
	a, done, err := s.createAfterGrowth()
	if done || err != nil {
		return err
	}
	shape := Shape{Slots: slots, BytesPerBit: s.given.bytesPerBit, ALStripes: 1, ALStripeSize4k: minALBlocks}
	if s.given.alStripes != 0 {
		shape.ALStripes, shape.ALStripeSize4k = s.given.alStripes, s.given.alStripe4k
	}
	old, err := s.otherFormats(a)
	if err != nil {
		return err
	}
	plan := planInitialise
	if old != nil {
		if plan, err = s.askAboutOld(old, shape); err != nil {
			return err
		}
	}
	if plan == planConvert {
		return s.convert(old, slots)
	}
	return s.initialise(old, shape)
}

func (s *session) slotsArgument() (uint32, error) {
	if s.format != V09 {
		return 1, nil
	}
	if len(s.args) == 0 {
		s.warn("USAGE: drbdmeta DEVICE v09 ... create-md {max_peers}")
		return 0, fail(exitUsage, "MAX_PEERS argument missing")
	}
	n, err := strconv.ParseUint(s.args[0], 10, 32)
	if err != nil || n < 1 || n > MaxSlots {
		return 0, fail(exitUsage, "MAX_PEERS argument not in allowed range 1 .. %d.", MaxSlots)
	}
	return uint32(n), nil
}

// createAfterGrowth offers to keep metadata of a device that grew; done when that was wanted.
func (s *session) createAfterGrowth() (a *area, done bool, err error) {
	a, found, err := s.find()
	if err != nil || found != atLastKnown {
		return a, false, err
	}
	if s.given.alStripes != 0 {
		return nil, false, fail(exitUsage, "Cannot move after offline resize and change AL-striping at the same time, yet.")
	}
	if s.opt.Force || !s.confirm("", "Move internal meta data from last-known position?\n") {
		return nil, false, nil
	}
	return nil, true, s.move(a)
}

type createPlan int

const (
	planInitialise createPlan = iota
	planConvert
)

// otherFormats looks for metadata of any format where ours would be or was once; a is what was found of ours.
func (s *session) otherFormats(a *area) (*area, error) {
	type place struct {
		format Format
		index  Index
	}
	var places []place
	if s.index.external() {
		places = []place{{V07, s.index}, {V08, s.index}, {V09, s.index}}
	} else {
		places = []place{{V07, FixedInternal}, {V07, Internal}, {V08, Internal}, {V09, Internal}}
	}
	for _, p := range places {
		if a != nil && p.format == a.sb.Format && p.index == a.layout.Index {
			return a, nil
		}
		old, err := s.tryRead(p.format, p.index, s.dev.size, false)
		if err != nil || old != nil {
			return old, err
		}
	}
	return nil, nil
}

// kindOf names a kind of internal metadata in questions.
func kindOf(format Format, index Index, style string) string {
	name := format.String()
	if format == V07 && index == Internal {
		name = "v07(plus)"
	}
	return fmt.Sprintf("a %s%s %s-size internal meta data block", name, style, choose(index == FixedInternal, "fixed", "flexible"))
}

// askAboutOld decides with the user what becomes of existing metadata.
func (s *session) askAboutOld(old *area, shape Shape) (createPlan, error) {
	about := "Valid meta data seems to be in place."
	if !s.index.external() {
		about = fmt.Sprintf("You want me to create %s.\nThere appears to be %s\nalready in place on %s at byte offset %d",
			kindOf(s.format, s.index, " style"), kindOf(old.sb.Format, old.layout.Index, ""), s.dev.path, old.layout.Superblock)
	}
	canceled := fail(exitDeclined, "Operation cancelled.")
	if old.sb.Format != s.format {
		question := fmt.Sprintf("Valid %s meta-data found, convert to %s?", old.sb.Format, s.format)
		if s.confirm(about, question) {
			return planConvert, nil
		}
		question = fmt.Sprintf("So you want me to replace the %s meta-data\nwith newly initialized %s meta-data?", old.sb.Format, s.format)
		if s.confirm("", question) {
			return planInitialise, nil
		}
		return 0, canceled
	}
	same := old.sb.ALStripes == shape.ALStripes && old.sb.ALStripeSize4k == shape.ALStripeSize4k
	if !same && s.given.alStripes != 0 {
		if s.confirm(about, "Do you want to change the activity log stripe settings *only*?") {
			return 0, fail(exitStripes, "Sorry, not yet fully implemented\nTry dump-md > dump.txt; restore-md -s x -z y dump.txt")
		}
	}
	if s.index.external() {
		if s.confirm(about, "Do you really want to overwrite?") {
			return planInitialise, nil
		}
		return 0, canceled
	}
	if s.confirm(about, "Do you really want to overwrite the existing meta-data?") {
		return planInitialise, nil
	}
	return 0, canceled
}

// initialise writes new metadata. What is overwritten first becomes the superblock of the new metadata, as a generation that was
// just created: an interruption must not leave the old superblock above a bitmap that was cleared.
func (s *session) initialise(old *area, shape Shape) error {
	layout, err := NewLayout(s.index, shape, s.dev.size)
	if err != nil {
		return &failure{code: exitOption, text: err.Error()}
	}
	if layout.End() > s.dev.size {
		return fail(exitOption, "%s is only %d bytes: %d are needed for meta data with index %d", s.dev.path, s.dev.size, layout.End(), s.index)
	}
	a := &area{Fresh(s.format, shape), layout}
	a.sb.SetLayout(layout)
	if err := s.provision(&a.sb, layout); err != nil {
		return err
	}
	if err := s.checkData(layout); err != nil {
		return err
	}
	s.dev.low, s.dev.high = layout.Start(), layout.End()
	if old != nil {
		if err := s.disarm(old, a); err != nil {
			return err
		}
	}
	s.say("initializing activity log")
	if err := s.initAL(a); err != nil {
		return err
	}
	if err := s.initBitmap(layout.BM(), layout.BMBytes); err != nil {
		return err
	}
	return s.finishCreate(old, a)
}

// disarm makes sure that from now on nobody takes the old metadata for good.
func (s *session) disarm(old, a *area) error {
	if old.layout.Superblock != a.layout.Superblock {
		if err := s.wipeSuperblock(old.layout.Superblock); err != nil {
			return err
		}
	} else {
		early := Fresh(s.format, a.sb.Shape())
		early.SetLayout(a.layout)
		early.Flags &^= FlagALClean
		if err := s.dev.writeAt(early.Encode(), a.layout.Superblock, "superblock"); err != nil {
			return err
		}
	}
	return s.dev.flush()
}

// wipeSuperblock clears one that may lie outside of our own area.
func (s *session) wipeSuperblock(at int64) error {
	low, high := s.dev.low, s.dev.high
	s.dev.low, s.dev.high = at, at+BlockSize
	err := s.dev.writeAt(alignedBuffer(BlockSize), at, "old superblock")
	s.dev.low, s.dev.high = low, high
	return err
}

func (s *session) finishCreate(old, a *area) error {
	s.say("Writing meta data...")
	if err := s.store(a); err != nil {
		s.say("operation failed")
		return err
	}
	if old != nil && old.layout.Superblock != a.layout.Superblock {
		if err := s.wipeSuperblock(old.layout.Superblock); err != nil {
			return err
		}
	}
	if s.opt.DryRun {
		s.say("Dry run: nothing was written.")
		return nil
	}
	s.say("New drbd meta data block successfully created.")
	return nil
}

// initBitmap clears or sets the bitmap area, as --initialize-bitmap says.
func (s *session) initBitmap(at, n int64) error {
	size := sizeText(uint64(n))
	method := s.given.bitmapInit
	switch method {
	case "skip":
		s.warn("SKIPPED initializing bitmap area")
		return nil
	case "set-all":
		s.warn("initializing bitmap (%s) to all set using pwrite", size)
		return s.dev.fill(0xff, at, n, "bitmap")
	case "automatic", "zeroout":
		s.warn("initializing bitmap (%s) to all zero", size)
		rest, err := s.zeroOutPieces(at, n)
		if err == nil {
			return nil
		}
		var f *failure
		if errors.As(err, &f) {
			return err
		}
		s.warn("ioctl(%s, BLKZEROOUT, [%d, %d]) failed: %v", s.dev.path, at+n-rest, rest, reason(err))
		if method == "zeroout" {
			return fail(exitOption, "fast zero-out failed, fallback disabled")
		}
		at, n = at+n-rest, rest
	}
	s.warn("initializing bitmap (%s) to all zero using pwrite", size)
	return s.dev.fill(0, at, n, "bitmap")
}

// zeroOutPieces gives back how much was not done.
func (s *session) zeroOutPieces(at, n int64) (rest int64, err error) {
	const piece = 1 << 30
	for rest = n; rest > 0; rest -= min(rest, piece) {
		if err := s.dev.zeroOut(at+n-rest, min(rest, piece)); err != nil {
			return rest, err
		}
		if n > piece {
			fmt.Fprintf(s.env.Stderr, "\r%d%%", (n-rest+min(rest, piece))*100/n)
		}
	}
	if n > piece {
		s.warn("\r100%%")
	}
	return 0, nil
}

// provision applies the options for sizes, flags and UUIDs. All are checked before anything is written.
func (s *session) provision(sb *Superblock, layout Layout) error {
	o := &s.opt
	if o.EffectiveSize != nil {
		sb.EffectiveSize = s.given.effectiveSize
		if sb.EffectiveSize > layout.Capacity {
			s.say("# la-size-sect was too big (%d), truncated (%d)!", sb.EffectiveSize, layout.Capacity)
			sb.EffectiveSize = layout.Capacity
		}
	}
	if o.PeerMaxBioSize != nil {
		sb.PeerMaxBioSize = s.given.peerMaxBioSize
	}
	if s.format != V09 {
		return nil
	}
	for i := range sb.Peers {
		if s.given.diskfulPeers>>i&1 != 0 {
			sb.Peers[i].Flags |= PeerSeen
		}
		if o.PeersOutdated {
			sb.Peers[i].Flags |= PeerOutdated
		}
	}
	s.provisionUUIDs(sb)
	if o.Consistent || o.UpToDate {
		sb.Flags |= FlagConsistent
	}
	if o.UpToDate {
		sb.Flags |= FlagWasUpToDate
	}
	return nil
}

func (s *session) provisionUUIDs(sb *Superblock) {
	o := &s.opt
	switch {
	case s.given.generateUUID:
		sb.CurrentUUID = s.env.Random()
	case s.given.currentUUID != 0:
		sb.CurrentUUID = s.given.currentUUID
	}
	if (o.Consistent || o.UpToDate || o.RotateUUIDs) && sb.CurrentUUID == JustCreated {
		sb.CurrentUUID = s.env.Random()
	}
	if o.RotateUUIDs {
		copy(sb.History[1:], sb.History[:])
		sb.History[0] = sb.CurrentUUID
		for i := range sb.Peers {
			sb.Peers[i].BitmapUUID = sb.CurrentUUID
		}
		sb.CurrentUUID = s.env.Random()
	}
}
