package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func readTestdata(t testing.TB) map[string]string {
	t.Helper()
	names, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

func dumpText(cfg *Config, host string) string {
	var out strings.Builder
	Dump(&out, Resolve(cfg, Identity{Node: host, Pretended: true}), DumpStyle{})
	return out.String()
}

// withoutPlaces takes the lines out that tell where something was defined.
func withoutPlaces(dump string) string {
	var lines []string
	for line := range strings.Lines(dump) {
		if !strings.HasPrefix(line, "# defined at") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestSeedsParse(t *testing.T) {
	for name, text := range readTestdata(t) {
		view := Resolve(Parse(name, text), Identity{Node: "t", Pretended: true})
		if err := view.Diagnostics.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(view.Resources) == 0 {
			t.Errorf("%s: no resources", name)
		}
	}
}

func TestDumpIsFixedPoint(t *testing.T) {
	for name, text := range readTestdata(t) {
		first := dumpText(Parse("x", text), "t")
		again := Parse("x", first)
		if err := again.Diagnostics.Err(); err != nil {
			t.Errorf("%s: the dump cannot be read back: %v\n%s", name, err, first)
			continue
		}
		if diff := cmp.Diff(withoutPlaces(first), withoutPlaces(dumpText(again, "t"))); diff != "" {
			t.Errorf("%s: dump of the dump differs (-first +again):\n%s", name, diff)
		}
	}
}
