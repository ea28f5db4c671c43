package hosts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cib is the configuration of a cluster: quorum, stonith, the state of the host bravo, rules.
func cib(quorum, stonith bool, bravo, rules string) string {
	states := map[string]string{
		"online":  `in_ccm="true" crmd="online" join="member" expected="member"`,
		"online2": `in_ccm="1700000000" crmd="1700000001" join="member" expected="member"`,
		"lost":    `in_ccm="false" crmd="offline" join="down" expected="member"`,
		"offline": `in_ccm="false" crmd="offline" join="down" expected="down"`,
	}
	return fmt.Sprintf(`<cib epoch="7" have-quorum="%d" dc-uuid="1"><configuration><crm_config><nvpair id="s" name="stonith-enabled" value="%v"/></crm_config>
<resources><clone id="other-clone"><primitive id="p0" class="ocf" provider="linbit" type="drbd"><instance_attributes id="i0"><nvpair id="n0" name="drbd_resource" value="r00"/></instance_attributes></primitive></clone>
<master id="ms_drbd"><primitive id="p1" class="ocf" provider="linbit" type="drbd"><instance_attributes id="i1"><nvpair id="n1" name="drbd_resource" value="r0"/></instance_attributes></primitive></master></resources>
<constraints>%s</constraints></configuration><status><node_state id="1" uname="alpha" in_ccm="true" crmd="online" expected="member"/><node_state id="2" uname="bravo" %s/></status></cib>
`, map[bool]int{true: 1}[quorum], stonith, rules, states[bravo])
}

func location(hosts ...string) string {
	var s strings.Builder
	s.WriteString(`<rsc_location rsc="ms_drbd" id="drbd-fence-by-handler-r0-ms_drbd">` + "\n" + `<rule role="Master" score="-INFINITY" id="drbd-fence-by-handler-r0-rule-ms_drbd">` + "\n")
	for _, h := range hosts {
		s.WriteString(`<expression attribute="#uname" operation="ne" value="` + h + `" id="drbd-fence-by-handler-r0-expr-` + h + `-ms_drbd"/>` + "\n")
	}
	return s.String() + "</rule>\n</rsc_location>"
}

// fencing is the host alpha (node id 0) whose peer bravo (node id 1) is to be fenced.
func fencing(t *testing.T, config string) *host {
	h := newHost(t)
	for _, v := range []string{"DRBD_RESOURCE=r0", "DRBD_NODE_ID_0=alpha", "DRBD_NODE_ID_1=bravo", "DRBD_MY_NODE_ID=0", "DRBD_PEER_NODE_ID=1", "UP_TO_DATE_NODES=0x00000001"} {
		h.set(v)
	}
	h.tool("crm_node", "echo alpha")
	h.tool("reboot", "")
	h.tool("drbdsetup", "echo Primary")
	h.tool("cibadmin", `case "$1" in -Q) cat "$DRBD_ROOT/cib";; *) echo "$5" >"$DRBD_ROOT/xml";; esac`)
	h.write("cib", config)
	return h
}

func fence(h *host, args ...string) (string, int) {
	return h.run("handlers/crm-fence-peer.9.sh", args...)
}

func TestFencePeer(t *testing.T) {
	for _, c := range []struct {
		name, cib string
		env       string
		code      int
		says      string
		xml       string // written, "" when nothing may be
	}{
		{"peer runs", cib(true, true, "online", ""), "", 4, "only alpha may be Primary", location("alpha")},
		{"peer runs, newer Pacemaker", cib(true, true, "online2", ""), "", 4, "", location("alpha")},
		{"peer is down, stonith", cib(true, true, "offline", ""), "", 7, "", location("alpha")},
		{"peer is down, no stonith", cib(true, false, "offline", ""), "", 5, "", location("alpha")},
		{"peer is lost, no stonith", cib(true, false, "lost", ""), "", 5, "cannot be reached", location("alpha")},
		{"no quorum", cib(false, true, "lost", ""), "", 1, "no quorum", ""},
		{"our data is not good", cib(true, true, "online", ""), "UP_TO_DATE_NODES=0x00000002", 1, "is not good", ""},
		{"all ones: everybody but the peer", cib(true, true, "online", ""), "UP_TO_DATE_NODES=0xFFFFFFFFFFFFFFFF", 4, "", location("alpha")},
		{"our rule is there", cib(true, true, "online", location("alpha")), "", 4, "there already", ""},
		{"somebody shut us out", cib(true, true, "online", location("bravo")), "", 1, "somebody else", ""},
		{"a rule is made stricter", cib(true, true, "online", location("alpha", "charlie")), "", 4, "only alpha may", location("alpha")},
		{"no such clone", strings.ReplaceAll(cib(true, true, "online", ""), `value="r0"`, `value="r1"`), "", 1, "--master-id", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := fencing(t, c.cib)
			if c.env != "" {
				h.set(c.env)
			}
			out, code := fence(h)
			ended(t, out, code, c.code, c.says)
			written := ""
			if h.exists("xml") {
				written = strings.TrimSpace(h.read("xml"))
			}
			if written != c.xml {
				t.Errorf("written:\n%s\nwant:\n%s", written, c.xml)
			}
			h.calledOnly("reboot")
		})
	}
}

