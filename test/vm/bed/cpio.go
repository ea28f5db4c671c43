package bed

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
)

// cpio writes a "newc" archive, the format of an initramfs. The first error sticks.
type cpio struct {
	w    *bufio.Writer
	ino  int
	dirs map[string]bool
	err  error
}

func newCPIO(w io.Writer) *cpio {
	return &cpio{w: bufio.NewWriterSize(w, 1<<20), dirs: map[string]bool{".": true}}
}

const (
	modeDir  = 0o040755
	modeLink = 0o120777
	modeFile = 0o100644
	modeExec = 0o100755
)

func (c *cpio) entry(name string, mode int, size int64, body io.Reader) {
	if c.err != nil {
		return
	}
	c.ino++
	fmt.Fprintf(c.w, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.ino, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name)+1, 0)
	c.w.WriteString(name)
	c.w.WriteByte(0)
	c.pad(110 + len(name) + 1)
	if body != nil {
		n, err := io.Copy(c.w, body)
		if err == nil && n != size {
			err = fmt.Errorf("%s changed while it was read", name)
		}
		c.err = err
	}
	c.pad(int(size))
}

func (c *cpio) pad(n int) {
	for ; n%4 != 0; n++ {
		c.w.WriteByte(0)
	}
}

// parents makes the folders above name.
func (c *cpio) parents(name string) {
	dir := path.Dir(name)
	if c.dirs[dir] {
		return
	}
	c.parents(dir)
	c.dirs[dir] = true
	c.entry(dir, modeDir, 0, nil)
}

func (c *cpio) dir(name string) {
	c.parents(name + "/x")
}

func (c *cpio) bytes(name string, mode int, data []byte) {
	c.parents(name)
	c.entry(name, mode, int64(len(data)), bytes.NewReader(data))
}

func (c *cpio) link(name, target string) { c.bytes(name, modeLink, []byte(target)) }

func (c *cpio) file(name string, mode int, source string) {
	if c.err != nil {
		return
	}
	f, err := os.Open(source)
	if err != nil {
		c.err = err
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		c.err = err
		return
	}
	c.parents(name)
	c.entry(name, mode, info.Size(), f)
}

func (c *cpio) close() error {
	c.entry("TRAILER!!!", 0, 0, nil)
	if err := c.w.Flush(); c.err == nil {
		c.err = err
	}
	return c.err
}
