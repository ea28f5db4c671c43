// Package conftest makes random configurations for property tests. They are valid, and everything in them follows from the seed.
package conftest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"drbd/internal/conf"
	"drbd/internal/genl"
)

// Config is a valid configuration of one resource, r0, for the hosts alpha, bravo, charlie (as many as there are); alpha is where it
// is looked at.
func Config(r *rand.Rand) string {
	g := &generator{r: r, hosts: []string{"alpha", "bravo", "charlie"}[:2+r.IntN(2)], volumes: 1 + r.IntN(3)}
	g.implicit = g.volumes == 1 && r.IntN(2) == 0
	g.old = len(g.hosts) == 2 && g.implicit && r.IntN(3) == 0
	if r.IntN(2) == 0 {
		g.block("common", g.commonBody)
	}
	g.block("resource r0", g.resourceBody)
	return g.out.String()
}

type generator struct {
	r        *rand.Rand
	out      strings.Builder
	level    int
	hosts    []string
	volumes  int
	implicit bool // one volume without a section of its own
	old      bool // the form of 8.x: no node ids
}

func (g *generator) line(format string, args ...any) {
	g.out.WriteString(strings.Repeat("  ", g.level))
	fmt.Fprintf(&g.out, format+"\n", args...)
}

func (g *generator) block(head string, body func()) {
	g.line("%s {", head)
	g.level++
	body()
	g.level--
	g.line("}")
}

func (g *generator) chance(oneIn int) bool { return g.r.IntN(oneIn) == 0 }

func (g *generator) commonBody() {
	g.section("net", conf.ClassNet)
	g.section("options", conf.ClassResource)
	g.section("disk", conf.ClassDisk, conf.ClassPeerDevice)
}

func (g *generator) resourceBody() {
	g.section("net", conf.ClassNet)
	g.section("options", conf.ClassResource)
	g.section("startup", conf.ClassStartup)
	g.section("handlers", conf.ClassHandlers)
	g.section("disk", conf.ClassDisk, conf.ClassPeerDevice)
	shared := g.chance(2)
	if shared {
		g.allVolumes(false)
	}
	for i, h := range g.hosts {
		g.block("on "+h, func() {
			if !g.old {
				g.line("node-id %d;", i)
			}
			g.line("address 10.0.0.%d:%d;", i+1, 7789+g.r.IntN(2))
			if !shared {
				g.allVolumes(i > 0)
			}
		})
	}
	if len(g.hosts) > 2 {
		g.block("connection-mesh", func() {
			g.line("hosts %s;", strings.Join(g.hosts, " "))
			g.section("net", conf.ClassNet)
		})
	}
}

func (g *generator) allVolumes(mayBeDiskless bool) {
	if g.implicit {
		g.volume(0, mayBeDiskless)
		return
	}
	for nr := range g.volumes {
		g.block(fmt.Sprintf("volume %d", nr), func() { g.volume(nr, mayBeDiskless) })
	}
}

func (g *generator) volume(nr int, mayBeDiskless bool) {
	g.line("device minor %d;", 10+nr)
	if mayBeDiskless && g.chance(3) {
		g.line("disk none;")
		return
	}
	g.line("disk /dev/vg/r%d_%d;", nr, g.r.IntN(3))
	switch g.r.IntN(3) {
	case 0:
		g.line("meta-disk internal;")
	case 1:
		g.line("meta-disk /dev/vg/md%d[%d];", nr, g.r.IntN(2))
	}
}

// section writes a few options of the classes.
func (g *generator) section(name string, classes ...conf.Class) {
	if g.chance(2) {
		return
	}
	g.block(name, func() {
		used := map[string]bool{"size": true, "resync-after": true, "bitmap": true, "_name": true, "diskless": true, "stacked-timeouts": true}
		for range g.r.IntN(5) {
			class := classes[g.r.IntN(len(classes))]
			fields := class.Fields()
			f := fields[g.r.IntN(len(fields))]
			if !used[f.Option] {
				used[f.Option] = true
				g.option(f)
			}
		}
	})
}

func (g *generator) option(f *genl.Field) {
	switch {
	case f.Type == genl.TypeFlag && g.chance(3):
		g.line("%s;", f.Option)
	case f.Type == genl.TypeFlag && g.chance(3):
		g.line("no-%s;", f.Option)
	case f.Type == genl.TypeFlag:
		g.line("%s %s;", f.Option, []string{"yes", "no"}[g.r.IntN(2)])
	case f.Type == genl.TypeString || strings.HasPrefix(f.Option, "tls-"):
		g.line("%s %s;", f.Option, []string{`"some \"quoted\" words; # and { signs"`, "word", `""`, "sha256"}[g.r.IntN(4)])
	case len(f.Words) > 0 && (!f.Ranged || g.chance(2)):
		g.line("%s %s;", f.Option, f.Words[g.r.IntN(len(f.Words))].Word)
	case !f.Ranged:
		g.line("%s %d;", f.Option, g.r.IntN(1000))
	default:
		g.line("%s %d%s;", f.Option, max(f.Min, 1)+g.r.Int64N(max(1, min(f.Max, 1000)-max(f.Min, 1)+1)), f.Scale)
	}
}
