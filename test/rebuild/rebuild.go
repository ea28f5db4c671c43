// Package rebuild keeps test programs with kernel/core compiled in up to date.
//
// The go command does not see that files outside of a package's folder changed,
// and the C files of test packages include kernel/core. So the sum of all of
// kernel/core is compiled in (core_sum.h in the package's folder), and [Main]
// builds and runs the test anew when it is old.
package rebuild

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Package is a test package with parts of kernel/core in it.
type Package struct {
	Folder string // of its sources
	Sum    string // compiled in
	ASan   bool   // compiled with the address sanitizer
	Finish func() // the last thing done
}

func (p Package) core() string { return filepath.Join(p.Folder, "..", "..", "kernel", "core") }

// sum is a digest of what is in kernel/core now.
func (p Package) sum() (string, error) {
	h := sha256.New()
	err := walk(p.core(), func(path string) error {
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(data))
		h.Write(data)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:32], err
}

// walk calls fn for each source file.
func walk(root string, fn func(path string) error) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !(strings.HasSuffix(path, ".c") || strings.HasSuffix(path, ".h")) {
			return err
		}
		return fn(path)
	})
}

// ownedByGo are flags that the go command gives a test by itself.
var ownedByGo = []string{"-test.testlogfile", "-test.paniconexit0", "-test.fuzzcachedir", "-test.timeout"}

// Main is to be called from TestMain. If the compiled code is older than
// kernel/core it builds and runs the test anew. It does not return.
func (p Package) Main(m *testing.M) {
	want, err := p.sum()
	if err != nil {
		die("cannot read kernel/core:", err)
	}
	// A fuzz worker is what its parent is.
	worker := slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "-test.fuzzworker") })
	if worker || p.Sum == want {
		code := m.Run()
		p.Finish()
		p.noteInputs()
		os.Exit(code)
	}
	const again = "DRBD_CORE_REBUILT"
	if os.Getenv(again) == p.Folder {
		die("kernel/core changes while it is tested")
	}
	header := fmt.Sprintf("#define CORE_SUM %q\n", want)
	if err := os.WriteFile(filepath.Join(p.Folder, "core_sum.h"), []byte(header), 0o644); err != nil {
		die(err)
	}
	cmd := exec.Command("go", p.args()...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), again+"="+p.Folder)
	if err := cmd.Run(); err != nil {
		os.Exit(1)
	}
	p.noteInputs()
	os.Exit(0)
}

func die(why ...any) {
	fmt.Fprintln(os.Stderr, why...)
	os.Exit(1)
}

// args are those of a `go test` that does what this program was asked for.
func (p Package) args() []string {
	args := []string{"test"}
	if p.ASan {
		args = append(args, "-asan")
	}
	args = append(args, ".")
	for _, a := range os.Args[1:] {
		if !slices.ContainsFunc(ownedByGo, func(f string) bool { return strings.HasPrefix(a, f) }) {
			args = append(args, strings.Replace(a, "-test.", "-", 1))
		}
	}
	return args
}

// noteInputs adds the files of kernel/core to the list by which the go command
// decides whether a cached result is still good. It notes by itself only what
// is opened while tests run.
func (p Package) noteInputs() {
	const logFlag = "-test.testlogfile="
	for _, a := range os.Args[1:] {
		name, ok := strings.CutPrefix(a, logFlag)
		if !ok {
			continue
		}
		log, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
		if err != nil {
			return
		}
		defer log.Close()
		if st, err := log.Stat(); err == nil && st.Size() == 0 {
			fmt.Fprintln(log, "# test log")
		}
		walk(p.core(), func(path string) error {
			fmt.Fprintln(log, "open", path)
			return nil
		})
	}
}
