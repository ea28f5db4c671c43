package faults

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
)

// What a power failure may have left of a recording, when it came at that write: all
// that was flushed before, and of the writes since then some, some of them in part.
func tornImage(base []byte, writes []bed.DiskWrite, at int, random *rand.Rand) []byte {
	flushed := 0
	for i, w := range writes[:at] {
		if w.Data == nil {
			flushed = i
		}
	}
	image := slices.Clone(base)
	for i, w := range writes[:at] {
		switch {
		case i < flushed:
			copy(image[w.Offset:], w.Data)
		case random.IntN(2) == 0:
			continue
		default:
			for s := 0; s < len(w.Data); s += 512 {
				if random.IntN(8) > 0 {
					copy(image[w.Offset+int64(s):], w.Data[s:s+512])
				}
			}
		}
	}
	return image
}

// The metadata of a busy node, as power failures at each of its writes leave them: they
// can be attached, all of them.
func TestVMMetadataReplay(t *testing.T) {
	if !long() {
		t.Skip("in the long tests only")
	}
	c := newLedgerPair(t, ledgerOptions{
		alpha: bed.Ours, bravo: bed.Ours, size: 300 << 20, disk: "on-io-error detach; al-extents 67;", external: true, seed: seedOf(t, 0),
	})
	disk := c.alpha.Served(1)
	c.run(c.alpha, "drbdadm secondary r0 && drbdadm down r0")
	if err := disk.Settle(); err != nil {
		t.Fatal(err)
	}
	base, err := os.ReadFile(c.alpha.Disk(1))
	if err != nil {
		t.Fatal(err)
	}
	disk.Record()
	c.run(c.alpha, "drbdadm up r0")
	c.wait(c.alpha, upToDate, connectLimit)
	c.run(c.alpha, "drbdadm primary r0")
	c.write()
	time.Sleep(2 * time.Second)
	c.bed.Network().Cut(c.alpha, c.bravo)
	c.wait(c.alpha, "cs:WFConnection", connectLimit)
	time.Sleep(time.Second)
	c.bed.Network().Restore(c.alpha, c.bravo)
	c.wait(c.alpha, upToDate, syncLimit)
	c.stop()
	c.run(c.alpha, "drbdadm secondary r0 && drbdadm invalidate r0")
	c.wait(c.alpha, upToDate, syncLimit)
	c.run(c.alpha, "drbdadm down r0")
	c.run(c.bravo, "drbdadm down r0")
	writes := disk.Recorded()
	t.Logf("%d writes and flushes", len(writes))

	const most = 150 // marks; a second each
	step := max(1, len(writes)/most)
	marks := 0
	for at := 0; at <= len(writes); at += step {
		if err := disk.Overwrite(0, tornImage(base, writes, at, c.random)); err != nil {
			t.Fatal(err)
		}
		out, err := c.alpha.Run(context.Background(), "blockdev --flushbufs /dev/vdb; drbdadm up r0 && cat /proc/drbd && drbdadm down r0")
		var e *bed.Error
		switch {
		case errors.As(err, &e):
			t.Errorf("mark %d: %v", at, err)
			c.run(c.alpha, "drbdadm down r0")
		case err != nil:
			t.Fatalf("mark %d: %v", at, err)
		case strings.Contains(out.Stdout, "ds:Diskless"):
			t.Errorf("mark %d: not attached:\n%s", at, out.Stdout)
		}
		marks++
	}
	t.Logf("attached at %d marks", marks)
}
