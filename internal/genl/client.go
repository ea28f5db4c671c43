package genl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// replyTimeout is how long a do-request may take: an attach waits for the negotiation with all peers (section 8.6).
const replyTimeout = 120 * time.Second

// Buffers of the sockets (section 13).
const (
	sendBuffer           = 128 << 10
	receiveBuffer        = 1 << 20
	minBuffer, maxBuffer = 100 << 10, 100 << 20
)

// Family is what the controller says about the module's family.
type Family struct {
	ID         uint16
	Version    uint32 // 2; 1 is an 8.4 module
	HeaderSize uint32
	Group      uint32 // multicast group of the notifications
	Paths      bool   // paths are objects of their own (GET_PATHS)
}

// Client is a connection to the module.
type Client struct {
	conn   *genetlink.Conn
	family Family
	open   func(receive int) (*genetlink.Conn, error) // for a second connection
	// doneDue: the end of an initial state dump (NLMSG_DONE) was not read yet.
	doneDue bool
	// Waiting, when set, is told before a pause because the module is in a transient state, or while an answer is overdue.
	Waiting func(op Op, since time.Duration)
}

// Dial finds the module. errors.Is(err, ErrNotLoaded) when there is none.
func Dial() (*Client, error) {
	return NewClient(dial)
}

func dial(receive int) (*genetlink.Conn, error) {
	conn, err := genetlink.Dial(nil)
	if err != nil {
		return nil, fmt.Errorf("cannot open a generic netlink socket: %w", err)
	}
	// Sizes are an optimisation: a refusal is no reason to fail.
	_ = conn.SetWriteBuffer(sendBuffer)
	setReceiveBuffer(conn, receive)
	return conn, nil
}

// ReceiveBufferFromEnv is the size wanted by DRBD_GENL_RCVBUF_SZ, or the usual one.
func ReceiveBufferFromEnv() int {
	var n int
	if _, err := fmt.Sscanf(os.Getenv("DRBD_GENL_RCVBUF_SZ"), "%d", &n); err != nil || n <= 0 {
		return receiveBuffer
	}
	return n
}

// setReceiveBuffer goes beyond the sysctl limit when we are privileged.
func setReceiveBuffer(conn *genetlink.Conn, size int) {
	size = min(max(size, minBuffer), maxBuffer)
	_ = conn.SetReadBuffer(size)
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size)
	})
}

// NewClient opens a connection by a function of the caller (with a receive buffer of the given size) and asks for the family.
func NewClient(open func(receive int) (*genetlink.Conn, error)) (*Client, error) {
	conn, err := open(ReceiveBufferFromEnv())
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, open: open}
	if err := c.findFamily(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Family tells what was found.
func (c *Client) Family() Family { return c.family }

// Controller numbers of the kernel's generic netlink (linux/genetlink.h, public interface).
const (
	ctrlID          = 0x10
	ctrlNotifyGroup = 0x10
	ctrlVersion     = 2
	ctrlDelFamily   = 2
	ctrlGetFamily   = 3
	ctrlFamilyID    = 1
	ctrlFamilyName  = 2
	ctrlVersionAttr = 3
	ctrlHeaderSize  = 4
	ctrlOps         = 6
	ctrlGroups      = 7
	ctrlOpID        = 1
	ctrlGroupName   = 1
	ctrlGroupID     = 2
)

func (c *Client) findFamily() error {
	request := genetlink.Message{
		Header: genetlink.Header{Command: ctrlGetFamily, Version: ctrlVersion},
		Data:   appendAttr(nil, ctrlFamilyName, append([]byte(FamilyName), 0)),
	}
	replies, err := c.conn.Execute(request, ctrlID, netlink.Request)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOENT) {
		return ErrNotLoaded
	}
	if err != nil {
		return fmt.Errorf("asking the kernel for family %s: %w", FamilyName, err)
	}
	if len(replies) == 0 {
		return fmt.Errorf("asking the kernel for family %s: no answer", FamilyName)
	}
	c.family, err = parseFamily(replies[0].Data)
	return err
}

