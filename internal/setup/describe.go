package setup

// OptionInfo describes one option of a command to tools that pass options on.
type OptionInfo struct {
	Name       string
	Aliases    []string
	Letters    string // one-letter forms
	NeedsValue bool   // else a value is only possible behind an equals sign
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
