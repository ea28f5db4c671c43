package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Key is equal for addresses that are the same, however they are written (section 7.1).
func (a *Address) Key() string {
	host := a.Host
	if ip, err := netip.ParseAddr(a.Host); err == nil {
		host = ip.String()
	}
	return a.Family + ":" + host + ":" + a.Port
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
	pos      Pos
	resource string
}

// checkConflicts finds what two resources claim for themselves (section 7.1).
func (v *View) checkConflicts() {
	metas, lowers := map[string]user{}, map[string]user{}
	minors, addresses := make(map[string]user, 2*len(v.Resources)), make(map[string]user, 2*len(v.Resources))
	claim := func(table map[string]user, key string, u user, others bool, what string, args ...any) {
		first, taken := table[key]
		if !taken {
			table[key] = u
			return
		}
		if !others || first.resource != u.resource {
			v.Diagnostics.add(u.pos, Error, u.resource, "%s of resource '%s' is already used by resource '%s' (%s)", fmt.Sprintf(what, args...), u.resource,
				first.resource, first.pos)
		}
	}
	for _, r := range v.Resources {
		if r.Damaged {
			continue
		}
		for _, h := range r.Hosts {
			if h.Kind == HostStacked {
				claim(lowers, h.Lower, user{h.Pos, r.Name}, false, "lower resource %s", h.Lower)
				continue
			}
			for _, vol := range h.Volumes {
				for _, name := range h.Names {
					claimVolume(claim, minors, metas, r, vol, name)
				}
			}
		}
		for _, a := range r.ownAddresses() {
			if !isLoopback(a) {
				claim(addresses, a.Key(), user{a.Pos, r.Name}, true, "address %v", a)
			}
		}
	}
}

func claimVolume(claim func(map[string]user, string, user, bool, string, ...any), minors, metas map[string]user, r *Resolved, v *Volume, host string) {
	if v.Minor >= 0 {
		claim(minors, host+":"+strconv.Itoa(v.Minor), user{v.DevicePos, r.Name}, false, "minor %d on host %s", v.Minor, host)
	}
	if v.MetaDisk == "" || v.MetaDisk == "internal" {
		return
	}
	index := "flexible"
	if v.MetaIndex >= 0 {
		index = strconv.Itoa(v.MetaIndex)
	}
	claim(metas, host+":"+v.MetaDisk+"["+index+"]", user{v.MetaPos, r.Name}, false, "meta-disk %s [%s] on host %s", v.MetaDisk, index, host)
}

// ownAddresses lists every address once that a host of the resource listens on.
func (r *Resource) ownAddresses() []*Address {
	var out []*Address
	add := func(a *Address) {
		if a != nil && !slices.ContainsFunc(out, func(o *Address) bool { return o.Key() == a.Key() }) {
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
