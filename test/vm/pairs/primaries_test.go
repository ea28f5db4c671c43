package pairs

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
)

// Both nodes write the same few blocks at once; in the end both disks are the same.
//
// With the stock DRBD they write whole blocks, as file systems do. Two of its own
// nodes do not survive writes that overlap in part (docs/findings.md).
func TestVMTwoPrimaries(t *testing.T) {
	eachPair(t, func(p *pair) {
		p.configure("net { allow-two-primaries; }")
		p.up()
		p.each(func(m *bed.Machine) { p.run(m, "drbdadm primary r0") })
		p.waitBoth("cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate", connectLimit)
		shape := "any"
		if p.stock() {
			shape = "blocks"
		}
		// 512 KiB calm, then 4 KiB where nearly every write meets another
		for round, sectors := range []int{1024, 64, 8} {
			p.hammer(shape, sectors, 6, 6, round)
			p.waitBoth(both, syncLimit)
		}
		p.each(func(m *bed.Machine) {
			out := p.run(m, "grep -A1 '^ 2:' /proc/drbd")
			if !p.stock() && !strings.Contains(out, "oos:0") {
				p.t.Errorf("%s: blocks are marked though nothing was lost:\n%s", m.Name, out)
			}
		})
		if !p.stock() {
			p.configure("net { allow-two-primaries no; }")
			said := p.fails(p.alpha, "drbdadm net-options r0")
			if !strings.Contains(said, "both nodes are Primary") {
				p.t.Errorf("the refusal does not say why: %q", said)
			}
		}
		p.run(p.bravo, "drbdadm secondary r0")
		p.wait(p.alpha, "ro:Primary/Secondary", connectLimit)
		p.same(p.deviceBytes(p.alpha))
	})
}

// hammer writes from both sides for some seconds; all writes must succeed.
func (p *pair) hammer(shape string, sectors, writers, seconds, seed int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds+60)*time.Second)
	defer cancel()
	var commands []*bed.Command
	p.each(func(m *bed.Machine) {
		c, err := m.Background(ctx, fmt.Sprintf("block-hammer /dev/drbd2 %s %d %d %d %d", shape, sectors, writers, seconds, seed), nil)
		if err != nil {
			p.t.Fatal(err)
		}
		commands = append(commands, c)
	})
	for i, c := range commands {
		out, err := c.Wait()
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Logf("%s wrote %s times to %d sectors", []string{"alpha", "bravo"}[i], strings.TrimSpace(out.Stdout), sectors)
	}
}
