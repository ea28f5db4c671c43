package pairs

import (
	"strings"
	"testing"

	"drbd/test/vm/bed"
)

// Nobody copies what is equal, or of no worth: new-current-uuid --clear-bitmap
// saves the first sync, whoever is told; from then on every write counts.
func TestVMSkipInitialSync(t *testing.T) {
	eachPair(t, func(p *pair) {
		for _, told := range []*bed.Machine{p.alpha, p.bravo} {
			p.configure("")
			p.each(func(m *bed.Machine) {
				p.run(m, "modprobe drbd && drbdadm create-md --force r0 && drbdadm up r0")
			})
			p.waitBoth("cs:Connected ds:Inconsistent/Inconsistent", connectLimit)
			p.run(told, "drbdadm -- --clear-bitmap new-current-uuid r0")
			p.waitBoth(both, connectLimit)
			p.each(func(m *bed.Machine) {
				if line := p.run(m, "grep -A1 '^ 2:' /proc/drbd"); !strings.Contains(line, " nr:0 ") || !strings.Contains(line, " oos:0") {
					t.Errorf("%s: something was copied, or is to be:\n%s", m.Name, line)
				}
			})
			if out := p.fails(told, "drbdadm -- --clear-bitmap new-current-uuid r0"); !strings.Contains(out, "(151)") {
				t.Errorf("%s, a second time: %s", told.Name, out)
			}
			p.run(told, "drbdadm primary r0 && dd if=/dev/urandom of=/dev/drbd2 bs=1M count=8 oflag=direct status=none")
			// the identifiers agree: a new connection copies what was written without the peer, no more
			p.run(told, "drbdadm disconnect r0 && dd if=/dev/urandom of=/dev/drbd2 bs=4k count=1 seek=100 oflag=direct status=none && drbdadm connect r0")
			p.run(p.other(told), "drbdadm connect r0 2>/dev/null; true")
			p.waitBoth(both, syncLimit)
			p.run(told, "drbdadm secondary r0")
			p.same(8 << 20)
		}
	})
}
