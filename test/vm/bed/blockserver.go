package bed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sort"
	"sync"
	"time"
)

// ServedDisk is a disk of a machine with Spec.Volatile. This process serves it to QEMU by
// the NBD protocol, so that it can do what hardware does and an image file cannot: it
// has a cache that a power failure empties, and it fails or dawdles when a test says so.
//
// The image file is the stable medium. A sector that was written since the last flush
// has several versions; which of them is on the medium after a power failure is up to
// chance, for each sector (or page of 4 KiB) alone.
type ServedDisk struct {
	listener net.Listener
	file     *os.File
	size     int64

	mu     sync.Mutex
	dirty  map[int64][][]byte // by sector: versions since the last flush, oldest first
	random *rand.Rand
	fault  DiskFault

	conns sync.WaitGroup
}

// DiskFault says what a served disk does badly. The zero value is a healthy disk.
type DiskFault struct {
	From, To               int64 // bytes; To 0: the end of the disk
	Reads, Writes, Flushes bool  // these fail with an I/O error
	Delay                  time.Duration
}

const sectorSize = 512

// A cache that is this full writes some of its sectors back by itself.
const cacheSectors = 16 << 10

func serveDisk(path, socket string, seed uint64) (*ServedDisk, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && st.Size()%sectorSize != 0 {
		err = fmt.Errorf("%s: its size is no multiple of %d", path, sectorSize)
	}
	var l net.Listener
	if err == nil {
		l, err = net.Listen("unix", socket)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	d := &ServedDisk{listener: l, file: f, size: st.Size(), dirty: map[int64][][]byte{}, random: rand.New(rand.NewPCG(seed, 1))}
	go d.accept()
	return d, nil
}

func (d *ServedDisk) socket() string { return d.listener.Addr().String() }

func (d *ServedDisk) close() {
	d.listener.Close()
	d.conns.Wait()
	d.file.Close()
}

func (d *ServedDisk) accept() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.conns.Add(1)
		go func() {
			defer d.conns.Done()
			defer conn.Close()
			if nbdGreet(conn, d.size) == nil {
				d.serve(conn)
			}
		}()
	}
}

// SetFault makes the disk bad, or good again with DiskFault{}.
func (d *ServedDisk) SetFault(f DiskFault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

// Settle writes the cache to the image file, as it does when the machine flushes.
func (d *ServedDisk) Settle() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flush()
}

// lose is what a power failure does: for each unit of the cache some version that it had
// since the last flush gets to the medium.
func (d *ServedDisk) lose() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	unit := int64(1)
	if d.random.IntN(2) == 0 {
		unit = 8 // pages do not tear
	}
	keep := d.random.Float64() // of this power failure: much or little survives
	chance := map[int64]float64{}
	for _, s := range d.dirtySectors() {
		versions := d.dirty[s]
		c, ok := chance[s/unit]
		if !ok {
			c = d.random.Float64()
			if d.random.Float64() > keep {
				c = -1
			}
			chance[s/unit] = c
		}
		if c < 0 {
			continue
		}
		if _, err := d.file.WriteAt(versions[int(c*float64(len(versions)))], s*sectorSize); err != nil {
			return err
		}
	}
	clear(d.dirty)
	return nil
}

func (d *ServedDisk) dirtySectors() []int64 {
	var list []int64
	for s := range d.dirty {
		list = append(list, s)
	}
	sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
	return list
}

// flush writes the newest versions to the medium.
func (d *ServedDisk) flush() error {
	for _, s := range d.dirtySectors() {
		versions := d.dirty[s]
		if _, err := d.file.WriteAt(versions[len(versions)-1], s*sectorSize); err != nil {
			return err
		}
	}
	clear(d.dirty)
	return nil
}

// writeBack makes room in the cache, as a disk does when it has nothing better to do.
func (d *ServedDisk) writeBack() error {
	for s, versions := range d.dirty {
		if d.random.IntN(2) == 0 {
			continue
		}
		if _, err := d.file.WriteAt(versions[len(versions)-1], s*sectorSize); err != nil {
			return err
		}
		delete(d.dirty, s)
	}
	return nil
}

