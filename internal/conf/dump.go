package conf

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// DumpStyle says how much a dump shows (section 14.1).
type DumpStyle struct {
	Merged  bool // the options of `common` in each resource
	Verbose bool // everything inherited and made up; all of `global`
}

// Dump prints a whole configuration in the form that is read back as the same configuration.
func Dump(w io.Writer, v *View, style DumpStyle) {
	fmt.Fprintf(w, "# %s\n", v.Config.File)
	d := &dumper{style: style}
	d.global(v.Config.Global)
	if c := v.Config.Common; c != nil {
		d.line("common {")
		d.body(c)
		d.line("}")
		d.line("")
	}
	_, _ = io.WriteString(w, d.out.String())
	for _, r := range v.Resources {
		DumpResource(w, v, r, style)
	}
}

// DumpResource prints one resource.
func DumpResource(w io.Writer, v *View, r *Resolved, style DumpStyle) {
	d := &dumper{style: style}
	d.line("# resource %s on %s: %signored, %sstacked", r.Name, v.Host.Node, not(r.Me == nil), not(r.Stacked))
	d.line("# defined at %s", r.Pos)
	d.line("resource %s {", quoteName(r.Name))
	switch {
	case style.Verbose:
		d.body(r.expanded())
	case style.Merged:
		d.body(r.merged(v.Config))
	default:
		d.body(withNodeIDs(r))
	}
	d.line("}")
	d.line("")
	_, _ = io.WriteString(w, d.out.String())
}

func not(is bool) string {
	if is {
		return ""
	}
	return "not "
}

// withNodeIDs is the resource as written, plus the node ids that were made up.
func withNodeIDs(r *Resolved) *Resource {
	out := &Resource{}
	r.Source.cloneInto(out, &memory{})
	for i, h := range out.Hosts {
		h.NodeID = r.Hosts[i].NodeID
	}
	return out
}

func (r *Resolved) merged(cfg *Config) *Resource {
	out := withNodeIDs(r)
	x := &resolver{memory: &memory{}, view: &View{}, cfg: cfg, r: &Resolved{Resource: out, Source: r.Source}}
	x.inheritDefaults()
	for i, h := range out.Hosts {
		for _, v := range h.Volumes {
			v.Options = r.Hosts[i].Volume(v.Nr).Options
		}
		if len(h.Volumes) > 0 {
			h.Options = OptionSet{ClassResource: h.Options[ClassResource]}
		}
	}
	return out
}

// expanded is everything that is known about the resource, said where it applies.
func (r *Resolved) expanded() *Resource {
	out := &Resource{}
	r.Resource.cloneInto(out, &memory{})
	out.Volumes, out.Meshes = nil, nil
	for i, c := range out.Connections {
		for _, l := range r.Links {
			if l.Connection != r.Connections[i] {
				continue
			}
			c.Options[ClassNet] = append(Options{{Name: "_name", Value: l.Name}}, c.Options[ClassNet]...)
			c.Volumes = nil
			for _, d := range l.Devices {
				v := newVolume(c.Pos, d.Nr)
				v.Options[ClassPeerDevice] = d.Options
				c.Volumes = append(c.Volumes, &v)
			}
		}
	}
	return out
}

type dumper struct {
	out   strings.Builder
	style DumpStyle
	level int
	// inHost: the volume being printed is one of a host, whose device's name is known.
	inHost bool
}

func (d *dumper) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text != "" {
		text = strings.Repeat("    ", d.level) + text
	}
	d.out.WriteString(text + "\n")
}

const column = 24

// setting is a line with the value on the left of its column.
func (d *dumper) setting(name, value string) {
	d.line("%-*s %s;", max(column-4*d.level, 0), name, value)
}

// wide is a line whose column does not move with the indentation.
func (d *dumper) wide(name, value string) { d.line("%-16s %s;", name, value) }

func (d *dumper) block(head string, body func()) {
	d.line("%s {", head)
	d.level++
	body()
	d.level--
	d.line("}")
}

func (d *dumper) option(o Option, always bool) {
	value := o.Value
	if always || mustQuote(value) {
		value = quoteAlways(value)
	}
	d.line("%-*s %3s;", max(column-4*d.level, 0), o.Name, value)
}

func mustQuote(text string) bool {
	const longest = 80
	if text == "" || len(text) > longest {
		return true
	}
	for i := range len(text) {
		if !isWordByte(text[i]) {
			return true
		}
	}
	return false
}

