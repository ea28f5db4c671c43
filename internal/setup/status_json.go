package setup

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"drbd/internal/genl"
)

// The layout of status --json is older than most JSON libraries it is read with: two blanks a level, array ends behind the last
// element. Consumers parse JSON, but some compare texts, so it is kept (15.3).

type jsonMember struct {
	name  string
	value string // JSON already
}

func jsonString(name, v string) jsonMember {
	text, err := json.Marshal(v)
	if err != nil { // cannot happen for a string
		text = []byte(`""`)
	}
	return jsonMember{name, string(text)}
}

func jsonInt[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int | ~int32 | ~int64](name string, v T) jsonMember {
	return jsonMember{name, fmt.Sprintf("%d", v)}
}

func jsonBool(name string, v bool) jsonMember { return jsonMember{name, fmt.Sprint(v)} }

func jsonFloat(name, format string, v float64) jsonMember {
	return jsonMember{name, fmt.Sprintf(format, v)}
}

// jsonArray's elements are objects that were written for two levels deeper than the member.
func jsonArray(name string, level int, objects []string) jsonMember {
	pad := strings.Repeat("  ", level+1)
	if len(objects) == 0 {
		return jsonMember{name, "[ ]"}
	}
	return jsonMember{name, "[\n" + pad + strings.Join(objects, ",\n"+pad) + " ]"}
}

func jsonObject(level int, members ...jsonMember) string {
	pad := strings.Repeat("  ", level)
	var lines []string
	for _, m := range members {
		lines = append(lines, fmt.Sprintf("%s  %q: %s", pad, m.name, m.value))
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n" + pad + "}"
}

func printStatusJSON(w io.Writer, resources []snapshot) error {
	var texts []string
	for i := range resources {
		texts = append(texts, resourceJSON(&resources[i]))
	}
	body := strings.Join(texts, "\n,\n")
	if body != "" {
		body += "\n"
	}
	// One member is followed by a blank since ever.
	body = trailingBlank(body)
	_, err := fmt.Fprintf(w, "[\n%s]\n\n", body)
	return err
}

func trailingBlank(body string) string {
	lines := strings.Split(body, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, `      "connection-state": `) {
			lines[i] = l + " "
		}
	}
	return strings.Join(lines, "\n")
}

func resourceJSON(r *snapshot) string {
	i := &r.Info
	var devices, connections []string
	sizes := map[uint32]uint64{}
	for d := range r.Devices {
		devices = append(devices, deviceJSON(&r.Devices[d]))
		sizes[r.Devices[d].Volume] = r.Devices[d].Statistics.Size
	}
	for n := range r.Connections {
		connections = append(connections, connectionJSON(&r.Connections[n], sizes))
	}
	return jsonObject(0,
		jsonString("name", r.Name),
		jsonInt("node-id", int32(r.Opts.NodeID)),
		jsonString("role", i.Role.String()),
		jsonBool("suspended", i.Susp || i.SuspNod || i.SuspFen || i.SuspQuorum),
		jsonBool("suspended-user", i.Susp),
		jsonBool("suspended-no-data", i.SuspNod),
		jsonBool("suspended-fencing", i.SuspFen),
		jsonBool("suspended-quorum", i.SuspQuorum),
		jsonBool("force-io-failures", i.FailIO),
		jsonString("write-ordering", r.Statistics.WriteOrdering.String()),
		jsonArray("devices", 1, devices),
		jsonArray("connections", 1, connections),
	)
}

func deviceJSON(d *genl.Device) string {
	s := &d.Statistics
	return jsonObject(2,
		jsonInt("volume", d.Volume),
		jsonInt("minor", d.Minor),
		jsonString("disk-state", d.Info.DiskState.String()),
		jsonBool("client", d.Info.IsIntentionalDiskless),
		jsonBool("open", d.Info.IsOpen),
		jsonBool("quorum", d.Info.HasQuorum),
		jsonInt("size", s.Size/2),
		jsonInt("read", s.Read/2),
		jsonInt("written", s.Write/2),
		jsonInt("al-writes", s.ALWrites),
		jsonInt("bm-writes", s.BMWrites),
		jsonInt("upper-pending", s.UpperPending),
		jsonInt("lower-pending", s.LowerPending),
	)
}

