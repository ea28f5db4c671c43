package core

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"testing"
)

// seedPackets gives the fuzzers one body of each kind that a stock node sent.
func seedPackets(f *testing.F, add func(h Header, body []byte)) {
	for _, cmd := range []uint16{0, 3, 8, 9, 0xb, 0xc, 0xd, 0xe, 0xf, 0x12, 0x16, 0x1c, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x28, 0x31, 0x36, 0xfffe} {
		body := make([]byte, max(packetBody(cmd), 25)+512)
		binary.BigEndian.PutUint64(body, 8)
		binary.BigEndian.PutUint64(body[8:], 77)
		binary.BigEndian.PutUint32(body[16:], 4096)
		add(Header{Cmd: cmd, Length: uint32(packetBody(cmd)), HeaderLen: 16}, body)
	}
}

// seedCaptured gives one body of each kind that only 9 has, as stock nodes sent it.
func seedCaptured(f *testing.F, add func(h Header, body []byte)) {
	seen := map[uint16]bool{}
	files, _ := filepath.Glob("testdata/wire9/1*.pcap.gz")
	for _, file := range files {
		for _, s := range readCapture(f, file) {
			for b := s.bytes(); ; {
				// Behind the greeting all have the long header.
				at := bytes.Index(b, []byte{0x86, 0x20, 0xec, 0x20})
				if at < 0 || len(b) < at+16 {
					break
				}
				b = b[at:]
				h := Header{Cmd: binary.BigEndian.Uint16(b[6:]), Length: binary.BigEndian.Uint32(b[8:]), HeaderLen: 16}
				if n := 16 + int(h.Length); n <= len(b) && h.Length < 4096 && h.Cmd >= 0x2e && !seen[h.Cmd] {
					seen[h.Cmd] = true
					add(h, bytes.Clone(b[16:n]))
				}
				b = b[16:]
			}
		}
	}
	if len(seen) < 12 {
		f.Fatalf("%d kinds of packets", len(seen))
	}
}

// FuzzHeader: whatever arrives, a header that is accepted is the one we would have sent.
func FuzzHeader(f *testing.F) {
	for _, v := range []uint16{0, 86, 95, 97, 100, 101, 118, 124} {
		l := Link{Version: v, Phase: PhaseConnected, Features: 0xf}
		f.Add(v, uint8(PhaseConnected), uint32(0xf), uint8(StreamData), encodeHeader(l, 0, 0, 536))
		f.Add(v, uint8(PhaseConnected), uint32(0x3ff), uint8(StreamMeta), encodeHeader(l, 0x16, 3, 24))
		f.Add(v, uint8(PhaseFeatures), uint32(0), uint8(StreamData), encodeHeader(l, 0xfffe, 0, 72))
	}
	f.Fuzz(func(t *testing.T, version uint16, phase uint8, features uint32, stream uint8, b []byte) {
		l := Link{Version: version, Phase: phase, Features: features}
		h, need, err := decodeHeader(l, 1+int(stream&1), b)
		if err == wireMore && len(b) >= need || need != 8 && need != 16 {
			t.Fatalf("needs %d, has %d", need, len(b))
		}
		if err != 0 {
			return
		}
		if h.Length > 1<<20+24+64 && h.Length > 4096 {
			t.Fatalf("length %d accepted", h.Length)
		}
		if again := encodeHeader(l, h.Cmd, h.Volume, h.Length); int(h.HeaderLen) == len(again) && version >= 100 && !bytes.Equal(again, b[:need]) {
			t.Fatalf("%x became %x", b[:need], again)
		}
	})
}

