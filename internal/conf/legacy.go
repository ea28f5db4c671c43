package conf

import (
	"fmt"
	"strings"
)

// legacyOption is one spelling of an old release inside a section (section 9): what it is today, or that it means nothing today.
type legacyOption struct {
	section, name string
	release       string
	toSection     *section // nil: ignored
	toName        string
	lost          string // what an ignored option protected against, for the warning
}

// legacyOptions is looked at when a section has no option of that name.
var legacyOptions = []legacyOption{
	{section: "syncer", name: "rate", release: "8.3", toSection: sectionDisk, toName: "resync-rate"},
	{section: "syncer", name: "after", release: "8.3", toSection: sectionDisk, toName: "resync-after"},
	{section: "disk", name: "rate", release: "8.4", toSection: sectionDisk, toName: "resync-rate"},
	{section: "disk", name: "after", release: "8.4", toSection: sectionDisk, toName: "resync-after"},
	{section: "disk", name: "fencing", release: "8.4", toSection: sectionNet, toName: "fencing"},
	{section: "handlers", name: "outdate-peer", release: "8.2", toSection: sectionHandlers, toName: "fence-peer"},
	{section: "syncer", name: "delay-probe-volume", release: "8.3"},
	{section: "syncer", name: "delay-probe-interval", release: "8.3"},
	{section: "syncer", name: "throttle-threshold", release: "8.3"},
	{section: "syncer", name: "hold-off-threshold", release: "8.3"},
	{section: "syncer", name: "group", release: "0.7", lost: "use resync-after to order resyncs"},
	{section: "disk", name: "max-bio-bvecs", release: "8.4"},
	{section: "disk", name: "use-bmbv", release: "8.4"},
	{section: "disk", name: "on-disconnect", release: "0.7", lost: "a lost connection is always tried again; to freeze I/O use fencing or quorum"},
	{section: "net", name: "on-disconnect", release: "0.7", lost: "a lost connection is always tried again; to freeze I/O use fencing or quorum"},
	{section: "net", name: "unplug-watermark", release: "8.4"},
}

func findLegacy(section, name string) *legacyOption {
	for i := range legacyOptions {
		if l := &legacyOptions[i]; l.section == section && l.name == name {
			return l
		}
	}
	return nil
}

// legacyOnce remarks on a keyword once per file.
func (p *parser) legacyOnce(pos Pos, severity Severity, key, format string, args ...any) {
	key = pos.File() + "\x00" + key
	if p.told[key] {
		return
	}
	p.told[key] = true
	p.add(pos, severity, format, args...)
}

func (p *parser) ignored(pos Pos, name, release, lost string) {
	if lost != "" {
		lost = ": " + lost
	}
	p.legacyOnce(pos, Warning, name, "'%s' is obsolete (DRBD %s) and ignored%s", name, release, lost)
}

func (p *parser) translated(pos Pos, old, release, today string) {
	p.legacyOnce(pos, Note, old, "'%s' is the spelling of DRBD %s; today it is '%s'", old, release, today)
}

// oldValue replaces values that only old releases had (section 9).
func (p *parser) oldValue(s *section, o *Option) {
	switch {
	case o.Name == "on-io-error" && o.Value == "panic":
		// Decided when the handlers are known: see panicOnError.
		p.legacyOnce(o.Pos, Warning, "on-io-error panic", "'on-io-error panic' is obsolete (DRBD 0.7): "+
			"the handler local-io-error is called when there is one, else the disk is detached")
	case o.Name == "after-sb-1pri" && o.Value == "panic":
		o.Value = "call-pri-lost-after-sb"
		p.legacyOnce(o.Pos, Warning, "after-sb-1pri panic", "'after-sb-1pri panic' is obsolete (DRBD 8.0): call-pri-lost-after-sb is used")
	}
}

// panicOnError gives `on-io-error panic` its meaning of today.
func panicOnError(options Options, handlers ...Options) {
	i := options.index("on-io-error")
	if i < 0 || options[i].Value != "panic" {
		return
	}
	options[i].Value = "detach"
	for _, h := range handlers {
		if _, ok := h.Get("local-io-error"); ok {
			options[i].Value = "call-local-io-error"
		}
	}
}

// discardChoice turns the host name in `after-sb-0pri discard-node-HOST` into who that is from here (section 7.4).
func discardChoice(value string, me, peer *Host) (string, error) {
	host, ok := strings.CutPrefix(value, discardNode)
	switch {
	case !ok:
		return value, nil
	case hasName(me, host):
		return "discard-local", nil
	case hasName(peer, host):
		return "discard-remote", nil
	}
	return "", fmt.Errorf("after-sb-0pri %s: '%s' is none of the hosts %s and %s", value, host, me.Name(), peer.Name())
}
