// Command mutants tells whether the tests of kernel/core notice when one of its rules
// is missing. Each mutant is core with one rule undone (table.go); the table tests run
// on it, then the simulator, seed after seed, until something fails.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"drbd/test/native"
)

// atATime is the number of simulators that run at once; 0: one for each processor.
var atATime int

func main() {
	seeds := flag.Uint64("seeds", 1000, "how many seeds a mutant that no table test finds has to survive")
	only := flag.String("only", "", "run only mutants whose name or file has this in it, or whose class is this")
	processes := flag.Int("processes", 0, "how many simulators at a time (default: one for each processor)")
	simulate := flag.Bool("sim", false, "leave the table tests out: what does the simulator find by itself?")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if by, err := (mutant{}).find(ctx, min(*seeds, 50), true); by != "" || err != nil {
		fmt.Fprintln(os.Stderr, "the tests fail with nothing undone:", by, err)
		os.Exit(1)
	}
	atATime = *processes
	found, survived := 0, 0
	fmt.Printf("%-70s %-4s %s\n", "rule undone", "20.", "found by")
	for _, m := range mutants {
		if *only != "" && !strings.Contains(m.name, *only) && m.class != *only && !strings.Contains(m.file, *only) {
			continue
		}
		begin := time.Now()
		by, err := m.find(ctx, *seeds, !*simulate)
		switch {
		case ctx.Err() != nil:
			os.Exit(1)
		case err != nil:
			fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
			os.Exit(1)
		case by == "":
			survived++
			by = fmt.Sprintf("NOT FOUND by %d seeds", *seeds)
		default:
			found++
		}
		fmt.Printf("%-70s %-4s %s (%.1f s)\n", m.name, m.class, by, time.Since(begin).Seconds())
	}
	native.Prune()
	fmt.Printf("%d found, %d survived\n", found, survived)
	if survived > 0 {
		os.Exit(1)
	}
}

// text is the file of the mutant; without a file it is no mutant.
func (m mutant) text() (string, error) {
	if m.file == "" {
		return "", nil
	}
	data, err := os.ReadFile(filepath.Join(native.Top(), "kernel", "core", m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(data), m.old); n != 1 {
		return "", fmt.Errorf("%s has the text of this mutant %d times, not once: correct test/mutants/table.go", m.file, n)
	}
	return strings.Replace(string(data), m.old, m.new, 1), nil
}

func (m mutant) program(suite string) (string, error) {
	text, err := m.text()
	if err != nil {
		return "", err
	}
	// a rule that is undone may leave something without a user
	flags := []string{"-Wno-unused", "-Wno-type-limits"}
	return native.Program{Package: suite, Flags: flags, Core: map[string]string{m.file: text}}.Build()
}

// find returns what noticed the mutant, "" if nothing did.
func (m mutant) find(ctx context.Context, seeds uint64, tables bool) (string, error) {
	if tables {
		by, err := m.tables(ctx)
		if by != "" || err != nil {
			return by, err
		}
	}
	return m.simulator(ctx, seeds)
}

func (m mutant) tables(ctx context.Context) (string, error) {
	program, err := m.program("core")
	if err != nil {
		return "", err
	}
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, program).Output()
	if ctx.Err() != nil {
		return "test: one of them does not end", nil
	}
	if err == nil {
		return "", nil
	}
	line := strings.TrimSpace(string(out))
	if what, ok := strings.CutPrefix(line, "FAIL "); ok {
		return "test " + what, nil
	}
	return "tests: " + err.Error(), nil // core_check()
}

func (m mutant) simulator(ctx context.Context, seeds uint64) (string, error) {
	program, err := m.program("sim")
	if err != nil {
		return "", err
	}
	var first *native.Failure
	s := native.Seeds{First: 1, Count: seeds, Actions: 60, Processes: atATime, StopAtFirst: true, Failed: func(f native.Failure) {
		if first == nil || f.Seed < first.Seed {
			first = &f
		}
	}}
	if _, err := s.Run(ctx, program); err != nil && first == nil {
		return "simulator: " + err.Error(), nil // it crashed
	}
	if first == nil {
		return "", nil
	}
	return first.String(), nil
}
