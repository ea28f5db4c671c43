package setup

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"drbd/internal/genl"
)

// runStatus prints the state of resources for people, or as JSON (15.2, 15.3).
func runStatus(c *call) error {
	asJSON := c.flagGiven("json")
	resources, err := c.load(c.resourceArg(), asJSON)
	if err != nil {
		return err
	}
	for i := range resources {
		resources[i].sortConnections()
	}
	if asJSON {
		return printStatusJSON(c.env.Stdout, resources)
	}
	if len(resources) == 0 {
		fmt.Fprintln(c.env.Stdout, nothingConfigured)
		return nil
	}
	p := &statusPrinter{
		verbose: c.countFlag("verbose"), statistics: c.flagGiven("statistics"), terminal: c.env.Width > 0,
		colors: c.colorWanted(), width: c.env.Width,
	}
	if p.width == 0 {
		p.width = 80
	}
	for i := range resources {
		p.resource(&resources[i])
	}
	_, err = fmt.Fprint(c.env.Stdout, p.out.String())
	return err
}

// statusPrinter collects words into lines of limited width.
type statusPrinter struct {
	verbose              int
	statistics, terminal bool
	colors               bool
	width                int

	out    strings.Builder
	indent int // of continuation lines
	column int // characters of the line, without its indentation
}

func (p *statusPrinter) start(indent, continuation int) {
	if p.column > 0 {
		p.out.WriteByte('\n')
	}
	p.out.WriteString(strings.Repeat(" ", indent))
	p.indent, p.column = continuation, 0
}

// continueLine starts a continuation line on purpose.
func (p *statusPrinter) continueLine() { p.start(p.indent, p.indent) }

func (p *statusPrinter) end() {
	p.out.WriteByte('\n')
	p.column = 0
}

func (p *statusPrinter) word(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.column > 0 && p.column+len(text) > p.width {
		p.continueLine()
	}
	if p.column > 0 {
		p.out.WriteByte(' ')
		p.column++
	}
	p.out.WriteString(text)
	p.column += len(text)
}

// Escape sequences of section 15.2.
const (
	colorGood, colorBad, colorPrimary, colorTransition = "\033[1;32m", "\033[1;31m", "\033[1;36m", "\033[1m"
	colorPeerGood, colorPeerBad, colorPeerPrimary      = "\033[32m", "\033[31m", "\033[36m"
	colorEnd                                           = "\033[0m"
)

func (p *statusPrinter) colored(color, text string) string {
	if !p.colors || color == "" {
		return text
	}
	return color + text + colorEnd
}

func diskColor(state genl.DiskState, client bool, good, bad, other string) string {
	switch {
	case state == genl.DiskUpToDate || state == genl.DiskDiskless && client:
		return good
	case state == genl.DiskDiskless || state == genl.DiskInconsistent || state == genl.DiskOutdated:
		return bad
	}
	return other
}

func roleColor(role genl.Role, primary string) string {
	if role == genl.RolePrimary {
		return primary
	}
	return ""
}

func (p *statusPrinter) resource(r *snapshot) {
	p.start(0, 4)
	p.word("%s", r.Name)
	if p.verbose > 0 {
		p.word("node-id:%d", r.Opts.NodeID)
	}
	p.word("role:%s", p.colored(roleColor(r.Info.Role, colorPrimary), r.Info.Role.String()))
	if susp := suspended(&r.Info); p.verbose > 0 || susp != "no" {
		p.word("suspended:%s", susp)
	}
	if p.verbose > 0 || r.Info.FailIO {
		color := ""
		if r.Info.FailIO {
			color = colorBad
		}
		p.word("force-io-failures:%s", p.colored(color, yesNo(r.Info.FailIO)))
	}
	if p.verbose > 0 && p.statistics {
		p.continueLine()
		p.word("write-ordering:%s", r.Statistics.WriteOrdering)
	}
	p.end()
	single := len(r.Devices) == 1 && r.Devices[0].Volume == 0
	for i := range r.Devices {
		p.device(&r.Devices[i], single)
	}
	for i := range r.Connections {
		p.connection(&r.Connections[i], single)
	}
	p.out.WriteByte('\n')
}

func suspended(info *genl.ResourceInfo) string {
	return list("no", flagWord{info.Susp, "user"}, flagWord{info.SuspNod, "no-data"}, flagWord{info.SuspFen, "fencing"},
		flagWord{info.SuspQuorum, "quorum"})
}

