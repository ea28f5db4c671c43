package genl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/mdlayher/netlink"
)

// Only the low 14 bits of an attribute type are its number: bit 15 says nest, bit 14 is DRBD's "mandatory" (section 2.3).
const typeMask = 0x3fff

// member ties a field number to the Go variable that holds it.
type member struct {
	nr  uint16
	ptr any
}

// Record is one attribute set as a Go structure.
type Record interface {
	set() SetNr
	has() *uint64
	members() []member
}

type enumNumber interface {
	number() uint32
	setNumber(uint32)
}

// Attr is one attribute: its number without flag bits, and the payload.
type Attr struct {
	Nr   uint16
	Data []byte
}

// splitAttrs cuts a run of attributes. Type 0 is padding and skipped (section 2.2).
func splitAttrs(b []byte) ([]Attr, error) {
	var out []Attr
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, fmt.Errorf("attribute header cut off: %d bytes left, 4 needed", len(b))
		}
		size, nr := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])&typeMask
		if size < 4 || size > len(b) {
			return nil, fmt.Errorf("attribute %d: length %d, but 4 to %d bytes are there", nr, size, len(b))
		}
		if nr != 0 {
			out = append(out, Attr{nr, b[4:size]})
		}
		b = b[min(align4(size), len(b)):]
	}
	return out, nil
}

func align4(n int) int { return (n + 3) &^ 3 }

func appendAttr(b []byte, attrType uint16, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, attrType)
	b = append(b, data...)
	return append(b, make([]byte, align4(len(data))-len(data))...)
}

// decodeRecord fills r from the fields of one set. Fields it does not know are skipped; too short ones are an error.
func decodeRecord(data []byte, r Record) error {
	attrs, err := splitAttrs(data)
	if err != nil {
		return fmt.Errorf("%s: %w", r.set(), err)
	}
	members := r.members()
	for _, a := range attrs {
		i := slices.IndexFunc(members, func(m member) bool { return m.nr == a.Nr })
		if i < 0 {
			continue
		}
		if err := setMember(members[i].ptr, a.Data); err != nil {
			return fmt.Errorf("%s: field %d: %w", r.set(), a.Nr, err)
		}
		*r.has() |= 1 << a.Nr
	}
	return nil
}

func setMember(ptr any, data []byte) error {
	need := func(n int) error {
		if len(data) < n {
			return fmt.Errorf("%d bytes, %d needed", len(data), n)
		}
		return nil
	}
	switch v := ptr.(type) {
	case *bool:
		if err := need(1); err != nil {
			return err
		}
		*v = data[0] != 0
	case *uint32:
		if err := need(4); err != nil {
			return err
		}
		*v = binary.NativeEndian.Uint32(data)
	case *int32:
		if err := need(4); err != nil {
			return err
		}
		*v = int32(binary.NativeEndian.Uint32(data))
	case enumNumber:
		if err := need(4); err != nil {
			return err
		}
		v.setNumber(binary.NativeEndian.Uint32(data))
	case *uint64:
		if err := need(8); err != nil {
			return err
		}
		*v = binary.NativeEndian.Uint64(data)
	case *string:
		*v = cString(data)
	case *[]byte:
		*v = bytes.Clone(data)
	case *[]uint64:
		*v = nil
		for ; len(data) >= 8; data = data[8:] {
			*v = append(*v, binary.NativeEndian.Uint64(data))
		}
	default:
		return fmt.Errorf("no decoder for %T", ptr)
	}
	return nil
}

func cString(data []byte) string {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		data = data[:i]
	}
	return string(data)
}

