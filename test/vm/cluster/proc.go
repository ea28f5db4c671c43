// Package cluster runs DRBD on the machines of a test bed: it writes the
// configuration, reads /proc/drbd and waits for states. It uses nothing but
// commands and files that ours and the stock DRBD share, so each machine may
// have either.
package cluster

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Device is one entry of /proc/drbd in the 8.4 format (netlink.md 17.2).
type Device struct {
	Minor                   int
	Connection              string // Connected, WFConnection, SyncSource, ...
	Role, PeerRole          string
	Disk, PeerDisk          string
	Protocol                string // A, B, C or empty
	Flags                   string
	SentKiB, ReceivedKiB    uint64
	WrittenKiB, ReadKiB     uint64
	ALWrites, BitmapWrites  uint64
	Pending, Unacked, AppIO uint64
	OutOfSyncKiB            uint64
	Progress                string // the bar and the line below it, while syncing
	Percent                 float64
}

// State is "connection roles disks" as the file writes them.
func (d Device) State() string {
	return fmt.Sprintf("cs:%s ro:%s/%s ds:%s/%s", d.Connection, d.Role, d.PeerRole, d.Disk, d.PeerDisk)
}

var (
	entryLine    = regexp.MustCompile(`^\s*(\d+): cs:(\S+) ro:([^/\s]+)/(\S+) ds:([^/\s]+)/(\S+) (\S?) +(\S+)\s*$`)
	unconfigured = regexp.MustCompile(`^\s*(\d+): cs:Unconfigured\s*$`)
	percent      = regexp.MustCompile(`(?:sync'ed|verified):\s*([0-9.]+)%`)
)

// ParseProc reads the text of /proc/drbd. A line of an unknown form is an error:
// scripts of users parse this file, so its form matters.
func ParseProc(text string) (map[int]Device, error) {
	devices := map[int]Device{}
	last := -1
	for i, line := range strings.Split(text, "\n") {
		switch {
		case i < 2 || strings.TrimSpace(line) == "":
			// version, build, empty lines between entries
		case unconfigured.MatchString(line):
			minor, _ := strconv.Atoi(unconfigured.FindStringSubmatch(line)[1])
			devices[minor] = Device{Minor: minor, Connection: "Unconfigured"}
			last = minor
		case entryLine.MatchString(line):
			d := parseEntry(entryLine.FindStringSubmatch(line))
			devices[d.Minor] = d
			last = d.Minor
		case strings.HasPrefix(line, "    ns:") && last >= 0:
			d := devices[last]
			if err := parseCounters(&d, line); err != nil {
				return nil, err
			}
			devices[last] = d
		case strings.HasPrefix(line, "\t") && last >= 0:
			d := devices[last]
			d.Progress += line + "\n"
			if m := percent.FindStringSubmatch(line); m != nil {
				d.Percent, _ = strconv.ParseFloat(m[1], 64)
			}
			devices[last] = d
		default:
			return nil, fmt.Errorf("/proc/drbd line %d: unknown form: %q", i+1, line)
		}
	}
	return devices, nil
}

func parseEntry(f []string) Device {
	minor, _ := strconv.Atoi(f[1])
	return Device{Minor: minor, Connection: f[2], Role: f[3], PeerRole: f[4], Disk: f[5], PeerDisk: f[6], Protocol: f[7], Flags: f[8]}
}

func parseCounters(d *Device, line string) error {
	fields := map[string]*uint64{
		"ns": &d.SentKiB, "nr": &d.ReceivedKiB, "dw": &d.WrittenKiB, "dr": &d.ReadKiB, "al": &d.ALWrites, "bm": &d.BitmapWrites,
		"pe": &d.Pending, "ua": &d.Unacked, "ap": &d.AppIO, "oos": &d.OutOfSyncKiB,
	}
	for _, item := range strings.Fields(line) {
		key, value, ok := strings.Cut(item, ":")
		if !ok {
			return fmt.Errorf("/proc/drbd: counter %q has no value", item)
		}
		into := fields[key]
		if into == nil {
			continue
		}
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return fmt.Errorf("/proc/drbd: counter %q: a number is expected", item)
		}
		*into = n
	}
	return nil
}
