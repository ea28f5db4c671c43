// Command cover sums up what gcov has counted (scripts/cover-core): lines and
// branches of kernel/core that were executed, by file.
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// report is what `gcov --json-format` writes, as far as it is needed here.
type report struct {
	Files []struct {
		File  string `json:"file"`
		Lines []struct {
			Number   int   `json:"line_number"`
			Count    int64 `json:"count"`
			Branches []struct {
				Count int64 `json:"count"`
			} `json:"branches"`
		} `json:"lines"`
	} `json:"files"`
}

// line is one line of a file over all programs it was compiled into.
type line struct {
	ran      bool
	branches []bool // taken
}

type coverage map[string]map[int]*line // by file below kernel/core, by number

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: cover FOLDER (of gcov's reports)")
		os.Exit(2)
	}
	c := coverage{}
	if err := c.readAll(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "cover:", err)
		os.Exit(1)
	}
	c.print(os.Stdout)
}

func (c coverage) readAll(folder string) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*", "*.json.gz"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("%s has no reports of gcov", folder)
	}
	for _, path := range paths {
		if err := c.readFile(path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func (c coverage) readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	return c.read(z)
}

func (c coverage) read(r io.Reader) error {
	var rep report
	if err := json.NewDecoder(r).Decode(&rep); err != nil {
		return err
	}
	for _, file := range rep.Files {
		_, name, ok := strings.Cut(file.File, "kernel/core/")
		if !ok {
			continue
		}
		if c[name] == nil {
			c[name] = map[int]*line{}
		}
		for _, l := range file.Lines {
			have := c[name][l.Number]
			if have == nil {
				have = &line{}
				c[name][l.Number] = have
			}
			have.ran = have.ran || l.Count > 0
			for i, b := range l.Branches {
				if i == len(have.branches) {
					have.branches = append(have.branches, false)
				}
				have.branches[i] = have.branches[i] || b.Count > 0
			}
		}
	}
	return nil
}

// tally counts lines and branches: all, and those that were executed.
type tally struct{ lines, ran, branches, taken int }

func (t *tally) add(o tally) {
	t.lines += o.lines
	t.ran += o.ran
	t.branches += o.branches
	t.taken += o.taken
}

func (t tally) String() string {
	return fmt.Sprintf("%6.1f %% of %5d lines  %6.1f %% of %5d branches", percent(t.ran, t.lines), t.lines, percent(t.taken, t.branches), t.branches)
}

func percent(part, all int) float64 {
	if all == 0 {
		return 100
	}
	return 100 * float64(part) / float64(all)
}

func (c coverage) tally(name string) tally {
	var t tally
	for _, l := range c[name] {
		t.lines++
		if l.ran {
			t.ran++
		}
		for _, taken := range l.branches {
			t.branches++
			if taken {
				t.taken++
			}
		}
	}
	return t
}

func (c coverage) print(w io.Writer) {
	var names []string
	var all tally
	for name := range c {
		if strings.HasSuffix(name, ".c") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		t := c.tally(name)
		all.add(t)
		fmt.Fprintf(w, "%-26s %v\n", name, t)
	}
	fmt.Fprintf(w, "%-26s %v\n", "kernel/core", all)
}
