package pairs

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// handler is a fence-peer program that says what it was called with, waits for
// /tmp/fence to say how to answer, and answers so.
const handler = `#!/bin/bash
echo "fence-peer $DRBD_RESOURCE $UP_TO_DATE_NODES" >> /tmp/fence.log
for i in $(seq 300); do [ -s /tmp/fence ] && exit $(cat /tmp/fence); sleep 0.2; done
exit 1
`

// fencing configures a policy in the words that both generations understand: the
// stock one has it as a disk option, ours takes either.
func (p *pair) fencing(policy string) {
	p.t.Helper()
	p.each(func(m *bed.Machine) {
		if err := m.SetFile(context.Background(), "/usr/local/fence", []byte(handler)); err != nil {
			p.t.Fatal(err)
		}
		p.run(m, "chmod +x /usr/local/fence; rm -f /tmp/fence")
	})
	config := cluster.Config(p.alpha, p.bravo, `
		net { ping-int 1; ping-timeout 10; connect-int 3; timeout 20; }
		handlers { fence-peer /usr/local/fence; unfence-peer /bin/true; }
	`)
	config = strings.Replace(config, "disk {", "disk { fencing "+policy+";", 1)
	if err := cluster.SetConfig(context.Background(), config, p.alpha, p.bravo); err != nil {
		p.t.Fatal(err)
	}
}

// write tries one block; what became of it within so many seconds. A frozen write
// cannot be killed: it is left behind, and ends when the Primary goes on.
func (p *pair) write(m *bed.Machine, block, seconds int) string {
	p.t.Helper()
	return strings.TrimSpace(p.run(m, fmt.Sprintf(`rm -f /tmp/written
(dd if=/dev/urandom of=/dev/drbd2 bs=4k count=1 seek=%d oflag=direct conv=notrunc && touch /tmp/written) </dev/null >/dev/null 2>&1 &
for i in $(seq %d); do [ -e /tmp/written ] && echo done && exit; sleep 0.1; done
echo no`, block, 10*seconds)))
}

