package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// runner runs commands, keeps their logs and counts.
type runner struct {
	ctx            context.Context
	options        options
	top, logs      string
	passed, failed int
}

func newRunner(ctx context.Context, o options) (*runner, error) {
	top, err := findTop()
	if err != nil {
		return nil, err
	}
	cache := os.Getenv("DRBD_CACHE")
	if cache == "" {
		cache = filepath.Join(top, ".cache")
	}
	logs := filepath.Join(cache, "test-logs")
	if err := os.RemoveAll(logs); err != nil {
		return nil, err
	}
	return &runner{ctx: ctx, options: o, top: top, logs: logs}, os.MkdirAll(logs, 0o755)
}

// result prints and counts one result; details only of a failure.
func (r *runner) result(ok bool, name string, took time.Duration, details string) {
	word := "ok  "
	if ok {
		r.passed++
	} else {
		word = "FAIL"
		r.failed++
	}
	fmt.Printf("%s %s (%.1f s)\n", word, name, took.Seconds())
	if !ok && details != "" {
		fmt.Println(indent(details))
	}
}

func indent(text string) string {
	return "     " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n     ")
}

// start makes a command of its own process group, so that all it started ends
// with it.
func (r *runner) start(env []string, argv []string) *exec.Cmd {
	cmd := exec.CommandContext(r.ctx, argv[0], argv[1:]...)
	cmd.Dir = r.top
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

// command is a check that one command decides.
func command(argv []string) func(*runner, string) {
	return func(r *runner, name string) {
		begin := time.Now()
		out, err := r.start(nil, argv).CombinedOutput()
		r.keep(name, out)
		details := string(out)
		if err != nil {
			details += err.Error()
		}
		r.result(err == nil, name, time.Since(begin), tail(details, 60))
	}
}

func (r *runner) keep(name string, out []byte) {
	file := strings.Map(func(c rune) rune {
		if strings.ContainsRune(" ,/", c) {
			return '-'
		}
		return c
	}, name)
	_ = os.WriteFile(filepath.Join(r.logs, file+".log"), out, 0o644)
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// gofmt lists files that are not formatted.
func (r *runner) gofmt(name string) {
	begin := time.Now()
	root, err := r.start(nil, sh("scripts/go", "env", "GOROOT")).Output()
	if err != nil {
		r.result(false, name, time.Since(begin), err.Error())
		return
	}
	gofmt := filepath.Join(strings.TrimSpace(string(root)), "bin/gofmt")
	if _, err := os.Stat(gofmt); err != nil {
		gofmt = filepath.Join(strings.TrimSpace(string(root)), "pkg/tool/gofmt")
	}
	var dirs []string
	for _, dir := range []string{"cmd", "internal", "test", "scripts"} {
		if _, err := os.Stat(filepath.Join(r.top, dir)); err == nil {
			dirs = append(dirs, dir)
		}
	}
	out, err := r.start(nil, append(sh(gofmt, "-l"), dirs...)).CombinedOutput()
	ok := err == nil && len(bytes.TrimSpace(out)) == 0
	r.result(ok, name, time.Since(begin), "not formatted:\n"+string(out))
}

// event is a line of `go test -json`.
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

// goTests runs Go tests and counts each of them (without subtests). A package that
// cannot be built counts as one failure.
func goTests(kind string, args ...string) func(*runner, string) {
	return func(r *runner, name string) {
		var env []string
		if kind == "vm" || kind == "debug" {
			env = append(env, "DRBD_VM=1")
		}
		if kind == "debug" {
			env = append(env, "DRBD_VM_KERNEL=debug")
		}
		if !r.options.fast {
			env = append(env, "DRBD_REFERENCE=required") // the guests' image has it
		}
		if r.options.long && kind != "debug" { // slow enough
			env = append(env, "DRBD_LONG=1")
		}
		argv := append(sh("scripts/go", "test", "-json", "-buildvcs=false", "-count=1"), args...)
		cmd := r.start(env, argv)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			r.result(false, name, 0, err.Error())
			return
		}
		before := r.failed
		r.follow(kind, out)
		err = cmd.Wait()
		if err != nil && r.failed == before {
			r.result(false, name, 0, tail(stderr.String(), 40)+err.Error())
		}
	}
}

// follow reads the events of a test run and reports results as they come.
func (r *runner) follow(kind string, out io.Reader) {
	log, err := os.Create(filepath.Join(r.logs, kind+"-tests.log"))
	if err != nil {
		r.result(false, kind+" tests: log", 0, err.Error())
		return
	}
	defer log.Close()
	output := map[string]*strings.Builder{}
	failedTests := map[string]bool{}
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var e event
		if json.Unmarshal(scanner.Bytes(), &e) != nil {
			fmt.Fprintln(log, scanner.Text())
			continue
		}
		log.WriteString(e.Output)
		top, _, sub := strings.Cut(e.Test, "/")
		key := e.Package + " " + top
		if output[key] == nil {
			output[key] = &strings.Builder{}
		}
		output[key].WriteString(e.Output)
		if sub {
			continue
		}
		took := time.Duration(e.Elapsed * float64(time.Second))
		switch {
		case e.Action == "pass" && e.Test != "":
			r.result(true, strings.TrimPrefix(key, "drbd/"), took, "")
		case e.Action == "fail" && e.Test != "":
			failedTests[e.Package] = true
			r.result(false, strings.TrimPrefix(key, "drbd/"), took, tail(output[key].String(), 80))
		case e.Action == "build-output":
			pkg := e.ImportPath
			if output[pkg] == nil {
				output[pkg] = &strings.Builder{}
			}
			output[pkg].WriteString(e.Output)
		case e.Action == "build-fail":
			failedTests[testedPackage(e.ImportPath)] = true
			r.result(false, "build "+e.ImportPath, 0, output[e.ImportPath].String())
		case e.Action == "fail" && !failedTests[e.Package]:
			// The package ended without one of its tests to blame: a crash, a time-out.
			r.result(false, strings.TrimPrefix(e.Package, "drbd/"), took, tail(output[key].String(), 80))
		}
	}
}

// testedPackage strips the " [pkg.test]" of a test variant.
func testedPackage(importPath string) string {
	pkg, _, _ := strings.Cut(importPath, " ")
	return pkg
}

// fuzzTime is how long each fuzz target runs in the long tests.
const fuzzTime = "60s"

var fuzzName = regexp.MustCompile(`^Fuzz\w+$`)

// fuzz runs every fuzz target of the tree, one after the other.
func (r *runner) fuzz(name string) {
	packages, err := r.start(nil, sh("scripts/go", "list", "./...")).Output()
	if err != nil {
		r.result(false, name, 0, err.Error())
		return
	}
	for _, pkg := range strings.Fields(string(packages)) {
		list, err := r.start(nil, sh("scripts/go", "test", "-list", "^Fuzz", pkg)).Output()
		if err != nil {
			r.result(false, "fuzz targets of "+pkg, 0, string(list))
			continue
		}
		for _, target := range strings.Fields(string(list)) {
			if fuzzName.MatchString(target) {
				command(sh("scripts/go", "test", "-run", "^$", "-fuzz", "^"+target+"$", "-fuzztime", fuzzTime, pkg))(r, "fuzz "+pkg+" "+target)
			}
		}
	}
}
