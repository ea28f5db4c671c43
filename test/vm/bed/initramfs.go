package bed

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"drbd/test/vm/proto"
)

// tools are our programs, put into /usr/sbin of a machine of our flavour.
var tools = []string{"drbdadm", "drbdsetup", "drbdmeta"}

// writeInitramfs makes what the machine boots from: the guest program, the
// modules to reach the root image, and the payload, which is the topmost layer of
// the root: module lists, our module and tools, and the files of SetFile.
func (m *Machine) writeInitramfs() error {
	m.bed.mu.Lock() // the module tree is made once per bed
	tree, err := m.bed.moduleTree(m.spec)
	m.bed.mu.Unlock()
	if err != nil {
		return err
	}
	out, err := os.Create(m.path("initramfs"))
	if err != nil {
		return err
	}
	defer out.Close()
	c := newCPIO(out)
	m.addBoot(c, tree)
	m.addPayload(c, tree)
	return c.close()
}

func (m *Machine) addBoot(c *cpio, tree *moduleTree) {
	cache := cacheDir(m.bed.top)
	c.file("payload/usr/sbin/bed-guest", modeExec, filepath.Join(cache, "bin/guest"))
	c.link("init", "/payload/usr/sbin/bed-guest")
	layers := []string{"modules-" + m.spec.Kernel, "base"}
	if m.spec.Flavour == Stock {
		layers = append([]string{"stock"}, layers...)
	}
	config, err := json.Marshal(proto.Config{Hostname: m.Name, Address: m.Address + "/24", MTU: m.spec.MTU, Layers: layers})
	if err != nil {
		c.err = err
		return
	}
	c.bytes("config.json", modeFile, config)
	order, err := tree.loadOrder(bootModules)
	if err != nil {
		c.err = err
		return
	}
	for i, file := range order {
		c.file(fmt.Sprintf("boot-modules/%02d-%s", i, filepath.Base(file)), modeFile, filepath.Join(tree.dir, "lib/modules", tree.release, file))
	}
}

// hostFiles are where an installation puts what the host calls, without the configuration: that is the test's.
var hostFiles = []string{"etc/init.d", "usr/lib/drbd"}

func (m *Machine) addHostFiles(c *cpio) {
	dir, err := m.bed.installHost()
	for _, part := range hostFiles {
		if err != nil {
			break
		}
		err = filepath.WalkDir(filepath.Join(dir, part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name := "payload/" + strings.TrimPrefix(path, dir+"/")
			if d.Type()&fs.ModeSymlink != 0 {
				target, err := os.Readlink(path)
				c.link(name, target)
				return err
			}
			c.file(name, modeExec, path)
			return nil
		})
	}
	if err != nil && c.err == nil {
		c.err = err
	}
}

// installHost runs the part of `make install` about the host, once for all machines.
func (b *Bed) installHost() (dir string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	dir = filepath.Join(b.dir, "host")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	out, err := exec.Command(filepath.Join(b.top, "scripts/install-host"), dir).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("scripts/install-host: %w: %s", err, out)
	}
	return dir, nil
}

func (m *Machine) addPayload(c *cpio, tree *moduleTree) {
	lib := "usr/lib/modules/" + tree.release
	from := filepath.Join(tree.dir, "lib/modules", tree.release)
	lists, _ := filepath.Glob(from + "/modules.*")
	for _, list := range lists {
		c.file("payload/"+lib+"/"+filepath.Base(list), modeFile, list)
	}
	if m.spec.Flavour == Ours {
		c.file("payload/"+lib+"/updates/drbd.ko", modeFile, from+"/updates/drbd.ko")
		for _, tool := range tools {
			c.file("payload/usr/sbin/"+tool, modeExec, filepath.Join(m.bed.top, "bin", tool))
		}
		c.dir("payload/var/lib/drbd")
		m.addHostFiles(c)
	}
	for _, helper := range []string{"fsync-writer", "block-hammer", "ledger-write", "ledger-check"} {
		c.link("payload/usr/bin/"+helper, "/usr/sbin/bed-guest")
	}
	c.bytes("payload/etc/hostname", modeFile, []byte(m.Name+"\n"))
	hosts := "127.0.0.1 localhost\n"
	for _, other := range m.bed.Machines() {
		hosts += other.Address + " " + other.Name + "\n"
	}
	c.bytes("payload/etc/hosts", modeFile, []byte(hosts))
	m.mu.Lock()
	defer m.mu.Unlock()
	var paths []string
	for path := range m.files {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		c.bytes("payload"+path, modeFile, m.files[path])
	}
}
