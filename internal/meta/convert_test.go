package meta

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestConvert: generations and flags of one format in another; log and bitmap stay where they are.
func TestConvert(t *testing.T) {
	const size, sb, bm = gib, 1073737728, 1073672192
	b := newBench(t)
	dev := image(t, size)
	b.must("-f", "-", "v08", dev, "internal", "create-md")
	alter(t, V08, dev, sb, func(s *Superblock) {
		s.EffectiveSize, s.DeviceUUID, s.PeerMaxBioSize = 2000000, 0xDDDD, 4096
		s.CurrentUUID, s.Peers[0].BitmapUUID, s.History[0], s.History[1] = 0xA0, 0xB0, 0xC0, 0xD0
		s.Flags = FlagConsistent | FlagWasUpToDate | FlagConnectedInd | FlagPeerOutdated | FlagALClean
	})
	poke(t, dev, bm, []byte{0x12, 0x34})

	b.must("-f", "-", "v09", dev, "internal", "create-md", "3")
	if !strings.Contains(b.err.String(), "Valid v08 meta-data found, convert to v09?") ||
		!strings.Contains(b.err.String(), "Warning: setting max_peers to 1 instead of 3\n") {
		t.Errorf("converting says %q", b.err.String())
	}
	want := Fresh(V09, Shape{1, 4096, 1, 8})
	layout, err := NewLayout(Internal, want.Shape(), size)
	if err != nil {
		t.Fatal(err)
	}
	want.SetLayout(layout)
	want.EffectiveSize, want.DeviceUUID, want.PeerMaxBioSize = 2000000, 0xDDDD, 4096
	want.CurrentUUID, want.History[0], want.History[1] = 0xA0, 0xC0, 0xD0
	want.Flags = FlagConsistent | FlagWasUpToDate | FlagALClean
	want.Peers[0].Flags = PeerConnected | PeerOutdated
	if got := superblock(t, V09, dev, sb); got != want {
		t.Errorf("v08 became\n%+v, want\n%+v", got, want)
	}
	alter(t, V09, dev, sb, func(s *Superblock) {
		s.NodeID, s.Peers[0].BitmapIndex, s.Peers[0].BitmapUUID = 1, 0, 0xB0
	})
	b.must("-f", "-", "v08", dev, "internal", "create-md")
	got := superblock(t, V08, dev, sb)
	if gi := got.GI(0); gi != "00000000000000A0:00000000000000B0:00000000000000C0:00000000000000D0:1:1:0:1:0:1:0" {
		t.Errorf("v09 became %s", gi)
	}
	if got.Magic != MagicV08 || got.Flags&FlagALClean == 0 || got.EffectiveSize != 2000000 || got.DeviceUUID != 0xDDDD {
		t.Errorf("v09 became %+v", got)
	}
	if bits := peek(t, dev, bm, 2); bits[0] != 0x12 || bits[1] != 0x34 {
		t.Errorf("bitmap begins with % x", bits)
	}
}

// TestV08Stays: drbdadm says v09 always; what a node of 8.4 has left is used and stays what it is, until create-md converts it.
func TestV08Stays(t *testing.T) {
	const sb = 1073737728
	b := newBench(t)
	dev := image(t, gib)
	b.fails(exitNoMeta, "No valid meta data found", "-f", "-", "v09", dev, "internal", "repair-md")
	b.must("-f", "-", "v08", dev, "internal", "create-md")
	b.must("-f", "-", "v09", dev, "internal", "-i", "1", "set-gi", "A0:B0:C0:D0:1:1:0:1:0:0:0")
	for _, command := range []string{"repair-md", "apply-al", "outdate"} {
		b.must("-f", "-", "v09", dev, "internal", command)
	}
	b.must("-f", "-", "v09", dev, "internal", "-i", "1", "get-gi")
	if got := b.out.String(); got != "00000000000000A0:00000000000000B0:00000000000000C0:00000000000000D0:1:0:0:1:0:0:0\n" {
		t.Errorf("the generations are %s", got)
	}
	b.must("-f", "-", "v09", dev, "internal", "dump-md")
	if !strings.Contains(b.out.String(), "version \"v08\"") {
		t.Errorf("dump-md says %s", b.out.String())
	}
	if got := superblock(t, V08, dev, sb); !got.Clean() {
		t.Errorf("apply-al left %+v", got)
	}
	b.must("-f", "-", "v09", dev, "internal", "create-md", "1")
	if !strings.Contains(b.err.String(), "Valid v08 meta-data found, convert to v09?") {
		t.Errorf("create-md says %q", b.err.String())
	}
}

