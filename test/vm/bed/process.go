package bed

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// The parent-death signal is tied to the thread that started the child, so one
// thread that never ends starts them all.
var (
	startOnce     sync.Once
	startRequests chan startRequest
)

type startRequest struct {
	cmd    *exec.Cmd
	result chan error
}

// startBound starts cmd so that the kernel kills it when this process ends, in
// whatever way.
func startBound(cmd *exec.Cmd) error {
	startOnce.Do(func() {
		startRequests = make(chan startRequest)
		go func() {
			runtime.LockOSThread()
			for r := range startRequests {
				r.result <- r.cmd.Start()
			}
		}()
	})
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // Ctrl-C goes to us; we end the machines in order
	}
	r := startRequest{cmd, make(chan error)}
	startRequests <- r
	return <-r.result
}

// process is a started QEMU.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

func startProcess(argv []string, logPath string) (*process, error) {
	out, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := startBound(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w (the package qemu-system-x86 has it)", argv[0], err)
	}
	p := &process{cmd: cmd, log: logPath, done: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.done) }()
	return p, nil
}

// kill ends the process at once, which to the guest is a power failure.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// output is what the process said, for error messages.
func (p *process) output() string {
	text, _ := os.ReadFile(p.log)
	return string(text)
}
