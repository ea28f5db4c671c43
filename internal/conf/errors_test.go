package conf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goodHosts = `
  device /dev/drbd0; disk /dev/sda; meta-disk internal;
  on alpha { address 10.0.0.1:7789; }
  on bravo { address 10.0.0.2:7789; }
`

// Each text has its mistakes named with the lines they are on.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"several in one run", "resource r0 {\n  net {\n    timeuot 30;\n    ping-int 500;\n    protocol D;\n  }\n  disk { on-io-error explode; }" + goodHosts + "}\n", `
f:3: 'timeuot' is no option of section 'net'; did you mean 'timeout'?
f:4: ping-int: 500 is out of range: possible is 1 to 120
f:5: protocol: "D" is not possible: it must be A, B or C
f:7: on-io-error: "explode" is not possible: it must be pass_on, call-local-io-error or detach`},
		{"option of another section", "resource r0 {\n  disk { timeout 30; }\n  net { al-extents 300; wfc-timeout 3; }" + goodHosts + "}", `
f:2: 'timeout' is no option of section 'disk'; it belongs into 'net { }'
f:3: 'al-extents' is no option of section 'net'; it belongs into 'disk { }'
f:3: 'wfc-timeout' is no option of section 'net'; it belongs into 'startup { }'`},
		{"missing semicolons", "resource r0 {\n  protocol C\n  net {\n    timeout 30\n    ping-int 5;\n    allow-two-primaries\n  }" + goodHosts + "}", `
f:2: ';' is missing at the end of the statement
f:4: ';' is missing at the end of the statement
f:6: ';' is missing at the end of the statement`},
		{"missing value", "resource r0 {\n  net { timeout; }" + goodHosts + "}", "\nf:2: 'timeout' needs a value: 1 to 600"},
		{"wrong flag", "resource r0 {\n  net { allow-two-primaries true; }" + goodHosts + "}", "\nf:2: allow-two-primaries must be yes or no, not 'true'"},
		{"unknown statements", "resuorce r0 { }\nresource r1 {\n  onn alpha { address 10.0.0.1:7789; }" + goodHosts + "}", `
f:1: 'resuorce' is no statement of 'the file'; did you mean 'resource'?
f:3: 'onn' is no statement of 'resource'; did you mean 'on'?`},
		{"addresses", "resource r0 {\n  device /dev/drbd0; disk /dev/sda;\n  on alpha { address alpha.example.org:7789; }\n  on bravo { address 10.0.0.300:7789; }\n}\n" +
			"resource r1 {\n  device /dev/drbd1; disk /dev/sdb;\n  on alpha { address fd00::1:7790; }\n  on bravo { address 10.0.0.2; }\n}", `
f:3: 'alpha.example.org' is no numeric address (names of hosts are not possible here)
f:4: '10.0.0.300' is no numeric address (names of hosts are not possible here)
f:8: expected a number for the port, but found ':'
f:9: expected ':' and a port behind the address 10.0.0.2, but found ';'`},
		{"IPv6 without its word", "resource r0 {\n  device /dev/drbd0; disk /dev/sda;\n  on alpha { address [fd00::1]:7789; }\n  on bravo { address ipv6 [fd00::2]:7789; }\n}", `
f:3: fd00::1 is an IPv6 address: write 'ipv6 [fd00::1]:7789'`},
		{"devices", "resource r0 {\n  disk /dev/sda; meta-disk internal;\n  on alpha { device /dev/drbd4 minor 5; address 10.0.0.1:7789; }\n  on bravo { device /dev/sdb; address 10.0.0.2:7789; }\n}", `
f:3: the name /dev/drbd4 and minor 5 do not agree; write 'device /dev/drbd5;'
f:4: the name of a device must be /dev/drbd<minor> (/dev/ may be left out), not /dev/sdb`},
		{"node ids", "resource r0 {\n  device /dev/drbd0; disk /dev/sda;\n  on alpha { node-id 1; address 10.0.0.1:7789; }\n  on bravo { node-id 1; address 10.0.0.2:7789; }\n}\n" +
			"resource r1 {\n  device /dev/drbd1; disk /dev/sdb;\n  on alpha { node-id 32; address 10.0.0.1:7790; }\n  on bravo { address 10.0.0.2:7790; }\n}", `
f:8: node-id '32' is not possible: it must be a number from 0 to 31
f:4: node-id 1 is used twice in resource 'r0'; the first is at f:3`},
		{"no device", "resource r0 {\n  disk /dev/sda;\n  net { timeout 0; }\n  on alpha { device /dev/drbd5; address 10.0.0.1:7789; }\n  on bravo { address 10.0.0.2:7789; }\n}", `
f:3: timeout: 0 is out of range: possible is 1 to 600
f:2: volume 0 of 'on bravo' in resource 'r0' has no device: add 'device /dev/drbd<minor>;'`},
		{"no address", "resource r0 {\n  device /dev/drbd0; disk /dev/sda;\n  on alpha { }\n  on bravo { address 10.0.0.2:7789; }\n}", `
