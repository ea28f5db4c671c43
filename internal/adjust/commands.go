package adjust

import (
	"slices"
	"strings"

	"drbd/internal/conf"
	"drbd/internal/slab"
)

// Format of metadata that is made.
const Format = "v09"

// Planner makes the command lines for resources of one view.
type Planner struct {
	View *conf.View
	// Given returns the options from the command line, as --name or --name=value, that a command knows.
	Given func(tool Tool, command string) []string
	// Warn hears of references that lead nowhere.
	Warn func(pos conf.Pos, text string)
	// SameDevice reports whether two paths lead to one block device; nil compares the texts.
	SameDevice func(a, b string) bool

	words slab.Of[string] // of the command lines
}

// given are the options from the command line for a command.
func (p *Planner) given(tool Tool, command string) []string {
	if p.Given == nil {
		return nil
	}
	return p.Given(tool, command)
}

// setup is a command of drbdsetup with the file's options and those of the command line behind its words. An option on the command
// line replaces the file's.
func (p *Planner) setup(options conf.Options, words ...string) Command {
	given := p.given(Setup, words[0])
	args := p.words.List(len(options)+len(given), words...)
	for _, o := range p.effective(options) {
		overridden := slices.ContainsFunc(given, func(g string) bool { return g == "--"+o.Name || strings.HasPrefix(g, "--"+o.Name+"=") })
		if !overridden {
			args = append(args, "--"+o.Name+"="+o.Value)
		}
	}
	return Command{Tool: Setup, Args: append(args, given...)}
}

// effective replaces names in values by what the module knows.
func (p *Planner) effective(options conf.Options) conf.Options {
	const after = "resync-after"
	if _, ok := options.Get(after); !ok {
		return options
	}
	var out conf.Options
	for _, o := range options {
		if o.Name == after {
			minor, err := p.View.ResyncAfter(o.Value)
			if err != nil {
				// A stale reference must not stop the resource (section 7.4).
				if p.Warn != nil {
					p.Warn(o.Pos, err.Error()+"; the option is left out")
				}
				continue
			}
			o.Value = itoa(minor)
		}
		out = append(out, o)
	}
	return out
}

// NewResource creates a resource.
func (p *Planner) NewResource(r *conf.Resolved) Command {
	return p.setup(r.Options[conf.ClassResource], "new-resource", r.Name, itoa(r.Me.NodeID))
}

// ResourceOptions sets the options of a resource.
func (p *Planner) ResourceOptions(r *conf.Resolved, setDefaults bool) Command {
	return p.setup(r.Options[conf.ClassResource], withDefaults(setDefaults, "resource-options", r.Name)...)
}

// withDefaults adds the word for "all other options as they are without being told".
func withDefaults(wanted bool, words ...string) []string {
	if wanted {
		words = append(words, "--set-defaults")
	}
	return words
}

// NewMinor creates a device.
func (p *Planner) NewMinor(r *conf.Resolved, v *conf.Volume) Command {
	words := []string{"new-minor", r.Name, itoa(v.Minor), itoa(v.Nr)}
	if v.Diskless() {
		words = append(words, "--diskless")
	}
	return p.setup(without(v.Options[conf.ClassDevice], "diskless"), words...)
}

// NewPeer makes a peer known.
func (p *Planner) NewPeer(r *conf.Resolved, l *conf.Link) Command {
	return p.setup(l.Options, "new-peer", r.Name, itoa(l.PeerID), "--_name="+l.Name)
}

// NetOptions sets the options of a connection, without what only a new one can have.
func (p *Planner) NetOptions(r *conf.Resolved, l *conf.Link, setDefaults bool) Command {
	words := withDefaults(setDefaults, "net-options", r.Name, itoa(l.PeerID))
	return p.setup(without(l.Options, immutableNet...), append(words, "--_name="+l.Name)...)
}

// without leaves out options by name.
func without(options conf.Options, names ...string) conf.Options {
	return slices.DeleteFunc(slices.Clone(options), func(o conf.Option) bool { return slices.Contains(names, o.Name) })
}

var immutableNet = []string{"transport", "load-balance-paths"}

// DelPeer forgets a peer.
func (p *Planner) DelPeer(r *conf.Resolved, peerID int) Command {
	return p.setup(nil, "del-peer", r.Name, itoa(peerID))
}

// NewPath adds a path to a connection; DelPath removes one.
func (p *Planner) NewPath(r *conf.Resolved, peerID int, mine, theirs *conf.Address) Command {
	return setup("new-path", r.Name, itoa(peerID), mine.Arg(), theirs.Arg())
}

