package faults

import (
	"testing"
	"time"

	"drbd/test/vm/bed"
	"drbd/test/vm/cluster"
)

// nap is a random moment of a writer's life.
func (c *ledgerPair) nap(most time.Duration) {
	time.Sleep(time.Duration(c.random.Int64N(int64(most))))
}

// cut is one power failure and what people do afterwards. Nothing that was acknowledged
// may be lost, and in the end both disks are equal.
func (c *ledgerPair) cut() {
	c.t.Helper()
	c.write()
	c.nap(2 * time.Second)
	kind := []string{"the Secondary", "the Primary", "both", "the Secondary twice", "the Primary after the Secondary"}[c.random.IntN(5)]
	defer func(begin time.Time, round int, primary string) {
		c.t.Logf("round %d: %s (%s was Primary), %d writes so far, %.0f s", round, kind, primary, c.ledger.writes, time.Since(begin).Seconds())
	}(time.Now(), c.round, c.primary.Name)
	switch kind {
	case "the Secondary":
		c.secondary.PowerOff()
		c.nap(4 * time.Second)
		c.powerOn(c.secondary)
	case "the Secondary twice":
		c.secondary.PowerOff()
		c.powerOn(c.secondary)
		c.nap(time.Second)
		c.secondary.PowerOff()
		c.powerOn(c.secondary)
	case "the Primary":
		c.primary.PowerOff()
		c.stop()
		c.primary, c.secondary = c.secondary, c.primary
		c.promote()
		c.check(c.primary)
		c.write()
		c.powerOn(c.secondary)
	case "both", "the Primary after the Secondary":
		if kind == "both" {
			c.secondary.PowerOff()
		} else {
			c.secondary.PowerOff()
			c.nap(4 * time.Second)
		}
		c.primary.PowerOff()
		c.stop()
		c.ledger.onlyStable()
		c.powerOn(c.primary, c.secondary)
		c.wait(c.primary, "cs:Connected ds:UpToDate/UpToDate", syncLimit)
		c.promote()
		c.check(c.primary)
		c.write()
	}
	c.wait(c.primary, "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate", syncLimit)
	c.nap(time.Second)
	c.stop()
	c.check(c.primary)
	c.compare()
}

// Power failures at random moments under load: nothing acknowledged is lost, both disks
// are equal afterwards. The disks have caches that forget.
func TestVMPowerCuts(t *testing.T) {
	for i, k := range []struct {
		name         string
		alpha, bravo bed.Flavour
		external     bool
		cuts         int // in `make test`
	}{
		{"OursOurs", bed.Ours, bed.Ours, false, 2},
		{"OursStock", bed.Ours, bed.Stock, false, 1},
		{"StockOurs", bed.Stock, bed.Ours, false, 1},
		{"OursOursExternal", bed.Ours, bed.Ours, true, 0},
		{"OursOursAgain", bed.Ours, bed.Ours, false, 0},
		{"OursStockAgain", bed.Ours, bed.Stock, false, 0},
		{"StockOursAgain", bed.Stock, bed.Ours, false, 0},
	} {
		t.Run(k.name, func(t *testing.T) {
			cuts, size := k.cuts, int64(48<<20)
			if cluster.Long() {
				cuts, size = 8, 300<<20 // more extents than the smallest activity log holds
			}
			if cuts == 0 {
				t.Skip("in the long tests only")
			}
			seed := seedOf(t, uint64(i))
			c := newLedgerPair(t, ledgerOptions{
				alpha: k.alpha, bravo: k.bravo, size: size, disk: "on-io-error detach; al-extents 67;", external: k.external, seed: seed,
			})
			for range cuts {
				c.cut()
			}
			t.Logf("%d writes were acknowledged in %d rounds", c.ledger.writes, c.round)
		})
	}
}
