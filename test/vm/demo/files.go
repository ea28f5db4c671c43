package main

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"drbd/test/vm/bed"
)

// sumsFile lists the checksums of the project's files, kept outside the mirrored
// disk on both machines.
const sumsFile = "/root/SHA256SUMS"

// projectFiles are the sources this demo was built from.
func projectFiles() (top string, files []string, err error) {
	top, err = os.Getwd()
	if err != nil {
		return "", nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(top, "go.mod")); err == nil {
			break
		}
		if top == filepath.Dir(top) {
			return "", nil, fmt.Errorf("the demo must run inside the source tree")
		}
		top = filepath.Dir(top)
	}
	err = filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && path != top && strings.HasPrefix(e.Name(), ".") {
			return filepath.SkipDir
		}
		if e.Type().IsRegular() {
			files = append(files, path)
		}
		return nil
	})
	return top, files, err
}

// writeTree streams the project's sources into a folder of a machine and leaves
// their checksums, computed here, on all machines.
func writeTree(ctx context.Context, m *bed.Machine, folder string, all []*bed.Machine) (count int, err error) {
	top, files, err := projectFiles()
	if err != nil {
		return 0, err
	}
	var sums strings.Builder
	r, w := io.Pipe()
	go func() { w.CloseWithError(packTree(w, top, files, &sums)) }()
	if err := m.PutStream(ctx, fmt.Sprintf("mkdir -p %s && tar -xf - -C %s && sync", folder, folder), r); err != nil {
		return 0, err
	}
	for _, each := range all {
		if err := each.SetFile(ctx, sumsFile, []byte(sums.String())); err != nil {
			return 0, err
		}
	}
	return len(files), nil
}

func packTree(w io.Writer, top string, files []string, sums io.Writer) error {
	t := tar.NewWriter(w)
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
		fmt.Fprintf(sums, "%x  %s\n", sha256.Sum256(data), name)
	}
	return t.Close()
}

// writer is the fsync-writer at work in a machine, with what it said.
type writer struct {
	command *bed.Command
	folder  string
}

func startWriter(ctx context.Context, m *bed.Machine, folder string, seed int) (*writer, error) {
	if _, err := m.Run(ctx, "mkdir -p "+folder); err != nil {
		return nil, err
	}
	c, err := m.Background(ctx, fmt.Sprintf("exec fsync-writer %s %d", folder, seed), nil)
	return &writer{c, folder}, err
}

// reported are the files that were written and synced, as lines for sha256sum -c.
func (w *writer) reported() []string {
	out := w.command.Output().Stdout
	end := strings.LastIndexByte(out, '\n')
	if end < 0 {
		return nil
	}
	var lines []string
	for line := range strings.SplitSeq(out[:end], "\n") {
		name, sum, ok := strings.Cut(line, " ")
		if ok {
			lines = append(lines, sum+"  "+w.folder+"/"+name)
		}
	}
	return lines
}
