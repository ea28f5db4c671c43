package setup

import (
	"encoding/json"
	"fmt"
	"io"

	"drbd/internal/genl"
)

// printShowJSON prints the configuration, always with defaults (15.5): booleans as such, every other option as a string.
func printShowJSON(w io.Writer, resources []snapshot) error {
	list := make([]any, 0, len(resources))
	for i := range resources {
		r, err := showResource(&resources[i])
		if err != nil {
			return err
		}
		list = append(list, r)
	}
	text, err := json.MarshalIndent(list, "", "    ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// ordered is a JSON object that keeps the order of its members.
type ordered []jsonPair

type jsonPair struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o ordered) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

func jsonOptions(m *genl.Message, sets ...genl.SetNr) (ordered, error) {
	out := ordered{}
	for _, nr := range sets {
		options, err := shownOptions(m, nr)
		if err != nil {
			return nil, err
		}
		for _, o := range options {
			switch {
			case !o.known:
			case o.boolean && nr != genl.SetDeviceConf: // device options print words, a quirk that readers know
				out = append(out, jsonPair{o.field.Option, o.text == "yes"})
			default:
				out = append(out, jsonPair{o.field.Option, o.text})
			}
		}
	}
	return out, nil
}

func showResource(r *snapshot) (ordered, error) {
	options, err := jsonOptions(&r.Message, genl.SetResourceOpts)
	if err != nil {
		return nil, err
	}
	volumes, connections := []any{}, []any{}
	for i := range r.Devices {
		v, err := showVolume(&r.Devices[i])
		if err != nil {
			return nil, err
		}
		volumes = append(volumes, v)
	}
	for i := range r.Connections {
		n, err := showConnection(&r.Connections[i])
		if err != nil {
			return nil, err
		}
		connections = append(connections, n)
	}
	return ordered{
		{"resource", r.Name},
		{"options", options},
		{"_this_host", ordered{{"node-id", int32(r.Opts.NodeID)}, {"volumes", volumes}}},
		{"connections", connections},
	}, nil
}

func showVolume(d *genl.Device) (ordered, error) {
	out := ordered{{"volume_nr", d.Volume}, {"device_minor", d.Minor}}
	switch {
	case d.HasDisk && d.Disk.BackingDev != "":
		out = append(out, jsonPair{"backing-disk", d.Disk.BackingDev})
		switch d.Disk.MetaDevIdx {
		case metaInternal:
			out = append(out, jsonPair{"meta-disk", "internal"})
		case metaFlexible:
			out = append(out, jsonPair{"meta-disk", d.Disk.MetaDev})
		default:
			out = append(out, jsonPair{"meta-disk", d.Disk.MetaDev}, jsonPair{"meta-disk-index", d.Disk.MetaDevIdx})
		}
	case d.Conf.IntentionalDiskless || d.Info.IsIntentionalDiskless:
		out = append(out, jsonPair{"disk", "none"})
	}
	options, err := jsonOptions(&d.Message, genl.SetDiskConf, genl.SetDeviceConf)
	return append(out, jsonPair{"disk", options}), err
}

func showHost(a genl.Address) ordered {
	family, ap := a.Parse()
	address := ""
	if ap.IsValid() {
		address = ap.Addr().String()
	}
	return ordered{{"address", address}, {"port", ap.Port()}, {"family", family}}
}

func showConnection(n *connection) (ordered, error) {
	paths, volumes := []any{}, []any{}
	for _, p := range n.Connection.Paths {
		paths = append(paths, ordered{{"this_host", showHost(p.Local)}, {"remote_host", showHost(p.Peer)}})
	}
	for i := range n.PeerDevices {
		options, err := jsonOptions(&n.PeerDevices[i].Message, genl.SetPeerDeviceOpts)
		if err != nil {
			return nil, err
		}
		volumes = append(volumes, ordered{{"volume_nr", n.PeerDevices[i].Volume}, {"disk", options}})
	}
	net, err := jsonOptions(&n.Message, genl.SetNetConf)
	if err != nil {
		return nil, err
	}
	out := ordered{{"paths", paths}}
	if n.Info.ConnectionState == genl.ConnStandalone {
		out = append(out, jsonPair{"_is_standalone", true})
	}
	return append(out, jsonPair{"_cstate", n.Info.ConnectionState.String()}, jsonPair{"net", net}, jsonPair{"volumes", volumes},
		jsonPair{"_peer_node_id", n.Node}), nil
}
