package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Flavour says whose DRBD a machine has.
type Flavour int

// Flavours: our module and tools, or Debian's drbd.ko and drbd-utils.
const (
	Ours Flavour = iota
	Stock
)

func (f Flavour) String() string {
	if f == Stock {
		return "stock"
	}
	return "ours"
}

// ParseFlavour reads "ours" or "stock".
func ParseFlavour(s string) (Flavour, error) {
	switch s {
	case "ours":
		return Ours, nil
	case "stock":
		return Stock, nil
	}
	return 0, fmt.Errorf("flavour %q: ours or stock is expected", s)
}

// DebugKernel is the name of the kernel that watches itself (scripts/build-debug-kernel).
// It has no stock DRBD.
const DebugKernel = "debug"

// Spec describes a machine to make. Zero values stand for the defaults.
type Spec struct {
	Flavour   Flavour
	Kernel    string  // 5.10, 6.1 (default), 6.12, 7.2 or debug
	Disks     []int64 // sizes in bytes of /dev/vda, /dev/vdb, ...
	FillDisks bool    // with random bytes, other ones on each machine (all but the first and last MiB); else zeros
	Volatile  bool    // the disks lose what was not flushed when the power goes, and can be made to fail (ServedDisk)
	MemoryMB  int     // 384
	CPUs      int     // 1
	MTU       int     // 1500
	// Counting: one virtual nanosecond is one instruction, so that figures do not
	// depend on the host (one CPU only; a host's core is busy while it is on).
	Counting bool
	Plugin   string // of QEMU, with its arguments: a profile by instructions
}

var names = []string{"alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"}

// Boot and agent answer in a few seconds; a loaded host gets its time.
const bootTimeout = 90 * time.Second

// Machine is one virtual machine. Its disks outlive its power.
type Machine struct {
	Name    string
	Address string // IPv4
	bed     *Bed
	number  int
	spec    Spec
	disks   []string
	served  []*ServedDisk // with Volatile

	mu    sync.Mutex
	files map[string][]byte // put there at each boot
	qemu  *process
	agent *agent
}

func newMachine(b *Bed, number int, spec Spec) (*Machine, error) {
	if number > len(names) {
		return nil, fmt.Errorf("a bed has at most %d machines", len(names))
	}
	if spec.Kernel == "" {
		spec.Kernel = "6.1"
	}
	if spec.MemoryMB == 0 {
		spec.MemoryMB = 384
		if spec.Kernel == DebugKernel {
			spec.MemoryMB = 1200 // shadow memory of KASAN
		}
	}
	if spec.CPUs == 0 {
		spec.CPUs = 1
	}
	if spec.MTU == 0 {
		spec.MTU = 1500
	}
	m := &Machine{Name: names[number-1], Address: fmt.Sprintf("10.77.0.%d", number), bed: b, number: number, spec: spec, files: map[string][]byte{}}
	if err := os.MkdirAll(m.path(""), 0o755); err != nil {
		return nil, err
	}
	for i, size := range spec.Disks {
		path := m.path(fmt.Sprintf("disk%d.img", i))
		if err := makeDisk(path, size, spec.FillDisks, uint64(number)<<8|uint64(i)); err != nil {
			return nil, err
		}
		m.disks = append(m.disks, path)
		if spec.Volatile {
			seed := uint64(number)<<32 | uint64(i)
			d, err := serveDisk(path, m.path(fmt.Sprintf("disk%d.sock", i)), seed)
			if err != nil {
				return nil, err
			}
			m.served = append(m.served, d)
		}
	}
	return m, nil
}

// Spec is what the machine was made from, defaults filled in.
func (m *Machine) Spec() Spec { return m.spec }

func (m *Machine) path(name string) string { return filepath.Join(m.bed.dir, m.Name, name) }

// SetFile puts a file into the machine now, if it is on, and at each boot to
// come: the root file system forgets everything at power off.
func (m *Machine) SetFile(ctx context.Context, path string, data []byte) error {
	m.mu.Lock()
	m.files[path] = data
	m.mu.Unlock()
	if !m.On() {
		return nil
	}
	return m.Put(ctx, path, data)
}

// On tells whether the machine has power.
func (m *Machine) On() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.qemu != nil && m.qemu.alive()
}

// PowerOn boots the machine and waits for its agent.
func (m *Machine) PowerOn(ctx context.Context) error {
	if m.On() {
		return fmt.Errorf("%s is on already", m.Name)
	}
	begin := time.Now()
	if err := m.writeInitramfs(); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	if err := m.keepConsole(); err != nil {
		return err
	}
	socket := m.path("agent.sock")
	os.Remove(socket)
	qemu, err := startProcess(m.qemuCommand(socket), m.path("qemu.log"))
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.qemu = qemu
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	agent, err := connectAgent(ctx, m, socket, qemu)
	if err != nil {
		qemu.kill()
		return fmt.Errorf("%s does not come up: %w\n%s%s", m.Name, err, qemu.output(), lastLines(m.KernelLog(), 15))
	}
	m.mu.Lock()
	m.agent = agent
	m.mu.Unlock()
	m.bed.logf("%s is up: %s, kernel %s, %.1f s", m.Name, m.spec.Flavour, agent.greeting.Release, time.Since(begin).Seconds())
	return nil
}

