package adm

import (
	"slices"
	"strings"

	"drbd/internal/adjust"
	"drbd/internal/conf"
	"drbd/internal/setup"
)

// command is one row of the table (section 11).
type command struct {
	name, about string
	group       commandGroup
	scope       scope
	needsDisk   bool // volumes without a disk are left out
	checksIP    bool // our address must be there
	volumeToo   bool // a volume may be named although the command is about more
	safe        bool // possible with a configuration that has errors elsewhere: it only looks, or takes down
	wholeConfig bool // any error in the configuration is the command's
	showsNotes  bool // remarks about old spellings are shown
	takesTest   bool
	noConfig    bool
	callback    bool
	proxyToo    bool     // also where only a proxy of the resource is
	backends    []string // commands of drbdsetup, or "drbdmeta X", whose options it takes
	was         string   // the name of today, for a deprecated one
	run         func(*App) error
	each        func(*App, target) []adjust.Command
}

type commandGroup int

const (
	groupPublic commandGroup = iota + 1
	groupShell
	groupCallback
	groupExpert
	groupHidden
)

// commands is filled in init because rows refer to functions that look into it.
var commands []*command

func findCommand(name string) *command {
	for _, c := range commands {
		if c.name == name {
			return c
		}
	}
	if today, ok := map[string]string{"state": "role", "outdate-peer": "fence-peer", "syncer": "peer-device-options"}[name]; ok {
		c := *findCommand(today)
		c.was = name
		return &c
	}
	return nil
}

func suggestCommand(word string) string {
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	if near := conf.Nearest(word, names); near != "" {
		return "; did you mean '" + near + "'?"
	}
	return ""
}

func backendName(tool adjust.Tool, command string) string {
	if tool == adjust.Meta {
		return "drbdmeta " + command
	}
	return command
}

func flags(names ...string) (out []setup.OptionInfo) {
	for _, n := range names {
		out = append(out, setup.OptionInfo{Name: n})
	}
	return out
}

func values(names ...string) (out []setup.OptionInfo) {
	for _, n := range names {
		out = append(out, setup.OptionInfo{Name: n, NeedsValue: true})
	}
	return out
}

// metaOptions are the options of drbdmeta's commands that make sense here (section 8.8).
var metaOptions = map[string][]setup.OptionInfo{
	"create-md": append(values("max-peers", "peer-max-bio-size", "al-stripes", "al-stripe-size-kB", "effective-size", "bitmap-block-size",
		"diskful-peers", "initial-current-uuid"), flags("force", "quiet", "consistent", "uptodate", "peers-outdated", "rotate-uuids")...),
	"dump-md": flags("force", "quiet"), "wipe-md": flags("force", "quiet"), "apply-al": flags("force", "quiet"),
	"show-gi": flags("force", "quiet"), "get-gi": flags("force", "quiet"), "dstate": flags("force", "quiet"),
	"forget-peer": flags("force", "quiet"), "repair-md": flags("tentative", "force", "quiet"),
	"dump-superblock": append(values("output-format"), flags("force", "quiet")...),
}

// ownOptions are options of drbdadm's own commands.
var ownOptions = map[string][]setup.OptionInfo{"adjust": flags("skip-disk", "skip-net"), "dump": flags("json")}

func backendCommand(name string) []setup.OptionInfo {
	if about, ok := strings.CutPrefix(name, "drbdmeta "); ok {
		return metaOptions[about]
	}
	if own, ok := strings.CutPrefix(name, "drbdadm "); ok {
		return ownOptions[own]
	}
	return setup.OptionsOf(name)
}

func allBackends() []string {
	names := setup.CommandNames()
	for n := range metaOptions {
		names = append(names, "drbdmeta "+n)
	}
	for n := range ownOptions {
		names = append(names, "drbdadm "+n)
	}
	return names
}

// backendOptions is the union of all options of the back end: whether they need a value.
func backendOptions() map[string]bool {
	all := map[string]bool{}
	for _, name := range allBackends() {
		for _, o := range backendCommand(name) {
			all[o.Name] = o.NeedsValue
			for _, alias := range o.Aliases {
				all[alias] = o.NeedsValue
			}
		}
	}
	return all
}

func backendPrefix(name string) bool {
	for known := range backendOptions() {
		if strings.HasPrefix(known, name) {
			return true
		}
	}
	return false
}

