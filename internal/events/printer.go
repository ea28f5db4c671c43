package events

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"drbd/internal/genl"
)

// Printer turns changes into lines (15.4).
type Printer struct {
	Statistics bool
	Full       bool // print unchanged values too
	Diff       bool // old->new
	Prefix     func() string
}

type pair struct{ key, value string }

// group is printed as one: when one of its values changed, or the raw state behind it did.
type group struct {
	pairs      []pair
	raw        string
	statistics bool
	whole      bool // a changed group shows all its values, also in a diff
	unprinted  bool // does not make a line appear on its own
}

type object struct {
	kind   string
	key    string // identifying words
	gone   string // identifying words of a destroy line
	born   genl.NotifyType
	groups []group
	order  int
}

// Lines are the lines of one change.
func (p *Printer) Lines(c Change) []string {
	var out []string
	oldObjects := map[string]*object{}
	oldList := p.objects(c.Old)
	for _, o := range oldList {
		oldObjects[o.kind+" "+o.gone] = o
	}
	newObjects := map[string]bool{}
	for _, o := range p.objects(c.New) {
		newObjects[o.kind+" "+o.gone] = true
		if line := p.line(oldObjects[o.kind+" "+o.gone], o); line != "" {
			out = append(out, line)
		}
	}
	// What ended: paths and peer devices first, then connections, devices, the resource.
	ended := slices.DeleteFunc(oldList, func(o *object) bool { return newObjects[o.kind+" "+o.gone] })
	slices.SortStableFunc(ended, func(a, b *object) int { return a.order - b.order })
	for _, o := range ended {
		out = append(out, p.prefixed("destroy "+o.kind+" "+o.gone))
	}
	return out
}

func (p *Printer) prefixed(line string) string {
	if p.Prefix == nil {
		return line
	}
	return p.Prefix() + line
}

var actionWords = map[genl.NotifyType]string{genl.NotifyExists: "exists", genl.NotifyCreate: "create", genl.NotifyChange: "create"}

// line is "" when nothing printable changed.
func (p *Printer) line(old, now *object) string {
	action := "change"
	if old == nil {
		action = actionWords[now.born]
	}
	words := []string{action, now.kind, now.key}
	appear := old == nil
	for i, g := range now.groups {
		var before *group
		if old != nil && i < len(old.groups) {
			before = &old.groups[i]
		}
		changed := before == nil || before.raw != g.raw
		if changed && !g.unprinted {
			appear = true
		}
		if g.statistics && !p.Statistics && !p.Full || !changed && !p.Full {
			continue
		}
		words = append(words, p.values(before, &g)...)
	}
	if !appear {
		return ""
	}
	return p.prefixed(strings.Join(words, " "))
}

func (p *Printer) values(before, now *group) []string {
	var out []string
	for _, v := range now.pairs {
		text := v.value
		if p.Diff {
			was, known := "UNKNOWN", false
			if before != nil {
				for _, b := range before.pairs {
					if b.key == v.key {
						was, known = b.value, true
					}
				}
			} else if v.key == "promotion_score" {
				was = "0"
			}
			if !known || was != v.value {
				text = was + "->" + v.value
			}
		}
		out = append(out, v.key+":"+text)
	}
	return out
}

// newGroup makes a group whose change is seen in its values.
func newGroup(pairs ...pair) group {
	var raw strings.Builder
	for _, p := range pairs {
		raw.WriteString(p.value + " ")
	}
	return group{pairs: pairs, raw: raw.String()}
}

func statisticsGroup(raw any, pairs ...pair) group {
	return group{pairs: pairs, raw: fmt.Sprintf("%+v", raw), statistics: true, unprinted: true}
}

