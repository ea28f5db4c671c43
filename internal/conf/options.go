package conf

import (
	"fmt"
	"math"
	"strings"

	"drbd/internal/genl"
)

// Class is a group of options that go to the module with the same command (section 8).
type Class int

// Classes.
const (
	ClassNet Class = iota
	ClassDisk
	ClassDevice
	ClassPeerDevice
	ClassResource
	ClassStartup
	ClassHandlers
	ClassProxy
	classCount
)

func number(name string, low, high int64, deflt uint64, scale, unit string) *genl.Field {
	return &genl.Field{Name: name, Option: name, Type: genl.TypeU64, Ranged: true, Min: low, Max: high, Default: deflt, Scale: scale, Unit: unit}
}

func flag(name string) *genl.Field { return &genl.Field{Name: name, Option: name, Type: genl.TypeFlag} }

func texts(names ...string) []*genl.Field {
	var out []*genl.Field
	for _, n := range names {
		out = append(out, &genl.Field{Name: n, Option: n, Type: genl.TypeString})
	}
	return out
}

// Handlers are the events for which a command can be configured (section 8.5).
var Handlers = []string{"pri-on-incon-degr", "pri-lost-after-sb", "pri-lost", "initial-split-brain", "split-brain", "fence-peer", "unfence-peer",
	"local-io-error", "before-resync-target", "after-resync-target", "before-resync-source", "out-of-sync", "quorum-lost", "disconnected"}

const waitMax = 300000

var startupFields = []*genl.Field{
	number("wfc-timeout", 0, waitMax, 0, "", "seconds"), number("degr-wfc-timeout", 0, waitMax, 0, "", "seconds"),
	number("outdated-wfc-timeout", 0, waitMax, 0, "", "seconds"), flag("wait-after-sb"), flag("stacked-timeouts"),
}

var proxyFields = []*genl.Field{
	number("memlimit", 0, math.MaxInt64, 0, "", "bytes"), number("read-loops", 0, math.MaxInt64, 0, "", ""),
	number("compression", 0, math.MaxInt64, 0, "", ""), number("bwlimit", 0, math.MaxInt64, 0, "", "bytes/second"),
	number("sndbuf-size", 0, 134217728, 0, "", "bytes"), number("rcvbuf-size", 0, 134217728, 0, "", "bytes"),
	number("ping-timeout", 1, 300, 5, "", "1/10 seconds"),
}

// classFields has the options of each class. What goes to the module comes from the description of its messages.
var classFields = [classCount][]*genl.Field{
	ClassNet: genl.SetNetConf.Info().Options(), ClassDisk: genl.SetDiskConf.Info().Options(), ClassDevice: genl.SetDeviceConf.Info().Options(),
	ClassPeerDevice: genl.SetPeerDeviceOpts.Info().Options(), ClassResource: genl.SetResourceOpts.Info().Options(),
	ClassStartup: startupFields, ClassHandlers: texts(Handlers...), ClassProxy: proxyFields,
}

// Field describes an option, nil when the class has no such option.
func (c Class) Field(name string) *genl.Field {
	for _, f := range classFields[c] {
		if f.Option == name {
			return f
		}
	}
	return nil
}

// Fields lists the options of a class.
func (c Class) Fields() []*genl.Field { return classFields[c] }

// section is a list of classes in the order of look-up (section 8.3).
type section struct {
	name    string
	classes []Class
}

var (
	sectionNet        = &section{"net", []Class{ClassNet}}
	sectionDisk       = &section{"disk", []Class{ClassDisk, ClassPeerDevice, ClassDevice}}
	sectionPeerDisk   = &section{"disk", []Class{ClassPeerDevice}}
	sectionOptions    = &section{"options", []Class{ClassResource}}
	sectionStartup    = &section{"startup", []Class{ClassStartup}}
	sectionHandlers   = &section{"handlers", []Class{ClassHandlers}}
	sectionProxy      = &section{"proxy", []Class{ClassProxy}}
	sectionSyncer     = &section{"syncer", []Class{ClassNet, ClassDisk, ClassResource, ClassPeerDevice}}
	sectionsToSuggest = []*section{sectionNet, sectionDisk, sectionOptions, sectionStartup, sectionHandlers, sectionProxy}
)

