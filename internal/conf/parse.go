package conf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parser reads one file into a configuration. After an error it goes on behind the statement, so that one run tells all errors.
type parser struct {
	load *loader
	cfg  *Config
	lex  *lexer
	tok  token
	res  *Resource // being read; nil at top level
	show bool      // reading the output of `drbdsetup show`
	told map[string]bool
	// plugins of the proxy section being read
	plugins []string
	level   Level // of the section being read
	memory  memory
}

func (p *parser) advance() { p.tok = p.lex.next() }

// take returns the current token and goes on.
func (p *parser) take() token {
	t := p.tok
	p.advance()
	return t
}

func (p *parser) resourceName() string {
	if p.res == nil || p.res == p.cfg.Common {
		return ""
	}
	return p.res.Name
}

func (p *parser) add(pos Pos, severity Severity, format string, args ...any) {
	p.cfg.Diagnostics.add(pos, severity, p.resourceName(), format, args...)
}

// fail reports an error; the statement is given up.
func (p *parser) fail(pos Pos, format string, args ...any) bool {
	p.add(pos, Error, format, args...)
	return false
}

// wrong reports an error about a value; the statement was read to its end.
func (p *parser) wrong(pos Pos, format string, args ...any) bool {
	p.add(pos, Error, format, args...)
	return true
}

// unexpected reports the current token.
func (p *parser) unexpected(wanted string) bool {
	if p.tok.kind == tokenBad {
		return p.fail(p.tok.pos, "%s", p.tok.text)
	}
	return p.fail(p.tok.pos, "expected %s, but found %s", wanted, p.tok)
}

func (p *parser) punct(text string) bool {
	if !p.tok.is(text) {
		return p.unexpected("'" + text + "'")
	}
	p.advance()
	return true
}

// end takes the semicolon of a statement. When it was forgotten at the end of a line, the next line is read as if it was there.
func (p *parser) end(last Pos) bool {
	if p.tok.is(";") {
		p.advance()
		return true
	}
	if p.tok.kind == tokenBad {
		return p.unexpected("")
	}
	if p.tok.pos.Line != last.Line {
		return p.wrong(last, "';' is missing at the end of the statement")
	}
	return p.unexpected("';'")
}

// word takes a name or value.
func (p *parser) word(what string) (token, bool) {
	if !p.tok.value() {
		return p.tok, p.unexpected(what)
	}
	return p.take(), true
}

// number takes an integer in a range.
func (p *parser) number(what string, low, high int) (n int, pos Pos, ok bool) {
	if !p.tok.value() {
		return -1, p.tok.pos, p.unexpected("a number for " + what)
	}
	t := p.take()
	n, err := strconv.Atoi(t.text)
	if err != nil || n < low || n > high {
		return -1, t.pos, p.wrong(t.pos, "%s %s is not possible: it must be a number from %d to %d", what, t, low, high)
	}
	return n, t.pos, true
}

// block reads `{ statements }`. Each statement starts with a word; items reads the rest of it.
func (p *parser) block(what string, item func(kw token) bool) bool {
	opened := p.tok.pos
	if !p.punct("{") {
		return false
	}
	for !p.tok.is("}") {
		if p.tok.kind == tokenEnd {
			return p.fail(opened, "the '{' of '%s' is never closed", what)
		}
		if !p.tok.value() {
			p.unexpected("a statement of '" + what + "' or '}'")
			p.resync()
			continue
		}
		kw := p.take()
		if kw.kind == tokenWord && kw.text == "skip" && !p.tok.is(";") {
			if !p.skip(kw.pos) {
				p.resync()
			}
			continue
		}
		if !item(kw) {
			p.resync()
		}
	}
	p.advance()
	return true
}

// resync goes behind the statement that was given up: its semicolon, or its block.
func (p *parser) resync() {
	depth := 0
	for p.tok.kind != tokenEnd {
		switch {
		case p.tok.is("{"):
			depth++
		case p.tok.is("}"):
			if depth == 0 {
				return
			}
			depth--
			if depth == 0 {
				p.advance()
				return
			}
		case p.tok.is(";") && depth == 0:
			p.advance()
			return
		}
		p.advance()
	}
}

