package adm

import "drbd/internal/setup"

// CommandInfo describes a command for the manual and for completion.
type CommandInfo struct {
	Name, About string
	Group       string // "public", "script", "kernel", "expert" or "" for hidden ones
	Words       string // what stands behind the command
	Options     []setup.OptionInfo
}

// GeneralOption is an option that all commands have.
type GeneralOption struct {
	Name   string
	Letter byte
	Value  bool
	About  string
}

// Commands lists all commands of drbdadm.
func Commands() []CommandInfo {
	groups := map[commandGroup]string{groupPublic: "public", groupShell: "script", groupCallback: "kernel", groupExpert: "expert"}
	var out []CommandInfo
	for _, c := range commands {
		out = append(out, CommandInfo{c.name, c.about, groups[c.group], c.words(), c.options()})
	}
	return out
}

// GeneralOptions lists the options of drbdadm itself.
func GeneralOptions() []GeneralOption {
	var out []GeneralOption
	for _, o := range generalOptions {
		out = append(out, GeneralOption{o.name, o.letter, o.value, o.about})
	}
	return out
}
