package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// AddressKey is equal for addresses that are the same, however they are written (section 7.1).
type AddressKey struct {
	family, port string
	ip           netip.Addr
	host         string // instead of ip, when it is none
}

// Key is what to compare addresses by.
func (a *Address) Key() AddressKey {
	k := AddressKey{family: a.Family, port: a.Port, ip: a.ip}
	if !k.ip.IsValid() {
		k.host = a.Host
	}
	return k
}

// checkVolumes compares the volumes of the hosts and what each needs (section 7.4).
func (x *resolver) checkVolumes() {
	if len(x.r.Hosts) == 0 {
		x.warn(x.r.Pos, "resource '%s' has no 'on' section", x.r.Name)
		return
	}
	for _, h := range x.r.Hosts {
		for _, v := range h.Volumes {
			if v.Minor < 0 {
				x.fail(v.Pos, "volume %d of '%s' in resource '%s' has no device: add 'device /dev/drbd<minor>;'", v.Nr, h.Label(), x.r.Name)
			}
			if v.Disk == "" && v.MetaDisk != "" {
				x.fail(v.Pos, "volume %d of '%s' in resource '%s' has a meta-disk, but no disk", v.Nr, h.Label(), x.r.Name)
			}
		}
		for _, other := range x.r.Hosts {
			x.checkSameVolumes(h, other)
		}
	}
}

func (x *resolver) checkSameVolumes(h, other *Host) {
	for _, v := range other.Volumes {
		if own := h.Volume(v.Nr); own == nil {
			x.fail(h.Pos, "'%s' of resource '%s' has no volume %d, but '%s' has it (%s)", h.Label(), x.r.Name, v.Nr, other.Label(), v.Pos)
		} else if own.Implicit && !v.Implicit {
			x.fail(own.Pos, "volume 0 of resource '%s' stands in a 'volume' section on '%s', but not on '%s'", x.r.Name, other.Label(), h.Label())
		}
	}
}

// user is who has something that only one may have.
type user struct {
	pos      *Pos
	resource *Resolved
}

// claims is who has what, of one kind.
type claims[K comparable] map[K]user

// claim gives a thing to its first user, or returns the one who has it already.
func (c claims[K]) claim(key K, u user) (first user, taken bool) {
	if first, taken = c[key]; !taken {
		c[key] = u
	}
	return first, taken
}

// Things that belong to one host.
type (
	hostMinor struct {
		host  string
		minor int
	}
	hostMeta struct {
		host, disk string
		index      int // -1: all of it
	}
)

// checkConflicts finds what two resources claim for themselves (section 7.1).
func (v *View) checkConflicts() {
	c := conflicts{
		view: v, lowers: claims[string]{}, metas: claims[hostMeta]{},
		minors: make(claims[hostMinor], 2*len(v.Resources)), addresses: make(claims[AddressKey], 2*len(v.Resources)),
	}
	for _, r := range v.Resources {
		if !r.Damaged {
			c.resource(r)
		}
	}
}

type conflicts struct {
	view      *View
	lowers    claims[string]
	minors    claims[hostMinor]
	metas     claims[hostMeta]
	addresses claims[AddressKey]
}

func (c *conflicts) resource(r *Resolved) {
	for _, h := range r.Hosts {
		if h.Kind == HostStacked {
			u := user{&h.Pos, r}
			if first, taken := c.lowers.claim(h.Lower, u); taken {
				c.tell(u, first, "lower resource %s", h.Lower)
			}
			continue
		}
		for _, vol := range h.Volumes {
			for _, name := range h.Names {
				c.volume(r, vol, name)
			}
		}
	}
	for _, a := range r.ownAddresses() {
		if isLoopback(a) {
			continue
		}
		u := user{&a.Pos, r}
		if first, taken := c.addresses.claim(a.Key(), u); taken && first.resource.Name != u.resource.Name {
			c.tell(u, first, "address %v", a)
		}
	}
}

func (c *conflicts) volume(r *Resolved, v *Volume, host string) {
	if v.Minor >= 0 {
		u := user{&v.DevicePos, r}
		if first, taken := c.minors.claim(hostMinor{host, v.Minor}, u); taken {
			c.tell(u, first, "minor %d on host %s", v.Minor, host)
		}
	}
	if v.MetaDisk == "" || v.MetaDisk == "internal" {
		return
	}
	u := user{&v.MetaPos, r}
	if first, taken := c.metas.claim(hostMeta{host, v.MetaDisk, v.MetaIndex}, u); taken {
		index := "flexible"
		if v.MetaIndex >= 0 {
			index = strconv.Itoa(v.MetaIndex)
		}
		c.tell(u, first, "meta-disk %s [%s] on host %s", v.MetaDisk, index, host)
	}
}

func (c *conflicts) tell(u, first user, what string, args ...any) {
	c.view.Diagnostics.add(*u.pos, Error, u.resource.Name, "%s of resource '%s' is already used by resource '%s' (%s)", fmt.Sprintf(what, args...),
		u.resource.Name, first.resource.Name, first.pos)
}

// ownAddresses lists every address once that a host of the resource listens on.
func (r *Resource) ownAddresses() []*Address {
	out := make([]*Address, 0, len(r.Hosts))
	add := func(a *Address) {
		if a != nil && !slices.ContainsFunc(out, func(o *Address) bool { return o == a || o.Key() == a.Key() }) {
			out = append(out, a)
		}
	}
	for _, h := range r.Hosts {
		if h.Kind != HostStacked {
			add(h.Address)
		}
	}
	for _, c := range r.Connections {
		for _, p := range c.Paths {
			for _, e := range p.Ends {
				add(e.Address)
			}
		}
	}
	return out
}

// ResyncAfter finds the minor that `resync-after RESOURCE[/VOLUME]` means here (section 7.4).
func (v *View) ResyncAfter(value string) (minor int, err error) {
	name, volume, given := strings.Cut(value, "/")
	r := v.Resource(name)
	if r == nil {
		if given || name == "" {
			name = value
		}
		return -1, fmt.Errorf("resource '%s' of resync-after is not known", name)
	}
	if r.Me == nil {
		return -1, fmt.Errorf("resource '%s' of resync-after is not known on this host", name)
	}
	if !given {
		if len(r.Me.Volumes) != 1 {
			return -1, fmt.Errorf("resync-after %s must name a volume, because that resource has %d: write %s/<volume>", name, len(r.Me.Volumes), name)
		}
		return r.Me.Volumes[0].Minor, nil
	}
	nr, err := strconv.Atoi(volume)
	if err != nil || r.Me.Volume(nr) == nil {
		return -1, fmt.Errorf("resource '%s' of resync-after has no volume %s", name, volume)
	}
	return r.Me.Volume(nr).Minor, nil
}
