package adm

import (
	"strconv"

	"drbd/internal/adjust"
	"drbd/internal/conf"
)

func itoa(n int) string { return strconv.Itoa(n) }

func init() {
	commands = append(commands, publicCommands()...)
	commands = append(commands, shellCommands()...)
	commands = append(commands, expertCommands()...)
	for _, event := range conf.Handlers {
		commands = append(commands, &command{name: event, about: "run the handler of this event", group: groupCallback, scope: scopeAny,
			callback: true, safe: true, volumeToo: true, run: (*App).runHandler})
	}
}

func publicCommands() []*command {
	planning := []string{"connect", "drbdadm adjust"}
	return []*command{
		{name: "up", about: "bring resources up as configured", group: groupPublic, scope: scopeResource, checksIP: true, showsNotes: true,
			backends: []string{"connect"}, run: (*App).up},
		{name: "adjust", about: "bring what runs to what is configured", group: groupPublic, scope: scopeResource, checksIP: true, volumeToo: true, proxyToo: true,
			showsNotes: true, backends: planning, run: (*App).adjust},
		{name: "adjust-with-progress", about: "the same, showing what is being done", group: groupPublic, scope: scopeResource, checksIP: true,
			volumeToo: true, proxyToo: true, showsNotes: true, backends: planning, run: (*App).adjustWithProgress},
		perResource("down", "take resources down").with(safe),
		perResource("primary", "make this node Primary: the device can be used here"),
		perResource("secondary", "make this node Secondary").with(safe),
		role(),
		planned("attach", "give devices their disks", scopeVolume, func(p *adjust.Planner, t target) []adjust.Command { return p.Attach(t.v) }).with(diskIP),
		perVolume("detach", "take the disks away from devices").with(diskIP),
		perPeer("connect", "connect to peers").with(ip),
		perPeer("disconnect", "end the connections to peers").with(safe),
		perPeer("cstate", "print the states of the connections").with(safe),
		perVolume("dstate", "print the states of the disks").with(safe).withMeta(noWords),
		perVolume("invalidate", "throw the local data away and fetch it from a peer").with(disk).withMeta(noWords),
		perPeerDevice("invalidate-remote", "replace a peer's data by the local data"),
		perPeerDevice("pause-sync", "pause the resync with peers"),
		perPeerDevice("resume-sync", "let a paused resync go on"),
		perPeerDevice("verify", "compare the data with a peer's"),
		perResource("explain", "say why the peers are connected as they are, what their handshake decided, and what to do").with(safe),
		perPeerDevice("show-gi", "print the data generations with an explanation").with(safe).withMeta(nodeIDWord),
		perPeerDevice("get-gi", "print the data generations").with(safe).withMeta(nodeIDWord),
		forgetPeer(),
		planned("resize", "adapt devices to the size of their disks", scopeVolume, func(p *adjust.Planner, t target) []adjust.Command { return p.Resize(t.v) }).with(diskIP),
		{name: "outdate", about: "mark the local data as not the newest", group: groupPublic, scope: scopeVolume, needsDisk: true,
			backends: []string{"outdate"}, run: (*App).outdate},
		planned("create-md", "make new metadata", scopeVolume, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.CreateMD(t.r, t.v)}
		}).with(func(c *command) { c.needsDisk, c.showsNotes, c.backends = true, true, []string{"drbdmeta create-md"} }),
		onMeta("dump-md", "print the metadata as text"),
		onMeta("wipe-md", "remove the metadata"),
		onMeta("apply-al", "apply the activity log of a node that crashed"),
		onMeta("repair-md", "move the metadata of a disk that grew"),
		dumpSuperblock(),
		planned("new-peer", "make peers known", scopePeer, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.NewPeer(t.r, t.l)}
		}).with(ip),
		perPeer("del-peer", "forget connections").with(ip),
		planned("new-path", "add the configured paths", scopePath, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.NewPath(t.r, t.l.PeerID, t.path.Mine, t.path.Theirs)}
		}).with(ip),
		planned("del-path", "remove the configured paths", scopePath, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.DelPath(t.r, t.l.PeerID, t.path.Mine, t.path.Theirs)}
		}).with(ip),
		planned("resource-options", "set the options of resources", scopeResource, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.ResourceOptions(t.r, false)}
		}),
		planned("net-options", "set the options of connections", scopePeer, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.NetOptions(t.r, t.l, false)}
		}).with(ip),
		planned("disk-options", "set the options of disks", scopeVolume, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.DiskOptions(t.v, false)}
		}).with(disk),
		planned("peer-device-options", "set the options of volumes towards peers", scopePeerDevice, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.PeerDeviceOptions(t.r, t.l, *t.d, false)}
		}),
		{name: "wait-connect", about: "wait until the peers are connected", group: groupPublic, scope: scopeAny, checksIP: true, volumeToo: true,
			backends: []string{"wait-connect-resource"}, run: (*App).iterate, each: waitFor("wait-connect")},
		{name: "wait-sync", about: "wait until everything is in sync", group: groupPublic, scope: scopeAny, checksIP: true, volumeToo: true,
			backends: []string{"wait-sync-resource"}, run: (*App).iterate, each: waitFor("wait-sync")},
		{name: "wait-con-int", about: "wait for all peers while the machine starts", group: groupPublic, scope: scopeNone,
			backends: []string{"wait-connect-resource"}, run: (*App).waitAtStart},
		{name: "status", about: "print the states of resources", group: groupPublic, scope: scopeConfig, safe: true, backends: []string{"status"}, run: (*App).status},
		{name: "dump", about: "print the configuration as it was understood", group: groupPublic, scope: scopeConfig, takesTest: true, showsNotes: true,
			backends: []string{"drbdadm dump"}, run: (*App).dump},
		{name: "dump-xml", about: "print the configuration as XML", group: groupPublic, scope: scopeConfig, takesTest: true, run: (*App).dump},
		{name: "lint", about: "look for what is valid and will hurt: options, disks, addresses, ports, handlers", group: groupPublic, scope: scopeConfig, safe: true,
			showsNotes: true, run: (*App).lint},
		{name: "hidden-commands", about: "list the commands that are for programs", group: groupPublic, scope: scopeNone, noConfig: true, run: (*App).hiddenCommands},
	}
}

