package conf

import "drbd/internal/slab"

// memory is where one file, or one share of its resources, has its many small things.
type memory struct {
	resources   slab.Of[Resource]
	hosts       slab.Of[Host]
	hostLists   slab.Of[*Host]
	volumes     slab.Of[Volume]
	volumeLists slab.Of[*Volume]
	addresses   slab.Of[Address]
	options     slab.Of[Option]
	words       slab.Of[string]
	pairs       slab.Of[pair]
	links       slab.Of[Link]
	paths       slab.Of[LinkPath]
	peerDevices slab.Of[PeerDevice]
}

func (m *memory) volume(pos Pos, nr int) *Volume {
	v := m.volumes.New()
	*v = newVolume(pos, nr)
	return v
}

// copies of structures lie side by side.
func copies[T any](things *slab.Of[T], lists *slab.Of[*T], list []*T) []*T {
	if len(list) == 0 {
		return nil
	}
	out := lists.List(len(list))
	for _, from := range list {
		to := things.New()
		*to = *from
		out = append(out, to)
	}
	return out
}
