package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// setting is what of the demo may vary.
type setting struct {
	alpha, bravo bed.Flavour
	kernel       string
}

// diskSize is small enough to mirror in seconds under software emulation, large
// enough that a resync of everything differs clearly from one of the changes.
const diskSize = 160 << 20

// Limits of waiting. Peers that vanish without a word are missed after ping-int
// (10 s) plus time-outs.
const (
	connectLimit = 30 * time.Second
	loseLimit    = 60 * time.Second
	syncLimit    = 150 * time.Second
)

// demo is the state that the steps share.
type demo struct {
	*narrator
	setting
	bed          *bed.Bed
	alpha, bravo *bed.Machine
	fileCount    int   // of the project's files on the mirrored disk
	dataSize     int64 // bytes of /dev/drbd2
	writer       *writer
}

// step is one chapter; its error ends the demo.
type step struct {
	title string
	run   func(*demo, context.Context) error
}

var steps = []step{
	{"Two machines with a disk each", (*demo).boot},
	{"One resource, mirrored", (*demo).configure},
	{"First synchronisation, used while it runs", (*demo).firstSync},
	{"A planned switch of the roles", (*demo).switchOver},
	{"The network fails while data is written", (*demo).cutNetwork},
	{"The primary loses its power in the middle of writing", (*demo).crashPrimary},
	{"Both disks, byte by byte", (*demo).compare},
}

// run plays the whole demo. It returns the folder of the logs, if they were kept.
func run(ctx context.Context, s setting, w io.Writer, keep bool) (dir string, err error) {
	d := &demo{narrator: &narrator{w: w, begin: time.Now()}, setting: s}
	d.bed, err = bed.New(bed.Options{Name: "demo", Log: w})
	if err != nil {
		return "", err
	}
	defer func() { d.bed.Close(keep || err != nil) }()
	for i, st := range steps {
		d.heading(st.title)
		if err := st.run(d, ctx); err != nil {
			return d.bed.Dir(), fmt.Errorf("step %d (%s): %w", i+1, st.title, err)
		}
		if err := d.bed.CheckKernelLogs(); err != nil {
			return d.bed.Dir(), fmt.Errorf("step %d (%s): %w", i+1, st.title, err)
		}
	}
	fmt.Fprintf(w, "\nAll %d steps passed in %.0f s.\n", len(steps), time.Since(d.begin).Seconds())
	return d.bed.Dir(), nil
}

// status types `cat /proc/drbd` and returns what it says of our device.
func (d *demo) status(ctx context.Context, m *bed.Machine) (cluster.Device, error) {
	out, err := d.typed(ctx, m, "cat /proc/drbd")
	if err != nil {
		return cluster.Device{}, err
	}
	devices, err := cluster.ParseProc(out)
	return devices[cluster.Minor], err
}

// settled waits until a machine is in a state and shows it.
func (d *demo) settled(ctx context.Context, m *bed.Machine, words string, limit time.Duration) (cluster.Device, error) {
	if _, err := cluster.Wait(ctx, m, cluster.Minor, cluster.StateIs(words), limit); err != nil {
		return cluster.Device{}, err
	}
	dev, err := d.status(ctx, m)
	if err == nil {
		d.checked("%s is at %s", m.Name, words)
	}
	return dev, err
}

// synced waits for the end of a resync and shows its progress bar now and then.
func (d *demo) synced(ctx context.Context, m *bed.Machine, words string) error {
	shown := time.Now()
	_, err := cluster.WaitWatching(ctx, m, cluster.Minor, cluster.StateIs(words), syncLimit, func(dev cluster.Device) {
		if dev.Progress != "" && time.Since(shown) > 2*time.Second {
			shown = time.Now()
			fmt.Fprint(d.w, dev.Progress)
		}
	})
	return err
}
