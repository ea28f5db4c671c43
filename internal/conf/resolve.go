package conf

import (
	"runtime"
	"slices"
	"strings"
	"sync"
)

// View is a configuration as one host sees it: everything inherited, made up and looked up (section 6).
type View struct {
	Config    *Config
	Host      Identity
	Resources []*Resolved
	// Diagnostics of reading and of resolving.
	Diagnostics Diagnostics
	byName      map[string]*Resolved
}

// Resolved is one resource as one host sees it. Its Resource is a copy with everything inherited.
type Resolved struct {
	*Resource
	Source *Resource // as written
	// Me is the section of this host; nil: the resource is ignored here, and Why says why.
	Me  *Host
	Why string
	// Stacked: here it stands on another resource.
	Stacked bool
	// ProxyOnly: this host has a proxy of the resource, not the resource; ProxyOf is the host that it works for.
	ProxyOnly bool
	ProxyOf   *Host
	Links     []*Link
	// HandlerOptions and so on are in Resource.Options.
}

// Link is a connection from this host to one peer.
type Link struct {
	Connection *Connection
	Peer       *Host
	PeerID     int
	Name       string // how the module calls it
	Options    Options
	Paths      []LinkPath
	Devices    []PeerDevice
}

// LinkPath is a pair of addresses.
type LinkPath struct {
	Mine, Theirs *Address
	MyProxy      *Proxy
	PeerProxy    *Proxy
}

// PeerDevice is one volume towards one peer.
type PeerDevice struct {
	Nr      int
	Options Options
}

// Here is the host section that this host works for: its own, or that of its proxy.
func (r *Resolved) Here() *Host {
	if r.Me != nil {
		return r.Me
	}
	return r.ProxyOf
}

// Resource returns the resource of that name, nil when there is none.
func (v *View) Resource(name string) *Resolved { return v.byName[name] }

// resolver works on one resource.
type resolver struct {
	view *View
	cfg  *Config
	r    *Resolved
	// memory is shared with resources that are worked on before and after this one.
	memory *memory
	// told are the diagnostics; the view collects them in the order of the file.
	told Diagnostics
}

func (x *resolver) fail(pos Pos, format string, args ...any) {
	if x.r.Damaged {
		return
	}
	x.told.add(pos, Error, x.r.Name, format, args...)
}

func (x *resolver) warn(pos Pos, format string, args ...any) {
	x.told.add(pos, Warning, x.r.Name, format, args...)
}

// Resolve works out what a configuration means on a host. It does not change the configuration.
func Resolve(cfg *Config, id Identity) *View {
	v := &View{Config: cfg, Host: id, Diagnostics: slices.Clone(cfg.Diagnostics), byName: make(map[string]*Resolved, len(cfg.Resources))}
	var normal, upper []*resolver
	made := make([]struct {
		Resolved
		resolver
	}, len(cfg.Resources))
	v.Resources = make([]*Resolved, len(made))
	for i, source := range cfg.Resources {
		r := &made[i].Resolved
		r.Source = source
		v.Resources[i] = r
		if v.byName[source.Name] == nil {
			v.byName[source.Name] = r
		}
		x := &made[i].resolver
		*x = resolver{view: v, cfg: cfg, r: r}
		if slices.ContainsFunc(source.Hosts, func(h *Host) bool { return h.Kind == HostStacked }) {
			upper = append(upper, x)
		} else {
			normal = append(normal, x)
		}
	}
	// An upper resource needs to know who we are in the lower one.
	resolveAll(normal)
	resolveAll(upper)
	for _, x := range append(normal, upper...) {
		v.Diagnostics = append(v.Diagnostics, x.told...)
	}
	v.checkConflicts()
	return v
}