// A frozen Primary writes nothing until the handler has answered; then it goes on, and
// the peer gets what it lacks when it comes back.
func TestVMFencing(t *testing.T) {
	eachPair(t, func(p *pair) {
		if p.flavours[0] != bed.Ours {
			p.t.Skip("the Primary is the stock one: nothing of ours fences")
		}
		p.fencing("resource-and-stonith")
		p.up()
		p.run(p.alpha, "drbdadm primary r0")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()

		// the peer vanishes while a write is on its way
		p.bed.Network().Cut(p.alpha, p.bravo)
		c, err := p.alpha.Background(ctx, "dd if=/dev/urandom of=/dev/drbd2 bs=4k count=1 oflag=direct status=none && echo written", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		p.wait(p.alpha, "cs:WFConnection ds:UpToDate/DUnknown", connectLimit)
		time.Sleep(3 * time.Second)
		if out := c.Output().Stdout; out != "" {
			p.t.Fatalf("the write ended although nobody knows what the peer does: %q", out)
		}
		p.run(p.alpha, "echo 4 > /tmp/fence")
		out, err := c.Wait()
		if err != nil || strings.TrimSpace(out.Stdout) != "written" {
			p.t.Fatalf("the frozen write: %q, %v", out.Stdout, err)
		}
		p.wait(p.alpha, "cs:WFConnection ds:UpToDate/Outdated", connectLimit)
		if called := p.run(p.alpha, "cat /tmp/fence.log"); strings.Count(called, "fence-peer r0") != 1 {
			p.t.Errorf("the handler was called so: %q", called)
		}
		if log := p.run(p.alpha, "dmesg"); !strings.Contains(log, "fence-peer says: the peer's disk is outdated") {
			p.t.Error("the kernel's log does not tell what the handler has answered")
		}
		if got := p.write(p.alpha, 5, 10); got != "done" {
			p.t.Errorf("a write behind the fence: %s", got)
		}
		p.bed.Network().Restore(p.alpha, p.bravo)
		p.waitBoth(both, syncLimit)

		// the link is back before the handler answers: the write is sent again
		p.run(p.alpha, "rm -f /tmp/fence")
		p.bed.Network().Cut(p.alpha, p.bravo)
		c, err = p.alpha.Background(ctx, "dd if=/dev/urandom of=/dev/drbd2 bs=4k count=1 seek=9 oflag=direct status=none && echo written", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		p.wait(p.alpha, "cs:WFConnection", connectLimit)
		p.bed.Network().Restore(p.alpha, p.bravo)
		if out, err := c.Wait(); err != nil || strings.TrimSpace(out.Stdout) != "written" {
			p.t.Fatalf("the write when the link is back: %q, %v", out.Stdout, err)
		}
		p.waitBoth(both, syncLimit)
		p.run(p.alpha, "echo 4 > /tmp/fence; sleep 1")
		p.wait(p.alpha, both, connectLimit)

		// a broken handler: resume-io is the way out
		p.run(p.alpha, "echo 1 > /tmp/fence")
		p.bed.Network().Cut(p.alpha, p.bravo)
		p.wait(p.alpha, "cs:WFConnection", connectLimit)
		if got := p.write(p.alpha, 12, 3); got != "no" {
			p.t.Errorf("a write though the handler is broken: %s", got)
		}
		p.run(p.alpha, "drbdadm resume-io r0")
		if got := p.write(p.alpha, 13, 10); got != "done" {
			p.t.Errorf("a write after resume-io: %s", got)
		}
		p.bed.Network().Restore(p.alpha, p.bravo)
		p.waitBoth(both, syncLimit)

		// promotion of a node that is alone: refused, until the handler outdates the peer
		p.run(p.alpha, "drbdadm secondary r0")
		p.bed.Network().Cut(p.alpha, p.bravo)
		p.wait(p.alpha, "cs:WFConnection", connectLimit)
		p.fails(p.alpha, "drbdadm primary r0")
		p.run(p.alpha, "echo 4 > /tmp/fence; drbdadm primary r0")
		p.wait(p.alpha, "ro:Primary/Unknown ds:UpToDate/Outdated", connectLimit)
		p.bed.Network().Restore(p.alpha, p.bravo)
		p.waitBoth(both, syncLimit)
		p.same(p.deviceBytes(p.alpha))
	})
}

// Who leaves in good order leaves no doubt: the Secondary is outdated, and no handler
// has to find that out. When all is UpToDate again the fence is taken away.
func TestVMLeaving(t *testing.T) {
	eachPair(t, func(p *pair) {
		p.fencing("resource-only")
		p.each(func(m *bed.Machine) {
			p.run(m, "rm -f /tmp/fence.log; sed -i 's|unfence-peer /bin/true|unfence-peer \"echo unfenced >> /tmp/unfence.log\"|' /etc/drbd.conf")
		})
		p.up()
		p.run(p.alpha, "drbdadm primary r0")
		quiet := func() {
			p.t.Helper()
			if called := p.run(p.alpha, "cat /tmp/fence.log 2>/dev/null; true"); called != "" {
				p.t.Errorf("fence-peer was called although the peer left in good order: %q", called)
			}
		}

		p.run(p.alpha, "drbdadm disconnect r0")
		p.wait(p.alpha, "cs:StandAlone ro:Primary/Unknown ds:UpToDate/Outdated", connectLimit)
		p.wait(p.bravo, "ro:Secondary/Unknown ds:Outdated/DUnknown", connectLimit)
		quiet()
		p.fails(p.bravo, "drbdadm primary r0")
		if got := p.write(p.alpha, 1, 10); got != "done" {
			p.t.Errorf("a write of the Primary that is alone: %s", got)
		}
		p.run(p.alpha, "drbdadm connect r0")
		p.waitBoth(both, syncLimit)
		if p.flavours[0] == bed.Ours {
			p.run(p.alpha, "for i in $(seq 50); do grep -q unfenced /tmp/unfence.log && exit; sleep 0.1; done; exit 1")
		}

		p.run(p.bravo, "drbdadm disconnect r0")
		p.wait(p.bravo, "cs:StandAlone ds:Outdated/DUnknown", connectLimit)
		p.wait(p.alpha, "ds:UpToDate/Outdated", connectLimit)
		quiet()
		p.run(p.bravo, "drbdadm connect r0")
		p.waitBoth(both, syncLimit)
		p.same(p.deviceBytes(p.alpha))
	})
}
