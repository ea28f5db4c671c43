package setup

import (
	"cmp"
	"errors"
	"slices"

	"drbd/internal/genl"
)

// snapshot is the state of one resource put together from the dumps.
type snapshot struct {
	genl.Resource
	Devices     []genl.Device
	Connections []connection
}

type connection struct {
	genl.Connection
	PeerDevices []genl.PeerDevice
	Paths       []genl.Path
	// PathsKnown: the module has path objects.
	PathsKnown bool
}

const nothingConfigured = "# No currently configured DRBD found."

// load gets one resource, or all ("" or "all"). A named resource that does not exist is an error.
func (c *call) load(name string, withPaths bool) ([]snapshot, error) {
	resources, err := c.client.Resources(c.ctx)
	if err != nil {
		return nil, err
	}
	var out []snapshot
	for _, r := range resources {
		if name != "" && name != "all" && name != r.Name {
			continue
		}
		s := snapshot{Resource: r}
		err := s.fill(c, withPaths)
		if errors.Is(err, genl.ErrResNotKnown) {
			continue // it went away meanwhile
		}
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if len(out) == 0 && name != "" && name != "all" {
		return nil, failf(ExitRefused, "%s: No such resource", name)
	}
	slices.SortStableFunc(out, func(a, b snapshot) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func (s *snapshot) fill(c *call, withPaths bool) error {
	var err error
	if s.Devices, err = c.client.Devices(c.ctx, s.Name); err != nil {
		return err
	}
	slices.SortStableFunc(s.Devices, func(a, b genl.Device) int { return cmp.Compare(a.Volume, b.Volume) })
	connections, err := c.client.Connections(c.ctx, s.Name)
	if err != nil {
		return err
	}
	peerDevices, err := c.client.PeerDevices(c.ctx, s.Name)
	if err != nil {
		return err
	}
	known := withPaths && c.client.Family().Paths
	var paths []genl.Path
	if known {
		if paths, err = c.client.Paths(c.ctx, s.Name); err != nil {
			return err
		}
	}
	for _, n := range connections {
		full := connection{Connection: n, PathsKnown: known}
		for _, p := range peerDevices {
			if p.Node == n.Node && p.Connection == n.Name {
				full.PeerDevices = append(full.PeerDevices, p)
			}
		}
		slices.SortStableFunc(full.PeerDevices, func(a, b genl.PeerDevice) int { return cmp.Compare(a.Volume, b.Volume) })
		for _, p := range paths {
			if p.Node == n.Node {
				full.Paths = append(full.Paths, p)
			}
		}
		s.Connections = append(s.Connections, full)
	}
	return nil
}

// sortConnections orders by name, as status does.
func (s *snapshot) sortConnections() {
	slices.SortStableFunc(s.Connections, func(a, b connection) int { return cmp.Compare(a.Name, b.Name) })
}

// resourceArg is the optional resource of queries.
func (c *call) resourceArg() string {
	if len(c.args) == 0 {
		return ""
	}
	return c.args[0]
}
