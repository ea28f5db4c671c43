package genl

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The objects of section 1 as dumps and notifications deliver them. Each keeps its message for code that goes by the table of
// options (Message.Values).

// Resource is one element of GET_RESOURCES.
type Resource struct {
	Message
	Name       string
	Opts       ResourceOpts
	Info       ResourceInfo
	Statistics ResourceStatistics
}

// Device is one element of GET_DEVICES.
type Device struct {
	Message
	Resource   string
	Volume     uint32
	HasDisk    bool // DISK_CONF was sent
	Disk       DiskConf
	Conf       DeviceConf
	Info       DeviceInfo
	Statistics DeviceStatistics
}

// Connection is one element of GET_CONNECTIONS.
type Connection struct {
	Message
	Resource, Name string
	Node           uint32
	Net            NetConf
	Info           ConnectionInfo
	Statistics     ConnectionStatistics
	Paths          []Path // from the list inside the message, without state
}

// PeerDevice is one element of GET_PEER_DEVICES.
type PeerDevice struct {
	Message
	Resource, Connection string
	Node, Volume         uint32
	Opts                 PeerDeviceOpts
	Info                 PeerDeviceInfo
	Statistics           PeerDeviceStatistics
}

// Path is one element of GET_PATHS.
type Path struct {
	Resource, Connection string
	Node                 uint32
	Local, Peer          Address
	Info                 PathInfo
}

// decodeAll fills the records; sets that the message lacks are left as they are.
func (m *Message) decodeAll(records ...Record) error {
	for _, r := range records {
		if _, err := m.Decode(r); err != nil {
			return fmt.Errorf("%s: %w", m.Op, err)
		}
	}
	return nil
}

// Resource reads the message as one about a resource.
func (m *Message) Resource() (Resource, error) {
	r := Resource{Message: *m}
	ctx, err := m.Context()
	if err != nil {
		return r, err
	}
	r.Name = ctx.ResourceName
	return r, m.decodeAll(&r.Opts, &r.Info, &r.Statistics)
}

// Device reads the message as one about a device.
func (m *Message) Device() (Device, error) {
	d := Device{Message: *m}
	ctx, err := m.Context()
	if err != nil {
		return d, err
	}
	d.Resource, d.Volume = ctx.ResourceName, ctx.Volume
	_, d.HasDisk = m.Raw(SetDiskConf)
	return d, m.decodeAll(&d.Disk, &d.Conf, &d.Info, &d.Statistics)
}

// Connection reads the message as one about a connection.
func (m *Message) Connection() (Connection, error) {
	c := Connection{Message: *m}
	ctx, err := m.Context()
	if err != nil {
		return c, err
	}
	c.Resource, c.Name, c.Node = ctx.ResourceName, ctx.ConnName, ctx.PeerNodeID
	if err := m.decodeAll(&c.Net, &c.Info, &c.Statistics); err != nil {
		return c, err
	}
	return c, c.readPaths(m)
}

// readPaths takes the list of alternating local and peer addresses apart (section 4.1).
func (c *Connection) readPaths(m *Message) error {
	data, ok := m.Raw(SetPathParms)
	if !ok {
		return nil
	}
	list, err := splitAttrs(data)
	if err != nil {
		return fmt.Errorf("%s: %w", SetPathParms, err)
	}
	for _, a := range list {
		switch {
		case a.Nr == PathParmsNrMyAddr:
			c.Paths = append(c.Paths, Path{Resource: c.Resource, Connection: c.Name, Node: c.Node, Local: Address(a.Data)})
		case a.Nr == PathParmsNrPeerAddr && len(c.Paths) > 0:
			c.Paths[len(c.Paths)-1].Peer = Address(a.Data)
		}
	}
	return nil
}

// PeerDevice reads the message as one about a peer device.
func (m *Message) PeerDevice() (PeerDevice, error) {
	p := PeerDevice{Message: *m}
	ctx, err := m.Context()
	if err != nil {
		return p, err
	}
	p.Resource, p.Connection, p.Node, p.Volume = ctx.ResourceName, ctx.ConnName, ctx.PeerNodeID, ctx.Volume
	return p, m.decodeAll(&p.Opts, &p.Info, &p.Statistics)
}

// Path reads the message as one about a path.
func (m *Message) Path() (Path, error) {
	ctx, err := m.Context()
	if err != nil {
		return Path{}, err
	}
	p := Path{Resource: ctx.ResourceName, Connection: ctx.ConnName, Node: ctx.PeerNodeID, Local: Address(ctx.MyAddr), Peer: Address(ctx.PeerAddr)}
	return p, m.decodeAll(&p.Info)
}

