package meta

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The words of a dump (section 7.10): numbers, hexadecimal numbers of 32 and 64 bits, strings, keywords, single characters.

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenNumber
	tokenU32
	tokenU64
	tokenString
	tokenWord
	tokenMark // { } ; [ ]
)

var tokenNames = map[tokenKind]string{
	tokenEnd: "end of file", tokenNumber: "number", tokenU32: "32-bit hexadecimal number", tokenU64: "64-bit hexadecimal number",
	tokenString: "string", tokenWord: "keyword",
}

type token struct {
	kind  tokenKind
	text  string
	value uint64
	neg   bool
}

// maxToken is longer than any token can be.
const maxToken = 80

type scanner struct {
	r    *bufio.Reader
	line int
	tok  token // the present one
	err  error // of reading
}

func newScanner(r io.Reader) *scanner {
	s := &scanner{r: bufio.NewReaderSize(r, 64<<10), line: 1}
	s.next()
	return s
}

func isSpace(b byte) bool {
	return b == ' ' || b == '\t' || b == '\n' || b == '\r' || b == '\v' || b == '\f'
}

func isMark(b byte) bool { return strings.IndexByte("{};[]", b) >= 0 }

// next reads a token; what makes no sense becomes a word that no rule expects.
func (s *scanner) next() {
	b, ok := s.skip()
	switch {
	case !ok:
		s.tok = token{kind: tokenEnd, text: "end of file"}
	case isMark(b):
		s.tok = token{kind: tokenMark, text: string(b)}
	case b == '"':
		s.quoted()
	default:
		s.word(b)
	}
}

func (s *scanner) byte() (byte, bool) {
	b, err := s.r.ReadByte()
	if err != nil {
		if err != io.EOF && s.err == nil {
			s.err = err
		}
		return 0, false
	}
	if b == '\n' {
		s.line++
	}
	return b, true
}

func (s *scanner) skip() (byte, bool) {
	comment := false
	for {
		b, ok := s.byte()
		switch {
		case !ok:
			return 0, false
		case b == '\n':
			comment = false
		case b == '#':
			comment = true
		}
		if !comment && !isSpace(b) {
			return b, true
		}
	}
}

func (s *scanner) quoted() {
	var text []byte
	for {
		b, ok := s.byte()
		if !ok || b == '\n' || len(text) > maxToken {
			s.tok = token{kind: tokenWord, text: "\"" + string(text)}
			return
		}
		if b == '"' {
			break
		}
		text = append(text, b)
	}
	s.tok = token{kind: tokenString, text: string(text)}
	if len(text) == 0 || len(text) > 20 {
		s.tok.kind = tokenWord
	}
}

func (s *scanner) word(first byte) {
	text := []byte{first}
	for len(text) <= maxToken {
		next, err := s.r.Peek(1)
		if err != nil || isSpace(next[0]) || isMark(next[0]) || next[0] == '#' || next[0] == '"' {
			break
		}
		text = append(text, next[0])
		_, _ = s.r.Discard(1)
	}
	s.tok = classify(string(text))
}

func classify(text string) token {
	t := token{kind: tokenWord, text: text}
	if hex, ok := strings.CutPrefix(text, "0x"); ok && (len(hex) == 8 || len(hex) == 16) {
		n, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			return t
		}
		t.value, t.kind = n, tokenU32
		if len(hex) == 16 {
			t.kind = tokenU64
		}
		return t
	}
	digits, neg := strings.CutPrefix(text, "-")
	if len(digits) < 1 || len(digits) > 19 || strings.Trim(digits, "0123456789") != "" {
		return t
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return t
	}
	t.kind, t.value, t.neg = tokenNumber, n, neg
	return t
}

// dumpError ends the parsing; parse recovers it, so that rules read like the grammar.
type dumpError struct{ err error }

func (s *scanner) expected(what string) {
	if s.err != nil {
		panic(dumpError{fail(exitOption, "reading the dump failed: %v", s.err)})
	}
	text := ""
	if s.tok.kind == tokenWord && !knownWords[s.tok.text] {
		text = fmt.Sprintf("line %d: unknown token: %s\n", s.line, s.tok.text)
	}
	panic(dumpError{fail(exitOption, "%sParse error in line %d: %s expected, not '%s'", text, s.line, what, s.tok.text)})
}

var knownWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("version max-peers gc uuid flags node-id current-uuid members peer bitmap-index bitmap-uuid " +
		"bitmap-dagtag history-uuids la-size-sect bm-byte-per-bit device-uuid la-peer-max-bio-size al-stripes al-stripe-size-4k bm bitmap times") {
		m[w] = true
	}
	return m
}()

// The rules: each takes what it names, or ends the parsing.

func (s *scanner) keyword(words ...string) {
	for _, w := range words {
		if s.tok.kind != tokenWord || s.tok.text != w {
			s.expected(w)
		}
		s.next()
	}
}

func (s *scanner) marks(marks string) {
	for _, m := range marks {
		if s.tok.kind != tokenMark || s.tok.text != string(m) {
			s.expected("'" + string(m) + "'")
		}
		s.next()
	}
}

func (s *scanner) take(kind tokenKind) token {
	if s.tok.kind != kind {
		s.expected(tokenNames[kind])
	}
	t := s.tok
	s.next()
	return t
}

// number takes a decimal number within bounds.
func (s *scanner) number(what string, low, high int64) int64 {
	if s.tok.kind != tokenNumber {
		s.expected(tokenNames[tokenNumber])
	}
	n := int64(s.tok.value)
	bad := n < 0
	if s.tok.neg {
		n = -n
	}
	if bad || n < low || n > high {
		panic(dumpError{fail(exitOption, "Parse error in line %d: %s is from %d to %d, not '%s'", s.line, what, low, high, s.tok.text)})
	}
	s.next()
	return n
}

// u32 and u64 take one statement of that kind.
func (s *scanner) u64() uint64 {
	v := s.take(tokenU64).value
	s.marks(";")
	return v
}

func (s *scanner) u32() uint32 {
	v := uint32(s.take(tokenU32).value)
	s.marks(";")
	return v
}

func (s *scanner) isWord(text string) bool { return s.tok.kind == tokenWord && s.tok.text == text }

func (s *scanner) isMark(text string) bool { return s.tok.kind == tokenMark && s.tok.text == text }
