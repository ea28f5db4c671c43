package adm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"drbd/internal/adjust"
)

// screen collects what a console shows.
type screen struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(text []byte) (int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.text.Write(text)
}

func (s *screen) String() string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.text.String()
}

// until waits for words on the screen.
func (s *screen) until(t *testing.T, words string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(s.String(), words); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q is not on the screen:\n%q", words, s.String())
		}
	}
}

// keyboard is a terminal: ctrl-D ends one reading, not all.
type keyboard chan string

const ctrlD = "\x04"

// humanly is how fast a person presses keys at most.
const humanly = 60 * time.Millisecond

func (k keyboard) Read(into []byte) (int, error) {
	text := <-k
	if text == ctrlD {
		return 0, io.EOF
	}
	return copy(into, text), nil
}

const waitingConfig = `global { dialog-refresh %d; }
common { startup { wfc-timeout 2000; degr-wfc-timeout 6000; } }
resource r0 { device /dev/drbd0; disk /dev/a; meta-disk internal; on alpha { address 10.0.0.1:7000; } on bravo { address 10.0.0.2:7000; } }
resource r1 { device /dev/drbd1; disk /dev/b; meta-disk internal; on alpha { address 10.0.0.1:7001; } on bravo { address 10.0.0.2:7001; } }
`

