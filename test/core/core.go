// Package core compiles the module's kernel/core into Go programs, for tests.
// Each core_*.c file here includes one file of kernel/core; test_*.c are tests
// written in C, which core_test.go runs one by one.
//
// Undefined behaviour ends the program (see harness.c). Address checks come with
// `go test -asan`.
package core

/*
#cgo CFLAGS: -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=undefined
#cgo LDFLAGS: -lubsan
#include "harness.h"
*/
import "C"

import (
	"path/filepath"
	"runtime"
	"testing"

	"drbd/test/rebuild"
)

// here is the folder of this file.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// Main is to be called from TestMain: it sees to it that the code that is
// compiled in is that of now.
func Main(m *testing.M) {
	rebuild.Package{Folder: here(), Sum: C.GoString(C.core_sum()), ASan: C.core_has_asan() != 0, Finish: func() { C.core_finish() }}.Main(m)
}