// skip reads `skip anything { anything }`.
func (p *parser) skip(pos Pos) bool {
	depth := 0
	for p.tok.kind != tokenEnd {
		t := p.take()
		switch {
		case t.is("{"):
			depth++
		case t.is("}"):
			depth--
			if depth <= 0 {
				return true
			}
		}
	}
	return p.fail(pos, "the part to skip never ends: its '}' is missing")
}

// items makes a statement reader out of a table.
func items(p *parser, what string, table map[string]func(kw token) bool, other func(kw token) bool) func(kw token) bool {
	return func(kw token) bool {
		if read, ok := table[kw.text]; ok && kw.kind == tokenWord {
			return read(kw)
		}
		if other != nil {
			return other(kw)
		}
		return p.fail(kw.pos, "%s is no statement of '%s'%s", kw, what, orAll(kw.text, sortedKeys(table)))
	}
}

// orAll suggests the near word, or lists all.
func orAll(word string, words []string) string {
	if near := didYouMean(word, words); near != "" {
		return near
	}
	return "; possible are " + strings.Join(words, ", ")
}

// file reads one whole file.
func (p *parser) file(name, text string) {
	saved := *p
	p.lex, p.res = newLexer(name, text), nil
	p.advance()
	top := items(p, "the file", p.topLevel(), nil)
	for p.tok.kind != tokenEnd {
		switch {
		case !p.tok.value():
			p.unexpected("a section")
			p.advance()
			p.resync()
		default:
			kw := p.take()
			if !top(kw) {
				p.resync()
				if p.tok.is("}") {
					p.advance()
				}
			}
		}
		p.res = nil
	}
	p.lex, p.tok, p.res = saved.lex, saved.tok, saved.res
}

func (p *parser) topLevel() map[string]func(kw token) bool {
	table := map[string]func(kw token) bool{
		"global": p.global, "common": p.common, "resource": p.resource, "include": p.include,
		"skip": func(kw token) bool { return p.skip(kw.pos) },
	}
	for _, op := range sortedKeys(versionChecks) {
		table["require-drbd-module-version-"+op] = func(kw token) bool { return p.require(kw, op) }
	}
	return table
}

func (p *parser) global(kw token) bool {
	if first := p.cfg.Global; first != nil {
		return p.fail(kw.pos, "a second section 'global'; the first is at %s", first.Pos)
	}
	if len(p.cfg.Resources) > 0 {
		p.add(kw.pos, Warning, "the section 'global' should stand before the first resource")
	}
	g := newGlobal(kw.pos)
	p.cfg.Global = g
	numbers := map[string]struct {
		to        *int
		low, high int
	}{
		"minor-count": {&g.MinorCount, 1, 255}, "dialog-refresh": {&g.DialogRefresh, 0, 600},
		"cmd-timeout-short": {&g.Short, 0, 900}, "cmd-timeout-medium": {&g.Medium, 0, 900}, "cmd-timeout-long": {&g.Long, 0, 900},
	}
	flags := map[string]*bool{"disable-ip-verification": &g.DisableIPVerification, "udev-always-use-vnr": &g.UdevAlwaysVNR}
	table := map[string]func(kw token) bool{
		"disable-io-hints": func(kw token) bool { p.ignored(kw.pos, kw.text, "0.7", ""); return p.end(kw.pos) },
		"usage-count": func(kw token) bool {
			t, ok := p.word("yes, no or ask")
			if !ok {
				return false
			}
			g.UsageCount = t.text
			if !slices.Contains([]string{"yes", "no", "ask"}, t.text) {
				p.wrong(t.pos, "usage-count must be yes, no or ask, not %s (nothing is ever sent, whatever is written)", t)
			}
			return p.end(t.pos)
		},
	}
	for name, to := range flags {
		table[name] = func(kw token) bool { *to = true; return p.end(kw.pos) }
	}
	for name, n := range numbers {
		table[name] = func(kw token) bool {
			v, pos, ok := p.number(kw.text, n.low, n.high)
			*n.to = v
			return ok && p.end(pos)
		}
	}
	return p.block("global", items(p, "global", table, nil))
}

