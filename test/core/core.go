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
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// here is the folder of this file.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// sum is a digest of what is in kernel/core now.
func sum() (string, error) {
	h := sha256.New()
	root := filepath.Join(here(), "..", "..", "kernel", "core")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !(strings.HasSuffix(path, ".c") || strings.HasSuffix(path, ".h")) {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(data))
		h.Write(data)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:32], err
}

// Main is to be called from TestMain of every package that uses this one. If the
// compiled code is older than kernel/core it builds and runs the test anew.
func Main(m *testing.M) {
	want, err := sum()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot read kernel/core:", err)
		os.Exit(1)
	}
	if C.GoString(C.core_sum()) == want {
		os.Exit(m.Run())
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
		// The outer go command keeps the time and wants no summary file twice.
		if !strings.HasPrefix(a, "-test.testlogfile") && !strings.HasPrefix(a, "-test.paniconexit0") {
			args = append(args, strings.Replace(a, "-test.", "-", 1))
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), again+"=1")
	if err := cmd.Run(); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}
