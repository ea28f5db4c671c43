package setup

// OptionInfo describes one option of a command to tools that pass options on.
type OptionInfo struct {
	Name       string
	Aliases    []string
	Letters    string // one-letter forms
	NeedsValue bool   // else a value is only possible behind an equals sign
	Value      string // what can follow the name; only from Commands
	Words      []string
}

// OptionsOf lists the options of a command, nil when there is no such command.
func OptionsOf(name string) []OptionInfo {
	cmd := commandByName(name)
	if cmd == nil {
		return nil
	}
	var out []OptionInfo
	for _, s := range cmd.options {
		info := OptionInfo{Name: s.name, Aliases: s.aliases, NeedsValue: !s.optionalValue()}
		for _, letter := range []byte{s.short, s.alias} {
			if letter != 0 {
				info.Letters += string(letter)
			}
		}
		out = append(out, info)
	}
	return out
}

// CommandNames lists all commands.
func CommandNames() []string {
	var out []string
	for _, c := range commands {
		out = append(out, c.name)
	}
	return out
}

// CommandInfo describes a command for the manual and for completion.
type CommandInfo struct {
	Name, Summary string
	Arguments     []string // optional ones in brackets
	Options       []OptionInfo
}

// Commands lists all commands with their options.
func Commands() []CommandInfo {
	var out []CommandInfo
	for _, c := range commands {
		info := CommandInfo{Name: c.name, Summary: c.summary, Options: OptionsOf(c.name)}
		for _, a := range c.args {
			name := a.name
			if a.optional {
				name = "[" + name + "]"
			}
			info.Arguments = append(info.Arguments, name)
		}
		for i, s := range c.options {
			info.Options[i].Value = s.valueHelp()
			if s.field == nil {
				continue
			}
			for _, w := range s.field.Words {
				info.Options[i].Words = append(info.Options[i].Words, w.Word)
			}
		}
		out = append(out, info)
	}
	return out
}
