package setup

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"drbd/internal/genl"
)

// help answers questions about the tool; it needs no module.
func help(env *Env, args []string) (handled bool, err error) {
	switch {
	case len(args) == 0:
		return false, nil
	case args[0] == "help" && len(args) > 1, args[0] == "--help" && len(args) > 1:
		return true, commandHelp(env, args[1])
	case args[0] == "help" || args[0] == "--help" || args[0] == "-h":
		printCommands(env.Stdout)
		return true, failf(ExitUsage, "")
	case args[0] == "xml-help" && len(args) > 1:
		return true, xmlHelp(env, args[1])
	case slices.Contains(args[1:], "--help") || slices.Contains(args[1:], "-h"):
		return true, commandHelp(env, args[0])
	}
	return false, nil
}

func printCommands(w io.Writer) {
	fmt.Fprintln(w, "drbdsetup COMMAND ARGUMENTS [OPTIONS]: tell the DRBD module what to do. Commands:")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-24s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "More about one: drbdsetup help COMMAND")
}

func (cmd *command) usageLine() string {
	words := []string{"Usage: drbdsetup", cmd.name}
	for _, a := range cmd.args {
		if a.optional {
			words = append(words, "["+a.name+"]")
		} else {
			words = append(words, "{"+a.name+"}")
		}
	}
	if len(cmd.options) > 0 {
		words = append(words, "[options]")
	}
	return strings.Join(words, " ")
}

func commandHelp(env *Env, name string) error {
	cmd := commandByName(name)
	if cmd == nil {
		printCommands(env.Stdout)
		return usage("drbdsetup: no command %q", name)
	}
	fmt.Fprintf(env.Stdout, "drbdsetup %s: %s\n\n%s\n", cmd.name, cmd.summary, cmd.usageLine())
	for _, s := range cmd.options {
		letter := "   "
		if s.short != 0 {
			letter = fmt.Sprintf("-%c,", s.short)
		}
		fmt.Fprintf(env.Stdout, "  %s --%s%s\n", letter, s.name, s.valueHelp())
	}
	return nil
}

// valueHelp is what can follow an option's name.
func (s *optionSpec) valueHelp() string {
	f := s.field
	switch {
	case s.flag:
		return "[=yes|no]"
	case len(s.words) > 0:
		return "[=" + strings.Join(s.words, "|") + "]"
	case f == nil:
		return "=NUMBER"
	case f.Type == genl.TypeFlag:
		return fmt.Sprintf("[=yes|no] (default %s)", yesNo(f.Default == 1))
	case f.Type == genl.TypeString:
		return fmt.Sprintf("=TEXT (up to %d bytes)", f.Size-1)
	case len(f.Words) > 0:
		return fmt.Sprintf("=%s (default %s)", strings.ReplaceAll(f.WordList(), " or ", ", "), f.Format(f.Default))
	}
	text := "=NUMBER"
	if f.Ranged {
		text += fmt.Sprintf(" (%s, default %s)", f.Range(), f.Format(f.Default))
	}
	if f.Unit != "" {
		text += " " + f.Unit
	}
	return text
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// xmlHelp describes a command for generators of completion and documentation (section 13).
func xmlHelp(env *Env, name string) error {
	cmd := commandByName(name)
	if cmd == nil {
		return usage("drbdsetup: no command %q", name)
	}
	w := env.Stdout
	fmt.Fprintf(w, "<command name=\"%s\">\n\t<summary>%s</summary>\n", cmd.name, cmd.summary)
	for _, a := range cmd.args {
		alternatives := strings.Split(a.name, "|")
		if len(alternatives) == 1 {
			fmt.Fprintf(w, "\t<argument>%s</argument>\n", a.name)
			continue
		}
		fmt.Fprint(w, "\t<group>\n")
		for _, alternative := range alternatives {
			fmt.Fprintf(w, "\t\t<argument>%s</argument>\n", alternative)
		}
		fmt.Fprint(w, "\t</group>\n")
	}
	for _, s := range cmd.options {
		s.xml(w)
	}
	fmt.Fprint(w, "</command>\n")
	return nil
}

func (s *optionSpec) xml(w io.Writer) {
	f := s.field
	kind, lines := "flag", []string{}
	add := func(tag, text string) { lines = append(lines, fmt.Sprintf("\t\t<%s>%s</%s>\n", tag, text, tag)) }
	words := func(tag string) {
		for _, word := range f.Words {
			add(tag, word.Word)
		}
	}
	numeric := func() {
		add("min", fmt.Sprint(f.Min))
		add("max", fmt.Sprint(f.Max))
		add("default", strings.TrimSuffix(f.Format(f.Default), f.Scale))
		scale := f.Scale
		if scale == "" {
			scale = "1"
		}
		add("unit_prefix", scale)
		if f.Unit != "" {
			add("unit", f.Unit)
		}
	}
	switch {
	case f == nil && s.number:
		kind = "numeric"
	case f == nil && len(s.words) > 0:
		kind = "handler"
		for _, word := range s.words {
			add("handler", word)
		}
	case f == nil:
	case f.Type == genl.TypeFlag && f.Default == 0 && isForce(s.name):
	case f.Type == genl.TypeFlag:
		kind = "boolean"
		add("default", yesNo(f.Default == 1))
	case f.Type == genl.TypeString || tlsKeyType(f) != "":
		kind = "string"
	case len(f.Words) > 0 && f.Ranged:
		kind = "numeric-or-symbol"
		numeric()
		words("symbol")
	case len(f.Words) > 0:
		kind = "handler"
		words("handler")
	default:
		kind = "numeric"
		numeric()
	}
	if len(lines) == 0 {
		fmt.Fprintf(w, "\t<option name=\"%s\" type=\"%s\">\n\t</option>\n", s.name, kind)
		return
	}
	fmt.Fprintf(w, "\t<option name=\"%s\" type=\"%s\">\n%s\t</option>\n", s.name, kind, strings.Join(lines, ""))
}

// isForce names the options that are requests for once, not settings.
func isForce(name string) bool {
	return slices.Contains([]string{"force", "tentative", "discard-my-data", "clear-bitmap", "force-resync", "assume-peer-has-space", "assume-clean",
		"diskless"}, name)
}
