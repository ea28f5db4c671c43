package core

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what scripts print into their files, to be read before it is committed")

// TestScripts types the lines of each script and compares what is printed behind them.
func TestScripts(t *testing.T) {
	files, _ := filepath.Glob("testdata/agree/*.txt")
	if len(files) == 0 {
		t.Fatal("no scripts")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, line := range strings.Split(strings.TrimRight(string(script), "\n"), "\n") {
				if strings.HasPrefix(line, "    ") {
					continue // what was printed
				}
				b.WriteString(line + "\n")
				if line != "" && !strings.HasPrefix(line, "#") {
					b.WriteString(agreeLine(line))
				}
			}
			got := b.String()
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := strings.Split(string(script), "\n")
			for i, line := range strings.Split(got, "\n") {
				if i >= len(want) || line != want[i] {
					t.Fatalf("%s:%d: is\n%s\nand not\n%s", file, i+1, line, append(want, "the end")[min(i, len(want))])
				}
			}
			if strings.Count(got, "\n") != len(want)-1 {
				t.Fatalf("%s: less is printed", file)
			}
		})
	}
}
