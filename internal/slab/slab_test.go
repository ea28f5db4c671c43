package slab

import (
	"slices"
	"testing"
)

func TestListsDoNotOverlap(t *testing.T) {
	var s Of[int]
	var lists [][]int
	for n := range 100 {
		list := s.List(n%3, n)
		for range n % 5 { // within its room and beyond
			list = append(list, n)
		}
		lists = append(lists, list)
	}
	big := s.List(0, make([]int, 10*most)...)
	for n, list := range lists {
		if len(list) != 1+n%5 || slices.ContainsFunc(list, func(v int) bool { return v != n }) {
			t.Errorf("list %d is %v", n, list)
		}
	}
	if len(big) != 10*most {
		t.Errorf("a long list has %d elements", len(big))
	}
}

func TestNewIsZeroAndItsOwn(t *testing.T) {
	var s Of[int]
	seen := map[*int]bool{}
	for range 3 * most {
		p := s.New()
		if *p != 0 || seen[p] {
			t.Fatalf("%p is %d, seen before: %v", p, *p, seen[p])
		}
		seen[p], *p = true, 1
	}
}

func TestFewAllocations(t *testing.T) {
	const things = 10000
	if got := testing.AllocsPerRun(10, func() {
		var s Of[[4]int]
		for range things {
			s.New()
		}
	}); got > things/most+10 {
		t.Errorf("%v allocations for %d things", got, things)
	}
}
