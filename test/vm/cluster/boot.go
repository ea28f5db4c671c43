package cluster

import (
	"context"
	"os"
	"strings"
	"testing"

	"drbd/test/vm/bed"
)

// Boot starts machines for a test, which is skipped unless DRBD_VM is set. Their
// kernel is that of DRBD_VM_KERNEL where the specification names none. At the end of
// the test their kernel logs are checked, and kept if it failed.
func Boot(t *testing.T, specs ...bed.Spec) (*bed.Bed, []*bed.Machine) {
	t.Helper()
	if os.Getenv("DRBD_VM") == "" {
		t.Skip("boots machines: set DRBD_VM=1, or run `make test`")
	}
	for i := range specs {
		if specs[i].Kernel == "" {
			specs[i].Kernel = os.Getenv("DRBD_VM_KERNEL") // "" is the bed's default
		}
		if specs[i].Kernel == bed.DebugKernel && specs[i].Flavour == bed.Stock {
			t.Skip("the debug kernel has no stock module")
		}
	}
	b, err := bed.New(bed.Options{Name: strings.ReplaceAll(t.Name(), "/", "-")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.CheckKernelLogs(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log("logs of the machines:", b.Dir())
		}
		b.Close(t.Failed())
	})
	machines, err := b.Start(context.Background(), specs...)
	if err != nil {
		t.Fatal(err)
	}
	return b, machines
}
