// Package native builds the C part of a test package into a program without Go:
// small, optimised, in seconds. The simulator runs many seeds that way, and each
// mutant of kernel/core is such a program.
package native

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Top is the source tree.
func Top() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Cache is the folder for what is built.
func Cache() string {
	if dir := os.Getenv("DRBD_CACHE"); dir != "" {
		return filepath.Join(dir, "native")
	}
	return filepath.Join(Top(), ".cache", "native")
}

// Program is one to be built.
type Program struct {
	Package string            // folder below test: "core" or "sim"; its cli/main.c has main()
	Flags   []string          // for the compiler, besides the usual ones
	Core    map[string]string // files of kernel/core (like "data/log.c") with another text
}

var usual = []string{"-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror"}

// Build compiles what is not in the cache and links; it returns the program's path.
func (p Program) Build() (string, error) {
	if err := os.MkdirAll(Cache(), 0o755); err != nil {
		return "", err
	}
	headers, err := p.headers()
	if err != nil {
		return "", err
	}
	sources, err := filepath.Glob(filepath.Join(p.folder(), "*.c"))
	if err != nil {
		return "", err
	}
	sources = append(sources, filepath.Join(p.folder(), "cli", "main.c"))
	objects := make([]string, len(sources))
	errs := make([]error, len(sources))
	var wait sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for i, source := range sources {
		wait.Add(1)
		go func() {
			defer wait.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			objects[i], errs[i] = p.compile(source, headers)
		}()
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	return p.link(objects)
}

func (p Program) folder() string { return filepath.Join(Top(), "test", p.Package) }

// headers is a digest of all that a file may include.
func (p Program) headers() (string, error) {
	h := sha256.New()
	for _, root := range []string{filepath.Join(Top(), "kernel", "core"), p.folder()} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".h") || d.Name() == "core_sum.h" {
				return err
			}
			data, err := os.ReadFile(path)
			fmt.Fprintf(h, "%s %d\n", path, len(data))
			h.Write(data)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// coreFile is the file of kernel/core that a test file does nothing but include.
func coreFile(text string) string {
	const include = `#include "../../kernel/core/`
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, include); ok {
			return strings.TrimSuffix(strings.TrimSpace(name), `"`)
		}
	}
	return ""
}

// compile returns the object of a source, from the cache if it is there.
func (p Program) compile(source, headers string) (string, error) {
	data, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	text, flags := string(data), slices.Concat(usual, p.Flags)
	if strings.HasPrefix(filepath.Base(source), "core_") {
		core := coreFile(text)
		body, changed := p.Core[core]
		original := filepath.Join(Top(), "kernel", "core", core)
		if !changed {
			data, err := os.ReadFile(original)
			if err != nil {
				return "", err
			}
			body = string(data)
		}
		// the text takes the place of the include, and is named like the file it is
		text = strings.Replace(text, `#include "../../kernel/core/`+core+`"`,
			fmt.Sprintf("#line 1 %q\n%s", original, body), 1)
		flags = append(flags, "-iquote", filepath.Dir(original))
	} else {
		text = fmt.Sprintf("#line 1 %q\n%s", source, text)
	}
	flags = append(flags, "-iquote", filepath.Dir(source))
	sum := sha256.Sum256([]byte(strings.Join(flags, "\x00") + "\x00" + headers + "\x00" + source + "\x00" + text))
	object := filepath.Join(Cache(), hex.EncodeToString(sum[:16])+".o")
	if fresh(object) {
		return object, nil
	}
	return object, produce(object, func(out string) *exec.Cmd {
		cmd := exec.Command("gcc", append(flags, "-c", "-x", "c", "-", "-o", out)...)
		cmd.Stdin, cmd.Dir = strings.NewReader(text), Cache() // not a folder with files of the same names
		return cmd
	})
}

func (p Program) link(objects []string) (string, error) {
	sum := sha256.Sum256([]byte(strings.Join(p.Flags, "\x00") + "\x00" + strings.Join(objects, "\x00")))
	program := filepath.Join(Cache(), p.Package+"-"+hex.EncodeToString(sum[:16]))
	if fresh(program) {
		return program, nil
	}
	return program, produce(program, func(out string) *exec.Cmd {
		return exec.Command("gcc", slices.Concat([]string{"-O2", "-o", out}, p.Flags, objects)...)
	})
}

// produce runs the command that writes a file, which appears under its name when it is whole.
func produce(file string, cmd func(out string) *exec.Cmd) error {
	out := fmt.Sprintf("%s.%d", file, os.Getpid())
	c := cmd(out)
	text, err := c.CombinedOutput()
	if err != nil {
		os.Remove(out)
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, text)
	}
	return os.Rename(out, file)
}

// fresh tells that a file is there, and notes that it is in use.
func fresh(file string) bool {
	now := time.Now()
	return os.Chtimes(file, now, now) == nil
}

// Prune removes what nobody has used for some days.
func Prune() {
	entries, _ := os.ReadDir(Cache())
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 3*24*time.Hour {
			os.Remove(filepath.Join(Cache(), e.Name()))
		}
	}
}
