// Command gen writes the manual pages and completions into the source tree; see the package manual.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"drbd/internal/manual"
)

func main() {
	root := flag.String("root", ".", "top of the source tree")
	flag.Parse()
	if err := write(*root); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	for _, f := range manual.Files() {
		path := filepath.Join(root, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.Text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
