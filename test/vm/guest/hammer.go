package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// hammer writes for some seconds, past the page cache and several at once, to random
// places in the first sectors of a device: whole blocks of 4 KiB, or (the shape is
// "any") random lengths too. When all writes were successful it says how many.
// Arguments: device, shape, sectors, writers, seconds, seed.
func hammer(args []string) error {
	if len(args) != 6 {
		return errors.New("usage: block-hammer DEVICE blocks|any SECTORS WRITERS SECONDS SEED")
	}
	var n [4]int
	for i := range n {
		v, err := strconv.Atoi(args[i+2])
		if err != nil || v < 0 {
			return fmt.Errorf("%q: a whole number is expected", args[i+2])
		}
		n[i] = v
	}
	sectors, writers, seconds, seed := n[0], n[1], n[2], n[3]
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	counts := make([]int, writers)
	errs := make([]error, writers)
	var all sync.WaitGroup
	for w := range writers {
		all.Add(1)
		go func() {
			defer all.Done()
			random := rand.New(rand.NewPCG(uint64(seed), uint64(w)))
			counts[w], errs[w] = hammerOne(args[0], args[1] == "any", sectors, end, random)
		}()
	}
	all.Wait()
	total := 0
	for _, c := range counts {
		total += c
	}
	fmt.Println(total)
	return errors.Join(errs...)
}

func hammerOne(device string, anyShape bool, sectors int, end time.Time, random *rand.Rand) (int, error) {
	const sector, block, longest = 512, 8, 32
	f, err := os.OpenFile(device, os.O_WRONLY|unix.O_DIRECT, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf, err := unix.Mmap(-1, 0, longest*sector, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(buf)
	for n := 0; ; n++ {
		if time.Now().After(end) {
			return n, nil
		}
		length := block
		at := random.IntN(sectors/block) * block
		if anyShape && random.IntN(2) == 0 {
			length = 1 + random.IntN(min(longest, sectors))
			at = random.IntN(sectors - length + 1)
		}
		for i := 0; i < length*sector; i += 8 {
			binary.LittleEndian.PutUint64(buf[i:], random.Uint64())
		}
		if _, err := f.WriteAt(buf[:length*sector], int64(at)*sector); err != nil {
			return n, fmt.Errorf("write of %d sectors at %d: %w", length, at, err)
		}
	}
}