func (s *section) find(name string) (Class, *genl.Field) {
	for _, c := range s.classes {
		if f := c.Field(name); f != nil {
			return c, f
		}
	}
	return 0, nil
}

func (s *section) names() []string {
	var out []string
	for _, c := range s.classes {
		for _, f := range classFields[c] {
			out = append(out, f.Option)
		}
	}
	for _, l := range legacyOptions {
		if l.section == s.name {
			out = append(out, l.name)
		}
	}
	return out
}

// unknownOption says where an option belongs, or what was probably meant.
func (s *section) unknownOption(name string) string {
	text := fmt.Sprintf("'%s' is no option of section '%s'", name, s.name)
	for _, other := range sectionsToSuggest {
		if _, f := other.find(strings.TrimPrefix(name, "no-")); f != nil {
			return fmt.Sprintf("%s; it belongs into '%s { }'", text, other.name)
		}
	}
	for _, l := range legacyOptions {
		if l.name == name && l.toSection != nil {
			return fmt.Sprintf("%s; today it is '%s { %s }'", text, l.toSection.name, l.toName)
		}
	}
	return text + didYouMean(name, s.names())
}

// Canonical reads a value: numbers and flags come out in one spelling, so that equal values have equal texts.
func Canonical(c Class, name, value string) (string, error) {
	f := c.Field(name)
	if f == nil {
		return "", fmt.Errorf("no option '%s'", name)
	}
	return canonical(f, value)
}

func canonical(f *genl.Field, value string) (string, error) {
	switch {
	case f.Type == genl.TypeString:
		if f.Size > 0 && len(value) >= f.Size {
			return "", fmt.Errorf("%s is too long: possible are %d bytes", f.Option, f.Size-1)
		}
		return value, nil
	case f.Type == genl.TypeFlag:
		if value != "yes" && value != "no" {
			return "", fmt.Errorf("%s must be yes or no, not '%s'", f.Option, shorten(value))
		}
		return value, nil
	case strings.HasPrefix(f.Option, "tls-"):
		return value, nil // the name of a key
	}
	n, err := f.Parse(value, genl.ParseNumber)
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.Option, err)
	}
	return f.Format(n), nil
}

// SameValue compares two values of an option by meaning: 1M and 1024K are the same.
func SameValue(c Class, name, a, b string) bool {
	ca, errA := Canonical(c, name, a)
	cb, errB := Canonical(c, name, b)
	if errA != nil || errB != nil {
		return a == b
	}
	return ca == cb
}

// IsDefault reports whether a value is what the module takes without being told.
func IsDefault(c Class, name, value string) bool {
	f := c.Field(name)
	if f == nil {
		return false
	}
	if f.Type == genl.TypeString || strings.HasPrefix(name, "tls-") && f.Type != genl.TypeFlag {
		return value == ""
	}
	text, err := canonical(f, value)
	return err == nil && text == f.Format(f.Default)
}

// checkValue is canonical with the exceptions of configuration files: names of hosts and resources instead of numbers.
func (p *parser) checkValue(c Class, f *genl.Field, o *Option) error {
	switch {
	case f.Option == "resync-after" && !p.show:
		if o.Value == "" || strings.HasPrefix(o.Value, "minor-") {
			return fmt.Errorf("resync-after must be the name of a resource, or RESOURCE/VOLUME, not '%s'", o.Value)
		}
		return nil
	case f.Option == "after-sb-0pri" && strings.HasPrefix(o.Value, discardNode):
		return nil
	case f.Option == "protocol":
		o.Value = strings.ToUpper(o.Value)
	}
	_, err := canonical(f, o.Value)
	return err
}

// discardNode is the beginning of a value that names a host (section 7.4).
const discardNode = "discard-node-"
