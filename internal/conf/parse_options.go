package conf

import (
	"strings"

	"drbd/internal/genl"
)

// options reads `{ option; ... }`. special reads statements that are no options.
func (p *parser) options(s *section, into *OptionSet, special func(kw token) (handled, ok bool)) bool {
	return p.block(s.name, func(kw token) bool {
		if special != nil {
			if handled, ok := special(kw); handled {
				return ok
			}
		}
		if kw.text == "_unknown" && p.show {
			return p.unknown()
		}
		return p.option(s, into, kw)
	})
}

// unknown notes an option that the module does not know (section 13.5).
func (p *parser) unknown() bool {
	t, ok := p.word("an option")
	if !ok {
		return false
	}
	p.res.Unknown = append(p.res.Unknown, t.text)
	return p.end(t.pos)
}

// option reads the rest of `[no-]name [value];`.
func (p *parser) option(s *section, into *OptionSet, kw token) bool {
	o := Option{Pos: kw.pos, Name: kw.text, Level: p.level}
	last, given := kw.pos, p.tok.value() && (p.tok.pos.Line == kw.pos.Line || !p.forgottenEnd())
	if given {
		last = p.tok.pos
		o.Value = p.take().text
	} else if p.tok.kind == tokenBad {
		return p.unexpected("a value")
	}
	class, f, ok := p.lookUp(s, &o, given)
	if !ok {
		p.end(last)
		return true
	}
	if f != nil {
		p.finishOption(s, class, f, &o, given)
		p.setOption(&into[class], o)
	}
	if p.tok.is(":") {
		return p.fail(p.tok.pos, "expected ';', but found ':' (a value with this character must stand in quotes)")
	}
	return p.end(last)
}

// forgottenEnd: the word on the next line starts a statement of its own when a value and a semicolon, or a block, follow it.
func (p *parser) forgottenEnd() bool {
	ahead := *p.lex
	next := ahead.next()
	return next.value() || next.is("{")
}

// lookUp finds what an option is, in this section or by the tables of old releases. f is nil for what is ignored.
func (p *parser) lookUp(s *section, o *Option, given bool) (Class, *genl.Field, bool) {
	if class, f := s.find(o.Name); f != nil {
		if s == sectionSyncer && f.Option != "rate" {
			p.translated(o.Pos, "syncer { "+o.Name+" }", "8.3", homeOf(class)+" { "+o.Name+" }")
		}
		return class, f, true
	}
	if l := findLegacy(s.name, o.Name); l != nil {
		if l.toSection == nil {
			p.ignored(o.Pos, o.Name, l.release, l.lost)
			return 0, nil, true
		}
		p.translated(o.Pos, s.name+" { "+o.Name+" }", l.release, l.toSection.name+" { "+l.toName+" }")
		o.Name = l.toName
		class, f := l.toSection.find(l.toName)
		return class, f, true
	}
	if plain, ok := strings.CutPrefix(o.Name, "no-"); ok {
		if class, f := s.find(plain); f != nil && f.Type == genl.TypeFlag {
			o.Name = plain
			if !given {
				o.Value = "no"
			}
			return class, f, true
		}
	}
	if o.Name == "discard-my-data" {
		return 0, nil, p.fail(o.Pos, "'discard-my-data' is not possible in a file, where it would discard data at each start; use: drbdadm connect --discard-my-data")
	}
	return 0, nil, p.fail(o.Pos, "%s", s.unknownOption(o.Name))
}

// homeOf is the section that a class has today.
func homeOf(c Class) string {
	for _, s := range sectionsToSuggest {
		for _, each := range s.classes {
			if each == c {
				return s.name
			}
		}
	}
	return ""
}

// finishOption completes and checks the value.
func (p *parser) finishOption(s *section, class Class, f *genl.Field, o *Option, given bool) {
	if !given && o.Value == "" {
		if f.Type != genl.TypeFlag {
			p.add(o.Pos, Error, "'%s' needs a value%s", o.Name, possible(f))
			return
		}
		o.Value = "yes"
	}
	p.oldValue(s, o)
	if o.Name == "on-io-error" && o.Value == "panic" {
		return
	}
	if err := p.checkValue(class, f, o); err != nil && !p.show {
		p.add(o.Pos, Error, "%v", err)
	}
}

func possible(f *genl.Field) string {
	switch {
	case len(f.Words) > 0:
		return ": " + f.WordList()
	case f.Ranged:
		return ": " + f.Range()
	}
	return ""
}

// setOption adds an option; the same one with another value is an error, with the same value it changes nothing.
func (p *parser) setOption(list *Options, o Option) {
	i := list.index(o.Name)
	if i < 0 {
		if *list == nil {
			*list = p.memory.options.List(2)
		}
		*list = append(*list, o)
		return
	}
	if first := (*list)[i]; first.Value != o.Value {
		p.add(o.Pos, Error, "'%s' is set twice with different values: %s here, %s at %s", o.Name, o.Value, first.Value, first.Pos)
	}
}

// pluginItem reads `plugin { word word ...; }` of a proxy section: each line is one plugin.
func (p *parser) pluginItem(_ *Resource, kw token) (handled, ok bool) {
	if kw.text != "plugin" || !p.tok.is("{") {
		return false, false
	}
	return true, p.block("plugin", func(kw token) bool {
		words, last := []string{kw.text}, kw.pos
		for p.tok.value() {
			last = p.tok.pos
			words = append(words, p.take().text)
		}
		p.plugins = append(p.plugins, strings.Join(words, " "))
		return p.end(last)
	})
}
