package bed

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// badKernelLine matches what a healthy kernel never says.
var badKernelLine = regexp.MustCompile(strings.Join([]string{
	`WARNING: `, `\bBUG:`, `kernel BUG at`, `\bOops\b`, `Kernel panic`, `general protection`,
	`unable to handle`, `INFO: task .* blocked for more than`, `possible .*locking dependency`,
	`possible recursive locking`, `inconsistent lock state`, `suspicious RCU usage`, `INFO: rcu_.* (detected|self-detected) stall`,
	`soft lockup`, `hard LOCKUP`, `UBSAN:`, `KASAN:`, `KCSAN:`, `kmemleak: .*suspected`, `list_(add|del) corruption`,
	`refcount_t:`, `scheduling while atomic`, `sleeping function called`, `page allocation failure`, `Objects remaining in`,
	`invalid opcode`, `stack-protector`, `slab-out-of-bounds`, `use-after-free`, `DEBUG_LOCKS_WARN_ON`,
}, "|"))

// KernelLog is all the machine's kernel has logged since it was made, over all
// boots: what the agent forwarded, then what came on the serial console (which
// has the last words of a crash).
func (m *Machine) KernelLog() string {
	forwarded, _ := os.ReadFile(m.path("kernel.log"))
	console, _ := os.ReadFile(m.path("console.log"))
	now, _ := os.ReadFile(m.path("console.now"))
	return string(forwarded) + string(console) + string(now)
}

// CheckKernelLog fails when the kernel said something a healthy kernel never says.
// Lines that match one of allowed (regular expressions) are passed over.
func (m *Machine) CheckKernelLog(allowed ...string) error {
	bad := badLines(m.KernelLog(), allowed)
	if len(bad) == 0 {
		return nil
	}
	const most = 10
	if len(bad) > most {
		bad = append(bad[:most], "...")
	}
	return fmt.Errorf("the kernel of %s complains (%s):\n%s", m.Name, m.path("kernel.log"), strings.Join(bad, "\n"))
}

func badLines(log string, allowed []string) []string {
	var pass []*regexp.Regexp
	for _, a := range allowed {
		pass = append(pass, regexp.MustCompile(a))
	}
	var bad []string
next:
	for line := range strings.SplitSeq(log, "\n") {
		if !badKernelLine.MatchString(line) {
			continue
		}
		for _, p := range pass {
			if p.MatchString(line) {
				continue next
			}
		}
		bad = append(bad, strings.TrimSpace(line))
	}
	return bad
}

// CheckKernelLogs does it for every machine of the bed.
func (b *Bed) CheckKernelLogs(allowed ...string) error {
	for _, m := range b.Machines() {
		if err := m.CheckKernelLog(allowed...); err != nil {
			return err
		}
	}
	return nil
}
