package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// eachDiskPair runs a test with ours on both nodes and with ours on either one; in the
// short tests with one of them, or none.
func eachDiskPair(t *testing.T, short, disk string, test func(c *ledgerPair)) {
	for i, f := range cluster.Pairs {
		t.Run(f.Name, func(t *testing.T) {
			if !cluster.Long() && short != f.Name && !cluster.OnDebugKernel() {
				t.Skip("in the long tests only")
			}
			test(newLedgerPair(t, ledgerOptions{alpha: f.Alpha, bravo: f.Bravo, size: 32 << 20, disk: disk, seed: seedOf(t, uint64(i))}))
		})
	}
}

const upToDate = "cs:Connected ds:UpToDate/UpToDate"

// healed waits until both have all, ends the ledger, and compares.
func (c *ledgerPair) healed() {
	c.t.Helper()
	c.wait(c.primary, upToDate, syncLimit)
	c.wait(c.secondary, upToDate, syncLimit)
	c.stop()
	c.check(c.primary)
	c.compare()
}

// attachAgain gives a healed disk back, while the ledger is written, and compares.
func (c *ledgerPair) attachAgain(m *bed.Machine) {
	c.t.Helper()
	m.Served(0).SetFault(bed.DiskFault{})
	c.run(m, "drbdadm attach r0")
	c.healed()
}

// A disk that fails is let go, whatever of it fails and on whichever node; the
// application does not notice, and a disk that is repaired gets what it lacks.
func TestVMDiskErrorsDetach(t *testing.T) {
	eachDiskPair(t, "Ours", "on-io-error detach;", func(c *ledgerPair) {
		end := int64(c.sectors) * 512
		for _, f := range []struct {
			what  string
			fault bed.DiskFault
		}{
			{"writes", bed.DiskFault{Writes: true, To: end}},
			{"everything", bed.DiskFault{Reads: true, Writes: true, Flushes: true}},
			{"the metadata", bed.DiskFault{Writes: true, From: end}},
		} {
			metadata := f.fault.From > 0
			c.t.Log("the Primary's disk fails: " + f.what)
			if metadata { // which is written when a cold extent is
				c.run(c.primary, "drbdadm detach r0 && drbdadm attach r0")
				c.wait(c.primary, upToDate, syncLimit)
				c.primary.Served(0).SetFault(f.fault)
				c.write()
			} else {
				c.write()
				time.Sleep(500 * time.Millisecond)
				c.primary.Served(0).SetFault(f.fault)
			}
			c.wait(c.primary, "cs:Connected ro:Primary/Secondary ds:Diskless/UpToDate", syncLimit)
			time.Sleep(500 * time.Millisecond)
			c.stop()
			c.check(c.primary) // through the peer
			c.write()
			c.attachAgain(c.primary)
			if metadata {
				continue // nothing makes a Secondary write it
			}
			c.write()
			time.Sleep(500 * time.Millisecond)
			c.t.Log("the Secondary's disk fails: " + f.what)
			c.secondary.Served(0).SetFault(f.fault)
			c.wait(c.primary, "cs:Connected ro:Primary/Secondary ds:UpToDate/Diskless", syncLimit)
			c.attachAgain(c.secondary)
		}
	})
}

