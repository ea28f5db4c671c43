package conf_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drbd/internal/adjust"
	"drbd/internal/conf"
	"drbd/internal/conf/conftest"
)

var alpha = conf.Identity{Node: "alpha", Pretended: true}

func dump(view *conf.View) string {
	var out strings.Builder
	conf.Dump(&out, view, conf.DumpStyle{})
	var lines []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "# defined at") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func plan(view *conf.View) string {
	var mine []*conf.Resolved
	for _, r := range view.Resources {
		if r.Me != nil {
			mine = append(mine, r)
		}
	}
	return (&adjust.Planner{View: view}).Up(mine).String()
}

// What a dump says is what was read: reading it gives the same dump and the same plan.
func TestDumpKeepsTheMeaning(t *testing.T) {
	for seed := range uint64(500) {
		text := conftest.Config(rand.New(rand.NewPCG(seed, 0)))
		view := conf.Resolve(conf.Parse("f", text), alpha)
		if err := view.Diagnostics.Err(); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		first := dump(view)
		again := conf.Resolve(conf.Parse("f", first), alpha)
		if err := again.Diagnostics.Err(); err != nil {
			t.Fatalf("seed %d: the dump is not valid: %v\n%s\n%s", seed, err, text, first)
		}
		if diff := cmp.Diff(first, dump(again)); diff != "" {
			t.Fatalf("seed %d: dump of the dump differs (-first +again):\n%s\n%s", seed, diff, text)
		}
		if diff := cmp.Diff(plan(view), plan(again)); diff != "" {
			t.Fatalf("seed %d: the dump means something else (-file +dump):\n%s\n%s", seed, diff, text)
		}
	}
}

// data is the configuration in the forms for programs, without the places in the file.
func data(t *testing.T, view *conf.View) string {
	t.Helper()
	var out strings.Builder
	for _, dump := range []func(io.Writer, *conf.View, []*conf.Resolved) error{conf.DumpXML, conf.DumpJSON} {
		if err := dump(&out, view, nil); err != nil {
			t.Fatal(err)
		}
	}
	return place.ReplaceAllString(out.String(), "")
}

var place = regexp.MustCompile(`( conf-file-line="[^"]*"|\n *"line": \d+,)`)

// The forms for programs say the same of a file and of its dump, and are well formed.
func TestDumpDataOfADump(t *testing.T) {
	for seed := range uint64(300) {
		text := conftest.Config(rand.New(rand.NewPCG(seed, 7)))
		view := conf.Resolve(conf.Parse("f", text), alpha)
		again := conf.Resolve(conf.Parse("f", dump(view)), alpha)
		if diff := cmp.Diff(data(t, view), data(t, again)); diff != "" {
			t.Fatalf("seed %d: dump-xml, dump --json of the file and of its dump differ (-file +dump):\n%s\n%s", seed, diff, text)
		}
		var asXML, asJSON strings.Builder
		if err := errors.Join(conf.DumpXML(&asXML, view, nil), conf.DumpJSON(&asJSON, view, nil)); err != nil {
			t.Fatal(err)
		}
		if !json.Valid([]byte(asJSON.String())) {
			t.Fatalf("seed %d: no JSON:\n%s", seed, asJSON.String())
		}
		for d := xml.NewDecoder(strings.NewReader(asXML.String())); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("seed %d: no XML: %v\n%s", seed, err, asXML.String())
			}
		}
	}
}

// FuzzParse: any text gives a configuration or diagnostics with a place, and a valid one survives its dump.
func FuzzParse(f *testing.F) {
	for seed := range uint64(5) {
		f.Add(conftest.Config(rand.New(rand.NewPCG(seed, 1))))
	}
	seeds, err := filepath.Glob("testdata/seed-*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range []string{"", "resource", "resource r {", "resource r { on", "include \"x*\";", "skip a { { } ", "resource r{connection{path{host a address ipv6 [::1]:1 via proxy on x{inside 1.2.3.4:5;}",
		"resource r{floating 10.0.0.1:7{}floating ipv6 [fe80::1%eth0]:7;}", "resource r{stacked-on-top-of s{device /dev/drbd9;}}", "\"", "resource \"a\\", "common{net{protocol c;}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include") || strings.Contains(text, "template-file") {
			t.Skip("no files here")
		}
		view := conf.Resolve(conf.Parse("f", text), alpha)
		for _, d := range view.Diagnostics {
			if d.Pos.Line < 1 && d.Severity == conf.Error {
				t.Errorf("no place: %v", d)
			}
		}
		if view.Diagnostics.Failed() {
			return
		}
		plan(view)
		first := dump(view)
		again := conf.Resolve(conf.Parse("f", first), alpha)
		if err := again.Diagnostics.Err(); err != nil {
			t.Fatalf("the dump is not valid: %v\n%s", err, first)
		}
		if diff := cmp.Diff(first, dump(again)); diff != "" {
			t.Fatalf("dump of the dump differs (-first +again):\n%s", diff)
		}
	})
}
