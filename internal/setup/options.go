package setup

import (
	"slices"
	"strconv"
	"strings"

	"drbd/internal/genl"
)

// optionSpec is one option of one command: a field of its payload, or something only the tool knows.
type optionSpec struct {
	name    string
	short   byte
	aliases []string // further long names
	alias   byte     // further letter
	field   *genl.Field
	// Without a field: flag, number, or choice (color).
	flag, number bool
	words        []string
}

// option is one given option.
type option struct {
	spec  *optionSpec
	text  string // as given
	value uint64 // numbers, flags, enums, in two's complement
}

func fromSet(nr genl.SetNr) []*optionSpec {
	var specs []*optionSpec
	for _, f := range nr.Info().Options() {
		specs = append(specs, &optionSpec{name: f.Option, field: f})
	}
	return specs
}

// changeable leaves out what only a creating request may set.
func changeable(nr genl.SetNr) []*optionSpec {
	return slices.DeleteFunc(fromSet(nr), func(s *optionSpec) bool { return s.field.Invariant })
}

const setDefaults = "set-defaults"

func withDefaults(specs []*optionSpec) []*optionSpec {
	return append(specs, flagOption(setDefaults, 0))
}

// alias gives an option a letter, and a second name with a second letter (0: none).
func alias(specs []*optionSpec, name string, short byte, other string, otherShort byte) []*optionSpec {
	for _, s := range specs {
		if s.name == name {
			s.short, s.aliases, s.alias = short, append(s.aliases, other), otherShort
		}
	}
	return specs
}

func flagOption(name string, short byte) *optionSpec {
	return &optionSpec{name: name, short: short, flag: true}
}

func numberOption(name string, short byte) *optionSpec {
	return &optionSpec{name: name, short: short, number: true}
}

func colorOption() *optionSpec {
	return &optionSpec{name: "color", short: 'c', words: []string{"auto", "always", "never"}}
}

func waitOptions() []*optionSpec {
	return []*optionSpec{
		numberOption("wfc-timeout", 't'), numberOption("degr-wfc-timeout", 'd'), numberOption("outdated-wfc-timeout", 'o'),
		flagOption("wait-after-sb", 'w'),
	}
}

// optionalValue: --name alone is enough, so a value can only follow an equals sign.
func (s *optionSpec) optionalValue() bool {
	return s.flag || len(s.words) > 0 || s.field != nil && s.field.Type == genl.TypeFlag
}

// parse splits arguments and options, which may be mixed, and checks them as far as that goes without the module.
func (c *call) parse(words []string) error {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--":
			c.args = append(c.args, words...)
			words = nil
		case strings.HasPrefix(word, "--"):
			rest, err := c.parseLong(word[2:], words)
			if err != nil {
				return err
			}
			words = rest
		case len(word) > 1 && word[0] == '-' && !isNumber(word):
			rest, err := c.parseShort(word[1:], words)
			if err != nil {
				return err
			}
			words = rest
		default:
			c.args = append(c.args, word)
		}
	}
	return c.checkArguments()
}

func isNumber(word string) bool {
	_, err := strconv.ParseInt(word, 10, 64)
	return err == nil
}

func (c *call) parseLong(word string, rest []string) ([]string, error) {
	name, value, given := strings.Cut(word, "=")
	spec, err := c.cmd.longOption(name)
	if err != nil {
		return nil, err
	}
	if !given && !spec.optionalValue() {
		if len(rest) == 0 {
			return nil, usage("--%s needs a value", spec.name)
		}
		value, rest, given = rest[0], rest[1:], true
	}
	return rest, c.addOption(spec, value, given)
}

// parseShort reads one word of letters; the value of the last may follow it.
func (c *call) parseShort(letters string, rest []string) ([]string, error) {
	for i := 0; i < len(letters); i++ {
		spec := c.cmd.shortOption(letters[i])
		if spec == nil {
			return nil, usage("%s has no option -%c", c.cmd.name, letters[i])
		}
		if spec.optionalValue() {
			if err := c.addOption(spec, "", false); err != nil {
				return nil, err
			}
			continue
		}
		value := letters[i+1:]
		if value == "" {
			if len(rest) == 0 {
				return nil, usage("-%c needs a value", letters[i])
			}
			value, rest = rest[0], rest[1:]
		}
		return rest, c.addOption(spec, value, true)
	}
	return rest, nil
}

