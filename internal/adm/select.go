package adm

import (
	"slices"
	"strconv"
	"strings"

	"drbd/internal/conf"
)

// scope is what a command is about.
type scope int

const (
	scopeNone     scope = iota // no resource names
	scopeConfig                // names are possible; without: the whole configuration
	scopeResource              // whole resources
	scopeVolume
	scopePeer
	scopePeerDevice
	scopePath
	scopeAny // as selected: handlers, waiting
)

// selection is one word of the command line looked up.
type selection struct {
	r *conf.Resolved
	v *conf.Volume // nil: all
	l *conf.Link   // nil: all
	// named: not by `all`.
	named bool
}

// target is one thing that a command works on.
type target struct {
	selection
	d    *conf.PeerDevice
	path *conf.LinkPath
}

// broken reports whether the configuration of a resource has errors.
func (a *App) broken(r *conf.Resolved) bool { return a.view.Diagnostics.FailedFor(r.Name) }

// usable reports whether a resource can be worked on, at least with this command.
func (a *App) usable(r *conf.Resolved) bool {
	if a.view.Diagnostics.FailedGlobally() && !a.cmd.safe {
		return false
	}
	for _, d := range a.view.Diagnostics {
		if d.Severity == conf.Error && d.Resource == r.Name {
			return false
		}
	}
	return true
}

// all are the resources that `all` means, in file order.
func (a *App) all() []*conf.Resolved {
	var out []*conf.Resolved
	for _, r := range a.view.Resources {
		if r.Stacked == a.line.stacked && r.Me != nil || r.ProxyOnly && a.cmd.proxyToo {
			out = append(out, r)
		}
	}
	return out
}

// selected looks up all words. What cannot be used is told and left out; the code says whether there was such a word.
func (a *App) selected() (out []selection, worst int) {
	if len(a.line.words) == 0 {
		a.warn("drbdadm %s needs the name of a resource, or all", a.cmd.name)
		return nil, exitUsage
	}
	for _, word := range a.line.words {
		if word == "all" {
			list, code := a.selectAll()
			out, worst = append(out, list...), max(worst, code)
			continue
		}
		s, code := a.selectWord(word)
		if code != exitOK {
			worst = max(worst, code)
			continue
		}
		out = append(out, s)
	}
	return out, worst
}

func (a *App) selectAll() (out []selection, code int) {
	host := a.view.Host.Node
	resources := a.all()
	switch {
	case len(a.view.Resources) == 0:
		a.warn("no resources defined!")
		return nil, exitUsage
	case len(resources) == 0 && a.line.stacked:
		a.warn("WARN: nothing stacked for this host (%s), nothing to do in stacked mode!", host)
		return nil, exitUsage
	case len(resources) == 0:
		a.warn("WARN: no normal resources defined for this host (%s)!?", host)
		const most = 5 // the others have the same names
		for i, r := range a.view.Resources {
			if i == most {
				a.warn("... and %d more", len(a.view.Resources)-most)
				break
			}
			if r.Why != "" {
				a.warn("resource '%s': %s", r.Name, r.Why)
			}
		}
		return nil, exitUsage
	}
	for _, r := range resources {
		if !a.usable(r) {
			a.warn("%s: left out, because its configuration has errors", r.Name)
			code = exitConfig
			continue
		}
		out = append(out, selection{r: r})
	}
	return out, code
}

// selectWord looks up RESOURCE[:PEER][/VOLUME] or minor-N (section 10.3).
func (a *App) selectWord(word string) (selection, int) {
	if err := conf.CheckName(word); err != nil {
		a.warn("drbdadm: %v", err)
		return selection{}, exitUsage
	}
	if digits, ok := strings.CutPrefix(word, "minor-"); ok && a.view.Resource(word) == nil {
		return a.selectMinor(word, digits)
	}
	s := selection{r: a.view.Resource(word), named: true}
	var volume, peer string
	var hasVolume, hasPeer bool
	if s.r == nil {
		var name string
		name, volume, hasVolume = strings.Cut(word, "/")
		name, peer, hasPeer = strings.Cut(name, ":")
		s.r = a.view.Resource(name)
	}
	if !hasPeer && a.line.peer != "" {
		peer, hasPeer = a.line.peer, true
	}
	switch {
	case s.r == nil:
		a.warn("'%s' not defined in your config (for this host).%s", word, a.suggestResource(word))
		return s, exitUsage
	case !a.usable(s.r):
		a.warn("%s: nothing is done, because its configuration has errors", s.r.Name)
		return s, exitConfig
	case s.r.ProxyOnly && a.cmd.proxyToo:
	case s.r.Me == nil && s.r.ProxyOnly:
		a.warn("'%s' ignored, since this host (%s) is a proxy node, not a DRBD node.", word, a.view.Host.Node)
		return s, exitUsage
	case s.r.Me == nil:
		a.warn("'%s' not defined in your config (for this host): %s", word, s.r.Why)
		return s, exitUsage
	}
	if s.r.Me == nil && hasVolume {
		a.warn("Resource '%s' has no volume %s", s.r.Name, volume)
		return s, exitUsage
	}
	if hasVolume && !a.selectVolume(&s, word, volume) || hasPeer && !a.selectPeer(&s, word, peer) {
		return s, exitUsage
	}
	return s, exitOK
}