type flagWord struct {
	on   bool
	word string
}

func list(none string, words ...flagWord) string {
	var on []string
	for _, w := range words {
		if w.on {
			on = append(on, w.word)
		}
	}
	if len(on) == 0 {
		return none
	}
	return strings.Join(on, ",")
}

// known gives unknown for a flag that the module did not send.
func known(has uint64, nr uint16, value bool) string {
	if has&(1<<nr) == 0 {
		return "unknown"
	}
	return yesNo(value)
}

func backingDevice(info *genl.DeviceInfo) string {
	if info.BackingDevPath == "" {
		return "none"
	}
	return info.BackingDevPath
}

func blocked(s *genl.DeviceStatistics) string {
	return list("no", flagWord{s.UpperBlocked, "upper"}, flagWord{s.LowerBlocked, "lower"})
}

func (p *statusPrinter) device(d *genl.Device, single bool) {
	p.start(2, 6)
	if p.verbose > 0 || !single {
		p.word("volume:%d", d.Volume)
	}
	if p.verbose > 0 {
		p.word("minor:%d", d.Minor)
	}
	info := &d.Info
	p.word("disk:%s", p.colored(diskColor(info.DiskState, info.IsIntentionalDiskless, colorGood, colorBad, colorTransition), info.DiskState.String()))
	if info.DiskState == genl.DiskDiskless && (p.verbose > 0 || !p.terminal) {
		p.word("client:%s", known(info.Has, genl.DeviceInfoNrIsIntentionalDiskless, info.IsIntentionalDiskless))
	}
	if p.verbose > 0 {
		p.word("backing_dev:%s", backingDevice(info))
	}
	if p.verbose > 0 || !info.HasQuorum {
		color := colorGood
		if !info.HasQuorum {
			color = colorBad
		}
		p.word("quorum:%s", p.colored(color, yesNo(info.HasQuorum)))
	}
	if open := known(info.Has, genl.DeviceInfoNrIsOpen, info.IsOpen); p.verbose > 0 || open != "unknown" {
		color := ""
		if info.IsOpen {
			color = colorPrimary
		}
		p.word("open:%s", p.colored(color, open))
	}
	p.deviceStatistics(&d.Statistics)
	p.end()
}

func (p *statusPrinter) deviceStatistics(s *genl.DeviceStatistics) {
	if p.statistics {
		p.continueLine()
		p.word("size:%d", s.Size/2)
		p.word("read:%d", s.Read/2)
		p.word("written:%d", s.Write/2)
		if p.verbose > 0 {
			p.word("al-writes:%d", s.ALWrites)
			p.word("bm-writes:%d", s.BMWrites)
			p.word("upper-pending:%d", s.UpperPending)
			p.word("lower-pending:%d", s.LowerPending)
			p.word("al-suspended:%s", yesNo(s.ALSuspended))
		}
	}
	if b := blocked(s); p.verbose > 0 || b != "no" {
		p.word("blocked:%s", b)
	}
}

func (p *statusPrinter) connection(n *connection, single bool) {
	p.start(2, 6)
	if n.Name != "" {
		p.word("%s", n.Name)
	} else {
		p.word("node-id:%d", n.Node)
	}
	if p.verbose > 0 && n.Name != "" {
		p.word("node-id:%d", n.Node)
	}
	state := n.Info.ConnectionState
	connected := state == genl.ConnConnected
	if p.verbose > 0 || !connected {
		color := ""
		if state == genl.ConnStandalone || state == genl.ConnConnecting {
			color = colorBad
		}
		p.word("connection:%s", p.colored(color, state.String()))
	}
	if p.verbose > 0 || connected {
		p.word("role:%s", p.colored(roleColor(n.Info.Role, colorPeerPrimary), n.Info.Role.String()))
		if p.verbose > 0 || n.Net.TLS {
			p.word("tls:%s", yesNo(n.Net.TLS))
		}
	}
	if s := &n.Statistics; p.verbose > 0 || s.Congested {
		p.word("congested:%s", yesNo(s.Congested))
		if s.Has&(1<<genl.ConnectionStatisticsNrApInFlight) != 0 {
			p.word("ap-in-flight:%d", s.ApInFlight)
			p.word("rs-in-flight:%d", s.RSInFlight)
		}
	}
	p.end()
	if p.verbose == 0 && !p.statistics && !connected {
		return
	}
	for i := range n.PeerDevices {
		p.peerDevice(&n.PeerDevices[i], single)
	}
}

