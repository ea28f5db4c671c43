package adjust

import "drbd/internal/conf"

// Up plans everything for resources that the module does not have (section 12.1).
func (p *Planner) Up(resources []*conf.Resolved) *Plan {
	plan := &Plan{}
	for _, r := range resources {
		p.create(plan, r, false)
	}
	return plan
}

// create plans one resource from nothing.
func (p *Planner) create(plan *Plan, r *conf.Resolved, setDefaults bool) {
	one := func(stage Stage, commands ...Command) {
		plan.add(Step{Stage: stage, Resource: r.Name, Commands: commands})
	}
	one(StageNewResource, p.NewResource(r))
	for _, v := range r.Me.Volumes {
		one(StageNewMinor, p.NewMinor(r, v))
	}
	for _, l := range r.Links {
		one(StageNewPeer, p.NewPeer(r, l))
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
		if !v.Diskless() {
			one(StageAttach, p.Attach(v)...)
		}
	}
	for _, l := range r.Links {
		one(StageConnect, p.Connect(r, l.PeerID))
	}
}
