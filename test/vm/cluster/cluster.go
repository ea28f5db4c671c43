package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"drbd/test/vm/bed"
)

// Minor is the device that the standard configuration makes, /dev/drbd2.
const Minor = 2

// Config is a two-node drbd.conf in the form people have used since 8.0. Extra
// goes into the resource, in front of its `on` sections.
func Config(a, b *bed.Machine, extra string) string {
	var s strings.Builder
	s.WriteString(`global { usage-count no; }
resource r0 {
  protocol C;
  startup {
    wfc-timeout 2000;
    degr-wfc-timeout 6000;
  }
  syncer {
    rate 50M;
  }
  disk {
    on-io-error pass_on;
  }
`)
	s.WriteString(extra)
	for _, m := range []*bed.Machine{a, b} {
		fmt.Fprintf(&s, `  on %s {
    device /dev/drbd%d;
    disk /dev/vda;
    address %s:7789;
    meta-disk internal;
  }
`, m.Name, Minor, m.Address)
	}
	s.WriteString("}\n")
	return s.String()
}

// SetConfig puts a configuration on machines, now and at each boot.
func SetConfig(ctx context.Context, config string, machines ...*bed.Machine) error {
	for _, m := range machines {
		if err := m.SetFile(ctx, "/etc/drbd.conf", []byte(config)); err != nil {
			return err
		}
	}
	return nil
}

// Status reads one device's entry of /proc/drbd.
func Status(ctx context.Context, m *bed.Machine, minor int) (Device, error) {
	out, err := m.Run(ctx, "cat /proc/drbd")
	if err != nil {
		return Device{}, err
	}
	devices, err := ParseProc(out.Stdout)
	if err != nil {
		return Device{}, fmt.Errorf("%s: %w", m.Name, err)
	}
	d, ok := devices[minor]
	if !ok {
		return Device{}, fmt.Errorf("%s: /proc/drbd has no minor %d", m.Name, minor)
	}
	return d, nil
}

// Condition is something to wait for.
type Condition struct {
	What string
	Met  func(Device) bool
}

// StateIs waits for words of a state, such as "cs:Connected ro:Primary/Secondary".
func StateIs(words string) Condition {
	return Condition{words, func(d Device) bool {
		have := " " + d.State() + " "
		for _, w := range strings.Fields(words) {
			if !strings.Contains(have, " "+w+" ") {
				return false
			}
		}
		return true
	}}
}

// Alone waits until the machine knows that its peer is gone.
var Alone = Condition{"the connection is lost", func(d Device) bool {
	return d.Connection == "WFConnection" || d.Connection == "StandAlone"
}}

// Wait waits until a device meets a condition, and returns it as it is then.
func Wait(ctx context.Context, m *bed.Machine, minor int, c Condition, limit time.Duration) (Device, error) {
	return WaitWatching(ctx, m, minor, c, limit, func(Device) {})
}

// WaitWatching is Wait; watch is called with every status that is read.
func WaitWatching(ctx context.Context, m *bed.Machine, minor int, c Condition, limit time.Duration, watch func(Device)) (Device, error) {
	end := time.Now().Add(limit)
	for {
		d, err := Status(ctx, m, minor)
		if err != nil {
			return d, fmt.Errorf("while waiting for %q: %w", c.What, err)
		}
		watch(d)
		if c.Met(d) {
			return d, nil
		}
		if time.Now().After(end) {
			return d, fmt.Errorf("%s: minor %d did not come to %q in %v; it is at %s, %d KiB out of sync", m.Name, minor, c.What, limit, d.State(), d.OutOfSyncKiB)
		}
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
