package meta

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Who keeps a device busy, as far as the kernel tells: device mapper, md and DRBD in /sys, mounts, swap space, processes.

// number is a block device as /sys and /proc name it.
type number string

func numberOf(path string) (number, bool) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return "", false
	}
	return number(fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))), true
}

// nameHolders says it on standard error.
func (s *session) nameHolders(path string) {
	n, ok := numberOf(path)
	if !ok {
		return
	}
	h := holderSearch{root: s.env.Root, found: map[string]bool{}}
	for _, n := range append([]number{n}, h.relatives(n)...) {
		h.devices(n)
		h.mounts(n)
		h.swaps(n)
	}
	if len(h.lines) == 0 {
		h.processes(n)
	}
	if len(h.lines) == 0 {
		h.add("in use by something that neither /sys nor /proc shows here")
	}
	for _, line := range h.lines {
		s.warn("%s is %s", path, line)
	}
}

type holderSearch struct {
	root  string
	lines []string
	found map[string]bool
}

func (h *holderSearch) add(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if !h.found[line] {
		h.found[line] = true
		h.lines = append(h.lines, line)
	}
}

func (h *holderSearch) read(path string) string {
	text, _ := os.ReadFile(filepath.Join(h.root, path))
	return strings.TrimSpace(string(text))
}

// relatives are the partitions of a disk, or the disk of a partition: who has one claims the other.
func (h *holderSearch) relatives(n number) []number {
	dir := filepath.Join("/sys/dev/block", string(n))
	if h.read(filepath.Join(dir, "partition")) != "" {
		real, err := filepath.EvalSymlinks(filepath.Join(h.root, dir))
		if err != nil {
			return nil
		}
		text, _ := os.ReadFile(filepath.Join(filepath.Dir(real), "dev"))
		return []number{number(strings.TrimSpace(string(text)))}
	}
	var parts []number
	matches, _ := filepath.Glob(filepath.Join(h.root, dir, "*", "partition"))
	for _, m := range matches {
		text, _ := os.ReadFile(filepath.Join(filepath.Dir(m), "dev"))
		parts = append(parts, number(strings.TrimSpace(string(text))))
	}
	return parts
}

// devices are those made of this one.
func (h *holderSearch) devices(n number) {
	dir := filepath.Join("/sys/dev/block", string(n), "holders")
	entries, _ := os.ReadDir(filepath.Join(h.root, dir))
	for _, e := range entries {
		of := filepath.Join(dir, e.Name())
		if name := h.read(filepath.Join(of, "dm/name")); name != "" {
			h.add("in use by the device mapper: /dev/mapper/%s", name)
		} else if level := h.read(filepath.Join(of, "md/level")); level != "" {
			h.add("in use by the md array /dev/%s (%s)", e.Name(), level)
		} else {
			h.add("in use by /dev/%s", e.Name())
		}
	}
}

// mounts are those of our mount namespace and of the first one. A file system on several devices has a number of its own, so that its
// source is looked at, too.
func (h *holderSearch) mounts(n number) {
	for _, process := range []string{"self", "1"} {
		for line := range strings.Lines(h.read("/proc/" + process + "/mountinfo")) {
			f := strings.Fields(line)
			if len(f) < 5 {
				continue
			}
			source := ""
			for i, word := range f {
				if word == "-" && i+2 < len(f) {
					source = unescapeMount(f[i+2])
				}
			}
			if number(f[2]) == n || sameDevice(source, n) {
				h.add("mounted on %s", unescapeMount(f[4]))
			}
		}
	}
}

func sameDevice(path string, n number) bool {
	if !strings.HasPrefix(path, "/dev/") { // other sources can be remote, and to look at them can hang
		return false
	}
	other, ok := numberOf(path)
	return ok && other == n
}

// unescapeMount: blanks are \\040 in these files.
func unescapeMount(word string) string {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] == '\\' && i+3 < len(word) {
			if c, err := strconv.ParseUint(word[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(word[i])
	}
	return b.String()
}

func (h *holderSearch) swaps(n number) {
	for line := range strings.Lines(h.read("/proc/swaps")) {
		if f := strings.Fields(line); len(f) > 0 && sameDevice(unescapeMount(f[0]), n) {
			h.add("used as swap space")
		}
	}
}

// processes have it open; which of them exclusively is not to be seen.
func (h *holderSearch) processes(n number) {
	links, _ := filepath.Glob(filepath.Join(h.root, "/proc/[0-9]*/fd/*"))
	for _, link := range links {
		pid := filepath.Base(filepath.Dir(filepath.Dir(link)))
		if other, ok := numberOf(link); ok && other == n {
			h.add("open in process %s (%s)", pid, h.read("/proc/"+pid+"/comm"))
		}
	}
}
