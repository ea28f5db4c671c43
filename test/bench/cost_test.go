package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"os"
	"testing"
	"time"
)

// figures.json holds what a write costs with this source, as the bench prints it with
// -quick -only ours:C -json.
//
//go:embed figures.json
var committed []byte

// Between boots the scheduler may settle in one of two orders, which differ by 4 %;
// so the best of a few boots counts.
const boots = 3

// TestVMCost is the guard: a write must not cost 3 % more instructions than it did
// when figures.json was committed, a resync not be that much slower.
func TestVMCost(t *testing.T) {
	if os.Getenv("DRBD_VM") == "" {
		t.Skip("needs virtual machines: DRBD_VM=1")
	}
	t.Chdir("../..")
	want := newTable()
	if err := json.Unmarshal(committed, want); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	have := newTable()
	for range boots {
		if err := round(ctx, options{quick: true, only: "ours:C", kernel: "6.1"}, have); err != nil {
			t.Fatal(err)
		}
		if len(dearer(have, want)) == 0 {
			break
		}
	}
	for _, line := range dearer(have, want) {
		t.Error(line)
	}
	have.print(t.Output())
}

func TestDearer(t *testing.T) {
	want, have := newTable(), newTable()
	want.put("ours C", "write", "", 100)
	want.put("ours C", "resync", "", 300)
	have.put("ours C", "write", "", 104)
	have.put("ours C", "resync", "", 280)
	if got := dearer(have, want); len(got) != 2 {
		t.Errorf("a dearer write and a slower resync: %q", got)
	}
	have.put("ours C", "write", "", 102.9)
	have.put("ours C", "resync", "", 295)
	if got := dearer(have, want); len(got) != 0 {
		t.Errorf("the second boot is good enough: %q", got)
	}
	have.Figures = have.Figures[:1]
	if got := dearer(have, want); len(got) != 1 {
		t.Errorf("what was not measured is an error: %q", got)
	}
}

func TestInstructions(t *testing.T) {
	depth1 := `{"jobs":[{"job options":{"iodepth":""},"read":{"total_ios":0},"write":{"total_ios":10,"runtime":2,"lat_ns":{"mean":61500.5}}}]}`
	deep := `{"jobs":[{"job options":{"iodepth":"32"},"write":{"total_ios":1000,"runtime":52,"lat_ns":{"mean":1}}}]}`
	for text, want := range map[string]float64{depth1: 61500.5, deep: 52000} {
		if got, _, err := instructions(text); err != nil || got != want {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	for _, text := range []string{"", "{}", `{"jobs":[{"write":{"total_ios":0}}]}`} {
		if _, _, err := instructions(text); err == nil {
			t.Errorf("%q was taken for a report", text)
		}
	}
}