func (d *ServedDisk) write(offset int64, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := int64(0); at < int64(len(data)); at += sectorSize {
		s := (offset + at) / sectorSize
		d.dirty[s] = append(d.dirty[s], data[at:at+sectorSize:at+sectorSize])
	}
	if len(d.dirty) > cacheSectors {
		return d.writeBack()
	}
	return nil
}

func (d *ServedDisk) read(offset int64, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.file.ReadAt(data, offset); err != nil {
		return err
	}
	for at := int64(0); at < int64(len(data)); at += sectorSize {
		if versions := d.dirty[(offset+at)/sectorSize]; versions != nil {
			copy(data[at:at+sectorSize], versions[len(versions)-1])
		}
	}
	return nil
}

func (d *ServedDisk) sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flush()
}

// The NBD protocol, as far as QEMU needs it.
const (
	nbdMagic        = 0x4e42444d41474943
	nbdOptionMagic  = 0x49484156454f5054
	nbdReplyMagic   = 0x3e889045565a9
	nbdOptionAbort  = 2
	nbdOptionGo     = 7
	nbdReplyAck     = 1
	nbdReplyInfo    = 3
	nbdReplyUnknown = 0x80000001
	nbdInfoExport   = 0
	nbdInfoBlocks   = 3
	nbdRequest      = 0x25609513
	nbdSimpleReply  = 0x67446698
	nbdFlags        = 1 | 4 | 8 | 32 | 64 // there are flags; flush, FUA, trim, write zeroes

	nbdRead, nbdWrite, nbdDisconnect, nbdFlush, nbdTrim, nbdZeroes = 0, 1, 2, 3, 4, 6
	nbdFUA                                                         = 1

	nbdErrorIO, nbdErrorInvalid = 5, 22
	nbdLargest                  = 32 << 20
)

func nbdGreet(c net.Conn, size int64) error {
	hello := binary.BigEndian.AppendUint64(nil, nbdMagic)
	hello = binary.BigEndian.AppendUint64(hello, nbdOptionMagic)
	hello = binary.BigEndian.AppendUint16(hello, 3) // fixed newstyle, no padding
	if _, err := c.Write(hello); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, c, 4); err != nil {
		return err
	}
	for {
		var head [16]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return err
		}
		option, length := binary.BigEndian.Uint32(head[8:]), binary.BigEndian.Uint32(head[12:])
		if length > 4096 {
			return errors.New("an NBD option is too long")
		}
		if _, err := io.CopyN(io.Discard, c, int64(length)); err != nil {
			return err
		}
		var reply []byte
		switch option {
		case nbdOptionGo:
			info := binary.BigEndian.AppendUint16(nil, nbdInfoExport)
			info = binary.BigEndian.AppendUint64(info, uint64(size))
			info = binary.BigEndian.AppendUint16(info, nbdFlags)
			blocks := binary.BigEndian.AppendUint16(nil, nbdInfoBlocks)
			for _, n := range []uint32{sectorSize, 4096, nbdLargest} {
				blocks = binary.BigEndian.AppendUint32(blocks, n)
			}
			reply = nbdOptionReply(nil, option, nbdReplyInfo, info)
			reply = nbdOptionReply(reply, option, nbdReplyInfo, blocks)
			reply = nbdOptionReply(reply, option, nbdReplyAck, nil)
		case nbdOptionAbort:
			return errors.New("the NBD client gave up")
		default:
			reply = nbdOptionReply(nil, option, nbdReplyUnknown, nil)
		}
		if _, err := c.Write(reply); err != nil {
			return err
		}
		if option == nbdOptionGo {
			return nil
		}
	}
}

