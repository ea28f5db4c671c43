// Command run is behind `make test`: it runs the checks that need no machine (fast
// part), then the tests with virtual machines, shows each result as it comes, and
// ends with one line "N passed, N failed". Its exit status is 0 only if all passed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// options is what `make test`, `make test-fast`, `make test-long` and `make test-debug` differ in.
type options struct {
	fast  bool
	long  bool
	debug bool
}

func main() {
	var o options
	flag.BoolVar(&o.fast, "fast", false, "only what needs no virtual machine")
	flag.BoolVar(&o.long, "long", false, "more rounds, more seeds, longer fuzzing")
	flag.BoolVar(&o.debug, "debug", false, "only the machine tests on the debug kernel")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := newRunner(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tests:", err)
		os.Exit(1)
	}
	begin := time.Now()
	for _, c := range checks {
		if ctx.Err() == nil && c.when(o) {
			c.run(r, c.name)
		}
	}
	if ctx.Err() != nil {
		r.result(false, "interrupted", time.Since(begin), "")
	}
	fmt.Printf("(%.0f s; logs: %s)\n", time.Since(begin).Seconds(), r.logs)
	fmt.Printf("%d passed, %d failed\n", r.passed, r.failed)
	if r.failed > 0 || r.passed == 0 {
		os.Exit(1)
	}
}

// check is one entry of the list; run reports one result or many.
type check struct {
	name string
	when func(options) bool
	run  func(r *runner, name string)
}

func always(o options) bool      { return !o.debug }
func machines(o options) bool    { return !o.fast && !o.debug }
func whenLong(o options) bool    { return o.long && !o.debug }
func booting(o options) bool     { return !o.fast }
func debugToo(o options) bool    { return o.long || o.debug }
func sh(argv ...string) []string { return argv }

// checks in their order: what fails fast comes first. The image has the stock tools that unit tests compare ours with.
var checks = []check{
	{"gofmt", always, (*runner).gofmt},
	{"go vet", always, command(sh("scripts/go", "vet", "./..."))},
	{"generated files are fresh", always, command(sh("scripts/check-generated"))},
	{"the debug kernel", debugToo, command(sh("scripts/build-debug-kernel"))},
	{"module for the debug kernel", debugToo, command(sh("scripts/build-module", "debug"))},
	{"the guests' disk image", booting, command(sh("scripts/build-guest"))},
	{"unit tests", always, goTests("unit", "-skip", "^TestVM", "./...")},
	{"module for kernel 6.1, all warnings, sparse", always, command(sh("scripts/build-module", "6.1", "--sparse"))},
	{"module for kernel 6.12, all warnings, sparse", always, command(sh("scripts/build-module", "6.12", "--sparse"))},
	{"module for kernel 5.10, all warnings", always, command(sh("scripts/build-module", "5.10"))},
	{"module for kernel 7.2, all warnings", always, command(sh("scripts/build-module", "7.2"))},
	{"dkms build for kernel 6.1", always, command(sh("scripts/test-dkms", "6.1"))},
	{"fuzzing", whenLong, (*runner).fuzz},
	{"mutants of core", whenLong, command(sh("scripts/go", "run", "./test/mutants"))},
	{"the programs", booting, command(sh("scripts/build-tools"))},
	{"machine tests", machines, goTests("vm", "-p", "1", "-run", "^TestVM", "-timeout", "50m", "./test/vm/...", "./test/bench")},
	{"machine tests on the debug kernel", debugToo, goTests("debug", "-p", "1", "-run", debugTests, "-timeout", "50m", "./test/vm/faults")},
}

// debugTests are what is known to keep its time limits on the debug kernel.
const debugTests = "^TestVM(BadInput|GarbageOnThePort|WritesThroughCuts|DetachAndAttach)$"

// findTop is the source tree: the working folder of `make`.
func findTop() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", fmt.Errorf("run this from the top of the source tree (`make test`)")
	}
	return dir, nil
}
