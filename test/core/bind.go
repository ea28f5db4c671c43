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
