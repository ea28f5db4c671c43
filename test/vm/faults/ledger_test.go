package faults

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// ledger knows what was acknowledged: by a write, and by a flush behind it.
type ledger struct {
	mu     sync.Mutex
	acked  map[int]uint64 // version by sector
	stable map[int]uint64
	open   []ledgerLine // acknowledged since the last flush of their writer
	writes int
}

type ledgerLine struct {
	sector, count int
	version       uint64
}

const ledgerWriters = 4

func newLedger() *ledger { return &ledger{acked: map[int]uint64{}, stable: map[int]uint64{}} }

func (l *ledger) line(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var w ledgerLine
	if n, _ := fmt.Sscanf(text, "w %d %d %d", &w.sector, &w.count, &w.version); n == 3 {
		l.writes++
		l.open = append(l.open, w)
		for i := range w.count {
			l.acked[w.sector+i] = w.version
		}
	}
	var writer int
	var version uint64
	if n, _ := fmt.Sscanf(text, "f %d %d", &writer, &version); n == 2 {
		var open []ledgerLine
		for _, w := range l.open {
			if w.sector/128%ledgerWriters != writer || w.version > version {
				open = append(open, w)
				continue
			}
			for i := range w.count {
				l.stable[w.sector+i] = w.version
			}
		}
		l.open = open
	}
}

// count is how many writes were acknowledged.
func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writes
}

// onlyStable forgets what was acknowledged without a flush: nobody has to have it any more.
func (l *ledger) onlyStable() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = nil
	l.acked = map[int]uint64{}
	for s, v := range l.stable {
		l.acked[s] = v
	}
}

func (l *ledger) text() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b bytes.Buffer
	for s, v := range l.acked {
		fmt.Fprintf(&b, "%d %d\n", s, v)
	}
	return b.Bytes()
}

// ledgerPair is a pair on whose Primary a ledger is written.
type ledgerPair struct {
	*pair
	ledger             *ledger
	random             *rand.Rand
	sectors            int
	primary, secondary *bed.Machine
	round              int
	writer             *bed.Command
}

// write starts the writers on the Primary.
func (c *ledgerPair) write() {
	c.t.Helper()
	c.round++
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	c.t.Cleanup(cancel)
	w, err := c.primary.Background(ctx, fmt.Sprintf("exec ledger-write /dev/drbd2 %d %d %d %d %d",
		c.sectors, ledgerWriters, c.random.IntN(1<<30), uint64(c.round)<<32+1, 2000+c.random.IntN(4000)), c.ledger.line)
	if err != nil {
		c.t.Fatal(err)
	}
	c.writer = w
}

// stop ends the writers, unless their machine is off.
func (c *ledgerPair) stop() {
	c.t.Helper()
	c.writer.Kill()
	out, err := c.writer.Wait()
	if err != nil && (out.Stderr != "" || strings.Contains(err.Error(), "did not end in time")) {
		c.t.Fatalf("the application was disturbed: %v", err)
	}
}

func (c *ledgerPair) check(m *bed.Machine) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := m.PutStream(ctx, fmt.Sprintf("exec ledger-check /dev/drbd2 %d", c.sectors), bytes.NewReader(c.ledger.text())); err != nil {
		c.t.Fatalf("round %d: data were lost: %v", c.round, err)
	}
}

func (c *ledgerPair) powerOn(machines ...*bed.Machine) {
	c.t.Helper()
	var all sync.WaitGroup
	errs := make([]error, len(machines))
	for i, m := range machines {
		all.Add(1)
		go func() {
			defer all.Done()
			if errs[i] = m.PowerOn(context.Background()); errs[i] == nil {
				_, errs[i] = m.Run(context.Background(), "modprobe drbd && drbdadm up r0")
			}
		}()
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

// promote waits until the peer is known to be gone.
func (c *ledgerPair) promote() {
	c.t.Helper()
	c.run(c.primary, "for i in $(seq 100); do drbdadm primary r0 2>/tmp/no && exit 0; sleep 0.2; done; cat /tmp/no >&2; exit 1")
}

// compare looks at both disks below DRBD while nobody writes.
func (c *ledgerPair) compare() {
	c.t.Helper()
	c.wait(c.primary, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
	for _, m := range []*bed.Machine{c.primary, c.secondary} {
		if err := m.Served(0).Settle(); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := bed.CompareDisks(c.alpha.Disk(0), c.bravo.Disk(0), 0, int64(c.sectors)*512); err != nil {
		c.t.Fatalf("round %d: both say UpToDate: %v", c.round, err)
	}
}

// ledgerOptions are what tests with a ledger differ in.
type ledgerOptions struct {
	alpha, bravo bed.Flavour
	size         int64  // of each disk
	disk         string // options
	external     bool   // metadata on a disk of its own
	seed         uint64
}

// newLedgerPair boots two machines with disks that forget, and makes alpha Primary of
// equal disks.
func newLedgerPair(t *testing.T, o ledgerOptions) *ledgerPair {
	t.Helper()
	disks := []int64{o.size, 8 << 20}
	b, ms := cluster.Boot(t, bed.Spec{Flavour: o.alpha, Disks: disks, Volatile: true}, bed.Spec{Flavour: o.bravo, Disks: disks, Volatile: true})
	p := &pair{t: t, bed: b, alpha: ms[0], bravo: ms[1]}
	config := cluster.Config(p.alpha, p.bravo, "net { ping-int 1; ping-timeout 10; connect-int 3; timeout 20; max-epoch-size 100; }")
	config = strings.Replace(config, "on-io-error pass_on;", "c-min-rate 0; "+o.disk, 1)
	if o.external {
		config = strings.ReplaceAll(config, "meta-disk internal;", "flexible-meta-disk /dev/vdb;")
	}
	p.setConfig(config)
	p.upAsEqual(o.external)
	p.run(p.alpha, "drbdadm primary r0")
	return &ledgerPair{
		pair: p, ledger: newLedger(), random: rand.New(rand.NewPCG(o.seed, 0)), primary: p.alpha, secondary: p.bravo,
		sectors: number(t, p.run(p.alpha, "cat /sys/block/drbd2/size")) / 128 * 128,
	}
}

// seedOf is where a test's chance comes from: the same for each run of `make test`, or
// DRBD_SEED.
func seedOf(t *testing.T, seed uint64) uint64 {
	t.Helper()
	if text := os.Getenv("DRBD_SEED"); text != "" {
		var n uint64
		if _, err := fmt.Sscan(text, &n); err != nil {
			t.Fatalf("DRBD_SEED=%q: a whole number is expected", text)
		}
		seed += n
	}
	t.Logf("seed %d", seed)
	return seed
}
