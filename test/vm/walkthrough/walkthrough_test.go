package walkthrough

import (
	"strings"
	"testing"
	"time"
)

// TestVM07 is the oldest: DRBD 0.7, two hosts that back each other up, one resource Primary on each.
func TestVM07(t *testing.T) {
	disks := []string{"/dev/sda3", "/dev/sda4"}
	s1, s2 := pairOf(t, [2]host{{"s1.unoh.net", "10.1.0.1", disks}, {"s2.unoh.net", "10.1.0.2", disks}}, 40<<20, 40<<20)
	seed(t, "seed-000-drbd07.conf", "/etc/drbd.conf", s1, s2)

	// 0.7 needed no create-md. The start says so; it works after that.
	said := s1.types("timeout 6 /etc/init.d/drbd start; true") // it would wait for a peer, by this file for ever
	if !strings.Contains(said, "No valid meta data found") || !strings.Contains(said, "drbdadm create-md drbd0") {
		t.Errorf("the start without metadata said:\n%s", said)
	}
	s1.types("/etc/init.d/drbd stop")
	for _, s := range []*node{s1, s2} {
		s.types("drbdadm create-md drbd0 drbd1")
	}
	startBoth(s1, s2)
	s1.reaches(0, "cs:Connected ro:Secondary/Secondary ds:Inconsistent/Inconsistent", connectLimit)

	s1.refused("drbdadm primary drbd0", "drbd0")
	s1.types("drbdadm -- --do-what-I-say primary drbd0")
	s2.types("drbdadm -- --do-what-I-say primary drbd1")
	s1.reaches(0, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", syncLimit)
	s2.reaches(1, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", syncLimit)

	s1.writes("/dev/drbd0", "ext3", "written on s1")
	s2.writes("/dev/drbd1", "ext3", "written on s2")
	s1.types("mount /dev/drbd0 /mnt/drbd0")
	s1.refused("drbdadm secondary drbd0", "held open", "unmount it")
	s1.types("umount /mnt/drbd0 && drbdadm secondary drbd0")
	s2.types("drbdadm primary drbd0")
	s2.reads("/dev/drbd0", "ext3", "written on s1")
	s2.types("umount /mnt/drbd0 && drbdadm secondary drbd0 && drbdadm secondary drbd1")
	s1.types("drbdadm primary drbd0 && drbdadm primary drbd1")
	s1.reads("/dev/drbd1", "ext3", "written on s2")
	s1.types("umount /mnt/drbd1")

	s1.says("/etc/init.d/drbd restart", "Stopping all DRBD resources:", "Starting DRBD resources:")
	s1.reaches(0, "cs:Connected ro:Secondary/Secondary ds:UpToDate/UpToDate", connectLimit)
	s1.reaches(1, "cs:Connected ds:UpToDate/UpToDate", connectLimit)
}

// TestVM83: DRBD 8.3, the init script waits for the peer, the first sync is forced by drbdsetup and used while it runs.
func TestVM83(t *testing.T) {
	disks := []string{"/dev/sdc1"}
	one, other := pairOf(t, [2]host{{"t", "192.168.1.104", disks}, {"Shentar", "192.168.1.106", disks}}, 200<<20)
	seed(t, "seed-001-drbd83.conf", "/etc/drbd.conf", one, other)
	for _, n := range []*node{one, other} {
		n.types("drbdadm create-md r0")
	}
	one.refused("/etc/init.d/drbd status", "drbd not loaded")

	starts := one.begins("/etc/init.d/drbd start")
	one.reachesLoaded(2, "cs:WFConnection ro:Secondary/Unknown ds:Inconsistent/DUnknown")
	one.says("ps ax", "drbdadm wait-con-int") // it waits
	other.types("/etc/init.d/drbd start")
	if out := starts(); !strings.Contains(out, "Starting DRBD resources:") {
		t.Errorf("the init script said:\n%s", out)
	}
	one.reaches(2, "cs:Connected ro:Secondary/Secondary ds:Inconsistent/Inconsistent", connectLimit)
	one.says("ps ax", "[drbd_w_r0]", "[drbd_r_r0]", "[drbd_a_r0]")
	one.says("ls -l /dev/drbd2", "147,")

	one.types("drbdsetup /dev/drbd2 primary -o")
	one.says("cat /proc/drbd", "cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r")
	one.writes("/dev/drbd2", "ext3", "hello drbd!") // while the sync runs
	other.reaches(2, "cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate", syncLimit)
	one.types("mount /dev/drbd2 /mnt/drbd2")
	one.says("/etc/init.d/drbd status", "drbd driver loaded OK; device status:", "m:res", "2:r0", "Primary/Secondary", "/mnt/drbd2", "ext3")
	one.types("umount /mnt/drbd2 && drbdadm secondary all")
	other.types("drbdadm primary all")
	other.reads("/dev/drbd2", "ext3", "hello drbd!")
	one.refused("drbdadm primary r0", "r0")
	one.refused("dd if=/dev/drbd2 of=/dev/null count=1")

	other.says("/etc/init.d/drbd stop", "Stopping all DRBD resources:") // unmounts
	other.refused("test -e /proc/drbd")
	one.reaches(2, "cs:WFConnection ro:Secondary/Unknown ds:UpToDate/DUnknown", connectLimit)
	one.types("/etc/init.d/drbd stop")
	one.refused("grep -w drbd /proc/modules")
	one.refused("drbdadm dump-md r0", "apply-al")
	one.says("drbdadm apply-al r0; drbdadm dump-md r0", "bits-set 0;")
}

// TestVM80TwoPrimaries: 8.0 on Debian, the configuration in /etc/drbd.d, both nodes Primary from the start of the machine on.
func TestVM80TwoPrimaries(t *testing.T) {
	disks := []string{"/dev/sys/drbd0", "/dev/sys/drbd0_meta"}
	sv1, sv2 := pairOf(t, [2]host{{"sv1", "192.168.0.1", disks}, {"sv2", "192.168.0.2", disks}}, 40<<20, 32<<20)
	seed(t, "seed-002-r0.res", "/etc/drbd.d/r0.res", sv1, sv2)
	for _, n := range []*node{sv1, sv2} {
		n.types(`echo 'include "drbd.d/*.res";' >/etc/drbd.conf; modprobe drbd`)
		n.types("drbdadm create-md r0")
	}
	first := sv1.begins("/etc/init.d/drbd start")
	said := sv2.types("/etc/init.d/drbd start")
	for _, out := range []string{first(), said} { // nobody has good data yet, and the start goes on
		if !strings.Contains(out, "Starting DRBD resources") || !strings.Contains(out, "UpToDate data") {
			t.Errorf("the init script said:\n%s", out)
		}
	}
	sv1.reaches(0, "cs:Connected ro:Secondary/Secondary ds:Inconsistent/Inconsistent", connectLimit)
	sv1.types("/sbin/drbdadm -- -o primary r0")
	sv1.reaches(0, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", syncLimit)
	sv2.types("/sbin/drbdadm primary r0")
	sv1.reaches(0, "cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate", connectLimit)

	// The next start makes both Primary (become-primary-on both).
	sv1.types("/etc/init.d/drbd stop")
	sv2.types("/etc/init.d/drbd stop")
	startBoth(sv1, sv2)
	sv1.reaches(0, "cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate", connectLimit)
}

// TestVM82 has the module's parameter, drbdadm up, and another word for the force.
func TestVM82(t *testing.T) {
	disks := []string{"/dev/xvdb1"}
	a, b := pairOf(t, [2]host{{"storage0a.example.org", "192.168.10.20", disks}, {"storage0b.example.org", "192.168.10.27", disks}}, 40<<20)
	seed(t, "seed-003-drbd82.conf", "/etc/drbd.conf", a, b)
	for _, n := range []*node{a, b} {
		n.types("/sbin/modprobe drbd minor_count=1")
		if got := strings.TrimSpace(n.types("cat /sys/module/drbd/parameters/minor_count")); got != "1" {
			t.Errorf("minor_count is %s", got)
		}
		n.types("/sbin/drbdadm create-md r0")
		n.types("/sbin/drbdadm up all")
	}
	a.reaches(0, "cs:Connected ro:Secondary/Secondary ds:Inconsistent/Inconsistent", connectLimit)
	a.types("/sbin/drbdadm -- --overwrite-data-of-peer primary all")
	a.reaches(0, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", syncLimit)
	b.types("/sbin/drbdadm primary r0")
	a.reaches(0, "ro:Primary/Primary", connectLimit)
	b.types("/sbin/drbdadm secondary r0")
	a.writes("/dev/drbd0", "ext4", "from 0a")
	a.types("/sbin/drbdadm secondary r0")
	b.types("/sbin/drbdadm primary r0")
	b.reads("/dev/drbd0", "ext4", "from 0a")
}

// A peer that never comes: the start goes on when wfc-timeout is over, and Primary is a decision of its own.
func TestVMPeerNeverComes(t *testing.T) {
	disks := []string{"/dev/sdc1"}
	one, other := pairOf(t, [2]host{{"t", "192.168.1.104", disks}, {"Shentar", "192.168.1.106", disks}}, 40<<20)
	seed(t, "seed-001-drbd83.conf", "/etc/drbd.conf", one, other)
	one.types("sed -i 's/wfc-timeout 2000/wfc-timeout 4/; s/degr-wfc-timeout 6000/degr-wfc-timeout 2/' /etc/drbd.conf")
	one.types("drbdadm create-md r0")
	begin := time.Now()
	one.says("/etc/init.d/drbd start </dev/null", "using /dev/console")
	if took := time.Since(begin); took < 4*time.Second || took > 40*time.Second {
		t.Errorf("the start took %v with a wfc-timeout of 4 s", took)
	}
	one.reaches(2, "cs:WFConnection ro:Secondary/Unknown ds:Inconsistent/DUnknown", time.Second)
	one.types("/etc/init.d/drbd stop")
}
