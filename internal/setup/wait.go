package setup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"drbd/internal/events"
	"drbd/internal/genl"
	"golang.org/x/sys/unix"
)

// waiter is one wait-connect or wait-sync (15.6).
type waiter struct {
	*call
	sync     bool // wait-sync: exactly Established
	resource string
	node     *uint32
	volume   *uint32
	afterSB  bool

	start     time.Time
	deadlines map[peerKey]time.Time // zero: never
	timeouts  map[genl.TimeoutType]uint64
	told      map[string]bool // connections by name
	tried     map[string]bool // that were seen in another state than StandAlone
}

type peerKey struct {
	node, volume uint32
}

// runWait waits until every peer device in scope is ready, or all their times are over.
func runWait(c *call) error {
	w := &waiter{call: c, sync: strings.HasPrefix(c.cmd.name, "wait-sync"), resource: c.args[0], afterSB: c.flagGiven("wait-after-sb"),
		start: c.env.Now(), deadlines: map[peerKey]time.Time{}, told: map[string]bool{}, tried: map[string]bool{}}
	if err := w.readScope(); err != nil {
		return err
	}
	if _, err := c.findResource(w.resource); err != nil {
		return err
	}
	listener, err := c.client.Subscribe(genl.ReceiveBufferFromEnv())
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	peers, err := c.client.PeerDevices(c.ctx, w.resource)
	if err != nil {
		return err
	}
	w.readTimeouts()
	for i := range peers {
		if !w.inScope(peers[i].Node, peers[i].Volume) {
			continue
		}
		if err := w.addDeadline(peers[i].Node, peers[i].Volume); err != nil {
			return err
		}
	}
	if len(w.deadlines) == 0 {
		return nil
	}
	return w.follow(events.NewReader(c.client, listener, w.resource))
}

func (w *waiter) readScope() error {
	if len(w.args) > 1 {
		node, err := parseUint(w.args[1], "node id", genl.NodeIDMax)
		if err != nil {
			return err
		}
		w.node = &node
	}
	if len(w.args) > 2 {
		volume, err := parseUint(w.args[2], "volume number", genl.VolumeMax)
		if err != nil {
			return err
		}
		w.volume = &volume
	}
	return nil
}

func (w *waiter) inScope(node, volume uint32) bool {
	return (w.node == nil || *w.node == node) && (w.volume == nil || *w.volume == volume)
}

// readTimeouts enforces outdated <= degraded <= usual, with the messages that people know.
func (w *waiter) readTimeouts() {
	wfc, _ := w.numberGiven("wfc-timeout")
	degraded, _ := w.numberGiven("degr-wfc-timeout")
	outdated, _ := w.numberGiven("outdated-wfc-timeout")
	if wfc != 0 && (degraded > wfc || degraded == 0) {
		degraded = wfc
		fmt.Fprintf(w.env.Stderr, "degr-wfc-timeout has to be shorter than wfc-timeout\n"+
			"degr-wfc-timeout implicitly set to wfc-timeout (%ds)\n", degraded)
	}
	if degraded != 0 && (outdated > degraded || outdated == 0) {
		outdated = degraded
		fmt.Fprintf(w.env.Stderr, "outdated-wfc-timeout has to be shorter than degr-wfc-timeout\n"+
			"outdated-wfc-timeout implicitly set to degr-wfc-timeout (%ds)\n", outdated)
	}
	w.timeouts = map[genl.TimeoutType]uint64{genl.TimeoutTypeDefault: wfc, genl.TimeoutTypeDegraded: degraded, genl.TimeoutTypePeerOutdated: outdated}
}

// addDeadline asks the module which of the timeouts is meant for a peer device.
func (w *waiter) addDeadline(node, volume uint32) error {
	reply, err := w.client.Do(w.ctx, genl.New(genl.OpGetTimeoutType, w.resource).WithNode(node).WithVolume(volume))
	var refused *genl.RequestError
	if errors.As(err, &refused) {
		return nil // it went away meanwhile
	}
	if err != nil {
		return err
	}
	var params genl.TimeoutParms
	if _, err := reply.Decode(&params); err != nil {
		return err
	}
	deadline := time.Time{}
	if seconds := w.timeouts[params.TimeoutType]; seconds != 0 {
		deadline = w.start.Add(time.Duration(seconds) * time.Second)
	}
	w.deadlines[peerKey{node, volume}] = deadline
	return nil
}