// longOption accepts unique prefixes.
func (cmd *command) longOption(name string) (*optionSpec, error) {
	var prefixed []*optionSpec
	for _, s := range cmd.options {
		for _, n := range append([]string{s.name}, s.aliases...) {
			if n == name {
				return s, nil
			}
			if strings.HasPrefix(n, name) && !slices.Contains(prefixed, s) {
				prefixed = append(prefixed, s)
			}
		}
	}
	switch {
	case len(prefixed) == 1 && name != "":
		return prefixed[0], nil
	case len(prefixed) > 1 && name != "":
		var names []string
		for _, s := range prefixed {
			names = append(names, "--"+s.name)
		}
		return nil, usage("%s: --%s could be %s", cmd.name, name, strings.Join(names, ", "))
	}
	return nil, usage("%s has no option --%s", cmd.name, name)
}

func (cmd *command) shortOption(letter byte) *optionSpec {
	for _, s := range cmd.options {
		if s.short == letter || s.alias == letter {
			return s
		}
	}
	return nil
}

func (c *call) addOption(spec *optionSpec, text string, given bool) error {
	o := option{spec: spec, text: text}
	var err error
	switch {
	case spec.flag:
		o.value, err = parseFlag(spec.name, text, given)
		c.setDefaults = c.setDefaults || spec.name == setDefaults && o.value == 1
	case len(spec.words) > 0:
		if given && !slices.Contains(spec.words, text) {
			err = usage("--%s=%s: possible is %s", spec.name, text, strings.Join(spec.words, ", "))
		}
	case spec.number:
		o.value, err = genl.ParseNumber(text, "")
		if err != nil {
			err = usage("--%s: %v", spec.name, err)
		}
	default:
		o.value, err = parseField(spec.field, text, given)
	}
	if err != nil {
		return err
	}
	c.options = append(c.options, o)
	return nil
}

func parseFlag(name, text string, given bool) (uint64, error) {
	switch {
	case !given || text == "yes":
		return 1, nil
	case text == "no":
		return 0, nil
	}
	return 0, usage("--%s=%s: possible is yes or no", name, text)
}

// parseField reads the value of an option that is a field of the payload.
func parseField(f *genl.Field, text string, given bool) (uint64, error) {
	if f.Type == genl.TypeFlag {
		return parseFlag(f.Option, text, given)
	}
	if f.Type == genl.TypeString {
		return 0, nil
	}
	if keyType := tlsKeyType(f); keyType != "" {
		serial, err := keySerial(keyType, text)
		if err != nil {
			return 0, usage("--%s: %v", f.Option, err)
		}
		return serial, nil
	}
	value, err := f.Parse(text, genl.ParseNumber)
	if err != nil {
		return 0, usage("--%s: %v", f.Option, err)
	}
	return value, nil
}

func tlsKeyType(f *genl.Field) string {
	return map[string]string{"tls-keyring": "keyring", "tls-privkey": "user", "tls-certificate": "user"}[f.Option]
}

// value of a tool option: whether it was given, and the last value.
func (c *call) flagGiven(name string) bool {
	value := false
	for _, o := range c.options {
		if o.spec.name == name {
			value = o.value == 1
		}
	}
	return value
}

func (c *call) countFlag(name string) int {
	n := 0
	for _, o := range c.options {
		if o.spec.name == name && o.value == 1 {
			n++
		}
	}
	return n
}

func (c *call) numberGiven(name string) (value uint64, given bool) {
	for _, o := range c.options {
		if o.spec.name == name {
			value, given = o.value, true
		}
	}
	return value, given
}

// colorWanted: auto only on a terminal.
func (c *call) colorWanted() bool {
	word := "auto"
	for _, o := range c.options {
		if o.spec.name == "color" {
			word = o.text
			if word == "" {
				word = "always"
			}
		}
	}
	return word == "always" || word == "auto" && c.env.Width > 0
}
