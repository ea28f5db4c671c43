package setup

import (
	"bytes"
	"encoding/json"
	"testing"

	"drbd/internal/genl"
	"github.com/google/go-cmp/cmp"
)

func printed(p statusPrinter, r snapshot) string {
	p.width = 80
	p.resource(&r)
	return p.out.String()
}

// syncing is the source side of a resync, as in the specification's example (15.2).
func syncing() snapshot {
	peer := genl.PeerDevice{Volume: 0, Node: 1, Connection: "bob",
		Info: *genl.SendAll(&genl.PeerDeviceInfo{ReplState: genl.ReplSyncSource, DiskState: genl.DiskInconsistent}),
		Statistics: *genl.SendAll(&genl.PeerDeviceStatistics{Sent: 2 * 441216, OutOfSync: 2 * 607104, Pending: 2, RSTotal: 2 * 1048540,
			RSDt1Ms: 1000, RSDb1Sectors: 100168, RSDtStartMs: 4000})}
	return snapshot{
		Resource: genl.Resource{Name: "r0", Info: genl.ResourceInfo{Role: genl.RolePrimary},
			Statistics: genl.ResourceStatistics{WriteOrdering: genl.WriteOrderingFlush}},
		Devices: []genl.Device{{Volume: 0, Message: genl.Message{Minor: 0},
			Info:       *genl.SendAll(&genl.DeviceInfo{DiskState: genl.DiskUpToDate, HasQuorum: true, IsOpen: true, BackingDevPath: "/dev/vg0/r0"}),
			Statistics: genl.DeviceStatistics{Size: 2 * 1048540, Read: 2 * 2100, Write: 2 * 4096, ALWrites: 3}}},
		Connections: []connection{{
			Connection: genl.Connection{Name: "bob", Node: 1, Info: genl.ConnectionInfo{ConnectionState: genl.ConnConnected, Role: genl.RoleSecondary},
				Statistics: *genl.SendAll(&genl.ConnectionStatistics{RSInFlight: 128})},
			PeerDevices: []genl.PeerDevice{peer},
		}},
	}
}

func TestStatusWhileSyncing(t *testing.T) {
	want := `r0 role:Primary
  disk:UpToDate open:yes
  bob role:Secondary
    replication:SyncSource peer-disk:Inconsistent done:42.10

`
	if diff := cmp.Diff(want, printed(statusPrinter{}, syncing())); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
	want = `r0 node-id:0 role:Primary suspended:no force-io-failures:no
    write-ordering:flush
  volume:0 minor:0 disk:UpToDate backing_dev:/dev/vg0/r0 quorum:yes open:yes
      size:1048540 read:2100 written:4096 al-writes:3 bm-writes:0 upper-pending:0
      lower-pending:0 al-suspended:no blocked:no
  bob node-id:1 connection:Connected role:Secondary tls:no congested:no
      ap-in-flight:0 rs-in-flight:128
    volume:0 replication:SyncSource peer-disk:Inconsistent done:42.10
        resync-suspended:no
        received:0 sent:441216 out-of-sync:607104 pending:2 unacked:0 dbdt1:48.91 eta:12

`
	if diff := cmp.Diff(want, printed(statusPrinter{verbose: 1, statistics: true}, syncing())); diff != "" {
		t.Errorf("verbose with statistics (-want +got):\n%s", diff)
	}
}

// Trouble is shown without being asked for.
func TestStatusOfTrouble(t *testing.T) {
	r := snapshot{
		Resource: genl.Resource{Name: "r1", Info: genl.ResourceInfo{Role: genl.RoleSecondary, SuspQuorum: true}},
		Devices: []genl.Device{
			{Volume: 0, Info: *genl.SendAll(&genl.DeviceInfo{DiskState: genl.DiskUpToDate}), Statistics: genl.DeviceStatistics{UpperBlocked: true}},
			{Volume: 1, Info: *genl.SendAll(&genl.DeviceInfo{DiskState: genl.DiskDiskless}), Statistics: genl.DeviceStatistics{UpperBlocked: true}},
		},
		Connections: []connection{{Connection: genl.Connection{Name: "bob"}}},
	}
	want := `r1 role:Secondary suspended:quorum
  volume:0 disk:UpToDate quorum:no open:no blocked:upper
  volume:1 disk:Diskless client:no quorum:no open:no blocked:upper
  bob connection:StandAlone

`
	if diff := cmp.Diff(want, printed(statusPrinter{}, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever the state, the JSON is valid.
func TestStatusJSONIsValid(t *testing.T) {
	slow := syncing()
	slow.Connections[0].PeerDevices[0].Statistics.RSDb1Sectors = ^uint64(99) // going backwards
	verify := syncing()
	verify.Connections[0].PeerDevices[0].Info.ReplState = genl.ReplVerifyS
	verify.Connections[0].PeerDevices[0].Statistics.OVStopSector = ^uint64(0)
	odd := syncing()
	odd.Name = "a\"b\\c"
	for name, resources := range map[string][]snapshot{
		"none": nil, "syncing": {syncing()}, "two": {syncing(), syncing()}, "not converging": {slow}, "verify": {verify}, "odd name": {odd},
		"bare": {{Resource: genl.Resource{Name: "r"}}},
	} {
		var out bytes.Buffer
		if err := printStatusJSON(&out, resources); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var parsed []map[string]any
		if err := json.Unmarshal(out.Bytes(), &parsed); err != nil || len(parsed) != len(resources) {
			t.Errorf("%s: %v in\n%s", name, err, out.String())
		}
		out.Reset()
		if err := printShowJSON(&out, resources); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := json.Unmarshal(out.Bytes(), &parsed); err != nil {
			t.Errorf("show of %s: %v in\n%s", name, err, out.String())
		}
	}
}

func TestGenerationLine(t *testing.T) {
	// Out of vectors/transcripts/001-three-node-mesh.txt.
	d := &genl.Device{Statistics: genl.DeviceStatistics{CurrentUUID: 0x10C77D9A1AAD5045, DiskFlags: 0x1 | 0x2 | 0x10 | 0x40,
		HistoryUUIDs: []uint64{0xB27AA79ECA8891E0}}}
	p := &genl.PeerDevice{Statistics: genl.PeerDeviceStatistics{Flags: genl.PeerFlagConnected | genl.PeerFlagDeviceSeen}}
	want := "10C77D9A1AAD5045:0000000000000000:B27AA79ECA8891E0:0000000000000000:1:1:1:1:0:0:0:1:0:0:0:1"
	if got := generationLine(d, p); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
