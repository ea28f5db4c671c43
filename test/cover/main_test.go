package main

import (
	"strings"
	"testing"
)

// The same file in two programs: what either has executed counts.
func TestMerge(t *testing.T) {
	c := coverage{}
	for _, text := range []string{
		`{"files":[{"file":"/x/kernel/core/a.c","lines":[{"line_number":1,"count":0,"branches":[{"count":1},{"count":0}]},{"line_number":2,"count":5,"branches":[]}]},{"file":"/usr/include/b.h","lines":[{"line_number":1,"count":1}]}]}`,
		`{"files":[{"file":"../../kernel/core/a.c","lines":[{"line_number":1,"count":3,"branches":[{"count":0},{"count":0}]},{"line_number":3,"count":0}]}]}`,
	} {
		if err := c.read(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := c.tally("a.c"), (tally{lines: 3, ran: 2, branches: 2, taken: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if len(c) != 1 {
		t.Errorf("other files than those of core count: %v", c)
	}
}
