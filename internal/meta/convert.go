package meta

// Conversion between the formats, part of create-md (section 7.7). The activity log and the bitmap stay where they are.

// convert writes old metadata in the wanted format.
func (s *session) convert(old *area, slots uint32) error {
	if s.format == V07 {
		return fail(exitOption, "%s meta data cannot become v07: nothing that reads v07 understands its content", old.sb.Format)
	}
	if old.sb.Format == V09 && old.sb.MaxPeers > 1 {
		return fail(exitOption, "%s has bitmaps for %d peers and v08 has room for one: use dump-md, wipe-md, create-md", s.dev.path,
			old.sb.MaxPeers)
	}
	if old.layout.Index == FixedInternal {
		return fail(exitOption, "meta data of the fixed size of v07 lies elsewhere than %s looks for it: use wipe-md with v07, "+
			"then create-md and a full sync", s.format)
	}
	if old.sb.Format != V07 && !old.sb.Clean() && old.sb.primaryIndicated() {
		return fail(exitOption, "%s holds meta data of a node that crashed: apply-al with %s first", s.dev.path, old.sb.Format)
	}
	sb := old.sb
	if sb.Format == V07 {
		s.say("Converting meta data...")
		sb = convertV07(sb)
	}
	if s.format == V09 && sb.Format == V08 {
		if slots != 1 {
			s.warn("Warning: setting max_peers to 1 instead of %d", slots)
		}
		sb = convertV08(sb)
	} else if s.format == V08 && sb.Format == V09 {
		sb = convertV09(sb)
	}
	layout, err := NewLayout(s.index, sb.Shape(), s.dev.size)
	if err != nil {
		return err
	}
	if layout.Superblock != old.layout.Superblock || layout.BM() != old.layout.BM() || layout.AL() != old.layout.AL() {
		return fail(exitOption, "%s meta data on %s has another layout than %s would have: use dump-md, wipe-md, create-md", old.sb.Format,
			s.dev.path, s.format)
	}
	a := &area{sb, layout}
	a.sb.SetLayout(layout)
	if err := s.provision(&a.sb, layout); err != nil {
		return err
	}
	s.use(a)
	return s.finishCreate(nil, a)
}

// convertV07 turns counters into UUIDs that keep their order.
func convertV07(old Superblock) Superblock {
	sb := Fresh(V08, old.Shape())
	sb.EffectiveSize, sb.ALExtents = old.EffectiveSize, old.ALExtents
	sb.CurrentUUID = uint64(old.GC[gcHuman]&0xffff)<<48 | uint64(old.GC[gcTimeout]&0xffff)<<32 |
		uint64((old.GC[gcConnected]+old.GC[gcArbitrary])&0xffff)<<16 | 0xBABE
	sb.History[0], sb.History[1] = sb.CurrentUUID-0x10000, sb.CurrentUUID-0x20000
	sb.Flags = 0
	for _, f := range []struct{ old, new uint32 }{
		{gcConsistent, FlagConsistent | FlagWasUpToDate}, {gcPrimary, FlagPrimaryInd}, {gcConnectedInd, FlagConnectedInd},
		{gcWantFullSync, FlagFullSync},
	} {
		if old.GC[gcFlags]&f.old != 0 {
			sb.Flags |= f.new
		}
	}
	return sb
}

// movedFlags belong to the device in v08 and to a peer in v09.
var movedFlags = []struct{ device, peer uint32 }{
	{FlagConnectedInd, PeerConnected}, {FlagFullSync, PeerFullSync}, {FlagPeerOutdated, PeerOutdated},
}

const onlyV08Flags = FlagConnectedInd | FlagFullSync | FlagPeerOutdated

// convertV08: the bitmap UUID has no place, since no slot is given to a node yet.
func convertV08(sb Superblock) Superblock {
	sb.Format, sb.Magic, sb.MaxPeers, sb.NodeID = V09, MagicV09, 1, -1
	sb.Peers[0] = Peer{BitmapIndex: -1}
	for _, f := range movedFlags {
		if sb.Flags&f.device != 0 {
			sb.Peers[0].Flags |= f.peer
		}
	}
	sb.Flags &^= onlyV08Flags
	return sb
}

// convertV09 takes the node with the slot as the peer, the first one when there is none.
func convertV09(sb Superblock) Superblock {
	peer := sb.Peers[0]
	for _, p := range sb.Peers {
		if p.BitmapIndex == 0 {
			peer = p
		}
	}
	clean := sb.Clean()
	out := sb
	out.Format, out.Magic, out.NodeID, out.Members = V08, MagicV08Unclean, -1, 0
	if clean {
		out.Magic = MagicV08
	}
	out.Peers = Fresh(V08, sb.Shape()).Peers
	out.Peers[0].BitmapUUID = peer.BitmapUUID
	clear(out.History[historyV08:])
	out.Flags &= knownFlagsV08 &^ onlyV08Flags
	for _, f := range movedFlags {
		if peer.Flags&f.peer != 0 {
			out.Flags |= f.device
		}
	}
	return out
}
