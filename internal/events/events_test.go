package events

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"drbd/internal/genl"
	"github.com/google/go-cmp/cmp"
)

// script feeds messages to a model and collects the printed lines.
type script struct {
	t       *testing.T
	model   *Model
	printer Printer
	lines   []string
}

func newScript(t *testing.T) *script {
	return &script{t: t, model: NewModel(), printer: Printer{Statistics: true}}
}

func (s *script) send(m genl.Message) {
	s.t.Helper()
	outcome, err := s.model.Apply(&m)
	if err != nil {
		s.t.Fatal(err)
	}
	if outcome.Helper != nil {
		s.lines = append(s.lines, s.printer.HelperLine(outcome.Helper))
	}
	if outcome.Rename != nil {
		s.lines = append(s.lines, s.printer.RenameLine(outcome.Rename))
	}
	for _, c := range outcome.Changes {
		s.lines = append(s.lines, s.printer.Lines(c)...)
	}
}

func (s *script) want(lines ...string) {
	s.t.Helper()
	if diff := cmp.Diff(lines, s.lines); diff != "" {
		s.t.Errorf("lines (-want +got):\n%s", diff)
	}
	s.lines = nil
}

// Pieces of messages, as the second node of the recorded three node cluster sends them.
const more = genl.NotifyContinues

func header(kind genl.NotifyType) genl.Record {
	return genl.SendAll(&genl.NotificationHeader{Type: uint32(kind)})
}

func names(peer int, volume int) genl.Record {
	c := &genl.CfgContext{ResourceName: "r0", Has: 1 << genl.CfgContextNrResourceName}
	if peer >= 0 {
		c.PeerNodeID, c.ConnName = uint32(peer), fmt.Sprintf("n%d", peer+1)
		c.Has |= 1<<genl.CfgContextNrPeerNodeID | 1<<genl.CfgContextNrConnName
	}
	if volume >= 0 {
		c.Volume = uint32(volume)
		c.Has |= 1 << genl.CfgContextNrVolume
	}
	return c
}

func resource(kind genl.NotifyType, role genl.Role) genl.Message {
	return genl.NewMessage(genl.OpResourceState, genl.NoMinor, names(-1, -1), header(kind), genl.SendAll(&genl.ResourceInfo{Role: role}),
		genl.SendAll(&genl.ResourceStatistics{WriteOrdering: genl.WriteOrderingFlush}))
}

func device(kind genl.NotifyType, disk genl.DiskState, written uint64) genl.Message {
	return genl.NewMessage(genl.OpDeviceState, 0, names(-1, 0), header(kind),
		genl.SendAll(&genl.DeviceInfo{DiskState: disk, HasQuorum: true, BackingDevPath: "/dev/vda"}),
		genl.SendAll(&genl.DeviceStatistics{Size: 2 * 65496, Write: 2 * written}))
}

func connection(kind genl.NotifyType, peer int, role genl.Role) genl.Message {
	return genl.NewMessage(genl.OpConnectionState, genl.NoMinor, names(peer, -1), header(kind),
		genl.SendAll(&genl.ConnectionInfo{ConnectionState: genl.ConnConnected, Role: role}), genl.SendAll(&genl.ConnectionStatistics{}))
}

func peerDevice(kind genl.NotifyType, peer int, repl genl.ReplState, disk genl.DiskState, stat *genl.PeerDeviceStatistics) genl.Message {
	return genl.NewMessage(genl.OpPeerDeviceState, genl.NoMinor, names(peer, 0), header(kind),
		genl.SendAll(&genl.PeerDeviceInfo{ReplState: repl, DiskState: disk}), genl.SendAll(stat))
}

func initial(s *script) {
	s.send(resource(genl.NotifyExists|more, genl.RoleSecondary))
	s.send(connection(genl.NotifyExists|more, 0, genl.RoleSecondary))
	s.send(device(genl.NotifyExists|more, genl.DiskInconsistent, 0))
	s.send(peerDevice(genl.NotifyExists, 0, genl.ReplEstablished, genl.DiskInconsistent, &genl.PeerDeviceStatistics{OutOfSync: 2 * 65496}))
	s.want(
		"exists resource name:r0 role:Secondary suspended:no force-io-failures:no write-ordering:flush may_promote:no promotion_score:0",
		"exists connection name:r0 peer-node-id:0 conn-name:n1 connection:Connected role:Secondary congested:no ap-in-flight:0 rs-in-flight:0",
		"exists device name:r0 volume:0 minor:0 backing_dev:/dev/vda disk:Inconsistent client:no open:no quorum:yes size:65496 read:0 written:0 "+
			"al-writes:0 bm-writes:0 upper-pending:0 lower-pending:0 al-suspended:no blocked:no",
		"exists peer-device name:r0 peer-node-id:0 conn-name:n1 volume:0 replication:Established peer-disk:Inconsistent peer-client:no "+
			"resync-suspended:no received:0 sent:0 out-of-sync:65496 pending:0 unacked:0",
	)
}

