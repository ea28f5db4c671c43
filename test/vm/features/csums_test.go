package features

import (
	"testing"

	"drbd/test/vm/bed"
)

// A resync with checksums sends only what differs, as source and as target.
func TestVMChecksumResync(t *testing.T) {
	onEachPair(t, func(p *pair) {
		p.configure("  net { csums-alg sha1; }\n")
		p.up()
		p.write(p.alpha, 0, 8192)
		for _, target := range []*bed.Machine{p.bravo, p.alpha} {
			source := p.alpha
			if target == p.alpha {
				source = p.bravo
				p.run(p.alpha, "drbdadm secondary r0")
			}
			p.damage(target, 3072)
			before := p.status(source).SentKiB
			p.run(target, "drbdadm invalidate r0")
			p.wait(target, "cs:Connected ds:UpToDate/UpToDate")
			p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
			// one block differs, so not much more than one request travels
			if sent := p.status(source).SentKiB - before; sent == 0 || sent > 2048 {
				p.t.Errorf("%s: the resync to %s sent %d KiB", source.Name, target.Name, sent)
			}
			p.logHas(target, "had equal checksums")
		}
		p.outOfSync(0)
		p.equal()
	})
}

// csums-after-crash-only: an ordinary resync transfers all, one after a crash of
// the Primary compares.
func TestVMChecksumsAfterCrash(t *testing.T) {
	onEachPair(t, func(p *pair) {
		p.configure("  net { csums-alg sha1; csums-after-crash-only; }\n")
		p.up()
		before := p.status(p.alpha).SentKiB
		p.run(p.bravo, "drbdadm invalidate r0")
		p.wait(p.bravo, "cs:Connected ds:UpToDate/UpToDate")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		if sent := p.status(p.alpha).SentKiB - before; sent < uint64(diskSize>>10)*9/10 {
			p.t.Errorf("the resync sent only %d KiB", sent)
		}
		p.write(p.alpha, 0, 1024)
		p.alpha.PowerOff()
		if err := p.alpha.PowerOn(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
		p.run(p.alpha, "modprobe drbd && drbdadm up r0")
		p.waitBoth("cs:Connected ds:UpToDate/UpToDate")
		if p.ours[p.bravo] { // the stock one sees no need for it here
			p.logHas(p.bravo, "had equal checksums")
		}
		p.equal()
	})
}
