package adjust_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"drbd/internal/adjust"
	"drbd/internal/conf"
)

// module is a small model of what the kernel module knows about one resource: enough to run plans against, with the rules that give
// plans their order.
type module struct {
	exists  bool
	options map[string]string
	volumes map[string]*modelVolume // by volume number
	peers   map[string]*modelPeer   // by node id
}

type modelVolume struct {
	minor, disk, meta, index string
	options                  map[string]string
}

type modelPeer struct {
	state   string
	options map[string]string
	paths   [][2]string
	volumes map[string]map[string]string
}

func newModule() *module {
	return &module{volumes: map[string]*modelVolume{}, peers: map[string]*modelPeer{}}
}

// parseOptions splits words into arguments and options.
func parseOptions(words []string) (args []string, options map[string]string) {
	options = map[string]string{}
	for i := 0; i < len(words); i++ {
		name, value, given := strings.Cut(words[i], "=")
		switch {
		case !strings.HasPrefix(name, "--"):
			args = append(args, words[i])
		case strings.HasSuffix(name, "wfc-timeout"):
			i++
		case given:
			options[name[2:]] = value
		default:
			options[name[2:]] = "yes"
		}
	}
	return args, options
}

// set changes options: --set-defaults forgets the others.
func set(have map[string]string, given map[string]string) map[string]string {
	out := maps.Clone(have)
	if _, all := given["set-defaults"]; all || out == nil {
		out = map[string]string{}
	}
	for name, value := range given {
		if name != "set-defaults" {
			out[name] = value
		}
	}
	return out
}

func (m *module) volumeOfMinor(minor string) *modelVolume {
	for _, v := range m.volumes {
		if v.minor == minor {
			return v
		}
	}
	return nil
}

// run executes one command; the error is a refusal.
func (m *module) run(c adjust.Command) error {
	if c.Tool == adjust.Meta {
		return nil
	}
	args, options := parseOptions(c.Args)
	refuse := func(why string) error { return fmt.Errorf("%s: %s", strings.Join(c.Args, " "), why) }
	switch args[0] {
	case "new-resource":
		if m.exists {
			return refuse("exists")
		}
		m.exists, m.options = true, set(nil, options)
		return nil
	case "resource-options":
		m.options = set(m.options, options)
		return nil
	case "new-minor":
		if m.volumes[args[3]] != nil || m.volumeOfMinor(args[2]) != nil {
			return refuse("volume or minor exists")
		}
		m.volumes[args[3]] = &modelVolume{minor: args[2]}
		return nil
	case "new-peer", "del-peer", "new-path", "del-path", "net-options", "peer-device-options", "connect", "disconnect", "wait-connect-connection":
		return m.runPeer(args, options, refuse)
	}
	v := m.volumeOfMinor(args[1])
	if v == nil {
		return refuse("no such minor")
	}
	return m.runVolume(v, args, options, refuse)
}

func (m *module) runVolume(v *modelVolume, args []string, options map[string]string, refuse func(string) error) error {
	switch args[0] {
	case "del-minor":
		if v.disk != "" {
			return refuse("has a disk")
		}
		for nr, other := range m.volumes {
			if other == v {
				delete(m.volumes, nr)
				for _, p := range m.peers {
					delete(p.volumes, nr)
				}
			}
		}
	case "attach":
		if v.disk != "" {
			return refuse("has a disk")
		}
		v.disk, v.meta, v.index, v.options = args[2], args[3], args[4], set(nil, options)
	case "detach":
		v.disk, v.options = "", nil
	case "disk-options":
		if v.disk == "" {
			return refuse("has no disk")
		}
		size, had := v.options["size"]
		v.options = set(v.options, options)
		if had {
			v.options["size"] = size
		}
	case "resize":
		v.options = maps.Clone(v.options)
		delete(v.options, "size")
		maps.Copy(v.options, options)
	case "check-resize":
	default:
		return refuse("unknown command")
	}
	return nil
}

