package setup

import (
	"fmt"
	"strings"

	"drbd/internal/genl"
)

// runShow prints the configuration that the module works with, as text that drbdadm adjust reads back, or as JSON (15.5).
func runShow(c *call) error {
	resources, err := c.load(c.resourceArg(), false)
	if err != nil {
		return err
	}
	if c.flagGiven("json") {
		return printShowJSON(c.env.Stdout, resources)
	}
	if len(resources) == 0 {
		fmt.Fprintln(c.env.Stdout, nothingConfigured)
		return nil
	}
	p := &showPrinter{defaults: c.flagGiven("show-defaults")}
	for i := range resources {
		if err := p.resource(&resources[i]); err != nil {
			return err
		}
	}
	_, err = fmt.Fprint(c.env.Stdout, p.out.String())
	return err
}

type showPrinter struct {
	out      strings.Builder
	defaults bool
	level    int
}

func (p *showPrinter) line(format string, args ...any) {
	p.out.WriteString(strings.Repeat("    ", p.level))
	fmt.Fprintf(&p.out, format+"\n", args...)
}

// section prints a block; an empty one is left out unless it must be there.
func (p *showPrinter) section(head string, always bool, body func() error) error {
	before := p.out.String()
	p.line("%s {", head)
	start := p.out.Len()
	p.level++
	err := body()
	p.level--
	if p.out.Len() == start && !always {
		p.out.Reset()
		p.out.WriteString(before)
		return err
	}
	p.line("}")
	return err
}

// shownOption is one option of a set, with what the module said about it.
type shownOption struct {
	field   *genl.Field
	known   bool
	deflt   bool
	text    string // plain, without quotes
	quoted  bool
	boolean bool
}

// shownOptions reads the options of a set out of a message, in the order of listings; nil when the message lacks the set.
func shownOptions(m *genl.Message, nr genl.SetNr) ([]shownOption, error) {
	values, err := m.Values(nr)
	if err != nil || values == nil {
		return nil, err
	}
	var out []shownOption
	for _, f := range nr.Info().Options() {
		o := shownOption{field: f}
		switch v := values[f.Nr].(type) {
		case uint64:
			o.known, o.deflt, o.text = true, v == f.Default, f.Format(v)
			o.boolean = f.Type == genl.TypeFlag
			if tlsKeyType(f) != "" {
				o.text, o.quoted = keyDescription(v), true
			}
		case string:
			o.known, o.deflt, o.text, o.quoted = true, v == "", v, true
		}
		out = append(out, o)
	}
	return out, nil
}

var quoting = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (p *showPrinter) options(m *genl.Message, nr genl.SetNr) error {
	options, err := shownOptions(m, nr)
	if err != nil {
		return err
	}
	for _, o := range options {
		p.option(o)
	}
	return nil
}

func (p *showPrinter) option(o shownOption) {
	if !o.known {
		p.line("_unknown %-14s;\t# not supported by kernel", o.field.Option)
		return
	}
	if o.deflt && !p.defaults {
		return
	}
	text := o.text
	if o.quoted {
		text = `"` + quoting.Replace(text) + `"`
	}
	var remarks []string
	if o.field.Unit != "" && len(o.field.Words) == 0 {
		remarks = append(remarks, o.field.Unit)
	}
	if o.deflt {
		remarks = append(remarks, "default")
	}
	comment := ""
	if len(remarks) > 0 {
		comment = " # " + strings.Join(remarks, ", ")
	}
	p.line("%-16s\t%s;%s", o.field.Option, text, comment)
}

func (p *showPrinter) resource(r *snapshot) error {
	err := p.section(fmt.Sprintf(`resource "%s"`, quoting.Replace(r.Name)), true, func() error {
		if r.Opts.Drbd8CompatMode {
			p.line("# This resource is in drbd-8.4 compatibility mode!")
		}
		if err := p.section("options", false, func() error { return p.options(&r.Message, genl.SetResourceOpts) }); err != nil {
			return err
		}
		if err := p.section("_this_host", true, func() error { return p.thisHost(r) }); err != nil {
			return err
		}
		for i := range r.Connections {
			n := &r.Connections[i]
			if err := p.section("connection", true, func() error { return p.connection(n) }); err != nil {
				return err
			}
		}
		return nil
	})
	p.out.WriteByte('\n')
	return err
}

func (p *showPrinter) thisHost(r *snapshot) error {
	p.line("node-id\t\t\t%d;", int32(r.Opts.NodeID))
	for i := range r.Devices {
		d := &r.Devices[i]
		if err := p.section(fmt.Sprintf("volume %d", d.Volume), true, func() error { return p.volume(d) }); err != nil {
			return err
		}
	}
	return nil
}

func (p *showPrinter) volume(d *genl.Device) error {
	p.line("device\t\t\tminor %d;", d.Minor)
	switch {
	case d.HasDisk && d.Disk.BackingDev != "":
		p.line("disk\t\t\t\"%s\";", quoting.Replace(d.Disk.BackingDev))
		p.line("meta-disk\t\t\t%s;", metaDiskText(&d.Disk))
	case d.Conf.IntentionalDiskless || d.Info.IsIntentionalDiskless:
		p.line("disk\t\t\tnone;")
	}
	return p.section("disk", false, func() error {
		if err := p.options(&d.Message, genl.SetDiskConf); err != nil {
			return err
		}
		return p.options(&d.Message, genl.SetDeviceConf)
	})
}

// metaFlexible is the index value of a whole device that holds nothing but one metadata area.
const metaFlexible = -2

func metaDiskText(d *genl.DiskConf) string {
	switch d.MetaDevIdx {
	case metaInternal:
		return "internal"
	case metaFlexible:
		return `"` + quoting.Replace(d.MetaDev) + `"`
	}
	return fmt.Sprintf(`"%s" [ %d ]`, quoting.Replace(d.MetaDev), d.MetaDevIdx)
}

func addressText(a genl.Address) string {
	family, ap := a.Parse()
	return family + " " + ap.String()
}

func (p *showPrinter) connection(n *connection) error {
	p.line("_peer_node_id %d;", n.Node)
	for _, path := range n.Connection.Paths {
		p.line("path {")
		p.level++
		p.line("_this_host %s;", addressText(path.Local))
		p.line("_remote_host %s;", addressText(path.Peer))
		p.level--
		p.line("}")
	}
	p.line("_cstate %s;", n.Info.ConnectionState)
	if err := p.section("net", false, func() error { return p.options(&n.Message, genl.SetNetConf) }); err != nil {
		return err
	}
	for i := range n.PeerDevices {
		d := &n.PeerDevices[i]
		err := p.section(fmt.Sprintf("volume %d", d.Volume), false, func() error {
			return p.section("disk", false, func() error { return p.options(&d.Message, genl.SetPeerDeviceOpts) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}