// TestConvertV07: the order of the counters becomes the order of the UUIDs (the example of section 7.7).
func TestConvertV07(t *testing.T) {
	b := newBench(t)
	dev := image(t, gib)
	b.must("-f", "-", "v07", dev, "flex-internal", "create-md")
	b.must("-f", "-", "v07", dev, "flex-internal", "set-gi", "1:2:3:4:5:0:1:0")
	b.must("-f", "-", "v07", dev, "flex-internal", "get-gi")
	if got := b.out.String(); got != "1:2:3:4:5:0:1:0\n" {
		t.Errorf("counters are %q", got)
	}
	b.must("-f", "-", "v08", dev, "internal", "create-md")
	b.must("-f", "-", "v08", dev, "internal", "get-gi")
	if got := b.out.String(); got != "000200030009BABE:0000000000000000:000200030008BABE:000200030007BABE:1:1:0:1:0:0:0\n" {
		t.Errorf("converted to %s", got)
	}
	b.must("-f", "-", "v08", dev, "internal", "apply-al")
	if sb := superblock(t, V08, dev, 1073737728); !sb.Clean() {
		t.Error("converted metadata cannot be attached")
	}
}

// TestConvertRefused: what would lose or mix up bits changes nothing.
func TestConvertRefused(t *testing.T) {
	cases := []struct {
		from, to, says string
		change         func(*Superblock)
	}{
		{"v09 2", "v08", "has bitmaps for 2 peers", nil},
		{"v09 1", "v08", "a node that crashed", func(s *Superblock) { s.Flags = FlagPrimaryInd }},
		{"v08", "v09 1", "a node that crashed", func(s *Superblock) { s.Flags, s.Magic = FlagPrimaryInd, MagicV08Unclean }},
		{"v09 1", "v07", "cannot become v07", nil},
	}
	for _, c := range cases {
		b := newBench(t)
		dev := image(t, gib)
		format, slots, _ := strings.Cut(c.from, " ")
		b.must(append([]string{"-f", "-", format, dev, "internal", "create-md"}, strings.Fields(slots)...)...)
		if c.change != nil {
			alter(t, FormatOf(peek(t, dev, 1073737728, BlockSize)), dev, 1073737728, c.change)
		}
		before := contentSum(t, dev)
		target, index := strings.Fields(c.to), "flex-internal"
		b.fails(exitOption, c.says, append([]string{"-f", "-", target[0], dev, index, "create-md"}, target[1:]...)...)
		if contentSum(t, dev) != before {
			t.Errorf("%s to %s was refused, and the device changed", c.from, c.to)
		}
	}
}

