package core

/*
#include "harness.h"
*/
import "C"

import "unsafe"

func testName(i int) string { return C.GoString(C.t_name(C.int(i))) }

func runTest(i int) string { return C.GoString(C.t_run(C.int(i))) }

// Link is what both ends agreed on (struct wire_link).
type Link struct {
	Version                             uint16
	Phase                               uint8
	DigestIn, CsumsDigest, VerifyDigest uint8
	Features                            uint32
}

func (l Link) c() C.struct_wire_link {
	return C.struct_wire_link{
		version: C.u16(l.Version), phase: C.u8(l.Phase), digest_in: C.u8(l.DigestIn),
		csums_digest: C.u8(l.CsumsDigest), verify_digest: C.u8(l.VerifyDigest),
		features: C.u32(l.Features),
	}
}

// Header is a decoded packet header.
type Header struct {
	Cmd, Volume uint16
	Length      uint32
	HeaderLen   uint8
}

// The phases and streams of packet.h.
const (
	PhaseFirst     = C.PHASE_FIRST
	PhaseFeatures  = C.PHASE_FEATURES
	PhaseAuth      = C.PHASE_AUTH
	PhaseProtocol  = C.PHASE_PROTOCOL
	PhaseConnected = C.PHASE_CONNECTED
	StreamData     = C.STREAM_DATA
	StreamMeta     = C.STREAM_META
	wireMore       = C.WIRE_MORE
)

func cbytes(b []byte) unsafe.Pointer {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Pointer(&b[0])
}

// decodeHeader returns the error number of drbd_packet_decode, and how many bytes it needs.
func decodeHeader(l Link, stream int, b []byte) (h Header, need int, err int) {
	link := l.c()
	var hdr C.struct_packet_header
	var n C.u32
	e := C.drbd_packet_decode(&link, C.enum_packet_stream(stream), cbytes(b), C.u32(len(b)), &hdr, &n)
	return Header{uint16(hdr.cmd), uint16(hdr.volume), uint32(hdr.length), uint8(hdr.header_len)}, int(n), int(e)
}

func encodeHeader(l Link, cmd, volume uint16, length uint32) []byte {
	link := l.c()
	out := make([]byte, C.PACKET_HEADER_MAX)
	n := C.drbd_packet_encode(&link, cbytes(out), C.u16(cmd), C.u16(volume), C.u32(length))
	return out[:n]
}

func packetName(cmd uint16) string { return C.GoString(C.drbd_packet_name(C.u16(cmd))) }

// packetBody is the length of the fixed body, or -1 for an unknown packet.
func packetBody(cmd uint16) int {
	info := C.drbd_packet_info(C.u16(cmd))
	if info == nil {
		return -1
	}
	return int(info.body_min)
}

func wireError(e int) string { return C.GoString(C.drbd_wire_strerror(C.enum_wire_error(e))) }

// recode decodes a body and encodes it again.
func recode(l Link, h Header, body []byte, capacity uint64) ([]byte, int) {
	link := l.c()
	hdr := C.struct_packet_header{cmd: C.u16(h.Cmd), volume: C.u16(h.Volume), length: C.u32(h.Length), header_len: C.u8(h.HeaderLen)}
	in := make([]byte, max(len(body), 64))
	copy(in, body)
	out := make([]byte, 4096)
	n := C.t_recode(&link, &hdr, cbytes(in), C.u64(capacity), cbytes(out))
	if n < 0 {
		return nil, int(-n)
	}
	return out[:n], 0
}

// Bitmap is a struct bitmap with memory of its own.
type Bitmap struct{ c *C.struct_bitmap }

// NewBitmap makes an empty bitmap for so many sectors.
func NewBitmap(capacity uint64, slots, shift int) Bitmap {
	return Bitmap{C.t_bitmap(C.u64(capacity), C.u32(slots), C.u32(shift))}
}

// Free gives the memory back.
func (b Bitmap) Free() { C.t_bitmap_free(b.c) }

