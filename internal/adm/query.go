package adm

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"drbd/internal/adjust"
	"drbd/internal/conf"
)

// status hands over to drbdsetup after the names were checked.
func (a *App) status() error {
	words := []string{"status"}
	if a.line.verbose > 0 {
		defer func(n int) { a.line.verbose = n }(a.line.verbose)
	}
	options := a.line.argsFor("status")
	for range a.line.verbose {
		options = append(options, "--verbose")
	}
	a.line.verbose = 0
	if len(a.line.words) == 0 {
		return code(a.exec(adjust.Command{Tool: adjust.Setup, Args: append(words, options...)}, "", a.env.Stderr))
	}
	list, worst := a.selected()
	for _, s := range list {
		args := append([]string{"status", s.r.Name}, options...)
		worst = max(worst, a.exec(adjust.Command{Tool: adjust.Setup, Args: args}, s.r.Name, a.env.Stderr))
	}
	return code(worst)
}

// dump prints the configuration as it was understood (section 14.1), dump-xml and dump --json for programs (section 14.2).
func (a *App) dump() error {
	style := conf.DumpStyle{Merged: a.line.dryRun, Verbose: a.line.verbose > 0}
	whole := len(a.line.words) == 0 || len(a.line.words) == 1 && a.line.words[0] == "all"
	if !whole {
		return a.dumpSome(style)
	}
	if a.view.Diagnostics.Failed() {
		return code(exitConfig)
	}
	for _, r := range a.view.Resources {
		if err := a.checkAddress(r); err != nil {
			return exit(exitConfig, "%v", err)
		}
	}
	if dump := a.dumpData(); dump != nil {
		return dump(a.env.Stdout, a.view, nil)
	}
	conf.Dump(a.env.Stdout, a.view, style)
	return nil
}

// dumpData is the form for programs, nil for people.
func (a *App) dumpData() func(io.Writer, *conf.View, []*conf.Resolved) error {
	switch {
	case a.cmd.name == "dump-xml":
		return conf.DumpXML
	case len(a.line.argsFor("drbdadm dump")) > 0:
		return conf.DumpJSON
	}
	return nil
}

// dumpSome prints named resources, also those that are ignored here.
func (a *App) dumpSome(style conf.DumpStyle) error {
	worst := exitOK
	var chosen []*conf.Resolved
	for _, word := range a.line.words {
		r := a.view.Resource(word)
		switch {
		case r == nil:
			a.warn("'%s' not defined in your config (for this host).%s", word, a.suggestResource(word))
			worst = max(worst, exitUsage)
			continue
		case a.broken(r):
			worst = max(worst, exitConfig)
			continue
		}
		if err := a.checkAddress(r); err != nil {
			a.warn("%v", err)
		}
		chosen = append(chosen, r)
	}
	if dump := a.dumpData(); dump != nil && len(chosen) > 0 {
		if err := dump(a.env.Stdout, a.view, chosen); err != nil {
			return err
		}
		return code(worst)
	}
	for _, r := range chosen {
		conf.DumpResource(a.env.Stdout, a.view, r, style)
	}
	return code(worst)
}

// outdate keeps the answers apart that fence handlers test: 0, 5 (worse than outdated) and 17 (Primary) (section 12.5).
func (a *App) outdate() error {
	list, worst := a.selected()
	for _, s := range list {
		targets, selectCode := a.expand(s)
		worst = max(worst, selectCode)
		for _, t := range targets {
			worst = max(worst, a.outdateOne(t))
		}
	}
	return code(worst)
}

func (a *App) outdateOne(t target) int {
	const worseThanOutdated = 5
	fallback := a.planner().Meta(t.v, "outdate", "outdate")
	first := a.exec(a.setupCommand("outdate", itoa(t.v.Minor)), t.r.Name, a.env.Stderr)
	if !a.line.dryRun && (first == exitOK || first == exitNoData) {
		return first
	}
	second := a.exec(fallback, t.r.Name, a.env.Stderr)
	if first == worseThanOutdated && second != exitOK {
		return worseThanOutdated
	}
	return second
}

// waitFor makes the commands of wait-connect and wait-sync: as fine as the selection (section 12.6).
func waitFor(name string) func(*App, target) []adjust.Command {
	return func(a *App, t target) []adjust.Command {
		options := a.waitOptions(t.r)
		var out []adjust.Command
		add := func(args ...string) {
			out = append(out, adjust.Command{Tool: adjust.Setup, Args: append(args, options...)})
		}
		if t.v == nil && t.l == nil {
			add(name+"-resource", t.r.Name)
			return out
		}
		for _, l := range t.r.Links {
			switch {
			case t.l != nil && t.l != l:
			case t.v != nil:
				add(name+"-volume", t.r.Name, itoa(l.PeerID), itoa(t.v.Nr))
			default:
				add(name+"-connection", t.r.Name, itoa(l.PeerID))
			}
		}
		return out
	}
}

// waitOptions are the time-outs of the file, unless the command line has them. The upper one of stacked resources waits only briefly,
// because the lower one has waited already.
func (a *App) waitOptions(r *conf.Resolved) []string {
	given := a.line.argsFor("wait-connect-resource")
	startup := r.Options[conf.ClassStartup]
	if stackedTimeouts, _ := startup.Get("stacked-timeouts"); r.Stacked && stackedTimeouts != "yes" {
		return append([]string{"--wfc-timeout=" + itoa(2*a.connectInterval(r))}, given...)
	}
	var out []string
	for _, o := range startup {
		overridden := false
		for _, g := range given {
			overridden = overridden || g == "--"+o.Name || strings.HasPrefix(g, "--"+o.Name+"=")
		}
		if o.Name != "stacked-timeouts" && !overridden {
			out = append(out, "--"+o.Name+"="+o.Value)
		}
	}
	return append(out, given...)
}

func (a *App) connectInterval(r *conf.Resolved) int {
	seconds := 10
	if value, ok := r.Options[conf.ClassNet].Get("connect-int"); ok {
		_, _ = fmt.Sscan(value, &seconds)
	}
	return seconds
}

// notWorthAPrompt: peers that are there answer sooner.
const notWorthAPrompt = 200 * time.Millisecond

// waitAtStart waits for the peers of all resources at once. It never fails, because the machine must go on starting; on a terminal
// the word yes ends it.
func (a *App) waitAtStart() error {
	ctx, stop := context.WithCancel(a.ctx)
	defer stop()
	one := *a
	one.ctx = ctx
	var all sync.WaitGroup
	heard := &onceWriter{to: a.env.Stderr, told: map[string]bool{}}
	for _, r := range a.all() {
		if !a.usable(r) {
			continue
		}
		c := adjust.Command{Tool: adjust.Setup, Args: append([]string{"wait-connect-resource", r.Name}, a.waitOptions(r)...)}
		if a.line.dryRun {
			a.exec(c, r.Name, a.env.Stderr)
			continue
		}
		all.Add(1)
		go func() {
			defer all.Done()
			one.call(c, io.Discard, heard)
		}()
	}
	if a.line.dryRun {
		return nil
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done: // they are there
		return nil
	case <-time.After(notWorthAPrompt):
	}
	c, closeConsole := a.openConsole()
	defer closeConsole()
	a.prompt(c, done, stop)
	return nil
}