f:3: resource 'r0', host 'alpha': there is no address; add 'address IP:PORT;'`},
		{"duplicates", "resource r0 {\n  net { timeout 30; }\n  net { timeout 40; }\n  on alpha { address 10.0.0.5:1; }" + goodHosts + "}\nresource r0 { }", `
f:3: a second 'net' in this resource; the first is at f:2
f:3: 'timeout' is set twice with different values: 40 here, 30 at f:2
f:6: a second section 'on alpha' in resource 'r0'; the first is at f:4
f:9: resource 'r0' is defined twice; the first is at f:1`},
		{"conflicts", "resource r0 {" + goodHosts + "}\nresource r1 {" + goodHosts + "}", `
f:7: minor 0 on host alpha of resource 'r1' is already used by resource 'r0' (f:2)
f:7: minor 0 on host bravo of resource 'r1' is already used by resource 'r0' (f:2)
f:8: address ipv4 10.0.0.1:7789 of resource 'r1' is already used by resource 'r0' (f:3)
f:9: address ipv4 10.0.0.2:7789 of resource 'r1' is already used by resource 'r0' (f:4)`},
		{"disk options", "resource r0 {\n  disk { al-extnts 3; }\n  device /dev/drbd0; disk /dev/sda;\n  on alpha { }\n  on bravo { address 10.0.0.2:7789; }\n}", `
f:2: 'al-extnts' is no option of section 'disk'; did you mean 'al-extents'?
f:4: resource 'r0', host 'alpha': there is no address; add 'address IP:PORT;'`},
		{"volumes", "resource r0 {\n  volume 0 { device minor 0; disk /dev/sda; }\n  volume 0 { device minor 1; disk /dev/sdb; }\n  device minor 7;\n  on alpha { address 10.0.0.1:7789; }\n  on bravo { address 10.0.0.2:7789; volume 3 { device minor 3; disk /dev/x; } }\n}", `
f:3: volume 0 is defined twice here; the first is at f:2
f:4: 'device' must stand inside a 'volume' section here, because other statements do (f:2)`},
		{"connections", "resource r0 {\n  device minor 0; disk /dev/sda;\n  on alpha { node-id 0; address 10.0.0.1:7789; }\n  on bravo { node-id 1; address 10.0.0.2:7789; }\n  connection { host alpha; host bravoo; }\n  connection-mesh { hosts alpha brvo; }\n}\n" +
			"resource r1 {\n  device minor 1; disk /dev/sda;\n  on alpha { node-id 0; address 10.0.0.1:7790; }\n  on bravo { node-id 1; address 10.0.0.2:7790; }\n  connection { host alpha; }\n}", `
f:12: 1 'host' statements: a connection or path needs exactly two
f:6: there is no 'on' section for the host 'brvo' of this mesh; did you mean 'bravo'?
f:5: there is no 'on' section for host 'bravoo', and no address behind it; did you mean 'bravo'?`},
		{"never closed", "resource r0 {\n  net { timeout 30;\n", "\nf:2: the '{' of 'net' is never closed\nf:1: the '{' of 'resource' is never closed"},
		{"strings", "resource r0 {\n  net { shared-secret \"abc;\n  }" + goodHosts + "}\nresource \"\" { }", `
f:2: the string "abc;... is not closed on its line
f:8: the name of the resource is empty`},
		{"characters", "resource r0 {\n  net { shared-secret abc+d; }" + goodHosts + "}", `
f:2: "abc+d" has a character that may only stand in quotes (free are letters, digits and / . _ -)`},
		{"discard-my-data", "resource r0 {\n  net { discard-my-data; }" + goodHosts + "}", `
f:2: 'discard-my-data' is not possible in a file, where it would discard data at each start; use: drbdadm connect --discard-my-data`},
		{"hosts in common", "common {\n  on alpha { }\n}", "\nf:2: 'on' is not possible in 'common', which has no hosts: it belongs into 'resource'"},
		{"inherited twice", "resource r0 {\n  volume 0 { device minor 0; disk /dev/sda; }\n  on alpha { node-id 0; address 10.0.0.1:7789; volume 0 { disk { resync-rate 1M; } } }\n" +
			"  on bravo { node-id 1; address 10.0.0.2:7789; volume 0 { disk { resync-rate 2M; } } }\n}", `
f:4: option 'resync-rate' is inherited with two values: 2M from here, 1M from f:3`},
		{"global", "global { minor-count 300; usage-count maybe; dialogue-refresh 1; }\nglobal { }", `
f:1: minor-count '300' is not possible: it must be a number from 1 to 255
f:1: usage-count must be yes, no or ask, not 'maybe' (nothing is ever sent, whatever is written)
f:1: 'dialogue-refresh' is no statement of 'global'; did you mean 'dialog-refresh'?
f:2: a second section 'global'; the first is at f:1`},
		{"require", "require-drbd-module-version-ge 9.x;", "\nf:1: '9.x' is no version: it must be three numbers such as 9.0.16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			view := Resolve(Parse("f", c.text), Identity{Node: "alpha", Pretended: true})
			var got strings.Builder
			for _, d := range view.Diagnostics.From(Error) {
				got.WriteString("\n" + d.String())
			}
			if diff := cmp.Diff(c.want, got.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
