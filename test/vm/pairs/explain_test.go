package pairs

import (
	"context"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
)

// TestVMExplain: what `drbdadm explain` says of a good pair, a peer that is away, a split
// brain and the resync that ends it, on each node that has our tools.
func TestVMExplain(t *testing.T) {
	eachPair(t, func(p *pair) {
		p.configure("")
		p.up()
		ours := func(f func(m *bed.Machine)) {
			for i, m := range []*bed.Machine{p.alpha, p.bravo} {
				if p.flavours[i] == bed.Ours {
					f(m)
				}
			}
		}
		says := func(m *bed.Machine, want ...string) {
			t.Helper()
			out, err := m.Run(context.Background(), "drbdadm explain r0")
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				if !strings.Contains(out.Stdout, w) {
					t.Errorf("%s: drbdadm explain does not say %q:\n%s", m.Name, w, out.Stdout)
				}
			}
		}
		ours(func(m *bed.Machine) { says(m, "Now: Connected, Established", "Rule ", "nothing has to be done") })
		p.each(func(m *bed.Machine) { p.run(m, "drbdadm disconnect r0") })
		ours(func(m *bed.Machine) { says(m, "Now: StandAlone", "drbdadm connect r0") })
		p.each(func(m *bed.Machine) {
			p.run(m, "drbdadm primary r0 && dd if=/dev/urandom of=/dev/drbd2 bs=4k count=3 oflag=direct conv=notrunc status=none && drbdadm secondary r0")
		})
		p.run(p.alpha, "drbdadm connect r0")
		ours(func(m *bed.Machine) {
			if m == p.alpha {
				says(m, "Waiting for bravo")
			}
		})
		p.run(p.bravo, "drbdadm connect r0")
		gaveUp := func(m *bed.Machine) bool { return strings.Contains(p.run(m, "cat /proc/drbd"), "cs:StandAlone") }
		for end := time.Now().Add(connectLimit); !gaveUp(p.alpha) && !gaveUp(p.bravo); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("neither node has given up")
			}
		}
		ours(func(m *bed.Machine) {
			if gaveUp(m) {
				says(m, "Rule 90", "split brain", "refused", "drbdadm connect --discard-my-data r0")
			}
		})
		p.each(func(m *bed.Machine) { p.run(m, "drbdadm disconnect r0") })
		p.run(p.alpha, "drbdadm -- --discard-my-data connect r0")
		p.run(p.bravo, "drbdadm connect r0")
		p.waitBoth(both, syncLimit)
		ours(func(m *bed.Machine) {
			want := "are copied from bravo to here"
			if m == p.bravo {
				want = "are copied from here to alpha"
			}
			says(m, "Rule 90", want, "its data may be discarded", "nothing has to be done")
		})
	})
}
