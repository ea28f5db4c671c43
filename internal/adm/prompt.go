package adm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"drbd/internal/conf"
)

// quietWait is how long the start waits with dots only before it asks.
const quietWait = 10

// giveUpAfter so many ctrl-C or ctrl-D the start goes on, as after yes: who presses them does not know the word.
const giveUpAfter = 3

// console is where the start talks with a person.
type console struct {
	in       io.Reader // nil: nobody can answer
	out      io.Writer
	screen   bool // positions and colours are possible
	interval time.Duration
}

// openConsole finds one. A machine that starts has no terminal, but a console (section 14.5).
func (a *App) openConsole() (c console, done func()) {
	c = console{in: a.env.Stdin, out: a.env.Stdout, screen: true, interval: time.Second}
	if a.env.Terminal {
		return c, func() {}
	}
	device, err := a.env.Console()
	if err != nil {
		a.warn(" To abort waiting for DRBD connections, kill this process: kill %d", os.Getpid())
		return console{out: io.Discard, interval: time.Second}, func() {}
	}
	a.warn("WARN: stdin/stdout is not a TTY; using /dev/console")
	return console{in: device, out: device, screen: true, interval: time.Second}, func() { _ = device.Close() }
}

func openConsoleDevice() (io.ReadWriteCloser, error) {
	return os.OpenFile("/dev/console", os.O_RDWR, 0)
}

// prompt shows that and why the start waits, until the peers are there or somebody types yes. It always ends well: who becomes Primary
// is not decided here.
func (a *App) prompt(c console, done <-chan struct{}, stop func()) {
	tick := time.NewTicker(c.interval)
	defer tick.Stop()
	enough := c.answers()
	for second := 0; ; {
		select {
		case <-done:
			if second > 0 {
				fmt.Fprintln(c.out)
			}
			return
		case <-enough:
			stop()
			<-done
			return
		case <-tick.C:
			second++
			switch {
			case second <= quietWait:
				fmt.Fprint(c.out, ".")
			case second == quietWait+1:
				a.ask(c.out)
			default:
				a.refresh(c, second)
			}
		}
	}
}

func (a *App) refresh(c console, second int) {
	every := a.view.Config.Global.DialogRefresh
	if every < 0 {
		every = 1
	}
	if c.screen && every > 0 && second%every == 0 {
		fmt.Fprintf(c.out, "\x1b[s\x1b[31G[%4d]:\x1b[u", second)
	}
}

// answers says when somebody has had enough.
func (c console) answers() <-chan struct{} {
	enough := make(chan struct{})
	if c.in == nil {
		return enough
	}
	presses := make(chan struct{}, giveUpAfter)
	interrupts := make(chan os.Signal, giveUpAfter)
	signal.Notify(interrupts, os.Interrupt)
	go c.read(enough, presses)
	go func() {
		for n := 1; n <= giveUpAfter; n++ {
			select {
			case <-interrupts:
			case <-presses:
			}
		}
		enough <- struct{}{}
	}()
	return enough
}

// read waits for the line yes. The end of the input is ctrl-D, behind which a terminal goes on.
func (c console) read(enough, ends chan<- struct{}) {
	const nobody = 20 * time.Millisecond // no person is so fast
	r := bufio.NewReader(c.in)
	for {
		begin := time.Now()
		line, err := r.ReadString('\n')
		switch {
		case strings.TrimSpace(line) == "yes":
			enough <- struct{}{}
			return
		case errors.Is(err, io.EOF) && time.Since(begin) < nobody:
			return // there is no terminal behind it
		case errors.Is(err, io.EOF):
			ends <- struct{}{}
		case err != nil:
			return // the terminal is gone
		}
	}
}

func (a *App) ask(out io.Writer) {
	resources := a.all()
	if len(resources) == 0 {
		return
	}
	startup := resources[0].Options[conf.ClassStartup]
	seconds := func(name string) string {
		if value, ok := startup.Get(name); ok {
			return value
		}
		return "0"
	}
	fmt.Fprintf(out, `
***************************************************************
 DRBD's startup script waits for the peer node(s) to appear.
 - If this node was already a degraded cluster before the
   reboot, the timeout is %s seconds. [degr-wfc-timeout]
 - If the peer was available before the reboot, the timeout
   is %s seconds. [wfc-timeout]
   (These values are for resource '%s'; 0 sec -> wait forever)
 To abort waiting enter 'yes' [ -- ]:`, seconds("degr-wfc-timeout"), seconds("wfc-timeout"), resources[0].Name)
}

// onceWriter passes each line on once: all resources tell the same about their time-outs.
type onceWriter struct {
	to   io.Writer
	lock sync.Mutex
	told map[string]bool
}

func (w *onceWriter) Write(text []byte) (int, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	for line := range bytes.Lines(text) {
		if w.told[string(line)] {
			continue
		}
		w.told[string(line)] = true
		if _, err := w.to.Write(line); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}
