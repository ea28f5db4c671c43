package meta

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The note about a device with internal metadata: its size, so that the metadata can be found after the device grew (section 7.9).

type lastKnown struct {
	size int64
	uuid uint64 // 0: not noted
}

func (s *session) notePath() string {
	return filepath.Join(s.env.StateDir, fmt.Sprintf("drbd-minor-%d.lkbd", s.minor))
}

// noted: a note is kept only for a device with a minor of its own; one file for all devices without would mix them up.
func (s *session) noted() bool {
	return s.minor != noMinor && s.index.internal() && s.format != V07
}

func (s *session) readNote() (lastKnown, bool) {
	var k lastKnown
	if !s.noted() {
		return k, false
	}
	text, err := os.ReadFile(s.notePath())
	if err != nil {
		return k, false
	}
	for i, line := range strings.Split(string(text), "\n") {
		word, rest, _ := strings.Cut(line, "\t")
		if i == 0 {
			if k.size, err = strconv.ParseInt(word, 10, 64); err != nil || k.size <= 0 {
				s.warn("%s: '%s' is not a size, ignored", s.notePath(), word)
				return k, false
			}
		} else if word == "uuid:" {
			k.uuid, _ = strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
		}
	}
	return k, true
}

// findLastKnown looks for metadata at the end that the device had before.
func (s *session) findLastKnown() (*area, error) {
	k, ok := s.readNote()
	if !ok || k.size >= s.dev.size || k.size < minDeviceBytes {
		return nil, nil
	}
	s.detail(1, "last known size of minor %d: %d bytes, now %d", s.minor, k.size, s.dev.size)
	a, err := s.tryRead(s.format, s.index, k.size, false)
	if a == nil || err != nil {
		return nil, err
	}
	if k.uuid != 0 && a.sb.DeviceUUID != k.uuid {
		s.warn("Last known and found uuid differ!?\n%016X != %016X", k.uuid, a.sb.DeviceUUID)
		if !s.opt.Force {
			s.warn("You may --force me to ignore that.")
			return nil, nil
		}
		s.warn("You --force'ed me to ignore that.")
	}
	return a, nil
}

// noteDevice writes the note about metadata that was stored, or removes it where it would mislead. Metadata is good without it, so
// that a failure is only told.
func (s *session) noteDevice(a *area) {
	if s.minor == noMinor || s.opt.DryRun {
		return
	}
	if !s.noted() {
		s.dropNote()
		return
	}
	text := fmt.Sprintf("%d\t%s\n", s.dev.size, s.dev.path)
	if a.sb.DeviceUUID != 0 {
		text += fmt.Sprintf("uuid:\t%016X\n", a.sb.DeviceUUID)
	}
	path := s.notePath()
	err := os.MkdirAll(s.env.StateDir, 0o755)
	if err == nil {
		err = os.WriteFile(path+".new", []byte(text), 0o600)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		s.warn("%v: the metadata will not be found again if %s grows while it is not in use", err, s.dev.path)
	}
}

func (s *session) dropNote() {
	if s.minor == noMinor || s.opt.DryRun {
		return
	}
	if err := os.Remove(s.notePath()); err != nil && !os.IsNotExist(err) {
		s.warn("%v", err)
	}
}
