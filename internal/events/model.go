// Package events turns the module's notifications into a consistent picture and into lines of changes (sections 10 and 15.4 of the
// netlink specification). It does no I/O but in the Reader.
package events

import (
	"cmp"
	"fmt"
	"slices"

	"drbd/internal/genl"
)

// Resource is the known state of one resource.
type Resource struct {
	genl.Resource
	Devices     []*Device
	Connections []*Connection

	born genl.NotifyType
}

// Device is a volume of it.
type Device struct {
	genl.Device
	born genl.NotifyType
}

// Connection is a connection of it, with what belongs to the peer.
type Connection struct {
	genl.Connection
	PeerDevices []*PeerDevice
	Paths       []*Path
	born        genl.NotifyType
}

// IsNew tells that the connection was made after the initial state.
func (n *Connection) IsNew() bool { return n.born == genl.NotifyCreate }

// PeerDevice is a volume at a peer.
type PeerDevice struct {
	genl.PeerDevice
	born genl.NotifyType
}

// Path is a pair of addresses.
type Path struct {
	genl.Path
	born genl.NotifyType
}

// Model follows the notifications. Its state is what is known after the last complete group of messages.
type Model struct {
	resources map[string]*Resource // including incomplete groups
	published map[string]*Resource
	dirty     map[string]bool
}

// NewModel starts with nothing known.
func NewModel() *Model {
	return &Model{resources: map[string]*Resource{}, published: map[string]*Resource{}, dirty: map[string]bool{}}
}

// Forget drops everything known, as before a new initial state.
func (m *Model) Forget() { *m = *NewModel() }

