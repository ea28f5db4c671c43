// Command drbdadm runs DRBD resources as drbd.conf describes them. Everything is in internal/adm.
package main

import (
	"context"
	"os"

	"drbd/internal/adm"
)

// No signal is caught: a step that was started ends by itself, and the module gives up what it was asked when its caller is gone.
func main() {
	os.Exit(adm.Run(context.Background(), adm.NewEnv(), os.Args[1:]))
}
