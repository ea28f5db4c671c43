package meta

import (
	"strconv"
	"strings"
)

// Commands that change the superblock only (section 7.12).

func runWipe(s *session) error {
	a, found, err := s.find()
	if err != nil {
		return err
	}
	if found == nowhere {
		s.warn("There appears to be no drbd meta data to wipe out?")
		return nil
	}
	if !s.confirm("", "Do you really want to wipe out the DRBD meta data?") {
		return fail(exitDeclined, "Operation cancelled.")
	}
	s.say("Wiping meta data...")
	if err := s.dev.writeAt(alignedBuffer(BlockSize), a.layout.Superblock, "superblock"); err != nil {
		return err
	}
	if err := s.dev.flush(); err != nil {
		return err
	}
	s.dropNote()
	s.say("DRBD meta data block successfully wiped out.")
	return nil
}

func runDstate(s *session) error {
	a, err := s.need()
	if err != nil {
		return err
	}
	s.say("%s", a.sb.DiskState())
	return nil
}

func runOutdate(s *session) error {
	a, err := s.need()
	if err != nil {
		return err
	}
	if a.sb.DiskState() == "Inconsistent" {
		return fail(exitInconsistent, "Device is inconsistent.")
	}
	if a.sb.Format == V07 {
		return fail(exitInconsistent, "Can not outdate GC based meta data!")
	}
	a.sb.Flags &^= FlagWasUpToDate
	return s.store(a)
}

func runInvalidate(s *session) error {
	a, err := s.need()
	if err != nil {
		return err
	}
	sb := &a.sb
	switch sb.Format {
	case V07:
		sb.GC[gcFlags] = sb.GC[gcFlags]&^gcConsistent | gcWantFullSync
	case V08:
		sb.Flags |= FlagFullSync
	case V09:
		for i := range sb.Peers {
			sb.Peers[i].Flags |= PeerFullSync
		}
	}
	sb.Flags &^= FlagConsistent | FlagWasUpToDate
	return s.store(a)
}

func runReadDeviceUUID(s *session) error {
	a, err := s.need()
	if err != nil {
		return err
	}
	s.say("%016X", a.sb.DeviceUUID)
	return nil
}

func runWriteDeviceUUID(s *session) error {
	if len(s.args) == 0 {
		return fail(exitUsage, "write-dev-uuid needs the UUID, up to 16 hexadecimal digits")
	}
	uuid, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(s.args[0]), "0x"), 16, 64)
	if err != nil {
		return fail(exitOption, "'%s' is not a UUID: up to 16 hexadecimal digits", s.args[0])
	}
	a, err := s.need()
	if err != nil {
		return err
	}
	a.sb.DeviceUUID = uuid
	return s.store(a)
}

// unused is an entry that carries the generation since which unassigned slots track all writes ("day 0", section 3.11).
func (sb *Superblock) unused(node int) bool {
	p := &sb.Peers[node]
	return p.BitmapIndex == -1 && p.Flags == 0 && int32(node) != sb.NodeID
}

// day0 is the highest such entry.
func (sb *Superblock) day0() (Peer, bool) {
	for node := MaxPeers - 1; node >= 0; node-- {
		if sb.unused(node) {
			return sb.Peers[node], true
		}
	}
	return Peer{BitmapIndex: -1}, false
}

// runForgetPeer frees a peer's entry. The slot keeps its bits: only a kernel knows which slot tracks from day 0 on.
func runForgetPeer(s *session) error {
	a, err := s.need()
	if err != nil {
		return err
	}
	sb, node := &a.sb, s.given.nodeID
	if sb.Format != V09 {
		return fail(exitOption, "forget-peer is for v09 meta data, this is %s", sb.Format)
	}
	slot := sb.Peers[node].BitmapIndex
	model, found := sb.day0()
	sb.Peers[node] = Peer{BitmapUUID: model.BitmapUUID, BitmapDagtag: model.BitmapDagtag, BitmapIndex: -1}
	if !found {
		sb.Peers[node].BitmapUUID, sb.Peers[node].BitmapDagtag = 0, 0
	}
	if err := s.store(a); err != nil || slot < 0 {
		return err
	}
	if free := sb.freeSlot(slot); free >= 0 {
		s.warn("Copying bitmap slot %d to %d not implemented.", free, slot)
	} else {
		s.warn("Setting all bits in slot %d not implemented.", slot)
	}
	s.warn("Do it with dump-md, edit, restore-md")
	return nil
}

// freeSlot is a slot that no peer has, besides one that is just becoming free.
func (sb *Superblock) freeSlot(besides int32) int32 {
	used := uint64(1) << besides
	for _, p := range sb.Peers {
		if p.BitmapIndex >= 0 {
			used |= 1 << p.BitmapIndex
		}
	}
	for slot := range int32(sb.MaxPeers) {
		if used>>slot&1 == 0 {
			return slot
		}
	}
	return -1
}

// runRepair moves metadata of a grown device, and makes all unused entries agree about day 0.
func runRepair(s *session) error {
	a, found, err := s.find()
	switch {
	case err != nil:
		return err
	case found == nowhere:
		return fail(exitNoMeta, "No valid meta data found")
	case found == atLastKnown && s.opt.DryRun:
		return fail(exitNoMeta, "The meta data is where %s ended before it grew", s.dev.path)
	case found == atLastKnown:
		if err := s.move(a); err != nil {
			return err
		}
	}
	if a.sb.Format != V09 {
		return nil
	}
	model, _ := a.sb.day0()
	wrong := 0
	for node := range a.sb.Peers {
		p := &a.sb.Peers[node]
		if !a.sb.unused(node) || p.BitmapUUID == model.BitmapUUID {
			continue
		}
		s.warn("Peer slot %d has \"day0\" UUID 0x%016X, expected 0x%016X", node, p.BitmapUUID, model.BitmapUUID)
		p.BitmapUUID, p.BitmapDagtag = model.BitmapUUID, model.BitmapDagtag
		wrong++
	}
	switch {
	case wrong == 0:
		return nil
	case s.opt.DryRun:
		return fail(exitNoMeta, "")
	}
	s.warn("Repairing metadata")
	return s.store(a)
}
