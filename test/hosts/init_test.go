package hosts

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const initScript = "init/drbd"

// twoResources is a host whose module is not loaded yet.
func twoResources(t *testing.T) *host {
	h := newHost(t)
	h.tool("modprobe", `echo "version: 9" >"$DRBD_ROOT/proc/drbd"`)
	h.tool("rmmod", `if [ "$1" = drbd ]; then rm "$DRBD_ROOT/proc/drbd"; fi`)
	h.tool("umount", `echo "umount: $1: not mounted." >&2; exit 32`)
	h.tool("udevadm", "")
	h.tool("drbdsetup", `case "$*" in "events2 --now") printf 'exists resource name:r0 role:Secondary\nexists -\n';; esac`)
	h.tool("drbdadm", `case "$*" in
		"sh-dev all") echo /dev/drbd0;;
		sh-resources) printf 'r0\nr1\n';;
		wait-con-int) printf 'waited\n';;
		esac`)
	h.blockDevice("dev/drbd0")
	return h
}

func TestInitStart(t *testing.T) {
	h := twoResources(t)
	h.write("etc/default/drbd", "ADD_MOD_PARAM='minor_count=64 disable_sendpage=1'\nhook_start_before-wait() { echo hook: before; }\nhook_start() { echo hook: after; }\n")
	out, code := h.run(initScript, "start")
	ended(t, out, code, 0)
	if want := "Starting DRBD resources: hook: before\nwaited\nhook: after\n.\n"; out != want {
		t.Errorf("output %q, want %q", out, want)
	}
	h.called("modprobe -s drbd minor_count=64 disable_sendpage=1", "drbdadm sh-nop", "drbdadm adjust-with-progress all", "drbdadm sh-dev all",
		"drbdadm wait-con-int", "drbdadm help sh-b-pri", "drbdadm sh-b-pri all", "drbdadm -S sh-resources")
	out, code = h.run(initScript, "start") // a second time: the module is there
	ended(t, out, code, 0)
	h.calledOnly("modprobe")
}

func TestInitStartFails(t *testing.T) {
	for name, c := range map[string]struct {
		modprobe, drbdadm string
		code              int
		says              string
		notCalled         string
	}{
		"no module":       {"exit 1", "", 5, "Can not load the drbd module.", "drbdadm"},
		"not installed":   {"", `[ "$1" = sh-nop ] && exit 127`, 5, "not installed", "drbdadm adjust"},
		"configuration":   {"", `[ "$1" = sh-nop ] && { echo "drbd.conf:3: no"; exit 10; }`, 6, "Starting DRBD resources: drbd.conf:3: no", "drbdadm adjust"},
		"adjust refused":  {"", `[ "$1" = adjust-with-progress ] && exit 10`, 20, "failed.", "drbdadm wait-con-int"},
		"one step failed": {"", `[ "$1" = adjust-with-progress ] && exit 1`, 0, ".\n", "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			h := twoResources(t)
			if c.modprobe != "" {
				h.tool("modprobe", c.modprobe)
			}
			h.tool("drbdadm", c.drbdadm)
			out, code := h.run(initScript, "start")
			ended(t, out, code, c.code, c.says)
			for _, call := range h.calls() {
				if strings.HasPrefix(call, c.notCalled) {
					t.Errorf("called: %s", call)
				}
			}
		})
	}
}

func TestInitStartSaysWhichNodeIsMissing(t *testing.T) {
	h := twoResources(t)
	h.write("etc/default/drbd", "UDEV_TIMEOUT=1\n")
	h.tool("drbdadm", `[ "$*" = "sh-dev all" ] && echo /dev/drbd7`)
	out, code := h.run(initScript, "start")
	ended(t, out, code, 0, "/dev/drbd7 did not appear within 1 seconds.")
}

func TestInitStartStacked(t *testing.T) {
	h := twoResources(t)
	upper := `case "$*" in "-S sh-resources") echo upper;; esac`
	h.tool("drbdadm", upper)
	h.tool("drbdsetup", `[ "$1" = status ] && printf 'r0 role:Secondary\n  disk:UpToDate\n  bravo role:Primary\n'`)
	_, code := h.run(initScript, "start")
	ended(t, "", code, 0)
	h.calledOnly("drbdadm -S", "drbdadm -S sh-resources") // the lower one is not Primary here

	h.tool("drbdsetup", `[ "$1" = status ] && printf 'r0 role:Primary\n  disk:UpToDate\n'`)
	out, code := h.run(initScript, "start")
	ended(t, out, code, 0, "Starting stacked DRBD resources")
	h.calledOnly("drbdadm -S", "drbdadm -S sh-resources", "drbdadm -S adjust-with-progress all", "drbdadm -S sh-dev all", "drbdadm -S wait-con-int",
		"drbdadm -S sh-b-pri all")
}

func TestInitLoopDevices(t *testing.T) {
	h := twoResources(t)
	h.tool("losetup", "")
	h.write("var/lib/linstor.d/loop_device_mapping", "loop3:/pool/a.img\n/dev/loop4:/pool/b.img\n\n")
	_, code := h.run(initScript, "start")
	ended(t, "", code, 0)
	h.calledOnly("losetup", "losetup /dev/loop3 /pool/a.img", "losetup /dev/loop4 /pool/b.img")
	_, code = h.run(initScript, "stop")
	ended(t, "", code, 0)
	h.calledOnly("losetup", "losetup -d /dev/loop3", "losetup -d /dev/loop4")
}

