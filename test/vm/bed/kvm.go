package bed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Some hosts offer /dev/kvm, make a virtual machine and a processor, and then fail
// to run a guest (nested virtualisation that emulates some instructions and lacks
// others). So after the cheap questions one guest is truly booted; the answer is
// remembered until the host boots again.

// ioctl numbers of /dev/kvm (Documentation/virt/kvm/api.rst).
const (
	kvmGetAPIVersion = 0xae00
	kvmCreateVM      = 0xae01
	kvmCreateVCPU    = 0xae41
)

const probeTimeout = 20 * time.Second

// kvmOffered asks the kernel for a virtual machine with one processor.
func kvmOffered() bool {
	fd, err := unix.Open("/dev/kvm", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if version, err := unix.IoctlRetInt(fd, kvmGetAPIVersion); err != nil || version != 12 {
		return false
	}
	vm, err := unix.IoctlRetInt(fd, kvmCreateVM)
	if err != nil {
		return false
	}
	defer unix.Close(vm)
	vcpu, err := unix.IoctlRetInt(vm, kvmCreateVCPU)
	if err != nil {
		return false
	}
	unix.Close(vcpu)
	return true
}

// probeKVM decides between hardware virtualisation and software emulation.
func (b *Bed) probeKVM() (bool, error) {
	if !kvmOffered() {
		return false, nil
	}
	remembered := filepath.Join(cacheDir(b.top), "kvm")
	key, err := probeKey()
	if err != nil {
		return false, err
	}
	for _, answer := range []bool{true, false} {
		text, _ := os.ReadFile(remembered)
		if string(text) == fmt.Sprintf("%s%t\n", key, answer) {
			return answer, nil
		}
	}
	works := b.bootsWithKVM()
	return works, os.WriteFile(remembered, fmt.Appendf(nil, "%s%t\n", key, works), 0o644)
}

// probeKey changes when the host booted again or has another QEMU.
func probeKey() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	version, err := exec.Command("qemu-system-x86_64", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("qemu-system-x86_64 (package qemu-system-x86): %w", err)
	}
	first, _, _ := strings.Cut(string(version), "\n")
	return string(boot) + first + "\n", nil
}

func (b *Bed) bootsWithKVM() bool {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	m, err := newMachine(b, len(names), Spec{Flavour: Stock})
	if err != nil {
		return false
	}
	b.kvm = true
	defer func() {
		b.kvm = false
		m.PowerOff()
		os.RemoveAll(m.path(""))
	}()
	if err := m.PowerOn(ctx); err != nil {
		b.logf("/dev/kvm is there but does not run a guest: software emulation it is")
		return false
	}
	_, err = m.Run(ctx, "mke2fs -q -t ext4 /tmp/image 8M && e2fsck -fn /tmp/image")
	return err == nil
}