// keepConsole appends the console of the boot before to console.log, for QEMU
// starts its file anew.
func (m *Machine) keepConsole() error {
	last, err := os.ReadFile(m.path("console.now"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return appendFile(m.path("console.log"), last)
}

func appendFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// kernelArguments: software emulation pays for every check that guards against
// hardware; a panic ends QEMU.
const kernelArguments = "console=ttyS0 panic=-1 loglevel=5 cryptomgr.notests rodata=off mitigations=off nowatchdog audit=0 net.ifnames=0 acpi=off"

// rightClock: the processor's counter is measured at boot, and measured wrong on a
// busy host; a guest whose clock runs five times too fast meets all time-outs. The
// timer of the chip set has a known rate. (0x608 is where QEMU's "pc" has it.)
const rightClock = " pmtmr=0x608 clocksource=acpi_pm"

func (m *Machine) kernelArguments() string {
	if m.spec.Counting {
		return kernelArguments + " norandmaps" // its counter is exact, and the same at each boot
	}
	return kernelArguments + rightClock
}

func (m *Machine) qemuCommand(agentSocket string) []string {
	cache := cacheDir(m.bed.top)
	argv := []string{"qemu-system-x86_64", "-name", m.Name, "-M", "pc"}
	switch {
	case m.spec.Counting:
		// with fast string operations a copied byte would count as an instruction
		argv = append(argv, "-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-cpu", "max,erms=off,fsrm=off")
	case m.bed.kvm:
		argv = append(argv, "-accel", "kvm", "-cpu", "host")
	default:
		argv = append(argv, "-accel", "tcg,thread=multi", "-cpu", "max")
	}
	argv = append(argv,
		"-smp", strconv.Itoa(m.spec.CPUs), "-m", strconv.Itoa(m.spec.MemoryMB),
		"-no-reboot", "-nodefaults", "-no-user-config", "-display", "none",
		"-kernel", filepath.Join(cache, "kernel", m.spec.Kernel, "vmlinux"),
		"-initrd", m.path("initramfs"), "-append", m.kernelArguments(),
		"-chardev", "file,id=con,path="+m.path("console.now"), "-serial", "chardev:con",
		"-chardev", "socket,id=ag,path="+agentSocket+",server=on,wait=off",
		"-device", "virtio-serial-pci", "-device", "virtserialport,chardev=ag,name=agent",
		"-qmp", "unix:"+m.path("qmp.sock")+",server=on,wait=off",
		"-netdev", "stream,id=n0,server=off,addr.type=unix,addr.path="+m.bed.net.socket(),
		"-device", fmt.Sprintf("virtio-net-pci,netdev=n0,mac=%s,host_mtu=%d", macOf(m.number), m.spec.MTU),
	)
	if m.spec.Plugin != "" {
		argv = append(argv, "-plugin", m.spec.Plugin)
	}
	for i, disk := range m.disks {
		drive := fmt.Sprintf("if=none,id=d%d,file=%s,format=raw,cache=unsafe,discard=unmap", i, disk)
		if m.spec.Volatile {
			drive = fmt.Sprintf("if=none,id=d%d,format=raw,cache=writeback,discard=unmap,file.driver=nbd,"+
				"file.server.type=unix,file.server.path=%s", i, m.served[i].socket())
		}
		argv = append(argv, "-drive", drive, "-device", fmt.Sprintf("virtio-blk-pci,drive=d%d,serial=disk%d", i, i))
	}
	// The last disk, so that the machine's own are /dev/vda, /dev/vdb, ...
	return append(argv,
		"-drive", "if=none,id=root,file="+filepath.Join(cache, "guest/root.img")+",format=raw,readonly=on",
		"-device", "virtio-blk-pci,drive=root,serial=bed-root")
}

// PowerOff is a power failure: whatever was not on the disks is lost. What "on the disks"
// means is up to Spec.Volatile.
func (m *Machine) PowerOff() {
	m.mu.Lock()
	qemu, agent := m.qemu, m.agent
	m.qemu, m.agent = nil, nil
	m.mu.Unlock()
	if qemu != nil {
		qemu.kill()
	}
	if agent != nil {
		agent.close()
	}
	for _, d := range m.served {
		d.conns.Wait()
		if err := d.lose(); err != nil {
			m.bed.logf("%s: %v", m.Name, err)
		}
	}
}

// Served is a disk of a machine with Spec.Volatile.
func (m *Machine) Served(i int) *ServedDisk { return m.served[i] }

// Become gives a machine that is off the DRBD of another flavour, as who replaces its
// packages does. Disks and files stay.
func (m *Machine) Become(f Flavour) error {
	if m.On() {
		return fmt.Errorf("%s is on: its DRBD cannot be replaced", m.Name)
	}
	m.spec.Flavour = f
	return nil
}

// SetCable plugs the network cable in or pulls it: the guest sees its carrier go.
func (m *Machine) SetCable(plugged bool) error {
	return qmp(m.path("qmp.sock"), "set_link", map[string]any{"name": "n0", "up": plugged})
}

// ResizeDisk changes a disk's size under the running machine.
func (m *Machine) ResizeDisk(i int, size int64) error {
	return qmp(m.path("qmp.sock"), "block_resize", map[string]any{"device": fmt.Sprintf("d%d", i), "size": size})
}
