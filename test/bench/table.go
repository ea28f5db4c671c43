package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// figure is one thing measured of one contender: a value for each round.
type figure struct {
	Contender string    `json:"contender"` // raw, ours C, stock A, ...
	Job       string    `json:"job"`
	Unit      string    `json:"unit"`
	Values    []float64 `json:"values"`
	// beside it, for each I/O
	Switches float64 `json:"context_switches"`
	Packets  float64 `json:"packets"`
	Flushes  float64 `json:"flushes"`
}

// resync is the one job whose figure is a speed, not a cost.
const resync = "resync"

// tolerance is how much worse than committed a figure may be: 3 %.
const tolerance = 1.03

type table struct {
	Figures []*figure `json:"figures"`
}

func newTable() *table { return &table{} }

func (t *table) find(contender, job string) *figure {
	for _, f := range t.Figures {
		if f.Contender == contender && f.Job == job {
			return f
		}
	}
	return nil
}

func (t *table) put(contender, job, unit string, value float64) *figure {
	f := t.find(contender, job)
	if f == nil {
		f = &figure{Contender: contender, Job: job, Unit: unit}
		t.Figures = append(t.Figures, f)
	}
	f.Values = append(f.Values, value)
	return f
}

// add reads what the guest printed about one contender.
func (t *table) add(contender, output string) error {
	name := contender
	ios := 0.0
	var last *figure
	for line := range strings.Lines(output) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "section":
			name = contender + " " + rest
		case "fio":
			job, text, _ := strings.Cut(rest, " ")
			cost, n, err := instructions(text)
			if err != nil {
				return fmt.Errorf("%s %s: %w", name, job, err)
			}
			ios = n
			last = t.put(name, job, "thousand instructions per I/O", cost/1000)
		case "counters":
			if err := last.count(strings.Fields(rest)[1:], ios); err != nil {
				return err
			}
		case "resync":
			var begin, end, mb float64
			if _, err := fmt.Sscan(rest, &begin, &end, &mb); err != nil {
				return fmt.Errorf("resync %q: %w", rest, err)
			}
			t.put(contender+" C", resync, "MB per virtual second", mb/(end-begin))
		}
	}
	if last == nil {
		return fmt.Errorf("nothing was measured:\n%s", output)
	}
	return nil
}

// count takes the counters before and after a job.
func (f *figure) count(words []string, ios float64) error {
	if len(words) != 6 {
		return fmt.Errorf("counters %q: six numbers are expected", words)
	}
	var v [6]float64
	for i, w := range words {
		var err error
		if v[i], err = strconv.ParseFloat(w, 64); err != nil {
			return err
		}
	}
	f.Switches, f.Packets, f.Flushes = (v[3]-v[0])/ios, (v[4]-v[1])/ios, (v[5]-v[2])/ios
	return nil
}

// instructions is the cost of one I/O by fio's report, and how many there were: the
// mean latency at depth 1, the time over the number of I/Os else.
func instructions(text string) (cost, ios float64, err error) {
	var report struct {
		Jobs []struct {
			Options struct {
				Depth string `json:"iodepth"`
			} `json:"job options"`
			Read, Write struct {
				Total   float64 `json:"total_ios"`
				Runtime float64 `json:"runtime"` // ms
				Latency struct {
					Mean float64 `json:"mean"`
				} `json:"lat_ns"`
			}
		} `json:"jobs"`
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		return 0, 0, fmt.Errorf("fio's report: %w: %.200s", err, text)
	}
	if len(report.Jobs) != 1 {
		return 0, 0, fmt.Errorf("fio reports %d jobs", len(report.Jobs))
	}
	j := report.Jobs[0]
	side := j.Write
	if j.Read.Total > 0 {
		side = j.Read
	}
	if side.Total == 0 || side.Runtime == 0 {
		return 0, 0, fmt.Errorf("fio did no I/O: %.300s", text)
	}
	if j.Options.Depth == "" {
		return side.Latency.Mean, side.Total, nil
	}
	return side.Runtime * 1e6 / side.Total, side.Total, nil
}

// print shows jobs as rows and contenders as columns: the median of the rounds.
func (t *table) print(w io.Writer) {
	var jobs, names []string
	spread := 0.0
	for _, f := range t.Figures {
		if !slices.Contains(jobs, f.Job) {
			jobs = append(jobs, f.Job)
		}
		if !slices.Contains(names, f.Contender) {
			names = append(names, f.Contender)
		}
		spread = math.Max(spread, f.spread())
	}
	fmt.Fprintf(w, "thousands of instructions per I/O (resync: MB per virtual second)\n%-16s", "")
	for _, n := range names {
		fmt.Fprintf(w, " %16s", n)
	}
	fmt.Fprintln(w)
	for _, job := range jobs {
		fmt.Fprintf(w, "%-16s", job)
		for _, n := range names {
			if f := t.find(n, job); f != nil {
				fmt.Fprintf(w, " %16.1f", f.median())
			} else {
				fmt.Fprintf(w, " %16s", "-")
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\nper I/O: context switches of the whole system, packets, flushes of one disk\n")
	for _, f := range t.Figures {
		if f.Job != resync {
			fmt.Fprintf(w, "%-20s %-16s %6.2f %6.2f %6.3f\n", f.Contender, f.Job, f.Switches, f.Packets, f.Flushes)
		}
	}
	fmt.Fprintf(w, "\nlargest spread between rounds: %.1f %%\n", 100*spread)
}

// dearer says which figures of want have now become worse by more than the tolerance,
// the best round counting. Of costs less is better, of speeds more.
func dearer(have, want *table) []string {
	var lines []string
	for _, w := range want.Figures {
		f := have.find(w.Contender, w.Job)
		switch {
		case f == nil:
			lines = append(lines, fmt.Sprintf("%s %s was not measured", w.Contender, w.Job))
		case w.Job == resync && slices.Max(f.Values)*tolerance < slices.Max(w.Values):
			lines = append(lines, fmt.Sprintf("%s %s: %.1f, it was %.1f", w.Contender, w.Job, slices.Max(f.Values), slices.Max(w.Values)))
		case w.Job != resync && slices.Min(f.Values) > slices.Min(w.Values)*tolerance:
			lines = append(lines, fmt.Sprintf("%s %s: %.1f, it was %.1f", w.Contender, w.Job, slices.Min(f.Values), slices.Min(w.Values)))
		}
	}
	return lines
}

func (f *figure) median() float64 {
	v := slices.Clone(f.Values)
	slices.Sort(v)
	return v[len(v)/2]
}

func (f *figure) spread() float64 {
	return (slices.Max(f.Values) - slices.Min(f.Values)) / f.median()
}