func parseFamily(data []byte) (Family, error) {
	var f Family
	attrs, err := splitAttrs(data)
	if err != nil {
		return f, fmt.Errorf("description of family %s: %w", FamilyName, err)
	}
	for _, a := range attrs {
		switch {
		case a.Nr == ctrlFamilyID && len(a.Data) >= 2:
			f.ID = binary.NativeEndian.Uint16(a.Data)
		case a.Nr == ctrlVersionAttr && len(a.Data) >= 4:
			f.Version = binary.NativeEndian.Uint32(a.Data)
		case a.Nr == ctrlHeaderSize && len(a.Data) >= 4:
			f.HeaderSize = binary.NativeEndian.Uint32(a.Data)
		case a.Nr == ctrlOps:
			_, f.Paths = listElement(a.Data, ctrlOpID, func(d []byte) bool {
				return len(d) >= 4 && binary.NativeEndian.Uint32(d) == uint32(OpGetPaths)
			})
		case a.Nr == ctrlGroups:
			if group, ok := listElement(a.Data, ctrlGroupName, func(d []byte) bool { return cString(d) == GroupName }); ok {
				f.Group = group[ctrlGroupID]
			}
		}
	}
	return f, nil
}

// listElement finds the element of a controller list whose attribute nr fits; it gives its 32-bit attributes.
func listElement(list []byte, nr uint16, fits func([]byte) bool) (map[uint16]uint32, bool) {
	elements, err := splitAttrs(list)
	if err != nil {
		return nil, false
	}
	for _, e := range elements {
		fields, err := splitAttrs(e.Data)
		if err != nil {
			continue
		}
		numbers, found := map[uint16]uint32{}, false
		for _, f := range fields {
			if len(f.Data) >= 4 {
				numbers[f.Nr] = binary.NativeEndian.Uint32(f.Data)
			}
			found = found || f.Nr == nr && fits(f.Data)
		}
		if found {
			return numbers, true
		}
	}
	return nil, false
}

// CheckVersion refuses a module of another generation. 8.4 is a module of its own kind: see Family().Version.
func (c *Client) CheckVersion() error {
	if c.family.Version == FamilyVersion && c.family.HeaderSize == HeaderSize {
		return nil
	}
	return fmt.Errorf("API mismatch!\n\tAPI version drbdsetup: %d kernel: %d\n\theader size drbdsetup: %d kernel: %d",
		FamilyVersion, c.family.Version, HeaderSize, c.family.HeaderSize)
}

// Do sends a request and waits for its answer. A refusal is a *RequestError; the reply is there in any case that the module
// answered. As long as the module is in a transient state (-18) the request is repeated.
func (c *Client) Do(ctx context.Context, r Request) (*Message, error) {
	const firstPause, lastPause = 62500 * time.Microsecond, 10 * time.Second
	start := time.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		reply, err := c.once(ctx, r)
		if err != nil {
			return nil, err
		}
		if reply.Code == StateInTransientState {
			if c.Waiting != nil {
				c.Waiting(r.Op, time.Since(start))
			}
			select {
			case <-ctx.Done():
				return reply, ctx.Err()
			case <-time.After(pause):
				continue
			}
		}
		if !reply.Code.OK() {
			return reply, &RequestError{Op: r.Op, Code: reply.Code, Texts: reply.Texts()}
		}
		return reply, nil
	}
}

func (c *Client) once(ctx context.Context, r Request) (*Message, error) {
	body, err := r.marshal()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	sent, err := c.send(r.Op, body, netlink.Request)
	if err != nil {
		return nil, err
	}
	defer c.bound(ctx)()
	for {
		messages, err := c.receive(r.Op)
		if over := timedOut(ctx, err); over != nil {
			return nil, fmt.Errorf("%s: no answer of the module: %w", r.Op, over)
		}
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			if m.Seq == sent.Header.Sequence {
				return &m, nil
			}
		}
	}
}

// bound makes a blocked receive end with the context. Call the result when done.
func (c *Client) bound(ctx context.Context) func() {
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.conn.SetReadDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetReadDeadline(time.Unix(1, 0)) })
	return func() {
		stop()
		_ = c.conn.SetReadDeadline(time.Time{})
	}
}

