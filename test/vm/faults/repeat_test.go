package faults

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatalf("not a number: %q", text)
	}
	return n
}

// Up, down and rmmod, again and again: nothing is left behind.
func TestVMManyTimesUpDown(t *testing.T) {
	rounds := 50
	if cluster.Long() {
		rounds = 200
	}
	p := newPair(t, bed.Ours, bed.Ours)
	p.configure("")
	p.up(p.alpha)
	p.run(p.alpha, "drbdadm secondary r0")
	const memory = "echo 3 > /proc/sys/vm/drop_caches; sleep 0.3; awk '/^(SUnreclaim|VmallocUsed|Percpu|KernelStack):/ { n += $2 } END { print n }' /proc/meminfo"
	cycle := func(n int) {
		t.Helper()
		script := fmt.Sprintf(`for i in $(seq %d); do
			drbdadm down r0 && rmmod drbd && modprobe drbd && drbdadm up r0 || exit 1
			[ $((i %% 10)) = 0 ] && { for j in $(seq 100); do grep -q cs:Connected /proc/drbd && break; sleep 0.2; done; }
		done 2>&1 | grep -v 'DRBD 8.3\|activity log\|out-of-sync'; exit ${PIPESTATUS[0]}`, n)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		if _, err := p.alpha.Run(ctx, script); err != nil {
			t.Fatal(err)
		}
	}
	cycle(20) // what is allocated once is allocated now
	before := number(t, p.run(p.alpha, memory))
	cycle(rounds)
	after := number(t, p.run(p.alpha, memory))
	if after > before+2000 {
		t.Errorf("%d rounds left %d KiB of kernel memory behind (%d, then %d)", rounds, after-before, before, after)
	}
	p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", connectLimit)
	p.run(p.alpha, "drbdadm down r0 && rmmod drbd")
	left := p.run(p.alpha, "ps ax | grep '[d]rbd' | grep -vc kworker || true; ls /sys/block | grep -c drbd || true; grep -c drbd /proc/devices || true")
	if strings.Fields(left)[0] != "0" || strings.Fields(left)[1] != "0" || strings.Fields(left)[2] != "0" {
		t.Errorf("after rmmod there are still threads, disks or a major number: %q", left)
	}
}

// A file system is written on without a pause while the network comes and goes.
func TestVMWritesThroughCuts(t *testing.T) {
	cluster.EachPair(t, func(t *testing.T, f cluster.Pair) {
		p := newPair(t, f.Alpha, f.Bravo)
		p.configure("net { ping-int 1; connect-int 3; timeout 9; }")
		p.up(p.alpha)
		p.run(p.alpha, "mkfs.ext4 -q -E nodiscard /dev/drbd2 && mkdir -p /mnt && mount /dev/drbd2 /mnt")
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		c, err := p.alpha.Background(ctx, `for w in 1 2 3 4; do ( i=0; while [ ! -e /tmp/stop ]; do i=$((i+1))
				dd if=/dev/urandom of=/mnt/w$w.$((i%8)) bs=$((4*w))k count=$((1+i%16)) conv=fsync status=none || exit 1; done ) & done; wait`, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			time.Sleep(2 * time.Second)
			p.bed.Network().Cut(p.alpha, p.bravo)
			time.Sleep(time.Duration(1+2*(i%2)) * time.Second)
			p.bed.Network().Restore(p.alpha, p.bravo)
			p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
		}
		p.run(p.alpha, "touch /tmp/stop")
		if _, err := c.Wait(); err != nil {
			t.Fatal(err)
		}
		p.run(p.alpha, "umount /mnt")
		p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
		p.equal()
	})
}

// The Primary loses its disk, goes on through the peer, and takes it back.
func TestVMDetachAndAttach(t *testing.T) {
	cluster.EachPair(t, func(t *testing.T, f cluster.Pair) {
		p := newPair(t, f.Alpha, f.Bravo)
		// else the stock target lets the resync starve behind writes that wait
		// for an extent which only the resync can free (minutes for 40 MiB)
		p.configureDisk("c-min-rate 0;")
		p.up(p.alpha)
		p.run(p.alpha, "mkfs.ext4 -q -E nodiscard /dev/drbd2 && mkdir -p /mnt && mount /dev/drbd2 /mnt && cp /usr/bin/[a-e]* /mnt && sync")
		p.run(p.alpha, "drbdadm detach r0")
		p.wait(p.alpha, "cs:Connected ro:Primary/Secondary ds:Diskless/UpToDate", connectLimit)
		p.run(p.alpha, "cp /usr/bin/[f-k]* /mnt && sync && echo 3 > /proc/sys/vm/drop_caches")
		p.run(p.alpha, "cd /usr/bin && for f in [a-k]*; do cmp $f /mnt/$f || exit 1; done")
		p.run(p.alpha, "drbdadm attach r0")
		p.wait(p.alpha, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", syncLimit)
		p.run(p.alpha, "echo 3 > /proc/sys/vm/drop_caches; cd /usr/bin && for f in [a-k]*; do cmp $f /mnt/$f || exit 1; done")
		p.run(p.alpha, "umount /mnt")
		p.equal()
	})
}

// Full sync in the direction the demo does not take, then the other way again.
func TestVMFullSyncEachWay(t *testing.T) {
	for _, f := range []struct {
		name         string
		alpha, bravo bed.Flavour
	}{{"OursAndStock", bed.Ours, bed.Stock}, {"StockAndOurs", bed.Stock, bed.Ours}} {
		t.Run(f.name, func(t *testing.T) {
			p := newPair(t, f.alpha, f.bravo)
			p.configure("")
			p.up(p.bravo)
			p.run(p.bravo, "dd if=/dev/urandom of=/dev/drbd2 bs=1M count=20 oflag=direct status=none; drbdadm secondary r0")
			p.run(p.bravo, "drbdadm invalidate r0")
			p.wait(p.bravo, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
			p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit) // the source hears of it later
			p.run(p.alpha, "drbdadm invalidate r0")
			p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
			p.run(p.alpha, "drbdadm primary r0 && dd if=/dev/urandom of=/dev/drbd2 bs=1M count=20 oflag=direct status=none; drbdadm secondary r0")
			p.equal()
		})
	}
}
