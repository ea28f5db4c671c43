package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"drbd/test/vm/proto"
)

// ledgerWrite writes versions of sectors past the page cache until it is killed, from
// several writers that never touch each other's sectors, so that the versions of a
// sector only grow. On stdout, after the kernel has said so and not earlier:
//
//	w SECTOR COUNT VERSION   this write was acknowledged
//	f WRITER VERSION         and all of this writer up to VERSION flushed
//
// Arguments: device, sectors, writers, seed, first version, pause in microseconds.
func ledgerWrite(args []string) error {
	if len(args) != 6 {
		return errors.New("usage: ledger-write DEVICE SECTORS WRITERS SEED VERSION PAUSE")
	}
	n, err := numbers(args[1:])
	if err != nil {
		return err
	}
	l := ledger{device: args[0], sectors: int(n[0]), writers: int(n[1]), first: n[3], pause: time.Duration(n[4]) * time.Microsecond}
	errs := make(chan error)
	for w := range l.writers {
		go func() { errs <- l.write(w, rand.New(rand.NewPCG(n[2], uint64(w)))) }()
	}
	return <-errs
}

func numbers(words []string) ([]uint64, error) {
	var list []uint64
	for _, w := range words {
		n, err := strconv.ParseUint(w, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q: a whole number is expected", w)
		}
		list = append(list, n)
	}
	return list, nil
}

type ledger struct {
	device           string
	sectors, writers int
	first            uint64
	pause            time.Duration

	mu sync.Mutex // a line is whole
}

// A stripe has one owner. Three writes of four are whole blocks.
const (
	ledgerStripe = 128
	ledgerSector = proto.LedgerSector
	longestWrite = 64
)

func (l *ledger) write(w int, random *rand.Rand) error {
	f, err := os.OpenFile(l.device, os.O_WRONLY|unix.O_DIRECT, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	buf, err := unix.Mmap(-1, 0, longestWrite*ledgerSector, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	mine := (l.sectors/ledgerStripe - w + l.writers - 1) / l.writers
	for version := l.first; ; version++ {
		stripe := (random.IntN(mine)*l.writers + w) * ledgerStripe
		at, count := random.IntN(ledgerStripe/8)*8, 8
		switch random.IntN(8) {
		case 0:
			count = 1 + random.IntN(longestWrite)
			at = random.IntN(ledgerStripe - count + 1)
		case 1:
			at, count = random.IntN(2)*longestWrite, longestWrite
		}
		for i := range count {
			proto.FillLedger(buf[i*ledgerSector:(i+1)*ledgerSector], uint64(stripe+at+i), version)
		}
		if _, err := f.WriteAt(buf[:count*ledgerSector], int64(stripe+at)*ledgerSector); err != nil {
			return fmt.Errorf("write of %d sectors at %d: %w", count, stripe+at, err)
		}
		l.say("w %d %d %d", stripe+at, count, version)
		if random.IntN(16) == 0 {
			if err := unix.Fdatasync(int(f.Fd())); err != nil {
				return fmt.Errorf("flush: %w", err)
			}
			l.say("f %d %d", w, version)
		}
		time.Sleep(l.pause)
	}
}

func (l *ledger) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Printf(format+"\n", args...)
}

// ledgerCheck reads a device past the page cache and compares it with the versions that
// it must have at least: lines "SECTOR VERSION" on stdin. Arguments: device, sectors.
func ledgerCheck(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: ledger-check DEVICE SECTORS < VERSIONS")
	}
	n, err := numbers(args[1:])
	if err != nil {
		return err
	}
	least := make([]uint64, n[0])
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		v, err := numbers(strings.Fields(in.Text()))
		if err != nil || len(v) != 2 || v[0] >= n[0] {
			return fmt.Errorf("bad line %q", in.Text())
		}
		least[v[0]] = v[1]
	}
	f, err := os.OpenFile(args[0], os.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	const chunk = 256
	buf, err := unix.Mmap(-1, 0, chunk*ledgerSector, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	bad := 0
	for at := uint64(0); at < n[0]; at += chunk {
		count := min(chunk, n[0]-at)
		if _, err := io.ReadFull(io.NewSectionReader(f, int64(at)*ledgerSector, int64(count)*ledgerSector), buf[:count*ledgerSector]); err != nil {
			return fmt.Errorf("read at sector %d: %w", at, err)
		}
		for i := range count {
			have, err := proto.ReadLedger(buf[i*ledgerSector:(i+1)*ledgerSector], at+i)
			if err == nil && have < least[at+i] {
				err = fmt.Errorf("sector %d has version %#x, at least %#x is expected", at+i, have, least[at+i])
			}
			if err != nil && bad < 20 {
				fmt.Println(err, "first word", binary.LittleEndian.Uint64(buf[i*ledgerSector:]))
			}
			if err != nil {
				bad++
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d sectors are wrong", bad)
	}
	return nil
}
