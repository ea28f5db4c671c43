package faults

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// onDebugKernel skips a test that needs what only the debug kernel has.
func onDebugKernel(t *testing.T) {
	t.Helper()
	if !onDebug() {
		t.Skip("needs the debug kernel: make test-debug")
	}
}

func onDebug() bool { return os.Getenv("DRBD_VM_KERNEL") == bed.DebugKernel }

// configureSlow is for machines on which the resync controller takes each delay for a
// sign of congestion.
func (p *pair) configureSlow(net string) {
	p.t.Helper()
	config := cluster.Config(p.alpha, p.bravo, "net { ping-int 1; ping-timeout 10; connect-int 3; timeout 20; "+net+" }")
	p.setConfig(strings.Replace(config, "disk {", "disk { c-plan-ahead 0; c-min-rate 0;", 1))
}

// After a life with everything in it nothing is left in memory that nobody knows.
func TestVMLeaksNothing(t *testing.T) {
	onDebugKernel(t)
	p := newPair(t, bed.Ours, bed.Ours)
	p.configureSlow("verify-alg md5; csums-alg md5; data-integrity-alg md5; cram-hmac-alg sha1; shared-secret secret;")
	p.upAsEqual(false)
	p.run(p.alpha, "echo scan > /sys/kernel/debug/kmemleak; echo clear > /sys/kernel/debug/kmemleak")
	for i := range 3 {
		p.run(p.alpha, "drbdadm primary r0; dd if=/dev/urandom of=/dev/drbd2 bs=256k count=20 oflag=direct status=none; blkdiscard -o 1M -l 2M /dev/drbd2; sync")
		p.run(p.alpha, "drbdadm verify --start=0 --stop=4M r0") // half a MiB a second
		p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
		p.bed.Network().Cut(p.alpha, p.bravo)
		p.wait(p.alpha, "cs:WFConnection", connectLimit)
		p.run(p.alpha, "dd if=/dev/urandom of=/dev/drbd2 bs=64k count=20 oflag=direct status=none")
		p.bed.Network().Restore(p.alpha, p.bravo)
		p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
		p.run(p.alpha, "drbdadm detach r0; dd if=/dev/drbd2 of=/dev/null bs=64k count=20 iflag=direct status=none; drbdadm attach r0")
		p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
		p.run(p.alpha, "drbdadm secondary r0; drbdadm down r0")
		if i%2 == 0 {
			p.run(p.alpha, "rmmod drbd; modprobe drbd")
		}
		p.run(p.alpha, "drbdadm up r0")
		p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
	}
	for _, m := range []*bed.Machine{p.alpha, p.bravo} {
		p.run(m, "drbdadm down r0")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	// with the module still there, so that a report can name its functions; what is
	// found once may be a pointer that was on its way
	out, err := p.alpha.Run(ctx, "for i in 1 2 3; do sleep 6; echo scan > /sys/kernel/debug/kmemleak; done; cat /sys/kernel/debug/kmemleak")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.Stdout, "drbd") {
		t.Errorf("memory was lost:\n%s", out.Stdout)
	}
	p.run(p.alpha, "rmmod drbd")
}

// Memory runs out for the administrator's commands, and for the threads of the module
// while they work: a command says so and leaves nothing behind, and I/O goes on.
func TestVMAllocationFailures(t *testing.T) {
	onDebugKernel(t)
	p := newPair(t, bed.Ours, bed.Ours)
	p.configureSlow("")
	p.upAsEqual(false)
	p.run(p.alpha, "drbdadm down r0")
	const inject = `for f in failslab fail_page_alloc; do cd /sys/kernel/debug/$f
		echo Y > task-filter; echo 1 > probability; echo %d > interval; echo -1 > times; echo 0 > verbose; echo N > ignore-gfp-wait; done
		cd /sys/kernel/debug/fail_page_alloc; echo 0 > min-order; cd /`
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	// only what drbdsetup does in the kernel is to fail, not the start of programs: it is
	// told what to do through a shell that has become it
	out, err := p.alpha.Run(ctx, fmt.Sprintf(inject, 10)+`
		worked=0; failed=0
		for i in $(seq 30); do
			if (echo 1 > /proc/self/make-it-fail; exec drbdadm up r0) >/tmp/said 2>&1; then worked=$((worked+1)); else failed=$((failed+1)); fi
			drbdadm down r0 >/dev/null 2>&1 || { echo "round $i: down fails"; cat /tmp/said; exit 1; }
			grep -q "2: cs:" /proc/drbd && { echo "round $i leaves something behind"; cat /proc/drbd; exit 1; }
		done
		echo "$worked worked, $failed failed"`)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("up: %s", out.Stdout)
	if strings.HasPrefix(out.Stdout, "0 worked") || strings.Contains(out.Stdout, " 0 failed") {
		t.Error("that proves little: some should work and some fail")
	}
	p.run(p.alpha, "drbdadm up r0")
	p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
	p.run(p.alpha, "drbdadm primary r0")
	for _, m := range []*bed.Machine{p.alpha, p.bravo} {
		p.run(m, fmt.Sprintf(inject, 1)+`
			for t in /proc/[0-9]*; do case $(cat $t/comm 2>/dev/null) in drbd*) echo 1 > $t/make-it-fail;; esac; done`)
	}
	p.run(p.alpha, "block-hammer /dev/drbd2 any 65536 4 5 1")
	p.bed.Network().Cut(p.alpha, p.bravo)
	p.wait(p.alpha, "cs:WFConnection", connectLimit)
	p.run(p.alpha, "block-hammer /dev/drbd2 any 65536 4 2 2")
	p.bed.Network().Restore(p.alpha, p.bravo)
	p.run(p.alpha, "block-hammer /dev/drbd2 any 65536 4 10 3")
	for _, m := range []*bed.Machine{p.alpha, p.bravo} {
		p.run(m, "echo 0 > /sys/kernel/debug/failslab/probability; echo 0 > /sys/kernel/debug/fail_page_alloc/probability")
	}
	p.wait(p.alpha, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
	p.equal()
}
