// Package features holds machine tests of what is optional between two nodes:
// digests, online verify, checksum based resync, discards, and the like. Each is
// run with ours on both sides and with the stock DRBD on either one.
package features

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

const (
	diskSize = 32 << 20
	limit    = 90 * time.Second
)

// pair is two machines and what a test does with them.
type pair struct {
	t            *testing.T
	bed          *bed.Bed
	alpha, bravo *bed.Machine
	ours         map[*bed.Machine]bool
}

// onEachPair runs a test with ours, and with one of the stock kind on either side.
func onEachPair(t *testing.T, test func(*pair)) {
	cluster.EachPair(t, func(t *testing.T, p cluster.Pair) { test(newPair(t, p.Alpha, p.Bravo)) })
}

func newPair(t *testing.T, alpha, bravo bed.Flavour) *pair {
	t.Helper()
	b, ms := cluster.Boot(t,
		bed.Spec{Flavour: alpha, Disks: []int64{diskSize}, FillDisks: true},
		bed.Spec{Flavour: bravo, Disks: []int64{diskSize}, FillDisks: true})
	return &pair{
		t: t, bed: b, alpha: ms[0], bravo: ms[1],
		ours: map[*bed.Machine]bool{ms[0]: alpha == bed.Ours, ms[1]: bravo == bed.Ours},
	}
}

func (p *pair) both() []*bed.Machine { return []*bed.Machine{p.alpha, p.bravo} }

// run is a command that has to succeed.
func (p *pair) run(m *bed.Machine, command string) string {
	p.t.Helper()
	out, err := m.Run(context.Background(), command)
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(out.Stdout)
}

// refused is a command that has to fail with each of the words in what it says.
func (p *pair) refused(m *bed.Machine, command string, words ...string) {
	p.t.Helper()
	out, err := m.Run(context.Background(), command)
	if err == nil {
		p.t.Errorf("%s: `%s` was expected to fail, said:\n%s%s", m.Name, command, out.Stdout, out.Stderr)
		return
	}
	for _, w := range words {
		if said := out.Stdout + out.Stderr; !strings.Contains(said, w) {
			p.t.Errorf("%s: `%s` does not say %q:\n%s", m.Name, command, w, said)
		}
	}
}

func (p *pair) wait(m *bed.Machine, state string) cluster.Device {
	p.t.Helper()
	d, err := cluster.Wait(context.Background(), m, cluster.Minor, cluster.StateIs(state), limit)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

func (p *pair) waitBoth(state string) {
	p.t.Helper()
	for _, m := range p.both() {
		p.wait(m, state)
	}
}

func (p *pair) status(m *bed.Machine) cluster.Device {
	p.t.Helper()
	d, err := cluster.Status(context.Background(), m, cluster.Minor)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

// logHas wants a line with each of the words in a machine's kernel log, soon.
func (p *pair) logHas(m *bed.Machine, words string) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		log := p.run(m, "dmesg")
		if strings.Contains(log, words) {
			return
		}
		if time.Now().After(end) {
			p.t.Errorf("%s: the kernel log has no %q", m.Name, words)
			return
		}
	}
}

func (p *pair) configure(extra string) {
	p.t.Helper()
	if err := cluster.SetConfig(context.Background(), cluster.Config(p.alpha, p.bravo, extra), p.both()...); err != nil {
		p.t.Fatal(err)
	}
}

// configureDisk adds options to the one disk section.
func (p *pair) configureDisk(options string) {
	p.t.Helper()
	config := strings.Replace(cluster.Config(p.alpha, p.bravo, ""), "disk {\n", "disk {\n    "+options+"\n", 1)
	if !strings.Contains(config, options) {
		p.t.Fatal("the configuration has no disk section")
	}
	if err := cluster.SetConfig(context.Background(), config, p.both()...); err != nil {
		p.t.Fatal(err)
	}
}

// up brings both nodes from nothing to a connection of two UpToDate disks, with
// alpha as Primary.
func (p *pair) up() {
	p.t.Helper()
	for _, m := range p.both() {
		p.run(m, "modprobe drbd && drbdadm create-md --force r0 && drbdadm up r0")
	}
	p.waitBoth("cs:Connected ds:Inconsistent/Inconsistent")
	p.run(p.alpha, "drbdadm primary --force r0")
	p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
}

// write fills some blocks of the device on a Primary with random data.
func (p *pair) write(m *bed.Machine, seekKiB, kib int) {
	p.t.Helper()
	p.run(m, "dd if=/dev/urandom of=/dev/drbd2 bs=4k oflag=direct conv=notrunc,fsync status=none seek="+
		strconv.Itoa(seekKiB/4)+" count="+strconv.Itoa(kib/4))
}

// damage changes bytes of the lower disk behind DRBD's back.
func (p *pair) damage(m *bed.Machine, kib int) {
	p.t.Helper()
	p.run(m, "printf damaged | dd of=/dev/vda bs=1 conv=notrunc status=none seek="+strconv.Itoa(kib*1024+100)+
		"; sync; echo 3 > /proc/sys/vm/drop_caches")
}

// sectors is the size of the device.
func (p *pair) sectors(m *bed.Machine) int64 {
	p.t.Helper()
	n, err := strconv.ParseInt(p.run(m, "cat /sys/block/drbd2/size"), 10, 64)
	if err != nil || n < diskSize/512/2 {
		p.t.Fatalf("the device has %d sectors (%v)", n, err)
	}
	return n
}

// equal takes both nodes down and compares the data of their disks.
func (p *pair) equal() {
	p.t.Helper()
	n := p.sectors(p.alpha)
	for _, m := range p.both() {
		p.run(m, "umount /mnt 2>/dev/null; drbdadm secondary r0; true")
	}
	for _, m := range p.both() {
		p.run(m, "drbdadm down r0; sync")
	}
	if err := bed.CompareDisks(p.alpha.Disk(0), p.bravo.Disk(0), 0, n*512); err != nil {
		p.t.Error(err)
	}
}