func quoteAlways(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// quote quotes a name or path only when it must be.
func quote(text string) string {
	if mustQuote(text) {
		return quoteAlways(text)
	}
	return text
}

// reserved are words that must be quoted where a name is expected, for other readers of the file (section 2).
var reserved = map[string]bool{}

func init() {
	for word := range strings.FieldsSeq(`on stacked-on-top-of floating no net yes ask via skip disk host hosts port proxy minor inside volume
		cmd-timeout-short cmd-timeout-medium cmd-timeout-long syncer device global common options outside address startup include handlers connection
		outside-address connection-mesh minor-count disable-ip-verification udev-always-use-vnr dialog-refresh resource meta-disk flexible-meta-disk
		node-id usage-count _this_host _remote_host _peer_node_id _cstate _unknown template-file path tiebreaker sci ssocks sdp ipv4 ipv6`) {
		reserved[word] = true
	}
}

// quoteName is quote for names of hosts and resources.
func quoteName(text string) string {
	if _, err := strconv.Atoi(text); err == nil || reserved[text] || strings.Count(text, ".") == 2 && strings.Trim(text, "0123456789.") == "" {
		return quoteAlways(text)
	}
	return quote(text)
}

func quoteNames(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, quoteName(n))
	}
	return strings.Join(out, " ")
}

func (d *dumper) global(g *Global) {
	refreshed := g.DialogRefresh >= 0 && g.DialogRefresh != 1
	times := g.Short >= 0 || g.Medium >= 0 || g.Long >= 0
	asked := g.UsageCount != "" && g.UsageCount != "ask"
	if !d.style.Verbose && g.MinorCount < 0 && !g.DisableIPVerification && !refreshed && !asked && !times && !g.UdevAlwaysVNR {
		return
	}
	d.block("global", func() {
		number := func(name string, n int) {
			if n >= 0 {
				d.line("%s %d;", name, n)
			}
		}
		flag := func(name string, set bool) {
			if set {
				d.line("%s;", name)
			}
		}
		flag("disable-ip-verification", g.DisableIPVerification)
		number("minor-count", g.MinorCount)
		number("dialog-refresh", g.DialogRefresh)
		if g.UsageCount != "" {
			d.line("usage-count %s;", g.UsageCount)
		}
		number("cmd-timeout-short", g.Short)
		number("cmd-timeout-medium", g.Medium)
		number("cmd-timeout-long", g.Long)
		flag("udev-always-use-vnr", g.UdevAlwaysVNR)
	})
	d.line("")
}

// body prints what stands inside `resource` or `common`.
func (d *dumper) body(r *Resource) {
	d.level++
	defer func() { d.level-- }()
	if r.Template != "" {
		d.line("template-file %s;", quoteAlways(r.Template))
	}
	for _, name := range r.IgnoreOn {
		d.line("ignore-on %s;", quoteName(name))
	}
	d.volumes(r.Volumes)
	for _, h := range r.Hosts {
		d.host(h)
	}
	for _, c := range r.Connections {
		d.connection(c)
	}
	for _, m := range r.Meshes {
		d.mesh(m)
	}
	d.section("options", r.Options, ClassResource)
	d.section("net", r.Options, ClassNet)
	d.section("disk", r.Options, ClassDisk, ClassDevice, ClassPeerDevice)
	if len(r.Options[ClassStartup])+len(r.BecomePrimaryOn) > 0 {
		d.block("startup", func() {
			d.options(r.Options[ClassStartup])
			if len(r.BecomePrimaryOn) > 0 {
				d.setting("become-primary-on", quoteNames(r.BecomePrimaryOn))
			}
		})
	}
	d.proxyOptions("proxy", r.Options[ClassProxy], r.ProxyPlugin)
	d.section("handlers", r.Options, ClassHandlers)
}

func (d *dumper) options(os Options) {
	for _, o := range os {
		d.option(o, false)
	}
}

func (d *dumper) section(name string, set OptionSet, classes ...Class) {
	var all Options
	for _, c := range classes {
		all = append(all, set[c]...)
	}
	if len(all) == 0 {
		return
	}
	d.block(name, func() {
		for _, o := range all {
			d.option(o, classes[0] == ClassHandlers)
		}
	})
}

func (d *dumper) proxyOptions(head string, os Options, plugins []string) {
	if len(os)+len(plugins) == 0 {
		return
	}
	d.block(head, func() {
		d.options(os)
		if len(plugins) == 0 {
			return
		}
		d.block("plugin", func() {
			for _, p := range plugins {
				d.line("%s;", p)
			}
		})
	})
}

func (d *dumper) volumes(volumes []*Volume) {
	for _, v := range volumes {
		if v.Implicit {
			d.volume(v)
		} else {
			d.block(fmt.Sprintf("volume %d", v.Nr), func() { d.volume(v) })
		}
	}
}

