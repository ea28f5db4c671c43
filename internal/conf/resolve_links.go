package conf

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"sync"
)

func deviceOfMinor(minor int) string { return "/dev/drbd" + strconv.Itoa(minor) }

// makeConnections turns meshes into connections, and makes the one that two hosts have without saying so (section 6.3).
func (x *resolver) makeConnections() {
	for _, m := range x.r.Meshes {
		x.makeMesh(m)
	}
	if len(x.r.Connections) > 0 || len(x.r.Meshes) > 0 {
		return
	}
	switch hosts := x.r.Hosts; {
	case len(hosts) == 2:
		c := x.connect(x.r.Pos, hosts[0].Names, hosts[1].Names)
		c.Paths[0].Ends[0].Host, c.Paths[0].Ends[1].Host = hosts[0].Name(), hosts[1].Name()
		x.r.Connections = append(x.r.Connections, c)
	case len(hosts) > 2:
		x.warn(x.r.Pos, "resource '%s' has %d hosts and no connection between them: add a 'connection-mesh' or 'connection' sections", x.r.Name, len(hosts))
	}
}

// pair is a connection of two hosts that is not written in the file.
type pair struct {
	Connection
	path  Path
	paths [1]*Path
	end   [2]End
	ends  [2]*End
}

func (x *resolver) connect(pos Pos, a, b []string) *Connection {
	made := x.memory.pairs.New()
	made.Connection = Connection{Pos: pos, PeerNodeID: -1}
	made.end = [2]End{{Pos: pos, Host: strings.Join(a, "_")}, {Pos: pos, Host: strings.Join(b, "_")}}
	made.ends = [2]*End{&made.end[0], &made.end[1]}
	made.path = Path{Pos: pos, Implicit: true, Ends: made.ends[:]}
	made.paths[0] = &made.path
	made.Paths = made.paths[:]
	return &made.Connection
}

func (x *resolver) makeMesh(m *Mesh) {
	for i, a := range m.Hosts {
		switch h := x.host(a); {
		case h == nil:
			x.fail(m.HostPos[i], "there is no 'on' section for the host '%s' of this mesh%s", a, didYouMean(a, x.hostNames()))
			return
		case h.Address == nil:
			x.fail(h.Pos, "host '%s' is in a connection-mesh, so it needs an address", a)
			return
		}
	}
	for i, a := range m.Hosts {
		for _, b := range m.Hosts[i+1:] {
			c := x.connect(m.Pos, []string{a}, []string{b})
			x.inherit(&c.Options[ClassNet], m.Options[ClassNet])
			x.r.Connections = append(x.r.Connections, c)
		}
	}
}

// host finds a section by one of its names, or by all of them joined.
func (x *resolver) host(name string) *Host {
	for _, h := range x.r.Hosts {
		if h.Name() == name || slices.Contains(h.Names, name) {
			return h
		}
	}
	for _, h := range x.r.Hosts {
		if hasName(h, name) {
			return h
		}
	}
	return nil
}

func (x *resolver) hostNames() []string {
	var names []string
	for _, h := range x.r.Hosts {
		names = append(names, h.Names...)
	}
	return names
}

// nodeIDs makes up the node ids of an 8.x style resource (section 6.4).
func (x *resolver) nodeIDs() {
	hosts := x.r.Hosts
	madeUp := len(x.r.Source.Connections) == 0 && len(x.r.Meshes) == 0 && len(hosts) == 2 && hosts[0].NodeID < 0 && hosts[1].NodeID < 0
	if madeUp && hosts[0].Address != nil && hosts[1].Address != nil {
		first, err := ImplicitNodeIDs(hosts[0], hosts[1])
		if err != nil {
			x.fail(x.r.Pos, "%v", err)
			return
		}
		hosts[0].NodeID, hosts[1].NodeID = first, 1-first
		return
	}
	var used [nodeIDMax + 1]*Host
	for _, h := range hosts {
		if h.NodeID < 0 {
			if !madeUp { // else the missing address is told
				x.fail(h.Pos, "'%s' of resource '%s' needs a node-id", h.Label(), x.r.Name)
			}
			continue
		}
		if other := used[h.NodeID]; other != nil {
			x.fail(h.NodePos, "node-id %d is used twice in resource '%s'; the first is at %s", h.NodeID, x.r.Name, other.NodePos)
		}
		used[h.NodeID] = h
	}
}

