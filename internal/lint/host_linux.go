package lint

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// ThisMachine looks at the machine it runs on. Nothing is opened that could be disturbed by it.
func ThisMachine() *Machine {
	return &Machine{Disk: diskInfo, Listener: listener, Ephemeral: ephemeralPorts(),
		Program:  func(path string) bool { return unix.Access(path, unix.X_OK) == nil },
		Readable: func(path string) bool { info, err := os.Stat(path); return err == nil && info.Mode().Perm()&0o004 != 0 },
	}
}

func diskInfo(path string) DiskInfo {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return DiskInfo{Missing: true}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return DiskInfo{NotBlock: true}
	}
	return DiskInfo{Number: st.Rdev, MountedOn: user(st.Rdev)}
}

// user is where a block device is mounted, or swap.
func user(number uint64) string {
	same := func(path string) bool {
		var st unix.Stat_t
		return unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK && st.Rdev == number
	}
	for _, fields := range table("/proc/self/mounts") {
		if len(fields) > 1 && strings.HasPrefix(fields[0], "/") && same(fields[0]) {
			return "mounted on " + fields[1]
		}
	}
	for _, fields := range table("/proc/swaps") {
		if strings.HasPrefix(fields[0], "/") && same(fields[0]) {
			return "swap"
		}
	}
	return ""
}

// table reads the lines of a file in /proc as words; none when it cannot be read.
func table(path string) (out [][]string) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) > 0 {
			out = append(out, fields)
		}
	}
	return out
}

// listener finds a program that listens on an address, or on all. Sockets that no process has are the kernel's, DRBD's own among them.
func listener(a netip.AddrPort) string {
	const listening = "0A"
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		for _, fields := range table(file) {
			if len(fields) < 10 || fields[3] != listening {
				continue
			}
			at, ok := socketAddress(fields[1])
			if ok && at.Port() == a.Port() && (at.Addr() == a.Addr() || at.Addr().IsUnspecified()) {
				if who := ownerOf("socket:[" + fields[9] + "]"); who != "" {
					return who
				}
			}
		}
	}
	return ""
}

// ownerOf names the process that has a socket open.
func ownerOf(socket string) string {
	files, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && to == socket {
			process := filepath.Dir(filepath.Dir(f))
			name, err := os.ReadFile(filepath.Join(process, "comm"))
			if err != nil {
				return "process " + filepath.Base(process)
			}
			return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), filepath.Base(process))
		}
	}
	return ""
}

// socketAddress reads the hexadecimal form of /proc/net/tcp: words in the machine's byte order.
func socketAddress(text string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	var n [2]byte
	if _, bad := hex.Decode(n[:], []byte(port)); err != nil || bad != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		for word := range slices.Chunk(raw, 4) {
			slices.Reverse(word)
		}
	}
	ip, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(n[:])), ok
}

func ephemeralPorts() (out [2]int) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, _ = fmt.Sscan(string(text), &out[0], &out[1])
	}
	return out
}
