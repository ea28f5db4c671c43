package hosts

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"
)

const agent = "ocf/drbd"

// agentHost has a configured resource r0 in the cluster manager's hands. The module's answers come from the file "events".
func agentHost(t *testing.T) *host {
	h := newHost(t)
	h.set("OCF_RESKEY_drbd_resource=r0")
	h.set("OCF_RESKEY_CRM_meta_notify=true")
	h.set("OCF_RESOURCE_INSTANCE=p_drbd")
	h.set("DRBD_PROMOTE_PAUSE=0")
	h.write("etc/drbd.conf", "resource r0 { }\n")
	h.write("dev/drbd0", "")
	h.tool("crm_master", "")
	h.tool("crm_resource", "")
	h.tool("modprobe", `touch "$DRBD_ROOT/proc/drbd"`)
	h.tool("drbdsetup", `case "$*" in "events2 --now r0") cat "$DRBD_ROOT/events"; echo "exists -";; "down r0") : >"$DRBD_ROOT/events";; esac`)
	h.tool("drbdadm", `case "$*" in
		--version) echo DRBD_KERNEL_VERSION_CODE=0x09035a; echo DRBD_KERNEL_VERSION=9.3.90;;
		*"sh-dev r0") echo /dev/drbd0;;
		*sh-mod-parms) echo minor_count=32;;
		*"adjust --skip-net r0") cp "$DRBD_ROOT/up" "$DRBD_ROOT/events";;
		*" primary r0") sed -i s/role:Secondary/role:Primary/ "$DRBD_ROOT/events";;
		*" secondary r0") sed -i s/role:Primary/role:Secondary/ "$DRBD_ROOT/events";;
		*" down r0") : >"$DRBD_ROOT/events";;
		esac`)
	h.module(events("Secondary", "UpToDate", "Secondary", "UpToDate"))
	h.write("events", "")
	return h
}

// module is what it has once the resource is up; loaded and running at once.
func (h *host) module(text string) {
	h.write("up", text)
	h.write("events", text)
}

func (h *host) loaded() *host {
	h.write("proc/drbd", "version: 9\n")
	h.write("events", h.read("up"))
	return h
}

