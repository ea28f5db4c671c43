package adm

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"drbd/internal/conf"
)

// load reads the configuration and tells what is wrong with it. Errors that are confined to resources other than the chosen ones do
// not stop the command.
func (a *App) load() error {
	if a.cmd.noConfig {
		return nil
	}
	a.file = a.line.file
	if a.file == "" && a.cmd.callback {
		a.file = a.registeredFile()
	}
	if a.file == "" {
		a.file = conf.FindDefault()
	}
	a.fromStdin = a.file == "-"
	cfg, err := conf.Load(conf.Sources{File: a.file, Test: a.line.test, Exclude: a.line.exclude, Stdin: a.env.Stdin, ModuleVersion: a.moduleVersion})
	switch {
	case errors.Is(err, conf.ErrDirectory):
		return exit(exitExec, "Cannot parse directory '%s' as config file.", a.file)
	case err != nil && a.line.file != "":
		return exit(exitExec, "Can not open '%s': %v", a.file, reason(err))
	case err != nil:
		return exit(exitConfig, "Can not open '%s': %v", a.file, reason(err))
	}
	host, err := a.env.Host()
	if err != nil {
		return exit(exitExec, "drbdadm: %v", err)
	}
	if host.Pretended {
		a.warn("\n   found %s in environment\n   PRETENDING that I am >>%s<<\n", conf.NodeVariable, host.Node)
	}
	a.view = conf.Resolve(cfg, host)
	a.tell()
	return a.checkGlobal()
}

// reason is the system's word for what went wrong.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// tell prints what there is to say about the configuration: errors always, remarks about old spellings only where the configuration
// itself is the subject.
func (a *App) tell() {
	least := conf.Warning
	switch {
	case a.cmd.callback:
		least = conf.Error
	case a.cmd.showsNotes || a.line.verbose > 0:
		least = conf.Note
	}
	for _, d := range a.view.Diagnostics.From(least) {
		a.warn("%v", d)
	}
}

func (a *App) checkGlobal() error {
	failed := a.view.Diagnostics.Failed()
	globally := a.view.Diagnostics.FailedGlobally()
	switch {
	case failed && a.cmd.wholeConfig,
		globally && !a.cmd.safe:
		return code(exitConfig)
	}
	return nil
}

// moduleVersion finds the version of the module that is loaded or would be (section 1).
func (a *App) moduleVersion() string {
	if a.version == nil {
		version := a.findModuleVersion()
		a.version = &version
	}
	return *a.version
}

func (a *App) findModuleVersion() string {
	if v := os.Getenv("DRBD_DRIVER_VERSION_OVERRIDE"); v != "" {
		return v
	}
	if f, err := os.Open(a.env.ProcFile); err == nil {
		defer func() { _ = f.Close() }()
		s := bufio.NewScanner(f)
		if s.Scan() {
			words := strings.Fields(s.Text())
			if len(words) > 1 && words[0] == "version:" {
				return words[1]
			}
		}
	}
	program, err := exec.LookPath("/sbin/modinfo")
	if err != nil {
		program = "modinfo"
	}
	out, err := exec.CommandContext(a.ctx, program, "-F", "version", "drbd").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// registration is the link that tells which file configured an object (section 4.4).
func (a *App) registration(object string) string {
	if digits, ok := strings.CutPrefix(object, "minor-"); ok {
		return filepath.Join(a.env.RunDir, "drbd-minor-"+digits+".conf")
	}
	name, _, _ := strings.Cut(object, "/")
	name, _, _ = strings.Cut(name, ":")
	return filepath.Join(a.env.RunDir, "drbd-resource-"+name+".conf")
}

// registeredFile is the file that configured what a call-back of the kernel is about, "" when nobody knows.
func (a *App) registeredFile() string {
	if len(a.line.words) == 0 || a.line.words[0] == "all" {
		return ""
	}
	target, err := os.Readlink(a.registration(a.line.words[0]))
	if err != nil {
		a.warn("Don't know which config file belongs to %s, trying default ones...", a.line.words[0])
		return ""
	}
	return target
}

// register notes which file configured an object, so that call-backs of the kernel find it.
func (a *App) register(object string) {
	if a.fromStdin || a.line.dryRun {
		return
	}
	target, err := filepath.Abs(a.file)
	if err != nil || strings.HasPrefix(target, a.env.RunDir+"/") || strings.Contains(filepath.Base(a.registration(object)), "/") {
		return
	}
	link := a.registration(object)
	if have, err := os.Readlink(link); err == nil && have == target {
		return
	}
	if err := os.MkdirAll(a.env.RunDir, 0o700); err != nil {
		a.warn("drbdadm: cannot note which file configures %s: %v", object, err)
		return
	}
	_ = os.Remove(link)
	if err := os.Symlink(target, link); err != nil {
		a.warn("drbdadm: cannot note which file configures %s: %v", object, err)
	}
}

// checkAddress refuses to work with an address that this host does not have (section 7.4).
func (a *App) checkAddress(r *conf.Resolved) error {
	host := a.view.Host
	skip := host.Pretended || host.Addresses == nil || a.view.Config.Global.DisableIPVerification ||
		a.line.dryRun && !a.env.Terminal || r.Me == nil || r.Stacked && !a.line.stacked
	if skip {
		return nil
	}
	for _, l := range r.Links {
		for _, p := range l.Paths {
			if !host.HasAddress(p.Mine) {
				return fmt.Errorf("%s: in resource %s, on %s: IP %s not found on this host", r.Pos, r.Name, r.Me.Name(), p.Mine.Host)
			}
		}
	}
	return nil
}
