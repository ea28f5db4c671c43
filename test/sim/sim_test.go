package sim

import (
	"flag"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

var (
	seeds   = flag.Int("seeds", 0, "how many seeds to run (default 300, 10000 with DRBD_LONG)")
	first   = flag.Uint64("first", 1, "the first of them")
	seed    = flag.Uint64("seed", 0, "run only this one and print what happens")
	actions = flag.Int("actions", 60, "of administrator and fate, in each run")
)

func TestMain(m *testing.M) { Main(m) }

func count() int {
	switch {
	case *seeds > 0:
		return *seeds
	case os.Getenv("DRBD_LONG") != "":
		return 10000
	case testing.Short():
		return 100
	}
	return 300
}

// TestSeeds lives through the worlds of many seeds. A failure names its seed:
// `go test ./test/sim -run Seeds -seed N -v` prints how it came to it.
func TestSeeds(t *testing.T) {
	if *seed != 0 {
		r := Run(Options{Seed: *seed, Actions: *actions, Trace: true})
		t.Log("\n" + r.Trace)
		if r.Failure != "" {
			t.Fatal(r.Failure)
		}
		return
	}
	n := count()
	begin := time.Now()
	var total Counts
	var steps, failed uint64
	for r := range runAll(n) {
		steps += r.Steps
		total.add(r.Counts)
		if r.Failure == "" {
			continue
		}
		if failed++; failed <= 20 {
			t.Errorf("seed %d, step %d: %s", r.Seed, r.Steps, r.Failure)
		}
	}
	t.Logf("%d seeds, %d failed, %d steps, %.0f seeds/s: %+v", n, failed, steps,
		float64(n)/time.Since(begin).Seconds(), total)
	if n >= 100 && (total.Crashes == 0 || total.Cuts == 0 || total.ResyncsDone == 0 || total.SplitBrains == 0 ||
		total.Verified == 0 || total.Superseded == 0 || total.Retried == 0 ||
		total.Fenced == 0) {
		t.Error("too little happened: the worlds are not what they should be")
	}
}

// runAll runs seeds on all processors; results come in any order.
func runAll(n int) <-chan Result {
	next := make(chan uint64)
	out := make(chan Result)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for s := range next {
				out <- Run(Options{Seed: s, Actions: *actions})
			}
		}()
	}
	go func() {
		for s := range uint64(n) {
			next <- *first + s
		}
		close(next)
		workers.Wait()
		close(out)
	}()
	return out
}

// TestSeedReproduces: a seed is all that a run depends on.
func TestSeedReproduces(t *testing.T) {
	for s := uint64(1); s <= 3; s++ {
		a := Run(Options{Seed: s, Actions: 30, Trace: true})
		b := Run(Options{Seed: s, Actions: 30, Trace: true})
		if a.Trace != b.Trace || a.Steps != b.Steps {
			t.Errorf("seed %d: two runs differ", s)
		}
	}
}
