package setup

import (
	"context"
	"strings"
	"testing"
	"time"

	"drbd/internal/events"
	"drbd/internal/genl"
	"drbd/internal/genl/trace"
)

// The recorded resource never connects: every waiting ends by its time, with the messages of the recording.
func TestWaitTimesOut(t *testing.T) {
	rec := recorded(t, "wait-sync-resource r0 --wfc-timeout=5")
	env, _, stderr := testEnv(t, trace.NewKernel(append([]trace.Command{rec}, recording(t)...)...))
	start := time.Now()
	code := Run(context.Background(), env, strings.Fields("wait-sync-resource r0 --wfc-timeout=1"))
	if code != ExitTimeout {
		t.Errorf("exit %d, want %d: %s", code, ExitTimeout, stderr)
	}
	if want := strings.ReplaceAll(rec.Stderr, "(5s)", "(1s)"); stderr.String() != want {
		t.Errorf("stderr %q, want %q", stderr, want)
	}
	if waited := time.Since(start); waited < time.Second || waited > 5*time.Second {
		t.Errorf("waited %v, want about 1 s", waited)
	}
}

func TestWaitScope(t *testing.T) {
	for line, want := range map[string]int{
		"wait-connect-connection r0 1 -t 1": ExitTimeout,
		"wait-connect-connection r0 2 -t 1": 0, // no such peer: nothing to wait for
		"wait-connect-volume r0 1 5 -t 1":   0,
		"wait-connect-resource nosuch":      ExitRefused,
	} {
		env, _, stderr := testEnv(t, trace.NewKernel(append([]trace.Command{recorded(t, "wait-connect-resource r0")}, recording(t)...)...))
		if code := Run(context.Background(), env, strings.Fields(line)); code != want {
			t.Errorf("%s: exit %d, want %d: %s", line, code, want, stderr)
		}
	}
}

// judge is where waiting ends.
func TestWaitJudge(t *testing.T) {
	past, future := time.Unix(1, 0), time.Now().Add(time.Hour)
	type peer struct {
		repl     genl.ReplState
		deadline time.Time
	}
	for _, c := range []struct {
		name     string
		sync     bool
		state    genl.ConnState
		peers    []peer
		done     bool
		timedOut bool
	}{
		{"connected", false, genl.ConnConnected, []peer{{genl.ReplSyncTarget, future}}, true, false},
		{"not in sync", true, genl.ConnConnected, []peer{{genl.ReplSyncTarget, future}}, false, false},
		{"in sync", true, genl.ConnConnected, []peer{{genl.ReplEstablished, future}}, true, false},
		{"not connected, for ever", false, genl.ConnConnecting, []peer{{genl.ReplOff, time.Time{}}}, false, false},
		{"too late", false, genl.ConnConnecting, []peer{{genl.ReplOff, past}}, true, true},
		{"one too late, the other ready in time", false, genl.ConnConnected, []peer{{genl.ReplOff, past}, {genl.ReplEstablished, future}}, true, false},
		{"all too late, though one is ready", false, genl.ConnConnected, []peer{{genl.ReplOff, past}, {genl.ReplEstablished, past}}, true, true},
		{"nobody tries", false, genl.ConnStandalone, []peer{{genl.ReplOff, future}}, true, false},
	} {
		env, _, _ := testEnv(t, nil)
		w := &waiter{call: &call{env: env}, sync: c.sync, deadlines: map[peerKey]time.Time{}, told: map[string]bool{}, tried: map[string]bool{}}
		n := &events.Connection{Connection: genl.Connection{Name: "bob", Info: genl.ConnectionInfo{ConnectionState: c.state}}}
		for i, p := range c.peers {
			w.deadlines[peerKey{0, uint32(i)}] = p.deadline
			n.PeerDevices = append(n.PeerDevices, &events.PeerDevice{
				PeerDevice: genl.PeerDevice{Volume: uint32(i), Info: genl.PeerDeviceInfo{ReplState: p.repl}}})
		}
		done, err := w.judge(&events.Resource{Connections: []*events.Connection{n}})
		if done != c.done || (err != nil) != c.timedOut {
			t.Errorf("%s: done %v, error %v; want %v, %v", c.name, done, err, c.done, c.timedOut)
		}
	}
}
