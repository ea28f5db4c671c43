package conf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Sources says what to read.
type Sources struct {
	File string // the main file; "-" is standard input
	// Test are files that are read in addition, after the main file; Exclude are files that includes leave out.
	Test, Exclude []string
	Stdin         io.Reader
	// ModuleVersion answers require-drbd-module-version statements: "9.3.3", "" when there is no module.
	ModuleVersion func() string
}

// Default are the places where the main file is looked for (section 4.1).
var Default = []string{"/etc/drbd-90.conf", "/etc/drbd-84.conf", "/etc/drbd-83.conf", "/etc/drbd-82.conf", "/etc/drbd-08.conf", "/etc/drbd.conf"}

// FindDefault returns the first place that can be read, or the last one.
func FindDefault() string {
	for _, name := range Default {
		if f, err := os.Open(name); err == nil {
			_ = f.Close()
			return name
		}
	}
	return Default[len(Default)-1]
}

// ErrNoFile: the main file cannot be read. ErrDirectory: it is a directory.
var (
	ErrNoFile    = errors.New("cannot read the configuration file")
	ErrDirectory = errors.New("is a directory, not a configuration file")
)

// loader opens files for one configuration, each at most once.
type loader struct {
	cfg     *Config
	sources Sources
	seen    map[string]bool
	told    map[string]bool
}

// Load reads a configuration. Mistakes in it are in its Diagnostics; the error says that there is nothing to read.
func Load(s Sources) (*Config, error) {
	l := &loader{cfg: &Config{File: s.File}, sources: s, seen: map[string]bool{}, told: map[string]bool{}}
	text, name, err := l.main()
	if err != nil {
		return nil, err
	}
	l.cfg.File = name
	for _, f := range s.Exclude {
		l.once(f)
	}
	p := l.parser()
	p.file(name, text)
	for _, f := range s.Test {
		text, err := readFile(f)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoFile, err)
		}
		p.file(f, text)
	}
	l.cfg.finish()
	return l.cfg, nil
}

// Parse reads one text.
func Parse(name, text string) *Config {
	l := &loader{cfg: &Config{File: name}, seen: map[string]bool{}, told: map[string]bool{}}
	l.parser().file(name, text)
	l.cfg.finish()
	return l.cfg
}

// ParseShow reads the output of `drbdsetup show` (section 13.1).
func ParseShow(text string) *Config {
	l := &loader{cfg: &Config{File: "drbdsetup show"}, seen: map[string]bool{}, told: map[string]bool{}}
	p := l.parser()
	p.show = true
	p.file(l.cfg.File, text)
	return l.cfg
}

func (l *loader) parser() *parser {
	return &parser{load: l, cfg: l.cfg, told: l.told}
}

func (l *loader) main() (text, name string, err error) {
	if l.sources.File == "-" {
		var text strings.Builder
		_, err := io.Copy(&text, l.sources.Stdin)
		return text.String(), "STDIN", err
	}
	if info, err := os.Stat(l.sources.File); err == nil && info.IsDir() {
		return "", "", fmt.Errorf("%s %w", l.sources.File, ErrDirectory)
	}
	text, err = readFile(l.sources.File)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrNoFile, err)
	}
	l.once(l.sources.File)
	return text, l.sources.File, nil
}

// readFile is os.ReadFile for text, which need not be copied then.
func readFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var text strings.Builder
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		text.Grow(int(info.Size()))
	}
	_, err = io.Copy(&text, f)
	return text.String(), err
}

// once reports whether a file has not been read yet, and notes it as read.
func (l *loader) once(name string) bool {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		real = name
	}
	if abs, err := filepath.Abs(real); err == nil {
		real = abs
	}
	if l.seen[real] {
		return false
	}
	l.seen[real] = true
	return true
}

// relative resolves a name as it stands in a file.
func relative(pos Pos, name string) string {
	if filepath.IsAbs(name) || pos.File() == "STDIN" {
		return name
	}
	return filepath.Join(filepath.Dir(pos.File()), name)
}

