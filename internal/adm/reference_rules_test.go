package adm

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// rule is one known difference. Its sentence stands in docs/findings.md.
type rule struct {
	name string
	// even makes both outcomes alike where they differ for this reason only, and reports whether it did anything.
	even func(c *referenceCase, theirs, ours *outcome) bool
}

func (c *referenceCase) word() string {
	for _, w := range strings.Fields(c.command) {
		if findCommand(w) != nil {
			return w
		}
	}
	return ""
}

func explain(c *referenceCase, theirs, ours *outcome) []string {
	var names []string
	for _, r := range rules {
		if theirs.out == ours.out && theirs.code == ours.code {
			break
		}
		if r.even(c, theirs, ours) {
			names = append(names, r.name)
		}
	}
	return names
}

// same accepts what the programs printed, when they ended alike.
func same(theirs, ours *outcome) bool { return theirs.code == ours.code && excused(theirs, ours) }

// excused accepts also another exit code.
func excused(theirs, ours *outcome) bool {
	theirs.out, theirs.code = ours.out, ours.code
	return true
}

func without(text string, pattern *regexp.Regexp) string { return pattern.ReplaceAllString(text, "") }

func sorted(text string) string {
	l := lines(text)
	slices.Sort(l)
	return strings.Join(l, "\n")
}

var (
	peerDeviceLine = regexp.MustCompile(`(?m)^\S*drbdsetup peer-device-options .*\n`)
	repairLine     = regexp.MustCompile(`(?m)^\S*drbdmeta .* repair-md\n`)
)

var rules = []rule{
	{"repair-md", func(_ *referenceCase, _, ours *outcome) bool {
		cut := without(ours.out, repairLine)
		changed := cut != ours.out
		ours.out = cut
		return changed
	}},
	{"unknown", func(_ *referenceCase, theirs, ours *outcome) bool {
		return strings.Contains(theirs.err, "Unknown command") && theirs.code == 1 && excused(theirs, ours)
	}},
	{"parser of 9.22", func(_ *referenceCase, theirs, ours *outcome) bool {
		return theirs.code == 10 && refusedBefore.MatchString(theirs.err) && excused(theirs, ours)
	}},
	{"usage", func(_ *referenceCase, theirs, ours *outcome) bool {
		return theirs.code == ours.code && strings.Contains(theirs.out, "USAGE:") && ours.out == "" && same(theirs, ours)
	}},
	{"sh-ip", func(c *referenceCase, theirs, ours *outcome) bool {
		once := func(text string) []string {
			l := strings.Fields(text)
			slices.Sort(l)
			return slices.Compact(l)
		}
		return c.word() == "sh-ip" && slices.Equal(once(theirs.out), once(ours.out)) && same(theirs, ours)
	}},
	{"order of peer devices", func(c *referenceCase, theirs, ours *outcome) bool {
		only := c.scope() == scopePeerDevice || c.word() == "adjust" && without(theirs.out, peerDeviceLine) == without(ours.out, peerDeviceLine)
		return only && sorted(theirs.out) == sorted(ours.out) && same(theirs, ours)
	}},
	{"looking in spite of errors", func(c *referenceCase, theirs, ours *outcome) bool {
		return theirs.code == 10 && theirs.out == "" && strings.HasSuffix(c.file, "broken-value.conf") && (c.safe() || strings.Contains(c.command, "-S") || strings.Contains(c.command, "nosuch")) && excused(theirs, ours)
	}},
	{"outdate", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "outdate" && outdateArgument.ReplaceAllString(theirs.out, "drbdsetup outdate ") == ours.out && same(theirs, ours)
	}},
	{"sh-udev of whole resources", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "sh-udev" && strings.Contains(theirs.err, "volume not specified") && ours.code == 0 && excused(theirs, ours)
	}},
	{"setup-option", func(c *referenceCase, theirs, ours *outcome) bool {
		return strings.HasPrefix(c.command, "-W --more") && theirs.out == strings.ReplaceAll(ours.out, " --more", "") && same(theirs, ours)
	}},
	{"all and volumes without a disk", func(c *referenceCase, theirs, ours *outcome) bool {
		return strings.Contains(theirs.err, "requires a local disk") && strings.HasSuffix(c.command, "all") && ours.code == 0 &&
			(theirs.out == ours.out || c.word() == "outdate") && excused(theirs, ours)
	}},
	{"resource-options", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "resource-options" && theirs.out == resourceOption.ReplaceAllString(ours.out, "") && same(theirs, ours)
	}},
	{"size", func(c *referenceCase, theirs, ours *outcome) bool {
		cut := fileSize.ReplaceAllString(theirs.out, "")
		return (c.word() == "disk-options" || strings.Contains(c.command, "--size=")) && cut == ours.out && same(theirs, ours)
	}},
	{"stacked waiting", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "wait-connect" && strings.ReplaceAll(theirs.out, "--wfc-timeout ", "--wfc-timeout=") == ours.out && same(theirs, ours)
	}},
	{"names of floating hosts", func(c *referenceCase, theirs, ours *outcome) bool {
		return strings.ReplaceAll(theirs.out, "--_name=10.0.0.2:7000", "--_name=10.0.0.2_7000") == ours.out && same(theirs, ours)
	}},
	{"--bitmap=no twice", func(c *referenceCase, theirs, ours *outcome) bool {
		return strings.ReplaceAll(theirs.out, " --bitmap=no --bitmap=no", " --bitmap=no") == ours.out && same(theirs, ours)
	}},
	{"check-resize without a disk", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "check-resize" && strings.HasPrefix(theirs.out, ours.out) && ours.code == 0 && same(theirs, ours)
	}},
	{"waiting for a volume", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.command == "wait-connect r1/1" && strings.Contains(ours.out, "wait-connect-volume r1 ") && same(theirs, ours)
	}},
	{"options of waiting", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "wait-connect" && strings.Contains(theirs.err, "unrecognized option '--wfc-timeout=5'") &&
			strings.Contains(ours.out, "--wfc-timeout=5") && excused(theirs, ours)
	}},
	{"crash of 9.22", func(c *referenceCase, theirs, ours *outcome) bool {
		return theirs.code == -1 && ours.code == 0 && excused(theirs, ours)
	}},
	{"names after a wrong one", func(c *referenceCase, theirs, ours *outcome) bool {
		again := strings.Count(theirs.err, "is not a peer, but the local node") > 1
		planned := c.word() == "up" && theirs.out == "" && strings.Contains(ours.err, "not defined in your config (for this host)")
		return theirs.code == 1 && ours.code == 1 && (again || planned) && same(theirs, ours)
	}},
	{"peers of a volume without a disk", func(c *referenceCase, theirs, ours *outcome) bool {
		return slices.Contains([]string{"forget-peer", "show-gi", "get-gi", "set-gi"}, c.word()) && strings.Contains(theirs.err, "requires a local disk") &&
			ours.code == 0 && excused(theirs, ours)
	}},
	{"sh-ll-dev without a disk", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "sh-ll-dev" && strings.ReplaceAll(theirs.out, "none\n", "") == ours.out && same(theirs, ours)
	}},
	{"value in a word of its own", func(c *referenceCase, theirs, ours *outcome) bool {
		return strings.Contains(c.command, "--timeout 55") && theirs.out == strings.ReplaceAll(ours.out, "=55", "") && same(theirs, ours)
	}},
	{"role of a peer", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.command == "role r0:bravo" && strings.HasSuffix(ours.out, "drbdsetup peer-role r0 1\n") && same(theirs, ours)
	}},
	{"dump of a resource that is ignored here", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "dump" && theirs.code == 1 && strings.Contains(ours.out, ": ignored, ") && excused(theirs, ours)
	}},
	{"dump", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "dump" && theirs.code == 0 && ours.code == 0 && c.meaning(theirs.out) == c.meaning(ours.out) && same(theirs, ours)
	}},
	{"end of the proxy's plugins", func(_ *referenceCase, theirs, ours *outcome) bool {
		return strings.ReplaceAll(theirs.out, " set\\ plugin\\ r0-bravo-alpha\\ 1\\ END", " -c set\\ plugin\\ r0-bravo-alpha\\ 1\\ END") == ours.out && same(theirs, ours)
	}},
	{"a new volume without its disk", func(c *referenceCase, theirs, ours *outcome) bool {
		return strings.Contains(c.command, "--skip-disk") && without(theirs.out, peerDeviceLine) == ours.out && same(theirs, ours)
	}},
	{"proxy commands without proxies", func(c *referenceCase, theirs, ours *outcome) bool {
		return strings.HasPrefix(c.word(), "proxy-") && theirs.out == "" && ours.out == "" && ours.code == 0 && excused(theirs, ours)
	}},
	{"dump of stacked resources", func(c *referenceCase, theirs, ours *outcome) bool {
		return c.word() == "dump" && strings.Contains(theirs.out, "# on alpha bravo \n") && same(theirs, ours)
	}},
}

