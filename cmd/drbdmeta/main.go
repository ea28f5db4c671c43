// Command drbdmeta creates, shows and changes DRBD's metadata on disk. Everything is in internal/meta.
package main

import (
	"context"
	"os"

	"drbd/internal/meta"
)

func main() {
	os.Exit(meta.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
