// Command drbdadm runs DRBD resources as drbd.conf describes them. Everything is in internal/adm.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"drbd/internal/adm"
)

// collectFrom is the heap from which on it is worth to look for garbage: a configuration of some thousand resources stays below, and
// a program that ends in milliseconds need not tidy up.
const collectFrom = 256 << 20

// No signal is caught: a step that was started ends by itself, and the module gives up what it was asked when its caller is gone.
func main() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(collectFrom)
	os.Exit(adm.Run(context.Background(), adm.NewEnv(), os.Args[1:]))
}
