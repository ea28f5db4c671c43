package setup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"drbd/internal/genl"
)

// handshake is the last comparison with a peer, as the module keeps it.
type handshake struct {
	known            bool
	ago              time.Duration
	rule, decision   int
	verdict          int
	full             bool
	role, peerRole   string
	disk, peerDisk   string
	self, peer       [4]uint64 // current, bitmap, two of the past
	selfBits         uint64
	peerBits         uint64
	selfFlags, flags uint64 // shown by this node, by the peer
	why              string
}

// Numbers of enum core_verdict and of the flags beside the identifiers (wire.md 5.7).
const (
	verdictConnect = iota
	verdictSource
	verdictTarget
	verdictDrop

	shownDiscard      = 1 << 0
	shownCrashed      = 1 << 1
	shownInconsistent = 1 << 2

	decisionSplitBrain = 100
	decisionUnrelated  = -1000
)

type handshakeKey struct{ minor, node uint32 }

// parseHandshakes reads /proc/drbd_handshakes. What it does not know it passes over.
func parseHandshakes(text string) map[handshakeKey]handshake {
	out := map[handshakeKey]handshake{}
	for line := range strings.Lines(text) {
		var (
			h   handshake
			key handshakeKey
		)
		line, h.why, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " why=")
		for _, word := range strings.Fields(line) {
			name, value, _ := strings.Cut(word, "=")
			n, _ := strconv.ParseInt(value, 10, 64)
			switch name {
			case "minor":
				key.minor = uint32(n)
			case "peer_node_id":
				key.node = uint32(n)
			case "known":
				h.known = n != 0
			case "ago_ms":
				h.ago = time.Duration(n) * time.Millisecond
			case "rule":
				h.rule = int(n)
			case "decision":
				h.decision = int(n)
			case "verdict":
				h.verdict = int(n)
			case "full":
				h.full = n != 0
			case "role":
				h.role = value
			case "peer_role":
				h.peerRole = value
			case "disk":
				h.disk = value
			case "peer_disk":
				h.peerDisk = value
			case "self":
				h.self = identifiers(value)
			case "peer":
				h.peer = identifiers(value)
			case "self_bits":
				h.selfBits = uint64(n)
			case "peer_bits":
				h.peerBits = uint64(n)
			case "self_flags":
				h.selfFlags, _ = strconv.ParseUint(value, 16, 64)
			case "peer_flags":
				h.flags, _ = strconv.ParseUint(value, 16, 64)
			}
		}
		out[key] = h
	}
	return out
}

func identifiers(text string) (out [4]uint64) {
	for i, word := range strings.SplitN(text, ":", len(out)) {
		out[i], _ = strconv.ParseUint(word, 16, 64)
	}
	return out
}

// rules are the rows of the decision table, in words.
var rules = map[int]string{
	10:  "both disks are new and empty",
	20:  "the disk here is new, the peer's has data",
	30:  "the peer's disk is new, the one here has data",
	34:  "same generation; this node had missed that the last resync ended",
	35:  "same generation; the peer had missed that the last resync ended",
	36:  "same generation, but this node still counts what the peer lacks",
	37:  "same generation, but the peer still counts what this node lacks",
	40:  "same generation on both sides",
	41:  "same generation, and a Primary has crashed while the other one is Primary",
	50:  "the peer went on from the generation that this node has",
	51:  "the peer went on from the generation that this node has; a message of a resync was lost",
	60:  "this node has an old generation of the peer's",
	70:  "this node went on from the generation that the peer has",
	71:  "this node went on from the generation that the peer has; a message of a resync was lost",
	80:  "the peer has an old generation of this node's",
	90:  "both went on from the same generation, each for itself: split brain",
	100: "both have a common past, and went on each for itself: split brain",
	0:   "the identifiers have nothing in common",
}

// situation is all that an explanation is made from.
type situation struct {
	resource, peer      string
	node, volume, minor uint32
	connection          genl.ConnState
	role, peerRole      genl.Role
	disk, peerDisk      genl.DiskState
	repl                genl.ReplState
	outOfSync           uint64 // KiB
	paused              bool
	self                [4]uint64
	handshake           handshake
	told                bool // the module has /proc/drbd_handshakes
}

