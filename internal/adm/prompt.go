package adm

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"drbd/internal/conf"
)

// quietWait is how long the start waits with dots only before it asks.
const quietWait = 10

// prompt shows that and why the start waits, until the peers are there or somebody types yes (section 14.5).
func (a *App) prompt(done <-chan struct{}, stop func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	answers := a.answers()
	asked := false
	for second := 1; ; second++ {
		select {
		case <-done:
			fmt.Fprintln(a.env.Stdout)
			return
		case line := <-answers:
			if line == "yes" {
				stop()
				<-done
				return
			}
			second--
		case <-tick.C:
			switch {
			case second <= quietWait:
				fmt.Fprint(a.env.Stdout, ".")
			case !asked:
				asked = true
				a.ask()
			default:
				a.refresh(second)
			}
		}
	}
}

func (a *App) refresh(second int) {
	every := a.view.Config.Global.DialogRefresh
	if every < 0 {
		every = 1
	}
	if a.env.Terminal && every > 0 && second%every == 0 {
		fmt.Fprintf(a.env.Stdout, "\x1b[s\x1b[31G[%4d]:\x1b[u", second)
	}
}

// answers are the lines that somebody types; nobody does without a terminal.
func (a *App) answers() <-chan string {
	out := make(chan string)
	if !a.env.Terminal {
		return out
	}
	go func() {
		s := bufio.NewScanner(a.env.Stdin)
		for s.Scan() {
			out <- strings.TrimSpace(s.Text())
		}
	}()
	return out
}

func (a *App) ask() {
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
	fmt.Fprintf(a.env.Stdout, `
***************************************************************
 DRBD's startup script waits for the peer node(s) to appear.
 - If this node was already a degraded cluster before the
   reboot, the timeout is %s seconds. [degr-wfc-timeout]
 - If the peer was available before the reboot, the timeout
   is %s seconds. [wfc-timeout]
   (These values are for resource '%s'; 0 sec -> wait forever)
 To abort waiting enter 'yes' [ -- ]:`, seconds("degr-wfc-timeout"), seconds("wfc-timeout"), resources[0].Name)
}