// Weight is the number of bits set in a slot.
func (b Bitmap) Weight(slot int) uint64 { return uint64(b.c.weight[slot]) }

// bitmapPacket is one packet of a bitmap transfer.
type bitmapPacket struct {
	cmd  uint16
	body []byte
}

// receiveBitmap merges packets into slot 0; done tells that the last one ended it.
func receiveBitmap(b Bitmap, l Link, packets []bitmapPacket) (done bool, problem string) {
	link := l.c()
	cur := (*C.struct_bitcode_cursor)(C.calloc(1, C.sizeof_struct_bitcode_cursor))
	defer C.free(unsafe.Pointer(cur))
	C.drbd_bitcode_start(cur, &link, b.c, 0, false)
	text := (**C.char)(C.calloc(1, C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(text))
	for _, p := range packets {
		buf := C.CBytes(append(p.body, 0))
		r := C.drbd_bitcode_decode(cur, C.u16(p.cmd), buf, C.u32(len(p.body)), text)
		for r == C.BITCODE_AGAIN {
			r = C.drbd_bitcode_decode(cur, C.u16(p.cmd), buf, C.u32(len(p.body)), text)
		}
		C.free(buf)
		if r == C.BITCODE_ERROR {
			return false, C.GoString(*text)
		}
		done = r == C.BITCODE_DONE
	}
	return done, ""
}

// sendBitmap makes the packets of slot 0.
func sendBitmap(b Bitmap, l Link, rle bool) []bitmapPacket {
	link := l.c()
	cur := (*C.struct_bitcode_cursor)(C.calloc(1, C.sizeof_struct_bitcode_cursor))
	defer C.free(unsafe.Pointer(cur))
	C.drbd_bitcode_start(cur, &link, b.c, 0, C.bool(rle))
	buf := C.malloc(4096)
	defer C.free(buf)
	ids := (*C.u32)(C.calloc(2, 4))
	defer C.free(unsafe.Pointer(ids))
	cmd := (*C.u16)(C.calloc(1, 2))
	defer C.free(unsafe.Pointer(cmd))
	var packets []bitmapPacket
	for C.drbd_bitcode_encode(cur, cmd, buf, ids) == C.BITCODE_PACKET {
		packets = append(packets, bitmapPacket{uint16(*cmd), C.GoBytes(buf, C.int(*ids))})
	}
	return packets
}

// agreeLine runs a line of a script of the two-phase commit and returns what it printed.
func agreeLine(line string) string {
	const room = 16384
	in, out := C.CString(line), C.malloc(room)
	defer C.free(unsafe.Pointer(in))
	defer C.free(out)
	C.t_agree_line(in, (*C.char)(out), room)
	return C.GoString((*C.char)(out))
}

// Superblock is what tests look at of a struct md_superblock.
type Superblock struct {
	Format                         int
	EffectiveSize, Current, Device uint64
	Flags, MdSize, Slots, PerBit   uint32
	AlOffset, BmOffset, NodeID     int32
	AlStripes, AlStripe4K          uint32
	Members                        uint64
	PeerFlags                      [32]uint32
	PeerIndex                      [32]int32
	PeerUUID                       [32]uint64
	History                        [32]uint64
	Clean                          bool
}

// decodeSuperblock also encodes it again, as the tools would.
func decodeSuperblock(block []byte) (sb Superblock, again []byte, err int) {
	var c C.struct_md_superblock
	e := C.drbd_md_decode(cbytes(block), &c)
	again = make([]byte, 4096)
	C.drbd_md_encode(&c, cbytes(again), false)
	sb = Superblock{
		Format: int(c.format), EffectiveSize: uint64(c.effective_size), Current: uint64(c.current_uuid),
		Device: uint64(c.device_uuid), Flags: uint32(c.flags), MdSize: uint32(c.md_size_sect),
		Slots: uint32(c.bm_max_peers), PerBit: uint32(c.bm_bytes_per_bit), AlOffset: int32(c.al_offset),
		BmOffset: int32(c.bm_offset), NodeID: int32(c.node_id), AlStripes: uint32(c.al_stripes),
		AlStripe4K: uint32(c.al_stripe_size_4k), Members: uint64(c.members), Clean: bool(C.drbd_md_is_clean(&c)),
	}
	for i := range sb.PeerFlags {
		sb.PeerFlags[i], sb.PeerIndex[i] = uint32(c.peer[i].flags), int32(c.peer[i].bitmap_index)
		sb.PeerUUID[i], sb.History[i] = uint64(c.peer[i].bitmap_uuid), uint64(c.history[i])
	}
	return sb, again, int(e)
}

// freshSuperblock is what create-md writes.
func freshSuperblock(format, slots int, l Layout, stripes, stripe4K uint32) []byte {
	var c C.struct_md_superblock
	C.drbd_md_init(&c, C.enum_md_format(format), C.u32(slots))
	c.md_size_sect, c.al_offset, c.bm_offset = C.u32(l.MdSize), C.s32(l.AlOffset), C.s32(l.BmOffset)
	c.al_stripes, c.al_stripe_size_4k = C.u32(stripes), C.u32(stripe4K)
	out := make([]byte, 4096)
	C.drbd_md_encode(&c, cbytes(out), false)
	return out
}

// Layout is what tests look at of a struct md_layout.
type Layout struct {
	SbSector, AlSector, BmSector, Capacity uint64
	MdSize                                 uint32
	AlOffset, BmOffset                     int32
}

func goLayout(l *C.struct_md_layout) Layout {
	return Layout{
		SbSector: uint64(l.sb_sector), AlSector: uint64(l.al_sector), BmSector: uint64(l.bm_sector),
		Capacity: uint64(l.capacity), MdSize: uint32(l.md_size_sect), AlOffset: int32(l.al_offset), BmOffset: int32(l.bm_offset),
	}
}

func layout(index, slots int, perBit, stripes, stripe4K uint32, bytes uint64) (Layout, int) {
	shape := C.struct_md_shape{
		index: C.s32(index), max_peers: C.u32(slots), bytes_per_bit: C.u32(perBit),
		al_stripes: C.u32(stripes), al_stripe_size_4k: C.u32(stripe4K),
	}
	var l C.struct_md_layout
	e := C.drbd_md_layout(&shape, C.u64(bytes), &l)
	return goLayout(&l), int(e)
}

// checkLayout decodes a superblock and checks it against its device.
func checkLayout(block []byte, index int, bytes uint64) (Layout, int) {
	var c C.struct_md_superblock
	if e := C.drbd_md_decode(cbytes(block), &c); e != 0 {
		return Layout{}, int(e)
	}
	var l C.struct_md_layout
	e := C.drbd_md_layout_check(&c, C.s32(index), C.u64(bytes), &l)
	return goLayout(&l), int(e)
}

func mdError(e int) string { return C.GoString(C.drbd_md_strerror(C.enum_md_error(e))) }

func alExtents(configured, stripes, stripe4K uint32) uint32 {
	return uint32(C.drbd_md_al_extents(C.u32(configured), C.u32(stripes), C.u32(stripe4K)))
}

// The verdicts of alReplay.
const (
	replayNothing  = C.AL_REPLAY_NOTHING
	replayExtents  = C.AL_REPLAY_EXTENTS
	replayNoBlock  = C.AL_REPLAY_NO_BLOCK
	replayNoUpdate = C.AL_REPLAY_NO_UPDATE
)

// alReplay replays an activity log area; invalid is the number of corrupt blocks.
func alReplay(area []byte, stripes, stripe4K uint32) (extents []uint32, verdict, invalid int) {
	n := stripes * stripe4K
	slots := (*C.u32)(C.malloc(4 * C.AL_REPLAY_SLOTS))
	defer C.free(unsafe.Pointer(slots))
	r := (*C.struct_al_replay)(C.calloc(1, C.sizeof_struct_al_replay))
	defer C.free(unsafe.Pointer(r))
	C.drbd_al_replay_init(r, C.u32(n), slots)
	block := func(pos uint32) unsafe.Pointer {
		b := uint32(C.drbd_al_ring_block(C.u32(pos), C.u32(stripes), C.u32(stripe4K)))
		return cbytes(area[b*4096 : (b+1)*4096])
	}
	for pos := range n {
		C.drbd_al_replay_scan(r, C.u32(pos), block(pos))
	}
	verdict, invalid = int(C.drbd_al_replay_decide(r)), int(r.invalid)
	if verdict != replayExtents {
		return nil, verdict, invalid
	}
	first := uint32(C.drbd_al_replay_first(r))
	for i := range uint32(C.drbd_al_replay_count(r)) {
		C.drbd_al_replay_apply(r, block((first+i)%n))
	}
	at := (*C.u32)(C.calloc(1, 4))
	defer C.free(unsafe.Pointer(at))
	for {
		e := C.drbd_al_replay_next(r, at)
		if e == C.AL_FREE {
			return extents, verdict, invalid
		}
		extents = append(extents, uint32(e))
	}
}

func alRingBlock(tr, stripes, stripe4K uint32) uint32 {
	return uint32(C.drbd_al_ring_block(C.u32(tr), C.u32(stripes), C.u32(stripe4K)))
}

func alInitBlock() []byte {
	b := make([]byte, 4096)
	C.drbd_al_block_init(cbytes(b))
	return b
}

// alUpdate is one update of a transaction.
type alUpdate struct {
	slot   uint16
	extent uint32
}

func alBlock(tr uint32, updates []alUpdate, context []uint32, start uint32) []byte {
	b := make([]byte, 4096)
	u := make([]C.struct_al_update, len(updates)+1)
	for i, x := range updates {
		u[i] = C.struct_al_update{slot: C.u16(x.slot), extent: C.u32(x.extent)}
	}
	ctx := make([]C.u32, len(context)+1)
	for i, x := range context {
		ctx[i] = C.u32(x)
	}
	C.drbd_al_block_encode(cbytes(b), C.u32(tr), &u[0], C.u32(len(updates)), &ctx[0], C.u32(len(context)), C.u32(start))
	return b
}

func alCRC(b []byte) uint32 { return uint32(C.core_crc32c(0, cbytes(b), C.size_t(len(b)))) }

// SetExtent sets all bits of an activity log extent in all slots.
func (b Bitmap) SetExtent(extent uint32) {
	first := uint64(extent) << (22 - uint(b.c.shift))
	last := min(first+1<<(22-uint(b.c.shift)), uint64(b.c.bits)) - 1
	for slot := range uint32(b.c.nr_slots) {
		C.drbd_bitmap_set(b.c, C.u32(slot), C.u64(first), C.u64(last))
	}
}

// Page is the content of a page, as on disk.
func (b Bitmap) Page(i int) []byte {
	return C.GoBytes(unsafe.Slice(b.c.page, b.c.nr_pages)[i], 4096)
}

// Pages is their number.
func (b Bitmap) Pages() int { return int(b.c.nr_pages) }

// Load fills page i as if read from disk.
func (b Bitmap) Load(i int, data []byte) {
	copy(unsafe.Slice((*byte)(unsafe.Slice(b.c.page, b.c.nr_pages)[i]), 4096), data)
	C.drbd_bitmap_recount(b.c, C.u32(i), C.u32(i))
}

// Runs lists the set bits of a slot as pairs of first and last.
func (b Bitmap) Runs(slot int) (runs [][2]uint64) {
	end := uint64(b.c.bits)
	for bit := uint64(0); bit < end; {
		first := uint64(C.drbd_bitmap_next_set(b.c, C.u32(slot), C.u64(bit), C.u64(end-1)))
		if first >= end {
			break
		}
		next := uint64(C.drbd_bitmap_next_clear(b.c, C.u32(slot), C.u64(first), C.u64(end-1)))
		next = min(next, end)
		runs = append(runs, [2]uint64{first, next - 1})
		bit = next
	}
	return runs
}
