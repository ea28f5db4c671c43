package adm

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"drbd/internal/adjust"
	"drbd/internal/conf"
)

// timeClass is how long a command of the back end may take (section 15.2).
type timeClass int

const (
	classShort timeClass = iota
	classLong
	classVeryLong
	classUnlimited
)

func (a *App) limit(c timeClass) time.Duration {
	var g conf.Global
	if a.view != nil {
		g = *a.view.Config.Global
	} else {
		g.Short, g.Medium, g.Long = -1, -1, -1
	}
	pick := func(configured, seconds int) time.Duration {
		if configured >= 0 {
			seconds = configured
		}
		return time.Duration(seconds) * time.Second
	}
	switch c {
	case classShort:
		return pick(g.Short, 5)
	case classLong:
		return pick(g.Medium, 121)
	case classVeryLong:
		return pick(g.Long, 600)
	}
	return 0
}

// longCommands wait for peers or disks.
var longCommands = []string{"attach", "detach", "resize", "down", "primary", "secondary", "invalidate-remote"}

func classOf(c adjust.Command) timeClass {
	name := c.Args[0]
	switch {
	case c.Tool == adjust.Meta:
		return classVeryLong
	case slices.Contains(longCommands, name):
		return classLong
	case len(name) > 5 && name[:5] == "wait-" || name == "events2":
		return classUnlimited
	}
	return classShort
}

// exec runs or prints one command and returns its exit code.
func (a *App) exec(c adjust.Command, resource string, stderr io.Writer) int {
	if a.line.variable != "" && resource != "" {
		a.say("%s=%s", a.line.variable, resource)
	}
	if a.line.dryRun {
		a.printed = append(a.appendCommandLine(a.printed[:0], c), '\n')
		_, _ = a.env.Stdout.Write(a.printed)
		return exitOK
	}
	if a.line.verbose > 0 {
		a.say("%s", a.commandLine(c))
	}
	heard := &listener{to: stderr, words: []string{noMetadata, noModule}}
	code := a.call(c, a.env.Stdout, heard)
	if code == exitOK {
		a.executed(c)
	}
	if code >= exitConfig && stderr == a.env.Stderr && !heard.heard(noModule) { // that says everything already
		a.warn("Command '%s' terminated with exit code %d", withoutSecret(a.commandLine(c)), code)
		if c.Tool == adjust.Meta && heard.heard(noMetadata) {
			a.adviseMetadata(c, resource)
		}
	}
	return code
}

// noMetadata is what drbdmeta says of a disk without metadata; other programs know the sentence.
const noMetadata = "No valid meta data found"

// noModule is what drbdsetup says without a module.
const noModule = "generic netlink family"

// listener passes on what is written and notes which known sentences were among it.
type listener struct {
	to    io.Writer
	words []string
	found []string
}

func (l *listener) heard(word string) bool { return slices.Contains(l.found, word) }

func (l *listener) Write(text []byte) (int, error) {
	for _, w := range l.words {
		if bytes.Contains(text, []byte(w)) {
			l.found = append(l.found, w)
		}
	}
	return l.to.Write(text)
}

// adviseMetadata says what to do about a disk without metadata.
func (a *App) adviseMetadata(c adjust.Command, resource string) {
	disk := c.Args[2]
	if r := a.view.Resource(resource); r != nil && r.Me != nil && len(r.Me.Volumes) > 1 {
		for _, v := range r.Me.Volumes {
			if itoa(v.Minor) == c.Args[0] {
				resource += "/" + itoa(v.Nr)
			}
		}
	}
	a.warn("%s: there is no DRBD metadata on %s; if this is the right disk and it is new to DRBD, run: drbdadm create-md %s", resource, disk, resource)
}

// withoutSecret is for messages, which end up in logs.
func withoutSecret(line string) string { return secret().ReplaceAllString(line, "--shared-secret=...") }

var secret = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`--shared-secret=(\\.|[^ ])*`) })

func (a *App) call(c adjust.Command, stdout, stderr io.Writer) int {
	ctx := a.ctx
	limit := a.limit(classOf(c))
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	args := append(slices.Clone(c.Args), a.line.extra...)
	chosen := a.chosen(c.Tool)
	if !silent(stderr) { // else somebody else tells people what is going on
		still := time.AfterFunc(patience, func() { a.warn("%s", a.waitingFor(c, limit)) })
		defer still.Stop()
	}
	var code int
	if chosen != "" {
		code = runProgram(ctx, chosen, args, a.env.Stdin, stdout, stderr)
	} else {
		code = a.env.Tool(ctx, c.Tool, args, a.env.Stdin, stdout, stderr)
	}
	if code != exitOK && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		a.warn("Command '%s' did not terminate within %d seconds", withoutSecret(a.commandLine(c)), int(limit.Seconds()))
		return exitExec
	}
	return code
}

