package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"drbd/test/vm/bed"
)

// profile runs one job of one contender and prints where the instructions went, by
// function of the kernel.
func profile(ctx context.Context, o options, w io.Writer) error {
	dir, err := os.MkdirTemp("", "drbd-profile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	plugin := filepath.Join(dir, "insnprof.so")
	out, err := exec.CommandContext(ctx, "gcc", "-shared", "-fPIC", "-O2", "-o", plugin, "test/bench/plugin/insnprof.c").CombinedOutput()
	if err != nil {
		return fmt.Errorf("the plugin that counts does not compile: %w\n%s", err, out)
	}
	sock := filepath.Join(dir, "plugin.sock")
	b, err := bed.New(bed.Options{Name: "profile"})
	if err != nil {
		return err
	}
	defer b.Close(false)
	machines, err := b.Start(ctx, bed.Spec{Flavour: bed.Stock, Kernel: o.kernel, MemoryMB: 2048, Counting: true, Plugin: plugin + ",sock=" + sock})
	if err != nil {
		return err
	}
	m := machines[0]
	if err := putOurs(ctx, m, o.kernel); err != nil {
		return err
	}
	c := contenders(o.only)[0]
	call := c.name
	if len(c.protocols) > 0 {
		call = "drbd " + c.name + " " + c.protocols[0]
	}
	script := environmentOf(o) + "ONLY=" + o.profile + "\n. /root/guest.sh\nmark() { [ -e /tmp/symbols ] || cat /proc/kallsyms >/tmp/symbols; echo mark; sleep 1; }\ndisks\n" + call + "\n"
	marks := make(chan bool, 10)
	limited, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	cmd, err := m.Background(limited, script, func(line string) {
		if strings.HasPrefix(line, "mark") {
			marks <- true
		}
	})
	if err != nil {
		return err
	}
	var ios float64
	snaps := []string{filepath.Join(dir, "before"), filepath.Join(dir, "after")}
	for _, s := range snaps {
		select {
		case <-marks:
		case <-limited.Done():
			return limited.Err()
		}
		if err := snapshot(sock, s); err != nil {
			return err
		}
	}
	done, err := cmd.Wait()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, done.Stderr)
	}
	for line := range strings.Lines(done.Stdout) {
		if rest, ok := strings.CutPrefix(line, "fio "); ok {
			_, text, _ := strings.Cut(rest, " ")
			if _, ios, err = instructions(text); err != nil {
				return err
			}
		}
	}
	symbols, err := m.Get(ctx, "/tmp/symbols")
	if err != nil {
		return err
	}
	return printProfile(w, snaps[0], snaps[1], string(symbols), ios)
}

func snapshot(sock, to string) error {
	conn, err := net.Dial("unix", sock)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "snap %s\n", to); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && answer != "ok\n" {
		err = fmt.Errorf("the plugin cannot write %s", to)
	}
	return err
}

type symbol struct {
	at   uint64
	name string
}

func readSymbols(text string) []symbol {
	var list []symbol
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		at, err := strconv.ParseUint(f[0], 16, 64)
		if err != nil || len(f) < 3 || !strings.ContainsAny(f[1], "tTwW") {
			continue
		}
		name := f[2]
		if len(f) > 3 {
			name += " " + f[3]
		}
		list = append(list, symbol{at, name})
	}
	slices.SortFunc(list, func(a, b symbol) int { return cmp.Compare(a.at, b.at) })
	return list
}

func readCounts(path string) (map[[2]uint64]uint64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	counts := map[[2]uint64]uint64{}
	for line := range strings.Lines(string(data)) {
		var at, n, count uint64
		if _, err := fmt.Sscanf(line, "%x %d %d", &at, &n, &count); err != nil {
			return nil, err
		}
		counts[[2]uint64{at, n}] = count
	}
	return counts, nil
}

func printProfile(w io.Writer, before, after, kallsyms string, ios float64) error {
	symbols := readSymbols(kallsyms)
	a, err := readCounts(before)
	if err != nil {
		return err
	}
	b, err := readCounts(after)
	if err != nil {
		return err
	}
	sum := map[string]float64{}
	total := 0.0
	for key, count := range b {
		n := float64((count - a[key]) * key[1])
		i, _ := slices.BinarySearchFunc(symbols, key[0]+1, func(s symbol, at uint64) int { return cmp.Compare(s.at, at) })
		name := "user space"
		if i > 0 && key[0] >= 1<<63 {
			name = symbols[i-1].name
		}
		sum[name] += n
		total += n
	}
	calls := map[string]float64{}
	for key, count := range b {
		if i, found := slices.BinarySearchFunc(symbols, key[0], func(s symbol, at uint64) int { return cmp.Compare(s.at, at) }); found {
			calls[group(symbols[i].name)] += float64(count - a[key])
		}
	}
	var names []string
	for n := range sum {
		names = append(names, n)
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Compare(sum[y], sum[x]) })
	fmt.Fprintf(w, "%.0f I/Os, %.1f thousand instructions each\n", ios, total/ios/1000)
	for _, n := range groups {
		fmt.Fprintf(w, "%8.1f %s\n", calls[n.name]/ios, n.name)
	}
	for _, n := range names[:min(len(names), 150)] {
		fmt.Fprintf(w, "%8.0f %5.1f%% %s\n", sum[n]/ios, 100*sum[n]/total, n)
	}
	return nil
}

// groups of kernel functions whose calls are counted.
var groups = []struct {
	name      string
	functions []string
}{
	{"spin locks taken", []string{"_raw_spin_lock", "_raw_spin_lock_bh", "_raw_spin_lock_irq", "_raw_spin_lock_irqsave", "_raw_spin_trylock"}},
	{"mutexes and sockets locked", []string{"mutex_lock", "mutex_trylock", "lock_sock_nested"}},
	{"objects allocated", []string{"kmem_cache_alloc", "kmem_cache_alloc_node", "__kmalloc", "kmalloc_trace", "kmalloc_node_trace", "__kmalloc_node_track_caller"}},
	{"pages allocated", []string{"__alloc_pages"}},
}

// group is the one that a function belongs to, or "".
func group(function string) string {
	for _, g := range groups {
		if slices.Contains(g.functions, function) {
			return g.name
		}
	}
	return ""
}
