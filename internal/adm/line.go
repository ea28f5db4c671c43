package adm

import (
	"slices"
	"strings"
)

// line is a parsed command line. Options of the back end are recognised anywhere on it, and which of them are possible is known when
// the command is (sections 10.1, 10.2).
type line struct {
	command string
	words   []string // resources
	given   []given

	stacked, dryRun, help, version bool
	verbose                        int
	file, setup, meta, proxy       string
	test, exclude                  []string
	variable, peer                 string
	extra                          []string // --setup-option, passed on as it is
	helpAbout                      string
	skipDisk, skipNet              bool
}

// given is one option for the back end.
type given struct {
	name     string // as typed, without dashes
	value    string
	hasValue bool
	letter   bool
}

// generalOption is one option of drbdadm itself.
type generalOption struct {
	name   string
	letter byte
	// value: it needs one.
	value bool
	set   func(l *line, value string)
	about string
}

var generalOptions = []generalOption{
	{"stacked", 'S', false, func(l *line, _ string) { l.stacked = true }, "work on the upper, stacked resources"},
	{"dry-run", 'd', false, func(l *line, _ string) { l.dryRun = true }, "print the commands instead of running them"},
	{"verbose", 'v', false, func(l *line, _ string) { l.verbose++ }, "print each command before it runs; more often: more"},
	{"config-file", 'c', true, func(l *line, v string) { l.file = v }, "read this file instead of /etc/drbd.conf; - is standard input"},
	{"config-to-test", 't', true, func(l *line, v string) { l.test = append(l.test, v) }, "read this file, too (with dump, dump-xml, sh-nop)"},
	{"config-to-exclude", 'E', true, func(l *line, v string) { l.exclude = append(l.exclude, v) }, "leave this file out where it is included"},
	{"drbdsetup", 's', true, func(l *line, v string) { l.setup = v }, "run this program as drbdsetup"},
	{"drbdmeta", 'm', true, func(l *line, v string) { l.meta = v }, "run this program as drbdmeta"},
	{"drbd-proxy-ctl", 'p', true, func(l *line, v string) { l.proxy = v }, "run this program as drbd-proxy-ctl"},
	{"sh-varname", 'n', true, func(l *line, v string) { l.variable = v }, "print VARIABLE=RESOURCE before each command"},
	{"peer", 'P', true, func(l *line, v string) { l.peer = v }, "work on the connection to this host (as RESOURCE:HOST does)"},
	{"setup-option", 'W', true, func(l *line, v string) { l.extra = append(l.extra, v) }, "hand this word to the program that is run"},
	{"version", 'V', false, func(l *line, _ string) { l.version = true }, "print versions as shell variables"},
	{"help", 'h', false, func(l *line, _ string) { l.help = true }, "print this text, or with a command: about it"},
}

// parseLine splits the words. A value that stands in a word of its own needs to know whether the option takes one; that is the same for
// all commands that have the option.
func parseLine(args []string) (*line, error) {
	l := &line{}
	dashes := false
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		var err error
		switch {
		case word == "--" && !dashes:
			dashes = true
		case strings.HasPrefix(word, "--"):
			args, err = l.long(word[2:], args, dashes)
		case len(word) > 1 && word[0] == '-':
			args, err = l.short(word[1:], args, dashes)
		case l.command == "" && (word == "help" && len(l.words) == 0 || findCommand(word) != nil):
			l.command = word
		case l.command == "help" && l.helpAbout == "":
			l.helpAbout = word
		default:
			l.words = append(l.words, word)
		}
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// general finds an option of drbdadm itself; a prefix will do when no option of the back end has it.
func general(name string) *generalOption {
	var found *generalOption
	for i := range generalOptions {
		o := &generalOptions[i]
		if o.name == name {
			return o
		}
		if strings.HasPrefix(o.name, name) && name != "" {
			if found != nil {
				return nil
			}
			found = o
		}
	}
	return found
}

func (l *line) long(word string, rest []string, dashes bool) ([]string, error) {
	name, value, hasValue := strings.Cut(word, "=")
	_, exact := backendOptions()[name]
	if o := general(name); o != nil && !dashes && (o.name == name || !exact && !backendPrefix(name)) {
		if o.value && !hasValue {
			if len(rest) == 0 {
				return nil, exit(exitUsage, "drbdadm: option '--%s' needs a value", o.name)
			}
			value, rest = rest[0], rest[1:]
		}
		o.set(l, value)
		return rest, nil
	}
	g := given{name: name, value: value, hasValue: hasValue}
	if !hasValue && backendNeedsValue(name) {
		if len(rest) == 0 {
			return nil, exit(exitUsage, "drbdadm: option '--%s' needs a value", name)
		}
		g.value, g.hasValue, rest = rest[0], true, rest[1:]
	}
	l.given = append(l.given, g)
	return rest, nil
}

func (l *line) short(letters string, rest []string, dashes bool) ([]string, error) {
	for i := 0; i < len(letters); i++ {
		at := slices.IndexFunc(generalOptions, func(o generalOption) bool { return o.letter == letters[i] })
		if at < 0 || dashes {
			l.given = append(l.given, given{name: letters[i : i+1], letter: true})
			continue
		}
		o := generalOptions[at]
		if !o.value {
			o.set(l, "")
			continue
		}
		value := letters[i+1:]
		if value == "" {
			if len(rest) == 0 {
				return nil, exit(exitUsage, "drbdadm: option '-%c' needs a value", o.letter)
			}
			value, rest = rest[0], rest[1:]
		}
		o.set(l, value)
		return rest, nil
	}
	return rest, nil
}

// resolve completes the names of the back-end options and refuses those that the command does not have.
func (l *line) resolve(cmd *command) error {
	var out []given
	for _, g := range l.given {
		if replaced, ok := oldOptions[cmd.name+" "+g.name]; ok {
			if replaced != "" {
				out = append(out, given{name: replaced})
			}
			continue
		}
		info := cmd.option(g)
		if info == nil {
			dash := "--"
			if g.letter {
				dash = "-"
			}
			return exit(exitUsage, "drbdadm: unrecognized option '%s%s'\ntry 'drbdadm help %s'", dash, g.name, cmd.name)
		}
		g.name, g.letter = info.Name, false
		out = append(out, g)
	}
	l.given = out
	l.takeSkips()
	return nil
}

// oldOptions are spellings of old releases, by command (section 10.5); "" is accepted and means nothing.
var oldOptions = map[string]string{
	"primary overwrite-data-of-peer": "force", "primary o": "force", "primary do-what-I-say": "force", "primary f": "force",
	"secondary f": "force", "primary human": "", "primary timeout-expired": "",
}

// takeSkips moves the options that are about planning out of those for the back end.
func (l *line) takeSkips() {
	l.given = slices.DeleteFunc(l.given, func(g given) bool {
		switch g.name {
		case "skip-disk":
			l.skipDisk = g.value != "no"
		case "skip-net":
			l.skipNet = g.value != "no"
		default:
			return false
		}
		return true
	})
}

// arg is the option as the back end gets it.
func (g given) arg() string {
	if g.hasValue {
		return "--" + g.name + "=" + g.value
	}
	return "--" + g.name
}

// argsFor are the given options that a command of the back end knows.
func (l *line) argsFor(backend string) []string {
	var out []string
	for _, g := range l.given {
		for _, info := range backendCommand(backend) {
			if info.Name == g.name {
				out = append(out, g.arg())
			}
		}
	}
	return out
}
