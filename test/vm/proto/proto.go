// Package proto is what the test bed and the agent in a guest say to each other
// over a virtio-serial port: frames of a kind, a command's number and a payload.
// One port carries any number of commands at the same time.
package proto

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// Kind says what a frame carries.
type Kind byte

// From the bed to the guest: Start, Stdin, Kill. From the guest: the others.
const (
	Start  Kind = 'S' // JSON of Command
	Stdin  Kind = 'I' // input of a command; an empty payload closes it
	Kill   Kind = 'K' // end the command and its process group
	Stdout Kind = 'O'
	Stderr Kind = 'E'
	Exit   Kind = 'X' // JSON of Status; the last frame of a command
	Kmsg   Kind = 'L' // kernel log lines, number 0
	Hello  Kind = 'H' // the guest is ready; payload: JSON of Greeting
)

// MaxPayload bounds a frame. Both sides cut what is longer into several frames.
const MaxPayload = 64 << 10

const headerSize = 9

// Command is a request to run a program in the guest.
type Command struct {
	Argv      []string `json:"argv"`
	TimeoutMS int64    `json:"timeout_ms"` // 0: no limit
	Stdin     bool     `json:"stdin"`      // Stdin frames follow
}

// Status is how a command ended.
type Status struct {
	Code     int    `json:"code"`             // exit status; 128 + signal when killed
	TimedOut bool   `json:"timed_out"`        // ended because its time was over
	Error    string `json:"error,omitempty"`  // the command could not be started
	Stacks   string `json:"stacks,omitempty"` // kernel stacks of stuck tasks, with TimedOut
}

// Greeting is the first thing a guest says.
type Greeting struct {
	Release  string `json:"release"` // uname -r
	UptimeMS int64  `json:"uptime_ms"`
	Error    string `json:"error,omitempty"` // why the guest could not be set up
}

// Frame is one decoded frame.
type Frame struct {
	Kind    Kind
	ID      uint32
	Payload []byte
}

// Writer sends frames; it may be used by several goroutines.
type Writer struct {
	mu sync.Mutex
	w  io.Writer
}

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Send writes one frame.
func (w *Writer) Send(kind Kind, id uint32, payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("frame of %d bytes: at most %d fit", len(payload), MaxPayload)
	}
	buf := make([]byte, headerSize+len(payload))
	buf[0] = byte(kind)
	binary.BigEndian.PutUint32(buf[1:], id)
	binary.BigEndian.PutUint32(buf[5:], uint32(len(payload)))
	copy(buf[headerSize:], payload)
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(buf) > 0 {
		n, err := w.w.Write(buf)
		if err != nil {
			return err
		}
		buf = buf[n:]
	}
	return nil
}

// SendJSON writes one frame whose payload is v as JSON.
func (w *Writer) SendJSON(kind Kind, id uint32, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.Send(kind, id, payload)
}

// Read returns the next frame.
func Read(r io.Reader) (Frame, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return Frame{}, err
	}
	n := binary.BigEndian.Uint32(header[5:])
	if n > MaxPayload {
		return Frame{}, fmt.Errorf("frame of %d bytes: at most %d expected; the stream is out of step", n, MaxPayload)
	}
	f := Frame{Kind: Kind(header[0]), ID: binary.BigEndian.Uint32(header[1:]), Payload: make([]byte, n)}
	_, err := io.ReadFull(r, f.Payload)
	return f, err
}

// Config is what the bed tells a guest's init, as /config.json of the initramfs.
type Config struct {
	Hostname string   `json:"hostname"`
	Address  string   `json:"address"` // with prefix length
	MTU      int      `json:"mtu"`
	Layers   []string `json:"layers"` // folders of the root image, topmost first
}
