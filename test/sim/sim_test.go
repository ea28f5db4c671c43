package sim

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drbd/test/native"
)

var (
	seeds   = flag.Uint64("seeds", 0, "how many seeds to run (default 2000, 20000 with DRBD_LONG)")
	first   = flag.Uint64("first", 1, "the first of them")
	seed    = flag.Uint64("seed", 0, "run only this one and print what happens")
	actions = flag.Int("actions", 60, "of administrator and fate, in each run")
	watched = flag.Uint64("sanitized", 60, "how many seeds to run with sanitizers")
)

func TestMain(m *testing.M) { Main(m) }

func count() uint64 {
	switch {
	case *seeds > 0:
		return *seeds
	case os.Getenv("DRBD_LONG") != "":
		return 20000
	case testing.Short():
		return 200
	}
	return 2000
}

// TestSeeds lives through the worlds of many seeds, at full speed. A failure names its
// seed: `make sim SEED=N` prints how it came to it.
func TestSeeds(t *testing.T) {
	if *seed != 0 {
		r := Run(Options{Seed: *seed, Actions: *actions, Trace: true})
		t.Log("\n" + r.Trace)
		if r.Failure != "" {
			t.Fatal(r.Failure)
		}
		return
	}
	program, err := native.Program{Package: "sim"}.Build()
	if err != nil {
		t.Fatal(err)
	}
	native.Prune()
	failed := 0
	var failures []native.Failure
	s := native.Seeds{First: *first, Count: count(), Actions: *actions, Failed: func(f native.Failure) {
		if failed++; failed <= 20 {
			t.Error(f)
		}
		if len(failures) < 3 {
			failures = append(failures, f)
		}
	}}
	begin := time.Now()
	total, err := s.Run(context.Background(), program)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d seeds, %d failed, %.0f seeds/s\n%s", s.Count, failed,
		float64(s.Count)/time.Since(begin).Seconds(), table(total))
	for _, f := range failures {
		short, n, err := s.Shrink(context.Background(), program, f)
		if err != nil {
			t.Fatal(err)
		}
		script, err := native.Trace(context.Background(), program, short.Seed, n)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d needs %d actions (make sim SEED=%d ACTIONS=%d has every packet):\n%s", f.Seed, n, f.Seed, n, outline(script))
	}
	if s.Count < 100 {
		return
	}
	for name, n := range total {
		if n == 0 && name != "errors" {
			t.Errorf("no %s at all: the worlds are not what they should be", name)
		}
	}
}

// table is what the worlds went through.
func table(total map[string]uint64) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(total)) {
		fmt.Fprintf(&b, "  %-14s %14d\n", name, total[name])
	}
	return b.String()
}

// packet is a line of a trace that tells of one, or of the application.
var packet = regexp.MustCompile(` n\d (?:[<>] P_|(?:read|write|flush) \d)`)

// outline leaves out of a trace what is not a command, a fault, or a change of state.
func outline(trace string) string {
	var b strings.Builder
	for line := range strings.Lines(trace) {
		if !packet.MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestSanitizedSeeds: some of them with the checks of the compiler.
func TestSanitizedSeeds(t *testing.T) {
	for s := *first; s < *first+*watched && *seed == 0; s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			if r := Run(Options{Seed: s, Actions: *actions}); r.Failure != "" {
				t.Errorf("step %d: %s", r.Steps, r.Failure)
			}
		})
	}
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
