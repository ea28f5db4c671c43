package adm

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"drbd/internal/adjust"
)

// The scripts run drbdadm as a process of its own. Its tools only say what they were asked to do: FAKE_EXIT has the exit codes of
// commands as a list of "word=code", where the word is a command of drbdsetup or drbdmeta.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"drbdadm": func() {
		env := NewEnv()
		env.Program = "drbdadm"
		env.RunDir = filepath.Join(os.Getenv("WORK"), "run")
		env.ProcFile = filepath.Join(os.Getenv("WORK"), "proc-drbd")
		env.Tool = fakeTool
		os.Exit(Run(context.Background(), env, os.Args[1:]))
	}})
}

func fakeTool(_ context.Context, tool adjust.Tool, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	c := adjust.Command{Tool: tool, Args: args}
	if id := os.Getenv("FAKE_DEVICE_ID"); id != "" && c.Name() == "read-dev-uuid" {
		fmt.Fprintln(stdout, id)
		return exitOK
	}
	if c.Name() == "write-dev-uuid" { // what it writes is nobody's business, so it goes where a test sees it
		fmt.Fprintln(stderr, "meta:", strings.Join(args, " "))
		return exitOK
	}
	if file := os.Getenv("FAKE_STATUS"); file != "" && slices.Contains(args, "--json") {
		text, err := os.ReadFile(file)
		if err != nil {
			return exitExec
		}
		_, _ = stdout.Write(text)
		return exitOK
	}
	fmt.Fprintf(stdout, "%s: %s\n", map[adjust.Tool]string{adjust.Setup: "setup", adjust.Meta: "meta", adjust.Proxy: "proxy"}[tool], strings.Join(args, " "))
	for pair := range strings.FieldsSeq(os.Getenv("FAKE_EXIT")) {
		word, code, _ := strings.Cut(pair, "=")
		if word != c.Name() && word != strings.Join(args[:min(2, len(args))], ":") {
			continue
		}
		n, err := strconv.Atoi(code)
		if err != nil {
			n = exitExec
		}
		if n == 20 {
			fmt.Fprintf(stderr, "Could not connect to 'drbd' %s: the module cannot be loaded; run: modprobe drbd\n", noModule)
			return n
		}
		if n == 255 {
			fmt.Fprintln(stderr, noMetadata)
		}
		fmt.Fprintf(stderr, "%s failed\n", c.Name())
		return n
	}
	return exitOK
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("__DRBD_NODE__", "alpha")
			e.Setenv("DRBD_DRIVER_VERSION_OVERRIDE", "9.3.3")
			seeds, err := filepath.Glob("../conf/testdata/*")
			if err != nil {
				return err
			}
			for _, name := range seeds {
				text, err := os.ReadFile(name)
				if err != nil {
					continue // a folder
				}
				if err := os.WriteFile(filepath.Join(e.WorkDir, filepath.Base(name)), text, 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	})
}
