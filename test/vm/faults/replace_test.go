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

// replacement is a pair with a file system that is written on all the time.
type replacement struct {
	*pair
	primary, secondary *bed.Machine
	writer             *bed.Command
	rounds             int
	sums               strings.Builder // of the files that were synced last, for sha256sum -c
}

// mount takes the file system into use on the Primary: what was synced must be there.
func (r *replacement) mount() {
	r.t.Helper()
	r.run(r.primary, "drbdadm primary r0 && e2fsck -f -p /dev/drbd2 && mkdir -p /mnt && mount /dev/drbd2 /mnt")
	if err := r.primary.Put(context.Background(), "/tmp/sums", []byte(r.sums.String())); err != nil {
		r.t.Fatal(err)
	}
	if r.sums.Len() > 0 {
		r.run(r.primary, "sha256sum --quiet -c /tmp/sums && rm -r /mnt/[0-9]*") // room for new ones
		r.sums.Reset()
	}
	r.rounds++
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	r.t.Cleanup(cancel)
	w, err := r.primary.Background(ctx, fmt.Sprintf("mkdir /mnt/%d && exec fsync-writer /mnt/%d %d", r.rounds, r.rounds, r.rounds), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.writer = w
}

// umount ends the writer and gives the device back.
func (r *replacement) umount() {
	r.t.Helper()
	r.writer.Kill()
	out, _ := r.writer.Wait()
	if out.Stderr != "" {
		r.t.Fatalf("the application was disturbed: %s", out.Stderr)
	}
	n := 0
	for line := range strings.Lines(out.Stdout) {
		if name, sum, ok := strings.Cut(strings.TrimSpace(line), " "); ok && len(sum) == 64 {
			fmt.Fprintf(&r.sums, "%s  /mnt/%d/%s\n", sum, r.rounds, name)
			n++
		}
	}
	if n == 0 {
		r.t.Error("nothing was written meanwhile")
	}
	r.run(r.primary, "umount /mnt && e2fsck -f -n /dev/drbd2 && drbdadm secondary r0")
}

// replace gives the Secondary the other DRBD, while the Primary is written on. What is
// copied afterwards is what was written meanwhile, not the disk.
func (r *replacement) replace(f bed.Flavour) {
	r.t.Helper()
	m := r.secondary
	r.run(m, "drbdadm down r0 && rmmod drbd; sync")
	m.PowerOff()
	if err := m.Become(f); err != nil {
		r.t.Fatal(err)
	}
	if err := m.PowerOn(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	r.run(m, "modprobe drbd && drbdadm up r0")
	most := uint64(0)
	d, err := cluster.WaitWatching(context.Background(), m, cluster.Minor, cluster.StateIs("cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate"),
		syncLimit, func(d cluster.Device) { most = max(most, d.OutOfSyncKiB) })
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Logf("%s is %s now; %d KiB came, %d KiB were out of sync at most", m.Name, f, d.ReceivedKiB, most)
	if most > replacedDisk>>10/2 || d.ReceivedKiB > replacedDisk>>10 {
		r.t.Errorf("%s became %s: that was a full resync: %d KiB out of sync, %d KiB received", m.Name, f, most, d.ReceivedKiB)
	}
	r.wait(r.primary, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", connectLimit)
}

// switchOver moves the file system to the other node.
func (r *replacement) switchOver() {
	r.t.Helper()
	r.umount()
	r.primary, r.secondary = r.secondary, r.primary
	r.mount()
	time.Sleep(time.Second)
}

const replacedDisk = 128 << 20

// A stock pair becomes ours, node by node, under load: metadata and data are kept, only
// what was written meanwhile is copied. Then it goes back the same way.
func TestVMLiveReplacement(t *testing.T) {
	spec := bed.Spec{Flavour: bed.Stock, Disks: []int64{replacedDisk}}
	b, ms := cluster.Boot(t, spec, spec)
	r := &replacement{pair: &pair{t: t, bed: b, alpha: ms[0], bravo: ms[1]}, primary: ms[0], secondary: ms[1]}
	// else a stock target yields to the writer at 250 KiB/s until the file system is full
	r.setConfig(strings.Replace(cluster.Config(r.alpha, r.bravo, "net { ping-int 1; ping-timeout 10; connect-int 3; timeout 20; }"),
		"disk {", "disk { c-min-rate 0;", 1))
	r.up(r.alpha)
	r.run(r.alpha, "mkfs.ext4 -q -E nodiscard /dev/drbd2")
	r.mount()
	for _, f := range []bed.Flavour{bed.Ours, bed.Stock} {
		r.replace(f)
		r.switchOver()
		r.replace(f)
	}
	r.umount()
	r.equal()
}