// include reads the files of a pattern (section 4.2).
func (l *loader) include(p *parser, t token) {
	pattern := relative(t.pos, t.text)
	isPattern := strings.ContainsAny(t.text, "*?[")
	names := []string{pattern}
	if isPattern {
		var err error
		if names, err = filepath.Glob(pattern); err != nil {
			p.add(t.pos, Error, "the pattern '%s' is not valid", t.text)
		}
	}
	for _, name := range names {
		if !l.once(name) {
			continue
		}
		text, err := readFile(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && isPattern: // went away meanwhile
		case err != nil:
			p.add(t.pos, Error, "cannot read the file to include: %v", err)
		default:
			p.file(name, text)
		}
	}
}

// template reads the file with the defaults of one resource (section 4.3).
func (l *loader) template(p *parser, r *Resource) {
	name := relative(r.TemplatePos, r.Template)
	text, err := readFile(name)
	if err != nil {
		p.add(r.TemplatePos, Error, "cannot read the template file: %v", err)
		return
	}
	own := &loader{cfg: &Config{File: name}, seen: map[string]bool{}, told: l.told}
	own.parser().file(name, text)
	for _, d := range own.cfg.Diagnostics {
		d.Resource = p.resourceName()
		l.cfg.Diagnostics = append(l.cfg.Diagnostics, d)
	}
	if own.cfg.Common == nil || len(own.cfg.Resources) > 0 || own.cfg.Global != nil {
		p.add(r.TemplatePos, Error, "a template file must have one section 'common' and nothing else: %s", name)
		return
	}
	r.Defaults = own.cfg.Common
}

// versionChecks compares the module's version with the wanted one.
var versionChecks = map[string]struct {
	sign string
	ok   func(order int) bool
}{
	"eq": {"==", func(o int) bool { return o == 0 }}, "ne": {"!=", func(o int) bool { return o != 0 }},
	"gt": {">", func(o int) bool { return o > 0 }}, "ge": {">=", func(o int) bool { return o >= 0 }},
	"lt": {"<", func(o int) bool { return o < 0 }}, "le": {"<=", func(o int) bool { return o <= 0 }},
}

// require reads `require-drbd-module-version-OP X.Y.Z;` (section 5).
func (p *parser) require(kw token, op string) bool {
	p.cfg.Modern = true
	t, ok := p.word("a version, such as 9.0.16")
	if !ok {
		return false
	}
	wanted, err := ParseVersion(t.text)
	if err != nil {
		return p.wrong(t.pos, "%v", err) && p.end(t.pos)
	}
	have := ""
	if p.load.sources.ModuleVersion != nil {
		have = p.load.sources.ModuleVersion()
	}
	version, err := ParseVersion(have)
	check := versionChecks[op]
	switch {
	case err != nil:
		p.wrong(kw.pos, "the version of the drbd module is not known: is it installed? (modprobe drbd)")
	case !check.ok(version - wanted):
		p.wrong(kw.pos, "this configuration needs a drbd module with version %s %s, but it is %s", check.sign, t.text, have)
	}
	return p.end(t.pos)
}

// ParseVersion turns X.Y.Z into one number, as scripts compare it.
func ParseVersion(text string) (int, error) {
	parts := strings.Split(text, ".")
	version := 0
	for i := range 3 {
		n := 0
		var err error
		if i < len(parts) {
			digits, _, _ := strings.Cut(parts[i], "-")
			if n, err = strconv.Atoi(digits); err != nil || n < 0 || n > 255 {
				return 0, fmt.Errorf("'%s' is no version: it must be three numbers such as 9.0.16", text)
			}
		}
		version = version<<8 | n
	}
	if len(parts) < 2 || len(parts) > 3 {
		return 0, fmt.Errorf("'%s' is no version: it must be three numbers such as 9.0.16", text)
	}
	return version, nil
}

// finish decides what needs the whole configuration.
func (c *Config) finish() {
	if c.Global == nil {
		c.Global = newGlobal(Pos{})
	}
	var common Options
	if c.Common != nil {
		common = c.Common.Options[ClassHandlers]
		panicOnError(c.Common.Options[ClassDisk], common)
	}
	for _, r := range c.Resources {
		handlers := r.Options[ClassHandlers]
		panicOnError(r.Options[ClassDisk], handlers, common)
		for _, v := range r.Volumes {
			panicOnError(v.Options[ClassDisk], handlers, common)
		}
		for _, h := range r.Hosts {
			panicOnError(h.Options[ClassDisk], handlers, common)
			for _, v := range h.Volumes {
				panicOnError(v.Options[ClassDisk], handlers, common)
			}
		}
	}
}
