package sim

import (
	"flag"
	"testing"
)

var (
	seeds = flag.Int("seeds", 200, "how many seeds to run")
	seed  = flag.Uint64("seed", 0, "run this one only and print what happens")
)

func TestSeeds(t *testing.T) {
	if *seed != 0 {
		r := Run(Options{Seed: *seed, Actions: 60, Trace: true})
		t.Log("\n" + r.Trace)
		if r.Failure != "" {
			t.Fatal(r.Failure)
		}
		return
	}
	bad := 0
	var steps uint64
	for s := uint64(1); s <= uint64(*seeds); s++ {
		r := Run(Options{Seed: s, Actions: 60})
		steps += r.Steps
		if r.Failure != "" {
			t.Errorf("seed %d: step %d: %s", s, r.Steps, r.Failure)
			if bad++; bad == 30 {
				t.Fatal("too many")
			}
		}
	}
	t.Logf("%d steps", steps)
}
