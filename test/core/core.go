// Package core compiles the module's kernel/core into Go programs, for tests and
// for the simulator. Each core_*.c file here includes one file of kernel/core;
// test_*.c are tests written in C, which core_test.go runs one by one.
//
// Undefined behaviour ends the program (see harness.c). Address checks come with
// `go test -asan`.
//
// The go command does not see that files outside of this folder changed. So the
// sum of all of kernel/core is compiled in, and [Main] rebuilds when it is old.
package core

/*
#cgo CFLAGS: -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=undefined
#cgo LDFLAGS: -lubsan
#include "harness.h"
*/
import "C"

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// here is the folder of this file.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// compiled are the parts of kernel/core that core_*.c include.
var compiled = []string{"base.h", "wire", "disk", "data"}

// sum is a digest of what is in kernel/core now.
func sum() (string, error) {
	h := sha256.New()
	root := filepath.Join(here(), "..", "..", "kernel", "core")
	for _, part := range compiled {
		if err := sumPart(h, filepath.Join(root, part), func(string) {}); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// sumPart writes a file, or the sources of a folder, into h, and names each.
func sumPart(h io.Writer, root string, name func(string)) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !(strings.HasSuffix(path, ".c") || strings.HasSuffix(path, ".h")) {
			return err
		}
		name(path)
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(data))
		h.Write(data)
		return err
	})
}

// ownedByGo are flags that the go command gives a test by itself.
var ownedByGo = []string{"-test.testlogfile", "-test.paniconexit0", "-test.fuzzcachedir", "-test.timeout"}

// Main is to be called from TestMain of every package that uses this one. If the
// compiled code is older than kernel/core it builds and runs the test anew.
func Main(m *testing.M) {
	want, err := sum()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot read kernel/core:", err)
		os.Exit(1)
	}
	// A fuzz worker is what its parent is.
	worker := slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "-test.fuzzworker") })
	if worker || C.GoString(C.core_sum()) == want {
		code := m.Run()
		noteInputs()
		os.Exit(code)
	}
	const again = "DRBD_CORE_REBUILT"
	if os.Getenv(again) != "" {
		fmt.Fprintln(os.Stderr, "kernel/core changes while it is tested")
		os.Exit(1)
	}
	header := fmt.Sprintf("#define CORE_SUM %q\n", want)
	if err := os.WriteFile(filepath.Join(here(), "core_sum.h"), []byte(header), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	args := []string{"test"}
	if C.core_has_asan() != 0 {
		args = append(args, "-asan")
	}
	args = append(args, ".")
	for _, a := range os.Args[1:] {
		if !slices.ContainsFunc(ownedByGo, func(f string) bool { return strings.HasPrefix(a, f) }) {
			args = append(args, strings.Replace(a, "-test.", "-", 1))
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), again+"=1")
	if err := cmd.Run(); err != nil {
		os.Exit(1)
	}
	noteInputs()
	os.Exit(0)
}

// noteInputs adds the files of kernel/core to the list by which the go command
// decides whether a cached result is still good. It notes by itself only what
// is opened while tests run.
func noteInputs() {
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
		for _, part := range compiled {
			sumPart(io.Discard, filepath.Join(here(), "..", "..", "kernel", "core", part), func(path string) {
				fmt.Fprintln(log, "open", path)
			})
		}
	}
}