func resyncSuspended(i *genl.PeerDeviceInfo) string {
	return list("no", flagWord{i.ResyncSuspUser != 0, "user"}, flagWord{i.ResyncSuspPeer != 0, "peer"},
		flagWord{i.ResyncSuspDependency != 0, "dependency"}, flagWord{i.ResyncSuspMaxParallel != 0, "max-parallel"})
}

func (p *statusPrinter) peerDevice(d *genl.PeerDevice, single bool) {
	p.start(4, 8)
	info, s := &d.Info, &d.Statistics
	if p.verbose > 0 || !single {
		p.word("volume:%d", d.Volume)
	}
	if p.verbose > 0 || info.ReplState > genl.ReplEstablished {
		color := ""
		switch info.ReplState {
		case genl.ReplSyncSource, genl.ReplSyncTarget, genl.ReplPausedSyncT:
			color = colorPeerBad
		}
		p.word("replication:%s", p.colored(color, info.ReplState.String()))
	}
	if p.verbose > 0 || p.statistics || info.ReplState != genl.ReplOff || info.DiskState != genl.DiskUnknown {
		p.word("peer-disk:%s", p.colored(diskColor(info.DiskState, info.IsIntentionalDiskless, colorPeerGood, colorPeerBad, ""), info.DiskState.String()))
		if info.DiskState == genl.DiskDiskless && (p.verbose > 0 || !p.terminal) {
			p.word("peer-client:%s", known(info.Has, genl.PeerDeviceInfoNrIsIntentionalDiskless, info.IsIntentionalDiskless))
		}
	}
	progress := d.Progress()
	if progress != nil {
		p.word("done:%.2f", progress.Done)
	}
	if susp := resyncSuspended(info); p.verbose > 0 || susp != "no" {
		p.word("resync-suspended:%s", susp)
	}
	if p.statistics {
		p.continueLine()
		p.word("received:%d", s.Received/2)
		p.word("sent:%d", s.Sent/2)
		if p.verbose > 0 || s.OutOfSync != 0 {
			p.word("out-of-sync:%d", s.OutOfSync/2)
		}
		if p.verbose > 0 {
			p.word("pending:%d", s.Pending)
			p.word("unacked:%d", s.Unacked)
		}
	}
	if progress != nil && p.verbose > 0 {
		for _, w := range progressWords(d, progress, p.verbose > 1) {
			p.word("%s", w)
		}
	}
	p.end()
}

// progressWords are the details of a running resync or verify.
func progressWords(d *genl.PeerDevice, g *genl.Progress, all bool) []string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	s := &d.Statistics
	if all {
		for _, w := range []struct {
			name  string
			value int64
		}{
			{"rs-total", int64(s.RSTotal)}, {"rs-dt-start-ms", int64(s.RSDtStartMs)}, {"rs-paused-ms", int64(s.RSPausedMs)},
			{"rs-dt0-ms", int64(s.RSDt0Ms)}, {"rs-db0-sectors", int64(s.RSDb0Sectors)}, {"rs-dt1-ms", int64(s.RSDt1Ms)},
			{"rs-db1-sectors", int64(s.RSDb1Sectors)},
		} {
			add("%s:%d", w.name, w.value)
		}
		if g.Verify {
			add("ov-start-sector:%d", s.OVStartSector)
			add("ov-stop-sector:%d", int64(s.OVStopSector))
			add("ov-position:%d", s.OVPosition)
			add("ov-left:%d", s.OVLeft)
			add("ov-skipped:%d", s.OVSkipped)
		} else {
			add("rs-failed:%d", s.ResyncFailed)
			add("rs-same-csum:%d", s.RSSameCsum)
		}
		if g.HasWant {
			add("want:%.2f", g.Want)
		}
		add("dbdt:%.2f", g.DBDT)
		add("dbdt0:%.2f", g.DBDT0)
	}
	add("dbdt1:%.2f", g.DBDT1)
	add("eta:%s", etaWord(g.ETA))
	return words
}

func etaWord(seconds float64) string {
	if math.IsNaN(seconds) {
		return "nan"
	}
	return strconv.FormatFloat(seconds, 'f', 0, 64)
}
