package bed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// moduleTree is a kernel's modules as one kind of machine sees them: the stock
// ones the root image has and, for our flavour, our drbd.ko before them.
type moduleTree struct {
	release string
	dir     string            // holds lib/modules/RELEASE
	depends map[string]string // module file, relative: what it needs, in load order reversed
	builtin map[string]bool   // by module name
}

// bootModules are loaded by the guest's init, for it cannot reach modprobe yet.
var bootModules = []string{"virtio_pci", "virtio_blk", "virtio_console", "virtio_net", "ext4", "overlay"}

// oldBootModules go before them where they exist: ext4 asked the crypto API for its checksum until 6.14.
var oldBootModules = []string{"crc32c_generic"}

func (b *Bed) moduleTree(spec Spec) (*moduleTree, error) {
	cache := cacheDir(b.top)
	release, err := os.ReadFile(filepath.Join(cache, "kernel", spec.Kernel, "release"))
	if err != nil {
		return nil, fmt.Errorf("kernel %s is not there (%w): run `make guest`", spec.Kernel, err)
	}
	t := &moduleTree{release: strings.TrimSpace(string(release))}
	t.dir = filepath.Join(b.dir, "modules-"+spec.Kernel+"-"+spec.Flavour.String())
	into := filepath.Join(t.dir, "lib/modules", t.release)
	if _, err := os.Stat(into); errors.Is(err, fs.ErrNotExist) {
		if err := b.stageModules(t, spec, into); err != nil {
			os.RemoveAll(t.dir)
			return nil, err
		}
	}
	return t, t.readLists(into)
}

func (b *Bed) stageModules(t *moduleTree, spec Spec, into string) error {
	cache := cacheDir(b.top)
	from := filepath.Join(cache, "guest/tree/modules-"+spec.Kernel, "usr/lib/modules", t.release)
	if err := linkTree(from, into); err != nil {
		return fmt.Errorf("modules of kernel %s: %w: run `make guest`", spec.Kernel, err)
	}
	if spec.Flavour == Ours {
		ko := filepath.Join(cache, "module", spec.Kernel, "drbd.ko")
		if err := os.MkdirAll(filepath.Join(into, "updates"), 0o755); err != nil {
			return err
		}
		out, err := exec.Command("strip", "--strip-debug", "-o", filepath.Join(into, "updates/drbd.ko"), ko).CombinedOutput()
		if err != nil {
			return fmt.Errorf("our module for kernel %s: %w: %s: run `make module KVER=%s`", spec.Kernel, err, out, spec.Kernel)
		}
	}
	out, err := exec.Command("depmod", "-b", t.dir, t.release).CombinedOutput()
	if err != nil {
		return fmt.Errorf("depmod (package kmod): %w: %s", err, out)
	}
	return nil
}

// linkTree copies a tree of files by hard links, by copies across file systems.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		if os.Link(path, target) == nil {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}

func (t *moduleTree) readLists(into string) error {
	dep, err := os.ReadFile(filepath.Join(into, "modules.dep"))
	if err != nil {
		return err
	}
	t.depends = map[string]string{}
	for line := range strings.Lines(string(dep)) {
		file, needs, _ := strings.Cut(strings.TrimSpace(line), ":")
		t.depends[file] = needs
	}
	builtin, err := os.ReadFile(filepath.Join(into, "modules.builtin"))
	if err != nil {
		return err
	}
	t.builtin = map[string]bool{}
	for line := range strings.Lines(string(builtin)) {
		t.builtin[moduleName(strings.TrimSpace(line))] = true
	}
	return nil
}

func moduleName(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// loadOrder is the files of the named modules and all they need, each after what
// it needs.
func (t *moduleTree) loadOrder(names []string) ([]string, error) {
	byName := map[string]string{}
	for file := range t.depends {
		byName[moduleName(file)] = file
	}
	var order []string
	seen := map[string]bool{}
	var add func(file string)
	add = func(file string) {
		if seen[file] {
			return
		}
		seen[file] = true
		for _, need := range strings.Fields(t.depends[file]) {
			add(need)
		}
		order = append(order, file)
	}
	for _, name := range oldBootModules {
		if file, ok := byName[name]; ok {
			add(file)
		}
	}
	for _, name := range names {
		if t.builtin[name] {
			continue
		}
		file, ok := byName[name]
		if !ok {
			return nil, fmt.Errorf("kernel %s has no module %s among the ones of the root image", t.release, name)
		}
		add(file)
	}
	return order, nil
}