// The lines of an initial sync, word for word those of the stock tool (vectors/transcripts/001-three-node-mesh.txt).
func TestInitialSyncAsRecorded(t *testing.T) {
	s := newScript(t)
	initial(s)
	out := &genl.PeerDeviceStatistics{OutOfSync: 2 * 65496, UUIDFlags: genl.UUIDFlagStable}
	s.send(connection(genl.NotifyChange|more, 0, genl.RolePrimary))
	s.send(peerDevice(genl.NotifyChange, 0, genl.ReplEstablished, genl.DiskUpToDate, out))
	s.want(
		"change resource name:r0 may_promote:no promotion_score:10001",
		"change connection name:r0 peer-node-id:0 conn-name:n1 role:Primary",
		"change peer-device name:r0 peer-node-id:0 conn-name:n1 volume:0 peer-disk:UpToDate peer-client:no received:0 sent:0 out-of-sync:65496 "+
			"pending:0 unacked:0",
	)
	s.send(peerDevice(genl.NotifyChange, 0, genl.ReplWfBitmapT, genl.DiskUpToDate, out))
	s.want("change peer-device name:r0 peer-node-id:0 conn-name:n1 volume:0 replication:WFBitMapT")
	start := *out
	start.RSTotal = out.OutOfSync
	s.send(peerDevice(genl.NotifyChange, 0, genl.ReplSyncTarget, genl.DiskUpToDate, &start))
	s.want("change peer-device name:r0 peer-node-id:0 conn-name:n1 volume:0 replication:SyncTarget done:0.00 received:0 sent:0 " +
		"out-of-sync:65496 pending:0 unacked:0 dbdt1:0.00 eta:nan")
	later := start
	later.Received, later.OutOfSync, later.Pending, later.Unacked = 2*55296, 2*11224, 1, 1
	later.RSDt1Ms, later.RSDb1Sectors = 1000, 36188
	s.send(peerDevice(genl.NotifyChange, 0, genl.ReplSyncTarget, genl.DiskUpToDate, &later))
	s.want("change peer-device name:r0 peer-node-id:0 conn-name:n1 volume:0 done:82.86 received:55296 sent:0 out-of-sync:11224 pending:1 " +
		"unacked:1 dbdt1:17.67 eta:1")
	done := genl.PeerDeviceStatistics{Received: 2 * 65496, UUIDFlags: genl.UUIDFlagStable}
	s.send(peerDevice(genl.NotifyChange, 0, genl.ReplSyncTarget, genl.DiskUpToDate, &done))
	s.want("change peer-device name:r0 peer-node-id:0 conn-name:n1 volume:0 received:65496 sent:0 out-of-sync:0 pending:0 unacked:0")
	s.send(device(genl.NotifyChange|more, genl.DiskUpToDate, 65496))
	s.send(peerDevice(genl.NotifyChange, 0, genl.ReplEstablished, genl.DiskUpToDate, &done))
	s.want(
		"change resource name:r0 may_promote:no promotion_score:10102",
		"change device name:r0 volume:0 minor:0 backing_dev:/dev/vda disk:UpToDate client:no open:no quorum:yes size:65496 read:0 written:65496 "+
			"al-writes:0 bm-writes:0 upper-pending:0 lower-pending:0",
		"change peer-device name:r0 peer-node-id:0 conn-name:n1 volume:0 replication:Established",
	)
	s.send(connection(genl.NotifyChange, 0, genl.RoleSecondary))
	s.want(
		"change resource name:r0 may_promote:yes promotion_score:10102",
		"change connection name:r0 peer-node-id:0 conn-name:n1 role:Secondary",
	)
}

func TestHelperAndRename(t *testing.T) {
	s := newScript(t)
	initial(s)
	call := genl.NewMessage(genl.OpHelper, 0, names(0, 0), header(genl.NotifyCall), genl.SendAll(&genl.HelperInfo{HelperName: "before-resync-target"}))
	s.send(call)
	response := genl.NewMessage(genl.OpHelper, 0, names(0, 0), header(genl.NotifyResponse),
		genl.SendAll(&genl.HelperInfo{HelperName: "before-resync-target", HelperStatus: 256}))
	s.send(response)
	s.want(
		"call helper name:r0 peer-node-id:0 conn-name:n1 volume:0 minor:0 helper:before-resync-target",
		"response helper name:r0 peer-node-id:0 conn-name:n1 volume:0 minor:0 helper:before-resync-target status:256",
	)
	s.send(genl.NewMessage(genl.OpResourceState, genl.NoMinor, names(-1, -1), header(genl.NotifyRename),
		genl.SendAll(&genl.RenameResourceInfo{NewName: "r9"})))
	s.want("rename resource name:r0 new_name:r9")
	if r := s.model.Resources(); len(r) != 1 || r[0].Name != "r9" {
		t.Errorf("resources after a rename: %v", r)
	}
}

