package meta

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

// uncleanMark makes restore-md fail on purpose.
const uncleanMark = "This_is_an_unclean_meta_data_dump._Don't_trust_the_bitmap."

// showAL is how often -v has to be given to see the activity log.
const showAL = 10

func runDump(s *session) error {
	a, found, err := s.find()
	if err != nil {
		return err
	}
	if found == nowhere {
		return fail(exitNoMeta, "No valid meta data found")
	}
	unclean := !a.sb.Clean()
	if unclean {
		s.warn("Found meta data is \"unclean\", please apply-al first")
		if !s.opt.Force {
			return fail(exitNoMeta, "")
		}
	}
	w := bufio.NewWriterSize(s.env.Stdout, 64<<10)
	d := dumper{s: s, a: a, w: w}
	d.head(unclean, found)
	if err := d.body(); err != nil {
		_ = w.Flush() // what there is may help
		return err
	}
	if err := w.Flush(); err != nil {
		return fail(exitDeclined, "writing the dump failed: %v", err)
	}
	return nil
}

// dumper writes one dump (section 7.10).
type dumper struct {
	s *session
	a *area
	w *bufio.Writer
}

func (d *dumper) line(format string, args ...any) { fmt.Fprintf(d.w, format+"\n", args...) }

func (d *dumper) head(unclean bool, found where) {
	host, _ := d.s.env.Hostname()
	now := d.s.env.Now()
	d.line("# DRBD meta data dump\n# %s [%d]", now.Format("2006-01-02 15:04:05 -0700"), now.Unix())
	d.line("# %s> drbdmeta %s\n#\n", host, strings.Join(d.s.argv, " "))
	d.line("version \"%s\";\n", d.a.sb.Format)
	if found == atLastKnown {
		d.line("### Device seems to have been resized!\n### This dumps meta data from the last known position,\n"+
			"### current size of %s: %d bytes, expected position of the superblock: %d\n### check-resize moves it there.\n",
			d.s.dev.path, d.s.dev.size, SuperblockAt(d.s.index, d.s.dev.size))
	}
	if unclean {
		d.line("%s\n# You should \"apply-al\" first, if you plan to restore this.\n", uncleanMark)
	}
	if d.a.sb.Format == V09 {
		d.line("max-peers %d;", d.a.sb.MaxPeers)
	}
	l := d.a.layout
	d.line("# md_size_sect %d\n# md_offset %d\n# al_offset %d\n# bm_offset %d\n", l.MDSizeSect, l.Superblock, l.AL(), l.BM())
}

func (d *dumper) body() error {
	sb := &d.a.sb
	switch sb.Format {
	case V07:
		d.counters()
	case V08:
		d.uuids()
	case V09:
		d.peers()
	}
	d.line("# al-extents %d;", sb.ALExtents)
	d.line("la-size-sect %d;", sb.EffectiveSize)
	if sb.Format != V07 {
		d.line("bm-byte-per-bit %d;\ndevice-uuid 0x%016X;\nla-peer-max-bio-size %d;\nal-stripes %d;\nal-stripe-size-4k %d;",
			sb.BytesPerBit, sb.DeviceUUID, sb.PeerMaxBioSize, sb.ALStripes, sb.ALStripeSize4k)
	}
	if err := d.bitmaps(); err != nil {
		return err
	}
	if d.s.opt.Verbose >= showAL {
		return d.activityLog()
	}
	return nil
}

func (d *dumper) counters() {
	d.line("gc {\n   %s\n}", d.numbers(d.a.sb.GC[:]))
}

func (d *dumper) numbers(list []uint32) string {
	var b strings.Builder
	for _, n := range list {
		fmt.Fprintf(&b, " %d;", n)
	}
	return b.String()
}

func (d *dumper) uuids() {
	sb := &d.a.sb
	d.line("uuid {\n    0x%016X; 0x%016X; 0x%016X; 0x%016X;\n    flags 0x%08X;\n}", sb.CurrentUUID, sb.Peers[0].BitmapUUID, sb.History[0],
		sb.History[1], sb.Flags)
}

func (d *dumper) peers() {
	sb := &d.a.sb
	d.line("node-id %d;\ncurrent-uuid 0x%016X;\nflags 0x%08X;\nmembers 0x%016X;", sb.NodeID, sb.CurrentUUID, sb.Flags, sb.Members)
	for i, p := range sb.Peers {
		text := peerFlagText(p.Flags)
		if text != "" {
			text = " # " + text
		}
		d.line("peer[%d] {\n    bitmap-index %d;\n    bitmap-uuid 0x%016X;\n    bitmap-dagtag 0x%016X;\n    flags 0x%08X;%s\n}", i,
			p.BitmapIndex, p.BitmapUUID, p.BitmapDagtag, p.Flags, text)
	}
	d.line("history-uuids {")
	for i := 0; i < historyV09; i += 4 {
		d.line("        0x%016X; 0x%016X; 0x%016X; 0x%016X;", sb.History[i], sb.History[i+1], sb.History[i+2], sb.History[i+3])
	}
	d.line("}")
}

