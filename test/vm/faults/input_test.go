package faults

import (
	"strings"
	"testing"

	"drbd/test/vm/bed"
)

// Each mistake of an administrator gets a clear answer and changes nothing.
func TestVMBadInput(t *testing.T) {
	p := newPair(t, bed.Ours, bed.Ours)
	p.configure("")
	before := p.run(p.alpha, "sha256sum /dev/vda /dev/vdb")

	// no module to be had: the tools would load it themselves
	p.run(p.alpha, "mount -t tmpfs none /lib/modules")
	p.refused(p.alpha, "drbdadm primary r0", "module", "drbd")
	p.refused(p.alpha, "drbdadm status", "module", "drbd")
	p.run(p.alpha, "umount /lib/modules")
	p.refused(p.alpha, "drbdadm status nosuch", "nosuch")
	p.run(p.alpha, "modprobe drbd")
	p.refused(p.alpha, "drbdadm up nosuch", "nosuch")
	p.refused(p.alpha, "drbdadm up r0", "create-md")
	p.run(p.alpha, "drbdadm down r0 || true")

	// somebody else's data where the metadata should be
	p.run(p.alpha, "mkfs.ext4 -q -E nodiscard /dev/vdb")
	foreign := p.run(p.alpha, "sha256sum /dev/vdb")
	p.run(p.alpha, "sed 's,/dev/vda,/dev/vdb,' /etc/drbd.conf > /tmp/foreign.conf")
	p.refused(p.alpha, "drbdadm -c /tmp/foreign.conf create-md r0 </dev/null")
	p.refused(p.alpha, "drbdadm -c /tmp/foreign.conf up r0", "create-md")
	p.run(p.alpha, "drbdadm down r0 || true")
	if after := p.run(p.alpha, "sha256sum /dev/vdb"); after != foreign {
		t.Errorf("a refused create-md or attach changed the disk")
	}

	// a disk in use
	p.run(p.alpha, "mkdir -p /mnt && mount /dev/vdb /mnt")
	p.refused(p.alpha, "drbdadm -c /tmp/foreign.conf create-md --force r0", "/dev/vdb")
	p.run(p.alpha, "umount /mnt")

	// a disk too small for metadata
	p.run(p.alpha, "modprobe loop; truncate -s 64K /tmp/small && losetup /dev/loop0 /tmp/small")
	p.run(p.alpha, "sed 's,/dev/vda,/dev/loop0,' /etc/drbd.conf > /tmp/small.conf")
	p.refused(p.alpha, "drbdadm -c /tmp/small.conf create-md --force r0", "small")

	// not a host of this configuration
	p.run(p.alpha, "sed -e 's/on alpha/on xray/' -e 's/10\\.77\\.0\\.1:/10.77.9.9:/' /etc/drbd.conf > /tmp/host.conf")
	p.refused(p.alpha, "drbdadm -c /tmp/host.conf up r0", "alpha")

	// a broken file is named with its line
	p.run(p.alpha, "printf 'resource r0 {\\n  protokol C;\\n}\\n' > /tmp/broken.conf")
	p.refused(p.alpha, "drbdadm -c /tmp/broken.conf up r0", "/tmp/broken.conf:2", "protocol")

	if after := p.run(p.alpha, "sha256sum /dev/vda"); !strings.HasPrefix(before, strings.TrimSpace(after)) {
		t.Errorf("the disk was changed by commands that were refused:\n%s\n%s", before, after)
	}
	if d := p.run(p.alpha, "grep -c cs: /proc/drbd || true"); strings.TrimSpace(d) != "0" {
		t.Errorf("refused commands left something configured:\n%s", p.run(p.alpha, "cat /proc/drbd"))
	}

	// while in use
	p.up(p.alpha)
	p.run(p.alpha, "mkfs.ext4 -q -E nodiscard /dev/drbd2 && mount /dev/drbd2 /mnt")
	p.refused(p.alpha, "drbdadm secondary r0", "/dev/drbd2")
	p.refused(p.alpha, "drbdadm down r0", "/dev/drbd2")
	p.refused(p.bravo, "drbdadm primary r0", "rimar")
	p.refused(p.bravo, "dd if=/dev/drbd2 of=/dev/null count=1")
	p.refused(p.alpha, "rmmod drbd", "in use")
	p.wait(p.alpha, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", connectLimit)
	p.equal()
}

// Garbage on the replication port never disturbs a connection, and a node that
// waits for its peer survives whatever connects.
func TestVMGarbageOnThePort(t *testing.T) {
	p := newPair(t, bed.Ours, bed.Ours)
	p.configure("")
	const garbage = "for i in 1 2 3 4 5; do head -c 4096 /dev/urandom | timeout 2 nc -w 1 10.77.0.1 7789 || true; done"
	p.run(p.alpha, "modprobe drbd && drbdadm create-md --force r0 && drbdadm up r0")
	p.run(p.bravo, garbage)
	p.run(p.bravo, "printf '\\203\\164\\002\\147\\377\\362\\000\\000garbage' | timeout 2 nc -w 1 10.77.0.1 7789 || true")
	p.wait(p.alpha, "cs:WFConnection", connectLimit)
	p.run(p.bravo, "modprobe drbd && drbdadm create-md --force r0 && drbdadm up r0")
	p.wait(p.alpha, "cs:Connected ds:Inconsistent/Inconsistent", 2*connectLimit)
	p.run(p.alpha, "drbdadm primary --force r0")
	p.wait(p.alpha, "ds:UpToDate/UpToDate", syncLimit)
	for _, m := range []*bed.Machine{p.alpha, p.bravo} {
		p.run(m, garbage)
		p.run(m, strings.ReplaceAll(garbage, "10.77.0.1", "10.77.0.2"))
	}
	log := p.run(p.alpha, "dmesg | grep -c 'NetworkFailure\\|BrokenPipe\\|ProtocolError' || true")
	p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", connectLimit)
	p.run(p.alpha, "dd if=/dev/urandom of=/dev/drbd2 bs=64k count=100 oflag=direct status=none")
	if again := p.run(p.alpha, "dmesg | grep -c 'NetworkFailure\\|BrokenPipe\\|ProtocolError' || true"); again != log {
		t.Errorf("garbage disturbed the connection: %s then %s lines", log, again)
	}
	p.equal()
}
