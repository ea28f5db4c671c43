// Command guest is the one program of ours inside a test machine: its init
// (process 1), the agent that runs commands for the test bed, and a few small
// helpers that tests call by name.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// helpers are run by the name of a link to this program.
var helpers = map[string]func(args []string) error{
	"block-hammer": hammer,
	"fsync-writer": fsyncWriter,
	"ledger-write": ledgerWrite,
	"ledger-check": ledgerCheck,
}

func main() {
	if os.Getpid() == 1 {
		runInit()
		return
	}
	name := filepath.Base(os.Args[0])
	helper, ok := helpers[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: not a helper of the test bed\n", name)
		os.Exit(2)
	}
	if err := helper(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
