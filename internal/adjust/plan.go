// Package adjust works out which steps bring the module from what it has to what the configuration says. A plan is data: it can be
// printed, run, or simulated. Nothing here talks to the module.
package adjust

import (
	"slices"
	"strconv"
	"strings"

	"drbd/internal/slab"
)

// Tool that a command line is for.
type Tool int

// Tools.
const (
	Setup Tool = iota
	Meta
	Proxy // drbd-proxy-ctl
	toolCount
)

// Command is one command line of a tool, without the program's name.
type Command struct {
	Tool Tool
	Args []string
	// Fallback: only when the command before it failed for lack of a running device (section 12.5).
	Fallback bool
}

// Tools is how many tools there are.
const Tools = int(toolCount)

// Name is the command's word.
func (c Command) Name() string {
	if c.Tool == Proxy {
		return "drbd-proxy-ctl"
	}
	if c.Tool == Meta {
		return c.Args[metaCommandAt(c.Args)]
	}
	return c.Args[0]
}

// metaCommandAt: drbdmeta MINOR FORMAT DEVICE INDEX [--node-id=N] COMMAND.
func metaCommandAt(args []string) int {
	i := 4
	for i < len(args)-1 && strings.HasPrefix(args[i], "--") {
		i++
	}
	return i
}

func setup(args ...string) Command { return Command{Tool: Setup, Args: args} }

// Stage is when a step runs: all steps of a stage, of all resources, come before those of the next (section 13.3).
type Stage int

// Stages.
const (
	StageNewResource Stage = iota + 1
	StageResourceOptions
	StageDetach
	StageNewMinor
	StageDisconnect
	StageDelPeer
	StageNewPeer
	StageNewPath
	StageNetOptions
	StagePeerDeviceOptions
	StageAttach
	StageConnect
	StageWait
	stageEnd
)

var stageLabels = map[Stage]string{
	StageNewResource: "create res", StageResourceOptions: "adjust res", StageDetach: "prepare disk", StageNewMinor: "prepare disk",
	StageDisconnect: "prepare net", StageDelPeer: "prepare net", StageNewPeer: "prepare net", StageNewPath: "prepare net",
	StageNetOptions: "adjust net", StagePeerDeviceOptions: "adjust peer_devices", StageAttach: "adjust disk", StageConnect: "attempt to connect",
	StageWait: "wait",
}

func (s Stage) String() string { return stageLabels[s] }

// Vital reports whether the rest of a resource makes no sense when the stage failed.
func (s Stage) Vital() bool {
	return slices.Contains([]Stage{StageNewResource, StageDetach, StageNewMinor, StageDelPeer, StageNewPeer}, s)
}

// Step is a piece of a plan: command lines that run one after the other until one fails.
type Step struct {
	Stage    Stage
	Resource string
	Commands []Command
	// After are steps that must have run before.
	After []int
	// MayTimeOut: exit code 5 is no failure; MayFail: no exit code is.
	MayTimeOut, MayFail bool
}

// Plan is what is to be done, in the order of planning.
type Plan struct {
	Steps    []Step
	commands slab.Of[Command] // of the steps
}

func (p *Plan) add(s Step) int {
	p.Steps = append(p.Steps, s)
	return len(p.Steps) - 1
}

// one adds a step of a stage that waits for no other.
func (p *Plan) one(stage Stage, resource string, commands ...Command) int {
	return p.add(Step{Stage: stage, Resource: resource, Commands: p.commands.List(0, commands...)})
}

// Empty reports whether everything is as it should be.
func (p *Plan) Empty() bool { return len(p.Steps) == 0 }

// Walk visits the steps in the order in which they are to run. visit says whether the rest of that resource is to be left out; skipped
// hears of resources with steps that were left out.
func (p *Plan) Walk(visit func(s *Step) (skipRest bool), skipped func(s *Step)) {
	done := make([]bool, len(p.Steps))
	gone := map[string]bool{}
	for progress := true; progress; {
		progress = false
		for stage := StageNewResource; stage < stageEnd; stage++ {
			for i := range p.Steps {
				s := &p.Steps[i]
				if done[i] || s.Stage != stage || slices.ContainsFunc(s.After, func(a int) bool { return !done[a] }) {
					continue
				}
				done[i], progress = true, true
				if gone[s.Resource] {
					skipped(s)
				} else {
					gone[s.Resource] = visit(s)
				}
			}
		}
	}
}

// Lines are all commands in the order in which they run when all goes well.
func (p *Plan) Lines() []Command {
	var out []Command
	p.Walk(func(s *Step) bool {
		out = append(out, s.Commands...)
		return false
	}, func(*Step) {})
	return out
}

func itoa(n int) string { return strconv.Itoa(n) }
