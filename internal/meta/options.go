package meta

import (
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// options is the command line (section 7.1). Numbers are read later: their units differ.
type options struct {
	Force              bool   `short:"f"`
	Quiet              bool   `short:"q"`
	Verbose            int    `short:"v" type:"counter"`
	DryRun             bool   `name:"dry-run" aliases:"tentative"`
	IgnoreSanityChecks bool   `name:"ignore-sanity-checks"`
	VarLib             string `name:"var-lib-drbd"`

	NodeID           *string `short:"i" name:"node-id"`
	PeerMaxBioSize   *string `short:"p" name:"peer-max-bio-size"`
	EffectiveSize    *string `short:"Z" name:"effective-size"`
	DiskfulPeers     *string `short:"D" name:"diskful-peers"`
	ALStripes        *string `short:"s" name:"al-stripes"`
	ALStripeSizeKB   *string `short:"z" name:"al-stripe-size-kB"`
	BitmapBlockSize  *string `short:"B" name:"bitmap-block-size"`
	InitializeBitmap *string `short:"b" name:"initialize-bitmap"`
	OutputFormat     *string `short:"o" name:"output-format"`
	CurrentUUID      *string `name:"initial-current-uuid"`
	Consistent       bool    `name:"consistent"`
	UpToDate         bool    `name:"uptodate"`
	PeersOutdated    bool    `name:"peers-outdated"`
	RotateUUIDs      bool    `name:"rotate-uuids"`

	Words []string `arg:"" optional:""`
}

// givenOptions are the options with their values.
type givenOptions struct {
	nodeID         int // with v09 only where it is required
	peerMaxBioSize uint32
	effectiveSize  uint64
	diskfulPeers   uint32
	alStripes      uint32 // 0: not given
	alStripe4k     uint32
	bytesPerBit    uint32
	currentUUID    uint64 // 0: not given
	generateUUID   bool
	bitmapInit     string
	outputFormat   string
}

// command is one row of the table of commands.
type command struct {
	name      string
	arguments string // in the usage text
	run       func(*session) error

	modifies    bool // not while the device is attached
	hidden      bool // not in the usage text
	nodeID      bool // takes --node-id; v09 requires it
	readOnly    bool // never writes
	raw         bool // any content, also of a busy device
	neverShared bool // does not ask about a busy device
	makes       bool // makes metadata of the format that it is told; others take v08 where v09 is asked for
	noDevice    bool // works on a file only
	args        int  // how many arguments it takes
}

var commands []command

func init() { // the table refers to functions that look into it
	const createArguments = "[--effective-size {val}] [--diskful-peers {val}] [--peer-max-bio-size {val}] [--al-stripes {val}] " +
		"[--al-stripe-size-kB {val}] [--bitmap-block-size {val}] {max_peers}"
	commands = []command{
		{name: "get-gi", arguments: "--node-id {val} ", run: runGetGI, nodeID: true, readOnly: true},
		{name: "show-gi", arguments: "--node-id {val} ", run: runShowGI, nodeID: true, readOnly: true},
		{name: "dump-md", run: runDump, readOnly: true},
		{name: "dump-superblock", arguments: "[--output-format={binary,hex,json}]", run: runDumpSuperblock, readOnly: true, raw: true},
		{name: "hexdump-superblock", run: runHexdump, readOnly: true, raw: true},
		{name: "restore-md", arguments: "file", run: runRestore, modifies: true, makes: true, args: 1},
		{name: "verify-dump", arguments: "file", run: runVerify, noDevice: true, args: 1},
		{name: "apply-al", run: runApplyAL, modifies: true, neverShared: true},
		{name: "wipe-md", run: runWipe, modifies: true},
		{name: "outdate", run: runOutdate, modifies: true},
		{name: "invalidate", run: runInvalidate, modifies: true},
		{name: "dstate", run: runDstate, readOnly: true},
		{name: "check-resize", run: runCheckResize, modifies: true},
		{name: "create-md", arguments: createArguments, run: runCreate, modifies: true, makes: true, args: 1},
		{name: "forget-peer", arguments: "--node-id {val} ", run: runForgetPeer, modifies: true, nodeID: true},
		{name: "repair-md", arguments: "[--tentative]", run: runRepair, modifies: true},
		{name: "read-dev-uuid", run: runReadDeviceUUID, hidden: true, readOnly: true},
		{name: "write-dev-uuid", run: runWriteDeviceUUID, hidden: true, modifies: true, args: 1},
		{name: "set-gi", run: runSetGI, hidden: true, modifies: true, nodeID: true, args: 1},
	}
}

func printUsage(w io.Writer) {
	fmt.Fprint(w, "\nUSAGE: drbdmeta [--force] [--quiet] DEVICE FORMAT [FORMAT ARGS...] COMMAND [CMD ARGS...]\n\nFORMATS:\n")
	fmt.Fprint(w, "  v06 minor\n  v07 device index\n  v08 device index\n  v09 device index\n\nCOMMANDS:\n")
	for _, c := range commands {
		if !c.hidden {
			fmt.Fprintf(w, "  %s %s\n", c.name, c.arguments)
		}
	}
}

var errUsage = &failure{code: exitUsage, usage: true}

// parse reads the command line into the session; nothing is touched before all of it is good.
func (s *session) parse() error {
	parser, err := kong.New(&s.opt, kong.Name("drbdmeta"), kong.NoDefaultHelp(), kong.Writers(io.Discard, io.Discard),
		kong.Exit(func(int) {}))
	if err != nil {
		return fail(exitInternal, "internal error: %v", err)
	}
	if _, err := parser.Parse(permute(parser.Model.Flags, s.argv)); err != nil {
		return &failure{code: exitUsage, text: err.Error(), usage: true}
	}
	words := s.opt.Words
	if len(words) < 2 {
		return errUsage
	}
	if s.opt.VarLib != "" {
		s.env.StateDir = s.opt.VarLib
	}
	if s.minor, err = parseMinor(words[0]); err != nil {
		return err
	}
	if words, err = s.parseFormat(words[1], words[2:]); err != nil {
		return err
	}
	if len(words) == 0 {
		return fail(exitUsage, "command missing")
	}
	if err := s.parseCommand(words[0], words[1:]); err != nil {
		return err
	}
	return s.parseValues()
}

// permute moves the options to the front, since they may stand anywhere, and completes names that are cut short.
func permute(flags []*kong.Flag, argv []string) []string {
	var options, words []string
	for i := 0; i < len(argv); i++ {
		arg := argv[i]
		if arg == "--" {
			words = append(words, argv[i+1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			words = append(words, arg)
			continue
		}
		var wants bool // the next argument is its value
		if name, ok := strings.CutPrefix(arg, "--"); ok {
			arg, wants = completed(flags, name)
		} else {
			wants = clusterWants(flags, arg[1:])
		}
		options = append(options, arg)
		if wants && i+1 < len(argv) {
			i++
			options = append(options, argv[i])
		}
	}
	return append(append(options, "--"), words...)
}

// completed gives the full form of a long option, and whether its value is the next argument.
func completed(flags []*kong.Flag, text string) (arg string, wants bool) {
	name, value, hasValue := strings.Cut(text, "=")
	var found []*kong.Flag
	var full string
	for _, f := range flags {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if n == name {
				return longOption(n, value, hasValue, f)
			}
			if strings.HasPrefix(n, name) {
				found, full = append(found, f), n
			}
		}
	}
	if len(found) == 1 {
		return longOption(full, value, hasValue, found[0])
	}
	return "--" + text, false
}

func longOption(name, value string, hasValue bool, f *kong.Flag) (arg string, wants bool) {
	if hasValue {
		return "--" + name + "=" + value, false
	}
	return "--" + name, !f.IsBool() && !f.IsCounter()
}

// clusterWants: short options without value may stand together; the first with one takes the rest, or the next argument.
func clusterWants(flags []*kong.Flag, cluster string) bool {
	for i, c := range cluster {
		for _, f := range flags {
			if f.Short == c && !f.IsBool() && !f.IsCounter() {
				return i+1 == len(cluster)
			}
		}
	}
	return false
}

// parseFormat reads FORMAT and its arguments, and gives what is behind.
func (s *session) parseFormat(word string, rest []string) ([]string, error) {
	need := 2
	switch word {
	case "v06":
		need = 1
	case "v07":
		s.format = V07
	case "v08":
		s.format = V08
	case "v09":
		s.format = V09
	default:
		return nil, fail(exitUsage, "Unknown format '%s'.", word)
	}
	if len(rest) < need {
		return nil, fail(exitUsage, "Too few arguments for format")
	}
	if s.format == 0 {
		return nil, fail(exitUsage, "Format v06 is a file of DRBD 0.6, which this tool does not read: use v07, v08 or v09.")
	}
	var err error
	s.devicePath = rest[0]
	s.index, err = ParseIndex(s.format, rest[1])
	return rest[2:], err
}

func (s *session) parseCommand(name string, args []string) error {
	for i := range commands {
		if commands[i].name == name {
			s.command = &commands[i]
		}
	}
	if s.command == nil {
		return fail(exitUsage, "Unknown command '%s'.", name)
	}
	takes := s.command.args
	if name == "create-md" && s.format != V09 {
		takes = 0
	}
	if len(args) > takes {
		s.warn("Ignoring additional arguments")
		args = args[:takes]
	}
	s.args = args
	return nil
}

// parseValues reads the options' values and refuses what does not go together, exit code 10.
func (s *session) parseValues() error {
	if err := s.checkCombination(); err != nil {
		return err
	}
	if err := s.parseNodeID(); err != nil {
		return err
	}
	if err := s.parseShape(); err != nil {
		return err
	}
	return s.parseProvisioning()
}

// checkCombination: which option goes with which command and format.
func (s *session) checkCombination() error {
	name := s.command.name
	rules := []struct {
		given bool
		with  []string
		text  string
		v09   string // name of an option that only v09 has
	}{
		{s.opt.OutputFormat != nil, []string{"dump-superblock"}, "The -o|--output-format option is only allowed with dump-superblock", ""},
		{s.opt.PeerMaxBioSize != nil, []string{"create-md"}, "The --peer-max-bio-size option is only allowed with create-md", ""},
		{s.opt.BitmapBlockSize != nil, []string{"create-md"}, "The --bitmap-block-size option is only allowed with create-md", "bitmap-block-size"},
		{s.opt.ALStripes != nil || s.opt.ALStripeSizeKB != nil, []string{"create-md", "restore-md"},
			"The --al-stripe* options are only allowed with create-md and restore-md", ""},
		{s.opt.EffectiveSize != nil, []string{"create-md"}, "The -Z|--effective-size option is only allowed with create-md", ""},
		{s.opt.DiskfulPeers != nil, []string{"create-md"}, "The -D|--diskful-peers option is only allowed with create-md", ""},
		provisioningRule(s.opt.CurrentUUID != nil, "--initial-current-uuid"),
		provisioningRule(s.opt.Consistent, "--consistent"),
		provisioningRule(s.opt.UpToDate, "--uptodate"),
		provisioningRule(s.opt.PeersOutdated, "--peers-outdated"),
		provisioningRule(s.opt.RotateUUIDs, "--rotate-uuids"),
	}
	for _, r := range rules {
		if !r.given {
			continue
		}
		if !contains(r.with, name) {
			return fail(exitOption, "%s", r.text)
		}
		if r.v09 == "bitmap-block-size" && s.format != V09 {
			return fail(exitOption, "%s not supported with '%s'", r.v09, s.format)
		}
		if r.v09 != "" && s.format != V09 {
			return fail(exitOption, "%s is not supported with '%s'", r.v09, s.format)
		}
	}
	return nil
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

func provisioningRule(given bool, name string) (r struct {
	given bool
	with  []string
	text  string
	v09   string
}) {
	r.given, r.with, r.v09 = given, []string{"create-md"}, name
	r.text = fmt.Sprintf("The %s option is only allowed with create-md", name)
	return r
}

func (s *session) parseNodeID() error {
	text := s.opt.NodeID
	switch {
	case text != nil && !s.command.nodeID:
		return fail(exitOption, "The %s command does not accept the --node-id option", s.command.name)
	case text == nil && s.command.nodeID && s.format == V09:
		return fail(exitOption, "The %s command requires the --node-id option", s.command.name)
	case text == nil:
		return nil
	}
	n, err := parseNumber(*text, 1)
	if err != nil {
		return err
	}
	if n >= MaxPeers {
		return fail(exitOption, "node-id out of range (0...%d)", MaxPeers-1)
	}
	if s.format != V09 && n != 0 {
		s.warn("Not v09, implicitly set --node-id = 0")
		n = 0
	}
	s.given.nodeID = int(n)
	return nil
}

func (s *session) parseShape() error {
	s.given.bytesPerBit = 4096
	if text := s.opt.BitmapBlockSize; text != nil {
		n, err := parseNumber(*text, 1)
		if err != nil {
			return err
		}
		if n > 1<<20 || !validBytesPerBit(uint32(n)) {
			return fail(exitOption, "bitmap-block-size must be a power of 2 within [4k .. 1M], not '%s'", *text)
		}
		if s.index >= 0 && n != 4096 {
			return fail(exitOption, "bitmap-block-size must be 4k for meta data with an index")
		}
		s.given.bytesPerBit = uint32(n)
	}
	if s.opt.ALStripes == nil && s.opt.ALStripeSizeKB == nil {
		return nil
	}
	stripes, kib := uint64(1), uint64(32)
	var err error
	if s.opt.ALStripes != nil {
		if stripes, err = parseNumber(*s.opt.ALStripes, 1); err != nil {
			return err
		}
	}
	if s.opt.ALStripeSizeKB != nil {
		if kib, err = parseNumber(*s.opt.ALStripeSizeKB, 1024); err != nil {
			return err
		}
		kib /= 1024
	}
	high, blocks := bits.Mul64(stripes, kib/4)
	switch {
	case high != 0 || blocks > maxALBlocks:
		return fail(exitOption, "invalid (too large) al-stripe* settings")
	case blocks < minALBlocks:
		return fail(exitOption, "invalid (too small) al-stripe* settings")
	case s.index >= 0 && blocks != minALBlocks:
		return fail(exitOption, "meta data with an index has an activity log of 32 KiB")
	}
	s.given.alStripes, s.given.alStripe4k = uint32(stripes), uint32(kib/4)
	return nil
}

func (s *session) parseProvisioning() (err error) {
	if text := s.opt.PeerMaxBioSize; text != nil {
		n, err := parseNumber(*text, 1)
		if err != nil {
			return err
		}
		if n > 1<<20 {
			return fail(exitOption, "peer-max-bio-size out of range (0...1M)")
		}
		s.given.peerMaxBioSize = uint32(n)
	}
	if text := s.opt.EffectiveSize; text != nil {
		n, err := parseNumber(*text, SectorSize)
		if err != nil {
			return err
		}
		s.given.effectiveSize = n / SectorSize
	}
	if text := s.opt.DiskfulPeers; text != nil {
		if s.given.diskfulPeers, err = parseNodes(*text); err != nil {
			return err
		}
	}
	if text := s.opt.CurrentUUID; text != nil {
		if *text == "generate" {
			s.given.generateUUID = true
		} else if s.given.currentUUID, err = parseUUID(*text); err != nil {
			return err
		}
	}
	s.given.bitmapInit = "automatic"
	if text := s.opt.InitializeBitmap; text != nil {
		if !contains([]string{"automatic", "zeroout", "pwrite", "set-all", "skip"}, *text) {
			return fail(exitOption, "Unknown method '%s': --initialize-bitmap takes automatic, zeroout, pwrite, set-all or skip", *text)
		}
		s.given.bitmapInit = *text
	}
	if text := s.opt.OutputFormat; text != nil {
		s.given.outputFormat = *text
	}
	return nil
}

func parseUUID(text string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(text), "0x"), 16, 64)
	if err != nil {
		return 0, fail(exitOption, "'%s' is not a UUID: up to 16 hexadecimal digits, or \"generate\"", text)
	}
	if n &^= uuidPrimaryBit; n == 0 {
		return 0, fail(exitOption, "'%s': a current UUID of 0 says that there is no data", text)
	}
	return n, nil
}

// parseNodes reads a list of node ids, or a mask.
func parseNodes(text string) (mask uint32, err error) {
	bad := fail(exitOption, "invalid node list / mask value '%s'", text)
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			return 0, bad
		}
		return uint32(n), nil
	}
	for _, word := range strings.Split(text, ",") {
		n, err := strconv.ParseUint(word, 10, 8)
		if err != nil || n >= MaxPeers {
			return 0, bad
		}
		mask |= 1 << n
	}
	return mask, nil
}

// parseNumber reads digits and one unit; a number without unit is multiplied by plain.
func parseNumber(text string, plain uint64) (uint64, error) {
	if text == "" {
		return 0, fail(exitEmptyNumber, "missing number argument")
	}
	digits := strings.TrimRight(text, "KkMmGgs")
	unit := plain
	switch text[len(digits):] {
	case "":
	case "k", "K":
		unit = 1 << 10
	case "m", "M":
		unit = 1 << 20
	case "g", "G":
		unit = 1 << 30
	case "s":
		unit = SectorSize
	default:
		return 0, fail(exitUsage, "%s is not a valid unit", text[len(digits):])
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, fail(exitUsage, "%s is not a valid number", text)
	}
	high, value := bits.Mul64(n, unit)
	if high != 0 {
		return 0, fail(exitUsage, "%s is not a valid number: too large", text)
	}
	return value, nil
}
