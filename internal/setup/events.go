package setup

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"drbd/internal/events"
	"drbd/internal/genl"
	"golang.org/x/sys/unix"
)

// eventStream is one running events2.
type eventStream struct {
	*call
	model    *events.Model
	printer  *events.Printer
	out      *bufio.Writer
	resource string
}

// runEvents prints the present state and then every change, until nobody reads any more (15.4).
func runEvents(c *call) error {
	s := &eventStream{call: c, model: events.NewModel(), out: bufio.NewWriter(c.env.Stdout), resource: c.resourceArg()}
	if s.resource == "all" {
		s.resource = ""
	}
	if s.resource != "" {
		if _, err := c.findResource(s.resource); err != nil {
			return err
		}
	}
	s.printer = &events.Printer{
		Statistics: c.flagGiven("statistics") || c.flagGiven("full"), Full: c.flagGiven("full"), Diff: c.flagGiven("diff"),
	}
	if c.flagGiven("timestamps") {
		s.printer.Prefix = func() string { return c.env.Now().Format("2006-01-02T15:04:05.000000-07:00 ") }
	}
	if c.flagGiven("now") {
		return s.now()
	}
	return s.follow()
}

// now prints the state once; with --poll again for every n on standard input.
func (s *eventStream) now() error {
	for {
		messages, err := s.client.InitialState(s.ctx, s.resource)
		if err != nil {
			return err
		}
		s.model.Forget()
		if err := s.printInitial(messages); err != nil {
			return err
		}
		if !s.flagGiven("poll") || !s.pollAgain() {
			return nil
		}
	}
}

// pollAgain reads one order: n is again, a newline says nothing, anything else ends.
func (s *eventStream) pollAgain() bool {
	order := []byte{0}
	for {
		n, err := s.env.Stdin.Read(order)
		if n == 0 || err != nil && n == 0 {
			return false
		}
		switch order[0] {
		case 'n':
			return true
		case '\n':
		default:
			return false
		}
	}
}

func (s *eventStream) printInitial(messages []genl.Message) error {
	if err := s.apply(messages); err != nil {
		return err
	}
	prefix := ""
	if s.printer.Prefix != nil {
		prefix = s.printer.Prefix()
	}
	fmt.Fprintln(s.out, prefix+"exists -")
	return s.flush()
}

// flush ends the command quietly when the reader has gone.
func (s *eventStream) flush() error {
	err := s.out.Flush()
	if errors.Is(err, unix.EPIPE) {
		return failf(ExitOK, "")
	}
	return err
}

func (s *eventStream) apply(messages []genl.Message) error {
	for i := range messages {
		outcome, err := s.model.Apply(&messages[i])
		if err != nil {
			return err
		}
		switch {
		case outcome.Helper != nil:
			fmt.Fprintln(s.out, s.printer.HelperLine(outcome.Helper))
		case outcome.Rename != nil:
			fmt.Fprintln(s.out, s.printer.RenameLine(outcome.Rename))
		}
		for _, change := range outcome.Changes {
			for _, line := range s.printer.Lines(change) {
				fmt.Fprintln(s.out, line)
			}
		}
	}
	return nil
}

func (s *eventStream) follow() error {
	buffer := genl.ReceiveBufferFromEnv()
	if n, given := s.numberGiven("rcvbuf"); given {
		buffer = int(min(n, 1<<30))
	}
	listener, err := s.client.Subscribe(buffer)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	reader := events.NewReader(s.client, listener, s.resource)
	messages, err := reader.Initial(s.ctx)
	if err != nil {
		return err
	}
	if err := s.printInitial(messages); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	if s.flagGiven("poll") {
		go s.endWithInput(cancel)
	}
	for {
		messages, err := reader.Next(ctx)
		if err != nil {
			return s.endOfStream(ctx, err)
		}
		if err := s.apply(messages); err != nil {
			return err
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
}

// endWithInput: with --poll the end of standard input ends the stream. Every change is printed at once, so there is nothing to add
// when the reader asks with n.
func (s *eventStream) endWithInput(end func()) {
	for s.pollAgain() {
	}
	end()
}

func (s *eventStream) endOfStream(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return failf(ExitOK, "")
	case errors.Is(err, unix.ENOBUFS):
		return failf(ExitUsage, "error desciption: packets droped, socket receive buffer overrun")
	case errors.Is(err, genl.ErrUnloaded):
		return failf(ExitUnloaded, "")
	}
	return err
}