func nbdOptionReply(b []byte, option, kind uint32, data []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, nbdReplyMagic)
	b = binary.BigEndian.AppendUint32(b, option)
	b = binary.BigEndian.AppendUint32(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

type blockRequest struct {
	flags, kind uint16
	handle      uint64
	offset      int64
	length      int64
	data        []byte
}

func (d *ServedDisk) serve(c net.Conn) {
	var out sync.Mutex
	var late sync.WaitGroup
	defer late.Wait()
	for {
		r, err := readRequest(c)
		if err != nil || r.kind == nbdDisconnect {
			return
		}
		d.mu.Lock()
		delay := d.fault.Delay
		d.mu.Unlock()
		answer := func() {
			reply := d.handle(r)
			out.Lock()
			defer out.Unlock()
			_, _ = c.Write(reply) // a reader that is gone ends the loop
		}
		if delay == 0 {
			answer()
			continue
		}
		late.Add(1)
		go func() { defer late.Done(); time.Sleep(delay); answer() }()
	}
}

func readRequest(c net.Conn) (blockRequest, error) {
	var head [28]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return blockRequest{}, err
	}
	if binary.BigEndian.Uint32(head[:]) != nbdRequest {
		return blockRequest{}, errors.New("not an NBD request")
	}
	r := blockRequest{
		flags: binary.BigEndian.Uint16(head[4:]), kind: binary.BigEndian.Uint16(head[6:]), handle: binary.BigEndian.Uint64(head[8:]),
		offset: int64(binary.BigEndian.Uint64(head[16:])), length: int64(binary.BigEndian.Uint32(head[24:])),
	}
	if r.kind == nbdWrite {
		if r.length > nbdLargest {
			return blockRequest{}, errors.New("an NBD write is too long")
		}
		r.data = make([]byte, r.length)
		if _, err := io.ReadFull(c, r.data); err != nil {
			return blockRequest{}, err
		}
	}
	return r, nil
}

// handle does a request and returns the whole reply.
func (d *ServedDisk) handle(r blockRequest) []byte {
	var code uint32
	data, err := d.do(r)
	if err != nil {
		code, data = nbdErrorIO, nil
		if errors.Is(err, errBeyondDisk) {
			code = nbdErrorInvalid
		}
	}
	reply := binary.BigEndian.AppendUint32(make([]byte, 0, 16+len(data)), nbdSimpleReply)
	reply = binary.BigEndian.AppendUint32(reply, code)
	reply = binary.BigEndian.AppendUint64(reply, r.handle)
	return append(reply, data...)
}

var (
	errBeyondDisk = errors.New("beyond the end of the disk")
	errBadDisk    = errors.New("the test has made this disk fail")
)

func (d *ServedDisk) do(r blockRequest) ([]byte, error) {
	if r.offset < 0 || r.length < 0 || r.offset+r.length > d.size || (r.offset|r.length)%sectorSize != 0 {
		return nil, errBeyondDisk
	}
	if d.fails(r) {
		return nil, errBadDisk
	}
	var data []byte
	var err error
	switch r.kind {
	case nbdRead:
		if r.length > nbdLargest {
			return nil, errBeyondDisk
		}
		data = make([]byte, r.length)
		err = d.read(r.offset, data)
	case nbdWrite:
		err = d.write(r.offset, r.data)
	case nbdTrim, nbdZeroes:
		const piece = 1 << 20
		for at := int64(0); at < r.length && err == nil; at += piece {
			err = d.write(r.offset+at, make([]byte, min(piece, r.length-at)))
		}
	case nbdFlush:
		err = d.sync()
	default:
		err = errBeyondDisk
	}
	if err == nil && r.flags&nbdFUA != 0 && r.kind != nbdRead {
		err = d.sync()
	}
	return data, err
}

func (d *ServedDisk) fails(r blockRequest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.fault
	if r.kind == nbdFlush {
		return f.Flushes
	}
	end := f.To
	if end == 0 {
		end = d.size
	}
	if r.offset >= end || r.offset+r.length <= f.From {
		return false
	}
	if r.kind == nbdRead {
		return f.Reads
	}
	return f.Writes
}
