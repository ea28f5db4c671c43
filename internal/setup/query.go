package setup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"drbd/internal/genl"
)

func (c *call) findResource(name string) (genl.Resource, error) {
	resources, err := c.client.Resources(c.ctx)
	if err != nil {
		return genl.Resource{}, err
	}
	for _, r := range resources {
		if r.Name == name {
			return r, nil
		}
	}
	return genl.Resource{}, failf(ExitRefused, "%s: No such resource", name)
}

func (c *call) findConnection() (genl.Connection, error) {
	if _, err := c.findResource(c.args[0]); err != nil {
		return genl.Connection{}, err
	}
	node, err := parseUint(c.args[1], "node id", genl.NodeIDMax)
	if err != nil {
		return genl.Connection{}, err
	}
	connections, err := c.client.Connections(c.ctx, c.args[0])
	if err != nil {
		return genl.Connection{}, err
	}
	for _, n := range connections {
		if n.Node == node {
			return n, nil
		}
	}
	return genl.Connection{}, failf(ExitRefused, "%s: No such connection", c.args[0])
}

func (c *call) findDevice() (genl.Device, error) {
	minor, err := parseMinor(c.args[0])
	if err != nil {
		return genl.Device{}, err
	}
	devices, err := c.client.Devices(c.ctx, "")
	if err != nil {
		return genl.Device{}, err
	}
	for _, d := range devices {
		if d.Minor == minor {
			return d, nil
		}
	}
	return genl.Device{}, failf(ExitRefused, "%s: No such device", c.args[0])
}

func runRole(c *call) error {
	r, err := c.findResource(c.args[0])
	if err != nil {
		return err
	}
	fmt.Fprintln(c.env.Stdout, r.Info.Role)
	return nil
}

func runPeerRole(c *call) error {
	n, err := c.findConnection()
	if err != nil {
		return err
	}
	fmt.Fprintln(c.env.Stdout, n.Info.Role)
	return nil
}

func runConnectionState(c *call) error {
	n, err := c.findConnection()
	if err != nil {
		return err
	}
	fmt.Fprintln(c.env.Stdout, n.Info.ConnectionState)
	return nil
}

// runDiskState prints the local disk state, then that of every peer.
func runDiskState(c *call) error {
	d, err := c.findDevice()
	if err != nil {
		return err
	}
	peers, err := c.client.PeerDevices(c.ctx, d.Resource)
	if err != nil {
		return err
	}
	states := []string{d.Info.DiskState.String()}
	for _, p := range peers {
		if p.Volume == d.Volume {
			states = append(states, p.Info.DiskState.String())
		}
	}
	fmt.Fprintln(c.env.Stdout, strings.Join(states, "/"))
	return nil
}

// runUdev prints assignments for the rule that imports them; it runs during the "add" event of the device itself.
func runUdev(c *call) error {
	d, err := c.findDevice()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.env.Stdout, "DEVICE=drbd%d\nSYMLINK_BY_RES=drbd/by-res/%s/%d\n", d.Minor, d.Resource, d.Volume)
	if d.HasDisk && d.Disk.BackingDev != "" {
		fmt.Fprintf(c.env.Stdout, "SYMLINK_BY_DISK=drbd/by-disk/%s\n", strings.TrimPrefix(d.Disk.BackingDev, "/dev/"))
	}
	return nil
}

// metaInternal is the index value of metadata at the end of the data device.
const metaInternal = -3