// TestForgetAndRepair: entries of nodes that are gone carry the day-0 generation.
func TestForgetAndRepair(t *testing.T) {
	b := newBench(t)
	dev := image(t, 16*mib)
	b.must("-f", "-", "v09", dev, "internal", "create-md", "2")
	const sb = 16*mib - BlockSize
	alter(t, V09, dev, sb, func(s *Superblock) {
		s.NodeID = 0
		for i := range s.Peers {
			s.Peers[i].BitmapUUID, s.Peers[i].BitmapDagtag = 0xDA0, 7
		}
		s.Peers[0].BitmapUUID = 0
		s.Peers[1] = Peer{BitmapUUID: 0x11, Flags: PeerSeen | PeerExists, BitmapIndex: 0}
		s.Peers[3].BitmapUUID, s.Peers[3].BitmapDagtag = 0xBAD, 1
	})
	b.must("-f", "-", "v09", dev, "internal", "forget-peer", "-i", "1")
	if want := "Copying bitmap slot 1 to 0 not implemented.\nDo it with dump-md, edit, restore-md\n"; b.err.String() != want {
		t.Errorf("forget-peer says %q", b.err.String())
	}
	if got := superblock(t, V09, dev, sb).Peers[1]; got != (Peer{BitmapUUID: 0xDA0, BitmapDagtag: 7, BitmapIndex: -1}) {
		t.Errorf("forgotten entry is %+v", got)
	}
	says := fmt.Sprintf("Peer slot 3 has \"day0\" UUID 0x%016X, expected 0x%016X\n", 0xBAD, 0xDA0)
	b.fails(exitNoMeta, says, "-f", "-", "v09", dev, "internal", "repair-md", "--tentative")
	b.must("-f", "-", "v09", dev, "internal", "repair-md")
	if want := says + "Repairing metadata\n"; b.err.String() != want {
		t.Errorf("repair-md says %q", b.err.String())
	}
	if got := superblock(t, V09, dev, sb).Peers[3]; got.BitmapUUID != 0xDA0 || got.BitmapDagtag != 7 {
		t.Errorf("repaired entry is %+v", got)
	}
	b.must("-f", "-", "v09", dev, "internal", "repair-md")
	if b.err.Len() != 0 {
		t.Errorf("repair-md of good metadata says %q", b.err.String())
	}
}

// TestProvision: options for nodes that hold the data already.
func TestProvision(t *testing.T) {
	b := newBench(t)
	dev := image(t, 16*mib)
	b.must("-f", "-", "v09", dev, "internal", "--rotate-uuids", "--uptodate", "--peers-outdated", "-Z", "8M", "-D", "0x5", "create-md", "3")
	sb := superblock(t, V09, dev, 16*mib-BlockSize)
	random := b.env.Random()
	if sb.CurrentUUID != random || sb.History[0] != random || sb.EffectiveSize != 16384 || sb.Flags != FlagConsistent|FlagWasUpToDate|FlagALClean {
		t.Errorf("provisioned %+v", sb)
	}
	for i, p := range sb.Peers {
		want := Peer{BitmapUUID: random, Flags: PeerOutdated, BitmapIndex: -1}
		if i == 0 || i == 2 {
			want.Flags |= PeerSeen
		}
		if p != want {
			t.Errorf("peer %d is %+v", i, p)
		}
	}
}

// TestConvertAtOnce: a conversion is one write of the superblock, so that an interruption leaves the old metadata or the new one.
func TestConvertAtOnce(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"v07 flex-internal create-md", "v08 flex-internal create-md"},
		{"v08 internal create-md", "v09 internal create-md 1"},
		{"v09 internal create-md 1", "v08 internal create-md"},
	} {
		b := newBench(t)
		dev := image(t, 64*mib)
		command := func(line string) []string {
			words := strings.Fields(line)
			return append([]string{"-f", "-", words[0], dev, words[1]}, words[2:]...)
		}
		b.must(command(c.from)...)
		before := contentSum(t, dev)
		var places []int64
		b.env.tap = onWrite(func(at, n int64) error {
			if n != BlockSize {
				t.Errorf("%s: %d bytes are written at once", c.to, n)
			}
			places = append(places, at)
			return errPowerOff
		})
		b.fails(exitOption, errPowerOff.Error(), command(c.to)...)
		if contentSum(t, dev) != before {
			t.Errorf("%s: an interruption before the first write changed the device", c.to)
		}
		b.env.tap = onWrite(func(at, _ int64) error {
			places = append(places, at)
			return nil
		})
		b.must(command(c.to)...)
		if want := []int64{64*mib - BlockSize, 64*mib - BlockSize}; !slices.Equal(places, want) {
			t.Errorf("%s: writes at %d, want %d", c.to, places, want)
		}
	}
}
