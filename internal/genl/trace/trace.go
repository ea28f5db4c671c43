// Package trace reads recordings of a stock tool talking to a stock module (system-call traces with every netlink message in hex)
// and plays the module's part to our client. It is only for tests.
package trace

import (
	"bufio"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

//go:embed testdata/stock9.txt.gz
var stock9 string

// Command is one recorded command line.
type Command struct {
	Line   string
	Exit   int
	Stdout string
	Stderr string
	// Exchanges with the kernel in order, the look-up of the family first.
	Exchanges []Exchange
}

// Exchange is one message of the tool and the datagrams that answered it.
type Exchange struct {
	Request []byte // with its nlmsghdr
	Replies []Datagram
}

// Datagram is one received message without its nlmsghdr.
type Datagram struct {
	Type, Flags uint16
	Body        []byte
}

var (
	writeLine = regexp.MustCompile(`^\d+ +write\((\d), "([0-9a-f]*)", \d+\)`)
	replyLine = regexp.MustCompile(`nlmsg_type=(\S+).*?nlmsg_flags=(\S+), .*?\}, (?:"([0-9a-f]*)"|0)\]`)
)

// Stock9 reads the recording of drbd-utils 9.34 with a module 9.3.3.
func Stock9() ([]Command, error) { return parse(stock9) }

func parse(compressed string) ([]Command, error) {
	z, err := gzip.NewReader(strings.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	var commands []Command
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "# drbdsetup"); ok {
			commands = append(commands, Command{Line: strings.TrimSpace(name)})
			continue
		}
		if len(commands) == 0 {
			continue
		}
		if err := commands[len(commands)-1].add(line); err != nil {
			return nil, fmt.Errorf("%s: %w", commands[len(commands)-1].Line, err)
		}
	}
	return commands, lines.Err()
}

func (c *Command) add(line string) error {
	if code, ok := strings.CutPrefix(line, "[exit "); ok {
		n, err := strconv.Atoi(strings.TrimSuffix(code, "]"))
		c.Exit = n
		return err
	}
	if m := writeLine.FindStringSubmatch(line); m != nil {
		data, err := hex.DecodeString(m[2])
		if err != nil {
			return err
		}
		switch m[1] {
		case "1":
			c.Stdout += string(data)
		case "2":
			c.Stderr += string(data)
		default:
			c.Exchanges = append(c.Exchanges, Exchange{Request: data})
		}
		return nil
	}
	if m := replyLine.FindStringSubmatch(line); m != nil && strings.Contains(line, "recvmsg(") && len(c.Exchanges) > 0 {
		return c.addReply(m[1], m[2], m[3])
	}
	return nil
}

func (c *Command) addReply(msgType, flags, body string) error {
	d := Datagram{}
	switch {
	case msgType == "NLMSG_DONE,":
		d.Type = 3
	default:
		n, err := strconv.ParseUint(strings.TrimSuffix(msgType, ","), 0, 16)
		if err != nil {
			return err
		}
		d.Type = uint16(n)
	}
	if strings.Contains(flags, "NLM_F_MULTI") {
		d.Flags = 2
	}
	data, err := hex.DecodeString(body)
	if err != nil {
		return err
	}
	if d.Type == 3 {
		data = make([]byte, 4)
	}
	d.Body = data
	last := &c.Exchanges[len(c.Exchanges)-1]
	last.Replies = append(last.Replies, d)
	return nil
}

// Op is the generic netlink command of an exchange.
func (e Exchange) Op() uint8 { return e.Request[16] }

// Body is what decides the meaning of a request: everything but length, sequence and port.
func (e Exchange) Body() []byte { return body(e.Request) }

func body(message []byte) []byte {
	out := binary.NativeEndian.AppendUint16(nil, binary.NativeEndian.Uint16(message[4:]))
	out = binary.NativeEndian.AppendUint16(out, binary.NativeEndian.Uint16(message[6:]))
	return append(out, message[16:]...)
}
