// Package genl speaks the generic netlink interface of the module: requests, dumps, notifications. It knows the messages (made
// from kernel/netlink.yaml), not what a command line or an output looks like.
package genl

//go:generate go run ./gen -root ../..

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Op is the number of an operation (generic netlink command).
type Op uint8

// SetNr is the number of an attribute set (top-level attribute).
type SetNr uint16

// Type of a field on the wire (section 2.2).
type Type uint8

// Field types.
const (
	TypeFlag Type = iota
	TypeU32
	TypeS32
	TypeU64
	TypeString
	TypeBinary
)

// Word is a named value of an enumeration.
type Word struct {
	Value int64
	Word  string
}

// Set describes one attribute set.
type Set struct {
	Nr         SetNr
	Name       string
	NestedFlag bool // the module marks it as a nest when it sends it
	Fields     []*Field

	show string // options in the order of listings
}

// Options are the fields that have an option name, in the order in which listings show them.
func (s *Set) Options() []*Field {
	var out []*Field
	if s.show == "" {
		for _, f := range s.Fields {
			if f.Option != "" {
				out = append(out, f)
			}
		}
		return out
	}
	for _, name := range strings.Fields(s.show) {
		out = append(out, s.FieldByOption(name))
	}
	return out
}

// Field describes one field of a set. Numbers are two's complement in 64 bits.
type Field struct {
	Nr                             uint16
	Name                           string
	Type                           Type
	Option                         string // command line and configuration file name, "" when it has none
	Size                           int    // of strings, with the NUL; of binaries
	Required, Invariant, Sensitive bool
	Clamp                          bool // out of range is moved to the nearer bound instead of refused
	Words                          []Word
	Ranged                         bool
	Min, Max                       int64
	Default                        uint64
	Scale                          string // unit of a bare number: "" 1, "k" KiB, "s" sectors
	Unit                           string // for help texts
}

type operation struct {
	name, kind, needs string
	set               SetNr
}

// Signed gives a negative number as a Field's 64-bit two's complement.
func Signed(v int64) uint64 { return uint64(v) }

func (op Op) String() string {
	if info, ok := operations[op]; ok {
		return info.name
	}
	return fmt.Sprintf("operation %d", uint8(op))
}

// PayloadSet is the set that carries an operation's own parameters, 0 when there is none.
func (op Op) PayloadSet() SetNr { return operations[op].set }

// Info gives the description of a set, nil for an unknown number.
func (nr SetNr) Info() *Set { return sets[nr] }

func (nr SetNr) String() string {
	if s := sets[nr]; s != nil {
		return s.Name
	}
	return fmt.Sprintf("set %d", uint16(nr))
}

// FieldByOption finds a field by its option name, nil when there is none.
func (s *Set) FieldByOption(option string) *Field {
	for _, f := range s.Fields {
		if f.Option == option && option != "" {
			return f
		}
	}
	return nil
}

// FieldByNr finds a field by its number, nil when there is none.
func (s *Set) FieldByNr(nr uint16) *Field {
	for _, f := range s.Fields {
		if f.Nr == nr {
			return f
		}
	}
	return nil
}

func wordOf(words []Word, v int64) string {
	for _, w := range words {
		if w.Value == v {
			return w.Word
		}
	}
	return "?"
}

// WordList names the possible words for messages: "a, b or c".
func (f *Field) WordList() string {
	var words []string
	for _, w := range f.Words {
		words = append(words, w.Word)
	}
	if f.Ranged && len(words) > 0 {
		words = append(words, fmt.Sprintf("a number from %d to %d", f.Min, f.Max))
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// valueOfWord compares without case, as protocol letters and symbols are read.
func (f *Field) valueOfWord(word string) (int64, bool) {
	i := slices.IndexFunc(f.Words, func(w Word) bool { return strings.EqualFold(w.Word, word) })
	if i < 0 {
		return 0, false
	}
	return f.Words[i].Value, true
}

// Parse reads a value as people write it: a word of the enumeration, or a number (number converts it to the unit of the field).
// The range is checked here because the kernel checks hardly any (section 2.4).
func (f *Field) Parse(text string, number func(text, scale string) (uint64, error)) (uint64, error) {
	if v, ok := f.valueOfWord(text); ok {
		return Signed(v), nil
	}
	if len(f.Words) > 0 && !f.Ranged {
		return 0, fmt.Errorf("%q is not possible: it must be %s", text, f.WordList())
	}
	digits, negative := strings.CutPrefix(text, "-")
	value, err := number(digits, f.Scale)
	if err != nil {
		if len(f.Words) > 0 {
			return 0, fmt.Errorf("%q is not possible: it must be %s", text, f.WordList())
		}
		return 0, err
	}
	tooLarge := value > 1<<63-1
	signed := int64(value)
	if negative {
		signed = -signed
	}
	switch {
	case !f.Ranged:
		return Signed(signed), nil
	case f.Clamp && !tooLarge:
		return Signed(min(max(signed, f.Min), f.Max)), nil
	case tooLarge || signed < f.Min || signed > f.Max:
		return 0, fmt.Errorf("%s is out of range: possible is %s", text, f.Range())
	}
	return Signed(signed), nil
}

// Range is the possible values of a number for messages and help.
func (f *Field) Range() string {
	scale := f.Scale
	text := fmt.Sprintf("%d%s to %d%s", f.Min, scale, f.Max, scale)
	if len(f.Words) > 0 {
		return f.WordList()
	}
	return text
}

// ParseIndex reads the place of metadata on its device: a word, or the number of an indexed slot.
func (f *Field) ParseIndex(text string) (uint64, error) {
	if v, ok := f.valueOfWord(text); ok {
		return Signed(v), nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not possible: it must be %s, or the number of an indexed slot from 0 on", text, f.WordList())
	}
	return n, nil
}

// Format writes a value as `show` does: words, yes and no, numbers with the letter of their unit.
func (f *Field) Format(value uint64) string {
	for _, w := range f.Words {
		if Signed(w.Value) == value {
			return w.Word
		}
	}
	switch f.Type {
	case TypeFlag:
		if value != 0 {
			return "yes"
		}
		return "no"
	case TypeS32:
		return strconv.FormatInt(int64(value), 10) + f.Scale
	}
	return strconv.FormatUint(value, 10) + f.Scale
}
