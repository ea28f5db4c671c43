package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"drbd/test/vm/proto"
)

// drainTime is how long output is still read after a command ended: a daemon it
// left behind may hold the pipes for ever.
const drainTime = 200 * time.Millisecond

// port is a character device without a poller: plain blocking reads and writes.
type port int

func (p port) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(p), b)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
			continue
		case err != nil:
			return 0, err
		case n == 0:
			// The bed is not connected (yet, or any more).
			time.Sleep(20 * time.Millisecond)
			continue
		}
		return n, nil
	}
}

func (p port) Write(b []byte) (int, error) {
	for {
		n, err := unix.Write(int(p), b)
		if err == unix.EINTR || err == unix.EAGAIN {
			continue
		}
		return n, err
	}
}

type agent struct {
	out *proto.Writer

	mu       sync.Mutex // guards the two maps; held while a process is started, so that its end finds it
	commands map[uint32]*command
	byPID    map[int]chan syscall.WaitStatus
}

type command struct {
	pid   int
	stdin chan []byte
}

// serve answers the bed until the port breaks. setUpError is passed on.
func serve(setUpError error) error {
	path, err := waitFor("the virtio port named agent", func() string { return portByName("agent") })
	if err != nil {
		return err
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	a := &agent{out: proto.NewWriter(port(fd)), commands: map[uint32]*command{}, byPID: map[int]chan syscall.WaitStatus{}}
	go a.reap()
	go a.forwardKernelLog()
	if err := a.out.SendJSON(proto.Hello, 0, greeting(setUpError)); err != nil {
		return err
	}
	for {
		f, err := proto.Read(port(fd))
		if err != nil {
			return err
		}
		a.handle(f)
	}
}

func greeting(setUpError error) proto.Greeting {
	var g proto.Greeting
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		g.Release = unix.ByteSliceToString(name.Release[:])
	}
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) == nil {
		g.UptimeMS = ts.Nano() / 1e6
	}
	if setUpError != nil {
		g.Error = setUpError.Error()
	}
	return g
}

func (a *agent) handle(f proto.Frame) {
	switch f.Kind {
	case proto.Start:
		var c proto.Command
		if err := json.Unmarshal(f.Payload, &c); err != nil {
			a.exit(f.ID, proto.Status{Code: 127, Error: err.Error()})
			return
		}
		a.start(f.ID, c)
	case proto.Stdin:
		a.mu.Lock()
		c := a.commands[f.ID]
		a.mu.Unlock()
		if c != nil && c.stdin != nil {
			// The bed waits while a reader is slow: input is for putting files.
			c.stdin <- f.Payload
		}
	case proto.Kill:
		a.mu.Lock()
		if c := a.commands[f.ID]; c != nil {
			_ = unix.Kill(-c.pid, unix.SIGKILL)
		}
		a.mu.Unlock()
	}
}

func (a *agent) exit(id uint32, s proto.Status) { _ = a.out.SendJSON(proto.Exit, id, s) }

// start runs one command in its own session.
func (a *agent) start(id uint32, c proto.Command) {
	var pipes [3][2]int
	for i := range pipes {
		if err := unix.Pipe2(pipes[i][:], unix.O_CLOEXEC); err != nil {
			a.exit(id, proto.Status{Code: 127, Error: err.Error()})
			return
		}
	}
	program := c.Argv[0]
	if !strings.Contains(program, "/") {
		program = lookPath(program)
	}
	attr := &syscall.ProcAttr{
		Dir:   "/root",
		Env:   os.Environ(),
		Files: []uintptr{uintptr(pipes[0][0]), uintptr(pipes[1][1]), uintptr(pipes[2][1])},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	}
	a.mu.Lock()
	pid, err := syscall.ForkExec(program, c.Argv, attr)
	cmd := &command{pid: pid}
	ended := make(chan syscall.WaitStatus, 1)
	if err == nil {
		if c.Stdin {
			cmd.stdin = make(chan []byte, 64)
		}
		a.commands[id] = cmd
		a.byPID[pid] = ended
	}
	a.mu.Unlock()
	for _, fd := range []int{pipes[0][0], pipes[1][1], pipes[2][1]} {
		unix.Close(fd)
	}
	if err != nil {
		for _, fd := range []int{pipes[0][1], pipes[1][0], pipes[2][0]} {
			unix.Close(fd)
		}
		a.exit(id, proto.Status{Code: 127, Error: fmt.Sprintf("%s: %v", c.Argv[0], err)})
		return
	}
	go feed(pipes[0][1], cmd.stdin)
	go a.follow(id, c, cmd, pipes[1][0], pipes[2][0], ended)
}

func lookPath(name string) string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if unix.Access(dir+"/"+name, unix.X_OK) == nil {
			return dir + "/" + name
		}
	}
	return name
}

