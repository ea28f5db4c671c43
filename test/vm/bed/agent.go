package bed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"drbd/test/vm/proto"
)

// agent is the bed's end of the conversation with a guest.
type agent struct {
	conn     net.Conn
	out      *proto.Writer
	kernel   *os.File
	greeting proto.Greeting

	mu       sync.Mutex
	next     uint32
	commands map[uint32]*Command
	broken   error
}

// connectAgent waits until the guest has greeted.
func connectAgent(ctx context.Context, m *Machine, socket string, qemu *process) (*agent, error) {
	var conn net.Conn
	for {
		var err error
		if conn, err = net.Dial("unix", socket); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("QEMU's agent socket: %w", err)
		case <-qemu.done:
			return nil, errors.New("QEMU ended at once")
		case <-time.After(5 * time.Millisecond):
		}
	}
	kernel, err := os.OpenFile(m.path("kernel.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		conn.Close()
		return nil, err
	}
	a := &agent{conn: conn, out: proto.NewWriter(conn), kernel: kernel, commands: map[uint32]*Command{}}
	greeted := make(chan proto.Greeting, 1)
	go a.read(greeted)
	if err := a.awaitGreeting(ctx, greeted, qemu); err != nil {
		conn.Close()
		return nil, err
	}
	return a, nil
}

func (a *agent) awaitGreeting(ctx context.Context, greeted <-chan proto.Greeting, qemu *process) error {
	for {
		select {
		case a.greeting = <-greeted:
			if a.greeting.Error != "" {
				return errors.New(a.greeting.Error)
			}
			return nil
		case <-ctx.Done():
			return fmt.Errorf("no word from the agent: %w", ctx.Err())
		case <-qemu.done:
			return errors.New("the machine ended while it booted")
		case <-time.After(200 * time.Millisecond):
			// QEMU then stops the machine and waits for a debugger.
			if strings.Contains(qemu.output(), "KVM internal error") {
				return errors.New("hardware virtualisation failed")
			}
		}
	}
}

func (a *agent) close() { a.conn.Close() }

// read handles frames until the connection ends, then fails what still waits.
func (a *agent) read(greeted chan<- proto.Greeting) {
	defer a.kernel.Close()
	for {
		f, err := proto.Read(a.conn)
		if err != nil {
			a.fail(err)
			return
		}
		switch f.Kind {
		case proto.Kmsg:
			a.kernel.Write(f.Payload)
		case proto.Hello:
			var g proto.Greeting
			if err := json.Unmarshal(f.Payload, &g); err != nil {
				g.Error = err.Error()
			}
			greeted <- g
		default:
			a.mu.Lock()
			c := a.commands[f.ID]
			if f.Kind == proto.Exit {
				delete(a.commands, f.ID)
			}
			a.mu.Unlock()
			if c != nil {
				c.handle(f)
			}
		}
	}
}

func (a *agent) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = err
	for _, c := range a.commands {
		c.finish(proto.Status{}, ErrPower)
	}
	a.commands = map[uint32]*Command{}
}

// ErrPower is why a command ended whose machine lost its power.
var ErrPower = errors.New("the machine went off")

// Command is a command that runs, or ran, in a machine.
type Command struct {
	Machine *Machine
	Text    string

	agent   *agent
	id      uint32
	started time.Time
	onLine  func(string)

	mu             sync.Mutex
	stdout, stderr bytes.Buffer
	partial        []byte

	done   chan struct{}
	status proto.Status
	err    error
}

// Output is what a command said.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// Error is a command that did not end with status 0.
type Error struct {
	Machine, Command string
	Output           Output
	TimedOut         bool
	Stacks           string // of the guest's stuck tasks, with TimedOut
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.TimedOut {
		fmt.Fprintf(&b, "%s: `%s` did not end in time", e.Machine, e.Command)
	} else {
		fmt.Fprintf(&b, "%s: `%s` ended with status %d", e.Machine, e.Command, e.Output.Code)
	}
	for _, text := range []string{e.Output.Stdout, e.Output.Stderr, e.Stacks} {
		if text = strings.TrimSpace(text); text != "" {
			b.WriteString("\n" + text)
		}
	}
	return b.String()
}

// CommandTimeout is how long Run waits for a command when its context has no
// earlier end.
const CommandTimeout = 60 * time.Second

// Run runs a bash script in the machine. A status other than 0 is an *Error.
func (m *Machine) Run(ctx context.Context, script string) (Output, error) {
	c, err := m.Background(ctx, script, nil)
	if err != nil {
		return Output{}, err
	}
	return c.Wait()
}

// Background starts a bash script and returns at once. onLine, if not nil, is
// called with each line of its standard output as it comes.
func (m *Machine) Background(ctx context.Context, script string, onLine func(string)) (*Command, error) {
	return m.start(ctx, []string{"bash", "-c", script}, script, onLine, false)
}

