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

// fileSystem is how one is made, mended after a crash (by mounting it) and checked.
type fileSystem struct{ name, mkfs, check string }

var fileSystems = []fileSystem{
	{"ext4", "mkfs.ext4 -q -E nodiscard /dev/drbd2", "e2fsck -f -n /dev/drbd2"},
	{"xfs", "mkfs.xfs -q -f -K /dev/drbd2", "xfs_repair -n /dev/drbd2"},
}

// stress is what people run to see whether storage holds: random writes that are read
// back and compared, files of all kinds made and removed, an office's file server.
func stress(seconds int) string {
	return fmt.Sprintf(`cd /mnt && mkdir -p fio ng bench &&
		fio --name=v --directory=fio --rw=randwrite --bs=4k-64k --size=8m --numjobs=2 --ioengine=psync --direct=1 --verify=crc32c --verify_fatal=1 \
			--do_verify=1 --fsync=32 --output=/tmp/fio.log --loops=2 || { cat /tmp/fio.log; exit 1; }
		stress-ng --temp-path ng --hdd 1 --hdd-bytes 4m --dentry 1 --rename 1 --fallocate 1 --fallocate-bytes 4m --timeout %d --verify --quiet || exit 1
		dbench -D bench -t %d -c /usr/share/dbench/client.txt 2 >/tmp/dbench.log 2>&1 || { tail -20 /tmp/dbench.log; exit 1; }`, seconds, seconds)
}

// File systems under load, on a pair whose Primary loses power in the middle: what
// crashed can be mounted on the other node and is sound, and the load goes on there.
func TestVMFileSystems(t *testing.T) {
	for _, f := range cluster.Pairs {
		for _, fs := range fileSystems {
			t.Run(f.Name+"-"+fs.name, func(t *testing.T) {
				if !cluster.Long() && !cluster.OnDebugKernel() {
					t.Skip("in the long tests only")
				}
				disks := []int64{340 << 20} // an XFS has at least 300 MiB
				b, ms := cluster.Boot(t, bed.Spec{Flavour: f.Alpha, Disks: disks, Volatile: true}, bed.Spec{Flavour: f.Bravo, Disks: disks, Volatile: true})
				p := &pair{t: t, bed: b, alpha: ms[0], bravo: ms[1]}
				config := cluster.Config(p.alpha, p.bravo, "net { ping-int 1; ping-timeout 10; connect-int 3; timeout 20; max-buffers 8000; }")
				p.setConfig(strings.Replace(config, "on-io-error pass_on;", "on-io-error detach; c-min-rate 0;", 1))
				p.upAsEqual(false)
				p.underStress(fs)
			})
		}
	}
}

func (p *pair) underStress(fs fileSystem) {
	seconds := 5
	if cluster.Long() {
		seconds = 15
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	p.run(p.alpha, "drbdadm primary r0 && "+fs.mkfs+" && mkdir -p /mnt && mount /dev/drbd2 /mnt")
	if _, err := p.alpha.Run(ctx, stress(seconds)); err != nil {
		p.t.Fatal(err)
	}
	p.run(p.alpha, "umount /mnt && "+fs.check+" && mount /dev/drbd2 /mnt")
	c, err := p.alpha.Background(ctx, stress(60), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	time.Sleep(6 * time.Second)
	p.alpha.PowerOff()
	_, _ = c.Wait()
	p.run(p.bravo, "for i in $(seq 100); do drbdadm primary r0 2>/dev/null && exit 0; sleep 0.2; done; exit 1")
	p.run(p.bravo, "mkdir -p /mnt && mount /dev/drbd2 /mnt && umount /mnt && "+fs.check+" && mount /dev/drbd2 /mnt")
	if c, err = p.bravo.Background(ctx, stress(seconds), nil); err != nil {
		p.t.Fatal(err)
	}
	if err := p.alpha.PowerOn(ctx); err != nil {
		p.t.Fatal(err)
	}
	p.run(p.alpha, "modprobe drbd && drbdadm up r0")
	if _, err := c.Wait(); err != nil {
		p.t.Fatal(err)
	}
	p.wait(p.bravo, "cs:Connected ds:UpToDate/UpToDate", 2*syncLimit)
	p.run(p.bravo, "umount /mnt && "+fs.check)
	sectors := number(p.t, p.run(p.bravo, "cat /sys/block/drbd2/size"))
	for _, m := range []*bed.Machine{p.bravo, p.alpha} {
		p.run(m, "drbdadm secondary r0")
		if err := m.Served(0).Settle(); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := bed.CompareDisks(p.alpha.Disk(0), p.bravo.Disk(0), 0, int64(sectors)*512); err != nil {
		p.t.Error(err)
	}
}
