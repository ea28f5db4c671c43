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
	v := &View{Config: cfg, Host: id, Diagnostics: slices.Clone(cfg.Diagnostics), byName: map[string]*Resolved{}}
	var normal, upper []*resolver
	for _, source := range cfg.Resources {
		r := &Resolved{Source: source}
		v.Resources = append(v.Resources, r)
		if v.byName[source.Name] == nil {
			v.byName[source.Name] = r
		}
		x := &resolver{view: v, cfg: cfg, r: r}
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
			for _, x := range part {
				x.r.Resource = x.r.Source.clone()
				x.resolve()
			}
		})
	}
	all.Wait()
}

func (r *Resource) clone() *Resource {
	out := *r
	out.Options = r.Options.clone()
	out.Volumes, out.Hosts, out.Connections, out.Meshes = nil, nil, nil, nil
	for _, v := range r.Volumes {
		out.Volumes = append(out.Volumes, v.clone())
	}
	for _, h := range r.Hosts {
		c := *h
		c.Options, c.Volumes, c.Names = h.Options.clone(), nil, slices.Clone(h.Names)
		for _, v := range h.Volumes {
			c.Volumes = append(c.Volumes, v.clone())
		}
		out.Hosts = append(out.Hosts, &c)
	}
	for _, n := range r.Connections {
		out.Connections = append(out.Connections, n.clone())
	}
	for _, m := range r.Meshes {
		c := *m
		c.Options = m.Options.clone()
		out.Meshes = append(out.Meshes, &c)
	}
	return &out
}

func (n *Connection) clone() *Connection {
	c := *n
	c.Options, c.Volumes, c.Paths = n.Options.clone(), nil, nil
	for _, v := range n.Volumes {
		c.Volumes = append(c.Volumes, v.clone())
	}
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
	for _, o := range from {
		i := to.index(o.Name)
		if i < 0 {
			o.Inherited = true
			*to = slices.Insert(*to, 0, o)
			continue
		}
		have := &(*to)[i]
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
				to = from.clone()
				to.Options = OptionSet{}
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
			v.Options[c] = append(v.Options[c], h.Options[c]...)
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
