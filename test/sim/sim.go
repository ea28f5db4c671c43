// Package sim runs kernel/core in a simulated world: two nodes, their disks, the
// network between them, an application, an administrator, and faults. A run is
// wholly determined by its seed. docs/reliability.md tells how it works.
package sim

/*
#cgo CFLAGS: -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=undefined
#cgo LDFLAGS: -lubsan
#include "run.h"
*/
import "C"

import (
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"drbd/test/rebuild"
)

// Main is to be called from TestMain: it sees to it that the code that is
// compiled in is that of now.
func Main(m *testing.M) {
	_, file, _, _ := runtime.Caller(0)
	rebuild.Package{Folder: filepath.Dir(file), Sum: C.GoString(C.sim_core_sum()), ASan: C.sim_has_asan() != 0, Finish: func() { C.sim_finish() }}.Main(m)
}

// Options shape a run.
type Options struct {
	Seed    uint64
	Actions int // of administrator and fate
	Trace   bool
}

// Result is what became of a run.
type Result struct {
	Seed    uint64
	Failure string // "" if everything held
	Trace   string
	Steps   uint64
	Millis  uint64 // of simulated time
	Counts  Counts
}

// Counts tell what a run, or many, went through.
type Counts struct {
	Writes, Reads, Flushes, Crashes, Cuts, Resyncs, ResyncsDone, FullSyncs                  int
	SplitBrains, Forced, Jobs, Forks, Sessions, Errors, Superseded, Retried, Fenced, Resent int
	Verifies, Verified                                                                      int
}

func (c *Counts) add(o Counts) {
	c.Writes += o.Writes
	c.Reads += o.Reads
	c.Flushes += o.Flushes
	c.Crashes += o.Crashes
	c.Cuts += o.Cuts
	c.Resyncs += o.Resyncs
	c.ResyncsDone += o.ResyncsDone
	c.FullSyncs += o.FullSyncs
	c.SplitBrains += o.SplitBrains
	c.Forced += o.Forced
	c.Jobs += o.Jobs
	c.Forks += o.Forks
	c.Verifies += o.Verifies
	c.Verified += o.Verified
	c.Sessions += o.Sessions
	c.Errors += o.Errors
	c.Superseded += o.Superseded
	c.Retried += o.Retried
	c.Fenced += o.Fenced
	c.Resent += o.Resent
}

// Run lives through the world of a seed.
func Run(o Options) Result {
	r := C.sim_run(C.struct_sim_options{seed: C.u64(o.Seed), actions: C.u32(o.Actions), trace: C.bool(o.Trace)})
	out := Result{
		Seed: o.Seed, Steps: uint64(r.steps), Millis: uint64(r.ms),
		Counts: Counts{
			Writes: int(r.writes), Reads: int(r.reads), Flushes: int(r.flushes), Crashes: int(r.crashes),
			Cuts: int(r.cuts), Resyncs: int(r.syncs), ResyncsDone: int(r.resyncs_done), FullSyncs: int(r.full_syncs),
			SplitBrains: int(r.split_brains), Forced: int(r.forced), Jobs: int(r.jobs), Forks: int(r.forks),
			Verifies: int(r.verifies), Verified: int(r.verified),
			Sessions: int(r.sessions), Errors: int(r.errors),
			Superseded: int(r.superseded), Retried: int(r.retried),
			Fenced: int(r.fenced), Resent: int(r.resent),
		},
	}
	if r.failed {
		out.Failure = C.GoString(&r.what[0])
	}
	if r.trace != nil {
		out.Trace = C.GoString(r.trace)
		C.free(unsafe.Pointer(r.trace))
	}
	return out
}
