package setup

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// holdLock lets another process hold the lock of minor 0: such locks only exclude other processes.
func holdLock(t *testing.T, runDir string) (release func()) {
	t.Helper()
	dir := filepath.Join(runDir, "lock")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockedMinor$")
	cmd.Env = append(os.Environ(), "HOLD_LOCK="+filepath.Join(dir, "drbd-147-0"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	return func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	}
}
