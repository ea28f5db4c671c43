package adm

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"drbd/internal/adjust"
)

// After a resize the device is watched until it has the size, and only then noted for the next start.
func TestResizeWaits(t *testing.T) {
	t.Setenv("__DRBD_NODE__", "alpha")
	t.Setenv("DRBD_DRIVER_VERSION_OVERRIDE", "9.3.3")
	file := filepath.Join(t.TempDir(), "drbd.conf")
	text := "resource r0 { device /dev/drbd0; disk /dev/sda; meta-disk internal; on alpha { address 10.0.0.1:7789; } on bravo { address 10.0.0.2:7789; } }\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		args  []string
		sizes []uint64 // as the device shows them, one after the other
		asked int      // how often at least it is looked at
	}{
		{"grows at the third look", nil, []uint64{1000, 1000, 1000, 2000}, 4},
		{"known size", []string{"--size=1M"}, []uint64{1000, 1500, 2048}, 3},
		{"known size, rounded to blocks", []string{"--size=2053s"}, []uint64{1000, 2048}, 2},
		{"no device", nil, []uint64{0}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ran []string
			asked := 0
			env := NewEnv()
			var out, errs bytes.Buffer
			env.Stdout, env.Stderr, env.RunDir = &out, &errs, t.TempDir()
			env.Tool = func(_ context.Context, _ adjust.Tool, args []string, _ io.Reader, _, _ io.Writer) int {
				ran = append(ran, args[0])
				return exitOK
			}
			env.Sectors = func(minor string) uint64 {
				if minor != "0" {
					t.Errorf("looked at minor %s", minor)
				}
				asked++
				return c.sizes[min(asked, len(c.sizes))-1]
			}
			if code := Run(context.Background(), env, append([]string{"-c", file, "resize", "r0"}, c.args...)); code != exitOK {
				t.Errorf("exit code %d: %s", code, errs.String())
			}
			if !slices.Equal(ran, []string{"resize", "check-resize"}) || asked < c.asked {
				t.Errorf("ran %v, looked %d times", ran, asked)
			}
		})
	}
	t.Run("never reached", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // else this takes ten seconds
		env := NewEnv()
		var errs bytes.Buffer
		env.Stdout, env.Stderr, env.RunDir = io.Discard, &errs, t.TempDir()
		env.Tool = func(_ context.Context, _ adjust.Tool, args []string, _ io.Reader, _, _ io.Writer) int {
			if args[0] == "check-resize" {
				t.Error("check-resize although the size was not reached")
			}
			return exitOK
		}
		env.Sectors = func(string) uint64 { return 1000 }
		if code := Run(ctx, env, []string{"-c", file, "resize", "--size=1G", "r0"}); code != exitUsage || !strings.Contains(errs.String(), "has 1000 sectors, not the 2097152") {
			t.Errorf("exit code %d: %s", code, errs.String())
		}
	})
}