// ImplicitNodeIDs gives the node id of the first of two hosts, from the texts of their addresses. Both nodes, and modules that do
// the same for old tools, must come to the same result (section 6.4).
func ImplicitNodeIDs(a, b *Host) (first int, err error) {
	hashA, hashB := addressHash(a.Address.Host), addressHash(b.Address.Host)
	if hashA == hashB && a.Proxy != nil && b.Proxy != nil && a.Proxy.Outside != nil && b.Proxy.Outside != nil {
		hashA, hashB = addressHash(a.Proxy.Outside.Host), addressHash(b.Proxy.Outside.Host)
	}
	switch {
	case hashA == hashB:
		return 0, fmt.Errorf("the addresses %s and %s have equal hashes, so no node ids can be made of them: add 'node-id' to both hosts", a.Address.Host, b.Address.Host)
	case hashA > hashB:
		return 0, nil
	}
	return 1, nil
}

// castagnoli takes longer to make than many configurations to read, and most do not need it.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// addressHash is CRC-32C with a start value of its own and without the final inversion, read as a signed number.
func addressHash(text string) int32 {
	const start = 0x1A656F21
	return int32(^crc32.Update(^uint32(start), castagnoli(), []byte(text)))
}

// findEnds completes the ends of each path: host section and address.
func (x *resolver) findEnds() {
	for _, c := range x.r.Connections {
		for _, p := range c.Paths {
			for _, e := range p.Ends {
				x.findEnd(e)
			}
			x.checkEnds(p)
		}
	}
}

func (x *resolver) findEnd(e *End) {
	h := x.host(e.Host)
	if h == nil {
		if e.Address == nil {
			x.fail(e.Pos, "there is no 'on' section for host '%s', and no address behind it%s", e.Host, didYouMean(e.Host, x.hostNames()))
		}
		return
	}
	if e.Proxy == nil {
		e.Proxy = h.Proxy
	}
	if e.Address != nil {
		return
	}
	if h.Address == nil {
		x.fail(h.Pos, "resource '%s', host '%s': there is no address; add 'address IP:PORT;'", x.r.Name, e.Host)
		return
	}
	e.Address = h.Address
	if e.Port != "" {
		own := *h.Address
		own.Port = e.Port
		e.Address = &own
	}
}

func (x *resolver) checkEnds(p *Path) {
	if len(p.Ends) != 2 || p.Ends[0].Address == nil || p.Ends[1].Address == nil {
		return
	}
	a, b := p.Ends[0], p.Ends[1]
	if a.Address.Key() == b.Address.Key() && !isLoopback(a.Address) {
		x.fail(a.Pos, "%s is used for both ends of a connection of resource '%s'", a.Address.Text(), x.r.Name)
	}
	if (a.Proxy == nil) != (b.Proxy == nil) {
		x.fail(p.Pos, "either both ends of a path have a proxy, or none")
	}
}

// inheritConnections does steps 5 to 8 of section 6.5.
func (x *resolver) inheritConnections() {
	for _, c := range x.r.Connections {
		x.inherit(&c.Options[ClassNet], x.r.Options[ClassNet])
		if len(c.Paths) == 0 || len(c.Paths[0].Ends) != 2 {
			continue
		}
		ends := [2]*Host{x.host(c.Paths[0].Ends[0].Host), x.host(c.Paths[0].Ends[1].Host)}
		if ends[0] == nil || ends[1] == nil {
			continue
		}
		x.peerDevices(c, ends)
		for _, p := range c.Paths {
			for _, e := range p.Ends {
				if e.Proxy != nil {
					x.inheritProxy(e)
				}
			}
		}
	}
}

func (x *resolver) inheritProxy(e *End) {
	own := *e.Proxy
	x.inherit(&own.Options[ClassProxy], x.r.Options[ClassProxy])
	if len(own.Plugins) == 0 {
		own.Plugins = x.r.ProxyPlugin
	}
	e.Proxy = &own
}