// timedOut is the context's error when a receive ended with the context. The socket may notice a deadline before the context does.
func timedOut(ctx context.Context, err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	deadline, ok := ctx.Deadline()
	if ctx.Err() == nil && ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

func (c *Client) send(op Op, body []byte, flags netlink.HeaderFlags) (netlink.Message, error) {
	c.drainDone()
	message := genetlink.Message{
		Header: genetlink.Header{Command: uint8(op), Version: uint8(c.family.Version)},
		Data:   body,
	}
	sent, err := c.conn.Send(message, c.family.ID, flags)
	if err != nil {
		return sent, fmt.Errorf("%s: %w", op, err)
	}
	return sent, nil
}

// drainDone reads what is left of an initial state dump. Its messages are not marked as parts of one answer, so the end marker of
// netlink comes on its own; it is there already, the limit is for a kernel that put both into one datagram.
func (c *Client) drainDone() {
	if !c.doneDue {
		return
	}
	c.doneDue = false
	_ = c.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	_, _, _ = c.conn.Receive()
	_ = c.conn.SetReadDeadline(time.Time{})
}

// receive reads one datagram, or a whole multi-part answer.
func (c *Client) receive(op Op) ([]Message, error) {
	bodies, headers, err := c.conn.Receive()
	if err != nil {
		return nil, receiveError(op, err)
	}
	var out []Message
	for i, g := range bodies {
		switch {
		case uint16(headers[i].Header.Type) == ctrlID:
			if familyGone(g) {
				return out, ErrUnloaded
			}
			continue
		case uint16(headers[i].Header.Type) != c.family.ID:
			continue
		}
		m, err := parseMessage(g, headers[i].Header.Sequence)
		if err != nil {
			return out, err
		}
		out = append(out, m)
	}
	return out, nil
}

func receiveError(op Op, err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%s: %w", op, ErrPermission)
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%s: %w", op, ErrUnloaded)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// familyGone recognises the controller's message that our family was unregistered.
func familyGone(g genetlink.Message) bool {
	if g.Header.Command != ctrlDelFamily {
		return false
	}
	attrs, err := splitAttrs(g.Data)
	if err != nil {
		return false
	}
	for _, a := range attrs {
		if a.Nr == ctrlFamilyName && cString(a.Data) == FamilyName {
			return true
		}
	}
	return false
}

// Dump sends a dump request, for one resource or for all ("").
//
// A released kernel repeats its "unknown resource" for ever (section 9), so callers check with Resources first that the resource
// they filter by exists; that dump knows no filter.
func (c *Client) Dump(ctx context.Context, op Op, resource string) ([]Message, error) {
	body, err := New(op, resource).marshal()
	if err != nil {
		return nil, err
	}
	sent, err := c.send(op, body, netlink.Request|netlink.Dump)
	if err != nil {
		return nil, err
	}
	defer c.bound(ctx)()
	messages, err := c.receive(op)
	if err != nil {
		return nil, err
	}
	var out []Message
	for _, m := range messages {
		if m.Seq != sent.Header.Sequence {
			continue
		}
		if !m.Code.OK() {
			return nil, &RequestError{Op: op, Code: m.Code, Texts: m.Texts()}
		}
		out = append(out, m)
	}
	return out, nil
}

// InitialState asks for the snapshot with which an event reader starts (section 10.5) and returns it without the end marker.
func (c *Client) InitialState(ctx context.Context, resource string) ([]Message, error) {
	body, err := New(OpGetInitialState, resource).marshal()
	if err != nil {
		return nil, err
	}
	sent, err := c.send(OpGetInitialState, body, netlink.Request|netlink.Dump)
	if err != nil {
		return nil, err
	}
	defer c.bound(ctx)()
	var out []Message
	for {
		messages, err := c.receive(OpGetInitialState)
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			switch {
			case m.Seq != sent.Header.Sequence:
			case m.Op == OpInitialStateDone:
				c.doneDue = true
				return out, nil
			case m.Code != 0 && !m.Code.OK():
				return nil, &RequestError{Op: OpGetInitialState, Code: m.Code, Texts: m.Texts()}
			default:
				out = append(out, m)
			}
		}
		if len(messages) == 0 { // NLMSG_DONE without the marker: an empty configuration of an old module
			return out, nil
		}
	}
}

// Subscribe opens a second connection that receives the notifications. Read it with Notifications.
func (c *Client) Subscribe(receiveBuffer int) (*Client, error) {
	conn, err := c.open(receiveBuffer)
	if err != nil {
		return nil, err
	}
	listener := &Client{conn: conn, family: c.family}
	if err := conn.JoinGroup(c.family.Group); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("joining the group %q of family %s: %w", GroupName, FamilyName, err)
	}
	// The controller tells when the module goes away.
	if err := conn.JoinGroup(ctrlNotifyGroup); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("joining the notifications of the generic netlink controller: %w", err)
	}
	return listener, nil
}

// Notifications waits for the next datagram of notifications. errors.Is(err, unix.ENOBUFS) when some were lost.
func (c *Client) Notifications(ctx context.Context) ([]Message, error) {
	defer c.bound(ctx)()
	messages, err := c.receive(OpEvent)
	if over := timedOut(ctx, err); over != nil {
		return messages, over
	}
	return messages, err
}
