package features

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

const verifyOptions = "  net { verify-alg sha1; }\n"

// verified waits for the end of a verify that was started on m.
func (p *pair) verified(m *bed.Machine) cluster.Device {
	p.t.Helper()
	d := p.wait(m, "cs:Connected")
	p.waitBoth("cs:Connected")
	return d
}

func (p *pair) outOfSync(want uint64) {
	p.t.Helper()
	for _, m := range p.both() {
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(200 * time.Millisecond) {
			got := p.status(m).OutOfSyncKiB
			if got == want {
				break
			}
			if time.Now().After(end) {
				p.t.Errorf("%s: %d KiB out of sync, want %d", m.Name, got, want)
				break
			}
		}
	}
}

// Blocks that were changed behind DRBD's back are found, on either node, counted
// and marked; others are not, though the application writes.
func TestVMVerify(t *testing.T) {
	onEachPair(t, func(p *pair) {
		p.configure(verifyOptions)
		p.up()
		p.run(p.alpha, "drbdadm verify r0")
		p.verified(p.alpha)
		p.outOfSync(0)

		p.damage(p.bravo, 4096)
		p.damage(p.bravo, 4100)
		p.damage(p.alpha, 20480)
		load := "while [ ! -e /tmp/stop ]; do dd if=/dev/urandom of=/dev/drbd2 bs=4k seek=$((RANDOM % 900)) count=16 oflag=direct conv=notrunc status=none; done"
		c, err := p.alpha.Background(p.t.Context(), load, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		p.run(p.alpha, "drbdadm verify r0")
		p.verified(p.alpha)
		p.run(p.alpha, "touch /tmp/stop")
		if _, err := c.Wait(); err != nil {
			p.t.Fatal(err)
		}
		p.outOfSync(12)
		for _, m := range p.both() {
			p.logHas(m, "Out of sync: start=8192, size=16 (sectors)")
			p.logHas(m, "Out of sync: start=40960, size=8 (sectors)")
		}
		for _, m := range p.both() {
			if p.ours[m] {
				p.logHas(m, "Online verify found 3 4k blocks out of sync")
			}
		}

		// the Secondary can ask, too; and the finding survives a reconnect
		p.run(p.bravo, "drbdadm verify r0")
		p.verified(p.bravo)
		p.outOfSync(12)
		p.run(p.bravo, "drbdadm disconnect r0 && drbdadm connect r0")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		p.run(p.bravo, "drbdadm invalidate r0")
		p.wait(p.bravo, "cs:Connected ds:UpToDate/UpToDate")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		p.outOfSync(0)
		p.equal()
	})
}

// What a verify has found can be copied in the direction that the administrator says,
// and nothing else is.
func TestVMVerifyRepair(t *testing.T) {
	onEachPair(t, func(p *pair) {
		p.configure(verifyOptions)
		p.up()
		p.damage(p.bravo, 4096)
		p.damage(p.alpha, 20480)
		p.run(p.alpha, "drbdadm verify r0")
		p.verified(p.alpha)
		p.outOfSync(8)
		// who is asked has the right data: the Secondary, or the Primary
		right := p.alpha
		if p.ours[p.bravo] {
			right = p.bravo
			p.refused(right, "drbdadm invalidate-remote --reset-bitmap=no r0", "Primary")
			p.run(p.alpha, "drbdadm secondary r0")
		}
		p.refused(right, "drbdadm invalidate --reset-bitmap=no r0", "invalidate-remote")
		before := p.copied(right)
		p.run(right, "drbdadm invalidate-remote --reset-bitmap=no r0")
		p.wait(right, "cs:Connected ds:UpToDate/UpToDate")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		p.outOfSync(0)
		if n := p.copied(right) - before; n != 8 {
			p.t.Errorf("%d KiB were copied, 8 differ", n)
		}
		p.run(p.alpha, "drbdadm disconnect r0 && drbdadm connect r0")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		p.run(p.alpha, "drbdadm verify r0")
		p.verified(p.alpha)
		p.outOfSync(0)

		// in one go; never over data that are in use
		p.damage(p.bravo, 6144)
		p.run(p.alpha, "drbdadm primary r0")
		if p.ours[p.bravo] {
			p.refused(p.bravo, "drbdadm verify --repair r0", "Primary")
			if !p.ours[p.alpha] {
				p.run(p.alpha, "drbdadm secondary r0")
			}
		}
		right = p.alpha
		if !p.ours[p.alpha] {
			right = p.bravo
		}
		before = p.copied(right)
		p.run(right, "drbdadm verify --repair r0")
		for end := time.Now().Add(20 * time.Second); p.copied(right) == before && time.Now().Before(end); {
			time.Sleep(200 * time.Millisecond)
		}
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		p.outOfSync(0)
		if n := p.copied(right) - before; n != 4 {
			p.t.Errorf("verify --repair copied %d KiB, 4 differ", n)
		}
		p.equal()
	})
}

// A part can be verified, progress is shown, and an interrupted verify goes on
// where it was.
func TestVMVerifyPart(t *testing.T) {
	onEachPair(t, func(p *pair) {
		if !p.ours[p.alpha] {
			p.t.Skip("what is looked at is of the node that asks")
		}
		p.configure(verifyOptions)
		p.up()
		p.damage(p.bravo, 1024)
		p.damage(p.bravo, 8192)
		p.run(p.alpha, "drbdsetup verify r0 0 0 --start=4096s --stop=20480s")
		p.verified(p.alpha)
		p.outOfSync(4)
		p.logHas(p.alpha, "Out of sync: start=16384, size=8 (sectors)")
		p.logHas(p.alpha, "Online Verify reached sector 20480")

		// slowly, so that it can be seen and interrupted
		p.run(p.alpha, "drbdsetup peer-device-options r0 0 0 --c-plan-ahead=0 --resync-rate=1024")
		p.run(p.alpha, "drbdsetup verify r0 0 0 --start=0s")
		d := p.wait(p.alpha, "cs:VerifyS")
		p.wait(p.bravo, "cs:VerifyT")
		p.refused(p.alpha, "drbdadm verify r0", "already active")
		p.refused(p.alpha, "drbdsetup net-options r0 0 --verify-alg=md5", "verify")
		time.Sleep(4 * time.Second)
		d = p.status(p.alpha)
		if !strings.Contains(d.Progress, "verified:") || d.Percent < 2 || d.Percent > 60 {
			p.t.Errorf("progress of a verify: %q", d.Progress)
		}
		if out := p.run(p.alpha, "drbdsetup status r0 --verbose"); !strings.Contains(out, "VerifyS") || !strings.Contains(out, "done:") {
			p.t.Errorf("drbdsetup status does not show the verify:\n%s", out)
		}
		p.run(p.alpha, "drbdadm disconnect r0")
		p.logHas(p.alpha, "Online verify ended")
		p.run(p.alpha, "drbdadm connect r0")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		p.run(p.alpha, "drbdsetup peer-device-options r0 0 0 --set-defaults")
		p.run(p.alpha, "drbdadm verify r0")
		p.verified(p.alpha)
		if n := strings.Count(p.run(p.alpha, "dmesg"), "Starting Online Verify from sector 0"); n != 1 {
			p.t.Errorf("%d verifies began at sector 0, want 1", n)
		}
		p.outOfSync(8)
	})
}

// What cannot be verified is refused with its reason.
func TestVMVerifyRefused(t *testing.T) {
	p := newPair(t, bed.Ours, bed.Stock)
	p.configure("")
	p.up()
	p.refused(p.alpha, "drbdadm verify r0", "verify-alg")
	p.configure(verifyOptions)
	for _, m := range p.both() {
		p.run(m, "drbdadm adjust r0")
	}
	p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
	p.refused(p.alpha, fmt.Sprintf("drbdsetup verify r0 0 0 --start=%ds", p.sectors(p.alpha)+8), "nothing to verify")
	p.run(p.alpha, "drbdadm verify r0")
	p.verified(p.alpha)
	p.run(p.bravo, "drbdadm detach r0")
	p.wait(p.alpha, "ds:UpToDate/Diskless")
	p.refused(p.alpha, "drbdadm verify r0", "disk")
	p.run(p.bravo, "drbdadm attach r0")
	p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
	p.run(p.alpha, "drbdadm disconnect r0")
	p.refused(p.alpha, "drbdadm verify r0", "connected")
}