// resolveAll works on many resources at once: a resource looks only at itself and, when it is stacked, at lower ones that are done.
func resolveAll(list []*resolver) {
	const worthIt = 64 // resources for each processor
	size := max(worthIt, (len(list)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for part := range slices.Chunk(list, size) {
		all.Go(func() {
			m := &memory{}
			for _, x := range part {
				x.memory, x.r.Resource = m, m.resources.New()
				x.r.Source.cloneInto(x.r.Resource, m)
				x.resolve()
			}
		})
	}
	all.Wait()
}

// cloneInto copies all that resolving changes.
func (r *Resource) cloneInto(out *Resource, m *memory) {
	*out = *r
	out.Volumes, out.Hosts = copies(&m.volumes, &m.volumeLists, r.Volumes), copies(&m.hosts, &m.hostLists, r.Hosts)
	for _, h := range out.Hosts {
		h.Volumes, h.Names = copies(&m.volumes, &m.volumeLists, h.Volumes), slices.Clip(h.Names)
	}
	out.Connections, out.Meshes = nil, slices.Clip(r.Meshes)
	for _, n := range r.Connections {
		out.Connections = append(out.Connections, n.clone(m))
	}
}

func (n *Connection) clone(m *memory) *Connection {
	c := *n
	c.Volumes, c.Paths = copies(&m.volumes, &m.volumeLists, n.Volumes), nil
	for _, p := range n.Paths {
		path := *p
		path.Ends = nil
		for _, e := range p.Ends {
			end := *e
			path.Ends = append(path.Ends, &end)
		}
		c.Paths = append(c.Paths, &path)
	}
	return &c
}

func (x *resolver) resolve() {
	x.inheritDefaults()
	x.lowerResources()
	x.findMe()
	x.inheritVolumes()
	x.checkVolumes()
	x.makeConnections()
	x.nodeIDs()
	x.findEnds()
	x.inheritConnections()
	x.link()
}

// inherit copies options downwards. The one written in the more specific section wins; between equals there must be no difference.
// A copied option goes to the front, which turns the order around, as the reference does (section 6.5).
func (x *resolver) inherit(to *Options, from Options) {
	if len(from) == 0 {
		return
	}
	// Room for all at the front, and a list of its own: others may share the old one.
	first := len(from)
	list := Options(x.memory.options.List(len(*to), from...))[:first+len(*to)]
	copy(list[first:], *to)
	for _, o := range from {
		i := list[first:].index(o.Name)
		if i < 0 {
			o.Inherited = true
			first--
			list[first] = o
			continue
		}
		have := &list[first+i]
		same := have.Value == o.Value || sameAnywhere(o.Name, have.Value, o.Value)
		switch {
		case !have.Inherited || have.Level > o.Level || same:
		case have.Level < o.Level:
			o.Inherited = true
			*have = o
		default:
			x.fail(o.Pos, "option '%s' is inherited with two values: %s from here, %s from %s", o.Name, o.Value, have.Value, have.Pos)
		}
	}
	*to = list[first:]
}

// sameAnywhere: options of one name that are in several classes are of one type.
func sameAnywhere(name, a, b string) bool {
	for c := range classCount {
		if c.Field(name) != nil {
			return SameValue(c, name, a, b)
		}
	}
	return a == b
}

func (x *resolver) inheritDefaults() {
	from := x.cfg.Common
	if x.r.Defaults != nil {
		from = x.r.Defaults
	}
	if from == nil {
		return
	}
	for c := range classCount {
		x.inherit(&x.r.Options[c], from.Options[c])
	}
	if len(x.r.ProxyPlugin) == 0 {
		x.r.ProxyPlugin = from.ProxyPlugin
	}
	if len(x.r.BecomePrimaryOn) == 0 {
		x.r.BecomePrimaryOn = from.BecomePrimaryOn
	}
}

// lowerResources gives stacked host sections the names and disks of what they stand on.
func (x *resolver) lowerResources() {
	for _, h := range x.r.Hosts {
		if h.Kind != HostStacked {
			continue
		}
		lower := x.view.Resource(h.Lower)
		if lower == nil {
			x.fail(h.Pos, "the lower resource '%s' is not defined", h.Lower)
			continue
		}
		for _, l := range lower.Hosts {
			h.Names = append(h.Names, l.Names...)
		}
		for _, v := range h.Volumes {
			if len(lower.Hosts) > 0 && v.Disk == "" {
				if below := lower.Hosts[0].Volume(v.Nr); below != nil {
					v.Disk = below.DeviceName()
				}
			}
			v.MetaDisk = "internal"
		}
	}
}

func (x *resolver) findMe() {
	id := x.view.Host
	for _, name := range x.r.IgnoreOn {
		if SameHost(name, id.Node) {
			x.r.Why = "it has 'ignore-on " + name + "'"
			return
		}
	}
	var mine []*Host
	for _, h := range x.r.Hosts {
		lower := x.view.Resource(h.Lower)
		if id.isHost(h) || h.Kind == HostStacked && lower != nil && lower.Me != nil {
			mine = append(mine, h)
		}
	}
	if len(mine) == 0 {
		for _, h := range x.r.Hosts {
			if id.isHostByAddress(h) {
				mine = append(mine, h)
			}
		}
	}
	switch {
	case len(mine) > 1:
		x.fail(mine[1].Pos, "two host sections are this host (%s): '%s' and '%s' (%s)", id, mine[1].Label(), mine[0].Label(), mine[0].Pos)
	case len(mine) == 1:
		x.r.Me, x.r.Stacked = mine[0], mine[0].Kind == HostStacked
		return
	}
	x.notMine(id)
}

// notMine looks for a proxy that is here, and else tells why the resource is not.
func (x *resolver) notMine(id Identity) {
	for _, h := range x.r.Hosts {
		if h.Proxy != nil && slices.ContainsFunc(h.Proxy.Hosts, func(n string) bool { return SameHost(n, id.Node) }) {
			x.r.ProxyOnly, x.r.ProxyOf = true, h
		}
	}
	if len(x.r.Hosts) == 0 {
		x.r.Why = "it has no 'on' section"
		return
	}
	var sections []string
	for _, h := range x.r.Hosts {
		label := h.Label()
		if h.Kind == HostOn && h.Address != nil {
			label += " (" + h.Address.hostText() + ")"
		}
		sections = append(sections, "'"+label+"'")
	}
	x.r.Why = "none of its host sections " + strings.Join(sections, ", ") + " is this host (" + id.String() + ")"
}

// inheritVolumes gives each host its volumes and their options (section 6.5, steps 2 to 4).
func (x *resolver) inheritVolumes() {
	for _, h := range x.r.Hosts {
		for _, from := range x.r.Volumes {
			to := h.Volume(from.Nr)
			if to == nil {
				to = x.memory.volumes.New()
				*to = *from
				to.Options = OptionSet{}
				if h.Volumes == nil {
					h.Volumes = x.memory.volumeLists.List(len(x.r.Volumes))
				}
				h.Volumes = append(h.Volumes, to)
				continue
			}
			if to.Implicit != from.Implicit {
				x.fail(to.Pos, "volume %d stands inside a 'volume' section at one place and outside at the other (%s)", to.Nr, from.Pos)
			}
			to.fill(from)
		}
		slices.SortStableFunc(h.Volumes, func(a, b *Volume) int { return a.Nr - b.Nr })
		for _, v := range h.Volumes {
			x.inheritVolume(h, v)
		}
	}
}

// fill takes over what the host's volume does not say itself.
func (v *Volume) fill(from *Volume) {
	if v.Disk == "" && !v.NoDisk {
		v.Disk, v.NoDisk, v.DiskPos = from.Disk, from.NoDisk, from.DiskPos
	}
	if v.Device == "" && v.Minor < 0 {
		v.Device, v.Minor, v.DevicePos = from.Device, from.Minor, from.DevicePos
	}
	if v.MetaDisk == "" {
		v.MetaDisk, v.MetaIndex, v.MetaPos = from.MetaDisk, from.MetaIndex, from.MetaPos
	}
	if v.Tiebreaker == "" {
		v.Tiebreaker = from.Tiebreaker
	}
}

var volumeClasses = []Class{ClassDevice, ClassDisk, ClassPeerDevice}

func (x *resolver) inheritVolume(h *Host, v *Volume) {
	general := volumeOf(x.r.Volumes, v.Nr)
	for _, c := range volumeClasses {
		if v.Implicit {
			v.Options[c] = append(slices.Clip(v.Options[c]), h.Options[c]...)
		} else {
			x.inherit(&v.Options[c], h.Options[c])
		}
		x.inherit(&v.Options[c], x.r.Options[c])
		if general != nil {
			x.inherit(&v.Options[c], general.Options[c])
		}
	}
	switch {
	case v.NoDisk || v.Disk == "" && v.MetaDisk == "":
		v.Disk, v.MetaDisk, v.MetaIndex = "", "", -1
	case v.Disk != "" && v.MetaDisk == "":
		v.MetaDisk = "internal"
	}
}

// DeviceName is the path of the device.
func (v *Volume) DeviceName() string {
	if v.Device != "" {
		return v.Device
	}
	return deviceOfMinor(v.Minor)
}