func (a *App) suggestResource(word string) string {
	var names []string
	for _, r := range a.view.Resources {
		names = append(names, r.Name)
	}
	if len(names) == 0 {
		return " " + a.view.Config.File + " defines no resource."
	}
	if len(names) > 8 {
		names = append(names[:8], "...")
	}
	return " " + a.view.Config.File + " defines: " + strings.Join(names, ", ")
}

func (a *App) selectMinor(word, digits string) (selection, int) {
	minor, err := strconv.Atoi(digits)
	for _, r := range a.view.Resources {
		if r.Me == nil || err != nil || !a.usable(r) {
			continue
		}
		for _, v := range r.Me.Volumes {
			if v.Minor == minor {
				return selection{r: r, v: v, named: true}, exitOK
			}
		}
	}
	a.warn("'%s' not defined in your config (for this host).", word)
	return selection{}, exitUsage
}

func (a *App) selectVolume(s *selection, word, volume string) bool {
	nr, err := strconv.Atoi(volume)
	if err == nil {
		s.v = s.r.Me.Volume(nr)
	}
	if s.v == nil {
		a.warn("Resource '%s' has no volume %s", s.r.Name, volume)
		return false
	}
	return true
}

func (a *App) selectPeer(s *selection, word, peer string) bool {
	for _, l := range s.r.Links {
		if l.Name == peer || slices.ContainsFunc(l.Peer.Names, func(n string) bool { return conf.SameHost(n, peer) }) {
			s.l = l
			return true
		}
	}
	if slices.ContainsFunc(s.r.Here().Names, func(n string) bool { return conf.SameHost(n, peer) }) {
		a.warn("Host name '%s' (from '%s') is not a peer, but the local node", peer, word)
		return false
	}
	a.warn("Not a valid connection (%s:%s) for this host", s.r.Name, peer)
	return false
}

// expand makes targets of a selection. A selection that is finer than the command is refused.
func (a *App) expand(s selection) (out []target, code int) {
	switch sc := a.cmd.scope; {
	case s.v != nil && (sc == scopeResource || sc == scopePeer || sc == scopePath) && !a.cmd.volumeToo:
		a.warn("%s operates on whole %s, but you specified a specific volume!", a.cmd.name, map[bool]string{true: "resources", false: "connections"}[sc == scopeResource])
		return nil, exitUsage
	case s.l != nil && (sc == scopeResource || sc == scopeVolume):
		a.warn("%s operates on whole resources, but you specified a specific connection!", a.cmd.name)
		return nil, exitUsage
	case sc == scopeVolume:
		return a.expandVolumes(s)
	case sc == scopeResource || sc == scopeAny || sc == scopeConfig:
		return []target{{selection: s}}, exitOK
	}
	for _, l := range s.r.Links {
		if s.l == nil || s.l == l {
			out = append(out, expandLink(a.cmd.scope, s, l)...)
		}
	}
	return out, exitOK
}

func expandLink(sc scope, s selection, l *conf.Link) (out []target) {
	s.l = l
	switch sc {
	case scopePath:
		for i := range l.Paths {
			out = append(out, target{selection: s, path: &l.Paths[i]})
		}
	case scopePeerDevice:
		for i := range l.Devices {
			t := target{selection: s, d: &l.Devices[i]}
			v := s.r.Me.Volume(t.d.Nr)
			if s.v != nil && s.v != v || v == nil {
				continue
			}
			t.v = v
			out = append(out, t)
		}
	default:
		out = append(out, target{selection: s})
	}
	return out
}

func (a *App) expandVolumes(s selection) (out []target, code int) {
	if s.v != nil {
		if a.cmd.needsDisk && s.v.Diskless() {
			a.warn("The %s command requires a local disk, but the configuration gives none.", a.cmd.name)
			return nil, exitConfig
		}
		return []target{{selection: s}}, exitOK
	}
	for _, v := range s.r.Me.Volumes {
		if a.cmd.needsDisk && v.Diskless() {
			continue
		}
		t := target{selection: s}
		t.v = v
		out = append(out, t)
	}
	if len(out) == 0 && s.named && a.cmd.needsDisk && len(s.r.Me.Volumes) > 0 {
		a.warn("The %s command requires a local disk, but the configuration gives none.", a.cmd.name)
		return nil, exitConfig
	}
	return out, exitOK
}
