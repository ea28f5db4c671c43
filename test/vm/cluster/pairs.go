package cluster

import (
	"hash/crc32"
	"os"
	"testing"

	"drbd/test/vm/bed"
)

// Pair names who runs which DRBD in a test of two machines.
type Pair struct {
	Name         string
	Alpha, Bravo bed.Flavour
}

// Pairs are ours with itself, and with the stock DRBD on either side.
var Pairs = []Pair{
	{"Ours", bed.Ours, bed.Ours},
	{"OursAndStock", bed.Ours, bed.Stock},
	{"StockAndOurs", bed.Stock, bed.Ours},
}

// Long tells whether this is `make test-long`.
func Long() bool { return os.Getenv("DRBD_LONG") != "" }

// OnDebugKernel tells whether the machines run the debug kernel, which has no stock DRBD.
func OnDebugKernel() bool { return os.Getenv("DRBD_VM_KERNEL") == bed.DebugKernel }

// EachPair runs a test with each of Pairs as a subtest. `make test` has time for
// two of the three: the third, another one from test to test, is left to
// `make test-long`.
func EachPair(t *testing.T, run func(t *testing.T, p Pair)) {
	left := int(crc32.ChecksumIEEE([]byte(t.Name())) % uint32(len(Pairs)))
	for i, p := range Pairs {
		t.Run(p.Name, func(t *testing.T) {
			if i == left && !Long() && !OnDebugKernel() {
				t.Skip("this pair is part of make test-long (or set DRBD_LONG=1)")
			}
			run(t, p)
		})
	}
}