// runCheckResize notes size and name of a disk with internal metadata, so that the metadata can be found again after the disk was
// grown while detached (section 12). With external metadata the note would only mislead.
func runCheckResize(c *call) error {
	d, err := c.findDevice()
	if err != nil {
		return err
	}
	note := filepath.Join(c.env.StateDir, fmt.Sprintf("drbd-minor-%d.lkbd", d.Minor))
	if !d.HasDisk || d.Disk.MetaDevIdx != metaInternal {
		if err := os.Remove(note); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	f, err := os.Open(d.Disk.BackingDev)
	if err != nil {
		return failf(ExitUsage, "%s: %v", c.object(), err)
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, 2)
	if err != nil {
		return failf(ExitUsage, "%s: size of %s: %v", c.object(), d.Disk.BackingDev, err)
	}
	text := fmt.Sprintf("%d\t%s\n", size, d.Disk.BackingDev)
	if old, err := os.ReadFile(note); err == nil {
		if _, uuid, ok := strings.Cut(string(old), "\nuuid:"); ok {
			text += "uuid:" + uuid
		}
	}
	if err := os.MkdirAll(c.env.StateDir, 0o755); err != nil {
		return failf(ExitUsage, "%s: %v", c.object(), err)
	}
	if err := os.WriteFile(note+".new", []byte(text), 0o600); err != nil {
		return failf(ExitUsage, "%s: %v", c.object(), err)
	}
	return os.Rename(note+".new", note)
}

// generation is the line of get-gi: four identifiers and twelve flags (15.1).
func (c *call) generation() (string, error) {
	node, err := parseUint(c.args[1], "node id", genl.NodeIDMax)
	if err != nil {
		return "", err
	}
	volume, err := parseUint(c.args[2], "volume number", genl.VolumeMax)
	if err != nil {
		return "", err
	}
	if _, err := c.findResource(c.args[0]); err != nil {
		return "", err
	}
	peers, err := c.client.PeerDevices(c.ctx, c.args[0])
	if err != nil {
		return "", err
	}
	devices, err := c.client.Devices(c.ctx, c.args[0])
	if err != nil {
		return "", err
	}
	var peer *genl.PeerDevice
	for i := range peers {
		if peers[i].Node == node && peers[i].Volume == volume {
			peer = &peers[i]
		}
	}
	var device *genl.Device
	for i := range devices {
		if devices[i].Volume == volume {
			device = &devices[i]
		}
	}
	switch {
	case peer == nil || device == nil:
		return "", failf(ExitRefused, "%s: No such peer device", c.args[0])
	case device.Info.DiskState == genl.DiskDiskless && peer.Info.ReplState == genl.ReplOff:
		return "", failf(exitUnconfiguredDevice, "Device is unconfigured")
	case device.Info.DiskState == genl.DiskDiskless:
		return "", failf(exitUnconfiguredDevice, "Device has no disk")
	}
	return generationLine(device, peer), nil
}

func generationLine(d *genl.Device, p *genl.PeerDevice) string {
	history := append(append([]uint64{}, d.Statistics.HistoryUUIDs...), 0, 0)
	text := fmt.Sprintf("%016X:%016X:%016X:%016X:", d.Statistics.CurrentUUID, p.Statistics.BitmapUUID, history[0], history[1])
	var bits []string
	for _, f := range []uint32{genl.FlagConsistent, genl.FlagWasUpToDate, genl.FlagPrimaryIndicator, genl.FlagCrashedPrimary, genl.FlagALClean,
		genl.FlagALDisabled, genl.FlagPrimaryLostQ} {
		bits = append(bits, bit(d.Statistics.DiskFlags&f))
	}
	for _, f := range []uint32{genl.PeerFlagConnected, genl.PeerFlagOutdated, genl.PeerFlagFencing, genl.PeerFlagFullSync, genl.PeerFlagDeviceSeen} {
		bits = append(bits, bit(p.Statistics.Flags&f))
	}
	return text + strings.Join(bits, ":")
}

func bit(v uint32) string {
	if v != 0 {
		return "1"
	}
	return "0"
}

func runGetGI(c *call) error {
	line, err := c.generation()
	if err == nil {
		fmt.Fprintln(c.env.Stdout, line)
	}
	return err
}

// generationFlags explain the flags of get-gi in order.
var generationFlags = []string{
	"local data is consistent",
	"local data is or was up to date",
	"this node is or was Primary",
	"this node crashed as Primary and has not met this peer since",
	"the activity log is applied, the disk can be attached",
	"the activity log was off, the peer is completely out of sync",
	"this node was Primary when it lost quorum",
	"connected, or was so to the end",
	"the peer's disk was outdated or inconsistent",
	"a fencing policy was in use",
	"all blocks were being marked as out of sync",
	"this peer was seen with a disk",
}

// runShowGI draws a legend around the get-gi line, for people only.
func runShowGI(c *call) error {
	line, err := c.generation()
	if err != nil {
		return err
	}
	w := c.env.Stdout
	fmt.Fprintln(w)
	for _, l := range []string{
		"       +--<  Current data generation UUID  >-",
		"       |                +--<  Bitmap's base data generation UUID  >-",
		"       |                |                +--<  younger history UUID  >-",
		"       |                |                |                +--<  older history  >-",
		"       V                V                V                V",
	} {
		fmt.Fprintln(w, l)
	}
	fmt.Fprintln(w, line)
	first := strings.LastIndex(line, line[len(line)-2*len(generationFlags)+1:])
	marks := strings.Repeat(" ", first) + strings.TrimSuffix(strings.Repeat("^ ", len(generationFlags)), " ")
	fmt.Fprintln(w, marks)
	for i, text := range generationFlags {
		label := "-<  " + text + "  >-"
		column := first + 2*i
		pad := max(0, column-len(label))
		fmt.Fprintf(w, "%s%s+%s\n", strings.Repeat(" ", pad), label, strings.Repeat(" |", len(generationFlags)-1-i))
	}
	fmt.Fprintln(w)
	return nil
}
