// Package setup is drbdsetup as a library: one call per command line, with the outputs and exit codes that scripts know (sections 13
// to 16 of the netlink specification). It only talks to the module; configuration files are drbdadm's business.
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drbd/internal/genl"
)

// Exit codes; fence handlers and drbdadm test them (section 13).
const (
	ExitOK                 = 0
	ExitTimeout            = 5
	ExitWorseThanOutdated  = 5
	ExitRefused            = 10
	ExitStateRefused       = 11
	ExitNoLocalDisk        = 16
	ExitNoUpToDateData     = 17
	ExitUsage              = 20
	ExitUnloaded           = 121
	exitUnconfiguredDevice = 1
)

// Env is everything a command touches besides the module.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Dial connects to the module. NewEnv gives genl.Dial.
	Dial func() (*genl.Client, error)
	// LoadModule is tried once when there is no module; nil: never.
	LoadModule func(context.Context) error
	// RunDir has the lock files and the links to configuration files, StateDir the notes about last known backing devices.
	RunDir, StateDir string
	// SysDir is where /sys is seen.
	SysDir string
	// HandshakeFile is where the module tells of the last handshakes; ours only.
	HandshakeFile string
	// Width is the width of the terminal behind Stdout, 0 when there is none.
	Width int
	// CheckDisk refuses what cannot be a disk before the module does.
	CheckDisk func(path string) error
	// Now is the clock of time stamps.
	Now func() time.Time
}

// NewEnv is the real world.
func NewEnv() *Env {
	return &Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Dial: genl.Dial, LoadModule: modprobe,
		RunDir: "/var/run/drbd", StateDir: "/var/lib/drbd", SysDir: "/sys", HandshakeFile: "/proc/drbd_handshakes",
		Width: terminalWidth(os.Stdout), CheckDisk: checkBlockDevice, Now: time.Now,
	}
}

func modprobe(ctx context.Context) error {
	program, err := exec.LookPath("/sbin/modprobe")
	if err != nil {
		program = "modprobe"
	}
	output, err := exec.CommandContext(ctx, program, "drbd").CombinedOutput()
	if err == nil {
		return nil
	}
	if text := strings.TrimSpace(string(output)); text != "" {
		return errors.New(text)
	}
	return err
}

// exitError is an error with its exit code.
type exitError struct {
	code int
	text string // printed as it is, with a newline; "" prints nothing
}

func (e *exitError) Error() string { return e.text }

func failf(code int, format string, args ...any) error {
	return &exitError{code, fmt.Sprintf(format, args...)}
}

// usage is a mistake on the command line.
func usage(format string, args ...any) error { return failf(ExitUsage, format, args...) }

// Run executes one command line (without the program's name) and returns its exit code. Everything for people and scripts goes to
// env.Stdout and env.Stderr.
func Run(ctx context.Context, env *Env, args []string) int {
	err := run(ctx, env, args)
	var exit *exitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		if exit.text != "" {
			fmt.Fprintln(env.Stderr, exit.text)
		}
		return exit.code
	case errors.Is(err, genl.ErrUnloaded):
		fmt.Fprintf(env.Stderr, "%s: module unloaded\n", strings.Join(args, " "))
		return ExitUnloaded
	default:
		fmt.Fprintf(env.Stderr, "drbdsetup: %v\n", err)
		return ExitUsage
	}
}

// call is one command being executed.
type call struct {
	env     *Env
	ctx     context.Context
	cmd     *command
	client  *genl.Client
	words   []string // the command line
	args    []string // its positional words
	options []option
	// setDefaults: --set-defaults was given.
	setDefaults bool
}

// object is how messages name what the command is about.
func (c *call) object() string {
	if len(c.args) == 0 {
		return c.cmd.name
	}
	return c.args[0]
}