func TestFencePeerWaitsForStonith(t *testing.T) {
	h := fencing(t, cib(true, true, "lost", ""))
	h.write("later", cib(true, true, "offline", ""))
	h.tool("cibadmin", `case "$1" in -Q) cat "$DRBD_ROOT/cib"; cp "$DRBD_ROOT/later" "$DRBD_ROOT/cib";; esac`)
	out, code := fence(h)
	ended(t, out, code, 7, "was shot")

	h = fencing(t, cib(true, true, "lost", ""))
	out, code = fence(h, "--timeout", "1")
	ended(t, out, code, 1, "not shot within 1 seconds")
	h.calledOnly("reboot")
	out, code = fence(h, "--timeout=1", "--suicide-on-failure-if-primary")
	ended(t, out, code, 1, "rebooting")
	h.calledOnly("reboot", "reboot -f")
}

func TestFencePeerThreeNodes(t *testing.T) {
	h := fencing(t, cib(true, true, "online", ""))
	h.set("DRBD_NODE_ID_2=charlie charlie.example.org")
	h.set("UP_TO_DATE_NODES=0x00000005")
	out, code := fence(h)
	ended(t, out, code, 4)
	if got := strings.TrimSpace(h.read("xml")); got != location("alpha", "charlie") {
		t.Errorf("written:\n%s", got)
	}
}

// The kernel of 8.4 tells the peer's name only.
func TestFencePeerOf84(t *testing.T) {
	dest := installed(t)
	h := newHost(t)
	for _, v := range []string{"DRBD_RESOURCE=r0", "DRBD_PEER=bravo", "DRBD_PEERS=bravo"} {
		h.set(v)
	}
	h.tool("crm_node", "echo alpha")
	h.tool("cibadmin", `case "$1" in -Q) cat "$DRBD_ROOT/cib";; *) echo "$5" >"$DRBD_ROOT/xml";; esac`)
	h.write("cib", cib(true, true, "online", ""))
	out, code := h.run(filepath.Join(dest, "usr/lib/drbd/crm-fence-peer.sh"))
	ended(t, out, code, 4)
	if got := strings.TrimSpace(h.read("xml")); got != location("alpha") {
		t.Errorf("written:\n%s", got)
	}
}

func TestFencePeerOptions(t *testing.T) {
	h := fencing(t, cib(true, true, "online", ""))
	out, code := fence(h, "--master-id", "my-clone", "--id-prefix=fence", "--role", "Promoted", "--fencing-attribute=site", "--quiet")
	ended(t, out, code, 4)
	if out != "" {
		t.Errorf("quiet, but: %q", out)
	}
	want := `<rsc_location rsc="my-clone" id="fence-r0-my-clone">
<rule role="Promoted" score="-INFINITY" id="fence-r0-rule-my-clone">
<expression attribute="site" operation="ne" value="alpha" id="fence-r0-expr-alpha-my-clone"/>
</rule>
</rsc_location>`
	if got := strings.TrimSpace(h.read("xml")); got != want {
		t.Errorf("written:\n%s", got)
	}
	for _, args := range [][]string{{"--nonsense", "1"}, {"--timeout"}} {
		out, code = fence(h, args...)
		ended(t, out, code, 1, "usage:")
	}
	h.tool("cibadmin", "exit 1")
	out, code = fence(h, "--dc-timeout", "1")
	ended(t, out, code, 1, "does not answer within 1 seconds")
	h = newHost(t)
	out, code = fence(h)
	ended(t, out, code, 1, "called by drbdadm as a handler")
}

