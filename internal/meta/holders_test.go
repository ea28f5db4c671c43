package meta

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// held expects that the device is refused, with the holder's name, and not changed.
func (b *bench) held(t *testing.T, dev, holder string) {
	t.Helper()
	before := contentSum(t, dev)
	for _, words := range [][]string{{"create-md", "1"}, {"apply-al"}, {"wipe-md"}, {"dump-md"}} {
		args := append([]string{"7", "v09", dev, "internal"}, words...)
		b.fails(exitUsage, "open("+dev+") failed: Device or resource busy\n"+dev+" is "+holder, args...)
	}
	b.answer("no\n")
	b.fails(exitUsage, "Operation canceled.", "7", "v09", dev, "internal", "create-md", "1")
	if contentSum(t, dev) != before {
		t.Error("a held device was changed")
	}
}

// TestHeldByProcess: another process has it open for itself.
func TestHeldByProcess(t *testing.T) {
	b, dev := blockImage(t, 16*mib)
	fd, err := unix.Open(dev, unix.O_RDONLY|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	b.held(t, dev, "open in process "+filepath.Base(mustLink(t, "/proc/self"))+" ("+strings.TrimSpace(string(comm))+")")
}

func mustLink(t *testing.T, path string) string {
	t.Helper()
	to, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestHeldByMount: a file system is mounted from it, at a place with a blank in its name.
func TestHeldByMount(t *testing.T) {
	b, dev := blockImage(t, 16*mib)
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", dev).CombinedOutput(); err != nil {
		t.Skipf("no ext4 to be made: %v %s", err, out)
	}
	place := filepath.Join(t.TempDir(), "a place")
	if err := os.Mkdir(place, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(dev, place, "ext4", 0, ""); err != nil {
		t.Skipf("no mount here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(place, 0); err != nil {
			t.Error(err)
		}
	})
	b.held(t, dev, "mounted on "+place)
}

// TestHeldByDeviceMapper: a linear mapping goes over it.
func TestHeldByDeviceMapper(t *testing.T) {
	if misc, _ := os.ReadFile("/proc/misc"); !strings.Contains(string(misc), "device-mapper") {
		t.Skip("this kernel has no device mapper loaded (TestHolderNames has the names)")
	}
	b, dev := blockImage(t, 16*mib)
	if out, err := exec.Command("dmsetup", "create", "drbd-meta-test", "--table", "0 32768 linear "+dev+" 0").CombinedOutput(); err != nil {
		t.Skipf("no mapping to be made: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("dmsetup", "remove", "drbd-meta-test").CombinedOutput(); err != nil {
			t.Errorf("%v %s", err, out)
		}
	})
	b.held(t, dev, "in use by the device mapper: /dev/mapper/drbd-meta-test")
}

// TestHolderNames: what /sys and /proc would show of holders that this machine cannot make.
func TestHolderNames(t *testing.T) {
	_, dev := blockImage(t, 16*mib)
	n, ok := numberOf(dev)
	if !ok {
		t.Fatalf("%s has no number", dev)
	}
	block := "sys/dev/block/" + string(n)
	cases := []struct {
		name  string
		files map[string]string
		says  []string
	}{
		{"device mapper", map[string]string{block + "/holders/dm-3/dm/name": "vg0-data\n"}, []string{"in use by the device mapper: /dev/mapper/vg0-data"}},
		{"md", map[string]string{block + "/holders/md127/md/level": "raid1\n"}, []string{"in use by the md array /dev/md127 (raid1)"}},
		{"DRBD", map[string]string{block + "/holders/drbd5/size": "8\n"}, []string{"in use by /dev/drbd5"}},
		{"swap", map[string]string{"proc/swaps": "Filename Type Size Used Priority\n" + dev + " partition 1020 0 -2\n"}, []string{"used as swap space"}},
		{"mount", map[string]string{"proc/self/mountinfo": "36 25 " + string(n) + " / /mnt/a\\040b rw shared:1 - ext4 " + dev + " rw\n"},
			[]string{"mounted on /mnt/a b"}},
		{"mount of a file system on several devices", map[string]string{"proc/1/mountinfo": "36 25 0:55 / /data rw - btrfs " + dev + " rw\n"},
			[]string{"mounted on /data"}},
		{"a partition is mounted", map[string]string{block + "/p1/partition": "1\n", block + "/p1/dev": "7:99\n",
			"proc/self/mountinfo": "36 25 7:99 / /boot rw - ext4 /dev/none rw\n"}, []string{"mounted on /boot"}},
		{"two", map[string]string{block + "/holders/dm-3/dm/name": "a\n", block + "/holders/dm-4/dm/name": "b\n"},
			[]string{"in use by the device mapper: /dev/mapper/a", "in use by the device mapper: /dev/mapper/b"}},
		{"nothing to be seen", nil, []string{"in use by something that neither /sys nor /proc shows here"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.env.Root = t.TempDir()
			for path, text := range c.files {
				path = filepath.Join(b.env.Root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := &session{env: b.env}
			s.nameHolders(dev)
			want := ""
			for _, line := range c.says {
				want += dev + " is " + line + "\n"
			}
			if got := b.err.String(); got != want {
				t.Errorf("says %q, want %q", got, want)
			}
		})
	}
}

// TestHeldDisk: the whole disk of a mounted partition, and a partition of a held disk, as /sys of real disks has them: the number of a
// partition is a link into the folder of its disk.
func TestHeldDisk(t *testing.T) {
	root := t.TempDir()
	disk := filepath.Join(root, "sys/devices/pci/block/sda")
	for path, text := range map[string]string{"dev": "8:0\n", "sda1/dev": "8:1\n", "sda1/partition": "1\n", "sda2/dev": "8:2\n", "sda2/partition": "2\n"} {
		path = filepath.Join(disk, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	links := filepath.Join(root, "sys/dev/block")
	if err := os.MkdirAll(links, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"8:0": disk, "8:1": filepath.Join(disk, "sda1"), "8:2": filepath.Join(disk, "sda2")} {
		if err := os.Symlink(to, filepath.Join(links, name)); err != nil {
			t.Fatal(err)
		}
	}
	h := holderSearch{root: root}
	for n, want := range map[number]string{"8:0": "8:1 8:2", "8:1": "8:0", "8:2": "8:0", "8:9": ""} {
		var got []string
		for _, r := range h.relatives(n) {
			got = append(got, string(r))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("relatives of %s are %v, want %q", n, got, want)
		}
	}
}
