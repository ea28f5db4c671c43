package conf

import (
	"fmt"
	"strings"
)

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenPunct
	tokenWord
	tokenString // in quotes
	tokenBad    // text says what is wrong with it
)

type token struct {
	kind tokenKind
	text string
	pos  Pos
}

func (t token) is(punct string) bool { return t.kind == tokenPunct && t.text == punct }

// value reports whether the token can stand for a name or a value.
func (t token) value() bool { return t.kind == tokenWord || t.kind == tokenString }

// String is the token as messages show it.
func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "the end of the file"
	case tokenString:
		return `"` + shorten(t.text) + `"`
	}
	return "'" + shorten(t.text) + "'"
}

func shorten(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// Longest tokens (section 2).
const (
	wordMax   = 128
	stringMax = 255
)

// lexer cuts a file into tokens. Keywords are words: whether a word is one depends on where it stands.
type lexer struct {
	text string
	at   int
	file *string // its name
	line int
}

func newLexer(file, text string) *lexer { return &lexer{text: text, file: &file, line: 1} }

func (l *lexer) pos() Pos { return Pos{l.file, l.line} }

// kinds tells what a character may be. Those outside words that are not separators may only stand in quotes.
var kinds = func() (k [256]struct{ word, punct, separator bool }) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-") {
		k[c].word = true
	}
	for _, c := range []byte("{};[]:") {
		k[c].punct, k[c].separator = true, true
	}
	for _, c := range []byte(" \t\r\n#\"") {
		k[c].separator = true
	}
	return k
}()

func isWordByte(c byte) bool { return kinds[c].word }

func (l *lexer) skipBlank() {
	for l.at < len(l.text) {
		switch c := l.text[l.at]; c {
		case '\n':
			l.line++
			l.at++
		case ' ', '\t', '\r':
			l.at++
		case '#':
			if end := strings.IndexByte(l.text[l.at:], '\n'); end >= 0 {
				l.at += end
			} else {
				l.at = len(l.text)
			}
		default:
			return
		}
	}
}

func (l *lexer) next() token {
	l.skipBlank()
	t := token{pos: l.pos()}
	if l.at >= len(l.text) {
		return t
	}
	c := l.text[l.at]
	switch {
	case kinds[c].punct:
		l.at++
		t.kind, t.text = tokenPunct, l.text[l.at-1:l.at]
	case c == '"':
		l.quoted(&t)
	case isWordByte(c):
		start := l.at
		for l.at < len(l.text) && isWordByte(l.text[l.at]) {
			l.at++
		}
		if l.at < len(l.text) && !kinds[l.text[l.at]].separator {
			l.strange(&t, start)
			return t
		}
		t.kind, t.text = tokenWord, l.text[start:l.at]
		if len(t.text) > wordMax {
			t.kind, t.text = tokenBad, fmt.Sprintf("the word %.20s... is longer than %d characters", t.text, wordMax)
		}
	default:
		l.strange(&t, l.at)
	}
	return t
}

// strange takes everything up to the next blank or punctuation that is no part of any word, so that one slip is one error.
func (l *lexer) strange(t *token, start int) {
	for l.at < len(l.text) && !kinds[l.text[l.at]].separator {
		l.at++
	}
	t.kind = tokenBad
	t.text = fmt.Sprintf("%q has a character that may only stand in quotes (free are letters, digits and / . _ -)", shorten(l.text[start:l.at]))
}

// quoted reads a string. A backslash takes the next character as it is; there are no other escapes.
func (l *lexer) quoted(t *token) {
	l.at++
	var text strings.Builder
	units := 0
	for ; l.at < len(l.text); l.at++ {
		c := l.text[l.at]
		switch {
		case c == '"':
			l.at++
			t.kind, t.text = tokenString, text.String()
			if units > stringMax {
				t.kind, t.text = tokenBad, fmt.Sprintf("the string \"%.20s... is longer than %d characters", t.text, stringMax)
			}
			return
		case c == '\n':
			t.kind, t.text = tokenBad, fmt.Sprintf("the string \"%.20s... is not closed on its line", text.String())
			return
		case c == '\\' && l.at+1 < len(l.text) && l.text[l.at+1] != '\n':
			l.at++
			c = l.text[l.at]
		}
		text.WriteByte(c)
		units++
	}
	t.kind, t.text = tokenBad, fmt.Sprintf("the string \"%.20s... is not closed", text.String())
}

// until takes raw text up to a character, for IPv6 addresses; the character stays.
func (l *lexer) until(end byte) (string, bool) {
	for i := l.at; i < len(l.text) && l.text[i] != '\n'; i++ {
		if l.text[i] == end {
			text := strings.TrimSpace(l.text[l.at:i])
			l.at = i
			return text, true
		}
	}
	return "", false
}
