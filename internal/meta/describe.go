package meta

// CommandInfo describes a command for the manual.
type CommandInfo struct {
	Name, Arguments string
	Hidden          bool
}

// Commands lists what drbdmeta can do.
func Commands() []CommandInfo {
	var out []CommandInfo
	for _, c := range commands {
		out = append(out, CommandInfo{c.name, c.arguments, c.hidden})
	}
	return out
}