// FuzzBody: a body that is accepted says the same when encoded again, and decodes again.
func FuzzBody(f *testing.F) {
	seedPackets(f, func(h Header, body []byte) {
		f.Add(uint16(101), uint32(0xf), uint8(0), h.Cmd, h.Length, body)
		f.Add(uint16(97), uint32(0), uint8(20), h.Cmd, h.Length+20, body)
	})
	seedCaptured(f, func(h Header, body []byte) {
		f.Add(uint16(124), uint32(0x3ff), uint8(0), h.Cmd, h.Length, body)
		f.Add(uint16(120), uint32(0xf), uint8(0), h.Cmd, h.Length, body)
	})
	f.Fuzz(func(t *testing.T, version uint16, features uint32, digest uint8, cmd uint16, length uint32, body []byte) {
		l := Link{Version: version, Phase: PhaseConnected, Features: features, DigestIn: digest % 65, CsumsDigest: digest % 33, VerifyDigest: digest % 33}
		if packetBody(cmd) < 0 {
			return
		}
		// The caller has read what the table says, and small bodies as a whole.
		if h, _, e := decodeHeader(Link{Version: 101, Phase: 31, Features: 0xffffffff}, 3, encodeHeader(Link{Version: 101}, cmd, 0, length)); e == 0 && h.Length < 4096 && int(length) > len(body) {
			body = append(body, make([]byte, int(length)-len(body))...)
		} else if e != 0 {
			return
		}
		out, err := recode(l, Header{Cmd: cmd, Length: length, HeaderLen: 16}, body, 1<<30)
		if err != 0 {
			return
		}
		again, err := recode(l, Header{Cmd: cmd, Length: length, HeaderLen: 16}, append(bytes.Clone(out), body[min(len(out), len(body)):]...), 1<<30)
		if err != 0 || !bytes.Equal(out, again) {
			t.Fatalf("%s: %x, encoded %x, decoded again: %s", packetName(cmd), body, out, wireError(err))
		}
	})
}

// FuzzBitmap: packets of a bitmap, any bytes; nothing behind the end is ever set.
func FuzzBitmap(f *testing.F) {
	f.Add(uint32(160), true, []byte{0x12, 0x59, 0x27}, []byte{})
	f.Add(uint32(160), false, make([]byte, 8), []byte{})
	f.Add(uint32(1<<20), true, []byte{0xa2, 0x5f, 0x31}, []byte{0x82, 1})
	f.Fuzz(func(t *testing.T, capacity uint32, rle bool, one, two []byte) {
		b := NewBitmap(uint64(capacity%(1<<22))+1, 1, 12)
		defer b.Free()
		cmd := uint16(4)
		if rle {
			cmd = 0x24
		}
		receiveBitmap(b, connected84, []bitmapPacket{{cmd, one}, {0x24, two}})
		var n uint64
		for _, r := range b.Runs(0) {
			n += r[1] - r[0] + 1
		}
		if n != b.Weight(0) {
			t.Fatalf("weight %d, found %d", b.Weight(0), n)
		}
	})
}

// FuzzSuperblock: what is accepted comes out as it went in, in the fields it has.
func FuzzSuperblock(f *testing.F) {
	l, _ := layout(internal, 7, 4096, 1, 8, 1<<30)
	f.Add(freshSuperblock(9, 7, l, 1, 8))
	l, _ = layout(internal, 1, 4096, 1, 8, 1<<30)
	f.Add(freshSuperblock(8, 1, l, 1, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		block := make([]byte, 4096)
		copy(block, b)
		sb, again, e := decodeSuperblock(block)
		if e != 0 {
			return
		}
		twice, third, e := decodeSuperblock(again)
		if e != 0 || !bytes.Equal(again, third) || twice.Slots != sb.Slots || twice.PeerIndex != sb.PeerIndex {
			t.Fatalf("%s: %+v became %+v", mdError(e), sb, twice)
		}
		checkLayout(block, internal, 1<<30)
		checkLayout(block, flexExt, 1<<30)
		checkLayout(block, 3, 1<<30)
	})
}

// FuzzReplay: an activity log with right checksums and any content.
func FuzzReplay(f *testing.F) {
	f.Add(uint32(7), uint16(2), uint16(67), uint16(0), []byte{0, 0, 0, 0, 0, 5})
	f.Fuzz(func(t *testing.T, tr uint32, updates, size, start uint16, b []byte) {
		block := alBlock(tr, nil, nil, 0)
		copy(block[36:], b)
		be := binary.BigEndian
		be.PutUint16(block[14:], updates)
		be.PutUint16(block[16:], size)
		be.PutUint16(block[18:], start)
		be.PutUint32(block[8:], 0)
		be.PutUint32(block[8:], alCRC(block))
		extents, verdict, _ := alReplay(append(block, bytes.Repeat(alInitBlock(), 7)...), 1, 8)
		if verdict != replayExtents || len(extents) > 65534 {
			t.Fatalf("verdict %d, %d extents", verdict, len(extents))
		}
	})
}