func run(ctx context.Context, env *Env, args []string) error {
	given := args
	if handled, err := help(env, args); handled {
		return err
	}
	cmd, args, swapped := findCommand(args)
	if cmd == nil {
		printCommands(env.Stderr)
		if len(args) > 0 {
			return usage("drbdsetup: no command %q", args[0])
		}
		return usage("drbdsetup: no command given")
	}
	c := &call{env: env, ctx: ctx, cmd: cmd, words: given}
	if err := c.parse(args); err != nil {
		return err
	}
	client, err := c.connect()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	c.client = client
	client.Waiting = c.reportWaiting
	if swapped {
		if err := c.resourceOfDevice(); err != nil {
			return err
		}
	}
	return cmd.run(c)
}

// findCommand takes the command's name from the first word, or from the second in the order of 8.3: drbdsetup DEVICE COMMAND ….
func findCommand(args []string) (cmd *command, rest []string, swapped bool) {
	if len(args) == 0 {
		return nil, nil, false
	}
	if cmd := commandByName(args[0]); cmd != nil {
		return cmd, args[1:], false
	}
	if len(args) > 1 {
		if cmd := commandByName(args[1]); cmd != nil {
			return cmd, append([]string{args[0]}, args[2:]...), true
		}
	}
	return nil, args, false
}

func commandByName(name string) *command {
	i := slices.IndexFunc(commands, func(c *command) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return commands[i]
}

// resourceOfDevice: in the 8.3 order the object is a device, while most commands of today want its resource.
func (c *call) resourceOfDevice() error {
	if len(c.cmd.args) == 0 || len(c.args) == 0 || c.cmd.args[0].kind != argResource && c.cmd.args[0].kind != argResourceOrAll {
		return nil
	}
	minor, err := parseMinor(c.args[0])
	if err != nil {
		return nil // it is a resource's name already
	}
	devices, err := c.client.Devices(c.ctx, "")
	if err != nil {
		return err
	}
	for _, d := range devices {
		if d.Minor == minor {
			c.args[0] = d.Resource
			return nil
		}
	}
	return failf(ExitRefused, "%s: no resource has a device with minor %d", c.args[0], minor)
}

// quietWithoutModule: nothing is left to take down when there is no module.
var quietWithoutModule = []string{"down", "secondary", "disconnect", "detach"}

func (c *call) connect() (*genl.Client, error) {
	client, err := c.env.Dial()
	if errors.Is(err, genl.ErrNotLoaded) && c.env.LoadModule != nil {
		client, err = c.loadAndConnect()
	}
	if errors.Is(err, genl.ErrNotLoaded) {
		if slices.Contains(quietWithoutModule, c.cmd.name) {
			return nil, failf(ExitOK, "")
		}
		return nil, failf(ExitUsage, "Could not connect to 'drbd' generic netlink family: %v", err)
	}
	if err != nil {
		return nil, err
	}
	if client.Family().Version == 1 {
		_ = client.Close()
		return nil, execOldTool(c)
	}
	// A module of any generation can be told to let go (section 2.7).
	if err := client.CheckVersion(); err != nil && c.cmd.op != genl.OpDown {
		_ = client.Close()
		return nil, failf(ExitUsage, "%v", err)
	}
	return client, nil
}

func (c *call) loadAndConnect() (*genl.Client, error) {
	if err := c.env.LoadModule(c.ctx); err != nil {
		return nil, fmt.Errorf("%w, and loading it failed (%v); install the module for this kernel, then run: modprobe drbd",
			genl.ErrNotLoaded, err)
	}
	var client *genl.Client
	err := error(genl.ErrNotLoaded)
	for range 10 { // the family appears a moment after modprobe returns
		if client, err = c.env.Dial(); !errors.Is(err, genl.ErrNotLoaded) {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	return client, err
}

// reportWaiting: a command never hangs without saying why.
func (c *call) reportWaiting(op genl.Op, since time.Duration) {
	if since > 3*time.Second {
		fmt.Fprintf(c.env.Stderr, "%s: %s is waiting since %.0f s: the resource is in a transient state\n", c.object(), op, since.Seconds())
	}
}

// oldTool is the program for modules of 8.4.
const oldTool = "drbdsetup-84"

func findOldTool() string {
	for _, candidate := range []string{oldTool, filepath.Join("/lib/drbd", oldTool)} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	return ""
}