// feed writes the input that comes by frames; a reader that is gone is not waited for.
func feed(fd int, in <-chan []byte) {
	defer unix.Close(fd)
	if in == nil {
		return
	}
	broken := false
	for data := range in {
		if len(data) == 0 {
			return
		}
		for len(data) > 0 && !broken {
			n, err := unix.Write(fd, data)
			if err == unix.EINTR {
				continue
			}
			broken = err != nil
			data = data[max(n, 0):]
		}
	}
}

// follow passes on a command's output and, at its end, its status.
func (a *agent) follow(id uint32, c proto.Command, cmd *command, stdout, stderr int, ended <-chan syscall.WaitStatus) {
	var readers sync.WaitGroup
	var silenced sync.Mutex
	done := false
	pump := func(kind proto.Kind, fd int) {
		defer readers.Done()
		defer unix.Close(fd)
		buf := make([]byte, proto.MaxPayload)
		for {
			n, err := unix.Read(fd, buf)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 || err != nil {
				return
			}
			silenced.Lock()
			if !done {
				_ = a.out.Send(kind, id, buf[:n])
			}
			silenced.Unlock()
		}
	}
	readers.Add(2)
	go pump(proto.Stdout, stdout)
	go pump(proto.Stderr, stderr)

	status := a.await(c, cmd.pid, ended)
	drained := make(chan struct{})
	go func() { readers.Wait(); close(drained) }()
	select {
	case <-drained:
	case <-time.After(drainTime):
	}
	a.mu.Lock()
	delete(a.commands, id)
	a.mu.Unlock()
	silenced.Lock()
	done = true
	a.exit(id, status)
	silenced.Unlock()
}

// await waits for the end of a process, and ends its session when the time is
// over. A task that even SIGKILL does not end is left behind, with its stack told.
func (a *agent) await(c proto.Command, pid int, ended <-chan syscall.WaitStatus) proto.Status {
	var timeout <-chan time.Time
	if c.TimeoutMS > 0 {
		timer := time.NewTimer(time.Duration(c.TimeoutMS) * time.Millisecond)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case ws := <-ended:
		return proto.Status{Code: exitCode(ws)}
	case <-timeout:
	}
	status := proto.Status{Code: 124, TimedOut: true, Stacks: stuckTasks()}
	_ = unix.Kill(-pid, unix.SIGKILL)
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		status.Stacks += fmt.Sprintf("process %d did not end by SIGKILL\n", pid)
	}
	return status
}

func exitCode(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// stuckTasks gives the kernel stacks of all tasks in uninterruptible sleep and of
// the ones whose name starts with drbd: who waits for what.
func stuckTasks() string {
	var b bytes.Buffer
	stats, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		line := string(text)
		open, shut := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
		if open < 0 || shut < open || len(line) < shut+3 {
			continue
		}
		name, state := line[open+1:shut], line[shut+2]
		if state != 'D' && !strings.HasPrefix(name, "drbd") {
			continue
		}
		stack, _ := os.ReadFile(filepath.Dir(path) + "/stack")
		fmt.Fprintf(&b, "%s (%s) state %c\n%s", strings.Split(path, "/")[4], name, state, stack)
		if b.Len() > 16<<10 {
			break
		}
	}
	return b.String()
}

// reap collects every child: those of commands, and orphans that became ours.
func (a *agent) reap() {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		if err == syscall.ECHILD {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil || pid <= 0 {
			continue
		}
		a.mu.Lock()
		if ended, ok := a.byPID[pid]; ok {
			ended <- ws
			delete(a.byPID, pid)
		}
		a.mu.Unlock()
	}
}

// forwardKernelLog sends each record of the kernel's log as "level seconds text".
func (a *agent) forwardKernelLog() {
	f, err := os.Open("/dev/kmsg")
	if err != nil {
		return
	}
	defer f.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := f.Read(buf)
		if err != nil {
			if err == io.EOF {
				return
			}
			// EPIPE: records were overwritten before they were read; go on with the next.
			continue
		}
		if line := formatRecord(string(buf[:n])); line != "" {
			_ = a.out.Send(proto.Kmsg, 0, []byte(line))
		}
	}
}

func formatRecord(record string) string {
	head, text, ok := strings.Cut(record, ";")
	fields := strings.Split(head, ",")
	if !ok || len(fields) < 3 {
		return ""
	}
	priority, _ := strconv.Atoi(fields[0])
	us, _ := strconv.ParseInt(fields[2], 10, 64)
	text, _, _ = strings.Cut(text, "\n")
	return fmt.Sprintf("<%d>[%5d.%06d] %s\n", priority&7, us/1e6, us%1e6, text)
}
