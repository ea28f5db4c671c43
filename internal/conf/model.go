package conf

import (
	"net/netip"
	"slices"
	"strings"
)

// Config is what the files say, before anything is inherited or made up.
type Config struct {
	File      string // the main file, as opened
	Global    *Global
	Common    *Resource // nil: no common section
	Resources []*Resource
	// Modern: something that only 9.x has was used (section 6.4).
	Modern      bool
	Diagnostics Diagnostics
	byName      map[string]*Resource
}

// Resource returns the resource of that name, nil when there is none.
func (c *Config) Resource(name string) *Resource { return c.byName[name] }

// add keeps the first of resources with the same name for look-ups.
func (c *Config) add(r *Resource) {
	c.Resources = append(c.Resources, r)
	if c.byName == nil {
		c.byName = map[string]*Resource{}
	}
	if c.byName[r.Name] == nil {
		c.byName[r.Name] = r
	}
}

// Global is the section `global` (section 8.7). Numbers are -1 when they are not given.
type Global struct {
	Pos                                  Pos
	MinorCount, DialogRefresh            int
	Short, Medium, Long                  int // time-outs of commands, seconds
	DisableIPVerification, UdevAlwaysVNR bool
	UsageCount                           string
}

// Option is one setting. Value is as written; a flag without a value has "yes" or "no".
type Option struct {
	Pos       Pos
	Name      string
	Value     string
	Level     Level
	Inherited bool
}

// Level tells how specific the section is in which an option was written; the more specific one wins.
type Level int

// Levels, from the general to the specific.
const (
	LevelCommon Level = iota
	LevelResource
	LevelResourceVolume
	LevelHost
	LevelVolume
	LevelConnection
	LevelConnectionVolume
)

// Options is a list of settings in the order in which they are printed and sent.
type Options []Option

// Get returns the value of an option.
func (os Options) Get(name string) (value string, ok bool) {
	if i := os.index(name); i >= 0 {
		return os[i].Value, true
	}
	return "", false
}

func (os Options) index(name string) int {
	return slices.IndexFunc(os, func(o Option) bool { return o.Name == name })
}

// OptionSet has one list per class. Once a file is read, a list is replaced and never changed, so that copies of a set share it.
type OptionSet [classCount]Options

// Resource is one replication group; also the section `common`, which has options only.
type Resource struct {
	Pos         Pos
	Name        string
	Template    string // as written
	TemplatePos Pos
	Defaults    *Resource // the common section of the template, instead of the global one
	Volumes     []*Volume
	Hosts       []*Host
	Connections []*Connection
	Meshes      []*Mesh
	Options     OptionSet
	ProxyPlugin []string
	// BecomePrimaryOn are host names, or "both".
	BecomePrimaryOn []string
	IgnoreOn        []string
	// Unknown are options that the module said it does not know (`drbdsetup show` only).
	Unknown []string
	// Damaged: there are errors in its hosts, volumes or connections, so that what follows from them would only repeat those.
	Damaged bool
	// ThisHost is the section of `drbdsetup show` about this node.
	ThisHost *Host
}

// HostKind is how a host section is found to be this host's.
type HostKind int

// Host sections.
const (
	HostOn HostKind = iota
	HostFloating
	HostStacked
)

// Host is a section `on`, `floating` or `stacked-on-top-of`.
type Host struct {
	Pos     Pos
	Kind    HostKind
	Names   []string // of a floating host: made of its address; of a stacked one: of the lower resource
	Lower   string   // of a stacked host: the lower resource
	Address *Address
	NodeID  int // -1: not given
	NodePos Pos
	Volumes []*Volume
	Options OptionSet // disk options for all volumes; resource options are read and not used
	Proxy   *Proxy
}

// Name is all names as one word; it is how the module calls a connection to that host (section 6.3).
func (h *Host) Name() string { return strings.Join(h.Names, "_") }

// Label is how messages name the section.
func (h *Host) Label() string {
	switch h.Kind {
	case HostFloating:
		return "floating " + h.Address.Text()
	case HostStacked:
		return "stacked-on-top-of " + h.Lower
	}
	return "on " + strings.Join(h.Names, " ")
}

// Volume returns the volume of that number, nil when there is none.
func (h *Host) Volume(nr int) *Volume { return volumeOf(h.Volumes, nr) }

func volumeOf(volumes []*Volume, nr int) *Volume {
	for _, v := range volumes {
		if v.Nr == nr {
			return v
		}
	}
	return nil
}

// Volume is one device of a resource, on one host or (in the resource) on all.
type Volume struct {
	Pos      Pos
	Nr       int
	Implicit bool // its statements stand outside `volume`
	// Disk is the backing device; NoDisk: `disk none` was written.
	Disk       string
	NoDisk     bool
	DiskPos    Pos
	Device     string // name as written, with /dev/; "" when only the minor was given
	Minor      int    // -1: not given
	DevicePos  Pos
	MetaDisk   string // internal, or a device; "" when not given
	MetaIndex  int    // slot on MetaDisk; -1: all of it
	MetaPos    Pos
	Tiebreaker string // "", yes, no
	Options    OptionSet
}

// Diskless reports whether the volume has no backing device here.
func (v *Volume) Diskless() bool { return v.Disk == "" }

// Address of one end of a path.
type Address struct {
	Pos    Pos
	Family string // ipv4, ipv6, sdp, ssocks
	Host   string // as written, without brackets
	Port   string
	ip     netip.Addr // Host as a number, when it is one
}

func (a *Address) hostText() string {
	if a.Family == "ipv6" {
		return "[" + a.Host + "]"
	}
	return a.Host
}

// Text is how a configuration file has it.
func (a *Address) Text() string { return a.Family + " " + a.hostText() + ":" + a.Port }

func (a *Address) String() string { return a.Text() }

// Arg is how drbdsetup takes it.
func (a *Address) Arg() string { return a.Family + ":" + a.hostText() + ":" + a.Port }

// Plain is how drbd-proxy-ctl takes it.
func (a *Address) Plain() string { return a.hostText() + ":" + a.Port }

// Connection is a section `connection`.
type Connection struct {
	Pos Pos
	// Paths; a connection with bare `host` statements has one that is Implicit.
	Paths   []*Path
	Options OptionSet // net and peer-device options
	Volumes []*Volume // only their peer-device options
	// Of `drbdsetup show`:
	PeerNodeID int
	State      string
	Unknown    []string
}

// Path is a pair of ends.
type Path struct {
	Pos      Pos
	Implicit bool
	Ends     []*End
}

// End is one `host` statement.
type End struct {
	Pos     Pos
	Host    string   // "" in `drbdsetup show`
	Address *Address // instead of the host's own
	Port    string   // instead of the port of the host's own address
	Outside *Address // what the other side connects to
	Proxy   *Proxy
	Local   bool // `_this_host` of drbdsetup show
}

// Mesh is a section `connection-mesh`.
type Mesh struct {
	Pos     Pos
	Hosts   []string
	HostPos []Pos
	Options OptionSet
}

// Proxy is a section `proxy on`.
type Proxy struct {
	Pos             Pos
	Hosts           []string
	Inside, Outside *Address
	Options         OptionSet
	Plugins         []string
}
