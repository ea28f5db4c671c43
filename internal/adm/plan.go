package adm

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"drbd/internal/adjust"
	"drbd/internal/conf"
)

// up sets resources up that the module does not have. What cannot be set up completely is taken down again, so that a mistake can be
// corrected and the command repeated.
func (a *App) up() error {
	resources, _, worst := a.toPlan()
	plan := a.planner().Up(resources)
	created := map[string]bool{}
	var failed []string
	got := a.runPlan(plan, func(s *adjust.Step, result int) (skipRest bool) {
		if result == exitOK {
			created[s.Resource] = created[s.Resource] || s.Stage == adjust.StageNewResource
			return false
		}
		if s.Stage == adjust.StageNewResource && a.exists(s.Resource) {
			a.warn("%s: is up already; to apply changes of the configuration run: drbdadm adjust %s", s.Resource, s.Resource)
		}
		failed = append(failed, s.Resource)
		return true
	})
	for _, name := range failed {
		if created[name] {
			a.takeBack(name)
		}
	}
	return code(max(worst, got))
}

func (a *App) takeBack(name string) {
	if a.call(adjust.Command{Tool: adjust.Setup, Args: []string{"down", name}}, io.Discard, io.Discard) == exitOK {
		a.warn("%s: could not be brought up and was taken down again; nothing has changed", name)
	}
}

// exists asks the module about a resource.
func (a *App) exists(name string) bool {
	return a.call(adjust.Command{Tool: adjust.Setup, Args: []string{"show", name}}, io.Discard, io.Discard) == exitOK
}

func (a *App) adjust() error { return a.adjustWith(func(*adjust.Step) bool { return true }) }

func (a *App) adjustWithProgress() error {
	p := &progress{w: a.env.Stdout}
	fmt.Fprint(p.w, "[")
	err := a.adjustPlan(func(s *adjust.Step, code int) bool {
		p.step(s, code)
		return code != exitOK && s.Stage.Vital()
	}, p.skipped)
	fmt.Fprint(p.w, "\n]\n")
	return err
}

// adjustWith runs the plan; giveUp says whether the rest of a resource is left out after a failed step.
func (a *App) adjustWith(giveUp func(s *adjust.Step) bool) error {
	return a.adjustPlan(func(s *adjust.Step, code int) bool { return code != exitOK && giveUp(s) }, nil)
}

func (a *App) adjustPlan(after func(s *adjust.Step, code int) bool, skipped func(s *adjust.Step)) error {
	resources, volume, worst := a.toPlan()
	if len(resources) == 0 {
		return code(worst)
	}
	plan, err := a.planAdjust(resources, volume)
	if err != nil {
		return err
	}
	return code(max(worst, a.runPlanWith(plan, after, skipped)))
}

func (a *App) planAdjust(resources []*conf.Resolved, volume int) (*adjust.Plan, error) {
	running, err := a.running(resources)
	if err != nil {
		return nil, err
	}
	what := adjust.What{SkipDisk: a.line.skipDisk, SkipNet: a.line.skipNet, Volume: volume}
	return a.planner().Adjust(resources, running, what), nil
}

// toPlan are the selected resources, each once, that can be worked on.
func (a *App) toPlan() (resources []*conf.Resolved, volume, worst int) {
	volume = -1
	list, worst := a.selected()
	taken := make(map[*conf.Resolved]bool, len(list))
	for _, s := range list {
		if _, code := a.expand(s); code != exitOK {
			worst = max(worst, code)
			continue
		}
		if err := a.checkAddress(s.r); err != nil {
			a.warn("%v", err)
			worst = max(worst, exitConfig)
			continue
		}
		if s.v != nil {
			volume = s.v.Nr
		}
		if !taken[s.r] {
			taken[s.r] = true
			resources = append(resources, s.r)
		}
	}
	return resources, volume, worst
}

// running is what the module has; nothing when it cannot be asked, which the first step of the plan then explains.
func (a *App) running(resources []*conf.Resolved) (*conf.Config, error) {
	if file := os.Getenv("FAKE_DRBDSETUP_SHOW"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, exit(exitExec, "FAKE_DRBDSETUP_SHOW: %v", err)
		}
		return conf.ParseShow(string(text)), nil
	}
	args := []string{"show"}
	if len(resources) == 1 {
		args = append(args, resources[0].Name)
	}
	var text bytes.Buffer
	if a.call(adjust.Command{Tool: adjust.Setup, Args: args}, &text, io.Discard) != exitOK {
		return &conf.Config{}, nil
	}
	running := conf.ParseShow(text.String())
	if err := running.Diagnostics.Err(); err != nil {
		return nil, exit(exitExec, "the running configuration is not understood: %v", err)
	}
	return running, nil
}

func (a *App) runPlan(plan *adjust.Plan, after func(s *adjust.Step, code int) bool) int {
	return a.runPlanWith(plan, after, nil)
}

// runPlanWith runs the steps. A failed one stops its resource as after says, never the others; the code is 1 then (section 13.3).
func (a *App) runPlanWith(plan *adjust.Plan, after func(s *adjust.Step, code int) bool, skipped func(s *adjust.Step)) int {
	worst := exitOK
	if skipped == nil {
		skipped = func(*adjust.Step) {}
	}
	hopeless := false // there is no module: every further step would say the same
	plan.Walk(func(s *adjust.Step) bool {
		if hopeless {
			return true
		}
		got := a.group(s.Commands, s.Resource)
		if s.MayTimeOut && got == exitTimeout || s.MayFail {
			got = exitOK
		}
		if got != exitOK {
			worst = exitUsage
		}
		if hopeless = got >= exitExec && s.Stage == adjust.StageNewResource; hopeless {
			return true
		}
		return after(s, got)
	}, skipped)
	return worst
}

// progress prints what adjust-with-progress shows: a line per stage, the resources behind it.
type progress struct {
	w        io.Writer
	stage    string
	resource string
}

func (p *progress) step(s *adjust.Step, code int) {
	p.at(s)
	if code != exitOK {
		fmt.Fprintf(p.w, ":failed(%s:%d)", s.Commands[len(s.Commands)-1].Name(), code)
	}
}

func (p *progress) at(s *adjust.Step) {
	if label := s.Stage.String(); label != p.stage {
		p.stage, p.resource = label, ""
		fmt.Fprintf(p.w, "\n%15s:", label)
	}
	if s.Resource != p.resource {
		p.resource = s.Resource
		fmt.Fprintf(p.w, " %s", s.Resource)
	}
}

func (p *progress) skipped(s *adjust.Step) {
	if label := s.Stage.String(); label != p.stage {
		p.stage, p.resource = label, ""
		fmt.Fprintf(p.w, "\n%15s:", label)
	}
	if p.resource != "skipped "+s.Resource {
		p.resource = "skipped " + s.Resource
		fmt.Fprintf(p.w, " [skipped:%s]", s.Resource)
	}
}

// sameBlockDevice reports whether two paths are nodes of one block device: /dev/vg/lv is /dev/mapper/vg-lv.
func sameBlockDevice(x, y string) bool {
	var a, b unix.Stat_t
	if unix.Stat(x, &a) != nil || unix.Stat(y, &b) != nil {
		return false
	}
	return a.Mode&unix.S_IFMT == unix.S_IFBLK && b.Mode&unix.S_IFMT == unix.S_IFBLK && a.Rdev == b.Rdev
}