// silent: nobody reads it.
func silent(w io.Writer) bool {
	switch w := w.(type) {
	case *listener:
		return w.to == io.Discard
	case *onceWriter: // the prompt tells it
		return true
	}
	return w == io.Discard
}

// patience is how long a command may say nothing.
const patience = 5 * time.Second

// waitingFor tells why nothing seems to happen.
func (a *App) waitingFor(c adjust.Command, limit time.Duration) string {
	line := withoutSecret(a.commandLine(c))
	if limit == 0 {
		return fmt.Sprintf("'%s' goes on until its peers are there or its time-outs are over; interrupt it to stop waiting", line)
	}
	return fmt.Sprintf("'%s' is still running; it may take up to %d seconds", line, int(limit.Seconds()))
}

// executed notes what was created.
func (a *App) executed(c adjust.Command) {
	if c.Tool == adjust.Meta && c.Name() == "create-md" {
		a.nameDevice(c)
	}
	if c.Tool != adjust.Setup {
		return
	}
	switch c.Args[0] {
	case "new-resource":
		a.register(c.Args[1])
	case "new-minor":
		a.register("minor-" + c.Args[2])
	}
}

// nameDevice gives new metadata an identifier of its own, by which it is recognised when the disk was resized or moved (section 12.4).
func (a *App) nameDevice(created adjust.Command) {
	place := slices.Clone(created.Args[:4])
	var text bytes.Buffer
	if a.call(adjust.Command{Tool: adjust.Meta, Args: append(place, "read-dev-uuid")}, &text, io.Discard) != exitOK ||
		strings.TrimSpace(text.String()) != strings.Repeat("0", 16) {
		return
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	write := adjust.Command{Tool: adjust.Meta, Args: append(place, "write-dev-uuid", fmt.Sprintf("%016X", id))}
	if code := a.call(write, io.Discard, a.env.Stderr); code != exitOK {
		a.warn("drbdadm: the new metadata on %s got no identifier (exit code %d); it works without", place[2], code)
	}
}

// quietFirst are commands whose first try tells nothing when the second one works (section 12.5).
var quietFirst = []string{"dstate", "show-gi", "get-gi"}

// answers of a running device: the metadata must not be touched then.
var finalAnswers = []int{11, 17}

// group runs commands one after the other until one fails. A fallback runs when the command before it failed for lack of a device.
func (a *App) group(commands []adjust.Command, resource string) int {
	code := exitOK
	for i, c := range commands {
		if c.Fallback && !a.line.dryRun && (code == exitOK || slices.Contains(finalAnswers, code)) {
			continue
		}
		if !c.Fallback && code != exitOK {
			return code
		}
		var held *bytes.Buffer
		stderr := a.env.Stderr
		quiet := i+1 < len(commands) && commands[i+1].Fallback && slices.Contains(quietFirst, c.Args[0])
		if quiet {
			held = &bytes.Buffer{}
			stderr = held
		}
		if c.Tool == adjust.Setup && c.Args[0] == "resize" {
			code = a.resize(c, func() int { return a.exec(c, resource, stderr) })
		} else {
			code = a.exec(c, resource, stderr)
		}
		if quiet && slices.Contains(finalAnswers, code) {
			_, _ = a.env.Stderr.Write(held.Bytes())
		}
	}
	return code
}

// iterate is the run function of most commands: each target gets its commands; the worst code is returned.
func (a *App) iterate() error {
	list, worst := a.selected()
	for _, s := range list {
		if a.cmd.checksIP {
			if err := a.checkAddress(s.r); err != nil {
				a.warn("%v", err)
				worst = max(worst, exitConfig)
				continue
			}
		}
		targets, selectCode := a.expand(s)
		worst = max(worst, selectCode)
		for _, t := range targets {
			got := a.group(a.cmd.each(a, t), t.r.Name)
			worst = max(worst, got, a.failed)
			if got >= exitExec {
				return code(got)
			}
		}
	}
	return code(worst)
}

// given are the options on our command line that a command of a tool knows.
func (a *App) given(tool adjust.Tool, command string) []string {
	if len(a.line.given) == 0 {
		return nil
	}
	return a.line.argsFor(backendName(tool, command))
}

// planner makes command lines with the options of this call.
func (a *App) planner() *adjust.Planner {
	return &adjust.Planner{
		View:       a.view,
		Given:      a.given,
		Warn:       func(pos conf.Pos, text string) { a.warn("%s: %s", pos, text) },
		SameDevice: sameBlockDevice,
	}
}
