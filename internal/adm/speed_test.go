package adm

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manyResources writes a configuration of n resources as an administrator of virtual machines has them.
func manyResources(t testing.TB, n int) (file string) {
	t.Helper()
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "resource r%d {\n  device /dev/drbd%d; disk /dev/vg/r%d; meta-disk internal;\n  net { protocol C; ping-timeout 10; }\n"+
			"  disk { on-io-error detach; resync-rate 10M; }\n  on alpha { node-id 0; address 10.0.0.1:%d; }\n  on bravo { node-id 1; address 10.0.0.2:%d; }\n}\n",
			i, i, i, 7000+i, 7000+i)
	}
	file = filepath.Join(t.TempDir(), "many.conf")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// BenchmarkUpDryRun is what drbdadm does for `up all` between its start and its first call of the kernel.
func BenchmarkUpDryRun(b *testing.B) {
	pretend(b, "alpha")
	file := manyResources(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		env := NewEnv()
		env.Stdout, env.Stderr = io.Discard, io.Discard
		if code := Run(context.Background(), env, []string{"-c", file, "-d", "up", "all"}); code != exitOK {
			b.Fatalf("exit code %d", code)
		}
	}
}
