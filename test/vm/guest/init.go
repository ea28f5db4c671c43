package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"drbd/test/vm/proto"
)

// Places in the initramfs. The payload is the topmost layer of the root.
const (
	configFile  = "/config.json"
	bootModules = "/boot-modules"
	payload     = "/payload"
)

const deviceWait = 10 * time.Second

// runInit brings the machine up and serves the bed until power off. A failure is
// told to the bed when the port is there, else on the console.
func runInit() {
	_ = os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
	_ = os.Setenv("HOME", "/root")
	err := setUp()
	if err != nil {
		fmt.Fprintf(os.Stderr, "guest init: %v\n", err)
	}
	if err := serve(err); err != nil {
		fmt.Fprintf(os.Stderr, "guest agent: %v\n", err)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func setUp() error {
	if err := mountAll(kernelMounts, ""); err != nil {
		return err
	}
	text, err := os.ReadFile(configFile)
	if err != nil {
		return err
	}
	var cfg proto.Config
	if err := json.Unmarshal(text, &cfg); err != nil {
		return fmt.Errorf("%s: %w", configFile, err)
	}
	if err := loadBootModules(); err != nil {
		return err
	}
	if err := enterRoot(cfg); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(cfg.Hostname)); err != nil {
		return fmt.Errorf("hostname: %w", err)
	}
	for path, value := range sysctls {
		if err := os.WriteFile("/proc/sys/"+path, []byte(value), 0); err != nil {
			return err
		}
	}
	return bringUpNetwork(cfg)
}

type mountPoint struct {
	fstype, target string
	flags          uintptr
	data           string
}

var kernelMounts = []mountPoint{
	{"proc", "/proc", 0, ""},
	{"sysfs", "/sys", 0, ""},
	{"devtmpfs", "/dev", 0, ""},
}

// In the real root: the kernel's file systems again, and what must be writable
// memory.
var rootMounts = append(append([]mountPoint{}, kernelMounts...),
	mountPoint{"devpts", "/dev/pts", 0, "mode=620,ptmxmode=666"},
	mountPoint{"tmpfs", "/dev/shm", 0, ""},
	mountPoint{"tmpfs", "/run", 0, "mode=755"},
	mountPoint{"tmpfs", "/tmp", 0, "mode=1777"},
	mountPoint{"debugfs", "/sys/kernel/debug", 0, ""},
	mountPoint{"configfs", "/sys/kernel/config", 0, ""},
)

// A task that is stuck for this long shows in the kernel log, which fails the test.
var sysctls = map[string]string{
	"kernel/hung_task_timeout_secs": "60",
	"kernel/hung_task_warnings":     "5",
}

func mountAll(list []mountPoint, root string) error {
	for _, m := range list {
		if err := os.MkdirAll(root+m.target, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			// configfs and debugfs give their own folder; without it there is no such feature.
			continue
		}
		err := unix.Mount(m.fstype, root+m.target, m.fstype, m.flags, m.data)
		if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EBUSY) {
			continue
		}
		if err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.fstype, root+m.target, err)
		}
	}
	return nil
}

// loadBootModules loads what is needed to reach the root image, in the order of
// the file names that the bed gave them.
func loadBootModules() error {
	files, err := filepath.Glob(bootModules + "/*.ko")
	if err != nil {
		return err
	}
	sort.Strings(files)
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("load %s: %w", path, err)
		}
	}
	return nil
}

// enterRoot stacks payload, the wanted folders of the shared read-only image and
// memory for changes, and makes that the root.
func enterRoot(cfg proto.Config) error {
	dev, err := waitFor("the disk with serial bed-root", func() string { return diskBySerial("bed-root") })
	if err != nil {
		return err
	}
	for _, dir := range []string{"/image", "/changes", "/newroot"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount(dev, "/image", "ext4", unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("mount the root image %s: %w", dev, err)
	}
	if err := unix.Mount("tmpfs", "/changes", "tmpfs", 0, "mode=755,size=75%"); err != nil {
		return err
	}
	for _, dir := range []string{"/changes/upper", "/changes/work"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	lower := []string{payload}
	for _, layer := range cfg.Layers {
		lower = append(lower, "/image/"+layer)
	}
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=/changes/upper,workdir=/changes/work"
	if err := unix.Mount("overlay", "/newroot", "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay (%s): %w", options, err)
	}
	if err := mountAll(rootMounts, "/newroot"); err != nil {
		return err
	}
	if err := os.Chdir("/newroot"); err != nil {
		return err
	}
	if err := unix.Mount("/newroot", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return os.Chdir("/")
}

func waitFor(what string, find func() string) (string, error) {
	for end := time.Now().Add(deviceWait); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if found := find(); found != "" {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s did not appear in %v", what, deviceWait)
}

func diskBySerial(want string) string {
	files, _ := filepath.Glob("/sys/block/*/serial")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.TrimSpace(string(text)) == want {
			return "/dev/" + filepath.Base(filepath.Dir(file))
		}
	}
	return ""
}

func portByName(want string) string {
	files, _ := filepath.Glob("/sys/class/virtio-ports/*/name")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.TrimSpace(string(text)) == want {
			return "/dev/" + filepath.Base(filepath.Dir(file))
		}
	}
	return ""
}

func bringUpNetwork(cfg proto.Config) error {
	script := "link set lo up\n"
	if cfg.Address != "" {
		script += fmt.Sprintf("link set eth0 mtu %d\naddress add %s dev eth0\nlink set eth0 up\n", cfg.MTU, cfg.Address)
	}
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("network: %w: %s", err, out)
	}
	return nil
}
