package features

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"drbd/test/vm/bed"
)

func integrity(alg string) string { return "  net { data-integrity-alg " + alg + "; }\n" }

// With data-integrity-alg each block has a digest: in both directions, with
// resync and remote reads, and after a change while connected.
func TestVMDataIntegrity(t *testing.T) {
	onEachPair(t, func(p *pair) {
		p.configure(integrity("sha1"))
		p.up()
		p.write(p.alpha, 0, 4096)
		p.run(p.alpha, "drbdadm secondary r0")
		p.run(p.bravo, "drbdadm primary r0")
		p.write(p.bravo, 1024, 4096)

		// another algorithm, one node after the other, while writes go on
		p.configure(integrity("crc32c"))
		for _, m := range p.both() {
			c, err := p.bravo.Background(context.Background(), "for i in 1 2 3 4 5 6; do dd if=/dev/urandom of=/dev/drbd2 bs=64k count=16 oflag=direct status=none; done", nil)
			if err != nil {
				p.t.Fatal(err)
			}
			p.run(m, "drbdadm adjust r0")
			if _, err := c.Wait(); err != nil {
				p.t.Fatal(err)
			}
		}
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		// and a remote read, of a node that lost its disk
		p.run(p.bravo, "drbdadm detach r0")
		p.run(p.bravo, "dd if=/dev/drbd2 of=/dev/null bs=64k count=32 iflag=direct status=none")
		p.write(p.bravo, 8192, 256)
		p.run(p.bravo, "drbdadm attach r0")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		for _, m := range p.both() {
			if log := p.run(m, "dmesg"); strings.Contains(log, "FAILED") || strings.Contains(log, "ProtocolError") {
				p.t.Errorf("%s: a digest was refused, or the connection was lost:\n%s", m.Name, log)
			}
		}
		p.equal()
	})
}

// marked is a block that the network damages: it swaps two 16-bit words, which no
// checksum of TCP can find.
const marked = "drbd-test-block-that-the-network-damages"

func mangler(times int32) (func([]byte), *atomic.Int32) {
	var done atomic.Int32
	return func(frame []byte) {
		at := bytes.Index(frame, []byte(marked))
		if at < 0 || done.Add(1) > times {
			return
		}
		f := frame[at:]
		f[0], f[1], f[2], f[3] = f[2], f[3], f[0], f[1]
	}, &done
}

// A block that is changed on its way never reaches the disk: the connection is cut
// with a message, and what was written arrives with the next one.
func TestVMDamagedBlock(t *testing.T) {
	onEachPair(t, func(p *pair) {
		p.configure(integrity("sha1"))
		p.up()
		mangle, done := mangler(1)
		p.bed.Network().SetLink(p.alpha, p.bravo, bed.Link{Mangle: mangle})
		p.run(p.alpha, "printf "+marked+" | dd of=/dev/drbd2 bs=4k count=1 seek=100 conv=sync,notrunc,fsync status=none")
		if done.Load() == 0 {
			p.t.Fatal("the block did not pass by: the test tests nothing")
		}
		if p.ours[p.bravo] {
			p.logHas(p.bravo, "Digest integrity check FAILED: 800s +4096")
			p.logHas(p.bravo, "broken network hardware")
		}
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		p.equal()
	})
}

// What does not fit is refused with its reason.
func TestVMIntegrityRefused(t *testing.T) {
	onEachPair(t, func(p *pair) {
		if p.ours[p.alpha] {
			p.configure(integrity("nosuchhash"))
			p.run(p.alpha, "modprobe drbd && drbdadm create-md --force r0")
			p.refused(p.alpha, "drbdadm up r0", "nosuchhash")
			p.run(p.alpha, "drbdadm down r0")
			p.configure("  net { verify-alg \"hmac(sha1)\"; }\n")
			p.refused(p.alpha, "drbdadm up r0", "hmac(sha1)", "key")
			p.run(p.alpha, "drbdadm down r0")
		}
		p.configure(integrity("sha1"))
		p.run(p.alpha, "modprobe drbd && drbdadm create-md --force r0 && drbdadm up r0")
		p.configure(integrity("md5"))
		p.run(p.bravo, "modprobe drbd && drbdadm create-md --force r0 && drbdadm up r0")
		for _, m := range p.both() {
			// the stock one may find the link gone before it has compared
			if p.ours[m] {
				p.wait(m, "cs:StandAlone")
				p.logHas(m, fmt.Sprintf("incompatible %s settings", "data-integrity-alg"))
			}
		}
		p.configure(integrity("sha1"))
		for _, m := range p.both() {
			p.run(m, "drbdadm adjust r0")
		}
		p.waitBoth("cs:Connected")
	})
}