func (m *module) runPeer(args []string, options map[string]string, refuse func(string) error) error {
	p := m.peers[args[2]]
	if (p == nil) != (args[0] == "new-peer") {
		return refuse("peer exists or not")
	}
	switch args[0] {
	case "new-peer":
		for _, v := range m.volumes {
			if v.options["bitmap"] == "no" {
				return refuse("no bitmap")
			}
		}
		m.peers[args[2]] = &modelPeer{state: "StandAlone", options: set(nil, options), volumes: map[string]map[string]string{}}
	case "del-peer":
		delete(m.peers, args[2])
	case "net-options":
		old := p.options
		p.options = set(p.options, options)
		for _, fixed := range []string{"transport", "load-balance-paths"} {
			if value, had := old[fixed]; had {
				p.options[fixed] = value
			}
		}
	case "new-path":
		p.paths = append(p.paths, [2]string{args[3], args[4]})
	case "del-path":
		if len(p.paths) == 1 && p.state != "StandAlone" {
			return refuse("last path")
		}
		p.paths = slices.DeleteFunc(p.paths, func(x [2]string) bool { return x == [2]string{args[3], args[4]} })
	case "peer-device-options":
		if m.volumes[args[3]] == nil {
			return refuse("no such volume")
		}
		p.volumes[args[3]] = set(p.volumes[args[3]], options)
	case "connect":
		if len(p.paths) == 0 || p.state != "StandAlone" {
			return refuse("no path, or not StandAlone")
		}
		p.state = "Connected"
	case "disconnect":
		p.state = "StandAlone"
	}
	return nil
}

// show is what `drbdsetup show` prints. Defaults are left out, as there.
func (m *module) show() string {
	if !m.exists {
		return ""
	}
	var out strings.Builder
	section := func(name string, options map[string]string, classes ...conf.Class) {
		fmt.Fprintf(&out, "%s {\n", name)
		for _, option := range slices.Sorted(maps.Keys(options)) {
			for _, c := range classes {
				if c.Field(option) == nil || conf.IsDefault(c, option, options[option]) {
					continue
				}
				value, err := conf.Canonical(c, option, options[option])
				if err != nil {
					value = options[option]
				}
				fmt.Fprintf(&out, "%s \"%s\";\n", option, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value))
				break
			}
		}
		out.WriteString("}\n")
	}
	out.WriteString("resource r0 {\n")
	section("options", m.options, conf.ClassResource)
	out.WriteString("_this_host {\nnode-id 0;\n")
	for _, nr := range slices.Sorted(maps.Keys(m.volumes)) {
		v := m.volumes[nr]
		fmt.Fprintf(&out, "volume %s {\ndevice minor %s;\n", nr, v.minor)
		switch {
		case v.disk == "":
			out.WriteString("disk none;\n")
		case v.index == "internal":
			fmt.Fprintf(&out, "disk %q;\nmeta-disk internal;\n", v.disk)
		case v.index == "flexible":
			fmt.Fprintf(&out, "disk %q;\nmeta-disk %q;\n", v.disk, v.meta)
		default:
			fmt.Fprintf(&out, "disk %q;\nmeta-disk %q [ %s ];\n", v.disk, v.meta, v.index)
		}
		section("disk", v.options, conf.ClassDisk)
		out.WriteString("}\n")
	}
	out.WriteString("}\n")
	for _, id := range slices.Sorted(maps.Keys(m.peers)) {
		p := m.peers[id]
		fmt.Fprintf(&out, "connection {\n_peer_node_id %s;\n", id)
		for _, path := range p.paths {
			fmt.Fprintf(&out, "path {\n_this_host %s;\n_remote_host %s;\n}\n", strings.Replace(path[0], "ipv4:", "ipv4 ", 1), strings.Replace(path[1], "ipv4:", "ipv4 ", 1))
		}
		fmt.Fprintf(&out, "_cstate %s;\n", p.state)
		section("net", p.options, conf.ClassNet)
		for _, nr := range slices.Sorted(maps.Keys(p.volumes)) {
			fmt.Fprintf(&out, "volume %s {\n", nr)
			section("disk", p.volumes[nr], conf.ClassPeerDevice)
			out.WriteString("}\n")
		}
		out.WriteString("}\n")
	}
	out.WriteString("}\n")
	return out.String()
}
