package meta

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Both tools run in turns; the best of the rounds counts, since what disturbs makes only slower.
const (
	fewRounds, mostRounds = 3, 15 // more only while ours seems slower: other work on this machine comes in turns, too
	raceMargin            = 1.1
	raceGrace             = 10 * time.Millisecond // to start a Go program
)

// shipped builds the tool as scripts/build-tools does.
func shipped(t *testing.T) string {
	t.Helper()
	own := filepath.Join(t.TempDir(), "drbdmeta")
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-o", own, "../../cmd/drbdmeta")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build drbdmeta: %v\n%s", err, out)
	}
	return own
}

// timed runs a tool that succeeds.
func timed(t *testing.T, cmd *exec.Cmd) time.Duration {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout = out
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return time.Since(begin)
}

// TestSpeed: create-md, dump-md and apply-al on a sparse device of 6 TiB are not slower than with the stock tool.
func TestSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	reference := newReference(t)
	own := shipped(t)
	const size = 6 << 40
	l := shapeLayout(t, Shape{7, 4096, 1, 8}, size)
	r := rand.New(rand.NewPCG(6, 6))
	fresh := func(dev string) {
		if err := os.Truncate(dev, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(dev, size); err != nil {
			t.Fatal(err)
		}
	}
	made := func(dev string) {
		b := newBench(t)
		fresh(dev)
		b.must("-f", "-", "v09", dev, "internal", "-b", "skip", "--effective-size", "6400000000k", "create-md", "7")
	}
	noise := make([][]byte, 200)
	for i := range noise {
		noise[i] = make([]byte, 64*kib)
		for j := range noise[i] {
			noise[i][j] = byte(r.Uint32())
		}
	}
	noisyDevice := func(dev string) {
		made(dev)
		for i, n := range noise {
			poke(t, dev, l.BM()+int64(i)*6*mib, n)
		}
	}
	log := fullLog(r)
	crash := func(dev string) {
		poke(t, dev, l.AL(), log)
		alter(t, V09, dev, l.Superblock, func(sb *Superblock) { sb.Flags = FlagPrimaryInd })
	}
	races := []struct {
		name  string
		once  func(dev string)
		each  func(dev string)
		words string
	}{
		{"create-md", nil, fresh, "create-md 7"},
		{"create-md, one slot", nil, fresh, "create-md 1"},
		{"dump-md, empty bitmap", made, nil, "dump-md"},
		{"dump-md, 12 MiB of noise", noisyDevice, nil, "dump-md"},
		{"apply-al, empty log", made, nil, "apply-al"},
		{"apply-al, 6433 extents", nil, func(dev string) { made(dev); crash(dev) }, "apply-al"},
	}
	for _, race := range races {
		t.Run(race.name, func(t *testing.T) {
			dir := t.TempDir()
			devices := [2]string{filepath.Join(dir, "ours"), filepath.Join(dir, "reference")}
			best := [2]time.Duration{time.Hour, time.Hour}
			for _, dev := range devices {
				if err := os.WriteFile(dev, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if race.once != nil {
					race.once(dev)
				}
			}
			slower := func() bool {
				return float64(best[0]) > raceMargin*float64(best[1]) && best[0]-best[1] > raceGrace
			}
			for round := 0; round < fewRounds || round < mostRounds && slower(); round++ {
				for _, which := range []int{round % 2, 1 - round%2} {
					if race.each != nil {
						race.each(devices[which])
					}
					args := append([]string{"--force", "-", "v09", devices[which], "internal"}, strings.Fields(race.words)...)
					tool := reference.tool
					if which == 0 {
						tool = own
					}
					cmd := reference.command(append([]string{tool}, args...)...)
					best[which] = min(best[which], timed(t, cmd))
				}
			}
			ratio := float64(best[0]) / float64(best[1])
			fmt.Printf("    %-28s ours %7.1f ms, reference %7.1f ms, ratio %.2f\n", race.name, ms(best[0]), ms(best[1]), ratio)
			if slower() {
				t.Errorf("slower than the stock tool: %v to %v", best[0], best[1])
			}
		})
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// fullLog is a ring of eight blocks that name as many extents as it can hold.
func fullLog(r *rand.Rand) []byte {
	const slots = 7 * alContext
	var area []byte
	extents := make([]uint32, slots)
	for i := range extents {
		extents[i] = r.Uint32() % (6400000000 / 4096)
	}
	for n := range uint32(8) {
		start := int(n%7) * alContext
		block := alBlock(n, extents[start:start+alContext], slots)
		be.PutUint16(block[18:], uint16(start))
		be.PutUint32(block[alAtCRC:], blockCRC(block))
		area = append(area, block...)
	}
	return area
}
