package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"drbd/test/vm/bed"
)

// narrator shows the demo as a person would see it who types the commands.
type narrator struct {
	w     io.Writer
	begin time.Time
	step  int
}

func (n *narrator) heading(text string) {
	n.step++
	fmt.Fprintf(n.w, "\n=== %d. %s   (%.0f s)\n\n", n.step, text, time.Since(n.begin).Seconds())
}

func (n *narrator) say(format string, args ...any) {
	fmt.Fprintf(n.w, "    -- "+format+"\n", args...)
}

// checked tells what was verified; a demo that checks nothing shows nothing.
func (n *narrator) checked(format string, args ...any) {
	fmt.Fprintf(n.w, "    ok: "+format+"\n", args...)
}

// typed runs a command in a machine and shows both, as at a prompt.
func (n *narrator) typed(ctx context.Context, m *bed.Machine, command string) (string, error) {
	fmt.Fprintf(n.w, "%s# %s\n", m.Name, command)
	out, err := m.Run(ctx, command)
	for _, text := range []string{out.Stdout, out.Stderr} {
		if text != "" {
			fmt.Fprint(n.w, strings.TrimRight(text, "\n")+"\n")
		}
	}
	return out.Stdout, err
}

// typedAll runs one command on several machines, one after the other.
func (n *narrator) typedAll(ctx context.Context, command string, machines ...*bed.Machine) error {
	for _, m := range machines {
		if _, err := n.typed(ctx, m, command); err != nil {
			return err
		}
	}
	return nil
}

// typedEach runs commands on one machine until one fails.
func (n *narrator) typedEach(ctx context.Context, m *bed.Machine, commands ...string) error {
	for _, c := range commands {
		if _, err := n.typed(ctx, m, c); err != nil {
			return err
		}
	}
	return nil
}
