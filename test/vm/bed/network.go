package bed

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Network is an Ethernet switch in this process. Each machine's QEMU connects to
// it with a stream of frames (length, frame), so cuts, delays and losses are
// decided here, per pair and direction, and a machine that dies takes nothing
// with it.
type Network struct {
	listener net.Listener

	mu      sync.RWMutex
	ports   map[int]*port // by machine number
	links   map[[2]int]Link
	capture *pcap
}

// Link says what happens to frames of one direction between two machines.
type Link struct {
	Cut   bool          // nothing arrives
	Loss  float64       // share of frames that get lost, 0 to 1
	Delay time.Duration // each frame arrives so much later
	// Mangle may change a frame on its way: a fault of the network that TCP's
	// checksum does not find must keep that checksum right.
	Mangle func(frame []byte)
}

// frame is an Ethernet frame with its time of arrival.
type frame struct {
	due  time.Time
	data []byte
}

// port is the switch's side of one machine.
type port struct {
	number int
	conn   net.Conn
	out    chan []byte
	done   chan struct{}

	mu      sync.Mutex
	delayed map[int]chan frame // by sender: frames on their way here
}

// A full queue drops frames, as a switch does; it holds more than any TCP window
// the tests use.
const queueLength = 8192

const maxFrame = 70 << 10

func newNetwork(socket string) (*Network, error) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("the network's socket: %w", err)
	}
	n := &Network{listener: l, ports: map[int]*port{}, links: map[[2]int]Link{}}
	go n.accept()
	return n, nil
}

func (n *Network) socket() string { return n.listener.Addr().String() }

func (n *Network) accept() {
	for {
		conn, err := n.listener.Accept()
		if err != nil {
			return
		}
		go n.serve(conn)
	}
}

// SetLink sets the rule for frames from one machine to another; Link{} is a
// faultless link.
func (n *Network) SetLink(from, to *Machine, l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.links[[2]int{from.number, to.number}] = l
}

// Cut stops all traffic between two machines, in both directions.
func (n *Network) Cut(a, b *Machine) {
	n.SetLink(a, b, Link{Cut: true})
	n.SetLink(b, a, Link{Cut: true})
}

// Restore makes the links between two machines faultless again.
func (n *Network) Restore(a, b *Machine) {
	n.SetLink(a, b, Link{})
	n.SetLink(b, a, Link{})
}

// Capture writes every frame that enters the switch to a pcap file, until the
// returned function is called.
func (n *Network) Capture(path string) (stop func() error, err error) {
	p, err := newPcap(path)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.capture != nil {
		return nil, errors.New("a capture is already running on this network")
	}
	n.capture = p
	return func() error {
		n.mu.Lock()
		n.capture = nil
		n.mu.Unlock()
		return p.close()
	}, nil
}

func (n *Network) close() {
	n.listener.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.ports {
		p.conn.Close()
	}
}

// macOf is the hardware address of a machine; its last byte is the number.
func macOf(number int) string { return fmt.Sprintf("52:54:00:00:00:%02x", number) }

// serve reads one machine's frames. Which machine it is shows in the first
// frame's sender.
func (n *Network) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 256<<10)
	var p *port
	defer func() { n.drop(p) }()
	for {
		data, err := readFrame(r)
		if err != nil {
			return
		}
		if len(data) < 14 {
			continue
		}
		if p == nil {
			p = n.attach(int(data[11]), conn)
		}
		n.forward(p.number, data)
	}
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxFrame {
		return nil, fmt.Errorf("frame of %d bytes", size)
	}
	data := make([]byte, size)
	_, err := io.ReadFull(r, data)
	return data, err
}

func (n *Network) attach(number int, conn net.Conn) *port {
	p := &port{number: number, conn: conn, out: make(chan []byte, queueLength), done: make(chan struct{}), delayed: map[int]chan frame{}}
	n.mu.Lock()
	n.ports[number] = p
	n.mu.Unlock()
	go p.send()
	return p
}

func (n *Network) drop(p *port) {
	if p == nil {
		return
	}
	n.mu.Lock()
	if n.ports[p.number] == p {
		delete(n.ports, p.number)
	}
	n.mu.Unlock()
	close(p.done)
}

// forward gives a frame to the machines it is for.
func (n *Network) forward(from int, data []byte) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.capture != nil {
		n.capture.write(data)
	}
	if data[0]&1 == 0 {
		if to := n.ports[int(data[5])]; to != nil {
			n.deliver(from, to, data)
		}
		return
	}
	for number, to := range n.ports {
		if number != from {
			n.deliver(from, to, data)
		}
	}
}

func (n *Network) deliver(from int, to *port, data []byte) {
	link := n.links[[2]int{from, to.number}]
	if link.Cut || (link.Loss > 0 && rand.Float64() < link.Loss) {
		return
	}
	if link.Mangle != nil {
		data = bytes.Clone(data)
		link.Mangle(data)
	}
	if link.Delay > 0 {
		to.later(from, frame{time.Now().Add(link.Delay), data})
		return
	}
	to.enqueue(data)
}

func (p *port) enqueue(data []byte) {
	select {
	case p.out <- data:
	default: // full: dropped
	}
}

// later keeps the frames of one sender in order while they wait.
func (p *port) later(from int, f frame) {
	p.mu.Lock()
	queue := p.delayed[from]
	if queue == nil {
		queue = make(chan frame, queueLength)
		p.delayed[from] = queue
		go func() {
			for {
				select {
				case f := <-queue:
					time.Sleep(time.Until(f.due))
					p.enqueue(f.data)
				case <-p.done:
					return
				}
			}
		}()
	}
	p.mu.Unlock()
	select {
	case queue <- f:
	default:
	}
}

// send writes what is queued, many frames with one system call.
func (p *port) send() {
	w := bufio.NewWriterSize(p.conn, 256<<10)
	var head [4]byte
	for {
		select {
		case data := <-p.out:
			for more := true; more; {
				binary.BigEndian.PutUint32(head[:], uint32(len(data)))
				w.Write(head[:])
				w.Write(data)
				select {
				case data = <-p.out:
				default:
					more = false
				}
			}
			if w.Flush() != nil {
				return
			}
		case <-p.done:
			return
		}
	}
}
