// Command drbdsetup tells the DRBD module what to do and shows what it does. Everything is in internal/setup.
package main

import (
	"context"
	"os"

	"drbd/internal/setup"
)

// No signal is caught: the module notices that its caller was killed and gives up what can be given up.
func main() {
	env := setup.NewEnv()
	if err := os.Chdir("/"); err != nil { // never keep a mount point busy
		os.Exit(setup.ExitUsage)
	}
	os.Exit(setup.Run(context.Background(), env, os.Args[1:]))
}
