package faults

import (
	"context"
	"errors"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// A network that is bad in every way but dead: what it does to frames is TCP's
// business, so nothing may happen to the data, and the pair heals when it does.
func TestVMBadNetwork(t *testing.T) {
	eachDiskPair(t, "OursAndStock", "on-io-error detach;", func(c *ledgerPair) {
		net := c.bed.Network()
		both := func(l bed.Link) {
			net.SetLink(c.alpha, c.bravo, l)
			net.SetLink(c.bravo, c.alpha, l)
		}
		c.write()
		c.t.Log("loss and delay")
		both(bed.Link{Loss: 0.02, Delay: 15 * time.Millisecond})
		time.Sleep(5 * time.Second)
		both(bed.Link{})
		c.t.Log("reorder and duplicates")
		for _, m := range []*bed.Machine{c.alpha, c.bravo} {
			c.run(m, "tc qdisc add dev eth0 root netem delay 10ms 5ms reorder 25% 50% duplicate 2%")
		}
		time.Sleep(5 * time.Second)
		for _, m := range []*bed.Machine{c.alpha, c.bravo} {
			c.run(m, "tc qdisc del dev eth0 root")
		}
		for _, way := range [][2]*bed.Machine{{c.alpha, c.bravo}, {c.bravo, c.alpha}} {
			c.t.Logf("nothing comes from %s to %s", way[0].Name, way[1].Name)
			net.SetLink(way[0], way[1], bed.Link{Cut: true})
			for _, m := range way {
				if _, err := cluster.Wait(context.Background(), m, cluster.Minor, cluster.Alone, connectLimit); err != nil {
					c.t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
			net.SetLink(way[0], way[1], bed.Link{})
			c.wait(c.primary, upToDate, syncLimit)
			c.wait(c.secondary, upToDate, syncLimit)
		}
		c.stop()
		c.check(c.primary)
		c.compare()
	})
}

// The link comes and goes at random moments, faster than a resync ends; in between the
// cut has one direction only.
func TestVMFlappingLink(t *testing.T) {
	eachDiskPair(t, "", "on-io-error detach;", func(c *ledgerPair) {
		length := 15 * time.Second
		if cluster.Long() {
			length = 2 * time.Minute
		}
		net := c.bed.Network()
		c.write()
		flaps := 0
		for end := time.Now().Add(length); time.Now().Before(end); flaps++ {
			ways := 1 + c.random.IntN(3)
			net.SetLink(c.alpha, c.bravo, bed.Link{Cut: ways&1 != 0})
			net.SetLink(c.bravo, c.alpha, bed.Link{Cut: ways&2 != 0})
			c.nap(4 * time.Second)
			net.Restore(c.alpha, c.bravo)
			c.nap(4 * time.Second)
		}
		c.wait(c.primary, upToDate, syncLimit)
		c.wait(c.secondary, upToDate, syncLimit)
		c.stop()
		c.t.Logf("%d flaps, %d writes", flaps, c.ledger.writes)
		c.check(c.primary)
		c.compare()
	})
}

// Whatever the connection does at the moment, a command of the administrator ends.
func TestVMCommandsEnd(t *testing.T) {
	const deadline = 20 * time.Second
	commands := []string{"drbdadm secondary r0", "drbdadm disconnect r0", "drbdadm detach r0", "drbdadm down r0"}
	eachDiskPair(t, "", "on-io-error detach; c-plan-ahead 0;", func(c *ledgerPair) {
		ours := c.alpha
		if ours.Spec().Flavour != bed.Ours {
			ours = c.bravo
		}
		other := c.bravo
		if other == ours {
			other = c.alpha
		}
		c.settle(ours, other)
		fill := func() {
			c.run(other, "drbdadm disconnect r0")
			c.run(ours, "drbdadm primary r0 && dd if=/dev/urandom of=/dev/drbd2 bs=1M count=8 oflag=direct status=none && drbdadm secondary r0")
		}
		for _, s := range []struct {
			name string
			make func()
		}{
			{"StandAlone", func() { c.run(ours, "drbdadm disconnect r0") }},
			{"WFConnection", func() { c.run(other, "drbdadm disconnect r0"); c.wait(ours, "cs:WFConnection", connectLimit) }},
			{"a peer that just vanished", func() { c.bed.Network().Cut(ours, other) }},
			{"a peer that vanished, with a write on its way", func() {
				c.run(ours, "drbdadm primary r0")
				c.bed.Network().Cut(ours, other)
				c.run(ours, "(dd if=/dev/urandom of=/dev/drbd2 bs=4k count=1 oflag=direct </dev/null >/dev/null 2>&1 &)")
			}},
			{"SyncSource", func() {
				fill()
				c.run(other, "drbdadm connect r0")
				c.wait(ours, "cs:SyncSource", connectLimit)
			}},
			{"SyncSource of a peer that just vanished", func() {
				fill()
				c.run(other, "drbdadm connect r0")
				c.wait(ours, "cs:SyncSource", connectLimit)
				c.bed.Network().Cut(ours, other)
			}},
			{"PausedSyncS", func() {
				fill()
				c.run(other, "drbdadm connect r0")
				c.wait(ours, "cs:SyncSource", connectLimit)
				c.run(ours, "drbdadm pause-sync r0")
			}},
			{"SyncTarget", func() {
				c.run(ours, "drbdadm invalidate r0")
				c.wait(ours, "cs:SyncTarget", connectLimit)
			}},
			{"SyncTarget of a peer that just vanished", func() {
				c.run(ours, "drbdadm invalidate r0")
				c.wait(ours, "cs:SyncTarget", connectLimit)
				c.bed.Network().Cut(ours, other)
			}},
		} {
			for _, command := range commands {
				s.make()
				begin := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), deadline)
				_, err := ours.Run(ctx, command)
				cancel()
				var e *bed.Error
				switch {
				case errors.As(err, &e) && !e.TimedOut:
					c.t.Logf("%s: `%s` is refused in %.1f s: %s", s.name, command, time.Since(begin).Seconds(), e.Output.Stderr)
				case err != nil:
					c.t.Fatalf("%s: %v", s.name, err)
				default:
					c.t.Logf("%s: `%s` ends in %.1f s", s.name, command, time.Since(begin).Seconds())
				}
				c.settle(ours, other)
			}
		}
		c.compare()
	})
}

// A resync that lasts until the command was given; adjust takes it back.
// It is an option of the disk in 8.4, of the peer's device in 9.
const slowResync = "drbdsetup disk-options 2 --resync-rate=100K 2>/dev/null || " +
	"drbdsetup peer-device-options r0 0 0 --resync-rate=100K 2>/dev/null || drbdsetup peer-device-options r0 1 0 --resync-rate=100K"

// settle brings both nodes back to two UpToDate disks and no Primary.
func (c *ledgerPair) settle(ours, other *bed.Machine) {
	c.t.Helper()
	c.bed.Network().Restore(ours, other)
	for _, m := range []*bed.Machine{ours, other} {
		c.run(m, "drbdadm adjust r0; drbdadm resume-sync r0 2>/dev/null; drbdadm connect r0 2>/dev/null; true")
	}
	for _, m := range []*bed.Machine{ours, other} {
		c.wait(m, upToDate, syncLimit)
		c.run(m, "drbdadm secondary r0; "+slowResync)
	}
}