func mebibytes(kib uint64) string {
	if kib < 10*1024 {
		return fmt.Sprintf("%d KiB", kib)
	}
	return fmt.Sprintf("%.1f MiB", float64(kib)/1024)
}

func shownFlags(flags uint64) string {
	var words []string
	for _, f := range []struct {
		bit  uint64
		text string
	}{{shownDiscard, "its data may be discarded"}, {shownCrashed, "crashed as Primary"}, {shownInconsistent, "Inconsistent"}} {
		if flags&f.bit != 0 {
			words = append(words, f.text)
		}
	}
	if words == nil {
		return ""
	}
	return ", " + strings.Join(words, ", ")
}

func identifierLine(w io.Writer, who string, u [4]uint64, rest string) {
	fmt.Fprintf(w, "    %-5s %016X  %016X  %016X  %016X%s\n", who, u[0], u[1], u[2], u[3], rest)
}

func (s situation) explainHandshake(w io.Writer) {
	const legend = "          current           bitmap            younger past      older past"
	h := s.handshake
	switch {
	case !s.told:
		fmt.Fprintf(w, "  Last handshake: not known, this module does not tell; look for lines with \"uuid_compare\" in the kernel log.\n%s\n", legend)
		identifierLine(w, "here", s.self, "")
		return
	case !h.known:
		fmt.Fprintf(w, "  Last handshake: none since the resource is up in which both had a disk.\n%s\n", legend)
		identifierLine(w, "here", s.self, "")
		if h.why != "" {
			fmt.Fprintf(w, "  Given up: %s\n", h.why)
		}
		return
	}
	fmt.Fprintf(w, "  Last handshake: %s ago; here %s with a disk %s, there %s with a disk %s.\n%s\n", h.ago.Round(time.Second),
		h.role, h.disk, h.peerRole, h.peerDisk, legend)
	identifierLine(w, "here", h.self, fmt.Sprintf("  %d blocks marked (%s)%s", h.selfBits, mebibytes(4*h.selfBits), shownFlags(h.selfFlags)))
	identifierLine(w, "peer", h.peer, fmt.Sprintf("  %d blocks marked (%s)%s", h.peerBits, mebibytes(4*h.peerBits), shownFlags(h.flags)))
	words, ok := rules[h.rule]
	if !ok {
		words = "this program does not know it"
	}
	fmt.Fprintf(w, "  Rule %d: %s.\n  Decision: %s (%s)\n", h.rule, words, s.decision(), h.why)
}

func (s situation) decision() string {
	h := s.handshake
	what := "the blocks that are marked on either side"
	if h.full {
		what = "all blocks"
	}
	switch h.verdict {
	case verdictConnect:
		return "nothing is copied."
	case verdictSource:
		return fmt.Sprintf("%s are copied from here to %s.", what, s.peer)
	case verdictTarget:
		return fmt.Sprintf("%s are copied from %s to here.", what, s.peer)
	}
	return "refused, nothing is copied."
}