// With pass_on the disk stays, but is Inconsistent from then on; what it cannot read
// comes from the peer.
func TestVMDiskErrorsPassOn(t *testing.T) {
	eachDiskPair(t, "OursAndStock", "on-io-error pass_on;", func(c *ledgerPair) {
		c.write()
		time.Sleep(time.Second)
		c.stop()
		c.t.Log("the Primary's disk cannot be read")
		c.primary.Served(0).SetFault(bed.DiskFault{Reads: true, From: 4 << 20, To: 12 << 20})
		c.check(c.primary)
		c.wait(c.primary, "cs:Connected ro:Primary/Secondary ds:Inconsistent/UpToDate", connectLimit)
		c.check(c.primary)
		c.primary.Served(0).SetFault(bed.DiskFault{})
		c.run(c.primary, "drbdadm detach r0")
		c.write()
		c.attachAgain(c.primary)

		c.t.Log("the Primary's disk cannot be written")
		c.write()
		time.Sleep(500 * time.Millisecond)
		c.primary.Served(0).SetFault(bed.DiskFault{Writes: true, From: 4 << 20, To: 12 << 20})
		c.wait(c.primary, "cs:Connected ro:Primary/Secondary ds:Inconsistent/UpToDate", connectLimit)
		c.stop()
		c.check(c.primary)
		c.primary.Served(0).SetFault(bed.DiskFault{})
		c.run(c.primary, "drbdadm detach r0")
		c.write()
		c.attachAgain(c.primary)

		c.t.Log("the Secondary's disk cannot be written")
		c.write()
		time.Sleep(500 * time.Millisecond)
		c.secondary.Served(0).SetFault(bed.DiskFault{Writes: true, From: 4 << 20, To: 12 << 20})
		c.wait(c.primary, "cs:Connected ro:Primary/Secondary ds:UpToDate/Inconsistent", connectLimit)
		c.secondary.Served(0).SetFault(bed.DiskFault{})
		c.run(c.secondary, "drbdadm detach r0")
		c.attachAgain(c.secondary)
	})
}

// The handler is called once, before the peer is told, with the names that scripts use;
// then the disk is let go.
func TestVMDiskErrorsHandler(t *testing.T) {
	for _, bravo := range []bed.Flavour{bed.Ours, bed.Stock} {
		t.Run(bravo.String(), func(t *testing.T) {
			if !cluster.Long() && !cluster.OnDebugKernel() {
				t.Skip("in the long tests only")
			}
			c := newLedgerPair(t, ledgerOptions{alpha: bed.Ours, bravo: bravo, size: 32 << 20, disk: "on-io-error call-local-io-error;"})
			const script = "#!/bin/bash\necho $DRBD_RESOURCE $DRBD_MINOR $DRBD_VOLUME >> /tmp/called\nsleep 2\n"
			c.run(c.alpha, fmt.Sprintf("mkdir -p /usr/local && printf '%%s' '%s' > /usr/local/failed && chmod +x /usr/local/failed", script))
			c.run(c.alpha, `sed -i 's,^  protocol C;,  protocol C; handlers { local-io-error /usr/local/failed; },' /etc/drbd.conf && grep -q failed /etc/drbd.conf`)
			c.write()
			time.Sleep(500 * time.Millisecond)
			c.alpha.Served(0).SetFault(bed.DiskFault{Writes: true})
			c.run(c.alpha, "for i in $(seq 50); do [ -s /tmp/called ] && exit; sleep 0.1; done; exit 1")
			c.wait(c.bravo, "ds:UpToDate/UpToDate", connectLimit) // the handler may still reset the node
			c.wait(c.alpha, "cs:Connected ds:Diskless/UpToDate", connectLimit)
			c.wait(c.bravo, "cs:Connected ds:UpToDate/Diskless", connectLimit)
			if called := strings.TrimSpace(c.run(c.alpha, "cat /tmp/called")); called != "r0 2 0" {
				t.Errorf("the handler was called so: %q", called)
			}
			c.attachAgain(c.alpha)
		})
	}
}

// A disk that takes its time stops nothing: no error, no lost connection.
func TestVMSlowDisk(t *testing.T) {
	eachDiskPair(t, "", "on-io-error detach;", func(c *ledgerPair) {
		for _, m := range []*bed.Machine{c.primary, c.secondary} {
			m.Served(0).SetFault(bed.DiskFault{Delay: 300 * time.Millisecond})
			before := c.ledger.writes
			c.write()
			time.Sleep(6 * time.Second)
			c.wait(c.primary, upToDate, time.Second)
			m.Served(0).SetFault(bed.DiskFault{})
			c.stop()
			if c.ledger.writes < before+8 {
				c.t.Errorf("%d writes while the disk of %s was slow", c.ledger.writes-before, m.Name)
			}
			if lost := c.run(c.primary, "dmesg | grep -c 'BrokenPipe\\|NetworkFailure\\|Timeout' || true"); strings.TrimSpace(lost) != "0" {
				c.t.Errorf("the connection was lost while the disk of %s was slow", m.Name)
			}
		}
		c.check(c.primary)
		c.compare()
	})
}