var (
	resourceOption = regexp.MustCompile(` --[a-z-]+=\S*`)
	fileSize       = regexp.MustCompile(` --size=4194304k`)
)

var outdateArgument = regexp.MustCompile(`drbdsetup outdate \S+ `)

// refusedBefore are statements that 9.34 reads and 9.22 does not.
var refusedBefore = regexp.MustCompile(`but got '(rate|outside-address|disable-io-hints|incon-degr-cmd)'`)

// newOptionLine finds options that 9.22 does not know.
var newOptionLine = regexp.MustCompile(`(?m)^\s*(no-)?(cpu-mask.{32}.*|load-balance-paths|tls|tls-.*|rdma-ctrl-.*|max-bio-size|block-size|discard-granularity|` +
	`resync-without-replication|peer-tiebreaker|drbd8-api-compatibility)( .*)?;\n`)

func (c *referenceCase) scope() scope {
	if cmd := findCommand(c.word()); cmd != nil {
		return cmd.scope
	}
	return scopeNone
}

func (c *referenceCase) safe() bool {
	cmd := findCommand(c.word())
	return cmd != nil && cmd.safe
}

// meaning is what `up all` makes of a dump.
func (c *referenceCase) meaning(text string) string {
	file := filepath.Join(filepath.Dir(c.file), ".dumped.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err.Error()
	}
	defer func() { _ = os.Remove(file) }()
	dumped := &referenceCase{host: c.host, file: file, command: "up all"}
	o := dumped.ours("drbdadm")
	return fmt.Sprintf("%s\nexit code %d", o.out, o.code)
}