func TestFencePeerOneAtATime(t *testing.T) {
	h := fencing(t, cib(true, true, "online", ""))
	h.tool("flock", "exit 1") // another one has it
	out, code := fence(h, "--flock-timeout", "3")
	ended(t, out, code, 1, "still running after 3 seconds")
	h.called("flock -w 3 9")
	if !h.exists("var/run/drbd/lock/fence.r0") {
		t.Error("the lock file is elsewhere")
	}
}

func TestUnfencePeer(t *testing.T) {
	dest := installed(t)
	script := filepath.Join(dest, "usr/lib/drbd/crm-unfence-peer.9.sh")
	for _, c := range []struct {
		name, rules, arguments string
		removed                bool
	}{
		{"our rule", location("alpha"), "", true},
		{"no rule", "", "", false},
		{"of another host", location("bravo"), "", true},
		{"of another host, who must match", location("bravo"), "--unfence-only-if-owner-match --quiet", false},
		{"ours, who must match", location("alpha"), "--unfence-only-if-owner-match --flock-required --flock-timeout 0", true},
	} {
		h := fencing(t, cib(true, true, "online", c.rules))
		h.set("unfence_extra_args=" + c.arguments) // as the resource agent hands them over
		out, code := h.run(script)
		ended(t, out, code, 0)
		want := []string(nil)
		if c.removed {
			want = []string{`cibadmin -D -o constraints -X <rsc_location rsc="ms_drbd" id="drbd-fence-by-handler-r0-ms_drbd"/>`}
		}
		h.calledOnly("cibadmin -D", want...)
	}
}

func TestStonithFencePeer(t *testing.T) {
	const script = "handlers/stonith_admin-fence-peer.sh"
	h := fencing(t, "")
	h.tool("stonith_admin", "")
	out, code := h.run(script)
	ended(t, out, code, 7)
	h.called("stonith_admin --fence bravo --tolerance 5s")
	h.tool("stonith_admin", "exit 1")
	out, code = h.run(script)
	ended(t, out, code, 1, "could not be fenced")
	h = newHost(t)
	h.tool("stonith_admin", "")
	out, code = h.run(script)
	ended(t, out, code, 1, "whom to fence")
	h.called()
}

func TestOutdatePeer(t *testing.T) {
	const script = "handlers/outdate-peer.sh"
	for ssh, want := range map[string]int{"0": 4, "5": 3, "17": 6, "255": 5, "1": 5} {
		h := fencing(t, "")
		h.tool("ssh", "exit "+ssh)
		out, code := h.run(script, "192.168.9.2")
		if code != want {
			t.Errorf("ssh %s: %d, want %d: %s", ssh, code, want, out)
		}
	}
	h := fencing(t, "")
	h.tool("ssh", `case "$*" in *net1*) exit 255;; esac`)
	out, code := h.run(script, "net1", "net2")
	ended(t, out, code, 4)
	h.called("ssh -o BatchMode=yes -o ConnectTimeout=5 net1 drbdadm outdate r0", "ssh -o BatchMode=yes -o ConnectTimeout=5 net2 drbdadm outdate r0")
	out, code = h.run(script)
	ended(t, out, code, 1, "no address")
}

