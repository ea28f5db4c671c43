package adm

import (
	"slices"
	"strings"

	"drbd/internal/adjust"
	"drbd/internal/conf"
)

// The commands for scripts (section 14.3).

func shellCommands() []*command {
	volumes := func(name, about string, print func(a *App, t target)) *command {
		return &command{name: name, about: about, group: groupShell, scope: scopeVolume, safe: true, run: func(a *App) error {
			return a.print(func(t target) { print(a, t) })
		}}
	}
	resources := func(name, about string, print func(a *App, t target)) *command {
		c := volumes(name, about, print)
		c.scope = scopeAny
		return c
	}
	return []*command{
		{name: "sh-nop", about: "do nothing; the exit code tells whether the configuration is valid", group: groupShell, scope: scopeNone, takesTest: true,
			wholeConfig: true, showsNotes: true, run: func(*App) error { return nil }},
		{name: "sh-resources", about: "print the names of all resources", group: groupShell, scope: scopeNone, safe: true, run: func(a *App) error {
			for _, r := range a.all() {
				a.say("%s", r.Name)
			}
			return nil
		}},
		{name: "sh-mod-parms", about: "print parameters for the module", group: groupShell, scope: scopeNone, safe: true, run: func(a *App) error {
			n := a.view.Config.Global.MinorCount
			if n < 0 {
				n = 32
			}
			a.say("minor_count=%d", n)
			return nil
		}},
		resources("sh-resource", "print the names of the selected resources", func(a *App, t target) { a.say("%s", t.r.Name) }),
		resources("sh-list-config-file", "print where resources are defined", func(a *App, t target) { a.say("%s:%s", t.r.Pos, t.r.Name) }),
		resources("sh-ip", "print our addresses", func(a *App, t target) {
			for _, l := range t.r.Links {
				for _, p := range l.Paths {
					a.say("%s", p.Mine.Host)
				}
			}
		}),
		resources("sh-lr-of", "print the lower resource of a stacked one", func(a *App, t target) {
			if t.r.Me.Kind == conf.HostStacked {
				a.say("%s", t.r.Me.Lower)
			}
		}).with(func(c *command) {
			print := c.run
			c.run = func(a *App) error {
				if !a.line.stacked {
					return exit(exitUsage, "sh-lower-resource only available in stacked mode")
				}
				return print(a)
			}
		}),
		{name: "sh-list-adjustable", about: "print the names of resources that adjust would change", group: groupShell, scope: scopeResource,
			backends: []string{"drbdadm adjust"}, run: (*App).listAdjustable},
		volumes("sh-dev", "print the names of devices", func(a *App, t target) { a.say("%s", t.v.DeviceName()) }),
		volumes("sh-minor", "print the minor numbers", func(a *App, t target) { a.say("%d", t.v.Minor) }),
		volumes("sh-ll-dev", "print the backing devices", func(a *App, t target) {
			if !t.v.Diskless() {
				a.say("%s", t.v.Disk)
			}
		}),
		volumes("sh-md-dev", "print the devices with the metadata", func(a *App, t target) {
			if !t.v.Diskless() {
				a.say("%s", adjust.MetaDevice(t.v))
			}
		}),
		volumes("sh-md-idx", "print where on them the metadata is", func(a *App, t target) {
			if !t.v.Diskless() {
				a.say("%s", adjust.MetaIndex(t.v))
			}
		}),
		volumes("sh-udev", "print what udev rules need", (*App).printUdev),
		{name: "sh-status", about: "print states as shell variables, in the form of DRBD 8.4", group: groupShell, scope: scopeVolume, safe: true, run: (*App).shStatus},
		{name: "sh-b-pri", about: "make those resources Primary that are to be Primary here from the start", group: groupShell, scope: scopeResource,
			run: (*App).iterate, each: becomePrimary},
	}
}

// print calls a function for each target; names are refused where they make no sense.
func (a *App) print(one func(t target)) error {
	list, worst := a.selected()
	for _, s := range list {
		targets, selectCode := a.expand(s)
		worst = max(worst, selectCode)
		for _, t := range targets {
			if a.line.variable != "" {
				a.say("%s=%s", a.line.variable, t.r.Name)
			}
			one(t)
		}
	}
	return code(worst)
}

func (a *App) printUdev(t target) {
	link := "drbd/by-res/" + t.r.Name
	if !t.v.Implicit || a.view.Config.Global.UdevAlwaysVNR {
		link += "/" + itoa(t.v.Nr)
	}
	a.say("DEVICE=drbd%d", t.v.Minor)
	a.say("SYMLINK=%s", link)
	a.say("SYMLINK_BY_RES=%s", link)
	if !t.v.Diskless() {
		a.say("SYMLINK_BY_DISK=drbd/by-disk/%s", strings.TrimPrefix(t.v.Disk, "/dev/"))
	}
}

// becomePrimary acts on become-primary-on (section 17.2).
func becomePrimary(a *App, t target) []adjust.Command {
	here := slices.ContainsFunc(t.r.BecomePrimaryOn, func(name string) bool {
		return name == "both" || slices.ContainsFunc(t.r.Me.Names, func(own string) bool { return conf.SameHost(own, name) })
	})
	if !here {
		return nil
	}
	return []adjust.Command{{Tool: adjust.Setup, Args: []string{"primary", t.r.Name}}}
}

func (a *App) listAdjustable() error {
	resources, volume, worst := a.toPlan()
	for _, r := range resources {
		plan, err := a.planAdjust([]*conf.Resolved{r}, volume)
		if err != nil {
			return err
		}
		if !plan.Empty() {
			a.say("%s", r.Name)
		}
	}
	return code(worst)
}