func dumpObjects[T any](ctx context.Context, c *Client, op Op, resource string, read func(*Message) (T, error)) ([]T, error) {
	messages, err := c.Dump(ctx, op, resource)
	if err != nil {
		return nil, err
	}
	var out []T
	for i := range messages {
		object, err := read(&messages[i])
		if err != nil {
			return nil, err
		}
		out = append(out, object)
	}
	return out, nil
}

// Resources lists all resources; the kernel knows no filter here.
func (c *Client) Resources(ctx context.Context) ([]Resource, error) {
	return dumpObjects(ctx, c, OpGetResources, "", (*Message).Resource)
}

// Devices lists the devices of a resource, or all with "".
func (c *Client) Devices(ctx context.Context, resource string) ([]Device, error) {
	return dumpObjects(ctx, c, OpGetDevices, resource, (*Message).Device)
}

// Connections lists the connections of a resource, or all with "".
func (c *Client) Connections(ctx context.Context, resource string) ([]Connection, error) {
	return dumpObjects(ctx, c, OpGetConnections, resource, (*Message).Connection)
}

// PeerDevices lists the peer devices of a resource, or all with "".
func (c *Client) PeerDevices(ctx context.Context, resource string) ([]PeerDevice, error) {
	return dumpObjects(ctx, c, OpGetPeerDevices, resource, (*Message).PeerDevice)
}

// Paths lists the paths of a resource, or all with "". Modules without GET_PATHS deliver them with the connections.
func (c *Client) Paths(ctx context.Context, resource string) ([]Path, error) {
	return dumpObjects(ctx, c, OpGetPaths, resource, (*Message).Path)
}

// Address is a raw kernel socket address, sockaddr_in or sockaddr_in6 (section 4.1).
type Address []byte

// Address families that are not the Internet's.
const familySDP = 27

// ssocksFamily is the number the SSOCKS driver got on this host.
func ssocksFamily() uint16 {
	for _, path := range []string{"/proc/net/af_ssocks/family", "/proc/net/af_sci/family"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 16); err == nil {
			return uint16(n)
		}
	}
	return familySDP
}

// NewAddress makes the raw form. family is ipv4, ipv6, sdp or ssocks; unused bytes are 0 because the kernel compares all of them.
func NewAddress(family string, ap netip.AddrPort) (Address, error) {
	addr, port := ap.Addr().Unmap(), ap.Port()
	if family == "ipv6" {
		return newAddress6(ap)
	}
	number, ok := map[string]uint16{"ipv4": unix.AF_INET, "sdp": familySDP, "ssocks": ssocksFamily()}[family]
	if !ok {
		return nil, fmt.Errorf("address family %q is none of ipv4, ipv6, sdp, ssocks", family)
	}
	if !addr.Is4() {
		return nil, fmt.Errorf("%s is no IPv4 address, as family %s needs", addr, family)
	}
	raw := make(Address, unix.SizeofSockaddrInet4)
	nativeEndianPut16(raw, number)
	raw[2], raw[3] = byte(port>>8), byte(port)
	a4 := addr.As4()
	copy(raw[4:], a4[:])
	return raw, nil
}

func newAddress6(ap netip.AddrPort) (Address, error) {
	addr, port := ap.Addr(), ap.Port()
	if !addr.Is6() {
		return nil, fmt.Errorf("%s is no IPv6 address", addr)
	}
	scope, err := scopeID(addr.Zone())
	if err != nil {
		return nil, err
	}
	raw := make(Address, unix.SizeofSockaddrInet6)
	nativeEndianPut16(raw, unix.AF_INET6)
	raw[2], raw[3] = byte(port>>8), byte(port)
	a16 := addr.As16()
	copy(raw[8:], a16[:])
	nativeEndianPut32(raw[24:], scope)
	return raw, nil
}

// Parse gives the family's name and the address. An unknown family is "unknown" and has no address.
func (a Address) Parse() (family string, ap netip.AddrPort) {
	if len(a) < 4 {
		return "unknown", ap
	}
	number, port := nativeEndian16(a), uint16(a[2])<<8|uint16(a[3])
	switch {
	case number == unix.AF_INET6 && len(a) >= unix.SizeofSockaddrInet6:
		addr := netip.AddrFrom16([16]byte(a[8:24])).WithZone(scopeName(nativeEndian32(a[24:])))
		return "ipv6", netip.AddrPortFrom(addr, port)
	case len(a) < 8:
		return "unknown", ap
	case number == unix.AF_INET:
		family = "ipv4"
	case number == familySDP:
		family = "sdp"
	case number == ssocksFamily():
		family = "ssocks"
	default:
		return "unknown", ap
	}
	return family, netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[4:8])), port)
}

// String is family:address:port as in event lines.
func (a Address) String() string {
	family, ap := a.Parse()
	if family == "unknown" {
		return family
	}
	return family + ":" + ap.String()
}
