package adm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drbd/internal/adjust"
	"drbd/internal/conf/conftest"
)

// Comparison with the drbdadm of Debian 12 (drbd-utils 9.22) as a black box: for every configuration and command, --dry-run must print
// the same steps in the same order and give the same exit code. The known differences are in reference_rules_test.go; any other fails.

// referenceTool is the path of the other drbdadm.
func referenceTool(t testing.TB) string {
	t.Helper()
	top, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("DRBD_CACHE")
	if cache == "" {
		cache = filepath.Join(top, ".cache")
	}
	if out, err := exec.Command(filepath.Join(top, "scripts", "fetch-reference")).CombinedOutput(); err != nil {
		t.Skipf("no drbdadm to compare with, because Debian's package drbd-utils cannot be had: %v\n%s", err, out)
	}
	tool := filepath.Join(cache, "reference", "usr", "sbin", "drbdadm")
	if out, err := exec.Command(tool, "--version").CombinedOutput(); err != nil && len(out) == 0 {
		t.Skipf("the drbdadm to compare with does not run: %v", err)
	}
	return tool
}

// outcome is what one call printed, and its exit code.
type outcome struct {
	out, err string
	code     int
}

// referenceCase is one call of both programs.
type referenceCase struct {
	host, file string
	text       string // of the file
	command    string
	running    string // file with the output of drbdsetup show, for adjust
}

func (c *referenceCase) String() string {
	return fmt.Sprintf("host %s, %s: drbdadm %s", c.host, filepath.Base(c.file), c.command)
}

func (c *referenceCase) args() []string {
	return append([]string{"-c", c.file, "-d"}, strings.Fields(c.command)...)
}

