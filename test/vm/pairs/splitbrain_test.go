package pairs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// sbRound is one split brain: both nodes change their data while they are apart.
type sbRound struct {
	policy string // options of the net section
	before string // Primary when they part
	writes [2]int // blocks that alpha and bravo write
	stays  string // Primary when they meet again
	winner string // whose data both have in the end; "" = they do not decide
	brief  bool   // also when time is short
}

var sbRounds = []sbRound{
	{"after-sb-0pri disconnect;", "", [2]int{3, 3}, "", "", false},
	{"after-sb-0pri discard-younger-primary;", "alpha", [2]int{3, 3}, "", "alpha", true},
	{"after-sb-0pri discard-younger-primary;", "bravo", [2]int{3, 3}, "", "bravo", false},
	{"after-sb-0pri discard-older-primary;", "alpha", [2]int{3, 3}, "", "bravo", true},
	{"after-sb-0pri discard-least-changes;", "", [2]int{2, 40}, "", "bravo", true},
	{"after-sb-0pri discard-least-changes;", "", [2]int{40, 2}, "", "alpha", false},
	{"after-sb-0pri discard-zero-changes;", "", [2]int{3, 3}, "", "", false},
	{"after-sb-0pri discard-node-bravo;", "", [2]int{2, 40}, "", "alpha", false},
	{"after-sb-0pri discard-least-changes; after-sb-1pri disconnect;", "", [2]int{2, 40}, "bravo", "", true},
	{"after-sb-0pri discard-least-changes; after-sb-1pri consensus;", "", [2]int{2, 40}, "bravo", "bravo", true},
	{"after-sb-0pri discard-least-changes; after-sb-1pri consensus;", "", [2]int{2, 40}, "alpha", "", false},
	{"after-sb-0pri discard-least-changes; after-sb-1pri discard-secondary;", "", [2]int{2, 40}, "alpha", "alpha", true},
	{"after-sb-0pri discard-least-changes; after-sb-1pri call-pri-lost-after-sb;", "", [2]int{2, 40}, "bravo", "bravo", false},
	{"after-sb-0pri discard-least-changes; after-sb-1pri violently-as0p; rr-conflict violently;", "", [2]int{2, 40}, "alpha", "bravo", true},
	{"allow-two-primaries; after-sb-2pri disconnect;", "", [2]int{3, 3}, "both", "", false},
}

// TestVMSplitBrain goes through the policies in one life of two machines.
func TestVMSplitBrain(t *testing.T) {
	eachPair(t, func(p *pair) {
		p.configure("")
		p.up()
		for i, r := range sbRounds {
			if !r.brief && !cluster.Long() && !cluster.OnDebugKernel() {
				continue // all of them: make test-long
			}
			begin := time.Now()
			if !p.splitBrain(i, r) {
				p.t.Fatalf("round %d: %+v", i, r)
			}
			p.t.Logf("round %d: %.1f s", i, time.Since(begin).Seconds())
		}
		p.run(p.alpha, "drbdadm secondary r0")
		p.run(p.bravo, "drbdadm secondary r0")
		p.same(p.deviceBytes(p.alpha))
	})
}

// mark is what a node's disk has in its first block.
func (p *pair) mark(m *bed.Machine) string {
	p.t.Helper()
	return p.run(m, "dd if=/dev/vda bs=4k count=1 iflag=direct status=none | sha1sum")
}

func (p *pair) splitBrain(n int, r sbRound) bool {
	p.t.Helper()
	named := map[string]*bed.Machine{"alpha": p.alpha, "bravo": p.bravo}
	if m := named[r.before]; m != nil {
		p.run(m, "drbdadm primary r0")
	}
	p.each(func(m *bed.Machine) { p.run(m, "drbdadm disconnect r0") })
	// first who is Primary already, so that its generation is the older one
	order := []*bed.Machine{p.alpha, p.bravo}
	if r.before == "bravo" {
		order = []*bed.Machine{p.bravo, p.alpha}
	}
	marks := map[string]string{}
	for _, m := range order {
		count := r.writes[0]
		if m == p.bravo {
			count = r.writes[1]
		}
		demote := "drbdadm secondary r0"
		if r.stays == m.Name || r.stays == "both" {
			demote = ":"
		}
		p.run(m, fmt.Sprintf("drbdadm primary r0 && dd if=/dev/urandom of=/dev/drbd2 bs=4k count=%d oflag=direct conv=notrunc status=none && %s", count, demote))
		marks[m.Name] = p.mark(m)
	}
	p.configure("net { " + r.policy + " }")
	p.each(func(m *bed.Machine) { p.run(m, "drbdadm adjust r0") })
	winner := r.winner
	if winner == "" {
		winner = p.decideByHand(r)
	} else {
		p.waitBoth(both, syncLimit)
	}
	ok := true
	p.each(func(m *bed.Machine) {
		if got := p.mark(m); got != marks[winner] {
			p.t.Errorf("round %d: %s has not the data of %s", n, m.Name, winner)
			ok = false
		}
	})
	p.each(func(m *bed.Machine) { p.run(m, "drbdadm secondary r0") })
	return ok
}

// decideByHand is for what the policy leaves open: both must have given up, and the
// data of alpha are discarded.
func (p *pair) decideByHand(r sbRound) string {
	p.t.Helper()
	victim, winner := p.alpha, p.bravo
	if r.stays == "alpha" {
		victim, winner = p.bravo, p.alpha
	}
	gaveUp := false
	for end := time.Now().Add(connectLimit); time.Now().Before(end) && !gaveUp; time.Sleep(200 * time.Millisecond) {
		p.each(func(m *bed.Machine) {
			if strings.Contains(p.run(m, "grep '^ 2:' /proc/drbd"), "cs:StandAlone") {
				gaveUp = true
			}
		})
	}
	if !gaveUp {
		p.t.Fatal("neither node has given up although the policy leaves it open")
	}
	p.each(func(m *bed.Machine) { p.run(m, "drbdadm disconnect r0") })
	p.run(victim, "drbdadm secondary r0; drbdadm -- --discard-my-data connect r0")
	p.run(winner, "drbdadm connect r0")
	p.waitBoth(both, syncLimit)
	return winner.Name
}
