package adjust

import (
	"fmt"
	"strings"

	"drbd/internal/conf"
)

// Connections through a WAN proxy (section 12.8). The proxy is a program of its own with a control program; a connection there is
// named after the resource, the peer and us.

// Proxied reports whether a connection goes through a proxy.
func Proxied(l *conf.Link) bool {
	for _, p := range l.Paths {
		if p.MyProxy != nil && p.PeerProxy != nil {
			return true
		}
	}
	return false
}

// proxyName is the connection's name; me is the host section that our proxy belongs to.
func proxyName(r *conf.Resolved, l *conf.Link) string {
	return fmt.Sprintf("%s-%s-%s", r.Name, l.Peer.Name(), r.Here().Name())
}

func proxyCommand(lines ...string) Command {
	c := Command{Tool: Proxy}
	for _, l := range lines {
		c.Args = append(c.Args, "-c", l)
	}
	return c
}

// ProxyUp adds the connection to our proxy and sets its options.
func (p *Planner) ProxyUp(r *conf.Resolved, l *conf.Link) ([]Command, error) {
	if len(l.Paths) != 1 {
		return nil, fmt.Errorf("%s: resource '%s': a connection through a proxy can have one path only", l.Connection.Pos, r.Name)
	}
	path := l.Paths[0]
	mine, theirs := path.MyProxy, path.PeerProxy
	name := proxyName(r, l)
	out := []Command{proxyCommand(fmt.Sprintf("add connection %s %s %s %s %s", name, mine.Inside.Plain(), theirs.Outside.Plain(), mine.Outside.Plain(),
		path.Mine.Plain()))}
	var set []string
	for _, o := range mine.Options[conf.ClassProxy] {
		set = append(set, fmt.Sprintf("set %s %s %s", o.Name, name, o.Value))
	}
	for i, plugin := range mine.Plugins {
		set = append(set, fmt.Sprintf("set plugin %s %d %s", name, i, plugin))
	}
	if n := len(mine.Plugins); n > 0 { // older proxies have no plugins and do not know the word
		set = append(set, fmt.Sprintf("set plugin %s %d END", name, n))
	}
	if len(set) > 0 {
		out = append(out, proxyCommand(set...))
	}
	return out, nil
}

// ProxyDown removes the connection, also under the name that older releases gave it, which was made of the proxies' hosts.
func (p *Planner) ProxyDown(r *conf.Resolved, l *conf.Link) []Command {
	names := []string{proxyName(r, l)}
	for _, path := range l.Paths {
		if path.MyProxy == nil || path.PeerProxy == nil {
			continue
		}
		old := fmt.Sprintf("%s-%s-%s", r.Name, strings.Join(path.PeerProxy.Hosts, "_"), strings.Join(path.MyProxy.Hosts, "_"))
		if old != names[0] {
			names = append(names, old)
		}
		break
	}
	var out []Command
	for _, name := range names {
		out = append(out, proxyCommand("del connection "+name))
	}
	return out
}

// ProxyHere reports whether this host is one of those that have our end's proxy; only there it is told about connections.
func (p *Planner) ProxyHere(l *conf.Link) bool {
	for _, path := range l.Paths {
		if path.MyProxy == nil {
			continue
		}
		for _, name := range path.MyProxy.Hosts {
			if conf.SameHost(name, p.View.Host.Node) {
				return true
			}
		}
	}
	return false
}

// proxySteps plans a new connection through our proxy: what is left of an old one goes first.
func (p *Planner) proxySteps(plan *Plan, r *conf.Resolved, l *conf.Link) {
	if !Proxied(l) || !p.ProxyHere(l) {
		return
	}
	up, err := p.ProxyUp(r, l)
	if err != nil {
		if p.Warn != nil {
			p.Warn(l.Connection.Pos, err.Error())
		}
		return
	}
	for _, c := range p.ProxyDown(r, l) { // usually there is none
		plan.add(Step{Stage: StageDelPeer, Resource: r.Name, Commands: []Command{c}, MayFail: true})
	}
	plan.add(Step{Stage: StageNewPeer, Resource: r.Name, Commands: up})
}