func (d *dumper) volume(v *Volume) {
	d.section("disk", v.Options, ClassDisk, ClassDevice, ClassPeerDevice)
	switch {
	case v.Device != "":
		d.setting("device", fmt.Sprintf("%s minor %d", quote(v.Device), v.Minor))
	case v.Minor >= 0 && d.inHost && (d.style.Verbose || d.style.Merged):
		d.setting("device", fmt.Sprintf("%s minor %d", v.DeviceName(), v.Minor))
	case v.Minor >= 0:
		d.setting("device", fmt.Sprintf("minor %d", v.Minor))
	}
	switch {
	case v.Disk != "":
		d.setting("disk", quotePath(v.Disk))
	case v.NoDisk:
		d.setting("disk", "none")
	}
	switch {
	case v.MetaDisk == "internal":
		d.setting("meta-disk", "internal")
	case v.MetaDisk != "" && v.MetaIndex >= 0:
		d.wide("meta-disk", fmt.Sprintf("%s [%d]", quotePath(v.MetaDisk), v.MetaIndex))
	case v.MetaDisk != "":
		d.wide("meta-disk", quotePath(v.MetaDisk))
	}
	if v.Tiebreaker != "" {
		d.setting("tiebreaker", v.Tiebreaker)
	}
}

func quotePath(path string) string {
	if path == "none" || reserved[path] {
		return quoteAlways(path)
	}
	return quote(path)
}

func (d *dumper) host(h *Host) {
	head := "on " + quoteNames(h.Names)
	switch h.Kind {
	case HostFloating:
		head = fmt.Sprintf("%-16s %s", "floating", h.Address.Text())
	case HostStacked:
		head = "stacked-on-top-of " + quoteName(h.Lower)
	}
	d.inHost = true
	defer func() { d.inHost = false }()
	d.block(head, func() {
		if h.NodeID >= 0 {
			d.line("node-id %d;", h.NodeID)
		}
		if !d.style.Verbose {
			d.section("disk", h.Options, ClassDisk, ClassDevice, ClassPeerDevice)
		}
		d.section("options", h.Options, ClassResource)
		if h.Kind == HostStacked {
			d.stackedVolumes(h)
		} else {
			d.volumes(h.Volumes)
		}
		if h.Address != nil && h.Kind != HostFloating {
			d.wide("address", h.Address.Text())
		}
		if h.Proxy != nil {
			d.proxy("proxy ", h.Proxy)
		}
	})
}

// stackedVolumes: disks and metadata of stacked sections follow from the lower resource.
func (d *dumper) stackedVolumes(h *Host) {
	for _, v := range h.Volumes {
		bare := *v
		bare.Disk, bare.MetaDisk = "", ""
		d.volumes([]*Volume{&bare})
	}
}

func (d *dumper) proxy(prefix string, x *Proxy) {
	d.block(prefix+"on "+quoteNames(x.Hosts), func() {
		if x.Inside != nil {
			d.wide("inside", x.Inside.Text())
		}
		if x.Outside != nil {
			d.wide("outside", x.Outside.Text())
		}
		d.proxyOptions("options", x.Options[ClassProxy], x.Plugins)
	})
}

func (d *dumper) connection(c *Connection) {
	d.block("connection", func() {
		for _, p := range c.Paths {
			if p.Implicit && !d.style.Verbose {
				d.ends(p)
			} else {
				d.block("path", func() { d.ends(p) })
			}
		}
		d.section("net", c.Options, ClassNet)
		if !d.style.Verbose {
			d.section("disk", c.Options, ClassPeerDevice)
		}
		for _, v := range c.Volumes {
			if len(v.Options[ClassPeerDevice]) > 0 || d.style.Verbose {
				d.block(fmt.Sprintf("volume %d", v.Nr), func() { d.section("disk", v.Options, ClassPeerDevice) })
			}
		}
	})
}

func (d *dumper) ends(p *Path) {
	for _, e := range p.Ends {
		text := "host " + quoteName(e.Host)
		switch {
		case e.Address != nil:
			text += strings.Repeat(" ", 13) + "address" + strings.Repeat(" ", 9) + e.Address.Text()
		case e.Port != "":
			text += " port " + e.Port
		}
		switch {
		case e.Proxy != nil && !d.style.Verbose:
			d.proxy(text+" via proxy ", e.Proxy)
		case e.Outside != nil:
			d.line("%s via outside-address %s;", text, e.Outside.Text())
		default:
			d.line("%s;", text)
		}
	}
}

func (d *dumper) mesh(m *Mesh) {
	d.block("connection-mesh", func() {
		d.line("hosts %s;", quoteNames(m.Hosts))
		d.section("net", m.Options, ClassNet)
	})
}
