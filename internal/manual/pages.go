package manual

import (
	"fmt"
	"strings"

	"drbd/internal/adm"
	"drbd/internal/conf"
	"drbd/internal/genl"
	"drbd/internal/lint"
	"drbd/internal/meta"
	"drbd/internal/setup"
)

// optionSections are the sections with options, in the order of the page.
var optionSections = []struct {
	section, key, about string
	class               conf.Class
}{
	{"net", "net", "options of connections", conf.ClassNet},
	{"disk", "disk", "options of backing devices", conf.ClassDisk},
	{"disk", "device", "options of devices", conf.ClassDevice},
	{"disk", "peer-device", "options of volumes towards peers", conf.ClassPeerDevice},
	{"options", "options", "options of resources", conf.ClassResource},
	{"startup", "startup", "waiting when the machine starts", conf.ClassStartup},
	{"handlers", "handlers", "commands that are run for events", conf.ClassHandlers},
	{"proxy", "proxy", "options of the WAN proxy", conf.ClassProxy},
}

// values says what an option takes, and its default.
func values(f *genl.Field) string {
	text, fallback := "", ""
	switch {
	case f.Type == genl.TypeFlag:
		text, fallback = "yes|no", map[bool]string{true: "yes", false: "no"}[f.Default == 1]
	case len(f.Words) > 0:
		var words []string
		for _, w := range f.Words {
			words = append(words, w.Word)
		}
		text, fallback = strings.Join(words, "|"), f.Format(f.Default)
		if f.Ranged {
			text += fmt.Sprintf("|%d..%d", f.Min, f.Max)
		}
	case f.Type == genl.TypeString && f.Size > 0:
		return fmt.Sprintf("TEXT (up to %d bytes)", f.Size-1)
	case f.Type == genl.TypeString || strings.HasPrefix(f.Option, "tls-"):
		return "TEXT"
	case f.Option == "resync-after":
		return "RESOURCE[/VOLUME]"
	default:
		text, fallback = "NUMBER", f.Format(f.Default)
		if f.Ranged {
			text += " (" + f.Range() + ")"
		}
		if f.Unit != "" {
			text += ", " + f.Unit
		}
	}
	return text + "; default " + fallback
}

func configPage() string {
	p := newPage("drbd.conf", 5, "configuration of DRBD")
	p.section("DESCRIPTION")
	p.text("drbdadm reads /etc/drbd.conf, which usually only includes files of /etc/drbd.d. It should be the same on all nodes of a cluster.")
	p.paragraph("Statements end with a semicolon, sections stand in braces, # starts a comment. Words with other characters than letters, digits and / . _ - stand " +
		"in double quotes, where a backslash takes the next character as it is. Numbers may have a unit: s (sectors of 512 bytes), K, M or G.")
	p.paragraph("All spellings since DRBD 0.7 are read. What has another name today is told once, with that name; 'drbdadm dump' prints the file as it would be " +
		"written today, and 'drbdadm lint' tells what is valid and will hurt.")
	p.section("SECTIONS AND STATEMENTS")
	for _, s := range sectionTexts {
		p.item(s[0], "", s[1])
	}
	p.section("OPTIONS")
	p.text("An option without a value means yes; no- in front of its name means no. An option in a more special section wins over the same one in a more general section.")
	for _, s := range optionSections {
		p.subsection(s.section + ": " + s.about)
		for _, f := range s.class.Fields() {
			about := optionTexts[s.key][f.Option]
			if s.class == conf.ClassHandlers {
				p.item(f.Option, "COMMAND", about)
				continue
			}
			p.item(f.Option, values(f), about)
		}
	}
	p.section("EXAMPLE")
	p.example(`resource r0 {
    device /dev/drbd0;
    disk /dev/vg/r0;
    meta-disk internal;
    net { verify-alg crc32c; }
    on alpha { node-id 0; address 10.0.0.1:7789; }
    on bravo { node-id 1; address 10.0.0.2:7789; }
}`)
	p.files("/etc/drbd.conf", "Read first.", "/etc/drbd.d/global_common.conf", "Sections global and common.", "/etc/drbd.d/*.res", "A file for each resource.")
	return p.seeAlso("drbdadm(8)", "drbdsetup(8)", "drbdmeta(8)")
}

