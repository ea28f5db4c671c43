package adjust

import "drbd/internal/conf"

// Up plans everything for resources that the module does not have (section 12.1).
func (p *Planner) Up(resources []*conf.Resolved) *Plan {
	steps := 0
	for _, r := range resources {
		steps += 1 + 2*len(r.Me.Volumes)
		for _, l := range r.Links {
			steps += 2 + len(l.Paths) + len(l.Devices)
		}
	}
	plan := &Plan{Steps: make([]Step, 0, steps)}
	for _, r := range resources {
		p.create(plan, r, What{Volume: -1}, false)
	}
	return plan
}

// create plans one resource from nothing. Its devices are made also when disks are left out, because peers need them.
func (p *Planner) create(plan *Plan, r *conf.Resolved, what What, setDefaults bool) {
	if r.Me == nil { // only our proxy has to do with it
		for _, l := range r.Links {
			p.proxySteps(plan, r, l)
		}
		return
	}
	one := func(stage Stage, commands ...Command) {
		plan.one(stage, r.Name, commands...)
	}
	one(StageNewResource, p.NewResource(r))
	for _, v := range r.Me.Volumes {
		one(StageNewMinor, p.NewMinor(r, v))
	}
	links := r.Links
	if what.SkipNet {
		links = nil
	}
	for _, l := range links {
		one(StageNewPeer, p.NewPeer(r, l))
		if setDefaults { // up does not start proxies: the init script does
			p.proxySteps(plan, r, l)
		}
		for _, path := range l.Paths {
			one(StageNewPath, p.NewPath(r, l.PeerID, path.Mine, path.Theirs))
		}
		for _, d := range l.Devices {
			if len(d.Options) > 0 {
				one(StagePeerDeviceOptions, p.PeerDeviceOptions(r, l, d, setDefaults))
			}
		}
	}
	for _, v := range r.Me.Volumes {
		if !v.Diskless() && !what.SkipDisk && (what.Volume < 0 || what.Volume == v.Nr) {
			one(StageAttach, p.Attach(v)...)
		}
	}
	for _, l := range links {
		one(StageConnect, p.Connect(r, l.PeerID))
	}
}
