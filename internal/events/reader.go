package events

import (
	"context"
	"errors"
	"time"

	"drbd/internal/genl"
)

// gapPatience is how long a missing sequence number is waited for. Messages of different resources are sent by different threads,
// so a higher number may arrive a moment earlier; but a notification that the module could not allocate never comes.
const gapPatience = time.Second

// Source is what a Reader reads from; *genl.Client is one.
type Source interface {
	InitialState(ctx context.Context, resource string) ([]genl.Message, error)
	Notifications(ctx context.Context) ([]genl.Message, error)
}

// Sequencer puts notifications into the order of their numbers (section 10.5).
type Sequencer struct {
	started  bool
	expected uint32
	waiting  map[uint32]genl.Message
}

// Add takes a message in and gives those that are due.
func (s *Sequencer) Add(m genl.Message) []genl.Message {
	if !s.started {
		s.started, s.expected, s.waiting = true, m.Seq, map[uint32]genl.Message{}
	}
	if int32(m.Seq-s.expected) > 0 {
		s.waiting[m.Seq] = m
		return nil
	}
	out := []genl.Message{m}
	if m.Seq == s.expected {
		s.expected++
	}
	return append(out, s.due()...)
}

func (s *Sequencer) due() []genl.Message {
	var out []genl.Message
	for {
		m, ok := s.waiting[s.expected]
		if !ok {
			return out
		}
		delete(s.waiting, s.expected)
		s.expected++
		out = append(out, m)
	}
}

// Gap tells that messages wait for one that is missing.
func (s *Sequencer) Gap() bool { return len(s.waiting) > 0 }

// Skip gives the missing ones up and gives what is due then.
func (s *Sequencer) Skip() []genl.Message {
	if !s.Gap() {
		return nil
	}
	first := true
	for seq := range s.waiting {
		if first || int32(seq-s.expected) < 0 {
			s.expected, first = seq, false
		}
	}
	return s.due()
}

// Reader delivers the initial state and then every notification, in order.
type Reader struct {
	snapshot, listener Source
	resource           string
	order              Sequencer
}

// NewReader wants a listener that has joined the group already, so that nothing between snapshot and first notification is lost.
func NewReader(snapshot, listener Source, resource string) *Reader {
	return &Reader{snapshot: snapshot, listener: listener, resource: resource}
}

// Initial is the snapshot.
func (r *Reader) Initial(ctx context.Context) ([]genl.Message, error) {
	return r.snapshot.InitialState(ctx, r.resource)
}

// Next waits for notifications about the resource (all with "").
func (r *Reader) Next(ctx context.Context) ([]genl.Message, error) {
	for {
		messages, err := r.receive(ctx)
		if err != nil {
			return nil, err
		}
		var out []genl.Message
		for _, m := range messages {
			if r.concerns(&m) {
				out = append(out, m)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
}

func (r *Reader) receive(ctx context.Context) ([]genl.Message, error) {
	wait := ctx
	if r.order.Gap() {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, gapPatience)
		defer cancel()
	}
	messages, err := r.listener.Notifications(wait)
	if err != nil {
		if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			return r.order.Skip(), nil
		}
		return nil, err
	}
	var out []genl.Message
	for _, m := range messages {
		if isNotification(m.Op) {
			out = append(out, r.order.Add(m)...)
		}
	}
	return out, nil
}

func isNotification(op genl.Op) bool {
	switch op {
	case genl.OpResourceState, genl.OpDeviceState, genl.OpConnectionState, genl.OpPeerDeviceState, genl.OpPathState, genl.OpHelper:
		return true
	}
	return false
}

// concerns filters by resource. A rename makes the new name the one that is followed.
func (r *Reader) concerns(m *genl.Message) bool {
	if r.resource == "" {
		return true
	}
	ctx, err := m.Context()
	if err != nil || ctx.ResourceName != r.resource {
		return false
	}
	var rename genl.RenameResourceInfo
	if ok, err := m.Decode(&rename); ok && err == nil && rename.NewName != "" {
		r.resource = rename.NewName
	}
	return true
}
