package hosts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const shim = "systemd/drbd-service-shim.sh"

func TestShim(t *testing.T) {
	h := newHost(t)
	h.tool("drbdadm", "")
	h.tool("drbdsetup", `case "$*" in *" refused") exit 11;; "events2 --now gone") echo "exists -"; exit;; *" gone") exit 10;; esac`)
	h.tool("journalctl", "")
	for _, c := range []struct {
		args  string
		code  int
		calls []string
	}{
		{"adjust r0", 0, []string{"drbdadm adjust r0"}},
		{"down r0", 0, []string{"drbdsetup down r0"}},
		{"primary r0", 0, []string{"drbdsetup primary r0"}},
		{"primary refused", 11, []string{"drbdsetup primary refused"}},
		{"secondary r0", 0, []string{"drbdsetup secondary r0"}},
		{"secondary refused", 11, []string{"drbdsetup secondary refused", "drbdsetup events2 --now refused"}},
		{"secondary gone", 0, []string{"drbdsetup secondary gone", "drbdsetup events2 --now gone"}},
		{"secondary-force r0", 0, []string{"drbdsetup secondary --force=yes r0"}},
		{"secondary-secondary-force refused", 11, []string{"drbdsetup secondary refused", "drbdsetup events2 --now refused",
			"drbdsetup secondary --force=yes refused", "drbdsetup events2 --now refused"}},
		{"secondary-or-escalate r0", 0, []string{"drbdsetup secondary r0"}},
		{"secondary-or-escalate gone", 0, []string{"drbdsetup secondary gone", "drbdsetup events2 --now gone"}},
		{"secondary-or-escalate refused", 11, []string{"drbdsetup secondary refused", "drbdsetup events2 --now refused",
			"drbdsetup status --verbose refused", "journalctl --flush"}},
		{"secondary-secondary-force-or-escalate refused", 11, []string{"drbdsetup secondary refused", "drbdsetup events2 --now refused",
			"drbdsetup secondary --force=yes refused", "drbdsetup events2 --now refused", "drbdsetup status --verbose refused", "journalctl --flush"}},
		{"adjust", 1, nil},
		{"dance r0", 1, nil},
	} {
		out, code := h.run(shim, strings.Fields(c.args)...)
		ended(t, out, code, c.code)
		if diff := cmp.Diff(c.calls, h.calls()); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.args, diff)
		}
	}
	out, _ := h.run(shim, "dance", "r0")
	if out != "Unknown verb dance\n" {
		t.Errorf("%q", out)
	}
}

func TestShimTakesLeaveOfPeers(t *testing.T) {
	h := newHost(t)
	h.tool("drbdsetup", `[ "$1" = events2 ] && printf '%s\n' "exists resource name:r0 role:Primary" \
		"exists connection name:r0 peer-node-id:1 conn-name:bravo connection:Connected role:Secondary" \
		"exists connection name:r0 peer-node-id:2 conn-name:charlie connection:StandAlone role:Unknown" \
		"exists connection name:r1 peer-node-id:0 conn-name:alpha connection:Connecting role:Unknown" "exists -"`)
	_, code := h.run(shim, "graceful-disconnect")
	ended(t, "", code, 0)
	h.called("drbdsetup events2 --now", "drbdsetup disconnect r0 1", "drbdsetup disconnect r1 0")
	_, code = h.run(shim, "graceful-reconnect")
	ended(t, "", code, 0)
	h.called("drbdsetup connect r0 1", "drbdsetup connect r1 0")
	_, code = h.run(shim, "graceful-reconnect") // once only
	ended(t, "", code, 0)
	h.called()
}

func TestShimWaitsUntilPromotable(t *testing.T) {
	h := newHost(t)
	h.tool("drbdsetup", `echo "exists resource name:r0 role:Secondary may_promote:no"; echo "exists -"; sleep 0.3
		echo "change resource name:r0 may_promote:yes promotion_score:10101"; exec sleep 60`)
	begin := time.Now()
	out, code := h.run(shim, "wait-promotable", "r0")
	ended(t, out, code, 0)
	if took := time.Since(begin); took < 300*time.Millisecond || took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	h.tool("drbdsetup", `echo "exists -"`)
	out, code = h.run(shim, "wait-promotable", "r0")
	ended(t, out, code, 1, "ended before")
}

func TestShimActivatesLogicalVolumes(t *testing.T) {
	h := newHost(t)
	h.tool("lvchange", "")
	h.tool("drbdadm", "echo /dev/vg/a; echo /dev/vg/there; echo /dev/sda1; echo /dev/mapper/x; echo /dev/disk/by-id/y")
	h.write("dev/vg/there", "")
	_, code := h.run(shim, "lv-activate", "r0")
	ended(t, "", code, 0)
	h.calledOnly("lvchange", "lvchange -ay vg/a")
	_, code = h.run(shim, "lv-deactivate", "r0")
	ended(t, "", code, 0)
	h.calledOnly("lvchange", "lvchange -an vg/there")
	h.tool("lvchange", "exit 5")
	_, code = h.run(shim, "lv-activate", "r0")
	ended(t, "", code, 1)
}

