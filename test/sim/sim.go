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
	Counts  map[string]uint64 // what it went through
}

// Run lives through the world of a seed.
func Run(o Options) Result {
	r := C.sim_run(C.struct_sim_options{seed: C.u64(o.Seed), actions: C.u32(o.Actions), trace: C.bool(o.Trace)})
	out := Result{Seed: o.Seed, Steps: uint64(r.steps), Counts: map[string]uint64{}}
	for i := C.u32(0); C.sim_counter_name(i) != nil; i++ {
		out.Counts[C.GoString(C.sim_counter_name(i))] = uint64(C.sim_counter(&r, i))
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
