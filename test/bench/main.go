// Command bench measures what an I/O costs: raw device, our module, the stock one,
// on one virtual machine that counts instructions (docs/performance.md). In one boot
// a nanosecond of the guest is one instruction, so that figures do not depend on the
// host and repeat to half a percent.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"drbd/test/vm/bed"
)

//go:embed guest.sh
var guestScript string

// everybody is all that can be measured: a name and, for DRBD, a protocol.
// "eager" is ours with an epoch for each completion.
const everybody = "raw,ours:C,ours:A,eager:C,stock:C,stock:A,md-nbd,md-nvme"

type options struct {
	rounds  int
	quick   bool
	latency bool
	cache   bool
	misses  bool
	volumes bool
	huge    bool
	net     string
	disk    string
	only    string
	kernel  string
	jsonTo  string
	profile string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 1, "boots; the spread between them is printed")
	flag.BoolVar(&o.quick, "quick", false, "4k writes only")
	flag.BoolVar(&o.latency, "latency", false, "disks that take 50 us, a wire of 100 us each way")
	flag.BoolVar(&o.cache, "cache", false, "disks with a volatile write cache")
	flag.BoolVar(&o.misses, "misses", false, "writes over 512 extents of which the activity log holds 67")
	flag.BoolVar(&o.volumes, "volumes", false, "1 to 100 volumes, idle and busy")
	flag.BoolVar(&o.huge, "huge", false, "a pair of 16 TiB: attach, first start, resync of one block")
	flag.StringVar(&o.net, "net", "", "more options for the section net, such as \"data-integrity-alg crc32c;\"")
	flag.StringVar(&o.disk, "disk", "", "more options for the section disk")
	flag.StringVar(&o.only, "only", "", "contenders, comma separated, of "+everybody+"; default: all")
	flag.StringVar(&o.kernel, "kernel", "6.1", "Debian kernel: 6.1 or 6.12")
	flag.StringVar(&o.jsonTo, "json", "", "write all figures to this file")
	flag.StringVar(&o.profile, "profile", "", "print where the instructions of this job (write-4k-d32, disconnected/write-4k-d1) went, for the first of the contenders")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := run
	if o.volumes || o.huge {
		do = func(ctx context.Context, o options) error { return growth(ctx, o, os.Stdout) }
	}
	if o.profile != "" {
		do = func(ctx context.Context, o options) error { return profile(ctx, o, os.Stdout) }
	}
	if err := do(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	t := newTable()
	for i := range o.rounds {
		begin := time.Now()
		if err := round(ctx, o, t); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "round %d of %d: %.0f s\n", i+1, o.rounds, time.Since(begin).Seconds())
	}
	t.print(os.Stdout)
	if o.jsonTo == "" {
		return nil
	}
	data, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.jsonTo, append(data, '\n'), 0o644)
}

// contender is a kind of device; protocols only for DRBD.
type contender struct {
	name      string
	protocols []string
}

// contenders reads the option only.
func contenders(only string) []contender {
	if only == "" {
		only = everybody
	}
	var list []contender
	for word := range strings.SplitSeq(only, ",") {
		name, protocol, _ := strings.Cut(word, ":")
		if n := len(list); n == 0 || list[n-1].name != name {
			list = append(list, contender{name: name})
		}
		if protocol != "" {
			c := &list[len(list)-1]
			c.protocols = append(c.protocols, protocol)
		}
	}
	return list
}

// round is one boot with all contenders.
func round(ctx context.Context, o options, t *table) error {
	var log strings.Builder
	b, err := bed.New(bed.Options{Name: "bench", Log: &log})
	if err != nil {
		return err
	}
	defer func() { b.Close(false) }()
	machines, err := b.Start(ctx, bed.Spec{Flavour: bed.Stock, Kernel: o.kernel, MemoryMB: 2048, Counting: true})
	if err != nil {
		return err
	}
	m := machines[0]
	if err := putOurs(ctx, m, o.kernel); err != nil {
		return err
	}
	environment := environmentOf(o)
	for _, c := range contenders(o.only) {
		call := c.name
		if len(c.protocols) > 0 {
			call = "drbd " + c.name + " " + strings.Join(c.protocols, " ")
		}
		script := environment + ". /root/guest.sh\ndisks\n" + call + "\nno_disks\n"
		limited, cancel := context.WithTimeout(ctx, 10*time.Minute)
		out, err := m.Run(limited, script)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", call, err, out.Stderr)
		}
		if err := t.add(c.name, out.Stdout); err != nil {
			return fmt.Errorf("%s: %w", call, err)
		}
	}
	return nil
}

func environmentOf(o options) string {
	var s strings.Builder
	if o.quick {
		s.WriteString("QUICK=1\n")
	}
	if o.latency {
		s.WriteString("DISK_NS=50000\nNET_US=100\n")
	}
	if o.cache {
		s.WriteString("CACHE_MB=16\n")
	}
	if o.misses {
		s.WriteString("SIZE_MB=4096\nAL_EXTENTS=67\nSPARSE=1\nQUICK=1\n")
	}
	fmt.Fprintf(&s, "NET=%s\nDISK=%s\n", quoted(o.net), quoted(o.disk))
	return s.String()
}

// quoted is one word for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// putOurs puts our module and tools beside the stock ones of the machine.
func putOurs(ctx context.Context, m *bed.Machine, kernel string) error {
	files := map[string]string{"/root/ours/drbd.ko": filepath.Join(cache(), "module", kernel, "drbd.ko")}
	for _, tool := range []string{"drbdadm", "drbdsetup", "drbdmeta"} {
		files["/root/ours/"+tool] = filepath.Join("bin", tool)
	}
	for to, from := range files {
		data, err := os.ReadFile(from)
		if err != nil {
			return fmt.Errorf("%w: run `make tools module KVER=%s`", err, kernel)
		}
		if err := m.Put(ctx, to, data); err != nil {
			return err
		}
		if _, err := m.Run(ctx, "chmod 755 "+to); err != nil {
			return err
		}
	}
	return m.Put(ctx, "/root/guest.sh", []byte(guestScript))
}

func cache() string {
	if dir := os.Getenv("DRBD_CACHE"); dir != "" {
		return dir
	}
	return ".cache"
}
