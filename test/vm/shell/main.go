// Command shell boots test machines and runs what is typed: a laboratory for
// whoever develops the module. One line of standard input is one order:
//
//	alpha COMMAND      runs a bash command there, prints output and status
//	put alpha SRC DST  copies a file into the machine
//	off alpha          power failure;  on alpha: power on, same disks
//	cut | restore      the network between all machines
//	compare BYTES      the first BYTES of both first disks
//	log alpha          the kernel's log
//	quit
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"drbd/test/vm/bed"
)

func main() {
	flavours := flag.String("machines", "ours,ours", "flavour of each machine, ours or stock")
	kernel := flag.String("kernel", "6.1", "Debian kernel: 5.10, 6.1, 6.12 or 7.2")
	size := flag.Int64("disk", 64, "size of each disk, MiB")
	memory := flag.Int("memory", 0, "memory of each machine, MiB; 0 = the bed's default")
	fill := flag.Bool("fill", false, "fill the disks with random data")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *flavours, *kernel, *size<<20, *memory, *fill); err != nil {
		fmt.Fprintln(os.Stderr, "shell:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, flavours, kernel string, size int64, memory int, fill bool) error {
	b, err := bed.New(bed.Options{Name: "shell", Log: os.Stdout})
	if err != nil {
		return err
	}
	defer b.Close(true)
	var specs []bed.Spec
	for _, s := range strings.Split(flavours, ",") {
		f, err := bed.ParseFlavour(s)
		if err != nil {
			return err
		}
		specs = append(specs, bed.Spec{Flavour: f, Kernel: kernel, Disks: []int64{size}, MemoryMB: memory, FillDisks: fill})
	}
	if _, err := b.Start(ctx, specs...); err != nil {
		return err
	}
	for _, m := range b.Machines() {
		fmt.Println(m.Name, m.Address)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		word, rest, _ := strings.Cut(strings.TrimSpace(in.Text()), " ")
		if word == "quit" {
			return nil
		}
		if word != "" {
			fmt.Println(order(ctx, b, word, strings.TrimSpace(rest)))
		}
	}
	return in.Err()
}

func find(b *bed.Bed, name string) *bed.Machine {
	for _, m := range b.Machines() {
		if m.Name == name {
			return m
		}
	}
	return nil
}

func order(ctx context.Context, b *bed.Bed, word, rest string) string {
	if m := find(b, word); m != nil {
		return command(ctx, m, rest)
	}
	ms := b.Machines()
	switch word {
	case "cut", "restore":
		if word == "cut" {
			b.Network().Cut(ms[0], ms[1])
		} else {
			b.Network().Restore(ms[0], ms[1])
		}
		return word + " done"
	case "compare":
		n, err := strconv.ParseInt(rest, 10, 64)
		if err == nil {
			err = bed.CompareDisks(ms[0].Disk(0), ms[1].Disk(0), 0, n)
		}
		return fmt.Sprint("compare: ", err)
	}
	name, args, _ := strings.Cut(rest, " ")
	m := find(b, name)
	if m == nil {
		return "no such order or machine: " + word + " " + rest
	}
	return machineOrder(ctx, m, word, args)
}

func machineOrder(ctx context.Context, m *bed.Machine, word, args string) string {
	switch word {
	case "off":
		m.PowerOff()
		return m.Name + " is off"
	case "on":
		return fmt.Sprint(m.Name, " on: ", m.PowerOn(ctx))
	case "log":
		return m.KernelLog()
	case "put":
		src, dst, _ := strings.Cut(args, " ")
		data, err := os.ReadFile(src)
		if err == nil {
			err = m.Put(ctx, dst, data)
		}
		return fmt.Sprint("put: ", err)
	}
	return "no such order: " + word
}

func command(ctx context.Context, m *bed.Machine, text string) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := m.Run(ctx, text)
	s := fmt.Sprintf("%s# %s\n%s%s", m.Name, text, out.Stdout, out.Stderr)
	if err != nil {
		s += fmt.Sprintln("error:", err)
	}
	return s
}
