// Package adm is drbdadm as a library: it reads the configuration, finds out what a command means for the chosen resources, and runs
// the steps of that plan through drbdsetup and drbdmeta, which are libraries as well.
package adm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"drbd/internal/adjust"
	"drbd/internal/conf"
	"drbd/internal/lint"
	"drbd/internal/meta"
	"drbd/internal/setup"
)

// Exit codes (section 15.1).
const (
	exitOK      = 0
	exitUsage   = 1
	exitTimeout = 5
	exitConfig  = 10
	exitNoData  = 17
	exitExec    = 20
)

// Env is everything that drbdadm touches.
type Env struct {
	Program        string // how drbdadm was called
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Host           func() (conf.Identity, error)
	// Tool runs one command line of drbdsetup or drbdmeta.
	Tool func(ctx context.Context, tool adjust.Tool, args []string, stdin io.Reader, stdout, stderr io.Writer) int
	// Shell runs a handler.
	Shell func(ctx context.Context, command string, environment []string) int
	// Sectors is the size of a device by its minor number, 0 when it cannot be told.
	Sectors func(minor string) uint64
	// RunDir has the links from resources and devices to the file that configured them.
	RunDir string
	// ProcFile is where the module tells its version.
	ProcFile string
	// Machine is what lint looks at; nil: the one this runs on.
	Machine *lint.Machine
	// Terminal: a person looks at the output.
	Terminal bool
	// Console is where a machine that starts talks with a person who is not at a terminal.
	Console func() (io.ReadWriteCloser, error)
}

// NewEnv is the real world.
func NewEnv() *Env {
	e := &Env{
		Program: os.Args[0], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Host: conf.ThisHost, Tool: runTool, Sectors: sectorsOf,
		RunDir: "/var/run/drbd", ProcFile: "/proc/drbd", Terminal: isTerminal(os.Stdin) && isTerminal(os.Stdout),
		Console: openConsoleDevice,
	}
	e.Shell = e.runShell
	return e
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

const proxyControl = "drbd-proxy-ctl"

// runTool calls the libraries behind the two tools of DRBD: no process is started but for the proxy's control program.
func runTool(ctx context.Context, tool adjust.Tool, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if tool == adjust.Meta {
		return meta.Run(ctx, args, stdin, stdout, stderr)
	}
	if tool == adjust.Proxy {
		return runProgram(ctx, proxyControl, args, stdin, stdout, stderr)
	}
	env := setup.NewEnv()
	env.Stdin, env.Stdout, env.Stderr = stdin, stdout, stderr
	if stdout != os.Stdout {
		env.Width = 0
	}
	return setup.Run(ctx, env, args)
}

func runProgram(ctx context.Context, name string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin, c.Stdout, c.Stderr = stdin, stdout, stderr
	return exitCodeOf(stderr, c.Run())
}

func (e *Env) runShell(ctx context.Context, command string, environment []string) int {
	c := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	c.Env = append(os.Environ(), environment...)
	c.Stdin, c.Stdout, c.Stderr = e.Stdin, e.Stdout, e.Stderr
	return exitCodeOf(e.Stderr, c.Run())
}

func exitCodeOf(stderr io.Writer, err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	fmt.Fprintf(stderr, "drbdadm: %v\n", err)
	return exitExec
}

// App is one call of drbdadm.
type App struct {
	env  *Env
	ctx  context.Context
	line *line
	cmd  *command
	view *conf.View
	// file is the main configuration file; fromStdin: it has no name that others could use.
	file      string
	fromStdin bool
	failed    int                  // what making commands found wrong
	programs  [adjust.Tools]string // by adjust.Tool: as printed command lines name them
	version   *string              // of the module, once it was asked for
	printed   []byte               // the last printed command line: its memory is used again
}

// Run executes one command line, without the program's name, and returns its exit code.
func Run(ctx context.Context, env *Env, args []string) int {
	a := &App{env: env, ctx: ctx}
	err := a.run(args)
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		if exit.text != "" {
			fmt.Fprintln(env.Stderr, exit.text)
		}
		return exit.code
	}
	fmt.Fprintf(env.Stderr, "drbdadm: %v\n", err)
	return exitExec
}

