package adjust

import (
	"fmt"
	"slices"

	"drbd/internal/conf"
	"drbd/internal/genl"
)

const (
	connected  = "Connected"
	standAlone = "StandAlone"
)

// connections plans the peers. Connections that are not up come first: a node must not give up what works before it had the chance to
// gain something else; peers that are gone come last, for the same reason (section 13.4).
func (a *adjuster) connections() {
	a.barrier = -1
	anyConnected := slices.ContainsFunc(a.have.Connections, func(c *conf.Connection) bool { return c.State == connected })
	var first, second []*conf.Link
	for _, l := range a.r.Links {
		if c := a.running(l.PeerID); c != nil && c.State == connected {
			second = append(second, l)
		} else {
			first = append(first, l)
		}
	}
	start := len(a.plan.Steps)
	for _, l := range append(first, second...) {
		a.connection(l)
	}
	var gone []int
	for _, c := range a.have.Connections {
		if !slices.ContainsFunc(a.r.Links, func(l *conf.Link) bool { return l.PeerID == c.PeerNodeID }) {
			gone = append(gone, c.PeerNodeID)
			a.destructive = true
		}
	}
	a.settleWaits(start, anyConnected && a.destructive, len(gone) > 0)
	last := slices.Clone(a.connects)
	for _, id := range gone {
		i := a.one(StageDelPeer, a.DelPeer(a.r, id))
		a.plan.Steps[i].After = last
	}
}

func (a *adjuster) running(peerID int) *conf.Connection {
	for _, c := range a.have.Connections {
		if c.PeerNodeID == peerID {
			return c
		}
	}
	return nil
}

// chained plans a step that comes after the connection that was planned before has had its chance.
func (a *adjuster) chained(stage Stage, commands ...Command) int {
	i := a.one(stage, commands...)
	if a.barrier >= 0 {
		a.plan.Steps[i].After = []int{a.barrier}
	}
	return i
}

func (a *adjuster) connection(l *conf.Link) {
	have := a.running(l.PeerID)
	if have != nil && a.differ(conf.ClassNet, only2(l.Options), only2(have.Options[conf.ClassNet])) {
		// The transport cannot be changed.
		a.chained(StageDelPeer, a.DelPeer(a.r, l.PeerID))
		a.destructive = true
		have = nil
	}
	if have == nil {
		a.newConnection(l)
		return
	}
	if a.differ(conf.ClassNet, without(l.Options, immutableNet...), without(have.Options[conf.ClassNet], immutableNet...)) {
		a.chained(StageNetOptions, a.NetOptions(a.r, l, true))
	}
	connect := a.paths(l, have)
	a.peerDevices(l, have)
	if connect || have.State == standAlone {
		a.connectAndWait(l)
	}
}

func only2(options conf.Options) conf.Options {
	return slices.DeleteFunc(slices.Clone(options), func(o conf.Option) bool { return !slices.Contains(immutableNet, o.Name) })
}

func (a *adjuster) newConnection(l *conf.Link) {
	a.chained(StageNewPeer, a.NewPeer(a.r, l))
	a.proxySteps(a.plan, a.r, l)
	for _, path := range l.Paths {
		a.chained(StageNewPath, a.NewPath(a.r, l.PeerID, path.Mine, path.Theirs))
	}
	for _, d := range l.Devices {
		if len(d.Options) > 0 {
			a.chained(StagePeerDeviceOptions, a.PeerDeviceOptions(a.r, l, d, true))
		}
	}
	a.connectAndWait(l)
}

type pathKey struct{ mine, theirs conf.AddressKey }

