package bed

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBadKernelLinesAreFound(t *testing.T) {
	log := strings.Join([]string{
		"<6>[    1.000000] drbd: initialized",
		"<4>[    1.000001] WARNING: CPU: 0 PID: 1 at kernel/foo.c:12 foo+0x1/0x2",
		"<3>[    2.000000] INFO: task drbd_w_r0:77 blocked for more than 60 seconds.",
		"<1>[    3.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000",
		"<6>[    4.000000] debugging: all well",
	}, "\n")
	if got := badLines(log, nil); len(got) != 3 {
		t.Errorf("found %q", got)
	}
	if got := badLines(log, []string{`at kernel/foo\.c`, "blocked for more", "NULL pointer"}); len(got) != 0 {
		t.Errorf("allowed lines were reported: %q", got)
	}
}

func TestCompareDisksTellsTheFirstDifference(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	data := make([]byte, 3<<20)
	if err := os.WriteFile(a, data, 0o644); err != nil {
		t.Fatal(err)
	}
	data[2<<20+4097] = 1
	if err := os.WriteFile(b, data, 0o644); err != nil {
		t.Fatal(err)
	}
	var diff *DiskDifference
	if err := CompareDisks(a, b, 0, 3<<20); !errors.As(err, &diff) || diff.Offset != 2<<20+4097 {
		t.Errorf("got %v", err)
	}
	if err := CompareDisks(a, b, 0, 2<<20+4097); err != nil {
		t.Errorf("the equal part: %v", err)
	}
	if err := CompareDisks(a, b, 3<<20, 4<<20); err == nil || errors.As(err, &diff) {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestCPIOIsReadable(t *testing.T) {
	var buf bytes.Buffer
	c := newCPIO(&buf)
	c.bytes("a/b/hello", modeFile, []byte("hello"))
	c.link("a/link", "b/hello")
	c.dir("a/empty")
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"070701", "a\x00", "a/b\x00", "a/b/hello\x00", "a/empty\x00", "TRAILER!!!\x00"} {
		if !bytes.Contains(buf.Bytes(), []byte(want)) {
			t.Errorf("the archive lacks %q", want)
		}
	}
	if buf.Len()%4 != 0 {
		t.Errorf("%d bytes: not padded", buf.Len())
	}
}

// A machine's life without DRBD: commands, files, streams, time-outs, the links,
// power.
func TestVMMachines(t *testing.T) {
	if os.Getenv("DRBD_VM") == "" {
		t.Skip("boots machines: set DRBD_VM=1, or run `make test`")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	b, err := New(Options{Name: "machines", Log: testWriter{t}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { b.Close(t.Failed()) }()
	ms, err := b.Start(ctx, Spec{Flavour: Stock, Disks: []int64{16 << 20}}, Spec{Flavour: Stock, Kernel: "6.12"})
	if err != nil {
		t.Fatal(err)
	}
	alpha, bravo := ms[0], ms[1]
	t.Run("commands", func(t *testing.T) { testCommands(ctx, t, alpha) })
	t.Run("links", func(t *testing.T) { testLinks(ctx, t, alpha, bravo) })
	t.Run("power", func(t *testing.T) { testPower(ctx, t, alpha) })
	if err := b.CheckKernelLogs(); err != nil {
		t.Error(err)
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func testCommands(ctx context.Context, t *testing.T, m *Machine) {
	out, err := m.Run(ctx, "echo out; echo err >&2; hostname; exit 3")
	var failed *Error
	if !errors.As(err, &failed) || out.Code != 3 || out.Stdout != "out\nalpha\n" || out.Stderr != "err\n" {
		t.Errorf("got %+v, %v", out, err)
	}
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := m.Run(short, "sleep 100"); !errors.As(err, &failed) || !failed.TimedOut {
		t.Errorf("a command over its time: %v", err)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	if err := m.Put(ctx, "/tmp/dir/file", data); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Get(ctx, "/tmp/dir/file"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	lines := make(chan string, 10)
	c, err := m.Background(ctx, "echo one; sleep 0.5; echo two; sleep 100", func(l string) { lines <- l })
	if err != nil {
		t.Fatal(err)
	}
	if l := <-lines; l != "one" {
		t.Errorf("got %q", l)
	}
	if l := <-lines; l != "two" {
		t.Errorf("got %q", l)
	}
	c.Kill()
	if out, _ := c.Wait(); out.Code != 137 {
		t.Errorf("killed: status %d", out.Code)
	}
	if _, err := m.Run(ctx, "sleep 1000 & echo left a daemon behind"); err != nil {
		t.Errorf("a daemon holds the command up: %v", err)
	}
}

func testLinks(ctx context.Context, t *testing.T, a, b *Machine) {
	ping := func() error {
		_, err := a.Run(ctx, "echo hello | nc -N -w 2 "+b.Address+" 9000")
		return err
	}
	if _, err := b.Background(ctx, "while nc -l 9000; do :; done", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Run(ctx, "until ss -ltn | grep -q :9000; do sleep 0.1; done"); err != nil {
		t.Fatal(err)
	}
	if err := ping(); err != nil {
		t.Errorf("a good link: %v", err)
	}
	network := a.bed.Network()
	network.SetLink(b, a, Link{Cut: true})
	if err := ping(); err == nil {
		t.Error("answers come through a link that is cut one way")
	}
	network.Restore(a, b)
	network.SetLink(a, b, Link{Delay: 300 * time.Millisecond})
	begin := time.Now()
	if err := ping(); err != nil || time.Since(begin) < 600*time.Millisecond {
		t.Errorf("with a delay of 300 ms a connection took %v, %v", time.Since(begin), err)
	}
	network.Restore(a, b)
	if err := a.SetCable(false); err != nil {
		t.Fatal(err)
	}
	if out, _ := a.Run(ctx, "sleep 0.3; cat /sys/class/net/eth0/carrier"); out.Stdout != "0\n" {
		t.Errorf("cable pulled: carrier %q", out.Stdout)
	}
	if err := a.SetCable(true); err != nil {
		t.Fatal(err)
	}
	if err := ping(); err != nil {
		t.Errorf("cable plugged in again: %v", err)
	}
}

func testPower(ctx context.Context, t *testing.T, m *Machine) {
	if err := m.SetFile(ctx, "/etc/kept", []byte("kept\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(ctx, "echo durable | dd of=/dev/vda conv=fsync status=none; echo gone >/etc/lost"); err != nil {
		t.Fatal(err)
	}
	c, err := m.Background(ctx, "sleep 1000", nil)
	if err != nil {
		t.Fatal(err)
	}
	m.PowerOff()
	if _, err := c.Wait(); !errors.Is(err, ErrPower) {
		t.Errorf("a command at power off: %v", err)
	}
	if _, err := m.Run(ctx, "true"); !errors.Is(err, ErrPower) {
		t.Errorf("a command on a machine that is off: %v", err)
	}
	if err := m.PowerOn(ctx); err != nil {
		t.Fatal(err)
	}
	out, err := m.Run(ctx, "head -1 /dev/vda; cat /etc/kept; ls /etc/lost 2>&1")
	if err == nil || !strings.HasPrefix(out.Stdout, "durable\nkept\n") || !strings.Contains(out.Stdout, "No such file") {
		t.Errorf("after power on: %q, %v", out.Stdout, err)
	}
}
