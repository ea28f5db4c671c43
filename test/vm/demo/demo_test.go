package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"drbd/test/vm/bed"
)

// The main job with every pair of ours and stock, on both kernels.
func TestMainJob(t *testing.T) {
	tests := map[string]setting{
		"ours-ours":       {bed.Ours, bed.Ours, "6.1"},
		"ours-stock":      {bed.Ours, bed.Stock, "6.1"},
		"stock-ours":      {bed.Stock, bed.Ours, "6.1"},
		"ours-ours-6.12":  {bed.Ours, bed.Ours, "6.12"},
		"stock-ours-6.12": {bed.Stock, bed.Ours, "6.12"},
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) { play(t, s) })
	}
}

// The test bed and the steps themselves, with nothing of ours in the machines.
func TestMainJobStockPair(t *testing.T) { play(t, setting{bed.Stock, bed.Stock, "6.1"}) }

func play(t *testing.T, s setting) {
	if os.Getenv("DRBD_VM") == "" {
		t.Skip("boots machines: set DRBD_VM=1, or run `make test`")
	}
	var shown strings.Builder
	dir, err := run(context.Background(), s, &shown, false)
	if err != nil {
		t.Fatalf("%v\nlogs: %s\n%s", err, dir, shown.String())
	}
}