// bitmaps shows what the effective size covers, slot by slot.
func (d *dumper) bitmaps() error {
	sb := &d.a.sb
	r := newBitmapReader(d.s.dev, d.a.layout.BM(), min(BitmapBytes(sb.EffectiveSize, sb.BytesPerBit, sb.MaxPeers), d.a.layout.BMBytes),
		int64(sb.MaxPeers))
	d.line("# bm-bytes %d;", r.bytes)
	var set uint64
	for slot := range sb.MaxPeers {
		if sb.Format == V09 {
			fmt.Fprintf(d.w, "bitmap[%d] {", slot)
		} else {
			fmt.Fprint(d.w, "bm {")
		}
		var err error
		if set, err = d.bitmap(r, slot); err != nil {
			return err
		}
		d.line("\n}")
	}
	d.line("# bits-set %d;", set) // of the last slot; readers expect it so
	return nil
}

// bitmap writes the numbers of a slot: two words each, four numbers or a run to a line.
func (d *dumper) bitmap(r *bitmapReader, slot uint32) (set uint64, err error) {
	words := r.words(slot)
	line := make([]byte, 0, 128)
	for at := int64(0); at < words; {
		if index := r.index(slot, at) - int64(slot); index%64 == 0 {
			fmt.Fprintf(d.w, "\n   # at %dkB", index*128)
		}
		length, value, err := r.run(slot, at, words-at)
		if err != nil {
			return 0, err
		}
		if length &^= 7; length > 8 {
			fmt.Fprintf(d.w, "\n    %d times 0x%016X;", length/2, uint64(value)<<32|uint64(value))
			set += uint64(length) * uint64(bits.OnesCount32(value))
			at += length
			continue
		}
		line = append(line[:0], "\n   "...)
		end := min(at+8, words&^1)
		for ; at < end; at += 2 {
			low, err := r.word(r.index(slot, at))
			if err != nil {
				return 0, err
			}
			high, err := r.word(r.index(slot, at+1))
			if err != nil {
				return 0, err
			}
			number := uint64(high)<<32 | uint64(low)
			line = appendNumber(line, number)
			set += uint64(bits.OnesCount64(number))
		}
		if _, err := d.w.Write(line); err != nil {
			return 0, err
		}
		if at+1 == words { // a last single word belongs to no data
			break
		}
	}
	return set, nil
}

// appendNumber is " 0x%016X;", which is most of a dump that is not empty.
func appendNumber(line []byte, n uint64) []byte {
	const digits = "0123456789ABCDEF"
	line = append(line, " 0x"...)
	for shift := 60; shift >= 0; shift -= 4 {
		line = append(line, digits[n>>shift&15])
	}
	return append(line, ';')
}

// activityLog shows the blocks as comments.
func (d *dumper) activityLog() error {
	d.line("# al {")
	area := alignedBuffer(int(min(d.a.layout.ALBytes, maxALBlocks*BlockSize)))
	if err := d.s.dev.readAt(area, d.a.layout.AL(), "activity log"); err != nil {
		return err
	}
	switch {
	case binary.BigEndian.Uint32(area) == pmemALMagic:
		d.pmemSlots(area)
	case usesOldAL(&d.a.sb, area):
		d.oldSectors(area)
	default:
		for i := 0; i*BlockSize < len(area); i++ {
			d.alBlock(i, area[i*BlockSize:(i+1)*BlockSize])
		}
	}
	d.line("# }")
	return nil
}

func (d *dumper) alBlock(i int, block []byte) {
	info := InspectALBlock(block)
	switch {
	case !info.Valid:
		d.line("#     block %2d { INVALID }", i)
		return
	case info.Type == alInitialized:
		d.line("#     block %2d { INITIALIZED }", i)
		return
	}
	be := binary.BigEndian
	d.line("#     block %2d {\n# \tmagic: 0x%08x\n# \ttype: 0x%04x\n# \ttr: %10d\n# \tactive set size: %d", i, uint32(ALMagic), info.Type,
		info.Number, info.ContextSize)
	for c := range alContext {
		slot, extent := info.ContextStart+c, be.Uint32(block[alAtContext+4*c:])
		if slot < info.ContextSize || extent != alFree {
			d.line("# \t%2d: %10d %10d", c, slot, extent)
		}
	}
	d.line("# \tupdates: %d", info.Updates)
	for u := range alUpdates {
		slot := be.Uint16(block[alAtSlots+2*u:])
		if u < info.Updates || slot != alNoSlot {
			d.line("# \t%2d: %10d %10d", u, slot, be.Uint32(block[alAtExtents+4*u:]))
		}
	}
	d.line("# \tcrc32c: 0x%08x\n#     }", be.Uint32(block[alAtCRC:]))
}

func (d *dumper) oldSectors(area []byte) {
	be := binary.BigEndian
	for i := range oldALSectors {
		sector := area[i*SectorSize:]
		_, valid := oldSector(sector)
		d.line("#     sector %2d { %s", i, choose(valid, "valid", "invalid"))
		if valid {
			d.line("# \tmagic: 0x%08x\n# \ttr: %10d", be.Uint32(sector), be.Uint32(sector[4:]))
			for p := range oldALPairs {
				d.line("# \t%2d: %10d %10d", p, be.Uint32(sector[8+8*p:]), be.Uint32(sector[8+8*p+4:]))
			}
		}
		d.line("#     }")
	}
}

func (d *dumper) pmemSlots(area []byte) {
	for i := 0; i < int(d.a.sb.ALExtents) && 4*i+8 <= len(area); i++ {
		if extent := binary.BigEndian.Uint32(area[4+4*i:]); extent == alFree {
			d.line("# slot[%d]: FREE", i)
		} else {
			d.line("# slot[%d]: %10d", i, extent)
		}
	}
}
