package setup

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"drbd/internal/genl"
	"drbd/internal/genl/trace"
	"github.com/google/go-cmp/cmp"
)

func recording(t *testing.T) []trace.Command {
	t.Helper()
	commands, err := trace.Stock9()
	if err != nil {
		t.Fatal(err)
	}
	return commands
}

// testEnv is a world whose module is the recorded one.
func testEnv(t *testing.T, kernel *trace.Kernel) (env *Env, stdout, stderr *bytes.Buffer) {
	t.Helper()
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return &Env{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr,
		Dial:   func() (*genl.Client, error) { return genl.NewClient(kernel.Open) },
		RunDir: t.TempDir(), StateDir: t.TempDir(), SysDir: t.TempDir(),
		CheckDisk: func(string) error { return nil },
		Now:       time.Now,
	}, stdout, stderr
}

// differently lists the recorded commands whose requests or texts are ours, with the reason.
var differently = map[string]string{
	"wait-connect-resource r0":              "was killed: see wait_test.go",
	"wait-sync-resource r0 --wfc-timeout=5": "waits for real time, see wait_test.go",
}

// Every recorded command line gives the recorded output, exit code and last request, byte for byte.
func TestCommandLinesAsRecorded(t *testing.T) {
	commands := recording(t)
	for i, rec := range commands {
		t.Run(rec.Line, func(t *testing.T) {
			if reason, ok := differently[rec.Line]; ok {
				t.Skip(reason)
			}
			// Queries may ask for other dumps than the stock tool did: the neighbours in time know the answers.
			kernel := trace.NewKernel(append([]trace.Command{rec}, near(commands, i)...)...)
			env, stdout, stderr := testEnv(t, kernel)
			code := Run(context.Background(), env, strings.Fields(rec.Line))
			if code != rec.Exit {
				t.Errorf("exit code %d, want %d", code, rec.Exit)
			}
			if diff := cmp.Diff(rec.Stdout, stdout.String()); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(rec.Stderr, stderr.String()); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			compareRequests(t, rec, kernel)
		})
	}
}

func near(commands []trace.Command, i int) []trace.Command {
	var out []trace.Command
	for distance := 1; distance < len(commands); distance++ {
		for _, j := range []int{i - distance, i + distance} {
			if j >= 0 && j < len(commands) {
				out = append(out, commands[j])
			}
		}
	}
	return out
}

// compareRequests: a command that changes something sends exactly the recorded request.
func compareRequests(t *testing.T, rec trace.Command, kernel *trace.Kernel) {
	t.Helper()
	last := rec.Exchanges[len(rec.Exchanges)-1]
	const dumpFlags = 0x300
	if binary.NativeEndian.Uint16(last.Body()[2:])&dumpFlags != 0 {
		return
	}
	if !slices.ContainsFunc(kernel.Sent, func(sent []byte) bool { return bytes.Equal(sent, last.Body()) }) {
		t.Errorf("the recorded request was not sent:\n%s\nsent:", hex.EncodeToString(last.Body()))
		for _, s := range kernel.Sent {
			t.Errorf("%s", hex.EncodeToString(s))
		}
	}
}
