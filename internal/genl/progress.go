package genl

import "math"

// Meta data flags of a device and of a peer in it (section 4.7).
const (
	FlagConsistent       = 1 << 0
	FlagPrimaryIndicator = 1 << 1
	FlagWasUpToDate      = 1 << 4
	FlagCrashedPrimary   = 1 << 6
	FlagALClean          = 1 << 7
	FlagALDisabled       = 1 << 8
	FlagPrimaryLostQ     = 1 << 9
	PeerFlagConnected    = 1 << 0
	PeerFlagOutdated     = 1 << 1
	PeerFlagFencing      = 1 << 2
	PeerFlagFullSync     = 1 << 3
	PeerFlagDeviceSeen   = 1 << 4
)

// UUIDFlagStable: the peer has stable data (peer_dev_uuid_flags).
const UUIDFlagStable = 0x20

// Syncing tells that the state is a resync or a verify, running or paused.
func (s ReplState) Syncing() bool { return s >= ReplSyncSource && s <= ReplPausedSyncT }

// Verifying tells that the state is a verify.
func (s ReplState) Verifying() bool { return s == ReplVerifyS || s == ReplVerifyT }

// Progress is the advance of a resync or a verify, computed from the counters of the module. Rates are MiB/s.
type Progress struct {
	Verify   bool
	Left     uint64 // sectors
	Done     float64
	Want     float64
	DBDT     float64 // since the start, without pauses
	DBDT0    float64 // since an older mark
	DBDT1    float64 // since the last complete mark
	ETA      float64 // seconds; NaN when it does not come nearer
	HasWant  bool
	Complete bool // the module sent the details
}

// Progress is nil while nothing is being synchronised.
func (p *PeerDevice) Progress() *Progress {
	s := &p.Statistics
	if !p.Info.ReplState.Syncing() || s.RSTotal == 0 {
		return nil
	}
	out := &Progress{Verify: p.Info.ReplState.Verifying(), Complete: s.Has&(1<<PeerDeviceStatisticsNrRSDt0Ms) != 0}
	if out.Verify {
		out.Left = s.OVLeft
	} else if s.OutOfSync > s.ResyncFailed {
		out.Left = s.OutOfSync - s.ResyncFailed
	}
	left := min(out.Left, s.RSTotal)
	out.Done = 100 * float64(s.RSTotal-left) / float64(s.RSTotal)
	out.HasWant = s.RSCSyncRate != 0
	out.Want = float64(s.RSCSyncRate) / 1024
	running := s.RSDtStartMs
	if s.RSPausedMs < running {
		running -= s.RSPausedMs
	}
	out.DBDT = rate(int64(s.RSTotal-left), running)
	out.DBDT0 = rate(int64(s.RSDb0Sectors), s.RSDt0Ms)
	out.DBDT1 = rate(int64(s.RSDb1Sectors), s.RSDt1Ms)
	out.ETA = math.NaN()
	if out.DBDT1 > 0 {
		out.ETA = float64(out.Left) / 2048 / out.DBDT1
	}
	return out
}

func rate(sectors int64, ms uint64) float64 {
	if ms == 0 {
		return 0
	}
	return float64(sectors) / float64(ms) * 1000 / 2048
}