func connectionJSON(n *connection, sizes map[uint32]uint64) string {
	s := &n.Statistics
	members := []jsonMember{
		jsonInt("peer-node-id", n.Node),
		jsonString("name", n.Name),
		jsonString("connection-state", n.Info.ConnectionState.String()),
		jsonBool("congested", s.Congested),
		jsonString("peer-role", n.Info.Role.String()),
		jsonBool("tls", n.Net.TLS),
	}
	if s.Has&(1<<genl.ConnectionStatisticsNrApInFlight) != 0 {
		members = append(members, jsonInt("ap-in-flight", s.ApInFlight), jsonInt("rs-in-flight", s.RSInFlight))
	}
	if n.PathsKnown {
		var paths []string
		for i := range n.Paths {
			paths = append(paths, pathJSON(&n.Paths[i]))
		}
		members = append(members, jsonArray("paths", 3, paths))
	}
	var peers []string
	for i := range n.PeerDevices {
		peers = append(peers, peerDeviceJSON(&n.PeerDevices[i], sizes[n.PeerDevices[i].Volume]))
	}
	return jsonObject(2, append(members, jsonArray("peer_devices", 3, peers))...)
}

func hostJSON(level int, a genl.Address) string {
	family, ap := a.Parse()
	address := ""
	if ap.IsValid() {
		address = ap.Addr().String()
	}
	return jsonObject(level, jsonString("address", address), jsonInt("port", ap.Port()), jsonString("family", family))
}

func pathJSON(p *genl.Path) string {
	return jsonObject(4,
		jsonMember{"this_host", hostJSON(5, p.Local)},
		jsonMember{"remote_host", hostJSON(5, p.Peer)},
		jsonBool("established", p.Info.PathEstablished),
	)
}

func peerDeviceJSON(d *genl.PeerDevice, size uint64) string {
	s := &d.Statistics
	g := d.Progress()
	inSync := 0.0
	if size > 0 {
		inSync = 100 * (1 - float64(min(s.OutOfSync, size))/float64(size))
	}
	members := []jsonMember{
		jsonInt("volume", d.Volume),
		jsonString("replication-state", d.Info.ReplState.String()),
		jsonString("peer-disk-state", d.Info.DiskState.String()),
		jsonBool("peer-client", d.Info.IsIntentionalDiskless),
		jsonString("resync-suspended", resyncSuspended(&d.Info)),
		jsonInt("received", s.Received/2),
		jsonInt("sent", s.Sent/2),
		jsonInt("out-of-sync", s.OutOfSync/2),
		jsonInt("pending", s.Pending),
		jsonInt("unacked", s.Unacked),
		jsonBool("has-sync-details", g != nil && g.Complete),
		jsonBool("has-online-verify-details", g != nil && g.Complete && g.Verify),
		jsonFloat("percent-in-sync", "%.2f", inSync),
	}
	if g != nil {
		members = append(members, progressJSON(s, g)...)
	}
	return jsonObject(4, members...)
}

func progressJSON(s *genl.PeerDeviceStatistics, g *genl.Progress) []jsonMember {
	done := jsonFloat("percent-resync-done", "%.2f", g.Done)
	if !g.Complete {
		return []jsonMember{done}
	}
	members := []jsonMember{
		jsonInt("rs-total", s.RSTotal),
		jsonInt("rs-dt-start-ms", int64(s.RSDtStartMs)),
		jsonInt("rs-paused-ms", int64(s.RSPausedMs)),
		jsonInt("rs-dt0-ms", int64(s.RSDt0Ms)),
		jsonInt("rs-db0-sectors", int64(s.RSDb0Sectors)),
		jsonInt("rs-dt1-ms", int64(s.RSDt1Ms)),
		jsonInt("rs-db1-sectors", int64(s.RSDb1Sectors)),
	}
	if g.Verify {
		members = append(members,
			jsonInt("ov-start-sector", s.OVStartSector),
			jsonInt("ov-left", s.OVLeft),
			jsonInt("ov-skipped", s.OVSkipped),
			jsonInt("ov-stop-sector", int64(s.OVStopSector)),
			jsonInt("ov-position", int64(s.OVPosition)))
	} else {
		members = append(members, jsonInt("rs-failed", s.ResyncFailed), jsonInt("rs-same-csum", s.RSSameCsum))
	}
	eta := g.ETA
	if math.IsNaN(eta) || math.IsInf(eta, 0) {
		eta = 987654321
	}
	return append(members,
		jsonFloat("want", "%.2f", g.Want),
		jsonFloat("db0/dt0 [MiB/s]", "%.2f", g.DBDT0),
		jsonFloat("db1/dt1 [MiB/s]", "%.2f", g.DBDT1),
		jsonFloat("estimated-seconds-to-finish", "%.0f", eta),
		jsonFloat("db/dt [MiB/s]", "%.2f", g.DBDT),
		done)
}