func number[T ~uint8 | ~uint32 | ~uint64 | ~int](key string, v T) pair {
	return pair{key, fmt.Sprintf("%d", v)}
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

func flag(key string, v bool) pair { return pair{key, yesNo(v)} }

func flagList(on ...pair) string {
	var words []string
	for _, p := range on {
		if p.value == "yes" {
			words = append(words, p.key)
		}
	}
	if len(words) == 0 {
		return "no"
	}
	return strings.Join(words, ",")
}

func knownFlag(key string, has uint64, nr uint16, v bool) pair {
	if has&(1<<nr) == 0 {
		return pair{key, "unknown"}
	}
	return flag(key, v)
}

// objects lists a resource's objects in printing order.
func (p *Printer) objects(r *Resource) []*object {
	if r == nil {
		return nil
	}
	out := []*object{resourceObject(r)}
	for _, n := range r.Connections {
		out = append(out, connectionObject(r, n))
	}
	for _, d := range r.Devices {
		out = append(out, deviceObject(r, d))
	}
	for _, n := range r.Connections {
		for _, d := range n.PeerDevices {
			out = append(out, p.peerDeviceObject(r, n, d))
		}
		for _, path := range n.Paths {
			out = append(out, pathObject(r, n, path))
		}
	}
	return out
}

// Order of destroy lines.
const (
	orderPath = iota
	orderConnection
	orderDevice
	orderResource
)

func resourceObject(r *Resource) *object {
	i := &r.Info
	may, score := Promotion(r)
	suspended := flagList(flag("user", i.Susp), flag("no-data", i.SuspNod), flag("fencing", i.SuspFen), flag("quorum", i.SuspQuorum))
	key := "name:" + r.Name
	return &object{kind: "resource", key: key, gone: key, born: r.born, order: orderResource, groups: []group{
		newGroup(pair{"role", i.Role.String()}),
		newGroup(pair{"suspended", suspended}),
		newGroup(flag("force-io-failures", i.FailIO)),
		statisticsGroup(r.Statistics, pair{"write-ordering", r.Statistics.WriteOrdering.String()}),
		newGroup(flag("may_promote", may), number("promotion_score", score)),
	}}
}

func connectionKey(r *Resource, n *Connection) string {
	return fmt.Sprintf("name:%s peer-node-id:%d conn-name:%s", r.Name, n.Node, n.Name)
}

func connectionObject(r *Resource, n *Connection) *object {
	s := &n.Statistics
	key := connectionKey(r, n)
	return &object{kind: "connection", key: key, gone: key, born: n.born, order: orderConnection, groups: []group{
		newGroup(pair{"connection", n.Info.ConnectionState.String()}),
		newGroup(pair{"role", n.Info.Role.String()}),
		statisticsGroup(*s, flag("congested", s.Congested), number("ap-in-flight", s.ApInFlight), number("rs-in-flight", s.RSInFlight)),
	}}
}

func deviceObject(r *Resource, d *Device) *object {
	i, s := &d.Info, &d.Statistics
	backing := i.BackingDevPath
	if backing == "" {
		backing = "none"
	}
	gone := fmt.Sprintf("name:%s volume:%d", r.Name, d.Volume)
	state := newGroup(pair{"backing_dev", backing}, pair{"disk", i.DiskState.String()},
		knownFlag("client", i.Has, genl.DeviceInfoNrIsIntentionalDiskless, i.IsIntentionalDiskless),
		knownFlag("open", i.Has, genl.DeviceInfoNrIsOpen, i.IsOpen), flag("quorum", i.HasQuorum))
	return &object{kind: "device", key: fmt.Sprintf("%s minor:%d", gone, d.Minor), gone: gone, born: d.born, order: orderDevice, groups: []group{
		state,
		statisticsGroup(*s, number("size", s.Size/2), number("read", s.Read/2), number("written", s.Write/2), number("al-writes", s.ALWrites),
			number("bm-writes", s.BMWrites), number("upper-pending", s.UpperPending), number("lower-pending", s.LowerPending)),
		statisticsGroup(s.ALSuspended, flag("al-suspended", s.ALSuspended)),
		statisticsGroup([]bool{s.UpperBlocked, s.LowerBlocked},
			pair{"blocked", flagList(flag("upper", s.UpperBlocked), flag("lower", s.LowerBlocked))}),
	}}
}

func (p *Printer) peerDeviceObject(r *Resource, n *Connection, d *PeerDevice) *object {
	i, s := &d.Info, &d.Statistics
	key := fmt.Sprintf("%s volume:%d", connectionKey(r, n), d.Volume)
	suspended := flagList(flag("user", i.ResyncSuspUser != 0), flag("peer", i.ResyncSuspPeer != 0), flag("dependency", i.ResyncSuspDependency != 0),
		flag("max-parallel", i.ResyncSuspMaxParallel != 0))
	// A line of a peer device appears whenever its statistics changed, wanted or not (15.4).
	done := group{raw: fmt.Sprintf("%+v", *s)}
	counters := statisticsGroup(*s, number("received", s.Received/2), number("sent", s.Sent/2), number("out-of-sync", s.OutOfSync/2),
		number("pending", s.Pending), number("unacked", s.Unacked))
	if g := d.Progress(); g != nil {
		done.pairs = []pair{{"done", fmt.Sprintf("%.2f", g.Done)}}
		counters.pairs = append(counters.pairs, pair{"dbdt1", fmt.Sprintf("%.2f", g.DBDT1)}, pair{"eta", seconds(g.ETA)})
	}
	return &object{kind: "peer-device", key: key, gone: key, born: d.born, order: orderPath, groups: []group{
		newGroup(pair{"replication", i.ReplState.String()}),
		newGroup(pair{"peer-disk", i.DiskState.String()},
			knownFlag("peer-client", i.Has, genl.PeerDeviceInfoNrIsIntentionalDiskless, i.IsIntentionalDiskless)),
		newGroup(pair{"resync-suspended", suspended}),
		done,
		counters,
	}}
}

func seconds(v float64) string {
	if math.IsNaN(v) {
		return "nan"
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func pathObject(r *Resource, n *Connection, path *Path) *object {
	key := fmt.Sprintf("%s local:%s peer:%s", connectionKey(r, n), path.Local, path.Peer)
	return &object{kind: "path", key: key, gone: key, born: path.born, order: orderPath, groups: []group{
		newGroup(flag("established", path.Info.PathEstablished)),
	}}
}

// HelperLine announces the start or the end of a helper program.
func (p *Printer) HelperLine(h *Helper) string {
	action := "call"
	if h.Type == genl.NotifyResponse {
		action = "response"
	}
	words := []string{action, "helper", "name:" + h.Context.ResourceName}
	has := func(nr uint16) bool { return h.Context.Has&(1<<nr) != 0 }
	if has(genl.CfgContextNrPeerNodeID) {
		words = append(words, fmt.Sprintf("peer-node-id:%d", h.Context.PeerNodeID), "conn-name:"+h.Context.ConnName)
	}
	if has(genl.CfgContextNrMyAddr) {
		words = append(words, "local:"+genl.Address(h.Context.MyAddr).String(), "peer:"+genl.Address(h.Context.PeerAddr).String())
	}
	if has(genl.CfgContextNrVolume) {
		words = append(words, fmt.Sprintf("volume:%d", h.Context.Volume))
	}
	if h.ByDevice {
		words = append(words, fmt.Sprintf("minor:%d", h.Minor))
	}
	words = append(words, "helper:"+h.Name)
	if h.Type == genl.NotifyResponse {
		words = append(words, fmt.Sprintf("status:%d", h.Status))
	}
	return p.prefixed(strings.Join(words, " "))
}

// RenameLine announces a new name.
func (p *Printer) RenameLine(r *Rename) string {
	return p.prefixed(fmt.Sprintf("rename resource name:%s new_name:%s", r.Old, r.New))
}

// Promotion tells whether promoting here could work now, and how good a choice this node is (15.4).
func Promotion(r *Resource) (may bool, score int) {
	if len(r.Devices) == 0 || r.Info.FailIO {
		return false, 0
	}
	may = r.Info.Role != genl.RolePrimary
	for _, n := range r.Connections {
		may = may && n.Info.Role != genl.RolePrimary
	}
	allLocal, localGood, replicas := true, 0, 99
	for _, d := range r.Devices {
		state := d.Info.DiskState
		good := 0
		if state == genl.DiskUpToDate {
			localGood++
			good++
		}
		stableElsewhere := false
		for _, n := range r.Connections {
			for _, p := range n.PeerDevices {
				if p.Volume == d.Volume && p.Info.DiskState == genl.DiskUpToDate {
					good++
					stableElsewhere = stableElsewhere || p.Statistics.UUIDFlags&genl.UUIDFlagStable != 0
				}
			}
		}
		if !d.Info.HasQuorum || good == 0 {
			return false, 0
		}
		may = may && (state == genl.DiskUpToDate || stableElsewhere)
		allLocal = allLocal && (state == genl.DiskUpToDate || state == genl.DiskConsistent || state == genl.DiskInconsistent)
		replicas = min(replicas, good)
	}
	if allLocal {
		score += 10000
	}
	return may, score + 100*min(localGood, 99) + replicas
}
