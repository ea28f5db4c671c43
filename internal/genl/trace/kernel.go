package trace

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
)

// Kernel answers requests as the recorded module did. A request that was never recorded is an error for the client.
type Kernel struct {
	exchanges []Exchange
	Sent      [][]byte // bodies of what clients sent, see Exchange.Body
}

// NewKernel plays the exchanges of some commands. Equal requests get the answer of the first.
func NewKernel(commands ...Command) *Kernel {
	k := &Kernel{}
	for _, c := range commands {
		k.exchanges = append(k.exchanges, c.Exchanges...)
	}
	return k
}

// Open gives a connection to it, for genl.NewClient.
func (k *Kernel) Open(int) (*genetlink.Conn, error) {
	return genetlink.NewConn(netlink.NewConn(&socket{kernel: k}, 1)), nil
}

// ErrQuiet is what a receive without a deadline gets when nothing is there to be received.
var ErrQuiet = errors.New("the recorded kernel has nothing more to say")

type socket struct {
	kernel   *Kernel
	queue    []netlink.Message
	mu       sync.Mutex
	deadline time.Time // mu
}

func (s *socket) Close() error             { return nil }
func (s *socket) JoinGroup(uint32) error   { return nil }
func (s *socket) LeaveGroup(uint32) error  { return nil }
func (s *socket) SetReadBuffer(int) error  { return nil }
func (s *socket) SetWriteBuffer(int) error { return nil }

func (s *socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	return nil
}

func (s *socket) SetDeadline(t time.Time) error    { return s.SetReadDeadline(t) }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// Send finds the recorded answer.
func (s *socket) Send(m netlink.Message) error {
	raw, err := m.MarshalBinary()
	if err != nil {
		return err
	}
	sent := body(raw)
	s.kernel.Sent = append(s.kernel.Sent, sent)
	for _, e := range s.kernel.exchanges {
		if !bytes.Equal(e.Body(), sent) && !(e.Op() == sent[4] && m.Header.Type == 0x10) {
			continue
		}
		for _, d := range e.Replies {
			s.queue = append(s.queue, netlink.Message{
				Header: netlink.Header{
					Length: uint32(16 + len(d.Body)), Type: netlink.HeaderType(d.Type), Flags: netlink.HeaderFlags(d.Flags),
					Sequence: m.Header.Sequence, PID: 1,
				},
				Data: d.Body,
			})
		}
		return nil
	}
	return fmt.Errorf("request was never recorded: %s", hex.EncodeToString(sent))
}

func (s *socket) SendMessages(messages []netlink.Message) error {
	for _, m := range messages {
		if err := s.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// Receive gives one datagram at a time, as the kernel delivers dumps.
func (s *socket) Receive() ([]netlink.Message, error) {
	for len(s.queue) == 0 {
		s.mu.Lock()
		deadline := s.deadline
		s.mu.Unlock()
		switch {
		case deadline.IsZero():
			return nil, ErrQuiet
		case time.Now().After(deadline):
			return nil, os.ErrDeadlineExceeded
		}
		time.Sleep(time.Millisecond)
	}
	m := s.queue[0]
	s.queue = s.queue[1:]
	return []netlink.Message{m}, nil
}

func (s *socket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		messages, err := s.Receive()
		if err != nil {
			yield(netlink.Message{}, err)
			return
		}
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
	}
}
