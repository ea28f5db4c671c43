// Package conf reads drbd.conf in all its dialects, says exactly where something is wrong and what would be right, and works out
// what a file means on one host. It opens files and nothing else: no module, no disks.
package conf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is where something stands in a file. There are many: all of a file share its name.
type Pos struct {
	file *string
	Line int
}

// File is the name of the file, "" for what stands in none.
func (p Pos) File() string {
	if p.file == nil {
		return ""
	}
	return *p.file
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d", p.File(), p.Line) }

// Severity of a diagnostic.
type Severity int

// Severities. A note names a spelling of an old release that means the same today; a warning names something that is ignored or
// means something else today; an error makes the resource it is in unusable.
const (
	Note Severity = iota
	Warning
	Error
)

// Diagnostic is one remark about the configuration.
type Diagnostic struct {
	Pos      Pos
	Severity Severity
	Text     string
	Resource string // the resource that it is about, "" when it is about the whole configuration
}

func (d Diagnostic) String() string {
	prefix := ""
	if d.Severity == Warning {
		prefix = "warning: "
	}
	if d.Pos.Line == 0 {
		return fmt.Sprintf("%s: %s%s", d.Pos.File(), prefix, d.Text)
	}
	return fmt.Sprintf("%s: %s%s", d.Pos, prefix, d.Text)
}

// Diagnostics collects remarks in the order in which they were found.
type Diagnostics []Diagnostic

func (ds *Diagnostics) add(pos Pos, severity Severity, resource, format string, args ...any) {
	*ds = append(*ds, Diagnostic{pos, severity, fmt.Sprintf(format, args...), resource})
}

// Failed reports whether there is an error about anything.
func (ds Diagnostics) Failed() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// FailedGlobally reports whether there is an error that is not confined to one resource.
func (ds Diagnostics) FailedGlobally() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error && d.Resource == "" })
}

// FailedFor reports whether there is an error that concerns a resource.
func (ds Diagnostics) FailedFor(resource string) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool {
		return d.Severity == Error && (d.Resource == "" || d.Resource == resource)
	})
}

// From keeps what is at least so severe.
func (ds Diagnostics) From(least Severity) Diagnostics {
	var out Diagnostics
	for _, d := range ds {
		if d.Severity >= least {
			out = append(out, d)
		}
	}
	return out
}

// Err makes one error of all errors, nil without any.
func (ds Diagnostics) Err() error {
	var lines []string
	for _, d := range ds.From(Error) {
		lines = append(lines, d.String())
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// Nearest finds the word that was probably meant, "" when none is near.
func Nearest(word string, candidates []string) string {
	best, bestDistance := "", len(word)/3+1
	for _, c := range candidates {
		if d := editDistance(word, c); d < bestDistance || d == bestDistance && (best == "" || c < best) {
			best, bestDistance = c, d
		}
	}
	return best
}

// didYouMean is Nearest as the end of a sentence.
func didYouMean(word string, candidates []string) string {
	if best := Nearest(word, candidates); best != "" {
		return fmt.Sprintf("; did you mean '%s'?", best)
	}
	return ""
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours.
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// sortedKeys lists the words of a table.
func sortedKeys[K cmp.Ordered, V any](table map[K]V) []K {
	keys := make([]K, 0, len(table))
	for k := range table {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