func (m *Machine) start(ctx context.Context, argv []string, text string, onLine func(string), stdin bool) (*Command, error) {
	m.mu.Lock()
	a := m.agent
	m.mu.Unlock()
	if a == nil {
		return nil, fmt.Errorf("%s: `%s`: %w", m.Name, text, ErrPower)
	}
	timeout := CommandTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	c := &Command{Machine: m, Text: text, agent: a, onLine: onLine, started: time.Now(), done: make(chan struct{})}
	a.mu.Lock()
	if a.broken != nil {
		a.mu.Unlock()
		return nil, fmt.Errorf("%s: `%s`: %w", m.Name, text, ErrPower)
	}
	a.next++
	c.id = a.next
	a.commands[c.id] = c
	a.mu.Unlock()
	request := proto.Command{Argv: argv, TimeoutMS: max(timeout.Milliseconds(), 1), Stdin: stdin}
	if m.spec.Counting {
		request.TimeoutMS = 0 // the clock of such a guest leaps over the time in which it has nothing to do
	}
	if err := a.out.SendJSON(proto.Start, c.id, request); err != nil {
		return nil, fmt.Errorf("%s: `%s`: %w", m.Name, text, err)
	}
	go c.watch(ctx, timeout)
	return c, nil
}

// watch ends the command with its context, and gives a guest that does not even
// answer up.
func (c *Command) watch(ctx context.Context, timeout time.Duration) {
	select {
	case <-c.done:
		return
	case <-ctx.Done():
		if ctx.Err() == context.Canceled {
			c.Kill()
		}
	case <-time.After(timeout):
	}
	select {
	case <-c.done:
	case <-time.After(15 * time.Second):
		c.finish(proto.Status{TimedOut: true, Code: 124, Stacks: "the guest's agent does not answer"}, nil)
	}
}

// Kill ends the command and what it started.
func (c *Command) Kill() { _ = c.agent.out.Send(proto.Kill, c.id, nil) }

func (c *Command) handle(f proto.Frame) {
	switch f.Kind {
	case proto.Stdout:
		c.mu.Lock()
		c.stdout.Write(f.Payload)
		lines := c.lines(f.Payload)
		c.mu.Unlock()
		for _, line := range lines {
			c.onLine(line)
		}
	case proto.Stderr:
		c.mu.Lock()
		c.stderr.Write(f.Payload)
		c.mu.Unlock()
	case proto.Exit:
		var s proto.Status
		err := json.Unmarshal(f.Payload, &s)
		c.finish(s, err)
	}
}

// lines cuts new output into whole lines.
func (c *Command) lines(data []byte) []string {
	if c.onLine == nil {
		return nil
	}
	c.partial = append(c.partial, data...)
	var lines []string
	for {
		i := bytes.IndexByte(c.partial, '\n')
		if i < 0 {
			return lines
		}
		lines = append(lines, string(c.partial[:i]))
		c.partial = c.partial[i+1:]
	}
}

func (c *Command) finish(s proto.Status, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
		return
	default:
	}
	c.status, c.err = s, err
	close(c.done)
}

// Output is what the command said so far.
func (c *Command) Output() Output {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Output{Stdout: c.stdout.String(), Stderr: c.stderr.String(), Code: c.status.Code}
}

// Wait waits for the end of the command.
func (c *Command) Wait() (Output, error) {
	<-c.done
	out := c.Output()
	c.Machine.logCommand(c, out)
	switch {
	case c.err != nil:
		return out, fmt.Errorf("%s: `%s`: %w", c.Machine.Name, c.Text, c.err)
	case c.status.Error != "":
		return out, fmt.Errorf("%s: `%s`: %s", c.Machine.Name, c.Text, c.status.Error)
	case c.status.Code != 0:
		return out, &Error{Machine: c.Machine.Name, Command: c.Text, Output: out, TimedOut: c.status.TimedOut, Stacks: c.status.Stacks}
	}
	return out, nil
}

// logCommand keeps a transcript of every machine.
func (m *Machine) logCommand(c *Command, out Output) {
	text := fmt.Sprintf("%s $ %s\n%s%s[status %d, %.2f s]\n", c.started.Format("15:04:05.000"), c.Text,
		out.Stdout, out.Stderr, out.Code, time.Since(c.started).Seconds())
	_ = appendFile(m.path("commands.log"), []byte(text))
}

// Put writes a file in the machine; folders above it are made.
func (m *Machine) Put(ctx context.Context, path string, data []byte) error {
	return m.PutStream(ctx, fmt.Sprintf("mkdir -p '%s' && cat >'%s'", filepath.Dir(path), path), bytes.NewReader(data))
}

// PutStream runs a script with r as its standard input.
func (m *Machine) PutStream(ctx context.Context, script string, r io.Reader) error {
	c, err := m.start(ctx, []string{"bash", "-c", script}, script, nil, true)
	if err != nil {
		return err
	}
	buf := make([]byte, proto.MaxPayload)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if err := c.agent.out.Send(proto.Stdin, c.id, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			c.Kill()
			return err
		}
	}
	if err := c.agent.out.Send(proto.Stdin, c.id, nil); err != nil {
		return err
	}
	_, err = c.Wait()
	return err
}

// Get reads a file of the machine.
func (m *Machine) Get(ctx context.Context, path string) ([]byte, error) {
	out, err := m.Run(ctx, fmt.Sprintf("cat '%s'", path))
	return []byte(out.Stdout), err
}
