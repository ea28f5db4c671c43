package manual

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"drbd/internal/meta"
)

func TestFilesAreFresh(t *testing.T) {
	for _, f := range Files() {
		text, err := os.ReadFile(filepath.Join("..", "..", f.Path))
		if err != nil || string(text) != f.Text {
			t.Errorf("%s is not what the tables say (%v): run  scripts/go generate ./internal/manual", f.Path, err)
		}
	}
}

// Nothing is left unexplained, and nothing is explained that does not exist.
func TestEverythingIsExplained(t *testing.T) {
	for _, s := range optionSections {
		known := map[string]bool{}
		for _, f := range s.class.Fields() {
			known[f.Option] = true
			if optionTexts[s.key][f.Option] == "" {
				t.Errorf("%s: option %s has no explanation in texts.go", s.key, f.Option)
			}
		}
		for name := range optionTexts[s.key] {
			if !known[name] {
				t.Errorf("%s: texts.go explains %s, which is no option", s.key, name)
			}
		}
	}
	for _, c := range meta.Commands() {
		if !c.Hidden && metaTexts[c.Name] == "" {
			t.Errorf("drbdmeta %s has no explanation in texts.go", c.Name)
		}
	}
}

// Pages must not have lines that roff takes for requests of its own.
func TestPagesAreRoff(t *testing.T) {
	request := regexp.MustCompile(`^\.(\\"|TH |SH |SS |TP$|PP$|RS( 4)?$|RE$|nf$|fi$)`)
	for _, f := range Files() {
		if !strings.HasPrefix(f.Path, "docs/man/") {
			continue
		}
		for n, line := range strings.Split(f.Text, "\n") {
			if (strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'")) && !request.MatchString(line) {
				t.Errorf("%s:%d: %q", f.Path, n+1, line)
			}
		}
	}
}

func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	for _, c := range []struct {
		line string // the last word is being completed
		want string // a word that is offered
		not  string // one that is not
	}{
		{"drbdadm adj", "adjust", "up"},
		{"drbdadm primary --fo", "--force", "--discard-my-data"},
		{"drbdadm connect --disc", "--discard-my-data", "--force"},
		{"drbdadm --dry", "--dry-run", "up"},
		{"drbdadm up r", "r7", "adjust"},
		{"drbdsetup new-p", "new-peer", "connect"},
		{"drbdsetup net-options r0 1 --protocol = ", "A", "--timeout="},
		{"drbdmeta 0 v09 /dev/x internal dump", "dump-md", "get-gi"},
	} {
		script := `. ../../scripts/completion/drbd.bash
drbdadm() { echo r7; }
compopt() { :; }
COMP_WORDS=(` + strings.ReplaceAll(c.line, " = ", ` = ''`) + `); COMP_CWORD=$((${#COMP_WORDS[@]}-1))
_${COMP_WORDS[0]}; printf '%s\n' "${COMPREPLY[@]}"`
		out, err := exec.Command(bash, "-c", script).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", c.line, err, out)
		}
		offered := "\n" + string(out)
		if !strings.Contains(offered, "\n"+c.want+"\n") || strings.Contains(offered, "\n"+c.not+"\n") {
			t.Errorf("%s: offers %q, want %s and not %s", c.line, out, c.want, c.not)
		}
	}
}