func (h *host) read(name string) string {
	text, err := os.ReadFile(h.path(name))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

func events(role, disk, peerRole, peerDisk string) string {
	return strings.Join([]string{
		"exists resource name:r0 role:" + role + " suspended:no",
		"exists connection name:r0 peer-node-id:1 conn-name:bravo connection:Connected role:" + peerRole,
		"exists device name:r0 volume:0 minor:0 backing_dev:/dev/vda disk:" + disk + " client:no quorum:yes",
		"exists peer-device name:r0 peer-node-id:1 conn-name:bravo volume:0 replication:Established peer-disk:" + peerDisk + " peer-client:no",
	}, "\n") + "\n"
}

func TestAgentMetaData(t *testing.T) {
	h := newHost(t)
	out, code := h.run(agent, "meta-data")
	ended(t, out, code, 0)
	var meta struct {
		Name       string `xml:"name,attr"`
		Parameters []struct {
			Name     string `xml:"name,attr"`
			Required string `xml:"required,attr"`
			Content  struct {
				Default string `xml:"default,attr"`
			} `xml:"content"`
		} `xml:"parameters>parameter"`
		Actions []struct {
			Name string `xml:"name,attr"`
		} `xml:"actions>action"`
	}
	if err := xml.Unmarshal([]byte(out), &meta); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if meta.Name != "drbd" || len(meta.Parameters) != 13 || len(meta.Actions) < 10 || meta.Parameters[0].Name != "drbd_resource" ||
		meta.Parameters[0].Required != "1" || meta.Parameters[2].Content.Default != "0 10 1000 10000" {
		t.Errorf("%+v", meta)
	}
}

func TestAgentMonitor(t *testing.T) {
	for _, c := range []struct {
		name, events, device string
		loaded               bool
		code                 int
	}{
		{"no module", "", "dev/drbd0", false, 7},
		{"not configured", "", "dev/drbd0", true, 7},
		{"no device node", events("Secondary", "UpToDate", "Secondary", "UpToDate"), "", true, 7},
		{"secondary", events("Secondary", "UpToDate", "Secondary", "UpToDate"), "dev/drbd0", true, 0},
		{"primary", events("Primary", "UpToDate", "Secondary", "UpToDate"), "dev/drbd0", true, 8},
		{"another resource", strings.ReplaceAll(events("Primary", "UpToDate", "Secondary", "UpToDate"), "name:r0", "name:r00"), "dev/drbd0", true, 7},
	} {
		h := agentHost(t)
		h.module(c.events)
		if c.loaded {
			h.loaded()
		}
		if c.device == "" {
			_ = os.Remove(h.path("dev/drbd0"))
		}
		out, code := h.run(agent, "monitor")
		if code != c.code {
			t.Errorf("%s: %d, want %d: %s", c.name, code, c.code, out)
		}
	}
}

func TestAgentScore(t *testing.T) {
	client := func(role, peerDisk string) string {
		return strings.Replace(events(role, "Diskless", "Secondary", peerDisk), "client:no quorum", "client:yes quorum", 1)
	}
	set := func(n string) string { return "crm_master -Q -l reboot -v " + n }
	const none, unchanged = "crm_master -Q -l reboot -D", ""
	for _, c := range []struct {
		name, events string
		env          string
		want         string
	}{
		{"all is well", events("Secondary", "UpToDate", "Secondary", "UpToDate"), "", set("10000")},
		{"primary", events("Primary", "UpToDate", "Secondary", "Inconsistent"), "", set("10000")},
		{"primary alone", events("Primary", "UpToDate", "Unknown", "DUnknown"), "", set("10000")},
		{"peer unknown", events("Secondary", "UpToDate", "Unknown", "DUnknown"), "", set("1000")},
		{"only the peer is good", events("Secondary", "Inconsistent", "Primary", "UpToDate"), "", set("10")},
		{"consistent only, no score by default", events("Secondary", "Consistent", "Unknown", "DUnknown"), "", none},
		{"consistent only", events("Secondary", "Consistent", "Unknown", "DUnknown"), "OCF_RESKEY_adjust_master_score=5 10 1000 10000", set("5")},
		{"outdated", events("Secondary", "Outdated", "Unknown", "DUnknown"), "", none},
		{"attaching", events("Secondary", "Attaching", "Unknown", "DUnknown"), "", unchanged},
		{"no quorum", strings.Replace(events("Secondary", "UpToDate", "Secondary", "UpToDate"), "quorum:yes", "quorum:no", 1), "", none},
		{"client, good peer", client("Secondary", "UpToDate"), "", set("9999")},
		{"client, bad peer", client("Primary", "Inconsistent"), "", none},
		{"peer is primary, option", events("Secondary", "UpToDate", "Primary", "UpToDate"), "OCF_RESKEY_remove_master_score_if_peer_primary=true", none},
		{"peer is primary, no option", events("Secondary", "UpToDate", "Primary", "UpToDate"), "", set("10000")},
		{"peer is primary, the cluster does not know", events("Secondary", "UpToDate", "Primary", "UpToDate"), "OCF_RESKEY_remove_master_score_if_peer_primary=unexpected", none},
		{"malformed option", events("Secondary", "UpToDate", "Unknown", "DUnknown"), "OCF_RESKEY_adjust_master_score=10 5 1 0", set("1000")},
		{"one volume of two", events("Secondary", "UpToDate", "Unknown", "DUnknown") + "exists device name:r0 volume:1 minor:1 disk:Inconsistent client:no quorum:yes\n", "", none},
	} {
		h := agentHost(t)
		h.module(c.events)
		h.loaded()
		if c.env != "" {
			h.set(c.env)
		}
		h.set("OCF_RESKEY_CRM_meta_interval=10000")
		h.run(agent, "monitor")
		got := ""
		for _, call := range h.calls() {
			if strings.HasPrefix(call, "crm_master") {
				got = call
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAgentStart(t *testing.T) {
	h := agentHost(t)
	out, code := h.run(agent, "start")
	ended(t, out, code, 0)
	h.called("drbdadm --version", "drbdadm -c /etc/drbd.conf sh-dev r0", "drbdadm -c /etc/drbd.conf sh-mod-parms", "modprobe -s drbd minor_count=32",
		"drbdsetup events2 --now r0",
		"drbdadm -c /etc/drbd.conf check-resize r0", "drbdadm -c /etc/drbd.conf new-resource r0", "drbdadm -c /etc/drbd.conf new-minor r0",
		"drbdadm -c /etc/drbd.conf sh-dev r0", "drbdadm -c /etc/drbd.conf adjust --skip-net r0", "drbdsetup events2 --now r0",
		"drbdadm -c /etc/drbd.conf sh-dev r0", "drbdadm -c /etc/drbd.conf adjust r0",
		"drbdsetup wait-connect-resource r0 --wfc-timeout=5 --degr-wfc-timeout=5 --outdated-wfc-timeout=5", "drbdsetup events2 --now r0",
		"crm_master -Q -l reboot -v 10000")
	out, code = h.run(agent, "start") // it runs already
	ended(t, out, code, 0)
	h.calledOnly("drbdadm -c /etc/drbd.conf new")

	h = agentHost(t)
	h.module(events("Primary", "UpToDate", "Secondary", "UpToDate"))
	h.loaded()
	out, code = h.run(agent, "start")
	ended(t, out, code, 0, "before anybody promoted it")
	h.calledOnly("drbdadm -c /etc/drbd.conf secondary", "drbdadm -c /etc/drbd.conf secondary r0")

	h = agentHost(t)
	h.tool("drbdadm", `case "$*" in --version) echo DRBD_KERNEL_VERSION=9.3.90;; *"sh-dev r0") echo /dev/drbd0;; *new-minor*) echo no; exit 10;; esac`)
	out, code = h.run(agent, "start")
	ended(t, out, code, 1, "new-minor r0' ended with 10: no")
	h.calledOnly("drbdadm -c /etc/drbd.conf new-minor", "drbdadm -c /etc/drbd.conf new-minor r0", "drbdadm -c /etc/drbd.conf new-minor r0")
}

func TestAgentPromoteAndDemote(t *testing.T) {
	h := agentHost(t).loaded()
	out, code := h.run(agent, "promote")
	ended(t, out, code, 0)
	h.calledOnly("drbdadm -c /etc/drbd.conf primary", "drbdadm -c /etc/drbd.conf primary r0")
	out, code = h.run(agent, "monitor")
	ended(t, out, code, 8)
	out, code = h.run(agent, "demote")
	ended(t, out, code, 0)
	out, code = h.run(agent, "monitor")
	ended(t, out, code, 0)

	// 17 is an answer; 11 may change.
	for refusal, tries := range map[string]int{"17": 1, "11": 3} {
		h := agentHost(t).loaded()
		h.tool("drbdadm", `case "$*" in --version) echo DRBD_KERNEL_VERSION=9.3.90;; *"sh-dev r0") echo /dev/drbd0;;
			*primary*) echo x >>"$DRBD_ROOT/tries"; [ $(wc -l <"$DRBD_ROOT/tries") -ge 3 ] && sed -i s/role:Secondary/role:Primary/ "$DRBD_ROOT/events"; exit `+refusal+`;; esac`)
		out, code := h.run(agent, "promote")
		ended(t, out, code, map[string]int{"17": 1, "11": 0}[refusal])
		if n := strings.Count(h.read("tries"), "x"); n != tries {
			t.Errorf("%s: %d tries, want %d", refusal, n, tries)
		}
	}

	h = agentHost(t).loaded()
	h.module(events("Secondary", "UpToDate", "Primary", "UpToDate"))
	h.set("OCF_RESKEY_fail_promote_early_if_peer_primary=true")
	out, code = h.run(agent, "promote")
	ended(t, out, code, 1, "Primary on a peer")
	h.calledOnly("drbdadm -c /etc/drbd.conf primary")

	h = agentHost(t)
	out, code = h.run(agent, "promote")
	ended(t, out, code, 1, "not running")
	out, code = h.run(agent, "demote")
	ended(t, out, code, 7)
}

func TestAgentStop(t *testing.T) {
	h := agentHost(t)
	h.module(events("Primary", "UpToDate", "Secondary", "UpToDate"))
	h.loaded()
	out, code := h.run(agent, "stop")
	ended(t, out, code, 0)
	h.calledOnly("drbdadm -c /etc/drbd.conf secondary", "drbdadm -c /etc/drbd.conf secondary r0")
	h.calledOnly("drbdadm -c /etc/drbd.conf down", "drbdadm -c /etc/drbd.conf down r0")
	h.calledOnly("crm_master", "crm_master -Q -l reboot -D")
	out, code = h.run(agent, "stop") // stopped already
	ended(t, out, code, 0)

	h = agentHost(t)
	h.module(events("Secondary", "UpToDate", "Unknown", "DUnknown"))
	h.loaded()
	h.set("OCF_RESKEY_stop_outdates_secondary=true")
	h.set("OCF_RESKEY_CRM_meta_notify_promoted_uname=bravo")
	out, code = h.run(agent, "stop")
	ended(t, out, code, 0)
	h.calledOnly("drbdadm -c /etc/drbd.conf outdate", "drbdadm -c /etc/drbd.conf outdate r0")
}

// A stop that fails gets the host shot: a mistake in the configuration must not do that.
func TestAgentStopInSpiteOfMistakes(t *testing.T) {
	for _, mistake := range []string{"OCF_RESKEY_CRM_meta_clone_node_max=2", "OCF_RESKEY_drbdconf=/etc/missing.conf", "OCF_RESKEY_require_drbd_module_version_ge=nine"} {
		h := agentHost(t).loaded()
		h.set(mistake)
		out, code := h.run(agent, "stop")
		ended(t, out, code, 0)
		h.calledOnly("drbdsetup down", "drbdsetup down r0")
	}
}

func TestAgentNotify(t *testing.T) {
	for _, c := range []struct {
		kind, operation, option string
		adjust, score, outdate  bool
	}{
		{"pre", "start", "", true, false, false},
		{"post", "start", "", true, true, false},
		{"post", "promote", "", false, true, false},
		{"pre", "stop", "", false, false, false},
		{"post", "stop", "OCF_RESKEY_stop_outdates_secondary=true", false, true, true},
		{"post", "start", "OCF_RESKEY_connect_only_after_promote=true", false, true, false},
		{"post", "promote", "OCF_RESKEY_connect_only_after_promote=true", true, true, false},
	} {
		h := agentHost(t)
		h.module(events("Secondary", "UpToDate", "Unknown", "DUnknown"))
		h.loaded()
		h.set("OCF_RESKEY_CRM_meta_notify_type=" + c.kind)
		h.set("OCF_RESKEY_CRM_meta_notify_operation=" + c.operation)
		if c.outdate {
			h.set("OCF_RESKEY_CRM_meta_notify_promoted_uname=bravo")
		}
		if c.option != "" {
			h.set(c.option)
		}
		out, code := h.run(agent, "notify")
		ended(t, out, code, 0)
		calls := "\n" + strings.Join(h.calls(), "\n")
		for what, want := range map[string]bool{" adjust r0": c.adjust, "\ncrm_master": c.score, " outdate r0": c.outdate} {
			if strings.Contains(calls, what) != want {
				t.Errorf("%+v: %q called: %v", c, what, !want)
			}
		}
	}
}

func TestAgentReloadAndUnfence(t *testing.T) {
	h := agentHost(t)
	h.module(events("Primary", "UpToDate", "Secondary", "UpToDate"))
	h.loaded()
	h.set("OCF_RESKEY_unfence_if_all_uptodate=true")
	h.tool("drbdadm", `case "$*" in --version) echo DRBD_KERNEL_VERSION=9.3.90;; *"sh-dev r0") echo /dev/drbd0;; *unfence-peer*) echo "args $unfence_extra_args" >>"$LOG";; esac`)
	out, code := h.run(agent, "reload")
	ended(t, out, code, 0)
	h.calledOnly("drbdadm -c /etc/drbd.conf adjust", "drbdadm -c /etc/drbd.conf adjust r0")
	h.calledOnly("drbdadm -c /etc/drbd.conf unfence-peer", "drbdadm -c /etc/drbd.conf unfence-peer r0")
	h.calledOnly("args", "args --quiet --flock-required --flock-timeout 0 --unfence-only-if-owner-match")
}

func TestAgentValidation(t *testing.T) {
	for _, c := range []struct {
		name, action string
		env          []string
		code         int
		says         string
	}{
		{"all right", "validate-all", nil, 0, ""},
		{"no name", "start", []string{"OCF_RESKEY_drbd_resource="}, 6, "drbd_resource must be"},
		{"a name that is a command", "start", []string{"OCF_RESKEY_drbd_resource=r0;reboot"}, 6, "drbd_resource must be"},
		{"a file that is a command", "start", []string{"OCF_RESKEY_drbdconf=/etc/$(reboot)"}, 6, "not possible"},
		{"no file", "start", []string{"OCF_RESKEY_drbdconf=/etc/other.conf"}, 5, "cannot be read"},
		{"no notifications", "start", []string{"OCF_RESKEY_CRM_meta_notify=false"}, 6, "notify=true"},
		{"no notifications, on purpose", "demote", []string{"OCF_RESKEY_CRM_meta_notify=false", "OCF_RESKEY_ignore_missing_notifications=true"}, 7, ""},
		{"two on one host", "monitor", []string{"OCF_RESKEY_CRM_meta_clone_node_max=2"}, 6, "must be 1"},
		{"three masters", "monitor", []string{"OCF_RESKEY_CRM_meta_master_max=3"}, 6, "1 or 2"},
		{"two masters, three clones", "monitor", []string{"OCF_RESKEY_CRM_meta_promoted_max=2", "OCF_RESKEY_CRM_meta_clone_max=3"}, 6, "no more than two"},
		{"two masters, not in drbd.conf", "start", []string{"OCF_RESKEY_CRM_meta_promoted_max=2"}, 6, "allow-two-primaries"},
		{"module too old", "start", []string{"OCF_RESKEY_require_drbd_module_version_ge=9.4.0"}, 5, "is required"},
		{"module too new", "start", []string{"OCF_RESKEY_require_drbd_module_version_lt=9.3.90"}, 5, "is required"},
		{"unknown resource, probe", "monitor", []string{"OCF_RESKEY_drbd_resource=nobody"}, 7, "not configured"},
		{"unknown resource", "start", []string{"OCF_RESKEY_drbd_resource=nobody"}, 5, "not configured"},
		{"unknown action", "dance", nil, 3, "unknown action"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := agentHost(t)
			h.tool("drbdadm", `case "$*" in --version) echo DRBD_KERNEL_VERSION=9.3.90;; *"sh-dev r0") echo /dev/drbd0;; *sh-dev*) exit 1;; esac`)
			for _, v := range c.env {
				h.set(v)
			}
			out, code := h.run(agent, c.action)
			ended(t, out, code, c.code, c.says)
		})
	}
	h := agentHost(t)
	h.set("OCF_RESKEY_CRM_meta_promoted_max=2")
	h.tool("drbdadm", strings.Replace(h.read("bin/drbdadm"), "--version)", `*" -d -v dump r0") printf 'net {\n  allow-two-primaries\t yes;\n}\n';; --version)`, 1))
	out, code := h.run(agent, "start")
	ended(t, out, code, 0)
	out, code = h.run(agent)
	ended(t, out, code, 2, "usage")
}
