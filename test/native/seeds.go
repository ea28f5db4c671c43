package native

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// Seeds are to be lived through by the simulator.
type Seeds struct {
	First, Count uint64
	Actions      int // of administrator and fate in each
	Processes    int // 0: as many as processors
	StopAtFirst  bool
	Failed       func(Failure) // called for each failure as it comes, one at a time
}

// Failure is a seed whose world broke a rule.
type Failure struct {
	Seed, Step uint64
	What       string
}

// kind is what failed, without the numbers that differ from world to world.
func (f Failure) kind() string { return numbers.ReplaceAllString(f.What, "N") }

var numbers = regexp.MustCompile(`\d+`)

// Shrink looks for the shortest life of the world of a failure that still fails the same way: the fewest
// actions of administrator and fate before the faults end. It returns the failure of then.
func (s Seeds) Shrink(ctx context.Context, program string, f Failure) (Failure, int, error) {
	for actions := 0; actions < s.Actions; actions++ {
		var short *Failure
		one := Seeds{First: f.Seed, Count: 1, Actions: actions, Failed: func(g Failure) { short = &g }}
		if _, err := one.Run(ctx, program); err != nil {
			return f, s.Actions, err
		}
		if short != nil && short.kind() == f.kind() {
			return *short, actions, nil
		}
	}
	return f, s.Actions, nil
}

// Trace is what happened in the world of a seed, a line for each event.
func Trace(ctx context.Context, program string, seed uint64, actions int) (string, error) {
	out, err := exec.CommandContext(ctx, program, "trace", fmt.Sprint(seed), fmt.Sprint(actions)).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // it failed, as it was to
	}
	return string(out), err
}

func (f Failure) String() string { return fmt.Sprintf("seed %d, step %d: %s", f.Seed, f.Step, f.What) }

// Run runs a program built from test/sim. The counts are of all processes that came to their end.
func (s Seeds) Run(ctx context.Context, program string) (map[string]uint64, error) {
	n := uint64(s.Processes)
	if n == 0 {
		n = uint64(runtime.NumCPU())
	}
	n = max(min(n, s.Count), 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		mutex  sync.Mutex
		wait   sync.WaitGroup
		first  error
		found  bool
		counts = map[string]uint64{}
	)
	for i := range n {
		share := s.Count/n + min(1, (s.Count%n+n-1-i)/n)
		wait.Add(1)
		go func() {
			defer wait.Done()
			err := process(ctx, program, s.First+i, share, n, s.Actions, func(line string) {
				mutex.Lock()
				defer mutex.Unlock()
				if s.line(line, counts) {
					found = true
					if s.StopAtFirst {
						stop()
					}
				}
			})
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil && first == nil && !(found && s.StopAtFirst) {
				first = err
			}
		}()
	}
	wait.Wait()
	return counts, first
}

// line takes one of the program's; true if it told of a failure.
func (s Seeds) line(line string, counts map[string]uint64) bool {
	word := strings.SplitN(line, " ", 4)
	switch {
	case len(word) == 4 && word[0] == "FAIL":
		seed, _ := strconv.ParseUint(word[1], 10, 64)
		step, _ := strconv.ParseUint(word[2], 10, 64)
		if s.Failed != nil {
			s.Failed(Failure{seed, step, word[3]})
		}
		return true
	case len(word) == 3 && word[0] == "TOTAL":
		v, _ := strconv.ParseUint(word[2], 10, 64)
		counts[word[1]] += v
	}
	return false
}

func process(ctx context.Context, program string, first, count, stride uint64, actions int, line func(string)) error {
	cmd := exec.CommandContext(ctx, program, fmt.Sprint(first), fmt.Sprint(count), fmt.Sprint(stride), fmt.Sprint(actions))
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for scan := bufio.NewScanner(out); scan.Scan(); {
		line(scan.Text())
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w %s", program, err, trouble.String())
	}
	return nil
}