// role of this node, or with RESOURCE:PEER of a peer.
func role() *command {
	c := perResource("role", "print the role of this node, or of the peer that was named").with(safe)
	c.scope = scopeAny
	c.each = func(a *App, t target) []adjust.Command {
		if t.l != nil {
			return []adjust.Command{a.setupCommand("peer-role", t.r.Name, itoa(t.l.PeerID))}
		}
		return []adjust.Command{a.setupCommand("role", t.r.Name)}
	}
	return c
}

func forgetPeer() *command {
	c := perPeer("forget-peer", "free what the metadata keeps about a peer")
	c.backends = append(c.backends, "drbdmeta forget-peer")
	c.each = func(a *App, t target) []adjust.Command {
		commands := []adjust.Command{a.setupCommand("forget-peer", t.r.Name, itoa(t.l.PeerID))}
		for _, v := range t.r.Me.Volumes {
			if !v.Diskless() {
				fallback := a.planner().Meta(v, "forget-peer", append(nodeIDWord(t), "forget-peer")...)
				fallback.Fallback = true
				commands = append(commands, fallback)
			}
		}
		return commands
	}
	return c
}

func dumpSuperblock() *command {
	c := onMeta("dump-superblock", "print the superblock of the metadata")
	c.each = func(a *App, t target) []adjust.Command {
		words := []string{"dump-superblock"}
		if len(a.line.argsFor("drbdmeta dump-superblock")) == 0 {
			words = append(words, "--output-format=json")
		}
		return []adjust.Command{a.planner().Meta(t.v, "dump-superblock", words...)}
	}
	return c
}

func expertCommands() []*command {
	return []*command{
		planned("new-minor", "create devices", scopeVolume, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.NewMinor(t.r, t.v)}
		}).with(expert),
		planned("new-resource", "create resources", scopeResource, func(p *adjust.Planner, t target) []adjust.Command {
			return []adjust.Command{p.NewResource(t.r)}
		}).with(shell),
		perVolume("del-minor", "remove devices").with(expert),
		perVolume("suspend-io", "freeze I/O").with(expert),
		perVolume("resume-io", "let frozen I/O go on").with(expert),
		perVolume("new-current-uuid", "create a new data generation").with(expert),
		planned("check-resize", "note the size of disks, or move metadata after a disk grew", scopeVolume, func(p *adjust.Planner, t target) []adjust.Command {
			return p.Resize(t.v)
		}).with(expert).with(disk),
		setGI(),
		proxyCommand("proxy-up", "connect the proxy on this host to those of the peers", func(p *adjust.Planner, t target) ([]adjust.Command, error) {
			return p.ProxyUp(t.r, t.l)
		}),
		proxyCommand("proxy-down", "disconnect the proxy on this host", func(p *adjust.Planner, t target) ([]adjust.Command, error) {
			return p.ProxyDown(t.r, t.l), nil
		}),
		perPeer("peer-role", "print the roles of peers").with(func(c *command) { c.group, c.safe = groupHidden, true }),
	}
}

// proxyCommands tell the proxy on this host about connections. With `all`, resources without a proxy here are left out.
func proxyCommand(name, about string, each func(p *adjust.Planner, t target) ([]adjust.Command, error)) *command {
	c := row(name, about, scopePeer, func(a *App, t target) []adjust.Command {
		p := a.planner()
		switch {
		case !adjust.Proxied(t.l):
			if t.named {
				a.warn("%s: the connection to %s has no proxy", t.r.Name, t.l.Peer.Name())
			}
			return nil
		case !p.ProxyHere(t.l):
			if t.named {
				a.warn("The proxy config in resource %s is not for %s.", t.r.Name, a.view.Host.Node)
				a.failed = max(a.failed, exitConfig)
			}
			return nil
		}
		commands, err := each(p, t)
		if err != nil {
			a.warn("%v", err)
			a.failed = max(a.failed, exitConfig)
		}
		return commands
	})
	c.group, c.backends, c.proxyToo = groupShell, nil, true
	return c
}

func setGI() *command {
	c := row("set-gi", "set the data generations of a device that is not running", scopePeerDevice, func(a *App, t target) []adjust.Command {
		return []adjust.Command{a.planner().Meta(t.v, "set-gi", append(nodeIDWord(t), "set-gi")...)}
	})
	c.group, c.backends = groupExpert, nil
	return c
}
