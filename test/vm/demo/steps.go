package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

const device = "/dev/drbd2"

func (d *demo) boot(ctx context.Context) error {
	ms, err := d.bed.Start(ctx,
		bed.Spec{Flavour: d.setting.alpha, Kernel: d.kernel, Disks: []int64{diskSize}, FillDisks: true},
		bed.Spec{Flavour: d.setting.bravo, Kernel: d.kernel, Disks: []int64{diskSize}, FillDisks: true})
	if err != nil {
		return err
	}
	d.alpha, d.bravo = ms[0], ms[1]
	for _, m := range ms {
		if _, err := d.typed(ctx, m, "uname -r; lsblk -bno NAME,SIZE /dev/vda"); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) configure(ctx context.Context) error {
	config := cluster.Config(d.alpha, d.bravo, "")
	if err := cluster.SetConfig(ctx, config, d.alpha, d.bravo); err != nil {
		return err
	}
	if _, err := d.typed(ctx, d.alpha, "cat /etc/drbd.conf"); err != nil {
		return err
	}
	for _, command := range []string{"modprobe drbd", "drbdadm create-md r0", "drbdadm up r0"} {
		if err := d.typedAll(ctx, command, d.alpha, d.bravo); err != nil {
			return err
		}
	}
	const fresh = "cs:Connected ro:Secondary/Secondary ds:Inconsistent/Inconsistent"
	for _, m := range []*bed.Machine{d.alpha, d.bravo} {
		if _, err := d.settled(ctx, m, fresh, connectLimit); err != nil {
			return err
		}
	}
	// A secondary's device cannot be opened, so blockdev is no help here.
	out, err := d.alpha.Run(ctx, "cat /sys/block/drbd2/size")
	if err != nil {
		return err
	}
	sectors, err := strconv.ParseInt(strings.TrimSpace(out.Stdout), 10, 64)
	if err != nil {
		return err
	}
	d.dataSize = sectors * 512
	if d.dataSize <= diskSize*9/10 || d.dataSize >= diskSize {
		return fmt.Errorf("%s has %d bytes on a disk of %d: room for metadata and not much more should be missing", device, d.dataSize, diskSize)
	}
	d.checked("%s has %d of the disk's %d bytes, the rest is metadata", device, d.dataSize, diskSize)
	return nil
}

func (d *demo) firstSync(ctx context.Context) error {
	if _, err := d.typed(ctx, d.alpha, "drbdadm primary --force r0"); err != nil {
		return err
	}
	started, err := cluster.Wait(ctx, d.alpha, cluster.Minor, cluster.StateIs("cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent"), connectLimit)
	if err != nil {
		return err
	}
	d.say("the first %d KiB are on their way; meanwhile:", started.OutOfSyncKiB)
	// Without nodiscard mkfs would discard the whole device on both sides, after
	// which there is nothing left to synchronise.
	if err := d.typedEach(ctx, d.alpha, "mkfs.ext4 -q -E nodiscard "+device, "mount "+device+" /mnt"); err != nil {
		return err
	}
	during, err := d.status(ctx, d.alpha)
	if err != nil {
		return err
	}
	if during.Connection != "SyncSource" || during.Progress == "" {
		return fmt.Errorf("file system made and mounted, but the sync is not running any more (%s)", during.State())
	}
	d.checked("file system made and mounted during the sync")
	d.fileCount, err = writeTree(ctx, d.alpha, "/mnt/project", []*bed.Machine{d.alpha, d.bravo})
	if err != nil {
		return err
	}
	d.say("wrote this project's own sources, %d files, to alpha:/mnt/project", d.fileCount)
	if err := d.synced(ctx, d.alpha, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate"); err != nil {
		return err
	}
	end, err := d.settled(ctx, d.bravo, "cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate", connectLimit)
	if err != nil {
		return err
	}
	if end.OutOfSyncKiB != 0 {
		return fmt.Errorf("in sync, but bravo counts %d KiB out of sync", end.OutOfSyncKiB)
	}
	return nil
}

func (d *demo) checkTree(ctx context.Context, m *bed.Machine) error {
	if _, err := d.typed(ctx, m, "cd /mnt/project && sha256sum --check --quiet "+sumsFile); err != nil {
		return err
	}
	d.checked("all %d files are as they were written", d.fileCount)
	return nil
}

func (d *demo) switchOver(ctx context.Context) error {
	if err := d.typedEach(ctx, d.alpha, "umount /mnt", "drbdadm secondary r0"); err != nil {
		return err
	}
	if err := d.typedEach(ctx, d.bravo, "drbdadm primary r0", "mount "+device+" /mnt"); err != nil {
		return err
	}
	if _, err := d.settled(ctx, d.bravo, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", connectLimit); err != nil {
		return err
	}
	return d.checkTree(ctx, d.bravo)
}

func (d *demo) cutNetwork(ctx context.Context) error {
	w, err := startWriter(ctx, d.bravo, "/mnt/during-cut", 1)
	if err != nil {
		return err
	}
	if err := d.wrote(ctx, w, 10); err != nil {
		return err
	}
	d.say("bravo writes; now its network cable is pulled, which the peers notice by the ping time-out (ping-int, 10 s)")
	if err := d.bravo.SetCable(false); err != nil {
		return err
	}
	if _, err := cluster.Wait(ctx, d.bravo, cluster.Minor, cluster.Alone, loseLimit); err != nil {
		return err
	}
	if err := d.wrote(ctx, w, len(w.reported())+10); err != nil {
		return fmt.Errorf("bravo must go on alone: %w", err)
	}
	w.command.Kill()
	_, _ = w.command.Wait()
	if _, err := cluster.Wait(ctx, d.alpha, cluster.Minor, cluster.Alone, loseLimit); err != nil {
		return err
	}
	if _, err := d.bravo.Run(ctx, "sync"); err != nil {
		return err
	}
	alone, err := d.settled(ctx, d.bravo, "cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown", connectLimit)
	if err != nil {
		return err
	}
	d.checked("bravo went on writing alone and remembers %d KiB that alpha lacks", alone.OutOfSyncKiB)
	before, err := cluster.Status(ctx, d.alpha, cluster.Minor)
	if err != nil {
		return err
	}
	if err := d.bravo.SetCable(true); err != nil {
		return err
	}
	d.say("the cable is back")
	if err := d.healed(ctx); err != nil {
		return err
	}
	after, err := cluster.Status(ctx, d.alpha, cluster.Minor)
	if err != nil {
		return err
	}
	return d.checkTravelled(before, after, alone.OutOfSyncKiB)
}

// checkTravelled compares what alpha received with what it lacked. Some more is
// fine: both ends add up what either knows to be different, and the file system
// writes on.
func (d *demo) checkTravelled(before, after cluster.Device, lacked uint64) error {
	got := after.ReceivedKiB
	if got >= before.ReceivedKiB {
		// Counters go on over a reconnect, or start anew.
		got -= before.ReceivedKiB
	}
	whole := uint64(d.dataSize) >> 10
	if lacked == 0 || got < lacked || got > lacked+whole/8 {
		return fmt.Errorf("alpha lacked %d KiB and received %d of the device's %d: only what changed should travel", lacked, got, whole)
	}
	d.checked("%d KiB travelled, of a device of %d KiB", got, whole)
	return nil
}

// wrote waits until the writer has reported so many files.
func (d *demo) wrote(ctx context.Context, w *writer, files int) error {
	for end := time.Now().Add(loseLimit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if len(w.reported()) >= files {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("only %d of %d files were written and synced in %v: %s", len(w.reported()), files, loseLimit, w.command.Output().Stderr)
}

// healed waits until both ends are connected and in sync again.
func (d *demo) healed(ctx context.Context) error {
	for _, m := range []*bed.Machine{d.alpha, d.bravo} {
		if err := d.synced(ctx, m, "cs:Connected ds:UpToDate/UpToDate"); err != nil {
			return err
		}
		if _, err := d.settled(ctx, m, "cs:Connected ds:UpToDate/UpToDate", connectLimit); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) crashPrimary(ctx context.Context) error {
	w, err := startWriter(ctx, d.bravo, "/mnt/during-crash", 2)
	if err != nil {
		return err
	}
	if err := d.wrote(ctx, w, 25); err != nil {
		return err
	}
	d.bravo.PowerOff()
	_, _ = w.command.Wait()
	synced := w.reported()
	d.say("bravo wrote, and lost its power; it had reported %d files as synced", len(synced))
	d.say("alpha notices it by the ping time-out (ping-int, 10 s)")
	if _, err := cluster.Wait(ctx, d.alpha, cluster.Minor, cluster.Alone, loseLimit); err != nil {
		return err
	}
	if err := d.takeOver(ctx, synced); err != nil {
		return err
	}
	return d.bringBack(ctx)
}

// takeOver makes alpha primary and looks for everything that was promised.
func (d *demo) takeOver(ctx context.Context, synced []string) error {
	err := d.typedEach(ctx, d.alpha, "drbdadm primary r0",
		"mount "+device+" /mnt", "umount /mnt", // replays the file system's own journal
		"e2fsck -f -n "+device, "mount "+device+" /mnt")
	if err != nil {
		return err
	}
	d.checked("the file system is clean")
	if err := d.alpha.Put(ctx, "/root/SYNCED", []byte(strings.Join(synced, "\n")+"\n")); err != nil {
		return err
	}
	if _, err := d.typed(ctx, d.alpha, "sha256sum --check --quiet /root/SYNCED"); err != nil {
		return err
	}
	d.checked("all %d files that were synced before the power failure are there", len(synced))
	return d.checkTree(ctx, d.alpha)
}

// bringBack boots the crashed primary, which must take over what it missed and
// give up what it had not promised.
func (d *demo) bringBack(ctx context.Context) error {
	if err := d.bravo.PowerOn(ctx); err != nil {
		return err
	}
	if err := d.typedEach(ctx, d.bravo, "modprobe drbd", "drbdadm up r0"); err != nil {
		return err
	}
	if err := d.healed(ctx); err != nil {
		return err
	}
	back, err := cluster.Status(ctx, d.bravo, cluster.Minor)
	if err != nil {
		return err
	}
	// A crashed primary cannot know which of its last writes reached the peer, so
	// everything its activity log covers must be fetched again.
	const extentKiB = 4096
	if back.ReceivedKiB < extentKiB {
		return fmt.Errorf("bravo received %d KiB: the extents of its activity log (%d KiB each) were not fetched again", back.ReceivedKiB, extentKiB)
	}
	d.checked("bravo replayed its activity log and fetched %d KiB again", back.ReceivedKiB)
	return nil
}

func (d *demo) compare(ctx context.Context) error {
	if err := d.typedEach(ctx, d.alpha, "umount /mnt", "drbdadm secondary r0"); err != nil {
		return err
	}
	both := []*bed.Machine{d.alpha, d.bravo}
	for _, command := range []string{"drbdadm down r0", "rmmod drbd", "sync"} {
		if err := d.typedAll(ctx, command, both...); err != nil {
			return err
		}
	}
	if err := bed.CompareDisks(d.alpha.Disk(0), d.bravo.Disk(0), 0, d.dataSize); err != nil {
		return err
	}
	d.checked("the %d bytes of data on both backing disks are equal", d.dataSize)
	return nil
}