// waiting is drbdadm in the middle of wait-con-int.
func waiting(t *testing.T, refresh int) *App {
	t.Helper()
	pretend(t, "alpha")
	file := filepath.Join(t.TempDir(), "drbd.conf")
	if err := os.WriteFile(file, []byte(fmt.Sprintf(waitingConfig, refresh)), 0o644); err != nil {
		t.Fatal(err)
	}
	env := NewEnv()
	env.Stdout, env.Stderr = io.Discard, io.Discard
	a := &App{env: env, ctx: context.Background(), line: &line{file: file}, cmd: findCommand("wait-con-int")}
	if err := a.load(); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPrompt(t *testing.T) {
	a := waiting(t, 2)
	keys, shown := make(keyboard), &screen{}
	stopped, done := make(chan struct{}), make(chan struct{})
	over := make(chan struct{})
	go func() {
		a.prompt(console{in: keys, out: shown, screen: true, interval: 2 * time.Millisecond}, done, func() { close(stopped); close(done) })
		close(over)
	}()
	shown.until(t, `..........
***************************************************************
 DRBD's startup script waits for the peer node(s) to appear.
 - If this node was already a degraded cluster before the
   reboot, the timeout is 6000 seconds. [degr-wfc-timeout]
 - If the peer was available before the reboot, the timeout
   is 2000 seconds. [wfc-timeout]
   (These values are for resource 'r0'; 0 sec -> wait forever)
 To abort waiting enter 'yes' [ -- ]:`)
	shown.until(t, "\x1b[s\x1b[31G[  14]:\x1b[u")
	if strings.Contains(shown.String(), "[  13]") {
		t.Error("the counter is drawn more often than dialog-refresh says")
	}
	keys <- "no\n"
	keys <- "yes please\n"
	time.Sleep(humanly)
	keys <- ctrlD
	select {
	case <-stopped:
		t.Fatal("stopped without yes")
	case <-time.After(50 * time.Millisecond):
	}
	keys <- "yes\n"
	<-stopped
	<-over
}

func TestPromptEndsWhenThePeersAreThere(t *testing.T) {
	a := waiting(t, 0)
	shown, done := &screen{}, make(chan struct{})
	go func() {
		shown.until(t, "enter 'yes'")
		time.Sleep(20 * time.Millisecond)
		close(done)
	}()
	a.prompt(console{in: make(keyboard), out: shown, screen: true, interval: time.Millisecond}, done, func() { t.Error("stopped") })
	if strings.Contains(shown.String(), "\x1b") {
		t.Error("the counter is drawn although dialog-refresh is 0")
	}
}

func TestPromptGivesUpAfterThreeKeys(t *testing.T) {
	for name, press := range map[string]func(keyboard){
		"ctrl-D": func(k keyboard) { time.Sleep(humanly); k <- ctrlD },
		"ctrl-C": func(keyboard) { time.Sleep(humanly); _ = syscall.Kill(os.Getpid(), syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			a := waiting(t, 1)
			keys, done, stopped := make(keyboard), make(chan struct{}), make(chan struct{})
			go a.prompt(console{in: keys, out: io.Discard, interval: time.Millisecond}, done, func() { close(stopped); close(done) })
			time.Sleep(20 * time.Millisecond) // until signals are caught
			press(keys)
			press(keys)
			select {
			case <-stopped:
				t.Fatal("stopped after two")
			case <-time.After(100 * time.Millisecond):
			}
			press(keys)
			select {
			case <-stopped:
			case <-time.After(10 * time.Second):
				t.Fatal("not stopped after three")
			}
		})
	}
}

// A dead terminal ends nothing: /dev/null would otherwise mean yes.
func TestPromptDoesNotTakeSilenceForAnAnswer(t *testing.T) {
	a := waiting(t, 1)
	done := make(chan struct{})
	time.AfterFunc(150*time.Millisecond, func() { close(done) })
	a.prompt(console{in: strings.NewReader(""), out: io.Discard, interval: time.Millisecond}, done, func() { t.Error("stopped") })
}

// waitRun runs wait-con-int with waits that end when they are told to.
func waitRun(t *testing.T, consoleOf func() (io.ReadWriteCloser, error), release <-chan struct{}) (code int, stderr string, waits []string) {
	a := waiting(t, 1)
	env := a.env
	var errors screen
	var lock sync.Mutex
	env.Stderr, env.Console, env.Terminal = &errors, consoleOf, false
	env.Tool = func(ctx context.Context, _ adjust.Tool, args []string, _ io.Reader, _, stderr io.Writer) int {
		lock.Lock()
		waits = append(waits, strings.Join(args, " "))
		lock.Unlock()
		fmt.Fprintln(stderr, "degr-wfc-timeout has to be shorter than wfc-timeout")
		select {
		case <-release:
			return exitOK
		case <-ctx.Done():
			return exitExec
		}
	}
	code = Run(context.Background(), env, []string{"-c", a.line.file, "wait-con-int"})
	return code, errors.String(), waits
}

type device struct {
	io.Reader
	io.Writer
}

func (device) Close() error { return nil }

func TestWaitAtStartUsesTheConsole(t *testing.T) {
	keys, shown := make(keyboard), &screen{}
	go func() {
		shown.until(t, ".")
		keys <- "yes\n"
	}()
	code, stderr, waits := waitRun(t, func() (io.ReadWriteCloser, error) { return device{keys, shown}, nil }, nil)
	if code != exitOK || len(waits) != 2 || !strings.Contains(stderr, "using /dev/console") {
		t.Errorf("exit code %d, waits %q, said %q", code, waits, stderr)
	}
	if strings.Count(stderr, "degr-wfc-timeout has to be shorter") != 1 {
		t.Errorf("the same was told for each resource: %q", stderr)
	}
}

func TestWaitAtStartWithoutConsole(t *testing.T) {
	release := make(chan struct{})
	time.AfterFunc(500*time.Millisecond, func() { close(release) })
	code, stderr, _ := waitRun(t, func() (io.ReadWriteCloser, error) { return nil, errors.New("no console") }, release)
	if code != exitOK || !strings.Contains(stderr, fmt.Sprintf("kill this process: kill %d", os.Getpid())) {
		t.Errorf("exit code %d, said %q", code, stderr)
	}
}

func TestWaitAtStartAsksNobodyWhenThePeersAreThere(t *testing.T) {
	release := make(chan struct{})
	close(release)
	code, _, waits := waitRun(t, func() (io.ReadWriteCloser, error) { t.Error("the console was opened"); return nil, errors.New("no") }, release)
	if code != exitOK || len(waits) != 2 || !strings.HasPrefix(waits[0], "wait-connect-resource r") || !strings.Contains(waits[0], "--degr-wfc-timeout=6000 --wfc-timeout=2000") {
		t.Errorf("exit code %d, waits %q", code, waits)
	}
}
