package features

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// Two nodes that know each other by IPv6 addresses.
func TestVMIPv6(t *testing.T) {
	onEachPair(t, func(p *pair) {
		config := cluster.Config(p.alpha, p.bravo, "")
		for i, m := range p.both() {
			p.run(m, fmt.Sprintf("modprobe ipv6 2>/dev/null; ip -6 address add fd00:77::%d/64 dev eth0 nodad", i+1))
			config = strings.Replace(config, "address "+m.Address+":7789", fmt.Sprintf("address ipv6 [fd00:77::%d]:7789", i+1), 1)
		}
		if !strings.Contains(config, "[fd00:77::2]:7789") {
			p.t.Fatalf("the configuration has no IPv6 addresses:\n%s", config)
		}
		if err := cluster.SetConfig(context.Background(), config, p.both()...); err != nil {
			p.t.Fatal(err)
		}
		p.up()
		p.write(p.alpha, 0, 2048)
		p.run(p.bravo, "drbdadm disconnect r0 && drbdadm connect r0")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		if out := p.run(p.alpha, "ss -6tn 2>/dev/null || cat /proc/net/tcp6"); !strings.Contains(out, "fd00:77::") && !strings.Contains(out, "1E6D") {
			p.t.Errorf("the connection does not use IPv6:\n%s", out)
		}
		p.equal()
	})
}

// Bitmaps travel compressed and plain, in both directions, and say the same.
func TestVMBitmapTransfer(t *testing.T) {
	onEachPair(t, func(p *pair) {
		for _, rle := range []string{"yes", "no"} {
			p.configure("  net { use-rle " + rle + "; }\n")
			if rle == "yes" {
				p.up()
			} else {
				for _, m := range p.both() {
					p.run(m, "drbdadm adjust r0")
				}
				p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
			}
			for _, primary := range []*bed.Machine{p.alpha, p.bravo} {
				for _, m := range p.both() {
					if m != primary {
						p.run(m, "drbdadm secondary r0")
					}
				}
				p.run(primary, "drbdadm primary r0 && drbdadm disconnect r0")
				// every second block here, a long run there, single ones behind
				p.run(primary, "for i in $(seq 0 2 600) 5000 6001; do dd if=/dev/urandom of=/dev/drbd2 bs=4k seek=$i count=1 oflag=direct conv=notrunc status=none; done")
				p.write(primary, 8192, 3000)
				oos := p.status(primary).OutOfSyncKiB
				if oos < 4*300+3000 {
					p.t.Errorf("%s: only %d KiB out of sync", primary.Name, oos)
				}
				before := p.copied(primary)
				p.run(primary, "drbdadm connect r0")
				p.wait(primary, "cs:Connected ds:UpToDate/UpToDate")
				p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
				if sent := p.copied(primary) - before; sent < oos || sent > oos+64 {
					p.t.Errorf("use-rle %s, %s: %d KiB were out of sync, %d were sent", rle, primary.Name, oos, sent)
				}
			}
		}
		p.outOfSync(0)
		p.equal()
	})
}

// copied is what a source has sent: the stock one forgets it when it connects, so
// that of its target counts there.
func (p *pair) copied(source *bed.Machine) uint64 {
	if p.ours[source] {
		return p.status(source).SentKiB
	}
	for _, m := range p.both() {
		if m != source {
			return p.status(m).ReceivedKiB
		}
	}
	return 0
}

// Each policy of read-balancing reads the right data, and from where it says.
func TestVMReadBalancing(t *testing.T) {
	for _, bravo := range []bed.Flavour{bed.Ours, bed.Stock} {
		t.Run("Ours"+strings.ToUpper(bravo.String()[:1])+bravo.String()[1:], func(t *testing.T) {
			p := newPair(t, bed.Ours, bravo)
			p.configure("")
			p.up()
			p.write(p.alpha, 0, 8192)
			p.run(p.alpha, "dd if=/dev/drbd2 of=/tmp/want bs=64k count=128 iflag=direct status=none")
			for _, c := range []struct {
				policy         string
				least, highest uint64 // KiB that come from the peer, of 8192
			}{
				{"prefer-local", 0, 0},
				{"prefer-remote", 8192, 8192},
				{"round-robin", 3000, 5200},
				{"least-pending", 0, 8192},
				{"when-congested-remote", 0, 8192},
				{"32K-striping", 4096, 4096},
				{"64K-striping", 4096, 4096},
				{"128K-striping", 4096, 4096},
				{"256K-striping", 4096, 4096},
				{"512K-striping", 4096, 4096},
				{"1M-striping", 4096, 4096},
			} {
				p.run(p.alpha, "drbdsetup disk-options 2 --read-balancing="+c.policy)
				before, counted := p.status(p.alpha).ReceivedKiB, p.sectorsRead()
				p.run(p.alpha, "dd if=/dev/drbd2 of=/tmp/got bs=32k count=256 iflag=direct status=none && cmp /tmp/got /tmp/want")
				if got := p.status(p.alpha).ReceivedKiB - before; got < c.least || got > c.highest {
					t.Errorf("%s: %d KiB came from the peer, want %d to %d", c.policy, got, c.least, c.highest)
				}
				if got := p.sectorsRead() - counted; got != 2*8192 {
					t.Errorf("%s: /proc/diskstats counts %d sectors more, want %d", c.policy, got, 2*8192)
				}
			}
		})
	}
}

// sectorsRead is what iostat sees of the device on alpha.
func (p *pair) sectorsRead() int {
	out := p.run(p.alpha, `awk '$3 == "drbd2" { print $6 }' /proc/diskstats`)
	n, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		p.t.Fatalf("/proc/diskstats of drbd2: %q", out)
	}
	return n
}
