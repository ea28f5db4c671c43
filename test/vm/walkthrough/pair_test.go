// Package walkthrough types what old walk-throughs of DRBD say, word for word, on two machines: their configuration files as they are,
// their host names, addresses and disks, the init script, and the commands of 0.7, 8.0, 8.2 and 8.3.
package walkthrough

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

const (
	connectLimit = 40 * time.Second
	syncLimit    = 90 * time.Second
)

// node is a machine as a walk-through calls it.
type node struct {
	*bed.Machine
	t *testing.T
}

// host is who a machine is in a walk-through. Its disks are links to the machine's.
type host struct {
	name, address string
	disks         []string
}

// pairOf boots two machines and makes them what the walk-through has.
func pairOf(t *testing.T, hosts [2]host, sizes ...int64) (a, b *node) {
	t.Helper()
	spec := bed.Spec{Flavour: bed.Ours, Disks: sizes}
	_, ms := cluster.Boot(t, spec, spec)
	nodes := make([]*node, len(ms))
	for i, h := range hosts {
		nodes[i] = &node{ms[i], t}
		nodes[i].types("hostname " + h.name)
		nodes[i].types(fmt.Sprintf("ip address add %s/24 dev $(ls /sys/class/net | grep -v lo | head -n 1)", h.address))
		for d, disk := range h.disks {
			nodes[i].types(fmt.Sprintf("mkdir -p %s && ln -s /dev/vd%c %s", filepath.Dir(disk), 'a'+d, disk))
		}
	}
	return nodes[0], nodes[1]
}

// seed puts a configuration file of a walk-through on both nodes.
func seed(t *testing.T, file, path string, nodes ...*node) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../internal/conf/testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if err := n.SetFile(context.Background(), path, text); err != nil {
			t.Fatal(err)
		}
	}
}

// types is a command that works, and what it prints.
func (n *node) types(command string) string {
	n.t.Helper()
	out, err := n.Run(context.Background(), command)
	if err != nil {
		n.t.Fatal(err)
	}
	return out.Stdout + out.Stderr
}

// refused is a command that does not work, and what it says.
func (n *node) refused(command string, words ...string) {
	n.t.Helper()
	out, err := n.Run(context.Background(), command)
	if err == nil {
		n.t.Errorf("%s: `%s` was expected to fail, said:\n%s%s", n.Name, command, out.Stdout, out.Stderr)
	}
	for _, w := range words {
		if !strings.Contains(out.Stdout+out.Stderr, w) {
			n.t.Errorf("%s: `%s` does not say %q:\n%s%s", n.Name, command, w, out.Stdout, out.Stderr)
		}
	}
}

// says checks what a command prints.
func (n *node) says(command string, words ...string) {
	n.t.Helper()
	out := n.types(command)
	for _, w := range words {
		if !strings.Contains(out, w) {
			n.t.Errorf("%s: `%s` does not say %q:\n%s", n.Name, command, w, out)
		}
	}
}

// begins starts a command that takes its time.
func (n *node) begins(command string) (ends func() string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	n.t.Cleanup(cancel)
	c, err := n.Background(ctx, command, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	return func() string {
		n.t.Helper()
		out, err := c.Wait()
		if err != nil {
			n.t.Fatalf("%s: `%s`: %v", n.Name, command, err)
		}
		return out.Stdout + out.Stderr
	}
}

func (n *node) reaches(minor int, state string, limit time.Duration) {
	n.t.Helper()
	if _, err := cluster.Wait(context.Background(), n.Machine, minor, cluster.StateIs(state), limit); err != nil {
		n.t.Fatal(err)
	}
}

// startBoth runs the init script on both nodes; each waits for the other.
func startBoth(a, b *node) {
	a.t.Helper()
	first := a.begins("/etc/init.d/drbd start")
	said := b.types("/etc/init.d/drbd start")
	for _, out := range []string{first(), said} {
		if !strings.HasPrefix(out, "Starting DRBD resources:") || !strings.Contains(out, "create res: ") || !strings.Contains(out, "\n]\n.\n") {
			a.t.Errorf("the init script said:\n%s", out)
		}
	}
}

// writes makes a file system with a file on a device.
func (n *node) writes(device, kind, text string) {
	n.t.Helper()
	n.types(fmt.Sprintf("mkfs.%s -q %s && mkdir -p /mnt/%s && mount -t %s %s /mnt/%s", kind, device, filepath.Base(device), kind, device, filepath.Base(device)))
	n.types(fmt.Sprintf("echo '%s' >/mnt/%s/file && umount /mnt/%s", text, filepath.Base(device), filepath.Base(device)))
}

// reads mounts a device and compares the file that the other node wrote; the mount stays.
func (n *node) reads(device, kind, text string) {
	n.t.Helper()
	n.types(fmt.Sprintf("mkdir -p /mnt/%s && mount -t %s %s /mnt/%s", filepath.Base(device), kind, device, filepath.Base(device)))
	if got := strings.TrimSpace(n.types("cat /mnt/" + filepath.Base(device) + "/file")); got != text {
		n.t.Errorf("%s: the file has %q, want %q", n.Name, got, text)
	}
}

// reachesLoaded is reaches for a node whose module may not be loaded yet.
func (n *node) reachesLoaded(minor int, state string) {
	n.t.Helper()
	n.types(fmt.Sprintf("for i in $(seq 300); do grep -q '^ *%d: cs:' /proc/drbd 2>/dev/null && exit 0; sleep 0.1; done; exit 1", minor))
	n.reaches(minor, state, connectLimit)
}