func newGlobal(pos Pos) *Global {
	return &Global{Pos: pos, MinorCount: -1, DialogRefresh: -1, Short: -1, Medium: -1, Long: -1}
}

func (p *parser) common(kw token) bool {
	if first := p.cfg.Common; first != nil {
		return p.fail(kw.pos, "a second section 'common'; the first is at %s", first.Pos)
	}
	p.cfg.Common = &Resource{Pos: kw.pos, Name: "common"}
	p.level = LevelCommon
	return p.resourceBody(p.cfg.Common, "common")
}

func (p *parser) resource(kw token) bool {
	t, ok := p.word("the name of the resource")
	if !ok {
		return false
	}
	r := &Resource{Pos: kw.pos, Name: t.text}
	p.res = r
	switch first := p.cfg.Resource(t.text); {
	case CheckName(t.text) != nil:
		p.wrong(t.pos, "%v", CheckName(t.text))
	case first != nil && !p.show:
		p.wrong(t.pos, "resource '%s' is defined twice; the first is at %s", t.text, first.Pos)
	}
	p.cfg.add(r)
	p.level = LevelResource
	return p.resourceBody(r, "resource")
}

// CheckName refuses names that no resource can have (section 7.2).
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the name of the resource is empty")
	case strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return fmt.Errorf("the name of the resource is not valid: it has a control character")
	case len(name) > 127:
		return fmt.Errorf("the name of the resource is longer than 127 bytes")
	}
	return nil
}

// once refuses a second section of the same name in one resource.
func (p *parser) once(b *body, kw token) bool {
	for _, first := range b.seen {
		if first.text == kw.text {
			return p.wrong(kw.pos, "a second '%s' in this resource; the first is at %s", kw.text, first.pos)
		}
	}
	b.seen = append(b.seen, kw)
	return true
}

// body is a section `resource` or `common` being read.
type body struct {
	*Resource
	what string
	seen []token // sections that may stand there once
}

// statement reads the rest of a statement of a T.
type statement[T any] func(p *parser, of T, kw token) bool

// read looks a statement up in a table. The tables are made once: a file has thousands of sections.
func read[T any](p *parser, what string, table map[string]statement[T], of T, kw token) bool {
	if one, ok := table[kw.text]; ok && kw.kind == tokenWord {
		return one(p, of, kw)
	}
	return p.fail(kw.pos, "%s is no statement of '%s'%s", kw, what, orAll(kw.text, sortedKeys(table)))
}

// resourceBody reads what stands inside `resource` or `common`.
func (p *parser) resourceBody(r *Resource, what string) bool {
	base := p.level
	of := &body{Resource: r, what: what}
	return p.block(what, func(kw token) bool {
		p.level = base
		before := len(p.cfg.Diagnostics)
		optionsOnly := isOptionSection(kw.text) || kw.text == "disk" && p.tok.is("{")
		ok := read(p, what, resourceTable, of, kw)
		if !optionsOnly && p.cfg.Diagnostics[before:].Failed() {
			r.Damaged = true
		}
		return ok
	})
}

var resourceTable map[string]statement[*body]

func init() {
	resourceTable = optionStatements()
	for name, one := range hostStatements() {
		resourceTable[name] = func(p *parser, b *body, kw token) bool {
			if b.what == "common" {
				return p.fail(kw.pos, "'%s' is not possible in 'common', which has no hosts: it belongs into 'resource'", kw.text)
			}
			return one(p, b.Resource, kw)
		}
	}
}

