package setup

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drbd/internal/genl"
	"drbd/internal/genl/trace"
	"golang.org/x/sys/unix"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"10.0.0.1:7789", "ipv4:10.0.0.1:7789"}, {"ipv4:10.0.0.1", "ipv4:10.0.0.1:7788"}, {"local:ipv4:10.0.0.1:1", "ipv4:10.0.0.1:1"},
		{"peer:10.0.0.1:65535", "ipv4:10.0.0.1:65535"}, {"ipv6:[fd00::1]:7789", "ipv6:[fd00::1]:7789"}, {"ipv6:[fd00::1]", "ipv6:[fd00::1]:7788"},
		{"ipv6:fd00::1:7789", "ipv6:[fd00::1]:7789"}, {"sdp:10.0.0.1:5", "sdp:10.0.0.1:5"},
	} {
		got, err := parseAddress(c.text)
		if err != nil || got.String() != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:x", "ipv6:[fd00::1", "ipv4:[fd00::1]:5", "ipv6:[fd00::1]x", ""} {
		if got, err := parseAddress(text); err == nil {
			t.Errorf("%q was accepted as %s", text, got)
		}
	}
}

func TestParseMinor(t *testing.T) {
	for text, want := range map[string]uint32{"0": 0, "17": 17, "/dev/drbd2": 2, "1048575": 1048575} {
		if got, err := parseMinor(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"1048576", "minor-3", "/dev/null", "-1", ""} {
		if _, err := parseMinor(text); err == nil {
			t.Errorf("%q was accepted as a minor", text)
		}
	}
}

// Mistakes on the command line are explained, exit 20, and nothing is sent.
func TestUsageErrors(t *testing.T) {
	for _, c := range []struct{ line, text string }{
		{"frobnicate r0", "no command \"frobnicate\""},
		{"primary", "Missing argument 'resource'"},
		{"primary r0 r1", "Excess arguments: r1"},
		{"primary r0 --forse", "no option --forse"},
		{"net-options r0 1 --timeout", "--timeout needs a value"},
		{"net-options r0 1 --timeout=0", "--timeout: 0 is out of range: possible is 1 to 600"},
		{"net-options r0 1 --timeout=ten", "ten is not a valid number"},
		{"net-options r0 1 --protocol=D", "it must be A, B or C"},
		{"net-options r0 1 --after-sb-1pri=discard-local", "it must be disconnect, consensus"},
		{"net-options r0 1 --transport=tcp", "no option --transport"},
		{"net-options r0 1 --ping=3", "--ping could be --ping-int, --ping-timeout"},
		{"net-options r0 1 --tcp-cork=maybe", "possible is yes or no"},
		{"resource-options r0 --quorum=33", "off, majority, all or a number from 1 to 32"},
		{"net-options r0 32 --timeout=10", "32 is no node id: possible is 0 to 31"},
		{"attach x /dev/a /dev/a internal", "Cannot determine minor device number of device 'x'"},
		{"attach 0 /dev/a /dev/a inside", "it must be internal or flexible"},
		{"peer-device-options r0 1 70000 --c-max-rate=1M", "70000 is no volume number"},
		{"new-path r0 1 10.0.0.1:0 10.0.0.2:1", "\"0\" is no port"},
		{"status --color=blue", "possible is auto, always, never"},
	} {
		kernel := trace.NewKernel(recording(t)...)
		env, _, stderr := testEnv(t, kernel)
		if code := Run(context.Background(), env, strings.Fields(c.line)); code != ExitUsage {
			t.Errorf("%s: exit %d, want %d", c.line, code, ExitUsage)
		}
		if !strings.Contains(stderr.String(), c.text) {
			t.Errorf("%s: %q is not in:\n%s", c.line, c.text, stderr)
		}
		if len(kernel.Sent) > 1 { // the look-up of the family is allowed
			t.Errorf("%s: a request was sent", c.line)
		}
	}
}

// Abbreviated options, values behind a blank, options before arguments: all mean the same request.
func TestWaysToWrite(t *testing.T) {
	want := "net-options r0 1 --max-buffers=4000"
	for _, line := range []string{
		"net-options --max-buffers=4000 r0 1", "net-options r0 --max-buffers 4000 1", "net-options r0 1 --max-b=4000",
		"r0 net-options 1 --max-buffers=4000", "net-options r0 1 --max-buffers 4000",
	} {
		var rec trace.Command
		for _, c := range recording(t) {
			if c.Line == want {
				rec = c
			}
		}
		kernel := trace.NewKernel(rec)
		env, _, stderr := testEnv(t, kernel)
		if code := Run(context.Background(), env, strings.Fields(line)); code != 0 {
			t.Errorf("%s: exit %d: %s", line, code, stderr)
		}
		compareRequests(t, rec, kernel)
	}
}

// The order and letters of 8.3 scripts: the device stands for its resource.
func TestOldStyle(t *testing.T) {
	commands := recording(t)
	for _, line := range []string{"/dev/drbd0 primary -o", "0 primary --overwrite-data-of-peer", "/dev/drbd0 primary -f"} {
		kernel := trace.NewKernel(commands...)
		env, _, stderr := testEnv(t, kernel)
		code := Run(context.Background(), env, strings.Fields(line))
		if code != ExitNoUpToDateData || !strings.HasPrefix(stderr.String(), "r0: State change failed: (-2)") {
			t.Errorf("%s: exit %d: %s", line, code, stderr)
		}
		for _, c := range commands {
			if c.Line == "primary r0 --force" {
				compareRequests(t, c, kernel)
			}
		}
	}
}

func TestWithoutModule(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
	}{{"status", ExitUsage}, {"primary r0", ExitUsage}, {"down r0", 0}, {"secondary r0", 0}, {"disconnect r0 1", 0}, {"detach 0", 0}} {
		env, _, stderr := testEnv(t, nil)
		env.Dial = func() (*genl.Client, error) { return nil, genl.ErrNotLoaded }
		env.LoadModule = func(context.Context) error { return errors.New("modprobe: FATAL: Module drbd not found") }
		code := Run(context.Background(), env, strings.Fields(c.line))
		if code != c.code {
			t.Errorf("%s: exit %d, want %d", c.line, code, c.code)
		}
		text := strings.TrimSpace(stderr.String())
		if c.code == 0 {
			if text != "" {
				t.Errorf("%s: says %q", c.line, text)
			}
			continue
		}
		if strings.Count(text, "\n") != 0 || !strings.Contains(text, "Module drbd not found") || !strings.Contains(text, "modprobe drbd") {
			t.Errorf("%s: %q is not one line with the reason and what to do", c.line, text)
		}
	}
}

