package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Limits of numbers in host sections.
const (
	volumeMax = 65534
	minorMax  = 1048575
	nodeIDMax = 31
	indexMax  = 65534
)

// on reads `on HOST... { }`.
func (p *parser) on(r *Resource, kw token) bool {
	h := p.memory.hosts.New()
	*h = Host{Pos: kw.pos, Kind: HostOn, NodeID: -1, Names: p.memory.words.List(1)}
	for p.tok.value() {
		h.Names = append(h.Names, p.take().text)
	}
	if len(h.Names) == 0 {
		return p.unexpected("the name of a host")
	}
	for _, other := range r.Hosts {
		for _, name := range h.Names {
			if other.Kind == HostOn && slices.Contains(other.Names, name) {
				p.wrong(kw.pos, "a second section 'on %s' in resource '%s'; the first is at %s", name, r.Name, other.Pos)
			}
		}
	}
	r.Hosts = append(r.Hosts, h)
	return p.hostBody(h, "on "+h.Names[0])
}

// floating reads `floating ADDRESS { }`; the host's name is made of the address (section 5).
func (p *parser) floating(r *Resource, kw token) bool {
	a, ok := p.address()
	if !ok {
		return false
	}
	h := &Host{Pos: kw.pos, Kind: HostFloating, NodeID: -1, Address: a, Names: []string{floatingName(a)}}
	r.Hosts = append(r.Hosts, h)
	if p.tok.is(";") {
		p.advance()
		return true
	}
	return p.hostBody(h, "floating")
}

func floatingName(a *Address) string {
	return strings.Map(func(c rune) rune {
		if c < 0x80 && (isWordByte(byte(c)) && c != '/' || c == '+') {
			return c
		}
		return '_'
	}, a.Host+":"+a.Port)
}

func (p *parser) hostBody(h *Host, what string) bool {
	p.level = LevelHost
	return p.block(what, func(kw token) bool { return read(p, what, hostTable, h, kw) })
}

var hostTable map[string]statement[*Host]

func init() {
	implicit := func(p *parser, h *Host, kw token) bool {
		return p.volumeStatement(p.implicitVolume(&h.Volumes, kw), kw)
	}
	hostTable = map[string]statement[*Host]{
		"volume":  func(p *parser, h *Host, kw token) bool { return p.volume(&h.Volumes, LevelVolume, kw) },
		"options": func(p *parser, h *Host, _ token) bool { return p.options(sectionOptions, &h.Options, nil) },
		"proxy":   func(p *parser, h *Host, _ token) bool { return p.proxyOn(&h.Proxy) },
		"node-id": (*parser).nodeID,
		"address": (*parser).hostAddress,
		"device":  implicit, "meta-disk": implicit, "flexible-meta-disk": implicit, "tiebreaker": implicit,
		"disk": func(p *parser, h *Host, kw token) bool {
			if p.tok.is("{") {
				return p.options(sectionDisk, &h.Options, nil)
			}
			return implicit(p, h, kw)
		},
	}
}

func (p *parser) hostAddress(h *Host, kw token) bool {
	a, ok := p.address()
	switch {
	case !ok:
		return false
	case h.Kind == HostFloating:
		p.wrong(kw.pos, "a 'floating' section has its address in its head: no 'address' is possible inside")
	case h.Address != nil:
		p.wrong(kw.pos, "a second address in this host section; the first is at %s", h.Address.Pos)
	default:
		h.Address = a
	}
	return p.end(kw.pos)
}

func (p *parser) nodeID(h *Host, kw token) bool {
	if h.NodeID >= 0 {
		p.wrong(kw.pos, "a second node-id in this host section; the first is at %s", h.NodePos)
	}
	n, pos, ok := p.number("node-id", 0, nodeIDMax)
	h.NodeID, h.NodePos = n, pos
	p.cfg.Modern = true
	return ok && p.end(pos)
}

// thisHost reads what `drbdsetup show` says about this node.
func (p *parser) thisHost(r *Resource, kw token) bool {
	if !p.show {
		return p.fail(kw.pos, "'_this_host' is only possible in the output of 'drbdsetup show'; in a file it is 'on HOST'")
	}
	r.ThisHost = &Host{Pos: p.tok.pos, NodeID: -1}
	return p.hostBody(r.ThisHost, "_this_host")
}

