package meta

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// The superblock as it is, valid or not (section 7.11).

func runHexdump(s *session) error {
	s.given.outputFormat = "hex"
	return runDumpSuperblock(s)
}

func runDumpSuperblock(s *session) error {
	format := s.given.outputFormat
	switch format {
	case "", "auto":
		format = choose(s.env.OutTerminal, "hex", "bin")
	case "binary":
		format = "bin"
	case "hex", "bin", "json":
	default:
		return fail(exitOption, "Unknown output format '%s'", format)
	}
	if format == "json" && s.format == V07 {
		return fail(exitNoJSON, "json dump of superblock not implemented for %s", s.format)
	}
	at := SuperblockAt(s.index, s.dev.size)
	found := nowhere
	if a, err := s.tryRead(s.format, s.index, s.dev.size, false); err != nil {
		return err
	} else if a != nil {
		found = inPlace
	} else if a, err := s.findLastKnown(); err != nil {
		return err
	} else if a != nil {
		found, at = atLastKnown, a.layout.Superblock
	}
	block := alignedBuffer(BlockSize)
	if err := s.dev.readAt(block, at, "superblock"); err != nil {
		return err
	}
	w := bufio.NewWriter(s.env.Stdout)
	switch format {
	case "hex":
		hexdump(w, block, at)
	case "bin":
		_, _ = w.Write(block)
	case "json":
		s.dumpJSON(w, block, at, found)
	}
	if err := w.Flush(); err != nil {
		return fail(exitDeclined, "writing the dump failed: %v", err)
	}
	switch found {
	case atLastKnown:
		return fail(exitLastKnown, "")
	case nowhere:
		return fail(exitNoSuperblock, "")
	}
	return nil
}

// hexdump is the usual form: repeated lines are one star, except the last.
func hexdump(w io.Writer, data []byte, at int64) {
	star := false
	for i := 0; i < len(data); i += 16 {
		line := data[i : i+16]
		if i > 0 && i+16 < len(data) && bytes.Equal(line, data[i-16:i]) {
			if !star {
				fmt.Fprintln(w, "*")
			}
			star = true
			continue
		}
		star = false
		text := bytes.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, latin(line))
		fmt.Fprintf(w, "%08x  % x  % x  |%s|\n", at+int64(i), line[:8], line[8:], text)
	}
	fmt.Fprintf(w, "%08x\n", at+int64(len(data)))
}

// latin keeps one character per byte.
func latin(line []byte) []byte {
	out := bytes.Clone(line)
	for i, b := range out {
		if b > '~' {
			out[i] = '.'
		}
	}
	return out
}

// jsonWriter prints in the layout that the reference uses, which encoding/json has no way to say.
type jsonWriter struct{ w io.Writer }

func (j jsonWriter) entry(name, value string) { fmt.Fprintf(j.w, "  %q: %s,\n", name, value) }

func hex64(v uint64) string { return fmt.Sprintf("\"0x%016X\"", v) }
func hex32(v uint32) string { return fmt.Sprintf("\"0x%08X\"", v) }

// hexRows is a list with four to a line.
func hexRows(values []uint64) string {
	var b strings.Builder
	b.WriteString("[\n")
	for i := range values {
		if i%4 == 0 {
			b.WriteString("    ")
		}
		b.WriteString(hex64(values[i]))
		switch {
		case i == len(values)-1:
			b.WriteString("\n  ]")
		case i%4 == 3:
			b.WriteString(",\n")
		default:
			b.WriteString(", ")
		}
	}
	return b.String()
}

