package meta

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// What lies on the device already (section 7.6).

const probeBytes = 68 << 10

// content is what was recognised.
type content struct {
	what  string
	bytes uint64 // how much it uses; 0: unknown
	some  bool   // not recognised, but not empty either
}

// signature is one row of what can be recognised.
type signature struct {
	what  string
	match func(head []byte) bool
	bytes func(head []byte) uint64
}

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

func magicAt(at int, magics ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, m := range magics {
			if bytes.HasPrefix(head[at:], []byte(m)) {
				return true
			}
		}
		return false
	}
}

func isExt(head []byte) bool { return le.Uint16(head[0x438:]) == 0xEF53 }

func extBytes(head []byte) uint64 {
	return uint64(le.Uint32(head[0x404:])) << 10 << (le.Uint32(head[0x418:]) & 15)
}

// signatures in the order of looking. Those without a size cannot be seen to fit in front of internal metadata.
var signatures = []signature{
	{"swap space signature", func(h []byte) bool {
		for _, page := range []int{4096, 8192} {
			if end := h[page-10 : page]; string(end) == "SWAP-SPACE" || string(end) == "SWAPSPACE2" {
				return true
			}
		}
		return false
	}, nil},
	{"LVM2 physical volume signature", magicAt(0x218, "LVM2"), nil},
	{"ext3 filesystem", func(h []byte) bool { return isExt(h) && h[0x45C]&4 != 0 }, extBytes},
	{"ext2 filesystem", isExt, extBytes},
	{"xfs filesystem", magicAt(0, "XFSB"), func(h []byte) uint64 { return uint64(be.Uint32(h[4:])) * be.Uint64(h[8:]) }},
	{"JFS filesystem", magicAt(0x8000, "JFS1"), func(h []byte) uint64 { return le.Uint64(h[0x8008:]) * uint64(le.Uint32(h[0x8018:])) }},
	{"reiser filesystem", magicAt(0x10034, "ReIsErFs", "ReIsEr2Fs"),
		func(h []byte) uint64 { return uint64(le.Uint32(h[0x10000:])) * uint64(le.Uint16(h[0x1002C:])) }},
	{"btrfs filesystem", magicAt(0x10040, "_BHRfS_M"), func(h []byte) uint64 { return le.Uint64(h[0x10070:]) }},
	{"LUKS header", magicAt(0, "LUKS\xba\xbe", "SKUL\xba\xbe"), nil},
	{"GPT partition table", magicAt(512, "EFI PART"), nil},
	{"partition table", isPartitioned, nil},
}

// isPartitioned: the mark of an MBR, and entries that make sense; a boot sector of a file system has the mark, too.
func isPartitioned(head []byte) bool {
	if head[510] != 0x55 || head[511] != 0xAA {
		return false
	}
	used := 0
	for at := 446; at < 510; at += 16 {
		e := head[at : at+16]
		if e[0]&0x7f != 0 {
			return false
		}
		if e[4] != 0 && le.Uint32(e[12:]) != 0 {
			used++
		}
	}
	return used > 0
}

// identify looks at the first bytes of a device.
func identify(head []byte) *content {
	if len(bytes.TrimLeft(head, "\x00")) == 0 {
		return nil
	}
	for _, s := range signatures {
		if !s.match(head) {
			continue
		}
		c := &content{what: s.what}
		if s.bytes != nil {
			c.bytes = s.bytes(head)
		}
		return c
	}
	return &content{what: "some data", some: true}
}

// checkData refuses, or asks, before metadata is put on a device that is not empty.
func (s *session) checkData(l Layout) error {
	head := alignedBuffer(probeBytes)
	if err := s.dev.readAt(head, 0, "begin of the device"); err != nil {
		return err
	}
	c := identify(head)
	if c == nil {
		return nil
	}
	s.say("md_offset %d\nal_offset %d\nbm_offset %d\n\nFound %s", l.Superblock, l.AL(), l.BM(), c.what)
	usable := l.Capacity / 2
	switch {
	case c.some:
		s.say("\n ==> This might destroy existing data! <==")
	case l.Index.external():
		s.say("\nThis would corrupt existing data.")
		return s.insist()
	default:
		if strings.HasPrefix(c.what, "LVM2") {
			c.bytes = s.volumeBytes()
		}
		if err := s.checkFits(c, usable); err != nil || c.bytes == 0 {
			return err
		}
	}
	if !s.confirm("", "Do you want to proceed?") {
		return fail(exitDeclined, "Operation canceled.")
	}
	return nil
}

// checkFits: a file system must end in front of internal metadata.
func (s *session) checkFits(c *content, usable uint64) error {
	used := c.bytes / 1024
	if c.bytes == 0 {
		if strings.HasPrefix(c.what, "LVM2") {
			s.say("Could not determine the size of the actually used data area.")
		}
		s.say("%12d kB left usable by current configuration\n", usable)
		s.sayTruncated()
		return s.insist()
	}
	s.say("%12d kB data area apparently used\n%12d kB left usable by current configuration\n", used, usable)
	if used > usable {
		s.sayTruncated()
		s.say("\nYou need to either\n   * use external meta data (recommended)\n   * shrink that filesystem first\n" +
			"   * zero out the device (destroy the filesystem)\nOperation refused.\n")
		return fail(exitRefused, "")
	}
	s.say("Even though it looks like this would place the new meta data into\nunused space, you still need to confirm, as this is only a guess.")
	return nil
}

func (s *session) sayTruncated() {
	s.say("Device size would be truncated, which\nwould corrupt data and result in\n'access beyond end of device' errors.")
}

// insist lets only --ignore-sanity-checks pass.
func (s *session) insist() error {
	if s.opt.IgnoreSanityChecks {
		s.say("Ignoring sanity check on user request.\n")
		return nil
	}
	s.say("If you want me to do this, you need to zero out the first part\nof the device (destroy the content).\n" +
		"You should be very sure that you mean it.\nOperation refused.\n")
	return fail(exitRefused, "")
}

// volumeBytes asks LVM for the size of a physical volume, 0 when it does not answer.
func (s *session) volumeBytes() uint64 {
	out, err := exec.CommandContext(s.ctx, "pvs", "-o", "pv_size", "--noheadings", "--nosuffix", "--units", "b", s.dev.path).Output()
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(fmt.Sprintf("%s", out)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
