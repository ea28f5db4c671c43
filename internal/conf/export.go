package conf

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The configuration as data for other programs: dump-xml (section 14.2) and dump --json. Hosts are always expanded; options stand
// where they were written.

// exported is a resource, or `common`, in both forms.
type exported struct {
	Name        string               `json:"name,omitempty"`
	File        string               `json:"file,omitempty"`
	Line        int                  `json:"line,omitempty"`
	Ignored     bool                 `json:"ignored,omitempty"`
	Hosts       []exportedHost       `json:"hosts,omitempty"`
	Connections []exportedConnection `json:"connections,omitempty"`
	Sections    []exportedSection    `json:"-"`
	Options     sectionMap           `json:"options,omitempty"`
	Primary     []string             `json:"become-primary-on,omitempty"`
}

type exportedHost struct {
	Names    []string         `json:"names"`
	Floating bool             `json:"floating,omitempty"`
	NodeID   *int             `json:"node-id,omitempty"`
	Address  *exportedAddress `json:"address,omitempty"`
	Volumes  []exportedVolume `json:"volumes,omitempty"`
}

type exportedAddress struct {
	Family string `json:"family"`
	Host   string `json:"host"`
	Port   string `json:"port"`
}

type exportedVolume struct {
	Nr        int               `json:"volume"`
	Minor     int               `json:"minor"`
	Device    string            `json:"device,omitempty"`
	Disk      string            `json:"disk,omitempty"`
	MetaDisk  string            `json:"meta-disk,omitempty"`
	MetaIndex *int              `json:"meta-index,omitempty"`
	Sections  []exportedSection `json:"-"`
	Options   sectionMap        `json:"options,omitempty"`
}

type exportedConnection struct {
	Explicit bool                       `json:"-"`
	Paths    [][]exportedEnd            `json:"paths"`
	Sections []exportedSection          `json:"-"`
	Options  sectionMap                 `json:"options,omitempty"`
	Volumes  []exportedConnectionVolume `json:"volumes,omitempty"`
}

type exportedConnectionVolume struct {
	Nr       int               `json:"volume"`
	Sections []exportedSection `json:"-"`
	Options  sectionMap        `json:"options,omitempty"`
}

type exportedEnd struct {
	Host    string           `json:"host"`
	Address *exportedAddress `json:"address,omitempty"`
}

type exportedSection struct {
	name    string
	options Options
}

// sectionMap is section, option, value.
type sectionMap map[string]map[string]string

func mapOf(sections []exportedSection) sectionMap {
	out := sectionMap{}
	for _, s := range sections {
		values := map[string]string{}
		for _, o := range s.options {
			values[o.Name] = o.Value
		}
		out[s.name] = values
	}
	return out
}

// sectionsOf lists options as sections, leaving out what was written in a more general place.
func sectionsOf(set OptionSet, least Level, sections ...*section) []exportedSection {
	var out []exportedSection
	for _, s := range sections {
		one := exportedSection{name: s.name}
		for _, c := range s.classes {
			for _, o := range set[c] {
				if o.Level >= least {
					one.options = append(one.options, o)
				}
			}
		}
		if len(one.options) > 0 {
			out = append(out, one)
		}
	}
	return out
}

// diskSection has the classes in the order of dumps.
var diskSection = &section{"disk", []Class{ClassDisk, ClassDevice, ClassPeerDevice}}

func resourceSections(set OptionSet, least Level) []exportedSection {
	return sectionsOf(set, least, sectionOptions, sectionNet, diskSection, sectionStartup, sectionProxy, sectionHandlers)
}

func exportCommon(r *Resource) *exported {
	e := &exported{Sections: resourceSections(r.Options, LevelCommon)}
	e.Options = mapOf(e.Sections)
	return e
}

func exportResource(r *Resolved) *exported {
	e := &exported{Name: r.Name, File: r.Pos.File(), Line: r.Pos.Line, Ignored: r.Me == nil, Primary: r.Source.BecomePrimaryOn,
		Sections: resourceSections(r.Options, LevelResource)}
	e.Options = mapOf(e.Sections)
	for _, h := range r.Hosts {
		e.Hosts = append(e.Hosts, exportHost(h))
	}
	for _, c := range r.Connections {
		e.Connections = append(e.Connections, exportConnection(c))
	}
	return e
}

func exportAddress(a *Address) *exportedAddress {
	if a == nil {
		return nil
	}
	return &exportedAddress{a.Family, a.Host, a.Port}
}

func exportHost(h *Host) exportedHost {
	e := exportedHost{Names: h.Names, Floating: h.Kind == HostFloating, Address: exportAddress(h.Address)}
	if h.NodeID >= 0 {
		e.NodeID = &h.NodeID
	}
	for _, v := range h.Volumes {
		x := exportedVolume{Nr: v.Nr, Minor: v.Minor, Device: v.Device, Disk: v.Disk, MetaDisk: v.MetaDisk,
			Sections: sectionsOf(v.Options, LevelHost, diskSection)}
		x.Options = mapOf(x.Sections)
		if v.MetaIndex >= 0 {
			x.MetaIndex = &v.MetaIndex
		}
		e.Volumes = append(e.Volumes, x)
	}
	return e
}

func exportConnection(c *Connection) exportedConnection {
	e := exportedConnection{Sections: sectionsOf(c.Options, LevelConnection, sectionNet, sectionPeerDisk)}
	e.Options = mapOf(e.Sections)
	for _, p := range c.Paths {
		e.Explicit = e.Explicit || !p.Implicit
		var ends []exportedEnd
		for _, end := range p.Ends {
			ends = append(ends, exportedEnd{end.Host, exportAddress(end.Address)})
		}
		e.Paths = append(e.Paths, ends)
	}
	for _, v := range c.Volumes {
		if s := sectionsOf(v.Options, LevelConnectionVolume, sectionPeerDisk); len(s) > 0 {
			e.Volumes = append(e.Volumes, exportedConnectionVolume{v.Nr, s, mapOf(s)})
		}
	}
	return e
}

