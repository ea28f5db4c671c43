package genl

import (
	"encoding/binary"
	"fmt"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
)

// NoMinor is the header's minor of a message that is not about a device.
const NoMinor = ^uint32(0)

// flagSetDefaults in the request header: reset every changeable option first (section 2.1).
const flagSetDefaults = 1

// Message is one reply, dump element or notification.
type Message struct {
	Op    Op
	Seq   uint32
	Minor uint32
	Code  Code // notifications leave it at 0 or 101
	Sets  []Attr
}

// parseMessage takes a generic netlink message apart: the 8-byte drbd header, then one nest per set.
func parseMessage(g genetlink.Message, seq uint32) (Message, error) {
	m := Message{Op: Op(g.Header.Command), Seq: seq}
	if len(g.Data) < HeaderSize {
		return m, fmt.Errorf("%s: message of %d bytes, the drbd header alone has %d", m.Op, len(g.Data), HeaderSize)
	}
	m.Minor = binary.NativeEndian.Uint32(g.Data)
	m.Code = Code(int32(binary.NativeEndian.Uint32(g.Data[4:])))
	sets, err := splitAttrs(g.Data[HeaderSize:])
	if err != nil {
		return m, fmt.Errorf("%s: %w", m.Op, err)
	}
	m.Sets = sets
	return m, nil
}

// Raw is the content of a set's nest; ok is false when the message lacks the set.
func (m *Message) Raw(nr SetNr) (data []byte, ok bool) {
	for _, a := range m.Sets {
		if a.Nr == uint16(nr) {
			return a.Data, true
		}
	}
	return nil, false
}

// Decode fills a Record from the message; ok is false when the message lacks the set.
func (m *Message) Decode(r Record) (ok bool, err error) {
	data, ok := m.Raw(r.set())
	if !ok {
		return false, nil
	}
	return true, decodeRecord(data, r)
}

// Context is the message's context set, zero when it has none.
func (m *Message) Context() (CfgContext, error) {
	var c CfgContext
	_, err := m.Decode(&c)
	return c, err
}

// Texts are the explanations the module sent along (section 2.5).
func (m *Message) Texts() []string {
	var texts []string
	for _, a := range m.Sets {
		var reply CfgReply
		if a.Nr != uint16(SetCfgReply) || decodeRecord(a.Data, &reply) != nil {
			continue
		}
		texts = append(texts, reply.InfoText)
	}
	return texts
}

// Values are the fields of a set by number, for code that goes by the table of options: numbers as uint64 in two's complement,
// flags 0 or 1, texts as string, binaries as []byte.
func (m *Message) Values(nr SetNr) (map[uint16]any, error) {
	data, ok := m.Raw(nr)
	if !ok {
		return nil, nil
	}
	attrs, err := splitAttrs(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nr, err)
	}
	values := map[uint16]any{}
	for _, a := range attrs {
		f := nr.Info().FieldByNr(a.Nr)
		if f == nil {
			continue
		}
		v, err := f.value(a.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", nr, f.Name, err)
		}
		values[a.Nr] = v
	}
	return values, nil
}

func (f *Field) value(data []byte) (any, error) {
	need := map[Type]int{TypeFlag: 1, TypeU32: 4, TypeS32: 4, TypeU64: 8}[f.Type]
	if len(data) < need {
		return nil, fmt.Errorf("%d bytes, %d needed", len(data), need)
	}
	switch f.Type {
	case TypeFlag:
		if data[0] != 0 {
			return uint64(1), nil
		}
		return uint64(0), nil
	case TypeU32:
		return uint64(binary.NativeEndian.Uint32(data)), nil
	case TypeS32:
		return Signed(int64(int32(binary.NativeEndian.Uint32(data)))), nil
	case TypeU64:
		return binary.NativeEndian.Uint64(data), nil
	case TypeString:
		return cString(data), nil
	}
	return data, nil
}

// Request is one do-request. Zero values of Resource, Node, Volume mean: not part of the context.
type Request struct {
	Op          Op
	Minor       uint32 // NoMinor when it is not about one
	SetDefaults bool
	Resource    string
	Node        *uint32
	Volume      *uint32
	Params      *Params // nil: no payload
}

// New starts a request that names no minor.
func New(op Op, resource string) Request { return Request{Op: op, Minor: NoMinor, Resource: resource} }

// ForMinor starts a request about a minor.
func ForMinor(op Op, minor uint32) Request { return Request{Op: op, Minor: minor} }

// WithNode adds the peer's node id to the context.
func (r Request) WithNode(node uint32) Request {
	r.Node = &node
	return r
}

// WithVolume adds the volume number to the context.
func (r Request) WithVolume(volume uint32) Request {
	r.Volume = &volume
	return r
}

// marshal gives everything behind the genl header. Order of the context as stock tools send it: name, node, volume.
func (r Request) marshal() ([]byte, error) {
	var flags uint32
	if r.SetDefaults {
		flags = flagSetDefaults
	}
	b := binary.NativeEndian.AppendUint32(nil, r.Minor)
	b = binary.NativeEndian.AppendUint32(b, flags)
	var ctx []byte
	if r.Resource != "" {
		if limit := SetCfgContext.Info().FieldByNr(CfgContextNrResourceName).Size; len(r.Resource) >= limit {
			return nil, fmt.Errorf("resource name has %d bytes, at most %d fit", len(r.Resource), limit-1)
		}
		ctx = appendAttr(ctx, CfgContextNrResourceName, append([]byte(r.Resource), 0))
	}
	if r.Node != nil {
		ctx = appendAttr(ctx, CfgContextNrPeerNodeID, binary.NativeEndian.AppendUint32(nil, *r.Node))
	}
	if r.Volume != nil {
		ctx = appendAttr(ctx, CfgContextNrVolume, binary.NativeEndian.AppendUint32(nil, *r.Volume))
	}
	if len(ctx) > 0 {
		b = appendAttr(b, uint16(SetCfgContext)|netlink.Nested, ctx)
	}
	if r.Params != nil {
		if err := r.Params.Err(); err != nil {
			return nil, err
		}
		if !r.Params.Empty() {
			b = appendAttr(b, uint16(r.Params.nr)|netlink.Nested, r.Params.fields)
		}
	}
	return b, nil
}

// NewMessage puts a message together as the module would send it, for tests of what reads messages. Of each record the fields
// whose Has bit is set are there; SendAll sets them all.
func NewMessage(op Op, minor uint32, records ...Record) Message {
	m := Message{Op: op, Minor: minor, Code: CodeNoError}
	for _, r := range records {
		m.Sets = append(m.Sets, Attr{Nr: uint16(r.set()), Data: encodeRecord(r)[4:]})
	}
	return m
}

// SendAll marks every field of a record as present and returns it.
func SendAll[R Record](r R) R {
	for _, m := range r.members() {
		*r.has() |= 1 << m.nr
	}
	return r
}
