package lint

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drbd/internal/conf"
)

// machine has /dev/vg/a and /dev/vg/b (one disk), and little else.
func machine() *Machine {
	return &Machine{
		Disk: func(path string) DiskInfo {
			switch path {
			case "/dev/vg/a", "/dev/mapper/vg-a":
				return DiskInfo{Number: 1}
			case "/dev/vg/other", "/dev/sda1":
				return DiskInfo{Number: 2}
			case "/dev/vg/mounted":
				return DiskInfo{Number: 3, MountedOn: "mounted on /home"}
			case "/etc/passwd":
				return DiskInfo{NotBlock: true}
			}
			return DiskInfo{Missing: true}
		},
		Listener: func(a netip.AddrPort) string {
			if a.Port() == 7790 {
				return "iscsid (process 12)"
			}
			return ""
		},
		Ephemeral: [2]int{32768, 60999},
		Program:   func(path string) bool { return path == "/bin/true" },
		Readable:  func(path string) bool { return path == "x.conf" },
	}
}

// sound is a configuration without findings; a case replaces parts of it.
const sound = `resource r0 {
  options { }
  net { protocol C; verify-alg crc32c; }
  disk { }
  handlers { }
  startup { }
  device /dev/drbd0; disk /dev/vg/a; meta-disk internal;
  on alpha { node-id 0; address 10.0.0.1:7789; }
  on bravo { node-id 1; address 10.0.0.2:7789; }
}
`

func look(t *testing.T, text string) []Finding {
	t.Helper()
	cfg := conf.Parse("x.conf", text)
	view := conf.Resolve(cfg, conf.Identity{Node: "alpha", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}})
	if err := view.Diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	return Look(view, view.Resources, machine())
}

func TestSoundConfiguration(t *testing.T) {
	if found := look(t, sound); len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
}

func TestChecks(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range []struct {
		name      string
		old, text string
		want      []string // names of checks
	}{
		{"two primaries", "net {", "net { allow-two-primaries;", []string{"dual-primary-fencing"}},
		{"two primaries with fencing", "net {", "net { allow-two-primaries; fencing resource-and-stonith;", []string{"fencing-handler"}},
		{"two primaries, fenced and called", "net { protocol C; verify-alg crc32c; }\n  disk { }\n  handlers { }",
			"net { verify-alg crc32c; allow-two-primaries; fencing resource-and-stonith; } handlers { fence-peer /bin/true; }", nil},
		{"two primaries, protocol A", "net { protocol C;", "net { protocol A; allow-two-primaries; fencing resource-and-stonith;", []string{"dual-primary-protocol", "fencing-handler"}},
		{"both primary", "startup {", "startup { become-primary-on both;", []string{"become-primary-both"}},
		{"handler that is never called", "handlers {", "handlers { fence-peer /bin/true;", []string{"fencing-handler"}},
		{"majority of two", "options {", "options { quorum majority; on-no-quorum io-error;", []string{"quorum-two-nodes"}},
		{"quorum, nothing said", "options {", "options { quorum 1;", []string{"quorum-io-error"}},
		{"quorum and protocol A", "options { }\n  net { protocol C;", "options { quorum 2; on-no-quorum io-error; } net { protocol A;", []string{"protocol-a-quorum"}},
		{"violent", "net {", "net { after-sb-1pri violently-as0p;", []string{"automatic-split-brain"}},
		{"secret without method", "net {", "net { shared-secret x;", []string{"readable-secret", "secret"}},
		{"method without secret", "net {", "net { cram-hmac-alg sha1;", []string{"secret"}},
		{"long timeout", "net {", "net { timeout 120;", []string{"timeouts", "timeouts"}},
		{"long ping", "net {", "net { ping-timeout 100;", []string{"timeouts"}},
		{"congestion with C", "net {", "net { on-congestion pull-ahead;", []string{"congestion"}},
		{"congestion without fill", "net { protocol C;", "net { protocol A; on-congestion pull-ahead;", []string{"congestion"}},
		{"checksum", "net {", "net { data-integrity-alg sha1;", []string{"integrity-checksum"}},
		{"no verify", "verify-alg crc32c;", "", []string{"verify"}},
		{"flushes", "disk {", "disk { no-disk-flushes; md-flushes no;", []string{"flushes", "flushes"}},
		{"disk time-out", "disk {", "disk { disk-timeout 5;", []string{"disk-timeout"}},
		{"errors", "disk {", "disk { on-io-error pass_on;", []string{"io-errors"}},
		{"rate", "disk {", "disk { resync-rate 10M;", []string{"resync-rate"}},
		{"fixed rate", "disk {", "disk { resync-rate 10M; c-plan-ahead 0;", nil},
		{"rates", "disk {", "disk { c-min-rate 10M; c-max-rate 9M;", []string{"resync-rate"}},
		{"waiting", "startup {", "startup { wfc-timeout 60; degr-wfc-timeout 120;", []string{"waiting"}},
		{"old handler", "options { }\n  net { protocol C; verify-alg crc32c; }\n  disk { }\n  handlers { }",
			"net { verify-alg crc32c; fencing resource-only; } on charlie { node-id 2; address 10.0.0.3:7789; } connection-mesh { hosts alpha bravo charlie; } handlers { fence-peer /usr/lib/drbd/crm-fence-peer.sh; }",
			[]string{"handler", "handler-generation"}},
		{"missing program", "handlers {", "handlers { split-brain /usr/lib/drbd/notify.sh;", []string{"handler"}},
		{"elsewhere", "on alpha {", "on charlie {", []string{"address", "host"}},
		{"missing disk", "/dev/vg/a;", "/dev/vg/missing;", []string{"disk"}},
		{"no disk", "/dev/vg/a;", "/etc/passwd;", []string{"disk"}},
		{"mounted disk", "/dev/vg/a;", "/dev/vg/mounted;", []string{"disk"}},
		{"unstable name", "/dev/vg/a;", "/dev/sda1;", []string{"disk"}},
		{"address", "10.0.0.1:7789", "10.0.0.9:7789", []string{"address"}},
		{"port in use", ":7789", ":7790", []string{"port"}},
		{"ephemeral port", ":7789", ":40000", []string{"port"}},
		{"a disk for two", "}\n}\n", "}\n}\nresource r1 { net { verify-alg crc32c; } device /dev/drbd1; disk /dev/mapper/vg-a; on alpha { node-id 0; address 10.0.0.1:7799; } on bravo { node-id 1; address 10.0.0.2:7799; } }\n", []string{"disk"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.ReplaceAll(sound, c.old, c.text)
			if text == sound {
				t.Fatal("nothing was replaced")
			}
			if c.name == "elsewhere" {
				text = strings.ReplaceAll(text, "10.0.0.1", "10.0.0.5")
				c.want = []string{"host"}
			}
			var got []string
			for _, f := range look(t, text) {
				got = append(got, f.Check)
				tested[f.Check] = true
				if f.Reason == "" || f.Fix == "" || f.Pos.Line == 0 {
					t.Errorf("incomplete: %v", f)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("checks that spoke (-want +got):\n%s", diff)
			}
		})
	}
	for _, c := range Checks() {
		if !tested[c[0]] {
			t.Errorf("check %s was never seen to speak", c[0])
		}
	}
}

func TestSocketAddress(t *testing.T) {
	for text, want := range map[string]string{"0100007F:1E61": "127.0.0.1:7777", "00000000000000000000000000000000:0016": "[::]:22"} {
		if got, ok := socketAddress(text); !ok || got.String() != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
}