func TestSnapshot(t *testing.T) {
	const script = "handlers/snapshot-resync-target-lvm.sh"
	snapshots := func(t *testing.T) *host {
		h := newHost(t)
		for _, v := range []string{"DRBD_RESOURCE=r0", "DRBD_VOLUME=0 1", "DRBD_MINOR=3 4", "DRBD_LL_DISK=/dev/vg/data none"} {
			h.set(v)
		}
		h.write("proc/drbd", " 3: cs:WFBitMapT ro:Secondary/Primary ds:Outdated/UpToDate C r-----\n    ns:0 nr:0 ep:1 wo:f oos:2000\n"+
			" 33: cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate C r-----\n    ns:0 wo:f oos:7\n")
		h.tool("lvs", `case "$*" in *vg_name*/dev/vg/data) echo "  vg";; *lv_name*/dev/vg/data) echo "  data";; *lv_size*) echo "  100000.00";;
			*lv_name*"vg/data-before-resync") [ -e "$DRBD_ROOT/snapshot" ] && echo "  data-before-resync";; esac`)
		h.tool("lvcreate", `touch "$DRBD_ROOT/snapshot"`)
		h.tool("lvremove", `rm "$DRBD_ROOT/snapshot"`)
		return h
	}
	h := snapshots(t)
	out, code := h.run(script, "--", "--chunksize", "64k")
	ended(t, out, code, 0)
	h.calledOnly("lvcreate", "lvcreate -s -n data-before-resync -L 22240k --chunksize 64k vg/data")
	out, code = h.run(script) // an earlier one stays: it is older and good
	ended(t, out, code, 0)
	h.calledOnly("lvcreate")

	dest := installed(t)
	out, code = h.run(filepath.Join(dest, "usr/lib/drbd/unsnapshot-resync-target-lvm.sh"))
	ended(t, out, code, 0)
	h.calledOnly("lvremove", "lvremove -f vg/data-before-resync")
	out, code = h.run(filepath.Join(dest, "usr/lib/drbd/unsnapshot-resync-target-lvm.sh"))
	ended(t, out, code, 0)
	h.calledOnly("lvremove")

	h = snapshots(t) // a stacked resource
	h.set("DRBD_RESOURCE=upper")
	h.set("DRBD_LL_DISK=/dev/drbd0 none")
	h.tool("drbdadm", `case "$*" in "-S sh-lr-of upper") echo r0;; "sh-ll-dev r0/0") echo /dev/vg/data;; esac`)
	out, code = h.run(script)
	ended(t, out, code, 0)
	h.calledOnly("lvcreate", "lvcreate -s -n data-before-resync -L 22240k vg/data")

	h = snapshots(t)
	out, code = h.run(script, "-a", "5", "-p", "20", "-v")
	ended(t, out, code, 0, "22005 KiB")
	h = snapshots(t)
	out, code = h.run(script, "-p", "500")
	ended(t, out, code, 0)
	h.calledOnly("lvcreate", "lvcreate -s -n data-before-resync -L 110240k vg/data")

	h.write("etc/default/drbd-snapshot", "SNAP_NAME=safe\nSNAP_PERCENT=0\n")
	out, code = h.run(script)
	ended(t, out, code, 0)
	h.calledOnly("lvcreate", "lvcreate -s -n safe -L 12240k vg/data")

	h = snapshots(t)
	h.tool("lvcreate", "exit 5")
	out, code = h.run(script)
	ended(t, out, code, 0, "could not be made")
	out, code = h.run(script, "-n") // refuse the resync
	ended(t, out, code, 1, "could not be made")
	h.set("DRBD_LL_DISK=/dev/sda none")
	out, code = h.run(script, "-n")
	ended(t, out, code, 1, "no logical volume")
}

func TestNotify(t *testing.T) {
	dest := installed(t)
	links, err := filepath.Glob(filepath.Join(dest, "usr/lib/drbd/notify*.sh"))
	if err != nil || len(links) < 9 {
		t.Fatalf("%v, %v", links, err)
	}
	subjects := map[string]bool{}
	for _, script := range links {
		h := newHost(t)
		h.set("DRBD_RESOURCE=r0")
		h.set("DRBD_PEER=bravo")
		h.tool("mail", `cat >"$DRBD_ROOT/mail"`)
		out, code := h.run(script, "admin@example.org")
		ended(t, out, code, 0)
		call := strings.Join(h.calls(), "\n")
		if !strings.HasPrefix(call, "mail -s DRBD") || !strings.HasSuffix(call, " admin@example.org") || !strings.Contains(call, "resource r0") ||
			!strings.Contains(call, "peer bravo") || subjects[call] {
			t.Errorf("%s: %q", filepath.Base(script), call)
		}
		subjects[call] = true
		if len(h.read("mail")) < 20 {
			t.Errorf("%s: the mail is %q", filepath.Base(script), h.read("mail"))
		}
	}
	h := newHost(t)
	h.set("DRBD_RESOURCE=r0")
	h.tool("mail", "exit 1")
	out, code := h.run("handlers/notify.sh")
	ended(t, out, code, 0, "mail to root failed") // an event's handler line goes on
	h.tool("logger", `echo "$*" >>"$DRBD_ROOT/syslog"`)
	out, code = h.run("handlers/notify.sh", "-l", "daemon")
	ended(t, out, code, 0)
	if !strings.Contains(h.read("syslog"), "-p daemon.notice") {
		t.Errorf("logged as %s", h.read("syslog"))
	}
	if err := os.Remove(h.path("bin/mail")); err != nil {
		t.Fatal(err)
	}
	h = newHost(t)
	out, code = h.run("handlers/notify.sh")
	ended(t, out, code, 1, "DRBD_RESOURCE is not set")
}
