package conf

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
)

// Identity is what tells this host from others.
type Identity struct {
	Node string // uname -n
	// Pretended: Node was given by the environment, so this machine's addresses say nothing.
	Pretended bool
	// Addresses of interfaces; nil: not known.
	Addresses []netip.Addr
}

// NodeVariable overrides the node name (section 6.1).
const NodeVariable = "__DRBD_NODE__"

// ThisHost finds out who we are.
func ThisHost() (Identity, error) {
	if name := os.Getenv(NodeVariable); name != "" {
		return Identity{Node: name, Pretended: true}, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return Identity{}, fmt.Errorf("the name of this host: %w", err)
	}
	id := Identity{Node: name}
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return id, nil // without addresses the names must do
	}
	for _, a := range addresses {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			id.Addresses = append(id.Addresses, ip.Unmap())
		}
	}
	return id, nil
}

// HasAddress reports whether an interface has the address. Other families than IP cannot be looked up and count as there.
func (id Identity) HasAddress(a *Address) bool {
	if a.Family != "ipv4" && a.Family != "ipv6" {
		return true
	}
	for _, own := range id.Addresses {
		if own.WithZone("") == a.ip.WithZone("") {
			return true
		}
	}
	return false
}

// String is for messages.
func (id Identity) String() string {
	var addresses []string
	for _, a := range id.Addresses {
		if !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			addresses = append(addresses, a.String())
		}
	}
	if len(addresses) == 0 {
		return fmt.Sprintf("node name '%s'", id.Node)
	}
	return fmt.Sprintf("node name '%s', addresses %s", id.Node, strings.Join(addresses, ", "))
}

// SameHost compares host names: without case, and by the part before the first dot unless both have one (section 6.1).
func SameHost(a, b string) bool {
	shortA, _, fullA := strings.Cut(a, ".")
	shortB, _, fullB := strings.Cut(b, ".")
	if fullA && fullB {
		return strings.EqualFold(a, b)
	}
	return strings.EqualFold(shortA, shortB)
}

func hasName(h *Host, name string) bool {
	if h == nil {
		return false
	}
	for _, n := range h.Names {
		if SameHost(n, name) {
			return true
		}
	}
	return false
}

func (id Identity) isHost(h *Host) bool {
	switch h.Kind {
	case HostFloating:
		return id.Node == h.Names[0] || id.Node == h.Address.Host || !id.Pretended && id.HasAddress(h.Address)
	case HostOn:
		return hasName(h, id.Node)
	}
	return false
}

// isHostByAddress is the second try when no name fits: somebody renamed the machine, or the file has other names on purpose.
func (id Identity) isHostByAddress(h *Host) bool {
	if id.Pretended || h.Kind != HostOn || h.Address == nil || isLoopback(h.Address) || h.Address.Family != "ipv4" && h.Address.Family != "ipv6" {
		return false
	}
	return id.HasAddress(h.Address)
}

func isLoopback(a *Address) bool { return a.ip.IsLoopback() }