// exitError ends the run with a code; without text everything was told already.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func exit(code int, format string, args ...any) error {
	return &exitError{code, fmt.Sprintf(format, args...)}
}

// code makes an error of an exit code.
func code(n int) error {
	if n == exitOK {
		return nil
	}
	return &exitError{code: n}
}

func (a *App) say(format string, args ...any)  { fmt.Fprintf(a.env.Stdout, format+"\n", args...) }
func (a *App) warn(format string, args ...any) { fmt.Fprintf(a.env.Stderr, format+"\n", args...) }

func (a *App) run(args []string) error {
	if err := a.handOver(args); err != nil {
		return err
	}
	line, err := parseLine(args)
	if err != nil {
		return err
	}
	a.line = line
	switch {
	case line.version:
		return a.printVersion()
	case line.help || line.command == "help":
		return a.printHelp()
	case line.command == "":
		printUsage(a.env.Stderr)
		if len(line.words) > 0 {
			return exit(exitUsage, "drbdadm: Unknown command '%s'%s", line.words[0], suggestCommand(line.words[0]))
		}
		return exit(exitUsage, "No command specified")
	}
	a.cmd = findCommand(line.command)
	if a.cmd.was != "" {
		a.warn("'drbdadm %s' is deprecated, use 'drbdadm %s' instead.", a.cmd.was, a.cmd.name)
	}
	if a.cmd.callback {
		a.logUnheard(openLog)
	}
	if err := line.resolve(a.cmd); err != nil {
		return err
	}
	if len(line.test) > 0 && !a.cmd.takesTest {
		return exit(exitUsage, "--config-to-test (-t) is only possible with dump, dump-xml and sh-nop")
	}
	if err := a.checkGeneration(); err != nil {
		return err
	}
	if err := a.load(); err != nil {
		return err
	}
	if line.dryRun {
		// Thousands of lines, and no tool that writes in between.
		out := bufio.NewWriterSize(a.env.Stdout, 1<<16)
		own := *a.env
		own.Stdout = out
		a.env = &own
		defer func() { _ = out.Flush() }()
	}
	return a.cmd.run(a)
}

// chosen is the program that the command line wants for a tool, "" for ours.
func (a *App) chosen(tool adjust.Tool) string {
	return [...]string{a.line.setup, a.line.meta, a.line.proxy}[tool]
}

// programPath is how printed command lines name the other tools (section 10.4).
func (a *App) programPath(tool adjust.Tool) string {
	if a.programs[tool] != "" {
		return a.programs[tool]
	}
	name, chosen := "drbdsetup", a.chosen(tool)
	if tool == adjust.Meta {
		name = "drbdmeta"
	}
	switch {
	case chosen != "":
		name = chosen
	case tool == adjust.Proxy:
		name = proxyControl
	case strings.Contains(a.env.Program, "/"):
		name = filepath.Join(filepath.Dir(a.env.Program), name)
	}
	a.programs[tool] = name
	return name
}

// commandLine is a command as it can be pasted into a shell.
func (a *App) commandLine(c adjust.Command) string { return string(a.appendCommandLine(nil, c)) }

func (a *App) appendCommandLine(out []byte, c adjust.Command) []byte {
	out = appendEscaped(out, a.programPath(c.Tool))
	for _, words := range [][]string{c.Args, a.line.extra} {
		for _, w := range words {
			out = appendEscaped(append(out, ' '), w)
		}
	}
	return out
}

func shellEscape(word string) string { return string(appendEscaped(nil, word)) }

// plainInShell are the characters without a meaning to any shell.
var plainInShell = func() (plain [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+./:=@_-") {
		plain[c] = true
	}
	return plain
}()

func appendEscaped(out []byte, word string) []byte {
	done := 0
	for i := range len(word) {
		if c := word[i]; !plainInShell[c] {
			out = append(append(out, word[done:i]...), '\\')
			done = i
		}
	}
	return append(out, word[done:]...)
}
