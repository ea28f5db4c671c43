package bed

import (
	"bufio"
	"encoding/binary"
	"os"
	"sync"
	"time"
)

// pcap is a capture file in the classic format, Ethernet, microseconds.
type pcap struct {
	mu   sync.Mutex
	file *os.File
	w    *bufio.Writer
}

func newPcap(path string) (*pcap, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	p := &pcap{file: f, w: bufio.NewWriter(f)}
	header := struct {
		Magic          uint32
		Major, Minor   uint16
		Zone, Accuracy uint32
		Snap, Link     uint32
	}{0xa1b2c3d4, 2, 4, 0, 0, maxFrame, 1}
	return p, binary.Write(p.w, binary.LittleEndian, header)
}

// write adds a frame. A full disk shows in close.
func (p *pcap) write(data []byte) {
	now := time.Now()
	var head [16]byte
	binary.LittleEndian.PutUint32(head[0:], uint32(now.Unix()))
	binary.LittleEndian.PutUint32(head[4:], uint32(now.Nanosecond()/1000))
	binary.LittleEndian.PutUint32(head[8:], uint32(len(data)))
	binary.LittleEndian.PutUint32(head[12:], uint32(len(data)))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.w.Write(head[:])
	p.w.Write(data)
}

func (p *pcap) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.w.Flush()
	if closeErr := p.file.Close(); err == nil {
		err = closeErr
	}
	return err
}
