package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// alone waits until a machine knows that its peer is gone, and says how long that took.
func (c *ledgerPair) alone(m *bed.Machine, limit time.Duration) time.Duration {
	c.t.Helper()
	begin := time.Now()
	if _, err := cluster.Wait(context.Background(), m, cluster.Minor, cluster.Alone, limit); err != nil {
		c.t.Fatal(err)
	}
	return time.Since(begin)
}

// A peer that answers pings and confirms no write is knocked out after ko-count times
// timeout, no earlier; one that is silent after ping-int and ping-timeout. The
// application goes on, and the peer gets what it lacks.
func TestVMTimeouts(t *testing.T) {
	eachDiskPair(t, "Ours", "on-io-error detach;", func(c *ledgerPair) {
		c.run(c.primary, "sed -i 's/timeout 20;/timeout 20; ko-count 3;/' /etc/drbd.conf && drbdadm adjust r0")
		c.write()
		time.Sleep(time.Second)
		c.t.Log("the peer's disk hangs")
		c.secondary.Served(0).SetFault(bed.DiskFault{Delay: 12 * time.Second})
		if took := c.alone(c.primary, 20*time.Second); c.primary.Spec().Flavour == bed.Ours && (took < 5*time.Second || took > 9*time.Second) {
			c.t.Errorf("knocked out after %.1f s; ko-count 3 and timeout 2 s make 6", took.Seconds())
		}
		if n := strings.TrimSpace(c.run(c.primary, "dmesg | grep -c 'ko-count\\|Timeout'")); n == "0" {
			c.t.Error("the log does not say why")
		}
		c.secondary.Served(0).SetFault(bed.DiskFault{})
		c.wait(c.primary, upToDate, syncLimit)
		c.wait(c.secondary, upToDate, syncLimit)

		c.t.Log("the peer is silent")
		c.bed.Network().Cut(c.alpha, c.bravo)
		if took := c.alone(c.primary, 20*time.Second); took > 5*time.Second {
			c.t.Errorf("noticed after %.1f s; ping-int and ping-timeout make 2", took.Seconds())
		}
		c.bed.Network().Restore(c.alpha, c.bravo)
		c.healed()
	})
}

// With on-no-data-accessible suspend-io an application whose last copy goes away waits,
// also with what it had in flight, and is served when data come back.
func TestVMNoData(t *testing.T) {
	eachDiskPair(t, "OursAndStock", "on-io-error detach;", func(c *ledgerPair) {
		if c.primary.Spec().Flavour != bed.Ours {
			c.t.Skip("the Primary is not ours")
		}
		c.run(c.primary, "sed -i 's/^  protocol C;/  protocol C; options { on-no-data-accessible suspend-io; }/' /etc/drbd.conf && drbdadm adjust r0")
		c.write()
		time.Sleep(time.Second)
		c.run(c.primary, "drbdadm detach r0")
		c.wait(c.primary, "cs:Connected ro:Primary/Secondary ds:Diskless/UpToDate", connectLimit)
		for round := range 2 {
			c.t.Logf("the last copy goes, round %d", round)
			c.bed.Network().Cut(c.alpha, c.bravo)
			c.alone(c.primary, 20*time.Second)
			waiting := c.ledger.count()
			time.Sleep(2 * time.Second)
			if n := c.ledger.count(); n != waiting {
				c.t.Errorf("%d writes were acknowledged without data", n-waiting)
			}
			c.bed.Network().Restore(c.alpha, c.bravo)
			c.wait(c.primary, "cs:Connected ro:Primary/Secondary ds:Diskless/UpToDate", connectLimit)
			for end := time.Now().Add(10 * time.Second); c.ledger.count() < waiting+20; time.Sleep(100 * time.Millisecond) {
				if time.Now().After(end) {
					c.t.Fatal("the application does not go on")
				}
			}
		}
		c.stop()
		c.check(c.primary)
		c.write()
		c.attachAgain(c.primary)

		c.t.Log("nothing comes back, and the administrator ends the wait")
		c.run(c.primary, "drbdadm detach r0")
		c.bed.Network().Cut(c.alpha, c.bravo)
		c.alone(c.primary, 20*time.Second)
		out := c.run(c.primary, `dd if=/dev/zero of=/dev/drbd2 bs=4k count=1 oflag=direct 2>/tmp/dd.log & p=$!
			sleep 1; kill -0 $p || { echo ended early; cat /tmp/dd.log; }; drbdadm resume-io r0; wait $p && echo no error; true`)
		if strings.TrimSpace(out) != "" {
			c.t.Errorf("a write without data: %s", out)
		}
		c.bed.Network().Restore(c.alpha, c.bravo)
		c.wait(c.primary, "cs:Connected ds:Diskless/UpToDate", connectLimit)
		c.run(c.primary, "drbdadm attach r0")
		c.compare()
	})
}

// Without updates of the activity log, from one moment to the next, no extent becomes hot,
// and a crash of the Primary copies all.
func TestVMWithoutActivityLog(t *testing.T) {
	eachDiskPair(t, "", "on-io-error detach; ", func(c *ledgerPair) {
		if c.primary.Spec().Flavour != bed.Ours {
			c.t.Skip("the Primary is not ours")
		}
		transactions := func() string {
			return strings.TrimSpace(c.run(c.primary, "grep -o ' al:[0-9]*' /proc/drbd"))
		}
		c.write()
		time.Sleep(time.Second)
		c.run(c.primary, "drbdsetup disk-options 2 --al-updates=no")
		before := transactions()
		time.Sleep(2 * time.Second)
		if after := transactions(); after != before {
			c.t.Errorf("transactions of the activity log: %s, then %s", before, after)
		}
		c.primary.PowerOff()
		c.stop()
		c.ledger.onlyStable() // the crashed Primary is the source
		c.powerOn(c.primary)
		c.wait(c.primary, upToDate, syncLimit)
		if n := strings.TrimSpace(c.run(c.primary, "dmesg | grep -o 'will sync [0-9]* KB' | tail -1")); n != fmt.Sprintf("will sync %d KB", c.kib()) {
			c.t.Errorf("after the crash it says %q; the device has %d KB", n, c.kib())
		}
		c.promote()
		c.check(c.primary)

		c.run(c.primary, "drbdadm disk-options r0; drbdsetup disk-options 2 --al-updates=no && drbdsetup disk-options 2 --al-updates=yes")
		c.write()
		time.Sleep(2 * time.Second)
		c.primary.PowerOff()
		c.stop()
		c.ledger.onlyStable() // the crashed Primary is the source
		c.powerOn(c.primary)
		c.wait(c.primary, upToDate, syncLimit)
		if n := strings.TrimSpace(c.run(c.primary, "dmesg | grep -c 'aka FullSync' || true")); n != "0" {
			c.t.Error("with the log again a crash copies all")
		}
		c.promote()
		c.check(c.primary)
		c.compare()
	})
}

// kib is the size of the device.
func (c *ledgerPair) kib() int {
	c.t.Helper()
	return number(c.t, c.run(c.primary, "cat /sys/block/drbd2/size")) / 2
}