func TestInitStop(t *testing.T) {
	h := twoResources(t)
	h.write("proc/drbd", "version: 9\n")
	h.write("sys/module/drbd/holders/drbd_transport_tcp", "")
	h.write("var/lock/subsys/drbd", "")
	h.tool("drbdsetup", `case "$*" in "events2 --now") printf 'exists resource name:r0 role:Secondary\nexists resource name:stray role:Secondary\nexists -\n';; esac`)
	out, code := h.run(initScript, "stop")
	ended(t, out, code, 0)
	if out != "Stopping all DRBD resources: .\n" {
		t.Errorf("output %q", out)
	}
	h.called("umount /dev/drbd0", "drbdadm -S sh-resources", "drbdadm sh-resources", "drbdsetup events2 --now", "drbdsetup down r0", "drbdsetup down r1",
		"drbdsetup down r0", "drbdsetup down stray", "udevadm settle --timeout=5", "rmmod drbd_transport_tcp", "rmmod drbd")
	if h.exists("var/lock/subsys/drbd") {
		t.Error("the lock of the subsystem is left")
	}
	out, code = h.run(initScript, "stop") // nothing to do
	ended(t, out, code, 0, ".\n")
	h.called()
}

func TestInitStopTriesTwice(t *testing.T) {
	h := twoResources(t)
	h.write("proc/drbd", "version: 9\n")
	h.tool("umount", `echo "umount: $1: target is busy." >&2; exit 32`)
	out, code := h.run(initScript, "stop")
	ended(t, out, code, 0, "target is busy", "Retrying once...", "DRBD is still loaded")
	h.calledOnly("umount", "umount /dev/drbd0", "umount /dev/drbd0")
	h.calledOnly("rmmod")
}

func TestInitStatus(t *testing.T) {
	h := twoResources(t)
	out, code := h.run(initScript, "status")
	ended(t, out, code, 3, "drbd not loaded")

	h.write("proc/drbd", `version: 9.3.90 (api:2/proto:86-101)
srcversion: 0123

 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----
    ns:44 nr:0 dw:0 dr:45 al:10 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
 1: cs:SyncSource ro:Secondary/Secondary ds:UpToDate/Inconsistent C r-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:2768160
	[=>..................] sync'ed: 12.0% (2768160/3140544)K
	finish: 0:01:06 speed: 41,376 (41,376) K/sec
 2: cs:WFConnection ro:Secondary/Unknown ds:Inconsistent/DUnknown   r----s
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:3140544
`)
	h.write("proc/mounts", "/dev/vda / ext4 rw 0 0\n/dev/drbd0 /srv/data ext4 rw 0 0\n")
	h.tool("drbdsetup", `printf 'exists device name:r0 volume:0 minor:0 disk:UpToDate\nexists device name:r1 volume:1 minor:1 disk:UpToDate\nexists -\n'`)
	out, code = h.run(initScript, "status")
	ended(t, out, code, 0)
	want := `drbd driver loaded OK; device status:
version: 9.3.90 (api:2/proto:86-101)
srcversion: 0123
m:res   cs            ro                   ds                     p                   mounted    fstype
0:r0    Connected     Primary/Secondary    UpToDate/UpToDate      C                   /srv/data  ext4
1:r1/1  SyncSource    Secondary/Secondary  UpToDate/Inconsistent  C
...     ...           sync'ed:             12.0%                  (2768160/3140544)K
2:?     WFConnection  Secondary/Unknown    Inconsistent/DUnknown  -
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	h.write("proc/drbd", "version: 9.3.3 (api:2/proto:86-123)\nGIT-hash: 1\nTransports: tcp\n")
	h.tool("drbdsetup", `[ "$1" = status ] && echo "r0 role:Primary"`)
	out, code = h.run(initScript, "status")
	ended(t, out, code, 0, "r0 role:Primary") // a module that does not show devices there
}

func TestInitOtherActions(t *testing.T) {
	h := twoResources(t)
	h.write("etc/default/drbd", "hook_reload() { echo hook: reload; }\n")
	out, code := h.run(initScript, "reload")
	ended(t, out, code, 0, "Reloading DRBD configuration", "hook: reload")
	h.called("drbdadm adjust all")
	h.tool("drbdadm", "exit 10")
	out, code = h.run(initScript, "reload")
	ended(t, out, code, 10, "failed.")

	for _, action := range []string{"restart", "force-reload"} {
		h := twoResources(t)
		h.write("proc/drbd", "version: 9\n")
		out, code := h.run(initScript, action)
		ended(t, out, code, 0, "Stopping all DRBD resources", "Starting DRBD resources")
		h.calledOnly("rmmod", "rmmod drbd")
		h.calledOnly("modprobe", "modprobe -s drbd")
	}
	for _, args := range [][]string{nil, {"stat"}} {
		out, code := h.run(initScript, args...)
		ended(t, out, code, 1, "Usage: /etc/init.d/drbd {start|stop|status|reload|restart|force-reload}")
	}
}

// Run levels and order come from the header.
func TestInitHeader(t *testing.T) {
	text, err := os.ReadFile(scripts + "/" + initScript)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(text), "### BEGIN INIT INFO\n")
	header, _, ends := strings.Cut(rest, "### END INIT INFO\n")
	if !begins || !ends {
		t.Fatal("no LSB header")
	}
	for _, want := range []string{"Provides: drbd", "Required-Start: $local_fs $network $syslog", "Default-Start:", "Default-Stop: 0 1 6", "X-Interactive: true"} {
		found := false
		for line := range strings.Lines(header) {
			found = found || strings.Join(strings.Fields(strings.TrimPrefix(line, "# ")), " ") == want
		}
		if !found {
			t.Errorf("no line %q in\n%s", want, header)
		}
	}
}