func (s *session) dumpJSON(w io.Writer, block []byte, at int64, found where) {
	sb := Superblock{Format: s.format}
	sb.walk(&fields{block: block})
	j := jsonWriter{w}
	fmt.Fprint(w, "{\n")
	j.entry("effective_size", fmt.Sprint(sb.EffectiveSize))
	j.entry("current_uuid", hex64(sb.CurrentUUID))
	j.entry("device_uuid", hex64(sb.DeviceUUID))
	j.entry("flags", hex32(sb.Flags))
	j.entry("magic", hex32(sb.Magic))
	j.entry("md_size_sect", fmt.Sprint(sb.MDSizeSect))
	j.entry("al_offset", fmt.Sprint(sb.ALOffset))
	j.entry("al_nr_extents", fmt.Sprint(sb.ALExtents))
	j.entry("bm_offset", fmt.Sprint(sb.BMOffset))
	j.entry("bm_bytes_per_bit", fmt.Sprint(sb.BytesPerBit))
	j.entry("la_peer_max_bio_size", fmt.Sprint(sb.PeerMaxBioSize))
	j.entry("al_stripes", fmt.Sprint(sb.ALStripes))
	j.entry("al_stripe_size_4k", fmt.Sprint(sb.ALStripeSize4k))
	history, padding := historyV08, 100
	if s.format == V09 {
		history, padding = historyV09, 1392
	}
	j.peers(&sb)
	j.entry("history_uuids", hexRows(sb.History[:history]))
	j.entry("padding", paddingJSON(block, padding))
	s.dumpJSONMeta(w, block, at, found)
	fmt.Fprint(w, "}\n")
}

func (j jsonWriter) peers(sb *Superblock) {
	if sb.Format == V08 {
		j.entry("peers", fmt.Sprintf("[\n    { \"bitmap_uuid\": %s }\n  ]", hex64(sb.Peers[0].BitmapUUID)))
		return
	}
	var rows []string
	for _, p := range sb.Peers {
		rows = append(rows, fmt.Sprintf("    { \"bitmap_uuid\": %s,  \"bitmap_dagtag\": %d,  \"flags\": %s,  \"bitmap_index\": %d,  "+
			"\"reserved_u32\": [ %s, %s ] }", hex64(p.BitmapUUID), p.BitmapDagtag, hex32(p.Flags), p.BitmapIndex, hex32(p.reserved[0]),
			hex32(p.reserved[1])))
	}
	j.entry("peers", "[\n"+strings.Join(rows, ",\n")+"\n  ]")
	j.entry("bm_max_peers", fmt.Sprint(sb.MaxPeers))
	j.entry("node_id", fmt.Sprint(sb.NodeID))
	j.entry("members", hex64(sb.Members))
	r := sb.reserved64
	j.entry("reserved_u64", fmt.Sprintf("[ %s, %s, %s ]", hex64(r[0]), hex64(r[1]), hex64(r[2])))
	j.entry("reserved_u32", fmt.Sprintf("[ %s, %s ]", hex32(sb.reserved32[0]), hex32(sb.reserved32[1])))
}

func paddingJSON(block []byte, start int) string {
	var odd []string
	for i := start; i < len(block); i++ {
		if block[i] != 0 {
			odd = append(odd, fmt.Sprintf("\"%d\": \"0x%02X\"", i, block[i]))
		}
	}
	list := "{ }"
	if len(odd) > 0 {
		list = "{ " + strings.Join(odd, ", ") + " }"
	}
	return fmt.Sprintf("{ \"start\": %d, \"end\": %d, \"non-zero\": %s }", start, len(block), list)
}

func (s *session) dumpJSONMeta(w io.Writer, block []byte, at int64, found where) {
	host, _ := s.env.Hostname()
	looks := "UNKNOWN"
	if f := FormatOf(block); f != 0 {
		looks = f.String()
	}
	verdict := map[where]string{inPlace: "VALID_MD_FOUND", atLastKnown: "VALID_MD_FOUND_AT_LAST_KNOWN_LOCATION", nowhere: "NO_VALID_MD_FOUND"}
	fmt.Fprint(w, "  \"#meta\": {\n")
	j := jsonWriter{w}
	rows := []struct{ name, value string }{
		{"dump_time_utc", fmt.Sprintf("%q", s.env.Now().UTC().Format("2006-01-02 15:04:05Z"))},
		{"dump_host", fmt.Sprintf("%q", host)},
		{"md_device_name", fmt.Sprintf("%q", s.dev.path)},
		{"dump_offset", fmt.Sprint(at)},
		{"bd_size", fmt.Sprint(s.dev.size)},
		{"dumped_as", fmt.Sprintf("%q", s.format)},
		{"looks_like", fmt.Sprintf("%q", looks)},
	}
	for _, r := range rows {
		fmt.Fprint(w, "  ")
		j.entry(r.name, r.value)
	}
	fmt.Fprintf(w, "    \"valid\": %q\n  }\n", verdict[found])
}