// memberData is the payload of a field.
func memberData(ptr any) []byte {
	switch v := ptr.(type) {
	case *bool:
		if *v {
			return []byte{1}
		}
		return []byte{0}
	case *uint32:
		return binary.NativeEndian.AppendUint32(nil, *v)
	case *int32:
		return binary.NativeEndian.AppendUint32(nil, uint32(*v))
	case enumNumber:
		return binary.NativeEndian.AppendUint32(nil, v.number())
	case *uint64:
		return binary.NativeEndian.AppendUint64(nil, *v)
	case *string:
		return append([]byte(*v), 0)
	case *[]byte:
		return *v
	case *[]uint64:
		var out []byte
		for _, n := range *v {
			out = binary.NativeEndian.AppendUint64(out, n)
		}
		return out
	}
	panic(fmt.Sprintf("no encoder for %T", ptr))
}

// encodeRecord makes the nest of one set from the fields whose Has bit is set. Top-level nests always carry the nested flag: the
// kernel parses them strictly (section 2.3).
func encodeRecord(r Record) []byte {
	var fields []byte
	for _, m := range r.members() {
		if *r.has()&(1<<m.nr) != 0 {
			fields = appendAttr(fields, m.nr, memberData(m.ptr))
		}
	}
	return appendAttr(nil, uint16(r.set())|netlink.Nested, fields)
}

// Params builds the payload set of a request field by field, in the order of the calls: that is the order in which an
// administrator gave the options. The first error is kept for Err.
type Params struct {
	nr     SetNr
	fields []byte
	any    bool
	err    error
}

// NewParams starts a payload for a set.
func NewParams(nr SetNr) *Params { return &Params{nr: nr} }

// Put appends one field; number and enum fields take value as two's complement, flags 0 or 1.
func (p *Params) Put(fieldNr uint16, value uint64) *Params {
	f := p.field(fieldNr)
	if f == nil {
		return p
	}
	switch f.Type {
	case TypeFlag:
		return p.append(fieldNr, []byte{byte(value)})
	case TypeU32, TypeS32:
		return p.append(fieldNr, binary.NativeEndian.AppendUint32(nil, uint32(value)))
	case TypeU64:
		return p.append(fieldNr, binary.NativeEndian.AppendUint64(nil, value))
	}
	return p.fail("%s: %s is no number", p.nr, f.Name)
}

// PutString appends a string field.
func (p *Params) PutString(fieldNr uint16, value string) *Params {
	f := p.field(fieldNr)
	switch {
	case f == nil:
		return p
	case f.Type != TypeString:
		return p.fail("%s: %s is no text", p.nr, f.Name)
	case len(value) >= f.Size:
		return p.fail("%s: text has %d bytes, at most %d fit", optionOrName(f), len(value), f.Size-1)
	case bytes.IndexByte([]byte(value), 0) >= 0:
		return p.fail("%s: text contains a NUL byte", optionOrName(f))
	}
	return p.append(fieldNr, append([]byte(value), 0))
}

// PutBinary appends a binary field (a socket address).
func (p *Params) PutBinary(fieldNr uint16, value []byte) *Params {
	f := p.field(fieldNr)
	switch {
	case f == nil:
		return p
	case f.Type != TypeBinary || len(value) > f.Size:
		return p.fail("%s: %s takes at most %d raw bytes, got %d", p.nr, f.Name, f.Size, len(value))
	}
	return p.append(fieldNr, value)
}

// Err is the first thing that went wrong.
func (p *Params) Err() error { return p.err }

// Empty tells that no field was put: then the whole set is left out of a request.
func (p *Params) Empty() bool { return !p.any }

func (p *Params) field(nr uint16) *Field {
	f := p.nr.Info().FieldByNr(nr)
	if f == nil {
		p.fail("%s has no field %d", p.nr, nr)
	}
	return f
}

func (p *Params) fail(format string, args ...any) *Params {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	return p
}

func (p *Params) append(nr uint16, data []byte) *Params {
	p.fields, p.any = appendAttr(p.fields, nr, data), true
	return p
}

func optionOrName(f *Field) string {
	if f.Option != "" {
		return "--" + f.Option
	}
	return f.Name
}
