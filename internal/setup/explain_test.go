package setup

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"drbd/internal/genl"
)

const recordedHandshakes = "minor=0 volume=0 peer_node_id=1 known=1 ago_ms=12345 rule=90 decision=100 verdict=3 full=0 role=Secondary peer_role=Primary " +
	"disk=UpToDate peer_disk=UpToDate self=4E65178769BF462F:99940EE75D129A13:0000000000000001:0000000000000002 self_bits=12 self_flags=2 " +
	"peer=2DBDCE85827CD6BB:99940EE75D129A12:0000000000000003:0000000000000004 peer_bits=3 peer_flags=0 why=Split-Brain detected but unresolved, dropping connection!\n" +
	"minor=1 volume=0 peer_node_id=1 known=0 why=\n" +
	"minor=2 volume=0 peer_node_id=1 known=0 why=the peer's options do not fit\n"

func TestHandshakesAreParsed(t *testing.T) {
	all := parseHandshakes(recordedHandshakes)
	h := all[handshakeKey{0, 1}]
	want := handshake{known: true, ago: 12345 * time.Millisecond, rule: 90, decision: 100, verdict: verdictDrop, role: "Secondary", peerRole: "Primary",
		disk: "UpToDate", peerDisk: "UpToDate", self: [4]uint64{0x4E65178769BF462F, 0x99940EE75D129A13, 1, 2},
		peer: [4]uint64{0x2DBDCE85827CD6BB, 0x99940EE75D129A12, 3, 4}, selfBits: 12, peerBits: 3, selfFlags: 2,
		why: "Split-Brain detected but unresolved, dropping connection!"}
	if h != want {
		t.Errorf("got  %+v\nwant %+v", h, want)
	}
	if all[handshakeKey{1, 1}].known || all[handshakeKey{2, 1}].why != "the peer's options do not fit" || len(all) != 3 {
		t.Errorf("%+v", all)
	}
	if got := parseHandshakes("nonsense\nminor=x self=:: =\n"); len(got) != 1 {
		t.Errorf("nonsense gives %+v", got)
	}
}

// Each situation has what is said of it, and the commands that are of use then, in order.
func TestExplanations(t *testing.T) {
	split := parseHandshakes(recordedHandshakes)[handshakeKey{0, 1}]
	verdict := func(rule, decision, verdict int, full bool) handshake {
		h := split
		h.rule, h.decision, h.verdict, h.full, h.why = rule, decision, verdict, full, "decided by generation identifiers"
		return h
	}
	at := func(conn genl.ConnState, repl genl.ReplState, disk, peer genl.DiskState, h handshake) situation {
		return situation{resource: "r0", peer: "bravo", node: 1, connection: conn, repl: repl, role: genl.RoleSecondary, peerRole: genl.RoleSecondary,
			disk: disk, peerDisk: peer, handshake: h, told: true}
	}
	const alone, up = genl.ConnStandalone, genl.ConnConnected
	utd, bad := genl.DiskUpToDate, genl.DiskInconsistent
	syncing := at(up, genl.ReplSyncTarget, bad, utd, verdict(50, -1, verdictTarget, false))
	syncing.outOfSync = 4096
	stock := at(up, genl.ReplEstablished, utd, utd, handshake{})
	stock.told = false
	marked := at(up, genl.ReplEstablished, utd, utd, verdict(40, 0, verdictConnect, false))
	marked.outOfSync = 20 * 1024
	for _, test := range []struct {
		name string
		s    situation
		want []string // in this order
	}{
		{"split brain", at(alone, genl.ReplOff, utd, genl.DiskUnknown, split), []string{"12s ago", "4E65178769BF462F", "12 blocks marked (48 KiB), crashed as Primary",
			"2DBDCE85827CD6BB", "Rule 90", "split brain", "refused", "secondary r0", "connect --discard-my-data r0", "on the other", "connect r0"}},
		{"unrelated", at(alone, genl.ReplOff, utd, genl.DiskUnknown, verdict(0, -1000, verdictDrop, false)), []string{"nothing in common", "create-md r0"}},
		{"options", at(alone, genl.ReplOff, utd, genl.DiskUnknown, handshake{why: "the peer's options do not fit"}), []string{"Given up: the peer's options", "drbdadm connect r0"}},
		{"disconnected by hand", at(alone, genl.ReplOff, utd, genl.DiskUnknown, verdict(40, 0, verdictConnect, false)), []string{"does not look for its peer", "drbdadm connect r0"}},
		{"peer away", at(genl.ConnConnecting, genl.ReplOff, utd, genl.DiskUnknown, handshake{}), []string{"none since the resource is up", "Waiting for bravo"}},
		{"target", syncing, []string{"Rule 50", "blocks that are marked on either side are copied from bravo to here", "4096 KiB are still to be copied"}},
		{"full source", at(up, genl.ReplSyncSource, utd, bad, verdict(30, 2, verdictSource, true)), []string{"all blocks are copied from here to bravo"}},
		{"failed resync", at(up, genl.ReplEstablished, bad, utd, verdict(50, -1, verdictTarget, false)), []string{"drbdadm invalidate r0"}},
		{"marked blocks", marked, []string{"20.0 MiB are marked", "disconnect r0", "connect r0"}},
		{"all is well", at(up, genl.ReplEstablished, utd, utd, verdict(40, 0, verdictConnect, false)), []string{"nothing is copied", "nothing has to be done"}},
		{"stock module", stock, []string{"not known, this module does not tell", "nothing has to be done"}},
	} {
		var out bytes.Buffer
		test.s.write(&out)
		rest := out.String()
		for _, want := range test.want {
			i := strings.Index(rest, want)
			if i < 0 {
				t.Errorf("%s: %q is missing (or not in this place) in\n%s", test.name, want, out.String())
				break
			}
			rest = rest[i+len(want):]
		}
	}
}

// The rules are those of core: none is without words.
func TestRulesHaveWords(t *testing.T) {
	source, err := os.ReadFile("../../kernel/core/state/compare.c")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`decide\(c, (\d+),`).FindAllSubmatch(source, -1)
	if len(found) < 15 {
		t.Fatalf("only %d rules in compare.c", len(found))
	}
	for _, m := range found {
		rule, _ := strconv.Atoi(string(m[1]))
		if rules[rule] == "" {
			t.Errorf("rule %d has no words", rule)
		}
	}
}
