package lint

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"drbd/internal/conf"
)

// machineChecks look at the machine this runs on, so they say nothing when another host is pretended.
var machineChecks = []check{
	{"host", "a resource that is not for this host, or only by its address", func(l *linter, r *conf.Resolved) {
		switch {
		case r.Me == nil && !r.ProxyOnly:
			l.add(r, r.Pos, fmt.Sprintf("resource '%s' is not for this host: %s", r.Name, r.Why), "it is ignored here",
				"if it should run here, write the output of 'uname -n' behind 'on'")
		case r.Me != nil && r.Me.Kind == conf.HostOn && !named(r.Me, l.view.Host.Node):
			l.add(r, r.Me.Pos, fmt.Sprintf("'%s' of resource '%s' is this host by its address only; its name is %s", r.Me.Label(), r.Name, l.view.Host.Node),
				"other tools, and the drbd-utils of the distribution, compare names", "on "+l.view.Host.Node+" { ... }")
		}
	}},
	{"address", "an address that this host does not have", func(l *linter, r *conf.Resolved) {
		if l.view.Host.Pretended || l.view.Host.Addresses == nil || r.Me == nil || r.Stacked {
			return
		}
		ownEnds(r, func(a *conf.Address) {
			if !l.view.Host.HasAddress(a) {
				l.add(r, a.Pos, fmt.Sprintf("address %s of resource '%s' is on no interface of this host", a.Host, r.Name),
					"connections to peers cannot be made from it", "ip address add "+a.Host+"/PREFIX dev INTERFACE, or correct the address")
			}
		})
	}},
	{"port", "a port that something else uses or will use", func(l *linter, r *conf.Resolved) {
		ownEnds(r, func(a *conf.Address) {
			port, err := strconv.Atoi(a.Port)
			if err != nil {
				return
			}
			if ip, err := netip.ParseAddr(a.Host); err == nil && l.machine.Listener != nil && !l.view.Host.Pretended {
				if who := l.machine.Listener(netip.AddrPortFrom(ip, uint16(port))); who != "" {
					l.add(r, a.Pos, fmt.Sprintf("port %d of resource '%s' is in use by %s", port, r.Name, who), "DRBD cannot listen there, so peers cannot connect",
						"stop that program, or take another port on both hosts (7788 and up are usual)")
				}
			}
			if e := l.machine.Ephemeral; e[1] > 0 && port >= e[0] && port <= e[1] {
				l.add(r, a.Pos, fmt.Sprintf("port %d of resource '%s' is in the range of outgoing connections (%d to %d)", port, r.Name, e[0], e[1]),
					"some day another program's connection has it when DRBD starts", fmt.Sprintf("take a port below %d, or add it to net.ipv4.ip_local_reserved_ports", e[0]))
			}
		})
	}},
	{"disk", "a backing device that is missing, mounted, shared or may change its name", (*linter).checkDisks},
	{"handler", "a handler whose program is not there", func(l *linter, r *conf.Resolved) {
		for _, o := range r.Options[conf.ClassHandlers] {
			program := firstWord(o.Value)
			if strings.HasPrefix(program, "/") && l.machine.Program != nil && !l.machine.Program(strings.TrimRight(program, ";")) {
				l.add(r, o.Pos, fmt.Sprintf("the handler '%s' of resource '%s' calls %s, which is not an executable file here", o.Name, r.Name, program),
					"when the event comes nothing happens, or fencing fails", "install the program, or correct the path")
			}
		}
	}},
	{"readable-secret", "a secret in a file that everybody can read", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			if secret, pos := option(o, "shared-secret"); secret != "" && l.machine.Readable != nil && l.machine.Readable(pos.File()) {
				l.add(r, pos, "everybody on this host can read the shared-secret", "who knows it can pretend to be the peer", "chmod 600 "+pos.File())
			}
		})
	}},
}

func named(h *conf.Host, node string) bool {
	for _, n := range h.Names {
		if conf.SameHost(n, node) {
			return true
		}
	}
	return false
}

// ownEnds visits our addresses, each once.
func ownEnds(r *conf.Resolved, look func(a *conf.Address)) {
	seen := map[conf.AddressKey]bool{}
	for _, l := range r.Links {
		for _, p := range l.Paths {
			if key := p.Mine.Key(); !seen[key] {
				seen[key] = true
				look(p.Mine)
			}
		}
	}
}

// unstable are names that the kernel gives in the order in which it finds disks.
var unstable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^/dev/(sd[a-z]+|vd[a-z]+|hd[a-z]|xvd[a-z]+|nvme\d+n\d+|dm-\d+|loop\d+)(p?\d+)?$`)
})

func (l *linter) checkDisks(r *conf.Resolved) {
	if l.view.Host.Pretended || l.machine.Disk == nil {
		return
	}
	volumes(r, func(v *conf.Volume) {
		l.checkDisk(r, v, v.Disk, v.DiskPos, "disk")
		if v.MetaDisk != "internal" && v.MetaDisk != "" {
			l.checkDisk(r, v, v.MetaDisk, v.MetaPos, "meta-disk")
		}
	})
}

func (l *linter) checkDisk(r *conf.Resolved, v *conf.Volume, path string, pos conf.Pos, what string) {
	owner := fmt.Sprintf("resource '%s', volume %d", r.Name, v.Nr)
	info := l.machine.Disk(path)
	switch {
	case r.Stacked: // its disk is there when the lower resource is Primary
		return
	case info.Missing:
		l.add(r, pos, fmt.Sprintf("%s: %s %s is not there", owner, what, path), "the volume cannot be attached", "create it (lvcreate, partition), or correct the path")
		return
	case info.NotBlock:
		l.add(r, pos, fmt.Sprintf("%s: %s %s is not a block device", owner, what, path), "the volume cannot be attached", "name a partition, a logical volume or another block device")
		return
	case info.MountedOn != "":
		l.add(r, pos, fmt.Sprintf("%s: %s %s is in use by itself (%s)", owner, what, path, info.MountedOn),
			"DRBD cannot have it, and what is written past DRBD is not on the peer", "unmount it, and use "+v.DeviceName()+" instead")
	}
	if unstable().MatchString(path) && !strings.HasPrefix(path, "/dev/loop") {
		l.add(r, pos, fmt.Sprintf("%s: the kernel may give the name %s to another disk at the next start", owner, path),
			"DRBD would find no metadata there, or those of something else", "a logical volume, or a name in /dev/disk/by-id")
	}
	if info.Number == 0 || what == "meta-disk" {
		return
	}
	if other, taken := l.disks[info.Number]; taken && other != owner {
		l.add(r, pos, fmt.Sprintf("%s: disk %s is also the disk of %s", owner, path, other), "each would overwrite the other's data", "one disk for one volume")
	}
	l.disks[info.Number] = owner
}