// DumpJSON prints the configuration; with resources given, only those.
func DumpJSON(w io.Writer, v *View, only []*Resolved) error {
	out := struct {
		File      string      `json:"file"`
		Common    *exported   `json:"common,omitempty"`
		Resources []*exported `json:"resources"`
	}{File: v.Config.File, Resources: []*exported{}}
	resources := only
	if only == nil {
		resources = v.Resources
		if v.Config.Common != nil {
			out.Common = exportCommon(v.Config.Common)
		}
	}
	for _, r := range resources {
		out.Resources = append(out.Resources, exportResource(r))
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// DumpXML prints the configuration as monitoring scripts know it; with resources given, only their elements.
func DumpXML(w io.Writer, v *View, only []*Resolved) error {
	x := &xmlPrinter{}
	if only != nil {
		for _, r := range only {
			x.resource(exportResource(r))
		}
	} else {
		x.element("config", []string{"file", v.Config.File}, func() {
			x.global(v.Config.Global)
			if v.Config.Common != nil {
				x.element("common", nil, func() { x.sections(exportCommon(v.Config.Common).Sections) })
			}
			for _, r := range v.Resources {
				x.resource(exportResource(r))
			}
		})
	}
	_, err := io.WriteString(w, x.out.String())
	return err
}

type xmlPrinter struct {
	out   strings.Builder
	level int
}

func (x *xmlPrinter) open(name string, attributes []string) string {
	text := "<" + name
	for i := 0; i < len(attributes); i += 2 {
		text += fmt.Sprintf(` %s="%s"`, attributes[i], xmlEscape(attributes[i+1]))
	}
	return text
}

func xmlEscape(text string) string {
	var out strings.Builder
	if err := xml.EscapeText(&out, []byte(text)); err != nil {
		return ""
	}
	return strings.NewReplacer("&#34;", "&quot;", "&#39;", "'").Replace(out.String())
}

func (x *xmlPrinter) line(text string) {
	x.out.WriteString(strings.Repeat("    ", x.level) + text + "\n")
}

func (x *xmlPrinter) element(name string, attributes []string, body func()) {
	x.line(x.open(name, attributes) + ">")
	x.level++
	body()
	x.level--
	x.line("</" + name + ">")
}

func (x *xmlPrinter) text(name, text string, attributes ...string) string {
	return x.open(name, attributes) + ">" + xmlEscape(text) + "</" + name + ">"
}

func (x *xmlPrinter) global(g *Global) {
	if !g.DisableIPVerification && g.MinorCount < 0 && g.DialogRefresh < 0 {
		return
	}
	x.element("global", nil, func() {
		if g.DisableIPVerification {
			x.line("<disable-ip-verification/>")
		}
		for _, n := range []struct {
			name  string
			value int
		}{{"minor-count", g.MinorCount}, {"dialog-refresh", g.DialogRefresh}} {
			if n.value >= 0 {
				x.line(x.open(n.name, []string{"count", strconv.Itoa(n.value)}) + "/>")
			}
		}
	})
}

func (x *xmlPrinter) sections(sections []exportedSection) {
	for _, s := range sections {
		x.element("section", []string{"name", s.name}, func() {
			for _, o := range s.options {
				x.line(x.open("option", []string{"name", o.Name, "value", o.Value}) + "/>")
			}
		})
	}
}

func (x *xmlPrinter) resource(e *exported) {
	x.element("resource", []string{"name", e.Name, "conf-file-line", fmt.Sprintf("%s:%d", e.File, e.Line)}, func() {
		for _, h := range e.Hosts {
			attributes := []string{"name", strings.Join(h.Names, " ")}
			if h.Floating {
				attributes = []string{"floating", "1"}
			}
			x.element("host", attributes, func() { x.host(h) })
		}
		for _, c := range e.Connections {
			x.element("connection", nil, func() { x.connection(c) })
		}
		x.sections(e.Sections)
	})
}

func (x *xmlPrinter) host(h exportedHost) {
	for _, v := range h.Volumes {
		x.element("volume", []string{"vnr", strconv.Itoa(v.Nr)}, func() {
			x.sections(v.Sections)
			x.line(x.text("device", v.Device, "minor", strconv.Itoa(v.Minor)))
			if v.Disk != "" {
				x.line(x.text("disk", v.Disk))
			}
			switch {
			case v.MetaIndex != nil:
				x.line(x.text("meta-disk", v.MetaDisk, "index", strconv.Itoa(*v.MetaIndex)))
			case v.MetaDisk != "":
				x.line(x.text("meta-disk", v.MetaDisk))
			}
		})
	}
	if h.Address != nil {
		x.line(x.address(h.Address))
	}
}

func (x *xmlPrinter) address(a *exportedAddress) string {
	return x.text("address", a.Host, "family", a.Family, "port", a.Port)
}

func (x *xmlPrinter) connection(c exportedConnection) {
	for _, ends := range c.Paths {
		print := func() {
			for _, e := range ends {
				inside := ""
				if e.Address != nil {
					inside = x.address(e.Address)
				}
				x.line(x.open("host", []string{"name", e.Host}) + ">" + inside + "</host>")
			}
		}
		if c.Explicit {
			x.element("path", nil, print)
		} else {
			print()
		}
	}
	x.sections(c.Sections)
	for _, v := range c.Volumes {
		x.element("volume", []string{"vnr", strconv.Itoa(v.Nr)}, func() { x.sections(v.Sections) })
	}
}