// Ends come in the order that a reader can undo: inner objects first, the resource last.
func TestDestroyOrder(t *testing.T) {
	s := newScript(t)
	initial(s)
	gone := func(op genl.Op, context genl.Record, kind genl.NotifyType) {
		s.send(genl.NewMessage(op, 0, context, header(kind)))
	}
	gone(genl.OpPeerDeviceState, names(0, 0), genl.NotifyDestroy|more)
	gone(genl.OpConnectionState, names(0, -1), genl.NotifyDestroy)
	gone(genl.OpDeviceState, names(-1, 0), genl.NotifyDestroy)
	gone(genl.OpResourceState, names(-1, -1), genl.NotifyDestroy)
	s.want(
		"destroy peer-device name:r0 peer-node-id:0 conn-name:n1 volume:0",
		"destroy connection name:r0 peer-node-id:0 conn-name:n1",
		"destroy device name:r0 volume:0",
		"destroy resource name:r0",
	)
}

// Old news: what the snapshot contains already, or what is about unknown objects, prints nothing.
func TestIdempotence(t *testing.T) {
	s := newScript(t)
	initial(s)
	s.send(resource(genl.NotifyCreate, genl.RolePrimary))
	s.send(device(genl.NotifyChange, genl.DiskInconsistent, 0))
	s.send(connection(genl.NotifyChange, 7, genl.RolePrimary))
	s.send(genl.NewMessage(genl.OpPeerDeviceState, 0, names(7, 0), header(genl.NotifyDestroy)))
	s.want()
}

func TestDiff(t *testing.T) {
	s := newScript(t)
	s.printer = Printer{Diff: true}
	s.send(resource(genl.NotifyExists, genl.RoleSecondary))
	s.want("exists resource name:r0 role:UNKNOWN->Secondary suspended:UNKNOWN->no force-io-failures:UNKNOWN->no may_promote:UNKNOWN->no " +
		"promotion_score:0->0")
	s.send(resource(genl.NotifyChange, genl.RolePrimary))
	s.want("change resource name:r0 role:Secondary->Primary")
}

func TestSequencer(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrive  []uint32
		deliver []uint32
		gap     bool
	}{
		{"in order", []uint32{5, 6, 7}, []uint32{5, 6, 7}, false},
		{"one early", []uint32{5, 7, 6, 8}, []uint32{5, 6, 7, 8}, false},
		{"older than the first", []uint32{5, 4, 6}, []uint32{5, 4, 6}, false},
		{"missing", []uint32{5, 7, 8}, []uint32{5}, true},
		{"wraps", []uint32{0xffffffff, 1, 0}, []uint32{0xffffffff, 0, 1}, false},
	} {
		var s Sequencer
		var got []uint32
		for _, seq := range c.arrive {
			for _, m := range s.Add(genl.Message{Seq: seq}) {
				got = append(got, m.Seq)
			}
		}
		if diff := cmp.Diff(c.deliver, got); diff != "" || s.Gap() != c.gap {
			t.Errorf("%s: gap %v (-want +got):\n%s", c.name, s.Gap(), diff)
		}
	}
	var s Sequencer
	s.Add(genl.Message{Seq: 5})
	s.Add(genl.Message{Seq: 8})
	s.Add(genl.Message{Seq: 9})
	var got []uint32
	for _, m := range s.Skip() {
		got = append(got, m.Seq)
	}
	if diff := cmp.Diff([]uint32{8, 9}, got); diff != "" || s.Gap() {
		t.Errorf("given up (-want +got):\n%s", diff)
	}
}

// listener delivers batches, then times out.
type listener struct{ batches [][]genl.Message }

func (l *listener) InitialState(context.Context, string) ([]genl.Message, error) { return nil, nil }

func (l *listener) Notifications(ctx context.Context) ([]genl.Message, error) {
	if len(l.batches) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	b := l.batches[0]
	l.batches = l.batches[1:]
	return b, nil
}

// A notification that the module could not send delays the others for a moment, it does not stop them.
func TestReaderSurvivesLostNotification(t *testing.T) {
	message := func(seq uint32) genl.Message {
		m := resource(genl.NotifyChange, genl.RolePrimary)
		m.Seq = seq
		return m
	}
	l := &listener{batches: [][]genl.Message{{message(3)}, {message(5)}}}
	r := NewReader(l, l, "r0")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, want := range []uint32{3, 5} {
		got, err := r.Next(ctx)
		if err != nil || len(got) != 1 || got[0].Seq != want {
			t.Fatalf("got %v, %v; want message %d", got, err, want)
		}
	}
	other := NewReader(l, &listener{batches: [][]genl.Message{{message(3)}}}, "r1")
	short, stop := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer stop()
	if got, err := other.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("reader of another resource got %v, %v", got, err)
	}
}
