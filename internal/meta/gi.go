package meta

import (
	"fmt"
	"strconv"
	"strings"
)

// The text form of the generation identifiers (section 8): UUIDs or counters, then flags, separated by colons.

// giField is one field: where it is, and which bit when it is a flag.
type giField struct {
	uuid *uint64
	word *uint32
	bit  uint32 // 0: the whole word, a counter of v07
}

func flagFields(word *uint32, bits ...uint32) []giField {
	var f []giField
	for _, b := range bits {
		f = append(f, giField{word: word, bit: b})
	}
	return f
}

// giFields are the fields in the order of the text; node selects the peer entry of v09.
func (sb *Superblock) giFields(node int) []giField {
	if sb.Format == V07 {
		f := flagFields(&sb.GC[gcFlags], gcConsistent)
		for i := gcHuman; i <= gcArbitrary; i++ {
			f = append(f, giField{word: &sb.GC[i]})
		}
		return append(f, flagFields(&sb.GC[gcFlags], gcPrimary, gcConnectedInd, gcWantFullSync)...)
	}
	f := []giField{{uuid: &sb.CurrentUUID}, {uuid: &sb.Peers[node].BitmapUUID}, {uuid: &sb.History[0]}, {uuid: &sb.History[1]}}
	if sb.Format == V08 {
		return append(f, flagFields(&sb.Flags, FlagConsistent, FlagWasUpToDate, FlagPrimaryInd, FlagConnectedInd, FlagFullSync,
			FlagPeerOutdated, FlagCrashedPrimary)...)
	}
	f = append(f, flagFields(&sb.Flags, FlagConsistent, FlagWasUpToDate, FlagPrimaryInd, FlagCrashedPrimary, FlagALClean, FlagALDisabled,
		FlagPrimaryNoQuorum)...)
	return append(f, flagFields(&sb.Peers[node].Flags, PeerConnected, PeerOutdated, PeerFencing, PeerFullSync, PeerSeen)...)
}

// GI is the line of get-gi.
func (sb *Superblock) GI(node int) string {
	var words []string
	for _, f := range sb.giFields(node) {
		switch {
		case f.uuid != nil:
			words = append(words, fmt.Sprintf("%016X", *f.uuid))
		case f.bit == 0:
			words = append(words, strconv.FormatUint(uint64(*f.word), 10))
		default:
			words = append(words, strconv.Itoa(int(*f.word&f.bit/f.bit)))
		}
	}
	return strings.Join(words, ":")
}

// SetGI takes over the fields of a line; those that are empty or missing stay.
func (sb *Superblock) SetGI(node int, text string) error {
	changed := *sb
	fields := changed.giFields(node)
	words := strings.Split(text, ":")
	if len(words) > len(fields) {
		return fail(exitOption, "'%s' has %d fields, %s metadata has %d", text, len(words), sb.Format, len(fields))
	}
	for i, word := range words {
		if word == "" {
			continue
		}
		if err := fields[i].set(word); err != nil {
			return err
		}
	}
	*sb = changed
	return nil
}

func (f giField) set(word string) error {
	base, width := 16, 64
	if f.uuid == nil {
		base, width = 0, 32
	} else {
		word = strings.TrimPrefix(strings.ToLower(word), "0x")
	}
	n, err := strconv.ParseUint(word, base, width)
	if err != nil {
		return fail(exitOption, "'%s' is not a number.", word)
	}
	switch {
	case f.uuid != nil:
		*f.uuid = n
	case f.bit == 0:
		*f.word = uint32(n)
	case n > 1:
		return fail(exitOption, "'%d' is not 0 or 1.", n)
	case n == 1:
		*f.word |= f.bit
	default:
		*f.word &^= f.bit
	}
	return nil
}

func runGetGI(s *session) error {
	a, err := s.need()
	if err != nil {
		return err
	}
	s.say("%s", a.sb.GI(s.given.nodeID))
	return nil
}

func runSetGI(s *session) error {
	if len(s.args) == 0 {
		return fail(exitUsage, "set-gi needs the generation identifiers as get-gi prints them")
	}
	a, err := s.need()
	if err != nil {
		return err
	}
	old := a.sb.GI(s.given.nodeID)
	if err := a.sb.SetGI(s.given.nodeID, s.args[0]); err != nil {
		return err
	}
	s.say("previously %s\nset GI to  %s", old, a.sb.GI(s.given.nodeID))
	if !s.confirm("", "Write new GI to disk?") {
		return fail(exitOK, "Operation canceled.")
	}
	return s.store(a)
}

// giHead stands above the identifiers.
const giHead = `
       +--<  Current data generation UUID  >-
       |               +--<  Bitmap's base data generation UUID  >-
       |               |                 +--<  younger history UUID  >-
       |               |                 |         +-<  older history  >-
       V               V                 V         V
`