// stacked reads `stacked-on-top-of LOWER { }` (section 3).
func (p *parser) stacked(r *Resource, kw token) bool {
	t, ok := p.word("the name of the lower resource")
	if !ok {
		return false
	}
	p.level = LevelHost
	h := &Host{Pos: kw.pos, Kind: HostStacked, Lower: t.text, NodeID: -1}
	r.Hosts = append(r.Hosts, h)
	table := map[string]func(kw token) bool{
		"address": func(kw token) bool { return p.hostAddress(h, kw) },
		"node-id": func(kw token) bool { return p.nodeID(h, kw) },
		"proxy":   func(kw token) bool { return p.proxyOn(&h.Proxy) },
		"device":  func(kw token) bool { return p.volumeStatement(p.implicitVolume(&h.Volumes, kw), kw) },
		"volume":  func(kw token) bool { return p.volume(&h.Volumes, LevelVolume, kw) },
	}
	return p.block("stacked-on-top-of", items(p, "stacked-on-top-of", table, nil))
}

// implicitVolume is volume 0 made by statements that stand outside `volume`.
func (p *parser) implicitVolume(list *[]*Volume, kw token) *Volume {
	if v := volumeOf(*list, 0); v != nil && v.Implicit {
		return v
	}
	if len(*list) > 0 {
		p.wrong(kw.pos, "'%s' must stand inside a 'volume' section here, because other statements do (%s)", kw.text, (*list)[0].Pos)
	}
	v := p.memory.volume(kw.pos, 0)
	v.Implicit = true
	if *list == nil {
		*list = p.memory.volumeLists.List(1)
	}
	*list = append(*list, v)
	return v
}

func newVolume(pos Pos, nr int) Volume { return Volume{Pos: pos, Nr: nr, Minor: -1, MetaIndex: -1} }

func (p *parser) volume(list *[]*Volume, level Level, kw token) bool {
	n, _, ok := p.number("volume", 0, volumeMax)
	if !ok {
		return false
	}
	for _, other := range *list {
		if other.Implicit {
			p.wrong(kw.pos, "a 'volume' section is not possible here, because statements outside such sections (%s) make volume 0", other.Pos)
			break
		}
		if other.Nr == n {
			p.wrong(kw.pos, "volume %d is defined twice here; the first is at %s", n, other.Pos)
		}
	}
	v := p.memory.volume(kw.pos, n)
	*list = append(*list, v)
	saved := p.level
	p.level = level
	defer func() { p.level = saved }()
	return p.block("volume", func(kw token) bool { return p.volumeStatement(v, kw) })
}

// volumeStatement reads one statement about a volume.
func (p *parser) volumeStatement(v *Volume, kw token) bool {
	return read(p, "volume", volumeTable, v, kw)
}

var volumeTable map[string]statement[*Volume]

func init() {
	volumeTable = map[string]statement[*Volume]{
		"device": (*parser).device,
		"disk": func(p *parser, v *Volume, kw token) bool {
			if p.tok.is("{") {
				return p.options(sectionDisk, &v.Options, nil)
			}
			return p.disk(v, kw)
		},
		"meta-disk":          func(p *parser, v *Volume, kw token) bool { return p.metaDisk(v, kw, true) },
		"flexible-meta-disk": func(p *parser, v *Volume, kw token) bool { return p.metaDisk(v, kw, false) },
		"tiebreaker":         (*parser).tiebreaker,
	}
}

func (p *parser) tiebreaker(v *Volume, _ token) bool {
	t, ok := p.word("yes or no")
	if ok && t.text != "yes" && t.text != "no" {
		return p.wrong(t.pos, "tiebreaker must be yes or no, not %s", t)
	}
	v.Tiebreaker = t.text
	return ok && p.end(t.pos)
}

func (p *parser) disk(v *Volume, kw token) bool {
	t, ok := p.word("the path of the disk, or none")
	if !ok {
		return false
	}
	if v.Disk != "" || v.NoDisk {
		p.wrong(kw.pos, "a second disk for this volume; the first is at %s", v.DiskPos)
	}
	v.DiskPos = t.pos
	if t.kind == tokenWord && t.text == "none" {
		v.NoDisk = true
	} else {
		v.Disk = t.text
	}
	return p.end(t.pos)
}

func (p *parser) metaDisk(v *Volume, kw token, indexed bool) bool {
	t, ok := p.word("internal, or the path of a device")
	if !ok {
		return false
	}
	if v.MetaDisk != "" {
		p.wrong(kw.pos, "a second meta-disk for this volume; the first is at %s", v.MetaPos)
	}
	v.MetaDisk, v.MetaPos = t.text, t.pos
	if !p.tok.is("[") {
		return p.end(t.pos)
	}
	if !indexed {
		return p.fail(p.tok.pos, "flexible-meta-disk takes no index: 'meta-disk %s[N];' has one", t.text)
	}
	p.advance()
	n, pos, ok := p.number("the index", 0, indexMax)
	if !ok || !p.punct("]") {
		return false
	}
	v.MetaIndex = n
	return p.end(pos)
}