// installed is a folder into which everything for hosts was installed.
func installed(t *testing.T) string {
	dest := t.TempDir()
	if out, err := exec.Command("../../scripts/install-host", dest).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"drbdadm", "drbdsetup", "drbdmeta"} { // what the rest of `make install` does
		h := host{t: t, root: dest}
		h.write("usr/sbin/"+name, "#!/bin/sh\n")
		if err := os.Chmod(h.path("usr/sbin/"+name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dest
}

func TestInstall(t *testing.T) {
	dest := installed(t)
	executable := []string{"etc/init.d/drbd", "usr/lib/drbd/scripts/drbd", "usr/lib/drbd/scripts/drbd-service-shim.sh", "usr/lib/ocf/resource.d/linbit/drbd"}
	for _, name := range []string{"crm-fence-peer.9", "crm-unfence-peer.9", "crm-fence-peer", "crm-unfence-peer", "stonith_admin-fence-peer", "outdate-peer",
		"snapshot-resync-target-lvm", "unsnapshot-resync-target-lvm", "notify", "notify-split-brain", "notify-io-error", "notify-pri-on-incon-degr",
		"notify-pri-lost", "notify-pri-lost-after-sb", "notify-out-of-sync", "notify-emergency-reboot", "notify-emergency-shutdown"} {
		executable = append(executable, "usr/lib/drbd/"+name+".sh")
	}
	for _, name := range executable {
		info, err := os.Stat(filepath.Join(dest, name)) // through links
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, name := range []string{"etc/drbd.conf", "etc/drbd.d/global_common.conf", "usr/lib/udev/rules.d/65-drbd.rules", "usr/lib/drbd/lib.sh",
		"usr/lib/systemd/system-preset/50-drbd.preset", "usr/lib/tmpfiles.d/drbd.conf", "etc/multipath/conf.d/drbd.conf"} {
		info, err := os.Stat(filepath.Join(dest, name))
		if err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	// A handler called by its link finds what it shares with the others.
	h := newHost(t)
	h.set("DRBD_RESOURCE=r0")
	h.tool("mail", "")
	out, code := h.run(filepath.Join(dest, "usr/lib/drbd/notify-split-brain.sh"))
	ended(t, out, code, 0, "DRBD split brain")
}

// Installing again, as an upgrade does, leaves the administrator's configuration alone.
func TestInstallKeepsTheConfiguration(t *testing.T) {
	dest := t.TempDir()
	h := host{t: t, root: dest}
	h.write("etc/drbd.conf", "mine")
	for range 2 {
		if out, err := exec.Command("../../scripts/install-host", dest).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if text, _ := os.ReadFile(h.path("etc/drbd.conf")); string(text) != "mine" {
		t.Errorf("the configuration is %q now", text)
	}
	if !h.exists("etc/drbd.d/global_common.conf") {
		t.Error("what was missing was not installed")
	}
}

// The programs that the units start are installed, and systemd understands the units.
func TestUnits(t *testing.T) {
	dest := installed(t)
	units, err := filepath.Glob(filepath.Join(dest, "usr/lib/systemd/system/*.*"))
	if err != nil || len(units) < 12 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	verbs, err := os.ReadFile(filepath.Join(scripts, shim))
	if err != nil {
		t.Fatal(err)
	}
	starts := regexp.MustCompile(`(?m)^Exec\w+=(\S+)(?: (\S+))?`)
	others := regexp.MustCompile(`(?m)^(?:Requires|BindsTo|PartOf|RequiredBy|WantedBy|Conflicts)=(.*)$`)
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range starts.FindAllStringSubmatch(string(text), -1) {
			if info, err := os.Stat(filepath.Join(dest, m[1])); m[1] != "/bin/true" && (err != nil || info.Mode().Perm()&0o111 == 0) {
				t.Errorf("%s starts %s, which is not installed", filepath.Base(unit), m[1])
			}
			if strings.HasSuffix(m[1], "shim.sh") && !regexp.MustCompile(`(?m)^`+m[2]+`\)|^\s*(.* )?`+m[2]+`( |\))`).Match(verbs) {
				t.Errorf("%s: the shim has no verb %s", filepath.Base(unit), m[2])
			}
		}
		for _, m := range others.FindAllStringSubmatch(string(text), -1) {
			for name := range strings.FieldsSeq(m[1]) {
				name = strings.Replace(name, "@%i.", "@.", 1)
				if strings.HasPrefix(name, "drbd") && !slices.Contains(units, filepath.Join(dest, "usr/lib/systemd/system", name)) {
					t.Errorf("%s refers to %s, which is not there", filepath.Base(unit), name)
				}
			}
		}
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze to look at the units")
	}
	out, _ := exec.Command("systemd-analyze", append([]string{"verify", "--man=no", "--recursive-errors=no"}, units...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "drbd") && !strings.Contains(line, "is not executable: No such file") { // they are in dest
			t.Error(line)
		}
	}
}

// What udev gets from `drbdsetup udev` is what the rules use.
func TestUdevRules(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(scripts, "udev/65-drbd.rules"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`KERNEL!="drbd*"`, `IMPORT{program}="/usr/sbin/drbdsetup udev %m"`, `SYMLINK+="$env{SYMLINK_BY_RES}"`,
		`SYMLINK+="$env{SYMLINK_BY_DISK}"`, "drbd-graceful-down.service", "drbd-graceful-disconnect.service"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed")
	}
	var files []string
	for _, pattern := range []string{"init/drbd", "ocf/drbd", "systemd/*.sh", "handlers/*.sh", "../install-host"} {
		more, err := filepath.Glob(filepath.Join(scripts, pattern))
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, more...)
	}
	if out, err := exec.Command("shellcheck", append([]string{"-x", "--source-path=SCRIPTDIR"}, files...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