func (c *referenceCase) theirs(t *testing.T, tool string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, text bytes.Buffer
	cmd := exec.CommandContext(ctx, tool, c.args()...)
	cmd.Stdout, cmd.Stderr = &out, &text
	if _, err := os.Stat(c.running + ".9.22"); err == nil {
		cmd.Env = append(os.Environ(), "FAKE_DRBDSETUP_SHOW="+c.running+".9.22")
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{out.String(), text.String(), cmd.ProcessState.ExitCode()}
}

func (c *referenceCase) ours(tool string) outcome {
	var out, text bytes.Buffer
	env := NewEnv()
	env.Program, env.Stdin, env.Stdout, env.Stderr = tool, strings.NewReader(""), &out, &text
	env.ProcFile, env.Terminal, env.Tool = "/nonexistent", false, noTools
	code := Run(context.Background(), env, c.args())
	return outcome{out.String(), text.String(), code}
}

// noTools stands for drbdsetup and drbdmeta, which nothing here may run.
func noTools(_ context.Context, tool adjust.Tool, args []string, _ io.Reader, _, stderr io.Writer) int {
	fmt.Fprintf(stderr, "not in a dry run: %v %v\n", tool, args)
	return exitExec
}

// pretend makes both programs take the host and module that a case needs.
func pretend(t testing.TB, host string) {
	t.Setenv("__DRBD_NODE__", host)
	t.Setenv("DRBD_DRIVER_VERSION_OVERRIDE", "9.3.3")
}

// referenceCommands are given to both programs with every configuration.
var referenceCommands = []string{
	"up all", "down all", "adjust all", "attach all", "detach all", "connect all", "disconnect all", "primary all", "secondary all",
	"primary --force all", "-- --force primary all", "connect --discard-my-data all", "connect --tentative all", "-- --discard-my-data connect all",
	"disconnect --force all", "detach --force all", "resize all", "-- --size=1G resize all", "resize --assume-clean all", "check-resize all",
	"create-md all", "create-md --force --max-peers=7 all", "-- --force create-md all", "dump-md all", "wipe-md all", "apply-al all", "role all", "cstate all",
	"dstate all", "peer-role all", "invalidate all", "invalidate-remote all", "outdate all", "show-gi all", "get-gi all", "set-gi all", "forget-peer all",
	"verify all", "verify --start=1M --stop=2M all", "pause-sync all", "resume-sync all", "suspend-io all", "resume-io all", "new-current-uuid all",
	"new-current-uuid --clear-bitmap all", "new-resource all", "new-minor all", "new-peer all", "new-path all", "del-minor all", "del-peer all",
	"del-path all", "net-options all", "disk-options all", "resource-options all", "peer-device-options all", "wait-connect all", "wait-sync all",
	"status all", "status", "sh-resources", "sh-resource all", "sh-dev all", "sh-minor all", "sh-ll-dev all", "sh-md-dev all", "sh-md-idx all", "sh-ip all",
	"sh-mod-parms", "sh-nop", "sh-udev all", "sh-list-config-file all", "fence-peer all", "split-brain all", "before-resync-target all",
	"dump all", "-S up all", "-S down all", "-S adjust all", "-S wait-connect all", "-S sh-resources", "-S sh-lr-of all", "-S primary all",
	"up nosuch", "frobnicate all", "up", "primary --nosuch all", "-n VAR down all", "-W --more down all", "proxy-up all", "proxy-down all",
}

// namedCommands are about parts of a resource.
var namedCommands = map[string][]string{
	"three-nodes.conf": {"connect r0:bravo", "disconnect r0:charlie", "attach r1/1", "detach r1/1", "attach r1/0", "verify r0:bravo/0", "up r0 r1", "up r1 r0",
		"connect r0:alpha", "connect r0:nosuch", "attach r1/5", "up r1/0", "peer-device-options r1:bravo/1", "dstate minor-10", "sh-udev minor-11", "sh-udev minor-7",
		"sh-resource minor-11", "wait-connect r0:bravo", "wait-connect r1/1", "wait-connect --wfc-timeout=5 r0", "dump r1", "dump r0", "fence-peer r0",
		"primary r0 nosuch", "cstate r0:bravo r1", "net-options r0:charlie", "show-gi r1:bravo/1", "create-md r1/1", "create-md r1/0", "up", "net-options --timeout=77 r0",
		"disk-options --al-extents=1237 r0", "adjust r0", "adjust --skip-net r0", "adjust --skip-disk all", "role r0:bravo", "resize r1/0", "-- --timeout 55 net-options r0"},
	"meshes.conf":       {"connect r0:delta", "disk-options r0", "create-md r0", "new-peer r0:charlie"},
	"names.conf":        {"up net", "connect net:123", "connect r-1_x.y:foxtrot", "connect r-1_x.y:echo_foxtrot_golf", "up elsewhere", "dump elsewhere"},
	"resync-after.conf": {"attach b", "disk-options c/3", "adjust c"},
	"stacked.conf":      {"up upper", "up lower", "-S up upper", "connect upper", "dump upper", "create-md upper", "sh-md-dev upper"},
	"disk-options.conf": {"resize r0", "attach --size=1G r0", "attach --on-io-error=detach r0"},
	"volumes.conf":      {"attach r0/5", "attach r0/2", "dump r0"},
}

// hosts on which a file is looked at; alpha when it is not named.
var referenceHosts = map[string][]string{
	"three-nodes.conf": {"alpha", "bravo", "charlie"}, "stacked.conf": {"alpha", "charlie"}, "stacked-old.conf": {"bravo"}, "meshes.conf": {"alpha", "delta"},
	"floating4.conf": {"alpha", "10.0.0.1"}, "nat.conf": {"alpha", "bravo"}, "names.conf": {"alpha", "alpha.example.com", "123"}, "old-form.conf": {"bravo"},
	"seed-000-drbd07.conf": {"s1.unoh.net"}, "seed-001-drbd83.conf": {"t", "Shentar"}, "seed-002-r0.res": {"sv1"}, "seed-003-drbd82.conf": {"storage0a.example.org"},
}

// referenceCases are all files with all commands.
func referenceCases(t *testing.T) []*referenceCase {
	t.Helper()
	var files []string
	for _, pattern := range []string{"testdata/reference/*.conf", "../conf/testdata/seed*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	dir := t.TempDir()
	nothing := filepath.Join(dir, "idle.show") // else both would ask the module of this machine, and load one
	if err := os.WriteFile(nothing, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(12) {
		name := filepath.Join(dir, fmt.Sprintf("random-%d.conf", seed))
		text := newOptionLine.ReplaceAllString(conftest.Config(rand.New(rand.NewPCG(seed, 22))), "")
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	var out []*referenceCase
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(file)
		hosts := referenceHosts[base]
		if hosts == nil {
			hosts = []string{"alpha"}
		}
		for _, host := range hosts {
			for _, command := range slices.Concat(referenceCommands, namedCommands[base]) {
				out = append(out, &referenceCase{host: host, file: file, text: string(text), command: command, running: nothing})
			}
		}
	}
	return append(out, adjustCases(t, dir)...)
}

// adjustBase is a configuration and what drbdsetup shows when it runs.
const adjustBase = `resource r0 {
    net { protocol C; }
    on alpha { node-id 0; address 10.0.0.1:7789; volume 0 { device minor 7; disk /dev/vg/r0; meta-disk internal; } }
    on bravo { node-id 1; address 10.0.0.2:7789; volume 0 { device minor 7; disk /dev/vg/r0; meta-disk internal; } }
}
`

const adjustRunning = `resource "r0" {
    options { }
    _this_host {
        node-id 0;
        volume 0 { device minor 7; disk "/dev/vg/r0"; meta-disk internal; disk { size 0s; } }
    }
    connection {
        _peer_node_id 1;
        path { _this_host ipv4 10.0.0.1:7789; _remote_host ipv4 10.0.0.2:7789; }
        _cstate Connected;
        net { protocol C; _name "bravo"; }
        volume 0 { disk { resync-rate 250k; } }
    }
}
`

// adjustChanges are replacements in the configuration (first pair) or in what runs (from the second on).
var adjustChanges = map[string][][2]string{
	"nothing":                  {{"", ""}},
	"a net option":             {{"protocol C;", "protocol C; ping-timeout 9;"}},
	"a net option gone":        {{"", ""}, {"protocol C;", "protocol C; ping-timeout 9;"}},
	"a default written":        {{"protocol C;", "protocol C; ping-timeout 5;"}},
	"protocol":                 {{"protocol C;", "protocol A;"}},
	"resource options":         {{"net {", "options { quorum majority; on-no-quorum io-error; } net {"}},
	"disk options":             {{"net {", "disk { on-io-error pass_on; al-extents 911; } net {"}},
	"disk options gone":        {{"", ""}, {"size 0s;", "size 0s; al-extents 911;"}},
	"peer-device options":      {{"net {", "disk { resync-rate 5M; c-plan-ahead 0; } net {"}},
	"size":                     {{"net {", "disk { size 1G; } net {"}},
	"size in another unit":     {{"net {", "disk { size 1G; } net {"}, {"size 0s;", "size 2097152s;"}},
	"several classes":          {{"net {", "options { auto-promote no; } disk { size 1G; on-io-error pass_on; resync-rate 5M; } net { timeout 70; "}},
	"another disk":             {{"disk /dev/vg/r0", "disk /dev/vg/rX"}},
	"another metadata device":  {{"meta-disk internal", "meta-disk /dev/vg/md"}},
	"no disk":                  {{"disk /dev/vg/r0", "disk none"}},
	"no disk running":          {{"", ""}, {"disk \"/dev/vg/r0\"; meta-disk internal; disk { size 0s; }", "disk none;"}},
	"transport":                {{"protocol C;", "protocol C; transport rdma;"}},
	"a new volume":             {{"meta-disk internal; } }", "meta-disk internal; } volume 1 { device minor 9; disk /dev/vg/r1; meta-disk internal; } }"}},
	"a volume gone":            {{"", ""}, {"    _this_host {", "    _this_host {\n volume 1 { device minor 9; disk \"/dev/vg/r1\"; meta-disk internal; }"}},
	"StandAlone":               {{"", ""}, {"Connected", "StandAlone"}},
	"Connecting":               {{"protocol C;", "protocol C; timeout 50;"}, {"Connected", "Connecting"}},
	"another port, StandAlone": {{"10.0.0.2:7789", "10.0.0.2:7790"}, {"Connected", "StandAlone"}},
	"another address":          {{"10.0.0.2:7789", "10.0.0.9:7789"}},
	"nothing runs":             {{"", ""}, {adjustRunning, ""}},
}

func adjustCases(t *testing.T, dir string) []*referenceCase {
	var out []*referenceCase
	for _, name := range slices.Sorted(maps.Keys(adjustChanges)) {
		changes := adjustChanges[name]
		wanted, running := adjustBase, adjustRunning
		for i, c := range changes {
			switch {
			case c[0] == "":
			case i == 0:
				wanted = strings.ReplaceAll(wanted, c[0], c[1])
			default:
				running = strings.ReplaceAll(running, c[0], c[1])
			}
		}
		word := strings.NewReplacer(" ", "-", ",", "").Replace(name)
		file, show := filepath.Join(dir, word+".conf"), filepath.Join(dir, word+".show")
		// 9.22 has the state of connections in another form.
		older := strings.NewReplacer("_cstate StandAlone;", "_is_standalone;", "_cstate Connected;", "", "_cstate Connecting;", "").Replace(running)
		for path, text := range map[string]string{file: wanted, show: running, show + ".9.22": older} {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, command := range []string{"adjust all", "adjust r0", "adjust --skip-disk r0", "adjust --skip-net r0", "adjust --discard-my-data r0", "sh-list-adjustable all"} {
			out = append(out, &referenceCase{host: "alpha", file: file, text: wanted, command: command, running: show})
		}
	}
	return out
}

func TestLikeReference(t *testing.T) {
	tool := referenceTool(t)
	cases := referenceCases(t)
	shown, compared, differing := 0, 0, map[string]int{}
	for _, c := range cases {
		pretend(t, c.host)
		t.Setenv("FAKE_DRBDSETUP_SHOW", c.running)
		theirs, ours := c.theirs(t, tool), c.ours(tool)
		compared++
		names := explain(c, &theirs, &ours)
		for _, n := range names {
			differing[n]++
		}
		if theirs.out == ours.out && theirs.code == ours.code {
			continue
		}
		if shown++; shown <= 20 {
			t.Errorf("%v\nexit code %d, theirs %d\n(-theirs +ours)\n%s\ntheir messages:\n%s\nour messages:\n%s", c, ours.code, theirs.code,
				cmp.Diff(lines(theirs.out), lines(ours.out)), theirs.err, ours.err)
		}
	}
	t.Logf("%d calls compared, %d not alike beyond the known differences %v", compared, shown, differing)
	const least = 80
	if compared < least {
		t.Errorf("only %d calls were compared", compared)
	}
}

// Every known difference is written down for users with its reason.
func TestDifferencesAreListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "findings.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if !strings.Contains(string(text), "\n- "+r.name+": ") {
			t.Errorf("docs/findings.md has no line '- %s: <reason>'", r.name)
		}
	}
}

// A thousand resources must take less time than with the other program, in one run on one machine.
func TestFasterThanReference(t *testing.T) {
	tool := referenceTool(t)
	own := filepath.Join(t.TempDir(), "drbdadm")
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-o", own, "../../cmd/drbdadm")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as scripts/build-tools does
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("cannot build drbdadm: %v\n%s", err, out)
	}
	pretend(t, "alpha")
	file := manyResources(t, 1000)
	// What a program needs is its processor time, and the least of several runs: the rest is what else the machine does.
	type cost struct{ wall, processor time.Duration }
	run := func(program string, least cost) cost {
		c := exec.Command(program, "-c", file, "-d", "up", "all")
		begin := time.Now()
		if out, err := c.Output(); err != nil || len(lines(string(out))) < 8000 {
			t.Fatalf("%s: %v, %d lines", program, err, len(lines(string(out))))
		}
		return cost{min(least.wall, time.Since(begin)), min(least.processor, c.ProcessState.UserTime()+c.ProcessState.SystemTime())}
	}
	ours, theirs := cost{time.Hour, time.Hour}, cost{time.Hour, time.Hour}
	for range 20 {
		ours, theirs = run(own, ours), run(tool, theirs)
	}
	ratio := ours.processor.Seconds() / theirs.processor.Seconds()
	t.Logf("up all --dry-run of 1000 resources: %v of processor time, drbd-utils %v, ratio %.2f; elapsed %v, %v, ratio %.2f", ours.processor, theirs.processor,
		ratio, ours.wall, theirs.wall, ours.wall.Seconds()/theirs.wall.Seconds())
	const bound = 0.8 // measured: 0.52 to 0.62
	if ratio > bound {
		t.Errorf("%.2f of the processor time of drbd-utils; at most %.1f is wanted", ratio, bound)
	}
}

func lines(text string) []string { return strings.Split(text, "\n") }