// device reads `device NAME;`, `device NAME minor N;` or `device minor N;` (section 6.2).
func (p *parser) device(v *Volume, kw token) bool {
	if v.Device != "" || v.Minor >= 0 {
		p.wrong(kw.pos, "a second device for this volume; the first is at %s", v.DevicePos)
	}
	v.DevicePos = kw.pos
	t, ok := p.word("the name of the device, or minor")
	if !ok {
		return false
	}
	last, minor := t.pos, -1
	if t.text != "minor" || t.kind != tokenWord {
		v.Device = t.text
		if p.tok.kind == tokenWord && p.tok.text == "minor" {
			t = p.take()
		}
	}
	if t.text == "minor" && t.kind == tokenWord {
		n, pos, ok := p.number("minor", 0, minorMax)
		if !ok {
			return false
		}
		last, minor = pos, n
	}
	p.deviceName(v, minor)
	return p.end(last)
}

// deviceName completes the name and finds the minor in it.
func (p *parser) deviceName(v *Volume, minor int) {
	v.Minor = minor
	if v.Device == "" {
		return
	}
	if strings.HasPrefix(v.Device, "drbd") {
		v.Device = "/dev/" + v.Device
	}
	rest, ok := strings.CutPrefix(v.Device, "/dev/drbd")
	if !ok {
		p.wrong(v.DevicePos, "the name of a device must be /dev/drbd<minor> (/dev/ may be left out), not %s", v.Device)
		return
	}
	named, err := strconv.Atoi(rest)
	isNumber := err == nil && named >= 0 && named <= minorMax && rest[0] != '-' && rest[0] != '+'
	switch {
	case isNumber && minor >= 0 && named != minor:
		p.wrong(v.DevicePos, "the name %s and minor %d do not agree; write 'device /dev/drbd%d;'", v.Device, minor, minor)
	case isNumber:
		v.Minor = named
	case minor < 0:
		p.wrong(v.DevicePos, "%s has no minor number: write 'device /dev/drbd<minor>;' or add 'minor <number>'", v.Device)
	case strings.HasPrefix(rest, "_"):
		p.add(v.DevicePos, Warning, "no udev rule makes the name %s: use 'device /dev/drbd%d;', or make the node yourself (block, 147, %d)", v.Device, minor, minor)
	default:
		p.wrong(v.DevicePos, "%s does not fit minor %d: write 'device /dev/drbd%d;'", v.Device, minor, minor)
	}
}

var families = []string{"ipv4", "ipv6", "sdp", "ssocks", "sci"}

// address reads `[family] HOST:PORT` with IPv6 in brackets behind the word ipv6.
func (p *parser) address() (*Address, bool) {
	a := p.memory.addresses.New()
	*a = Address{Pos: p.tok.pos, Family: "ipv4"}
	if p.tok.kind == tokenWord && slices.Contains(families, p.tok.text) {
		a.Family = p.take().text
		if a.Family == "sci" {
			a.Family = "ssocks"
		}
	}
	switch {
	case p.tok.is("["):
		text, ok := p.lex.until(']')
		if !ok {
			return nil, p.fail(p.tok.pos, "the '[' of the address is not closed")
		}
		a.Host = text
		p.advance()
		if !p.punct("]") {
			return nil, false
		}
	case p.tok.value():
		a.Host = p.take().text
	default:
		return nil, p.unexpected("an address, such as 10.0.0.1:7789 or ipv6 [fd00::1]:7789")
	}
	if !p.tok.is(":") {
		return nil, p.unexpected("':' and a port behind the address " + a.Host)
	}
	p.advance()
	a.Port = p.tok.text
	port, pos, ok := p.number("the port", 1, 65535)
	if !ok {
		return nil, false
	}
	if c := a.Port[0]; c < '1' || c > '9' { // not as everybody writes it
		a.Port = strconv.Itoa(port)
	}
	a.ip, _ = netip.ParseAddr(a.Host)
	if err := checkIP(a); err != nil {
		p.wrong(pos, "%v", err)
	}
	return a, true
}

func checkIP(a *Address) error {
	switch {
	case !a.ip.IsValid():
		return fmt.Errorf("'%s' is no numeric address (names of hosts are not possible here)", a.Host)
	case a.Family == "ipv6" && !a.ip.Is6():
		return fmt.Errorf("%s is no IPv6 address: leave out the word ipv6", a.Host)
	case a.Family != "ipv6" && !a.ip.Is4():
		return fmt.Errorf("%s is an IPv6 address: write 'ipv6 [%s]:%s'", a.Host, a.Host, a.Port)
	}
	return nil
}
