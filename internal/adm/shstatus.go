package adm

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"drbd/internal/adjust"
)

// statusReport is the part of `drbdsetup status --json` that sh-status prints.
type statusReport struct {
	Role      string
	Suspended bool
	Devices   []struct {
		Volume int
		Disk   string `json:"disk-state"`
	}
	Connections []struct {
		State   string `json:"connection-state"`
		Role    string `json:"peer-role"`
		Devices []struct {
			Volume      int
			Replication string  `json:"replication-state"`
			Disk        string  `json:"peer-disk-state"`
			Suspended   string  `json:"resync-suspended"`
			Done        float64 `json:"percent-resync-done"`
		} `json:"peer_devices"`
	}
}

// shStatus prints what scripts of 8.4 read (section 14.3): one volume after the other, of the first peer.
func (a *App) shStatus() error {
	a.say("_drbd_version=%s\n_drbd_api=1\n_config_file=%s\n\n", shellEscape(Version), a.file)
	reports := map[string]*statusReport{}
	if len(a.line.words) == 0 {
		a.line.words = []string{"all"}
	}
	return a.print(func(t target) {
		report, asked := reports[t.r.Name]
		if !asked {
			report = a.report(t.r.Name)
			reports[t.r.Name] = report
		}
		a.say("_conf_res_name=%s\n_conf_file_line=%s\n", t.r.Name, t.r.Pos)
		on, device, minor := "", "", ""
		if lower := a.view.Resource(t.r.Me.Lower); t.r.Stacked && lower != nil && lower.Me != nil && len(lower.Me.Volumes) > 0 {
			on, device, minor = lower.Name, lower.Me.Volumes[0].DeviceName(), itoa(lower.Me.Volumes[0].Minor)
		}
		a.say("_stacked_on=%s\n_stacked_on_device=%s\n_stacked_on_minor=%s\n_conf_volume=%d", on, device, minor, t.v.Nr)
		a.shVolume(t, report)
	})
}

// report asks the module, nil when it does not have the resource.
func (a *App) report(resource string) *statusReport {
	var text bytes.Buffer
	c := adjust.Command{Tool: adjust.Setup, Args: []string{"status", resource, "--json"}}
	if a.line.dryRun || a.call(c, &text, io.Discard) != exitOK {
		return nil
	}
	var reports []*statusReport
	if json.Unmarshal(text.Bytes(), &reports) != nil || len(reports) == 0 {
		return nil
	}
	return reports[0]
}

func (a *App) shVolume(t target, report *statusReport) {
	known, connection, role, peer, disk, peerDisk := "Unconfigured", "", "", "", "", ""
	flags := map[string]string{}
	percent := ""
	if report != nil {
		known, role, peer, connection, disk, peerDisk = "Configured", report.Role, "Unknown", "StandAlone", "Diskless", "DUnknown"
		for _, d := range report.Devices {
			if d.Volume == t.v.Nr {
				disk = d.Disk
			}
		}
		flags["susp"] = mark(report.Suspended)
		if len(report.Connections) > 0 {
			n := &report.Connections[0]
			connection, peer = n.State, n.Role
			for _, d := range n.Devices {
				if d.Volume != t.v.Nr {
					continue
				}
				peerDisk = d.Disk
				if d.Replication != "Off" && d.Replication != "Established" {
					connection, percent = d.Replication, strconv.FormatFloat(d.Done, 'f', 1, 64)
				}
				flags["user"] = mark(strings.Contains(d.Suspended, "user"))
				flags["peer"] = mark(strings.Contains(d.Suspended, "peer"))
				flags["after"] = mark(strings.Contains(d.Suspended, "dependency"))
			}
		}
	}
	a.say("_minor=%d\n_res_name=%s\n_volume=%d\n_known=%s\n", t.v.Minor, t.r.Name, t.v.Nr, known)
	a.say("_cstate=%s\n_role=%s\n_peer=%s\n_disk=%s\n_pdsk=%s\n", connection, role, peer, disk, peerDisk)
	a.say("_flags_susp=%s\n_flags_aftr_isp=%s\n_flags_peer_isp=%s\n_flags_user_isp=%s\n", flags["susp"], flags["after"], flags["peer"], flags["user"])
	a.say("_resynced_percent=%s\n\n_sh_status_process\n\n", percent)
}

// mark is how 8.4 prints flags.
func mark(set bool) string {
	if set {
		return "1"
	}
	return ""
}
