package adm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestHandlersOfTheKernelAreHeard(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	var log bytes.Buffer
	opened := func() (io.Writer, error) { return &log, nil }

	a := &App{env: &Env{Stdout: null, Stderr: null}, ctx: context.Background()}
	a.logUnheard(opened)
	a.warn("nothing to say")
	if code := a.env.Shell(a.ctx, "echo out; echo err >&2; exit 7", nil); code != 7 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"nothing to say\n", "out\n", "err\n"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log: %q", want, log.String())
		}
	}

	var seen bytes.Buffer
	a = &App{env: &Env{Stdout: &seen, Stderr: &seen}}
	a.logUnheard(func() (io.Writer, error) { t.Error("the log was opened although somebody listens"); return nil, nil })

	a = &App{env: &Env{Stdout: null, Stderr: null}}
	a.logUnheard(func() (io.Writer, error) { return nil, errors.New("no daemon") })
	a.warn("into the void") // and no crash
}
