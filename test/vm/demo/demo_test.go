package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// The main job with every pair of ours and stock, and on every kernel; of the
// combinations, `make test` takes each pair and each kernel once.

func TestVMMainJobOurs(t *testing.T)            { play(t, setting{bed.Ours, bed.Ours, "6.1"}) }
func TestVMMainJobOursAndStock510(t *testing.T) { play(t, setting{bed.Ours, bed.Stock, "5.10"}) }
func TestVMMainJobStockAndOurs612(t *testing.T) { play(t, setting{bed.Stock, bed.Ours, "6.12"}) }
func TestVMMainJobOurs72(t *testing.T)          { play(t, setting{bed.Ours, bed.Ours, "7.2"}) }

func TestVMMainJobLong(t *testing.T) {
	long(t)
	for _, kernel := range []string{"5.10", "6.1", "6.12", "7.2"} {
		for _, p := range cluster.Pairs {
			t.Run(kernel+p.Name, func(t *testing.T) { play(t, setting{p.Alpha, p.Bravo, kernel}) })
		}
	}
	// the test bed and the steps themselves, with nothing of ours in the machines
	t.Run("Stock", func(t *testing.T) { play(t, setting{bed.Stock, bed.Stock, "6.1"}) })
}

func long(t *testing.T) {
	if !cluster.Long() {
		t.Skip("part of `make test-long`")
	}
}

func play(t *testing.T, s setting) {
	if os.Getenv("DRBD_VM") == "" {
		t.Skip("boots machines: set DRBD_VM=1, or run `make test`")
	}
	if os.Getenv("DRBD_VM_KERNEL") == bed.DebugKernel {
		if s != (setting{bed.Ours, bed.Ours, "6.1"}) {
			t.Skip("on the debug kernel: ours and ours, once")
		}
		s.kernel = bed.DebugKernel
	}
	var shown strings.Builder
	dir, err := run(context.Background(), s, &shown, false)
	if err != nil {
		t.Fatalf("%v\nlogs: %s\n%s", err, dir, shown.String())
	}
}
