package native

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
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
