package adm

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"drbd/internal/adjust"
	"drbd/internal/conf"
	"drbd/internal/genl"
)

// The module answers a resize before the peers have agreed, so the device is watched (section 12.4).
const (
	resizeUnknown = 3 * time.Second  // for any change
	resizeKnown   = 10 * time.Second // for a size that was asked for
	resizePoll    = 50 * time.Millisecond
)

// sectorsOf is the size of a device, 0 when it cannot be told.
func sectorsOf(minor string) uint64 {
	text, err := os.ReadFile("/sys/block/drbd" + minor + "/size")
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// wantedSectors is the size that a resize command asks for; 0: whatever the disks have.
func wantedSectors(c adjust.Command) uint64 {
	for _, arg := range c.Args {
		if value, ok := strings.CutPrefix(arg, "--size="); ok {
			n, err := conf.ClassDisk.Field("size").Parse(value, genl.ParseNumber)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// resize runs a resize and waits for its effect.
func (a *App) resize(c adjust.Command, run func() int) int {
	if a.line.dryRun || a.env.Sectors == nil {
		return run()
	}
	minor, want := c.Args[1], wantedSectors(c)
	before := a.env.Sectors(minor)
	if code := run(); code != exitOK || before == 0 {
		return code
	}
	// The module rounds to blocks of 4 KiB.
	const block = 8
	reached := func() bool {
		now := a.env.Sectors(minor)
		return want == 0 && now != before || want != 0 && now/block == want/block
	}
	limit := resizeUnknown
	if want != 0 {
		limit = resizeKnown
	}
	for deadline := time.Now().Add(limit); !reached(); time.Sleep(resizePoll) {
		if time.Now().Before(deadline) && a.ctx.Err() == nil {
			continue
		}
		if want == 0 {
			return exitOK // the disks may have their size already
		}
		a.warn("%s", fmt.Sprintf("/dev/drbd%s has %d sectors, not the %d that were asked for, after %.0f seconds; 'drbdadm status' tells whether all disks and peers are there",
			minor, a.env.Sectors(minor), want, limit.Seconds()))
		return exitUsage
	}
	return exitOK
}