// backendNeedsValue: all options that a prefix fits must agree.
func backendNeedsValue(name string) bool {
	all := backendOptions()
	if needs, ok := all[name]; ok {
		return needs
	}
	found, needs := false, true
	for known, n := range all {
		if strings.HasPrefix(known, name) && name != "" {
			found = true
			needs = needs && n
		}
	}
	return found && needs
}

// options are all back-end options of a command, each once.
func (c *command) options() []setup.OptionInfo {
	var out []setup.OptionInfo
	for _, b := range c.backends {
		for _, o := range backendCommand(b) {
			if !slices.ContainsFunc(out, func(have setup.OptionInfo) bool { return have.Name == o.Name }) {
				out = append(out, o)
			}
		}
	}
	return out
}

// option finds what was given among the options of the command: by name, alias, letter, or a prefix that fits only one.
func (c *command) option(g given) *setup.OptionInfo {
	var prefixed []*setup.OptionInfo
	options := c.options()
	for i := range options {
		o := &options[i]
		switch {
		case g.letter && strings.Contains(o.Letters, g.name):
			return o
		case g.letter:
		case o.Name == g.name || slices.Contains(o.Aliases, g.name):
			return o
		case strings.HasPrefix(o.Name, g.name):
			prefixed = append(prefixed, o)
		}
	}
	if len(prefixed) == 1 {
		return prefixed[0]
	}
	return nil
}

func (a *App) setupCommand(args ...string) adjust.Command {
	return adjust.Command{Tool: adjust.Setup, Args: append(args, a.line.argsFor(args[0])...)}
}

// Rows that hand one command per target to drbdsetup.

func row(name, about string, sc scope, each func(*App, target) []adjust.Command) *command {
	return &command{name: name, about: about, group: groupPublic, scope: sc, backends: []string{name}, run: (*App).iterate, each: each}
}

func perResource(name, about string) *command {
	return row(name, about, scopeResource, func(a *App, t target) []adjust.Command {
		return []adjust.Command{a.setupCommand(name, t.r.Name)}
	})
}

func perVolume(name, about string) *command {
	return row(name, about, scopeVolume, func(a *App, t target) []adjust.Command {
		return []adjust.Command{a.setupCommand(name, itoa(t.v.Minor))}
	})
}

func perPeer(name, about string) *command {
	return row(name, about, scopePeer, func(a *App, t target) []adjust.Command {
		return []adjust.Command{a.setupCommand(name, t.r.Name, itoa(t.l.PeerID))}
	})
}

func perPeerDevice(name, about string) *command {
	return row(name, about, scopePeerDevice, func(a *App, t target) []adjust.Command {
		return []adjust.Command{a.setupCommand(name, t.r.Name, itoa(t.l.PeerID), itoa(t.d.Nr))}
	})
}

// planned rows take their commands from the planner, with the options of the file.
func planned(name, about string, sc scope, each func(p *adjust.Planner, t target) []adjust.Command) *command {
	return row(name, about, sc, func(a *App, t target) []adjust.Command { return each(a.planner(), t) })
}

// onMeta rows work on the metadata only.
func onMeta(name, about string) *command {
	c := row(name, about, scopeVolume, func(a *App, t target) []adjust.Command {
		return []adjust.Command{a.planner().Meta(t.v, name, name)}
	})
	c.needsDisk, c.backends = true, []string{"drbdmeta " + name}
	return c
}

// withMeta adds the same command on the metadata, for when the device is not running.
func (c *command) withMeta(words func(t target) []string) *command {
	first := c.each
	c.backends = append(c.backends, "drbdmeta "+c.name)
	c.each = func(a *App, t target) []adjust.Command {
		commands := first(a, t)
		if t.v == nil || t.v.Diskless() {
			return commands
		}
		fallback := a.planner().Meta(t.v, c.name, append(words(t), c.name)...)
		fallback.Fallback = true
		return append(commands, fallback)
	}
	return c
}

func noWords(target) []string { return nil }

func nodeIDWord(t target) []string { return []string{"--node-id=" + itoa(t.l.PeerID)} }

func (c *command) with(change func(*command)) *command {
	change(c)
	return c
}

func disk(c *command)   { c.needsDisk = true }
func diskIP(c *command) { c.needsDisk, c.checksIP = true, true }
func ip(c *command)     { c.checksIP = true }
func safe(c *command)   { c.safe = true }
func expert(c *command) { c.group = groupExpert }
func shell(c *command)  { c.group = groupShell }
