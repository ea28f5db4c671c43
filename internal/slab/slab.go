// Package slab cuts small pieces from large pieces of memory. A program that reads a configuration of a thousand resources and ends
// makes tens of thousands of small things and frees none: one allocation for many of them takes a third of the time. A large piece
// lives as long as anything in it, so this is not for what comes and goes.
package slab

// Of is a supply of T. The zero value is ready; it must not be used by two goroutines at once.
type Of[T any] struct {
	free []T
	last int // size of the last large piece
}

// Large pieces grow from first to most elements: little is made in vain for a small configuration.
const (
	first = 8
	most  = 512
)

func (s *Of[T]) cut(n int) []T {
	if n > len(s.free) {
		s.last = min(max(2*s.last, first), most)
		s.free = make([]T, max(n, s.last))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

// New returns a zero T.
func (s *Of[T]) New() *T { return &s.cut(1)[0] }

// List returns a copy of elements with room for more: appending beyond that moves the list, as always.
func (s *Of[T]) List(room int, elements ...T) []T {
	return append(s.cut(len(elements) + room)[:0], elements...)
}
