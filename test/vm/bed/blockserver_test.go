package bed

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func request(d *ServedDisk, kind uint16, offset, length int64, data []byte) ([]byte, error) {
	return d.do(blockRequest{kind: kind, offset: offset, length: length, data: data})
}

// What was flushed is there after a power failure; of the rest each sector is as it was
// at some time since, and not everything survives.
func TestServedDiskForgets(t *testing.T) {
	const sectors = 256
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, make([]byte, sectors*sectorSize), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := serveDisk(path, filepath.Join(t.TempDir(), "socket"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	fill := func(b byte) []byte { return bytes.Repeat([]byte{b}, sectors*sectorSize) }
	write := func(b byte) {
		t.Helper()
		if _, err := request(d, nbdWrite, 0, sectors*sectorSize, fill(b)); err != nil {
			t.Fatal(err)
		}
		if got, err := request(d, nbdRead, 0, sectors*sectorSize, nil); err != nil || !bytes.Equal(got, fill(b)) {
			t.Fatalf("what was written is not read back (%v)", err)
		}
	}
	seen := map[byte]int{}
	for range 20 {
		write(1)
		if _, err := request(d, nbdFlush, 0, 0, nil); err != nil {
			t.Fatal(err)
		}
		write(2)
		write(3)
		if err := d.lose(); err != nil {
			t.Fatal(err)
		}
		got, err := request(d, nbdRead, 0, sectors*sectorSize, nil)
		if err != nil {
			t.Fatal(err)
		}
		for s := range sectors {
			sector := got[s*sectorSize : (s+1)*sectorSize]
			if !bytes.Equal(sector, bytes.Repeat(sector[:1], sectorSize)) {
				t.Fatalf("sector %d is torn", s)
			}
			seen[sector[0]]++
		}
	}
	if seen[0] != 0 || seen[1] == 0 || seen[2] == 0 || seen[3] == 0 {
		t.Errorf("after 20 power failures sectors have these versions: %v", seen)
	}
}

func TestServedDiskFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, make([]byte, 64*sectorSize), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := serveDisk(path, filepath.Join(t.TempDir(), "socket"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	d.SetFault(DiskFault{Reads: true, From: 8 * sectorSize, To: 16 * sectorSize})
	for _, c := range []struct {
		kind   uint16
		sector int64
		fails  bool
	}{{nbdRead, 7, false}, {nbdRead, 8, true}, {nbdRead, 15, true}, {nbdRead, 16, false}, {nbdWrite, 8, false}, {nbdRead, 64, true}} {
		_, err := request(d, c.kind, c.sector*sectorSize, sectorSize, make([]byte, sectorSize))
		if (err != nil) != c.fails {
			t.Errorf("request %d at sector %d: %v", c.kind, c.sector, err)
		}
	}
	d.SetFault(DiskFault{})
	if _, err := request(d, nbdRead, 8*sectorSize, sectorSize, nil); err != nil {
		t.Errorf("a healed disk: %v", err)
	}
}
