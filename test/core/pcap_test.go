package core

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sort"
	"testing"
)

// segment is one piece of a TCP stream.
type segment struct {
	seq  uint32
	data []byte
}

// stream is one direction of one TCP connection, in order, up to the first gap.
type stream struct {
	from, to string
	segments []segment
	isn      uint32
	synSeen  bool
	order    int
}

// readCapture reads a classic little-endian pcap of Ethernet frames.
func readCapture(t testing.TB, path string) []*stream {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if le.Uint32(raw) != 0xa1b2c3d4 || le.Uint32(raw[20:]) != 1 {
		t.Fatalf("%s: not a capture of the kind expected", path)
	}
	streams := map[string]*stream{}
	var list []*stream
	for raw = raw[24:]; len(raw) >= 16; {
		n := le.Uint32(raw[8:])
		frame := raw[16 : 16+n]
		raw = raw[16+n:]
		if len(frame) < 54 || binary.BigEndian.Uint16(frame[12:]) != 0x0800 || frame[23] != 6 {
			continue
		}
		ip := frame[14:]
		ip = ip[:binary.BigEndian.Uint16(ip[2:])]
		tcp := ip[int(ip[0]&15)*4:]
		end := func(addr []byte, port []byte) string {
			return fmt.Sprintf("%d.%d.%d.%d:%d", addr[0], addr[1], addr[2], addr[3], binary.BigEndian.Uint16(port))
		}
		from, to := end(ip[12:], tcp), end(ip[16:], tcp[2:])
		seq, flags := binary.BigEndian.Uint32(tcp[4:]), tcp[13]
		data := tcp[int(tcp[12]>>4)*4:]
		s := streams[from+to]
		if s == nil || flags&2 != 0 && s.synSeen && s.isn != seq {
			s = &stream{from: from, to: to, order: len(list), isn: seq - 1}
			streams[from+to] = s
			list = append(list, s)
		}
		if flags&2 != 0 {
			s.isn, s.synSeen = seq, true
		}
		if len(data) > 0 {
			s.segments = append(s.segments, segment{seq, data})
		}
	}
	return list
}

// bytes joins the segments; ok is false if something is missing at the beginning.
func (s *stream) bytes() []byte {
	segs := append([]segment(nil), s.segments...)
	sort.SliceStable(segs, func(i, j int) bool { return int32(segs[i].seq-segs[j].seq) < 0 })
	var out bytes.Buffer
	next := s.isn + 1
	for _, seg := range segs {
		skip := int32(next - seg.seq)
		if skip < 0 {
			break // a gap
		}
		if int(skip) < len(seg.data) {
			out.Write(seg.data[skip:])
			next += uint32(len(seg.data)) - uint32(skip)
		}
	}
	return out.Bytes()
}
