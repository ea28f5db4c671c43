package proto

import "testing"

func TestLedgerKnowsItsSectors(t *testing.T) {
	b := make([]byte, LedgerSector)
	if v, err := ReadLedger(b, 5); v != 0 || err != nil {
		t.Errorf("an empty sector: version %d, %v", v, err)
	}
	FillLedger(b, 5, 77)
	if v, err := ReadLedger(b, 5); v != 77 || err != nil {
		t.Errorf("version %d, %v", v, err)
	}
	if _, err := ReadLedger(b, 6); err == nil {
		t.Error("the data of another sector were taken")
	}
	for i := range b {
		b[i]++
		if v, err := ReadLedger(b, 5); err == nil && v == 77 {
			t.Errorf("a change of byte %d was not found", i)
		}
		b[i]--
	}
}
