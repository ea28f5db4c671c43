package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"drbd/test/vm/bed"
)

//go:embed scale.sh
var scaleScript string

// flavours whose growth is measured.
var flavours = []string{"ours", "stock"}

// grid is what scale.sh has printed: rows and columns in the order in which they came.
type grid struct {
	rows, columns []string
	cells         map[[2]string]string
}

func (g *grid) put(row, column, value string) {
	if !slices.Contains(g.rows, row) {
		g.rows = append(g.rows, row)
	}
	if !slices.Contains(g.columns, column) {
		g.columns = append(g.columns, column)
	}
	g.cells[[2]string{row, column}] = value
}

func (g *grid) print(w io.Writer) {
	fmt.Fprintf(w, "%-28s", "")
	for _, c := range g.columns {
		fmt.Fprintf(w, " %12s", c)
	}
	fmt.Fprintln(w)
	for _, r := range g.rows {
		fmt.Fprintf(w, "%-28s", r)
		for _, c := range g.columns {
			fmt.Fprintf(w, " %12s", g.cells[[2]string{r, c}])
		}
		fmt.Fprintln(w)
	}
}

// growth measures what many volumes, or a device of 16 TiB, cost: one boot for each flavour.
func growth(ctx context.Context, o options, w io.Writer) error {
	g := &grid{cells: map[[2]string]string{}}
	for _, flavour := range flavours {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), flavour) {
			continue
		}
		var calls []string
		if o.huge {
			calls = append(calls, "huge "+flavour)
		} else {
			for _, n := range []string{"1", "10", "100"} {
				calls = append(calls, "volumes "+flavour+" "+n)
			}
		}
		if err := grow(ctx, o, g, flavour, calls); err != nil {
			return err
		}
	}
	g.print(w)
	return nil
}

func grow(ctx context.Context, o options, g *grid, flavour string, calls []string) error {
	b, err := bed.New(bed.Options{Name: "scale"})
	if err != nil {
		return err
	}
	defer b.Close(false)
	machines, err := b.Start(ctx, bed.Spec{Flavour: bed.Stock, Kernel: o.kernel, MemoryMB: 6144, Counting: true})
	if err != nil {
		return err
	}
	m := machines[0]
	if err := putOurs(ctx, m, o.kernel); err != nil {
		return err
	}
	if err := m.Put(ctx, "/root/scale.sh", []byte(scaleScript)); err != nil {
		return err
	}
	for _, call := range calls {
		begin := time.Now()
		limited, cancel := context.WithTimeout(ctx, 10*time.Minute)
		out, err := m.Run(limited, ". /root/guest.sh\n. /root/scale.sh\n"+call+"\n")
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", call, err, out.Stderr)
		}
		if err := g.read(flavour, out.Stdout); err != nil {
			return fmt.Errorf("%s: %w", call, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %.0f s\n", call, time.Since(begin).Seconds())
	}
	return nil
}

// read takes lines "scale ROW VALUE", "scale N ROW VALUE" and "busy N REPORT".
func (g *grid) read(flavour, output string) error {
	for line := range strings.Lines(output) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "scale":
			f := strings.Fields(rest)
			column := flavour
			if len(f) == 3 {
				column, f = flavour+" "+f[0], f[1:]
			}
			if len(f) != 2 {
				return fmt.Errorf("%q: a name and a value are expected", line)
			}
			g.put(f[0], column, f[1])
		case "busy":
			n, text, _ := strings.Cut(rest, " ")
			cost, _, err := instructions(text)
			if err != nil {
				return err
			}
			g.put("write-4k-d32, thousands", flavour+" "+n, fmt.Sprintf("%.1f", cost/1000))
		}
	}
	return nil
}
