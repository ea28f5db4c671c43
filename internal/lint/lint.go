// Package lint looks at a configuration, and at the machine it is for, with the eyes of somebody who has to get up at night when it
// fails: what is valid and will hurt all the same. Every finding says where, what, why it matters, and what to do.
package lint

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"drbd/internal/conf"
)

// Finding is one thing that will hurt.
type Finding struct {
	Pos      conf.Pos
	Check    string // the check's name
	Resource string // "" when it is about the whole configuration
	Problem  string
	Reason   string
	Fix      string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s [%s]\n    why: %s\n    fix: %s", f.Pos, f.Problem, f.Check, f.Reason, f.Fix)
}

// Machine is what lint asks about the machine; tests pretend one.
type Machine struct {
	// Disk tells about a path.
	Disk func(path string) DiskInfo
	// Listener names the program that listens on a port, "" when none does.
	Listener func(a netip.AddrPort) string
	// Ephemeral is the range of ports that outgoing connections take; zero: not known.
	Ephemeral [2]int
	// Program reports whether a path can be executed.
	Program func(path string) bool
	// Readable reports whether everybody can read a file.
	Readable func(path string) bool
}

// DiskInfo is what there is to know about a backing device.
type DiskInfo struct {
	Missing, NotBlock bool
	Number            uint64 // of the device, the same for all its names; 0: not known
	MountedOn         string // or "swap"
}

// check is one row of the table.
type check struct {
	name, about string
	run         func(l *linter, r *conf.Resolved)
}

// Checks lists the names of all checks with what they look for, for the manual.
func Checks() [][2]string {
	var out [][2]string
	for _, c := range checks() {
		out = append(out, [2]string{c.name, c.about})
	}
	return out
}

type linter struct {
	view    *conf.View
	machine *Machine
	name    string // of the check that runs
	found   []Finding
	disks   map[uint64]string // who has a disk
}

func (l *linter) add(r *conf.Resolved, pos conf.Pos, problem, reason, fix string) {
	if pos.File() == "" {
		pos = r.Pos
	}
	l.found = append(l.found, Finding{pos, l.name, r.Name, problem, reason, fix})
}

// Look runs all checks over some resources. Resources with errors must not be among them.
func Look(view *conf.View, resources []*conf.Resolved, machine *Machine) []Finding {
	l := &linter{view: view, machine: machine, disks: map[uint64]string{}}
	for _, c := range checks() {
		l.name = c.name
		for _, r := range resources {
			c.run(l, r)
		}
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.File(), b.Pos.File()), cmp.Compare(a.Pos.Line, b.Pos.Line))
	})
	return slices.CompactFunc(l.found, func(a, b Finding) bool { return a.Pos == b.Pos && a.Problem == b.Problem })
}

func checks() []check { return slices.Concat(optionChecks, machineChecks) }

// option returns a setting of a list, and where it was written.
func option(options conf.Options, name string) (value string, pos conf.Pos) {
	for _, o := range options {
		if o.Name == name {
			return o.Value, o.Pos
		}
	}
	return "", conf.Pos{}
}

// links calls a function for the net options of each connection of this host; where there is none, for those of the resource.
func links(r *conf.Resolved, look func(options conf.Options)) {
	if len(r.Links) == 0 {
		look(r.Options[conf.ClassNet])
	}
	for _, l := range r.Links {
		look(l.Options)
	}
}

// volumes calls a function for each volume of this host that has a disk.
func volumes(r *conf.Resolved, look func(v *conf.Volume)) {
	if r.Me == nil {
		return
	}
	for _, v := range r.Me.Volumes {
		if !v.Diskless() {
			look(v)
		}
	}
}
