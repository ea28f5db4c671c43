package proto

import (
	"encoding/binary"
	"fmt"
)

// LedgerSector is what a version of the ledger covers: the smallest thing that a disk
// writes in one piece.
const LedgerSector = 512

const ledgerMark = 0x6c65646765720001

// FillLedger makes the content that a sector has at a version: it tells both.
func FillLedger(b []byte, sector, version uint64) {
	binary.LittleEndian.PutUint64(b, ledgerMark)
	binary.LittleEndian.PutUint64(b[8:], sector)
	binary.LittleEndian.PutUint64(b[16:], version)
	for i := 24; i < LedgerSector; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], ledgerWord(sector, version, i))
	}
}

// ReadLedger tells the version of a sector: 0 if it was never written (all zero). An
// error is a sector that no write has left so.
func ReadLedger(b []byte, sector uint64) (uint64, error) {
	if binary.LittleEndian.Uint64(b) == 0 {
		for i, c := range b[:LedgerSector] {
			if c != 0 {
				return 0, fmt.Errorf("sector %d begins with zeroes, but byte %d is %#x", sector, i, c)
			}
		}
		return 0, nil
	}
	if mark := binary.LittleEndian.Uint64(b); mark != ledgerMark {
		return 0, fmt.Errorf("sector %d has foreign data", sector)
	}
	version := binary.LittleEndian.Uint64(b[16:])
	if s := binary.LittleEndian.Uint64(b[8:]); s != sector {
		return version, fmt.Errorf("sector %d has the data of sector %d, version %#x", sector, s, version)
	}
	for i := 24; i < LedgerSector; i += 8 {
		if binary.LittleEndian.Uint64(b[i:]) != ledgerWord(sector, version, i) {
			return version, fmt.Errorf("sector %d, version %#x: byte %d is of another version", sector, version, i)
		}
	}
	return version, nil
}

func ledgerWord(sector, version uint64, i int) uint64 {
	return (sector*0x9e3779b97f4a7c15 ^ version) + uint64(i)
}
