package pairs

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// Two resources; the second resyncs after the first.
func turnsConfig(a, b *bed.Machine, first string) string {
	var s strings.Builder
	s.WriteString("global { usage-count no; }\ncommon { protocol C; syncer { rate 2M; } }\n")
	for i, name := range []string{"r0", "r1"} {
		after := ""
		if i == 1 {
			after = "after " + first + ";"
		}
		fmt.Fprintf(&s, "resource %s {\n  syncer { %s }\n", name, after)
		for _, m := range []*bed.Machine{a, b} {
			fmt.Fprintf(&s, "  on %s { device /dev/drbd%d; disk /dev/vd%c; address %s:%d; meta-disk internal; }\n",
				m.Name, 2+i, 'a'+i, m.Address, 7789+i)
		}
		s.WriteString("}\n")
	}
	return s.String()
}

// The second resource waits while the first is resynced, and goes on when it is done;
// a circle is refused.
func TestVMResyncAfter(t *testing.T) {
	for _, f := range []struct {
		name         string
		alpha, bravo bed.Flavour
	}{{"Ours", bed.Ours, bed.Ours}, {"OursAndStock", bed.Ours, bed.Stock}} {
		t.Run(f.name, func(t *testing.T) { resyncAfter(t, f.alpha, f.bravo) })
	}
}

func resyncAfter(t *testing.T, alpha, bravo bed.Flavour) {
	disks := []int64{diskSize, diskSize}
	b, ms := cluster.Boot(t, bed.Spec{Flavour: alpha, Disks: disks}, bed.Spec{Flavour: bravo, Disks: disks})
	p := &pair{t: t, bed: b, alpha: ms[0], bravo: ms[1], flavours: [2]bed.Flavour{alpha, bravo}}
	ctx := context.Background()
	if err := cluster.SetConfig(ctx, turnsConfig(p.alpha, p.bravo, "r0"), p.alpha, p.bravo); err != nil {
		t.Fatal(err)
	}
	p.each(func(m *bed.Machine) {
		p.run(m, "modprobe drbd && drbdadm create-md --force r0 && drbdadm create-md --force r1 && drbdadm up all")
	})
	state := func(m *bed.Machine, minor int) string {
		d, err := cluster.Status(ctx, m, minor)
		if err != nil {
			t.Fatal(err)
		}
		return d.State()
	}
	for minor := 2; minor <= 3; minor++ {
		if _, err := cluster.Wait(ctx, p.alpha, minor, cluster.StateIs("cs:Connected"), connectLimit); err != nil {
			t.Fatal(err)
		}
	}
	p.run(p.alpha, "drbdadm primary --force r0; drbdadm primary --force r1")
	if _, err := cluster.Wait(ctx, p.alpha, 3, cluster.StateIs("cs:PausedSyncS"), connectLimit); err != nil {
		t.Fatal(err)
	}
	if s := state(p.alpha, 2); !strings.Contains(s, "cs:SyncSource") {
		t.Errorf("the second one waits while the first is %s", s)
	}
	if bravo == bed.Ours {
		if s := state(p.bravo, 3); !strings.Contains(s, "cs:PausedSyncT") {
			t.Errorf("the target of the waiting one is %s", s)
		}
	}
	// the administrator's pause counts beside it
	p.run(p.alpha, "drbdadm pause-sync r1")
	p.wait(p.alpha, both, syncLimit)
	time.Sleep(time.Second)
	if s := state(p.alpha, 3); !strings.Contains(s, "cs:PausedSyncS") {
		t.Errorf("paused by the administrator, it is %s", s)
	}
	p.run(p.alpha, "drbdadm resume-sync r1")
	if _, err := cluster.Wait(ctx, p.alpha, 3, cluster.StateIs(both), syncLimit); err != nil {
		t.Fatal(err)
	}
	said := p.fails(p.alpha, "drbdsetup disk-options 2 --resync-after=3")
	if !strings.Contains(said, "133") {
		t.Errorf("a circle: %q", said)
	}
}
