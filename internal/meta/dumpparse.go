package meta

import (
	"io"
	"math"
)

// run is a number of the bitmap and how often it follows itself.
type run struct {
	count uint64
	value uint64
}

// dumped is the content of a dump.
type dumped struct {
	sb    Superblock
	slots [][]run // by slot
}

// numbers is how many 64-bit numbers the longest slot has.
func (d *dumped) numbers() uint64 {
	var most uint64
	for _, slot := range d.slots {
		var n uint64
		for _, r := range slot {
			n += r.count
		}
		most = max(most, n)
	}
	return most
}

// parseDump reads a dump of one format (section 7.10).
func parseDump(format Format, r io.Reader) (d *dumped, err error) {
	defer func() {
		if e := recover(); e != nil {
			stop, ok := e.(dumpError)
			if !ok {
				panic(e)
			}
			d, err = nil, stop.err
		}
	}()
	p := dumpParser{scanner: newScanner(r)}
	p.keyword("version")
	if version := p.take(tokenString).text; version != format.String() {
		return nil, fail(exitOption, "dump is '%s' you requested '%s'.", version, format)
	}
	p.marks(";")
	p.d.sb = Fresh(format, Shape{Slots: 1, BytesPerBit: 4096, ALStripes: 1, ALStripeSize4k: minALBlocks})
	p.body()
	if p.tok.kind != tokenEnd {
		p.expected("end of file")
	}
	return &p.d, nil
}

type dumpParser struct {
	*scanner
	d dumped
}

func (p *dumpParser) body() {
	sb := &p.d.sb
	switch sb.Format {
	case V07:
		p.keyword("gc")
		p.marks("{")
		for i := range sb.GC {
			sb.GC[i] = uint32(p.statement("a generation counter", math.MaxUint32))
		}
		p.marks("}")
	case V08:
		p.uuids()
	case V09:
		p.v09()
	}
	p.keyword("la-size-sect")
	sb.EffectiveSize = uint64(p.statement("la-size-sect", math.MaxInt64))
	if sb.Format != V07 {
		p.extended()
	}
	if sb.Format == V09 {
		for slot := range int64(sb.MaxPeers) {
			p.keyword("bitmap")
			p.marks("[")
			p.number("the bitmap slot", slot, slot)
			p.marks("]")
			p.words()
		}
		return
	}
	p.keyword("bm")
	p.words()
}

// statement takes a number from 0 on and its semicolon.
func (p *dumpParser) statement(what string, high int64) int64 {
	n := p.number(what, 0, high)
	p.marks(";")
	return n
}

func (p *dumpParser) uuids() {
	sb := &p.d.sb
	p.keyword("uuid")
	p.marks("{")
	for _, u := range []*uint64{&sb.CurrentUUID, &sb.Peers[0].BitmapUUID, &sb.History[0], &sb.History[1]} {
		*u = p.u64()
	}
	p.keyword("flags")
	sb.Flags = p.u32()
	sb.Magic = MagicV08Unclean
	if sb.Flags&FlagALClean != 0 {
		sb.Magic = MagicV08
	}
	p.marks("}")
}

func (p *dumpParser) v09() {
	sb := &p.d.sb
	p.keyword("max-peers")
	sb.MaxPeers = uint32(p.number("max-peers", 1, MaxSlots))
	p.marks(";")
	p.keyword("node-id")
	sb.NodeID = int32(p.number("node-id", -1, MaxPeers-1))
	p.marks(";")
	p.keyword("current-uuid")
	sb.CurrentUUID = p.u64()
	p.keyword("flags")
	sb.Flags = p.u32()
	if p.isWord("members") { // not in dumps of older tools
		p.next()
		sb.Members = p.u64()
	}
	var seen uint32
	for range sb.Peers {
		p.keyword("peer")
		p.marks("[")
		node := p.number("a node id", 0, MaxPeers-1)
		if seen>>node&1 != 0 {
			panic(dumpError{fail(exitOption, "Parse error in line %d: peer[%d] is there twice", p.line, node)})
		}
		seen |= 1 << node
		p.marks("]")
		p.peer(&sb.Peers[node])
	}
	p.slotsOfPeers()
	p.keyword("history-uuids")
	p.marks("{")
	for i := range sb.History {
		sb.History[i] = p.u64()
	}
	p.marks("}")
}

// slotsOfPeers refuses what no kernel attaches: two nodes in one slot, or one for the node itself.
func (p *dumpParser) slotsOfPeers() {
	sb := &p.d.sb
	owner := map[int32]int{}
	for node, peer := range sb.Peers {
		if peer.BitmapIndex < 0 {
			continue
		}
		if int32(node) == sb.NodeID {
			panic(dumpError{fail(exitOption, "Parse error in line %d: node-id %d is this node, it has no bitmap-index", p.line, node)})
		}
		if other, used := owner[peer.BitmapIndex]; used {
			panic(dumpError{fail(exitOption, "Parse error in line %d: peer[%d] and peer[%d] have the same bitmap-index", p.line, other, node)})
		}
		owner[peer.BitmapIndex] = node
	}
}

func (p *dumpParser) peer(peer *Peer) {
	p.marks("{")
	p.keyword("bitmap-index")
	peer.BitmapIndex = int32(p.number("bitmap-index", -1, int64(p.d.sb.MaxPeers)-1))
	p.marks(";")
	p.keyword("bitmap-uuid")
	peer.BitmapUUID = p.u64()
	p.keyword("bitmap-dagtag")
	peer.BitmapDagtag = p.u64()
	p.keyword("flags")
	peer.Flags = p.u32()
	p.marks("}")
}

func (p *dumpParser) extended() {
	sb := &p.d.sb
	p.keyword("bm-byte-per-bit")
	sb.BytesPerBit = uint32(p.statement("bm-byte-per-bit", 1<<20))
	p.keyword("device-uuid")
	sb.DeviceUUID = p.u64()
	p.keyword("la-peer-max-bio-size")
	sb.PeerMaxBioSize = uint32(p.statement("la-peer-max-bio-size", math.MaxUint32))
	p.keyword("al-stripes")
	sb.ALStripes = uint32(p.statement("al-stripes", math.MaxUint32))
	p.keyword("al-stripe-size-4k")
	sb.ALStripeSize4k = uint32(p.statement("al-stripe-size-4k", math.MaxUint32))
	if sb.ALStripes == 0 && sb.ALStripeSize4k == 0 {
		sb.ALStripes, sb.ALStripeSize4k = 1, minALBlocks
	}
	if err := sb.Shape().check(Internal); err != nil {
		panic(dumpError{fail(exitOption, "Parse error in line %d: %v", p.line, err)})
	}
	if sb.Format == V08 && sb.BytesPerBit != 4096 {
		panic(dumpError{fail(exitOption, "Parse error in line %d: bm-byte-per-bit of v08 is 4096, not %d", p.line, sb.BytesPerBit)})
	}
}

// words takes the numbers of one slot; equal ones that follow each other become one run.
func (p *dumpParser) words() {
	var slot []run
	p.marks("{")
	for !p.isMark("}") {
		r := run{count: 1}
		if p.tok.kind == tokenNumber {
			r.count = uint64(p.number("a count", 1, 1<<47))
			p.keyword("times")
		}
		r.value = p.u64()
		if n := len(slot); n > 0 && slot[n-1].value == r.value {
			slot[n-1].count += r.count
		} else {
			slot = append(slot, r)
		}
	}
	p.marks("}")
	p.d.slots = append(p.d.slots, slot)
}
