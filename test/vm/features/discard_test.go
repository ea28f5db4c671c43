package features

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"drbd/test/vm/bed"
)

// holes is how many KiB of a machine's disk image are not allocated.
func (p *pair) allocatedKiB(m *bed.Machine) int {
	p.t.Helper()
	n, err := bed.AllocatedBytes(m.Disk(0))
	if err != nil {
		p.t.Fatal(err)
	}
	return int(n >> 10)
}

func (p *pair) limit(m *bed.Machine, name string) int {
	p.t.Helper()
	n, err := strconv.Atoi(p.run(m, "cat /sys/block/drbd2/queue/"+name))
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// Discards and zero-outs of an application reach both disks: they read zeroes, and
// give their room back.
func TestVMDiscard(t *testing.T) {
	onEachPair(t, func(p *pair) {
		p.configure("")
		p.up()
		if p.ours[p.alpha] {
			if p.limit(p.alpha, "discard_max_bytes") < 4<<20 || p.limit(p.alpha, "write_zeroes_max_bytes") < 4<<20 {
				p.t.Errorf("limits: discard %d, zeroes %d", p.limit(p.alpha, "discard_max_bytes"), p.limit(p.alpha, "write_zeroes_max_bytes"))
			}
		}
		p.write(p.alpha, 0, 32000)
		before := p.allocatedKiB(p.bravo)
		p.run(p.alpha, "blkdiscard -o 4194304 -l 8388608 /dev/drbd2")
		p.run(p.alpha, "blkdiscard -o $((513*512)) -l $((1000*512)) /dev/drbd2")
		p.run(p.alpha, "blkdiscard -z -o 16777216 -l 1048576 /dev/drbd2")
		p.run(p.alpha, "fallocate -z -n -o 20971520 -l 1048576 /dev/drbd2 2>/dev/null || blkdiscard -z -o 20971520 -l 1048576 /dev/drbd2")
		p.run(p.alpha, "sync; echo 3 > /proc/sys/vm/drop_caches")
		for _, r := range [][2]int{{4194304, 8388608}, {16777216, 1048576}, {20971520, 1048576}} {
			if n := p.run(p.alpha, fmt.Sprintf("dd if=/dev/drbd2 bs=64k iflag=direct,skip_bytes,count_bytes skip=%d count=%d status=none | tr -d '\\0' | wc -c", r[0], r[1])); n != "0" {
				p.t.Errorf("%d bytes at %d+%d are not zero", len(n), r[0], r[1])
			}
		}
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		if now := p.allocatedKiB(p.bravo); p.ours[p.bravo] && now > before-6000 {
			p.t.Errorf("%s: %d KiB were allocated, %d are after a discard of 8 MiB", p.bravo.Name, before, now)
		}
		// file systems: mkfs discards, fstrim does
		p.run(p.alpha, "mkfs.ext4 -q /dev/drbd2 && mkdir -p /mnt && mount /dev/drbd2 /mnt && dd if=/dev/urandom of=/mnt/a bs=1M count=8 status=none && sync && rm /mnt/a && sync && fstrim -v /mnt && umount /mnt")
		p.outOfSync(0)
		p.equal()
	})
}

// A peer whose disk cannot discard takes the offer away, and it comes back without it.
func TestVMDiscardOffer(t *testing.T) {
	p := newPair(t, bed.Ours, bed.Ours)
	p.configure("")
	p.run(p.bravo, "modprobe loop; modprobe brd rd_nr=1 rd_size=32768 || true; ls /dev/ram0")
	p.run(p.bravo, "sed -i '/on bravo/,$ s,/dev/vda,/dev/ram0,' /etc/drbd.conf")
	p.up()
	can := p.limit(p.bravo, "discard_max_bytes") // of its own: brd of some kernels can
	if can == 0 && p.limit(p.alpha, "discard_max_bytes") != 0 {
		t.Errorf("discards are offered though the peer's disk has none")
	}
	if p.limit(p.alpha, "write_zeroes_max_bytes") == 0 {
		t.Errorf("zero-outs need nothing of a disk, and are not offered")
	}
	p.write(p.alpha, 0, 8192)
	p.run(p.alpha, "blkdiscard -z -o 1048576 -l 2097152 /dev/drbd2")
	p.run(p.alpha, "drbdadm disconnect r0")
	if p.limit(p.alpha, "discard_max_bytes") == 0 {
		t.Errorf("no discards are offered though nobody is connected")
	}
	a := p.run(p.alpha, "dd if=/dev/drbd2 bs=1M count=8 iflag=direct status=none | sha256sum")
	p.run(p.bravo, "drbdadm down r0")
	if b := p.run(p.bravo, "dd if=/dev/ram0 bs=1M count=8 status=none | sha256sum"); strings.Fields(a)[0] != strings.Fields(b)[0] {
		t.Errorf("the disks differ: %s %s", a, b)
	}
}

// A resync of a thin volume leaves holes where the source reads zeroes.
func TestVMThinResync(t *testing.T) {
	onEachPair(t, func(p *pair) {
		p.configureDisk("rs-discard-granularity 65536;")
		p.up()
		p.run(p.alpha, "blkdiscard -z -o 8388608 -l 16777216 /dev/drbd2")
		p.write(p.alpha, 12288, 64)
		p.run(p.bravo, "drbdadm invalidate r0")
		p.wait(p.bravo, "cs:Connected ds:UpToDate/UpToDate")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		if n := p.allocatedKiB(p.bravo); p.ours[p.bravo] && n > 20000 {
			p.t.Errorf("%s: %d KiB are allocated, but 16 MiB of the source are zeroes", p.bravo.Name, n)
		}
		p.equal()
	})
}
