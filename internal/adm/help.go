package adm

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"drbd/internal/conf"
)

// Version is the release of drbd-utils whose interface this is.
const Version = "9.34.0"

const apiVersion = 2

// printVersion prints shell variables; other programs parse them (section 10.7).
func (a *App) printVersion() error {
	module := a.moduleVersion()
	moduleCode, err := conf.ParseVersion(module)
	if err != nil {
		module, moduleCode = "", 0
	}
	ours, err := conf.ParseVersion(Version)
	if err != nil {
		return err
	}
	a.say("DRBDADM_BUILDTAG=%s", shellEscape("independent implementation"))
	a.say("DRBDADM_API_VERSION=%d", apiVersion)
	a.say("DRBD_KERNEL_VERSION_CODE=0x%06x", moduleCode)
	a.say("DRBD_KERNEL_VERSION=%s", shellEscape(module))
	a.say("DRBDADM_VERSION_CODE=0x%06x", ours)
	a.say("DRBDADM_VERSION=%s", shellEscape(Version))
	return nil
}

// printHelp is for `drbdadm help`, `drbdadm --help` and `drbdadm help COMMAND`.
func (a *App) printHelp() error {
	about := a.line.helpAbout
	if about == "" && a.line.command != "help" {
		about = a.line.command
	}
	if about == "" {
		printUsage(a.env.Stdout)
		return nil
	}
	cmd := findCommand(about)
	if cmd == nil {
		return exit(exitUsage, "drbdadm: Unknown command '%s'%s", about, suggestCommand(about))
	}
	w := a.env.Stdout
	fmt.Fprintf(w, "\nUSAGE: drbdadm %s [OPTION...] %s\n\n%s.\n\n", cmd.name, cmd.words(), cmd.about)
	printGeneral(w)
	if options := cmd.options(); len(options) > 0 {
		fmt.Fprintf(w, "\nOPTIONS FOR %s:\n", cmd.name)
		for _, o := range options {
			fmt.Fprintf(w, "  --%s%s\n", o.Name, map[bool]string{true: "=...", false: "[=...]"}[o.NeedsValue])
		}
	}
	fmt.Fprintln(w)
	return nil
}

func (c *command) words() string {
	switch c.scope {
	case scopeNone:
		return ""
	case scopeConfig:
		return "[RESOURCE...]"
	}
	return "{all|RESOURCE...}"
}

func printGeneral(w io.Writer) {
	fmt.Fprintln(w, "GENERAL OPTIONS:")
	for _, o := range generalOptions {
		left := fmt.Sprintf("--%s, -%c", o.name, o.letter)
		if o.value {
			left = fmt.Sprintf("--%s=..., -%c ...", o.name, o.letter)
		}
		fmt.Fprintf(w, "  %-34s %s\n", left, o.about)
	}
}

func printUsage(w io.Writer) {
	fmt.Fprint(w, "\nUSAGE: drbdadm COMMAND [OPTION...] {all|RESOURCE...}\n\n")
	printGeneral(w)
	fmt.Fprint(w, "\nCOMMANDS:\n")
	printColumns(w, commandNames(groupPublic))
	fmt.Fprintf(w, "\nVersion: %s (api:%d)\n\n", Version, apiVersion)
}

func commandNames(group commandGroup) []string {
	var names []string
	for _, c := range commands {
		if c.group == group {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return names
}

// printColumns prints two columns that are read downwards.
func printColumns(w io.Writer, names []string) {
	half := (len(names) + 1) / 2
	for i := range half {
		line := fmt.Sprintf(" %-35s", names[i])
		if i+half < len(names) {
			line += " " + names[i+half]
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

func (a *App) hiddenCommands() error {
	for _, g := range []struct {
		group commandGroup
		title string
	}{{groupShell, "For scripts:"}, {groupCallback, "Called by the kernel:"}, {groupExpert, "For people who know the insides:"}} {
		a.say("\n%s\n", g.title)
		printColumns(a.env.Stdout, commandNames(g.group))
	}
	return nil
}