// optionStatements are about options and volumes.
func optionStatements() map[string]statement[*body] {
	options := func(s *section, special func(*parser, *Resource, token) (handled, ok bool)) statement[*body] {
		return func(p *parser, b *body, kw token) bool {
			p.once(b, kw)
			return p.options(s, &b.Options, func(kw token) (handled, ok bool) {
				if special == nil {
					return false, false
				}
				return special(p, b.Resource, kw)
			})
		}
	}
	implicit := func(p *parser, b *body, kw token) bool {
		return p.volumeStatement(p.implicitVolume(&b.Volumes, kw), kw)
	}
	diskOptions, proxyOptions := options(sectionDisk, nil), options(sectionProxy, (*parser).pluginItem)
	return map[string]statement[*body]{
		"net": options(sectionNet, nil), "syncer": options(sectionSyncer, nil), "handlers": options(sectionHandlers, nil),
		"options": options(sectionOptions, nil), "startup": options(sectionStartup, (*parser).startupItem),
		"protocol": func(p *parser, b *body, kw token) bool {
			p.once(b, kw)
			return p.option(sectionNet, &b.Options, kw)
		},
		"proxy": func(p *parser, b *body, kw token) bool {
			p.plugins = nil
			ok := proxyOptions(p, b, kw)
			b.ProxyPlugin = p.plugins
			return ok
		},
		"disk": func(p *parser, b *body, kw token) bool {
			if p.tok.is("{") {
				return diskOptions(p, b, kw)
			}
			return implicit(p, b, kw)
		},
		"device": implicit, "meta-disk": implicit, "flexible-meta-disk": implicit, "tiebreaker": implicit,
		"volume":         func(p *parser, b *body, kw token) bool { return p.volume(&b.Volumes, LevelResourceVolume, kw) },
		"incon-degr-cmd": func(p *parser, b *body, kw token) bool { return p.inconDegrCmd(b.Resource, kw) },
	}
}

// hostStatements are about hosts and connections, which `common` does not have.
func hostStatements() map[string]statement[*Resource] {
	return map[string]statement[*Resource]{
		"on": (*parser).on, "floating": (*parser).floating, "stacked-on-top-of": (*parser).stacked, "connection": (*parser).connection,
		"connection-mesh": (*parser).mesh, "template-file": (*parser).template, "ignore-on": (*parser).ignoreOn, "_this_host": (*parser).thisHost,
	}
}

// isOptionSection: mistakes in there say nothing about hosts and connections.
func isOptionSection(name string) bool {
	switch name {
	case "net", "syncer", "handlers", "options", "protocol", "startup", "proxy":
		return true
	}
	return false
}

func (p *parser) startupItem(r *Resource, kw token) (handled, ok bool) {
	if kw.text != "become-primary-on" {
		return false, false
	}
	if !p.tok.value() {
		return true, p.unexpected("host names, or both")
	}
	last := kw.pos
	for p.tok.value() {
		last = p.tok.pos
		r.BecomePrimaryOn = append(r.BecomePrimaryOn, p.take().text)
	}
	return true, p.end(last)
}

// inconDegrCmd is the 0.7 form of a handler.
func (p *parser) inconDegrCmd(r *Resource, kw token) bool {
	t, ok := p.word("a command")
	if !ok {
		return false
	}
	p.legacyOnce(kw.pos, Warning, kw.text, "'incon-degr-cmd' is the spelling of DRBD 0.7; today it is 'handlers { pri-on-incon-degr ...; }'")
	p.setOption(&r.Options[ClassHandlers], Option{Pos: kw.pos, Name: "pri-on-incon-degr", Value: t.text, Level: p.level})
	return p.end(t.pos)
}

func (p *parser) ignoreOn(r *Resource, kw token) bool {
	t, ok := p.word("the name of a host")
	if !ok {
		return false
	}
	p.legacyOnce(kw.pos, Warning, kw.text, "'ignore-on' is obsolete (DRBD 8.4): the resource is ignored on %s, as it would be without a host section for it", t.text)
	r.IgnoreOn = append(r.IgnoreOn, t.text)
	return p.end(t.pos)
}

func (p *parser) template(r *Resource, kw token) bool {
	t, ok := p.word("the name of a file")
	if !ok {
		return false
	}
	p.cfg.Modern = true
	r.Template, r.TemplatePos = t.text, t.pos
	p.load.template(p, r)
	return p.end(t.pos)
}

func (p *parser) include(kw token) bool {
	t, ok := p.word("the name or pattern of files")
	if !ok || !p.end(t.pos) {
		return false
	}
	p.load.include(p, t)
	return true
}
