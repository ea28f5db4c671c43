// Package bed is the test bed: it boots virtual machines with a Debian kernel, a
// small Debian user space and either our DRBD or the stock one, runs commands in
// them, moves files, cuts and delays links, switches power off and on, reads
// kernel logs and compares disks. Nothing of it needs root or leaves the machine:
// guests reach each other through a switch inside this process (network.go), and
// the kernel ends them when this process dies (process.go).
//
// docs/testing.md tells how tests use it.
package bed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options of a bed.
type Options struct {
	Name string    // part of the run folder's name
	Log  io.Writer // one line per thing done; nil: none
}

// Bed is a set of machines on one network.
type Bed struct {
	top  string // the source tree
	dir  string // logs, sockets and disks of this run
	opts Options
	kvm  bool
	net  *Network

	mu       sync.Mutex
	machines []*Machine
	closed   bool
}

// New makes an empty bed. The caller must Close it.
func New(opts Options) (*Bed, error) {
	top, err := findTop()
	if err != nil {
		return nil, err
	}
	runs := filepath.Join(cacheDir(top), "runs")
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(runs, time.Now().Format("0102-150405-")+opts.Name+"-")
	if err != nil {
		return nil, err
	}
	b := &Bed{top: top, dir: dir, opts: opts}
	b.net, err = newNetwork(filepath.Join(dir, "net.sock"))
	if err == nil {
		b.kvm, err = b.probeKVM()
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return b, nil
}

// Dir is the folder with this run's logs.
func (b *Bed) Dir() string { return b.dir }

// Network is the switch between the machines.
func (b *Bed) Network() *Network { return b.net }

// Machines are all machines, in the order they were started.
func (b *Bed) Machines() []*Machine {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*Machine(nil), b.machines...)
}

func (b *Bed) logf(format string, args ...any) {
	if b.opts.Log != nil {
		fmt.Fprintf(b.opts.Log, format+"\n", args...)
	}
}

// Start makes and boots machines, all at the same time. Names are given by order:
// alpha, bravo, charlie, ...
func (b *Bed) Start(ctx context.Context, specs ...Spec) ([]*Machine, error) {
	var started []*Machine
	for _, spec := range specs {
		m, err := b.add(spec)
		if err != nil {
			return nil, err
		}
		started = append(started, m)
	}
	// Only now every name and address is known.
	errs := make([]error, len(started))
	var wg sync.WaitGroup
	for i, m := range started {
		wg.Add(1)
		go func() { defer wg.Done(); errs[i] = m.PowerOn(ctx) }()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return started, nil
}

func (b *Bed) add(spec Spec) (*Machine, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errors.New("this bed is closed")
	}
	m, err := newMachine(b, len(b.machines)+1, spec)
	if err != nil {
		return nil, err
	}
	b.machines = append(b.machines, m)
	return m, nil
}

// Close ends all machines. The run folder is removed unless keep is set; disks go
// in any case, for they are large and their content is summed up in the logs.
func (b *Bed) Close(keep bool) {
	b.mu.Lock()
	b.closed = true
	machines := b.machines
	b.mu.Unlock()
	for _, m := range machines {
		m.PowerOff()
		for _, d := range m.served {
			d.close()
		}
	}
	b.net.close()
	if !keep {
		os.RemoveAll(b.dir)
		return
	}
	for _, m := range machines {
		for _, d := range m.disks {
			os.Remove(d)
		}
		os.Remove(m.path("initramfs"))
	}
}

// findTop is the source tree this process works in: the nearest folder upwards
// with a go.mod.
func findTop() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the source tree (no go.mod above it)", start)
		}
	}
}

func cacheDir(top string) string {
	if dir := os.Getenv("DRBD_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(top, ".cache")
}
