package core

import (
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

// TestC runs the tests that are written in C.
func TestC(t *testing.T) {
	for i := 0; ; i++ {
		name := testName(i)
		if name == "" {
			if i == 0 {
				t.Fatal("no tests")
			}
			return
		}
		t.Run(name, func(t *testing.T) {
			if failure := runTest(i); failure != "" {
				t.Error(failure)
			}
		})
	}
}