// paths adds and removes paths. The last path of a connection that tries to connect cannot be removed, so it is disconnected first.
func (a *adjuster) paths(l *conf.Link, have *conf.Connection) (connect bool) {
	wanted, running := map[pathKey]bool{}, map[pathKey]bool{}
	for _, w := range l.Paths {
		wanted[pathKey{w.Mine.Key(), w.Theirs.Key()}] = true
	}
	var gone []conf.LinkPath
	for _, h := range have.Paths {
		path := runningPath(h)
		if path.Mine == nil || path.Theirs == nil {
			continue
		}
		key := pathKey{path.Mine.Key(), path.Theirs.Key()}
		running[key] = true
		if !wanted[key] {
			gone = append(gone, path)
		}
	}
	if len(gone) > 0 && len(gone) == len(running) {
		connect = true
		a.destructive = true
		if have.State != standAlone {
			a.chained(StageDisconnect, setup("disconnect", a.r.Name, itoa(l.PeerID)))
		}
	}
	for _, path := range gone {
		a.chained(StageDelPeer, a.DelPath(a.r, l.PeerID, path.Mine, path.Theirs))
	}
	for _, w := range l.Paths {
		if !running[pathKey{w.Mine.Key(), w.Theirs.Key()}] {
			a.chained(StageNewPath, a.NewPath(a.r, l.PeerID, w.Mine, w.Theirs))
		}
	}
	return connect
}

func runningPath(p *conf.Path) conf.LinkPath {
	var out conf.LinkPath
	for _, e := range p.Ends {
		if e.Local {
			out.Mine = e.Address
		} else {
			out.Theirs = e.Address
		}
	}
	return out
}

// peerDevices compares the options of each volume. A volume that the module lacks gets its options when it is made.
func (a *adjuster) peerDevices(l *conf.Link, have *conf.Connection) {
	for _, d := range l.Devices {
		known := a.have.ThisHost.Volume(d.Nr)
		mine := a.r.Me.Volume(d.Nr)
		isNew := known == nil || mine != nil && known.Minor != mine.Minor
		if isNew && a.what.SkipDisk {
			continue
		}
		var running conf.Options
		if v := connectionVolume(have, d.Nr); v != nil {
			running = v.Options[conf.ClassPeerDevice]
		}
		if isNew || a.differ(conf.ClassPeerDevice, d.Options, running) {
			a.chained(StagePeerDeviceOptions, a.PeerDeviceOptions(a.r, l, d, true))
		}
	}
}

func connectionVolume(c *conf.Connection, nr int) *conf.Volume {
	for _, v := range c.Volumes {
		if v.Nr == nr {
			return v
		}
	}
	return nil
}

func (a *adjuster) connectAndWait(l *conf.Link) {
	connect := a.chained(StageConnect, a.Connect(a.r, l.PeerID))
	t := itoa(a.waitSeconds())
	a.barrier = a.plan.add(Step{Stage: StageWait, Resource: a.r.Name, MayTimeOut: true, After: []int{connect}, Commands: []Command{
		setup("wait-connect-connection", a.r.Name, itoa(l.PeerID), "--wfc-timeout", t, "--degr-wfc-timeout", t, "--outdated-wfc-timeout", t)}})
	a.connects = append(a.connects, a.barrier)
}

// waitSeconds is how long a connection gets before the next one may be disturbed.
func (a *adjuster) waitSeconds() int {
	for _, name := range []string{"socket-check-timeout", "ping-timeout"} {
		value, ok := a.r.Options[conf.ClassNet].Get(name)
		if !ok {
			continue
		}
		if tenths, err := genl.ParseNumber(value, ""); err == nil && tenths > 0 {
			return max(1, int(2*tenths/10))
		}
	}
	return 1
}

// settleWaits takes the waits out again when nothing is at stake, and the last one when nothing comes after it. Without waits the
// connections need no order among themselves.
func (a *adjuster) settleWaits(start int, wanted, more bool) {
	drop := map[int]bool{}
	for i, w := range a.connects {
		drop[w] = !wanted || i == len(a.connects)-1 && !more
	}
	moved := map[int]int{} // waits that stay: their new places; waits that go: the places of their connects
	steps := a.plan.Steps
	kept := slices.Clone(steps[:start])
	for i := start; i < len(steps); i++ {
		s := steps[i]
		for k, before := range s.After {
			s.After[k] = moved[before]
		}
		if drop[i] {
			moved[i] = s.After[0]
			continue
		}
		if !wanted {
			s.After = nil
		}
		moved[i] = len(kept)
		kept = append(kept, s)
	}
	a.plan.Steps = kept
	for i, w := range a.connects {
		a.connects[i] = moved[w]
	}
}

// String lists the commands for people and tests.
func (p *Plan) String() string {
	text := ""
	for _, c := range p.Lines() {
		text += fmt.Sprintln([]string{"drbdsetup", "drbdmeta"}[c.Tool], c.Args)
	}
	return text
}
