package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// fsyncWriter writes files of random length into a folder, one after the other,
// syncs each and its folder, and only then says "NAME SHA256" on stdout. So what
// it said must be there after a crash. Arguments: folder, seed.
func fsyncWriter(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: fsync-writer FOLDER SEED")
	}
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("seed %q: a whole number is expected", args[1])
	}
	dir, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer dir.Close()
	random := rand.New(rand.NewPCG(seed, 0))
	for i := 0; ; i++ {
		data := make([]byte, 1+random.IntN(48<<10))
		for j := range data {
			data[j] = byte(random.Uint32())
		}
		name := fmt.Sprintf("f%06d", i)
		if err := writeSynced(filepath.Join(args[0], name), data); err != nil {
			return err
		}
		if err := dir.Sync(); err != nil {
			return err
		}
		fmt.Printf("%s %x\n", name, sha256.Sum256(data))
	}
}

func writeSynced(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}
