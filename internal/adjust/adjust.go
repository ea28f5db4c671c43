package adjust

import (
	"slices"

	"drbd/internal/conf"
)

// What leaves out parts of an adjust.
type What struct {
	SkipDisk, SkipNet bool
	// Volume restricts the decisions about disks to one volume; -1: all.
	Volume int
}

// Adjust plans the way from what the module has (the parsed output of `drbdsetup show`) to what the configuration says (section 13).
func (p *Planner) Adjust(resources []*conf.Resolved, running *conf.Config, what What) *Plan {
	plan := &Plan{}
	for _, r := range resources {
		have := running.Resource(r.Name)
		if have == nil || have.ThisHost == nil || r.Me == nil {
			p.create(plan, r, what, true)
			continue
		}
		a := &adjuster{Planner: p, plan: plan, r: r, have: have, what: what}
		a.resource()
	}
	return plan
}

// adjuster plans one resource.
type adjuster struct {
	*Planner
	plan *Plan
	r    *conf.Resolved
	have *conf.Resource
	what What
	// barrier is the wait for the connection that was planned before; -1: there is none.
	barrier int
	// connects are the waits behind all planned connects; where they were taken out, the connects themselves.
	connects []int
	// destructive: a connection is given up for a while or for good.
	destructive bool
}

func (a *adjuster) one(stage Stage, commands ...Command) int {
	return a.plan.one(stage, a.r.Name, commands...)
}

func (a *adjuster) resource() {
	if a.differ(conf.ClassResource, a.r.Options[conf.ClassResource], a.have.Options[conf.ClassResource]) {
		a.one(StageResourceOptions, a.ResourceOptions(a.r, true))
	}
	var disks []func()
	for _, nr := range a.volumeNumbers() {
		a.oldVolume(a.have.ThisHost.Volume(nr))
		if v := a.r.Me.Volume(nr); v != nil {
			disks = append(disks, a.volume(v))
		}
	}
	if !a.what.SkipNet {
		a.connections()
	}
	for _, plan := range disks {
		plan()
	}
}

// differ compares two sets of options: by meaning, with what is not there counting as the default. Options that the module does not
// know are left out on both sides (section 13.5).
func (a *adjuster) differ(c conf.Class, file, running conf.Options) bool {
	file = a.effective(file)
	names := map[string]bool{}
	for _, list := range []conf.Options{file, running} {
		for _, o := range list {
			if o.Name != "_name" && !slices.Contains(a.have.Unknown, o.Name) {
				names[o.Name] = true
			}
		}
	}
	for name := range names {
		want, wanted := file.Get(name)
		have, had := running.Get(name)
		switch {
		case wanted && had && !conf.SameValue(c, name, want, have),
			wanted && !had && !conf.IsDefault(c, name, want),
			had && !wanted && !conf.IsDefault(c, name, have):
			return true
		}
	}
	return false
}

// volumeNumbers are those of the file and of the module, each once, ascending.
func (a *adjuster) volumeNumbers() []int {
	var numbers []int
	for _, v := range slices.Concat(a.r.Me.Volumes, a.have.ThisHost.Volumes) {
		numbers = append(numbers, v.Nr)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// oldVolume removes what the file has no more, or with another minor.
func (a *adjuster) oldVolume(have *conf.Volume) {
	if have == nil || a.what.SkipDisk || a.what.Volume >= 0 && have.Nr != a.what.Volume {
		return
	}
	if want := a.r.Me.Volume(have.Nr); want != nil && want.Minor == have.Minor {
		return
	}
	if have.Disk != "" {
		a.one(StageDetach, a.detachForGood(have.Minor))
	}
	a.one(StageDetach, setup("del-minor", itoa(have.Minor)))
}

func (a *adjuster) detachForGood(minor int) Command {
	return setup("detach", "--diskless", itoa(minor))
}

// volume plans what must come before the connections now, and returns what comes after them.
func (a *adjuster) volume(v *conf.Volume) (later func()) {
	later = func() {}
	have := a.have.ThisHost.Volume(v.Nr)
	if have != nil && have.Minor != v.Minor {
		have = nil
	}
	if a.what.Volume >= 0 && v.Nr != a.what.Volume {
		return later
	}
	if have == nil && !(a.what.SkipDisk && a.have.ThisHost.Volume(v.Nr) != nil) { // peers need the device also without its disk
		a.one(StageNewMinor, a.NewMinor(a.r, v))
	}
	if a.what.SkipDisk {
		return later
	}
	if have == nil {
		return a.attachLater(v)
	}
	moved := have.Disk != "" && !v.Diskless() && a.diskMoved(v, have)
	switch {
	case have.Disk == "" && v.Diskless():
		return later
	case have.Disk == "":
		return a.attachLater(v)
	case v.Diskless():
		a.one(StageDetach, a.detachForGood(have.Minor))
		return later
	case moved:
		a.one(StageDetach, a.detachForGood(have.Minor))
		return a.attachLater(v)
	}
	return a.diskOptions(v, have)
}

func (a *adjuster) attachLater(v *conf.Volume) func() {
	return func() {
		if !v.Diskless() {
			a.one(StageAttach, a.Attach(v)...)
		}
	}
}

// diskMoved compares backing device and place of the metadata: device numbers first, because one device has many names.
func (a *adjuster) diskMoved(want, have *conf.Volume) bool {
	return !a.sameDevice(want.Disk, have.Disk) ||
		MetaIndex(want) != MetaIndex(have) ||
		want.MetaDisk != "internal" && !a.sameDevice(want.MetaDisk, have.MetaDisk)
}

func (a *adjuster) sameDevice(x, y string) bool {
	return x == y || a.SameDevice != nil && a.SameDevice(x, y)
}

func (a *adjuster) diskOptions(v, have *conf.Volume) (later func()) {
	want, running := v.Options[conf.ClassDisk], have.Options[conf.ClassDisk]
	differ := a.differ(conf.ClassDisk, without(want, "size"), without(running, "size"))
	resize := a.differ(conf.ClassDisk, only(want, "size"), only(running, "size"))
	if differ && a.bitmapEnabled(want, running) {
		// While there is no bitmap the module refuses new peers.
		a.one(StageNewMinor, a.DiskOptions(v, true))
		differ = false
	}
	return func() {
		if differ {
			a.one(StageAttach, a.DiskOptions(v, true))
		}
		if resize {
			a.one(StageAttach, a.Resize(v)...)
		}
	}
}

func only(options conf.Options, name string) conf.Options {
	return slices.DeleteFunc(slices.Clone(options), func(o conf.Option) bool { return o.Name != name })
}

func (a *adjuster) bitmapEnabled(want, running conf.Options) bool {
	had, _ := running.Get("bitmap")
	wanted, _ := want.Get("bitmap")
	return had == "no" && wanted != "no" && !slices.Contains(a.have.Unknown, "bitmap")
}
