// Package faults holds machine tests of what goes wrong: bad input from the
// administrator, garbage from the network, links and disks that fail, and the
// endless repetition of what should leave nothing behind.
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

const (
	diskSize     = 64 << 20
	connectLimit = 40 * time.Second
	syncLimit    = 90 * time.Second
)

// pair is two machines and what a test does with them.
type pair struct {
	t            *testing.T
	bed          *bed.Bed
	alpha, bravo *bed.Machine
}

func newPair(t *testing.T, alpha, bravo bed.Flavour) *pair {
	t.Helper()
	disks := []int64{diskSize, 16 << 20}
	b, ms := cluster.Boot(t, bed.Spec{Flavour: alpha, Disks: disks}, bed.Spec{Flavour: bravo, Disks: disks})
	return &pair{t: t, bed: b, alpha: ms[0], bravo: ms[1]}
}

// run is a command that has to succeed.
func (p *pair) run(m *bed.Machine, command string) string {
	p.t.Helper()
	out, err := m.Run(context.Background(), command)
	if err != nil {
		p.t.Fatal(err)
	}
	return out.Stdout
}

// refused is a command that has to fail, soon, with each of the words in what it
// says. drbdmeta shows what it found, so no length is asked of it.
func (p *pair) refused(m *bed.Machine, command string, words ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := m.Run(ctx, command)
	if err == nil {
		p.t.Errorf("%s: `%s` was expected to fail, said:\n%s%s", m.Name, command, out.Stdout, out.Stderr)
		return
	}
	if ctx.Err() != nil {
		p.t.Errorf("%s: `%s` hangs: %v", m.Name, command, err)
		return
	}
	said := out.Stdout + out.Stderr
	for _, w := range words {
		if !strings.Contains(said, w) {
			p.t.Errorf("%s: `%s` does not say %q:\n%s", m.Name, command, w, said)
		}
	}
}

func (p *pair) wait(m *bed.Machine, state string, limit time.Duration) cluster.Device {
	p.t.Helper()
	d, err := cluster.Wait(context.Background(), m, cluster.Minor, cluster.StateIs(state), limit)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

func (p *pair) configure(extra string) {
	p.t.Helper()
	p.setConfig(cluster.Config(p.alpha, p.bravo, extra))
}

// configureDisk adds options to the one disk section.
func (p *pair) configureDisk(options string) {
	p.t.Helper()
	config := cluster.Config(p.alpha, p.bravo, "")
	with := strings.Replace(config, "disk {", "disk { "+options, 1)
	if with == config {
		p.t.Fatal("the configuration has no disk section")
	}
	p.setConfig(with)
}

func (p *pair) setConfig(config string) {
	p.t.Helper()
	if err := cluster.SetConfig(context.Background(), config, p.alpha, p.bravo); err != nil {
		p.t.Fatal(err)
	}
}

// up brings both nodes from nothing to a connection of two UpToDate disks.
func (p *pair) up(source *bed.Machine) {
	p.t.Helper()
	p.connectFresh()
	p.run(source, "drbdadm primary --force r0")
	p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
	p.wait(p.bravo, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
}

func (p *pair) connectFresh() {
	p.t.Helper()
	for _, m := range []*bed.Machine{p.alpha, p.bravo} {
		p.run(m, "modprobe drbd && drbdadm create-md --force r0 && drbdadm up r0")
	}
	p.wait(p.alpha, "cs:Connected ds:Inconsistent/Inconsistent", connectLimit)
	p.wait(p.bravo, "cs:Connected ds:Inconsistent/Inconsistent", connectLimit)
}

// upAsEqual is up for disks that are equal already: their metadata say so, and nothing
// is copied.
func (p *pair) upAsEqual(external bool) {
	p.t.Helper()
	where := "/dev/vda internal"
	if external {
		where = "/dev/vdb flex-external"
	}
	for i, m := range []*bed.Machine{p.alpha, p.bravo} {
		gi := "v08 " + where + " set-gi 1122334455667788:0:0:0:1:1:0:0:0:0:0"
		if m.Spec().Flavour == bed.Ours {
			gi = fmt.Sprintf("v09 %s set-gi --node-id %d 1122334455667788:0:0:0:1:1:0:0:1", where, 1-i)
		}
		p.run(m, "modprobe drbd && drbdadm create-md --force r0 && drbdmeta --force 2 "+gi+" && drbdadm up r0")
	}
	p.wait(p.alpha, "cs:Connected ro:Secondary/Secondary ds:UpToDate/UpToDate", connectLimit)
	p.wait(p.bravo, "cs:Connected ro:Secondary/Secondary ds:UpToDate/UpToDate", connectLimit)
}

// equal takes both nodes down and compares the data of their disks.
func (p *pair) equal() {
	p.t.Helper()
	sectors := p.run(p.alpha, "cat /sys/block/drbd2/size")
	for _, m := range []*bed.Machine{p.alpha, p.bravo} {
		p.run(m, "umount /mnt 2>/dev/null; drbdadm secondary r0; true")
	}
	for _, m := range []*bed.Machine{p.alpha, p.bravo} {
		p.run(m, "drbdadm down r0; sync")
	}
	var n int64
	for _, c := range strings.TrimSpace(sectors) {
		n = n*10 + int64(c-'0')
	}
	if n < diskSize/512/2 {
		p.t.Fatalf("the device had only %d sectors", n)
	}
	if err := bed.CompareDisks(p.alpha.Disk(0), p.bravo.Disk(0), 0, n*512); err != nil {
		p.t.Error(err)
	}
}