// The legends: right-aligned texts, each with a line to the column of its flag.
var giLegendV08 = []string{
	"-<  Data consistency flag  >--",
	"-<  Data was/is currently up-to-date  >--",
	"-<  Node was/is currently primary  >--",
	"-<  Node was/is currently connected  >--",
	"-<  Node was in the progress of setting all bits in the bitmap  >--",
	"-<  The peer's disk was out-dated or inconsistent  >--",
	"-<  This node was a crashed primary, and has not seen its peer since   >--",
}

var giLegendV09 = []string{
	"-<  Data consistency flag  >--",
	"-<  Data was/is currently up-to-date  >--",
	"-<  Node was/is currently primary  >--",
	"-<  This node was a crashed primary, and has not seen its peer since  >--",
	"-<  The activity-log was applied, the disk can be attached  >--",
	"-<  The activity-log was disabled, peer is completely out of sync  >--",
	"-<  This node was primary when it lost quorum  >--",
	"-<  Node was/is currently connected  >--",
	"-<  The peer's disk was out-dated or inconsistent  >--",
	"-<   A fence policy other the dont-care was used  >--",
	"-<  Node was in the progress of marking all blocks as out of sync  >--",
	"-<  At least once we saw this node with a backing device attached >--",
}

// giFlagsColumn is where the first flag stands: behind four UUIDs.
const giFlagsColumn = 4 * 17

func giLegend(texts []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%*s%s\n", giFlagsColumn, "", strings.TrimSuffix(strings.Repeat("^ ", len(texts)), " "))
	for i, text := range texts {
		fmt.Fprintf(&b, "%*s+%s\n", giFlagsColumn+2*i, text, strings.Repeat(" |", len(texts)-1-i))
	}
	return b.String()
}

// giFormV07 is the table of the generation counters.
const giFormV07 = `
                                        WantFullSync |
                                  ConnectedInd |     |
                               lastState |     |     |
                      ArbitraryCnt |     |     |     |
                ConnectedCnt |     |     |     |     |
            TimeoutCnt |     |     |     |     |     |
        HumanCnt |     |     |     |     |     |     |
Consistent |     |     |     |     |     |     |     |
   --------+-----+-----+-----+-----+-----+-----+-----+
       %3s | %3d | %3d | %3d | %3d | %3s | %3s | %3s  

`

func runShowGI(s *session) error {
	a, err := s.need()
	if err != nil {
		return err
	}
	sb := &a.sb
	if sb.Format == V07 {
		fmt.Fprint(s.env.Stdout, sb.counterTable())
		return nil
	}
	legend := giLegendV09
	if sb.Format == V08 {
		legend = giLegendV08
	}
	fmt.Fprintf(s.env.Stdout, "%s%s\n%s\n", giHead, sb.GI(s.given.nodeID), giLegend(legend))
	if sb.Format == V08 {
		s.say("flags: %s", sb.flagText())
		s.say("meta-data: %s", choose(sb.Clean(), "clean", "need apply-al"))
	}
	if sb.EffectiveSize == 0 {
		s.say("zero size device -- never seen peer yet?")
		return nil
	}
	s.say("last agreed size: %s (%d sectors)", sizeText(sb.EffectiveSize*SectorSize), sb.EffectiveSize)
	s.say("last agreed max bio size: %d Byte", sb.PeerMaxBioSize)
	return nil
}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func (sb *Superblock) counterTable() string {
	flag := func(bit uint32, yes, no string) string { return choose(sb.GC[gcFlags]&bit != 0, yes, no) }
	return fmt.Sprintf(giFormV07, flag(gcConsistent, "1/c", "0/i"), sb.GC[gcHuman], sb.GC[gcTimeout], sb.GC[gcConnected],
		sb.GC[gcArbitrary], flag(gcPrimary, "1/p", "0/s"), flag(gcConnectedInd, "1/c", "0/n"), flag(gcWantFullSync, "1/y", "0/n"))
}

// flagText is the line below the legend of v08.
func (sb *Superblock) flagText() string {
	text := choose(sb.Flags&FlagCrashedPrimary != 0, "crashed ", "") +
		choose(sb.Flags&FlagPrimaryInd != 0, "Primary", "Secondary") + ", " +
		choose(sb.Flags&FlagConnectedInd != 0, "Connected", "StandAlone") + ", "
	switch {
	case sb.Flags&FlagConsistent == 0:
		text += "Inconsistent"
	case sb.Flags&FlagWasUpToDate == 0:
		text += "Outdated"
	default:
		text += "UpToDate"
	}
	return text + choose(sb.Flags&FlagFullSync != 0, ", need full sync", "") + choose(sb.Flags&FlagPeerOutdated != 0, ", peer Outdated", "")
}