// Resources is the published state, by name.
func (m *Model) Resources() []*Resource {
	var out []*Resource
	for _, r := range m.published {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *Resource) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Change is what one group of messages did to one resource; nil means did not or does not exist.
type Change struct {
	Old, New *Resource
}

// Helper is a program started by the module.
type Helper struct {
	Type     genl.NotifyType
	Context  genl.CfgContext
	Minor    uint32
	Name     string
	Status   uint32
	ByDevice bool
}

// Rename is the announcement of a new name.
type Rename struct{ Old, New string }

// Outcome is what one message led to: at most one of them is set.
type Outcome struct {
	Changes []Change
	Helper  *Helper
	Rename  *Rename
}

// Apply takes one message in. Changes come out when a group is complete (section 10.4).
func (m *Model) Apply(msg *genl.Message) (Outcome, error) {
	var header genl.NotificationHeader
	if _, err := msg.Decode(&header); err != nil {
		return Outcome{}, fmt.Errorf("%s: %w", msg.Op, err)
	}
	kind := genl.NotifyType(header.Type) &^ genl.NotifyContinues
	more := header.Type&uint32(genl.NotifyContinues) != 0
	if msg.Op == genl.OpHelper {
		h, err := readHelper(msg, kind)
		return Outcome{Helper: h}, err
	}
	if kind == genl.NotifyRename {
		r, err := m.rename(msg)
		return Outcome{Rename: r}, err
	}
	name, err := m.store(msg, kind)
	if err != nil {
		return Outcome{}, err
	}
	if name != "" {
		m.dirty[name] = true
	}
	if more {
		return Outcome{}, nil
	}
	return Outcome{Changes: m.publish()}, nil
}

func (m *Model) publish() []Change {
	var out []Change
	for name := range m.dirty {
		change := Change{Old: m.published[name], New: m.resources[name].copy()}
		if change.New == nil {
			delete(m.published, name)
		} else {
			m.published[name] = change.New
		}
		if change.Old != nil || change.New != nil {
			out = append(out, change)
		}
	}
	clear(m.dirty)
	slices.SortFunc(out, func(a, b Change) int { return cmp.Compare(a.name(), b.name()) })
	return out
}

func (c Change) name() string {
	if c.New != nil {
		return c.New.Name
	}
	return c.Old.Name
}

func (r *Resource) copy() *Resource {
	if r == nil {
		return nil
	}
	out := *r
	out.Devices = cloneEach(r.Devices)
	out.Connections = cloneEach(r.Connections)
	for _, n := range out.Connections {
		n.PeerDevices = cloneEach(n.PeerDevices)
		n.Paths = cloneEach(n.Paths)
	}
	return &out
}

func cloneEach[T any](list []*T) []*T {
	out := make([]*T, len(list))
	for i, p := range list {
		v := *p
		out[i] = &v
	}
	return out
}

// store puts a message into the growing picture and names the resource it is about. A create of something known, and a change or
// an end of something unknown, is ignored: the snapshot may already contain what an old message tells (section 10.5).
func (m *Model) store(msg *genl.Message, kind genl.NotifyType) (string, error) {
	ctx, err := msg.Context()
	if err != nil {
		return "", fmt.Errorf("%s: %w", msg.Op, err)
	}
	name := ctx.ResourceName
	r := m.resources[name]
	if msg.Op == genl.OpResourceState {
		return name, m.storeResource(msg, kind, r)
	}
	if r == nil {
		return "", nil
	}
	switch msg.Op {
	case genl.OpDeviceState:
		return name, r.storeDevice(msg, kind)
	case genl.OpConnectionState:
		return name, r.storeConnection(msg, kind)
	case genl.OpPeerDeviceState:
		return name, r.storePeerDevice(msg, kind)
	case genl.OpPathState:
		return name, r.storePath(msg, kind)
	}
	return "", nil
}

func isNew(kind genl.NotifyType) bool { return kind == genl.NotifyExists || kind == genl.NotifyCreate }

func (m *Model) storeResource(msg *genl.Message, kind genl.NotifyType, old *Resource) error {
	fresh, err := msg.Resource()
	if err != nil {
		return err
	}
	switch {
	case kind == genl.NotifyDestroy:
		delete(m.resources, fresh.Name)
	case old != nil && kind != genl.NotifyCreate:
		old.Info, old.Statistics = fresh.Info, fresh.Statistics
	case old == nil && isNew(kind):
		m.resources[fresh.Name] = &Resource{Resource: fresh, born: kind}
	}
	return nil
}

func (r *Resource) storeDevice(msg *genl.Message, kind genl.NotifyType) error {
	fresh, err := msg.Device()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(r.Devices, func(d *Device) bool { return d.Volume == fresh.Volume })
	switch {
	case kind == genl.NotifyDestroy && i >= 0:
		r.Devices = slices.Delete(r.Devices, i, i+1)
	case i >= 0 && kind != genl.NotifyCreate && kind != genl.NotifyDestroy:
		r.Devices[i].Device = fresh
	case i < 0 && isNew(kind):
		r.Devices = append(r.Devices, &Device{fresh, kind})
		slices.SortFunc(r.Devices, func(a, b *Device) int { return cmp.Compare(a.Volume, b.Volume) })
	}
	return nil
}

// connection finds by name; tools identify connections by it (section 15.4).
func (r *Resource) connection(name string, node uint32) *Connection {
	for _, n := range r.Connections {
		if n.Name == name && n.Node == node {
			return n
		}
	}
	return nil
}

func (r *Resource) storeConnection(msg *genl.Message, kind genl.NotifyType) error {
	fresh, err := msg.Connection()
	if err != nil {
		return err
	}
	old := r.connection(fresh.Name, fresh.Node)
	switch {
	case kind == genl.NotifyDestroy && old != nil:
		r.Connections = slices.DeleteFunc(r.Connections, func(n *Connection) bool { return n == old })
	case old != nil && kind != genl.NotifyCreate && kind != genl.NotifyDestroy:
		old.Connection = fresh
	case old == nil && isNew(kind):
		r.Connections = append(r.Connections, &Connection{Connection: fresh, born: kind})
	}
	return nil
}

func (r *Resource) storePeerDevice(msg *genl.Message, kind genl.NotifyType) error {
	fresh, err := msg.PeerDevice()
	if err != nil {
		return err
	}
	n := r.connection(fresh.Connection, fresh.Node)
	if n == nil {
		return nil
	}
	i := slices.IndexFunc(n.PeerDevices, func(p *PeerDevice) bool { return p.Volume == fresh.Volume })
	switch {
	case kind == genl.NotifyDestroy && i >= 0:
		n.PeerDevices = slices.Delete(n.PeerDevices, i, i+1)
	case i >= 0 && kind != genl.NotifyCreate && kind != genl.NotifyDestroy:
		n.PeerDevices[i].PeerDevice = fresh
	case i < 0 && isNew(kind):
		n.PeerDevices = append(n.PeerDevices, &PeerDevice{fresh, kind})
		slices.SortFunc(n.PeerDevices, func(a, b *PeerDevice) int { return cmp.Compare(a.Volume, b.Volume) })
	}
	return nil
}

// storePath also takes a change of an unknown path as new: older modules do not announce the paths that exist.
func (r *Resource) storePath(msg *genl.Message, kind genl.NotifyType) error {
	fresh, err := msg.Path()
	if err != nil {
		return err
	}
	n := r.connection(fresh.Connection, fresh.Node)
	if n == nil {
		return nil
	}
	i := slices.IndexFunc(n.Paths, func(p *Path) bool {
		return slices.Equal(p.Local, fresh.Local) && slices.Equal(p.Peer, fresh.Peer)
	})
	switch {
	case kind == genl.NotifyDestroy && i >= 0:
		n.Paths = slices.Delete(n.Paths, i, i+1)
	case kind == genl.NotifyDestroy:
	case i >= 0 && kind != genl.NotifyCreate:
		n.Paths[i].Path = fresh
	case i < 0:
		n.Paths = append(n.Paths, &Path{fresh, kind})
	}
	return nil
}

func readHelper(msg *genl.Message, kind genl.NotifyType) (*Helper, error) {
	var info genl.HelperInfo
	if _, err := msg.Decode(&info); err != nil {
		return nil, err
	}
	ctx, err := msg.Context()
	return &Helper{Type: kind, Context: ctx, Minor: msg.Minor, Name: info.HelperName, Status: info.HelperStatus,
		ByDevice: msg.Minor != genl.NoMinor}, err
}

func (m *Model) rename(msg *genl.Message) (*Rename, error) {
	var info genl.RenameResourceInfo
	if _, err := msg.Decode(&info); err != nil {
		return nil, err
	}
	ctx, err := msg.Context()
	if err != nil {
		return nil, err
	}
	out := &Rename{Old: ctx.ResourceName, New: info.NewName}
	for _, all := range []map[string]*Resource{m.resources, m.published} {
		if r := all[out.Old]; r != nil {
			delete(all, out.Old)
			r.Name = out.New
			all[out.New] = r
		}
	}
	return out, nil
}