// advice is what the administrator can do, one line each; commands are indented.
func (s situation) advice() []string {
	h, r := s.handshake, s.resource
	dropped := h.known && h.verdict == verdictDrop
	switch {
	case s.connection == genl.ConnStandalone && dropped && (h.decision == decisionSplitBrain || h.decision == -decisionSplitBrain):
		return []string{"Choose whose changes since then are lost, and type on that node:",
			"  drbdadm disconnect " + r, "  drbdadm secondary " + r, "  drbdadm connect --discard-my-data " + r,
			"and on the other one, if it is StandAlone, too:", "  drbdadm connect " + r}
	case s.connection == genl.ConnStandalone && dropped && h.decision == decisionUnrelated:
		return []string{"Make sure that the disks are the right ones. If all data of a node may be overwritten, type there:",
			"  drbdadm down " + r, "  drbdadm create-md " + r, "  drbdadm up " + r, "and on the other one:", "  drbdadm connect " + r}
	case s.connection == genl.ConnStandalone && h.why != "" && (dropped || !h.known):
		return []string{"Remove the reason (\"" + h.why + "\"), then:", "  drbdadm connect " + r}
	case s.connection == genl.ConnStandalone:
		return []string{"This node does not look for its peer: somebody disconnected it, or a handshake was refused.", "  drbdadm connect " + r}
	case s.connection != genl.ConnConnected:
		return []string{fmt.Sprintf("Waiting for %s: is it up, does its configuration have the same addresses and ports, does a firewall let them through?", s.peer),
			"  drbdadm status " + r + "    (there)"}
	case s.disk == genl.DiskDiskless:
		return []string{"This node reads and writes at its peer. With a disk again:", "  drbdadm attach " + r}
	case s.paused:
		return []string{"The resync is paused.", "  drbdadm resume-sync " + r + "    (on the node where it was paused)"}
	case s.repl == genl.ReplSyncSource || s.repl == genl.ReplSyncTarget:
		return []string{fmt.Sprintf("%s are still to be copied; nothing has to be done.", mebibytes(s.outOfSync)), "  drbdadm status " + r,
			"  drbdadm peer-device-options --c-max-rate=... " + r + "    (faster or slower)"}
	case s.disk == genl.DiskInconsistent && s.peerDisk == genl.DiskUpToDate:
		return []string{"The disk here is not good and no resync runs. Copy the peer's data:", "  drbdadm invalidate " + r}
	case s.outOfSync > 0:
		return []string{fmt.Sprintf("%s are marked as different (by a verify, or by errors). The next connection copies them:", mebibytes(s.outOfSync)),
			"  drbdadm disconnect " + r, "  drbdadm connect " + r}
	}
	return []string{"Both sides have the same data; nothing has to be done."}
}

func (s situation) write(w io.Writer) {
	fmt.Fprintf(w, "%s volume %d (drbd%d), peer %s (node %d)\n", s.resource, s.volume, s.minor, s.peer, s.node)
	fmt.Fprintf(w, "  Now: %s, %s; here %s with a disk %s, there %s with a disk %s; %s marked as different.\n", s.connection, s.repl,
		s.role, s.disk, s.peerRole, s.peerDisk, mebibytes(s.outOfSync))
	s.explainHandshake(w)
	fmt.Fprintln(w, "  What to do:")
	for _, line := range s.advice() {
		fmt.Fprintln(w, "    "+line)
	}
}

// runExplain says for each volume and peer of a resource why they stand as they do.
func runExplain(c *call) error {
	r, err := c.findResource(c.args[0])
	if err != nil {
		return err
	}
	devices, err := c.client.Devices(c.ctx, r.Name)
	if err != nil {
		return err
	}
	connections, err := c.client.Connections(c.ctx, r.Name)
	if err != nil {
		return err
	}
	peers, err := c.client.PeerDevices(c.ctx, r.Name)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.env.HandshakeFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	told, known := err == nil, parseHandshakes(string(text))
	for _, p := range peers {
		s := situation{resource: r.Name, peer: p.Connection, node: p.Node, volume: p.Volume, role: r.Info.Role, told: told,
			repl: p.Info.ReplState, peerDisk: p.Info.DiskState, outOfSync: p.Statistics.OutOfSync / 2,
			paused: p.Info.ResyncSuspUser != 0}
		for _, n := range connections {
			if n.Node == p.Node {
				s.connection, s.peerRole = n.Info.ConnectionState, n.Info.Role
			}
		}
		for _, d := range devices {
			if d.Volume != p.Volume {
				continue
			}
			history := append(append([]uint64{}, d.Statistics.HistoryUUIDs...), 0, 0)
			s.minor, s.disk = d.Minor, d.Info.DiskState
			s.self = [4]uint64{d.Statistics.CurrentUUID, p.Statistics.BitmapUUID, history[0], history[1]}
		}
		s.handshake = known[handshakeKey{s.minor, s.node}]
		s.write(c.env.Stdout)
	}
	if len(peers) == 0 {
		fmt.Fprintf(c.env.Stdout, "%s has no peer: there is nothing to compare with.\n", r.Name)
	}
	return nil
}
