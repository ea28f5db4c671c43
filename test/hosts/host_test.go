// Package hosts tests what connects DRBD with the rest of a host: the init script, systemd units, Pacemaker's resource agent, and
// handlers. The scripts run with tools that only note how they were called and answer what a test wants.
package hosts

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// scripts is where the files are before they are installed.
const scripts = "../../scripts/host"

// host is a folder that scripts take for the root of a host, and the tools that they find there.
type host struct {
	t    *testing.T
	root string
	env  []string
}

func newHost(t *testing.T) *host {
	h := &host{t: t, root: t.TempDir()}
	for _, dir := range []string{"bin", "proc", "dev", "etc/default", "sys/module/drbd/holders", "run"} {
		if err := os.MkdirAll(filepath.Join(h.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.set("DRBD_ROOT=" + h.root)
	h.set("DRBD_PATH=" + filepath.Join(h.root, "bin") + ":/usr/bin:/bin")
	h.set("LOG=" + h.path("calls"))
	h.set("OCF_FUNCTIONS_DIR=/nonexistent")
	h.set("LC_ALL=C")
	h.tool("logger", "")
	return h
}

func (h *host) path(name string) string { return filepath.Join(h.root, name) }

func (h *host) set(variable string) { h.env = append(h.env, variable) }

// tool makes a program: it notes its call, then does what body says. What it is answered with depends on "$*".
func (h *host) tool(name, body string) {
	h.write("bin/"+name, "#!/bin/bash\nif [ -n \"$1\" ] && [ \"${0##*/}\" != logger ]; then echo \"${0##*/} $*\" >>\"$LOG\"; fi\n"+body+"\nexit 0\n")
	if err := os.Chmod(h.path("bin/"+name), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) write(name, text string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(name)), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.path(name), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) exists(name string) bool {
	_, err := os.Lstat(h.path(name))
	return err == nil
}

// blockDevice makes a node that is never opened.
func (h *host) blockDevice(name string) {
	h.t.Helper()
	err := unix.Mknod(h.path(name), unix.S_IFBLK|0o600, int(unix.Mkdev(147, 0)))
	if errors.Is(err, unix.EPERM) {
		h.t.Skip("only root can make device nodes")
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// run calls a script below scripts/host, or an installed one by its whole path.
func (h *host) run(script string, args ...string) (output string, code int) {
	h.t.Helper()
	_ = os.Remove(h.path("calls"))
	if !filepath.IsAbs(script) {
		script = filepath.Join(scripts, script)
	}
	c := exec.Command(script, args...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/"}, h.env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return strings.ReplaceAll(out.String(), h.root, ""), c.ProcessState.ExitCode()
}

// calls are the tools that were called, in their order.
func (h *host) calls() []string {
	text, err := os.ReadFile(h.path("calls"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), h.root, ""), "\n"), "\n")
}

// called checks the calls of this run.
func (h *host) called(want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.calls()); diff != "" {
		h.t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func (h *host) calledOnly(prefix string, want ...string) {
	h.t.Helper()
	var got []string
	for _, c := range h.calls() {
		if strings.HasPrefix(c, prefix) {
			got = append(got, c)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("calls of %s (-want +got):\n%s", prefix, diff)
	}
}

// ended checks the exit code and a part of the output.
func ended(t *testing.T, output string, code, wantCode int, parts ...string) {
	t.Helper()
	if code != wantCode {
		t.Errorf("exit code %d, want %d; output:\n%s", code, wantCode, output)
	}
	for _, p := range parts {
		if !strings.Contains(output, p) {
			t.Errorf("%q is not in the output:\n%s", p, output)
		}
	}
}