// DelPath removes a path.
func (p *Planner) DelPath(r *conf.Resolved, peerID int, mine, theirs *conf.Address) Command {
	return setup("del-path", r.Name, itoa(peerID), mine.Arg(), theirs.Arg())
}

// PeerDeviceOptions sets the options of a volume towards a peer.
func (p *Planner) PeerDeviceOptions(r *conf.Resolved, l *conf.Link, d conf.PeerDevice, setDefaults bool) Command {
	return p.setup(d.Options, withDefaults(setDefaults, "peer-device-options", r.Name, itoa(l.PeerID), itoa(d.Nr))...)
}

// metaIndex is the last part of where metadata is, in the words of drbdmeta or of attach.
func metaIndex(v *conf.Volume, flexible string) string {
	switch {
	case v.MetaDisk == "internal":
		return "internal"
	case v.MetaIndex >= 0:
		return itoa(v.MetaIndex)
	}
	return flexible
}

// MetaDevice is the device that holds the metadata.
func MetaDevice(v *conf.Volume) string {
	if v.MetaDisk == "internal" {
		return v.Disk
	}
	return v.MetaDisk
}

// MetaIndex is how sh-md-idx and attach name the place of the metadata.
func MetaIndex(v *conf.Volume) string { return metaIndex(v, "flexible") }

// Meta is a command line of drbdmeta; words are the command and its arguments, options of drbdmeta itself in front.
func (p *Planner) Meta(v *conf.Volume, command string, words ...string) Command {
	given := p.given(Meta, command)
	args := p.words.List(len(words)+len(given), itoa(v.Minor), Format, MetaDevice(v), metaIndex(v, "flex-external"))
	return Command{Tool: Meta, Args: append(append(args, words...), given...)}
}

// CreateMD makes new metadata with room for so many peers.
func (p *Planner) CreateMD(r *conf.Resolved, v *conf.Volume) Command {
	peers := itoa(peersWithDisk(r, v.Nr))
	c := p.Meta(v, "create-md", "create-md", peers)
	for i := len(c.Args) - 1; i > 0; i-- {
		if given, ok := strings.CutPrefix(c.Args[i], "--max-peers="); ok {
			peers = given
			c.Args = slices.Delete(c.Args, i, i+1)
		}
	}
	c.Args[5] = peers
	if slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "--effective-size=") }) {
		c.Args = append(c.Args, "--diskful-peers="+diskfulPeers(r, v.Nr))
	}
	return c
}

func peersWithDisk(r *conf.Resolved, nr int) int {
	n := 0
	for _, l := range r.Links {
		if v := l.Peer.Volume(nr); v != nil && !v.Diskless() {
			n++
		}
	}
	return max(n, 1)
}

func diskfulPeers(r *conf.Resolved, nr int) string {
	var ids []string
	for _, l := range r.Links {
		if v := l.Peer.Volume(nr); v != nil && !v.Diskless() {
			ids = append(ids, itoa(l.PeerID))
		}
	}
	return strings.Join(ids, ",")
}

// Attach gives a device its disk: the metadata is moved and its activity log applied first (section 12.1).
func (p *Planner) Attach(v *conf.Volume) []Command {
	return []Command{
		p.Meta(v, "repair-md", "repair-md"),
		p.Meta(v, "apply-al", "apply-al"),
		p.setup(v.Options[conf.ClassDisk], "attach", itoa(v.Minor), v.Disk, MetaDevice(v), MetaIndex(v)),
	}
}

// DiskOptions sets the options of an attached disk.
func (p *Planner) DiskOptions(v *conf.Volume, setDefaults bool) Command {
	return p.setup(without(v.Options[conf.ClassDisk], "size"), withDefaults(setDefaults, "disk-options", itoa(v.Minor))...)
}

// Resize adapts a device to its disks, or to the size that the file or the command line has.
func (p *Planner) Resize(v *conf.Volume) []Command {
	var size conf.Options
	if value, ok := v.Options[conf.ClassDisk].Get("size"); ok {
		size = conf.Options{{Name: "size", Value: value}}
	}
	return []Command{p.setup(size, "resize", itoa(v.Minor)), setup("check-resize", itoa(v.Minor))}
}

// Connect starts a connection.
func (p *Planner) Connect(r *conf.Resolved, peerID int) Command {
	return p.setup(nil, "connect", r.Name, itoa(peerID))
}
