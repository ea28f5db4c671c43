// Command demo shows the main job from end to end: two machines mirror a disk,
// fail over, lose their network, lose their power, and heal; at the end both
// disks are compared byte by byte. `make demo` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"drbd/test/vm/bed"
)

// The demo is long over by then, also on a slow host.
const demoTimeout = 15 * time.Minute

func main() {
	var s setting
	alpha := flag.String("alpha", "ours", "whose DRBD alpha runs: ours or stock")
	bravo := flag.String("bravo", "ours", "whose DRBD bravo runs: ours or stock")
	flag.StringVar(&s.kernel, "kernel", "6.1", "Debian kernel of both machines: 5.10, 6.1, 6.12 or 7.2")
	keep := flag.Bool("keep", false, "keep the logs when all went well, too")
	flag.Parse()
	var errA, errB error
	s.alpha, errA = bed.ParseFlavour(*alpha)
	s.bravo, errB = bed.ParseFlavour(*bravo)
	if err := errors.Join(errA, errB); err != nil || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "demo:", err, flag.Args())
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	dir, err := run(ctx, s, os.Stdout, *keep)
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nThe demo failed: %v\n", err)
		if dir != "" {
			fmt.Fprintf(os.Stderr, "Logs of the machines (commands, kernel, console): %s\n", dir)
		}
		os.Exit(1)
	}
	if *keep {
		fmt.Println("Logs:", dir)
	}
}