// peerDevices completes the volumes of a connection.
func (x *resolver) peerDevices(c *Connection, ends [2]*Host) {
	for _, v := range c.Volumes {
		for _, h := range ends {
			if h.Volume(v.Nr) == nil {
				x.fail(v.Pos, "volume %d is not known on host '%s'", v.Nr, h.Name())
			}
		}
	}
	for _, v := range ends[0].Volumes {
		if volumeOf(c.Volumes, v.Nr) == nil {
			if c.Volumes == nil {
				c.Volumes = x.memory.volumeLists.List(len(ends[0].Volumes))
			}
			c.Volumes = append(c.Volumes, x.memory.volume(c.Pos, v.Nr))
		}
	}
	for _, v := range c.Volumes {
		to := &v.Options[ClassPeerDevice]
		x.inherit(to, c.Options[ClassPeerDevice])
		for _, h := range ends {
			if hv := h.Volume(v.Nr); hv != nil {
				x.inherit(to, hv.Options[ClassPeerDevice])
			}
		}
	}
}

// link collects what this host has to do with each peer.
func (x *resolver) link() {
	me := x.r.Here()
	if me == nil {
		return
	}
	for _, c := range x.r.Connections {
		if len(c.Paths) == 0 || len(c.Paths[0].Ends) != 2 {
			continue
		}
		mine := slices.IndexFunc(c.Paths[0].Ends, func(e *End) bool { return x.host(e.Host) == me })
		if mine < 0 {
			continue
		}
		peer := x.host(c.Paths[0].Ends[1-mine].Host)
		if peer == nil || peer == me {
			continue
		}
		l := x.memory.links.New()
		*l = Link{
			Connection: c, Peer: peer, PeerID: peer.NodeID, Name: peer.Name(), Options: x.netOptions(c, me, peer),
			Paths: x.memory.paths.List(len(c.Paths)), Devices: x.memory.peerDevices.List(len(c.Volumes)),
		}
		for _, p := range c.Paths {
			x.linkPath(l, p, me)
		}
		for _, v := range c.Volumes {
			l.Devices = append(l.Devices, PeerDevice{v.Nr, peerDeviceOptions(v, peer)})
		}
		x.r.Links = append(x.r.Links, l)
	}
}

func (x *resolver) netOptions(c *Connection, me, peer *Host) Options {
	const choice, name = "after-sb-0pri", "_name"
	if c.Options[ClassNet].index(choice) < 0 && c.Options[ClassNet].index(name) < 0 {
		return c.Options[ClassNet]
	}
	options := slices.Clone(c.Options[ClassNet])
	for i := range options {
		o := &options[i]
		if o.Name != choice {
			continue
		}
		value, err := discardChoice(o.Value, me, peer)
		if err != nil {
			x.fail(o.Pos, "%v", err)
			continue
		}
		o.Value = value
	}
	return slices.DeleteFunc(options, func(o Option) bool { return o.Name == name })
}

func (x *resolver) linkPath(l *Link, p *Path, me *Host) {
	if len(p.Ends) != 2 {
		return
	}
	mine, theirs := p.Ends[0], p.Ends[1]
	if x.host(mine.Host) != me {
		mine, theirs = theirs, mine
	}
	path := LinkPath{Mine: mine.Address, Theirs: theirs.Address, MyProxy: mine.Proxy, PeerProxy: theirs.Proxy}
	switch {
	case mine.Proxy != nil && mine.Proxy.Inside != nil:
		path.Theirs = mine.Proxy.Inside
	case theirs.Outside != nil:
		path.Theirs = theirs.Outside
	}
	if path.Mine != nil && path.Theirs != nil {
		l.Paths = append(l.Paths, path)
	}
}

// peerDeviceOptions adds what follows from the peer's volume (section 6.5, step 8).
func peerDeviceOptions(v *Volume, peer *Host) Options {
	options := slices.Clip(v.Options[ClassPeerDevice])
	set := func(name string) {
		if options.index(name) < 0 {
			options = append(options, Option{Name: name, Value: "no", Pos: v.Pos})
		}
	}
	pv := peer.Volume(v.Nr)
	if pv == nil {
		return options
	}
	if pv.Diskless() {
		set("bitmap")
	}
	if pv.Tiebreaker == "no" {
		set("peer-tiebreaker")
	}
	return options
}