func (w *waiter) follow(reader *events.Reader) error {
	model := events.NewModel()
	messages, err := reader.Initial(w.ctx)
	if err != nil {
		return err
	}
	for {
		done, err := w.step(model, messages)
		if done || err != nil {
			return err
		}
		ctx, cancel := w.untilNextDeadline()
		messages, err = reader.Next(ctx)
		cancel()
		if err != nil && !(errors.Is(err, context.DeadlineExceeded) && w.ctx.Err() == nil) {
			return w.failure(err)
		}
	}
}

func (w *waiter) failure(err error) error {
	switch {
	case errors.Is(err, genl.ErrUnloaded):
		return failf(ExitUnloaded, "%s: module unloaded", w.object())
	case errors.Is(err, unix.ENOBUFS):
		return failf(ExitUsage, "%s: some notifications of the module were lost", w.object())
	}
	return err
}

func (w *waiter) untilNextDeadline() (context.Context, context.CancelFunc) {
	var next time.Time
	now := w.env.Now()
	for _, d := range w.deadlines {
		if d.After(now) && (next.IsZero() || d.Before(next)) {
			next = d
		}
	}
	if next.IsZero() {
		return context.WithCancel(w.ctx)
	}
	return context.WithTimeout(w.ctx, next.Sub(now))
}

// step applies messages and decides.
func (w *waiter) step(model *events.Model, messages []genl.Message) (done bool, err error) {
	for i := range messages {
		outcome, err := model.Apply(&messages[i])
		if err != nil {
			return false, err
		}
		if outcome.Rename != nil && outcome.Rename.Old == w.resource {
			w.resource = outcome.Rename.New
		}
	}
	for _, r := range model.Resources() {
		if r.Name == w.resource {
			return w.judge(r)
		}
	}
	return true, nil // nothing is left to wait for
}

func (w *waiter) judge(r *events.Resource) (done bool, err error) {
	present := map[peerKey]bool{}
	allReady, allOver, pending := true, true, false
	now := w.env.Now()
	for _, n := range r.Connections {
		if w.node != nil && *w.node != n.Node {
			continue
		}
		if w.givesUp(n) {
			return true, nil
		}
		for _, p := range n.PeerDevices {
			if !w.inScope(p.Node, p.Volume) {
				continue
			}
			key := peerKey{p.Node, p.Volume}
			present[key] = true
			if _, known := w.deadlines[key]; !known {
				if err := w.addDeadline(p.Node, p.Volume); err != nil {
					return false, err
				}
			}
			deadline := w.deadlines[key]
			over := !deadline.IsZero() && !now.Before(deadline)
			ready := w.isReady(p)
			allReady, allOver = allReady && ready, allOver && over
			pending = pending || !ready && !over
		}
	}
	for key := range w.deadlines {
		if !present[key] {
			delete(w.deadlines, key)
		}
	}
	switch {
	case len(present) == 0 || allReady:
		return true, nil
	case pending:
		return false, nil
	case allOver:
		return true, failf(ExitTimeout, "")
	}
	return true, nil
}

// givesUp: nobody tries to connect any more, so waiting has no end. A new connection stands alone by nature, and does not count
// before it was something else.
func (w *waiter) givesUp(n *events.Connection) bool {
	state := n.Info.ConnectionState
	if state != genl.ConnStandalone && state != genl.ConnDisconnecting {
		w.tried[n.Name] = true
		return false
	}
	if n.IsNew() && !w.tried[n.Name] {
		return false
	}
	if w.afterSB {
		if !w.told[n.Name] {
			w.told[n.Name] = true
			fmt.Fprintf(w.env.Stderr, "%s: the connection to %s is %s; waiting on, as --wait-after-sb says\n", w.object(), n.Name, state)
		}
		return false
	}
	return true
}

func (w *waiter) isReady(p *events.PeerDevice) bool {
	if w.sync {
		return p.Info.ReplState == genl.ReplEstablished
	}
	return p.Info.ReplState >= genl.ReplEstablished
}