func admPage() string {
	p := newPage("drbdadm", 8, "run DRBD resources as drbd.conf describes them")
	p.section("SYNOPSIS")
	p.text("drbdadm [OPTION...] COMMAND [OPTION...] {all|RESOURCE...}")
	p.section("DESCRIPTION")
	p.text("drbdadm finds out what a command means for the resources of drbd.conf, and has drbdsetup and drbdmeta do it. With --dry-run it prints their command lines " +
		"instead. Options may stand anywhere; those of drbdsetup and drbdmeta are handed on.")
	p.paragraph("A resource may be named as RESOURCE, RESOURCE/VOLUME, RESOURCE:PEER, RESOURCE:PEER/VOLUME, minor-N, or all.")
	p.section("OPTIONS")
	for _, o := range adm.GeneralOptions() {
		term := fmt.Sprintf("-%c, --%s", o.Letter, o.Name)
		p.item(term, map[bool]string{true: "VALUE", false: ""}[o.Value], capital(o.About))
	}
	for _, g := range []struct{ group, title string }{{"public", "COMMANDS"}, {"script", "COMMANDS FOR SCRIPTS"}, {"expert", "COMMANDS FOR EXPERTS"}, {"kernel", "CALLED BY THE MODULE"}} {
		p.section(g.title)
		if g.group == "kernel" {
			p.text("The module runs drbdadm with the name of an event; the handler of that name in drbd.conf is run. See drbd.conf(5).")
			continue
		}
		for _, c := range adm.Commands() {
			if c.Group == g.group {
				p.item(c.Name, c.Words, capital(c.About)+optionList(c.Options))
			}
		}
	}
	p.section("LINT")
	p.text("What drbdadm lint looks for:")
	for _, c := range lint.Checks() {
		p.item(c[0], "", capital(c[1]))
	}
	p.section("EXIT STATUS")
	for _, e := range [][2]string{{"0", "All went well."}, {"1", "Wrong usage, an unknown resource, a step of up or adjust that failed, or findings of lint."}, {"5", "A wait timed out."},
		{"10", "The configuration is not valid, or the module refused."}, {"11", "The module refused a change of state."}, {"17", "Good data is needed and not there."},
		{"20", "A program could not be run, or took too long."}} {
		p.item(e[0], "", e[1])
	}
	p.section("ENVIRONMENT")
	p.item("__DRBD_NODE__", "", "Pretend to be this host.")
	p.item("DRBD_DRIVER_VERSION_OVERRIDE", "", "Take it that the module has this version. With 8.4 the program drbdadm-84, from PATH or /lib/drbd, takes over; "+
		"where it is not installed, commands for the module or its metadata are refused.")
	p.item("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "", "Handed to drbdadm-84. This program never warns about it.")
	p.item("INIT_VERSION", "", "Set by start scripts. Without effect: nobody is ever asked about or told of the use of DRBD.")
	p.item("FAKE_DRBDSETUP_SHOW", "", "For tests: a file with what drbdsetup show would print.")
	p.files("/etc/drbd.conf", "The configuration.", "/var/run/drbd/drbd-resource-*.conf", "Links to the file that configured a resource.")
	return p.seeAlso("drbd.conf(5)", "drbdsetup(8)", "drbdmeta(8)")
}

func optionList(options []setup.OptionInfo) string {
	var names []string
	for _, o := range options {
		names = append(names, "--"+o.Name)
	}
	if len(names) == 0 {
		return ""
	}
	return " Options: " + strings.Join(names, ", ") + "."
}

func setupPage() string {
	p := newPage("drbdsetup", 8, "tell the DRBD module what to do")
	p.section("SYNOPSIS")
	p.text("drbdsetup COMMAND ARGUMENTS [OPTION...]")
	p.section("DESCRIPTION")
	p.text("drbdsetup talks to the module; it knows nothing of drbd.conf. Use drbdadm, unless you write a program. Where options are those of drbd.conf, drbd.conf(5) explains them.")
	p.section("COMMANDS")
	for _, c := range setup.Commands() {
		p.item(c.Name, strings.Join(c.Arguments, " "), capital(c.Summary))
		if len(c.Options) == 0 {
			continue
		}
		p.out.WriteString(".RS\n")
		for _, o := range c.Options {
			p.item("--"+o.Name, o.Value, "")
		}
		p.out.WriteString(".RE\n")
	}
	return p.seeAlso("drbd.conf(5)", "drbdadm(8)", "drbdmeta(8)")
}

func metaPage() string {
	p := newPage("drbdmeta", 8, "work on the metadata of DRBD")
	p.section("SYNOPSIS")
	p.text("drbdmeta [--force] [--quiet] MINOR FORMAT DEVICE INDEX COMMAND [ARGUMENT...]")
	p.section("DESCRIPTION")
	p.text("drbdmeta works on metadata of devices that are not running. Use drbdadm, which knows the arguments from drbd.conf. FORMAT is v06, v07, v08 or v09; " +
		"INDEX is internal, flex-external, flex-internal or the number of a slot.")
	p.section("COMMANDS")
	for _, c := range meta.Commands() {
		if !c.Hidden {
			p.item(c.Name, strings.TrimSpace(c.Arguments), metaTexts[c.Name])
		}
	}
	p.section("EXIT STATUS")
	p.item("0", "", "All went well.")
	p.item("1", "", "You declined.")
	p.item("20", "", "Wrong usage, or the device is in use.")
	p.item("255", "", "There is no valid metadata.")
	return p.seeAlso("drbd.conf(5)", "drbdadm(8)", "drbdsetup(8)")
}
