package adm

import (
	"drbd/internal/conf"
	"drbd/internal/lint"
)

// lint prints what is valid and will hurt. The exit code is 10 when there are errors, 1 when there is something to say, else 0.
func (a *App) lint() error {
	resources, worst := a.view.Resources, exitOK
	if len(a.line.words) > 0 {
		list, code := a.selectedOrIgnored()
		resources, worst = list, code
	}
	var sound []*conf.Resolved
	for _, r := range resources {
		if a.broken(r) {
			worst = exitConfig
			continue
		}
		sound = append(sound, r)
	}
	machine := a.env.Machine
	if machine == nil {
		machine = lint.ThisMachine()
	}
	findings := lint.Look(a.view, sound, machine)
	for _, f := range findings {
		a.say("%v", f)
	}
	switch {
	case len(findings) > 0:
		a.say("%s in %s", count(len(findings), "finding"), count(len(sound), "resource"))
		worst = max(worst, exitUsage)
	case worst == exitOK:
		a.say("nothing to say about %s", count(len(sound), "resource"))
	}
	return code(worst)
}

// selectedOrIgnored looks names up, those of resources for other hosts, too.
func (a *App) selectedOrIgnored() (out []*conf.Resolved, worst int) {
	for _, word := range a.line.words {
		r := a.view.Resource(word)
		switch {
		case word == "all":
			out = append(out, a.view.Resources...)
		case r == nil:
			a.warn("'%s' not defined in your config (for this host).%s", word, a.suggestResource(word))
			worst = exitUsage
		default:
			out = append(out, r)
		}
	}
	return out, worst
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}
