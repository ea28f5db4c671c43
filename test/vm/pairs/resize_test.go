package pairs

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
)

const mib = 1 << 20

// enlarge gives both machines larger disks while they run.
func (p *pair) enlarge(bytes int64) {
	p.t.Helper()
	p.each(func(m *bed.Machine) {
		if err := m.ResizeDisk(0, bytes); err != nil {
			p.t.Fatal(err)
		}
		p.run(m, fmt.Sprintf("for i in $(seq 50); do [ $(cat /sys/block/vda/size) = %d ] && exit; sleep 0.1; done; exit 1", bytes/512))
	})
}

// waitSize waits until both see a device of some size within [from, to) bytes.
func (p *pair) waitSize(from, to int64) {
	p.t.Helper()
	p.each(func(m *bed.Machine) {
		var n int64
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			if n = p.deviceBytes(m); n >= from && n < to {
				return
			}
		}
		p.t.Fatalf("%s: /dev/drbd2 has %d bytes, not %d to %d", m.Name, n, from, to)
	})
}

func (p *pair) fill(m *bed.Machine, fromMiB, toMiB int) {
	p.t.Helper()
	p.run(m, fmt.Sprintf("dd if=/dev/urandom of=/dev/drbd2 bs=1M seek=%d count=%d oflag=direct conv=notrunc status=none", fromMiB, toMiB-fromMiB))
}

func (p *pair) dirty(m *bed.Machine, bytesFrom int64) string {
	return p.run(m, fmt.Sprintf("dd if=/dev/vda bs=1M skip=%d count=1 status=none | sha1sum", bytesFrom/mib))
}

// A device grows and shrinks while it is written to; what is new is copied, unless
// the administrator says that it is the same. Metadata are found again afterwards.
func TestVMResize(t *testing.T) {
	eachPair(t, func(p *pair) {
		p.configure("")
		p.up()
		said := ""
		if p.flavours[0] == bed.Ours {
			said = p.fails(p.alpha, "drbdadm resize r0")
			if !strings.Contains(said, "Primary") {
				p.t.Errorf("with two Secondaries: %q", said)
			}
		}
		p.run(p.alpha, "drbdadm primary r0")
		p.fill(p.alpha, 0, 24)

		// what is on the disks behind the old end differs; the writes go on
		p.enlarge(48 * mib)
		p.run(p.bravo, "dd if=/dev/urandom of=/dev/vda bs=1M seek=33 count=10 oflag=direct conv=notrunc status=none")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		writes, err := p.alpha.Background(ctx, "block-hammer /dev/drbd2 blocks 8192 2 6 1", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		p.run(p.alpha, "drbdadm resize r0")
		p.waitSize(47*mib, 48*mib)
		p.fill(p.alpha, 40, 44)
		if out, err := writes.Wait(); err != nil {
			p.t.Fatalf("writes while the device grows: %v %s", err, out.Stderr)
		}
		p.waitBoth(both, syncLimit)
		if a, b := p.dirty(p.alpha, 36*mib), p.dirty(p.bravo, 36*mib); a != b {
			p.t.Error("what is new was not copied")
		}

		// the Secondary asks; nothing is copied
		p.enlarge(64 * mib)
		p.run(p.bravo, "dd if=/dev/urandom of=/dev/vda bs=1M seek=50 count=4 oflag=direct conv=notrunc status=none")
		p.run(p.bravo, "drbdadm -- --assume-clean resize r0")
		p.waitSize(63*mib, 64*mib)
		time.Sleep(time.Second)
		p.waitBoth(both, syncLimit)
		if a, b := p.dirty(p.alpha, 51*mib), p.dirty(p.bravo, 51*mib); a == b {
			p.t.Error("blocks were copied although they were to be taken for clean")
		}
		p.fill(p.alpha, 48, 63)

		// smaller
		p.run(p.alpha, "drbdadm -- --size=40M resize r0")
		p.waitSize(40*mib, 40*mib+1)
		p.fails(p.alpha, "dd if=/dev/zero of=/dev/drbd2 bs=1M seek=41 count=1 oflag=direct conv=notrunc status=none")
		p.fill(p.alpha, 20, 40)
		p.waitBoth(both, syncLimit)

		// back to all there is; metadata are where the disks end
		p.run(p.alpha, "drbdadm resize r0")
		p.waitSize(63*mib, 64*mib)
		p.waitBoth(both, syncLimit)
		p.run(p.alpha, "drbdadm secondary r0")
		p.each(func(m *bed.Machine) { p.run(m, "drbdadm down r0") })
		p.each(func(m *bed.Machine) { p.run(m, "drbdadm up r0") })
		p.waitBoth(both, connectLimit)
		p.waitSize(63*mib, 64*mib)

		// grown while nobody used them: check-resize brings the metadata along
		p.each(func(m *bed.Machine) { p.run(m, "drbdadm down r0") })
		p.enlarge(80 * mib)
		p.each(func(m *bed.Machine) { p.run(m, "drbdadm check-resize r0; drbdadm up r0") })
		p.waitBoth(both, connectLimit)

		// apart: refused, or without effect, until the administrator answers for the peer
		if p.flavours[0] == bed.Ours {
			p.run(p.alpha, "drbdadm primary r0")
			p.bed.Network().Cut(p.alpha, p.bravo)
			p.run(p.bravo, "drbdadm disconnect --force r0")
			p.wait(p.alpha, "cs:WFConnection", connectLimit)
			before := p.deviceBytes(p.alpha)
			p.run(p.alpha, "drbdsetup resize 2")
			p.fails(p.alpha, fmt.Sprintf("drbdsetup resize 2 --size=%ds", before/512+8))
			if now := p.deviceBytes(p.alpha); now != before {
				p.t.Errorf("grew from %d to %d bytes without the peer", before, now)
			}
			p.bed.Network().Restore(p.alpha, p.bravo)
			p.run(p.bravo, "drbdadm connect r0")
			p.waitBoth(both, syncLimit)
		}
		p.same(60 * mib)
	})
}
