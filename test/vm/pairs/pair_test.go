// Package pairs holds machine tests of what two nodes settle between them: two
// Primaries, fencing, sizes, split brain, dependencies. Each runs with ours on
// both nodes, and with ours on either node and the stock DRBD on the other.
package pairs

import (
	"context"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

const (
	diskSize     = 32 << 20
	connectLimit = 40 * time.Second
	syncLimit    = 90 * time.Second
	both         = "cs:Connected ds:UpToDate/UpToDate"
)

// pair is two machines and what a test does with them.
type pair struct {
	t            *testing.T
	bed          *bed.Bed
	alpha, bravo *bed.Machine
	flavours     [2]bed.Flavour
}

// eachPair runs a test with each combination of implementations.
func eachPair(t *testing.T, run func(p *pair)) {
	cluster.EachPair(t, func(t *testing.T, p cluster.Pair) { run(newPair(t, p.Alpha, p.Bravo)) })
}

func newPair(t *testing.T, alpha, bravo bed.Flavour) *pair {
	t.Helper()
	disks := []int64{diskSize}
	b, ms := cluster.Boot(t, bed.Spec{Flavour: alpha, Disks: disks}, bed.Spec{Flavour: bravo, Disks: disks})
	return &pair{t: t, bed: b, alpha: ms[0], bravo: ms[1], flavours: [2]bed.Flavour{alpha, bravo}}
}

func (p *pair) each(f func(m *bed.Machine)) {
	f(p.alpha)
	f(p.bravo)
}

func (p *pair) other(m *bed.Machine) *bed.Machine {
	if m == p.alpha {
		return p.bravo
	}
	return p.alpha
}

// stock: one of the two is not ours.
func (p *pair) stock() bool {
	return p.flavours != [2]bed.Flavour{bed.Ours, bed.Ours}
}

// run is a command that has to succeed.
func (p *pair) run(m *bed.Machine, command string) string {
	p.t.Helper()
	out, err := m.Run(context.Background(), command)
	if err != nil {
		p.t.Fatal(err)
	}
	return out.Stdout
}

// fails is a command that has to fail; what it said.
func (p *pair) fails(m *bed.Machine, command string) string {
	p.t.Helper()
	out, err := m.Run(context.Background(), command)
	if err == nil {
		p.t.Fatalf("%s: `%s` was expected to fail, said:\n%s%s", m.Name, command, out.Stdout, out.Stderr)
	}
	return out.Stdout + out.Stderr
}

func (p *pair) wait(m *bed.Machine, state string, limit time.Duration) {
	p.t.Helper()
	if _, err := cluster.Wait(context.Background(), m, cluster.Minor, cluster.StateIs(state), limit); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) waitBoth(state string, limit time.Duration) {
	p.t.Helper()
	p.each(func(m *bed.Machine) { p.wait(m, state, limit) })
}

func (p *pair) configure(extra string) {
	p.t.Helper()
	p.setConfig(cluster.Config(p.alpha, p.bravo, extra))
}

func (p *pair) setConfig(text string) {
	p.t.Helper()
	if err := cluster.SetConfig(context.Background(), text, p.alpha, p.bravo); err != nil {
		p.t.Fatal(err)
	}
}

// up brings both nodes from nothing to a connection of two UpToDate disks, both
// Secondary.
func (p *pair) up() {
	p.t.Helper()
	p.each(func(m *bed.Machine) {
		p.run(m, "modprobe drbd && drbdadm create-md --force r0 && drbdadm up r0")
	})
	p.waitBoth("cs:Connected ds:Inconsistent/Inconsistent", connectLimit)
	p.run(p.alpha, "drbdadm primary --force r0")
	p.waitBoth(both, syncLimit)
	p.run(p.alpha, "drbdadm secondary r0")
}

// same takes both nodes down and compares the first bytes of their disks.
func (p *pair) same(bytes int64) {
	p.t.Helper()
	p.each(func(m *bed.Machine) { p.run(m, "umount /mnt 2>/dev/null; drbdadm secondary r0; true") })
	p.each(func(m *bed.Machine) { p.run(m, "drbdadm down r0; sync") })
	if err := bed.CompareDisks(p.alpha.Disk(0), p.bravo.Disk(0), 0, bytes); err != nil {
		p.t.Error(err)
	}
}

// deviceBytes is the size of the device as a machine sees it.
func (p *pair) deviceBytes(m *bed.Machine) int64 {
	p.t.Helper()
	var n int64
	for _, c := range strings.TrimSpace(p.run(m, "cat /sys/block/drbd2/size")) {
		n = n*10 + int64(c-'0')
	}
	return n * 512
}