func TestNewMinorRefusesLeftovers(t *testing.T) {
	env, _, stderr := testEnv(t, trace.NewKernel(recording(t)...))
	if err := os.MkdirAll(filepath.Join(env.SysDir, "block/drbd0"), 0o755); err != nil {
		t.Fatal(err)
	}
	code := Run(context.Background(), env, []string{"new-minor", "r0", "0", "0"})
	if code != ExitRefused || !strings.Contains(stderr.String(), "(161)") || !strings.Contains(stderr.String(), "block/drbd0") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// A device that drbdmeta works on is not touched.
func TestLockedMinor(t *testing.T) {
	if path := os.Getenv("HOLD_LOCK"); path != "" {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		lock := unix.Flock_t{Type: unix.F_WRLCK}
		if err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &lock); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("locked\n")
		_, _ = os.Stdin.Read(make([]byte, 1))
		return
	}
	env, _, stderr := testEnv(t, trace.NewKernel(recording(t)...))
	release := holdLock(t, env.RunDir)
	code := Run(context.Background(), env, []string{"detach", "0"})
	release()
	if code != ExitUsage || !strings.Contains(stderr.String(), "device 0 is locked by process") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	stderr.Reset()
	if code := Run(context.Background(), env, []string{"detach", "0"}); code != 0 {
		t.Errorf("after the lock was released: exit %d: %s", code, stderr)
	}
}

// The links to configuration files go with the objects.
func TestDownForgetsLinks(t *testing.T) {
	env, _, stderr := testEnv(t, trace.NewKernel(recorded(t, "down r9"), recorded(t, "show r0")))
	link := filepath.Join(env.RunDir, "drbd-resource-r9.conf")
	if err := os.WriteFile(link, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := Run(context.Background(), env, []string{"down", "r9"}); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if _, err := os.Stat(link); !os.IsNotExist(err) {
		t.Errorf("%s is still there", link)
	}
	if code := Run(context.Background(), env, []string{"down", "nosuch"}); code != 0 || stderr.Len() != 0 {
		t.Errorf("down of what does not exist: exit %d: %s", code, stderr)
	}
}

func recorded(t *testing.T, line string) trace.Command {
	t.Helper()
	for _, c := range recording(t) {
		if c.Line == line {
			return c
		}
	}
	t.Fatalf("%q was not recorded", line)
	return trace.Command{}
}

func TestHelpNeedsNoModule(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
		text string
	}{
		{"help attach", 0, "--al-extents=NUMBER (67 to 65534, default 1237)"},
		{"attach --help", 0, "{lower_dev}"},
		{"xml-help attach", 0, "<option name=\"on-io-error\" type=\"handler\">\n\t\t<handler>pass_on</handler>"},
		{"xml-help primary", 0, "<option name=\"force\" type=\"flag\">"},
		{"help", 20, "wait-sync-resource"},
	} {
		var stdout bytes.Buffer
		env := &Env{Stdout: &stdout, Stderr: &bytes.Buffer{}}
		if code := Run(context.Background(), env, strings.Fields(c.line)); code != c.code {
			t.Errorf("%s: exit %d, want %d", c.line, code, c.code)
		}
		if !strings.Contains(stdout.String(), c.text) {
			t.Errorf("%s: %q is not in:\n%s", c.line, c.text, stdout.String())
		}
	}
}
